//! A node of one's own: started on demand, ended with the value that stands for it.

pub(crate) mod alive;
pub(crate) mod launch;
pub(crate) mod log;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Bitcoind, Error, Rpc};
use launch::{Launch, Launched};

pub use alive::end_all;

/// How long a node may take to stop by itself before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// How to start a node. The default: any `bitcoind`, a temporary folder, a free port.
#[derive(Clone, Debug)]
pub struct Config {
    bitcoind: Option<PathBuf>,
    datadir: Option<PathBuf>,
    port: Option<u16>,
    ready_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let ready_within = launch::READY_WITHIN;
        Self {
            bitcoind: None,
            datadir: None,
            port: None,
            ready_within,
        }
    }
}

impl Config {
    /// Use this `bitcoind` instead of looking for one.
    pub fn bitcoind(mut self, path: impl Into<PathBuf>) -> Self {
        self.bitcoind = Some(path.into());
        self
    }

    /// Keep the chain in this folder, which is made if needed and never deleted, instead of a
    /// temporary one.
    pub fn datadir(mut self, path: impl Into<PathBuf>) -> Self {
        self.datadir = Some(path.into());
        self
    }

    /// Listen for RPC on this port of 127.0.0.1 instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Give up if the node doesn't answer within this time (default: one minute).
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.ready_within = time;
        self
    }

    pub(crate) fn named_bitcoind(&self) -> Option<&Path> {
        self.bitcoind.as_deref()
    }

    pub(crate) fn named_port(&self) -> Option<u16> {
        self.port
    }

    pub(crate) fn patience(&self) -> Duration {
        self.ready_within
    }
}

/// A running regtest node. Dropping it, also while panicking, ends its process and no other;
/// a temporary data folder goes with it.
///
/// ```
/// use gavel_regtest::Node;
///
/// let node = Node::start()?;
/// node.rpc().mine(101)?;
/// assert_eq!(node.rpc().height()?, 101);
/// # Ok::<(), gavel_regtest::Error>(())
/// ```
#[derive(Debug)]
pub struct Node {
    child: Child,
    rpc: Rpc,
    port: u16,
    bitcoind: Bitcoind,
    config: Config,
    /// Whether the process is known to have ended.
    stopped: bool,
    datadir: Datadir, // last: deleted after the process has ended
}

#[derive(Debug)]
enum Datadir {
    Named(PathBuf),
    Temporary(TempDir),
}

impl Datadir {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    fn temporary() -> Result<Self, Error> {
        let made = tempfile::Builder::new().prefix("gavel-node-").tempdir();
        let folder = made.map_err(|e| Error::io("making a folder in", &std::env::temp_dir(), e))?;
        alive::made(folder.path());
        Ok(Self::Temporary(folder))
    }
}

impl Drop for Datadir {
    fn drop(&mut self) {
        alive::removed(self.path());
    }
}

impl Node {
    /// Starts a node in a temporary folder, on a free port.
    ///
    /// # Errors
    /// As [`Node::start_with`].
    pub fn start() -> Result<Self, Error> {
        Self::start_with(Config::default())
    }

    /// Starts a node and waits until it answers.
    ///
    /// # Errors
    /// What [`Bitcoind::find`] says; [`Error::PortInUse`], [`Error::DatadirInUse`],
    /// [`Error::DiskFull`]; [`Error::Died`] or [`Error::NotReady`] with the end of its log.
    pub fn start_with(config: Config) -> Result<Self, Error> {
        let bitcoind = Bitcoind::find(config.named_bitcoind())?;
        let datadir = match &config.datadir {
            // the node changes its working folder, so a relative path would mislead it
            Some(path) => Datadir::Named(
                std::path::absolute(path)
                    .map_err(|error| Error::io("finding the absolute path of", path, error))?,
            ),
            None => Datadir::temporary()?,
        };
        let launched = start(&bitcoind, datadir.path(), config.port, &config)?;
        let Launched { child, rpc, port } = launched;
        Ok(Self {
            child,
            rpc,
            port,
            bitcoind,
            config,
            stopped: false,
            datadir,
        })
    }

    /// The connection to it.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Its data folder.
    pub fn datadir(&self) -> &Path {
        self.datadir.path()
    }

    /// Its RPC port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program that runs.
    pub fn bitcoind(&self) -> &Bitcoind {
        &self.bitcoind
    }

    /// Stops the node the clean way, so that it writes `mempool.dat`, and starts it again in
    /// the same folder. Clones of [`Node::rpc`] made before don't reach it any more.
    ///
    /// # Errors
    /// As [`Node::start_with`]; the node is stopped then.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down();
        let port = self.config.port;
        let launched = start(&self.bitcoind, self.datadir.path(), port, &self.config)?;
        (self.child, self.rpc, self.port) = (launched.child, launched.rpc, launched.port);
        self.stopped = false;
        Ok(())
    }

    /// Stops the node the clean way. (Dropping it is enough, unless the folder is to be kept
    /// and its state on disk matters.)
    pub fn stop(mut self) {
        self.shut_down();
    }

    /// Asks, waits, and if that doesn't help, kills.
    fn shut_down(&mut self) {
        if !self.stopped && self.rpc.stop().is_ok() {
            let asked = Instant::now();
            while asked.elapsed() < STOP_WITHIN {
                match self.child.try_wait() {
                    Ok(None) => sleep(Duration::from_millis(20)),
                    _ => break,
                }
            }
        }
        launch::end(&mut self.child);
        self.stopped = true;
    }
}

fn start(
    bitcoind: &Bitcoind,
    datadir: &Path,
    port: Option<u16>,
    config: &Config,
) -> Result<Launched, Error> {
    let ready_within = config.ready_within;
    Launch {
        bitcoind,
        datadir,
        port,
        ready_within,
        detached: false,
    }
    .start()
}

impl Drop for Node {
    fn drop(&mut self) {
        match (self.stopped, &self.datadir) {
            (true, _) => {}
            (false, Datadir::Named(_)) => self.shut_down(),
            (false, Datadir::Temporary(_)) => launch::end(&mut self.child),
        }
    }
}
