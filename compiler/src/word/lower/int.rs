//! Integers of one word, and what all integers share: conversions, comparisons.

use super::super::ir::{Op, Span, Value};
use super::{Lowered, Lowerer, Words};
use crate::syntax::ast::BinaryOp;
use crate::types::Ty;

impl Lowerer<'_> {
    /// An operator on two values of type `ty` (for shifts, the right one is a `u32`).
    pub(super) fn binary_words(
        &mut self,
        op: BinaryOp,
        ty: &Ty,
        a: &[Value],
        b: &[Value],
        span: Span,
    ) -> Lowered<Words> {
        let bool_word = |value: Value| Ok(vec![value]);
        match op {
            BinaryOp::Eq => {
                let same = self.equal(a, b);
                bool_word(same)
            }
            BinaryOp::Ne => {
                let same = self.equal(a, b);
                bool_word(self.not(same))
            }
            BinaryOp::Lt => {
                let less = self.less(a, b);
                bool_word(less)
            }
            BinaryOp::Gt => {
                let less = self.less(b, a);
                bool_word(less)
            }
            BinaryOp::Ge => {
                let less = self.less(a, b);
                bool_word(self.not(less))
            }
            BinaryOp::Le => {
                let less = self.less(b, a);
                bool_word(self.not(less))
            }
            BinaryOp::BitAnd | BinaryOp::And => Ok(self.each(a, b, Op::And)),
            BinaryOp::BitOr | BinaryOp::Or => Ok(self.each(a, b, Op::Or)),
            BinaryOp::BitXor => Ok(self.each(a, b, Op::Xor)),
            BinaryOp::Shl | BinaryOp::Shr => self.shift(op == BinaryOp::Shl, ty, a, b, span),
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
                if ty.int_bits() > Some(32) {
                    return self.wide(op, a, b, span);
                }
                let word = |words: &[Value]| words.first().copied().unwrap_or(self.zero);
                let (a, b) = (word(a), word(b));
                let result = self.narrow(op, ty, a, b, span)?;
                Ok(vec![result])
            }
        }
    }

    fn each(&mut self, a: &[Value], b: &[Value], op: fn(Value, Value) -> Op) -> Words {
        a.iter()
            .zip(b)
            .map(|(a, b)| self.push(op(*a, *b)))
            .collect()
    }

    /// `+ - * / %` on an integer of at most 32 bits.
    fn narrow(&mut self, op: BinaryOp, ty: &Ty, a: Value, b: Value, span: Span) -> Lowered<Value> {
        let bits = ty.int_bits().filter(|bits| *bits < 32);
        let (result, overflow) = match op {
            BinaryOp::Add => {
                let sum = self.push(Op::Add(a, b));
                let fits = self.b.bits(a).max(self.b.bits(b)) < 32;
                let carry = match bits {
                    Some(bits) => self.above(bits, sum),
                    None if fits => self.zero,
                    None => self.push(Op::Lt(sum, a)),
                };
                (sum, carry)
            }
            BinaryOp::Sub => {
                let below = self.push(Op::Lt(a, b));
                (self.push(Op::Sub(a, b)), below)
            }
            BinaryOp::Mul => {
                let product = self.push(Op::MulLo(a, b));
                let over = match bits {
                    Some(bits) => self.above(bits, product),
                    None => {
                        let high = self.push(Op::MulHi(a, b));
                        self.nonzero(high)
                    }
                };
                (product, over)
            }
            _ => {
                let nothing = self.not(b);
                self.abort_if(nothing, "DivisionByZero", span)?;
                self.b.at(span);
                let op = if op == BinaryOp::Div {
                    Op::Div(a, b)
                } else {
                    Op::Rem(a, b)
                };
                return Ok(self.push(op));
            }
        };
        self.abort_if(overflow, "Overflow", span)?;
        match bits {
            // Tells the back end that the rest is zero.
            Some(bits) if self.b.bits(result) > bits as u8 => {
                self.b.at(span);
                let mask = self.constant(mask(bits));
                Ok(self.and(result, mask))
            }
            _ => Ok(result),
        }
    }

    /// Whether a word needs more than so many bits, fewer than 32.
    fn above(&mut self, bits: u32, word: Value) -> Value {
        let most = self.constant(mask(bits));
        self.push(Op::Lt(most, word))
    }

    /// `a < b` for integers of any width.
    pub(super) fn less(&mut self, a: &[Value], b: &[Value]) -> Value {
        let mut less = self.zero;
        // From the lowest word up: a higher word decides unless it is equal.
        for (a, b) in a.iter().zip(b) {
            let below = self.push(Op::Lt(*a, *b));
            let same = self.push(Op::Eq(*a, *b));
            let still = self.and(same, less);
            less = self.or(below, still);
        }
        less
    }

    /// `!` of an integer or bool.
    pub(super) fn not_words(&mut self, ty: &Ty, words: &[Value]) -> Words {
        let mut all = Vec::with_capacity(words.len());
        for word in words {
            let flipped = match ty {
                Ty::Bool => self.not(*word),
                ty => match ty.int_bits() {
                    Some(bits @ ..32) => {
                        let mask = self.constant(mask(bits));
                        self.push(Op::Xor(*word, mask))
                    }
                    _ => self.push(Op::Not(*word)),
                },
            };
            all.push(flipped);
        }
        all
    }

    /// A value of one type as one of another: lossless, or checked.
    pub(super) fn convert(
        &mut self,
        mut words: Words,
        from: &Ty,
        to: &Ty,
        span: Span,
    ) -> Lowered<Words> {
        if from == to {
            return Ok(words);
        }
        if matches!(from, Ty::Never | Ty::Error) || *to == Ty::Unit {
            return Ok(vec![self.zero; to.words()]);
        }
        let (Some(has), Some(wants)) = (number_bits(from), number_bits(to)) else {
            // The same words under another name: hash and bytes.
            return Ok(words);
        };
        if wants < has {
            let low = words.first().copied().unwrap_or(self.zero);
            let mut lost = self.zero;
            for high in words.iter().skip(to.words()) {
                let any = self.nonzero(*high);
                lost = self.or(lost, any);
            }
            if wants < 32 {
                let over = self.above(wants, low);
                lost = self.or(lost, over);
            }
            self.abort_if(lost, "Overflow", span)?;
            if wants < 32 {
                // Tells the back end that the rest is zero.
                let mask = self.constant(mask(wants));
                words = vec![self.and(low, mask)];
            }
        }
        words.resize(to.words(), self.zero);
        Ok(words)
    }

    /// `<<` (bits shifted out are lost) and `>>`; shifting by the width or more overflows.
    fn shift(
        &mut self,
        left: bool,
        ty: &Ty,
        a: &[Value],
        by: &[Value],
        span: Span,
    ) -> Lowered<Words> {
        let width = ty.int_bits().unwrap_or(32);
        let by = by.first().copied().unwrap_or(self.zero);
        let limit = self.constant(width);
        let fits = self.push(Op::Lt(by, limit));
        let over = self.not(fits);
        self.abort_if(over, "Overflow", span)?;
        self.b.at(span);
        let mut words = a.to_vec();
        if let Some(by) = self.b.as_const(by) {
            words = self.shift_by(left, width, &words, by % width);
        } else {
            for bit in 0..width.trailing_zeros() {
                let shifted = self.shift_by(left, width, &words, 1 << bit);
                let moved = self.push(Op::Shr(by, bit as u8));
                let odd = self.and(moved, self.one);
                words = self.select(odd, &shifted, &words);
            }
        }
        Ok(words)
    }

    /// Shifts by a known number of bits, below the width.
    fn shift_by(&mut self, left: bool, width: u32, words: &[Value], by: u32) -> Words {
        let (whole, part) = ((by / 32) as usize, (by % 32) as u8);
        let word = |n: Option<usize>| n.and_then(|n| words.get(n)).copied();
        let mut moved = Vec::with_capacity(words.len());
        for n in 0..words.len() {
            // What lands here, and what it drags in from its lower or upper neighbour.
            let (from, next) = if left {
                let from = n.checked_sub(whole);
                (from, from.and_then(|n| n.checked_sub(1)))
            } else {
                (Some(n + whole), Some(n + whole + 1))
            };
            let (Some(from), next) = (word(from), word(next)) else {
                moved.push(self.zero);
                continue;
            };
            let (shift, back): (Shift, Shift) = match left {
                true => (Op::Shl, Op::Shr),
                false => (Op::Shr, Op::Shl),
            };
            let mut word = self.push(shift(from, part));
            if let (Some(next), 1..) = (next, part) {
                let dragged = self.push(back(next, 32 - part));
                word = self.or(word, dragged);
            }
            moved.push(word);
        }
        if let (true, ..32, [word]) = (left, width, moved.as_mut_slice()) {
            let mask = self.constant(mask(width));
            *word = self.and(*word, mask);
        }
        moved
    }
}

/// `<<` or `>>` of a word.
type Shift = fn(Value, u8) -> Op;

/// The word whose low bits are set, fewer than 32.
fn mask(bits: u32) -> u32 {
    1u32.checked_shl(bits).map_or(u32::MAX, |bit| bit - 1)
}

/// Bits of whatever `as` takes for a number.
fn number_bits(ty: &Ty) -> Option<u32> {
    match ty {
        Ty::Bool | Ty::Enum(_) => Some(8),
        ty => ty.int_bits(),
    }
}
