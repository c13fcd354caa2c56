//! What can be called: entries, their arguments and who signs.

use crate::value::ValueType;
use crate::word::{Abort, Routine, Span, StateOp};
use serde::{Deserialize, Serialize};

/// The family of cells that holds the next nonce of each signer.
pub const NONCES: u16 = 0;

/// An entry of a ledger, parameters already folded in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As declared.
    pub name: String,
    /// Names and types of its arguments, in order.
    pub arguments: Vec<(String, ValueType)>,
    /// Who must sign a call, in order of declaration.
    pub signers: Vec<Signer>,
    /// What a call does.
    pub routine: Routine,
}

/// A key that must sign a call. Keys are BIP340 public keys: eight words, big end first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// An argument, or a part of one.
    Argument {
        /// The first of its eight words among the words of all arguments.
        first: usize,
    },
    /// A fixed key, such as a parameter.
    Key([u32; 8]),
}

/// Why entries can't be those of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Two have one name.
    #[error("there are two entries `{0}`")]
    Twice(String),
    /// The routine takes other arguments than the entry.
    #[error("entry `{name}` takes {wants} words, its routine {has}")]
    Words {
        /// The entry.
        name: String,
        /// Words of its arguments.
        wants: usize,
        /// Words that the routine takes.
        has: usize,
    },
    /// A signer lies beyond the arguments.
    #[error("signer {signer} of entry `{name}` lies beyond its arguments")]
    Signer {
        /// The entry.
        name: String,
        /// The signer's index.
        signer: usize,
    },
    /// The routine touches nonces.
    #[error("entry `{0}` touches family {NONCES}, which holds the nonces")]
    Nonces(String),
}

/// Why words aren't the arguments of an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentError {
    /// Too many or too few.
    #[error("the arguments have {wants} words, not {has}")]
    Length {
        /// Words of all arguments.
        wants: usize,
        /// Words given.
        has: usize,
    },
    /// The words of one are no value of its type.
    #[error("the words of argument `{0}` are no value of its type")]
    IllTyped(String),
}

impl Entry {
    /// How many words its arguments have together.
    pub fn words(&self) -> usize {
        self.arguments.iter().map(|(_, ty)| ty.words()).sum()
    }

    /// Checks that words are values of the arguments' types, in the one form that each value
    /// has: what is read from them is written as the same words.
    ///
    /// # Errors
    /// If they aren't.
    pub fn check_arguments(&self, words: &[u32]) -> Result<(), ArgumentError> {
        let (wants, has) = (self.words(), words.len());
        if wants != has {
            return Err(ArgumentError::Length { wants, has });
        }
        let mut rest = words;
        for (name, ty) in &self.arguments {
            let (own, after) = rest.split_at_checked(ty.words()).unwrap_or_default();
            if !ty.holds(own) {
                return Err(ArgumentError::IllTyped(name.clone()));
            }
            rest = after;
        }
        Ok(())
    }

    /// The keys that must sign a call with these arguments.
    pub fn keys(&self, arguments: &[u32]) -> Vec<[u32; 8]> {
        self.each_key(arguments).collect()
    }

    /// The same, one by one.
    pub fn each_key<'a>(&'a self, arguments: &'a [u32]) -> impl Iterator<Item = [u32; 8]> + 'a {
        let word = |n: usize| arguments.get(n).copied().unwrap_or(0);
        self.signers.iter().map(move |signer| match *signer {
            Signer::Argument { first } => std::array::from_fn(|n| word(first.saturating_add(n))),
            Signer::Key(key) => key,
        })
    }

    /// The abort that this code stands for.
    pub fn abort(&self, code: u16) -> Abort {
        let declared = self.routine.aborts.get(usize::from(code));
        declared.cloned().unwrap_or_else(|| Abort {
            name: code.to_string(),
            span: Span::default(),
        })
    }

    /// Checks that the parts of the entry fit each other.
    pub(super) fn check(&self) -> Result<(), EntryError> {
        let name = self.name.clone();
        let (wants, has) = (self.words(), self.routine.arguments);
        if wants != has {
            return Err(EntryError::Words { name, wants, has });
        }
        let beyond = |signer: &Signer| match signer {
            Signer::Argument { first } => first.checked_add(8).is_none_or(|end| end > wants),
            Signer::Key(_) => false,
        };
        if let Some(signer) = self.signers.iter().position(beyond) {
            return Err(EntryError::Signer { name, signer });
        }
        let cells = self.routine.state_ops().filter_map(StateOp::cell);
        if cells.into_iter().any(|cell| cell.family == NONCES) {
            return Err(EntryError::Nonces(name));
        }
        Ok(())
    }
}
