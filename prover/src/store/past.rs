//! The state before a batch, from what later batches changed.

use super::merge::merged;
use super::reader::Snapshot;
use super::{Reader, StoreError};
use crate::{Backing, Changes};
use gavel_compiler::ledger::Root;

/// The cells as they were before some batch. It takes memory for all cells that were changed
/// between then and the last checkpoint, but reads none before they are asked for.
pub struct Past {
    root: Root,
    snapshot: Snapshot,
    changes: Changes,
    /// Whether the checkpoint comes first, and what is looked for afterwards.
    forwards: bool,
}

impl Reader {
    /// The state before a batch; the number after the last one gives the state after that.
    ///
    /// # Errors
    /// If there is no such batch, or something can't be read.
    pub fn state_before(&self, batch: u64) -> Result<Past, StoreError> {
        let last = self.last()?;
        let root = match batch.checked_sub(1) {
            Some(0) => Some(self.genesis()?),
            Some(earlier) => self.claim(earlier)?.map(|claim| claim.after),
            None => None,
        };
        let root = root.ok_or(StoreError::NoBatch { found: batch, last })?;
        let snapshot = self.snapshot()?;
        let checkpoint = snapshot.checkpoint()?;
        let forwards = batch > checkpoint;
        let between = if forwards {
            checkpoint + 1..batch
        } else {
            batch..checkpoint + 1
        };
        let batches: Result<Vec<Changes>, StoreError> = between.map(|n| self.known(n)).collect();
        let mut changes = Changes::new();
        for change in merged(&batches?) {
            changes.push(change);
        }
        Ok(Past {
            root,
            snapshot,
            changes,
            forwards,
        })
    }

    /// The changes of a batch that must be there.
    pub(super) fn known(&self, batch: u64) -> Result<Changes, StoreError> {
        let missing = || StoreError::damaged(format!("batch {batch} is missing"));
        self.changes(batch)?.ok_or_else(missing)
    }
}

impl Past {
    /// The changes that lead from the stored cells to this state.
    pub fn way_back(&self) -> Changes {
        if self.forwards {
            return self.changes.clone();
        }
        let mut back = Changes::new();
        for change in self.changes.iter() {
            back.push(crate::Change {
                before: change.after,
                after: change.before,
                ..change
            });
        }
        back
    }

    /// The root of this state.
    pub fn root(&self) -> Root {
        self.root
    }
}

impl Backing for Past {
    type Error = StoreError;

    fn load(&self, paths: &[[u8; 32]]) -> Result<Vec<Vec<u32>>, StoreError> {
        let word = |path| {
            let change = self.changes.get(self.changes.before(path));
            let Some(change) = change.filter(|change| change.path == path) else {
                return self.snapshot.load(path);
            };
            let words = if self.forwards {
                change.after
            } else {
                change.before
            };
            let is_zero = words.iter().all(|word| *word == 0);
            Ok(if is_zero { Vec::new() } else { words.to_vec() })
        };
        paths.iter().map(word).collect()
    }
}
