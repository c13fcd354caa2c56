//! The digest of a batch: one hash that stands for its calls, in their order.
//!
//! Hashes are BLAKE3 in keyed mode, as for the [state's root](gavel_compiler::ledger::root). A
//! leaf is the hash, in the domain `call`, of a call's canonical bytes: what its signers sign but
//! the nonce, then how many signatures there are (4 bytes), then of each the nonce (8 bytes) and
//! the signature (64), numbers big end first. A node above is the hash, in the domain `calls`, of
//! its left and its right, where the left has as many leaves as the largest power of two that is
//! less than all. No calls are 32 zero bytes.

use gavel_compiler::ledger::{Call, Root};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Where fewer leaves are below a node, one thread is faster than two.
const FEW: usize = 512;

/// The digest of calls.
pub fn digest(calls: &[Call]) -> Root {
    subtree(&leaves(calls))
}

/// The bytes of a call that its leaf is the hash of.
pub fn canonical_bytes(call: &Call) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_canonical(call, &mut bytes);
    bytes
}

/// Puts them in the place of what was there.
fn write_canonical(call: &Call, bytes: &mut Vec<u8>) {
    bytes.clear();
    call.write_signed(0, |part| bytes.extend_from_slice(part));
    // The nonces come with their signatures.
    bytes.truncate(bytes.len().saturating_sub(8));
    bytes.extend((call.signatures.len() as u32).to_be_bytes());
    for signed in &call.signatures {
        bytes.extend(signed.nonce.to_be_bytes());
        bytes.extend(signed.signature.as_ref());
    }
}

/// That a call is one of a batch, at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The call's place in the batch, from 0.
    pub index: u64,
    /// The nodes beside the way from its leaf to the digest, the lowest first.
    pub siblings: Vec<Root>,
}

impl Membership {
    /// The proof for the call at this place; `None` if there is none.
    pub fn new(calls: &[Call], index: u64) -> Option<Self> {
        let leaves = leaves(calls);
        let mut at = usize::try_from(index)
            .ok()
            .filter(|at| *at < leaves.len())?;
        let mut siblings = Vec::new();
        let mut part = &leaves[..];
        while part.len() > 1 {
            let (left, right) = part.split_at_checked(split(part.len()))?;
            let beside = match at.checked_sub(left.len()) {
                Some(rest) => {
                    (at, part) = (rest, right);
                    left
                }
                None => {
                    part = left;
                    right
                }
            };
            siblings.push(subtree(beside));
        }
        siblings.reverse();
        Some(Self { index, siblings })
    }

    /// Whether this call has that place in a batch of so many calls with this digest. Both come
    /// from the [claim](crate::Claim), not from who gave the proof.
    pub fn check(&self, call: &Call, count: u64, digest: Root) -> bool {
        self.root(call, count) == Some(digest)
    }

    /// The digest that follows; `None` if the batch has other depths there.
    fn root(&self, call: &Call, count: u64) -> Option<Root> {
        let (mut at, mut size) = (self.index, count);
        if at >= size {
            return None;
        }
        let mut turns = Vec::new();
        while size > 1 {
            let left = 1u64 << (size - 1).ilog2();
            let right = at >= left;
            (at, size) = if right {
                (at - left, size - left)
            } else {
                (at, left)
            };
            turns.push(right);
        }
        if turns.len() != self.siblings.len() {
            return None;
        }
        let way = turns.iter().rev().zip(&self.siblings);
        let up = |node, (right, beside): (&bool, &Root)| match right {
            true => above(*beside, node),
            false => above(node, *beside),
        };
        Some(way.fold(leaf(call), up))
    }
}

fn leaves(calls: &[Call]) -> Vec<Root> {
    let leaf = |bytes: &mut Vec<u8>, call| {
        write_canonical(call, bytes);
        keyed("call", bytes)
    };
    let calls = calls.par_iter().with_min_len(64);
    calls.map_init(Vec::new, leaf).collect()
}

fn subtree(leaves: &[Root]) -> Root {
    match leaves {
        [] => Root::EMPTY,
        [leaf] => *leaf,
        _ => {
            // The split lies inside, so neither half is all.
            let (left, right) = leaves.split_at(split(leaves.len()));
            let (left, right) = match leaves.len() < FEW {
                true => (subtree(left), subtree(right)),
                false => rayon::join(|| subtree(left), || subtree(right)),
            };
            above(left, right)
        }
    }
}

/// The largest power of two that is less than this, which is at least 2.
fn split(count: usize) -> usize {
    1 << count.saturating_sub(1).max(1).ilog2()
}

fn leaf(call: &Call) -> Root {
    keyed("call", &canonical_bytes(call))
}

fn above(left: Root, right: Root) -> Root {
    let mut block = [0; 64];
    let (first, second) = block.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    keyed("calls", &block)
}

/// BLAKE3 with the domain's name as its key, filled up with zeros.
fn keyed(domain: &str, bytes: &[u8]) -> Root {
    let mut key = [0; 32];
    for (slot, byte) in key.iter_mut().zip(domain.bytes()) {
        *slot = byte;
    }
    Root(*blake3::keyed_hash(&key, bytes).as_bytes())
}
