//! The standard library: it has no error, its tests and properties hold, it is laid out, and
//! every function says what it does.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::diagnostic::Style;
use gavel_compiler::format::format;
use gavel_compiler::sources::STD;
use gavel_compiler::syntax::{ast::Item, parse};
use gavel_compiler::testing::{Options, run};
use gavel_compiler::{Sources, check};

#[test]
fn every_library_checks() {
    for (name, text) in STD {
        let sources = Sources::new(name, text);
        let checked = check(&sources);
        let found = checked.diagnostics.iter();
        let drawn: Vec<String> = found.map(|d| d.draw_in(&sources, Style::Plain)).collect();
        assert!(drawn.is_empty(), "{}", drawn.join("\n\n"));
        assert!(checked.tree.unwrap().library, "{name}");
    }
}

#[test]
fn every_test_and_property_holds() {
    for (name, text) in STD {
        let reports = run(*text, &Options::default(), &mut |_, _, _| {}).unwrap();
        assert!(reports.len() >= 3, "{name}: {}", reports.len());
        for report in reports {
            let why = (&report.failures, &report.found);
            assert!(
                report.failures.is_empty(),
                "{name}: {}: {why:?}",
                report.name
            );
        }
    }
}

#[test]
fn every_library_is_laid_out() {
    for (name, text) in STD {
        let laid_out = format(text).unwrap();
        assert!(laid_out == *text, "{name}:\n{laid_out}");
    }
}

/// Each function has a comment above it, and each is tested by its name.
#[test]
fn every_function_is_documented_and_tested() {
    for (name, text) in STD {
        let tree = parse(text).0.unwrap();
        let tests: String = tree
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Test(test) => text.get(test.whole.start as usize..test.whole.end as usize),
                _ => None,
            })
            .collect();
        for item in &tree.items {
            let Item::Function(function) = item else {
                continue;
            };
            let own = &function.name.text;
            let before = &text[..function.name.span.start as usize];
            let above = before.lines().rev().nth(1).unwrap_or_default();
            assert!(above.trim().starts_with("///"), "{name}: {own}");
            assert!(
                tests.contains(&format!("{own}(")),
                "{name}: {own} has no test"
            );
        }
    }
}
