//! Random contracts that are accepted by construction: what must be true of every contract.
//!
//! `GAVEL_CASES=100000` tries that many, for a long run.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/accepted/mod.rs"]
mod accepted;
#[path = "support/instance.rs"]
mod instance;
#[path = "support/verdict.rs"]
mod verdict;

use accepted::{Accepted, Dice, Size, accepted as generate};
use gavel_compiler::format::format;
use gavel_compiler::front::plain_program;
use gavel_compiler::testing::{Options, run as run_tests};
use gavel_compiler::word::legalise::legalise;
use gavel_compiler::word::{End, Op, Program, run};
use instance::{inputs, params, program};
use serde_json::{Map, Value};
use verdict::{accepts, errors, fail, meaning};

/// Tries a property on so many contracts.
fn for_all(cases: u64, property: impl Fn(u64, &Accepted)) {
    let asked = std::env::var("GAVEL_CASES").ok();
    let cases = asked.and_then(|n| n.parse().ok()).unwrap_or(cases);
    for seed in 0..cases {
        let contract = generate(Dice::seeded(seed), Size::SMALL);
        property(seed, &contract);
    }
}

/// How a run ends: the outcome, or the abort by its name and place.
fn end(program: &Program, inputs: &[u32]) -> String {
    match run(program, inputs).end {
        End::Outcome(n) => program.outcomes[n as usize].clone(),
        End::Abort(code) => format!("{:?}", program.aborts[usize::from(code)]),
    }
}

#[test]
fn all_are_accepted() {
    for_all(2_000, |seed, contract| accepts(seed, &contract.tree));
}

#[test]
fn all_are_lowered_and_their_tests_pass() {
    let few = Options {
        cases: 3,
        ..Options::default()
    };
    for_all(1_000, |seed, contract| {
        let lowers = |source: &str| program(source, &contract.params).is_some();
        if !lowers(&contract.tree.to_string()) {
            let wrong = |source: &str| errors(source).is_empty() && !lowers(source);
            fail("not lowered", seed, &contract.tree, wrong);
        }
        let source = contract.tree.to_string();
        let reports = run_tests(&source, &few, &mut |_, _, _| {}).unwrap();
        let passed = reports.iter().all(|report| report.failures.is_empty());
        assert!(passed, "{source}");
    });
}

/// The program without places.
fn shape(program: Program) -> impl PartialEq {
    let ops: Vec<Op> = program.insts.into_iter().map(|inst| inst.op).collect();
    let aborts: Vec<String> = program.aborts.into_iter().map(|abort| abort.name).collect();
    (
        program.inputs,
        ops,
        aborts,
        program.outcome,
        program.outcomes,
    )
}

#[test]
fn layout_changes_nothing() {
    for_all(400, |seed, contract| {
        let stays = |source: &str| {
            let Ok(text) = format(source) else {
                return false;
            };
            let program = |source: &str| program(source, &contract.params).map(shape);
            format(&text).as_ref() == Ok(&text)
                && meaning(source) == meaning(&text)
                && program(source) == program(&text)
        };
        if !stays(&contract.tree.to_string()) {
            let wrong = |source: &str| errors(source).is_empty() && !stays(source);
            let source = contract.tree.clone().shrink(wrong);
            let once = format(&source);
            let twice = once.as_ref().map(|once| format(once));
            panic!("seed {seed}: {once:#?}\n{twice:#?}\n{source}");
        }
    });
}

/// Whether the plain program, the simplified one and both legalised end alike on some inputs;
/// gives how many runs reached an outcome.
fn agree(source: &str, given: &Map<String, Value>, seed: u64) -> Option<usize> {
    let simple = program(source, given)?;
    // What isn't simplified may be too large.
    let Ok(plain) = plain_program(source, &params(source, given)) else {
        return Some(0);
    };
    assert!(plain.insts.len() >= simple.insts.len());
    let legal = [legalise(&simple), legalise(&plain)];
    let mut dice = Dice::seeded(seed);
    let mut outcomes = 0;
    for _ in 0..6 {
        let inputs = inputs(&plain, &mut dice);
        let wanted = end(&plain, &inputs);
        let mut others = legal.iter().chain([&simple]);
        if others.any(|program| end(program, &inputs) != wanted) {
            return None;
        }
        outcomes += usize::from(plain.outcomes.contains(&wanted));
    }
    Some(outcomes)
}

#[test]
fn simplifying_and_legalising_keep_the_meaning() {
    let (runs, outcomes) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_all(1_000, |seed, contract| {
        let source = contract.tree.to_string();
        match agree(&source, &contract.params, seed) {
            Some(ended) => outcomes.set(outcomes.get() + ended),
            None => fail("executors disagree", seed, &contract.tree, |source| {
                errors(source).is_empty() && agree(source, &contract.params, seed).is_none()
            }),
        }
        runs.set(runs.get() + 6);
    });
    let (runs, outcomes) = (runs.get(), outcomes.get());
    println!("{outcomes} of {runs} runs reached an outcome");
    // Else the programs have become too fragile to test much.
    assert!(outcomes * 5 > runs, "{outcomes} of {runs}");
}

/// Once refused: what follows a `let` on a line of its own is a statement of its own.
#[test]
fn a_block_may_follow_a_let() {
    let source = include_str!("../../contracts/price_bet.gvl");
    let changed = source.replace(
        "        BobWins\n",
        "        let _x = 1\n        { BobWins }\n",
    );
    assert_ne!(source, changed);
    assert_eq!(errors(&changed), Vec::<String>::new());
}
