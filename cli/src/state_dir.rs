//! The state of a ledger in a folder, with what is kept about its contract.

use std::collections::BTreeSet;
use std::path::Path;

use bitcoin::secp256k1::XOnlyPublicKey;
use gavel_compiler::ledger::{CellId, NONCES};
use gavel_prover::store::{Options, Reader, Store, StoreError};
use gavel_prover::{About, Located};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::secret_key::words;

/// An open state.
#[derive(Debug)]
pub struct StateDir {
    /// The state.
    pub store: Store,
    /// Its contract.
    pub about: About,
}

impl StateDir {
    /// Opens the state in a folder, which must be there; with a contract's id, of that contract.
    pub fn open(dir: &Path, contract: Option<[u8; 32]>, options: Options) -> Result<Self, Failure> {
        let store = Store::open(dir, contract, options).map_err(failed)?;
        let about = About::from_bytes(&store.reader.about().map_err(failed)?)
            .map_err(|error| damaged(dir, &error))?;
        Ok(Self { store, about })
    }
}

/// The nonce that a signer's next call has.
pub fn next_nonce(reader: &Reader, key: &XOnlyPublicKey) -> Result<u64, Failure> {
    let cell = CellId {
        family: NONCES,
        key: words(key).to_vec(),
    };
    let words = reader.cell(&cell).map_err(failed)?;
    let words = words.iter().take(2).rev();
    Ok(words.fold(0, |n, word| (n << 32) | u64::from(*word)))
}

/// Why a state can't be used.
pub fn failed(error: StoreError) -> Failure {
    let (exit, kind) = match &error {
        StoreError::Missing(_) => (Exit::Usage, "no-state"),
        StoreError::Exists(_) => (Exit::Usage, "exists"),
        StoreError::Locked(_) => (Exit::Environment, "state-in-use"),
        StoreError::Newer { .. } => (Exit::Environment, "state-newer"),
        StoreError::OtherContract { .. } => (Exit::Usage, "other-contract"),
        StoreError::Damaged(_) | StoreError::Claim { .. } => (Exit::No, "state-damaged"),
        StoreError::Io { .. } | StoreError::Database(_) => (Exit::Environment, "state-io"),
        StoreError::NoBatch { .. } => (Exit::Usage, "no-such-batch"),
        StoreError::Started => (Exit::Usage, "state-started"),
        StoreError::Twice(_) | StoreError::TooLong(_) | StoreError::Order { .. } => {
            (Exit::No, "state")
        }
    };
    Failure::new(exit, kind, error.to_string())
}

/// The place of a state that a text names.
pub fn place(about: &About, text: &str) -> Result<Located, Failure> {
    about.place(text).map_err(|error| {
        let fields: BTreeSet<&str> = about.families.iter().map(|f| f.field.as_str()).collect();
        let fields: Vec<&str> = fields.into_iter().collect();
        let failure = Failure::new(Exit::Usage, "place", error.to_string());
        failure.hint(format!(
            "The state of {} has: {}.",
            about.name,
            fields.join(", ")
        ))
    })
}

/// What is stored makes no sense.
pub fn damaged(dir: &Path, why: &dyn std::error::Error) -> Failure {
    let message = format!("{}: the stored state is damaged: {why}", dir.display());
    Failure::new(Exit::No, "state-damaged", message)
        .hint("Restore it from a copy, or run the batches again.")
}

/// A batch that isn't there.
pub fn no_batch(reader: &Reader, batch: u64) -> Failure {
    match reader.last() {
        Ok(last) => failed(StoreError::NoBatch { found: batch, last }),
        Err(error) => failed(error),
    }
}
