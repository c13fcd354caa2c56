//! What is stored of a batch, as bytes.

use super::StoreError;
use super::bytes::{Bytes, put_shorts, put_words};
use crate::{Change, Changes, Claim};
use gavel_compiler::ledger::Root;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// How many changes are in one piece, so that pieces are written and read side by side.
const TOGETHER: usize = 4096;

/// A claim: its fields in their order, numbers little end first.
pub(super) fn claim_bytes(claim: &Claim) -> Vec<u8> {
    let mut bytes = claim.batch.to_le_bytes().to_vec();
    bytes.extend(claim.height.to_le_bytes());
    bytes.extend(claim.calls.to_le_bytes());
    for root in [claim.digest, claim.before, claim.after] {
        bytes.extend(root.0);
    }
    bytes
}

pub(super) fn claim(bytes: &[u8]) -> Result<Claim, StoreError> {
    let mut bytes = Bytes::new(bytes, "a claim");
    let claim = Claim {
        batch: bytes.u64()?,
        height: bytes.u32()?,
        calls: bytes.u64()?,
        digest: Root(bytes.array()?),
        before: Root(bytes.array()?),
        after: Root(bytes.array()?),
    };
    bytes.end()?;
    Ok(claim)
}

/// The pieces of changes, which ascend.
pub(super) fn pieces(changes: &Changes) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..changes.len()).step_by(TOGETHER).collect();
    let piece = |start: usize| piece(changes.range(start..changes.len().min(start + TOGETHER)));
    starts.into_par_iter().map(piece).collect()
}

/// A family with the lengths of a key and a value.
type Shape = (u16, u16, u16);

/// The number of shapes, each shape, then each change: its shape's place, its key, its value
/// before, its value after. Paths follow from families and keys.
fn piece<'a>(changes: impl Iterator<Item = Change<'a>>) -> Vec<u8> {
    let mut places: FxHashMap<Shape, u16> = FxHashMap::default();
    let mut shapes: Vec<Shape> = Vec::new();
    let mut body = Vec::with_capacity(64 * TOGETHER);
    for change in changes {
        let shape = (
            change.family,
            change.key.len() as u16,
            change.after.len() as u16,
        );
        let place = *places.entry(shape).or_insert_with(|| {
            shapes.push(shape);
            (shapes.len() - 1) as u16
        });
        body.extend(place.to_le_bytes());
        put_words(change.key, &mut body);
        put_shorts(change.before, &mut body);
        put_shorts(change.after, &mut body);
    }
    let mut bytes = (shapes.len() as u16).to_le_bytes().to_vec();
    for (family, key, value) in shapes {
        for number in [family, key, value] {
            bytes.extend(number.to_le_bytes());
        }
    }
    bytes.append(&mut body);
    bytes
}

/// The changes of pieces in their order.
pub(super) fn changes(pieces: &[Vec<u8>]) -> Result<Changes, StoreError> {
    let read: Result<Vec<Changes>, StoreError> =
        pieces.par_iter().map(|piece| read(piece)).collect();
    let mut all = Changes::new();
    for piece in read? {
        all.append(piece);
    }
    if !all.iter().is_sorted_by(|a, b| a.path < b.path) {
        return Err(StoreError::damaged(
            "the changes of a batch are out of order",
        ));
    }
    Ok(all)
}

fn read(piece: &[u8]) -> Result<Changes, StoreError> {
    let mut bytes = Bytes::new(piece, "the changes of a batch");
    let mut shapes: Vec<Shape> = Vec::new();
    for _ in 0..bytes.u16()? {
        shapes.push((bytes.u16()?, bytes.u16()?, bytes.u16()?));
    }
    let mut changes = Changes::new();
    let (mut key, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
    while bytes.len() > 0 {
        let shape = shapes.get(usize::from(bytes.u16()?)).copied();
        let wrong = || StoreError::damaged("the changes of a batch have a wrong shape");
        let (family, keys, values) = shape.ok_or_else(wrong)?;
        for words in [&mut key, &mut before, &mut after] {
            words.clear();
        }
        bytes.words(keys, &mut key)?;
        bytes.shorts(values, &mut before)?;
        bytes.shorts(values, &mut after)?;
        changes.push(Change {
            path: &crate::tree::path(family, &key),
            family,
            key: &key,
            before: &before,
            after: &after,
        });
    }
    Ok(changes)
}
