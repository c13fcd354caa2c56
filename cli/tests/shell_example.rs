//! The shell script of `docs/integration-tests.md` does what it says.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_script_in_the_document_ends_well() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = std::fs::read_to_string(root.join("docs/integration-tests.md")).unwrap();
    let (_, rest) = document.split_once("```sh\n").unwrap();
    let (script, _) = rest.split_once("```\n").unwrap();
    let ran = Command::new("sh")
        .args(["-c", script])
        .current_dir(root)
        .env("GAVEL", env!("CARGO_BIN_EXE_gavel"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{errors}");
}
