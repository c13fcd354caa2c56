//! `gavel regtest install`, with pretended tools: the real build takes minutes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A machine with build tools that do as told.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new(ninja: &str) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        for (tool, script) in [
            ("c++", "exit 0"),
            ("cmake", "exit 0"),
            ("pkg-config", "exit 0"),
            ("ninja", ninja),
        ] {
            machine.tool(tool, script);
        }
        let source = machine.path("source");
        fs::create_dir_all(source.join("src")).expect("a folder");
        fs::write(source.join("CMakeLists.txt"), "").expect("a file");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tool(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).expect("a folder");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
    }

    fn command(&self) -> Command {
        let path = std::env::var("PATH").expect("a PATH");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gavel"));
        command
            .args(["--json", "regtest", "install", "--force"])
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("CXX", self.path("bin").join("c++"))
            .env("GAVEL_CACHE", self.path("cache"))
            .env("GAVEL_CORE_SOURCE", self.path("source"));
        command
    }
}

/// Makes a `bitcoind` that knows its version, where the real Ninja would; counts its runs.
const GOOD_NINJA: &str = r#"
[ "$1" = --version ] && exit 0
mkdir -p "$2/bin"
echo run >> "$2/../../runs"
echo "[1/2] one"
printf '#!/bin/sh\necho "Bitcoin Core daemon version v31.99.0"\n' > "$2/bin/bitcoind"
printf '#!/bin/sh\n' > "$2/bin/bitcoin-cli"
chmod +x "$2/bin/bitcoind" "$2/bin/bitcoin-cli"
sleep 1
echo "[2/2] two""#;

fn reply(output: &Output, code: i32) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{text}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn two_at_once_build_once_and_a_third_finds_it() {
    let machine = Machine::new(GOOD_NINJA);
    let first = machine
        .command()
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("runs");
    let second = machine.command().output().expect("runs");
    let first = first.wait_with_output().expect("ends");
    let third = machine.command().output().expect("runs");
    for output in [&first, &second, &third] {
        let found = reply(output, 0);
        let path = found["path"].as_str().map(Path::new).expect("a path");
        assert!(path.is_file() && path.starts_with(machine.path("cache")));
        assert_eq!(
            (&found["version"]["major"], &found["origin"]),
            (&31.into(), &"built".into())
        );
    }
    let runs = fs::read_to_string(machine.path("cache").join("runs")).expect("it ran");
    assert_eq!(runs, "run\n");
    let left = fs::read_dir(machine.path("cache")).expect("a folder");
    assert_eq!(left.count(), 3, "the node, the lock, and this test's count");
}

#[test]
fn a_failed_build_shows_why_and_leaves_nothing_installed() {
    let broken =
        r#"[ "$1" = --version ] && exit 0; echo "[1/9] x"; echo "error: no such thing"; exit 1"#;
    let machine = Machine::new(broken);
    let failure = reply(&machine.command().output().expect("runs"), 3);
    assert_eq!(failure["error"]["kind"], "install");
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(
        message.contains("ninja failed") && message.contains("no such thing"),
        "{message}"
    );
    machine.tool("ninja", GOOD_NINJA);
    reply(&machine.command().output().expect("runs"), 0); // mended, it goes on
}

#[test]
fn what_was_built_must_run() {
    let useless = r#"
[ "$1" = --version ] && exit 0
mkdir -p "$2/bin"; touch "$2/bin/bitcoind" "$2/bin/bitcoin-cli""#;
    let machine = Machine::new(useless);
    let failure = reply(&machine.command().output().expect("runs"), 3);
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(message.contains("doesn't run"), "{message}");
    let installed = fs::read_dir(machine.path("cache"))
        .expect("a folder")
        .flatten();
    assert!(
        installed
            .into_iter()
            .all(|e| e.file_name() != "bitcoin-core-0.4.1")
    );
}

#[test]
fn a_missing_source_is_named() {
    let machine = Machine::new(GOOD_NINJA);
    fs::remove_dir_all(machine.path("source")).expect("removed");
    let failure = reply(&machine.command().output().expect("runs"), 3);
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(message.contains("GAVEL_CORE_SOURCE"), "{message}");
}
