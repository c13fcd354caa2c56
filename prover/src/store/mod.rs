//! The state of a ledger on disk: cells, tree, and all batches with what they changed.
//!
//! One file, a [redb](https://docs.rs/redb) database, in a folder. `docs/prover.md` has its
//! tables byte for byte.
//!
//! **Invariant:** whatever instant the process is killed at, what is opened next is the state
//! after some batch, with all that [`Writer::append`] returned for.
//!
//! Knows nothing of what calls and receipts say.

mod bytes;
mod cell;
mod error;
mod file;
mod log;
mod merge;
mod past;
mod reader;
mod roots;
mod seed;
mod writer;

pub use cell::StoredCell;
pub use error::StoreError;
pub use past::Past;
pub use reader::{Cells, Reader};
pub use seed::SeedError;
pub use writer::{Record, Writer};

use crate::tree::Tree;
use file::{BUCKETS, CALLS, CELLS, CHANGES, CLAIMS, META, RECEIPTS, names};
use gavel_compiler::ledger::Root;
use reader::Shared;
use redb::Database;
use std::path::Path;
use std::sync::Arc;

/// How a store behaves. Nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The memory for parts of the file, in bytes.
    pub cache: usize,
    /// How much memory changes take until a checkpoint is made of them, in bytes.
    pub unsaved: usize,
    /// Whether to read the whole file and check all its checksums first. A file that was
    /// damaged, not by a crash but by a disk or by somebody, is then refused at once.
    pub check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache: 512 << 20,
            unsaved: 1 << 30,
            check: false,
        }
    }
}

/// An open state. Its parts go their ways: any number of readers, one writer, one tree.
#[derive(Debug)]
pub struct Store {
    /// Reads it.
    pub reader: Reader,
    /// Writes batches.
    pub writer: Writer,
    /// The tree, as after the last batch.
    pub tree: Tree,
}

impl Store {
    /// Makes an empty state in a folder, for a contract, with a note that is kept with it.
    ///
    /// # Errors
    /// If there is one already, or it can't be written; then nothing is left behind but folders.
    pub fn create(
        dir: &Path,
        contract: [u8; 32],
        about: &[u8],
        options: Options,
    ) -> Result<Self, StoreError> {
        let tree = Tree::new(Tree::depth_for(0));
        let depth = tree.depth();
        let fill = |database: &Database| fill(database, contract, about, depth);
        let database = file::create(dir, &options, fill)?;
        Ok(Self::new(database, dir, &options, tree))
    }

    /// Opens the state in a folder. Batches since the last checkpoint get theirs first.
    ///
    /// # Errors
    /// If there is none, it is another contract's, a newer version's, in use or damaged.
    pub fn open(
        dir: &Path,
        contract: Option<[u8; 32]>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let database = file::open(dir, &options)?;
        let found = file::meta_number(&database, names::CONTRACT)?;
        if let Some(expected) = contract.filter(|expected| *expected != found) {
            return Err(StoreError::OtherContract {
                place: dir.to_path_buf(),
                found: Root(found),
                expected: Root(expected),
            });
        }
        let reader = Reader::new(database, dir);
        let tree = reader.snapshot()?.tree()?;
        let claimed = match tree.batch() {
            0 => reader.genesis()?,
            batch => reader.expect_claim(batch)?.after,
        };
        same_root(tree.batch(), claimed, tree.root())?;
        let writer = Writer::new(reader.clone(), &options, &tree);
        let mut store = Self {
            reader,
            writer,
            tree,
        };
        store.catch_up()?;
        Ok(store)
    }

    fn new(database: Database, dir: &Path, options: &Options, tree: Tree) -> Self {
        let reader = Reader::new(database, dir);
        Self {
            writer: Writer::new(reader.clone(), options, &tree),
            reader,
            tree,
        }
    }

    /// Makes a checkpoint of the batches that are in the log only.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        let last = self.reader.last()?;
        for batch in self.tree.batch() + 1..=last {
            let claim = self.reader.expect_claim(batch)?;
            let changes = self.reader.known(batch)?;
            same_root(batch, claim.before, self.tree.root())?;
            let updated = self.tree.update(&changes, &self.reader)?;
            same_root(batch, claim.after, updated.root)?;
            self.writer.took(&claim, Arc::new(changes), updated.nodes);
        }
        self.writer.checkpoint()?;
        self.tree.forget(self.writer.checkpointed());
        Ok(())
    }

    /// Makes a checkpoint and closes the state.
    ///
    /// # Errors
    /// If it can't be written. Nothing is lost, the next start does it.
    pub fn close(self) -> Result<(), StoreError> {
        self.writer.close()
    }
}

impl Reader {
    fn new(database: Database, dir: &Path) -> Self {
        let dir = dir.to_path_buf();
        Self {
            shared: Arc::new(Shared { database, dir }),
        }
    }
}

fn same_root(batch: u64, claimed: Root, found: Root) -> Result<(), StoreError> {
    if claimed == found {
        return Ok(());
    }
    Err(StoreError::Claim {
        batch,
        claimed,
        found,
    })
}

/// What is in the file of a state without cells and batches: all tables, so that no reader misses
/// one.
fn fill(
    database: &Database,
    contract: [u8; 32],
    about: &[u8],
    depth: u8,
) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert(names::FORMAT, &file::FORMAT.to_le_bytes()[..])?;
        meta.insert(names::CONTRACT, &contract[..])?;
        meta.insert(names::ABOUT, about)?;
        meta.insert(names::GENESIS, &Root::EMPTY.0[..])?;
        meta.insert(names::DEPTH, &[depth][..])?;
        meta.insert(names::CHECKPOINT, &0u64.to_le_bytes()[..])?;
        transaction.open_table(CELLS)?;
        transaction.open_table(BUCKETS)?;
        transaction.open_table(CLAIMS)?;
        for table in [CALLS, RECEIPTS, CHANGES] {
            transaction.open_table(table)?;
        }
    }
    transaction.commit()?;
    Ok(())
}
