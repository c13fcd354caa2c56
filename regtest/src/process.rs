//! Processes that there is only a pid of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Command line of a living process, as `/proc` or else `ps` tells.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    if proc.join("stat").exists() {
        // empty for a process that has ended and wasn't waited for
        let bytes = fs::read(proc.join("cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    if Path::new("/proc/self").exists() {
        return None;
    }
    let output = Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sends a signal; there is no safe call for it in std.
pub(crate) fn signal(pid: u32, signal: &str) {
    let _ = Command::new("kill")
        .args([signal, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
