//! A ledger with arguments of many types, and calls of it.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use bitcoin::secp256k1::{Keypair, Secp256k1, schnorr};
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, LedgerContract, Signed};
use gavel_prover::calls::Interface;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const SOURCE: &str = "
contract Kinds {
    enum Side { Buy, Sell }
    struct Order { side: Side, owner: pubkey, amounts: [u16; 3] }
    error Nothing
    state { paid: map<pubkey, u64>, sum: u128, last: bool }
    entry pay(from: pubkey, to: pubkey, amount: u64) signed by from {
        require amount > 0 else Nothing
        paid[from] += amount
        paid[to] += amount
    }
    entry note(flag: bool, much: u128, tag: bytes<5>, maybe: Option<u32>, order: Order) {
        if flag { last = true }
        sum += much
    }
    entry ping() { last = false }
}";

pub fn contract() -> LedgerContract {
    let (contract, _) = instantiate_ledger(SOURCE, &Map::new()).unwrap();
    contract
}

pub fn interface() -> Interface {
    Interface::from(&contract())
}

pub fn keypair(n: u8) -> Keypair {
    Keypair::from_seckey_slice(&Secp256k1::new(), &[n; 32]).unwrap()
}

pub fn key(n: u8) -> String {
    keypair(n).x_only_public_key().0.to_string()
}

pub fn arguments(interface: &Interface, entry: &str, values: Value) -> Vec<u32> {
    let shape = interface.entry(entry).unwrap();
    shape.encode(values.as_object().unwrap().clone()).unwrap()
}

/// A signed call.
pub fn pay(interface: &Interface, from: u8, to: u8, amount: u64, nonce: u64) -> Call {
    let values = json!({"from": key(from), "to": key(to), "amount": amount});
    let words = arguments(interface, "pay", values);
    Call::new(interface.contract, "pay", words).sign(&keypair(from), nonce)
}

fn signed() -> impl Strategy<Value = Signed> {
    (any::<u64>(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(nonce, a, b)| {
        let signature = schnorr::Signature::from_slice(&[a, b].concat()).unwrap();
        Signed { nonce, signature }
    })
}

fn values() -> impl Strategy<Value = (&'static str, Value)> {
    let hex = any::<[u8; 32]>().prop_map(|bytes| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        json!(hex)
    });
    let pay = (hex.clone(), hex.clone(), any::<u64>()).prop_map(|(from, to, amount)| {
        (
            "pay",
            json!({"from": from, "to": to, "amount": amount.to_string()}),
        )
    });
    let order = (any::<bool>(), hex, any::<[u16; 3]>()).prop_map(|(buy, owner, amounts)| {
        json!({"side": if buy { "Buy" } else { "Sell" }, "owner": owner, "amounts": amounts})
    });
    let note = (
        any::<bool>(),
        any::<u128>(),
        any::<[u8; 5]>(),
        any::<Option<u32>>(),
        order,
    )
        .prop_map(|(flag, much, tag, maybe, order)| {
            let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
            let much = much.to_string();
            (
                "note",
                json!({"flag": flag, "much": much, "tag": tag, "maybe": maybe, "order": order}),
            )
        });
    prop_oneof![pay, note, Just(("ping", json!({})))]
}

/// Any call that can be written.
pub fn call() -> impl Strategy<Value = Call> {
    let signatures = prop::collection::vec(signed(), 0..4);
    (values(), signatures).prop_map(|((entry, values), signatures)| {
        let interface = interface();
        let words = arguments(&interface, entry, values);
        let call = Call::new(interface.contract, entry, words);
        Call { signatures, ..call }
    })
}

/// Calls as JSON lines.
pub fn lines(calls: &[Call], interface: &Interface) -> String {
    let line = |call| gavel_prover::calls::write_json(call, interface).unwrap() + "\n";
    calls.iter().map(line).collect()
}

/// Calls as records.
pub fn records(calls: &[Call], interface: &Interface) -> Vec<u8> {
    let mut writer = gavel_prover::calls::BinaryWriter::new(Vec::new(), interface).unwrap();
    calls.iter().for_each(|call| writer.write(call).unwrap());
    writer.finish().unwrap()
}
