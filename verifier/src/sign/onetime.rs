//! A party's one-time keys for one deployment of a contract.
//!
//! A key is named by role and element. Its secrets also depend on its shape, so that a key of
//! another length shares none; the guard's entry does not, so that an element is signed once,
//! whatever its shape.

use super::chain::{self, BadDigits};
use super::guard::{Guard, GuardError, Record, Source};
use super::hash::derive;
use super::seed::Seed;
use gavel_compiler::commit::{PublicKey, Shape, Signature};
use rayon::prelude::*;
use std::fmt;
use zeroize::Zeroizing;

/// In which capacity a party signs an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// As the one who claims: inputs and frames, by element of the plan.
    Claimer,
    /// As the one who vouches for an input, by input element.
    Author,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claimer => "claimer",
            Self::Author => "author",
        })
    }
}

/// What is to be signed with a one-time key.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The party's capacity.
    pub role: Role,
    /// The element.
    pub element: u16,
    /// The shape of the element's key.
    pub shape: Shape,
    /// The message, `shape.message` digits of `0..=15`, without checksum.
    pub digits: Vec<u8>,
    /// Where the message comes from. An author's message always counts as a choice.
    pub source: Source,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum OneTimeError {
    /// The message's length isn't the shape's.
    #[error("{role} element {element}: {got} digits, its key has {need}")]
    Length {
        /// Capacity.
        role: Role,
        /// Element.
        element: u16,
        /// Digits given.
        got: usize,
        /// Digits of the shape.
        need: usize,
    },
    /// A digit is above 15.
    #[error("{role} element {element}: digit {at} is {digit}, above 15")]
    Digit {
        /// Capacity.
        role: Role,
        /// Element.
        element: u16,
        /// Index of the digit.
        at: usize,
        /// The digit.
        digit: u8,
    },
    /// The key has signed another message.
    #[error("{role} element {element}: already signed with another value")]
    SecondMessage {
        /// Capacity.
        role: Role,
        /// Element.
        element: u16,
    },
    /// The party was restored from a backup.
    #[error("{role} element {element}: restored from a backup, so no new input is signed")]
    Restored {
        /// Capacity.
        role: Role,
        /// Element.
        element: u16,
    },
    /// The guard failed.
    #[error(transparent)]
    Guard(GuardError),
}

/// The secrets of a party's one-time keys, zeroised when dropped.
pub struct OneTimeKeys {
    root: Zeroizing<[u8; 32]>,
}

impl OneTimeKeys {
    /// The keys of a contract's deployment: `instance` is from [`super::instance`].
    pub fn new(seed: &Seed, contract: &[u8; 32], instance: &[u8; 32]) -> Self {
        Self {
            root: seed.derive("gavel/one-time", &[contract, instance]),
        }
    }

    /// The public key of an element.
    pub fn public_key(&self, role: Role, element: u16, shape: Shape) -> PublicKey {
        let secret = self.secret(role, element, shape);
        chain::public_key(shape, |digit| chain::digit_secret(&secret, digit))
    }

    /// The public keys of many elements, in order; computed on all cores.
    pub fn public_keys(&self, role: Role, elements: &[(u16, Shape)]) -> Vec<PublicKey> {
        elements
            .par_iter()
            .map(|(element, shape)| self.public_key(role, *element, *shape))
            .collect()
    }

    /// Signs one statement. See [`Self::sign_all`].
    pub fn sign(
        &self,
        statement: &Statement,
        guard: &mut dyn Guard,
    ) -> Result<Signature, OneTimeError> {
        self.admit(std::slice::from_ref(statement), guard)?;
        Ok(self.reveal(statement))
    }

    /// Signs all statements, or none. The guard has recorded all of them before the first
    /// secret is revealed; signing the same message again gives the same signature.
    pub fn sign_all(
        &self,
        statements: &[Statement],
        guard: &mut dyn Guard,
    ) -> Result<Vec<Signature>, OneTimeError> {
        self.admit(statements, guard)?;
        Ok(statements.par_iter().map(|s| self.reveal(s)).collect())
    }

    fn admit(&self, statements: &[Statement], guard: &mut dyn Guard) -> Result<(), OneTimeError> {
        let records = statements
            .iter()
            .map(|statement| self.record(statement))
            .collect::<Result<Vec<_>, _>>()?;
        guard.commit(&records).map_err(|error| {
            let at = match error {
                GuardError::SecondMessage { at } | GuardError::Restored { at } => at,
                error => return OneTimeError::Guard(error),
            };
            match (statements.get(at), &error) {
                (Some(&Statement { role, element, .. }), GuardError::SecondMessage { .. }) => {
                    OneTimeError::SecondMessage { role, element }
                }
                (Some(&Statement { role, element, .. }), _) => {
                    OneTimeError::Restored { role, element }
                }
                (None, _) => OneTimeError::Guard(error),
            }
        })
    }

    fn record(&self, statement: &Statement) -> Result<Record, OneTimeError> {
        let (role, element) = (statement.role, statement.element);
        chain::check(statement.shape, &statement.digits).map_err(|error| match error {
            BadDigits::Count { got, need } => OneTimeError::Length {
                role,
                element,
                got,
                need,
            },
            BadDigits::Range { at, digit } => OneTimeError::Digit {
                role,
                element,
                at,
                digit,
            },
        })?;
        let source = match role {
            Role::Author => Source::Choice,
            Role::Claimer => statement.source,
        };
        let name = derive(&self.root, "gavel/guard-key", &[&address(role, element)]);
        let digits = &statement.digits;
        Ok(Record::new(*name, statement.shape, digits, source))
    }

    fn reveal(&self, statement: &Statement) -> Signature {
        let secret = self.secret(statement.role, statement.element, statement.shape);
        chain::sign(&statement.digits, |d| chain::digit_secret(&secret, d))
    }

    fn secret(&self, role: Role, element: u16, shape: Shape) -> Zeroizing<[u8; 32]> {
        let shape = (shape.message as u64).to_le_bytes();
        derive(
            &self.root,
            "gavel/one-time-key",
            &[&address(role, element), &shape],
        )
    }
}

impl fmt::Debug for OneTimeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeKeys(withheld)")
    }
}

fn address(role: Role, element: u16) -> [u8; 3] {
    let role = match role {
        Role::Claimer => b'c',
        Role::Author => b'a',
    };
    let [low, high] = element.to_le_bytes();
    [role, low, high]
}
