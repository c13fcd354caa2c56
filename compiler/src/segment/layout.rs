//! What is committed with what: elements, and the groups that reveal them.

use super::budget::{Budget, Excess, SegmentError};
use super::cut::Source;
use super::{CommittedWord, Element, ElementId, Segment};
use crate::commit::{PublicKey, Shape};
use crate::script::body::needs;
use crate::script::leaf::witness_weight;
use crate::script::{AssertReveal, ClaimElement, ClaimReveal};
use crate::units::Weight;
use crate::word::{Author, Program, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Most words of a frame's element.
const MAX_WORDS: usize = 34;
/// Most digits of an element: three digits of checksum.
const MAX_DIGITS: usize = 272;
/// What revealing one group adds to a transaction besides the leaf: an input, or the output
/// it spends, with room to spare.
const GROUP_WEIGHT: u64 = 400;

/// Splits words into runs that make one element each.
pub(super) fn chunks(words: &[CommittedWord]) -> Vec<Vec<CommittedWord>> {
    let mut chunks: Vec<Vec<CommittedWord>> = Vec::new();
    let mut digits = usize::MAX;
    for word in words {
        digits = digits.saturating_add(usize::from(word.digits));
        match chunks.last_mut() {
            Some(chunk) if digits <= MAX_DIGITS && chunk.len() < MAX_WORDS => chunk.push(*word),
            _ => {
                digits = usize::from(word.digits);
                chunks.push(vec![*word]);
            }
        }
    }
    chunks
}

/// The elements of a cut program and the segments that read and write them.
pub(super) fn elements(
    source: &Source<'_>,
    cuts: Vec<Range<usize>>,
) -> Result<(Vec<Element>, Vec<Segment>), SegmentError> {
    let program = source.program;
    let last = cuts.len().saturating_sub(1);
    // By value, the segments that read it: from the last segment to the first, because what a
    // segment needs depends on what it has to write.
    let mut readers: BTreeMap<Value, BTreeSet<usize>> = BTreeMap::new();
    let mut inputs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); cuts.len()];
    for (n, range) in cuts.iter().enumerate().rev() {
        let writes: Vec<Value> = readers
            .keys()
            .filter(|value| range.contains(&source.defs[value.index()]))
            .copied()
            .collect();
        let all = needs(
            program,
            &source.bits,
            &source.defs,
            range,
            &writes,
            n == last,
        );
        for value in all {
            match source.input(value) {
                Some(element) => {
                    inputs[n].insert(element);
                }
                None => {
                    readers.entry(value).or_default().insert(n);
                }
            }
        }
    }
    let mut elements: Vec<Element> = (0..program.inputs.len())
        .map(|n| source.input_element(n))
        .collect();
    let mut segments: Vec<Segment> = cuts
        .into_iter()
        .zip(inputs)
        .map(|(insts, inputs)| Segment {
            insts,
            reads: inputs.into_iter().map(|n| ElementId(n as u16)).collect(),
            writes: vec![],
        })
        .collect();
    for n in 0..segments.len() {
        let mut groups: BTreeMap<Vec<usize>, Vec<CommittedWord>> = BTreeMap::new();
        for (value, readers) in &readers {
            if segments[n].insts.contains(&source.defs[value.index()]) {
                let group = groups.entry(readers.iter().copied().collect()).or_default();
                group.push(source.word(*value));
            }
        }
        for (readers, words) in groups {
            for words in chunks(&words) {
                let id =
                    u16::try_from(elements.len()).map_err(|_| SegmentError::TooManyElements)?;
                let to: Vec<String> = readers.iter().map(|n| (n + 1).to_string()).collect();
                elements.push(Element {
                    name: format!("segment {} → {}", n + 1, to.join(", ")),
                    words,
                });
                segments[n].writes.push(ElementId(id));
                for reader in &readers {
                    segments[*reader].reads.push(ElementId(id));
                }
            }
        }
    }
    Ok((elements, segments))
}

/// An input as its reveal leaf sees it, keys left out.
fn claim_element(program: &Program, n: usize) -> ClaimElement {
    let element = &program.inputs[n];
    ClaimElement {
        words: element.words.clone(),
        claimer: PublicKey(vec![]),
        author: (element.author != Author::Anyone).then(|| PublicKey(vec![])),
        optional: element.optional,
    }
}

