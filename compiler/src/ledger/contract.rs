//! A ledger as its source declares it: entries with what is known of them, and the names of
//! what states and events hold.

use super::apply::Ledger;
use super::entry::{Entry, EntryError};
use super::execute::Event;
use super::state::{CellId, State};
use crate::contract::InputDecl;
use crate::value::{ValueError, ValueType, decode, decode_all, encode_inputs};
use crate::word::Author;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A ledger with every parameter fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerContract {
    /// As declared.
    pub name: String,
    /// What calls are for: binds them to this source and these parameters, as the
    /// [id](crate::contract::Contract::id) of a contract that settles a coin does.
    pub id: [u8; 32],
    /// The parameters, with their words.
    pub params: Vec<ParamValue>,
    /// The entries, in order of declaration.
    pub entries: Vec<DeclaredEntry>,
    /// What the state is made of; family `n` is at `n - 1`.
    pub families: Vec<Family>,
    /// The events, by number.
    pub events: Vec<EventDecl>,
    /// The assets, in order of declaration.
    pub assets: Vec<String>,
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamValue {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ValueType,
    /// Its value.
    pub words: Vec<u32>,
}

/// An entry and what its heading says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredEntry {
    /// What calls run.
    pub entry: Entry,
    /// The arguments and parameters whose keys sign, in order.
    pub signers: Vec<String>,
    /// The assets that it may mint.
    pub mints: Vec<String>,
    /// The assets that it may burn.
    pub burns: Vec<String>,
}

/// Cells of one kind: a leaf part of a field of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Its number.
    pub family: u16,
    /// The field. What is minted of an asset `A` is counted in `A.supply`.
    pub field: String,
    /// The way from what the field holds to this part, such as `.debt`; empty if it is all.
    pub part: String,
    /// The types of the keys, outermost map first; none for a field that is no map.
    pub keys: Vec<ValueType>,
    /// The type of a cell's value.
    #[serde(rename = "type")]
    pub ty: ValueType,
}

/// An event as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDecl {
    /// Its name.
    pub name: String,
    /// Names and types of its fields, in order.
    pub fields: Vec<(String, ValueType)>,
}

/// A cell with its names, for people and other programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCell {
    /// The field.
    pub field: String,
    /// The keys, as many as the field has.
    pub keys: Vec<Value>,
    /// The part of what stands there; empty if it is all.
    pub part: String,
    /// What it holds.
    pub value: Value,
}

/// An event with its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedEvent {
    /// The event.
    pub event: String,
    /// Its fields, by name.
    pub fields: Map<String, Value>,
}

impl LedgerContract {
    /// A ledger that runs calls, in this state.
    ///
    /// # Errors
    /// None for a contract from a source; if its parts were changed, perhaps that they don't
    /// fit together.
    pub fn ledger(&self, state: State) -> Result<Ledger, EntryError> {
        let entries = self.entries.iter().map(|declared| declared.entry.clone());
        Ledger::new(self.id, entries.collect(), state)
    }

    /// The entry of this name.
    pub fn entry(&self, name: &str) -> Option<&DeclaredEntry> {
        self.entries.iter().find(|e| e.entry.name == name)
    }

    /// The family of this number.
    pub fn family(&self, number: u16) -> Option<&Family> {
        self.families.iter().find(|f| f.family == number)
    }

    /// All cells of a state that aren't zero, but for signers' nonces, with their names.
    pub fn named(&self, state: &State) -> Vec<NamedCell> {
        let cells = state.cells();
        cells
            .filter_map(|(cell, words)| self.named_cell(cell, words))
            .collect()
    }

    /// A cell that holds these words, with its names; `None` if it is of no field.
    pub fn named_cell(&self, cell: &CellId, words: &[u32]) -> Option<NamedCell> {
        let family = self.family(cell.family)?;
        Some(NamedCell {
            field: family.field.clone(),
            keys: decode_all(family.keys.iter(), &cell.key),
            part: family.part.clone(),
            value: decode(&family.ty, words),
        })
    }

    /// An event with its names; `None` if it isn't one of this ledger.
    pub fn named_event(&self, event: &Event) -> Option<NamedEvent> {
        let decl = self.events.get(usize::from(event.event))?;
        let types = decl.fields.iter().map(|(_, ty)| ty);
        let names = decl.fields.iter().map(|(name, _)| name.clone());
        Some(NamedEvent {
            event: decl.name.clone(),
            fields: names.zip(decode_all(types, &event.words)).collect(),
        })
    }
}

impl Entry {
    /// The words of arguments that are given by name, as a JSON object.
    ///
    /// # Errors
    /// If one is missing, unknown, or can't be read as its type.
    pub fn encode_arguments(&self, values: &Value) -> Result<Vec<u32>, ValueError> {
        let arguments = self.arguments.iter();
        let inputs: Vec<InputDecl> = arguments
            .map(|(name, ty)| InputDecl {
                name: name.clone(),
                ty: ty.clone(),
                author: Author::Anyone,
            })
            .collect();
        encode_inputs(&inputs, values)
    }
}
