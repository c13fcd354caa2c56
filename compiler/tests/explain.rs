//! The long form of every code: its examples do what they are said to do.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::diagnostic::{Code, Diagnostic, Example, Style};
use gavel_compiler::{check, instantiate, run_tests};
use std::collections::BTreeSet;
use std::path::Path;

/// Codes that no source text alone can show.
const NOT_SHOWN: &[Code] = &[
    Code::NotUtf8,
    Code::SourceTooLong,
    Code::NotALibrary,
    Code::ImportCycle,
];

fn diagnostics(example: Example) -> Vec<Diagnostic> {
    let source = example.source();
    match example.params {
        None => check(&source).diagnostics,
        Some(params) => {
            let params = serde_json::from_str(params).unwrap();
            instantiate(&source, &params).map_or_else(|found| found, |(_, warnings)| warnings)
        }
    }
}

fn drawn(example: Example) -> String {
    let source = example.source();
    let found = diagnostics(example);
    let drawn: Vec<String> = found
        .iter()
        .map(|d| d.draw(&source, "bet.gvl", Style::Plain))
        .collect();
    drawn.join("\n")
}

#[test]
fn what_fails_fails_with_this_code_only() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let Some(example) = code.long_form().fails else {
            assert!(NOT_SHOWN.contains(code), "{} has no example", code.id());
            continue;
        };
        let found = diagnostics(example);
        if found.is_empty() || found.iter().any(|d| d.code != *code) {
            wrong.push(format!("{}:\n{}", code.id(), drawn(example)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_mended_passes_without_a_warning() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let Some(example) = code.long_form().passes else {
            assert!(NOT_SHOWN.contains(code), "{} has no example", code.id());
            continue;
        };
        let tests = run_tests(&example.source()).unwrap_or_default();
        if !diagnostics(example).is_empty() || tests.iter().any(|t| !t.failures.is_empty()) {
            wrong.push(format!("{}:\n{}{tests:?}", code.id(), drawn(example)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What the parser of these files takes for granted.
#[test]
fn files_have_one_form() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostic/explain");
    let ids: BTreeSet<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(ids.contains(name), "{name} is no code");
        let file = std::fs::read_to_string(&path).unwrap();
        let pieces: Vec<&str> = file.split("```").collect();
        assert_eq!(pieces.len() % 2, 1, "{name}: a block isn't closed");
        for between in pieces.iter().skip(2).step_by(2) {
            assert_eq!(between.trim(), "", "{name}: text after an example");
        }
        for block in pieces.iter().skip(1).step_by(2) {
            let info = block.lines().next().unwrap();
            let known = [
                "gvl fails",
                "gvl passes",
                "gvl fails whole",
                "gvl passes whole",
                "json fails",
                "json passes",
            ];
            assert!(known.contains(&info), "{name}: a block in `{info}`");
        }
        let long = file.lines().find(|line| {
            let code = line.starts_with(' ') || line.contains("((((") || line.starts_with("enum");
            line.chars().count() > 100 && !code
        });
        assert_eq!(long, None, "{name}: a long line");
    }
}

/// Texts stay short, and say something that the one sentence doesn't.
#[test]
fn texts_are_short() {
    for code in Code::ALL {
        let text = code.long_form().text;
        let sentences = text.matches(['.', '?']).count();
        assert!(!text.is_empty() && sentences >= 1, "{}", code.id());
        assert!(text.lines().count() <= 12, "{}: too long", code.id());
        assert!(
            !text.contains(code.explain()),
            "{}: says it twice",
            code.id()
        );
    }
}
