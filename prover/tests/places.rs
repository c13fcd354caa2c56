//! Places of the state as people write them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::CellId;
use gavel_prover::{About, PlaceError};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const SOURCE: &str = r#"
contract Places {
    param owner: pubkey
    enum Side { Buy, Sell }
    struct Terms { rate: u32, until: height }
    struct Lot { owner: pubkey, terms: Terms, sold: bool }
    asset Gold
    state {
        pool: u64
        pool_b: u64
        paid: map<pubkey, u64>
        lots: map<u64, Lot>
        best: map<Side, map<(u8, u8), u32>>
        gold: map<hash, vault<Gold>>
        pair: (u8, u16)
    }
    entry mint(to: hash) signed by owner mints Gold { gold[to].put(Gold.mint(1)) }
    entry set(n: u64, lot: Lot) {
        lots[n] = lot
        best[Side::Sell][(1, 2)] = 3
        pair = (1, 2)
        pool += 1
        pool_b += 1
        paid[owner] += 1
    }
}"#;

const HASH: &str = "1234567890123456789012345678901234567890123456789012345678901234";

fn about() -> About {
    let owner =
        json!({"owner": "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"});
    let Value::Object(params) = owner else {
        panic!()
    };
    let made = instantiate_ledger(SOURCE, &params);
    let (contract, _) = made.unwrap_or_else(|found| panic!("{found:?}"));
    let about = About::from(&contract);
    assert_eq!(
        About::from_bytes(&about.to_bytes().unwrap()).unwrap(),
        about
    );
    assert!(About::from_bytes(b"{}").is_err());
    let names = about.names();
    let of_source = contract.families.clone();
    assert_eq!((names.families, names.id), (of_source, contract.id));
    about
}

/// The place's cells, as the source would name them.
fn cells(about: &About, place: &str) -> Vec<String> {
    let located = about.place(place).unwrap_or_else(|error| panic!("{error}"));
    let names = about.names();
    let named = located.cells().iter().map(|(cell, family)| {
        let words = vec![0; family.ty.words()];
        let named = names.named_cell(cell, &words).unwrap();
        let keys: String = named.keys.iter().map(|key| format!("[{key}]")).collect();
        format!("{}{keys}{}", named.field, named.part)
    });
    named.collect()
}

#[test]
fn places() {
    let about = about();
    let owner = about.params[0].words.clone();
    for (place, wants) in [
        ("pool", "pool"),
        (" pool_b ", "pool_b"),
        ("lots[7].owner", "lots[7].owner"),
        ("lots [ 1_000 ] .sold", "lots[1000].sold"),
        ("lots[7].terms", "lots[7].terms.rate, lots[7].terms.until"),
        ("lots[7].terms.rate", "lots[7].terms.rate"),
        (
            "lots[7]",
            "lots[7].owner, lots[7].terms.rate, lots[7].terms.until, lots[7].sold",
        ),
        ("best[Sell][[1, 2]]", r#"best["Sell"][[1,2]]"#),
        (r#"best["Buy"][[1,2]]"#, r#"best["Buy"][[1,2]]"#),
        ("Gold.supply", "Gold.supply"),
        ("pair", "pair.0, pair.1"),
        ("pair.1", "pair.1"),
        (&format!("gold[{HASH}]"), &format!(r#"gold["{HASH}"]"#)),
        (&format!("gold[0x{HASH}]"), &format!(r#"gold["{HASH}"]"#)),
        (&format!("gold[\"{HASH}\"]"), &format!(r#"gold["{HASH}"]"#)),
    ] {
        assert_eq!(cells(&about, place).join(", "), wants, "{place}");
    }
    let paid = about.place("paid[owner]").unwrap();
    assert_eq!(paid.only().unwrap().0.key, owner);
    // The wrong type: a parameter is only a key of its own type.
    assert!(matches!(
        about.place("gold[owner]"),
        Err(PlaceError::Key(_))
    ));
}

#[test]
fn what_is_no_place() {
    let about = about();
    for (place, says) in [
        ("", "the state has no field ``"),
        ("poo", "no field `poo`; did you mean `pool`?"),
        ("pool_c", "no field `pool_c`"),
        ("[7]", "no field ``"),
        ("pool[1]", "`pool` has 0 keys, not 1: `pool`"),
        ("lots", "`lots` has 1 key, not 0: `lots[..]`"),
        ("best[Buy]", "`best` has 2 keys, not 1: `best[..][..]`"),
        ("lots[7", "without its `]`"),
        ("lots[[7]", "without its `]`"),
        ("lots[x]", "expected a whole number"),
        ("lots[]", "expected a whole number"),
        ("lots[-1]", "expected a whole number"),
        (
            "lots[18446744073709551616]",
            "the largest that fits 64 bits",
        ),
        (
            "lots[7].price",
            "no part `.price`; there are .owner, .terms.rate, .terms.until, .sold",
        ),
        ("lots[7].term", "no part `.term`"),
        ("lots[7] owner", "no part `owner`"),
        ("lots[7].owner[3]", "no part `.owner[3]`"),
        ("pool.x", "`pool` has no part `.x`; there are none"),
        ("paid[abcd]", "expected 32 bytes, found 2"),
        (
            "best[Hold][[1,2]]",
            "there is no `Hold`; known are Buy, Sell",
        ),
        ("best[Buy][[1]]", "expected 2 parts, found 1"),
    ] {
        let said = about.place(place).expect_err(place).to_string();
        assert!(said.contains(says), "{place}: {said}");
    }
}

#[test]
fn values_are_put_together_from_their_cells() {
    let about = about();
    let value = |place: &str, words: &[Vec<u32>]| about.place(place).unwrap().value(words);
    let owner = "00".repeat(31) + "05";
    let mut key = vec![0; 8];
    key[7] = 5;
    let lot = value("lots[7]", &[key, vec![4], vec![900], vec![1]]);
    let terms = json!({"rate": 4, "until": 900});
    assert_eq!(lot, json!({"owner": owner, "terms": terms, "sold": true}));
    assert_eq!(value("lots[7].terms", &[vec![4], vec![900]]), terms);
    assert_eq!(value("lots[7].terms.rate", &[vec![4]]), json!(4));
    assert_eq!(value("pool", &[vec![1, 1]]), json!(4294967297u64));
    // Nothing there is zero.
    assert_eq!(value("pair", &[]), json!({"0": 0, "1": 0}));
    let parts = about.place("lots[7]").unwrap();
    assert_eq!(parts.only().unwrap_err().len(), 4);
}

proptest! {
    /// Whatever is asked for, there is an answer; and a cell is found again by its name.
    #[test]
    fn any_text(text in "[a-z_.\\[\\]\"0-9 ]{0,20}", n in any::<u64>()) {
        let about = about();
        let _ = about.place(&text);
        let _ = about.place(&format!("lots[{text}]"));
        let located = about.place(&format!("lots[{n}].sold")).unwrap();
        let (cell, _) = located.only().unwrap();
        let CellId { key, .. } = cell;
        prop_assert_eq!(key, &vec![n as u32, (n >> 32) as u32]);
    }
}

#[test]
fn no_parameters_no_families() {
    let source = "contract None { error No entry ping() { require false else No } }";
    let (contract, _) = instantiate_ledger(source, &Map::new()).unwrap();
    assert!(matches!(
        About::from(&contract).place("x"),
        Err(PlaceError::Field { .. })
    ));
}
