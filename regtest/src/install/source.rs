//! Where Bitcoin Core's source lies, and a copy of it to build from.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{CORE_SOURCE_VERSION, InstallError, SOURCE_ENV};
use crate::Error;

const PACKAGE: &str = "libbitcoinkernel-sys";

/// Copies the source to `work/source`, whole or not at all, and returns that folder. The copy is
/// ours to build in: Cargo's folder is shared and stays as it is.
pub(super) fn fetch(work: &Path) -> Result<PathBuf, Error> {
    let target = work.join("source");
    if target.is_dir() {
        return Ok(target); // of an installation that was interrupted
    }
    let origin = locate()?;
    let partial = work.join("source.partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|error| Error::io("removing", &partial, error))?;
    }
    copy_tree(&origin, &partial)?;
    fs::rename(&partial, &target).map_err(|error| Error::io("creating", &target, error))?;
    Ok(target)
}

/// The folder with Core's source: what the user names, else what `cargo metadata` says, which
/// downloads the package if needed and checks it against Cargo.lock.
fn locate() -> Result<PathBuf, Error> {
    let (folder, how) = match env::var_os(SOURCE_ENV).filter(|v| !v.is_empty()) {
        Some(named) => (PathBuf::from(named), SOURCE_ENV.to_owned()),
        None => (
            package_folder()?.join("bitcoin"),
            "`cargo metadata`".to_owned(),
        ),
    };
    if folder.join("CMakeLists.txt").is_file() && folder.join("src").is_dir() {
        Ok(folder)
    } else {
        let reason = format!("{how} names {}, and it isn't there", folder.display());
        Err(InstallError::NoSource { reason }.into())
    }
}

/// Asks Cargo for the folder of the package.
fn package_folder() -> Result<PathBuf, Error> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        manifest_path: PathBuf,
    }
    let no_source = |reason: String| InstallError::NoSource { reason };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(&cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
        ])
        .arg(manifest())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| no_source(format!("running {}: {error}", cargo.to_string_lossy())))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(no_source(format!("`cargo metadata` failed: {}", said.trim())).into());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| no_source(format!("`cargo metadata` makes no sense: {error}")))?;
    let package = metadata
        .packages
        .into_iter()
        .find(|package| package.name == PACKAGE && package.version == CORE_SOURCE_VERSION)
        .ok_or_else(|| {
            no_source(format!(
                "the workspace doesn't depend on {PACKAGE} {CORE_SOURCE_VERSION}"
            ))
        })?;
    match package.manifest_path.parent() {
        Some(folder) => Ok(folder.to_owned()),
        None => Err(no_source("the package has no folder".into()).into()),
    }
}

/// Manifest of the checkout that this was compiled in, else of the one we are in.
fn manifest() -> PathBuf {
    let compiled_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    if compiled_in.is_file() {
        compiled_in
    } else {
        PathBuf::from("Cargo.toml")
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(|error| Error::io("creating", to, error))?;
    let entries = fs::read_dir(from).map_err(|error| Error::io("reading", from, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("reading", from, error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|error| Error::io("writing", &target, error))?;
        }
    }
    Ok(())
}
