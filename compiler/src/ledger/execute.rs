//! The reference interpreter of routines.

use super::state::{CellId, State};
use crate::word::interp::eval;
use crate::word::{Cell, Delta, Op, Routine, StateOp, Value};
use std::collections::BTreeMap;

/// A cell and the value that a call leaves in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The cell.
    pub cell: CellId,
    /// Its new words.
    pub value: Vec<u32>,
}

/// An event that a call emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number, in the order of declaration.
    pub event: u16,
    /// The words of its fields.
    pub words: Vec<u32>,
}

/// What a call that didn't abort does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Every cell written, in the order of cells, with its last value. A cell that is written
    /// with what it held before is there too.
    pub writes: Vec<Write>,
    /// Events in the order in which they were emitted.
    pub events: Vec<Event>,
}

/// The abort that fired first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its code: an index into [`Routine::aborts`].
    pub code: u16,
}

/// A run of a routine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// What it does to the state, or why it does nothing.
    pub result: Result<Changes, Failure>,
    /// Operations run, up to and with the one that aborted.
    pub steps: u64,
}

/// Runs a routine on the words of its arguments and then the height. Missing words count as
/// 0. The state stays as it is; [`State::apply`] makes the changes.
pub fn execute(routine: &Routine, inputs: &[u32], state: &State) -> Executed {
    let mut run = Run {
        state,
        inputs,
        values: Vec::with_capacity(routine.value_count()),
        written: BTreeMap::new(),
        events: Vec::new(),
    };
    let mut steps = 0;
    for inst in &routine.insts {
        steps += 1;
        if let Err(failure) = run.step(&inst.op) {
            let result = Err(failure);
            return Executed { result, steps };
        }
    }
    let writes = run.written.into_iter();
    let changes = Changes {
        writes: writes.map(|(cell, value)| Write { cell, value }).collect(),
        events: run.events,
    };
    let result = Ok(changes);
    Executed { result, steps }
}

impl State {
    /// Makes the changes of a call.
    pub fn apply(&mut self, changes: &Changes) {
        for write in &changes.writes {
            self.set(write.cell.clone(), write.value.clone());
        }
    }
}

struct Run<'a> {
    state: &'a State,
    inputs: &'a [u32],
    values: Vec<u32>,
    /// What this call wrote so far; it reads its own writes.
    written: BTreeMap<CellId, Vec<u32>>,
    events: Vec<Event>,
}

impl Run<'_> {
    fn step(&mut self, op: &Op) -> Result<(), Failure> {
        match op {
            Op::AbortIf(condition, code) if self.get(*condition) != 0 => {
                return Err(Failure { code: *code });
            }
            Op::State(op) if op.when().is_some_and(|when| self.get(when) == 0) => {}
            Op::State(op) => return self.state_op(op),
            op => {
                let results = eval(op, |value| self.get(value), self.inputs);
                self.values.extend(results);
            }
        }
        Ok(())
    }

    /// An operation whose condition holds, if it has one.
    fn state_op(&mut self, op: &StateOp) -> Result<(), Failure> {
        match op {
            StateOp::Load { cell, words } => {
                let cell = self.cell(cell);
                let value = self.load(&cell, usize::from(*words));
                self.values.extend(value);
            }
            StateOp::Store { cell, value, .. } => {
                let value = self.all(value);
                self.written.insert(self.cell(cell), value);
            }
            StateOp::Add(delta) => self.delta(delta, u128::checked_add)?,
            StateOp::Sub(delta) => self.delta(delta, u128::checked_sub)?,
            StateOp::Emit { event, words, .. } => {
                let words = self.all(words);
                self.events.push(Event {
                    event: *event,
                    words,
                });
            }
            StateOp::Verify { .. } => {
                let op = Op::State(Box::new(op.clone()));
                let valid = eval(&op, |value| self.get(value), self.inputs);
                self.values.extend(valid);
            }
        }
        Ok(())
    }

    fn delta(
        &mut self,
        delta: &Delta,
        change: fn(u128, u128) -> Option<u128>,
    ) -> Result<(), Failure> {
        let cell = self.cell(&delta.cell);
        let words = delta.amount.len();
        let before = number(&self.load(&cell, words));
        let amount = number(&self.all(&delta.amount));
        let most = u128::MAX >> 128u32.saturating_sub(u32::from(delta.bits));
        let after = change(before, amount).filter(|after| *after <= most);
        let after = after.ok_or(Failure { code: delta.code })?;
        let mut value: Vec<u32> = (0..4).map(|n| (after >> (32 * n)) as u32).collect();
        value.resize(words, 0);
        self.written.insert(cell, value);
        Ok(())
    }

    fn load(&self, cell: &CellId, words: usize) -> Vec<u32> {
        match self.written.get(cell) {
            Some(value) => {
                let mut value = value.clone();
                value.resize(words, 0);
                value
            }
            None => self.state.get(cell, words),
        }
    }

    fn cell(&self, cell: &Cell) -> CellId {
        CellId {
            family: cell.family,
            key: self.all(&cell.key),
        }
    }

    fn all(&self, values: &[Value]) -> Vec<u32> {
        values.iter().map(|value| self.get(*value)).collect()
    }

    fn get(&self, value: Value) -> u32 {
        self.values.get(value.index()).copied().unwrap_or(0)
    }
}

/// The number that up to four words hold, low word first.
fn number(words: &[u32]) -> u128 {
    let words = words.iter().take(4).rev();
    words.fold(0, |n, word| (n << 32) | u128::from(*word))
}
