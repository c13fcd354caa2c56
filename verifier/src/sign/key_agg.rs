//! The parties' aggregate key (BIP 327).
//!
//! Keys are aggregated in the order of the parties' indices, not sorted. A party's x-only key
//! stands for its point with an even y.

use ::musig as secp;
use bitcoin::secp256k1::XOnlyPublicKey;
use bitcoin::taproot::{TapNodeHash, TapTweakHash};

/// The most parties that a contract may have.
pub const MAX_PARTIES: usize = 16;

/// What an aggregate signature is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tweak {
    /// The aggregate key itself, in a leaf.
    None,
    /// The output key with the aggregate key inside and this tree: a spend by key path.
    TapTweak(Option<TapNodeHash>),
}

/// Why keys have no aggregate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyAggError {
    /// Fewer than two keys, or more than [`MAX_PARTIES`].
    #[error("{got} parties; a contract has 2 to {MAX_PARTIES}")]
    Parties {
        /// Keys given.
        got: usize,
    },
    /// Two parties gave the same key: one copied the other's.
    #[error("parties {first} and {second} have the same key")]
    Same {
        /// The one.
        first: usize,
        /// The other.
        second: usize,
    },
    /// Not a point of the curve.
    #[error("the key of party {party} is not on the curve")]
    NotAKey {
        /// Whose key.
        party: usize,
    },
    /// The tweak leads to no key. Can't happen by chance.
    #[error("the tweak leads to no valid key")]
    Tweak,
}

/// The aggregate of all parties' keys.
#[derive(Clone, Debug)]
pub struct KeyAgg {
    parties: Vec<XOnlyPublicKey>,
    keys: Vec<secp::PublicKey>,
    cache: secp::musig::KeyAggCache,
    aggregate: XOnlyPublicKey,
}

/// The aggregate key under a tweak.
#[derive(Clone, Copy)]
pub(super) struct Tweaked {
    pub(super) cache: secp::musig::KeyAggCache,
    pub(super) key: XOnlyPublicKey,
}

impl KeyAgg {
    /// Aggregates the keys of the parties, in the order of their indices.
    pub fn new(parties: &[XOnlyPublicKey]) -> Result<Self, KeyAggError> {
        if !(2..=MAX_PARTIES).contains(&parties.len()) {
            return Err(KeyAggError::Parties { got: parties.len() });
        }
        for (second, key) in parties.iter().enumerate() {
            let first = parties.iter().position(|other| other == key);
            if let Some(first) = first.filter(|first| *first != second) {
                return Err(KeyAggError::Same { first, second });
            }
        }
        let keys = parties
            .iter()
            .enumerate()
            .map(|(party, key)| to_point(key).ok_or(KeyAggError::NotAKey { party }))
            .collect::<Result<Vec<_>, _>>()?;
        let cache = secp::musig::KeyAggCache::new(&keys.iter().collect::<Vec<_>>());
        let aggregate = from_x_only(&cache.agg_pk()).ok_or(KeyAggError::Tweak)?;
        Ok(Self {
            parties: parties.to_vec(),
            keys,
            cache,
            aggregate,
        })
    }

    /// The parties' keys, by index.
    pub fn parties(&self) -> &[XOnlyPublicKey] {
        &self.parties
    }

    /// The aggregate key: what stands in leaves, and inside outputs.
    pub fn aggregate(&self) -> XOnlyPublicKey {
        self.aggregate
    }

    /// The key of an output with the aggregate key inside and this tree (BIP 341).
    pub fn output_key(
        &self,
        merkle_root: Option<TapNodeHash>,
    ) -> Result<XOnlyPublicKey, KeyAggError> {
        Ok(self.tweaked(Tweak::TapTweak(merkle_root))?.key)
    }

    pub(super) fn tweaked(&self, tweak: Tweak) -> Result<Tweaked, KeyAggError> {
        let mut cache = self.cache;
        if let Tweak::TapTweak(root) = tweak {
            let hash = TapTweakHash::from_key_and_tweak(self.aggregate, root);
            let scalar = secp::Scalar::from_be_bytes(hash.to_scalar().to_be_bytes())
                .map_err(|_| KeyAggError::Tweak)?;
            cache
                .pubkey_xonly_tweak_add(&scalar)
                .map_err(|_| KeyAggError::Tweak)?;
        }
        let key = from_x_only(&cache.agg_pk()).ok_or(KeyAggError::Tweak)?;
        Ok(Tweaked { cache, key })
    }

    pub(super) fn point(&self, party: usize) -> Option<secp::PublicKey> {
        self.keys.get(party).copied()
    }
}

fn to_point(key: &XOnlyPublicKey) -> Option<secp::PublicKey> {
    let key = secp::XOnlyPublicKey::from_byte_array(key.serialize()).ok()?;
    Some(key.public_key(secp::Parity::Even))
}

fn from_x_only(key: &secp::XOnlyPublicKey) -> Option<XOnlyPublicKey> {
    XOnlyPublicKey::from_slice(&key.to_byte_array()).ok()
}
