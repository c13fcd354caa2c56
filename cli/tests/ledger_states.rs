//! Keys and signatures, states, exports and proofs of ledgers; and whatever can be wrong with them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use serde_json::json;
use support::counter::Counter;

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
