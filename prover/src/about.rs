//! What is kept beside a ledger's state, so that it can be read without the source.

use crate::calls::Interface;
use crate::engine::Machine;
use gavel_compiler::ledger::{Entry, EntryError, EventDecl, Family, LedgerContract, ParamValue};
use gavel_compiler::value::ValueType;
use gavel_compiler::word::{Abort, Routine, Span};
use serde::{Deserialize, Serialize};

/// A ledger's names and types, without what its entries do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The contract's name.
    pub name: String,
    /// Its id, and the entries with their arguments.
    pub interface: Interface,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What the state is made of.
    pub families: Vec<Family>,
    /// Its events, by number.
    pub events: Vec<EventDecl>,
    /// Of each entry, in order of declaration, why its calls may abort: names by code.
    pub aborts: Vec<Vec<String>>,
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: ValueType,
    /// Its value.
    pub words: Vec<u32>,
}

/// Why bytes say nothing about a ledger.
#[derive(Debug, thiserror::Error)]
#[error("what is kept about the contract can't be read: {0}")]
pub struct AboutError(#[from] serde_json::Error);

impl From<&LedgerContract> for About {
    fn from(contract: &LedgerContract) -> Self {
        let params = contract.params.iter().map(|param| Param {
            name: param.name.clone(),
            ty: param.ty.clone(),
            words: param.words.clone(),
        });
        Self {
            name: contract.name.clone(),
            interface: contract.into(),
            params: params.collect(),
            families: contract.families.clone(),
            events: contract.events.clone(),
            aborts: contract.entries.iter().map(|e| aborts(&e.entry)).collect(),
        }
    }
}

fn aborts(entry: &Entry) -> Vec<String> {
    let aborts = entry.routine.aborts.iter();
    aborts.map(|abort| abort.name.clone()).collect()
}

impl About {
    /// As bytes: the same contract always gives the same.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_bytes(&self) -> Result<Vec<u8>, AboutError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// From the bytes of [`About::to_bytes`].
    ///
    /// # Errors
    /// If these aren't such.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AboutError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The contract without entries: enough to show cells and events with their names.
    pub fn names(&self) -> LedgerContract {
        let params = self.params.iter().map(|param| ParamValue {
            name: param.name.clone(),
            ty: param.ty.clone(),
            words: param.words.clone(),
        });
        LedgerContract {
            name: self.name.clone(),
            id: self.interface.contract,
            params: params.collect(),
            entries: Vec::new(),
            families: self.families.clone(),
            events: self.events.clone(),
            assets: Vec::new(),
        }
    }

    /// A machine whose entries do nothing, to read receipts with.
    ///
    /// # Errors
    /// If two entries have one name, which no contract's have.
    pub fn reading_machine(&self) -> Result<Machine, EntryError> {
        let none = Vec::new();
        let aborts = self.aborts.iter().chain(std::iter::repeat(&none));
        let entries = self.interface.entries.iter().zip(aborts);
        let entries = entries.map(|(shape, aborts)| Entry {
            name: shape.name.clone(),
            arguments: Vec::new(),
            signers: Vec::new(),
            routine: Routine {
                arguments: 0,
                insts: Vec::new(),
                aborts: aborts.iter().map(abort).collect(),
                reads_height: false,
            },
        });
        Machine::from_entries(self.interface.contract, entries.collect())
    }
}

fn abort(name: &String) -> Abort {
    Abort {
        name: name.clone(),
        span: Span::default(),
    }
}
