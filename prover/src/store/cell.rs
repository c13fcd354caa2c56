//! A cell as it is stored beside its path.

use super::StoreError;
use super::bytes::{Bytes, put_words};
use gavel_compiler::ledger::CellId;

/// A cell that isn't zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCell {
    /// Where it hangs.
    pub path: [u8; 32],
    /// Its name.
    pub cell: CellId,
    /// Its words.
    pub words: Vec<u32>,
}

/// Family, number of key words, key, value.
pub(super) fn encode(family: u16, key: &[u32], words: &[u32], to: &mut Vec<u8>) {
    to.clear();
    to.extend(family.to_le_bytes());
    to.extend((key.len() as u16).to_le_bytes());
    put_words(key, to);
    put_words(words, to);
}

/// The words of a value, appended.
pub(super) fn value(bytes: &[u8], to: &mut Vec<u32>) -> Result<(), StoreError> {
    let mut bytes = Bytes::new(bytes, "a cell");
    bytes.u16()?;
    let key = bytes.u16()?;
    bytes.take(4 * usize::from(key))?;
    rest(bytes, to)
}

pub(super) fn decode(path: [u8; 32], bytes: &[u8]) -> Result<StoredCell, StoreError> {
    let mut bytes = Bytes::new(bytes, "a cell");
    let family = bytes.u16()?;
    let (mut key, mut words) = (Vec::new(), Vec::new());
    let count = bytes.u16()?;
    bytes.words(count, &mut key)?;
    rest(bytes, &mut words)?;
    let cell = CellId { family, key };
    Ok(StoredCell { path, cell, words })
}

fn rest(mut bytes: Bytes<'_>, to: &mut Vec<u32>) -> Result<(), StoreError> {
    let count = (bytes.len() / 4) as u16;
    bytes.words(count, to)?;
    bytes.end()
}
