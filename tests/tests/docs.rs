//! `docs/integration-tests.md` shows exactly the code that is run. (Its shell script is run by
//! `cli/tests/shell_example.rs`.)
#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn document() -> String {
    read("../docs/integration-tests.md")
}

/// What stands in the first block of a language.
fn block(language: &str) -> String {
    let document = document();
    let (_, rest) = document.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```\n").unwrap().0.to_owned()
}

#[test]
fn the_rust_example_is_a_test_of_under_20_lines() {
    let code = read("tests/doc_example.rs");
    assert_eq!(block("rust"), code);
    assert!(code.lines().count() < 20, "{} lines", code.lines().count());
}

/// Every name of the library that the document mentions is in it.
#[test]
fn what_the_document_names_exists() {
    let sources = ["simple", "rogue", "game", "stage", "table"];
    let sources: String = sources.map(|name| read(&format!("src/{name}.rs"))).concat();
    let document = document();
    for (_, rest) in document
        .match_indices("`.")
        .map(|(at, _)| document.split_at(at + 2))
    {
        let name = rest.split(['(', '`']).next().unwrap();
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            continue;
        }
        assert!(
            sources.contains(&format!("fn {name}")),
            "there is no `.{name}`"
        );
    }
}
