//! A ledger: entries and state. Calls in, receipts out.

use super::call::Call;
use super::entry::{ArgumentError, Entry, EntryError, NONCES};
use super::execute::{Event, execute};
use super::state::{CellId, State};
use crate::units::Height;
use crate::value::{number_of, pack};
use crate::word::Abort;
use bitcoin::secp256k1::XOnlyPublicKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A contract whose calls change its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    contract: [u8; 32],
    entries: BTreeMap<String, Entry>,
    state: State,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It changed the state.
    Done {
        /// The events that it emitted, in order.
        events: Vec<Event>,
        /// Operations run.
        steps: u64,
    },
    /// It ran and aborted: nothing changed but its signers' nonces.
    Aborted {
        /// Why.
        abort: Abort,
        /// Operations run, with the one that aborted.
        steps: u64,
    },
    /// It didn't run, and nothing changed.
    Refused(Refusal),
}

/// Why a call isn't run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It is for another contract.
    #[error("the call is for another contract")]
    Contract,
    /// There is no such entry.
    #[error("there is no entry `{0}`")]
    Entry(String),
    /// Its arguments aren't the entry's.
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    /// It has too many or too few signatures.
    #[error("the entry has {wants} signers, the call {has} signatures")]
    Signers {
        /// Signers of the entry.
        wants: usize,
        /// Signatures of the call.
        has: usize,
    },
    /// A signer's nonce isn't the next one.
    #[error("the next nonce of signer {signer} is {wants}, not {has}")]
    Nonce {
        /// The signer's index.
        signer: usize,
        /// The signer's next nonce.
        wants: u64,
        /// The nonce of the call.
        has: u64,
    },
    /// A signature isn't valid.
    #[error("the signature of signer {signer} is not valid for this call")]
    Signature {
        /// The signer's index.
        signer: usize,
    },
}

/// A call that may run: its entry, and what its signers' nonces become.
struct Admitted<'a> {
    entry: &'a Entry,
    nonces: Vec<(CellId, u64)>,
}

impl Ledger {
    /// A ledger in the given state. `contract` is the contract's id.
    ///
    /// # Errors
    /// If the entries don't fit together.
    pub fn new(contract: [u8; 32], entries: Vec<Entry>, state: State) -> Result<Self, EntryError> {
        let mut named = BTreeMap::new();
        for entry in entries {
            entry.check()?;
            if let Some(other) = named.insert(entry.name.clone(), entry) {
                return Err(EntryError::Twice(other.name));
            }
        }
        Ok(Self {
            contract,
            entries: named,
            state,
        })
    }

    /// The state after all calls so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The nonce that a signer's next call must have.
    pub fn next_nonce(&self, key: &XOnlyPublicKey) -> u64 {
        self.nonce(&nonce_cell(&pack(&key.serialize())))
    }

    /// Runs one call in a block of this height. A call that is refused changes nothing; one
    /// that aborts only moves its signers' nonces on.
    pub fn apply(&mut self, call: &Call, height: Height) -> Receipt {
        let Admitted { entry, nonces } = match self.admit(call) {
            Ok(admitted) => admitted,
            Err(refusal) => return Receipt::Refused(refusal),
        };
        let inputs = [&call.arguments[..], &[height.0]].concat();
        let run = execute(&entry.routine, &inputs, &self.state);
        let steps = run.steps;
        let receipt = match run.result {
            Ok(changes) => {
                self.state.apply(&changes);
                let events = changes.events;
                Receipt::Done { events, steps }
            }
            Err(failure) => {
                let abort = entry.abort(failure.code);
                Receipt::Aborted { abort, steps }
            }
        };
        for (cell, next) in nonces {
            self.state.set(cell, vec![next as u32, (next >> 32) as u32]);
        }
        receipt
    }

    /// Finds everything that can be wrong with a call before it runs.
    fn admit(&self, call: &Call) -> Result<Admitted<'_>, Refusal> {
        if call.contract != self.contract {
            return Err(Refusal::Contract);
        }
        let entry = self.entries.get(&call.entry);
        let entry = entry.ok_or_else(|| Refusal::Entry(call.entry.clone()))?;
        entry.check_arguments(&call.arguments)?;
        let (wants, has) = (entry.signers.len(), call.signatures.len());
        if wants != has {
            return Err(Refusal::Signers { wants, has });
        }
        let keys = entry.keys(&call.arguments);
        let signed = || keys.iter().zip(&call.signatures).enumerate();
        let mut nonces = Vec::new();
        for (signer, (key, signed)) in signed() {
            let cell = nonce_cell(key);
            let (wants, has) = (self.nonce(&cell), signed.nonce);
            // The very last nonce can't be used, for there would be no next one.
            let next = wants.checked_add(1).filter(|_| wants == has);
            let next = next.ok_or(Refusal::Nonce { signer, wants, has })?;
            nonces.push((cell, next));
        }
        for (signer, (key, signed)) in signed() {
            if !call.is_signed(*key, signed) {
                return Err(Refusal::Signature { signer });
            }
        }
        Ok(Admitted { entry, nonces })
    }

    fn nonce(&self, cell: &CellId) -> u64 {
        number_of(&self.state.get(cell, 2))
    }
}

fn nonce_cell(key: &[u32]) -> CellId {
    CellId {
        family: NONCES,
        key: key.to_vec(),
    }
}
