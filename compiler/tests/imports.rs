//! Imports: what is found, what is refused and where, whose names are whose, and the id.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::artifact::{ArtifactError, CompileError, Options, compile, verify};
use gavel_compiler::diagnostic::{Diagnostic, Style};
use gavel_compiler::{Sources, check, instantiate, run_tests};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The main file is the first one.
fn sources(files: &[(&str, &str)]) -> Sources {
    let mut files = files.iter();
    let (path, text) = files.next().unwrap();
    let mut sources = Sources::new(path, text);
    for (name, text) in files {
        sources.add(name, text);
    }
    sources
}

fn drawn(sources: &Sources, found: &[Diagnostic]) -> String {
    let drawn = found.iter().map(|d| d.draw_in(sources, Style::Plain));
    drawn.collect::<Vec<_>>().join("\n\n")
}

/// A contract with imports before it, items in it, and a condition that decides.
fn bet(imports: &str, items: &str, condition: &str) -> String {
    format!(
        "{imports}
contract Bet {{
    param alice: party
    param bob: party
    enum Outcome {{ AliceWins, BobWins }}
{items}
    settle(a: u64 from alice, b: u64 from bob) -> Outcome {{
        if {condition} {{ AliceWins }} else {{ BobWins }}
    }}
    coin pot {{
        fund alice: 50_000 sats
        fund bob: 50_000 sats
        pay AliceWins {{ alice: rest }}
        pay BobWins {{ bob: rest }}
        refund after 100 blocks {{ alice: 50_000 sats, bob: rest }}
    }}
}}
"
    )
}

const PRICES: &str = "import abs_diff from \"std/math\"

library prices {
    const SCALE: u64 = 100
    enum Trend { Up, Down, Flat }
    struct Price { whole: u64, parts: u64 }
    error TooFar

    fn split(n: u64) -> Price { Price { whole: n / SCALE, parts: n % SCALE } }

    fn trend(a: u64, b: u64) -> Trend {
        require abs_diff(a, b) < 1_000_000 else TooFar
        if a < b { Up } else if a > b { Down } else { Flat }
    }

    test \"a price is split\" {
        assert split(250).whole == 2
        assert trend(1, 2) == Up
        assert trend(0, 1_000_000) fails TooFar
    }
}
";

#[test]
fn what_is_imported_works_and_so_does_what_it_needs() {
    let items = "test \"t\" {
        assert settle(1, 2) == AliceWins
        assert settle(3, 2) == BobWins
        assert settle(0, 1_000_000) fails TooFar
        assert split(301).parts == 1
    }";
    let main = bet(
        "import trend, split, TooFar from \"lib/prices.gvl\"",
        items,
        "trend(a, b) == Up && split(b).whole < 10",
    );
    // `Up` isn't imported, but the type says which is meant.
    let sources = sources(&[("bet.gvl", &main), ("lib/prices.gvl", PRICES)]);
    let checked = check(&sources);
    assert!(
        checked.diagnostics.is_empty(),
        "{}",
        drawn(&sources, &checked.diagnostics)
    );
    for report in run_tests(&sources).unwrap() {
        assert!(report.failures.is_empty(), "{:?}", report.failures);
    }
    assert!(sources.wanted().is_empty());
}

#[test]
fn what_is_wanted_is_found_step_by_step() {
    let main = bet(
        "import f from \"lib/a.gvl\"\nimport isqrt from \"std/math\"",
        "",
        "f(a) > isqrt(b) as u64",
    );
    let mut sources = Sources::new("contracts/bet.gvl", &main);
    assert_eq!(Vec::from_iter(sources.wanted()), ["lib/a.gvl"]);
    sources.add(
        "lib/a.gvl",
        "import g from \"../b.gvl\"\nlibrary a { fn f(x: u64) -> u64 { g(x) } }",
    );
    assert_eq!(Vec::from_iter(sources.wanted()), ["b.gvl"]);
    sources.refuse("b.gvl", "it is locked");
    assert!(sources.wanted().is_empty());
    let found = check(&sources).diagnostics;
    assert_eq!(found.len(), 1, "{}", drawn(&sources, &found));
    assert_eq!(
        found[0].message,
        "`../b.gvl` can't be imported: it is locked"
    );
    assert!(drawn(&sources, &found).contains("contracts/lib/a.gvl:1:15"));
    // What is given later counts.
    sources.add("b.gvl", "library b { fn g(x: u64) -> u64 { x + 1 } }");
    assert!(check(&sources).is_ok());
}

/// Name, condition, imports, items, and the other files.
type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

