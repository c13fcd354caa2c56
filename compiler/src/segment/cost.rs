//! What each segment costs, exactly.

use super::Plan;
use super::budget::{Budget, SegmentError};
use super::cut::{Need, need};
use crate::script::leaf::disprove::{elements_of, items, prefix_len, witness_len};
use crate::script::{Progress, ScriptError, bodies};
use crate::units::{StackDepth, Weight};
use crate::word::Span;
use serde::Serialize;

/// The cost of one segment's disprove leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Index of the segment.
    pub segment: usize,
    /// Source that the segment covers: from the first byte of any operation to the last.
    pub span: Span,
    /// Operations of the legalised program.
    pub operations: usize,
    /// Bytes of the body (in the last segment, for outcome 0).
    pub body_bytes: usize,
    /// Bytes of the whole leaf.
    pub leaf_bytes: usize,
    /// Bytes of the stack that spends it, length prefixes included.
    pub witness_bytes: usize,
    /// Items of that stack.
    pub witness_items: usize,
    /// Weight of a transaction that spends it, as the budget reckons.
    pub weight: Weight,
    /// Highest stack plus altstack.
    pub peak: StackDepth,
    /// Words that the leaf reads.
    pub read_words: usize,
    /// Words that it checks.
    pub written_words: usize,
}

impl Cost {
    pub(super) fn need(&self) -> Need {
        Need {
            weight: self.weight,
            peak: self.peak,
            items: self.witness_items,
        }
    }
}

/// The costs of all segments, for as many challengers as the budget has room for.
///
/// # Errors
/// [`SegmentError::Script`] if code generation fails.
pub fn costs(plan: &Plan, budget: &Budget) -> Result<Vec<Cost>, SegmentError> {
    leaf_costs(plan, 1, budget, &|_, _| {})
}

/// The costs of all leaves: in the last segment of as many as there are outcomes.
pub(super) fn leaf_costs(
    plan: &Plan,
    outcomes: usize,
    budget: &Budget,
    progress: Progress<'_>,
) -> Result<Vec<Cost>, SegmentError> {
    let last = plan.segments.len().saturating_sub(1);
    let leaves: Vec<(usize, Option<u8>)> = (0..last)
        .map(|segment| (segment, None))
        .chain((0..outcomes as u8).map(|claimed| (last, Some(claimed))))
        .collect();
    leaves
        .into_iter()
        .map(|(segment, claimed)| cost(plan, segment, claimed, budget, progress))
        .collect()
}

fn cost(
    plan: &Plan,
    segment: usize,
    claimed: Option<u8>,
    budget: &Budget,
    progress: Progress<'_>,
) -> Result<Cost, SegmentError> {
    let last = plan.segments.len().saturating_sub(1);
    let outcome = claimed.filter(|_| segment == last).unwrap_or(0);
    let missing = SegmentError::Script(ScriptError::NoSegment { segment });
    let body = bodies(plan, progress)?
        .get(segment)
        .and_then(|of| of.get(usize::from(outcome)))
        .ok_or(missing)?;
    let (_, shapes) = elements_of(plan, segment)?;
    let need = need(&shapes, body.script.len(), body.peak, budget);
    let found = &plan.segments[segment];
    let insts = &plan.program.insts[found.insts.clone()];
    let words = |ids: &[super::ElementId]| {
        ids.iter()
            .filter_map(|id| plan.elements.get(id.index()))
            .map(|element| element.words.len())
            .sum()
    };
    Ok(Cost {
        segment,
        span: Span {
            start: insts.iter().map(|inst| inst.span.start).min().unwrap_or(0),
            end: insts.iter().map(|inst| inst.span.end).max().unwrap_or(0),
        },
        operations: insts.len(),
        body_bytes: body.script.len(),
        leaf_bytes: prefix_len(&shapes, budget.challengers) + body.script.len(),
        witness_bytes: witness_len(&shapes, budget.challengers),
        witness_items: items(&shapes, budget.challengers),
        weight: need.weight,
        peak: body.peak,
        read_words: words(&found.reads),
        written_words: words(&found.writes),
    })
}
