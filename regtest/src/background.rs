//! A node that outlives the program that started it, for `gavel regtest up` and `down`.
//!
//! A folder holds its data and a file `node.json` that says how to reach it. Before a process
//! is ended, it is checked to be that very node: pids are used again by others.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::node::alive;
use crate::node::launch::{Launch, cookie_path, end};
use crate::node::log;
use crate::process::{command_line, signal};
use crate::{Auth, Bitcoind, Config, Error, Rpc, Version};

/// How long a node may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// What is written down about a background node. Holds no secret, only where the cookie is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its process.
    pub pid: u32,
    /// Where it listens, e.g. `http://127.0.0.1:18443`.
    pub url: String,
    /// The cookie file that lets one in.
    pub cookie: PathBuf,
    /// Its data folder.
    pub datadir: PathBuf,
    /// The program.
    pub bitcoind: PathBuf,
    /// Its version.
    pub version: Version,
}

/// A folder that holds, or may hold, a background node.
#[derive(Clone, Debug)]
pub struct Background {
    dir: PathBuf,
}

impl Background {
    /// Looks at a folder; it needn't exist.
    ///
    /// # Errors
    /// [`Error::Io`] if the current folder is gone and `dir` is relative.
    pub fn in_dir(dir: &Path) -> Result<Self, Error> {
        let dir = std::path::absolute(dir)
            .map_err(|error| Error::io("finding the absolute path of", dir, error))?;
        Ok(Self { dir })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn state_path(&self) -> PathBuf {
        self.dir.join("node.json")
    }

    /// Starts a node here; its chain goes on where it stopped. The data folder and the program
    /// of `config` count, as does its port.
    ///
    /// # Errors
    /// [`Error::AlreadyUp`]; otherwise as [`Node::start_with`](crate::Node::start_with).
    pub fn up(&self, config: &Config) -> Result<State, Error> {
        if let Some(state) = self.state()? {
            return Err(Error::AlreadyUp {
                url: state.url,
                pid: state.pid,
            });
        }
        let bitcoind = Bitcoind::find(config.named_bitcoind())?;
        let datadir = self.dir.join("data");
        let launch = Launch {
            bitcoind: &bitcoind,
            datadir: &datadir,
            port: config.named_port(),
            ready_within: config.patience(),
            detached: true,
        };
        let mut launched = launch.start()?;
        let state = State {
            pid: launched.child.id(),
            url: launched.rpc.url().to_owned(),
            cookie: cookie_path(&datadir),
            datadir,
            bitcoind: bitcoind.path,
            version: bitcoind.version,
        };
        if let Err(error) = self.write(&state) {
            end(&mut launched.child); // nobody would find it again
            return Err(error);
        }
        alive::done_with(state.pid);
        Ok(state)
    }

    /// What runs here; `None` if nothing does, whatever was written down.
    ///
    /// # Errors
    /// [`Error::Io`] if the state can't be read.
    pub fn state(&self) -> Result<Option<State>, Error> {
        let path = self.state_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("reading", &path, error)),
        };
        // a file that doesn't parse was written by another version: nothing we can stop
        let state: Option<State> = serde_json::from_str(&text).ok();
        Ok(state.filter(is_node))
    }

    /// Connects to the node that runs here.
    ///
    /// # Errors
    /// [`Error::NotUp`]; otherwise as [`Rpc::connect`].
    pub fn connect(&self) -> Result<(State, Rpc), Error> {
        let state = self.state()?.ok_or_else(|| Error::NotUp {
            dir: self.dir.clone(),
        })?;
        let auth = Auth::Cookie(state.cookie.clone());
        let rpc = Rpc::open(&state.url, auth, Some(&state.datadir))?;
        rpc.check()?;
        Ok((state, rpc))
    }

    /// Stops the node that runs here, and waits until it has ended. Its chain stays.
    ///
    /// # Errors
    /// [`Error::NotUp`]; [`Error::WontStop`].
    pub fn down(&self) -> Result<State, Error> {
        let state = self.state()?.ok_or_else(|| Error::NotUp {
            dir: self.dir.clone(),
        })?;
        let auth = Auth::Cookie(state.cookie.clone());
        let asked = Rpc::open(&state.url, auth, Some(&state.datadir)).and_then(|rpc| rpc.stop());
        if asked.is_err() {
            signal(state.pid, "-TERM"); // it is ours, see `state`
        }
        let started = Instant::now();
        while is_node(&state) {
            if started.elapsed() > STOP_WITHIN {
                let log = log::debug_log_path(&state.datadir);
                let seconds = STOP_WITHIN.as_secs();
                return Err(Error::WontStop {
                    pid: state.pid,
                    seconds,
                    log,
                });
            }
            sleep(Duration::from_millis(50));
        }
        let path = self.state_path();
        fs::remove_file(&path).map_err(|error| Error::io("removing", &path, error))?;
        Ok(state)
    }

    /// Writes the state beside its place, and moves it there.
    fn write(&self, state: &State) -> Result<(), Error> {
        let path = self.state_path();
        let partial = self.dir.join("node.json.partial");
        let text = serde_json::to_string_pretty(state)
            .map_err(|error| Error::io("writing", &path, error.into()))?;
        fs::write(&partial, text + "\n").map_err(|error| Error::io("writing", &partial, error))?;
        fs::rename(&partial, &path).map_err(|error| Error::io("creating", &path, error))
    }
}

/// Whether the process is the node that was written down: a living one, whose command line
/// names both the program and the data folder.
fn is_node(state: &State) -> bool {
    let Some(words) = command_line(state.pid) else {
        return false;
    };
    let datadir = format!("-datadir={}", state.datadir.display());
    words.contains(&state.bitcoind.display().to_string()) && words.contains(&datadir)
}
