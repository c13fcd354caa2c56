//! Everything that can go wrong between Gavel and a Bitcoin Core node.
//!
//! Each message says what was wrong, where, and what to do about it; callers match on the
//! variant, users read the message.

use std::io;
use std::path::{Path, PathBuf};

use bitcoin::Amount;

use crate::{InstallError, PackageReport, Reject, Version};

/// What went wrong with a node, or with a call to one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable `bitcoind` anywhere.
    #[error(
        "no bitcoind found: looked at {searched}. Run `gavel regtest install` to build one, \
         or set GAVEL_BITCOIND to yours"
    )]
    NodeNotFound {
        /// The places that were looked at, for the reader.
        searched: String,
    },

    /// A named file is no `bitcoind` that can be run.
    #[error("{} can't be used as bitcoind: {reason}. Name another one, or none", path.display())]
    BadBinary {
        /// The file that was named.
        path: PathBuf,
        /// What happened when it was run.
        reason: String,
    },

    /// The node is older than Gavel needs: TRUC packages and pay-to-anchor came with 28.
    #[error(
        "{at} is Bitcoin Core {found}; Gavel needs {need} or newer. Upgrade it, or run \
         `gavel regtest install` and unset GAVEL_BITCOIND"
    )]
    TooOld {
        /// Path of the binary, or address of the node.
        at: String,
        /// Its version.
        found: Version,
        /// The oldest version that Gavel works with.
        need: Version,
    },

    /// The node runs another chain.
    #[error(
        "the node at {url} runs the chain \"{found}\", not regtest. Gavel's regtest commands \
         never touch another chain; start a node with -regtest"
    )]
    WrongNetwork {
        /// Address of the node.
        url: String,
        /// Name of its chain, as `getblockchaininfo` gives it.
        found: String,
    },

    /// Nobody answers there.
    #[error("the node at {url} can't be reached: {reason}. Is it running? See `gavel regtest up`")]
    Unreachable {
        /// Address of the node.
        url: String,
        /// What the network said.
        reason: String,
    },

    /// The node answers, but not to these credentials.
    #[error(
        "the node at {url} refused the credentials. Check the cookie file or the user and password"
    )]
    Unauthorized {
        /// Address of the node.
        url: String,
    },

    /// The RPC port is taken by another program.
    #[error("port {port} of 127.0.0.1 is in use. Choose another, or none to have one picked")]
    PortInUse {
        /// The port.
        port: u16,
    },

    /// The data folder is used by another node.
    #[error("{} is in use by another bitcoind. Stop that one, or use another folder", path.display())]
    DatadirInUse {
        /// The data folder.
        path: PathBuf,
    },

    /// The file system that holds the data is full.
    #[error("no space left on the file system of {}. Free some, or use another folder", path.display())]
    DiskFull {
        /// The folder that was written to.
        path: PathBuf,
    },

    /// The node process ended by itself, or somebody ended it.
    #[error("bitcoind is gone. The end of its log:\n{log}")]
    Died {
        /// The last lines of `debug.log` and of standard error.
        log: String,
    },

    /// The node runs but didn't answer in time.
    #[error("bitcoind wasn't ready within {seconds} s. The end of its log:\n{log}")]
    NotReady {
        /// How long we waited.
        seconds: u64,
        /// The last lines of `debug.log` and of standard error.
        log: String,
    },

    /// The node refuses a transaction or a block.
    #[error("the node refused it: {0}")]
    Rejected(Reject),

    /// The node refuses at least one transaction of a package.
    #[error("the node refused the package: {0}")]
    PackageRejected(Box<PackageReport>),

    /// The node answered a call with an error that isn't a rejection.
    #[error("{method} failed: {message} (code {code})")]
    Rpc {
        /// The RPC method.
        method: String,
        /// Bitcoin Core's error code.
        code: i32,
        /// Bitcoin Core's message.
        message: String,
    },

    /// The node's answer isn't what that method answers.
    #[error("the reply to {method} makes no sense: {reason}. Is {url} a Bitcoin Core node?")]
    BadReply {
        /// The RPC method.
        method: String,
        /// Address of the node.
        url: String,
        /// What didn't parse.
        reason: String,
    },

    /// The chain's faucet can't pay that much: on regtest the subsidy halves every 150 blocks.
    #[error(
        "the regtest faucet has {have}, and {need} are needed; the block subsidy is used up. \
         Start a fresh chain, or fund before mining thousands of blocks"
    )]
    FaucetDry {
        /// What is asked for, fee included.
        need: Amount,
        /// What the faucet holds, immature coinbases included.
        have: Amount,
    },

    /// A background node with that name is already up.
    #[error("a node is already up at {url} (pid {pid}). Use it, or `gavel regtest down` first")]
    AlreadyUp {
        /// Address of the node.
        url: String,
        /// Its process.
        pid: u32,
    },

    /// There is no background node with that name.
    #[error("no node is up in {}. Start one with `gavel regtest up`", dir.display())]
    NotUp {
        /// The folder that would hold it.
        dir: PathBuf,
    },

    /// The node didn't stop when asked to.
    #[error("bitcoind (pid {pid}) didn't stop within {seconds} s. Look at {}", log.display())]
    WontStop {
        /// The process.
        pid: u32,
        /// How long we waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },

    /// The operating system refused something.
    #[error("{doing} {} failed: {source}", path.display())]
    Io {
        /// What was being done, e.g. "creating".
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// Bitcoin Core couldn't be built.
    #[error(transparent)]
    Install(#[from] InstallError),
}

impl Error {
    /// An I/O error, with what was being done to which path; "disk full" gets its own variant.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            Self::DiskFull {
                path: path.to_owned(),
            }
        } else {
            Self::Io {
                doing,
                path: path.to_owned(),
                source,
            }
        }
    }

    /// A short name that scripts can rely on, e.g. `"node-not-found"`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NodeNotFound { .. } => "node-not-found",
            Self::BadBinary { .. } => "bad-binary",
            Self::TooOld { .. } => "too-old",
            Self::WrongNetwork { .. } => "wrong-network",
            Self::Unreachable { .. } => "unreachable",
            Self::Unauthorized { .. } => "unauthorized",
            Self::PortInUse { .. } => "port-in-use",
            Self::DatadirInUse { .. } => "datadir-in-use",
            Self::DiskFull { .. } => "disk-full",
            Self::Died { .. } => "died",
            Self::NotReady { .. } => "not-ready",
            Self::Rejected(_) => "rejected",
            Self::PackageRejected(_) => "package-rejected",
            Self::Rpc { .. } => "rpc",
            Self::BadReply { .. } => "bad-reply",
            Self::FaucetDry { .. } => "faucet-dry",
            Self::AlreadyUp { .. } => "already-up",
            Self::NotUp { .. } => "not-up",
            Self::WontStop { .. } => "wont-stop",
            Self::Io { .. } => "io",
            Self::Install(_) => "install",
        }
    }

    /// The rejection inside, if a node refused a transaction or a block.
    pub fn reject(&self) -> Option<&Reject> {
        match self {
            Self::Rejected(reject) => Some(reject),
            Self::PackageRejected(report) => report.first_reject(),
            _ => None,
        }
    }
}
