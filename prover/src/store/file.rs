//! The file: its tables, and how it is made, found and locked.

use super::{Options, StoreError};
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A table of bytes by keys of some kind.
type Bytes<K> = TableDefinition<'static, K, &'static [u8]>;

/// What is so of the whole state, by name.
pub(super) const META: Bytes<&str> = TableDefinition::new("meta");
/// Cells by path, as after the last batch that is checkpointed.
pub(super) const CELLS: Bytes<&[u8; 32]> = TableDefinition::new("cells");
/// The roots of the tree's buckets, in chunks, as after that batch.
pub(super) const BUCKETS: Bytes<u32> = TableDefinition::new("buckets");
/// Claims by batch.
pub(super) const CLAIMS: Bytes<u64> = TableDefinition::new("claims");
/// Pieces of the calls of a batch, of its receipts, and of its changes.
pub(super) const CALLS: Bytes<(u64, u32)> = TableDefinition::new("calls");
pub(super) const RECEIPTS: Bytes<(u64, u32)> = TableDefinition::new("receipts");
pub(super) const CHANGES: Bytes<(u64, u32)> = TableDefinition::new("changes");

/// The format that is written and read here.
pub(super) const FORMAT: u32 = 1;

/// Names in [`META`].
pub(super) mod names {
    pub(crate) const FORMAT: &str = "format";
    pub(crate) const CONTRACT: &str = "contract";
    pub(crate) const ABOUT: &str = "about";
    pub(crate) const GENESIS: &str = "genesis";
    pub(crate) const DEPTH: &str = "depth";
    pub(crate) const CHECKPOINT: &str = "checkpoint";
}

fn place(dir: &Path) -> PathBuf {
    dir.join("state.redb")
}

/// Makes a new file, with what `fill` puts in it, or nothing at all.
pub(super) fn create(
    dir: &Path,
    options: &Options,
    fill: impl FnOnce(&Database) -> Result<(), StoreError>,
) -> Result<Database, StoreError> {
    fs::create_dir_all(dir).map_err(StoreError::io(dir))?;
    let place = place(dir);
    if place.exists() {
        return Err(StoreError::Exists(dir.to_path_buf()));
    }
    // Under another name until it is whole: whoever is killed here leaves no half of a state.
    let fresh = dir.join(format!("state.redb.new.{}", std::process::id()));
    if let Err(error) = fs::remove_file(&fresh)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(StoreError::io(&fresh)(error));
    }
    let database = builder(options)
        .create(&fresh)
        .map_err(|error| opening(dir, error))?;
    fill(&database)?;
    // A link, since a rename would replace what somebody else has made meanwhile.
    let linked = fs::hard_link(&fresh, &place);
    fs::remove_file(&fresh).map_err(StoreError::io(&fresh))?;
    linked.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists(dir.to_path_buf()),
        _ => StoreError::io(&place)(error),
    })?;
    let folder = fs::File::open(dir).and_then(|folder| folder.sync_all());
    folder.map_err(StoreError::io(dir))?;
    Ok(database)
}

/// Opens the file of a state that was made before.
pub(super) fn open(dir: &Path, options: &Options) -> Result<Database, StoreError> {
    let place = place(dir);
    let database = builder(options).open(place);
    let database = database.map_err(|error| opening(dir, error))?;
    let format = meta_number(&database, names::FORMAT)?;
    let found = u32::from_le_bytes(format);
    if found > FORMAT {
        return Err(StoreError::Newer {
            place: dir.to_path_buf(),
            found,
            known: FORMAT,
        });
    }
    Ok(database)
}

fn builder(options: &Options) -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache);
    builder.set_check_integrity_on_open(options.check);
    builder
}

fn opening(dir: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::Locked(dir.to_path_buf())
        }
        DatabaseError::Storage(redb::StorageError::Io(source)) => match source.kind() {
            ErrorKind::NotFound => StoreError::Missing(dir.to_path_buf()),
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                StoreError::damaged(format!("{}: {source}", place(dir).display()))
            }
            _ => StoreError::io(&place(dir))(source),
        },
        other => other.into(),
    }
}

/// What is stored under a name.
pub(super) fn meta(database: &Database, name: &str) -> Result<Vec<u8>, StoreError> {
    let table = database.begin_read()?.open_table(META)?;
    let found = table.get(name)?;
    let found = found.ok_or_else(|| StoreError::damaged(format!("it has no {name}")))?;
    Ok(found.value().to_vec())
}

/// A number or hash of so many bytes.
pub(super) fn meta_number<const N: usize>(
    database: &Database,
    name: &str,
) -> Result<[u8; N], StoreError> {
    let bytes = meta(database, name)?;
    let wrong = |_| StoreError::damaged(format!("its {name} has a wrong length"));
    bytes.try_into().map_err(wrong)
}
