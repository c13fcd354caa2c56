//! Engines beside the reference, batch by batch.

use super::random::Outcome;
use gavel_compiler::ledger::{CellId, Receipt, State, path, root};
use gavel_compiler::units::Height;
use gavel_prover::engine::{Executed, Prepared, Report};
use gavel_prover::tree::Tree;
use gavel_prover::{Changes, Engine, InMemory, Machine};

/// On so many threads.
const THREADS: [usize; 4] = [1, 2, 3, 8];

/// Engines on several numbers of threads, which keep their cells from batch to batch, each with
/// the state that its changes make.
pub struct Checked<'a> {
    machine: &'a Machine,
    backing: InMemory,
    engines: Vec<(usize, Engine, State)>,
    /// Brought up to date with the changes that the last engine reports.
    tree: Tree,
}

/// How an engine differs from the reference.
#[derive(Debug)]
#[allow(dead_code, reason = "shown in messages")]
pub enum Wrong {
    Error(usize, String),
    Receipt {
        threads: usize,
        call: usize,
        is: Option<Receipt>,
        should: Receipt,
    },
    /// A change of a cell that isn't what it was.
    Before {
        threads: usize,
        cell: CellId,
    },
    Order(usize),
    State {
        threads: usize,
        is: State,
        should: State,
    },
    Root(usize),
    Tree,
}

impl<'a> Checked<'a> {
    pub fn new(machine: &'a Machine, state: &State) -> Self {
        let engines = THREADS.map(|threads| (threads, Engine::new(threads), state.clone()));
        Self {
            machine,
            backing: InMemory::from(state),
            engines: engines.into(),
            tree: tree(state),
        }
    }

    /// Runs a batch on each engine; gives their reports.
    pub fn batch(
        &mut self,
        prepared: &Prepared,
        height: Height,
        should: &Outcome,
    ) -> Result<Vec<Report>, Wrong> {
        let wanted = root(&should.state);
        let mut reports = Vec::new();
        for (threads, engine, state) in &mut self.engines {
            let threads = *threads;
            let done = engine.run(self.machine, prepared, height, &self.backing);
            let done = done.map_err(|error| Wrong::Error(threads, error.to_string()))?;
            receipts(self.machine, threads, &done, &should.receipts)?;
            apply(threads, state, &done)?;
            if *state != should.state {
                let (is, should) = (state.clone(), should.state.clone());
                return Err(Wrong::State {
                    threads,
                    is,
                    should,
                });
            }
            if root(state) != wanted {
                return Err(Wrong::Root(threads));
            }
            reports.push(done.report);
            if Some(&threads) == THREADS.last() {
                // The tree holds all its cells itself.
                let updated = self.tree.update(&done.changes, &InMemory::default());
                if !updated.is_ok_and(|updated| updated.root == wanted) {
                    return Err(Wrong::Tree);
                }
            }
        }
        Ok(reports)
    }
}

fn receipts(
    machine: &Machine,
    threads: usize,
    done: &Executed,
    should: &[Receipt],
) -> Result<(), Wrong> {
    for (call, should) in should.iter().enumerate() {
        let is = done.receipts.get(machine, call);
        if is.as_ref() != Some(should) {
            return Err(Wrong::Receipt {
                threads,
                call,
                is,
                should: should.clone(),
            });
        }
    }
    match done.receipts.len() == should.len() {
        true => Ok(()),
        false => Err(Wrong::Error(threads, "more receipts than calls".to_owned())),
    }
}

fn apply(threads: usize, state: &mut State, done: &Executed) -> Result<(), Wrong> {
    let mut last = None;
    for change in done.changes.iter() {
        let cell = CellId {
            family: change.family,
            key: change.key.to_vec(),
        };
        if state.get(&cell, change.before.len()) != change.before || change.before == change.after {
            return Err(Wrong::Before { threads, cell });
        }
        if *change.path != path(&cell) || last.is_some_and(|last| last >= *change.path) {
            return Err(Wrong::Order(threads));
        }
        last = Some(*change.path);
        state.set(cell, change.after.to_vec());
    }
    Ok(())
}

/// The tree of a state.
fn tree(state: &State) -> Tree {
    let mut changes = Changes::new();
    for (cell, value) in state.cells() {
        changes.add(cell, &vec![0; value.len()], value);
    }
    changes.sort();
    let mut tree = Tree::new(Tree::depth_for(state.len() as u64));
    tree.update(&changes, &InMemory::default()).unwrap();
    tree
}
