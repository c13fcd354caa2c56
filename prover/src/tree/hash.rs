//! Keyed BLAKE3 of many 64-byte blocks at once.
//!
//! A keyed hash of exactly one block is one compression, and BLAKE3's own code does up to sixteen
//! of those side by side. The crate has no documented function for that: [`Platform`] is public
//! but hidden, so the workspace pins the crate to one release, and `tests/tree.rs` compares
//! roots with the reference, which uses what is documented.

use blake3::IncrementCounter;
use blake3::platform::{Platform, words_from_le_bytes_32};

/// A node or a path: what a hash gives.
pub(crate) type Hash = [u8; 32];

/// What one compression hashes.
pub(crate) type Block = [u8; 64];

/// How many blocks are hashed side by side.
pub(crate) const WIDTH: usize = 16;

/// What a hash stands for. Its name is the key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Domain {
    /// A cell's path.
    Cell,
    /// A value of more than eight words.
    Value,
    /// A cell with its value.
    Leaf,
    /// Two nodes.
    Branch,
}

impl Domain {
    fn key(self) -> [u8; 32] {
        let name: &[u8] = match self {
            Self::Cell => b"cell",
            Self::Value => b"value",
            Self::Leaf => b"leaf",
            Self::Branch => b"branch",
        };
        let mut key = [0; 32];
        for (slot, byte) in key.iter_mut().zip(name) {
            *slot = *byte;
        }
        key
    }

    /// The hash of any bytes.
    pub(crate) fn hash(self, bytes: &[u8]) -> Hash {
        *blake3::keyed_hash(&self.key(), bytes).as_bytes()
    }

    /// The hashes of blocks, in their order.
    pub(crate) fn wide(self, blocks: &[Block], hashes: &mut [Hash]) {
        const KEYED_HASH: u8 = 1 << 4;
        const CHUNK_START: u8 = 1 << 0;
        const CHUNK_END: u8 = 1 << 1;
        const ROOT: u8 = 1 << 3;
        let key = words_from_le_bytes_32(&self.key());
        let platform = Platform::detect();
        for (blocks, hashes) in blocks.chunks(WIDTH).zip(hashes.chunks_mut(WIDTH)) {
            let mut inputs = [&[0; 64]; WIDTH];
            for (input, block) in inputs.iter_mut().zip(blocks) {
                *input = block;
            }
            platform.hash_many(
                inputs.get(..blocks.len()).unwrap_or(&[]),
                &key,
                0,
                IncrementCounter::No,
                KEYED_HASH,
                CHUNK_START,
                CHUNK_END | ROOT,
                hashes.as_flattened_mut(),
            );
        }
    }
}

/// Two nodes, or a path and a value, as one block.
pub(crate) fn block(left: &Hash, right: &Hash) -> Block {
    let mut block = [0; 64];
    let (first, second) = block.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    block
}

/// Where a cell hangs.
pub(crate) fn path(family: u16, key: &[u32]) -> Hash {
    let words = key.iter().flat_map(|word| word.to_le_bytes());
    let name: Vec<u8> = family.to_le_bytes().into_iter().chain(words).collect();
    Domain::Cell.hash(&name)
}

/// What a leaf holds of a value: its words filled up with zeros, or the hash of a long one.
pub(crate) fn value(words: &[u32]) -> Hash {
    let mut value = [0; 32];
    if words.len() <= value.len() / 4 {
        let (slots, _) = value.as_chunks_mut::<4>();
        for (slot, word) in slots.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        return value;
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Domain::Value.hash(&bytes)
}
