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
use gavel_compiler::ledger::{CellId, Entry, Executed, LedgerContract, State, execute};
use gavel_compiler::testing::run_tests;
use gavel_compiler::value::{ValueType, encode};
use gavel_compiler::word::access::{Access, AccessKind, Class, Source, accesses};
use gavel_compiler::word::interp::eval;
use gavel_compiler::word::{Abort, Op, Routine};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
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

/// A call that was run.
struct Call<'a> {
    ledger: &'a LedgerContract,
    contract: &'a Accepted,
    routine: &'a Routine,
    plain: &'a Routine,
    inputs: &'a [u32],
    before: &'a State,
    run: Executed,
}

impl Call<'_> {
    /// What is wrong with it.
    fn wrong(&self) -> Option<&'static str> {
        let holds = [
            (self.is_simplified(), "the routines disagree"),
            (self.conserves(), "coins are lost or made"),
            (self.was_known(), "the analysis missed a cell"),
        ];
        holds
            .into_iter()
            .find(|(holds, _)| !holds)
            .map(|(_, what)| what)
    }

    /// The routine does what the one that isn't simplified does, in no more steps.
    fn is_simplified(&self) -> bool {
        let plain = execute(self.plain, self.inputs, self.before);
        let wanted = after(self.before, &plain, &self.plain.aborts);
        self.routine.insts.len() <= self.plain.insts.len()
            && after(self.before, &self.run, &self.routine.aborts) == wanted
    }

    /// The vaults of each asset hold what there is of it.
    fn conserves(&self) -> bool {
        let after = after(self.before, &self.run, &self.routine.aborts);
        let kept = |state: &State| conserved(self.ledger, self.contract, state);
        kept(self.before) && after.is_ok_and(|(state, _)| kept(&state)) || self.run.result.is_err()
    }

    /// What it wrote is among what the analysis knew; where that follows from the arguments
    /// alone, it is among what they give, and all of that if it is exact.
    fn was_known(&self) -> bool {
        let Ok(changes) = &self.run.result else {
            return true;
        };
        let known = accesses(self.routine);
        let writes = known.all.iter().filter(|a| a.kind != AccessKind::Read);
        let may_be = |cell: &CellId| writes.clone().any(|a| may_be(a, cell, self.inputs));
        let written: BTreeSet<CellId> = changes.writes.iter().map(|w| w.cell.clone()).collect();
        written.iter().all(may_be)
            && match known.class {
                Class::Exact => written == planned(self.routine, self.inputs),
                Class::Superset => written.is_subset(&planned(self.routine, self.inputs)),
                Class::Dynamic => true,
            }
    }
}

/// Whether a cell may be, as far as is known, the one of an access with these inputs.
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

/// The cells that a routine changes whose keys follow from its inputs: computed as if the
/// state were empty.
fn planned(routine: &Routine, inputs: &[u32]) -> BTreeSet<CellId> {
    let mut values: Vec<u32> = Vec::new();
    let mut cells = BTreeSet::new();
    for inst in &routine.insts {
        if let Op::State(op) = &inst.op
            && let Some(cell) = op.cell()
        {
            if op.has_effect() {
                let key = cell.key.iter().map(|word| values[word.index()]);
                let (family, key) = (cell.family, key.collect());
                cells.insert(CellId { family, key });
            }
            values.extend(vec![0; op.results() as usize]);
            continue;
        }
        let results = eval(&inst.op, |value| values[value.index()], inputs);
        values.extend(results);
    }
    cells
}

/// Runs of calls, those of them that succeeded, and entries by class.
#[derive(Default, Debug)]
struct Counts {
    runs: usize,
    succeeded: usize,
    classes: BTreeMap<Class, usize>,
}

/// Runs calls on drawn states, one after the other, up to the first that goes wrong.
fn calls(
    source: &str,
    contract: &Accepted,
    seed: u64,
    counts: &mut Counts,
) -> Option<&'static str> {
    let ledger = lowered(source, &contract.params)?;
    let plain = plain_routines(source, &contract.params).ok()?;
    let mut dice = Dice::seeded(seed);
    let mut state = funded(&ledger, contract, &mut dice);
    for declared in &ledger.entries {
        let class = accesses(&declared.entry.routine).class;
        *counts.classes.entry(class).or_default() += 1;
    }
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
                before: &state,
                run: execute(routine, &inputs, &state),
            };
            if let Some(wrong) = call.wrong() {
                return Some(wrong);
            }
            counts.runs += 1;
            if let Ok(changes) = call.run.result {
                state.apply(&changes);
                counts.succeeded += 1;
            }
        }
    }
    None
}

#[test]
fn calls_mean_keep_and_touch_what_they_should() {
    let counts = RefCell::new(Counts::default());
    for_all(500, |seed, contract| {
        let source = contract.tree.to_string();
        if let Some(what) = calls(&source, contract, seed, &mut counts.borrow_mut()) {
            fail(what, seed, &contract.tree, |source| {
                let found = calls(source, contract, seed, &mut Counts::default());
                errors(source).is_empty() && found == Some(what)
            });
        }
    });
    let counts = counts.into_inner();
    println!("{counts:?}");
    // Else the entries have become too fragile, or too much alike, to test much.
    assert!(counts.succeeded * 3 > counts.runs, "{counts:?}");
    assert!(counts.classes.values().all(|n| *n > 50) && counts.classes.len() == 3);
}

/// Why tests of a ledger fail, apart from its own assertions; none where it is refused.
fn failures(source: &str) -> Vec<String> {
    let reports = run_tests(source).unwrap_or_default();
    let failures = reports.into_iter().flat_map(|report| report.failures);
    let messages = failures.map(|failure| failure.message);
    messages.filter(|m| !m.contains("AssertFailed")).collect()
}

#[test]
fn their_tests_pass() {
    for_all(200, |seed, ledger| {
        let found = failures(&ledger.tree.to_string());
        if let Some(message) = found.first() {
            fail(message, seed, &ledger.tree, |source| {
                failures(source).contains(message)
            });
        }
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
