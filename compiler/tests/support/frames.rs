//! What segments compute from frames that need not be honest: the reference that bodies and
//! leaves are compared with. Values are looked up, never guessed: a segment that needs what it
//! neither reads nor computes makes the test fail.
#![allow(dead_code, clippy::unwrap_used)]

use gavel_compiler::commit::words_to_digits;
use gavel_compiler::segment::{CommittedWord, ElementId, Plan};
use gavel_compiler::word::interp::eval;
use gavel_compiler::word::{Op, Value};

/// The words of each element of a plan, inputs first.
pub type Frames = Vec<Vec<u32>>;

/// What one segment makes of what it reads.
#[derive(Debug, PartialEq)]
pub struct Computed {
    /// Whether an abort fires in it.
    pub aborts: bool,
    /// The words of what it writes.
    pub writes: Vec<(ElementId, Vec<u32>)>,
    /// The outcome, in the last segment.
    pub outcome: Option<u32>,
}

/// Computes a segment from frames.
pub fn compute(plan: &Plan, segment: usize, frames: &Frames) -> Computed {
    let program = &plan.program;
    let found = &plan.segments[segment];
    let mut values: Vec<Option<u32>> = vec![None; program.value_count()];
    for id in &found.reads {
        let words = &plan.elements[id.index()].words;
        for (word, given) in words.iter().zip(&frames[id.index()]) {
            values[word.value.index()] = Some(*given);
        }
    }
    let mut aborts = false;
    for (n, inst) in program.insts[..found.insts.end].iter().enumerate() {
        let within = found.insts.contains(&n);
        let known = |value: &Value| values[value.index()].is_some();
        match &inst.op {
            Op::AbortIf(condition, _) if within => {
                aborts |= values[condition.index()].unwrap() != 0
            }
            Op::AbortIf(..) | Op::Input(_) => {}
            op if values[inst.first.index()].is_none()
                && (within || op.results() == 1)
                && op.operands().iter().all(known) =>
            {
                let words = eval(op, |value| values[value.index()].unwrap(), &[]);
                for (n, word) in words.into_iter().enumerate() {
                    values[inst.first.index() + n] = Some(word);
                }
            }
            _ => {}
        }
    }
    let word = |word: &CommittedWord| values[word.value.index()].unwrap();
    let writes = found.writes.iter().map(|id| {
        let words = &plan.elements[id.index()].words;
        (*id, words.iter().map(word).collect())
    });
    let last = segment + 1 == plan.segments.len();
    Computed {
        aborts,
        writes: writes.collect(),
        outcome: last.then(|| values[program.outcome.index()].unwrap()),
    }
}

impl Computed {
    /// Whether a leaf has to be spendable with these frames.
    pub fn accuses(&self, frames: &Frames, claimed: u8) -> bool {
        let lies = self
            .writes
            .iter()
            .any(|(id, words)| frames[id.index()] != *words);
        let other = self
            .outcome
            .is_some_and(|outcome| outcome != u32::from(claimed));
        self.aborts || lies || other
    }
}

/// The frames of a run in which `lie` may change what a segment writes; what follows is computed
/// from the lie.
pub fn frames(
    plan: &Plan,
    inputs: &[u32],
    mut lie: impl FnMut(usize, ElementId, &mut Vec<u32>),
) -> Frames {
    let mut rest = inputs.iter().copied();
    let mut frames: Frames = plan.program.inputs.iter().map(|_| Vec::new()).collect();
    for (words, element) in frames.iter_mut().zip(&plan.program.inputs) {
        words.extend(rest.by_ref().take(element.words.len()));
    }
    frames.resize(plan.elements.len(), Vec::new());
    for segment in 0..plan.segments.len() {
        for (id, mut words) in compute(plan, segment, &frames).writes {
            lie(segment, id, &mut words);
            frames[id.index()] = words;
        }
    }
    frames
}

/// The frames of an honest run.
pub fn honest(plan: &Plan, inputs: &[u32]) -> Frames {
    frames(plan, inputs, |_, _, _| {})
}

/// The digits of each element.
pub fn digits(plan: &Plan, frames: &Frames) -> Vec<Vec<u8>> {
    let elements = plan.elements.iter().zip(frames);
    elements
        .map(|(element, words)| words_to_digits(words, &element.digits()))
        .collect()
}
