//! A party's long-term Schnorr key.

use ::musig as secp;
use bitcoin::key::TapTweak;
use bitcoin::secp256k1::{Keypair, Secp256k1, XOnlyPublicKey, schnorr};
use bitcoin::taproot::TapNodeHash;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that are no secret key: zero, or not below the order of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a secret key: zero, or not below the order of secp256k1")]
pub struct InvalidKey;

/// A secret Schnorr key whose public point has an even y, so that the x-only key is all there
/// is to know of the public key (BIP 340).
pub struct PartyKey {
    secret: Zeroizing<[u8; 32]>,
    public: XOnlyPublicKey,
}

impl PartyKey {
    /// The key with this secret, negated if its point has an odd y.
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, InvalidKey> {
        let mut key = secp::SecretKey::from_secret_bytes(*secret).map_err(|_| InvalidKey)?;
        let (public, parity) = key.x_only_public_key();
        if parity == secp::Parity::Odd {
            key = key.negate();
        }
        let secret = Zeroizing::new(key.to_secret_bytes());
        key.non_secure_erase();
        let public = XOnlyPublicKey::from_slice(&public.to_byte_array()).map_err(|_| InvalidKey)?;
        Ok(Self { secret, public })
    }

    /// The public key.
    pub fn public(&self) -> XOnlyPublicKey {
        self.public
    }

    /// A BIP 340 signature on a hash: a sighash, or a hash with a tag of our own. Without
    /// auxiliary randomness, so the same hash gets the same signature.
    pub fn sign(&self, hash: &[u8; 32]) -> Result<schnorr::Signature, InvalidKey> {
        let signature = self.erasing()?.0.sign_schnorr_no_aux_rand(hash);
        schnorr::Signature::from_slice(&signature.to_byte_array()).map_err(|_| InvalidKey)
    }

    /// The key that spends by key path an output with this key inside and this tree (BIP 341).
    pub fn tap_tweak(&self, merkle_root: Option<TapNodeHash>) -> Result<Self, InvalidKey> {
        let secp = Secp256k1::new();
        let mut inner =
            Keypair::from_seckey_slice(&secp, self.secret.as_slice()).map_err(|_| InvalidKey)?;
        let mut outer = inner.tap_tweak(&secp, merkle_root).to_keypair();
        let secret = Zeroizing::new(outer.secret_bytes());
        inner.non_secure_erase();
        outer.non_secure_erase();
        Self::from_secret(&secret)
    }

    pub(super) fn erasing(&self) -> Result<Erasing, InvalidKey> {
        secp::Keypair::from_secret_bytes(*self.secret)
            .map(Erasing)
            .map_err(|_| InvalidKey)
    }
}

impl fmt::Debug for PartyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartyKey({}, secret withheld)", self.public)
    }
}

/// A key pair of secp256k1 0.33, erased when dropped.
pub(super) struct Erasing(pub(super) secp::Keypair);

impl Drop for Erasing {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}
