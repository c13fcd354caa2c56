//! Proofs that a cell has a value, or isn't there, and their check: `docs/prover.md` has the
//! format.
//!
//! The check needs the root and BLAKE3, nothing else: no tree, no store, no contract.

use super::forest::{bit, common_bits};
use super::hash::{Domain, block, path, value};
use gavel_compiler::ledger::{CellId, Root};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes that are written as lower-case hex digits, two for each, and in no other way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex<const N: usize>(pub [u8; N]);

/// What a state with a certain root has at a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The cell's family.
    pub family: u16,
    /// The words of its key, high digit first.
    pub key: Vec<Hex<4>>,
    /// Where it hangs: the hash of family and key.
    pub path: Hex<32>,
    /// What hangs there.
    pub found: Found,
    /// The nodes beside the way from the root to there, from the root down.
    pub siblings: Vec<Hex<32>>,
}

/// What hangs at the end of a way down the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Found {
    /// The cell, with these words; high digit first.
    Value(Vec<Hex<4>>),
    /// Another cell, so that the one that was looked for isn't there.
    Other {
        /// Where the other one hangs.
        path: Hex<32>,
        /// What its leaf holds of its value.
        value: Hex<32>,
    },
    /// No cell.
    Nothing,
}

/// What a valid proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The cell.
    pub cell: CellId,
    /// Its words; none if it is zeros.
    pub words: Vec<u32>,
}

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The path isn't the hash of the cell's name.
    #[error("the path isn't that of the cell")]
    Path,
    /// A cell with the value zero isn't in a tree.
    #[error("a value of zeros can't be present")]
    Zeros,
    /// The other cell is the cell itself, or hangs elsewhere.
    #[error("the other cell doesn't hang where this one would")]
    Other,
    /// A path has 256 bits.
    #[error("{0} siblings; a way down has at most 256")]
    Long(usize),
    /// It is a proof for another state, or has been changed.
    #[error("it leads to the root {0}")]
    Root(Root),
}

impl Proof {
    /// Checks the proof against a state's root.
    ///
    /// # Errors
    /// If it isn't valid for this root.
    pub fn check(&self, root: Root) -> Result<Shown, ProofError> {
        let words = |words: &[Hex<4>]| words.iter().map(|word| word.word()).collect();
        let cell = CellId {
            family: self.family,
            key: words(&self.key),
        };
        if path(cell.family, &cell.key) != self.path.0 {
            return Err(ProofError::Path);
        }
        let depth = u16::try_from(self.siblings.len()).unwrap_or(u16::MAX);
        if depth > 256 {
            return Err(ProofError::Long(self.siblings.len()));
        }
        let path = &self.path.0;
        let (words, end) = match &self.found {
            Found::Nothing => (Vec::new(), [0; 32]),
            Found::Other { path: other, .. }
                if other.0 == *path || common_bits(&other.0, path) < depth =>
            {
                return Err(ProofError::Other);
            }
            Found::Other { path, value } => {
                (Vec::new(), Domain::Leaf.hash(&block(&path.0, &value.0)))
            }
            Found::Value(digits) => {
                let words: Vec<u32> = words(digits);
                if words.iter().all(|word| *word == 0) {
                    return Err(ProofError::Zeros);
                }
                let leaf = block(path, &value(&words));
                (words, Domain::Leaf.hash(&leaf))
            }
        };
        let siblings = (0..depth).zip(&self.siblings).rev();
        let top = siblings.fold(end, |node, (depth, sibling)| {
            Domain::Branch.hash(&if bit(path, depth) {
                block(&sibling.0, &node)
            } else {
                block(&node, &sibling.0)
            })
        });
        if top == root.0 {
            Ok(Shown { cell, words })
        } else {
            Err(ProofError::Root(Root(top)))
        }
    }
}

impl Hex<4> {
    /// The number that the digits say.
    pub fn word(self) -> u32 {
        u32::from_be_bytes(self.0)
    }
}

impl From<u32> for Hex<4> {
    fn from(word: u32) -> Self {
        Self(word.to_be_bytes())
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<const N: usize> From<Hex<N>> for String {
    fn from(hex: Hex<N>) -> Self {
        hex.to_string()
    }
}

/// Text that isn't the hex digits of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {} lower-case hex digits, found {found:?}", 2 * .bytes)]
pub struct HexError {
    bytes: usize,
    found: String,
}

impl<const N: usize> TryFrom<String> for Hex<N> {
    type Error = HexError;

    fn try_from(text: String) -> Result<Self, HexError> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs
            .iter()
            .map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?))
            .collect();
        let bytes = bytes.filter(|_| rest.is_empty());
        match bytes.and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => Ok(Self(bytes)),
            None => Err(HexError {
                bytes: N,
                found: text,
            }),
        }
    }
}
