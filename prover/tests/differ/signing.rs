//! Signatures for workloads: the secret key of account `n` is `n` more than that of account 0.

use bitcoin::secp256k1::{Keypair, Scalar, Secp256k1, SecretKey};
use gavel_compiler::ledger::Call;
use gavel_prover::workload::{Accounts, Drawn};

/// The secret key of account `n`.
fn secret(n: u32) -> SecretKey {
    let mut by = [0; 32];
    by[28..].copy_from_slice(&n.to_be_bytes());
    let first = SecretKey::from_slice(&[0x42; 32]).unwrap();
    first
        .add_tweak(&Scalar::from_be_bytes(by).unwrap())
        .unwrap()
}

/// Accounts that [`sign`] signs for.
pub fn accounts(n: u32) -> Accounts {
    let first = secret(0).public_key(&Secp256k1::new());
    Accounts::following(&first, n).unwrap()
}

/// The words of the public key of account `n`.
pub fn key(n: u32) -> [u32; 8] {
    let bytes = pair(n).x_only_public_key().0.serialize();
    let (words, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|n| u32::from_be_bytes(words[n]))
}

/// The keys of account `n`.
pub fn pair(n: u32) -> Keypair {
    Keypair::from_secret_key(&Secp256k1::new(), &secret(n))
}

/// The call with its signer's signature in the place of the blank.
pub fn sign(drawn: &Drawn) -> Call {
    let nonce = drawn.call.signatures[0].nonce;
    let mut call = drawn.call.clone();
    call.signatures.clear();
    call.sign(&pair(drawn.signer), nonce)
}
