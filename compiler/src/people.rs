//! The people of tests: well-known keys with names.

use bitcoin::secp256k1::{Keypair, Message, Secp256k1, SecretKey};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Their names.
pub const PEOPLE: [&str; 8] = [
    "ALICE", "BOB", "CAROL", "DAVE", "ERIN", "FRANK", "GRACE", "MALLORY",
];

/// The secret key of a person of tests: SHA-256 of `gavel/test/` and the name. Anybody knows it.
pub fn secret(name: &str) -> Option<SecretKey> {
    PEOPLE.contains(&name).then_some(())?;
    let hash = Sha256::digest(format!("gavel/test/{name}"));
    SecretKey::from_slice(&hash).ok()
}

/// The words of the x-only public key (BIP 340) of a person of tests.
pub fn key(name: &str) -> Option<[u32; 8]> {
    let n = PEOPLE.iter().position(|known| *known == name)?;
    KEYS.get(n).copied()
}

/// The name of the person with this key.
pub fn name(words: &[u32]) -> Option<&'static str> {
    let n = KEYS.iter().position(|key| key == words)?;
    PEOPLE.get(n).copied()
}

/// The BIP 340 signature of the person with this key, without auxiliary randomness.
pub fn sign(key: &[u32], message: &[u32]) -> Option<[u32; 16]> {
    let pair = Keypair::from_secret_key(&Secp256k1::new(), &secret(name(key)?)?);
    let message: Vec<u8> = message.iter().flat_map(|word| word.to_be_bytes()).collect();
    let message = Message::from_digest_slice(&message).ok()?;
    let signature = Secp256k1::new().sign_schnorr_no_aux_rand(&message, &pair);
    let mut words = [0u32; 16];
    for (word, chunk) in words.iter_mut().zip(signature.as_ref().chunks(4)) {
        *word = chunk.iter().fold(0, |w, byte| (w << 8) | u32::from(*byte));
    }
    Some(words)
}

/// Constants, computed once.
static KEYS: LazyLock<Vec<[u32; 8]>> = LazyLock::new(|| {
    let secp = Secp256k1::new();
    let secrets = PEOPLE.iter().filter_map(|name| secret(name));
    let words = secrets.map(|secret| {
        let pair = Keypair::from_secret_key(&secp, &secret);
        let bytes = pair.x_only_public_key().0.serialize();
        let mut words = [0u32; 8];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(4)) {
            *word = chunk.iter().fold(0, |w, byte| (w << 8) | u32::from(*byte));
        }
        words
    });
    words.collect()
});
