//! The state root: one hash that stands for all cells. `docs/ledger.md` has the bytes.
//!
//! This is the reference: it starts from nothing, in one pass over the sorted leaves. Every
//! node is one 64-byte block of keyed BLAKE3.

use super::state::{CellId, State};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The root of a state, or a node below it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Root(pub [u8; 32]);

impl Root {
    /// The tree without cells.
    pub const EMPTY: Self = Self([0; 32]);
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The root of all cells that aren't zero.
pub fn root(state: &State) -> Root {
    let cells = state.cells();
    let mut leaves: Vec<([u8; 32], Root)> = cells
        .map(|(cell, value)| {
            let path = path(cell);
            (path, leaf(&path, value))
        })
        .collect();
    leaves.sort();
    subtree(&leaves, 0)
}

/// Where a cell hangs: the bits of this hash, first byte first, high bit first; 0 is left.
pub fn path(cell: &CellId) -> [u8; 32] {
    let mut bytes = cell.family.to_le_bytes().to_vec();
    bytes.extend(word_bytes(&cell.key));
    keyed("cell", &bytes)
}

/// The node of a cell with this path and value.
pub fn leaf(path: &[u8; 32], value: &[u32]) -> Root {
    let mut bytes = word_bytes(value);
    if bytes.len() > 32 {
        bytes = keyed("value", &bytes).to_vec();
    }
    bytes.resize(32, 0);
    Root(keyed("leaf", &[&path[..], &bytes].concat()))
}

/// The node above two others.
pub fn branch(left: Root, right: Root) -> Root {
    Root(keyed("branch", &[left.0, right.0].concat()))
}

/// The node of sorted leaves whose paths agree in the first `depth` bits.
fn subtree(leaves: &[([u8; 32], Root)], depth: usize) -> Root {
    match leaves {
        [] => Root::EMPTY,
        [(_, leaf)] => *leaf,
        _ => {
            let right = leaves.partition_point(|(path, _)| !bit(path, depth));
            let (left, right) = leaves.split_at(right);
            branch(subtree(left, depth + 1), subtree(right, depth + 1))
        }
    }
}

/// A bit of a path. Beyond its end they count as 0, and no two cells have one path.
fn bit(path: &[u8; 32], depth: usize) -> bool {
    let byte = path.get(depth / 8).copied().unwrap_or(0);
    byte & (0x80 >> (depth % 8)) != 0
}

fn word_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// BLAKE3 with the domain's name as its key, filled up with zeros.
fn keyed(domain: &str, bytes: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    for (slot, byte) in key.iter_mut().zip(domain.bytes()) {
        *slot = byte;
    }
    *blake3::keyed_hash(&key, bytes).as_bytes()
}
