//! What a leaf and a transaction may weigh, and why a program cannot be cut accordingly.

use crate::script::ScriptError;
use crate::units::{StackDepth, Weight};
use crate::word::Span;

/// Limits that a plan keeps. The defaults are consensus and relay policy; smaller ones force
/// more segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The most that a transaction which spends a leaf may weigh.
    pub max_leaf_weight: Weight,
    /// The most that a Claim, and an Assert, may weigh as a whole.
    pub max_reveal_weight: Weight,
    /// The most items on both stacks.
    pub max_stack: StackDepth,
    /// The most items in a witness.
    pub max_items: usize,
    /// How many challengers a disprove leaf must have room for.
    pub challengers: usize,
    /// What a transaction weighs besides a leaf's script and stack: inputs, outputs, control
    /// block.
    pub overhead: Weight,
    /// The most words that are revealed by one leaf.
    pub group_words: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_leaf_weight: Weight::STANDARD,
            max_reveal_weight: Weight(396_000),
            max_stack: StackDepth::MAX,
            max_items: crate::script::leaf::MAX_ITEMS,
            challengers: crate::script::leaf::MAX_CHALLENGERS,
            overhead: Weight(2_000),
            group_words: 45,
        }
    }
}

/// Which limit something exceeds, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// A spend weighs too much.
    #[error("its leaf takes {need} to spend; the limit is {limit}")]
    Weight {
        /// What it weighs.
        need: Weight,
        /// What it may weigh.
        limit: Weight,
    },
    /// A stack gets too deep.
    #[error("it needs {} stack items; the limit is {}", need.0, limit.0)]
    Stack {
        /// The peak.
        need: StackDepth,
        /// The limit.
        limit: StackDepth,
    },
    /// A witness has too many items.
    #[error("its witness has {need} items; the limit is {limit}")]
    Items {
        /// How many.
        need: usize,
        /// The limit.
        limit: usize,
    },
}

/// Why a program cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The program defines no outcome, or an input has words of no digits or more than 8.
    #[error("not a valid program: {0}")]
    Invalid(&'static str),
    /// A single operation fits no leaf.
    #[error("an operation fits no leaf: {excess}")]
    TooLarge {
        /// Where it comes from.
        span: Span,
        /// What it exceeds.
        excess: Excess,
    },
    /// An input cannot be revealed by one leaf.
    #[error("input `{name}` cannot be revealed by one leaf: {excess}")]
    InputTooWide {
        /// The element's name.
        name: String,
        /// What it exceeds.
        excess: Excess,
    },
    /// All inputs together are too heavy for a Claim.
    #[error("a Claim reveals all inputs and would weigh {need}; the limit is {limit}")]
    ClaimTooHeavy {
        /// What it would weigh.
        need: Weight,
        /// What it may weigh.
        limit: Weight,
    },
    /// All frames together are too heavy for an Assert.
    #[error("an Assert reveals all frames and would weigh {need}; the limit is {limit}")]
    AssertTooHeavy {
        /// What it would weigh.
        need: Weight,
        /// What it may weigh.
        limit: Weight,
    },
    /// There are more commitments than ids.
    #[error("more than 65,535 commitments")]
    TooManyElements,
    /// Code generation failed.
    #[error(transparent)]
    Script(#[from] ScriptError),
}
