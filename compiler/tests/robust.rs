//! Any text gives diagnostics: never a panic, never a stack overflow, never endless work.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/accepted/mod.rs"]
mod accepted;
#[path = "support/doors.rs"]
mod doors;

use accepted::{Dice, Size, accepted as generate};
use doors::{files, try_all, try_sources};
use gavel_compiler::check;
use gavel_compiler::diagnostic::Code;
use gavel_compiler::format::format;
use proptest::prelude::*;

const SOURCES: &[&str] = &[
    include_str!("../../contracts/price_bet.gvl"),
    include_str!("../../contracts/price_feed.gvl"),
    include_str!("../../contracts/tic_tac_toe.gvl"),
    include_str!("../../contracts/merkle_raffle.gvl"),
    include_str!("../../contracts/auction.gvl"),
    include_str!("orders.gvl"),
    include_str!("ledgers/amm.gvl"),
    include_str!("ledgers/semantics.gvl"),
];

/// A text of several files, as the fuzzer starts from.
const FILES: &str = include_str!("../../fuzz/seeds/two_files.gvl");

#[test]
fn several_files() {
    let sources = files(FILES);
    assert!(sources.find("fees.gvl").is_some() && sources.find("params.json").is_some());
    let found = check(&sources).diagnostics;
    assert!(found.is_empty(), "{found:?}");
    let texts = (0..FILES.len()).step_by(5).map(|at| FILES.split_at(at));
    for (before, after) in texts {
        try_sources(&files(before));
        let (_, after) = after.split_once(' ').unwrap_or_default();
        try_sources(&files(&format!("{before}{after}")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_text(source in "\\PC{0,200}") {
        try_all(&source);
    }

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        try_all(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_words(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..80)) {
        try_all(&words.join(" "));
        try_all(&format!("contract C {{ {} }}", words.join(" ")));
        try_all(&format!("contract C {{ settle() -> O {{ {} }} }}", words.join("\n")));
    }

    #[test]
    fn changed_sources(
        which in 0..SOURCES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4u8, proptest::sample::select(WORDS)), 1..6),
    ) {
        let mut text = SOURCES[which].to_owned();
        for (at, how, word) in changes {
            let at = (0..=at.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let end = text[at..].find(char::is_whitespace).map_or(text.len(), |n| at + n);
            match how {
                0 => text.insert_str(at, word),
                1 => text.replace_range(at..end, ""),
                2 => text.replace_range(at..end, word),
                _ => text.truncate(at),
            }
        }
        try_all(&text);
    }

    #[test]
    fn swapped_tokens(which in 0..SOURCES.len(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let mut words: Vec<&str> = SOURCES[which].split_inclusive(char::is_whitespace).collect();
        let (a, b) = (a.index(words.len()), b.index(words.len()));
        words.swap(a, b);
        try_all(&words.concat());
    }
}

/// Text that editors and transfers leave behind.
const ODD: &[&str] = &[
    "\0", "\u{feff}", "\r\n", "\t", "\u{2028}", "é", "😀", "\u{301}", "\r",
];

/// Changes a source somewhere: bits flipped, a part left out, written twice or moved, or
/// something odd put in.
fn mutate(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut text = text.to_vec();
    let mut place = || dice.below(text.len() + 1);
    let (mut from, mut to, at) = (place(), place(), place());
    if dice.percent(80) {
        to = text.len().min(from + dice.below(40));
    }
    (from, to) = (from.min(to), from.max(to));
    let part = text[from..to].to_vec();
    match dice.below(5) {
        0 => part
            .iter()
            .enumerate()
            .for_each(|(n, byte)| text[from + n] = byte ^ 1 << (n % 7)),
        1 => drop(text.drain(from..to)),
        2 => drop(text.splice(at..at, part)),
        3 => {
            text.drain(from..to);
            let at = at.min(text.len());
            text.splice(at..at, part);
        }
        _ => drop(text.splice(at..at, dice.pick(ODD).bytes())),
    }
    text
}

#[test]
fn mutated_contracts() {
    for seed in 0..600 {
        let mut dice = Dice::seeded(seed);
        let mut text = match dice.percent(50) {
            true => dice.pick(SOURCES).as_bytes().to_vec(),
            false => {
                let contract = generate(Dice::seeded(seed), Size::SMALL);
                contract.tree.to_string().into_bytes()
            }
        };
        for _ in 0..dice.range(1, 6) {
            text = mutate(&text, &mut dice);
        }
        try_all(&String::from_utf8_lossy(&text));
    }
}

const WORDS: &[&str] = &[
    "Bid { price: 1, .. }",
    "Give(k, _)",
    "if let",
    "height",
    "pubkey",
    "asset A, B",
    "state {",
    "map<pubkey, vault<A>>",
    "vault<A>",
    "event E { a: u64 }",
    "emit E { a: 1 }",
    "entry f(a: pubkey) signed by a mints A burns A {",
    "changes",
    "invariant",
    "pool.take(1)",
    ".take_all()",
    ".put(v)",
    "A.mint(1)",
    "A.burn(v)",
    "let v = pool.take(1)",
    "sum(w[_])",
    "zero",
    "call f(ALICE) as ALICE at 5 fails Low",
    "try call",
    "emits E { a: 1 }",
    "contract",
    "param",
    "enum",
    "error",
    "const",
    "fn",
    "settle",
    "coin",
    "test",
    "prop",
    "prop p(x in 0..9) {",
    "with",
    "fails",
    "let",
    "mut",
    "if",
    "else",
    "for",
    "in",
    "break",
    "continue",
    "return",
    "require",
    "assert",
    "match",
    "as",
    "true",
    "false",
    "from",
    "anyone",
    "fund",
    "pay",
    "refund",
    "after",
    "blocks",
    "rest",
    "sats",
    "x",
    "y",
    "A",
    "Outcome",
    "u8",
    "u32",
    "u64",
    "hash",
    "bytes<4>",
    "Option<u8>",
    "[u8; 3]",
    "party",
    "attestor<u8>",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ":",
    "::",
    "->",
    "=>",
    ".",
    "..",
    "..=",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<",
    ">",
    ">>",
    "<<",
    "&&",
    "||",
    "!",
    "0",
    "1",
    "255",
    "300",
    "0xff",
    "b\"ab\"",
    "hex\"00ff\"",
    "\"text",
    "é",
    "///doc\n",
    "//c\n",
    "Some(",
    "None",
    "sha256(",
    "concat(",
    ".unwrap_or(",
    ".is_some()",
    "18446744073709551616",
    "where",
];

fn around(body: &str) -> String {
    format!(
        "contract T {{
            param a: party
            param b: party
            enum Outcome {{ Yes, No }}
            settle(x: u32 from a) -> Outcome {{ {body} }}
            coin pot {{
                fund a: 1_000 sats
                pay Yes {{ a: rest }}
                pay No {{ b: rest }}
                refund after 10 blocks {{ a: rest }}
            }}
        }}"
    )
}

#[test]
fn deep_nesting() {
    for n in [10, 30, 60, 64, 100, 1_000, 20_000] {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{", "}"),
            ("!", ""),
            ("sha256(", ")"),
            ("if x == 0 { Yes } else { ", " }"),
            ("match x { _ => ", " }"),
            ("x + ", ""),
            ("", " + x"),
            ("", "[0]"),
            ("", " as u32"),
            ("", ".len()"),
            ("if true { Yes } else ", ""),
            ("Some(", ")"),
            ("-", ""),
            ("for i in 0..1 { ", "}"),
            ("{ x } + ", ""),
            ("", " && x"),
            ("", " < x"),
            ("return ", ""),
            ("x[", "]"),
            ("f(x, ", ")"),
            ("x = ", ""),
        ] {
            try_all(&around(&format!(
                "{}x{} Yes",
                open.repeat(n),
                close.repeat(n)
            )));
            try_all(&format!("{}x{}", open.repeat(n), close.repeat(n)));
        }
        for (open, close) in [
            ("Option<", ">"),
            ("[", "; 2]"),
            ("bytes<", ">"),
            ("attestor<", ">"),
        ] {
            try_all(&format!(
                "contract C {{ param x: {}u8{} }}",
                open.repeat(n),
                close.repeat(n)
            ));
        }
    }
    // Blocks at the left end of long chains, in each other.
    let mut text = "x".to_owned();
    for _ in 0..50 {
        text = format!("{{ {text} }}{}", " + x".repeat(50));
    }
    try_all(&around(&format!("let y = {text} Yes")));
}

