//! `gavel new`, `check`, `compile` and `cost` on contracts that are as they should be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::Shop;

const NAMES: &[&str] = &[
    "auction",
    "auction5",
    "merkle_raffle",
    "price_bet",
    "price_feed",
    "tic_tac_toe",
];

#[test]
fn every_example_checks() {
    let shop = Shop::new();
    let shown: Vec<String> = NAMES
        .iter()
        .map(|name| shop.gavel(&format!("check {name}.gvl")).all())
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn every_example_is_explained() {
    let shop = Shop::new();
    let explain = |name: &&str| shop.gavel(&format!("check {name}.gvl --explain"));
    let shown: Vec<String> = NAMES.iter().map(|name| explain(name).all()).collect();
    insta::assert_snapshot!(shown.join("\n"));
    let json = shop.gavel("check price_feed.gvl --explain --json").json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["analyses"]).unwrap());
}

/// Amounts depend on parameters; what is wrong isn't explained.
#[test]
fn what_is_wrong_is_not_explained() {
    let shop = Shop::new();
    std::fs::remove_file(shop.path("tic_tac_toe.params.json")).unwrap();
    assert_eq!(shop.gavel("check tic_tac_toe.gvl").code, 0);
    let ran = shop.gavel("check tic_tac_toe.gvl --explain");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("`stake` has no value"), "{}", ran.out);
    assert!(!ran.out.contains("operations"), "{}", ran.out);
    shop.write("bad.gvl", "contract C {");
    let json = shop.gavel("check bad.gvl --explain --json").json();
    assert!(json["analyses"].is_null());
}

#[test]
fn every_example_compiles_costs_and_comes_back() {
    let shop = Shop::new();
    for name in NAMES {
        let ran = shop.gavel(&format!("compile {name}.gvl -o {name}.json --json"));
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        let written = ran.json();
        let ran = shop.gavel(&format!("compile {name}.json --json"));
        assert_eq!(ran.json()["digest"], written["digest"], "{name}");
        let cost = shop.gavel(&format!("cost {name}.json --json"));
        assert_eq!(cost.code, 0, "{name}: {cost:?}");
        check_cost(name, &cost.json());
    }
}

#[test]
fn operations_have_costs_of_no_contract() {
    let shop = Shop::new();
    let json = shop.gavel("cost --bench-ops --json").json();
    for part in ["comparison", "hashes", "words", "language", "commitments"] {
        assert!(!json[part].as_array().unwrap().is_empty(), "{part}");
    }
    let text = shop.gavel("cost --bench-ops");
    assert_eq!(text.code, 0);
    assert!(text.out.contains("23c6cdf6") && text.out.contains("mul_div"));
    for wrong in [
        "cost",
        "cost --bench-ops price_feed.gvl",
        "cost --bench-ops --bond 5",
    ] {
        assert_eq!(shop.gavel(wrong).code, 2, "{wrong}");
    }
}

