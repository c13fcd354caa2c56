//! Random ledgers and batches, on the reference alone: they reach what an engine can get wrong.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod differ;

use differ::random::batches::Fault;
use differ::random::{CONTRACT, Scenario};
use gavel_compiler::ledger::{CellId, Entry, Ledger, Receipt, Refusal, State, execute};
use gavel_compiler::word::access::{Class, accesses};
use std::collections::BTreeMap;

const SCENARIOS: u64 = 500;

/// How often something happened.
type Counts = BTreeMap<String, usize>;

fn count(counts: &mut Counts, what: impl ToString) {
    *counts.entry(what.to_string()).or_default() += 1;
}

/// The cells that a call writes in this state, if it doesn't abort.
fn written(entry: &Entry, inputs: &[u32], state: &State) -> Option<Vec<CellId>> {
    let changes = execute(&entry.routine, inputs, state).result.ok()?;
    Some(changes.writes.into_iter().map(|write| write.cell).collect())
}

fn receipt(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Done { events, .. } if events.is_empty() => "done".to_owned(),
        Receipt::Done { .. } => "done with events".to_owned(),
        Receipt::Aborted { abort, .. } => format!("aborted {}", abort.name),
        Receipt::Refused(refusal) => format!(
            "refused {}",
            match refusal {
                Refusal::Contract => "contract",
                Refusal::Entry(_) => "entry",
                Refusal::Arguments(_) => "arguments",
                Refusal::Signers { .. } => "signers",
                Refusal::Nonce { .. } => "nonce",
                Refusal::Signature { .. } => "signature",
            }
        ),
    }
}

/// Runs a scenario and counts what happens.
fn look(scenario: &Scenario, counts: &mut Counts) {
    let entries = scenario.entries();
    for entry in &entries {
        let class = accesses(&entry.routine).class;
        count(counts, format!("entry {class:?}"));
    }
    let state = scenario.state.clone();
    let mut ledger = Ledger::new(CONTRACT, entries.clone(), state).unwrap();
    for batch in &scenario.batches {
        count(counts, "batch");
        let before = ledger.state().clone();
        for (call, fault) in batch.calls.iter().zip(&batch.faults) {
            let entry = entries.iter().find(|entry| entry.name == call.entry);
            let inputs = [&call.arguments[..], &[batch.height.0]].concat();
            let [foreseen, found] = [&before, ledger.state()]
                .map(|state| entry.map(|entry| written(entry, &inputs, state)));
            let end = ledger.apply(call, batch.height);
            if fault.is_none() {
                assert!(!matches!(end, Receipt::Refused(_)), "{end:?}");
                if let (Some(Some(foreseen)), Some(Some(found))) = (foreseen, found) {
                    let same = foreseen == found;
                    count(
                        counts,
                        if same {
                            "cells as foreseen"
                        } else {
                            "other cells"
                        },
                    );
                }
            } else if let Some(fault) = fault.filter(|fault| *fault != Fault::Replayed) {
                count(counts, format!("fault {fault:?}"));
            }
            count(counts, receipt(&end));
        }
    }
}

#[test]
fn they_reach_what_an_engine_can_get_wrong() {
    let mut counts = Counts::new();
    for seed in 0..SCENARIOS {
        look(&Scenario::new(seed), &mut counts);
    }
    let shown: Vec<String> = counts
        .iter()
        .map(|(what, n)| format!("{n:>6} {what}"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    let of = |start: &str| -> usize {
        let like = counts.iter().filter(|(what, _)| what.starts_with(start));
        like.map(|(_, n)| n).sum()
    };
    // None of the three ends is rare, nor is any reason for one.
    let calls = of("done") + of("aborted") + of("refused");
    for (end, least) in [("done", 40), ("aborted", 10), ("refused", 8)] {
        assert!(
            of(end) * 100 > calls * least,
            "{end}: {} of {calls}",
            of(end)
        );
    }
    for abort in ["aborted Over", "aborted Under", "aborted Asked"] {
        assert!(of(abort) > 50, "{abort}");
    }
    for class in [Class::Exact, Class::Superset, Class::Dynamic] {
        assert!(of(&format!("entry {class:?}")) > 100, "{class:?}");
    }
    for refusal in [
        "contract",
        "entry",
        "arguments",
        "signers",
        "nonce",
        "signature",
    ] {
        assert!(of(&format!("refused {refusal}")) > 50, "{refusal}");
    }
    assert!(of("other cells") > 200 && of("done with events") > 200);
}

#[test]
fn the_same_seed_gives_the_same() {
    for seed in [0, 1, 77] {
        let [first, second] = [0, 1].map(|_| Scenario::new(seed));
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        assert_eq!(first.reference(), second.reference());
    }
}

#[test]
fn a_scenario_is_made_smaller() {
    let aborts = |scenario: &Scenario| {
        let outcomes = scenario.reference();
        let mut receipts = outcomes.iter().flat_map(|outcome| &outcome.receipts);
        receipts.any(|receipt| matches!(receipt, Receipt::Aborted { .. }))
    };
    let seed = (0..).find(|seed| aborts(&Scenario::new(*seed))).unwrap();
    let small = Scenario::new(seed).shrunk(aborts);
    let calls: usize = small.batches.iter().map(|batch| batch.calls.len()).sum();
    assert_eq!((small.batches.len(), calls), (1, 1));
}
