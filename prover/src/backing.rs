//! The seam between the engine and wherever cells lie that it doesn't hold in memory.

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

impl Backing for InMemory {
    type Error = Infallible;

    fn load(&self, paths: &[[u8; 32]]) -> Result<Vec<Vec<u32>>, Infallible> {
        let value = |path| self.0.get(path).cloned().unwrap_or_default();
        Ok(paths.iter().map(value).collect())
    }
}
