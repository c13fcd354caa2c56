//! What routines touch, as functions of their inputs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use gavel_compiler::ledger::{State, execute};
use gavel_compiler::word::access::{
    Access, AccessKind, Class, Commuting, KeyForm, Source, accesses,
};
use gavel_compiler::word::{
    Author, Builder, Cell, Delta, InputElement, Op, Routine, Span, StateOp, Value,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const WALLET: u16 = 1;
const SUPPLY: u16 = 2;
const OWNER: u16 = 3;
const LOG: u16 = 4;

fn cell(family: u16, key: &[Value]) -> Cell {
    Cell {
        family,
        key: key.to_vec(),
    }
}

fn delta(when: Value, cell: Cell, amount: Value) -> Delta {
    Delta {
        when,
        cell,
        amount: vec![amount],
        bits: 32,
        code: 0,
    }
}

/// A routine with `words` words of arguments and the constant 1.
fn routine(words: usize, build: impl Fn(&mut Builder, &[Value], Value)) -> Routine {
    let mut b = Builder::new();
    b.abort_code("Overflow", Span::default());
    let arguments = b.input(InputElement {
        name: "arguments".to_owned(),
        words: vec![8; words],
        author: Author::Anyone,
        optional: false,
    });
    let one = b.constant(1);
    build(&mut b, &arguments, one);
    b.finish_routine()
}

/// Every access as one line, then the class and what commutes.
fn check(routine: &Routine, lines: &[&str], class: Class, commuting: &[(u16, Commuting)]) {
    let found = accesses(routine);
    let show = |access: &Access| {
        let maybe = if access.conditional { " maybe" } else { "" };
        let form = match access.form() {
            KeyForm::Constant(words) => format!("{words:?}"),
            KeyForm::Inputs(range) => format!("inputs {range:?}"),
            KeyForm::Computed(inputs) => format!("computed {inputs:?}"),
            KeyForm::Loaded => "loaded".to_owned(),
        };
        format!("{:?} {} {form}{maybe}", access.kind, access.family)
    };
    assert_eq!(found.all.iter().map(show).collect::<Vec<_>>(), lines);
    assert_eq!(found.class, class);
    assert_eq!(found.commuting, commuting.iter().copied().collect());
}

#[test]
fn a_transfer_is_exact() {
    // from, to, amount
    let transfer = routine(17, |b, words, one| {
        b.sub(delta(one, cell(WALLET, &words[0..8]), words[16]));
        b.add(delta(one, cell(WALLET, &words[8..16]), words[16]));
        b.add(delta(one, cell(SUPPLY, &[]), one));
    });
    check(
        &transfer,
        &["Sub 1 inputs 0..8", "Add 1 inputs 8..16", "Add 2 []"],
        Class::Exact,
        &[(SUPPLY, Commuting::Adds)],
    );
}

#[test]
fn a_mint_adds_and_a_burn_subtracts() {
    let mint = routine(2, |b, words, one| {
        b.add(delta(one, cell(WALLET, &words[..1]), words[1]));
    });
    check(
        &mint,
        &["Add 1 inputs 0..1"],
        Class::Exact,
        &[(WALLET, Commuting::Adds)],
    );
    let burn = routine(2, |b, words, one| {
        b.sub(delta(one, cell(WALLET, &words[..1]), words[1]));
    });
    check(
        &burn,
        &["Sub 1 inputs 0..1"],
        Class::Exact,
        &[(WALLET, Commuting::Subs)],
    );
    let peek = routine(2, |b, words, one| {
        b.add(delta(one, cell(WALLET, &words[..1]), words[1]));
        let balance = b.load(cell(WALLET, &words[1..]), 1);
        b.emit(one, 0, balance);
    });
    check(
        &peek,
        &["Add 1 inputs 0..1", "Read 1 inputs 1..2"],
        Class::Exact,
        &[],
    );
}

#[test]
fn a_condition_makes_a_superset() {
    let maybe = routine(2, |b, words, one| {
        b.store(words[1], cell(OWNER, &words[..1]), vec![one]);
        b.add(delta(words[1], cell(SUPPLY, &[]), one));
    });
    check(
        &maybe,
        &["Write 3 inputs 0..1 maybe", "Add 2 [] maybe"],
        Class::Superset,
        &[(SUPPLY, Commuting::Adds)],
    );
}

#[test]
fn a_condition_on_state_is_no_key() {
    let once = routine(1, |b, words, one| {
        let owner = b.load(cell(OWNER, &words[..1]), 1);
        let free = b.not_bool(owner[0]);
        b.store(free, cell(OWNER, &words[..1]), vec![one]);
    });
    check(
        &once,
        &["Read 3 inputs 0..1", "Write 3 inputs 0..1 maybe"],
        Class::Superset,
        &[],
    );
}

#[test]
fn a_key_that_was_loaded_is_dynamic() {
    // Pays whoever owns the item.
    let pay = routine(2, |b, words, one| {
        let owner = b.load(cell(OWNER, &words[..1]), 1);
        b.add(delta(one, cell(WALLET, &owner), words[1]));
        let next = b.push(Op::Add(owner[0], words[1]));
        b.store(one, cell(LOG, &[one, next]), vec![one]);
    });
    check(
        &pay,
        &["Read 3 inputs 0..1", "Add 1 loaded", "Write 4 loaded"],
        Class::Dynamic,
        &[(WALLET, Commuting::Adds)],
    );
}

#[test]
fn keys_are_followed_through_computation() {
    let keys = routine(3, |b, words, one| {
        let sum = b.push(Op::Add(words[0], words[2]));
        let height = b.height();
        b.store(one, cell(LOG, &[sum, one]), vec![one]);
        b.store(one, cell(LOG, &[words[1], one]), vec![one]);
        b.store(one, cell(LOG, &[words[2], words[1]]), vec![one]);
        b.store(one, cell(LOG, &[words[2], height]), vec![one]);
        let seven = b.constant(7);
        b.store(one, cell(LOG, &[seven, one]), vec![one]);
        let hash = b.compress(Op::Sha256 {
            state: [words[0]; 8],
            block: [words[1]; 16],
        });
        b.store(one, cell(WALLET, &hash), vec![one]);
        let valid = b.verify([words[0]; 8], [words[1]; 8], [one; 16]);
        b.store(one, cell(OWNER, &[valid]), vec![one]);
        // Twice the same access counts once.
        b.store(one, cell(OWNER, &[valid]), vec![seven]);
    });
    check(
        &keys,
        &[
            "Write 4 computed {0, 2}",
            "Write 4 computed {1}",
            "Write 4 computed {1, 2}",
            "Write 4 inputs 2..4",
            "Write 4 [7, 1]",
            "Write 1 computed {0, 1}",
            "Write 3 computed {0, 1}",
        ],
        Class::Exact,
        &[],
    );
    let first = &accesses(&keys).all[0];
    assert_eq!(first.key[0], Source::Computed(BTreeSet::from([0, 2])));
    assert_eq!(first.key[1], Source::Constant(1));
}

#[test]
fn a_routine_without_state_is_exact() {
    let nothing = routine(1, |b, words, _| b.abort_if(words[0], 0));
    check(&nothing, &[], Class::Exact, &[]);
}

/// Builds a routine from bytes: any shape of key, condition and operation.
fn random(bytes: &[u8]) -> Routine {
    routine(3, |b, words, one| {
        let mut pool = words.to_vec();
        pool.push(one);
        for step in bytes.chunks_exact(4) {
            let get = |n: usize| pool[usize::from(step[n]) % pool.len()];
            let (x, y) = (get(1), get(2));
            let when = if step[3] % 2 == 0 { one } else { get(3) };
            let at = cell(u16::from(step[3] % 3) + 1, &[x]);
            match step[0] % 6 {
                0 => pool.push(b.push(Op::Xor(x, y))),
                1 => {
                    let loaded = b.load(at, 1);
                    b.emit(one, 0, loaded.clone());
                    pool.extend(loaded);
                }
                2 => b.store(when, at, vec![y]),
                3 => b.add(delta(when, at, y)),
                4 => b.sub(delta(when, at, y)),
                _ => pool.push(b.constant(u32::from(step[1]))),
            }
        }
    })
}

/// The cells that a run without abort may have touched, by the analysis, if it knows.
fn predicted(routine: &Routine, inputs: &[u32]) -> Option<BTreeSet<(u16, Vec<u32>)>> {
    let found = accesses(routine);
    if found.class == Class::Dynamic {
        return None;
    }
    // Running only what isn't state gives the values that keys are made of.
    let mut values = Vec::new();
    let mut cells = BTreeSet::new();
    for inst in &routine.insts {
        if let Op::State(op) = &inst.op
            && let Some(cell) = op.cell()
            && !matches!(**op, StateOp::Load { .. })
        {
            let key = cell.key.iter().map(|value: &Value| values[value.index()]);
            cells.insert((cell.family, key.collect()));
        }
        let results =
            gavel_compiler::word::interp::eval(&inst.op, |value| values[value.index()], inputs);
        values.extend(results);
    }
    Some(cells)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn the_class_keeps_its_promise(
        bytes in prop::collection::vec(any::<u8>(), 0..48),
        inputs in prop::array::uniform4(0u32..4),
        held in prop::collection::vec(0u32..4, 12),
    ) {
        let routine = random(&bytes);
        let found = accesses(&routine);
        let mut state = State::new();
        for (n, word) in held.iter().enumerate() {
            let family = n as u16 % 3 + 1;
            let key = vec![n as u32 / 3];
            state.set(gavel_compiler::ledger::CellId { family, key }, vec![*word]);
        }
        let Ok(changes) = execute(&routine, &inputs, &state).result else {
            return Ok(());
        };
        let written: BTreeSet<_> = changes
            .writes
            .iter()
            .map(|write| (write.cell.family, write.cell.key.clone()))
            .collect();
        // Without state, keys come out the same, all or some of them touched.
        if let Some(cells) = predicted(&routine, &inputs) {
            prop_assert!(written.is_subset(&cells));
            if found.class == Class::Exact {
                prop_assert_eq!(&written, &cells);
            }
        }
        // Keys that are inputs or constants are what was said.
        let mut kinds: BTreeMap<u16, BTreeSet<AccessKind>> = BTreeMap::new();
        for access in &found.all {
            kinds.entry(access.family).or_default().insert(access.kind);
            let key = match access.form() {
                KeyForm::Inputs(range) => inputs[range].to_vec(),
                KeyForm::Constant(words) => words,
                _ => continue,
            };
            if access.kind != AccessKind::Read && !access.conditional {
                prop_assert!(written.contains(&(access.family, key)));
            }
        }
        for (family, how) in &found.commuting {
            let only = match how {
                Commuting::Adds => AccessKind::Add,
                Commuting::Subs => AccessKind::Sub,
            };
            prop_assert_eq!(&kinds[family], &BTreeSet::from([only]));
        }
    }
}
