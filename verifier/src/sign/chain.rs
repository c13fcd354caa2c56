//! Hash chains: Winternitz public keys and signatures from per-digit secrets.

use bitcoin::hashes::{Hash, hash160};
use gavel_compiler::commit::{ChainElement, MAX_DIGIT, PublicKey, Shape, Signature, with_checksum};
use zeroize::Zeroizing;

/// Why digits can't be signed under a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadDigits {
    Count { got: usize, need: usize },
    Range { at: usize, digit: u8 },
}

/// Digits of a message, checked: as many as the shape has, each `0..=15`.
pub(super) fn check(shape: Shape, digits: &[u8]) -> Result<(), BadDigits> {
    if digits.len() != shape.message {
        return Err(BadDigits::Count {
            got: digits.len(),
            need: shape.message,
        });
    }
    match digits.iter().enumerate().find(|(_, d)| **d > MAX_DIGIT) {
        Some((at, digit)) => Err(BadDigits::Range { at, digit: *digit }),
        None => Ok(()),
    }
}

/// The element `times` steps further on.
fn advance(element: ChainElement, times: u8) -> ChainElement {
    (0..times).fold(element, |e, _| hash160::Hash::hash(&e).to_byte_array())
}

/// The ends of all chains.
pub(super) fn public_key(
    shape: Shape,
    secret: impl Fn(usize) -> Zeroizing<ChainElement>,
) -> PublicKey {
    let end = |digit| advance(*secret(digit), MAX_DIGIT);
    PublicKey((0..shape.digits()).map(end).collect())
}

/// The signature on checked digits. Whoever calls it has told the guard before.
pub(super) fn sign(digits: &[u8], secret: impl Fn(usize) -> Zeroizing<ChainElement>) -> Signature {
    let pairs = with_checksum(digits).into_iter().enumerate();
    Signature(
        pairs
            .map(|(n, d)| (advance(*secret(n), MAX_DIGIT.saturating_sub(d)), d))
            .collect(),
    )
}

/// The secret of one digit, derived from the secret of its key.
pub(super) fn digit_secret(key: &[u8; 32], digit: usize) -> Zeroizing<ChainElement> {
    let bytes = super::hash::derive(key, "gavel/digit", &[&(digit as u64).to_le_bytes()]);
    let mut secret = Zeroizing::new([0; 20]);
    for (to, from) in secret.iter_mut().zip(bytes.iter()) {
        *to = *from;
    }
    secret
}
