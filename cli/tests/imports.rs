//! Contracts with libraries: every command takes them, and says which file is meant.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use serde_json::json;
use support::Shop;

const LIBRARY: &str = "import isqrt from \"std/math\"

library roots {
    fn is_root(root: u64, n: u64) -> bool { isqrt(n) as u64 == root }

    test \"nine\" { assert is_root(3, 9) }
}
";

/// A bet on a root, in a folder beside its library.
fn shop() -> Shop {
    let shop = Shop::new();
    for folder in ["bets", "lib"] {
        std::fs::create_dir(shop.path(folder)).unwrap();
    }
    shop.write("lib/roots.gvl", LIBRARY);
    shop.write(
        "bets/bet.gvl",
        "import is_root from \"../lib/roots.gvl\"

contract Bet {
    param alice: party
    param bob: party
    enum Outcome { AliceWins, BobWins }

    settle(a: u64 from alice, b: u64 from bob) -> Outcome {
        if is_root(a, b) { AliceWins } else { BobWins }
    }

    coin pot {
        fund alice: 50_000 sats
        fund bob: 50_000 sats
        pay AliceWins { alice: rest }
        pay BobWins { bob: rest }
        refund after 1_008 blocks { alice: 50_000 sats, bob: rest }
    }

    test \"roots\" { assert settle(3, 10) == AliceWins }
}
",
    );
    shop
}

#[test]
fn every_command_takes_them() {
    let shop = shop();
    for command in [
        "check bets/bet.gvl --explain",
        "check lib/roots.gvl",
        "test bets/bet.gvl lib/roots.gvl",
        "fmt --check bets/bet.gvl lib/roots.gvl",
        "cost bets/bet.gvl",
        "compile bets/bet.gvl -o bets/bet.artifact.json",
        "check bets/bet.artifact.json",
        "test bets/bet.artifact.json",
    ] {
        let ran = shop.gavel(command);
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
    }
    let ir = shop.gavel("compile bets/bet.gvl --emit ir").out;
    assert!(
        ir.contains("../lib/roots.gvl:4") && ir.contains("std/math:"),
        "{ir}"
    );
    // From another folder, the same artifact.
    let again = shop.gavel("compile ./lib/../bets/bet.gvl --emit json");
    assert_eq!(
        again.out,
        shop.gavel("compile bets/bet.gvl --emit json").out
    );
    shop.refused("compile bets/bet.gvl -o lib/roots.gvl", 2, "exists");
}

#[test]
fn mistakes_name_their_file() {
    let shop = shop();
    shop.write("lib/roots.gvl", LIBRARY.replace("== root", "== rot"));
    let ran = shop.gavel("check bets/bet.gvl");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("--> bets/../lib/roots.gvl:4:"), "{ran:?}");
    let found = shop.gavel("check bets/bet.gvl --json").json();
    assert_eq!(found["diagnostics"][0]["file"], "bets/../lib/roots.gvl");
    assert_eq!(
        found["diagnostics"][0]["range"]["start"],
        json!({ "line": 4, "column": 64 })
    );
}

#[test]
fn files_that_cannot_be_had_are_reported_where_they_are_imported() {
    let shop = shop();
    for (bytes, why) in [
        (None, "does not exist"),
        (Some(b"library \xff".to_vec()), "is not UTF-8 text"),
        (Some(vec![b' '; (1 << 20) + 1]), "longer than 1 MiB"),
    ] {
        std::fs::remove_file(shop.path("lib/roots.gvl")).unwrap();
        if let Some(bytes) = &bytes {
            shop.write("lib/roots.gvl", bytes);
        }
        for command in ["check", "compile", "test", "cost"] {
            let ran = shop.gavel(&format!("{command} bets/bet.gvl"));
            let all = ran.all();
            assert_eq!(ran.code, 1, "{all}");
            assert!(
                all.contains("E0901") && all.contains("--> bets/bet.gvl:1:21"),
                "{all}"
            );
            assert!(all.contains(why), "{all}");
        }
        shop.write("lib/roots.gvl", LIBRARY);
    }
}

#[test]
fn a_library_is_no_contract() {
    let shop = shop();
    shop.refused("compile lib/roots.gvl", 1, "source");
    shop.write("p.json", "{}");
    shop.refused("check lib/roots.gvl --params p.json", 2, "usage");
}
