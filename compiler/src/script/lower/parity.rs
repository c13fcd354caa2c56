//! Exclusive ors of several rotated words, and sums whose digits are not split: what SHA-256 is
//! made of.
//!
//! Where only sums read a word, its digits may be *loose*: above 15, or in other places than
//! those of the sum. So words that are turned by different amounts are turned against each
//! other only, and what is left, one turn of the result, is done while adding.

use super::Lower;
use crate::script::graph::NodeId;
use crate::script::shape::{Terms, def, flatten};
use crate::script::table::{Count, Form, Table};
use crate::word::{Op, Value};

/// How large the digits of a loose sum may get: others are added to them before the look-up
/// that splits them.
const MAX_LOOSE: i64 = 105;

/// A word that is moved: rotated or shifted right, `by` bits.
struct Moved {
    word: Value,
    by: i32,
    around: bool,
}

impl Lower<'_> {
    /// Whether an exclusive or is computed digit by digit from spread digits.
    pub(super) fn is_parity(&self, value: Value) -> bool {
        self.xor_terms(value)
            .iter()
            .all(|term| !self.is_flag(*term) && !matches!(self.def(*term), Some(Op::Const(_))))
    }

    fn def(&self, value: Value) -> Option<&Op> {
        def(&self.task.program, value)
    }

    fn xor_terms(&self, value: Value) -> Vec<Value> {
        let mut terms = Vec::new();
        let mut stack = vec![value];
        while let Some(next) = stack.pop() {
            match self.def(next) {
                Some(Op::Xor(a, b)) if next == value || self.shape.fused[next.index()] => {
                    stack.extend([*b, *a]);
                }
                _ => terms.push(next),
            }
        }
        terms
    }

    /// A term as a word that is moved, if moving it is part of reading it.
    fn moved(&self, term: Value) -> Moved {
        let (word, by, around) = match self.def(term) {
            Some(Op::Rotr(a, by)) => (*a, *by, true),
            Some(Op::Shr(a, by)) => (*a, *by, false),
            _ => (term, 0, true),
        };
        Moved {
            word,
            by: i32::from(by),
            around,
        }
    }

    /// The exclusive or of up to three words.
    pub(super) fn parity(&mut self, value: Value, form: Form) -> [NodeId; 8] {
        let terms: Vec<Moved> = self
            .xor_terms(value)
            .into_iter()
            .map(|term| self.moved(term))
            .collect();
        let turn = match self.shape.loose[value.index()] {
            true => best_turn(&terms),
            false => 0,
        };
        let spread = Form::SPREAD;
        let words: Vec<[NodeId; 8]> = terms
            .iter()
            .map(|term| {
                let mut digits = self.shift(term.word, term.by - turn, term.around, spread);
                if !term.around && turn > 0 {
                    // Bits that would come round are none.
                    let out = spread.after(|d| (d >> turn) << turn);
                    digits[0] = self.function(digits[0], spread, out);
                }
                digits
            })
            .collect();
        let digits = std::array::from_fn(|n| {
            let terms: Vec<NodeId> = words.iter().map(|word| word[n]).collect();
            self.odd(&terms, form)
        });
        match self.shape.loose[value.index()] {
            true => self.turned(digits, turn as u8),
            false => digits,
        }
    }

    /// The exclusive or of spread digits, two at a time.
    fn odd(&mut self, terms: &[NodeId], form: Form) -> NodeId {
        let Some((first, others)) = terms.split_first() else {
            return self.graph.constant(0);
        };
        let mut odd = *first;
        for (n, term) in others.iter().enumerate() {
            let index = self.graph.sum(&[(odd, true), (*term, true)], 0);
            let out = if n + 1 == others.len() {
                form
            } else {
                Form::SPREAD
            };
            let of = Count::Odd;
            odd = self.graph.look(Table::Spread { of, out }, index);
        }
        odd
    }

    /// Plain digits turned right by some bits, as digits of a sum.
    fn turned(&mut self, digits: [NodeId; 8], turn: u8) -> [NodeId; 8] {
        let plain = Form::PLAIN;
        if turn == 0 {
            return digits;
        }
        let up = 4 - turn;
        std::array::from_fn(|n| {
            let next = digits[(n + 1) % 8];
            if up == 1 {
                // Twice the next digit may carry, and what leaves the word is gone.
                let mut terms = vec![(next, true), (next, true)];
                if n == 0 {
                    let stays = self.function(digits[0], plain, plain.after(|d| d >> turn));
                    terms.push((stays, true));
                }
                return self.graph.sum(&terms, 0);
            }
            let comes = self.function(next, plain, plain.after(|d| (d << up) & 15));
            let stays = self.function(digits[n], plain, plain.after(|d| d >> turn));
            self.graph.sum(&[(comes, true), (stays, true)], 0)
        })
    }

    /// A sum's digits, not split unless they get too large.
    pub(super) fn loose_sum(&mut self, value: Value, form: Form) -> [NodeId; 8] {
        let Terms { terms, constant } = flatten(&self.task.program, &self.shape.fused, value);
        let words = self.addends(terms, Form::PLAIN);
        if self.highest(&words) > MAX_LOOSE || self.style.turns() {
            return self.add(value, form);
        }
        std::array::from_fn(|n| {
            let terms: Vec<_> = words.iter().map(|(word, plus)| (word[n], *plus)).collect();
            self.graph
                .sum(&terms, i64::from((constant >> (4 * n)) & 15))
        })
    }

    /// The digits of a sum's terms. Two that share no bit are one.
    pub(super) fn addends(
        &mut self,
        mut terms: Vec<(Value, bool)>,
        unit: Form,
    ) -> Vec<([NodeId; 8], bool)> {
        let mut words = Vec::new();
        while let Some((a, b)) = self.choice(&terms) {
            terms.retain(|(term, _)| *term != a && *term != b);
            let (a, b) = (self.in_form(a, unit), self.in_form(b, unit));
            let either = std::array::from_fn(|n| {
                let sum = self.graph.sum(&[(a[n], true), (b[n], true)], 0);
                self.graph.narrow(sum, unit.of(15));
                sum
            });
            words.push((either, true));
        }
        for (term, plus) in terms {
            words.push((self.in_form(term, unit), plus));
        }
        words
    }

    /// Two terms `a & b` and `!a & c`, which share no bit.
    fn choice(&self, terms: &[(Value, bool)]) -> Option<(Value, Value)> {
        let parts = |value: Value| match self.def(value) {
            Some(Op::And(a, b)) => Some([*a, *b]),
            _ => None,
        };
        let pairs = terms.iter().flat_map(|a| terms.iter().map(move |b| (a, b)));
        pairs
            .filter(|((_, plus), (_, also))| *plus && *also)
            .map(|((a, _), (b, _))| (*a, *b))
            .find(|(a, b)| {
                let (Some(of_a), Some(of_b)) = (parts(*a), parts(*b)) else {
                    return false;
                };
                let not = |x: &Value| matches!(self.def(*x), Some(Op::Not(y)) if of_a.contains(y));
                of_b.iter().any(not)
            })
    }
}

/// By how many bits fewest words are moved across digits.
fn best_turn(terms: &[Moved]) -> i32 {
    let across = |turn: &i32| {
        let moved = terms.iter().filter(|term| (term.by - turn) % 4 != 0);
        // A shift can't be turned by more than it shifts.
        let shifts = terms.iter().filter(|term| !term.around && term.by < *turn);
        (shifts.count(), moved.count())
    };
    // The more it is turned, the less its digits count for.
    (0..4).rev().min_by_key(across).unwrap_or(0)
}