#[test]
fn deep_calls() {
    let mut fns = String::from("fn f0(x: u32) -> u32 { x } ");
    for n in 1..400 {
        fns.push_str(&format!(
            "fn f{n}(x: u32) -> u32 {{ ((((f{}(x))))) + 1 }} ",
            n - 1
        ));
    }
    for n in [1, 20, 60, 399] {
        let source = around(&format!("if f{n}(x) == 5 {{ Yes }} else {{ No }}"))
            .replace("enum", &format!("{fns} enum"));
        try_all(&source);
    }
    // Twice as much work with each function.
    let mut fns = String::from("fn f0(x: u32) -> u32 { x } ");
    for n in 1..60 {
        fns.push_str(&format!(
            "fn f{n}(x: u32) -> u32 {{ f{0}(x) ^ f{0}(x + 1) }} ",
            n - 1
        ));
    }
    try_all(&around("if f59(x) == 5 { Yes } else { No }").replace("enum", &format!("{fns} enum")));
}

/// The first once overflowed the stack, the second never ended.
#[test]
fn deep_structs() {
    for fields in ["{ x: S_K }", "{ x: S_K, y: S_K }", "{ x: [(S_K, S_K); 4] }"] {
        for first in ["{ x: u8 }", "{ x: Missing }", "{ }"] {
            let more = (1..3_000).map(|n| {
                let fields = fields.replace('K', &(n - 1).to_string());
                format!("struct S_{n} {fields}\n")
            });
            let structs = format!("struct S_0 {first}\n{}", more.collect::<String>());
            let source = around("Yes").replace("enum", &format!("{structs} enum"));
            assert!(!check(&source).is_ok());
            let _ = format(&source);
        }
    }
}

