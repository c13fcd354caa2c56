//! Ledgers run from the command line: calls, states, proofs; and whatever can be wrong with them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use serde_json::{Value, json};
use std::fmt::Write as _;
use support::{Ran, Shop};

/// A shop with a ledger and the keys of two people.
struct Counter {
    shop: Shop,
    keeper: String,
    alice: String,
}

impl Counter {
    fn new() -> Self {
        let shop = Shop::new();
        assert_eq!(shop.gavel("new vouchers --ledger").code, 0);
        for (name, digit) in [("keeper", "1"), ("alice", "2")] {
            shop.write(&format!("{name}.key"), digit.repeat(64));
        }
        let keeper = "4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa".to_owned();
        let alice = "466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27".to_owned();
        shop.write(
            "vouchers.params.json",
            json!({"shop": keeper, "most": 1000}).to_string(),
        );
        Self {
            shop,
            keeper,
            alice,
        }
    }

    /// The line of a call, signed by these keys.
    fn call(&self, entry: &str, arguments: &Value, more: &str) -> String {
        let ran = self.shop.gavel(&format!(
            "calls new vouchers.gvl {entry} --arguments '{arguments}' {more}"
        ));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    }

    fn give(&self, amount: u64, nonce: u64) -> String {
        let arguments = json!({"to": self.alice, "amount": amount});
        self.call(
            "give",
            &arguments,
            &format!("--key keeper.key --nonce {nonce}"),
        )
    }

    fn pay(&self, amount: u64, nonce: u64) -> String {
        let arguments = json!({"from": self.alice, "to": self.keeper, "amount": amount});
        self.call(
            "pay",
            &arguments,
            &format!("--key alice.key --nonce {nonce}"),
        )
    }

    /// Runs these lines on the state `state`; what scripts see.
    fn run(&self, lines: &str, more: &str) -> (Ran, Value) {
        self.shop.write("calls.jsonl", lines);
        let ran = self.shop.gavel(&format!(
            "run vouchers.gvl --state state --calls calls.jsonl --json {more}"
        ));
        let json = ran.json();
        (ran, json)
    }

    fn value(&self, place: &str) -> String {
        let ran = self.shop.gavel(&format!("state get state '{place}'"));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.trim().to_owned()
    }

    fn root(&self) -> String {
        self.shop.gavel("state root state").out.trim().to_owned()
    }
}

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

