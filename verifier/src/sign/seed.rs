//! The one secret that a party keeps, and everything derived from it.
//!
//! Derivation is HMAC-SHA256 keyed with the seed, over a domain and length-prefixed fields; no
//! two purposes share a domain.

use super::hash::derive;
use super::key::PartyKey;
use super::rand::CryptoRng;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 secret bytes, zeroised when dropped. Not clonable, and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A fresh seed.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Self([0; 32]);
        rng.fill_bytes(&mut seed.0);
        seed
    }

    /// The seed with these bytes, which must be secret and uniformly random.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// The bytes, for a backup.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The party's long-term key for one contract: messages, MuSig2 and its own leaves.
    pub fn party_key(&self, contract: &[u8; 32]) -> PartyKey {
        let mut attempt = 0u32;
        loop {
            let secret = self.derive("gavel/party-key", &[contract, &attempt.to_le_bytes()]);
            match PartyKey::from_secret(&secret) {
                Ok(key) => return key,
                // Once in 2^128.
                Err(_) => attempt = attempt.wrapping_add(1),
            }
        }
    }

    /// What names this seed in the guard's file. Reveals nothing of the seed.
    pub fn owner(&self) -> [u8; 32] {
        *self.derive("gavel/guard-owner", &[])
    }

    pub(super) fn derive(&self, domain: &str, fields: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        derive(&self.0, domain, fields)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(withheld)")
    }
}
