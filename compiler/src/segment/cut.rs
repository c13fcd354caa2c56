//! Where to cut: each segment takes as many operations as its leaf has room for, and ends
//! where few words have to be committed.

use super::budget::{Budget, Excess, SegmentError};
use super::layout::chunks;
use super::{CommittedWord, Element};
use crate::commit::Shape;
use crate::script::body::{Job, definitions, generate, needs};
use crate::script::leaf::disprove::{items, prefix_len, witness_len};
use crate::script::winternitz;
use crate::units::{StackDepth, Weight};
use crate::word::{Op, Program, Value};
use std::ops::Range;

/// A program with what cutting it needs to know.
pub(super) struct Source<'a> {
    pub(super) program: &'a Program,
    pub(super) bits: Vec<u8>,
    /// By value, the defining instruction.
    pub(super) defs: Vec<usize>,
    /// By value, the last instruction that reads it.
    last_use: Vec<usize>,
    /// By instruction, a guess of its bytes, summed over those before.
    guess: Vec<usize>,
    /// By input word, its value.
    inputs: Vec<Value>,
    /// By input word, its element.
    pub(super) element_of: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let bits = program.bits();
        let mut last_use = vec![0; program.value_count()];
        let mut guess = vec![0];
        let mut total = 0;
        for (n, inst) in program.insts.iter().enumerate() {
            for operand in inst.op.operands() {
                last_use[operand.index()] = n;
            }
            let digits = bits
                .get(inst.first.index())
                .map_or(1, |bits| usize::from(bits.div_ceil(4)));
            total += guess_bytes(&inst.op, digits);
            guess.push(total);
        }
        if let Some(last) = last_use.get_mut(program.outcome.index()) {
            *last = program.insts.len();
        }
        let mut inputs = vec![Value(0); program.input_words()];
        for inst in &program.insts {
            if let Op::Input(n) = inst.op
                && let Some(value) = inputs.get_mut(usize::from(n))
            {
                *value = inst.first;
            }
        }
        let element_of = program
            .inputs
            .iter()
            .enumerate()
            .flat_map(|(n, element)| element.words.iter().map(move |_| n))
            .collect();
        Self {
            program,
            defs: definitions(program),
            bits,
            last_use,
            guess,
            inputs,
            element_of,
        }
    }

    pub(super) fn word(&self, value: Value) -> CommittedWord {
        CommittedWord {
            value,
            digits: self.bits[value.index()].div_ceil(4).max(1),
        }
    }

    /// The input element that a value is read from.
    pub(super) fn input(&self, value: Value) -> Option<usize> {
        match self.program.insts.get(*self.defs.get(value.index())?)?.op {
            Op::Input(n) => self.element_of.get(usize::from(n)).copied(),
            _ => None,
        }
    }

    /// The words of an input element.
    pub(super) fn input_element(&self, n: usize) -> Element {
        let element = &self.program.inputs[n];
        let start: usize = self.program.inputs[..n].iter().map(|e| e.words.len()).sum();
        let words = element
            .words
            .iter()
            .enumerate()
            .map(|(i, digits)| CommittedWord {
                value: self.inputs.get(start + i).copied().unwrap_or(Value(0)),
                digits: *digits,
            });
        Element {
            name: element.name.clone(),
            words: words.collect(),
        }
    }
}

/// Bytes of an operation's code, roughly: only where the search starts depends on it.
fn guess_bytes(op: &Op, digits: usize) -> usize {
    match op {
        Op::Const(_) | Op::Input(_) | Op::Bswap(_) | Op::Not(_) => 0,
        Op::Add(..) | Op::Sub(..) => 5 * digits,
        Op::And(..) | Op::Or(..) | Op::Xor(..) => 18 * digits,
        Op::Shl(_, by) | Op::Shr(_, by) | Op::Rotr(_, by) if by % 4 == 0 => 0,
        Op::Shl(..) | Op::Shr(..) | Op::Rotr(..) => 18 * digits,
        Op::Eq(..) | Op::Lt(..) => 20,
        Op::Select(..) => 4 * digits,
        Op::MulWide(a, b) => 700 * a.len() * b.len(),
        Op::DivWide(a, b) => 1_900 * a.len() * b.len(),
        Op::Sha256 { .. } => 125_000,
        Op::Blake3 { .. } => 46_000,
        Op::AbortIf(..) => 8,
        // Never in a program.
        Op::State(_) => 0,
        Op::MulLo(..) | Op::MulHi(..) | Op::Div(..) | Op::Rem(..) => 130 * digits,
    }
}

