//! Every leaf of every contract: unspendable with right frames and the right outcome, spendable
//! with wrong ones, in our machine and in Bitcoin Core's consensus code.
//!
//! `GAVEL_CASES=20000` tries that many random contracts, for a long run.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/accepted/mod.rs"]
mod accepted;
#[path = "support/game.rs"]
mod game;
#[path = "support/instance.rs"]
mod instance;
mod support;

use accepted::{Dice, Size, accepted as generate};
use game::{Counts, Game, sum};
use gavel_compiler::instantiate;
use gavel_compiler::segment::Budget;
use gavel_compiler::units::Weight;
use gavel_compiler::value::encode_inputs;
use gavel_compiler::word::{Program, run};
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use support::check_costs;

fn budget(weight: u64) -> Budget {
    Budget {
        max_leaf_weight: Weight(weight),
        overhead: Weight(0),
        ..Budget::default()
    }
}

/// Plays a program under the first of these budgets that has room for each of its operations.
fn play(program: &Program, weights: &[u64], runs: &[Vec<u32>], mut dice: Dice) -> Counts {
    let games = weights.iter().map(|weight| {
        let budget = budget(*weight);
        Some((Game::new(program, &budget)?, budget))
    });
    let (mut game, budget) = games.flatten().next().unwrap();
    check_costs(&game.plan, &budget);
    for inputs in runs {
        game.check_honest(program, inputs);
        game.check_reveals(inputs, &mut dice);
        for _ in 0..3 {
            game.check_lie(inputs, &mut dice);
        }
    }
    game.check_core(runs, &mut dice);
    game.finish()
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "gvl"))
        .collect();
    files.sort();
    files
}

/// A contract's program and the inputs of its play.
fn contract(file: &Path) -> (Program, Vec<Vec<u32>>) {
    let text = |ending: &str| std::fs::read_to_string(file.with_extension(ending)).unwrap();
    let params = serde_json::from_str(&text("params.json")).unwrap();
    let (contract, _) = instantiate(&text("gvl"), &params).unwrap();
    let play: Value = serde_json::from_str(&text("play.json")).unwrap();
    let cases = play["cases"].as_array().unwrap().iter();
    let runs = cases.map(|case| encode_inputs(&contract.inputs, &case["inputs"]).unwrap());
    (contract.program.clone(), runs.collect())
}

/// As they are compiled, and cut as small as they can be.
#[test]
fn leaves_of_contracts_accuse_only_liars() {
    for weights in [
        &[400_000][..],
        &[
            3_000, 6_000, 9_000, 14_000, 20_000, 30_000, 100_000, 400_000,
        ],
    ] {
        let counts = files().into_par_iter().map(|file| {
            let (program, runs) = contract(&file);
            let counts = play(&program, weights, &runs, Dice::seeded(weights[0]));
            println!("{}: {counts:?}", file.file_stem().unwrap().display());
            counts
        });
        let counts = counts.reduce(Counts::new, sum);
        println!("{counts:#?}");
        assert!(counts["programs"] >= 8 && counts["honest runs"] >= 16);
        assert!(counts["peaks reached"] * 10 >= counts["leaves"] * 9);
        if weights.len() > 1 {
            assert!(counts["lies followed up"] >= 20 && counts["segments"] >= 30);
        }
    }
}

/// Random contracts that compute something: most come to little when simplified.
fn random(seed: u64) -> Counts {
    let contract = generate(Dice::seeded(seed), Size::SMALL);
    let program = instance::program(&contract.tree.to_string(), &contract.params).unwrap();
    if program.insts.len() < 18 || program.insts.len() > 800 || program.input_words() > 60 {
        return Counts::from([("passed over", 1)]);
    }
    let mut dice = Dice::seeded(!seed);
    let runs = some_runs(&program, &mut dice);
    let tight = [2_600, 2_800, 3_000, 3_500, 4_500, 7_000, 20_000, 400_000];
    let from = if seed.is_multiple_of(4) { 7 } else { 0 };
    play(&program, &tight[from..], &runs, dice)
}

/// Inputs whose runs end differently, as far as some tries find them.
fn some_runs(program: &Program, dice: &mut Dice) -> Vec<Vec<u32>> {
    let mut found = BTreeMap::new();
    for _ in 0..100 {
        let inputs = instance::inputs(program, dice);
        let end = format!("{:?}", run(program, &inputs).end);
        found.entry(end).or_insert(inputs);
    }
    found.into_values().take(4).collect()
}

#[test]
fn leaves_of_random_contracts_accuse_only_liars() {
    let asked = std::env::var("GAVEL_CASES").ok();
    let cases: u64 = asked.and_then(|n| n.parse().ok()).unwrap_or(6_500);
    let counts = (0..cases).into_par_iter().map(|seed| {
        catch_unwind(AssertUnwindSafe(|| random(seed))).unwrap_or_else(|_| panic!("seed {seed}"))
    });
    let counts = counts.reduce(Counts::new, sum);
    println!("{counts:#?}");
    assert!(counts["programs"] >= 200 && counts["segments"] > 2 * counts["programs"]);
    assert!(counts["peaks reached"] * 10 >= counts["leaves"] * 9);
    // Of the others, nothing that is read, written or claimed can be wrong.
    let both = counts["leaves run by Core both ways"];
    assert!(both >= 500 && both * 10 > 9 * counts["leaves that an honest run doesn't spend"]);
    assert!(counts["lies followed up"] >= 30 && counts["digits changed"] >= 20_000);
}
