//! What can be said of calls without the state: whether they fit their entry, and whether their
//! signatures are valid.

use super::machine::Machine;
use gavel_compiler::ledger::{Call, Refusal};
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

/// Whether signatures are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// Each one, as everybody must who isn't measuring.
    Check,
    /// Taken for valid: for calls that were checked before, and for measurements.
    Trust,
}

impl Prepared {
    /// Looks at calls, on all threads of the current pool.
    pub fn new(machine: &Machine, calls: Vec<Call>, signatures: Signatures) -> Self {
        // A signature takes 32 microseconds; small pieces keep all threads busy to the end.
        let piece = match signatures {
            Signatures::Check => 16,
            Signatures::Trust => 1024,
        };
        let checked = calls.par_iter().with_min_len(piece);
        let checked = checked
            .map(|call| check(machine, call, signatures))
            .collect();
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

    /// How many signatures the calls have that fit their entry.
    pub fn signatures(&self) -> u64 {
        let fitting = self.calls.iter().zip(&self.checked);
        fitting
            .filter(|(_, checked)| matches!(checked, Checked::Fits { .. }))
            .map(|(call, _)| call.signatures.len() as u64)
            .sum()
    }
}

/// In the order of the reference, but for nonces, which only the state knows.
fn check(machine: &Machine, call: &Call, signatures: Signatures) -> Checked {
    let entry = match fit(machine, call) {
        Ok(entry) => entry,
        Err(refusal) => return Checked::Refused(refusal),
    };
    let unsigned = match signatures {
        Signatures::Check => unsigned(machine, entry, call),
        Signatures::Trust => None,
    };
    Checked::Fits { entry, unsigned }
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

fn unsigned(machine: &Machine, number: u32, call: &Call) -> Option<u32> {
    let keys = machine.compiled(number)?.entry.keys(&call.arguments);
    let mut signed = keys.iter().zip(&call.signatures).zip(0..);
    let bad = signed.find(|((key, signed), _)| !call.is_signed(**key, signed));
    bad.map(|(_, n)| n)
}
