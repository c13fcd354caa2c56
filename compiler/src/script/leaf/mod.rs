//! The leaves: scripts with the witnesses that spend them.
//!
//! A witness here is the stack without the script and the control block, bottom first.

pub mod assert_reveal;
pub mod claim_reveal;
pub mod disprove;

use crate::commit::{Shape, Signature};

/// A Schnorr signature with the default hash type.
pub type SchnorrSignature = [u8; 64];

/// Most witness items of a leaf: the limit of consensus, less what checking a commitment
/// needs above them.
pub const MAX_ITEMS: usize = 983;

/// Most challengers that a disprove leaf names: one per party but the claimer.
pub const MAX_CHALLENGERS: usize = 15;

/// Length of a CompactSize number.
pub const fn compact_size(n: usize) -> usize {
    match n {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        _ => 5,
    }
}

/// Weight of an input's witness: `items` of `bytes` in all (their length prefixes included),
/// the script and a control block for a leaf at `depth`.
pub const fn witness_weight(items: usize, bytes: usize, script: usize, depth: usize) -> usize {
    let control = 33 + 32 * depth;
    compact_size(items + 2)
        + bytes
        + compact_size(script)
        + script
        + compact_size(control)
        + control
}

/// Reads one-time signatures of these shapes off the bottom of a stack; gives the rest.
pub fn take_signatures<'a>(
    stack: &'a [Vec<u8>],
    shapes: &[Shape],
) -> Option<(Vec<Signature>, &'a [Vec<u8>])> {
    let mut rest = stack;
    let mut signatures = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let (items, after) = rest.split_at_checked(shape.items())?;
        signatures.push(Signature::from_witness(items, *shape)?);
        rest = after;
    }
    Some((signatures, rest))
}
