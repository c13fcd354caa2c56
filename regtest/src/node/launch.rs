//! Starts the process and waits until it answers.
//!
//! No policy flag is ever passed: what this node accepts, a stock one relays.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{alive, log};
use crate::{Auth, Bitcoind, Error, Rpc};

/// How often another free port is tried, when somebody else was faster.
const PORT_ATTEMPTS: usize = 8;
/// How long a node may take until it answers.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(60);

/// What to start.
pub(crate) struct Launch<'a> {
    pub bitcoind: &'a Bitcoind,
    pub datadir: &'a Path,
    /// A port to insist on; with `None`, a free one is picked.
    pub port: Option<u16>,
    pub ready_within: Duration,
    /// Whether the node is to outlive this process, and its terminal's Ctrl-C.
    pub detached: bool,
}

/// A node that runs and answers.
#[derive(Debug)]
pub(crate) struct Launched {
    pub child: Child,
    pub rpc: Rpc,
    pub port: u16,
}

impl Launch<'_> {
    /// Starts the node. On any error, no process is left behind.
    pub fn start(&self) -> Result<Launched, Error> {
        fs::create_dir_all(self.datadir)
            .map_err(|error| Error::io("creating", self.datadir, error))?;
        if let Some(port) = self.port {
            // fail at once and clearly, rather than by what the node's log says
            drop(bind(port).map_err(|_| Error::PortInUse { port })?);
            return self.attempt(port);
        }
        let mut attempt = 1;
        loop {
            let port = free_port(self.datadir)?;
            match self.attempt(port) {
                Err(Error::PortInUse { .. }) if attempt < PORT_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    /// Starts the node on a port that was free a moment ago.
    fn attempt(&self, port: u16) -> Result<Launched, Error> {
        let stale = [cookie_path(self.datadir), log::debug_log_path(self.datadir)];
        for path in &stale {
            set_aside(path)?;
        }
        let launched =
            self.spawn(port)
                .and_then(|mut child| match self.wait_until_ready(&mut child, port) {
                    Ok(rpc) => Ok(Launched { child, rpc, port }),
                    Err(error) => {
                        end(&mut child);
                        Err(error)
                    }
                });
        for path in &stale {
            // On an error they may be those of a node that runs in this folder: it needs them.
            let _ = match launched {
                Err(_) if !path.exists() => fs::rename(aside(path), path),
                _ => fs::remove_file(aside(path)),
            };
        }
        launched
    }

    fn spawn(&self, port: u16) -> Result<Child, Error> {
        let stderr_path = log::stderr_path(self.datadir);
        let stderr = File::create(&stderr_path)
            .map_err(|error| Error::io("creating", &stderr_path, error))?;
        let mut datadir = std::ffi::OsString::from("-datadir=");
        datadir.push(self.datadir);
        let mut command = Command::new(&self.bitcoind.path);
        command
            .arg(datadir)
            .arg(format!("-rpcport={port}"))
            .args([
                "-regtest",
                "-server=1",
                "-rpcbind=127.0.0.1",
                "-rpcallowip=127.0.0.1",
            ])
            .args(["-listen=0", "-connect=0", "-txindex=0", "-printtoconsole=0"])
            // On regtest Core checks its whole block index after every block, which makes
            // mining quadratic; mainnet nodes don't, and neither do ours. Not policy.
            .args(["-checkblockindex=0", "-checkmempool=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        if self.detached {
            command.process_group(0);
        }
        let child = command.spawn().map_err(|error| Error::BadBinary {
            path: self.bitcoind.path.clone(),
            reason: error.to_string(),
        })?;
        alive::started(child.id());
        Ok(child)
    }

    fn wait_until_ready(&self, child: &mut Child, port: u16) -> Result<Rpc, Error> {
        let url = format!("http://127.0.0.1:{port}");
        let cookie = cookie_path(self.datadir);
        let started = Instant::now();
        loop {
            let exited = child.try_wait().map_err(|error| {
                Error::io("waiting for the process of", &self.bitcoind.path, error)
            })?;
            if exited.is_some() {
                return Err(if log::port_was_taken(self.datadir) {
                    Error::PortInUse { port }
                } else {
                    log::explain_death(self.datadir)
                });
            }
            if cookie.is_file() {
                let auth = Auth::Cookie(cookie.clone());
                let opened = Rpc::open(&url, auth, Some(self.datadir));
                match opened.and_then(|rpc| rpc.check().map(|()| rpc)) {
                    Ok(rpc) => return Ok(rpc),
                    Err(error @ (Error::TooOld { .. } | Error::WrongNetwork { .. })) => {
                        return Err(error);
                    }
                    Err(_) => {} // not yet
                }
            }
            if started.elapsed() > self.ready_within {
                let log = log::tail(self.datadir);
                return Err(Error::NotReady {
                    seconds: self.ready_within.as_secs(),
                    log,
                });
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// Where a node writes its RPC cookie, inside its data folder.
pub(crate) fn cookie_path(datadir: &Path) -> PathBuf {
    datadir.join("regtest").join(".cookie")
}

/// Where a file waits that may belong to a node of before, or to one that still runs.
fn aside(path: &Path) -> PathBuf {
    path.with_extension("before")
}

fn set_aside(path: &Path) -> Result<(), Error> {
    match fs::rename(path, aside(path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("renaming", path, error))
        }
        _ => Ok(()),
    }
}

/// Ends a process that we started, if it still runs.
pub(crate) fn end(child: &mut Child) {
    alive::done_with(child.id()); // before: a pid that was waited for may be given again
    let _ = child.kill(); // fails only if it has ended already
    let _ = child.wait();
}

/// A port that is free now. Somebody else may take it before the node does: then try again.
fn free_port(datadir: &Path) -> Result<u16, Error> {
    let listener = bind(0).and_then(|l| l.local_addr());
    let address = listener.map_err(|e| Error::io("finding a free port for", datadir, e))?;
    Ok(address.port())
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}
