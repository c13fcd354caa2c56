//! Random calls of random ledgers: most are right.

use super::super::signing;
use super::ledgers::Recipe;
use super::{Batch, CONTRACT, PEOPLE, percent, person, pick};
use bitcoin::secp256k1::{Message, Secp256k1, schnorr};
use gavel_compiler::ledger::{Call, Signed};
use gavel_compiler::units::Height;
use gavel_prover::workload::Random;
use std::collections::BTreeMap;

/// What is wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Contract,
    Entry,
    TooLong,
    TooShort,
    IllTyped,
    Unsigned,
    SignedTwice,
    OldNonce,
    EarlyNonce,
    LastNonce,
    Signature,
    /// A byte of the arguments is another than was signed.
    Altered,
    /// The same call as before: its nonce is used.
    Replayed,
}

const FAULTS: [Fault; 12] = [
    Fault::Contract,
    Fault::Entry,
    Fault::TooLong,
    Fault::TooShort,
    Fault::IllTyped,
    Fault::Unsigned,
    Fault::SignedTwice,
    Fault::OldNonce,
    Fault::EarlyNonce,
    Fault::LastNonce,
    Fault::Signature,
    Fault::Altered,
];

/// Draws calls and keeps count of nonces.
struct Writer<'a> {
    recipes: &'a [Recipe],
    nonces: BTreeMap<u32, u64>,
    random: &'a mut Random,
}

/// One to three batches, of a few calls or of more.
pub fn batches(recipes: &[Recipe], random: &mut Random) -> Vec<Batch> {
    let count = 1 + random.below(3);
    let most = pick(random, &[4, 12, 12, 40, 120]);
    let mut writer = Writer {
        recipes,
        nonces: BTreeMap::new(),
        random,
    };
    (0..count).map(|n| writer.batch(n as u32, most)).collect()
}

impl Writer<'_> {
    fn batch(&mut self, n: u32, most: u64) -> Batch {
        let mut batch = Batch {
            height: Height(self.random.index(5) + n),
            calls: Vec::new(),
            faults: Vec::new(),
        };
        for _ in 0..=self.random.below(most) {
            let (call, fault) = match batch.calls.last() {
                Some(last) if percent(self.random, 4) => (last.clone(), Some(Fault::Replayed)),
                _ => self.call(),
            };
            batch.calls.push(call);
            batch.faults.push(fault);
        }
        batch
    }

    fn call(&mut self) -> (Call, Option<Fault>) {
        let recipe = pick(self.random, self.recipes);
        let people: Vec<u32> = (0..recipe.signers)
            .map(|_| self.random.index(PEOPLE))
            .collect();
        let mut call = Call::new(CONTRACT, &recipe.name, self.arguments(&recipe, &people));
        let signers: Vec<u32> = people.into_iter().chain(recipe.fixed).collect();
        let fault = percent(self.random, 15).then(|| pick(self.random, &FAULTS));
        match fault {
            Some(Fault::Contract) => call.contract[5] ^= 1,
            Some(Fault::Entry) => call.entry.push('x'),
            Some(Fault::TooLong) => call.arguments.push(0),
            Some(Fault::TooShort) => drop(call.arguments.pop()),
            // The word of the only `bool`.
            Some(Fault::IllTyped) => call.arguments[8 * recipe.signers + 5] = 2,
            _ => {}
        }
        (self.signed(call, recipe.signers, &signers, fault), fault)
    }

    fn arguments(&mut self, recipe: &Recipe, people: &[u32]) -> Vec<u32> {
        let mut words: Vec<u32> = people.iter().flat_map(|n| person(*n)).collect();
        let random = &mut *self.random;
        for _ in 0..3 {
            words.push(match random.below(20) {
                0 => random.word() as u32,
                _ => random.index(4),
            });
        }
        words.extend(match random.below(8) {
            0 => [random.word() as u32, random.word() as u32],
            1 => [u32::MAX, u32::MAX],
            2 => [0, 1],
            _ => [random.index(100), 0],
        });
        words.push(random.index(2));
        if recipe.proof {
            words.extend(proof(random));
        }
        words
    }

    /// Signs; `own` signers are arguments.
    fn signed(
        &mut self,
        mut call: Call,
        own: usize,
        signers: &[u32],
        fault: Option<Fault>,
    ) -> Call {
        for who in signers {
            let next = self.nonces.get(who).copied().unwrap_or(0);
            let nonce = match fault {
                Some(Fault::OldNonce) => next.saturating_sub(1),
                Some(Fault::EarlyNonce) => next + 1,
                Some(Fault::LastNonce) => u64::MAX,
                _ => next,
            };
            call = call.sign(&signing::pair(*who), nonce);
        }
        match fault {
            Some(Fault::Unsigned) => drop(call.signatures.pop()),
            Some(Fault::SignedTwice) => {
                let another = call.signatures.last().copied();
                call.signatures.push(another.unwrap_or(Signed {
                    nonce: 0,
                    signature: schnorr::Signature::from_slice(&[7; 64]).unwrap(),
                }));
            }
            Some(Fault::Signature) => {
                if let Some(last) = call.signatures.last_mut() {
                    let mut bytes = last.signature.serialize();
                    bytes[40] ^= 4;
                    last.signature = schnorr::Signature::from_slice(&bytes).unwrap();
                }
            }
            Some(Fault::Altered) => call.arguments[8 * own] ^= 1,
            _ => {}
        }
        if self.moves_nonces(&call, signers, fault) {
            let mut moved: Vec<u32> = signers.to_vec();
            moved.sort_unstable();
            moved.dedup();
            for who in moved {
                *self.nonces.entry(who).or_default() += 1;
            }
        }
        call
    }

    /// Whether a call uses up its nonces: whether it will run.
    fn moves_nonces(&self, call: &Call, signers: &[u32], fault: Option<Fault>) -> bool {
        match fault {
            None => true,
            // An old nonce of somebody who has none is the right one.
            Some(Fault::OldNonce) => call
                .signatures
                .iter()
                .zip(signers)
                .all(|(signed, who)| signed.nonce == self.nonces.get(who).copied().unwrap_or(0)),
            _ => false,
        }
    }
}

/// A key, a message and a signature; one in three isn't valid.
fn proof(random: &mut Random) -> Vec<u32> {
    let who = random.index(PEOPLE);
    let message = [random.index(2) as u8; 32];
    let secp = Secp256k1::new();
    let signed = Message::from_digest(message);
    let signature = secp.sign_schnorr_no_aux_rand(&signed, &signing::pair(who));
    let mut bytes = [&message[..], &signature.serialize()].concat();
    if random.below(3) == 0 {
        bytes[50] ^= 1;
    }
    let (words, _) = bytes.as_chunks::<4>();
    let words = words.iter().map(|word| u32::from_be_bytes(*word));
    person(who).into_iter().chain(words).collect()
}
