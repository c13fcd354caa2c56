//! One-time keys that everybody can compute, to show leaves with and to run them. They never
//! guard anything.

use bitcoin::hashes::{Hash, hash160};
use gavel_compiler::commit::{ChainElement, MAX_DIGIT, PublicKey, Signature, with_checksum};
use gavel_compiler::segment::Plan;

/// All elements of a digit's chain, the secret first.
fn chain(element: usize, digit: usize) -> Vec<ChainElement> {
    let secret = format!("gavel/debug/{element}/{digit}");
    let first = hash160::Hash::hash(secret.as_bytes()).to_byte_array();
    let next = |last: &ChainElement| Some(hash160::Hash::hash(last).to_byte_array());
    let chain = std::iter::successors(Some(first), next);
    chain.take(usize::from(MAX_DIGIT) + 1).collect()
}

/// The claimer's keys, by element.
pub fn public_keys(plan: &Plan) -> Vec<PublicKey> {
    let elements = plan.elements.iter().enumerate();
    let key = |(n, digits): (usize, usize)| {
        let ends = (0..digits).filter_map(|digit| chain(n, digit).last().copied());
        PublicKey(ends.collect())
    };
    let shapes = elements.map(|(n, element)| (n, element.shape().digits()));
    shapes.map(key).collect()
}

/// The claimer's signature on the digits of an element.
pub fn signature(element: usize, message: &[u8]) -> Signature {
    let digits = with_checksum(message).into_iter().enumerate();
    let pairs = digits.filter_map(|(n, digit)| {
        let at = usize::from(MAX_DIGIT.checked_sub(digit)?);
        Some((chain(element, n).get(at).copied()?, digit))
    });
    Signature(pairs.collect())
}