#[test]
fn large_programs_stop() {
    let over = |source: &str| {
        let checked = check(source);
        assert!(
            checked.diagnostics.iter().any(|d| d.code.id() == "E0701"),
            "{source}"
        );
        try_all(source);
    };
    over(&around("for i in 0..4_000_000_000 { } Yes"));
    over(&around("for i in 0..18_446_744_073_709_551_615 { } Yes"));
    over(&around(
        "for i in 0..1000 { for j in 0..1000 { for k in 0..1000 { } } } Yes",
    ));
    over(&around(
        "let mut y = x for i in 0..1_000_000 { y = y ^ i + 1 } Yes",
    ));
    over(&around(
        "let mut a = [x; 4000] for i in 0..4000 { a[x] = i } Yes",
    ));
    over(&around(
        "let mut a = [[x; 60]; 60] for i in 0..400 { if x == i { a[x] = a[0] } } Yes",
    ));
    over(&around(
        "let mut h = sha256(x) for i in 0..1_000_000 { h = sha256(h) } Yes",
    ));
    over(&around(
        "let y: u64 = x let mut z: u64 = 1 for i in 0..3000 { z = y / (z + 1) } Yes",
    ));
}

/// Writes the examples of `gavel explain` where the fuzzer finds them, and random contracts.
#[test]
fn seeds_for_the_fuzzer() {
    let Ok(folder) = std::env::var("GAVEL_SEEDS") else {
        return;
    };
    for code in Code::ALL {
        let form = code.long_form();
        for (kind, example) in [("fails", form.fails), ("passes", form.passes)] {
            if let Some(example) = example {
                let name = format!("{folder}/{}_{kind}.gvl", code.id());
                std::fs::write(name, example.source()).unwrap();
            }
        }
    }
    for seed in 0..50 {
        let contract = generate(Dice::seeded(seed), Size::SMALL).tree.to_string();
        std::fs::write(format!("{folder}/random_{seed}.gvl"), contract).unwrap();
    }
}
