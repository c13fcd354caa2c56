//! Reading what is stored, from any number of threads, also while a batch is being written.

use super::cell::{self, StoredCell};
use super::file::{self, CALLS, CELLS, CHANGES, CLAIMS, META, RECEIPTS, names};
use super::{StoreError, log, roots};
use crate::tree::{Builder, Tree};
use crate::{Backing, Changes, Claim, EachCell, Ranged, Span};
use gavel_compiler::ledger::{CellId, Root, path};
use redb::{Database, OwnedRange, ReadOnlyTable, ReadTransaction, ReadableDatabase};
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use std::path::PathBuf;
use std::sync::Arc;

/// What all readers and the writer share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) dir: PathBuf,
}

/// Reads stored state. Cells are as after the last *checkpointed* batch; batches themselves are
/// there as soon as they are appended.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) shared: Arc<Shared>,
}

/// The cells of one moment: what is written meanwhile doesn't show.
pub(super) struct Snapshot {
    transaction: ReadTransaction,
    cells: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
}

impl Reader {
    /// The folder.
    pub fn dir(&self) -> &std::path::Path {
        &self.shared.dir
    }

    /// The id of the contract.
    ///
    /// # Errors
    /// If it can't be read, as with all that follow.
    pub fn contract(&self) -> Result<[u8; 32], StoreError> {
        file::meta_number(&self.shared.database, names::CONTRACT)
    }

    /// What was noted when the state was made.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn about(&self) -> Result<Vec<u8>, StoreError> {
        file::meta(&self.shared.database, names::ABOUT)
    }

    /// The root before the first batch.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn genesis(&self) -> Result<Root, StoreError> {
        file::meta_number(&self.shared.database, names::GENESIS).map(Root)
    }

    /// The last batch whose changes are in the cells.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn checkpoint(&self) -> Result<u64, StoreError> {
        self.snapshot()?.checkpoint()
    }

    /// The last batch's claim; none before the first.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn last_claim(&self) -> Result<Option<Claim>, StoreError> {
        let table = self.begin()?.open_table(CLAIMS)?;
        let last = table.last()?;
        last.map(|(_, bytes)| log::claim(bytes.value())).transpose()
    }

    /// The number of the last batch, 0 before the first.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn last(&self) -> Result<u64, StoreError> {
        Ok(self.last_claim()?.map_or(0, |claim| claim.batch))
    }

    /// The claim of a batch; none if it isn't stored.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn claim(&self, batch: u64) -> Result<Option<Claim>, StoreError> {
        let table = self.begin()?.open_table(CLAIMS)?;
        let found = table.get(batch)?;
        let claim = found.map(|bytes| log::claim(bytes.value())).transpose()?;
        match claim {
            Some(claim) if claim.batch != batch => Err(StoreError::damaged(format!(
                "batch {batch} has another's claim"
            ))),
            claim => Ok(claim),
        }
    }

    /// The claim of a batch that must be there.
    pub(super) fn expect_claim(&self, batch: u64) -> Result<Claim, StoreError> {
        let missing = || StoreError::damaged(format!("batch {batch} is missing"));
        self.claim(batch)?.ok_or_else(missing)
    }

    /// The calls of a batch, as they were given; none if it isn't stored.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn calls(&self, batch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.pieces(CALLS, batch)?.map(|pieces| pieces.concat()))
    }

    /// The receipts of a batch, as they were given; none if it isn't stored.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn receipts(&self, batch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.pieces(RECEIPTS, batch)?.map(|pieces| pieces.concat()))
    }

    /// What a batch changed; none if it isn't stored.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn changes(&self, batch: u64) -> Result<Option<Changes>, StoreError> {
        let pieces = self.pieces(CHANGES, batch)?;
        pieces.map(|pieces| log::changes(&pieces)).transpose()
    }

    /// The pieces of something of a batch, in their order.
    fn pieces(
        &self,
        table: TableDefinition<'static, (u64, u32), &'static [u8]>,
        batch: u64,
    ) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        if self.claim(batch)?.is_none() {
            return Ok(None);
        }
        let mut pieces = Vec::new();
        let table = self.begin()?.open_table(table)?;
        for (n, entry) in table.range((batch, 0)..=(batch, u32::MAX))?.enumerate() {
            let (key, piece) = entry?;
            if key.value().1 as usize != n {
                let missing = format!("piece {n} of something of batch {batch} is missing");
                return Err(StoreError::damaged(missing));
            }
            pieces.push(piece.value().to_vec());
        }
        Ok(Some(pieces))
    }

    /// All cells that aren't zero, in the order of their paths, as of this moment.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn cells(&self) -> Result<Cells, StoreError> {
        self.snapshot()?.all()
    }

    /// How many cells aren't zero, as of this moment.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn count(&self) -> Result<u64, StoreError> {
        Ok(self.snapshot()?.cells.len()?)
    }

    /// The words of a cell by its name; none if it is zeros.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn cell(&self, cell: &CellId) -> Result<Vec<u32>, StoreError> {
        self.snapshot()?.load(&path(cell))
    }

    /// Computes the root from all cells, and compares it with what is claimed, each path with the
    /// cell's name, each bucket's root with the stored one, and each claim with the next.
    /// Gives the root.
    ///
    /// # Errors
    /// If something doesn't agree or can't be read.
    pub fn verify(&self) -> Result<Root, StoreError> {
        let snapshot = self.snapshot()?;
        let batch = snapshot.checkpoint()?;
        let stored = snapshot.tree()?;
        let mut builder = Builder::new(stored.depth());
        for cell in snapshot.all()? {
            let cell = cell?;
            if path(&cell.cell) != cell.path || cell.words.iter().all(|word| *word == 0) {
                return Err(StoreError::damaged(format!(
                    "a cell of family {}",
                    cell.cell.family
                )));
            }
            builder.push(&cell.path, &cell.words);
        }
        let (tree, _) = builder.finish(batch);
        if !tree.agrees(&stored) {
            return Err(StoreError::damaged("the tree isn't that of the cells"));
        }
        let claimed = self.claims(batch)?;
        if claimed == tree.root() {
            Ok(claimed)
        } else {
            let found = tree.root();
            Err(StoreError::Claim {
                batch,
                claimed,
                found,
            })
        }
    }

    /// The claimed root after a batch, having compared each claim with the one before.
    fn claims(&self, wanted: u64) -> Result<Root, StoreError> {
        let table = self.begin()?.open_table(CLAIMS)?;
        let mut root = self.genesis()?;
        let mut found = root;
        for (batch, entry) in (1..).zip(table.iter()?) {
            let claim = log::claim(entry?.1.value())?;
            if claim.batch != batch || claim.before != root {
                return Err(StoreError::damaged(format!(
                    "batch {batch} doesn't follow the last"
                )));
            }
            root = claim.after;
            if batch == wanted {
                found = root;
            }
        }
        Ok(found)
    }

    pub(super) fn begin(&self) -> Result<ReadTransaction, StoreError> {
        Ok(self.shared.database.begin_read()?)
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let transaction = self.begin()?;
        let cells = transaction.open_table(CELLS)?;
        Ok(Snapshot { transaction, cells })
    }
}

