//! What holds unless a task aborts. Where it aborts its body accuses anyway, so that the rest
//! may compute what it likes, as long as no number gets out of hand: every fact that is relied
//! on is also enforced, by clamping.

use super::shape::def;
use crate::word::{Op, Program, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The facts of a task.
#[derive(Debug, Default)]
pub(super) struct Facts {
    most: BTreeMap<Value, u32>,
    /// Words that aren't all 0.
    nonzero: Vec<BTreeSet<Value>>,
    /// The first is at least the second.
    ordered: BTreeSet<(Value, Value)>,
}

impl Facts {
    /// Those that the aborts of a program with this code give.
    pub(super) fn of(program: &Program, abort: u16) -> Self {
        let mut facts = Self::default();
        for inst in &program.insts {
            if let Op::AbortIf(condition, code) = inst.op
                && code == abort
            {
                facts.not(program, condition);
            }
        }
        facts
    }

    /// Adds what follows from a condition that doesn't hold.
    fn not(&mut self, program: &Program, condition: Value) {
        let constant = |value: Value| match def(program, value) {
            Some(Op::Const(word)) => Some(*word),
            _ => None,
        };
        let mut todo = vec![condition];
        while let Some(condition) = todo.pop() {
            match def(program, condition) {
                Some(Op::Or(a, b)) => todo.extend([*a, *b]),
                Some(Op::And(..)) => self.not_all_zero(program, condition),
                Some(Op::Lt(a, b)) => match constant(*a) {
                    Some(most) => self.at_most_is(*b, most),
                    None => {
                        self.ordered.insert((*a, *b));
                    }
                },
                Some(Op::Eq(a, b)) => {
                    for (value, zero) in [(*a, *b), (*b, *a)] {
                        if constant(zero) != Some(0) {
                            continue;
                        }
                        self.nonzero.push(BTreeSet::from([value]));
                        if let Some(Op::Lt(word, limit)) = def(program, value)
                            && let Some(limit) = constant(*limit)
                        {
                            self.at_most_is(*word, limit.saturating_sub(1));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Words that are compared with 0, all in one condition.
    fn not_all_zero(&mut self, program: &Program, condition: Value) {
        let is_zero = |value: Value| matches!(def(program, value), Some(Op::Const(0)));
        let mut words = BTreeSet::new();
        let mut todo = vec![condition];
        while let Some(condition) = todo.pop() {
            match def(program, condition) {
                Some(Op::And(a, b)) => todo.extend([*a, *b]),
                Some(Op::Eq(a, b)) if is_zero(*b) => drop(words.insert(*a)),
                Some(Op::Eq(a, b)) if is_zero(*a) => drop(words.insert(*b)),
                _ => return,
            }
        }
        self.nonzero.push(words);
    }

    fn at_most_is(&mut self, value: Value, most: u32) {
        let known = self.most.entry(value).or_insert(most);
        *known = most.min(*known);
    }

    /// Whether a value is at most so much.
    pub(super) fn at_most(&self, value: Value, most: u32) -> bool {
        self.most.get(&value).is_some_and(|known| *known <= most)
    }

    /// Whether a value is not 0.
    pub(super) fn is_nonzero(&self, value: Value) -> bool {
        self.any_nonzero(&[value])
    }

    /// Whether some of these words are not 0.
    pub(super) fn any_nonzero(&self, words: &[Value]) -> bool {
        let within = |set: &BTreeSet<Value>| set.iter().all(|word| words.contains(word));
        self.nonzero.iter().any(within)
    }

    /// Whether the first is at least the second.
    pub(super) fn is_ordered(&self, a: Value, b: Value) -> bool {
        self.ordered.contains(&(a, b))
    }

    /// Bits of each value.
    pub(super) fn bits(&self, program: &Program) -> Vec<u8> {
        program.bits_given(|op, bits| match *op {
            Op::Div(a, b) if self.is_nonzero(b) => Some(bits(a)),
            Op::Rem(a, b) if self.is_nonzero(b) => Some(bits(a).min(bits(b))),
            // Whole digits, which need no clamping.
            Op::Sub(a, b) if self.is_ordered(a, b) => Some(bits(a).div_ceil(4) * 4),
            _ => None,
        })
    }
}

/// A word and a constant that keeps its lowest bits, so many.
pub(super) fn low_mask(program: &Program, a: Value, b: Value) -> Option<(Value, u8)> {
    [(a, b), (b, a)].into_iter().find_map(|(word, mask)| {
        let Some(Op::Const(mask)) = def(program, mask) else {
            return None;
        };
        let keep = mask.trailing_ones() as u8;
        (keep > 0 && mask.count_ones() == u32::from(keep)).then_some((word, keep))
    })
}
