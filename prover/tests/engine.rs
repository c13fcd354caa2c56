//! The engine on small ledgers from sources: everything that the reference says, on any number of
//! threads.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)]

use bitcoin::secp256k1::schnorr;
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, CellId, LedgerContract, Receipt, Signed, State};
use gavel_compiler::units::Height;
use gavel_prover::engine::{Executed, Prepared, Signatures};
use gavel_prover::workload::Random;
use gavel_prover::{Engine, InMemory, Machine};
use serde_json::{Map, Value};

const TOKEN: &str = "
contract Token {
    asset Coin
    error Zero
    event Moved { from: pubkey, to: pubkey, amount: u64 }
    state { balance: map<pubkey, vault<Coin>>, count: u64, owner: map<u64, pubkey> }
    entry transfer(from: pubkey, to: pubkey, amount: u64) signed by from {
        require amount > 0 else Zero
        balance[to].put(balance[from].take(amount))
        emit Moved { from, to, amount }
    }
    entry tick() { count += 1 }
    entry mint(to: pubkey, amount: u64) mints Coin { balance[to].put(Coin.mint(amount)) }
    entry claim(who: pubkey, id: u64) { owner[id] = who }
    entry pay_owner(from: pubkey, id: u64, amount: u64) signed by from {
        balance[owner[id]].put(balance[from].take(amount))
    }
}";

fn contract(source: &str) -> LedgerContract {
    let params: Map<String, Value> = Map::new();
    match instantiate_ledger(source, &params) {
        Ok((contract, _)) => contract,
        Err(found) => panic!("{found:?}"),
    }
}

fn key(n: u64) -> Vec<u32> {
    let mut dice = Random::new(n);
    (0..8).map(|_| dice.word() as u32).collect()
}

fn words(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

/// A call whose signatures nobody checks.
fn call(contract: &LedgerContract, entry: &str, arguments: &[&[u32]], nonce: Option<u64>) -> Call {
    let signature = schnorr::Signature::from_slice(&[7; 64]).unwrap();
    Call {
        signatures: nonce
            .map(|nonce| Signed { nonce, signature })
            .into_iter()
            .collect(),
        ..Call::new(contract.id, entry, arguments.concat())
    }
}

/// Runs a batch by the reference, without looking at signatures.
fn reference(contract: &LedgerContract, state: &mut State, calls: &[Call]) -> Vec<Option<Receipt>> {
    use gavel_compiler::ledger::{NONCES, execute};
    let mut receipts = Vec::new();
    for call in calls {
        let entry = &contract.entry(&call.entry).unwrap().entry;
        let keys = entry.keys(&call.arguments);
        let cells: Vec<CellId> = keys
            .iter()
            .map(|key| CellId {
                family: NONCES,
                key: key.to_vec(),
            })
            .collect();
        let mut nonces = cells.iter().zip(&call.signatures);
        if !nonces.all(|(cell, signed)| state.get(cell, 2) == words(signed.nonce)) {
            receipts.push(None);
            continue;
        }
        let inputs = [&call.arguments[..], &[5]].concat();
        let run = execute(&entry.routine, &inputs, state);
        let steps = run.steps;
        receipts.push(Some(match run.result {
            Ok(changes) => {
                state.apply(&changes);
                let events = changes.events;
                Receipt::Done { events, steps }
            }
            Err(failure) => Receipt::Aborted {
                abort: entry.abort(failure.code),
                steps,
            },
        }));
        for (cell, signed) in cells.into_iter().zip(&call.signatures) {
            state.set(cell, words(signed.nonce + 1).to_vec());
        }
    }
    receipts
}

fn apply(state: &mut State, done: &Executed) {
    for change in done.changes.iter() {
        let cell = CellId {
            family: change.family,
            key: change.key.to_vec(),
        };
        assert_eq!(state.get(&cell, change.before.len()), change.before);
        state.set(cell, change.after.to_vec());
    }
}

fn random_calls(contract: &LedgerContract, state: &State, dice: &mut Random, n: u64) -> Vec<Call> {
    let accounts = 3 + dice.below(40);
    let most = [3, 30, 1000][dice.below(3) as usize];
    let mut nonces: Vec<u64> = (0..accounts)
        .map(|a| {
            let cell = CellId {
                family: 0,
                key: key(a),
            };
            u64::from(state.get(&cell, 2)[0])
        })
        .collect();
    let kinds = 1 + dice.below(10);
    (0..n)
        .map(|_| {
            let (a, b) = (dice.below(accounts), dice.below(accounts));
            let (from, to) = (key(a), key(b));
            let amount = words(dice.below(most));
            let id = words(dice.below(4));
            let nonce = nonces[a as usize] + u64::from(dice.below(30) == 0);
            let mut used = || {
                nonces[a as usize] = nonce + 1;
                Some(nonce)
            };
            match dice.below(kinds) {
                0..=4 => call(contract, "transfer", &[&from, &to, &amount], used()),
                5 => call(contract, "tick", &[], None),
                6 => call(contract, "mint", &[&to, &amount], None),
                7 => call(contract, "claim", &[&to, &id], None),
                _ => call(contract, "pay_owner", &[&from, &id, &amount], used()),
            }
        })
        .collect()
}

#[test]
fn batches_do_what_the_reference_does() {
    let contract = contract(TOKEN);
    let machine = Machine::new(&contract).unwrap();
    let mut in_order = std::collections::BTreeMap::new();
    let (mut deferred, mut sums) = (0, 0);
    for seed in 0..400 {
        let dice = &mut Random::new(seed);
        let mut law = State::new();
        let mut states = [State::new(), State::new(), State::new(), State::new()];
        let mut engines = [1, 2, 3, 8].map(Engine::new);
        let nothing = InMemory::default();
        for _ in 0..3 {
            let n = 1 + dice.below(60);
            let calls = random_calls(&contract, &law, dice, n);
            let expected = reference(&contract, &mut law, &calls);
            let prepared = Prepared::new(&machine, calls, Signatures::Trust);
            for (engine, state) in engines.iter_mut().zip(&mut states) {
                let done = engine
                    .run(&machine, &prepared, Height(5), &nothing)
                    .unwrap();
                for (n, expected) in expected.iter().enumerate() {
                    let receipt = done.receipts.get(&machine, n).unwrap();
                    match expected {
                        Some(expected) => assert_eq!(receipt, *expected, "call {n}, seed {seed}"),
                        None => assert!(matches!(receipt, Receipt::Refused(_))),
                    }
                }
                apply(state, &done);
                assert_eq!(*state, law, "seed {seed} {:?}", done.report);
                *in_order
                    .entry(format!("{:?}", done.report.in_order))
                    .or_insert(0) += 1;
                deferred += done.report.deferred;
                sums += done.report.sums;
            }
        }
    }
    println!("{in_order:?} deferred {deferred} sums {sums}");
    assert!(deferred > 0 && sums > 0 && in_order.len() > 3);
}