#[test]
fn mistakes_are_reported_where_they_are() {
    let one = "library one { struct P { x: u64 } fn make(x: u64) -> P { P { x } } fn own(p: P) -> u64 { p.x } }";
    let two = one.replace("library one", "library two");
    let deep = [("lib/prices.gvl", PRICES)];
    let long = "/".repeat((1 << 20) + 1);
    let rows: &[Row] = &[
        ("E0901 import f from \"lib/none.gvl\"", "f(a) > b", "", &[]),
        ("E0901 import f from \"std/mth\"", "f(a) > b", "", &[]),
        ("E0901 import f from \"std/list\"", "f(a) > b", "", &[]),
        (
            "E0901 import f from \"long.gvl\"",
            "f(a) > b",
            "",
            &[("long.gvl", &long)],
        ),
        (
            "E0902 import f from \"c.gvl\"",
            "f(a) > b",
            "",
            &[("c.gvl", "contract C { }")],
        ),
        ("E0903 import f from \"bet.gvl\"", "f(a) > b", "", &[]),
        (
            "E0903 import f from \"a.gvl\"",
            "f(a) > b",
            "",
            &[
                (
                    "a.gvl",
                    "import g from \"b.gvl\"\nlibrary a { fn f(x: u64) -> u64 { g(x) } }",
                ),
                (
                    "b.gvl",
                    "import h from \"c.gvl\"\nlibrary b { fn g(x: u64) -> u64 { h(x) } }",
                ),
                (
                    "c.gvl",
                    "import f from \"./a.gvl\"\nlibrary c { fn h(x: u64) -> u64 { f(x) } }",
                ),
            ],
        ),
        (
            "E0904 import isqrrt from \"std/math\"",
            "isqrrt(a) > 1",
            "",
            &[],
        ),
        (
            "E0904 import abs_diff from \"lib/prices.gvl\"",
            "abs_diff(a, b) > 1",
            "",
            &deep,
        ),
        ("E0905 import f from \"/etc/f.gvl\"", "f(a) > b", "", &[]),
        ("E0905 import f from \"lib\\\\f.gvl\"", "f(a) > b", "", &[]),
        (
            "E0905 import f from \"https://x.org/f.gvl\"",
            "f(a) > b",
            "",
            &[],
        ),
        ("E0905 import f from \"f.txt\"", "f(a) > b", "", &[]),
        (
            "E0203 import split from \"lib/prices.gvl\"",
            "split(a) > b",
            "fn split(x: u64) -> u64 { x }",
            &deep,
        ),
        (
            "E0203 import isqrt, isqrt from \"std/math\"",
            "isqrt(a) > 1",
            "",
            &[],
        ),
        (
            "E0201 import split from \"lib/prices.gvl\"",
            "trend(a, b) == Up || split(a).whole > 1",
            "",
            &deep,
        ),
        (
            "E0201 import split from \"lib/prices.gvl\"",
            "split(a).whole > SCALE",
            "",
            &deep,
        ),
        ("E0101 import from \"std/math\"", "a > b", "", &[]),
        ("E0101 import isqrt from std", "a > b", "", &[]),
        ("E0101 import isqrt \"std/math\"", "a > b", "", &[]),
        (
            "E0301 import make from \"one.gvl\"\nimport own from \"two.gvl\"",
            "own(make(a)) > b",
            "",
            &[("one.gvl", one), ("two.gvl", &two)],
        ),
        ("W0001 import isqrt from \"std/math\"", "a > b", "", &[]),
        (
            "W0001 import abs_diff, isqrt, pow from \"std/math\"",
            "abs_diff(a, b) > 1",
            "",
            &[],
        ),
        (
            "E0906 import f from \"l.gvl\"",
            "f(a) > b",
            "",
            &[(
                "l.gvl",
                "library l {\n    param p: u64\n    fn f(x: u64) -> u64 { x + p }\n}\n",
            )],
        ),
        (
            "E0301 import f from \"l.gvl\"",
            "f(a) > b",
            "",
            &[(
                "l.gvl",
                "library l {\n    fn f(x: u64) -> u64 { let unused = 5 x > 5 }\n}\n",
            )],
        ),
        (
            "E0304 import isqrt from \"std/math\"",
            "isqrt(a, b) > 1",
            "",
            &[],
        ),
    ];
    let mut all = String::new();
    for (first, condition, items, others) in rows {
        let (code, imports) = first.split_once(' ').unwrap();
        let main = bet(imports, items, condition);
        let mut files = vec![("bet.gvl", main.as_str())];
        files.extend_from_slice(others);
        let sources = sources(&files);
        let found = check(&sources).diagnostics;
        let shown = drawn(&sources, &found);
        assert!(
            found.iter().any(|d| d.code.id() == code),
            "{first}\n{shown}"
        );
        writeln!(all, "=== {first}\n\n{shown}\n").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn imports_stand_first() {
    let late = bet("", "", "a > b") + "import isqrt from \"std/math\"\n";
    let inside = bet("", "import isqrt from \"std/math\"", "a > b");
    for source in [late, inside] {
        let found = check(&source).diagnostics;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "imports stand before the contract");
    }
}

#[test]
fn unused_imports_can_be_taken_out() {
    for (imports, left) in [
        (
            "import isqrt, abs_diff from \"std/math\"",
            "import abs_diff from \"std/math\"",
        ),
        (
            "import abs_diff, isqrt from \"std/math\"",
            "import abs_diff from \"std/math\"",
        ),
        (
            "import isqrt from \"std/math\"\nimport abs_diff from \"std/math\"",
            "\nimport abs_diff from \"std/math\"",
        ),
    ] {
        let mut source = bet(imports, "", "abs_diff(a, b) > 1");
        let found = check(&source).diagnostics;
        let fix = found[0].fix.clone().unwrap();
        source.replace_range(
            fix.span.start as usize..fix.span.end as usize,
            &fix.replacement,
        );
        assert_eq!(source, bet(left, "", "abs_diff(a, b) > 1"));
        assert!(check(&source).diagnostics.is_empty());
    }
}

#[test]
fn a_library_checks_and_tests_by_itself_but_is_no_contract() {
    let sources = sources(&[("prices.gvl", PRICES)]);
    let checked = check(&sources);
    assert!(
        checked.diagnostics.is_empty(),
        "{}",
        drawn(&sources, &checked.diagnostics)
    );
    assert_eq!(checked.contract.name, "prices");
    let reports = run_tests(&sources).unwrap();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].failures.is_empty(), "{:?}", reports[0].failures);
    let found = instantiate(&sources, &Map::new()).unwrap_err();
    assert_eq!(found[0].message, "`prices` is a library, not a contract");
    // Tests of a library can't call what it doesn't have.
    let wrong = PRICES.replace("assert split(250).whole == 2", "assert settle(1) == Up");
    assert!(!check(&wrong).is_ok());
    // And what should fail must fail with that error.
    let other = PRICES.replace("assert trend(0, 1_000_000)", "assert trend(0, 1)");
    let failures = &run_tests(&other).unwrap()[0].failures;
    assert!(
        failures[0].message.contains("expected the error `TooFar`"),
        "{failures:?}"
    );
}