/// What holds of all costs.
fn check_cost(name: &str, cost: &Value) {
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{name}: {value}"));
    let sum: u64 = cost["parties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| number(&party["funds"]))
        .sum();
    assert_eq!(sum, number(&cost["pot"]), "{name}");
    for party in cost["parties"].as_array().unwrap() {
        let parts = ["funds", "claim", "stakes"].map(|part| number(&party[part]));
        assert!(number(&party["total"]) > parts.iter().sum(), "{name}");
    }
    for kind in cost["transactions"].as_array().unwrap() {
        assert!(number(&kind["weight"]) <= 400_000, "{name}: {kind}");
        assert_eq!(number(&kind["vbytes"]), number(&kind["weight"]).div_ceil(4));
    }
    let worst = cost["segments"].as_array().unwrap().iter();
    let worst = worst
        .map(|segment| number(&segment["disprove_weight"]))
        .max();
    let disprove = cost["transactions"].as_array().unwrap().iter();
    let disprove = disprove
        .filter(|kind| kind["name"] == "Disprove")
        .map(|kind| number(&kind["weight"]))
        .max();
    assert_eq!(worst, disprove, "{name}");
}

#[test]
fn the_rate_to_survive_sets_the_bond() {
    let shop = Shop::new();
    let bond = |arguments: &str| {
        let ran = shop.gavel(&format!("cost price_feed.gvl --json {arguments}"));
        ran.json()["amounts"]["bond"].as_u64().unwrap()
    };
    let usual = bond("");
    assert!(bond("--survive-feerate 100") > 9 * usual);
    shop.write("terms.json", json!({ "survive_feerate": 100 }).to_string());
    assert_eq!(bond("--terms terms.json"), bond("--survive-feerate 100"));
    assert_eq!(bond("--terms terms.json --survive-feerate 10"), usual);
    assert_eq!(bond("--bond 5000000"), 5_000_000);
}

#[test]
fn summaries() {
    let shop = Shop::new();
    let shown = ["compile price_feed.gvl", "cost price_feed.gvl"];
    let shown = shown.map(|arguments| shop.gavel(arguments).all());
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn trees() {
    let shop = Shop::new();
    insta::assert_snapshot!(shop.gavel("compile price_feed.gvl --emit tree").all());
}

#[test]
fn every_emit_goes_to_a_file_and_to_the_screen_alike() {
    let shop = Shop::new();
    for emit in ["ir", "asm", "tree", "json"] {
        let ran = shop.gavel(&format!("compile tic_tac_toe.gvl --emit {emit}"));
        assert_eq!(ran.code, 0, "{ran:?}");
        let wrote = shop.gavel(&format!("compile tic_tac_toe.gvl --emit {emit} -o out"));
        assert_eq!(wrote.code, 0, "{wrote:?}");
        assert_eq!(shop.text("out"), ran.out, "{emit}");
        shop.gavel(&format!("compile tic_tac_toe.gvl --emit {emit} --json"))
            .json();
    }
    // Nothing is left of the files written on the way.
    let hidden = std::fs::read_dir(shop.path("")).unwrap().filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with('.')
    });
    assert_eq!(hidden.count(), 0);
}

#[test]
fn threads_and_runs_make_no_difference() {
    let shop = Shop::new();
    let compile = |out: &str, threads: &str| {
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_gavel"))
            .args(["compile", "auction.gvl", "-o", out])
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(shop.path(""))
            .output()
            .unwrap();
        assert!(status.status.success());
        shop.text(out)
    };
    let one = compile("1.json", "1");
    assert_eq!(one, compile("3.json", "3"));
    assert_eq!(one, compile("again.json", "1"));
}

#[test]
fn a_smaller_limit_makes_a_dispute_in_rounds() {
    let shop = Shop::new();
    let ran = shop.gavel("cost tic_tac_toe.gvl --max-leaf-weight 9000");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("Claim, Challenge, Assert, Disprove"));
    assert!(ran.out.contains("false challenge"));
}

#[test]
fn a_new_contract_checks_compiles_and_costs() {
    let shop = Shop::new();
    let ran = shop.gavel("new rain_bet --dir made/here");
    insta::assert_snapshot!(ran.all());
    for command in ["check", "compile", "cost"] {
        let ran = shop.gavel(&format!("{command} made/here/rain_bet.gvl --json"));
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
        ran.json();
    }
    let again = shop.refused("new rain_bet --dir made/here", 2, "exists");
    assert!(again.contains("made/here/rain_bet.gvl"));
    // One of the three is enough to refuse, and nothing is written then.
    shop.write("dry.play.json", "{}");
    shop.refused("new dry", 2, "exists");
    assert!(!shop.path("dry.gvl").exists());
    for name in ["Rain", "1rain", "rain-bet", "../rain", "_", "ra/in", "ä"] {
        shop.refused(&format!("new {name}"), 2, "usage");
    }
}

#[test]
fn errors_and_failing_tests_are_all_shown() {
    let shop = Shop::new();
    let source = shop.text("price_feed.gvl");
    let wrong = source
        .replace("price > strike", "price > strik")
        .replace("pay BobWins { bob: rest }", "pay BobWins { bert: rest }");
    shop.write("wrong.gvl", wrong);
    let failing = source.replace("settle(100_000) == BobWins", "settle(100_000) == AliceWins");
    shop.write("failing.gvl", failing);
    let shown = [
        "check wrong.gvl",
        "compile wrong.gvl",
        "check failing.gvl",
        "check failing.gvl --no-tests",
    ];
    let shown =
        shown.map(|arguments| format!("$ gavel {arguments}\n{}", shop.gavel(arguments).all()));
    insta::assert_snapshot!(shown.join("\n"));
    let json = shop.gavel("check wrong.gvl --json").json();
    assert_eq!(json["ok"], false);
    assert_eq!(json["errors"], 2);
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), 2);
    let json = shop.gavel("check failing.gvl --json").json();
    assert_eq!(json["tests"][0]["ok"], false);
}
