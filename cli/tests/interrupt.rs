//! A command that is interrupted leaves no node behind.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::Shop;

/// Waits for something that must come.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no {what}");
        sleep(Duration::from_millis(20));
    }
}

/// A pid that stands in a file, once it does.
fn pid_in(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn runs(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}

/// Sends a signal to `gavel` alone; it ends with 3, and so does its node.
fn interrupt(gavel: Child, signal: &str, node: u32) {
    assert!(runs(node));
    let pid = gavel.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(sent.success());
    let output = gavel.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{signal}: {text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["error"]["kind"], "interrupted");
    wait_for("end of the node", || (!runs(node)).then_some(()));
}

#[test]
fn a_game_that_is_interrupted_stops_its_node() {
    let shop = Shop::new();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let folders = tempfile::tempdir().unwrap();
        let gavel = Command::new(env!("CARGO_BIN_EXE_gavel"))
            .args(["play", "price_feed.gvl", "--json"])
            .current_dir(shop.path(""))
            .env("TMPDIR", folders.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let node = wait_for("node", || {
            let nodes = fs::read_dir(folders.path()).unwrap().flatten();
            nodes
                .map(|folder| folder.path().join("regtest/bitcoind.pid"))
                .find_map(|file| pid_in(&file))
        });
        interrupt(gavel, signal, node);
        let left = fs::read_dir(folders.path()).unwrap().count();
        assert_eq!(left, 0, "{signal}: folders are left");
    }
}

/// It would keep its folder locked, and no command would find it.
#[test]
fn a_node_that_is_being_started_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let slow = folder.path().join("slow");
    let script = r#"#!/bin/sh
[ "$1" = --version ] && exec echo "Bitcoin Core daemon version v30.0.0"
echo $$ > "${1#-datadir=}/pid"
exec sleep 100
"#;
    fs::write(&slow, script).unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    let dir = folder.path().join("node");
    let gavel = Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args(["regtest", "up", "--json", "--bitcoind"])
        .arg(&slow)
        .arg("--dir")
        .arg(&dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let node = wait_for("node", || pid_in(&dir.join("data/pid")));
    interrupt(gavel, "-TERM", node);
}
