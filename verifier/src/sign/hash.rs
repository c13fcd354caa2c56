//! Hashes with a domain, over fields that can't run into each other.

use bitcoin::hashes::hmac::{Hmac, HmacEngine};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use zeroize::Zeroizing;

/// SHA-256 with a tag as in BIP 340, over fields that each carry their length.
pub(super) struct Tagged(sha256::HashEngine);

impl Tagged {
    pub(super) fn new(tag: &str) -> Self {
        let tag = sha256::Hash::hash(tag.as_bytes());
        let mut engine = sha256::Hash::engine();
        engine.input(tag.as_byte_array());
        engine.input(tag.as_byte_array());
        Self(engine)
    }

    pub(super) fn field(mut self, bytes: &[u8]) -> Self {
        self.0.input(&(bytes.len() as u64).to_le_bytes());
        self.0.input(bytes);
        self
    }

    pub(super) fn finish(self) -> [u8; 32] {
        sha256::Hash::from_engine(self.0).to_byte_array()
    }
}

/// HMAC-SHA256 of a domain and fields, each with its length: the one way that secrets are
/// derived.
pub(super) fn derive(key: &[u8; 32], domain: &str, fields: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    for field in std::iter::once(&domain.as_bytes()).chain(fields) {
        engine.input(&(field.len() as u64).to_le_bytes());
        engine.input(field);
    }
    Zeroizing::new(Hmac::<sha256::Hash>::from_engine(engine).to_byte_array())
}
