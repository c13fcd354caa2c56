//! Operators: what they report is on the disk, their claims follow one another, and any batch can be
//! run again call by call.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)]

use bitcoin::secp256k1::{Keypair, Secp256k1};
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, Ledger, LedgerContract, Receipt, Root, State, root};
use gavel_compiler::units::Height;
use gavel_prover::operator::{Batch, OperatorError, Replay, ReplayError};
use gavel_prover::store::{Options, Store, StoreError};
use gavel_prover::{Machine, Operator, Settings};
use serde_json::Map;
use std::path::Path;

const TOKEN: &str = "
contract Token {
    asset Coin
    error Zero
    event Moved { from: pubkey, to: pubkey, amount: u64 }
    state { balance: map<pubkey, vault<Coin>> }
    entry transfer(from: pubkey, to: pubkey, amount: u64) signed by from {
        require amount > 0 else Zero
        balance[to].put(balance[from].take(amount))
        emit Moved { from, to, amount }
    }
    entry mint(to: pubkey, amount: u64) mints Coin { balance[to].put(Coin.mint(amount)) }
}";

fn contract() -> LedgerContract {
    match instantiate_ledger(TOKEN, &Map::new()) {
        Ok((contract, _)) => contract,
        Err(found) => panic!("{found:?}"),
    }
}

fn keypair(n: u8) -> Keypair {
    Keypair::from_seckey_slice(&Secp256k1::new(), &[n + 1; 32]).unwrap()
}

fn key(n: u8) -> Vec<u32> {
    let bytes = keypair(n).x_only_public_key().0.serialize();
    let words = bytes.chunks(4);
    words
        .map(|four| u32::from_be_bytes(four.try_into().unwrap()))
        .collect()
}

fn transfer(contract: &LedgerContract, from: u8, to: u8, amount: u32, nonce: u64) -> Call {
    let arguments = [&key(from)[..], &key(to), &[amount, 0]].concat();
    Call::new(contract.id, "transfer", arguments).sign(&keypair(from), nonce)
}

fn mint(contract: &LedgerContract, to: u8, amount: u32) -> Call {
    Call::new(contract.id, "mint", [&key(to)[..], &[amount, 0]].concat())
}

/// Three batches: a mint, payments of which some abort or are refused, payments.
fn batches(contract: &LedgerContract) -> Vec<Vec<Call>> {
    let mut forged = transfer(contract, 1, 0, 1, 1);
    forged.arguments[16] = 2;
    vec![
        vec![mint(contract, 0, 100), mint(contract, 1, 50)],
        vec![
            transfer(contract, 0, 1, 60, 0),
            transfer(contract, 0, 2, 60, 1),
            transfer(contract, 0, 2, 5, 1),
            transfer(contract, 1, 3, 110, 0),
            forged,
            transfer(contract, 0, 2, 5, 2),
        ],
        (0..20u8)
            .map(|n| transfer(contract, 3, n % 5, 2, u64::from(n)))
            .collect(),
    ]
}

fn reference(contract: &LedgerContract, batches: &[Vec<Call>]) -> Vec<(Vec<Receipt>, Vec<Root>)> {
    let mut ledger: Ledger = contract.ledger(State::new()).unwrap();
    let all = batches.iter().map(|calls| {
        let each = calls.iter().map(|call| {
            let receipt = ledger.apply(call, Height(7));
            (receipt, root(ledger.state()))
        });
        each.unzip()
    });
    all.collect()
}

fn settings(threads: usize) -> Settings {
    Settings {
        threads,
        ..Settings::default()
    }
}

fn opened(dir: &Path, threads: usize) -> Operator {
    Operator::open(dir, &contract(), settings(threads)).unwrap()
}

