//! Ledgers run from the command line: calls of both forms, what is wrong with them, receipts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use serde_json::{Value, json};
use std::fmt::Write as _;
use support::counter::Counter;

#[test]
fn vouchers_from_keys_to_proofs() {
    let at = Counter::new();
    let lines = at.give(60, 0) + &at.pay(25, 0) + &at.pay(36, 1) + &at.give(941, 1);
    let (ran, json) = at.run(&lines, "--batch 3 --receipts receipts.jsonl");
    assert_eq!(ran.code, 0, "{json}");
    assert_eq!(json["batches"], 2);
    assert_eq!([&json["calls"], &json["done"], &json["aborted"]], [4, 3, 1]);
    assert_eq!(json["root_after"], at.root());
    assert_eq!(at.value(&format!("held[{}]", at.alice)), "976");
    assert_eq!(at.value("held[shop]"), "25");
    assert_eq!(at.value("out"), "1001");
    let receipts = at.shop.text("receipts.jsonl");
    let exported = at.shop.gavel("state export state");
    let batch = at.shop.gavel("state receipts state --batch 1");
    let batches = at.shop.gavel("state batches state --json").json();
    assert_eq!(batches["batches"][1]["after"], json["root_after"]);
    assert_eq!(
        batches["batches"][1]["before"],
        batches["batches"][0]["after"]
    );
    let verified = at.shop.gavel("state verify state");
    let shown = [batch.all(), exported.all(), verified.all(), receipts].join("\n");
    insta::assert_snapshot!(hidden(&shown));
    // Again the same lines: their nonces are behind.
    let (ran, again) = at.run(&lines, "");
    assert_eq!((ran.code, &again["refused"]), (0, &json!({"nonce": 4})));
    assert_eq!(again["root_after"], json["root_after"]);
    assert_eq!(at.shop.gavel("state verify state").code, 0);
}

/// Sixty-four digits are hashes and keys.
fn hidden(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let hex = piece.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        let shown = if hex.len() == 64 { "<hash>" } else { hex };
        let _ = write!(out, "{shown}{}", &piece[hex.len()..]);
    }
    out
}

/// Each has its receipt, and none of them stops the others.
#[test]
fn calls_that_make_no_sense() {
    let at = Counter::new();
    let good = at.give(5, 0);
    let mut forged: Value = serde_json::from_str(&at.give(6, 1)).unwrap();
    forged["arguments"]["amount"] = json!(7);
    let mut foreign: Value = serde_json::from_str(&good).unwrap();
    foreign["contract"] = json!("07".repeat(32));
    let unsigned = at.call("give", &json!({"to": at.alice, "amount": 1}), "");
    let last = at.give(6, 1);
    let lines = [
        good.trim(),
        good.trim(),
        &forged.to_string(),
        &foreign.to_string(),
        r#"{"entry": "gone"}"#,
        r#"{"entry": "give"}"#,
        r#"{"entry": "give", "arguments": {"to": "abcd", "amount": 1}}"#,
        "rubbish",
        unsigned.trim(),
        &at.give(9, 5),
        last.trim(),
    ];
    let (ran, json) = at.run(&lines.join("\n"), "--receipts receipts.jsonl");
    assert_eq!(ran.code, 0, "{json}");
    assert_eq!(
        (&json["done"], &json["undecodable"]),
        (&json!(2), &json!(3))
    );
    let refused = json!({"contract": 1, "entry": 1, "nonce": 2, "signature": 1, "signers": 1});
    assert_eq!(json["refused"], refused);
    insta::assert_snapshot!(hidden(&at.shop.text("receipts.jsonl")));
    assert_eq!(at.value("out"), "11");
}

