//! Tests of keys and signatures.

mod envelope;
mod guard;
mod hello;
mod musig;
mod onetime;
mod timing;

use super::rand::SeedableRng;
use super::rand::rngs::StdRng;
use super::*;

const CONTRACT: [u8; 32] = [7; 32];

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn seed(n: u8) -> Seed {
    Seed::from_bytes(&[n; 32])
}

/// The long-term keys of `n` parties.
fn party_keys(n: u8) -> Vec<PartyKey> {
    (1..=n).map(|n| seed(n).party_key(&CONTRACT)).collect()
}

fn key_agg(keys: &[PartyKey]) -> KeyAgg {
    KeyAgg::new(&keys.iter().map(PartyKey::public).collect::<Vec<_>>()).unwrap()
}

/// Every message that differs from `bytes` in one bit.
fn bit_flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}

#[test]
fn debug_shows_no_secret() {
    let seed = Seed::from_bytes(&[0xab; 32]);
    let key = seed.party_key(&CONTRACT);
    let one_time = OneTimeKeys::new(&seed, &CONTRACT, &[1; 32]);
    let attestor = AttestorKey::new(&seed, "x", &[8]);
    let keys = key_agg(&party_keys(2));
    let (session, _) =
        Session::start(&keys, 0, &party_keys(2)[0], vec![], &[0; 32], &mut rng(1)).unwrap();
    assert_eq!(
        format!("{seed:?} {one_time:?} {attestor:?}"),
        "Seed(withheld) OneTimeKeys(withheld) AttestorKey(withheld)"
    );
    assert_eq!(
        format!("{key:?}"),
        format!("PartyKey({}, secret withheld)", key.public())
    );
    assert_eq!(
        format!("{session:?}"),
        "Session { me: 0, jobs: 0, missing: [1], .. }"
    );
}

#[test]
fn party_keys_sign_as_bitcoin_verifies() {
    use bitcoin::hashes::Hash;
    use bitcoin::key::TapTweak;
    use bitcoin::secp256k1::{Message, Secp256k1};
    use bitcoin::taproot::TapNodeHash;
    let secp = Secp256k1::new();
    let hash = [6; 32];
    let message = Message::from_digest(hash);
    for n in 0..16 {
        let key = seed(n).party_key(&CONTRACT);
        assert_eq!(key.public(), seed(n).party_key(&CONTRACT).public());
        assert_ne!(key.public(), seed(n).party_key(&[8; 32]).public());
        let signature = key.sign(&hash).unwrap();
        secp.verify_schnorr(&signature, &message, &key.public())
            .unwrap();
        for root in [None, Some(TapNodeHash::from_byte_array([n; 32]))] {
            let (outer, _) = key.public().tap_tweak(&secp, root);
            let tweaked = key.tap_tweak(root).unwrap();
            assert_eq!(tweaked.public(), outer.to_x_only_public_key());
            let signature = tweaked.sign(&hash).unwrap();
            secp.verify_schnorr(&signature, &message, &tweaked.public())
                .unwrap();
        }
    }
    assert!(PartyKey::from_secret(&[0; 32]).is_err());
    assert!(PartyKey::from_secret(&[0xff; 32]).is_err());
}
