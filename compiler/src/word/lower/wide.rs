//! `u64` and `sats`: arithmetic on two words, low word first.

use super::super::ir::{Op, Span, Value};
use super::{Lowered, Lowerer, Words};
use crate::syntax::ast::BinaryOp;

type Pair = [Value; 2];

impl Lowerer<'_> {
    /// `+ - * / %`
    pub(super) fn wide(&mut self, op: BinaryOp, a: Pair, b: Pair, span: Span) -> Lowered<Words> {
        let (result, overflow) = match op {
            BinaryOp::Add => self.wide_add(a, b),
            BinaryOp::Sub => {
                let below = self.less(&a, &b);
                (self.wide_sub(a, b), below)
            }
            BinaryOp::Mul => self.wide_mul(a, b),
            _ => {
                let any = self.or(b[0], b[1]);
                let nothing = self.not(any);
                self.abort_if(nothing, "DivisionByZero", span)?;
                self.step(1_000, span)?;
                self.b.at(span);
                let (quotient, rest) = self.wide_div(a, b);
                return Ok(if op == BinaryOp::Div { quotient } else { rest }.to_vec());
            }
        };
        self.abort_if(overflow, "Overflow", span)?;
        Ok(result.to_vec())
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

    fn wide_add(&mut self, a: Pair, b: Pair) -> (Pair, Value) {
        let (low, carry) = self.carrying(a[0], b[0]);
        let (high, over) = self.carrying(a[1], b[1]);
        let (high, again) = self.carrying(high, carry);
        ([low, high], self.or(over, again))
    }

    /// The difference modulo 2^64.
    fn wide_sub(&mut self, a: Pair, b: Pair) -> Pair {
        let low = self.push(Op::Sub(a[0], b[0]));
        let borrow = self.push(Op::Lt(a[0], b[0]));
        let high = self.push(Op::Sub(a[1], b[1]));
        [low, self.push(Op::Sub(high, borrow))]
    }

    fn wide_mul(&mut self, a: Pair, b: Pair) -> (Pair, Value) {
        let low = self.push(Op::MulLo(a[0], b[0]));
        let mut high = self.push(Op::MulHi(a[0], b[0]));
        // Both high words set, or a cross product of more than a word, or a carry.
        let (any_a, any_b) = (self.nonzero(a[1]), self.nonzero(b[1]));
        let mut over = self.and(any_a, any_b);
        for (x, y) in [(a[0], b[1]), (a[1], b[0])] {
            let cross = self.push(Op::MulLo(x, y));
            let beyond = self.push(Op::MulHi(x, y));
            let beyond = self.nonzero(beyond);
            over = self.or(over, beyond);
            let (sum, carry) = self.carrying(high, cross);
            over = self.or(over, carry);
            high = sum;
        }
        ([low, high], over)
    }

    /// Quotient and rest; any where the divisor is 0.
    fn wide_div(&mut self, a: Pair, b: Pair) -> (Pair, Pair) {
        if self.is_zero(b[1]) {
            if self.is_zero(a[1]) {
                let quotient = self.push(Op::Div(a[0], b[0]));
                let rest = self.push(Op::Rem(a[0], b[0]));
                return ([quotient, self.zero], [rest, self.zero]);
            }
            if self.b.bits(b[0]) <= 16 {
                return self.div_by_half(a, b[0]);
            }
        }
        self.div_bitwise(a, b)
    }

    /// By a divisor below 2^16: four digits of 16 bits, highest first.
    fn div_by_half(&mut self, a: Pair, b: Value) -> (Pair, Pair) {
        let mask = self.constant(0xffff);
        let mut rest = self.zero;
        let mut quotient = Vec::new();
        for word in [a[1], a[0]] {
            let mut halves = Vec::new();
            for upper in [true, false] {
                let half = if upper {
                    self.push(Op::Shr(word, 16))
                } else {
                    self.and(word, mask)
                };
                let above = self.push(Op::Shl(rest, 16));
                let digit = self.or(above, half);
                halves.push(self.push(Op::Div(digit, b)));
                rest = self.push(Op::Rem(digit, b));
            }
            let (upper, lower) = (halves.first().copied(), halves.get(1).copied());
            let upper = self.push(Op::Shl(upper.unwrap_or(self.zero), 16));
            // Where the divisor is 0 the halves overlap, and the program has aborted.
            quotient.push(self.or(upper, lower.unwrap_or(self.zero)));
        }
        let word = |n: usize| quotient.get(n).copied().unwrap_or(self.zero);
        ([word(1), word(0)], [rest, self.zero])
    }

    /// Bit by bit: shift a bit into the rest, subtract where that is possible.
    fn div_bitwise(&mut self, a: Pair, b: Pair) -> (Pair, Pair) {
        let mut rest = [self.zero; 2];
        let mut quotient = [self.zero; 2];
        for n in (0..64u8).rev() {
            let word = if n < 32 { a[0] } else { a[1] };
            let shifted = self.push(Op::Shr(word, n % 32));
            let bit = self.and(shifted, self.one);
            let out = self.push(Op::Shr(rest[1], 31));
            let up = self.push(Op::Shr(rest[0], 31));
            let low = self.push(Op::Shl(rest[0], 1));
            let high = self.push(Op::Shl(rest[1], 1));
            rest = [self.or(low, bit), self.or(high, up)];
            let below = self.less(&rest, &b);
            let enough = self.not(below);
            let take = self.or(out, enough);
            let less = self.wide_sub(rest, b);
            let selected = self.select(take, &less, &rest);
            if let [low, high] = selected[..] {
                rest = [low, high];
            }
            let placed = self.push(Op::Shl(take, n % 32));
            let slot = usize::from(n >= 32);
            if let Some(word) = quotient.get_mut(slot) {
                *word = self.b.push(Op::Or(*word, placed));
            }
        }
        (quotient, rest)
    }
}
