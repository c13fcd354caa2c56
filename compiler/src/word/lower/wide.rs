//! `u64`, `u128` and `sats`: arithmetic on several words, the lowest first.

use super::super::ir::{Op, Span, Value};
use super::{Lowered, Lowerer, Words};
use crate::syntax::ast::BinaryOp;

/// What dividing counts for, per word of both sides: its script goes bit by bit.
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
        let (x, y) = (self.trimmed(a), self.trimmed(b));
        let mut product = match (x, y) {
            ([], _) | (_, []) => vec![],
            ([x], [y]) => vec![self.push(Op::MulLo(*x, *y)), self.push(Op::MulHi(*x, *y))],
            (x, y) => self.b.wide(Op::MulWide(x.to_vec(), y.to_vec())),
        };
        product.resize(a.len() + b.len(), self.zero);
        product
    }

    /// A value without its highest words that are known to be 0.
    fn trimmed<'a>(&self, words: &'a [Value]) -> &'a [Value] {
        let zeros = words.iter().rev().take_while(|word| self.is_zero(**word));
        let used = words.len() - zeros.count();
        words.get(..used).unwrap_or(words)
    }

    /// Quotient (as wide as `a`) and rest (as wide as `b`); aborts where `b` is 0.
    pub(super) fn checked_div(
        &mut self,
        a: &[Value],
        b: &[Value],
        span: Span,
    ) -> Lowered<(Words, Words)> {
        let mut nothing = self.one;
        for word in b {
            let zero = self.not(*word);
            nothing = self.and(nothing, zero);
        }
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
        let mut product = self.full_mul(a, b);
        let mut over = self.zero;
        for word in product.split_off(a.len()) {
            let beyond = self.nonzero(word);
            over = self.or(over, beyond);
        }
        (product, over)
    }

    /// Quotient and rest.
    fn wide_div(&mut self, a: &[Value], b: &[Value]) -> (Words, Words) {
        let (x, y) = (self.trimmed(a), self.trimmed(b));
        let (mut quotient, mut rest) = match (x, y) {
            // The program has aborted where the divisor is 0.
            ([], _) | (_, []) => (vec![], vec![]),
            ([x], [y]) => (
                vec![self.push(Op::Div(*x, *y))],
                vec![self.push(Op::Rem(*x, *y))],
            ),
            (x, y) => {
                let mut quotient = self.b.wide(Op::DivWide(x.to_vec(), y.to_vec()));
                let rest = quotient.split_off(x.len());
                (quotient, rest)
            }
        };
        quotient.resize(a.len(), self.zero);
        rest.resize(b.len(), self.zero);
        (quotient, rest)
    }
}