#[test]
fn both_forms_are_the_same() {
    let at = Counter::new();
    let lines = at.give(60, 0) + &at.pay(25, 0) + &at.pay(36, 1);
    at.shop.write("calls.jsonl", &lines);
    let convert = "calls convert vouchers.gvl --calls";
    let ran = at
        .shop
        .gavel(&format!("{convert} calls.jsonl --out calls.bin"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let back = at.shop.gavel(&format!("{convert} calls.bin --to json"));
    assert_eq!(back.out, lines);
    let (_, first) = at.run(&lines, "");
    let ran = at
        .shop
        .gavel("run vouchers.gvl --state other --calls calls.bin --threads 1 --json");
    assert_eq!(ran.json()["root_after"], first["root_after"]);
    let input = std::fs::read(at.shop.path("calls.bin")).unwrap();
    let ran = at
        .shop
        .gavel_with("run vouchers.gvl --state third --calls - --json", &input);
    assert_eq!(ran.json()["root_after"], first["root_after"]);
}

#[test]
fn files_that_end_half_way() {
    let at = Counter::new();
    let lines = at.give(60, 0) + &at.pay(25, 0) + &at.pay(3, 1);
    let half = &lines[..lines.len() - 40];
    at.shop.write("half.jsonl", half);
    let said = at.shop.refused(
        "run vouchers.gvl --state state --calls half.jsonl",
        1,
        "cut-off",
    );
    assert!(said.contains("line 3 (byte"), "{said}");
    assert!(!at.shop.path("state").exists(), "nothing is applied");
    at.shop.refused(
        "calls convert vouchers.gvl --calls half.jsonl --out x.bin",
        1,
        "cut-off",
    );
    assert!(!at.shop.path("x.bin").exists());
    // What comes through a pipe: whole batches stand.
    let piped = "run vouchers.gvl --state state --calls - --batch 1";
    let ran = at
        .shop
        .gavel_with(&format!("{piped} --json"), half.as_bytes());
    assert_eq!((ran.code, &ran.json()["done"]), (1, &json!(2)));
    assert!(ran.json()["cut"].as_str().unwrap().starts_with("line 3"));
    assert_eq!(at.value("held[shop]"), "25");
    let mixed = format!("rubbish\n{half}");
    let ran = at.shop.gavel_with(
        "run vouchers.gvl --state mixed --calls - --json",
        mixed.as_bytes(),
    );
    assert_eq!((ran.code, &ran.json()["undecodable"]), (1, &json!(1)));
    let one = at
        .shop
        .gavel_with("run vouchers.gvl --state all --calls -", half.as_bytes());
    assert_eq!(one.code, 1, "{one:?}");
    assert!(
        one.err.contains("line 3") && one.out.contains("0 batches"),
        "{one:?}"
    );
    // Who asks for it gets what is whole.
    let ran = at
        .shop
        .gavel("run vouchers.gvl --state part --calls half.jsonl --partial --json");
    assert_eq!((ran.code, &ran.json()["done"]), (0, &json!(2)));
    // Records without their trailer.
    at.shop.write("calls.jsonl", &lines);
    let ran = at
        .shop
        .gavel("calls convert vouchers.gvl --calls calls.jsonl --out calls.bin");
    assert_eq!(ran.code, 0, "{ran:?}");
    let bytes = std::fs::read(at.shop.path("calls.bin")).unwrap();
    at.shop.write("half.bin", &bytes[..bytes.len() - 12]);
    let said = at
        .shop
        .refused("run vouchers.gvl --state no --calls half.bin", 1, "cut-off");
    assert!(said.contains("record 4"), "{said}");
    at.shop
        .write("new.bin", [&bytes[..8], &[9], &bytes[9..]].concat());
    at.shop
        .refused("run vouchers.gvl --state no --calls new.bin", 1, "version");
}

#[test]
fn garbage_of_many_megabytes() {
    let at = Counter::new();
    let mut garbage = "x\n".repeat(1 << 20);
    garbage.push_str(&at.give(5, 0));
    garbage.push_str(&"y".repeat(30 << 20));
    garbage.push('\n');
    let (ran, json) = at.run(&garbage, "--batch 1000");
    assert_eq!(ran.code, 0);
    assert_eq!(
        (&json["done"], &json["undecodable"]),
        (&json!(1), &json!((1 << 20) + 1))
    );
    at.shop.write("zeros", vec![0u8; 40 << 20]);
    at.shop
        .refused("run vouchers.gvl --state no --calls zeros", 1, "cut-off");
    let text = at
        .shop
        .gavel("run vouchers.gvl --state state --calls calls.jsonl");
    let shown = text
        .err
        .lines()
        .filter(|line| line.starts_with("no call:"))
        .count();
    assert_eq!(shown, 11, "ten, and that there are more");
}
