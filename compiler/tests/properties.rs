//! Tests and properties in sources: what they find, how small, and the same for the same seed.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::testing::{Options, TestReport, run};
use gavel_compiler::{check, instantiate};
use proptest::prelude::*;
use serde_json::Map;

/// A contract that pays by these rules, with these tests.
fn contract(settle: &str, tests: &str) -> String {
    format!(
        "contract Bet {{
    param alice: party
    param bob: party
    param limit: u32 where limit < 1_000_000
    const TWICE: u32 = limit * 2
    enum Outcome {{ Yes, No }}
    error TooHigh
    fn double(n: u32) -> u32 {{ n + n }}
    fn upto(n: u32) -> u32 {{
        let mut sum: u32 = 0
        for i in 0..limit {{ sum = sum + i }}
        double(sum) + n
    }}
    settle(x: u32 from anyone) -> Outcome {{ {settle} }}
    coin pot {{
        fund alice: 50_000 sats
        pay Yes {{ alice: rest }}
        pay No {{ bob: rest }}
        refund after 100 blocks {{ alice: rest }}
    }}
    {tests}
}}
"
    )
}

const SETTLE: &str = "require x <= TWICE else TooHigh\n        if x > limit { Yes } else { No }";

fn ran(source: &str, options: &Options) -> Vec<TestReport> {
    run(source, options, &mut |_, _, _| {}).unwrap_or_else(|found| panic!("{source}\n{found:?}"))
}

fn first(tests: &str) -> TestReport {
    let mut reports = ran(&contract(SETTLE, tests), &Options::default());
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

/// What a property fails with.
fn shown(report: &TestReport) -> String {
    let mut lines = vec![report.name.clone()];
    lines.extend(report.failures.iter().map(|f| f.message.clone()));
    if let Some(found) = &report.found {
        lines.push(format!("for {:?} with {:?}", found.variables, found.params));
    }
    lines.join("\n")
}

fn check_least(tests: &str, least: &[&str]) {
    let report = first(tests);
    let found = report
        .found
        .as_ref()
        .unwrap_or_else(|| panic!("{tests}: nothing found"));
    let values: Vec<&str> = found.variables.iter().map(|(_, v)| v.as_str()).collect();
    assert_eq!(values, least, "{tests}: {report:?}");
}

#[test]
fn what_holds_passes() {
    let source = contract(
        SETTLE,
        "test \"plain\" { with limit = 5 assert settle(6) == Yes assert settle(11) fails TooHigh
            assert double(4) < 9 && settle(1) == settle(2) }
         prop by_rule(at in 0..1_000_000, x: u32) { with limit = at
            assert x > 2 * at || settle(x) == if x > at { Yes } else { No } }
         prop helper(x in 0..=1_000) { with limit = 3 assert double(x) == 2 * x }
         prop loops(x in 0..10, n in 0..10) { with limit = n assert upto(x) >= x }
         prop types(a: bool, b: bytes<5>, c: hash, d: [Option<u8>; 2], e: Outcome, f: u64, g: sats) {
            with limit = 1
            assert a || !a assert b == b assert c == c && d == d && e == e && f == f && g == g }",
    );
    for report in ran(&source, &Options::default()) {
        assert!(report.failures.is_empty(), "{}", shown(&report));
        assert!(report.cases.is_none_or(|n| n == 256), "{report:?}");
    }
}

