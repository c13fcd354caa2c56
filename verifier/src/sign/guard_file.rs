//! The guard on disk: an append-only file, synced before any signature is released.
//!
//! A header names the seed. Each record carries a checksum over itself and the checksum before
//! it, so a change, a swap or a hole anywhere is found. A crash may leave the end of the last
//! write torn: bytes that don't fill a record, or only zeros. That is cut off, because
//! [`Guard::commit`] hadn't returned and so nothing was signed. Anything else that doesn't
//! check is damage, and the file is refused. Records cut off whole from the end can't be seen:
//! a file copied back from a backup must be opened with [`FileGuard::restored`].

use super::guard::{Guard, GuardError, Ledger, Record, Source};
use super::hash::Tagged;
use super::seed::Seed;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Starts a file that began empty.
const MAGIC: &[u8; 8] = b"gavelgd1";
/// Starts a file that was lost and begun again after a restore.
const MAGIC_RESTORED: &[u8; 8] = b"gavelgr1";
const HEADER: usize = 48;
const BODY: usize = 65;
const RECORD: usize = BODY + 8;

type Checksum = [u8; 8];

/// What a record says.
#[derive(Clone, Copy)]
enum Entry {
    /// A key is bound to a message.
    Bound { key: [u8; 32], message: [u8; 32] },
    /// From here on the party is one restored from a backup.
    Restored,
    /// The user vouched that nothing was forgotten.
    Lifted,
}

/// A [`Guard`] in a file, locked against other processes.
#[derive(Debug)]
pub struct FileGuard {
    file: File,
    path: PathBuf,
    ledger: Ledger,
    last: Checksum,
    poisoned: bool,
}

impl FileGuard {
    /// A new file, for a seed that has never signed anything.
    pub fn create(path: impl Into<PathBuf>, seed: &Seed) -> Result<Self, GuardError> {
        Self::begin(path.into(), seed, false)
    }

    fn begin(path: PathBuf, seed: &Seed, restored: bool) -> Result<Self, GuardError> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(io(&path))?;
        lock(&file, &path)?;
        let header = header(&seed.owner(), restored);
        file.write_all(&header).map_err(io(&path))?;
        file.sync_all().map_err(io(&path))?;
        sync_directory(&path)?;
        Ok(Self {
            file,
            path,
            ledger: Ledger {
                restored,
                ..Ledger::default()
            },
            last: tail(&header),
            poisoned: false,
        })
    }

    /// The file of an earlier run. It must exist: a missing memory isn't an empty one.
    pub fn open(path: impl Into<PathBuf>, seed: &Seed) -> Result<Self, GuardError> {
        let path = path.into();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(io(&path))?;
        lock(&file, &path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io(&path))?;
        let read = Contents::parse(&bytes, &seed.owner(), &path)?;
        if read.length != bytes.len() {
            file.set_len(read.length as u64).map_err(io(&path))?;
        }
        // What was read may not have reached the disk before the crash.
        file.sync_all().map_err(io(&path))?;
        sync_directory(&path)?;
        Ok(Self {
            file,
            path,
            ledger: read.ledger,
            last: read.last,
            poisoned: false,
        })
    }

    /// The file after a restore from a backup, created if it was lost. Until
    /// [`FileGuard::lift_restore`], in this run and later ones, no new [`Source::Choice`] is
    /// signed.
    pub fn restored(path: impl Into<PathBuf>, seed: &Seed) -> Result<Self, GuardError> {
        let path = path.into();
        let mut guard = match Self::begin(path.clone(), seed, true) {
            Err(GuardError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::AlreadyExists =>
            {
                Self::open(path, seed)?
            }
            begun => return begun,
        };
        guard.append(&[Entry::Restored])?;
        guard.ledger.restored = true;
        Ok(guard)
    }

    /// Lifts the restriction after a restore. Only for a user who knows that nothing was
    /// signed after the backup was made: if that is wrong, it can cost the bond.
    pub fn lift_restore(&mut self) -> Result<(), GuardError> {
        self.append(&[Entry::Lifted])?;
        self.ledger.restored = false;
        Ok(())
    }

    /// Whether the restriction after a restore is in force.
    pub fn is_restored(&self) -> bool {
        self.ledger.restored
    }

    fn append(&mut self, entries: &[Entry]) -> Result<(), GuardError> {
        if self.poisoned {
            return Err(GuardError::Poisoned {
                path: self.path.clone(),
            });
        }
        let mut bytes = Vec::new();
        let mut last = self.last;
        for entry in entries {
            let body = entry.to_bytes();
            last = checksum(&last, &body);
            bytes.extend_from_slice(&body);
            bytes.extend_from_slice(&last);
        }
        let written = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_all());
        if let Err(source) = written {
            self.poisoned = true;
            let path = self.path.clone();
            return Err(GuardError::Io { path, source });
        }
        self.last = last;
        Ok(())
    }
}

