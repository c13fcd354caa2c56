//! Writing: batches into the log at once, cells and tree at checkpoints.
//!
//! A batch is one transaction, so it is there whole or not at all, and once
//! [`Writer::append`] returns it is on the disk. The cells it changed stay as they were until a
//! checkpoint puts all changes since the last one in their places, which is one transaction too.
//! Cells that many batches change are so written once.

use super::file::{BUCKETS, CALLS, CELLS, CHANGES, CLAIMS, META, RECEIPTS, names};
use super::merge::merged;
use super::reader::Reader;
use super::{Options, StoreError, cell, log, roots};
use crate::tree::{Bucket, Builder, Node, Tree, Updated};
use crate::{Changes, Claim};
use gavel_compiler::ledger::Root;
use redb::{Durability, TableDefinition, WriteTransaction};
use std::sync::Arc;

/// The bytes of one piece of calls or receipts: with what the database adds, they fit a page of
/// 256 KiB.
const PIECE: usize = 255 << 10;

/// A batch to be stored.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// What is claimed of it.
    pub claim: Claim,
    /// Its calls, in a form that the store doesn't know.
    pub calls: &'a [u8],
    /// Its receipts, in a form that the store doesn't know.
    pub receipts: &'a [u8],
    /// What it changed; they ascend by path.
    pub changes: Arc<Changes>,
    /// What the tree made of that.
    pub updated: Updated,
}

/// Writes batches. There is one for a state, and nothing but it writes.
#[derive(Debug)]
pub struct Writer {
    reader: Reader,
    unsaved: usize,
    last: u64,
    root: Root,
    checkpoint: u64,
    depth: u8,
    pending: Pending,
}

/// What the next checkpoint will write.
#[derive(Debug, Default)]
struct Pending {
    changes: Vec<Arc<Changes>>,
    roots: Vec<Vec<(Bucket, Node)>>,
    bytes: usize,
}

impl Pending {
    fn push(&mut self, changes: Arc<Changes>, roots: Vec<(Bucket, Node)>) {
        self.bytes += changes.bytes() + size_of_val(&roots[..]);
        self.changes.push(changes);
        self.roots.push(roots);
    }
}

impl Writer {
    pub(super) fn new(reader: Reader, options: &Options, tree: &Tree) -> Self {
        Self {
            reader,
            unsaved: options.unsaved,
            last: tree.batch(),
            root: tree.root(),
            checkpoint: tree.batch(),
            depth: tree.depth(),
            pending: Pending::default(),
        }
    }

    /// The number of the last batch, 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The last batch whose changes are in the stored cells. [`Tree::forget`] may be told of it,
    /// and whoever keeps changed cells in memory may drop those that no later batch changed.
    pub fn checkpointed(&self) -> u64 {
        self.checkpoint
    }

    /// The memory that changes since the last checkpoint take, in bytes.
    pub fn unsaved(&self) -> usize {
        self.pending.bytes
    }

