//! A ledger at the counter of a shop: its keys, its calls, its state.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};

use super::{Ran, Shop};

/// A shop with a ledger and the keys of two people.
pub struct Counter {
    pub shop: Shop,
    pub keeper: String,
    pub alice: String,
}

impl Counter {
    pub fn new() -> Self {
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
    pub fn call(&self, entry: &str, arguments: &Value, more: &str) -> String {
        let ran = self.shop.gavel(&format!(
            "calls new vouchers.gvl {entry} --arguments '{arguments}' {more}"
        ));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    }

    pub fn give(&self, amount: u64, nonce: u64) -> String {
        let arguments = json!({"to": self.alice, "amount": amount});
        self.call(
            "give",
            &arguments,
            &format!("--key keeper.key --nonce {nonce}"),
        )
    }

    pub fn pay(&self, amount: u64, nonce: u64) -> String {
        let arguments = json!({"from": self.alice, "to": self.keeper, "amount": amount});
        self.call(
            "pay",
            &arguments,
            &format!("--key alice.key --nonce {nonce}"),
        )
    }

    /// Runs these lines on the state `state`; what scripts see.
    pub fn run(&self, lines: &str, more: &str) -> (Ran, Value) {
        self.shop.write("calls.jsonl", lines);
        let ran = self.shop.gavel(&format!(
            "run vouchers.gvl --state state --calls calls.jsonl --json {more}"
        ));
        let json = ran.json();
        (ran, json)
    }

    pub fn value(&self, place: &str) -> String {
        let ran = self.shop.gavel(&format!("state get state '{place}'"));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.trim().to_owned()
    }

    pub fn root(&self) -> String {
        self.shop.gavel("state root state").out.trim().to_owned()
    }
}
