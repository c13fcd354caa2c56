//! `u64`, `u128` and `sats`: arithmetic on several words, the lowest first.

use super::super::ir::{Op, Span, Value};
use super::{Lowered, Lowerer, Words};
use crate::syntax::ast::BinaryOp;

/// What dividing counts for, per word of both sides: it goes bit by bit.
const DIVISION_STEPS: usize = 250;

impl Lowerer<'_> {
    /// `+ - * / %` of two values of as many words.
    pub(super) fn wide(
        &mut self,
        op: BinaryOp,
        a: &[Value],
        b: &[Value],
        span: Span,
    ) -> Lowered<Words> {
        let (result, overflow) = match op {
            BinaryOp::Add => self.wide_add(a, b),
            BinaryOp::Sub => {
                let below = self.less(a, b);
                (self.wide_sub(a, b), below)
            }
            BinaryOp::Mul => self.wide_mul(a, b),
            _ => {
                let (quotient, rest) = self.checked_div(a, b, span)?;
                return Ok(if op == BinaryOp::Div { quotient } else { rest });
            }
        };
        self.abort_if(overflow, "Overflow", span)?;
        Ok(result)
    }

    /// The product of two values, in twice as many words.
    pub(super) fn full_mul(&mut self, a: &[Value], b: &[Value]) -> Words {
        let padded = |words: &[Value]| {
            let mut padded = words.to_vec();
            padded.resize(2 * words.len(), self.zero);
            padded
        };
        let (a, b) = (padded(a), padded(b));
        self.wide_mul(&a, &b).0
    }

    /// Quotient (as wide as `a`) and rest (as wide as `b`); aborts where `b` is 0.
    pub(super) fn checked_div(
        &mut self,
        a: &[Value],
        b: &[Value],
        span: Span,
    ) -> Lowered<(Words, Words)> {
        let mut any = self.zero;
        for word in b {
            any = self.or(any, *word);
        }
        let nothing = self.not(any);
        self.abort_if(nothing, "DivisionByZero", span)?;
        self.step(DIVISION_STEPS * a.len() * b.len(), span)?;
        self.b.at(span);
        Ok(self.wide_div(a, b))
    }

    /// The sum of two words, and whether it carries.
    fn carrying(&mut self, a: Value, b: Value) -> (Value, Value) {
        let sum = self.push(Op::Add(a, b));
        let carry = if self.b.bits(a).max(self.b.bits(b)) < 32 {
            self.zero
        } else {
            self.push(Op::Lt(sum, a))
        };
        (sum, carry)
    }

    fn wide_add(&mut self, a: &[Value], b: &[Value]) -> (Words, Value) {
        let mut sum = Vec::with_capacity(a.len());
        let mut carry = self.zero;
        for (n, (a, b)) in a.iter().zip(b).enumerate() {
            let (mut word, mut over) = self.carrying(*a, *b);
            if n > 0 {
                let (added, again) = self.carrying(word, carry);
                (word, over) = (added, self.or(over, again));
            }
            sum.push(word);
            carry = over;
        }
        (sum, carry)
    }

    /// The difference, modulo what fits.
    pub(super) fn wide_sub(&mut self, a: &[Value], b: &[Value]) -> Words {
        let mut difference = Vec::with_capacity(a.len());
        let mut borrow = self.zero;
        for (n, (x, y)) in a.iter().zip(b).enumerate() {
            let mut word = self.push(Op::Sub(*x, *y));
            if n > 0 {
                word = self.push(Op::Sub(word, borrow));
            }
            difference.push(word);
            if n + 1 < a.len() {
                let below = self.push(Op::Lt(*x, *y));
                let same = self.push(Op::Eq(*x, *y));
                let still = self.and(same, borrow);
                borrow = self.or(below, still);
            }
        }
        difference
    }

    /// The product in as many words, and whether it has more.
    fn wide_mul(&mut self, a: &[Value], b: &[Value]) -> (Words, Value) {
        let n = a.len();
        let word = |words: &[Value], i: usize| words.get(i).copied();
        let mut over = self.zero;
        for i in 1..n {
            for j in n - i..n {
                let (Some(x), Some(y)) = (word(a, i), word(b, j)) else {
                    continue;
                };
                let (x, y) = (self.nonzero(x), self.nonzero(y));
                let both = self.and(x, y);
                over = self.or(over, both);
            }
        }
        let mut sum = vec![self.zero; n];
        for place in 0..n {
            for i in 0..=place {
                let (Some(x), Some(y)) = (word(a, i), word(b, place - i)) else {
                    continue;
                };
                let low = self.push(Op::MulLo(x, y));
                let high = self.push(Op::MulHi(x, y));
                let carry = self.add_at(&mut sum, place, low);
                over = self.or(over, carry);
                if place + 1 < n {
                    let carry = self.add_at(&mut sum, place + 1, high);
                    over = self.or(over, carry);
                } else {
                    let beyond = self.nonzero(high);
                    over = self.or(over, beyond);
                }
            }
        }
        (sum, over)
    }

    /// Adds a word at a place; whether that carries out at the top.
    fn add_at(&mut self, sum: &mut [Value], place: usize, word: Value) -> Value {
        let mut carry = word;
        for slot in sum.iter_mut().skip(place) {
            if self.is_zero(carry) {
                break;
            }
            (*slot, carry) = if self.is_zero(*slot) {
                (carry, self.zero)
            } else {
                self.carrying(*slot, carry)
            };
        }
        carry
    }

    /// Quotient and rest; any where the divisor is 0.
    fn wide_div(&mut self, a: &[Value], b: &[Value]) -> (Words, Words) {
        let zeros = |lowerer: &Self, words: &[Value]| {
            let mut high = words.iter().skip(1);
            high.all(|word| lowerer.is_zero(*word))
        };
        let first = |words: &[Value], zero| words.first().copied().unwrap_or(zero);
        let (low, divisor) = (first(a, self.zero), first(b, self.zero));
        if !zeros(self, b) {
            return self.div_bitwise(a, b);
        }
        let (mut quotient, rest) = if zeros(self, a) {
            let quotient = self.push(Op::Div(low, divisor));
            (vec![quotient], self.push(Op::Rem(low, divisor)))
        } else if self.b.bits(divisor) <= 16 {
            self.div_by_half(a, divisor)
        } else {
            return self.div_bitwise(a, b);
        };
        quotient.resize(a.len(), self.zero);
        let mut rest = vec![rest];
        rest.resize(b.len(), self.zero);
        (quotient, rest)
    }

    /// By a divisor below 2^16: digits of 16 bits, highest first.
    fn div_by_half(&mut self, a: &[Value], b: Value) -> (Words, Value) {
        let mask = self.constant(0xffff);
        let mut rest = self.zero;
        let mut quotient = Vec::new();
        for word in a.iter().rev().copied() {
            let mut halves = [self.zero; 2];
            for (n, digit) in halves.iter_mut().enumerate() {
                let half = if n == 0 {
                    self.push(Op::Shr(word, 16))
                } else {
                    self.and(word, mask)
                };
                let above = self.push(Op::Shl(rest, 16));
                let part = self.push(Op::Add(above, half));
                *digit = self.push(Op::Div(part, b));
                rest = self.push(Op::Rem(part, b));
            }
            let [upper, lower] = halves;
            let upper = self.push(Op::Shl(upper, 16));
            // Where the divisor is 0 the halves overlap, and the program has aborted.
            quotient.push(self.push(Op::Add(upper, lower)));
        }
        quotient.reverse();
        (quotient, rest)
    }

    /// Bit by bit: shift a bit into the rest, subtract where that is possible.
    fn div_bitwise(&mut self, a: &[Value], b: &[Value]) -> (Words, Words) {
        let mut rest = vec![self.zero; b.len()];
        let mut quotient = vec![self.zero; a.len()];
        for (slot, word) in quotient.iter_mut().zip(a).rev() {
            for n in (0..32u8).rev() {
                let shifted = self.push(Op::Shr(*word, n));
                let mut bit = self.and(shifted, self.one);
                let mut up = Vec::with_capacity(rest.len());
                for part in &rest {
                    let (twice, over) = self.carrying(*part, *part);
                    let (moved, again) = self.carrying(twice, bit);
                    up.push(moved);
                    bit = self.or(over, again);
                }
                let below = self.less(&up, b);
                let enough = self.not(below);
                // A bit that left the rest at the top makes it larger than any divisor.
                let take = self.or(bit, enough);
                let less = self.wide_sub(&up, b);
                rest = self.select(take, &less, &up);
                let placed = self.push(Op::Shl(take, n));
                *slot = self.or(*slot, placed);
            }
        }
        (quotient, rest)
    }
}