    /// Stores a batch: when this returns, it is on the disk. Makes a checkpoint if there has been
    /// enough since the last one.
    ///
    /// # Errors
    /// If the batch doesn't follow the last one, or can't be written; then it isn't stored. An
    /// error of the checkpoint comes after the batch is stored: [`Writer::last`] tells.
    pub fn append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        self.check(&record)?;
        let claim = &record.claim;
        let pieces = log::pieces(&record.changes);
        let transaction = self.begin()?;
        {
            let bytes = log::claim_bytes(claim);
            transaction
                .open_table(CLAIMS)?
                .insert(claim.batch, &bytes[..])?;
            put(&transaction, CALLS, claim.batch, record.calls.chunks(PIECE))?;
            put(
                &transaction,
                RECEIPTS,
                claim.batch,
                record.receipts.chunks(PIECE),
            )?;
            put(
                &transaction,
                CHANGES,
                claim.batch,
                pieces.iter().map(|piece| &piece[..]),
            )?;
        }
        transaction.commit()?;
        self.took(claim, record.changes, record.updated.nodes);
        if self.pending.bytes > self.unsaved {
            self.checkpoint()?;
        }
        Ok(())
    }

    fn check(&self, record: &Record<'_>) -> Result<(), StoreError> {
        let (claim, updated) = (&record.claim, &record.updated);
        let next = self.last + 1;
        if let Some(found) = [claim.batch, updated.batch]
            .into_iter()
            .find(|n| *n != next)
        {
            return Err(StoreError::Order { next, found });
        }
        for (claimed, found) in [(claim.before, self.root), (claim.after, updated.root)] {
            if claimed != found {
                let batch = claim.batch;
                return Err(StoreError::Claim {
                    batch,
                    claimed,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Takes note of a batch that is in the log.
    pub(super) fn took(
        &mut self,
        claim: &Claim,
        changes: Arc<Changes>,
        roots: Vec<(Bucket, Node)>,
    ) {
        self.last = claim.batch;
        self.root = claim.after;
        self.pending.push(changes, roots);
    }

    /// Takes note of a genesis.
    pub(super) fn planted(&mut self, tree: &Tree) {
        self.root = tree.root();
        self.depth = tree.depth();
    }

    /// Puts the changes of all batches so far into the stored cells.
    ///
    /// # Errors
    /// If they can't be written; then nothing is lost, and the next checkpoint tries again.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        if self.checkpoint == self.last {
            return Ok(());
        }
        let transaction = self.begin()?;
        {
            let mut cells = transaction.open_table(CELLS)?;
            let mut bytes = Vec::new();
            for change in merged(&self.pending.changes) {
                if change.after.iter().all(|word| *word == 0) {
                    cells.remove(change.path)?;
                } else {
                    cell::encode(change.family, change.key, change.after, &mut bytes);
                    cells.insert(change.path, &bytes[..])?;
                }
            }
            let mut buckets = transaction.open_table(BUCKETS)?;
            let changed = self.pending.roots.iter().flatten();
            roots::write(&mut buckets, self.depth, changed)?;
            let mut meta = transaction.open_table(META)?;
            meta.insert(names::CHECKPOINT, &self.last.to_le_bytes()[..])?;
        }
        transaction.commit()?;
        self.checkpoint = self.last;
        self.pending = Pending::default();
        Ok(())
    }

    /// Makes a checkpoint and gives up the writer. Without this nothing is lost either, but the
    /// next start has to do it.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.checkpoint()
    }

    /// Cuts the tree anew, for as many cells as there are, and gives it. Makes a checkpoint. No
    /// batch may be under way: the old tree is of no use afterwards.
    ///
    /// # Errors
    /// If something can't be read or written.
    pub fn recut(&mut self) -> Result<Tree, StoreError> {
        self.checkpoint()?;
        let cells = self.reader.count()?;
        let depth = Tree::depth_for(cells);
        let mut builder = Builder::new(depth);
        for cell in self.reader.cells()? {
            let cell = cell?;
            builder.push(&cell.path, &cell.words);
        }
        let (tree, nodes) = builder.finish(self.last);
        if tree.root() != self.root {
            return Err(StoreError::Claim {
                batch: self.last,
                claimed: self.root,
                found: tree.root(),
            });
        }
        let transaction = self.begin()?;
        write_tree(&transaction, depth, &nodes)?;
        transaction.commit()?;
        self.depth = depth;
        Ok(tree)
    }

    /// A transaction that is on the disk when it is committed.
    pub(super) fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.reader.shared.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        // Calls are written by strangers, and the start after a crash shouldn't read everything:
        // a commit in two steps, and with what the database knows of free pages.
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}

/// Puts something of a batch in a table, piece by piece.
fn put<'a>(
    transaction: &WriteTransaction,
    table: TableDefinition<'static, (u64, u32), &'static [u8]>,
    batch: u64,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<(), StoreError> {
    let mut table = transaction.open_table(table)?;
    for (n, piece) in (0..).zip(pieces) {
        table.insert((batch, n), piece)?;
    }
    Ok(())
}

/// Puts another tree in the place of the stored one.
pub(super) fn write_tree(
    transaction: &WriteTransaction,
    depth: u8,
    nodes: &[(Bucket, Node)],
) -> Result<(), StoreError> {
    transaction.delete_table(BUCKETS)?;
    let mut buckets = transaction.open_table(BUCKETS)?;
    roots::write(&mut buckets, depth, nodes.iter())?;
    let mut meta = transaction.open_table(META)?;
    meta.insert(names::DEPTH, &[depth][..])?;
    Ok(())
}
