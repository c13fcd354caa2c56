//! Bitcoin Core's own script vectors, as far as they mean the same in tapscript.
//!
//! `data/script_tests.json` holds rows of `src/test/data/script_tests.json` of Bitcoin Core
//! (MIT licence, "Copyright (c) 2009-2026 The Bitcoin Core developers"), as the crate
//! libbitcoinkernel-sys 0.4.1 has it, and how many were left out, by reason. It is made by
//! `GAVEL_CORE_VECTORS=PATH cargo test --test vectors -- --ignored`.
//!
//! A row is run as a leaf: what its scriptSig pushes is the stack, and its scriptPubKey the
//! script; where the scriptSig does more than push, both are the script. Our machine has to say what Core's consensus code says of that leaf, and both what
//! the row says, unless tapscript has another rule; those are counted.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use bitcoin::Script;
use gavel_compiler::script::code::{Item, items, succeeds_at};
use gavel_compiler::script::vm::{Refusal, Rules, Why, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use support::asm::assemble;
use support::core::{Spend, consensus};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/script_tests.json")
}

/// A vector: two scripts as text, the flags and what comes of it.
struct Row<'a> {
    unlocking: &'a str,
    locking: &'a str,
    flags: &'a str,
    wanted: &'a str,
}

impl<'a> Row<'a> {
    fn new(row: &'a Value) -> Option<Self> {
        let text = |n: usize| row.get(n).and_then(Value::as_str);
        Some(Self {
            unlocking: text(0)?,
            locking: text(1)?,
            flags: text(2)?,
            wanted: text(3)?,
        })
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.split(',').any(|given| given == flag)
    }
}

/// Why a row of Core's file says nothing of a leaf.
fn left_out(row: &Value) -> Option<&'static str> {
    if row.as_array().is_some_and(|parts| parts.len() == 1) {
        return Some("a comment");
    }
    let Some(row) = Row::new(row) else {
        return Some("a witness program");
    };
    let either = |word: &str| row.unlocking.contains(word) || row.locking.contains(word);
    let reasons: [(&str, &[&str]); 3] = [
        ("CHECKMULTISIG, which tapscript has not", &["CHECKMULTISIG"]),
        ("an ECDSA signature", &["CHECKSIG"]),
        (
            "a lock time, which the transaction decides",
            &["CHECKLOCKTIME", "CHECKSEQUENCE", "NOP2", "NOP3"],
        ),
    ];
    let found = reasons
        .iter()
        .find(|(_, words)| words.iter().any(|word| either(word)));
    if let Some((reason, _)) = found {
        return Some(reason);
    }
    let unlocking = assemble(row.unlocking);
    if items(&unlocking).any(|(_, item)| matches!(item, Item::Bad(0..=0x4e))) {
        return Some("an unlocking script that is cut off");
    }
    let in_hash = Script::from_bytes(&assemble(row.locking)).is_p2sh();
    (row.has_flag("P2SH") && in_hash).then_some("a script in a hash")
}

/// The rule of tapscript that makes a leaf end otherwise than its row says.
fn other_rule(row: &Row<'_>, script: &[u8], ours: &Result<(), Refusal>) -> Option<&'static str> {
    let why = ours.as_ref().err().map(|refusal| refusal.why);
    match row.wanted {
        _ if succeeds_at(script).is_some() => Some("OP_SUCCESS"),
        "OK" if why == Some(Why::CleanStack) => Some("exactly one item is left"),
        "OK" if why == Some(Why::MinimalIf) => Some("MINIMALIF"),
        "OK" if why == Some(Why::TooLong) => Some("a witness item of more than 520 bytes"),
        // Stacks of conditionals and the altstack begin anew in the second.
        "UNBALANCED_CONDITIONAL" if row.unlocking.contains("IF") => Some("one script, not two"),
        _ if row.unlocking.contains("TOALTSTACK") => Some("one script, not two"),
        "OP_COUNT" => Some("no limit of 201 opcodes"),
        "SCRIPT_SIZE" => Some("no limit of 10,000 bytes"),
        "SIG_PUSHONLY" | "DISCOURAGE_UPGRADABLE_NOPS" => Some("a rule of relay for other outputs"),
        _ => None,
    }
}

/// What the unlocking script pushes, if it does nothing else.
fn pushed(unlocking: &[u8]) -> Option<Vec<Vec<u8>>> {
    let push = |(_, item)| match item {
        Item::Push(data) => Some(data),
        _ => None,
    };
    items(unlocking).map(push).collect()
}

/// Runs a row; gives how it compares.
fn compare(row: &Row<'_>) -> &'static str {
    let (unlocking, locking) = (assemble(row.unlocking), assemble(row.locking));
    let both = [unlocking.as_slice(), &locking].concat();
    let (script, stack) = match pushed(&unlocking) {
        Some(stack) => (locking, stack),
        None => (both.clone(), vec![]),
    };
    let what = format!("[{}] [{}] {}", row.unlocking, row.locking, row.wanted);
    let ours = run(&script, &stack, &consensus()).verdict;
    if let Err(refusal) = &ours
        && refusal.why == Why::Unknown
        && script[refusal.at] > 0x60
    {
        return "an opcode that we never emit";
    }
    let core = Spend::new(Script::from_bytes(&script), 0).accepted(&stack);
    assert_eq!(ours.is_ok(), core, "{what}: {ours:?}");
    // The rule looks at the unlocking script's pushes too: they become the leaf's own.
    let ours = match row.has_flag("MINIMALDATA") {
        true => run(&both, &[], &Rules::default()).verdict,
        false => ours,
    };
    if ours.is_ok() == (row.wanted == "OK") {
        return "the same";
    }
    other_rule(row, &script, &ours).unwrap_or_else(|| panic!("{what}: {ours:?}"))
}

#[test]
fn vectors_of_core_hold() {
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut total = 0;
    for row in kept["rows"].as_array().unwrap() {
        assert_eq!(left_out(row), None, "{row}");
        *counts.entry(compare(&Row::new(row).unwrap())).or_default() += 1;
        total += 1;
    }
    println!(
        "of {total} vectors {counts:#?}\nleft out: {:#}",
        kept["left_out"]
    );
    insta::assert_snapshot!(format!(
        "{total} vectors\n{counts:#?}\nleft out {:#}",
        kept["left_out"]
    ));
}

#[test]
#[ignore = "writes the vectors from Bitcoin Core's file"]
fn take_vectors_from_core() {
    let path = std::env::var("GAVEL_CORE_VECTORS").unwrap();
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for row in all.as_array().unwrap() {
        match left_out(row) {
            Some(reason) => *counts.entry(reason).or_default() += 1,
            None => rows.push(row.to_string()),
        }
    }
    let text = format!(
        "{{\n\"from\": {},\n\"left_out\": {},\n\"rows\": [\n{}\n]\n}}\n",
        json!("Bitcoin Core, src/test/data/script_tests.json, MIT licence"),
        json!(counts),
        rows.join(",\n"),
    );
    std::fs::create_dir_all(file().parent().unwrap()).unwrap();
    std::fs::write(file(), text).unwrap();
}
