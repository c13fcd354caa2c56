//! Tapscript: bodies of segments, checks of commitments, and the leaves made of them.
//!
//! ```text
//! word program ─ lower ─ graph of digits ─ emit ─ body ─┐
//!                          commitments ─ winternitz ─────┴─ leaf
//! ```
//!
//! **Invariants:** every length and every stack depth is known before a script is written,
//! exactly; nothing depends on anything but the plan, the keys and the outcome. [`vm`] runs
//! what the rest writes and shares nothing with it but the opcodes' numbers.

pub mod asm;
pub mod body;
pub mod cells;
pub mod code;
mod emit;
mod facts;
mod flow;
mod forms;
mod graph;
mod idioms;
mod kinds;
pub mod leaf;
mod lower;
pub mod marks;
mod number;
pub mod peephole;
mod shape;
mod table;
pub mod vm;
pub mod winternitz;

pub use code::asm as print_asm;
pub use leaf::assert_reveal::AssertReveal;
pub use leaf::claim_reveal::{ClaimElement, ClaimReveal, ClaimSignature};
pub use leaf::disprove::{Disprove, Progress, bodies, body, body_noted, disprove, disprove_hash};

use crate::segment::ElementId;
use crate::word::Value;

/// Why a script cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The plan has no such segment or element.
    #[error("the plan has no segment {segment}, or one of its elements is missing")]
    NoSegment {
        /// The segment's index.
        segment: usize,
    },
    /// A segment needs a value that it neither computes nor reads.
    #[error("the segment needs value {value:?}, which it neither computes nor reads")]
    Missing {
        /// The value.
        value: Value,
    },
    /// A public key is missing or has another number of digits than its commitment.
    #[error("the public key of element {} does not fit its {digits} digits", element.0)]
    KeyShape {
        /// The element.
        element: ElementId,
        /// Digits that it has, checksum included.
        digits: usize,
    },
    /// No challenger, or more than a leaf can name.
    #[error("a disprove leaf names 1 to 15 challengers, not {given}")]
    Challengers {
        /// How many were given.
        given: usize,
    },
    /// A claimed outcome that the program does not have, or none for the last segment.
    #[error("outcome {claimed:?} cannot be claimed of segment {segment}")]
    Outcome {
        /// What was claimed.
        claimed: Option<u8>,
        /// The segment's index.
        segment: usize,
    },
    /// An invariant of the compiler is broken. A defect.
    #[error("internal: {0}")]
    Defect(&'static str),
}