/// Partitions the inputs into groups that one leaf reveals each.
pub(super) fn input_groups(
    program: &Program,
    budget: &Budget,
) -> Result<Vec<Vec<ElementId>>, SegmentError> {
    let weigh = |group: &[ElementId]| {
        let elements: Vec<ClaimElement> = group
            .iter()
            .map(|id| claim_element(program, id.index()))
            .collect();
        let items = ClaimReveal::items(&elements);
        let bytes = ClaimReveal::witness_len(&elements, |_| false);
        let script = ClaimReveal::script_len(&elements);
        (
            items,
            Weight(witness_weight(items, bytes, script, 3) as u64),
        )
    };
    let limit = Budget {
        max_leaf_weight: Weight(budget.max_reveal_weight.0.saturating_sub(budget.overhead.0)),
        ..Budget::default()
    };
    let words = |n: usize| program.inputs[n].words.len();
    let groups = pack(program.inputs.len(), 0, &weigh, words, &limit).map_err(|(n, excess)| {
        SegmentError::InputTooWide {
            name: program.inputs[n].name.clone(),
            excess,
        }
    })?;
    let need = total(&groups, &weigh, budget);
    if need > budget.max_reveal_weight {
        return Err(SegmentError::ClaimTooHeavy {
            need,
            limit: budget.max_reveal_weight,
        });
    }
    Ok(if groups.is_empty() {
        vec![vec![]]
    } else {
        groups
    })
}

/// Partitions the frames in the same way.
pub(super) fn frame_groups(
    elements: &[Element],
    inputs: usize,
    budget: &Budget,
) -> Result<Vec<Vec<ElementId>>, SegmentError> {
    let weigh = |group: &[ElementId]| {
        let shapes: Vec<Shape> = group
            .iter()
            .map(|id| elements[id.index()].shape())
            .collect();
        let items = AssertReveal::items(&shapes);
        let bytes = AssertReveal::witness_len(&shapes);
        let script = AssertReveal::script_len(&shapes);
        (
            items,
            Weight(witness_weight(items, bytes, script, 1) as u64),
        )
    };
    let limit = Budget {
        group_words: budget.group_words,
        ..Budget::default()
    };
    let words = |n: usize| elements[inputs + n].words.len();
    let count = elements.len().saturating_sub(inputs);
    let groups = pack(count, inputs, &weigh, words, &limit)
        .map_err(|_| crate::script::ScriptError::Defect("an element fits no group"))?;
    let need = total(&groups, &weigh, budget);
    if need > budget.max_reveal_weight {
        return Err(SegmentError::AssertTooHeavy {
            need,
            limit: budget.max_reveal_weight,
        });
    }
    Ok(groups)
}

fn total(
    groups: &[Vec<ElementId>],
    weigh: &dyn Fn(&[ElementId]) -> (usize, Weight),
    budget: &Budget,
) -> Weight {
    let groups = groups.iter().map(|group| weigh(group).1.0 + GROUP_WEIGHT);
    Weight(groups.sum::<u64>() + budget.overhead.0)
}

/// Packs elements in order; gives the one that fits no group, if any.
fn pack(
    count: usize,
    first: usize,
    weigh: &dyn Fn(&[ElementId]) -> (usize, Weight),
    words: impl Fn(usize) -> usize,
    limit: &Budget,
) -> Result<Vec<Vec<ElementId>>, (usize, Excess)> {
    let mut groups: Vec<Vec<ElementId>> = Vec::new();
    let mut in_group = 0;
    for n in 0..count {
        let id = ElementId((first + n) as u16);
        let (items, weight) = weigh(&[id]);
        if items > limit.max_items {
            return Err((
                n,
                Excess::Items {
                    need: items,
                    limit: limit.max_items,
                },
            ));
        }
        if weight > limit.max_leaf_weight {
            return Err((
                n,
                Excess::Weight {
                    need: weight,
                    limit: limit.max_leaf_weight,
                },
            ));
        }
        if let Some(group) = groups.last_mut() {
            group.push(id);
            let (items, weight) = weigh(group);
            in_group += words(n);
            let fits = items <= limit.max_items && weight <= limit.max_leaf_weight;
            if fits && in_group <= limit.group_words {
                continue;
            }
            group.pop();
        }
        groups.push(vec![id]);
        in_group = words(n);
    }
    Ok(groups)
}
