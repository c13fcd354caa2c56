//! Winternitz one-time commitments: shapes, public keys and signatures. Secrets live in the
//! verifier; the Script that checks a signature in [`crate::script`].
//!
//! Digit base 16, chains of HASH160 (Winternitz; Merkle 1989). A public key is `H^15(secret)`
//! per digit. Signing digit `d` reveals `H^(15-d)(secret)`, so a checker hashes `d` times.
//! Whoever sees a signature can lower digits but not raise them; the checksum, the sum of
//! `15 - d` over the message in base 16, little end first, rises when a digit falls, and is
//! signed in the same way.
//!
//! In a witness a digit stands as `d + 1`, so that it is always one byte, `0x01..=0x10`: every
//! witness of a shape has the same size, and zero has no second encoding. The lowest digit of
//! the checksum isn't shown at all: it is what the others leave of the sum.

use crate::script::code::parse_number;
use bitcoin::hashes::{Hash, hash160};
use serde::{Deserialize, Serialize};

/// One element of a hash chain.
pub type ChainElement = [u8; 20];

/// The highest digit, and the length of a chain.
pub const MAX_DIGIT: u8 = 15;

/// How many digits a commitment's message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Digits of the message, without the checksum.
    pub message: usize,
}

impl Shape {
    /// The shape of a message of words with these numbers of digits.
    pub fn of_words(words: &[u8]) -> Self {
        Self {
            message: words.iter().map(|digits| usize::from(*digits)).sum(),
        }
    }

    /// Digits of the checksum: enough for `15 * message`.
    pub fn checksum(self) -> usize {
        let mut most = usize::from(MAX_DIGIT) * self.message;
        let mut digits = 0;
        while most > 0 {
            most /= 16;
            digits += 1;
        }
        digits
    }

    /// All digits: message, then checksum.
    pub fn digits(self) -> usize {
        self.message + self.checksum()
    }

    /// Items of a signature's witness: an element per digit, and each digit but one.
    pub fn items(self) -> usize {
        (2 * self.digits()).saturating_sub(1)
    }
}

/// The message's digits followed by their checksum.
pub fn with_checksum(message: &[u8]) -> Vec<u8> {
    let shape = Shape {
        message: message.len(),
    };
    let mut sum: usize = message
        .iter()
        .map(|d| usize::from(MAX_DIGIT - d.min(&MAX_DIGIT)))
        .sum();
    let mut digits = message.to_vec();
    for _ in 0..shape.checksum() {
        digits.push((sum % 16) as u8);
        sum /= 16;
    }
    digits
}

/// The digits of words: word by word, each little end first, as many as the word has.
/// Higher bits of a word are not represented.
pub fn words_to_digits(words: &[u32], digits: &[u8]) -> Vec<u8> {
    words
        .iter()
        .zip(digits)
        .flat_map(|(word, digits)| (0..*digits).map(move |n| ((word >> (4 * n)) & 15) as u8))
        .collect()
}

/// The inverse of [`words_to_digits`]; `None` if the lengths differ.
pub fn digits_to_words(message: &[u8], digits: &[u8]) -> Option<Vec<u32>> {
    let mut rest = message;
    let mut words = Vec::with_capacity(digits.len());
    for count in digits {
        let (word, after) = rest.split_at_checked(usize::from(*count))?;
        words.push(
            word.iter()
                .rev()
                .fold(0u32, |acc, d| (acc << 4) | u32::from(*d)),
        );
        rest = after;
    }
    rest.is_empty().then_some(words)
}

/// Hashes an element `times` times.
pub fn hash_chain(element: &[u8], times: u8) -> Vec<u8> {
    let mut element = element.to_vec();
    for _ in 0..times {
        element = hash160::Hash::hash(&element).to_byte_array().to_vec();
    }
    element
}

/// The public key of one commitment: the end of each digit's chain, checksum included.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "hex_elements")] pub Vec<ChainElement>);

impl PublicKey {
    /// Whether the key has as many digits as the shape.
    pub fn fits(&self, shape: Shape) -> bool {
        self.0.len() == shape.digits()
    }
}

/// A signature: per digit, checksum included, the revealed element and the digit `0..=15`.
///
/// Elements are 20 bytes: no script of ours accepts another size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature(pub Vec<(ChainElement, u8)>);

impl Signature {
    /// The message, if the signature is valid under the key: every digit in range, every
    /// chain ending in the key, and the checksum right.
    pub fn verify(&self, key: &PublicKey, shape: Shape) -> Option<Vec<u8>> {
        if self.0.len() != shape.digits() || !key.fits(shape) {
            return None;
        }
        let chains_end = self
            .0
            .iter()
            .zip(&key.0)
            .all(|((element, d), end)| *d <= MAX_DIGIT && hash_chain(element, *d) == end);
        let digits: Vec<u8> = self.0.iter().map(|(_, d)| *d).collect();
        let message = digits.get(..shape.message)?.to_vec();
        (chains_end && with_checksum(&message) == digits).then_some(message)
    }

