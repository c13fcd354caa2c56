//! Layout: what it looks like, that it is stable, and that nothing else changes.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::format::{WIDTH, format};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SOURCES: &[&str] = &[
    include_str!("../../contracts/price_bet.gvl"),
    include_str!("../../contracts/price_feed.gvl"),
    include_str!("../../contracts/tic_tac_toe.gvl"),
    include_str!("../../contracts/merkle_raffle.gvl"),
    include_str!("../../contracts/auction.gvl"),
    include_str!("../../contracts/auction5.gvl"),
    include_str!("../../cli/src/commands/new/bet.gvl"),
    include_str!("orders.gvl"),
    AMM,
    include_str!("ledgers/semantics.gvl"),
    MESSY_LEDGER,
    MESSY,
];

/// The exchange of the design, as it stands there.
const AMM: &str = include_str!("ledgers/amm.gvl");

/// Everything that the language has, badly laid out.
const MESSY: &str = include_str!("messy.gvl");

/// Everything that ledgers have, badly laid out.
const MESSY_LEDGER: &str = include_str!("ledgers/messy.gvl");

fn laid_out(source: &str) -> String {
    format(source).unwrap_or_else(|found| {
        let drawn = found.iter().map(|d| d.draw(source, "x.gvl", Style::Plain));
        panic!("{}\n{source}", drawn.collect::<Vec<_>>().join("\n"))
    })
}

/// What a source means: its tree and its typed program, without places.
fn meaning(source: &str) -> String {
    let checked = check(source);
    let codes: Vec<_> = checked.diagnostics.iter().map(|d| d.code.id()).collect();
    let all = format!("{:?} {:?} {codes:?}", checked.tree, checked.contract);
    let mut parts = all.split("Span { ");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push_str(part.split_once('}').unwrap().1);
    }
    out
}

/// A source as tokens and comments, each with the white space before it.
fn words(source: &str) -> Vec<(&str, &str)> {
    const OPERATORS: &[&str] = &[
        "..=", "<<=", ">>=", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "<<", ">>", "..",
        "::", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
    ];
    let mut words = Vec::new();
    let mut rest = source;
    loop {
        let word = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let (gap, _) = rest.split_at(rest.len() - word.len());
        let Some(first) = word.chars().next() else {
            return words;
        };
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let letters = word.find(|c| !in_word(c)).unwrap_or(word.len());
        let operator = OPERATORS.iter().find(|op| word.starts_with(**op));
        let end = if word.starts_with("//") {
            word.split('\n').next().unwrap().trim_end().len()
        } else if word[letters..].starts_with('"') {
            let inside = &word[letters + 1..];
            let mut ends = inside.match_indices('"').map(|(at, _)| at);
            letters + 2 + ends.find(|at| !inside[..*at].ends_with('\\')).unwrap()
        } else if letters > 0 {
            letters
        } else {
            operator.map_or(first.len_utf8(), |op| op.len())
        };
        words.push((gap, &word[..end]));
        rest = &word[end..];
    }
}

fn comments(source: &str) -> Vec<&str> {
    let all = words(source).into_iter().map(|(_, word)| word);
    all.filter(|word| word.starts_with("//")).collect()
}

/// The tokens, without commas (a list may end with one) and with brackets like `>>` apart.
fn tokens(source: &str) -> String {
    let all = words(source).into_iter().map(|(_, word)| word);
    let tokens = all.filter(|word| !word.starts_with("//") && *word != ",");
    let apart = |word: &str| match word {
        ">>" | ">=" | ">>=" => word.chars().map(|c| format!("{c} ")).collect(),
        word => format!("{word} "),
    };
    tokens.map(apart).collect()
}

/// Lays a source out, and checks that only the layout changed.
fn check_layout(source: &str) -> String {
    let once = laid_out(source);
    assert_eq!(tokens(source), tokens(&once), "{source}");
    assert_eq!(comments(source), comments(&once), "{source}");
    assert_eq!(meaning(source), meaning(&once), "{source}\n{once}");
    assert_eq!(laid_out(&once), once, "{source}");
    assert!(once.ends_with('\n') && !once.ends_with("\n\n") && !once.contains("\n\n\n"));
    assert!(!once.contains(" \n") && !once.contains('\r'));
    once
}

