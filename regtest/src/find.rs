//! Finds a `bitcoind`: the one the user names, the one on `PATH`, the one Gavel built.

use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::install::CORE_SOURCE_VERSION;
use crate::{Error, Version};

/// Names a `bitcoind` to use instead of looking for one.
pub const BITCOIND_ENV: &str = "GAVEL_BITCOIND";
/// Names the folder that Gavel keeps what it built in, instead of the user's cache folder.
pub const CACHE_ENV: &str = "GAVEL_CACHE";

/// How long a program may take to say its version.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// More than this of what it says isn't read.
const LONGEST_ANSWER: u64 = 4_096;

/// How a `bitcoind` was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The user named it.
    Named,
    /// It is on `PATH`.
    Path,
    /// Gavel built it before.
    Built,
}

/// A `bitcoind` that was run once, to ask for its version, and is new enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bitcoind {
    /// Where it is.
    pub path: PathBuf,
    /// What it says it is.
    pub version: Version,
    /// How it was found.
    pub origin: Origin,
}

impl Bitcoind {
    /// Finds one: `named`, else `GAVEL_BITCOIND`, else on `PATH`, else what
    /// [`install`](crate::install::install) built.
    ///
    /// # Errors
    /// [`Error::BadBinary`] or [`Error::TooOld`] for the one that was named, or for the first
    /// that was found if none can be used; [`Error::NodeNotFound`] if there is none.
    pub fn find(named: Option<&Path>) -> Result<Self, Error> {
        let variable = env::var_os(BITCOIND_ENV)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from);
        if let Some(path) = named.or(variable.as_deref()) {
            return Self::probe(path, Origin::Named);
        }
        let on_path = search_path();
        let built = built_bitcoind();
        let mut unusable: Option<Error> = None;
        let candidates = on_path.iter().map(|path| (path, Origin::Path)).chain(
            built
                .iter()
                .filter(|p| p.is_file())
                .map(|p| (p, Origin::Built)),
        );
        for (path, origin) in candidates {
            match Self::probe(path, origin) {
                Ok(found) => return Ok(found),
                Err(error) => unusable = unusable.or(Some(error)), // look on
            }
        }
        Err(unusable.unwrap_or_else(|| Error::NodeNotFound {
            searched: match built {
                Some(path) => format!("${BITCOIND_ENV}, PATH, {}", path.display()),
                None => format!("${BITCOIND_ENV}, PATH (and $HOME isn't set: no cache folder)"),
            },
        }))
    }

    /// Runs `path --version` and checks the answer. Even for that, Core writes to its data
    /// folder, and fails if another one does so too: hence a folder of its own.
    pub(crate) fn probe(path: &Path, origin: Origin) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadBinary {
            path: path.to_owned(),
            reason,
        };
        let folder = tempfile::Builder::new()
            .prefix("gavel-probe-")
            .tempdir()
            .map_err(|error| Error::io("making a folder in", &env::temp_dir(), error))?;
        let mut datadir = std::ffi::OsString::from("-datadir=");
        datadir.push(folder.path());
        let mut command = Command::new(path);
        command
            .args(["--version", "-nosettings", "-noconf"])
            .arg(datadir);
        let (status, banner) = ask(&mut command).map_err(|error| bad(error.to_string()))?;
        let Some(version) = Version::from_banner(&banner) else {
            let first = banner.lines().next().unwrap_or("nothing").to_owned();
            return Err(bad(format!("its --version says \"{first}\" ({status})")));
        };
        if version < Version::OLDEST {
            let at = path.display().to_string();
            return Err(Error::TooOld {
                at,
                found: version,
                need: Version::OLDEST,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            version,
            origin,
        })
    }
}

/// Runs a program that should say a few words and end.
fn ask(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < ANSWER_WITHIN => sleep(Duration::from_millis(5)),
            failed => {
                let _ = child.kill(); // fails only if it has ended
                let _ = child.wait();
                let seconds = ANSWER_WITHIN.as_secs();
                let silent = format!("it doesn't answer --version within {seconds} s");
                return Err(failed.err().unwrap_or_else(|| io::Error::other(silent)));
            }
        }
    };
    let mut said = Vec::new();
    if let Some(out) = child.stdout.take() {
        out.take(LONGEST_ANSWER).read_to_end(&mut said)?;
    }
    Ok((status, String::from_utf8_lossy(&said).into_owned()))
}

/// The folder that Gavel keeps what it built in: `$GAVEL_CACHE`, else `$XDG_CACHE_HOME/gavel`,
/// else `~/.cache/gavel`. `None` if none of these is set.
pub fn cache_dir() -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    set(CACHE_ENV)
        .or_else(|| {
            set("XDG_CACHE_HOME")
                .filter(|p| p.is_absolute())
                .map(|p| p.join("gavel"))
        })
        .or_else(|| set("HOME").map(|home| home.join(".cache").join("gavel")))
}

/// Where [`install`](crate::install::install) puts `bitcoind`, whether or not it is there yet.
pub fn built_bitcoind() -> Option<PathBuf> {
    Some(install_dir(&cache_dir()?).join("bitcoind"))
}

/// The folder inside the cache folder that holds the binaries.
pub(crate) fn install_dir(cache: &Path) -> PathBuf {
    cache.join(format!("bitcoin-core-{CORE_SOURCE_VERSION}"))
}

/// Every `bitcoind` on `PATH`, in order.
fn search_path() -> Vec<PathBuf> {
    let Some(path) = env::var_os("PATH") else {
        return Vec::new();
    };
    env::split_paths(&path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| folder.join("bitcoind"))
        .filter(|file| file.is_file())
        .collect()
}