#[test]
fn keys_are_made_once_and_never_shown() {
    let at = Counter::new();
    let made = at.shop.gavel("calls key bob.key");
    assert_eq!((made.code, made.out.trim().len()), (0, 64));
    let secret = at.shop.text("bob.key");
    assert_eq!(secret.trim().len(), 64);
    assert!(!made.all().contains(secret.trim()));
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(at.shop.path("bob.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    at.shop.refused("calls key bob.key", 2, "exists");
    assert_eq!(at.shop.text("bob.key"), secret);
    at.shop
        .refused("calls key none/bob.key", 2, "no-such-folder");
    let sign = "calls sign vouchers.gvl --calls vouchers.gvl --key";
    at.shop
        .refused(&format!("{sign} nobody.key"), 2, "no-such-file");
    for (name, text) in [
        ("empty", String::new()),
        ("short", "ab".repeat(31)),
        ("zero", "00".repeat(32)),
        ("order", "ff".repeat(32)),
        ("long", "11".repeat(5_000)),
        ("words", "correct horse".to_owned()),
    ] {
        at.shop.write(name, &text);
        let said = at.shop.refused(&format!("{sign} {name}"), 1, "key");
        assert!(text.is_empty() || !said.contains(&text), "{said}");
    }
    at.shop.write("latin", b"\xff\xfe");
    at.shop.refused(&format!("{sign} latin"), 1, "key");
}

#[test]
fn calls_are_signed_in_a_row() {
    let at = Counter::new();
    let pay = json!({"from": at.alice, "to": at.keeper, "amount": 1});
    let unsigned = at.call("pay", &pay, "").repeat(5);
    let give = at.call("give", &json!({"to": at.alice, "amount": 9}), "");
    at.shop.write("unsigned.jsonl", give + &unsigned);
    let sign = |key: &str, from: &str, to: &str| {
        let ran = at.shop.gavel(&format!(
            "calls sign vouchers.gvl --key {key}.key --calls {from} --out {to} --json"
        ));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()
    };
    let first = sign("alice", "unsigned.jsonl", "half.jsonl");
    assert_eq!(first, json!({"calls": 6, "signed": 5, "next_nonce": 5}));
    assert_eq!(sign("keeper", "half.jsonl", "all.jsonl")["signed"], 1);
    let (_, json) = at.run(&at.shop.text("all.jsonl"), "");
    assert_eq!(json["done"], 6);
    // The state knows what comes next.
    let next = at.call("pay", &pay, "--key alice.key --state state");
    assert!(next.contains(r#""nonce":5"#), "{next}");
    let ran = at
        .shop
        .gavel("calls sign vouchers.gvl --key alice.key --state state --calls unsigned.jsonl");
    assert!(
        ran.out.contains(r#""nonce":9"#) && ran.err.contains("next nonce is 10"),
        "{ran:?}"
    );
    at.shop.write("bad.jsonl", "{}\n");
    at.shop.refused(
        "calls sign vouchers.gvl --key alice.key --calls bad.jsonl --out x",
        1,
        "undecodable",
    );
    let new = "calls new vouchers.gvl";
    at.shop.refused(&format!("{new} gone"), 2, "usage");
    at.shop.refused(&format!("{new} give"), 1, "arguments");
    at.shop
        .refused(&format!("{new} give --arguments '{{'"), 1, "json");
    at.shop.refused(
        &format!("{new} give --arguments @none.json"),
        2,
        "no-such-file",
    );
    at.shop.refused(
        &format!("{new} pay --arguments '{pay}' --key keeper.key"),
        2,
        "usage",
    );
    at.shop.refused(
        &format!("{new} pay --arguments '{pay}' --nonce 1"),
        2,
        "usage",
    );
    at.shop.refused(
        &format!("{new} pay --arguments '{pay}' --state none --key alice.key"),
        2,
        "no-state",
    );
}

#[test]
fn states_that_cannot_be_used() {
    let at = Counter::new();
    at.run(&at.give(5, 0), "--height 100");
    let run = "run vouchers.gvl --calls calls.jsonl --state";
    at.shop
        .refused(&format!("{run} state --height 99"), 2, "usage");
    at.shop.write(
        "other.json",
        json!({"shop": at.alice, "most": 1}).to_string(),
    );
    at.shop.refused(
        &format!("{run} state --params other.json"),
        2,
        "other-contract",
    );
    at.shop
        .refused(&format!("{run} none --calls none.jsonl"), 2, "usage");
    at.shop.refused(
        "run vouchers.gvl --state state --calls none.jsonl",
        2,
        "no-such-file",
    );
    at.shop.refused(
        "run price_feed.gvl --state state --calls calls.jsonl",
        1,
        "source",
    );
    for batch in ["0", "x", "99999999999"] {
        at.shop
            .refused(&format!("{run} state --batch {batch}"), 2, "usage");
    }
    for command in [
        "get none out",
        "root none",
        "export none --out x",
        "batches none",
        "verify none",
    ] {
        at.shop.refused(&format!("state {command}"), 2, "no-state");
    }
    at.shop.refused("proof make none out", 2, "no-state");
    at.shop.refused("state get state gone", 2, "place");
    at.shop.refused("state get state held", 2, "place");
    at.shop
        .refused("state receipts state --batch 2 --out x", 2, "no-such-batch");
    at.shop
        .refused("state receipts state --batch 0 --out x", 2, "no-such-batch");
    // What is no database.
    at.shop
        .write("state/state.redb", "no database at all, only text");
    let ran = at.shop.gavel("state root state");
    assert!(
        [1, 3].contains(&ran.code) && ran.err.contains("error: "),
        "{ran:?}"
    );
}

#[test]
fn exports_are_imported_whole_or_not_at_all() {
    let at = Counter::new();
    at.run(&(at.give(60, 0) + &at.pay(25, 0)), "");
    assert_eq!(at.shop.gavel("state export state --out all.jsonl").code, 0);
    let all = at.shop.text("all.jsonl");
    let ran = at
        .shop
        .gavel("state import vouchers.gvl copy --from all.jsonl --json");
    assert_eq!(ran.json()["root"], at.root());
    assert_eq!(at.shop.gavel("state verify copy").code, 0);
    at.shop.refused(
        "state import vouchers.gvl copy --from all.jsonl",
        2,
        "exists",
    );
    // A copy goes on where the first was: nonces are cells, too.
    at.shop.write("old.jsonl", at.give(1, 0) + &at.give(1, 1));
    let ran = at
        .shop
        .gavel("run vouchers.gvl --state copy --calls old.jsonl --json");
    assert_eq!(ran.json()["refused"], json!({"nonce": 1}));
    let lines: Vec<&str> = all.lines().collect();
    let wrong = [
        String::new(),
        "{}".to_owned(),
        lines[1..].join("\n"),
        lines[..lines.len() - 1].join("\n"),
        all.replace("\"value\":60", "\"value\":61"),
        all.replace("\"value\":60", "\"value\":\"many\""),
        all.replace("\"field\":\"out\"", "\"field\":\"in\""),
        all.replace("\"part\":\"\"", "\"part\":\".x\""),
        all.replace("\"keys\":[]", "\"keys\":[1]"),
        all.replace("\"gavel_state\":1", "\"gavel_state\":2"),
        all.clone() + lines[1] + "\n",
    ];
    for text in wrong {
        at.shop.write("wrong.jsonl", &text);
        let ran = at
            .shop
            .gavel("state import vouchers.gvl new --from wrong.jsonl");
        assert_eq!(ran.code, 1, "{text}: {ran:?}");
        assert!(!at.shop.path("new").exists());
    }
    // Of another contract it is a genesis.
    at.shop.write(
        "next.json",
        json!({"shop": at.alice, "most": 50}).to_string(),
    );
    let ran = at
        .shop
        .gavel("state import vouchers.gvl new --from all.jsonl --params next.json");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(at.shop.gavel("state get new out").out.trim(), "60");
}

#[test]
fn proofs_hold_for_their_root_only() {
    let at = Counter::new();
    at.run(&(at.give(60, 0) + &at.pay(25, 0)), "");
    let root = at.root();
    for (place, zero) in [
        ("held[shop]", false),
        ("out", false),
        (&*format!("held[{}]", "07".repeat(32)), true),
    ] {
        let made = at
            .shop
            .gavel(&format!("proof make state '{place}' --out proof.json"));
        assert_eq!(made.code, 0, "{made:?}");
        let checked = at
            .shop
            .gavel(&format!("proof check proof.json --root {root} --json"));
        assert_eq!(checked.json()["words"].as_array().unwrap().is_empty(), zero);
        let piped = at.shop.gavel_with(
            &format!("proof check - --root {root}"),
            at.shop.text("proof.json").as_bytes(),
        );
        assert!(piped.out.starts_with("valid: "), "{piped:?}");
        let other = "07".repeat(32);
        at.shop.refused(
            &format!("proof check proof.json --root {other}"),
            1,
            "proof",
        );
        let text = at.shop.text("proof.json");
        for (n, c) in text
            .char_indices()
            .filter(|(_, c)| c.is_ascii_digit())
            .step_by(9)
        {
            let digit = if c == '7' { '8' } else { '7' };
            at.shop.write(
                "wrong.json",
                format!("{}{digit}{}", &text[..n], &text[n + 1..]),
            );
            let ran = at
                .shop
                .gavel(&format!("proof check wrong.json --root {root}"));
            assert_eq!(ran.code, 1, "{n}: {ran:?}");
        }
    }
    at.shop
        .write("twice.json", "{\"family\": 1, \"family\": 1}");
    at.shop
        .refused(&format!("proof check twice.json --root {root}"), 1, "proof");
    at.shop
        .refused("proof check twice.json --root 12", 2, "usage");
    at.shop.refused(
        &format!("proof check none.json --root {root}"),
        2,
        "no-such-file",
    );
}

/// Two at once would be two states.
#[test]
fn a_state_in_use_is_left_alone() {
    let at = Counter::new();
    at.run(&at.give(5, 0), "");
    use std::process::{Command, Stdio};
    let mut running = Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args([
            "run",
            "vouchers.gvl",
            "--state",
            "state",
            "--calls",
            "-",
            "--batch",
            "1",
            "--receipts",
            "-",
        ])
        .current_dir(at.shop.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It has the state once it has read a call and waits for more; until then it may be free.
    let mut input = running.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, at.give(1, 1).as_bytes()).unwrap();
    let refused = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let ran = at.shop.gavel("state root state --json");
        ran.code == 3 && ran.json()["error"]["kind"] == "state-in-use"
    });
    drop(input);
    assert!(running.wait().unwrap().success());
    assert!(refused, "it was never in use");
    assert_eq!(at.value("out"), "6");
}