/// A diamond: what two libraries share is one library, and its types are one.
#[test]
fn a_diamond_is_one_library() {
    let p = "library p { struct P { x: u64 } enum E { A, B } }";
    let left = "import P, E from \"p.gvl\"\nlibrary l { fn make(x: u64) -> P { P { x } } fn e() -> E { A } }";
    let right = "import P, E from \"../lib/p.gvl\"\nlibrary r { fn own(p: P) -> u64 { p.x } fn is_a(e: E) -> bool { e == A } }";
    let main = bet(
        "import make, e from \"lib/left.gvl\"\nimport own, is_a from \"lib/right.gvl\"",
        "",
        "own(make(a)) > b && is_a(e())",
    );
    let files = [
        ("bet.gvl", main.as_str()),
        ("lib/left.gvl", left),
        ("lib/right.gvl", right),
        ("lib/p.gvl", p),
    ];
    let sources = sources(&files);
    let found = check(&sources).diagnostics;
    assert!(found.is_empty(), "{}", drawn(&sources, &found));
}

fn id(files: &[(&str, &str)]) -> [u8; 32] {
    let sources = sources(files);
    let made = instantiate(&sources, &Map::new());
    made.unwrap_or_else(|found| panic!("{}", drawn(&sources, &found)))
        .0
        .id
}