#[test]
fn everything_at_once() {
    insta::assert_snapshot!(check_layout(MESSY));
}

#[test]
fn a_whole_ledger() {
    insta::assert_snapshot!(check_layout(MESSY_LEDGER));
}

#[test]
fn contracts_are_laid_out() {
    let good = |source: &&&str| ![MESSY, MESSY_LEDGER, AMM].contains(source);
    for source in SOURCES.iter().filter(good) {
        assert_eq!(check_layout(source), **source);
    }
}

/// A body of `settle`, laid out, without its indentation.
fn body(body: &str) -> String {
    let around = |body: &str| format!("contract T {{\n    settle() -> O {{{body}}}\n}}\n");
    let text = check_layout(&around(&format!("\n{body}\n")));
    let (head, tail) = ("contract T {\n    settle() -> O {\n", "    }\n}\n");
    let inner = text.strip_prefix(head).and_then(|t| t.strip_suffix(tail));
    let lines = inner.unwrap_or_else(|| panic!("{text}")).lines();
    let lines: Vec<&str> = lines
        .map(|l| l.strip_prefix("        ").unwrap_or(l))
        .collect();
    lines.join("\n")
}

#[test]
fn one_line() {
    for (source, wanted) in [
        ("a+b*c", "a + b * c"),
        ("a  -b", "a - b"),
        ("! a&&!b", "!a && !b"),
        ("x [ 1 ] [i]", "x[1][i]"),
        ("f ( a ,b, )", "f(a, b)"),
        ("a . g (x) . h()", "a.g(x).h()"),
        ("[a;9]", "[a; 9]"),
        ("[\na\n]", "[a]"),
        ("[\na,\n]", "[a]"),
        ("(\na\n+\nb\n)", "(a + b)"),
        ("return(a)", "return (a)"),
        ("return\na", "return a"),
        ("return;\na", "return;\na"),
        ("x as[u8;2]", "x as [u8; 2]"),
        ("O :: A", "O::A"),
        ("x+=1;", "x += 1;"),
        ("x>>=1", "x >>= 1"),
        ("a<b", "a < b"),
        ("a>>b", "a >> b"),
        (
            "let x:Option<Option<u8>>=None",
            "let x: Option<Option<u8>> = None",
        ),
        ("let x:Option< u8 >=None", "let x: Option<u8> = None"),
        ("let mut x:bytes < 4 > = y", "let mut x: bytes<4> = y"),
        ("bytes<4", "bytes < 4"),
        ("let a=1 let b=2", "let a = 1\nlet b = 2"),
        ("a\n[0]", "a\n[0]"),
        ("f\n(0)", "f\n(0)"),
        ("let x = 5\nsats", "let x = 5\nsats"),
        ("5  sats", "5 sats"),
        ("b\"a  b\"", "b\"a  b\""),
        ("hex\"00 ff\"[0]", "hex\"00 ff\"[0]"),
        ("0x_Ff", "0x_Ff"),
        ("for i in 0 .. 3{}", "for i in 0..3 {}"),
        ("for i:u8 in 0..=(n-1){\n}", "for i: u8 in 0..=(n - 1) {}"),
        ("for x in[1,2]{f(x)}", "for x in [1, 2] { f(x) }"),
        ("if a{b}else{c}", "if a { b } else { c }"),
        (
            "if let Some ( x )=y{x}else if b{c}",
            "if let Some(x) = y { x } else if b { c }",
        ),
        ("match x{A=>1,_=>2,}", "match x { A => 1, _ => 2 }"),
        ("match x{A=>{1}B=>2}", "match x { A => { 1 } B => 2 }"),
        ("require(a)else E", "require (a) else E"),
        ("assert!a", "assert !a"),
        ("{{a}}", "{ { a } }"),
        (";a", ";\na"),
        ("a // é ₿", "a // é ₿"),
        ("a//b", "a //b"),
        ("/// doc\na", "/// doc\na"),
    ] {
        assert_eq!(body(source), wanted, "{source}");
    }
}