#[test]
fn receipts_and_claims_are_the_references() {
    let contract = contract();
    let all = batches(&contract);
    let law = reference(&contract, &all);
    for (threads, memory) in [(1, 2 << 30), (2, 2 << 30), (3, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            memory,
            ..settings(threads)
        };
        let mut operator = Operator::create(dir.path(), &contract, b"", settings).unwrap();
        let mut outcomes = Vec::new();
        let source = all.iter().zip(10..).map(|(calls, tag)| Batch {
            calls: calls.clone(),
            tag,
        });
        let done = |outcome, tag| outcomes.push((outcome, tag));
        operator.run_all(source, Height(7), done).unwrap();
        let mut before = Root::EMPTY;
        for ((outcome, tag), (n, (receipts, roots))) in outcomes.iter().zip((1u64..).zip(&law)) {
            assert_eq!(*tag, n + 9);
            let own: Vec<Receipt> = outcome.receipts.iter(operator.machine()).collect();
            assert_eq!(own, *receipts);
            let claim = &outcome.claim;
            assert_eq!((claim.batch, claim.height), (n, 7));
            assert_eq!((claim.before, Some(&claim.after)), (before, roots.last()));
            before = claim.after;
        }
        assert_eq!(operator.root(), before);
        operator.close().unwrap();
        let again = opened(dir.path(), 1);
        assert_eq!((again.root(), again.last()), (before, 3));
    }
}

#[test]
fn an_operator_goes_on_where_it_stopped() {
    let contract = contract();
    let all = batches(&contract);
    let law = reference(&contract, &all);
    let dir = tempfile::tempdir().unwrap();
    drop(Operator::create(dir.path(), &contract, b"", settings(1)).unwrap());
    for (calls, (_, roots)) in all.iter().zip(&law) {
        // Not closed: what was reported must be there all the same.
        let mut operator = opened(dir.path(), 2);
        let outcome = operator.run(calls.clone(), Height(7)).unwrap();
        assert_eq!(Some(&outcome.claim.after), roots.last());
    }
}

#[test]
fn a_batch_is_replayed_call_by_call() {
    let contract = contract();
    let all = batches(&contract);
    let law = reference(&contract, &all);
    let dir = tempfile::tempdir().unwrap();
    let mut operator = Operator::create(dir.path(), &contract, b"", settings(2)).unwrap();
    for calls in &all {
        operator.run(calls.clone(), Height(7)).unwrap();
    }
    operator.close().unwrap();
    let store = || Store::open(dir.path(), Some(contract.id), Options::default()).unwrap();
    let machine = Machine::new(&contract).unwrap();
    for (n, (receipts, roots)) in (1..).zip(&law) {
        let mut replay = Replay::new(machine.clone(), store(), n).unwrap();
        assert_eq!(replay.root(), replay.claim().before);
        for (receipt, root) in receipts.iter().zip(roots) {
            let step = replay.step().unwrap().unwrap();
            assert_eq!(step.receipt.get(&machine, 0).as_ref(), Some(receipt));
            assert_eq!(step.root, *root);
        }
        assert!(replay.step().unwrap().is_none());
    }
    let none = Replay::new(machine, store(), 4);
    assert!(matches!(none, Err(ReplayError::NoBatch(4))));
}

#[test]
fn another_contracts_state_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let own = contract();
    drop(Operator::create(dir.path(), &own, b"", settings(1)).unwrap());
    let mut other = own.clone();
    other.id[0] ^= 1;
    let refused = Operator::open(dir.path(), &other, settings(1));
    assert!(matches!(
        refused,
        Err(OperatorError::Store(StoreError::OtherContract { .. }))
    ));
    let again = Operator::create(dir.path(), &own, b"", settings(1));
    assert!(again.is_err(), "there is a state already");
}

#[test]
fn stored_receipts_read_back() {
    let contract = contract();
    let all = batches(&contract);
    let dir = tempfile::tempdir().unwrap();
    let mut operator = Operator::create(dir.path(), &contract, b"", settings(2)).unwrap();
    for calls in &all {
        let outcome = operator.run(calls.clone(), Height(7)).unwrap();
        let reader = operator.reader();
        let bytes = reader.receipts(outcome.claim.batch).unwrap().unwrap();
        let read = gavel_prover::Receipts::from_bytes(&bytes).unwrap();
        let machine = operator.machine();
        let own: Vec<Receipt> = outcome.receipts.iter(machine).collect();
        assert_eq!(read.iter(machine).collect::<Vec<_>>(), own);
        let cut = &bytes[..bytes.len() - 1];
        assert!(gavel_prover::Receipts::from_bytes(cut).is_err());
    }
}
