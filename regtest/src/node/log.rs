//! What a node wrote before it fell silent, and what that means.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::Error;

/// How much of the end of a log is read, and how many of its lines are shown.
const TAIL_BYTES: u64 = 8_192;
const TAIL_LINES: usize = 15;

/// Where standard error of a node goes, inside its data folder.
pub(crate) fn stderr_path(datadir: &Path) -> PathBuf {
    datadir.join("stderr.log")
}

/// Where a node writes its log, inside its data folder.
pub(crate) fn debug_log_path(datadir: &Path) -> PathBuf {
    datadir.join("regtest").join("debug.log")
}

/// The last lines of the log and of standard error.
pub(crate) fn tail(datadir: &Path) -> String {
    let mut text = String::new();
    for path in [debug_log_path(datadir), stderr_path(datadir)] {
        let Some(end) = end_of(&path) else { continue };
        let lines: Vec<&str> = end.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(TAIL_LINES)) {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
        }
    }
    if text.is_empty() {
        "  (it wrote none)".to_owned()
    } else {
        text.trim_end().to_owned()
    }
}

/// Why a node ended, as far as its log tells.
pub(crate) fn explain_death(datadir: &Path) -> Error {
    let log = tail(datadir);
    let says = |text: &str| log.contains(text);
    if says("No space left on device") || says("Disk space is too low") {
        return Error::DiskFull {
            path: datadir.to_owned(),
        };
    }
    if says("Cannot obtain a lock on") {
        return Error::DatadirInUse {
            path: datadir.to_owned(),
        };
    }
    Error::Died { log }
}

/// Whether a node ended because its RPC port was taken.
pub(crate) fn port_was_taken(datadir: &Path) -> bool {
    let log = tail(datadir);
    log.contains("Unable to bind") || log.contains("Unable to start HTTP server")
}

/// The end of a file, if there is one.
fn end_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
