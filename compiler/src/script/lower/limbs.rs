//! Words as numbers of up to 31 bits: one number where that is enough, else two halves. What
//! is computed in which form was decided before ([`Kinds`](super::Kinds)); here one form is
//! made from another.

use super::super::facts::low_mask;
use super::super::graph::NodeId;
use super::super::idioms::Idiom;
use super::super::kinds::ONE;
use super::super::marks::{Form, Piece};
use super::super::number::{HALF, LIMIT, Reduced};
use super::super::shape::{Terms, def, flatten};
use super::Lower;
use super::arith::Quotient;
use crate::word::{Op, Value};

impl Lower<'_> {
    fn is_one(&self, value: Value) -> bool {
        self.bits[value.index()] <= ONE
    }

    pub(super) fn constant(&self, value: Value) -> Option<u32> {
        match def(&self.task.program, value) {
            Some(Op::Const(word)) => Some(*word),
            _ => None,
        }
    }

    /// Everything that a word in numbers is made of.
    pub(super) fn all_numbers(&mut self, value: Value) -> Vec<NodeId> {
        match self.is_one(value) {
            true => vec![self.one(value)],
            false => self.halves(value).to_vec(),
        }
    }

    /// What an abort reads, in numbers, each with its digits.
    pub(super) fn numbers(&mut self, value: Value, code: u16) -> Vec<(NodeId, usize)> {
        let digits = self.task.written.get(usize::from(code));
        let digits = usize::from(digits.copied().unwrap_or(8));
        if self.is_one(value) && digits <= 7 {
            return vec![(self.one(value), digits)];
        }
        let [low, high] = self.halves(value);
        match digits {
            ..=4 => vec![(low, digits)],
            _ => vec![(low, 4), (high, digits - 4)],
        }
    }

    /// Whether a word is not 0: 0 or 1.
    pub(super) fn condition(&mut self, value: Value) -> NodeId {
        if !self.kinds.is_number(value) {
            let digits = self.word(value);
            return self.truth(&digits);
        }
        let numbers = self.all_numbers(value);
        self.truth(&numbers)
    }

    /// The digits of a word that is computed in numbers.
    pub(super) fn parted(&mut self, value: Value) -> [NodeId; 8] {
        let mut digits = [self.graph.constant(0); 8];
        if self.is_one(value) {
            let one = self.one(value);
            self.part(one, &mut digits);
        } else {
            let [low, high] = self.halves(value);
            let (lower, upper) = digits.split_at_mut(4);
            self.part(low, lower);
            self.part(high, upper);
        }
        digits
    }

    /// Splits a number into digits, the highest first.
    fn part(&mut self, number: NodeId, digits: &mut [NodeId]) {
        let mut rest = number;
        for n in (1..digits.len()).rev() {
            (rest, digits[n]) = self.graph.divide(rest, 1 << (4 * n));
        }
        if let Some(first) = digits.first_mut() {
            *first = rest;
        }
    }

    /// A word of at most 31 bits as one number.
    pub(super) fn one(&mut self, value: Value) -> NodeId {
        if let Some(one) = self.ones[value.index()] {
            return one;
        }
        let one = if let Some(word) = self.constant(value) {
            self.graph.constant(i64::from(word))
        } else if self.kinds.is_number(value) {
            self.compute_one(value)
        } else {
            let digits = self.word(value);
            self.graph.join(&digits)
        };
        let most = (1 << self.bits[value.index()].min(ONE)) - 1;
        let one = match self.doubtful[value.index()] {
            true => self.graph.at_most(one, most),
            false => one,
        };
        self.graph.narrow(one, most);
        self.ones[value.index()] = Some(one);
        one
    }

    /// A word as two halves, the lower first.
    pub(super) fn halves(&mut self, value: Value) -> [NodeId; 2] {
        if let Some(halves) = self.halves[value.index()] {
            return halves;
        }
        let halves = if let Some(word) = self.constant(value) {
            [word & 0xffff, word >> 16].map(|half| self.graph.constant(i64::from(half)))
        } else if self.bits[value.index()] <= 16 {
            [self.one(value), self.graph.constant(0)]
        } else if !self.kinds.is_number(value) {
            let digits = self.word(value);
            [self.graph.join(&digits[..4]), self.graph.join(&digits[4..])]
        } else if self.is_one(value) {
            let one = self.one(value);
            let (low, high) = self.graph.divide(one, HALF);
            [low, high]
        } else {
            self.compute_halves(value)
        };
        self.halves[value.index()] = Some(halves);
        halves
    }

    fn compute_one(&mut self, value: Value) -> NodeId {
        let Some(op) = def(&self.task.program, value).cloned() else {
            return self.graph.constant(0);
        };
        match op {
            Op::Sub(a, b) if self.facts.is_ordered(a, b) && self.is_one(a) && self.is_one(b) => {
                let (a, b) = (self.one(a), self.one(b));
                let difference = self.graph.sum(&[(a, true), (b, false)], 0);
                return self.graph.at_least_zero(difference);
            }
            Op::Add(..) | Op::Sub(..) => {
                if let Some(one) = self.exact_sum(value) {
                    return one;
                }
            }
            Op::And(a, b) => {
                if let Some(one) = self.lowest_bits(a, b) {
                    return one;
                }
            }
            Op::Shr(a, by) => return self.shifted_down(a, by),
            Op::Select(c, t, f) => {
                let condition = self.condition(c);
                let (t, f) = (self.one(t), self.one(f));
                return self.graph.select(condition, t, f);
            }
            Op::Shl(a, by) => {
                let a = self.one(a);
                return self.graph.times(a, 1 << by);
            }
            Op::Lt(..) | Op::Or(..) => return self.flag(value),
            Op::Eq(a, b) => return self.equal(a, b),
            Op::MulLo(a, b) if self.bits[a.index()] + self.bits[b.index()] <= ONE => {
                return self.small_product(a, b);
            }
            Op::Div(a, b) => {
                if let Quotient::Number(quotient) = self.division(a, b).quotient {
                    return quotient;
                }
            }
            Op::Rem(a, b) => {
                if let [rest] = self.division(a, b).rest[..] {
                    return rest;
                }
            }
            _ => {}
        }
        let [low, high] = self.compute_halves(value);
        let high = self.graph.at_most(high, HALF / 2 - 1);
        let high = self.graph.times(high, HALF);
        self.graph.sum(&[(low, true), (high, true)], 0)
    }

    /// The lowest bits of a word, at most 16 or of a word that is one number.
    fn lowest_bits(&mut self, a: Value, b: Value) -> Option<NodeId> {
        let (word, keep) = low_mask(&self.task.program, a, b)?;
        let unit = 1i64 << keep;
        let number = match self.is_one(word) {
            true => self.one(word),
            false if keep <= 16 => self.halves(word)[0],
            false => return None,
        };
        Some(match self.facts.at_most(word, (unit - 1) as u32) {
            true => self.graph.at_most(number, unit - 1),
            false => self.graph.divide(number, unit).0,
        })
    }

    /// A word without its lowest bits.
    fn shifted_down(&mut self, word: Value, by: u8) -> NodeId {
        if self.is_one(word) {
            let one = self.one(word);
            return self.graph.divide(one, 1 << by).1;
        }
        let [low, high] = self.halves(word);
        if by >= 16 {
            return self.graph.divide(high, 1 << (by - 16)).1;
        }
        let low = self.graph.divide(low, 1 << by).1;
        let high = self.graph.times(high, 1 << (16 - by));
        self.graph.sum(&[(low, true), (high, true)], 0)
    }

    /// A sum of numbers that stays within 31 bits on the way, and so needs no carries.
    fn exact_sum(&mut self, value: Value) -> Option<NodeId> {
        let Terms { terms, constant } = flatten(&self.task.program, &self.shape.fused, value);
        if terms.iter().any(|(term, _)| !self.is_one(*term)) {
            return None;
        }
        let ones: Vec<(NodeId, bool)> = terms
            .iter()
            .map(|(term, plus)| (self.one(*term), *plus))
            .collect();
        let constant = signed(constant);
        let reach = ones.iter().map(|(one, _)| self.graph.range(*one).high);
        if reach.sum::<i64>() + constant.abs() >= LIMIT {
            return None;
        }
        let sum = self.graph.sum(&ones, constant);
        self.beyond[value.index()] = Some(Reduced {
            rest: sum,
            quotient: self.graph.constant(0),
            plus: true,
            offset: i64::from(constant < 0),
        });
        (self.graph.range(sum).low >= 0).then_some(sum)
    }

    fn compute_halves(&mut self, value: Value) -> [NodeId; 2] {
        let zero = self.graph.constant(0);
        let Some(op) = def(&self.task.program, value).cloned() else {
            return [zero; 2];
        };
        match op {
            Op::Add(..) | Op::Sub(..) => self.add_halves(value),
            Op::Select(c, t, f) => {
                let condition = self.condition(c);
                let (t, f) = (self.halves(t), self.halves(f));
                let chosen = self.graph.choose(condition, &t, &f);
                [chosen[0], chosen[1]]
            }
            Op::Shl(a, 16) => [zero, self.halves(a)[0]],
            Op::And(a, b) => match low_mask(&self.task.program, a, b) {
                Some((word, keep)) => {
                    let [low, high] = self.halves(word);
                    let high = self.graph.divide(high, 1i64 << keep.saturating_sub(16)).0;
                    [low, high]
                }
                None => [zero; 2],
            },
            Op::Not(a) => {
                let halves = self.halves(a);
                halves.map(|half| self.graph.sum(&[(half, false)], HALF - 1))
            }
            Op::MulLo(a, b) => {
                let halves = self.product(&[a], &[b]).halves;
                [halves[0], halves[1]]
            }
            Op::MulHi(a, b) => {
                let halves = self.product(&[a], &[b]).halves;
                [halves[2], halves[3]]
            }
            Op::Div(a, b) => match self.division(a, b).quotient {
                Quotient::Number(quotient) => {
                    let (low, high) = self.graph.divide(quotient, HALF);
                    [low, high]
                }
                Quotient::Digits(_) => [zero; 2],
            },
            Op::Rem(a, b) => match self.division(a, b).rest[..] {
                [low, high] => [low, high],
                [rest] => {
                    let (low, high) = self.graph.divide(rest, HALF);
                    [low, high]
                }
                _ => [zero; 2],
            },
            Op::MulWide(..) | Op::DivWide(..) => self.wide_halves(value),
            // Nothing else is computed in halves.
            _ => [zero; 2],
        }
    }

    fn add_halves(&mut self, value: Value) -> [NodeId; 2] {
        let Terms { terms, constant } = flatten(&self.task.program, &self.shape.fused, value);
        let halves: Vec<([NodeId; 2], bool)> = terms
            .iter()
            .map(|(term, plus)| (self.halves(*term), *plus))
            .collect();
        let nth = |n: usize| -> Vec<(NodeId, bool)> {
            halves.iter().map(|(half, plus)| (half[n], *plus)).collect()
        };
        // A small negative constant borrows less often than its complement carries.
        let addend = signed(constant);
        let low = self.graph.reduce(&nth(0), addend % HALF, HALF);
        self.carries(value, 0, low.quotient);
        let mut high = nth(1);
        high.push((low.quotient, low.plus));
        let high = self.graph.reduce(&high, addend / HALF + low.offset, HALF);
        self.carries(value, 1, high.quotient);
        self.beyond[value.index()] = Some(Reduced {
            offset: high.offset + i64::from(addend < 0),
            ..high
        });
        [low.rest, high.rest]
    }

    /// Names what a half of a sum carries.
    fn carries(&mut self, value: Value, half: u8, carry: NodeId) {
        let form = Form::Carry(Piece::Half(half));
        self.names.piece(carry, value, form);
    }

    /// What a comparison or its equivalent gives: 0 or 1.
    pub(super) fn flag(&mut self, value: Value) -> NodeId {
        match self.idioms.get(value) {
            Some(Idiom::Carry(sum)) => match self.beyond(sum) {
                Some(beyond) => self
                    .graph
                    .sum(&[(beyond.quotient, beyond.plus)], beyond.offset),
                None => self.graph.constant(0),
            },
            Some(Idiom::Less(x, y, flag)) => {
                let difference = self.idioms.difference_of(x, y, flag);
                let borrow = difference.and_then(|difference| self.beyond(difference));
                match borrow {
                    Some(beyond) => {
                        // A constant was subtracted by adding its complement.
                        let offset = beyond.offset - i64::from(self.constant(y).is_some());
                        self.graph.sum(&[(beyond.quotient, !beyond.plus)], -offset)
                    }
                    None => self.less(value, x, y, flag),
                }
            }
            None => self.graph.constant(0),
        }
    }

    /// What a sum has beyond the word; `None` if it has nothing.
    fn beyond(&mut self, sum: Value) -> Option<Reduced> {
        match self.kinds.is_number(sum) {
            true => drop(self.all_numbers(sum)),
            false => drop(self.word(sum)),
        }
        self.beyond[sum.index()]
    }

    /// `x < y + flag`, from the lowest part up.
    fn less(&mut self, value: Value, x: Value, y: Value, flag: Option<Value>) -> NodeId {
        let mut borrow = match flag {
            Some(flag) => self.condition(flag),
            None => self.graph.constant(0),
        };
        let (x, y) = self.both(value, x, y);
        for (x, y) in x.into_iter().zip(y) {
            let need = self.graph.sum(&[(borrow, true), (y, true)], 0);
            borrow = self.graph.less(x, need);
        }
        borrow
    }

    fn equal(&mut self, a: Value, b: Value) -> NodeId {
        for (word, zero) in [(a, b), (b, a)] {
            if let (Some(Op::MulHi(x, y)), Some(0)) =
                (def(&self.task.program, word), self.constant(zero))
            {
                return self.upper_is_zero(*x, *y);
            }
        }
        let (a, b) = match self.is_one(a) && self.is_one(b) {
            true => (vec![self.one(a)], vec![self.one(b)]),
            false => (self.halves(a).to_vec(), self.halves(b).to_vec()),
        };
        let pairs = a.into_iter().zip(b);
        let differ: Vec<(NodeId, bool)> = pairs
            .map(|(a, b)| (self.graph.differ(a, b), true))
            .collect();
        let sum = self.graph.sum(&differ, 0);
        self.graph.is_zero(sum)
    }

    /// Two words in the form that a comparison of them was given.
    fn both(&mut self, value: Value, x: Value, y: Value) -> (Vec<NodeId>, Vec<NodeId>) {
        if !self.kinds.is_number(value) {
            return (self.word(x).to_vec(), self.word(y).to_vec());
        }
        match self.is_one(x) && self.is_one(y) {
            true => (vec![self.one(x)], vec![self.one(y)]),
            false => (self.halves(x).to_vec(), self.halves(y).to_vec()),
        }
    }
}

/// A word as the number of least size that equals it modulo 2^32.
fn signed(word: u32) -> i64 {
    i64::from(word as i32)
}