/// What a leaf takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) weight: Weight,
    pub(super) peak: StackDepth,
    pub(super) items: usize,
}

impl Need {
    /// What it exceeds, if anything.
    pub(super) fn excess(&self, budget: &Budget) -> Option<Excess> {
        if self.items > budget.max_items {
            return Some(Excess::Items {
                need: self.items,
                limit: budget.max_items,
            });
        }
        if self.weight > budget.max_leaf_weight {
            return Some(Excess::Weight {
                need: self.weight,
                limit: budget.max_leaf_weight,
            });
        }
        (self.peak > budget.max_stack).then_some(Excess::Stack {
            need: self.peak,
            limit: budget.max_stack,
        })
    }
}

/// What a leaf with these commitments and this much body takes.
pub(super) fn need(shapes: &[Shape], body: usize, peak: StackDepth, budget: &Budget) -> Need {
    let bytes =
        prefix_len(shapes, budget.challengers) + body + witness_len(shapes, budget.challengers);
    let items = items(shapes, budget.challengers);
    // Checking the first commitment takes a few items on top of the witness.
    let start = items - budget.challengers.min(items) + winternitz::ROOM;
    let start = StackDepth(u16::try_from(start).unwrap_or(u16::MAX));
    Need {
        weight: Weight(bytes as u64 + budget.overhead.0),
        peak: peak.max(start),
        items,
    }
}

/// Cuts a program; `percent` of the budget is used, the rest left for commitments that turn
/// out to need more elements than foreseen. `progress` is told how many instructions are done.
pub(super) fn cut(
    source: &Source<'_>,
    budget: &Budget,
    percent: u64,
    progress: &dyn Fn(usize),
) -> Result<Vec<Range<usize>>, SegmentError> {
    let mut cutter = Cutter {
        source,
        room: Budget {
            max_leaf_weight: Weight(budget.max_leaf_weight.0 * percent / 100),
            max_items: budget.max_items * percent as usize / 100,
            ..budget.clone()
        },
        scale: 100,
    };
    let end = source.program.insts.len();
    let mut cuts = Vec::new();
    let mut start = 0;
    while start < end {
        let next = cutter.next(start)?;
        cuts.push(start..next);
        start = next;
        progress(start);
    }
    Ok(cuts)
}

/// How much of the budget's weight a segment should have, in percent: whoever defends itself
/// pays for the leaf, and a few more frames cost less than that.
const AIM: usize = 75;
/// Attempts to make a segment larger once one was found that fits.
const MAX_ATTEMPTS: usize = 8;

struct Cutter<'a> {
    source: &'a Source<'a>,
    room: Budget,
    /// What the last segments really took, in percent of what was guessed.
    scale: usize,
}

