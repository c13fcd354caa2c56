//! The attestor of the examples. **Its secrets are public**: whoever reads this file can
//! attest anything in its name, so no contract that holds money may trust it.

use super::attestor::{AttestError, value_digits};
use super::chain;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use gavel_compiler::commit::{ChainElement, PublicKey, Shape, Signature};
use zeroize::Zeroizing;

/// An attestor whose secrets anybody can compute: digit `i`'s is the first 20 bytes of
/// `SHA256("gavel/demo-attestor" ‖ index ‖ i)`, with the index one byte and `i` two, little
/// end first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoAttestor {
    /// Which of the demo attestors.
    pub index: u8,
}

impl DemoAttestor {
    /// Its public key for a value whose words have these numbers of digits.
    pub fn public_key(self, words: &[u8]) -> PublicKey {
        chain::public_key(Shape::of_words(words), |digit| self.secret(digit))
    }

    /// Attests a value, without any guard: it has nothing to lose.
    pub fn attest(self, value: &[u32], words: &[u8]) -> Result<Signature, AttestError> {
        let digits = value_digits(value, words)?;
        Ok(chain::sign(&digits, |digit| self.secret(digit)))
    }

    fn secret(self, digit: usize) -> Zeroizing<ChainElement> {
        let [low, high, ..] = digit.to_le_bytes();
        let mut engine = sha256::Hash::engine();
        engine.input(b"gavel/demo-attestor");
        engine.input(&[self.index, low, high]);
        let hash = sha256::Hash::from_engine(engine).to_byte_array();
        let mut secret = Zeroizing::new([0; 20]);
        for (to, from) in secret.iter_mut().zip(hash) {
            *to = from;
        }
        secret
    }
}
