//! Builds Bitcoin Core from the source that a crates.io package carries.
//!
//! `libbitcoinkernel-sys` is a dependency that Cargo.lock pins and that is never compiled; its
//! folder `bitcoin/` is Core's source. The result goes to the user's cache folder, whole or not
//! at all. Two installs at once wait for each other; one that was interrupted goes on where it
//! was. Nothing here prints: progress goes to a [`Progress`].

mod build;
mod source;
mod tools;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::find::{Origin, cache_dir, install_dir};
use crate::{Bitcoind, Error};

pub use tools::{MissingTools, missing_tools};

/// Version of the crates.io package that carries Core's source. Cargo.lock pins the same; a
/// test compares.
pub const CORE_SOURCE_VERSION: &str = "0.4.1";
/// Names a folder with Core's source, for when `cargo metadata` can't find it.
pub const SOURCE_ENV: &str = "GAVEL_CORE_SOURCE";

/// What an installation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Another installation is under way; this one waits for it.
    Waiting,
    /// Installing the compiler's tools with the system's package manager.
    Tools,
    /// Finding, maybe downloading, and copying the source.
    Source,
    /// CMake.
    Configure,
    /// Ninja: the long one, with numbers.
    Build,
    /// Stripping, and moving to its place.
    Finish,
}

impl Phase {
    /// A few words for the reader.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Waiting => "waiting for another installation",
            Self::Tools => "installing build tools",
            Self::Source => "fetching the source of Bitcoin Core",
            Self::Configure => "configuring Bitcoin Core",
            Self::Build => "building Bitcoin Core",
            Self::Finish => "installing bitcoind",
        }
    }
}

/// Is told how an installation goes.
pub trait Progress {
    /// A phase begins, or `done` of its `total` steps are done (0 of 0 if not countable).
    fn report(&mut self, phase: Phase, done: u32, total: u32);
}

impl<F: FnMut(Phase, u32, u32)> Progress for F {
    fn report(&mut self, phase: Phase, done: u32, total: u32) {
        self(phase, done, total);
    }
}

/// Why Bitcoin Core couldn't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// There is no folder to put it in.
    #[error("no folder to install to: neither GAVEL_CACHE, XDG_CACHE_HOME nor HOME is set")]
    NoCacheDir,
    /// Tools are missing and can't be installed without asking.
    #[error("{0}")]
    MissingTools(MissingTools),
    /// The source isn't where Cargo should have put it.
    #[error(
        "the source of Bitcoin Core wasn't found: {reason}. Run this in a checkout of Gavel, or \
         set {SOURCE_ENV} to the folder `bitcoin` of the crate libbitcoinkernel-sys \
         {CORE_SOURCE_VERSION}"
    )]
    NoSource {
        /// What was tried, and what happened.
        reason: String,
    },
    /// CMake, Ninja, or the package manager failed.
    #[error("{what} failed; the whole output is in {}. Its end:\n{tail}", log.display())]
    Step {
        /// Which step, e.g. "cmake".
        what: &'static str,
        /// The end of what it wrote.
        tail: String,
        /// Where the rest is.
        log: PathBuf,
    },
    /// It was built, but doesn't run.
    #[error("the bitcoind that was built doesn't run: {reason}")]
    Broken {
        /// What happened.
        reason: String,
    },
}

/// Installs `bitcoind` and `bitcoin-cli` in the cache folder, unless they are there already.
///
/// Takes about six minutes on two cores. Missing tools are installed if this process is root or
/// `sudo` asks no question.
///
/// # Errors
/// [`Error::Install`]; [`Error::DiskFull`]; [`Error::Io`].
pub fn install(progress: &mut dyn Progress) -> Result<Bitcoind, Error> {
    let cache = cache_dir().ok_or(InstallError::NoCacheDir)?;
    install_into(&cache, progress)
}

/// Like [`install`], with a cache folder of one's own.
///
/// # Errors
/// As [`install`].
pub fn install_into(cache: &Path, progress: &mut dyn Progress) -> Result<Bitcoind, Error> {
    let target = install_dir(cache);
    let installed = || Bitcoind::probe(&target.join("bitcoind"), Origin::Built);
    if let Ok(found) = installed() {
        return Ok(found);
    }
    fs::create_dir_all(cache).map_err(|error| Error::io("creating", cache, error))?;
    let _lock = lock(&cache.join("install.lock"), progress)?;
    if let Ok(found) = installed() {
        return Ok(found); // somebody else did it while we waited
    }

    let work = cache.join(format!("build-{CORE_SOURCE_VERSION}"));
    fs::create_dir_all(&work).map_err(|error| Error::io("creating", &work, error))?;
    progress.report(Phase::Tools, 0, 0);
    tools::ensure(&work)?;
    progress.report(Phase::Source, 0, 0);
    let source = source::fetch(&work)?;
    let binaries = build::build(&source, &work, progress)?;

    progress.report(Phase::Finish, 0, 0);
    publish(&binaries, &work, &target)?;
    let found = installed().map_err(|error| InstallError::Broken {
        reason: error.to_string(),
    })?;
    // what it was built from isn't needed any more; leftovers do no harm
    let _ = fs::remove_dir_all(&work);
    Ok(found)
}

/// Moves the binaries to their place in one step, if they run.
fn publish(binaries: &[PathBuf], work: &Path, target: &Path) -> Result<(), Error> {
    let staged = work.join("staged");
    if staged.exists() {
        fs::remove_dir_all(&staged).map_err(|error| Error::io("removing", &staged, error))?;
    }
    fs::create_dir_all(&staged).map_err(|error| Error::io("creating", &staged, error))?;
    for binary in binaries {
        let Some(name) = binary.file_name() else {
            continue;
        };
        let to = staged.join(name);
        fs::copy(binary, &to).map_err(|error| Error::io("writing", &to, error))?;
        build::strip(&to);
    }
    Bitcoind::probe(&staged.join("bitcoind"), Origin::Built).map_err(|error| {
        InstallError::Broken {
            reason: error.to_string(),
        }
    })?;
    if target.exists() {
        // there, but it doesn't run: a broken installation
        fs::remove_dir_all(target).map_err(|error| Error::io("removing", target, error))?;
    }
    fs::rename(&staged, target).map_err(|error| Error::io("creating", target, error))
}

/// Waits until no other installation runs. The lock goes with the file's handle, also when the
/// process is killed.
fn lock(path: &Path, progress: &mut dyn Progress) -> Result<File, Error> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| Error::io("creating", path, error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                progress.report(Phase::Waiting, 0, 0);
                std::thread::sleep(Duration::from_millis(500));
            }
            Err(fs::TryLockError::Error(error)) => {
                return Err(Error::io("locking", path, error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_version_is_the_locked_one() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let lock = fs::read_to_string(lock).expect("the workspace has a Cargo.lock");
        let entry =
            format!("name = \"libbitcoinkernel-sys\"\nversion = \"{CORE_SOURCE_VERSION}\"\n");
        assert!(lock.contains(&entry));
    }
}
