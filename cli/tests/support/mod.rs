//! Runs `gavel` in a folder of its own.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

pub mod counter;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with the example contracts.
pub struct Shop {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The JSON on standard output: exactly one object.
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.out));
        assert!(value.is_object());
        value
    }

    /// Everything, as a snapshot shows it.
    pub fn all(&self) -> String {
        let mut all = format!("exit {}\n{}", self.code, self.out);
        // Progress is shown where a machine is slow.
        let progress = |line: &&str| line.starts_with("generating scripts:");
        let err = self.err.split_inclusive('\n');
        let err: String = err.filter(|line| !progress(line)).collect();
        if !err.is_empty() {
            all.push_str(&format!("--- standard error\n{err}"));
        }
        without_hashes(&all)
    }
}

impl Shop {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
        }
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `gavel` with these arguments, in words; nothing it does is a panic.
    pub fn gavel(&self, arguments: &str) -> Ran {
        self.gavel_with(arguments, b"")
    }

    /// The same, with something on standard input.
    pub fn gavel_with(&self, arguments: &str, input: &[u8]) -> Ran {
        let words = words(arguments);
        let mut child = Command::new(env!("CARGO_BIN_EXE_gavel"))
            .args(&words)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input); // it may not want it
        let output = child.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(
            (0..=3).contains(&ran.code) && !ran.err.contains("panicked"),
            "gavel {arguments}: {ran:?}"
        );
        ran
    }

    /// Runs it twice, for people and for scripts: both end with `code`, and the JSON of a
    /// failure has its kind.
    pub fn refused(&self, arguments: &str, code: i32, kind: &str) -> String {
        let ran = self.gavel(arguments);
        assert_eq!(ran.code, code, "gavel {arguments}: {ran:?}");
        assert!(ran.out.is_empty() && ran.err.contains("error: "), "{ran:?}");
        let json = self.gavel(&format!("{arguments} --json"));
        assert_eq!(json.code, code, "gavel {arguments} --json: {json:?}");
        assert_eq!(json.json()["error"]["kind"], kind, "gavel {arguments}");
        ran.err
    }
}

/// Words as a shell has them: single quotes keep what is between them together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in text.split('\'').enumerate() {
        match n % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Hashes and keys change with every script; snapshots show only that there is one.
fn without_hashes(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let hex = piece.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if hex.len() == 64 {
            out.push_str("<hash>");
            out.push_str(piece.get(64..).unwrap_or_default());
        } else {
            out.push_str(piece);
        }
    }
    out
}
