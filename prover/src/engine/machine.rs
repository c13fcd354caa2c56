//! A ledger contract, ready to run.

use super::code::Code;
use gavel_compiler::ledger::{Entry, EntryError, Ledger, LedgerContract, State};
use gavel_compiler::word::access::{Class, accesses};
use std::collections::BTreeMap;

/// A ledger's entries as bytecode, with its id.
#[derive(Clone, Debug)]
pub struct Machine {
    id: [u8; 32],
    entries: Vec<Compiled>,
    by_name: BTreeMap<String, u32>,
}

/// An entry and its bytecode.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub entry: Entry,
    pub code: Code,
    pub class: Class,
}

impl Machine {
    /// Compiles a contract's entries.
    ///
    /// # Errors
    /// None for a contract from a source; if its parts were changed, perhaps that they don't fit
    /// together.
    pub fn new(contract: &LedgerContract) -> Result<Self, EntryError> {
        let entries = contract
            .entries
            .iter()
            .map(|declared| declared.entry.clone());
        Self::from_entries(contract.id, entries.collect())
    }

    /// The same from its parts.
    ///
    /// # Errors
    /// If the entries don't fit together.
    pub fn from_entries(id: [u8; 32], entries: Vec<Entry>) -> Result<Self, EntryError> {
        // The reference checks them.
        Ledger::new(id, entries.clone(), State::new())?;
        let names = entries.iter().zip(0..);
        Ok(Self {
            id,
            by_name: names.map(|(entry, n)| (entry.name.clone(), n)).collect(),
            entries: entries
                .into_iter()
                .map(|entry| Compiled {
                    code: Code::new(&entry.routine),
                    class: accesses(&entry.routine).class,
                    entry,
                })
                .collect(),
        })
    }

    /// The contract's id.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The entries in order of declaration.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|compiled| &compiled.entry)
    }

    /// The number of an entry, in order of declaration.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// The highest level of a place of any entry.
    pub(super) fn levels(&self) -> u8 {
        let levels = self.entries.iter().map(|compiled| compiled.code.levels);
        levels.max().unwrap_or(0)
    }

    pub(super) fn compiled(&self, number: u32) -> Option<&Compiled> {
        self.entries.get(number as usize)
    }
}
