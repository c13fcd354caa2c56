//! The guard against a second use of a one-time key.
//!
//! **Invariant:** a signature exists only for a message that the guard has recorded, durably,
//! before. Two messages under one key let anybody forge more.

use super::hash::Tagged;
use gavel_compiler::commit::Shape;
use std::collections::HashMap;
use std::path::PathBuf;

/// Where the message of a one-time signature comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The party chose it: an input. A party that lost its memory could choose another one.
    Choice,
    /// It follows from a Claim that is confirmed on chain: a frame. Computing it again gives
    /// the same message.
    Chain,
}

/// One entry: this key signs this message, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Names the one-time key, across contracts.
    pub key: [u8; 32],
    /// Digest of the message.
    pub message: [u8; 32],
    /// Where the message comes from.
    pub source: Source,
}

impl Record {
    /// The entry for digits of a shape.
    pub(super) fn new(key: [u8; 32], shape: Shape, digits: &[u8], source: Source) -> Self {
        let message = Tagged::new("gavel/one-time-message")
            .field(&(shape.message as u64).to_le_bytes())
            .field(digits)
            .finish();
        Self {
            key,
            message,
            source,
        }
    }
}

/// Remembers what each one-time key signed.
pub trait Guard {
    /// Records all entries, or none. When this returns `Ok`, they survive a crash.
    ///
    /// A recorded entry may be repeated. A second message for a key is refused, and so is a
    /// new [`Source::Choice`] after a restore from backup.
    fn commit(&mut self, records: &[Record]) -> Result<(), GuardError>;
}

/// Why the guard forbids signing, or can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The key has signed, or is about to sign, another message.
    #[error("record {at}: this one-time key is already bound to another message")]
    SecondMessage {
        /// Index among the records of the call.
        at: usize,
    },
    /// The party was restored from a backup and may have signed something it forgot.
    #[error("record {at}: restored from a backup, so no new choice is signed")]
    Restored {
        /// Index among the records of the call.
        at: usize,
    },
    /// An earlier write failed, so what the disk holds is unknown until the file is reopened.
    #[error("{path}: an earlier write failed; reopen the guard")]
    Poisoned {
        /// The guard's file.
        path: PathBuf,
    },
    /// Another process has the file open.
    #[error("{path}: in use by another process")]
    Locked {
        /// The guard's file.
        path: PathBuf,
    },
    /// The file isn't what was written.
    #[error("{path}: damaged at byte {offset}; without it, nothing may be signed")]
    Corrupted {
        /// The guard's file.
        path: PathBuf,
        /// Where the first damaged record starts.
        offset: usize,
    },
    /// The file belongs to another seed.
    #[error("{path}: belongs to another seed")]
    WrongOwner {
        /// The guard's file.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The guard's file, or its directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The rules, without the disk.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) seen: HashMap<[u8; 32], [u8; 32]>,
    pub(super) restored: bool,
}

impl Ledger {
    /// The entries that aren't recorded yet, if all are allowed.
    pub(super) fn admit(&self, records: &[Record]) -> Result<Vec<Record>, GuardError> {
        let mut fresh: HashMap<[u8; 32], [u8; 32]> = HashMap::new();
        let mut new = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let known = self.seen.get(&record.key).or(fresh.get(&record.key));
            match known {
                Some(message) if *message == record.message => {}
                Some(_) => return Err(GuardError::SecondMessage { at }),
                None if self.restored && record.source == Source::Choice => {
                    return Err(GuardError::Restored { at });
                }
                None => {
                    fresh.insert(record.key, record.message);
                    new.push(*record);
                }
            }
        }
        Ok(new)
    }

    pub(super) fn insert(&mut self, records: &[Record]) {
        self.seen
            .extend(records.iter().map(|record| (record.key, record.message)));
    }
}

/// A guard that forgets when the process ends: for tests and simulations only.
#[derive(Debug, Default)]
pub struct MemoryGuard(Ledger);

impl MemoryGuard {
    /// An empty guard.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Guard for MemoryGuard {
    fn commit(&mut self, records: &[Record]) -> Result<(), GuardError> {
        let new = self.0.admit(records)?;
        self.0.insert(&new);
        Ok(())
    }
}
