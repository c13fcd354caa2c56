//! Receipts as lines of JSON, with the names of the source.

use gavel_compiler::ledger::{LedgerContract, NamedEvent, Receipt, Refusal};
use gavel_prover::calls::Undecodable;
use gavel_prover::{Machine, Receipts};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

/// A line of receipts.
#[derive(Debug, Serialize)]
pub struct ReceiptLine {
    /// The line or record that the call was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The batch, and the call's place in it from 0; none for what is no call.
    #[serde(flatten)]
    pub at: Option<At>,
    /// What became of it.
    #[serde(flatten)]
    pub what: What,
}

/// Where a call is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct At {
    /// The batch.
    pub batch: u64,
    /// The call's place in it, from 0.
    pub call: u64,
}

/// What became of a line.
#[derive(Debug, Serialize)]
#[serde(tag = "receipt", rename_all = "lowercase")]
pub enum What {
    /// It changed the state.
    Done {
        /// Operations run.
        steps: u64,
        /// The events that it emitted.
        events: Vec<Value>,
    },
    /// It ran and aborted.
    Aborted {
        /// The error's name.
        error: String,
        /// Operations run.
        steps: u64,
    },
    /// It didn't run.
    Refused {
        /// A short name that scripts can rely on.
        reason: &'static str,
        /// In words.
        why: String,
    },
    /// It is no call.
    Undecodable {
        /// Why.
        why: String,
    },
}

impl What {
    /// The receipt of a call.
    pub fn of(receipt: &Receipt, names: &LedgerContract) -> Self {
        match receipt {
            Receipt::Done { events, steps } => Self::Done {
                steps: *steps,
                events: events.iter().map(|e| event(names.named_event(e))).collect(),
            },
            Receipt::Aborted { abort, steps } => Self::Aborted {
                error: abort.name.clone(),
                steps: *steps,
            },
            Receipt::Refused(refusal) => Self::Refused {
                reason: reason(refusal),
                why: refusal.to_string(),
            },
        }
    }
}

/// An event of no known name is null: the contract has none such.
fn event(named: Option<NamedEvent>) -> Value {
    named.map_or(Value::Null, |event| serde_json::json!(event))
}

/// A short name for why a call was refused.
pub fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Contract => "contract",
        Refusal::Entry(_) => "entry",
        Refusal::Arguments(_) => "arguments",
        Refusal::Signers { .. } => "signers",
        Refusal::Nonce { .. } => "nonce",
        Refusal::Signature { .. } => "signature",
    }
}

/// The lines of a batch's receipts. `lines` has the numbers of the lines that its calls were read
/// from, if they are known.
pub fn of_batch(
    receipts: &Receipts,
    machine: &Machine,
    names: &LedgerContract,
    batch: u64,
    lines: &[u64],
) -> Vec<String> {
    let calls = (0..receipts.len()).into_par_iter().with_min_len(64);
    let line = |call: usize| {
        let receipt = receipts.get(machine, call)?;
        let line = ReceiptLine {
            line: lines.get(call).copied(),
            at: Some(At {
                batch,
                call: call as u64,
            }),
            what: What::of(&receipt, names),
        };
        serde_json::to_string(&line).ok()
    };
    calls.map(|call| line(call).unwrap_or_default()).collect()
}

/// The line of what is no call.
pub fn of_undecodable(found: &Undecodable) -> String {
    let line = ReceiptLine {
        line: Some(found.place.number),
        at: None,
        what: What::Undecodable {
            why: found.why.to_string(),
        },
    };
    serde_json::to_string(&line).unwrap_or_default()
}
