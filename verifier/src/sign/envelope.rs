//! Signed messages: JSON in one canonical form, and a Schnorr signature of the sender's
//! long-term key over kind, context and body.
//!
//! **Invariant:** no change to a message's bytes, not even of a letter's case or a space,
//! leaves it valid.

use super::hash::Tagged;
use super::hex::Hex;
use super::key::PartyKey;
use bitcoin::secp256k1::{Message, Secp256k1, XOnlyPublicKey, schnorr};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest message that is read.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// What a message may carry.
pub trait Body: Serialize + DeserializeOwned {
    /// Names the kind of message. No two kinds share it.
    const KIND: &'static str;

    /// Who sends it.
    fn party(&self) -> u8;
}

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Longer than [`MAX_MESSAGE_BYTES`].
    #[error("{kind}: {length} bytes; at most {MAX_MESSAGE_BYTES} are read")]
    TooLong {
        /// The kind expected.
        kind: &'static str,
        /// Its length.
        length: usize,
    },
    /// Not a message of this kind.
    #[error("{kind}: {source}")]
    Malformed {
        /// The kind expected.
        kind: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Another kind of message.
    #[error("{kind} expected, got another kind of message")]
    Kind {
        /// The kind expected.
        kind: &'static str,
    },
    /// The same content, written otherwise than we write it.
    #[error("{kind}: not in canonical form")]
    NotCanonical {
        /// The kind expected.
        kind: &'static str,
    },
    /// From another party than expected.
    #[error("{kind}: from party {got}, expected party {expected}")]
    Party {
        /// The kind expected.
        kind: &'static str,
        /// The party expected.
        expected: u8,
        /// The party that it names.
        got: u8,
    },
    /// The sender's signature is not valid, or is for another context.
    #[error("{kind} of party {party}: the signature is not valid")]
    Signature {
        /// The kind expected.
        kind: &'static str,
        /// The party that it names.
        party: u8,
    },
    /// Our own key failed.
    #[error("{kind}: our key can't sign")]
    OwnKey {
        /// The kind.
        kind: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<K, B> {
    kind: K,
    body: B,
    signature: Hex<64>,
}

/// Signs a message. The context binds it to a contract (before the instance is known) or to an
/// instance (afterwards).
pub fn seal<B: Body>(
    body: &B,
    context: &[u8; 32],
    key: &PartyKey,
) -> Result<Vec<u8>, MessageError> {
    let kind = B::KIND;
    let hash = digest(kind, context, &json(kind, body)?);
    let signature = key
        .sign(&hash)
        .map_err(|_| MessageError::OwnKey { kind })?
        .serialize();
    json(
        kind,
        &Envelope {
            kind,
            body,
            signature: Hex(signature),
        },
    )
}

/// Reads a message of a party whose key is known.
pub fn open<B: Body>(
    bytes: &[u8],
    context: &[u8; 32],
    party: u8,
    key: &XOnlyPublicKey,
) -> Result<B, MessageError> {
    let opened = open_with(bytes, context, |_: &B| *key)?;
    if opened.party() != party {
        return Err(MessageError::Party {
            kind: B::KIND,
            expected: party,
            got: opened.party(),
        });
    }
    Ok(opened)
}

/// Reads a message whose key is found from its unverified body.
pub(super) fn open_with<B: Body>(
    bytes: &[u8],
    context: &[u8; 32],
    key: impl FnOnce(&B) -> XOnlyPublicKey,
) -> Result<B, MessageError> {
    let kind = B::KIND;
    let length = bytes.len();
    if length > MAX_MESSAGE_BYTES {
        return Err(MessageError::TooLong { kind, length });
    }
    let envelope: Envelope<String, B> =
        serde_json::from_slice(bytes).map_err(|source| MessageError::Malformed { kind, source })?;
    if envelope.kind != kind {
        return Err(MessageError::Kind { kind });
    }
    if json(kind, &envelope)? != bytes {
        return Err(MessageError::NotCanonical { kind });
    }
    let body = envelope.body;
    let invalid = MessageError::Signature {
        kind,
        party: body.party(),
    };
    let hash = digest(kind, context, &json(kind, &body)?);
    let valid = schnorr::Signature::from_slice(&envelope.signature.0).is_ok_and(|signature| {
        Secp256k1::verification_only()
            .verify_schnorr(&signature, &Message::from_digest(hash), &key(&body))
            .is_ok()
    });
    if valid { Ok(body) } else { Err(invalid) }
}

fn json(kind: &'static str, value: &impl Serialize) -> Result<Vec<u8>, MessageError> {
    serde_json::to_vec(value).map_err(|source| MessageError::Malformed { kind, source })
}

fn digest(kind: &str, context: &[u8; 32], body: &[u8]) -> [u8; 32] {
    Tagged::new("gavel/message")
        .field(kind.as_bytes())
        .field(context)
        .field(body)
        .finish()
}
