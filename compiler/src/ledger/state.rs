//! The state of a ledger: cells and their words.

use std::collections::BTreeMap;

/// The name of a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    /// Which family of cells; 0 holds the nonces of signers.
    pub family: u16,
    /// The words of its key.
    pub key: Vec<u32>,
}

/// All cells that aren't zero.
///
/// **Invariant:** no value is all zeros: zero and absent are the same thing. The values of a
/// family all have the same number of words; whoever writes keeps to that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    cells: BTreeMap<CellId, Vec<u32>>,
}

impl State {
    /// The empty state: every cell is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first `words` words of a cell.
    pub fn get(&self, cell: &CellId, words: usize) -> Vec<u32> {
        let mut value = self.cells.get(cell).cloned().unwrap_or_default();
        value.resize(words, 0);
        value
    }

    /// Gives a cell a value; zeros remove it.
    pub fn set(&mut self, cell: CellId, value: Vec<u32>) {
        if value.iter().all(|word| *word == 0) {
            self.cells.remove(&cell);
        } else {
            self.cells.insert(cell, value);
        }
    }

    /// All cells that aren't zero, in order.
    pub fn cells(&self) -> impl Iterator<Item = (&CellId, &[u32])> {
        self.cells.iter().map(|(cell, value)| (cell, &value[..]))
    }

    /// How many cells aren't zero.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether every cell is zero.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}
