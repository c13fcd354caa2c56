//! What is needed to read and write calls of one ledger: its id, its entries and their arguments.

use gavel_compiler::contract::InputDecl;
use gavel_compiler::ledger::{Entry, LedgerContract};
use gavel_compiler::value::{ValueError, ValueType, decode_inputs, encode_inputs};
use gavel_compiler::word::Author;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The entries of a ledger without what they do: enough to read calls, and small enough to be
/// kept beside its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// The contract's id; calls are for it unless they say otherwise.
    pub contract: [u8; 32],
    /// Its entries, in order of declaration.
    pub entries: Vec<EntryShape>,
}

/// An entry as those who call it see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryShape {
    /// Its name.
    pub name: String,
    /// Its arguments, in order.
    arguments: Vec<InputDecl>,
}

impl Interface {
    /// An interface of these entries, whose arguments have names and types.
    pub fn new<'a>(contract: [u8; 32], entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let entries = entries.into_iter().map(|entry| EntryShape {
            name: entry.name.clone(),
            arguments: entry.arguments.iter().map(input).collect(),
        });
        Self {
            contract,
            entries: entries.collect(),
        }
    }

    /// The entry of this name.
    pub fn entry(&self, name: &str) -> Option<&EntryShape> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The number of the entry of this name, in order of declaration from 0.
    pub fn number(&self, name: &str) -> Option<u16> {
        let at = self.entries.iter().position(|entry| entry.name == name)?;
        u16::try_from(at).ok()
    }
}

impl From<&LedgerContract> for Interface {
    fn from(contract: &LedgerContract) -> Self {
        let entries = contract.entries.iter().map(|declared| &declared.entry);
        Self::new(contract.id, entries)
    }
}

fn input((name, ty): &(String, ValueType)) -> InputDecl {
    InputDecl {
        name: name.clone(),
        ty: ty.clone(),
        author: Author::Anyone,
    }
}

impl EntryShape {
    /// The arguments in order: names and types.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &ValueType)> {
        self.arguments.iter().map(|a| (a.name.as_str(), &a.ty))
    }

    /// The words of arguments that are given by name.
    ///
    /// # Errors
    /// If one is missing, unknown, or can't be read as its type.
    pub fn encode(&self, values: Map<String, Value>) -> Result<Vec<u32>, ValueError> {
        encode_inputs(&self.arguments, &Value::Object(values))
    }

    /// The arguments by name.
    ///
    /// # Errors
    /// If there are too many or too few words.
    pub fn decode(&self, words: &[u32]) -> Result<Value, ValueError> {
        decode_inputs(&self.arguments, words)
    }
}
