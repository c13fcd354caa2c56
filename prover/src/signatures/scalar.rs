//! Numbers modulo n, the order of secp256k1: products and sums are `fiat-crypto`'s, whose code is
//! generated from a proof.

use super::field::words;
use fiat_crypto::secp256k1_montgomery_scalar_64 as fiat;

/// n, the low word first.
const N: [u64; 4] = [
    0xbfd2_5e8c_d036_4141,
    0xbaae_dce6_af48_a03b,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// A number from 0 to n - 1, the low word first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalar([u64; 4]);

impl Scalar {
    pub const ZERO: Self = Self([0; 4]);
    pub const ONE: Self = Self([1, 0, 0, 0]);

    /// From 32 bytes, big end first; `None` from n on.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let words = words(bytes);
        words.iter().rev().lt(N.iter().rev()).then_some(Self(words))
    }

    /// From 32 bytes, big end first, modulo n.
    pub fn reduced(bytes: &[u8; 32]) -> Self {
        Self::from_bytes(bytes).unwrap_or_else(|| {
            // Below 2n, so n goes off once.
            let mut borrow = false;
            let mut n = N.iter();
            Self(words(bytes).map(|word| {
                let (word, first) = word.overflowing_sub(*n.next().unwrap_or(&0));
                let (word, second) = word.overflowing_sub(u64::from(borrow));
                borrow = first || second;
                word
            }))
        })
    }

    /// The low word first.
    pub fn words(&self) -> [u64; 4] {
        self.0
    }

    /// The sum, modulo n.
    pub fn add(&self, other: &Self) -> Self {
        // Sums are the same whether or not numbers are in Montgomery form.
        let mut out = Montgomery::default();
        fiat::fiat_secp256k1_montgomery_scalar_add(&mut out.0, &form(self), &form(other));
        Self(out.0.0)
    }

    /// n less it.
    pub fn negate(&self) -> Self {
        let mut out = Montgomery::default();
        fiat::fiat_secp256k1_montgomery_scalar_opp(&mut out.0, &form(self));
        Self(out.0.0)
    }
}

type Form = fiat::fiat_secp256k1_montgomery_scalar_montgomery_domain_field_element;

fn form(scalar: &Scalar) -> Form {
    fiat::fiat_secp256k1_montgomery_scalar_montgomery_domain_field_element(scalar.0)
}

/// A factor in Montgomery form, a·2^256 modulo n. Its product with a number that isn't in this
/// form isn't either.
#[derive(Clone, Copy)]
pub(super) struct Montgomery(Form);

impl Default for Montgomery {
    fn default() -> Self {
        Self(form(&Scalar::ZERO))
    }
}

impl Montgomery {
    /// Of a number of 128 bits.
    pub fn new(number: u128) -> Self {
        let plain = [number as u64, (number >> 64) as u64, 0, 0];
        let plain =
            fiat::fiat_secp256k1_montgomery_scalar_non_montgomery_domain_field_element(plain);
        let mut out = Self::default();
        fiat::fiat_secp256k1_montgomery_scalar_to_montgomery(&mut out.0, &plain);
        out
    }

    /// The product, modulo n.
    pub fn times(&self, scalar: &Scalar) -> Scalar {
        let mut out = Self::default();
        fiat::fiat_secp256k1_montgomery_scalar_mul(&mut out.0, &self.0, &form(scalar));
        Scalar(out.0.0)
    }
}
