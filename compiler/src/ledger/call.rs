//! Calls and what their signers sign. `docs/ledger.md` has the bytes.

use crate::value::pack;
use crate::word::state::verify;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{Keypair, Message, Secp256k1, schnorr};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The hash that signers sign, with its tag `gavel/call` already in it.
static TAGGED: LazyLock<sha256::HashEngine> = LazyLock::new(|| {
    let tag = sha256::Hash::hash(b"gavel/call");
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine
});

/// One use of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The [id](crate::contract::Contract::id) of the contract that is called.
    pub contract: [u8; 32],
    /// The entry's name.
    pub entry: String,
    /// The words of all arguments, in order.
    pub arguments: Vec<u32>,
    /// One for each signer of the entry, in its order.
    pub signatures: Vec<Signed>,
}

/// What one signer adds to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The signer's next nonce: how many signed calls of this contract it had before.
    pub nonce: u64,
    /// BIP340, over [`Call::message`].
    pub signature: schnorr::Signature,
}

impl Call {
    /// A call that nobody has signed.
    pub fn new(contract: [u8; 32], entry: &str, arguments: Vec<u32>) -> Self {
        Self {
            contract,
            entry: entry.to_owned(),
            arguments,
            signatures: Vec::new(),
        }
    }

    /// The bytes that a signer signs with this nonce, in canonical form: every call and nonce
    /// has other bytes.
    pub fn signed_bytes(&self, nonce: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_signed(nonce, |part| bytes.extend_from_slice(part));
        bytes
    }

    /// Gives [`Call::signed_bytes`] part by part.
    pub fn write_signed(&self, nonce: u64, mut write: impl FnMut(&[u8])) {
        // Nothing in memory has 2^32 words.
        let length = |n: usize| (n as u32).to_be_bytes();
        write(&self.contract);
        write(&length(self.entry.len()));
        write(self.entry.as_bytes());
        write(&length(self.arguments.len()));
        for word in &self.arguments {
            write(&word.to_be_bytes());
        }
        write(&nonce.to_be_bytes());
    }

    /// The hash of [`Call::signed_bytes`] under the tag `gavel/call` (BIP340's tagged hash).
    pub fn message(&self, nonce: u64) -> [u8; 32] {
        let mut engine = TAGGED.clone();
        self.write_signed(nonce, |part| engine.input(part));
        sha256::Hash::from_engine(engine).to_byte_array()
    }

    /// The signature of the next signer, made without randomness: the same call gives the same
    /// signature. The key is the caller's and stays there.
    pub fn sign(mut self, key: &Keypair, nonce: u64) -> Self {
        let message = Message::from_digest(self.message(nonce));
        let signature = Secp256k1::new().sign_schnorr_no_aux_rand(&message, key);
        self.signatures.push(Signed { nonce, signature });
        self
    }

    /// Whether a signature of this call is valid for a key, eight words, big end first.
    pub fn is_signed(&self, key: [u32; 8], signed: &Signed) -> bool {
        let message = pack(&self.message(signed.nonce));
        let signature = pack(signed.signature.as_ref());
        match (message.try_into(), signature.try_into()) {
            (Ok(message), Ok(signature)) => verify(key, message, signature),
            _ => false,
        }
    }
}
