//! What a ledger may not do: every mistake drawn over its source, and what is right beside it.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::{Diagnostic, Style};
use std::fmt::Write as _;

/// Where a piece of source goes in [`contract`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Among the declarations.
    Items,
    /// Among the fields of the state.
    State,
    /// Into the body of `entry go(who: pubkey, n: u64)`.
    Body,
    /// Into a test.
    Test,
}

/// A ledger in which everything is right and used, with a piece of source put into it.
fn contract(at: At, piece: &str) -> String {
    let here = |place: At| if place == at { piece } else { "" };
    let (items, state, body, test) = (
        here(At::Items),
        here(At::State),
        here(At::Body),
        here(At::Test),
    );
    format!(
        "contract Bank {{
    param admin: pubkey
    param most: u64 where most > 0
    asset A, B
    const CUT: u64 = 3
    error Bad
    event Paid {{ who: pubkey, n: u64 }}
    struct Lot {{ who: pubkey, n: u64 }}
    struct Chest {{ of: pubkey, coins: vault<A> }}
    enum Side {{ Left, Right }}
    enum Job {{ Idle, Busy {{ until: height }} }}
    state {{
        pool: vault<A>
        other: vault<B>
        wallet: map<pubkey, vault<A>>
        total: u64
        lots: map<u64, Lot>
        chests: map<u64, Chest>
        seen: map<pubkey, map<u32, bool>>
        row: [u8; 4]
        side: Side
        job: Job
        {state}
    }}
    fn half(n: u64) -> u64 {{ n / 2 }}
    fn give_back(v: vault<A>) -> vault<A> {{ v }}
    {items}
    invariant total <= 1_000_000
    entry all(who: pubkey, id: u64) signed by who, admin mints A, B burns A {{
        require id < most else Bad
        pool.put(A.mint(half(CUT)))
        other.put(B.mint(1))
        A.burn(give_back(wallet[who].take(1)))
        chests[id].coins.put(pool.take(1))
        chests[id].of = who
        lots[id] = Lot {{ who, n: 1 }}
        seen[who][7] = true
        row[2] += 1
        side = Right
        if side == Left {{ total += 1 }}
        job = Busy {{ until: height() }}
        emit Paid {{ who, n: total }}
    }}
    entry go(who: pubkey, n: u64) signed by who {{
        require n > 0 else Bad
        wallet[who].put(pool.take(n))
        {body}
    }}
    test \"t\" {{
        with admin = ALICE, most = 9, pool = 50
        call go(BOB, 5) as BOB
        {test}
    }}
}}
"
    )
}

fn drawn(source: &str, found: &[Diagnostic]) -> String {
    let all: Vec<String> = found
        .iter()
        .map(|d| d.draw(source, "bank.gvl", Style::Plain))
        .collect();
    all.join("\n\n")
}

/// A piece of source: where it goes, the codes that it gives, and the piece.
type Case = (At, Vec<&'static str>, &'static str);

/// Cases, each under a line with `===`, the place and the codes.
fn cases(text: &'static str) -> Vec<Case> {
    let all = text.split("=== ").skip(1).map(|case| {
        let (head, piece) = case.split_once('\n').unwrap();
        let mut words = head.split(' ');
        let at = match words.next() {
            Some("Items") => At::Items,
            Some("State") => At::State,
            Some("Body") => At::Body,
            Some("Test") => At::Test,
            other => panic!("{other:?}"),
        };
        let piece = piece.split("\n// ").next().unwrap();
        (at, words.collect(), piece.trim_end())
    });
    all.collect()
}

#[test]
fn every_mistake_is_reported() {
    let mut all = String::new();
    let mut wrong = String::new();
    let cases = cases(include_str!("ledger_mistakes.txt"));
    assert!(cases.len() > 250);
    for (at, codes, piece) in cases {
        let source = contract(at, piece);
        let found = check(&source).diagnostics;
        let shown = drawn(&source, &found);
        let got: Vec<&str> = found.iter().map(|d| d.code.id()).collect();
        if got != codes {
            writeln!(
                wrong,
                "=== {at:?} {got:?}, not {codes:?}\n{piece}\n\n{shown}\n"
            )
            .unwrap();
        }
        writeln!(all, "=== {at:?}: {piece}\n\n{shown}\n").unwrap();
    }
    assert!(wrong.is_empty(), "{wrong}");
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_right_passes() {
    for (at, codes, piece) in cases(include_str!("ledger_right.txt")) {
        assert!(codes.is_empty());
        let source = contract(at, piece);
        let found = check(&source).diagnostics;
        assert!(found.is_empty(), "{piece}\n{}", drawn(&source, &found));
    }
}