impl Cutter<'_> {
    /// A good end for a segment that starts here.
    fn next(&mut self, start: usize) -> Result<usize, SegmentError> {
        let total = self.source.program.insts.len();
        let limit = self.room.max_leaf_weight.0 as usize * AIM / 100;
        let guessed = |end: usize| self.source.guess[end] - self.source.guess[start];
        let mut fits = start;
        let mut fails = total + 1;
        let mut failure = None;
        let mut attempts = 0;
        let mut aim = limit * 100 / self.scale;
        while fits + 1 < fails && (fits == start || attempts < MAX_ATTEMPTS) {
            attempts += 1;
            let reach = self.reach(start, aim).clamp(fits + 1, fails - 1);
            let end = self.cheapest(start, reach).max(fits + 1);
            let need = self.try_cut(start, end)?;
            let weight = need.weight.0 as usize;
            let scale = (weight * 100 / guessed(end).max(1)).max(1);
            match need.excess(&self.room) {
                None => {
                    fits = end;
                    self.scale = scale;
                    aim = match failure {
                        // Weight grows as is guessed; what else failed is found by halves.
                        Some(Excess::Weight { .. }) | None => limit * 100 / scale,
                        Some(_) => (guessed(fits) + guessed(fails)) / 2,
                    };
                    let most = 10 * weight >= 7 * limit;
                    let last = 2 * weight >= limit && self.reach(start, aim) <= fits;
                    if end == total || most || last {
                        break;
                    }
                }
                Some(excess) => {
                    fails = end;
                    failure = Some(excess);
                    aim = match excess {
                        Excess::Weight { .. } => (limit * 100 / scale).min(aim * 9 / 10),
                        _ => (guessed(fits) + guessed(fails)) / 2,
                    };
                }
            }
        }
        match failure {
            Some(excess) if fits == start => Err(SegmentError::TooLarge {
                span: self.source.program.insts[start].span,
                excess,
            }),
            _ => Ok(fits),
        }
    }

    /// As far as guesses say that it fits.
    fn reach(&self, start: usize, limit: usize) -> usize {
        let guess = &self.source.guess;
        guess
            .partition_point(|sum| *sum <= guess[start] + limit)
            .saturating_sub(1)
    }

    /// Of the last quarter of places before `reach`, the one where fewest digits are handed
    /// on; the last of equals.
    fn cheapest(&self, start: usize, reach: usize) -> usize {
        let insts = &self.source.program.insts;
        if reach >= insts.len() {
            return insts.len();
        }
        let from = start + 1 + (reach - start - 1) * 3 / 4;
        let mut live: Vec<(usize, usize)> = Vec::new();
        let mut best = (usize::MAX, reach);
        for end in start + 1..=reach {
            let inst = &insts[end - 1];
            if !matches!(inst.op, Op::Const(_) | Op::Input(_)) {
                for n in 0..inst.op.results() as usize {
                    let value = inst.first.index() + n;
                    live.push((
                        self.source.last_use[value],
                        self.source.bits[value].div_ceil(4).into(),
                    ));
                }
            }
            if end >= from {
                live.retain(|(last, _)| *last >= end);
                let digits = live.iter().map(|(_, digits)| digits).sum();
                if digits <= best.0 {
                    best = (digits, end);
                }
            }
        }
        best.1
    }

    /// What the leaf of a segment would take, its commitments foreseen.
    fn try_cut(&self, start: usize, end: usize) -> Result<Need, SegmentError> {
        let source = self.source;
        let (program, bits, defs) = (source.program, &source.bits, &source.defs);
        let total = program.insts.len();
        let rest = needs(program, bits, defs, &(end..total), &[], true);
        let within = |value: &Value| (start..end).contains(&defs[value.index()]);
        let writes: Vec<Value> = match end == total {
            true => vec![],
            false => rest
                .into_iter()
                .filter(|value| within(value) && source.input(*value).is_none())
                .collect(),
        };
        let reads = needs(program, bits, defs, &(start..end), &writes, end == total);
        let mut shapes = Vec::new();
        let mut read_words = Vec::new();
        let mut inputs: Vec<usize> = reads.iter().filter_map(|v| source.input(*v)).collect();
        inputs.sort_unstable();
        inputs.dedup();
        for n in inputs {
            let element = source.input_element(n);
            shapes.push(element.shape());
            read_words.extend(element.words);
        }
        let frames: Vec<CommittedWord> = reads
            .iter()
            .filter(|value| source.input(**value).is_none())
            .map(|value| source.word(*value))
            .collect();
        let write_words: Vec<CommittedWord> =
            writes.iter().map(|value| source.word(*value)).collect();
        for chunk in chunks(&frames).into_iter().chain(chunks(&write_words)) {
            let digits: Vec<u8> = chunk.iter().map(|word| word.digits).collect();
            shapes.push(Shape::of_words(&digits));
        }
        read_words.extend(frames);
        let before = need(&shapes, 0, StackDepth(0), &self.room);
        if before.excess(&self.room).is_some() {
            return Ok(before);
        }
        let (script, peak) = generate(&Job {
            program,
            bits,
            insts: start..end,
            reads: &read_words,
            writes: &write_words,
            claimed: (end == total).then_some(0),
        })?;
        Ok(need(&shapes, script.len(), peak, &self.room))
    }
}
