//! The plain interpreter: the reference of the compiler, call by call, without a look at
//! signatures.

use std::collections::BTreeMap;

use gavel_compiler::ledger::{Call, CellId, Entry, LedgerContract, NONCES, Receipt, Refusal};
use gavel_compiler::ledger::{State, execute};
use gavel_compiler::units::Height;

/// The entry of a call that may run, and what its signers' nonces become.
type Admitted<'a> = (&'a Entry, Vec<(CellId, u64)>);

/// A ledger and its state.
pub(super) struct Plain {
    contract: [u8; 32],
    entries: BTreeMap<String, Entry>,
    pub state: State,
}

impl Plain {
    pub fn new(contract: &LedgerContract, state: State) -> Self {
        let entries = contract.entries.iter();
        let named = entries.map(|declared| (declared.entry.name.clone(), declared.entry.clone()));
        Self {
            contract: contract.id,
            entries: named.collect(),
            state,
        }
    }

    /// Runs calls one after the other, as [`gavel_compiler::ledger::Ledger`] does.
    pub fn run(&mut self, calls: &[Call], height: Height) -> Vec<Receipt> {
        calls.iter().map(|call| self.apply(call, height)).collect()
    }

    fn apply(&mut self, call: &Call, height: Height) -> Receipt {
        let (entry, nonces) = match self.admit(call) {
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
            Err(failure) => Receipt::Aborted {
                abort: entry.abort(failure.code),
                steps,
            },
        };
        for (cell, next) in nonces {
            let words = vec![next as u32, (next >> 32) as u32];
            self.state.set(cell, words);
        }
        receipt
    }

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
        let mut nonces = Vec::new();
        for (signer, (key, signed)) in keys.iter().zip(&call.signatures).enumerate() {
            let cell = CellId {
                family: NONCES,
                key: key.to_vec(),
            };
            let words = self.state.get(&cell, 2);
            let wants = words
                .iter()
                .rev()
                .fold(0, |n: u64, word| (n << 32) | u64::from(*word));
            let has = signed.nonce;
            let next = wants.checked_add(1).filter(|_| wants == has);
            let next = next.ok_or(Refusal::Nonce { signer, wants, has })?;
            nonces.push((cell, next));
        }
        Ok((entry, nonces))
    }
}