impl Guard for FileGuard {
    fn commit(&mut self, records: &[Record]) -> Result<(), GuardError> {
        let new = self.ledger.admit(records)?;
        let entries: Vec<Entry> = new
            .iter()
            .map(|Record { key, message, .. }| Entry::Bound {
                key: *key,
                message: *message,
            })
            .collect();
        // Even when nothing is new: a poisoned guard must not vouch for anything.
        self.append(&entries)?;
        self.ledger.insert(&new);
        Ok(())
    }
}

impl Entry {
    fn to_bytes(self) -> [u8; BODY] {
        let (kind, key, message) = match self {
            Self::Bound { key, message } => (1, key, message),
            Self::Restored => (2, [0; 32], [0; 32]),
            Self::Lifted => (3, [0; 32], [0; 32]),
        };
        let mut bytes = [0; BODY];
        let all = std::iter::once(kind).chain(key).chain(message);
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (key, message) = rest.split_first_chunk()?;
        match kind {
            1 => Some(Self::Bound {
                key: *key,
                message: message.try_into().ok()?,
            }),
            2 => Some(Self::Restored),
            3 => Some(Self::Lifted),
            _ => None,
        }
    }
}

/// What a file holds.
struct Contents {
    ledger: Ledger,
    last: Checksum,
    length: usize,
}

impl Contents {
    fn parse(bytes: &[u8], owner: &[u8; 32], path: &Path) -> Result<Self, GuardError> {
        let corrupted = |offset| GuardError::Corrupted {
            path: path.to_owned(),
            offset,
        };
        let (head, mut rest) = bytes.split_at_checked(HEADER).ok_or(corrupted(0))?;
        let theirs: [u8; 32] = head
            .get(MAGIC.len()..)
            .and_then(|rest| rest.first_chunk().copied())
            .ok_or(corrupted(0))?;
        let restored = head.starts_with(MAGIC_RESTORED);
        if head != header(&theirs, restored) {
            return Err(corrupted(0));
        }
        if theirs != *owner {
            let path = path.to_owned();
            return Err(GuardError::WrongOwner { path });
        }
        let mut ledger = Ledger {
            restored,
            ..Ledger::default()
        };
        let mut last = tail(head);
        let mut length = HEADER;
        while let Some((record, after)) = rest.split_at_checked(RECORD) {
            if rest.iter().all(|byte| *byte == 0) {
                break;
            }
            let (body, sum) = record.split_at_checked(BODY).ok_or(corrupted(length))?;
            last = checksum(&last, body);
            if sum != last {
                return Err(corrupted(length));
            }
            match Entry::from_bytes(body).ok_or(corrupted(length))? {
                Entry::Bound { key, message } => ledger.insert(&[Record {
                    key,
                    message,
                    source: Source::Choice,
                }]),
                Entry::Restored => ledger.restored = true,
                Entry::Lifted => ledger.restored = false,
            }
            length = length.saturating_add(RECORD);
            rest = after;
        }
        Ok(Self {
            ledger,
            last,
            length,
        })
    }
}

fn header(owner: &[u8; 32], restored: bool) -> Vec<u8> {
    let magic = if restored { MAGIC_RESTORED } else { MAGIC };
    let mut bytes = [magic.as_slice(), owner].concat();
    let sum = checksum(&[0; 8], &bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

fn checksum(before: &Checksum, bytes: &[u8]) -> Checksum {
    tail(
        &Tagged::new("gavel/guard-file")
            .field(before)
            .field(bytes)
            .finish(),
    )
}

/// The last eight bytes; zeros if there are fewer.
fn tail(bytes: &[u8]) -> Checksum {
    bytes.last_chunk().copied().unwrap_or_default()
}

fn lock(file: &File, path: &Path) -> Result<(), GuardError> {
    let path = path.to_owned();
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => GuardError::Locked { path },
        TryLockError::Error(source) => GuardError::Io { path, source },
    })
}

/// Makes a new name in the directory survive a crash.
fn sync_directory(path: &Path) -> Result<(), GuardError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(io(parent))?;
    #[cfg(not(unix))]
    let _ = parent;
    Ok(())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> GuardError {
    let path = path.to_owned();
    move |source| GuardError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failed_write_nothing_is_signed_until_reopened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("guard");
        let seed = Seed::from_bytes(&[1; 32]);
        let mut guard = FileGuard::create(&path, &seed).unwrap();
        let record = |message| Record {
            key: [1; 32],
            message: [message; 32],
            source: Source::Choice,
        };
        let writable = std::mem::replace(&mut guard.file, File::open(&path).unwrap());
        let failed = guard.commit(&[record(1)]);
        assert!(matches!(failed, Err(GuardError::Io { .. })));
        guard.file = writable;
        for message in [1, 2] {
            let refused = guard.commit(&[record(message)]);
            assert!(matches!(refused, Err(GuardError::Poisoned { .. })));
        }
        assert!(matches!(
            guard.commit(&[]),
            Err(GuardError::Poisoned { .. })
        ));
        drop(guard);
        let mut guard = FileGuard::open(&path, &seed).unwrap();
        guard.commit(&[record(2)]).unwrap();
    }
}