#[test]
fn several_lines() {
    for (source, wanted) in [
        (
            "if a {\nb } else { c }",
            "if a {\n    b\n} else {\n    c\n}",
        ),
        ("if a { b; c }", "if a {\n    b;\n    c\n}"),
        (
            "match x {\nA => 1\nB => {2}\n_ => 3 }",
            "match x {\n    A => 1,\n    B => { 2 }\n    _ => 3,\n}",
        ),
        ("f(\na, b)", "f(\n    a, b,\n)"),
        ("f(a,\nb)", "f(\n    a,\n    b,\n)"),
        ("f([1,\n2])", "f([\n    1,\n    2,\n])"),
        ("f(a, [1,\n2])", "f(a, [\n    1,\n    2,\n])"),
        (
            "f([1,\n2], a)",
            "f(\n    [\n        1,\n        2,\n    ],\n    a,\n)",
        ),
        ("f([1,\n2]) == a", "f([\n    1,\n    2,\n]) == a"),
        (
            "[1, 2,\n\n3 // three\n]",
            "[\n    1, 2,\n\n    3, // three\n]",
        ),
        ("[1 // one\n, 2]", "[\n    1, // one\n    2,\n]"),
        ("[ // numbers\n1 ]", "[ // numbers\n    1\n]"),
        ("[1\n// end\n]", "[\n    1\n    // end\n]"),
        ("f(// none\n)", "f( // none\n)"),
        ("a + // why\nb", "a\n    + // why\n        b"),
        ("if a { // why\nb }", "if a { // why\n    b\n}"),
        ("a\n\n\n\nb", "a\n\nb"),
        (
            "\n\na\n// x\n\n\n// y\n\nb\n\n// z\n\n",
            "a\n// x\n\n// y\n\nb\n\n// z",
        ),
        ("{\n\na\n\n}", "{\n    a\n}"),
    ] {
        assert_eq!(body(source), wanted, "{source}");
    }
}

