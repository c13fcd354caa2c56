//! Products and quotients of numbers of several words.

use super::super::graph::NodeId;
use super::super::number::HALF;
use super::super::shape::definition;
use super::Lower;
use crate::word::{Op, Value};

/// Divisors of more bits are several numbers.
const NARROW: u8 = 27;
/// Digits of each of those numbers.
const LIMB_DIGITS: usize = 6;

impl Lower<'_> {
    /// One of the words that an operation on several words defines in numbers.
    pub(super) fn wide_halves(&mut self, value: Value) -> [NodeId; 2] {
        let zero = self.graph.constant(0);
        let Some((op, n)) = definition(&self.task.program, value) else {
            return [zero; 2];
        };
        let first = Value(value.0 - n as u32);
        let (halves, from) = match op.clone() {
            Op::MulWide(a, b) => (self.product(&a, &b).halves, n),
            Op::DivWide(a, b) => (self.divide_wide(first, &a, &b).1, n.saturating_sub(a.len())),
            _ => return [zero; 2],
        };
        let half = |n: usize| halves.get(n).copied().unwrap_or(zero);
        [half(2 * from), half(2 * from + 1)]
    }

    /// One word of a quotient.
    pub(super) fn wide_digits(&mut self, value: Value) -> [NodeId; 8] {
        let zero = self.graph.constant(0);
        let Some((Op::DivWide(a, b), n)) = definition(&self.task.program, value) else {
            return [zero; 8];
        };
        let (a, b) = (a.clone(), b.clone());
        let first = Value(value.0 - n as u32);
        let digits = self.divide_wide(first, &a, &b).0;
        let digit = |n: usize| digits.get(n).copied().unwrap_or(zero);
        std::array::from_fn(|k| digit(8 * n + k))
    }

    /// Quotient in digits and rest in halves.
    fn divide_wide(
        &mut self,
        first: Value,
        a: &[Value],
        b: &[Value],
    ) -> (Vec<NodeId>, Vec<NodeId>) {
        if let Some(known) = self.wide_divisions.get(&first) {
            return known.clone();
        }
        let dividend = self.all_digits(a);
        let (mut quotient, mut rest, zero) = match b {
            [by] if self.bits[by.index()] <= NARROW => {
                let zero = self.condition(*by);
                let zero = self.graph.is_zero(zero);
                let by = self.one(*by);
                let by = self.graph.sum(&[(by, true), (zero, true)], 0);
                let (quotient, rest) = self.graph.long_division(&dividend, by, false);
                let (low, high) = self.graph.divide(rest, HALF);
                (quotient, vec![low, high], zero)
            }
            _ => self.divide_by_limbs(&dividend, b),
        };
        let nothing = self.graph.constant(0);
        quotient.resize(8 * a.len(), nothing);
        rest.resize(2 * b.len(), nothing);
        if !self.facts.any_nonzero(b) && self.graph.as_const(zero) != Some(0) {
            let ones = self.graph.constant(15);
            for digit in &mut quotient {
                *digit = self.graph.select(zero, ones, *digit);
            }
            let mut all: Vec<NodeId> = a.iter().flat_map(|word| self.halves(*word)).collect();
            all.resize(rest.len(), nothing);
            for (rest, all) in rest.iter_mut().zip(all) {
                *rest = self.graph.select(zero, all, *rest);
            }
        }
        let made = (quotient, rest);
        self.wide_divisions.insert(first, made.clone());
        made
    }

    /// Quotient in digits, rest in halves, and whether the divisor is 0.
    fn divide_by_limbs(
        &mut self,
        dividend: &[NodeId],
        b: &[Value],
    ) -> (Vec<NodeId>, Vec<NodeId>, NodeId) {
        let mut by = self.all_digits(b);
        let some = self.truth(&by);
        let zero = self.graph.is_zero(some);
        // Room for a digit more, and at least two limbs.
        let room = (by.len() / LIMB_DIGITS + 1).max(2) * LIMB_DIGITS;
        by.resize(room, self.graph.constant(0));
        let mut limbs: Vec<NodeId> = by
            .chunks(LIMB_DIGITS)
            .map(|digits| self.graph.join(digits))
            .collect();
        if let Some(low) = limbs.first_mut() {
            *low = self.graph.sum(&[(*low, true), (zero, true)], 0);
        }
        let (quotient, rest) = self.graph.wide_division(dividend, &limbs);
        let mut halves = Vec::new();
        // Two limbs are three halves.
        for pair in rest.chunks(2) {
            let (low, upper) = self.graph.divide(pair[0], HALF);
            let (next, high) = match pair.get(1) {
                Some(limb) => self.graph.divide(*limb, 1 << 8),
                None => (self.graph.constant(0), self.graph.constant(0)),
            };
            let next = self.graph.times(next, 1 << 8);
            let middle = self.graph.sum(&[(upper, true), (next, true)], 0);
            halves.extend([low, middle, high]);
        }
        (quotient, halves, zero)
    }
}
