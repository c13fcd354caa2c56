//! Random ledgers and batches: few cells, many conflicts, numbers near their bounds.
//!
//! A [`Scenario`] is all that a run needs. It follows from a seed, and can be made smaller by
//! leaving calls and steps out.

pub mod batches;
pub mod ledgers;
pub mod steps;

use super::signing;
use batches::Fault;
use gavel_compiler::ledger::{Call, Entry, Ledger, Receipt, State};
use gavel_compiler::units::Height;
use gavel_prover::workload::Random;
use ledgers::Recipe;

/// The contract of all scenarios.
pub const CONTRACT: [u8; 32] = [0x5c; 32];

/// A ledger, a state and batches of calls.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub recipes: Vec<Recipe>,
    pub state: State,
    pub batches: Vec<Batch>,
}

/// Calls in one block.
#[derive(Clone, Debug)]
pub struct Batch {
    pub height: Height,
    pub calls: Vec<Call>,
    /// What was done to each call to have it refused.
    pub faults: Vec<Option<Fault>>,
}

/// What the reference makes of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub receipts: Vec<Receipt>,
    pub state: State,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let recipes = ledgers::recipes(&mut random);
        Self {
            seed,
            state: ledgers::state(&mut random),
            batches: batches::batches(&recipes, &mut random),
            recipes,
        }
    }

    /// Its entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.recipes.iter().map(Recipe::entry).collect()
    }

    /// What the reference makes of each batch.
    pub fn reference(&self) -> Vec<Outcome> {
        let mut ledger = Ledger::new(CONTRACT, self.entries(), self.state.clone()).unwrap();
        let outcomes = self.batches.iter().map(|batch| {
            let calls = batch.calls.iter();
            let receipts = calls.map(|call| ledger.apply(call, batch.height)).collect();
            let state = ledger.state().clone();
            Outcome { receipts, state }
        });
        outcomes.collect()
    }

    /// The smallest scenario within this one that is still wrong.
    pub fn shrunk(mut self, wrong: impl Fn(&Self) -> bool) -> Self {
        loop {
            let smaller = self.smaller().into_iter().find(|scenario| wrong(scenario));
            match smaller {
                Some(scenario) => self = scenario,
                None => return self,
            }
        }
    }

    /// The same without a batch, some calls, or a step.
    fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for n in (0..self.batches.len()).rev() {
            let mut less = self.clone();
            less.batches.remove(n);
            all.push(less);
        }
        for (n, batch) in self.batches.iter().enumerate() {
            let mut size = batch.calls.len().div_ceil(2);
            while size > 0 {
                for first in (0..batch.calls.len()).step_by(size) {
                    let mut less = self.clone();
                    let end = (first + size).min(batch.calls.len());
                    less.batches[n].calls.drain(first..end);
                    less.batches[n].faults.drain(first..end);
                    all.push(less);
                }
                size /= 2;
            }
        }
        for (n, recipe) in self.recipes.iter().enumerate() {
            for step in (0..recipe.steps.len()).rev() {
                let mut less = self.clone();
                less.recipes[n].steps.remove(step);
                all.push(less);
            }
        }
        all
    }
}

/// Picks one.
pub fn pick<T: Clone>(random: &mut Random, all: &[T]) -> T {
    all[random.below(all.len() as u64) as usize].clone()
}

/// True `n` times out of a hundred.
pub fn percent(random: &mut Random, n: u64) -> bool {
    random.below(100) < n
}

/// So many people sign.
pub const PEOPLE: u32 = 4;

/// The words of somebody's key.
pub fn person(n: u32) -> [u32; 8] {
    signing::key(n % PEOPLE)
}