/// All cells, in the order of their paths.
pub struct Cells {
    all: OwnedRange<&'static [u8; 32], &'static [u8]>,
}

impl Iterator for Cells {
    type Item = Result<StoredCell, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.all.next()?;
        Some(match entry {
            Ok((path, bytes)) => cell::decode(*path.value(), bytes.value()),
            Err(error) => Err(error.into()),
        })
    }
}

impl Snapshot {
    pub(super) fn checkpoint(&self) -> Result<u64, StoreError> {
        self.meta(names::CHECKPOINT).map(u64::from_le_bytes)
    }

    fn meta<const N: usize>(&self, name: &str) -> Result<[u8; N], StoreError> {
        let table = self.transaction.open_table(META)?;
        let found = table.get(name)?;
        let found = found.and_then(|bytes| bytes.value().try_into().ok());
        found.ok_or_else(|| StoreError::damaged(format!("its {name} is missing or wrong")))
    }

    /// The tree over these cells.
    pub(super) fn tree(&self) -> Result<Tree, StoreError> {
        let [depth] = self.meta(names::DEPTH)?;
        let cells = self.cells.len()?;
        roots::tree(&self.transaction, depth, self.checkpoint()?, cells)
    }

    fn all(&self) -> Result<Cells, StoreError> {
        let all = self.cells.range_owned::<&[u8; 32]>(..)?;
        Ok(Cells { all })
    }

    pub(super) fn load(&self, path: &[u8; 32]) -> Result<Vec<u32>, StoreError> {
        let mut words = Vec::new();
        if let Some(bytes) = self.cells.get(path)? {
            cell::value(bytes.value(), &mut words)?;
        }
        Ok(words)
    }
}

impl Backing for Reader {
    type Error = StoreError;

    fn load(&self, paths: &[[u8; 32]]) -> Result<Vec<Vec<u32>>, StoreError> {
        let snapshot = self.snapshot()?;
        paths.iter().map(|path| snapshot.load(path)).collect()
    }
}

impl Ranged for Reader {
    fn cells_in(&self, spans: &[Span], each: &mut EachCell<'_>) -> Result<(), StoreError> {
        let cells = self.snapshot()?.cells;
        let mut words = Vec::new();
        for (n, span) in spans.iter().enumerate() {
            for entry in cells.range::<&[u8; 32]>(&span.first..=&span.last)? {
                let (path, bytes) = entry?;
                words.clear();
                cell::value(bytes.value(), &mut words)?;
                each(n, path.value(), &words);
            }
        }
        Ok(())
    }
}
