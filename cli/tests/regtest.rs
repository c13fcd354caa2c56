//! `gavel regtest` and its errors, as a script sees them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

fn gavel(dir: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args(words)
        .env("GAVEL_REGTEST_DIR", dir)
        .output()
        .expect("gavel runs")
}

/// Runs with `--json`, checks the exit code and that standard output is one JSON object.
fn json(dir: &Path, words: &[&str], code: i32) -> Value {
    let mut all = vec!["--json"];
    all.extend(words);
    let output = gavel(dir, &all);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn a_day_in_the_life() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();
    assert_eq!(json(dir, &["regtest", "status"], 3)["up"], false);
    assert_eq!(
        json(dir, &["regtest", "mine"], 3)["error"]["kind"],
        "not-up"
    );
    assert_eq!(
        json(dir, &["regtest", "down"], 3)["error"]["kind"],
        "not-up"
    );

    let up = json(dir, &["regtest", "up"], 0);
    assert!(
        up["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("http://127.0.0.1:"))
    );
    assert_eq!(
        json(dir, &["regtest", "up"], 3)["error"]["kind"],
        "already-up"
    );
    assert_eq!(
        json(dir, &["regtest", "mine", "3", "--to", ADDRESS], 0)["height"],
        3
    );
    let paid = json(dir, &["regtest", "fund", ADDRESS, "0.5btc"], 0);
    assert_eq!(paid["sats"], 50_000_000);
    let dust = json(dir, &["regtest", "fund", ADDRESS, "1sat"], 1);
    assert_eq!(dust["error"]["kind"], "rejected");
    let status = json(dir, &["regtest", "status"], 0);
    assert_eq!(
        (&status["up"], &status["pid"]),
        (&Value::Bool(true), &up["pid"])
    );
    assert_eq!(status["height"], paid["height"]);

    // by address, as if it weren't ours
    let (url, cookie) = (up["url"].as_str(), up["cookie"].as_str());
    let other = [
        "--rpc-url",
        url.expect("a URL"),
        "--rpc-cookie",
        cookie.expect("a path"),
    ];
    let mine = [&["regtest", "mine"][..], &other[..]].concat();
    assert_eq!(json(Path::new("/none"), &mine, 0)["blocks"], 1);

    for words in [
        &["regtest", "status"][..],
        &["regtest", "mine"],
        &["regtest", "down"],
    ] {
        let output = gavel(dir, words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{words:?}"
        );
    }
    assert_eq!(json(dir, &["regtest", "status"], 3)["up"], false);
}

/// What `up` finds there may be the files of a node that runs, whatever `node.json` says.
#[test]
fn a_second_up_leaves_the_first_node_usable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();
    json(dir, &["regtest", "up"], 0);
    let (state, kept) = (dir.join("node.json"), dir.join("kept.json"));
    std::fs::rename(&state, &kept).expect("renamed");
    let refused = json(dir, &["regtest", "up"], 3);
    assert_eq!(refused["error"]["kind"], "datadir-in-use");
    std::fs::rename(&kept, &state).expect("renamed");
    assert_eq!(json(dir, &["regtest", "mine"], 0)["height"], 1);
    // Without its cookie nobody gets in; it can be stopped all the same.
    std::fs::remove_file(dir.join("data/regtest/.cookie")).expect("removed");
    let lost = json(dir, &["regtest", "mine"], 3);
    let hint = lost["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("gavel regtest down"), "{lost}");
    json(dir, &["regtest", "down"], 0);
}

#[test]
fn a_program_that_never_answers_is_no_bitcoind() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mute = folder.path().join("mute");
    std::fs::write(&mute, "#!/bin/sh\nexec sleep 300\n").expect("written");
    std::fs::set_permissions(&mute, PermissionsExt::from_mode(0o755)).expect("chmod");
    let words = ["regtest", "up", "--bitcoind", mute.to_str().expect("UTF-8")];
    let error = json(folder.path(), &words, 3);
    let message = error["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("doesn't answer --version"), "{error}");
    // And meanwhile it says what it waits for.
    let text = gavel(folder.path(), &words).stderr;
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("waiting for bitcoind"), "{text}");
}

#[test]
fn usage_errors_are_told_before_anything_happens() {
    let nowhere = Path::new("/nonexistent");
    for words in [
        &["regtest", "fund", ADDRESS, "five"][..],
        &[
            "regtest",
            "fund",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "5sat",
        ],
        &["regtest", "mine", "0"],
        &["regtest", "mine", "-1"],
        &["regtest", "up", "--port", "0"],
        &["regtest", "up", "--name", "../up"],
        &["regtest", "mine", "--rpc-url", "http://127.0.0.1:1"],
        // not meant for the node in the background
        &["regtest", "mine", "--rpc-cookie", "x"],
        &["regtest", "mine", "--rpc-user", "x"],
        &["regtest", "up", "--name", "second"], // beside GAVEL_REGTEST_DIR
        &["regtest"],
        &["nonsense"],
    ] {
        assert_eq!(
            json(nowhere, words, 2)["error"]["kind"],
            "usage",
            "{words:?}"
        );
        assert_eq!(gavel(nowhere, words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn errors_name_the_thing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let up = ["regtest", "up", "--bitcoind", "/nonexistent/bitcoind"];
    let output = gavel(folder.path(), &up);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text.starts_with("error: ") && text.contains("/nonexistent/bitcoind"),
        "{text}"
    );
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in ["install", "up", "down", "mine", "fund", "status"] {
        let output = gavel(Path::new("/nonexistent"), &["regtest", command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("gavel regtest {command}")), "{text}");
        assert!(text.contains("Examples:"), "{text}");
    }
    let bash = gavel(Path::new("/nonexistent"), &["completions", "bash"]);
    assert!(String::from_utf8_lossy(&bash.stdout).contains("_gavel"));
}
