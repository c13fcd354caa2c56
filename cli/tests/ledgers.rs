//! Ledgers: `gavel new --ledger`, `check`, `test`, and the commands that don't take them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::Shop;

/// A shop with the ledgers of these tests.
fn shop() -> Shop {
    let shop = Shop::new();
    for (name, text) in [
        ("amm.gvl", include_str!("ledgers/amm.gvl")),
        ("amm.params.json", include_str!("ledgers/amm.params.json")),
        ("loans.gvl", include_str!("ledgers/loans.gvl")),
        (
            "loans.params.json",
            include_str!("ledgers/loans.params.json"),
        ),
        ("names.gvl", include_str!("ledgers/names.gvl")),
    ] {
        shop.write(name, text);
    }
    shop
}

#[test]
fn ledgers_are_explained() {
    let shop = shop();
    let explain = |name: &&str| shop.gavel(&format!("check {name}.gvl --explain"));
    let names = ["amm", "loans", "names"];
    let shown: Vec<String> = names.iter().map(|name| explain(name).all()).collect();
    insta::assert_snapshot!(shown.join("\n"));
    let json = shop.gavel("check amm.gvl --explain --json").json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["analyses"]).unwrap());
}

/// What is said of the state and the assets is what the entries say, the other way round.
#[test]
fn the_views_of_an_explanation_agree() {
    let shop = shop();
    for name in ["amm", "loans", "names"] {
        let json = shop
            .gavel(&format!("check {name}.gvl --explain --json"))
            .json();
        let analyses = &json["analyses"];
        for field in analyses["state"].as_array().unwrap() {
            assert_eq!(
                field["read_by"],
                users(analyses, &field["field"], true),
                "{field}"
            );
            assert_eq!(
                field["changed_by"],
                users(analyses, &field["field"], false),
                "{field}"
            );
        }
        for entry in analyses["entries"].as_array().unwrap() {
            let dynamic = entry["class"] == "dynamic";
            let unknown = entry["touches"].as_array().unwrap().iter();
            let unknown = unknown.filter(|t| t["place"].as_str().unwrap().contains("[?]"));
            assert_eq!(dynamic, unknown.count() > 0, "{entry}");
        }
    }
}

/// The entries that touch a field by reading, or otherwise.
fn users(analyses: &Value, field: &Value, reading: bool) -> Value {
    let entries = analyses["entries"].as_array().unwrap().iter();
    let uses = entries.filter(|entry| {
        let touches = entry["touches"].as_array().unwrap().iter();
        let own = touches.filter(|touch| touch["field"] == *field);
        let mut does = own.flat_map(|touch| touch["does"].as_array().unwrap());
        does.any(|deed| (deed["kind"] == "read") == reading)
    });
    uses.map(|entry| entry["entry"].clone()).collect()
}

#[test]
fn parameters_of_ledgers_are_checked() {
    let shop = shop();
    assert_eq!(shop.gavel("check amm.gvl").code, 0);
    shop.write("high.json", r#"{ "fee_bps": 10000 }"#);
    let ran = shop.gavel("check amm.gvl --params high.json --explain");
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("E0604") && !ran.out.contains("signed by"),
        "{ran:?}"
    );
    std::fs::remove_file(shop.path("amm.params.json")).unwrap();
    assert_eq!(shop.gavel("check amm.gvl").code, 0);
    let ran = shop.gavel("check amm.gvl --explain");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("`fee_bps` has no value"), "{ran:?}");
}

#[test]
fn what_needs_a_coin_takes_no_ledger() {
    let shop = shop();
    for command in [
        "compile amm.gvl",
        "compile amm.gvl -o amm.json",
        "compile names.gvl --emit ir",
        "cost amm.gvl",
        "play amm.gvl",
    ] {
        let said = shop.refused(command, 1, "ledger");
        assert!(
            said.contains("is a ledger") && said.contains("gavel test"),
            "{said}"
        );
    }
    assert!(!shop.path("amm.json").exists());
    // Also without its parameters; but first the source is put right.
    std::fs::remove_file(shop.path("amm.params.json")).unwrap();
    shop.refused("compile amm.gvl", 1, "ledger");
    shop.write(
        "wrong.gvl",
        shop.text("amm.gvl").replace("take(dx)", "take(dy)"),
    );
    assert!(
        shop.refused("compile wrong.gvl", 1, "source")
            .contains("dy")
    );
    // An artifact whose source was replaced by a ledger.
    assert_eq!(shop.gavel("compile price_feed.gvl -o feed.json").code, 0);
    let mut artifact: Value = serde_json::from_str(&shop.text("feed.json")).unwrap();
    artifact["source"] = json!(shop.text("names.gvl"));
    artifact["params"] = json!({});
    shop.write("feed.json", artifact.to_string());
    for command in ["check", "test", "cost"] {
        shop.refused(&format!("{command} feed.json"), 1, "artifact");
    }
}

#[test]
fn a_new_ledger_checks_and_its_tests_pass() {
    let shop = Shop::new();
    let made = shop.gavel("new corner_shop --ledger --dir made");
    let explained = shop.gavel("check made/corner_shop.gvl --explain");
    let tested = shop.gavel("test made/corner_shop.gvl");
    insta::assert_snapshot!([made.all(), explained.all(), tested.all()].join("\n"));
    assert_eq!((made.code, explained.code, tested.code), (0, 0, 0));
    assert_eq!(shop.gavel("fmt --check made/corner_shop.gvl").code, 0);
    assert!(!shop.path("made/corner_shop.play.json").exists());
    let json = shop.gavel("new other --ledger --json").json();
    assert_eq!(json["contract"], "Other");
    assert_eq!(json["files"], json!(["other.gvl", "other.params.json"]));
    shop.refused("new corner_shop --ledger --dir made", 2, "exists");
    shop.refused("new Corner --ledger", 2, "usage");
}

/// The template's test, property and invariant each notice a mistake.
#[test]
fn tests_of_ledgers_show_the_call_that_breaks_them() {
    let shop = Shop::new();
    assert_eq!(shop.gavel("new tokens --ledger").code, 0);
    let source = shop.text("tokens.gvl");
    let slips = [
        ("test", "out -= amount", "out -= 0"),
        (
            "prop",
            "held[to].put(held[from].take(amount))",
            "held[from].put(held[to].take(amount))",
        ),
    ];
    let mut shown = Vec::new();
    for (kind, right, wrong) in slips {
        assert!(source.contains(right), "{right}");
        shop.write("wrong.gvl", source.replace(right, wrong));
        let ran = shop.gavel("test wrong.gvl");
        assert_eq!(ran.code, 1, "{kind}: {ran:?}");
        shown.push(ran.all());
        let json = shop.gavel("test wrong.gvl --json").json();
        let tests = json["files"][0]["tests"].as_array().unwrap();
        let failed = tests.iter().find(|t| t["kind"] == kind && t["ok"] == false);
        let step = &failed.unwrap_or_else(|| panic!("{json}"))["failures"][0]["step"];
        assert!(
            step["call"].is_string() && step["before"].is_object(),
            "{json}"
        );
    }
    insta::assert_snapshot!(shown.join("\n"));
}
