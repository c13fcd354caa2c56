//! State operations: what an entry of a ledger does to its contract's cells.
//!
//! Only [`ledger::execute`](crate::ledger::execute) runs them. Script can't reach state, so
//! the front end lets none of them into a `settle`.

use super::ir::Value;
use bitcoin::secp256k1::{Message, Secp256k1, VerifyOnly, XOnlyPublicKey, schnorr};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A cell of state: a scalar field, a map's entry, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Which family of cells: one for each leaf part of a state field. All keys of a family
    /// have the same number of words, and so have all its values.
    pub family: u16,
    /// The words of its key; none for a field that is no map.
    pub key: Vec<Value>,
}

/// One operation on state. Conditions hold when their word is not 0. A call that aborts
/// changes nothing, whatever it did before.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateOp {
    /// Reads a cell. Defines `words` values; a cell never written is zeros.
    Load {
        /// The cell.
        cell: Cell,
        /// How many words its value has.
        words: u16,
    },
    /// Writes a cell if `when` holds.
    Store {
        /// The condition.
        when: Value,
        /// The cell.
        cell: Cell,
        /// Its new words.
        value: Vec<Value>,
    },
    /// Adds to a number in a cell if `when` holds; aborts if the sum doesn't fit its bits.
    Add(Delta),
    /// Subtracts from a number in a cell if `when` holds; aborts below zero.
    Sub(Delta),
    /// Emits an event if `when` holds.
    Emit {
        /// The condition.
        when: Value,
        /// The event's number, in the order of declaration.
        event: u16,
        /// The words of its fields.
        words: Vec<Value>,
    },
    /// Defines one value: 1 if the BIP340 signature is valid, else 0. Never aborts. Bytes lie
    /// in words as everywhere, big end first.
    Verify {
        /// The x-only public key.
        key: [Value; 8],
        /// The 32-byte message.
        message: [Value; 8],
        /// The 64-byte signature.
        signature: [Value; 16],
    },
}

/// A change of a number in a cell. Changes that only add, or only subtract, commute.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Delta {
    /// The condition.
    pub when: Value,
    /// The cell.
    pub cell: Cell,
    /// By how much: one word for up to 32 bits, two for 64, four for 128, little end first.
    pub amount: Vec<Value>,
    /// Bits of the number in the cell: 8, 16, 32, 64 or 128.
    pub bits: u8,
    /// The abort's code where the result doesn't fit.
    pub code: u16,
}

impl StateOp {
    /// How many values the operation defines.
    pub fn results(&self) -> u32 {
        match self {
            Self::Load { words, .. } => u32::from(*words),
            Self::Verify { .. } => 1,
            Self::Store { .. } | Self::Add(_) | Self::Sub(_) | Self::Emit { .. } => 0,
        }
    }

    /// Whether it does something beyond defining values.
    pub fn has_effect(&self) -> bool {
        !matches!(self, Self::Load { .. } | Self::Verify { .. })
    }

    /// The cell that it reads or writes.
    pub fn cell(&self) -> Option<&Cell> {
        match self {
            Self::Load { cell, .. } | Self::Store { cell, .. } => Some(cell),
            Self::Add(delta) | Self::Sub(delta) => Some(&delta.cell),
            Self::Emit { .. } | Self::Verify { .. } => None,
        }
    }

    /// Its condition, if it has one.
    pub fn when(&self) -> Option<Value> {
        match self {
            Self::Store { when, .. } | Self::Emit { when, .. } => Some(*when),
            Self::Add(delta) | Self::Sub(delta) => Some(delta.when),
            Self::Load { .. } | Self::Verify { .. } => None,
        }
    }

    /// The values that it reads: the condition, the key, then the rest.
    pub fn operands(&self) -> Vec<Value> {
        let key = self.cell().map_or(&[][..], |cell| &cell.key);
        let rest = match self {
            Self::Load { .. } => vec![],
            Self::Store { value, .. } => value.clone(),
            Self::Add(delta) | Self::Sub(delta) => delta.amount.clone(),
            Self::Emit { words, .. } => words.clone(),
            Self::Verify {
                key,
                message,
                signature,
            } => [&key[..], message, signature].concat(),
        };
        let when = self.when().into_iter();
        when.chain(key.iter().copied()).chain(rest).collect()
    }

    /// The same operation on renamed values.
    pub fn map(&self, f: impl Fn(Value) -> Value) -> Self {
        let all = |values: &[Value]| values.iter().map(|value| f(*value)).collect();
        let cell = |cell: &Cell| Cell {
            family: cell.family,
            key: all(&cell.key),
        };
        let delta = |delta: &Delta| Delta {
            when: f(delta.when),
            cell: cell(&delta.cell),
            amount: all(&delta.amount),
            ..*delta
        };
        match self {
            Self::Load { cell: from, words } => Self::Load {
                cell: cell(from),
                words: *words,
            },
            Self::Store {
                when,
                cell: to,
                value,
            } => Self::Store {
                when: f(*when),
                cell: cell(to),
                value: all(value),
            },
            Self::Add(by) => Self::Add(delta(by)),
            Self::Sub(by) => Self::Sub(delta(by)),
            Self::Emit { when, event, words } => Self::Emit {
                when: f(*when),
                event: *event,
                words: all(words),
            },
            Self::Verify {
                key,
                message,
                signature,
            } => Self::Verify {
                key: key.map(&f),
                message: message.map(&f),
                signature: signature.map(&f),
            },
        }
    }

    /// The operation's name, as programs are printed.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Load { .. } => "load",
            Self::Store { .. } => "store",
            Self::Add(_) => "add_to",
            Self::Sub(_) => "sub_from",
            Self::Emit { .. } => "emit",
            Self::Verify { .. } => "verify",
        }
    }
}

/// One for all threads: it holds nothing that changes.
static VERIFIER: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// Whether a BIP340 signature is valid. A key that is no point of the curve has no valid
/// signatures.
pub fn verify(key: [u32; 8], message: [u32; 8], signature: [u32; 16]) -> bool {
    let bytes = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
    let Ok(key) = XOnlyPublicKey::from_slice(&bytes(&key)) else {
        return false;
    };
    let Ok(message) = Message::from_digest_slice(&bytes(&message)) else {
        return false;
    };
    let Ok(signature) = schnorr::Signature::from_slice(&bytes(&signature)) else {
        return false;
    };
    VERIFIER.verify_schnorr(&signature, &message, &key).is_ok()
}
