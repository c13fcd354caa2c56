//! What can go wrong with stored state.

use crate::tree::TreeError;
use gavel_compiler::ledger::{CellId, Root};
use std::io;
use std::path::{Path, PathBuf};

/// Why stored state can't be made, opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No state has been made there.
    #[error("{}: no ledger's state is here; make one first, or look for the right folder", .0.display())]
    Missing(PathBuf),
    /// A new state needs a place of its own.
    #[error("{}: there is a ledger's state here already; choose another folder", .0.display())]
    Exists(PathBuf),
    /// Another process has it open.
    #[error("{}: another process uses this state; stop it first", .0.display())]
    Locked(PathBuf),
    /// A later version of Gavel wrote it.
    #[error(
        "{}: the state has format {found}, this version knows {known}; use a newer one",
        .place.display()
    )]
    Newer {
        /// Where it is.
        place: PathBuf,
        /// Its format.
        found: u32,
        /// The format that is written here.
        known: u32,
    },
    /// It is another contract's.
    #[error("{}: the state belongs to the contract {found}, not to {expected}", .place.display())]
    OtherContract {
        /// Where it is.
        place: PathBuf,
        /// Whose it is.
        found: Root,
        /// Whose it should be.
        expected: Root,
    },
    /// What is stored contradicts itself.
    #[error("the stored state is damaged: {0}; restore it from a copy, or run the batches again")]
    Damaged(String),
    /// Files can't be read or written.
    #[error("{}: {source}", .place.display())]
    Io {
        /// Which file or folder.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database refuses.
    #[error("the database of the state: {0}")]
    Database(redb::Error),
    /// A batch that doesn't follow the last one.
    #[error("batch {found} can't be stored: the next one is {next}")]
    Order {
        /// The number that the next batch has.
        next: u64,
        /// The number that this one has.
        found: u64,
    },
    /// A batch that starts or ends elsewhere than its claim says.
    #[error("batch {batch} is claimed to have the root {claimed}, but has {found}")]
    Claim {
        /// The batch.
        batch: u64,
        /// What the claim says.
        claimed: Root,
        /// What is so.
        found: Root,
    },
    /// A batch that isn't stored.
    #[error("batch {found} isn't stored: the last one is {last}")]
    NoBatch {
        /// The batch.
        found: u64,
        /// The last one that is.
        last: u64,
    },
    /// Cells are given before the first batch or not at all.
    #[error("the state has cells or batches already; a genesis needs an empty one")]
    Started,
    /// A genesis with two values for a cell.
    #[error("the genesis has two values for the cell of family {} with key {:?}", .0.family, .0.key)]
    Twice(CellId),
    /// A cell that no contract can have.
    #[error("the cell of family {} has a key or value of 2^16 words or more", .0.family)]
    TooLong(CellId),
}

impl StoreError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// For the errors of files.
    pub(super) fn io(place: &Path) -> impl FnOnce(io::Error) -> Self {
        let place = place.to_path_buf();
        move |source| Self::Io { place, source }
    }
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::Corrupted(what) => Self::Damaged(what),
            other => Self::Database(other),
        }
    }
}

impl From<TreeError<StoreError>> for StoreError {
    fn from(error: TreeError<StoreError>) -> Self {
        match error {
            TreeError::Source(error) => error,
            damaged @ TreeError::Disagrees { .. } => Self::Damaged(damaged.to_string()),
        }
    }
}
