//! Building operations on state: what a routine already knows of a cell isn't loaded again.

use super::build::Builder;
use super::ir::{Op, Value};
use super::state::{Cell, Delta, StateOp};
use std::collections::HashMap;

/// The words that cells are known to hold at this point. Only ever looked up and filtered, so
/// the output does not depend on its order.
#[derive(Debug, Default)]
pub(super) struct Cells(HashMap<Cell, Vec<Value>>);

impl Builder {
    /// The words of a cell. A cell that was loaded, or surely stored, and may not have changed
    /// since, is not loaded again.
    pub fn load(&mut self, cell: Cell, words: u16) -> Vec<Value> {
        if let Some(known) = self.cells.0.get(&cell)
            && known.len() == usize::from(words)
        {
            return known.clone();
        }
        let load = StateOp::Load {
            cell: cell.clone(),
            words,
        };
        let first = self.append(Op::State(Box::new(load))).0;
        let values: Vec<Value> = (0..u32::from(words)).map(|n| Value(first + n)).collect();
        if !self.plain {
            self.cells.0.insert(cell, values.clone());
        }
        values
    }

    /// Writes a cell if `when` holds and the call doesn't abort.
    pub fn store(&mut self, when: Value, cell: Cell, value: Vec<Value>) {
        if !self.may_hold(when) {
            return;
        }
        self.forget(&cell);
        if self.as_const(when).is_some() && !self.plain {
            self.cells.0.insert(cell.clone(), value.clone());
        }
        self.append(Op::State(Box::new(StateOp::Store { when, cell, value })));
    }

    /// Adds to the number in a cell if the delta's condition holds; overflow aborts.
    pub fn add(&mut self, delta: Delta) {
        self.delta(delta, StateOp::Add);
    }

    /// Subtracts from the number in a cell if the delta's condition holds; underflow aborts.
    pub fn sub(&mut self, delta: Delta) {
        self.delta(delta, StateOp::Sub);
    }

    /// Emits an event if `when` holds and the call doesn't abort.
    pub fn emit(&mut self, when: Value, event: u16, words: Vec<Value>) {
        if self.may_hold(when) {
            self.append(Op::State(Box::new(StateOp::Emit { when, event, words })));
        }
    }

    /// 1 if the BIP340 signature is valid, else 0.
    pub fn verify(
        &mut self,
        key: [Value; 8],
        message: [Value; 8],
        signature: [Value; 16],
    ) -> Value {
        self.push(Op::State(Box::new(StateOp::Verify {
            key,
            message,
            signature,
        })))
    }

    fn delta(&mut self, delta: Delta, op: fn(Delta) -> StateOp) {
        let nothing = delta
            .amount
            .iter()
            .all(|word| self.as_const(*word) == Some(0));
        if self.may_hold(delta.when) && !nothing {
            self.forget(&delta.cell);
            self.append(Op::State(Box::new(op(delta))));
        }
    }

    fn may_hold(&self, when: Value) -> bool {
        self.as_const(when) != Some(0)
    }

    /// Forgets every cell that a write to `written` may change.
    fn forget(&mut self, written: &Cell) {
        let mut cells = std::mem::take(&mut self.cells);
        cells.0.retain(|cell, _| self.differ(cell, written));
        self.cells = cells;
    }

    /// Whether two cells are surely not the same: constants in their keys differ.
    fn differ(&self, a: &Cell, b: &Cell) -> bool {
        let mut pairs = a.key.iter().zip(&b.key);
        a.family != b.family
            || pairs.any(|(a, b)| match (self.as_const(*a), self.as_const(*b)) {
                (Some(a), Some(b)) => a != b,
                _ => false,
            })
    }
}