#[test]
fn long_lines() {
    let a = "a".repeat(30);
    let rows = [
        (format!("{a}+{a}*{a}"), format!("{a}\n    + {a} * {a}")),
        (
            format!("let x = {a}&&{a}==b||{a}"),
            format!("let x = {a} && {a} == b\n    || {a}"),
        ),
        (
            format!("f({a},{a},{a})"),
            format!("f(\n    {a},\n    {a},\n    {a},\n)"),
        ),
        (
            format!("let x = g({a})[f({a},{a})]"),
            format!("let x = g({a})[\n    f({a}, {a})\n]"),
        ),
        (
            format!("require f({a},{a}) else A{a}"),
            format!("require f({a}, {a})\n    else A{a}"),
        ),
        (
            format!("require {a}&&{a}&&{a} else E"),
            format!("require {a}\n    && {a}\n    && {a}\n    else E"),
        ),
        (
            format!("f({a}, {a}, {a}) == 1"),
            format!("f(\n    {a},\n    {a},\n    {a},\n) == 1"),
        ),
        (
            format!("let x = if {a} == {a} {{ {a} }} else {{ b }}"),
            format!("let x = if {a} == {a} {{\n    {a}\n}} else {{\n    b\n}}"),
        ),
    ];
    for (source, wanted) in rows {
        let text = body(&source);
        assert_eq!(text, wanted, "{source}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH - 8));
    }
}

#[test]
fn any_line_ends_and_tabs() {
    for source in SOURCES {
        let wanted = laid_out(source);
        for changed in [
            source.replace('\n', "\r\n"),
            source.replace("    ", "\t"),
            source.replace('\n', " \t\n"),
            source.trim_end().to_owned(),
            format!("\u{feff}\n\n{source}\n\n \n"),
        ] {
            assert_eq!(check_layout(&changed), wanted);
        }
    }
}

#[test]
fn sources_that_do_not_parse_are_refused() {
    for source in [
        "",
        "// only a comment",
        "contract",
        "contract C {",
        "contract C { param x }",
        "contract C { settle() -> O { a b } }",
        "contract C { settle() -> O { \"a } }",
        "contract C { § }",
        "contract C { state { n } }",
        "contract C { entry f() -> { } }",
        "contract C { event E }",
        "contract C {} contract D {}",
        "contract C { settle() -> O { (a b) } }",
    ] {
        let found = format(source).unwrap_err();
        assert!(found.iter().any(|d| d.is_error()), "{source}");
        let all = check(source).diagnostics;
        assert!(found.iter().all(|d| all.contains(d)), "{source}");
    }
    let long = format!("contract C {{}}{}", " ".repeat(1 << 20));
    assert!(format(&long).is_err());
}

#[test]
fn unknown_names_and_wrong_types_are_no_obstacle() {
    let source = "contract C { param x: u99 settle(a: u8 from b) -> O { y + true } }";
    assert!(!check(source).is_ok());
    check_layout(source);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Spaces, indentation and further blank lines don't matter at all.
    #[test]
    fn white_space_does_not_matter(
        which in 0..SOURCES.len(),
        spaces in proptest::collection::vec(select(&["", " ", "  ", "\t", " \t "][..]), 1..50),
    ) {
        let source = SOURCES[which];
        let mut changed = String::new();
        let mut spaces = spaces.iter().cycle();
        for (gap, word) in words(source) {
            let space = *spaces.next().unwrap();
            let lone = |c: Option<char>| c.is_some_and(|c| "(){}[],;".contains(c));
            let free = lone(changed.chars().last()) || lone(word.chars().next());
            match gap.matches('\n').count() {
                0 if gap.is_empty() || (space.is_empty() && !free) => changed.push_str(gap),
                0 => changed.push_str(space),
                1 => changed.push_str(&format!("{space}\n{space}")),
                _ => changed.push_str(&format!("\r\n{space}\n{space}\n\n{space}")),
            }
            changed.push_str(word);
        }
        changed.push('\n');
        prop_assert_eq!(laid_out(&changed), laid_out(source));
    }

    /// Line breaks and comments anywhere: only the layout changes.
    #[test]
    fn breaks_and_comments_anywhere(
        which in 0..SOURCES.len(),
        places in proptest::collection::vec((any::<Index>(), 0..6u8), 1..8),
    ) {
        let all = words(SOURCES[which]);
        let places: Vec<_> = places.iter().map(|(at, how)| (at.index(all.len()), *how)).collect();
        let mut changed = String::new();
        for (n, (gap, word)) in all.iter().enumerate() {
            changed.push_str(gap);
            for (at, how) in &places {
                let added = match how {
                    _ if *at != n => "",
                    0 => "\n",
                    1 => "\n\n\n",
                    2 => " // ünd\n",
                    3 => "\n    // above\n",
                    4 => "\n\n// one\n\n// two\n",
                    _ => " ",
                };
                changed.push_str(added);
            }
            changed.push_str(word);
        }
        // A line break may change what the source says, but not whether its layout does.
        if format(&changed).is_ok() {
            check_layout(&changed);
        }
    }

    /// All breaks removed that can be: what needs a line gets it back.
    #[test]
    fn lines_joined(which in 0..SOURCES.len(), keep in 0..12usize) {
        let mut changed = String::new();
        let mut after_comment = true;
        for (n, (gap, word)) in words(SOURCES[which]).iter().enumerate() {
            let stays = after_comment || (keep > 0 && n % keep == 0);
            changed.push_str(if stays || gap.is_empty() { gap } else { " " });
            changed.push_str(word);
            after_comment = word.starts_with("//");
        }
        if format(&changed).is_ok() {
            check_layout(&changed);
        }
    }
}
