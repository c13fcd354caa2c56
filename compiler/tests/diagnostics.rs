//! Every diagnostic, drawn over its source.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::diagnostic::{Code, Diagnostic, Style};
use gavel_compiler::front::decode_source;
use gavel_compiler::{check, instantiate};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A contract in which everything is right, to be made wrong in one place.
const GOOD: &str = "contract Bet {
    param alice: party
    param bob: party
    param oracle: attestor<u64>
    param limit: u32 where limit > 0

    enum Outcome { Yes, No }
    error TooHigh

    settle(price: u64 from oracle, move: u8 from alice) -> Outcome {
        require move as u32 < limit else TooHigh
        if price > 5 { return Yes }
        No
    }

    coin pot {
        fund alice: 50_000 sats
        fund bob: 50_000 sats
        pay Yes { alice: rest }
        pay No { bob: rest }
        refund after 100 blocks { alice: 50_000 sats, bob: rest }
    }
}
";

/// What to replace in [`GOOD`], by what, and the code that must be among the diagnostics.
const ROWS: &[(&str, &str, &str)] = &[
    // Text.
    ("5 {", "5 § {", "E0003"),
    ("No\n    }", "let s = b\"open\n No\n    }", "E0004"),
    ("> 5", "> 5x", "E0005"),
    ("> 5", "> 18_446_744_073_709_551_616", "E0006"),
    ("> 5", "> hex\"abc\"[0]", "E0007"),
    // Syntax.
    ("No }", "No", "E0101"),
    ("else TooHigh", "TooHigh", "E0101"),
    ("let", "let", ""),
    ("price > 5", "1 < price < 5", "E0101"),
    ("price > 5", "price > -5", "E0101"),
    (
        "> 5 {",
        "> ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((5)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))) {",
        "E0102",
    ),
    ("move:", "match:", "E0103"),
    (
        "error TooHigh",
        "error TooHigh\n    state { n: u64 }",
        "E0801",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    entry f() { }\n    event E { }\n    prop p() { }",
        "E0801",
    ),
    ("move: u8", "move: pubkey", "E0305"),
    ("> 5 {", "> 5 && verify(1, 2, 3) {", "E0104"),
    ("enum Outcome", "enmu Outcome", "E0105"),
    (
        "refund after 100 blocks { alice: 50_000 sats, bob: rest }\n    }\n}",
        "refund after 100 blocks { alice: 50_000 sats, bob: rest }",
        "E0106",
    ),
    ("move: u8 from alice", "move: u8", "E0107"),
    // Names.
    ("if price", "if prize", "E0201"),
    ("return Yes", "return Yess", "E0201"),
    ("move: u8", "move: u9", "E0202"),
    ("move: u8 from", "move: string from", "E0202"),
    ("param bob", "param alice: u8\n    param bob", "E0203"),
    ("else TooHigh", "else TooHihg", "E0204"),
    ("fund bob", "fund bobb", "E0205"),
    ("pay No", "pay Nope", "E0206"),
    ("price > 5", "price.unwrap() > 5", "E0207"),
    (
        "limit > 0",
        "limit > LEAST\n    const LEAST: u32 = 4",
        "E0208",
    ),
    ("price > 5", "limit(price) > 5", "E0209"),
    ("price > 5", "oracle > 5", "E0210"),
    ("from alice", "from alcie", "E0211"),
    // Types.
    ("price > 5", "price", "E0301"),
    ("fund bob: 50_000 sats", "fund bob: 50_000", "E0301"),
    (
        "No\n    }",
        "if move == 3 { Yes } else { 4 }\n    }",
        "E0301",
    ),
    ("price > 5", "sha256(price) == pad32(b\"x\")", "E0303"),
    ("let x: u8 = ", "", ""),
    (
        "No\n    }",
        "let _x: u8 = limit\n        No\n    }",
        "E0301",
    ),
    ("move as u32 <", "move < 300 && move as u32 <", "E0302"),
    ("price > 5", "price > true", "E0303"),
    ("price > 5", "price + 5 sats > 5", "E0303"),
    ("price > 5", "max(price) > 5", "E0304"),
    ("move as u32", "move as bool", "E0305"),
    ("price > 5", "price[0] > 5", "E0306"),
    (
        "No\n    }",
        "let x = 1\n        x = 2\n        No\n    }",
        "E0307",
    ),
    ("        No\n    }", "    }", "E0308"),
    ("return Yes", "Yes", "E0309"),
    (
        "No\n    }",
        "match move { 0 => Yes, 1 => No }\n    }",
        "E0310",
    ),
    ("No\n    }", "match Yes { Yes => Yes }\n    }", "E0310"),
    (
        "No\n    }",
        "match move { true => Yes, _ => No }\n    }",
        "E0311",
    ),
    ("return Yes", "break", "E0312"),
    ("No\n    }", "let _x = None\n        No\n    }", "E0313"),
    ("move: u8", "move: attestor<u8>", "E0314"),
    ("move: u8", "move: [[Option<u8>; 2]; 2]", "E0314"),
    ("move: u8", "move: bytes<0>", "E0315"),
    ("move: u8", "move: bytes<limit>", "E0315"),
    ("move: u8", "move: [u64; 9_000]", "E0315"),
    ("price > 5", "[1, 2, 3][3] > 5", "E0316"),
    (
        "error TooHigh",
        "error TooHigh\n    fn f(x: u64) -> u64 { g(x) }\n    fn g(x: u64) -> u64 { f(x) }",
        "E0317",
    ),
    (
        "No\n    }",
        "for _i in 0..move { }\n        No\n    }",
        "E0318",
    ),
    ("price > 5", "blake3([price; 200]) == sha256(move)", "E0319"),
    // Structs and tuples.
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8, x: u8 }",
        "E0203",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { q: Q }\n    struct Q { x: u8 }",
        "E0208",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { p: P }",
        "E0208",
    ),
    ("error TooHigh", "error TooHigh\n    struct P { }", "E0315"),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x u8 }",
        "E0101",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8 }\n    fn f(p: P) -> u8 { p.y }",
        "E0212",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8, y: u8 }\n    fn f(x: u8) -> P { P { x } }",
        "E0213",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8 }\n    fn f(x: u8) -> P { P { x, x: 2 } }",
        "E0203",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8 }\n    fn f(x: u8) -> P { P { x, z: 2 } }",
        "E0212",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8 }\n    fn f(x: u64) -> P { P { x } }",
        "E0301",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct P { x: u8 }\n    param p: P",
        "E0314",
    ),
    (
        "error TooHigh",
        "error TooHigh\n    struct Pair { x: u8 }\n    fn f(x: u8) -> u8 { Piar { x }.x }",
        "E0202",
    ),
    ("price > 5", "(price, 1).2 > 5", "E0212"),
    ("price > 5", "(price,) == (5,)", "E0315"),
    ("price > 5", "(price, 1) > (5, 1)", "E0303"),
    ("price > 5", "sha256(b\"x\").len > 5", "E0101"),
    ("move: u8", "move: (u8, u8)", "E0314"),
    ("No\n    }", "let _x: (u8,) = 1\n        No\n    }", "E0315"),
    (
        "No\n    }",
        "let (_a, _b) = (1, 2, 3)\n        No\n    }",
        "E0301",
    ),
    (
        "No\n    }",
        "let (a, _b) = (1, 2)\n        a = 3\n        No\n    }",
        "E0307",
    ),
    (
        "No\n    }",
        "let mut a = (1, 2)\n        a.0 = true\n        a.3 = 1\n        No\n    }",
        "E0301",
    ),
    ("price > 5", "mul_div(price, 2) > 5", "E0304"),
    ("price > 5", "wide_mul(price, 5 sats) > 5", "E0301"),
    (
        "price > 5",
        "tag_hash(b\"tag\") == hash(pad32(b\"\"))",
        "E0304",
    ),
    (
        "price > 5",
        "tag_hash(b\"tag\", [price; 600]) == sha256(price)",
        "E0319",
    ),
    // The contract as a whole.
    ("coin pot", "coins pot", "E0105"),
    ("-> Outcome", "-> u8", "E0404"),
    ("param bob: party", "param bob: u8", "E0406"),
    ("price: u64 from", "price: u32 from", "E0407"),
    ("move: u8 from alice", "move: u64 from oracle", "E0408"),
    (
        "move: u8 from",
        "move: u8 from alice, _m: [u64; 2_000] from bob, _n: [u64; 100] from",
        "E0409",
    ),
    // The coin.
    (
        "param bob: party",
        "param bob: party\n    param carol: party",
        "E0501",
    ),
    ("pay No { bob: rest }", "", "E0502"),
    (
        "pay No { bob: rest }",
        "pay No { bob: rest }\n        pay No { alice: rest }",
        "E0503",
    ),
    ("{ bob: rest }", "{ bob: 60_000 sats }", "E0504"),
    (
        "{ bob: rest }",
        "{ bob: 60_000 sats, alice: 60_000 sats }",
        "E0504",
    ),
    (
        "pay Yes { alice: rest }",
        "pay Yes { alice: rest, bob: 100 sats }",
        "E0505",
    ),
    (
        "refund after 100 blocks { alice: 50_000 sats, bob: rest }",
        "",
        "E0506",
    ),
    ("after 100", "after 70_000", "E0507"),
    ("{ bob: rest }", "{ bob: rest, alice: rest }", "E0508"),
    (
        "fund bob: 50_000 sats",
        "fund bob: 2_100_000_000_000_000 sats",
        "E0509",
    ),
    (
        "fund bob: 50_000 sats",
        "fund bob: 5 sats - 6 sats",
        "E0605",
    ),
    // Limits.
    (
        "No\n    }",
        "for _i in 0..4_000_000_000 { }\n        No\n    }",
        "E0701",
    ),
    // Built-in names.
    (
        "error TooHigh",
        "error TooHigh, Overflow\n    const rest: u8 = 1",
        "E0103",
    ),
    ("price > 5 {", "price > {", "E0101"),
    (
        "coin pot",
        "test \"t\" { assert settle(1, 1) == Yes }\n    coin pot",
        "E0702",
    ),
    // Brackets.
    ("No\n    }", "No\n", "E0106"),
    ("return Yes }", "return Yes", "E0106"),
    ("-> Outcome {", "-> Outcome", "E0101"),
    ("return Yes }", "return Yes } }", "E0105"),
    (
        "bob: rest }\n        refund",
        "bob: rest\n        refund",
        "E0101",
    ),
    ("coin pot {", "coin pot", "E0101"),
    (
        "bob: rest }\n    }\n}",
        "bob: rest }\n    }\n}\nerror Late",
        "E0101",
    ),
    ("limit else", "limit) else", "E0101"),
    // What other languages have.
    (
        "No\n    }",
        "while move > 0 { }\n        No\n    }",
        "E0104",
    ),
    ("Yes, No }", "Yes(u8), No }", "E0404"),
    ("move: u8", "move: map<u8, u8>", "E0314"),
    ("price > 5", "price.round > 5", "E0212"),
    ("price > 5", "price == \"five\"", "E0101"),
    ("No\n    }", "let = 5\n        No\n    }", "E0101"),
    ("No\n    }", "let x 5\n        No\n    }", "E0101"),
    ("price > 5", "price > b\"é\"[0]", "E0007"),
    // Twice.
    ("Yes, No }", "Yes, No, Yes }", "E0203"),
    (
        "coin pot",
        "settle() -> Outcome { Yes }\n    coin pot",
        "E0203",
    ),
    ("fund bob:", "fund alice:", "E0503"),
    ("{ bob: rest }", "{ bob: 1_000 sats, bob: rest }", "E0503"),
    (
        "refund after 100 blocks {",
        "refund after 9 blocks { alice: rest }\n        refund after 100 blocks {",
        "E0503",
    ),
    // Types, once more.
    (
        "No\n    }",
        "for _i in move { }\n        No\n    }",
        "E0301",
    ),
    ("price > 5", "Some(price) == price", "E0303"),
    ("price > 5", "blake3(price).len > 5", "E0101"),
    (
        "No\n    }",
        "let _h: hash = pad32(b\"x\")\n        No\n    }",
        "E0301",
    ),
    (
        "No\n    }",
        "let _x: Option<u8> = move\n        No\n    }",
        "E0301",
    ),
    ("limit: u32 where", "limit: Option<u32> where", "E0314"),
    ("attestor<u64>", "attestor<[u64; 2]>", "E0314"),
    ("price > 5", "price > [][0]", "E0315"),
    ("limit > 0", "limit > least()", "E0318"),
    ("price > 5", "pad32([price; 5])[0] > 5", "E0319"),
    (
        "return Yes",
        "match move { Maybe => Yes, _ => No }",
        "E0311",
    ),
    ("price > 5", "Outcome::Maybe == Yes", "E0201"),
    ("price > 5", "Outcom::Yes == Yes", "E0201"),
    (
        "error TooHigh",
        "error TooHigh\n    const N: u32 = 4 / 0",
        "E0605",
    ),
    (
        "fund alice: 50_000 sats\n        fund bob: 50_000 sats",
        "",
        "E0501",
    ),
    ("fund alice: 50_000 sats", "fund alice: limit", "E0301"),
    ("else TooHigh", "else Missing", "E0204"),
    // Properties.
    (
        "coin pot",
        "prop p(x in 5..5) { with limit = 1 assert x < 5 }\n    coin pot",
        "E0703",
    ),
    (
        "coin pot",
        "prop p(x: u8 in 9..=3) { with limit = 1 assert x < 5 }\n    coin pot",
        "E0703",
    ),
    (
        "coin pot",
        "prop p(x in true..false) { with limit = 1 assert x }\n    coin pot",
        "E0704",
    ),
    (
        "coin pot",
        "prop p(x: bytes<4> in 0..9) { with limit = 1 assert x == x }\n    coin pot",
        "E0704",
    ),
    (
        "coin pot",
        "prop p(x: u8 in 0..256) { with limit = 1 assert x == x }\n    coin pot",
        "E0302",
    ),
    (
        "coin pot",
        "prop p(x in 0..limit) { with limit = 1 assert x == x }\n    coin pot",
        "E0318",
    ),
    (
        "coin pot",
        "prop p(x in 0..9) { with limit = y assert x == x }\n    coin pot",
        "E0201",
    ),
    (
        "coin pot",
        "prop p(x in 0..9) { with limit = 1, limit = 2 assert x == x }\n    coin pot",
        "E0203",
    ),
    (
        "coin pot",
        "prop p(x in 0..9) { with limit = 1 assert x }\n    coin pot",
        "E0301",
    ),
    (
        "coin pot",
        "prop p(x in 0..9) { with limit = 1 assert x == x fails TooHigh }\n    coin pot",
        "E0101",
    ),
    (
        "coin pot",
        "prop p(x) { with limit = 1 assert x == x }\n    coin pot",
        "E0101",
    ),
    (
        "coin pot",
        "prop p(x in 0..9, x: u8) { with limit = 1 assert x == x }\n    coin pot",
        "E0203",
    ),
    (
        "coin pot",
        "prop p(x: u8) { with limit = 1 assert x == x } prop p(x: u8) { with limit = 1 assert x == x }\n    coin pot",
        "E0203",
    ),
    (
        "coin pot",
        "prop p(x: [u64; 2_000], y: [u64; 100]) { with limit = 1 assert x == x && y == y }\n    coin pot",
        "E0409",
    ),
    (
        "coin pot",
        "prop p(_x: u8) { with limit = 1 }\n    coin pot",
        "W0004",
    ),
    // Warnings.
    (
        "error TooHigh",
        "error TooHigh, Spare\n    const N: u8 = 4\n    fn f(x: u8) -> u8 { 3 }",
        "W0001",
    ),
    (
        "        No\n    }",
        "        return No\n        Yes\n    }",
        "W0002",
    ),
    ("return Yes", "return No", "W0003"),
];

