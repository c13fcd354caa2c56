//! Script that checks a one-time signature ([`crate::commit`]).
//!
//! Takes the pairs that [`Signature::to_witness`](crate::commit::Signature::to_witness)
//! leaves, last pair on top. Enforces, per digit: the element is 20 bytes, the digit one byte
//! `0x01..=0x10`, and the chain ends in the key; and that the checksum is right.
//!
//! The chain is hashed by binary descent: `d >= 8`, `4`, `2`, and the rest goes straight into
//! an `IF`, where MINIMALIF (consensus in tapscript) accepts 0 and 1 only: that is the range
//! check. The sum of all digits runs along beneath the pair.

use super::asm::Asm;
use super::code::{Code, number_len};
use crate::commit::{PublicKey, Shape};

/// What becomes of the message's digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// On the altstack, as `0..=15`, the first digit on top.
    Alt,
    /// Dropped.
    Nothing,
}

/// Bytes that one message digit takes, its part of the key included, kept on the altstack.
pub const DIGIT_BYTES: usize = 80;

/// Appends the check of one signature. The key must have the shape's digits; missing ones
/// count as zero bytes, which nobody can sign.
pub fn verify(asm: &mut Asm, key: &PublicKey, shape: Shape, keep: Keep) {
    let total = shape.digits();
    for digit in (0..total).rev() {
        let end = key.0.get(digit).copied().unwrap_or([0; 20]);
        let is_checksum = digit >= shape.message;
        if digit + 1 == total {
            // [element, item]: the running sum starts as a copy of the item.
            asm.op(Code::Swap);
            size(asm, 20);
            asm.op(Code::Over);
        } else {
            // [element, item, sum]
            if is_checksum {
                // The next digit weighs a sixteenth of what the sum has so far.
                for _ in 0..4 {
                    asm.ops(&[Code::Dup, Code::Add]);
                }
            }
            asm.ops(&[Code::Over, Code::Add, Code::Rot]);
            size(asm, 20);
            asm.op(Code::Rot);
        }
        // [sum, element, item]
        size(asm, 1);
        asm.op(Code::Sub1);
        if !is_checksum && keep == Keep::Alt {
            asm.ops(&[Code::Dup, Code::ToAlt]);
        }
        for step in [8usize, 4, 2] {
            asm.op(Code::Dup);
            asm.num(step as i64);
            asm.ops(&[Code::GreaterThanOrEqual, Code::If]);
            asm.num(step as i64);
            asm.ops(&[Code::Sub, Code::Swap]);
            asm.ops(&vec![Code::Hash160; step]);
            asm.ops(&[Code::Swap, Code::EndIf]);
        }
        asm.ops(&[Code::If, Code::Hash160, Code::EndIf]);
        asm.data(&end);
        asm.op(Code::EqualVerify);
    }
    if total > 0 {
        asm.num(checked_sum(shape));
        asm.op(Code::NumEqualVerify);
    }
}

/// Length of what [`verify`] appends.
pub fn verify_len(shape: Shape, keep: Keep) -> usize {
    let (message, checksum) = (shape.message, shape.checksum());
    if shape.digits() == 0 {
        return 0;
    }
    let kept = match keep {
        Keep::Alt => 2,
        Keep::Nothing => 0,
    };
    let last = 76 + usize::from(checksum == 0) * kept;
    let more_checksum = checksum.saturating_sub(1) * (78 + 8);
    let message = message - usize::from(checksum == 0);
    last + more_checksum + message * (78 + kept) + number_len(checked_sum(shape)) + 1
}

/// Bytes of the witness for a signature of this shape, lengths of items included.
pub fn witness_len(shape: Shape) -> usize {
    shape.digits() * (21 + 2)
}

/// What all items add up to, checksum digits by their weights: `15 * n - sum(d)` in base 16
/// plus `sum(d)`, and one more for each item.
fn checked_sum(shape: Shape) -> i64 {
    let ones: i64 = (0..shape.checksum() as u32).map(|n| 16i64.pow(n)).sum();
    16 * shape.message as i64 + ones
}

fn size(asm: &mut Asm, bytes: i64) {
    asm.op(Code::Size);
    asm.num(bytes);
    asm.op(Code::EqualVerify);
}
