//! One slip of the keyboard gives few messages: the parser finds its feet again.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::{Diagnostic, Style};
use std::ops::Range;

/// Contracts that are right as they stand.
fn contracts() -> Vec<(&'static str, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let read = |name| {
        let path = folder.join(format!("{name}.gvl"));
        (name, std::fs::read_to_string(path).unwrap())
    };
    ["price_bet", "price_feed", "tic_tac_toe", "merkle_raffle"]
        .map(read)
        .to_vec()
}

fn drawn(source: &str, found: &[Diagnostic]) -> String {
    let all: Vec<String> = found
        .iter()
        .map(|d| d.draw(source, "bet.gvl", Style::Plain))
        .collect();
    all.join("\n\n")
}

/// Words, numbers and single other characters, outside of comments.
fn tokens(source: &str) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let code = line.split("//").next().unwrap();
        let mut start = 0;
        for (n, c) in code.char_indices() {
            let next = code.chars().nth(n + 1).unwrap_or(' ');
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !(word(c) && word(next)) {
                if !c.is_whitespace() {
                    all.push(at + start..at + n + 1);
                }
                start = n + 1;
            }
        }
        at += line.len();
    }
    all
}

/// Makes the source wrong in every place, and checks how much is said about it.
fn slips(most: usize, change: impl Fn(&str, &Range<usize>) -> Option<String>) {
    let mut worst = Vec::new();
    let mut tried = 0;
    for (name, source) in contracts() {
        for token in tokens(&source) {
            let Some(wrong) = change(&source, &token) else {
                continue;
            };
            tried += 1;
            let found = check(&wrong).diagnostics;
            if found.len() > most {
                let line = source[..token.start].matches('\n').count() + 1;
                let shown = &source[token];
                let list = drawn(&wrong, &found);
                worst.push(format!("{name}:{line}: `{shown}`: {}\n{list}", found.len()));
            }
        }
    }
    assert!(tried > 100, "{tried}");
    assert!(worst.is_empty(), "{}\n{}", worst.len(), worst.join("\n\n"));
}

fn is_bracket(text: &str) -> bool {
    ["{", "}", "(", ")", "[", "]"].contains(&text)
}

#[test]
fn a_bracket_too_few() {
    slips(3, |source, token| {
        is_bracket(&source[token.clone()])
            .then(|| format!("{}{}", &source[..token.start], &source[token.end..]))
    });
}

#[test]
fn a_bracket_too_many() {
    slips(3, |source, token| {
        let text = &source[token.clone()];
        is_bracket(text).then(|| {
            format!(
                "{}{text} {}",
                &source[..token.start],
                &source[token.start..]
            )
        })
    });
}

#[test]
fn a_token_too_few() {
    slips(4, |source, token| {
        Some(format!(
            "{}{}",
            &source[..token.start],
            &source[token.end..]
        ))
    });
}
