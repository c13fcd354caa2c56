//! Random ledgers that are accepted by construction: what must be true of every ledger, of its
//! entries as they run, and of what is known of them before.
//!
//! `GAVEL_CASES=100000` tries that many, for a long run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/accepted/mod.rs"]
mod accepted;
#[path = "support/verdict.rs"]
mod verdict;

use accepted::{Accepted, Dice, Size, accepted_ledger};
use gavel_compiler::format::format;
use gavel_compiler::front::{instantiate_ledger, plain_routines};
use gavel_compiler::ledger::{CellId, Changes, Entry, Executed, LedgerContract, State, execute};
use gavel_compiler::value::{ValueType, encode};
use gavel_compiler::word::access::{Access, AccessKind, Class, Source, accesses};
use gavel_compiler::word::{Abort, Routine};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use verdict::{accepts, errors, fail, meaning};

/// Tries a property on so many ledgers.
fn for_all(cases: u64, property: impl Fn(u64, &Accepted)) {
    let asked = std::env::var("GAVEL_CASES").ok();
    let cases = asked.and_then(|n| n.parse().ok()).unwrap_or(cases);
    for seed in 0..cases {
        let ledger = accepted_ledger(Dice::seeded(seed), Size::SMALL);
        property(seed, &ledger);
    }
}

fn lowered(source: &str, params: &Map<String, Value>) -> Option<LedgerContract> {
    Some(instantiate_ledger(source, params).ok()?.0)
}

/// A value, with few different ones of each type so that keys meet.
fn value(ty: &ValueType, dice: &mut Dice) -> Value {
    let hex = |n: usize, dice: &mut Dice| json!(format!("{:02x}", 17 * dice.below(4)).repeat(n));
    match ty {
        ValueType::Bool => json!(dice.percent(50)),
        ValueType::Hash | ValueType::Pubkey => hex(32, dice),
        ValueType::Signature => hex(64, dice),
        ValueType::Bytes(n) => hex(*n as usize, dice),
        ValueType::Enum(names) => json!(dice.pick(names)),
        ValueType::Option(_) if dice.percent(40) => Value::Null,
        ValueType::Option(inner) => value(inner, dice),
        ValueType::Array(element, n) => (0..*n).map(|_| value(element, dice)).collect(),
        ValueType::Tuple(all) => all.iter().map(|ty| value(ty, dice)).collect(),
        ValueType::Struct(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, ty)| (name.clone(), value(ty, dice)));
            Value::Object(fields.collect())
        }
        ValueType::U8 => json!(dice.below(4)),
        _ if dice.percent(10) => json!(dice.below(1 << 30)),
        _ => json!(dice.below(4)),
    }
}

fn words<'a>(types: impl Iterator<Item = &'a ValueType>, dice: &mut Dice) -> Vec<u32> {
    let own = |ty| encode(ty, &value(ty, dice), "x").unwrap();
    types.flat_map(own).collect()
}

/// A state of which nothing is minted yet: values here and there.
fn values(ledger: &LedgerContract, contract: &Accepted, dice: &mut Dice) -> State {
    let mut state = State::new();
    for family in &ledger.families {
        if !family.field.ends_with(".supply") && vault(contract, family.family, ledger).is_none() {
            for _ in 0..dice.range(0, 4) {
                let key = words(family.keys.iter(), dice);
                let cell = CellId {
                    family: family.family,
                    key,
                };
                state.set(cell, words([&family.ty].into_iter(), dice));
            }
        }
    }
    state
}

/// The same with coins in the vaults.
fn funded(ledger: &LedgerContract, contract: &Accepted, dice: &mut Dice) -> State {
    let mut state = values(ledger, contract, dice);
    for family in &ledger.families {
        if let Some(asset) = vault(contract, family.family, ledger) {
            for _ in 0..dice.range(1, 6) {
                let key = words(family.keys.iter(), dice);
                let cell = CellId {
                    family: family.family,
                    key,
                };
                state.set(cell, vec![dice.range(1, 1_000) as u32, 0]);
            }
            let supply = supply_cell(ledger, &asset);
            let held = held(ledger, contract, &asset, &state);
            state.set(supply, vec![held as u32, 0]);
        }
    }
    state
}

