//! Talks to a Bitcoin Core node over JSON-RPC.
//!
//! A few connections are kept open and shared between threads. Replies are
//! parsed into types of our own wherever `bitcoincore-rpc` 0.19 doesn't parse what current
//! nodes answer. Nothing here knows whether Gavel started the node.

mod chain;
mod mine;
mod submit;
mod transport;
mod types;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bitcoin::consensus::encode;
use bitcoincore_rpc::jsonrpc::{self, client::Client as JsonRpc};
use bitcoincore_rpc::{Client, RpcApi};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::node::log;
use crate::{Error, Version};

use transport::{Http, HttpError};

pub use types::{
    Chain, Confirmation, MempoolInfo, PackageReport, PackageTx, Reject, UnspentOutput, Verdict,
};

/// How long one call may take. Mining many blocks and large packages are the slow ones.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many calls go into one HTTP request.
const BATCH: usize = 250;

/// How to prove to a node that one may call it.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// The cookie file that the node writes into its data folder.
    Cookie(PathBuf),
    /// What `-rpcuser` and `-rpcpassword`, or `-rpcauth`, were given.
    UserPass {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cookie(path) => f.debug_tuple("Cookie").field(path).finish(),
            Self::UserPass { user, .. } => f.debug_struct("UserPass").field("user", user).finish(),
        }
    }
}

/// A connection to a regtest node. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Rpc {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    url: String,
    auth: Auth,
    /// The data folder of a node that Gavel started: its log explains a silence.
    datadir: Option<PathBuf>,
    /// Held while a faucet payment is in the making, so that two never spend the same coins.
    faucet: Mutex<()>,
}

impl std::fmt::Debug for Rpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rpc")
            .field("url", &self.inner.url)
            .finish_non_exhaustive()
    }
}

impl Rpc {
    /// Connects to a node that runs already, and checks that it is on regtest and new enough.
    ///
    /// ```no_run
    /// use gavel_regtest::{Auth, Rpc};
    ///
    /// let cookie = "/home/me/.bitcoin/regtest/.cookie".into();
    /// let rpc = Rpc::connect("http://127.0.0.1:18443", Auth::Cookie(cookie))?;
    /// println!("height {}", rpc.height()?);
    /// # Ok::<(), gavel_regtest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Unauthorized`], [`Error::WrongNetwork`],
    /// [`Error::TooOld`].
    pub fn connect(url: &str, auth: Auth) -> Result<Self, Error> {
        let rpc = Self::open(url, auth, None)?;
        rpc.check()?;
        Ok(rpc)
    }

    /// Prepares a connection; nothing is sent yet.
    pub(crate) fn open(url: &str, auth: Auth, datadir: Option<&Path>) -> Result<Self, Error> {
        let unreachable = |reason: String| Error::Unreachable {
            url: url.to_owned(),
            reason,
        };
        let secret = match &auth {
            Auth::Cookie(path) => std::fs::read_to_string(path)
                .map_err(|error| Error::io("reading the cookie file", path, error))?
                .trim()
                .to_owned(),
            Auth::UserPass { user, password } => format!("{user}:{password}"),
        };
        let transport = Http::new(url, &secret, TIMEOUT).map_err(unreachable)?;
        let client = Client::from_jsonrpc(JsonRpc::with_transport(transport));
        let inner = Inner {
            client,
            url: url.to_owned(),
            auth,
            datadir: datadir.map(Path::to_owned),
            faucet: Mutex::new(()),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Checks that the node is on regtest and new enough.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let chain = self.chain()?;
        if chain.name != "regtest" {
            return Err(Error::WrongNetwork {
                url: self.inner.url.clone(),
                found: chain.name,
            });
        }
        let found = self.version()?;
        if found < Version::OLDEST {
            let at = format!("the node at {}", self.inner.url);
            return Err(Error::TooOld {
                at,
                found,
                need: Version::OLDEST,
            });
        }
        Ok(())
    }

    /// Address of the node, e.g. `http://127.0.0.1:18443`.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// What this connection identifies itself with, for other programs to use.
    pub fn auth(&self) -> &Auth {
        &self.inner.auth
    }

    /// Calls any method.
    ///
    /// # Errors
    /// [`Error::Rpc`] if the node says no; [`Error::Unreachable`] or [`Error::Died`] if there is
    /// no node; [`Error::BadReply`] if the reply isn't a `T`.
    pub fn call<T: DeserializeOwned>(&self, method: &str, args: &[Value]) -> Result<T, Error> {
        use bitcoincore_rpc::Error as Failure;
        self.inner
            .client
            .call(method, args)
            .map_err(|error| match error {
                Failure::JsonRpc(error) => self.failed(method, error),
                other => self.nonsense(method, other.to_string()),
            })
    }

    /// Calls one method many times, a few hundred calls per round trip. Replies come in order.
    ///
    /// # Errors
    /// As [`Rpc::call`]; the first call that fails decides.
    pub fn call_many<T: DeserializeOwned>(
        &self,
        method: &str,
        args: &[Vec<Value>],
    ) -> Result<Vec<T>, Error> {
        let client = self.inner.client.get_jsonrpc_client();
        let mut replies = Vec::with_capacity(args.len());
        for chunk in args.chunks(BATCH) {
            let params = chunk
                .iter()
                .map(jsonrpc::try_arg)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| self.nonsense(method, error.to_string()))?;
            let requests: Vec<_> = params
                .iter()
                .map(|params| client.build_request(method, Some(params)))
                .collect();
            let answers = client
                .send_batch(&requests)
                .map_err(|error| self.failed(method, error))?;
            for answer in answers {
                let answer =
                    answer.ok_or_else(|| self.nonsense(method, "an answer is missing".into()))?;
                replies.push(
                    answer
                        .result()
                        .map_err(|error| self.failed(method, error))?,
                );
            }
        }
        Ok(replies)
    }

    /// Turns a failure of the JSON-RPC layer into ours.
    fn failed(&self, method: &str, error: jsonrpc::Error) -> Error {
        let url = self.inner.url.clone();
        match error {
            jsonrpc::Error::Rpc(error) => Error::Rpc {
                method: method.to_owned(),
                code: error.code,
                message: error.message,
            },
            jsonrpc::Error::Transport(error) => {
                match error.downcast_ref::<HttpError>() {
                    Some(HttpError::Status(401 | 403)) => return Error::Unauthorized { url },
                    Some(HttpError::Socket(cause)) if gone(cause.kind()) => {
                        if let Some(datadir) = &self.inner.datadir {
                            return log::explain_death(datadir);
                        }
                    }
                    _ => {}
                }
                Error::Unreachable {
                    url,
                    reason: error.to_string(),
                }
            }
            other => self.nonsense(method, other.to_string()),
        }
    }

    /// A reply that doesn't parse.
    fn nonsense(&self, method: &str, reason: String) -> Error {
        Error::BadReply {
            method: method.to_owned(),
            url: self.inner.url.clone(),
            reason,
        }
    }

    /// Parses hex of something that Bitcoin serialises.
    fn decode<T: encode::Decodable>(&self, method: &str, hex: &str) -> Result<T, Error> {
        encode::deserialize_hex(hex).map_err(|error| self.nonsense(method, error.to_string()))
    }

    /// Waits for its turn to pay from the faucet.
    pub(crate) fn faucet_turn(&self) -> MutexGuard<'_, ()> {
        self.inner
            .faucet
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the node to stop. It takes a moment; watch its process.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub fn stop(&self) -> Result<(), Error> {
        self.call::<Value>("stop", &[]).map(drop)
    }
}

/// Whether a socket error means that nobody is at the other end.
fn gone(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}
