//! Filling an empty state with the cells of a genesis.

use super::file::{CELLS, META, names};
use super::writer::write_tree;
use super::{Store, StoreError, cell};
use crate::tree::{Builder, Tree};
use gavel_compiler::ledger::{CellId, path};
use rayon::prelude::*;
use redb::{ReadableTable, ReadableTableMetadata, Table};

/// How many cells are sorted and written together. They are what takes memory.
const TOGETHER: usize = 1 << 18;

/// A cell of a genesis with its words.
type Given = (CellId, Vec<u32>);

/// Why a genesis can't be stored. Nothing of it is.
#[derive(Debug, thiserror::Error)]
pub enum SeedError<E: std::error::Error> {
    /// The cells end with an error.
    #[error(transparent)]
    Cells(E),
    /// They can't be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Fills an empty state, before the first batch, in one transaction. Cells come in any order;
    /// those that are zeros are left out. Tells now and then how many are done.
    ///
    /// # Errors
    /// If the state isn't empty, a cell comes twice, or they can't be read or written.
    pub fn seed<E: std::error::Error>(
        &mut self,
        cells: impl IntoIterator<Item = Result<Given, E>>,
        mut progress: impl FnMut(u64),
    ) -> Result<(), SeedError<E>> {
        if self.writer.last() > 0 || self.tree.cells() > 0 {
            return Err(StoreError::Started.into());
        }
        let transaction = self.writer.begin()?;
        {
            let mut table = transaction.open_table(CELLS).map_err(StoreError::from)?;
            let mut given = Vec::new();
            let mut done = 0;
            for cell in cells {
                given.push(cell.map_err(SeedError::Cells)?);
                if given.len() == TOGETHER {
                    done += given.len() as u64;
                    write(&mut table, std::mem::take(&mut given))?;
                    progress(done);
                }
            }
            done += given.len() as u64;
            write(&mut table, given)?;
            progress(done);
        }
        self.tree = self.plant(transaction)?;
        self.writer.planted(&self.tree);
        Ok(())
    }

    /// Makes the tree over the cells of a transaction, and commits it.
    fn plant(&self, transaction: redb::WriteTransaction) -> Result<Tree, StoreError> {
        let depth;
        let mut builder;
        {
            let table = transaction.open_table(CELLS)?;
            depth = Tree::depth_for(table.len()?);
            builder = Builder::new(depth);
            let mut words = Vec::new();
            for entry in table.iter()? {
                let (path, bytes) = entry?;
                words.clear();
                cell::value(bytes.value(), &mut words)?;
                builder.push(path.value(), &words);
            }
        }
        let (tree, nodes) = builder.finish(0);
        write_tree(&transaction, depth, &nodes)?;
        let mut meta = transaction.open_table(META)?;
        meta.insert(names::GENESIS, &tree.root().0[..])?;
        drop(meta);
        transaction.commit()?;
        Ok(tree)
    }
}

/// Writes cells in the order of their paths.
fn write(
    table: &mut Table<'_, &'static [u8; 32], &'static [u8]>,
    cells: Vec<Given>,
) -> Result<(), StoreError> {
    let mut by_path: Vec<_> = cells
        .into_par_iter()
        .filter(|(_, words)| words.iter().any(|word| *word != 0))
        .map(|(cell, words)| (path(&cell), cell, words))
        .collect();
    by_path.par_sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut bytes = Vec::new();
    for (path, cell, words) in by_path {
        if cell.key.len().max(words.len()) > u16::MAX.into() {
            return Err(StoreError::TooLong(cell));
        }
        cell::encode(cell.family, &cell.key, &words, &mut bytes);
        if table.insert(&path, &bytes[..])?.is_some() {
            return Err(StoreError::Twice(cell));
        }
    }
    Ok(())
}
