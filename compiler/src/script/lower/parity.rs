//! Exclusive ors of up to three rotated words, majorities, and sums whose digits need not be
//! split: what SHA-256 is made of.
//!
//! Digits spread to base 4 add up three at a time. The parity of the sum is one look-up; what
//! is left of the sum then tells the majority. Where only sums read a word, its digits may lie
//! across those of the sum (*loose*): a rotation by 2 bits is a factor of 4.

use super::{Lower, Style};
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
        let spread = self.style.spread();
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
        let loose = self.shape.loose[value.index()];
        // Spread words give spread results: of tables of that size one is enough.
        let made = if self.style.spreads() { spread } else { form };
        let out = if loose && self.style.spreads() { spread } else { form };
        let digits: [NodeId; 8] = std::array::from_fn(|n| {
            let terms: Vec<NodeId> = words.iter().map(|word| word[n]).collect();
            let odd = self.odd(&terms, made);
            self.convert(odd, made, out)
        });
        match self.shape.loose[value.index()] {
            true => self.loosely(digits, out, turn as u8),
            false => digits,
        }
    }

    /// The exclusive or of spread digits, spread.
    fn odd(&mut self, terms: &[NodeId], out: Form) -> NodeId {
        let (base, of) = match self.style {
            Style::Spread(4) => (4, Count::Odd),
            _ => (3, Count::Odd),
        };
        let table = Table::Spread { base, of, out };
        let at_once = base as usize - 1;
        let (now, later) = terms.split_at(at_once.min(terms.len()));
        let sum = |digits: &[NodeId]| digits.iter().map(|d| (*d, true)).collect::<Vec<_>>();
        let index = self.graph.sum(&sum(now), 0);
        let mut later = later.chunks(at_once - 1).peekable();
        let last = table.with_out(out);
        let table = table.with_out(self.style.spread());
        let first = if later.peek().is_none() { last } else { table };
        let mut odd = self.graph.look(first, index);
        while let Some(more) = later.next() {
            let mut terms = sum(more);
            terms.push((odd, true));
            let index = self.graph.sum(&terms, 0);
            let next = if later.peek().is_none() { last } else { table };
            odd = self.graph.look(next, index);
        }
        odd
    }

    /// Spread digits, turned right by some bits, as digits of a sum: they stay where they are
    /// and count for more.
    fn loosely(&mut self, digits: [NodeId; 8], spread: Form, turn: u8) -> [NodeId; 8] {
        let plain = Form::PLAIN;
        if turn == 0 {
            return digits.map(|digit| self.convert(digit, spread, plain));
        }
        let up = 4 - turn;
        std::array::from_fn(|n| {
            // A small factor may carry, and what leaves the word is gone; of a large one only
            // what stays within a digit.
            let moved = match up {
                1 => plain.times_by(2),
                _ => plain.after(|d| (d << up) & 15),
            };
            let next = digits[(n + 1) % 8];
            let comes = match (up, spread) {
                (1, Form::PLAIN) => self.graph.sum(&[(next, true), (next, true)], 0),
                _ => self.function(next, spread, moved),
            };
            if up == 1 && n > 0 {
                return comes;
            }
            let stays = self.function(digits[n], spread, plain.after(|d| d >> turn));
            self.graph.sum(&[(comes, true), (stays, true)], 0)
        })
    }

    /// A sum's digits, not split unless they get too large.
    pub(super) fn loose_sum(&mut self, value: Value, form: Form) -> [NodeId; 8] {
        let Terms { terms, constant } = flatten(&self.task.program, &self.shape.fused, value);
        let words = self.addends(terms, Form::PLAIN);
        if self.highest(&words) > MAX_LOOSE {
            let all = self.style.sums();
            let digits = self.add(value, all);
            return digits.map(|digit| self.convert(digit, all, form));
        }
        std::array::from_fn(|n| {
            let terms: Vec<_> = words.iter().map(|(word, plus)| (word[n], *plus)).collect();
            self.graph.sum(&terms, i64::from((constant >> (4 * n)) & 15))
        })
    }

    /// The digits of a sum's terms. Two terms that make up a majority are one.
    pub(super) fn addends(
        &mut self,
        mut terms: Vec<(Value, bool)>,
        unit: Form,
    ) -> Vec<([NodeId; 8], bool)> {
        let mut words = Vec::new();
        if self.style == Style::Spread(4) {
            while let Some((i, j, of)) = self.majority(&terms) {
                terms.retain(|(term, _)| *term != i && *term != j);
                let digits = of.map(|word| self.in_form(word, self.style.spread()));
                let most = std::array::from_fn(|n| {
                    let terms = digits.map(|word| (word[n], true));
                    let sum = self.graph.sum(&terms, 0);
                    self.graph.most(sum, 4, self.style.spread(), unit)
                });
                words.push((most, true));
            }
        }
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

    /// Two terms `a & b` and `(a ^ b) & c`, and the three words.
    fn majority(&self, terms: &[(Value, bool)]) -> Option<(Value, Value, [Value; 3])> {
        let pairs = terms.iter().flat_map(|a| terms.iter().map(move |b| (a, b)));
        for ((both, plus), (third, also)) in pairs {
            let (Some(Op::And(a, b)), Some(Op::And(x, y))) = (self.def(*both), self.def(*third))
            else {
                continue;
            };
            for (one, c) in [(x, y), (y, x)] {
                if let Some(Op::Xor(p, q)) = self.def(*one)
                    && ((p, q) == (a, b) || (q, p) == (a, b))
                    && *plus
                    && *also
                {
                    return Some((*both, *third, [*a, *b, *c]));
                }
            }
        }
        None
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
