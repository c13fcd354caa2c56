//! The seam between the engine and wherever cells lie that it doesn't hold in memory.

use crate::Changes;
use gavel_compiler::ledger::State;
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Where cells are read from that an engine doesn't hold.
pub trait Backing: Sync {
    /// Why a cell can't be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The words of the cells with these paths, which come in ascending order; no words for a
    /// cell that is zeros.
    ///
    /// # Errors
    /// If they can't be read.
    fn load(&self, paths: &[[u8; 32]]) -> Result<Vec<Vec<u32>>, Self::Error>;
}

/// Cells that can be read by where they hang, and not only one by one.
pub trait Ranged: Backing {
    /// Gives each cell whose path lies in one of these spans, which come in ascending order and
    /// don't meet: the number of the span, the path, the words.
    ///
    /// # Errors
    /// If they can't be read.
    fn cells_in(&self, spans: &[Span], each: &mut EachCell<'_>) -> Result<(), Self::Error>;
}

/// Takes a cell: the number of the span that it is in, its path, its words.
pub type EachCell<'a> = dyn FnMut(usize, &[u8; 32], &[u32]) + 'a;

/// Paths from one to another, both among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first path.
    pub first: [u8; 32],
    /// The last path.
    pub last: [u8; 32],
}

/// Cells in memory, for tests and small tools.
#[derive(Clone, Debug, Default)]
pub struct InMemory(BTreeMap<[u8; 32], Vec<u32>>);

impl From<&State> for InMemory {
    fn from(state: &State) -> Self {
        let cells = state.cells();
        let by_path =
            cells.map(|(cell, value)| (gavel_compiler::ledger::path(cell), value.to_vec()));
        Self(by_path.collect())
    }
}

impl InMemory {
    /// Brings the cells to where these changes lead.
    pub fn apply(&mut self, changes: &Changes) {
        for change in changes.iter() {
            if change.after.iter().all(|word| *word == 0) {
                self.0.remove(change.path);
            } else {
                self.0.insert(*change.path, change.after.to_vec());
            }
        }
    }

    /// The cells in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8; 32], &[u32])> {
        self.0.iter().map(|(path, words)| (path, &words[..]))
    }
}

impl Ranged for InMemory {
    fn cells_in(&self, spans: &[Span], each: &mut EachCell<'_>) -> Result<(), Infallible> {
        for (n, span) in spans.iter().enumerate() {
            for (path, words) in self.0.range(span.first..=span.last) {
                each(n, path, words);
            }
        }
        Ok(())
    }
}

impl Backing for InMemory {
    type Error = Infallible;

    fn load(&self, paths: &[[u8; 32]]) -> Result<Vec<Vec<u32>>, Infallible> {
        let value = |path| self.0.get(path).cloned().unwrap_or_default();
        Ok(paths.iter().map(value).collect())
    }
}
