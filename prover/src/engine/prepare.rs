//! What can be said of calls without the state: whether they fit their entry, and whether their
//! signatures are valid.

use super::machine::Machine;
use crate::signatures::{self, BUNDLE, Keys, Signature};
use gavel_compiler::ledger::{Call, Refusal, Signed};
use rayon::prelude::*;

/// Calls with what is known of each without the state.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    pub(super) calls: Vec<Call>,
    pub(super) checked: Vec<Checked>,
}

/// What is known of one call.
#[derive(Clone, Debug)]
pub(super) enum Checked {
    /// It fits this entry.
    Fits {
        entry: u32,
        /// The first signer whose signature isn't valid.
        unsigned: Option<u32>,
    },
    /// It can't be run, whatever the state is.
    Refused(Refusal),
}

/// Whether signatures are checked, and how. Both ways of checking say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// In [bundles](crate::signatures); those that no bundle proves, one by one.
    Check,
    /// Each alone, with libsecp256k1.
    OneByOne,
    /// Taken for valid: for calls that were checked before, and for measurements.
    Trust,
}

/// Fewer signatures than this are faster one by one.
const FEW: usize = 64;

impl Prepared {
    /// Looks at calls, on all threads of the current pool.
    pub fn new(machine: &Machine, calls: Vec<Call>, signatures: Signatures) -> Self {
        Self::with_keys(machine, calls, signatures, &Keys::none())
    }

    /// The same, faster for signers that are known. New ones are remembered. Only bundles look there.
    pub fn with_keys(
        machine: &Machine,
        calls: Vec<Call>,
        signatures: Signatures,
        keys: &Keys,
    ) -> Self {
        let checked = match signatures {
            Signatures::Check => in_bundles(machine, &calls, keys),
            Signatures::OneByOne => {
                // A signature takes 50 microseconds; small pieces keep all threads busy to the end.
                let each = calls.par_iter().with_min_len(16);
                each.map(|call| one_by_one(machine, call)).collect()
            }
            Signatures::Trust => {
                let each = calls.par_iter().with_min_len(1024);
                each.map(|call| checked(fit(machine, call), |_| None))
                    .collect()
            }
        };
        Self { calls, checked }
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The calls in order.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The calls, given up.
    pub fn into_calls(self) -> Vec<Call> {
        self.calls
    }

    /// Of a call that fits its entry, the first signer whose signature isn't valid.
    pub fn unsigned(&self, call: usize) -> Option<u32> {
        match self.checked.get(call)? {
            Checked::Fits { unsigned, .. } => *unsigned,
            Checked::Refused(_) => None,
        }
    }

    /// How many signatures the calls have that fit their entry.
    pub fn signatures(&self) -> u64 {
        let fitting = self.calls.iter().zip(&self.checked);
        fitting
            .filter(|(_, checked)| matches!(checked, Checked::Fits { .. }))
            .map(|(call, _)| call.signatures.len() as u64)
            .sum()
    }
}

/// Bundles of about the same size, as many for each thread.
fn in_bundles(machine: &Machine, calls: &[Call], keys: &Keys) -> Vec<Checked> {
    let threads = rayon::current_num_threads();
    let bundles = calls.len().div_ceil(BUNDLE).next_multiple_of(threads);
    let size = calls.len().div_ceil(bundles.max(1)).max(1);
    let bundles = calls.par_chunks(size);
    bundles
        .flat_map_iter(|calls| bundle(machine, calls, keys))
        .collect()
}

fn bundle(machine: &Machine, calls: &[Call], keys: &Keys) -> Vec<Checked> {
    let fits: Vec<Result<u32, Refusal>> = calls.iter().map(|call| fit(machine, call)).collect();
    let fitting = calls.iter().zip(&fits);
    let fitting = fitting.filter_map(|(call, fits)| Some((call, fits.as_ref().ok()?)));
    let mut all = Vec::with_capacity(calls.len());
    for (call, entry) in fitting {
        all.extend(
            signers(machine, *entry, call).map(|(key, signed)| signature(call, key, signed)),
        );
    }
    // Calls may have several signers.
    let mut proven = all.chunks(BUNDLE).flat_map(|some| match some.len() {
        0..FEW => vec![false; some.len()],
        FEW.. => signatures::proven(some, keys),
    });
    let mut unsigned = |call: &Call, entry: u32| {
        let mut first = None;
        for (n, (key, signed)) in (0..).zip(signers(machine, entry, call)) {
            let is_proven = proven.next().unwrap_or(false);
            if !is_proven && first.is_none() && !call.is_signed(key, signed) {
                first = Some(n);
            }
        }
        first
    };
    let both = calls.iter().zip(fits);
    both.map(|(call, fits)| checked(fits, |entry| unsigned(call, entry)))
        .collect()
}

fn one_by_one(machine: &Machine, call: &Call) -> Checked {
    checked(fit(machine, call), |entry| {
        let mut signers = (0..).zip(signers(machine, entry, call));
        let bad = signers.find(|(_, (key, signed))| !call.is_signed(*key, signed));
        bad.map(|(n, _)| n)
    })
}

/// In the order of the reference, but for nonces, which only the state knows.
fn checked(fits: Result<u32, Refusal>, unsigned: impl FnOnce(u32) -> Option<u32>) -> Checked {
    match fits {
        Ok(entry) => Checked::Fits {
            entry,
            unsigned: unsigned(entry),
        },
        Err(refusal) => Checked::Refused(refusal),
    }
}

/// Who must sign a call, with what they signed.
fn signers<'a>(
    machine: &'a Machine,
    entry: u32,
    call: &'a Call,
) -> impl Iterator<Item = ([u32; 8], &'a Signed)> {
    let entry = machine.compiled(entry).into_iter();
    let keys = entry.flat_map(|compiled| compiled.entry.each_key(&call.arguments));
    keys.zip(&call.signatures)
}

fn signature(call: &Call, key: [u32; 8], signed: &Signed) -> Signature {
    let mut bytes = [0; 32];
    for (to, word) in bytes.as_chunks_mut().0.iter_mut().zip(key) {
        *to = word.to_be_bytes();
    }
    Signature::new(
        bytes,
        call.message(signed.nonce),
        signed.signature.serialize(),
    )
}

fn fit(machine: &Machine, call: &Call) -> Result<u32, Refusal> {
    if call.contract != machine.id() {
        return Err(Refusal::Contract);
    }
    let unknown = || Refusal::Entry(call.entry.clone());
    let number = machine.number(&call.entry).ok_or_else(unknown)?;
    let entry = &machine.compiled(number).ok_or_else(unknown)?.entry;
    entry.check_arguments(&call.arguments)?;
    let (wants, has) = (entry.signers.len(), call.signatures.len());
    if wants != has {
        return Err(Refusal::Signers { wants, has });
    }
    Ok(number)
}
