//! The engine against the reference on random ledgers, and on those of `contracts/ledgers`: the same
//! receipts, events, state and root, on any number of threads.
//!
//! `GAVEL_CASES=100000` tries that many random ledgers, for a long run; `GAVEL_SEED=7` begins there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod differ;

use differ::check::{Checked, Wrong};
use differ::random::{CONTRACT, Scenario};
use differ::real;
use gavel_prover::engine::{Prepared, Report, Signatures};
use gavel_prover::{Engine, InMemory, Machine};
use rayon::prelude::*;

/// So many random ledgers are tried if nobody asks for more; each has up to three batches.
const CASES: u64 = 2_000;

fn asked(name: &str, default: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Compares all batches of a scenario; gives what the engine reports, or what is wrong.
fn compare(scenario: &Scenario) -> Result<Vec<Report>, Wrong> {
    let machine = Machine::from_entries(CONTRACT, scenario.entries()).unwrap();
    let mut checked = Checked::new(&machine, &scenario.state);
    let mut reports = Vec::new();
    for (batch, outcome) in scenario.batches.iter().zip(scenario.reference()) {
        let calls = batch.calls.clone();
        let prepared = Prepared::new(&machine, calls, Signatures::Check);
        reports.extend(checked.batch(&prepared, batch.height, &outcome)?);
    }
    Ok(reports)
}

/// The same, where a panic is wrong too.
fn is_wrong(scenario: &Scenario) -> bool {
    let compared = std::panic::catch_unwind(|| compare(scenario).is_err());
    compared.unwrap_or(true)
}

fn fail(scenario: Scenario) -> ! {
    let seed = scenario.seed;
    let small = scenario.shrunk(is_wrong);
    let routines = small.entries();
    let wrong = std::panic::catch_unwind(|| compare(&small).err());
    panic!(
        "seed {seed}: {wrong:#?}\nstate {:#?}\nbatches {:#?}\nrecipes {:#?}\nentries {routines:#?}",
        small.state, small.batches, small.recipes
    );
}

/// What the batches of all cases came to.
#[derive(Debug, Default)]
struct Reached {
    batches: usize,
    in_parallel: usize,
    in_order: usize,
    deferred: u64,
    sums: u64,
    components: u64,
}

impl Reached {
    fn add(mut self, reports: &[Report]) -> Self {
        for report in reports {
            self.batches += 1;
            match report.in_order {
                Some(_) => self.in_order += 1,
                None => self.in_parallel += 1,
            }
            self.deferred += report.deferred;
            self.sums += report.sums;
            self.components += report.components;
        }
        self
    }
}

#[test]
fn random_ledgers_do_what_the_reference_does() {
    let first = asked("GAVEL_SEED", 0);
    let seeds = first..first + asked("GAVEL_CASES", CASES);
    // More threads than cores, so that they come between each other anywhere.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(8)
        .build()
        .unwrap();
    let wrong = pool.install(|| {
        let seeds = seeds.clone().into_par_iter();
        seeds.find_first(|seed| is_wrong(&Scenario::new(*seed)))
    });
    if let Some(seed) = wrong {
        fail(Scenario::new(seed));
    }
    // Else much of the engine wasn't tried.
    let some = seeds
        .step_by(7)
        .map(|seed| compare(&Scenario::new(seed)).unwrap());
    let reached = some.fold(Reached::default(), |reached, reports| reached.add(&reports));
    println!("{reached:?}");
    assert!(reached.in_parallel * 4 > reached.batches, "{reached:?}");
    assert!(reached.in_order * 10 > reached.batches, "{reached:?}");
    assert!(
        reached.deferred > 100 && reached.sums > 300 && reached.components > 100,
        "{reached:?}"
    );
}

#[test]
fn ledgers_of_people_do_what_the_reference_does() {
    let mut tallies = Vec::new();
    for ledger in real::all() {
        let machine = Machine::new(&ledger.contract).unwrap();
        let mut tally = real::Tally::default();
        for seed in 0..real::SEEDS {
            let mut run = ledger.run(seed);
            let mut checked = Checked::new(&machine, run.state());
            while let Some((height, calls, outcome)) = run.batch() {
                tally.add(&outcome.receipts);
                let prepared = Prepared::new(&machine, calls, Signatures::Check);
                let compared = checked.batch(&prepared, height, &outcome);
                assert!(
                    compared.is_ok(),
                    "{} seed {seed}: {compared:?}",
                    ledger.contract.name
                );
            }
        }
        tallies.push(format!("{:<16} {tally}", ledger.contract.name));
    }
    insta::assert_snapshot!(tallies.join("\n"));
}

/// An engine that forgets its cells between batches reads them from where they were written.
#[test]
fn an_engine_can_forget() {
    for seed in 0..200 {
        let scenario = Scenario::new(seed);
        let machine = Machine::from_entries(CONTRACT, scenario.entries()).unwrap();
        let mut engine = Engine::new(2);
        let mut state = scenario.state.clone();
        for (batch, outcome) in scenario.batches.iter().zip(scenario.reference()) {
            let prepared = Prepared::new(&machine, batch.calls.clone(), Signatures::Check);
            let backing = InMemory::from(&state);
            let done = engine
                .run(&machine, &prepared, batch.height, &backing)
                .unwrap();
            assert!(
                done.receipts.iter(&machine).eq(outcome.receipts),
                "seed {seed}"
            );
            state = outcome.state;
            engine.forget();
        }
    }
}
