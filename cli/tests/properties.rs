//! `gavel test`: tests and properties, for people and for scripts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use support::Shop;

const NAMES: &[&str] = &[
    "auction.gvl",
    "auction5.gvl",
    "merkle_raffle.gvl",
    "price_bet.gvl",
    "price_feed.gvl",
    "tic_tac_toe.gvl",
];

/// A shop with a contract whose property doesn't hold: at the strike itself, Alice wins.
fn with_wrong() -> Shop {
    let shop = Shop::new();
    let wrong = shop
        .text("price_feed.gvl")
        .replace("price > strike {", "price >= strike {");
    shop.write("wrong.gvl", wrong);
    shop
}

#[test]
fn every_example_holds() {
    let shop = Shop::new();
    let ran = shop.gavel(&format!("test {}", NAMES.join(" ")));
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.all());
    let json = shop.gavel(&format!("test {} --json --seed 9", NAMES.join(" ")));
    let json = json.json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["seed"], 9);
    for file in json["files"].as_array().unwrap() {
        let tests = file["tests"].as_array().unwrap();
        assert!(tests.iter().any(|test| test["kind"] == "prop"), "{file}");
    }
}

#[test]
fn what_fails_is_shown() {
    let shop = with_wrong();
    shop.write(
        "broken.gvl",
        shop.text("auction.gvl")
            .replace("a: u8 in 0..5", "a: u8 in 5..0"),
    );
    shop.write(
        "none.gvl",
        shop.text("price_feed.gvl")
            .split("    test")
            .next()
            .unwrap()
            .to_owned()
            + "}\n",
    );
    let commands = [
        "test wrong.gvl",
        "test wrong.gvl --only higher --seed 1_000 --cases 2_000",
        "test broken.gvl none.gvl price_feed.gvl",
        "test none.gvl",
        "test price_feed.gvl none.gvl --only strike",
        "test price_feed.gvl --only nothing",
        "test wrong.gvl --only higher --json",
    ];
    let shown = commands.map(|command| format!("$ gavel {command}\n{}", shop.gavel(command).all()));
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(shop.gavel("test none.gvl").code, 0);
    assert_eq!(shop.gavel("test broken.gvl none.gvl").code, 1);
    let json = shop.gavel("test broken.gvl --json");
    assert_eq!(json.code, 1);
    assert_eq!(json.json()["files"][0]["diagnostics"][0]["code"], "E0703");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let shop = with_wrong();
    let run = |seed: u32| {
        shop.gavel(&format!("test wrong.gvl auction.gvl --seed {seed}"))
            .out
    };
    assert_eq!(run(3), run(3));
    let json = || shop.gavel("test wrong.gvl --json").out;
    assert_eq!(json(), json());
}

#[test]
fn an_artifact_carries_its_tests() {
    let shop = Shop::new();
    assert_eq!(shop.gavel("compile price_feed.gvl -o feed.json").code, 0);
    let ran = shop.gavel("test feed.json");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("prop the_higher_side_wins"), "{ran:?}");
}

#[test]
fn bad_usage() {
    let shop = Shop::new();
    for arguments in [
        "test",
        "test price_feed.gvl --cases 0",
        "test price_feed.gvl --cases many",
        "test price_feed.gvl --cases 100_000_001",
        "test price_feed.gvl --seed -1",
        "test price_feed.gvl --only no_such_name",
    ] {
        shop.refused(arguments, 2, "usage");
    }
    shop.refused("test price_feed.gvl no_such.gvl", 2, "no-such-file");
}