fn drawn(source: &str, found: &[Diagnostic]) -> String {
    let all: Vec<String> = found
        .iter()
        .map(|d| d.draw(source, "bet.gvl", Style::Plain))
        .collect();
    all.join("\n\n")
}

fn codes(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().map(|d| d.code.id()).collect()
}

#[test]
fn the_good_contract_is_good() {
    let checked = check(GOOD);
    assert!(
        checked.diagnostics.is_empty(),
        "{}",
        drawn(GOOD, &checked.diagnostics)
    );
}

#[test]
fn every_mistake_is_reported() {
    let mut all = String::new();
    let mut distinct = BTreeSet::new();
    for (from, to, code) in ROWS.iter().filter(|row| !row.2.is_empty()) {
        assert!(GOOD.contains(from), "{from}");
        let source = GOOD.replacen(from, to, 1);
        let found = check(&source).diagnostics;
        assert!(
            codes(&found).contains(code),
            "{code}: {to}\n{}",
            drawn(&source, &found)
        );
        distinct.insert(drawn(&source, &found));
        let shown = |text: &str| text.replace('\n', "⏎");
        writeln!(
            all,
            "=== {code}: `{}` for `{}`\n\n{}\n",
            shown(to),
            shown(from),
            drawn(&source, &found)
        )
        .unwrap();
    }
    assert!(distinct.len() >= 110, "{}", distinct.len());
    insta::assert_snapshot!(all);
}

