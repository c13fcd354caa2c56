//! What the checker says of a generated contract, and how its failures are shown.

#![allow(dead_code, missing_docs)]

use super::accepted::Tree;
use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;

/// Messages of all errors.
pub fn errors(source: &str) -> Vec<String> {
    let found = check(source).diagnostics;
    let errors = found.iter().filter(|d| d.is_error());
    errors.map(|d| d.message.clone()).collect()
}

/// Shows the smallest part of a contract for which something still goes wrong, and fails.
pub fn fail(what: &str, seed: u64, tree: &Tree, wrong: impl Fn(&str) -> bool) -> ! {
    let source = tree.clone().shrink(wrong);
    let found = check(&source).diagnostics;
    let drawn = found.iter().map(|d| d.draw(&source, "x.gvl", Style::Plain));
    let drawn = drawn.collect::<Vec<_>>().join("\n");
    panic!("seed {seed}: {what}\n{drawn}\n{source}");
}

/// Fails unless the contract is accepted; parts that fail otherwise aren't shown.
pub fn accepts(seed: u64, tree: &Tree) {
    let known = errors(&tree.to_string());
    if !known.is_empty() {
        fail("refused", seed, tree, |source| {
            let now = errors(source);
            !now.is_empty() && now.iter().all(|message| known.contains(message))
        });
    }
}

/// The tree without places.
pub fn meaning(source: &str) -> Option<String> {
    let all = format!("{:?}", check(source).tree?);
    let mut parts = all.split("Span { ");
    let mut out = parts.next()?.to_owned();
    for part in parts {
        out.push_str(part.split_once('}')?.1);
    }
    Some(out)
}
