//! An attestor's one-time key: published in advance by somebody who isn't a party, used once.

use super::chain;
use super::guard::{Guard, GuardError, Record, Source};
use super::hash::derive;
use super::seed::Seed;
use gavel_compiler::commit::{PublicKey, Shape, Signature, words_to_digits};
use std::fmt;
use zeroize::Zeroizing;

/// Why nothing was attested.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// Another number of words.
    #[error("{got} words, the attested value has {need}")]
    Words {
        /// Words given.
        got: usize,
        /// Words of the value.
        need: usize,
    },
    /// A word has more digits than the key covers, or the key more than a word has.
    #[error("word {at} is {word:#x}, which doesn't fit {digits} digits")]
    Width {
        /// Index of the word.
        at: usize,
        /// The word.
        word: u32,
        /// Digits that the key has for it.
        digits: u8,
    },
    /// The guard forbids it.
    #[error(transparent)]
    Guard(#[from] GuardError),
}

/// The key for one event.
pub struct AttestorKey {
    root: Zeroizing<[u8; 32]>,
    words: Vec<u8>,
}

impl AttestorKey {
    /// The key of an event, named by a label that the attestor never uses for another, whose
    /// value has words of these numbers of digits.
    pub fn new(seed: &Seed, event: &str, words: &[u8]) -> Self {
        Self {
            root: seed.derive("gavel/attestor", &[event.as_bytes()]),
            words: words.to_vec(),
        }
    }

    /// What the attestor publishes in advance.
    pub fn public_key(&self) -> PublicKey {
        let secret = self.secret();
        chain::public_key(self.shape(), |digit| chain::digit_secret(&secret, digit))
    }

    /// Attests a value: once the guard has it, this key never signs another.
    pub fn attest(&self, value: &[u32], guard: &mut dyn Guard) -> Result<Signature, AttestError> {
        let digits = value_digits(value, &self.words)?;
        let name = derive(&self.root, "gavel/guard-key", &[]);
        let record = Record::new(*name, self.shape(), &digits, Source::Choice);
        guard.commit(&[record])?;
        let secret = self.secret();
        Ok(chain::sign(&digits, |d| chain::digit_secret(&secret, d)))
    }

    fn shape(&self) -> Shape {
        Shape::of_words(&self.words)
    }

    fn secret(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.root, "gavel/attestor-key", &[&self.words])
    }
}

impl fmt::Debug for AttestorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttestorKey(withheld)")
    }
}

/// The digits of a value, if it fits.
pub(super) fn value_digits(value: &[u32], words: &[u8]) -> Result<Vec<u8>, AttestError> {
    if value.len() != words.len() {
        return Err(AttestError::Words {
            got: value.len(),
            need: words.len(),
        });
    }
    for (at, (word, digits)) in value.iter().zip(words).enumerate() {
        let bits = u32::from(*digits).saturating_mul(4);
        let rest = u64::from(*word).checked_shr(bits).unwrap_or(0);
        if *digits > 8 || rest != 0 {
            return Err(AttestError::Width {
                at,
                word: *word,
                digits: *digits,
            });
        }
    }
    Ok(words_to_digits(value, words))
}