#[test]
fn missing_parts() {
    let mut all = String::new();
    for (source, code) in [
        ("", "E0401"),
        ("// nothing\n", "E0401"),
        ("hello", "E0101"),
        ("import \"x\"\ncontract C { }", "E0101"),
        ("use x\ncontract C { }", "E0101"),
        (
            "contract C { param a: party param b: party enum Outcome { A } coin c { fund a: 1_000 sats refund after 5 blocks { a: 500 sats, b: rest } } }",
            "E0402",
        ),
        (
            "contract C { param a: party param b: party enum O { A } settle() -> O { A } }",
            "E0403",
        ),
        (
            "contract C { param a: party param b: party enum O { A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16 } settle() -> O { A0 } }",
            "E0405",
        ),
        ("contract {", "E0101"),
        ("contract C {", "E0106"),
        (
            "contract C { param a: party param b: party enum O { A } settle() -> O { A } coin c { fund a: 1_000 sats, pay A { b: rest } refund after 5 blocks { a: 500 sats, b: rest } } test \"t\" { with x = 4 assert settle(1) == A assert settle() == B assert settle() fails Nope } }",
            "E0204",
        ),
    ] {
        let found = check(source).diagnostics;
        assert!(
            codes(&found).contains(&code),
            "{code}: {source}\n{}",
            drawn(source, &found)
        );
        writeln!(all, "=== {code}\n\n{}\n", drawn(source, &found)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn one_mistake_hides_no_other() {
    let mut source = GOOD.to_owned();
    for (from, to) in [
        ("param limit: u32", "param limit: u33"),
        ("else TooHigh", "else TooHihg"),
        ("if price > 5 {", "if price >  {"),
        ("        No\n", "        Noo\n"),
        ("fund bob:", "fund bob"),
        ("pay Yes { alice", "pay Yes { alcie"),
        ("after 100 blocks", "after 0 blocks"),
    ] {
        assert!(source.contains(from), "{from}");
        source = source.replacen(from, to, 1);
    }
    let found = check(&source).diagnostics;
    insta::assert_snapshot!(drawn(&source, &found));
}

fn params() -> Map<String, Value> {
    let value = json!({ "oracle": vec!["00".repeat(20); 18], "limit": 7, "alice": "Alice" });
    value.as_object().unwrap().clone()
}

#[test]
fn mistakes_in_parameters() {
    instantiate(GOOD, &params()).unwrap_or_else(|d| panic!("{}", drawn(GOOD, &d)));
    let mut all = String::new();
    for (name, value, code) in [
        ("limit", Value::Null, "E0603"),
        ("limit", json!(0), "E0604"),
        ("limit", json!(-1), "E0603"),
        ("limit", json!(4_294_967_296u64), "E0603"),
        ("limit", json!("seven"), "E0603"),
        ("limt", json!(7), "E0602"),
        ("oracle", json!(vec!["00".repeat(20); 17]), "E0603"),
        ("oracle", json!("00"), "E0603"),
        ("bob", json!(5), "E0603"),
    ] {
        let mut params = params();
        params.insert(name.to_owned(), value.clone());
        let found = instantiate(GOOD, &params).unwrap_err();
        assert!(
            codes(&found).contains(&code),
            "{name}: {value}\n{}",
            drawn(GOOD, &found)
        );
        let shown: String = value.to_string().chars().take(40).collect();
        writeln!(all, "=== {name}: {shown}\n\n{}\n", drawn(GOOD, &found)).unwrap();
    }
    let found = instantiate(GOOD, &Map::new()).unwrap_err();
    assert_eq!(codes(&found), ["E0601", "E0601"]);
    writeln!(all, "=== none\n\n{}\n", drawn(GOOD, &found)).unwrap();

    // Amounts that depend on parameters.
    let source = GOOD.replace("50_000 sats", "(limit as sats) * 1_000_000");
    assert!(check(&source).is_ok());
    for (limit, code) in [(1, None), (4_000_000_000u32, Some("E0509"))] {
        let mut params = params();
        params.insert("limit".to_owned(), json!(limit));
        match (instantiate(&source, &params), code) {
            (Ok(_), None) => {}
            (Err(found), Some(code)) => {
                assert_eq!(codes(&found), [code]);
                writeln!(all, "=== limit: {limit}\n\n{}\n", drawn(&source, &found)).unwrap();
            }
            (result, _) => panic!("{limit}: {result:?}"),
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn diagnostics_as_json() {
    let source = GOOD.replace("if price", "if prize").replace("/", "é/");
    let found = check(&source).diagnostics;
    let json: Vec<Value> = found.iter().map(|d| d.to_json(&source)).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn fixes_fix() {
    let mut fixed = 0;
    for (from, to, _) in ROWS {
        let source = GOOD.replacen(from, to, 1);
        let found = check(&source).diagnostics;
        for diagnostic in found.iter().filter(|d| d.is_error()) {
            let Some(fix) = &diagnostic.fix else { continue };
            let mut changed = source.clone();
            changed.replace_range(
                fix.span.start as usize..fix.span.end as usize,
                &fix.replacement,
            );
            let left = check(&changed).diagnostics;
            assert!(
                !left.contains(diagnostic),
                "{}\n{}",
                fix.message,
                drawn(&changed, &left)
            );
            fixed += 1;
        }
    }
    assert!(fixed >= 10, "{fixed}");
}

#[test]
fn bytes_that_are_no_text() {
    let found = decode_source(b"contract \xff").unwrap_err();
    assert_eq!((found.code.id(), found.span.start), ("E0001", 9));
    assert_eq!(codes(&check(&" ".repeat(2 << 20)).diagnostics), ["E0002"]);
}

/// `docs/diagnostics.md` is the table of codes, and all that `gavel explain` says.
#[test]
fn the_table_of_codes_is_current() {
    let mut ids = BTreeSet::new();
    let mut text = String::from(
        "# Diagnostics\n\nGenerated by `compiler/tests/diagnostics.rs`; `UPDATE_DOCS=1` writes it.\n\n| code | about |\n|---|---|\n",
    );
    for code in Code::ALL {
        assert!(ids.insert(code.id()), "{} twice", code.id());
        let id = code.id();
        writeln!(
            text,
            "| [{id}](#{}) | {} |",
            id.to_lowercase(),
            code.explain()
        )
        .unwrap();
    }
    let frame = Code::UnusedName.long_form().fails.unwrap();
    write!(
        text,
        "\nExamples show what matters. The rest of each contract is as here:\n\n```\n{}```\n",
        frame.source()
    )
    .unwrap();
    for code in Code::ALL {
        let form = code.long_form();
        write!(
            text,
            "\n## {}\n\n{}\n\n{}\n",
            code.id(),
            code.explain(),
            form.text
        )
        .unwrap();
        for (what, example) in [("Fails", form.fails), ("Passes", form.passes)] {
            let Some(example) = example else { continue };
            write!(text, "\n{what}:\n\n```\n{}```\n", example.shown).unwrap();
            if let Some(params) = example.params {
                write!(text, "\nwith the parameters\n\n```json\n{params}```\n").unwrap();
            }
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/diagnostics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, text, "run with UPDATE_DOCS=1");
}