/// The asset of a family that holds vaults.
fn vault(contract: &Accepted, number: u16, ledger: &LedgerContract) -> Option<String> {
    let family = ledger.family(number)?;
    let same = |v: &&accepted::VaultPart| v.field == family.field && v.part == family.part;
    Some(contract.vaults.iter().find(same)?.asset.clone())
}

fn supply_cell(ledger: &LedgerContract, asset: &str) -> CellId {
    let name = format!("{asset}.supply");
    let family = ledger.families.iter().find(|f| f.field == name).unwrap();
    CellId {
        family: family.family,
        key: Vec::new(),
    }
}

fn amount(words: &[u32]) -> u128 {
    words
        .iter()
        .rev()
        .fold(0, |n, word| (n << 32) | u128::from(*word))
}

/// How much of an asset all vaults hold.
fn held(ledger: &LedgerContract, contract: &Accepted, asset: &str, state: &State) -> u128 {
    let numbers = ledger.families.iter().map(|f| f.family);
    let own = numbers.filter(|n| vault(contract, *n, ledger).as_deref() == Some(asset));
    let cells = own.flat_map(|n| state.family(n));
    cells.map(|(_, words)| amount(words)).sum()
}

/// Whether the vaults of each asset hold what there is of it.
fn conserved(ledger: &LedgerContract, contract: &Accepted, state: &State) -> bool {
    ledger.assets.iter().all(|asset| {
        let supply = amount(&state.get(&supply_cell(ledger, asset), 2));
        held(ledger, contract, asset, state) == supply
    })
}

/// What a call does: the state after it and the events, or the abort.
fn after(state: &State, run: &Executed, aborts: &[Abort]) -> Result<(State, String), String> {
    match &run.result {
        Ok(changes) => {
            let mut state = state.clone();
            state.apply(changes);
            Ok((state, format!("{:?}", changes.events)))
        }
        Err(failure) => Err(format!("{:?}", aborts[usize::from(failure.code)])),
    }
}

fn arguments(entry: &Entry, height: u32, dice: &mut Dice) -> Vec<u32> {
    let mut inputs = words(entry.arguments.iter().map(|(_, ty)| ty), dice);
    inputs.push(height);
    inputs
}

#[test]
fn all_are_accepted_and_lowered() {
    for_all(1_000, |seed, ledger| {
        accepts(seed, &ledger.tree);
        let lowers = |source: &str| lowered(source, &ledger.params).is_some();
        if !lowers(&ledger.tree.to_string()) {
            let wrong = |source: &str| errors(source).is_empty() && !lowers(source);
            fail("not lowered", seed, &ledger.tree, wrong);
        }
    });
}

/// Runs calls on drawn states; `None` if a property fails, else how many succeeded.
fn calls(source: &str, contract: &Accepted, seed: u64, holds: Property) -> Option<usize> {
    let ledger = lowered(source, &contract.params)?;
    let plain = plain_routines(source, &contract.params).ok()?;
    let mut dice = Dice::seeded(seed);
    let mut state = funded(&ledger, contract, &mut dice);
    let mut succeeded = 0;
    for height in 0..3 {
        for (declared, plain) in ledger.entries.iter().zip(&plain) {
            let inputs = arguments(&declared.entry, height, &mut dice);
            let routine = &declared.entry.routine;
            let call = Call {
                ledger: &ledger,
                contract,
                routine,
                plain,
                inputs: &inputs,
            };
            let run = execute(routine, &inputs, &state);
            if !holds(&call, &state, &run) {
                return None;
            }
            if let Ok(changes) = &run.result {
                state.apply(changes);
                succeeded += 1;
            }
        }
    }
    Some(succeeded)
}

struct Call<'a> {
    ledger: &'a LedgerContract,
    contract: &'a Accepted,
    routine: &'a Routine,
    plain: &'a Routine,
    inputs: &'a [u32],
}

