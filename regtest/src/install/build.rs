//! CMake, Ninja, strip.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{InstallError, Phase, Progress};
use crate::Error;

/// What we build.
const TARGETS: [&str; 2] = ["bitcoind", "bitcoin-cli"];

/// What we don't: the package lacks some of it, and a regtest node needs none.
const OFF: [&str; 17] = [
    "BUILD_BITCOIN_BIN",
    "BUILD_GUI",
    "BUILD_TX",
    "BUILD_UTIL",
    "BUILD_UTIL_CHAINSTATE",
    "BUILD_KERNEL_LIB",
    "BUILD_WALLET_TOOL",
    "BUILD_TESTS",
    "BUILD_BENCH",
    "BUILD_FUZZ_BINARY",
    "ENABLE_WALLET",
    "ENABLE_IPC",
    "ENABLE_EXTERNAL_SIGNER",
    "WITH_ZMQ",
    "WITH_USDT",
    "WITH_EMBEDDED_ASMAP",
    "INSTALL_MAN",
];

/// How much of a failed step's output goes into the error.
const TAIL_LINES: usize = 25;

/// Builds the binaries below `work`, and says where they are.
pub(super) fn build(
    source: &Path,
    work: &Path,
    progress: &mut dyn Progress,
) -> Result<Vec<PathBuf>, Error> {
    let folder = work.join("build");
    progress.report(Phase::Configure, 0, 0);
    let mut cmake = Command::new("cmake");
    cmake
        .arg("-S")
        .arg(source)
        .arg("-B")
        .arg(&folder)
        .args(["-G", "Ninja"]);
    cmake.args([
        "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_DAEMON=ON",
        "-DBUILD_CLI=ON",
    ]);
    cmake.args(OFF.map(|option| format!("-D{option}=OFF")));
    logged(&mut cmake, "cmake", &work.join("cmake.log"))?;

    progress.report(Phase::Build, 0, 0);
    let mut ninja = Command::new("ninja");
    ninja.arg("-C").arg(&folder).args(TARGETS);
    if let Some(jobs) = env::var("CARGO_BUILD_JOBS")
        .ok()
        .and_then(|j| j.parse::<u32>().ok())
    {
        ninja.arg(format!("-j{}", jobs.max(1)));
    }
    ninja.env_remove("NINJA_STATUS"); // its default is what we read progress from
    logged_lines(&mut ninja, "ninja", &work.join("ninja.log"), &mut |line| {
        if let Some((done, total)) = ninja_status(line) {
            progress.report(Phase::Build, done, total);
        }
    })?;
    Ok(TARGETS.map(|name| folder.join("bin").join(name)).to_vec())
}

/// Reads `[123/456] Building …`.
fn ninja_status(line: &str) -> Option<(u32, u32)> {
    let (status, _) = line.strip_prefix('[')?.split_once(']')?;
    let (done, total) = status.split_once('/')?;
    Some((done.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// The C++ compiler that CMake will use.
pub(super) fn compiler() -> Option<OsString> {
    let named = env::var_os("CXX").filter(|v| !v.is_empty());
    named
        .into_iter()
        .chain(["c++", "g++", "clang++"].map(OsString::from))
        .find(|program| {
            Command::new(program)
                .arg("--version")
                .stdin(Stdio::null())
                .output()
                .is_ok_and(|output| output.status.success())
        })
}

/// Removes symbols. A binary with symbols works as well, so failing is no error.
pub(super) fn strip(binary: &Path) {
    let _ = Command::new("strip")
        .arg(binary)
        .stdin(Stdio::null())
        .output();
}

/// Runs a command with its output in a log.
pub(super) fn logged(command: &mut Command, what: &'static str, log: &Path) -> Result<(), Error> {
    logged_lines(command, what, log, &mut |_| {})
}

/// Runs a command with its output in a log, and looks at each line of standard output.
fn logged_lines(
    command: &mut Command,
    what: &'static str,
    log: &Path,
    look: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let write_error = |error| Error::io("writing", log, error);
    let mut file = File::create(log).map_err(write_error)?;
    let stderr = file.try_clone().map_err(write_error)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .map_err(|error| Error::io("running", Path::new(command.get_program()), error))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            look(line.trim());
            // the log is for the reader of an error; that it can't grow must not end the build
            let _ = writeln!(file, "{line}");
        }
    }
    let status = child
        .wait()
        .map_err(|error| Error::io("waiting for", Path::new(command.get_program()), error))?;
    if status.success() {
        return Ok(());
    }
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    if text.contains("No space left on device") {
        let path = log.parent().unwrap_or(log).to_owned();
        return Err(Error::DiskFull { path });
    }
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(TAIL_LINES);
    let tail = lines
        .iter()
        .skip(start)
        .map(|line| format!("  {line}\n"))
        .collect();
    Err(InstallError::Step {
        what,
        tail,
        log: log.to_owned(),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninja_lines() {
        for (line, status) in [
            ("[123/456] Building CXX object x.o", Some((123, 456))),
            ("ninja: Entering directory `build'", None),
            ("[warning] x", None),
            ("[1/x] y", None),
        ] {
            assert_eq!(ninja_status(line), status, "{line}");
        }
    }

    #[test]
    fn failures_carry_the_end_of_the_output() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let error = logged(&mut command, "sh", &folder.path().join("log")).expect_err("exit 3");
        let text = error.to_string();
        assert!(text.contains("out") && text.contains("err"), "{text}");
        let mut full = Command::new("sh");
        full.args(["-c", "echo 'fatal: No space left on device'; exit 1"]);
        let error = logged(&mut full, "sh", &folder.path().join("log")).expect_err("exit 1");
        assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    }
}
