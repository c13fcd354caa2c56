//! Random contracts that are accepted by construction: what must be true of every contract.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/accepted/mod.rs"]
mod accepted;

use accepted::{Accepted, Dice, Size, accepted as generate};
use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;

/// How many contracts each property is tried on.
const CASES: u64 = 300;

fn errors(source: &str) -> Vec<String> {
    let found = check(source).diagnostics;
    found.iter().filter(|d| d.is_error()).map(|d| d.message.clone()).collect()
}

/// The smallest part of a contract that is refused for no other reason.
fn refused(contract: &Accepted, seed: u64) -> String {
    let known = errors(&contract.tree.to_string());
    let source = contract.tree.clone().shrink(|source| {
        let now = errors(source);
        !now.is_empty() && now.iter().all(|message| known.contains(message))
    });
    let found = check(&source).diagnostics;
    let drawn = found.iter().map(|d| d.draw(&source, "x.gvl", Style::Plain));
    format!("seed {seed}\n{}\n{source}", drawn.collect::<Vec<_>>().join("\n"))
}

#[test]
fn all_are_accepted() {
    for seed in 0..CASES {
        let contract = generate(Dice::seeded(seed), Size::SMALL);
        if !errors(&contract.tree.to_string()).is_empty() {
            panic!("{}", refused(&contract, seed));
        }
    }
}