    /// The message's digits, unchecked.
    pub fn message(&self, shape: Shape) -> Vec<u8> {
        self.0.iter().take(shape.message).map(|(_, d)| *d).collect()
    }

    /// Witness items, bottom of the stack first: the element of the lowest checksum digit,
    /// which isn't shown itself; then for each digit of the message, and of the rest of the
    /// checksum, `digit + 1` and the element. The script checks the last pair first.
    pub fn to_witness(&self, shape: Shape) -> Vec<Vec<u8>> {
        let lowest = self
            .0
            .get(shape.message)
            .map(|(element, _)| element.to_vec());
        let shown = self
            .0
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != shape.message);
        lowest
            .into_iter()
            .chain(shown.flat_map(|(_, (element, d))| [vec![d + 1], element.to_vec()]))
            .collect()
    }

    /// Reads what a script took for a signature: what [`Self::to_witness`] wrote, a digit
    /// perhaps padded, as consensus allows where sizes aren't checked. `None` if an element is
    /// not 20 bytes, or a digit out of range.
    pub fn from_witness(items: &[Vec<u8>], shape: Shape) -> Option<Self> {
        let Some((lowest, rest)) = items.split_first() else {
            return (shape.digits() == 0).then_some(Self(vec![]));
        };
        if items.len() != shape.items() {
            return None;
        }
        let mut pairs = Vec::with_capacity(shape.digits());
        for pair in rest.chunks_exact(2) {
            let [item, element] = pair else { return None };
            let d = parse_number(item)?.checked_sub(1)?;
            let d = u8::try_from(d).ok().filter(|d| *d <= MAX_DIGIT)?;
            pairs.push((ChainElement::try_from(element.as_slice()).ok()?, d));
        }
        let d = lowest_digit(&pairs, shape.message)?;
        let lowest = ChainElement::try_from(lowest.as_slice()).ok()?;
        pairs.insert(shape.message, (lowest, d));
        Some(Self(pairs))
    }
}

/// The lowest digit of the checksum, from the message's digits and the checksum's others.
fn lowest_digit(others: &[(ChainElement, u8)], message: usize) -> Option<u8> {
    let (message, checksum) = others.split_at_checked(message)?;
    let lacking: i64 = message.iter().map(|(_, d)| i64::from(MAX_DIGIT - d)).sum();
    let shown = checksum.iter().rev();
    let shown = shown.fold(0i64, |sum, (_, d)| 16 * (sum + i64::from(*d)));
    let lowest = u8::try_from(lacking - shown).ok();
    lowest.filter(|d| *d <= MAX_DIGIT)
}

mod hex_elements {
    use super::ChainElement;
    use bitcoin::hex::{DisplayHex, FromHex};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(key: &[ChainElement], s: S) -> Result<S::Ok, S::Error> {
        key.iter()
            .map(|e| e.to_lower_hex_string())
            .collect::<Vec<_>>()
            .serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<ChainElement>, D::Error> {
        Vec::<String>::deserialize(d)?
            .iter()
            .map(|hex| ChainElement::from_hex(hex).map_err(D::Error::custom))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_and_a_changed_one_does_not() {
        let shape = Shape::of_words(&[8, 1]);
        assert_eq!((shape.message, shape.checksum()), (9, 2));
        let secrets: Vec<[u8; 20]> = (0..shape.digits() as u8).map(|n| [n; 20]).collect();
        let key = PublicKey(
            secrets
                .iter()
                .map(|s| hash_chain(s, MAX_DIGIT).try_into().unwrap())
                .collect(),
        );
        let message = words_to_digits(&[0xdead_beef, 1], &[8, 1]);
        let signature = Signature(
            with_checksum(&message)
                .iter()
                .zip(&secrets)
                .map(|(d, s)| (hash_chain(s, MAX_DIGIT - d).try_into().unwrap(), *d))
                .collect(),
        );
        assert_eq!(signature.verify(&key, shape), Some(message.clone()));
        assert_eq!(
            digits_to_words(&message, &[8, 1]),
            Some(vec![0xdead_beef, 1])
        );
        let items = signature.to_witness(shape);
        assert_eq!(items.len(), shape.items());
        assert_eq!(
            Signature::from_witness(&items, shape),
            Some(signature.clone())
        );
        for n in 0..shape.digits() {
            let mut lowered = signature.clone();
            let (element, d) = lowered.0[n];
            if d > 0 {
                lowered.0[n] = (hash_chain(&element, 1).try_into().unwrap(), d - 1);
                assert_eq!(lowered.verify(&key, shape), None);
            }
        }
    }
}