type Property = fn(&Call<'_>, &State, &Executed) -> bool;

/// Tries a property on many calls.
fn on_calls(cases: u64, what: &str, holds: Property) {
    let (runs, succeeded) = (Cell::new(0), Cell::new(0));
    for_all(cases, |seed, contract| {
        let source = contract.tree.to_string();
        match calls(&source, contract, seed, holds) {
            Some(good) => succeeded.set(succeeded.get() + good),
            None => fail(what, seed, &contract.tree, |source| {
                errors(source).is_empty() && calls(source, contract, seed, holds).is_none()
            }),
        }
        runs.set(runs.get() + 3 * source.matches("entry entry_").count());
    });
    let (runs, succeeded) = (runs.get(), succeeded.get());
    println!("{succeeded} of {runs} calls succeeded");
    // Else the entries have become too fragile to test much.
    assert!(succeeded * 5 > runs, "{succeeded} of {runs}");
}

#[test]
fn simplifying_keeps_the_meaning() {
    on_calls(400, "the routines disagree", |call, state, run| {
        let plain = execute(call.plain, call.inputs, state);
        let simple = after(state, run, &call.routine.aborts);
        simple == after(state, &plain, &call.plain.aborts)
    });
}

#[test]
fn vaults_hold_what_there_is() {
    on_calls(400, "coins are lost or made", |call, state, run| {
        let (ledger, contract) = (call.ledger, call.contract);
        let after = after(state, run, &call.routine.aborts);
        let kept = after.is_ok_and(|(state, _)| conserved(ledger, contract, &state));
        conserved(ledger, contract, state) && (kept || run.result.is_err())
    });
}

/// Whether a key may be, as far as is known, the one of an access with these inputs.
fn may_be(access: &Access, cell: &CellId, inputs: &[u32]) -> bool {
    let word = |(source, word): (&Source, &u32)| match source {
        Source::Constant(known) => known == word,
        Source::Input(n) => inputs[usize::from(*n)] == *word,
        Source::Computed(_) | Source::Loaded => true,
    };
    access.family == cell.family
        && access.key.len() == cell.key.len()
        && access.key.iter().zip(&cell.key).all(word)
}

fn written(changes: &Changes) -> BTreeSet<&CellId> {
    changes.writes.iter().map(|write| &write.cell).collect()
}

/// Whether what is known of a routine's cells covers those that a run wrote, and what it surely
/// writes was written.
fn covered(call: &Call<'_>, _: &State, run: &Executed) -> bool {
    let Ok(changes) = &run.result else {
        return true;
    };
    let known = accesses(call.routine);
    let writes = known.all.iter().filter(|a| a.kind != AccessKind::Read);
    let written = written(changes);
    let all_known = written.iter().all(|cell| {
        writes
            .clone()
            .any(|access| may_be(access, cell, call.inputs))
    });
    let mut sure = writes.filter(|access| !access.conditional);
    all_known && sure.all(|access| written.iter().any(|cell| may_be(access, cell, call.inputs)))
}

/// Whether a run on another state writes the same cells, where that is promised.
fn follows_from_inputs(call: &Call<'_>, _: &State, run: &Executed) -> bool {
    let Class::Exact = accesses(call.routine).class else {
        return true;
    };
    let other = funded(call.ledger, call.contract, &mut Dice::seeded(5));
    let other = execute(call.routine, call.inputs, &other);
    match (&run.result, &other.result) {
        (Ok(one), Ok(other)) => written(one) == written(other),
        _ => true,
    }
}

#[test]
fn what_is_written_was_known() {
    on_calls(400, "the analysis missed a cell", |call, state, run| {
        covered(call, state, run) && follows_from_inputs(call, state, run)
    });
}

#[test]
fn layout_changes_nothing() {
    for_all(200, |seed, ledger| {
        let stays = |source: &str| {
            let Ok(text) = format(source) else {
                return false;
            };
            format(&text).as_ref() == Ok(&text) && meaning(source) == meaning(&text)
        };
        if !stays(&ledger.tree.to_string()) {
            let wrong = |source: &str| errors(source).is_empty() && !stays(source);
            fail("the layout changes it", seed, &ledger.tree, wrong);
        }
    });
}
