//! Script that checks a one-time signature ([`crate::commit`]).
//!
//! Takes what [`Signature::to_witness`](crate::commit::Signature::to_witness) leaves. Enforces,
//! per digit: the item is a number `1..=16`, and the chain ends in the key; and that the
//! checksum is right. A reveal also enforces that each element is 20 bytes and each item one
//! byte; `docs/protocol.md` says why a disproof need not.
//!
//! The upper half of a chain is hashed in an `IF`, the lower half leaves all its eight elements
//! on the stack, and `PICK` takes the one that must be the key. Its depth is the range check:
//! for an item above 16 it is negative, which `PICK` refuses; for one below 1, `MIN` makes it
//! the depth of the item itself, which can't equal 20 bytes.
//!
//! Beneath the pair run a constant and the sum of the digits: two items, so that `2SWAP` brings
//! the next pair up. In the end their difference is the lowest digit of the checksum.

use super::asm::Asm;
use super::code::{Code, number_len};
use crate::commit::{ChainElement, MAX_DIGIT, PublicKey, Shape};

/// What a check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Somebody shows a signature for the first time: sizes are checked, digits dropped.
    Reveal,
    /// The same, but the message's digits go to the altstack, as `0..=15`, the first on top.
    RevealAndKeep,
    /// A signature that was revealed is spent: digits go to the altstack, sizes don't matter.
    Disprove,
}

impl Mode {
    fn sizes(self) -> bool {
        self != Self::Disprove
    }

    fn keeps(self) -> bool {
        self != Self::Reveal
    }
}

/// Items that a check takes on top of the witness.
pub const ROOM: usize = 11;

/// Bytes that one message digit takes in a disproof, its part of the key included.
pub const DIGIT_BYTES: usize = CHAIN_BYTES + 5;

/// Bytes that the check of one chain takes, its end included.
const CHAIN_BYTES: usize = 64;

/// Appends the check of one signature. The key must have the shape's digits; missing ones
/// count as zero bytes, which nobody can sign.
pub fn verify(asm: &mut Asm, key: &PublicKey, shape: Shape, mode: Mode) {
    if shape.digits() == 0 {
        return;
    }
    let end = |digit: usize| key.0.get(digit).copied().unwrap_or([0; 20]);
    asm.num(checked_sum(shape, mode));
    asm.num(0);
    for digit in (shape.message + 1..shape.digits()).rev() {
        pair(asm, &end(digit), mode);
        asm.op(Code::Add);
        // The next digit weighs a sixteenth of what the sum has so far.
        for _ in 0..4 {
            asm.ops(&[Code::Dup, Code::Add]);
        }
    }
    for digit in (0..shape.message).rev() {
        pair(asm, &end(digit), mode);
        if mode.keeps() {
            asm.ops(&[Code::Sub1, Code::Dup, Code::ToAlt]);
        }
        asm.op(Code::Add);
    }
    // [element, constant, sum]
    asm.ops(&[Code::Sub, Code::Swap]);
    chain(asm, &end(shape.message), mode);
    asm.op(Code::Drop);
}

/// Checks one pair beneath the constant and the sum; leaves the item on top of these.
fn pair(asm: &mut Asm, end: &ChainElement, mode: Mode) {
    asm.op(Code::Swap2);
    chain(asm, end, mode);
    if mode.sizes() {
        size(asm, 1);
    }
}

/// Checks a chain: from `[item, element]` to `[item]`.
fn chain(asm: &mut Asm, end: &ChainElement, mode: Mode) {
    if mode.sizes() {
        size(asm, 20);
    }
    asm.op(Code::Over);
    asm.num(8);
    asm.ops(&[Code::GreaterThan, Code::If]);
    asm.ops(&[Code::Hash160; 8]);
    asm.num(16);
    asm.op(Code::Else);
    asm.num(8);
    asm.op(Code::EndIf);
    // [item, element, 8 or 16]: the element still has `item` less 1 or 9 hashes to go.
    asm.op(Code::ToAlt);
    for _ in 0..7 {
        asm.ops(&[Code::Dup, Code::Hash160]);
    }
    asm.op(Code::FromAlt);
    asm.num(9);
    asm.ops(&[Code::Pick, Code::Sub]);
    asm.num(8);
    asm.ops(&[Code::Min, Code::Pick]);
    asm.data(end);
    asm.op(Code::EqualVerify);
    asm.ops(&[Code::Drop2; 4]);
}

/// Length of what [`verify`] appends.
pub fn verify_len(shape: Shape, mode: Mode) -> usize {
    if shape.digits() == 0 {
        return 0;
    }
    let element = CHAIN_BYTES + if mode.sizes() { 4 } else { 0 };
    let pair = element + 2 + if mode.sizes() { 3 } else { 0 };
    let message = pair + if mode.keeps() { 3 } else { 0 };
    let checksum = pair + 8;
    let start = number_len(checked_sum(shape, mode)) + 1;
    start + (shape.checksum() - 1) * checksum + shape.message * message + element + 3
}

/// Bytes of the witness for a signature of this shape, lengths of items included.
pub fn witness_len(shape: Shape) -> usize {
    (23 * shape.digits()).saturating_sub(2)
}

/// What all items add up to, checksum digits by their weights: `15 * n - sum(d)` in base 16
/// plus `sum(d)`; and one more for each item, unless it is kept.
fn checked_sum(shape: Shape, mode: Mode) -> i64 {
    let ones: i64 = (0..shape.checksum() as u32).map(|n| 16i64.pow(n)).sum();
    let most = i64::from(MAX_DIGIT) + i64::from(!mode.keeps());
    most * shape.message as i64 + ones
}

fn size(asm: &mut Asm, bytes: i64) {
    asm.op(Code::Size);
    asm.num(bytes);
    asm.op(Code::EqualVerify);
}