#[test]
fn the_id_covers_libraries_and_not_where_they_lie() {
    let a = "import g from \"b.gvl\"\nlibrary a { fn f(x: u64) -> u64 { g(x) } }";
    let b = "library b { fn g(x: u64) -> u64 { x + 1 } test \"t\" { assert g(1) == 2 } }";
    let main = bet("import f from \"lib/a.gvl\"", "", "f(a) > b");
    let first = id(&[("bet.gvl", &main), ("lib/a.gvl", a), ("lib/b.gvl", b)]);
    // In any order, seen from anywhere, whatever the tests of a library are.
    assert_eq!(
        first,
        id(&[("x/y.gvl", &main), ("lib/b.gvl", b), ("lib/a.gvl", a)])
    );
    let untested = b.replace("g(1) == 2", "g(5) == 6");
    assert_eq!(
        first,
        id(&[
            ("bet.gvl", &main),
            ("lib/a.gvl", a),
            ("lib/b.gvl", &untested)
        ])
    );
    // A change at any depth, or two files that change places.
    let other = b.replace("x + 1", "x + 2");
    assert_ne!(
        first,
        id(&[("bet.gvl", &main), ("lib/a.gvl", a), ("lib/b.gvl", &other)])
    );
    let both = bet(
        "import f from \"a.gvl\"\nimport g from \"b.gvl\"",
        "",
        "f(a) > g(b)",
    );
    let f = "library l { fn f(x: u64) -> u64 { x } fn g(x: u64) -> u64 { x + 1 } }";
    let g = "library l { fn f(x: u64) -> u64 { x + 1 } fn g(x: u64) -> u64 { x } }";
    assert_ne!(
        id(&[("bet.gvl", &both), ("a.gvl", f), ("b.gvl", g)]),
        id(&[("bet.gvl", &both), ("a.gvl", g), ("b.gvl", f)])
    );
}

#[test]
fn an_artifact_carries_its_libraries() {
    let main = bet(
        "import trend from \"../prices.gvl\"",
        "",
        "trend(a, b) == Up",
    );
    let sources = sources(&[("c/bet.gvl", &main), ("../prices.gvl", PRICES)]);
    let compiled = compile(&sources, &Map::new(), &Options::default(), &|_, _| {}).unwrap();
    assert!(compiled.ir().contains("../prices.gvl:"));
    assert!(compiled.ir().contains("std/math:"));
    let text = compiled.artifact().to_json();
    let again = verify(&text, &|_, _| {}).unwrap();
    assert_eq!(again.contract.id, compiled.contract.id);
    let change = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        change(&mut value);
        verify(&value.to_string(), &|_, _| {}).unwrap_err()
    };
    let other = change(&|v| v["files"]["../prices.gvl"] = PRICES.replace("<", ">").into());
    assert!(matches!(other, ArtifactError::Differs(_)), "{other}");
    let more = change(&|v| v["files"]["x.gvl"] = "library x { }".into());
    assert!(matches!(more, ArtifactError::Differs(_)), "{more}");
    let none = change(&|v| drop(v.as_object_mut().unwrap().remove("files")));
    let missing = |error: &CompileError| matches!(error, CompileError::Diagnostics(found) if found[0].code.id() == "E0901");
    assert!(matches!(&none, ArtifactError::Compile { error, .. } if missing(error)));
    let wrong = change(&|v| v["files"] = 5.into());
    assert!(matches!(wrong, ArtifactError::Input { .. }), "{wrong}");
}

#[test]
fn files_are_limited() {
    let chain = |n: usize| {
        format!(
            "import f from \"{}.gvl\"\nlibrary l {{ fn f(x: u64) -> u64 {{ x }} }}",
            n + 1
        )
    };
    let main = bet("import f from \"0.gvl\"", "", "f(a) > b");
    let mut sources = Sources::new("bet.gvl", &main);
    for n in 0..80 {
        sources.add(&format!("{n}.gvl"), &chain(n));
    }
    let message = "`63.gvl` can't be imported: there are 64 files already";
    let found = check(&sources).diagnostics;
    assert!(
        found.iter().any(|d| d.message == message),
        "{}",
        drawn(&sources, &found)
    );
}

/// Names of others are no news: only what is wrong in a library is told to who imports it.
#[test]
fn warnings_of_libraries_stay_with_them() {
    let library =
        "import isqrt from \"std/math\"\nlibrary l { fn f(x: u64) -> u64 { let y = 5 x } }";
    assert_eq!(check(library).diagnostics.len(), 2);
    let main = bet("import f from \"l.gvl\"", "", "f(a) > b");
    let sources = sources(&[("bet.gvl", &main), ("l.gvl", library)]);
    assert!(check(&sources).diagnostics.is_empty());
}

/// Contracts without imports have the id that they had before there were imports.
#[test]
fn ids_without_imports_stay() {
    let source = include_str!("../../contracts/price_bet.gvl");
    let params =
        serde_json::from_str(include_str!("../../contracts/price_bet.params.json")).unwrap();
    let id = instantiate(source, &params).unwrap().0.id;
    assert_eq!(id[..4], [0x2c, 0x01, 0xd3, 0x5e]);
}
