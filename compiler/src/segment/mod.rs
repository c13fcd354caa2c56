//! Cuts a program into segments, one per tapleaf, and says what is committed.
//!
//! **Invariants:** every value is committed once; a segment reads only inputs and what earlier
//! segments committed, and commits exactly the values that later segments read; a program
//! that fits one leaf has one segment and commits nothing but its inputs.

pub mod budget;
pub mod cost;
mod cut;
mod layout;
mod plan;

pub use budget::{Budget, Excess, SegmentError};
pub use cost::{Cost, costs};
pub use plan::{plan, plan_watched};

use crate::script::memo::Memo;
use crate::units::StackDepth;
use crate::word::Value;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Index of a claimer's commitment in [`Plan::elements`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ElementId(pub u16);

impl ElementId {
    /// The id as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A word within a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedWord {
    /// The value of the plan's program.
    pub value: Value,
    /// Its digits, `1..=8`.
    pub digits: u8,
}

/// What a claimer signs with one one-time key: an input element, or words that one segment
/// hands to the same later segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// For people: the input's name, or `segment 3 → 4, 7`.
    pub name: String,
    /// The words, in order.
    pub words: Vec<CommittedWord>,
}

impl Element {
    /// Digits per word, in order.
    pub fn digits(&self) -> Vec<u8> {
        self.words.iter().map(|word| word.digits).collect()
    }

    /// The commitment's shape.
    pub fn shape(&self) -> crate::commit::Shape {
        crate::commit::Shape::of_words(&self.digits())
    }
}

/// A piece of the program that one leaf can check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which instructions of the plan's program.
    pub insts: Range<usize>,
    /// The commitments that its leaf reads as given: inputs and earlier frames.
    pub reads: Vec<ElementId>,
    /// The commitments that its leaf checks.
    pub writes: Vec<ElementId>,
}

/// A program cut into segments.
///
/// The program is the *legalised* one: simplified again, and without what Script is not generated
/// for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The program that the segments are ranges of.
    pub program: crate::word::Program,
    /// All commitments; the first `program.inputs.len()` are the inputs, in order.
    pub elements: Vec<Element>,
    /// How the inputs are revealed: one output of `bond[c]` per group. At least one group.
    pub input_groups: Vec<Vec<ElementId>>,
    /// How the frames are revealed: one output of `challenged[v]` per group. Empty where
    /// there is one segment.
    pub frame_groups: Vec<Vec<ElementId>>,
    /// The segments in order; the last one also checks the outcome.
    pub segments: Vec<Segment>,
    /// Bodies of the leaves, once they were made. Whoever changes anything else starts anew.
    #[serde(skip)]
    pub made: Made,
}

/// The bodies of a plan's leaves, made once and shared by its clones. They follow from the rest
/// of the plan, so they take no part in comparisons.
#[derive(Clone, Default)]
pub struct Made {
    bodies: Arc<OnceLock<Arc<Bodies>>>,
    /// Those that were made while the plan was, until the plan's are.
    memo: Memo,
}

/// The bodies of each segment: one, or in the last segment one per outcome.
pub type Bodies = Vec<Vec<Body>>;

impl Made {
    /// Nothing yet but bodies of segments that were tried.
    pub fn trying(memo: Memo) -> Self {
        Self {
            memo,
            ..Self::default()
        }
    }

    /// Bodies that were tried.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// The bodies, made by `make` if they weren't yet.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get_or_make<E>(
        &self,
        make: impl FnOnce() -> Result<Bodies, E>,
    ) -> Result<&Arc<Bodies>, E> {
        if self.bodies.get().is_none() {
            let bodies = Arc::new(make()?);
            return Ok(self.bodies.get_or_init(|| bodies));
        }
        // Always set here; an empty list is never shown.
        Ok(self.bodies.get_or_init(Arc::default))
    }
}

impl PartialEq for Made {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Made {}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.bodies.get().is_some() {
            "made"
        } else {
            "not made"
        })
    }
}

/// A leaf's program-dependent part for one segment and (in the last segment) one claimed
/// outcome. It runs after the commitments were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Script bytes.
    pub script: Vec<u8>,
    /// Highest stack plus altstack anywhere in the whole leaf, witness included.
    pub peak: StackDepth,
}

/// What a run of a plan's program commits to: the values a claimer signs and a challenger
/// compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The words of each element of the plan, in order: inputs, then frames.
    pub elements: Vec<Vec<u32>>,
    /// How the run ended.
    pub end: crate::word::End,
    /// The first segment in which an abort fired.
    pub abort_segment: Option<usize>,
}
