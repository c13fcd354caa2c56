//! Places of problems are right whatever stands before them: tabs, any line ends, letters of
//! several bytes.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::{Diagnostic, Style};
use serde_json::{Value, json};

const GOOD: &str = include_str!("../../contracts/price_bet.gvl");

/// What a line of the contract becomes, and the wrong part of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("if h == above {", "if hh == above {", "hh"),
    (
        "let h = sha256(secret)",
        "let h: u64 = sha256(secret)",
        "sha256(secret)",
    ),
    ("require h == below", "require h == 1 + b\"\\xff\"", "+"),
    (
        "error UnknownSecret",
        "error UnknownSecret, UnknownSecret",
        "UnknownSecret",
    ),
    (
        "refund after 4_032 blocks",
        "refund after 70_000 blocks",
        "70_000",
    ),
    (
        "pay BobWins { bob: rest }",
        "pay BobWins { bobb: rest }",
        "bobb",
    ),
    ("enum Outcome {", "§ enum Outcome {", "§"),
    (
        "test \"the",
        "test \"é ₿ 'ü'\" { assert nope } test \"the",
        "nope",
    ),
];

type Way = (&'static str, fn(&str) -> String);

/// Ways to write the same contract.
const WAYS: &[Way] = &[
    ("as it is", str::to_owned),
    ("CRLF", |s| s.replace('\n', "\r\n")),
    ("tabs", |s| s.replace("    ", "\t")),
    ("tabs between words", |s| s.replace(' ', "\t")),
    ("byte order mark", |s| format!("\u{feff}{s}")),
    ("comments above", |s| {
        s.replace('\n', "\n// é ₿ 😀 \u{1d11e}\n")
    }),
    ("comments beside", |s| s.replace('\n', " // ünd 字\n")),
    ("blank lines", |s| {
        format!("\n\n \t\n{}", s.replace('\n', "\n\t \n"))
    }),
];

/// The error that is said to be at this text.
fn error(source: &str, wrong: &str) -> Diagnostic {
    let found = check(source).diagnostics;
    let text = |d: &Diagnostic| source.get(d.span.start as usize..d.span.end as usize);
    let mut errors = found.into_iter().filter(Diagnostic::is_error);
    let error = errors.find(|d| text(d) == Some(wrong));
    error.unwrap_or_else(|| panic!("no error at {wrong}: {source}"))
}

/// Line and column from 1; columns count characters.
fn position(source: &str, at: usize) -> Value {
    let (before, _) = source.split_at(at);
    let line = before.split('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    json!({ "line": line, "column": column })
}

fn check_place(source: &str, wrong: &str) {
    let error = error(source, wrong);
    let (start, end) = (error.span.start as usize, error.span.end as usize);
    let range = json!({
        "bytes": [start, end],
        "start": position(source, start),
        "end": position(source, end),
    });
    assert_eq!(error.to_json(source)["range"], range, "{source}");

    let drawn = error.draw(source, "x.gvl", Style::Plain);
    let at = position(source, start);
    let place = format!("x.gvl:{}:{}\n", at["line"], at["column"]);
    assert!(drawn.contains(&place), "{place}{drawn}");
    // The carets stand right below what is wrong.
    let lines: Vec<&str> = drawn.lines().collect();
    let marked = lines.iter().position(|line| line.contains('^')).unwrap();
    let from = lines[marked].chars().position(|c| c == '^').unwrap();
    let above: String = lines[marked - 1].chars().skip(from).collect();
    assert!(
        above
            .replace(' ', "\t")
            .starts_with(&wrong.replace(' ', "\t")),
        "{drawn}"
    );
    let carets = lines[marked].matches('^').count();
    assert_eq!(carets, wrong.chars().count(), "{drawn}");
}

#[test]
fn places_are_right_whatever_stands_before() {
    for (line, mistake, wrong) in MISTAKES {
        let source = GOOD.replacen(line, mistake, 1);
        assert_ne!(source, GOOD, "{line}");
        for (_, first) in WAYS {
            for (_, then) in WAYS {
                check_place(&then(&first(&source)), wrong);
            }
        }
    }
}

/// A fix changes the right bytes.
#[test]
fn fixes_are_put_in_the_right_place() {
    let source = GOOD.replacen("require h == below", "require h == belo", 1);
    for (way, change) in WAYS {
        let mut source = change(&source);
        let fix = error(&source, "belo").fix.unwrap();
        source.replace_range(
            fix.span.start as usize..fix.span.end as usize,
            &fix.replacement,
        );
        assert!(check(&source).is_ok(), "{way}: {source}");
    }
}
