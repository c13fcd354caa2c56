//! The accounts of a workload: public keys by number.

use super::random::Random;
use bitcoin::secp256k1::{All, PublicKey, Scalar, Secp256k1};
use rayon::prelude::*;

/// Public keys (BIP 340), by number.
#[derive(Clone, Debug)]
pub struct Accounts {
    keys: Vec<[u32; 8]>,
}

/// Keys that follow from one another by additions alone.
const RUN: u32 = 4_096;

impl Accounts {
    /// Accounts with which nobody can sign, for runs that check no signature: quickly made.
    pub fn unsigned(n: u32, seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x6163_636f_756e_7473);
        let mut word = || (random.word() >> 32) as u32;
        let keys = (0..n).map(|_| std::array::from_fn(|_| word()));
        Self {
            keys: keys.collect(),
        }
    }

    /// Accounts whose keys are `base`, `base + G`, `base + 2 G`, and so on: who knows the secret
    /// key of the first knows that of number `n`, which is `n` more.
    ///
    /// `None` if one of them is no point, for which somebody has to look on purpose.
    pub fn following(base: &PublicKey, n: u32) -> Option<Self> {
        let secp = Secp256k1::new();
        let runs: Vec<u32> = (0..n.div_ceil(RUN)).collect();
        let keys = runs.into_par_iter().map(|run| {
            let first = run.checked_mul(RUN)?;
            let rest = n.checked_sub(first)?;
            run_of(&secp, base, first, rest.min(RUN))
        });
        let keys: Option<Vec<Vec<[u32; 8]>>> = keys.collect();
        Some(Self {
            keys: keys?.concat(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        // They were counted by one.
        self.keys.len() as u32
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The words of a key; zeros beyond the last.
    pub fn key(&self, n: u32) -> [u32; 8] {
        self.keys.get(n as usize).copied().unwrap_or_default()
    }
}

/// The keys of so many accounts from number `first` on.
fn run_of(secp: &Secp256k1<All>, base: &PublicKey, first: u32, n: u32) -> Option<Vec<[u32; 8]>> {
    let scalar = |n: u32| {
        let mut bytes = [0; 32];
        for (slot, byte) in bytes.iter_mut().rev().zip(n.to_le_bytes()) {
            *slot = byte;
        }
        Scalar::from_be_bytes(bytes).ok()
    };
    let mut key = base.add_exp_tweak(secp, &scalar(first)?).ok()?;
    // G is the key of the secret 1: what two neighbours differ by.
    let one = base.add_exp_tweak(secp, &scalar(1)?).ok()?;
    let step = one.combine(&base.negate(secp)).ok()?;
    let mut keys = Vec::with_capacity(n as usize);
    for left in (0..n).rev() {
        keys.push(words(&key));
        if left > 0 {
            key = key.combine(&step).ok()?;
        }
    }
    Some(keys)
}

/// The words of a key, big end first.
fn words(key: &PublicKey) -> [u32; 8] {
    let bytes = key.x_only_public_key().0.serialize();
    let (chunks, _) = bytes.as_chunks::<4>();
    let mut words = chunks.iter().map(|chunk| u32::from_be_bytes(*chunk));
    std::array::from_fn(|_| words.next().unwrap_or(0))
}
