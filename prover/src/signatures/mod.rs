//! Many BIP340 signatures at once.
//!
//! Signature i is valid if `s_i G = R_i + e_i P_i`, so of valid ones any combination holds as well:
//!
//! ```text
//! (sum of a_i s_i) G  =  sum of a_i R_i  +  sum of (a_i e_i) P_i
//! ```
//!
//! With numbers a_i that whoever made the signatures couldn't foresee, it holds for any that isn't
//! valid with a probability of 2^-128 only
//! ([BIP340](https://github.com/bitcoin/bips/blob/master/bip-0340.mediawiki), "Batch Verification").
//! They are drawn, 128 bits each, from a hash over all keys, messages and signatures of the bundle,
//! as BIP340 recommends: the same calls are looked at in the same way everywhere, and who changes
//! one signature gets other numbers for all. BIP340 sets the first to 1, which would save nothing.
//!
//! **Invariant:** [`proven`] is for signatures that libsecp256k1 accepts. Of those that it doesn't
//! say it of, it says nothing: libsecp256k1 decides about each.

mod field;
mod keys;
mod point;
mod scalar;
mod sum;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

pub use keys::Keys;

use point::Point;
use scalar::{Montgomery, Scalar};
use sum::{Term, sum};

/// How many signatures are best looked at together. Twice as many are 5 % faster, but then many
/// threads wait longer for the last one.
pub const BUNDLE: usize = 2048;

/// Into how many pieces a bundle is cut in which not all are valid, so that one that isn't costs the
/// others less.
const PIECES: usize = 8;

/// How many pieces may fail before the others aren't tried: who puts something wrong into each is
/// to cost no more than that.
const FAILURES: usize = 3;

/// What the hash that randomizers are drawn from is for.
const RANDOMIZERS: &str = "gavel 2026-11 randomizers for a bundle of BIP340 signatures";

/// The x of the generator (SEC 2, 2.4.1). Its y is even.
const GENERATOR: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
    0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];

/// The hash of BIP340's challenges, with the tag already in it.
static CHALLENGE: LazyLock<Sha256> = LazyLock::new(|| {
    let tag = Sha256::digest(b"BIP0340/challenge");
    Sha256::new().chain_update(tag).chain_update(tag)
});

/// A signature and what it should be for: any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    key: [u8; 32],
    message: [u8; 32],
    r: [u8; 32],
    s: [u8; 32],
}

impl Signature {
    /// A signature of a message for a key, which is the x of a point.
    pub fn new(key: [u8; 32], message: [u8; 32], signature: [u8; 64]) -> Self {
        let half = |at: usize| {
            let bytes = signature.get(at..).and_then(<[u8]>::first_chunk);
            bytes.copied().unwrap_or([0; 32])
        };
        Self {
            key,
            message,
            r: half(0),
            s: half(32),
        }
    }

    fn parts(&self) -> [&[u8; 32]; 4] {
        [&self.key, &self.message, &self.r, &self.s]
    }
}

/// Of each signature, whether it is proven to be valid. If all are valid, it is of all; where some
/// aren't, others may not be proven either. Keys that are known save time; those that aren't will be.
pub fn proven(signatures: &[Signature], keys: &Keys) -> Vec<bool> {
    let mut proven = vec![false; signatures.len()];
    let bundle = Bundle::new(signatures, keys);
    let mut prove = |members: &[Member]| {
        let holds = bundle.holds(members);
        for member in members.iter().filter(|_| holds) {
            if let Some(proven) = proven.get_mut(member.at) {
                *proven = true;
            }
        }
        holds
    };
    if !prove(&bundle.members) && bundle.members.len() > 1 {
        let piece = bundle.members.len().div_ceil(PIECES);
        let mut failures = 0;
        for members in bundle.members.chunks(piece) {
            failures += usize::from(!prove(members));
            if failures == FAILURES {
                break;
            }
        }
    }
    proven
}

/// Signatures, as far as they can be read.
struct Bundle {
    /// The keys' points, each once. The generator is the first.
    keys: Vec<Point>,
    members: Vec<Member>,
}

/// One of the signatures of a bundle.
struct Member {
    /// Its place among all.
    at: usize,
    /// The place of its key.
    key: usize,
    r: Point,
    s: Scalar,
    challenge: Scalar,
    randomizer: u128,
}

impl Bundle {
    fn new(signatures: &[Signature], known: &Keys) -> Self {
        let mut randomizers = randomizers(signatures);
        let (names, numbers) = distinct(signatures);
        let mut keys = Point::lift_all(&[&GENERATOR]);
        keys.extend(known.points(&names));
        let r: Vec<&[u8; 32]> = signatures.iter().map(|signature| &signature.r).collect();
        let r = Point::lift_all(&r);
        let members = (signatures.iter().zip(numbers).zip(r).enumerate()).filter_map(
            |(at, ((signature, key), r))| {
                let randomizer = randomizers();
                keys.get(key)?.as_ref()?;
                Some(Member {
                    at,
                    key,
                    r: r?,
                    s: Scalar::from_bytes(&signature.s)?,
                    challenge: challenge(signature),
                    randomizer,
                })
            },
        );
        let members = members.collect();
        // Where there is no point, nothing is a member's.
        let keys = keys.into_iter();
        let keys = keys.map(|key| key.unwrap_or(Point::NOTHING)).collect();
        Self { keys, members }
    }

    /// Whether the equation holds for these, all from one side: the sum must be nothing.
    fn holds(&self, members: &[Member]) -> bool {
        let mut long: Vec<Term> = (self.keys.iter())
            .map(|point| Term {
                point: *point,
                times: Scalar::ZERO,
            })
            .collect();
        let mut short = Vec::with_capacity(members.len());
        let mut all_s = Scalar::ZERO;
        for member in members {
            let randomizer = Montgomery::new(member.randomizer);
            all_s = all_s.add(&randomizer.times(&member.s));
            if let Some(key) = long.get_mut(member.key) {
                key.times = key.times.add(&randomizer.times(&member.challenge));
            }
            short.push(Term {
                point: member.r,
                times: randomizer.times(&Scalar::ONE),
            });
        }
        if let Some(generator) = long.first_mut() {
            generator.times = all_s.negate();
        }
        long.retain(|term| term.times != Scalar::ZERO);
        sum(&short, &long).is_nothing()
    }
}

/// The keys, each once, and of each signature the place of its key, after the generator's.
fn distinct(signatures: &[Signature]) -> (Vec<&[u8; 32]>, Vec<usize>) {
    let mut places = BTreeMap::new();
    let mut keys = Vec::new();
    let of = signatures.iter().map(|signature| {
        *places.entry(&signature.key).or_insert_with(|| {
            keys.push(&signature.key);
            keys.len()
        })
    });
    let of = of.collect();
    (keys, of)
}

/// Numbers that follow from all signatures together.
fn randomizers(signatures: &[Signature]) -> impl FnMut() -> u128 + use<> {
    let mut hasher = blake3::Hasher::new_derive_key(RANDOMIZERS);
    for part in signatures.iter().flat_map(Signature::parts) {
        hasher.update(part);
    }
    let mut stream = hasher.finalize_xof();
    move || {
        let mut bytes = [0; 16];
        stream.fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}

/// BIP340's e.
fn challenge(signature: &Signature) -> Scalar {
    let hash = CHALLENGE.clone();
    let hash = hash.chain_update(signature.r).chain_update(signature.key);
    Scalar::reduced(&hash.chain_update(signature.message).finalize().into())
}