#[test]
fn shrinking_finds_the_least() {
    let least = [
        (
            "prop p(x in 0..1_000_000) { with limit = 1 assert x < 4_321 }",
            vec!["4_321"],
        ),
        (
            "prop p(x in 100..=200) { with limit = 1 assert x > 200 }",
            vec!["100"],
        ),
        (
            "prop p(x: u64) { with limit = 1 assert x < 5_000_000_000 }",
            vec!["5_000_000_000"],
        ),
        (
            "prop p(x: u8, y: u8) { with limit = 1 assert x < 7 || y < 9 }",
            vec!["7", "9"],
        ),
        (
            "prop p(b: bytes<4>) { with limit = 1 assert b[2] < 3 }",
            vec!["hex\"00000300\""],
        ),
        (
            "prop p(b: bool, c: bool) { with limit = 1 assert !c }",
            vec!["false", "true"],
        ),
        (
            "prop p(o: [Option<u8>; 2]) { with limit = 1 assert o[1].unwrap_or(0) < 5 }",
            vec!["[None, Some(5)]"],
        ),
        (
            "prop p(e: Outcome) { with limit = 1 assert e == Yes }",
            vec!["No"],
        ),
        (
            "prop p(s in 5 sats..=900 sats) { with limit = 1 assert s < 77 sats }",
            vec!["77 sats"],
        ),
        (
            "prop p(x in 0..900, at in 1..900) { with limit = at assert x > 2 * at || settle(x) == No }",
            vec!["2", "1"],
        ),
        ("prop p() { with limit = 1 assert double(2) == 5 }", vec![]),
    ];
    for (tests, least) in least {
        check_least(tests, &least);
    }
}

#[test]
fn failures_are_shown_as_calls() {
    let rows = [
        "test \"t\" { with limit = 5 assert settle(6) == No assert settle(60) fails Overflow assert double(3) == 7 }",
        "prop p(at in 1..1_000) { with limit = at assert settle(at + 1) == No }",
        "prop p(at in 1..1_000) { with limit = at assert settle(3 * at) == Yes }",
        "prop p(at: u32) { with limit = at assert settle(0) == No }",
        "prop p(at: u32) { with limit = double(at) assert settle(0) == No }",
        "prop p(x: u32) { with limit = 0 assert double(x) >= x }",
        "prop p(n in 0..9) { with limit = n assert upto(0) < 12 }",
    ];
    let all: Vec<String> = rows
        .iter()
        .map(|row| format!("{row}\n{}", shown(&first(row))))
        .collect();
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn the_seed_decides() {
    let source = contract(
        SETTLE,
        "prop a(x: u32) { with limit = 1 assert x % 97 != 13 }
         prop b(x: u64, y: bytes<9>) { with limit = 1 assert y[3] != 77 || x < 9 }",
    );
    let with = |seed, cases, only: Option<&str>| {
        let only = only.map(str::to_owned);
        ran(&source, &Options { seed, cases, only })
    };
    assert_eq!(with(7, 5_000, None), with(7, 5_000, None));
    // A property's cases don't depend on the others.
    assert_eq!(with(7, 5_000, None)[1..], with(7, 5_000, Some("b")));
    assert_eq!(with(7, 5_000, Some("nothing")), []);
    let at = |seed| with(seed, 5_000, Some("a"))[0].cases;
    assert!((0..5).any(|seed| at(seed) != at(0)));
}

#[test]
fn tests_decide_nothing() {
    let tests = "\n    /// Why.\n    test \"t\" { with limit = 5 assert settle(6) == Yes }\n\n    prop p(x: u32) { with limit = 5 assert x == x }";
    let id = |tests: &str| {
        let source = contract(SETTLE, "").replace("\n    \n}", &format!("{tests}\n}}"));
        assert!(check(&source).is_ok());
        let mut params = Map::new();
        params.insert("limit".to_owned(), 5.into());
        instantiate(&source, &params).unwrap().0
    };
    assert_eq!(id("").id, id(tests).id);
    assert_eq!(id("").program, id(tests).program);
    assert_ne!(id("").id, id("\n    // a word").id);
}

proptest! {
    /// A wrong rule is caught, and the least case is the first that it gets wrong.
    #[test]
    fn wrong_contracts_are_caught(at in 1u32..1_000, wrong in 100u32..1_000) {
        let settle = format!("if x > limit + {wrong} {{ Yes }} else {{ No }}");
        let tests = format!(
            "prop p(x in 0..2_000) {{ with limit = {at}
                assert settle(x) == if x > {at} {{ Yes }} else {{ No }} }}"
        );
        let report = &ran(&contract(&settle, &tests), &Options::default())[0];
        let found = report.found.as_ref().unwrap();
        let least = found.variables[0].1.replace('_', "");
        prop_assert_eq!(least, (at + 1).to_string());
    }
}
