//! Products, quotients and remainders.

use super::super::graph::NodeId;
use super::super::number::HALF;
use super::super::shape::factors;
use super::Lower;
use crate::word::Value;

/// Divisors of more bits are divided by in two parts.
const NARROW: u8 = 27;
/// More than any rest that they are compared with.
const MANY: i64 = 1 << 30;

/// A product, the lowest part first.
#[derive(Clone, Debug)]
pub(super) struct Product {
    /// What falls on each half, carries left in.
    groups: Vec<NodeId>,
    /// The halves.
    pub(super) halves: Vec<NodeId>,
    /// What each half hands on to the next.
    carries: Vec<NodeId>,
}

/// A quotient and a rest.
#[derive(Clone, Debug)]
pub(super) struct Division {
    pub(super) quotient: Quotient,
    /// As one number, or as halves.
    pub(super) rest: Vec<NodeId>,
}

/// A quotient, as it falls out.
#[derive(Clone, Debug)]
pub(super) enum Quotient {
    Number(NodeId),
    Digits([NodeId; 8]),
}

impl Lower<'_> {
    /// The product of two numbers of several words.
    pub(super) fn product(&mut self, a: &[Value], b: &[Value]) -> Product {
        let key = (a.to_vec(), b.to_vec());
        if let Some(known) = self.products.get(&key) {
            return known.clone();
        }
        let mut product = Product {
            groups: self.groups(a, b),
            halves: Vec::new(),
            carries: Vec::new(),
        };
        let mut carry = self.graph.constant(0);
        for group in &product.groups {
            let sum = self.graph.sum(&[(*group, true), (carry, true)], 0);
            let (half, next) = self.graph.divide(sum, HALF);
            carry = next;
            product.halves.push(half);
            product.carries.push(carry);
        }
        self.products.insert(key, product.clone());
        product
    }

    /// Whether the upper word of a product is 0: its halves need not be told apart.
    pub(super) fn upper_is_zero(&mut self, a: Value, b: Value) -> NodeId {
        let Product {
            groups, carries, ..
        } = self.product(&[a], &[b]);
        let third = [(carries[1], true), (groups[2], true)];
        let third = self.graph.sum(&third, 0);
        let third = self.graph.is_zero(third);
        let fourth = self.graph.is_zero(groups[3]);
        self.graph.both(third, fourth)
    }

    /// What falls on each half of a product, carries left in.
    fn groups(&mut self, a: &[Value], b: &[Value]) -> Vec<NodeId> {
        let count = 2 * (a.len() + b.len());
        let (a, b) = factors(&self.task.program, &self.bits, a, b);
        let mut groups = match b {
            [k] if self.constant(*k).is_some() => {
                let k = self.constant(*k).unwrap_or(0);
                self.product_by_constant(a, k, count)
            }
            _ => {
                let parts = self.all_parts(a);
                let digits = self.all_digits(b);
                self.graph.product(&parts, &digits, 4)
            }
        };
        groups.resize(count, self.graph.constant(0));
        groups
    }

    /// A product of at most 31 bits.
    pub(super) fn small_product(&mut self, a: Value, b: Value) -> NodeId {
        let (a, b) = ([a], [b]);
        let (a, b) = factors(&self.task.program, &self.bits, &a, &b);
        let x = self.one(a[0]);
        if let Some(k) = self.constant(b[0]) {
            return self.graph.times(x, i64::from(k));
        }
        let digits = self.used_digits(b[0]);
        self.graph.product(&[(x, 0)], &digits, 8)[0]
    }

    /// The digits of several words, those that are known to be 0 at the top left out.
    pub(super) fn all_digits(&mut self, words: &[Value]) -> Vec<NodeId> {
        let mut digits: Vec<NodeId> = words.iter().flat_map(|word| self.word(*word)).collect();
        while digits.len() > 1 && digits.last().and_then(|d| self.graph.as_const(*d)) == Some(0) {
            digits.pop();
        }
        digits
    }

    /// Several words in parts, as many bits each as products of them leave room for.
    fn all_parts(&mut self, words: &[Value]) -> Vec<(NodeId, usize)> {
        if let [word] = words
            && self.bits[word.index()] <= 15
        {
            return vec![(self.one(*word), 0)];
        }
        let digits = if words.len() <= 3 { 3 } else { 2 };
        let mut parts = Vec::new();
        for (n, word) in words.iter().enumerate() {
            let of_word = self.small_parts(*word, digits);
            parts.extend(of_word.into_iter().map(|(part, at)| (part, at + 8 * n)));
        }
        parts
    }

    fn used_digits(&mut self, value: Value) -> Vec<NodeId> {
        let used = usize::from(self.bits[value.index()].div_ceil(4)).max(1);
        self.word(value)[..used].to_vec()
    }

    /// A word in parts of so many digits at most; each with its first place.
    fn small_parts(&mut self, value: Value, most: usize) -> Vec<(NodeId, usize)> {
        if !self.kinds.is_number(value) {
            let digits = self.used_digits(value);
            let chunks = digits.chunks(most).enumerate();
            return chunks
                .map(|(n, chunk)| (self.graph.join(chunk), most * n))
                .collect();
        }
        let mut parts = Vec::new();
        for (n, half) in self.halves(value).into_iter().enumerate() {
            let (low, high) = self.graph.divide(half, 1 << (4 * most));
            parts.extend([(low, 4 * n), (high, 4 * n + most)]);
        }
        parts
    }

    /// What falls on each half of a product by a constant, carries left in.
    fn product_by_constant(&mut self, words: &[Value], k: u32, count: usize) -> Vec<NodeId> {
        let parts = match k >> 15 {
            0 => {
                let mut parts = Vec::new();
                for (n, word) in words.iter().enumerate() {
                    let [low, high] = self.halves(*word);
                    parts.extend([(low, 8 * n), (high, 8 * n + 4)]);
                }
                parts
            }
            _ => self.all_parts(words),
        };
        let group = |lower: &mut Self, n: usize| {
            let mut terms = Vec::new();
            for (part, place) in &parts {
                let shifted = u128::from(k) << (4 * (place % 4));
                if let Some(up) = n.checked_sub(place / 4).filter(|up| *up < 4) {
                    let factor = (shifted >> (16 * up)) as i64 & (HALF - 1);
                    terms.push((lower.graph.times(*part, factor), true));
                }
            }
            lower.graph.sum(&terms, 0)
        };
        (0..count).map(|n| group(self, n)).collect()
    }

    /// Quotient and rest of two words.
    pub(super) fn division(&mut self, a: Value, b: Value) -> Division {
        if let Some(known) = self.divisions.get(&(a, b)) {
            return known.clone();
        }
        let division = match self.constant(b) {
            Some(k) if k > 1 && k >> NARROW == 0 => self.divide_by_constant(a, i64::from(k)),
            _ => self.divide_by_word(a, b),
        };
        self.divisions.insert((a, b), division.clone());
        division
    }

    fn divide_by_constant(&mut self, a: Value, k: i64) -> Division {
        let (rest, quotient) = if self.bits[a.index()] <= 31 {
            let one = self.one(a);
            self.graph.divide(one, k)
        } else {
            // The first part takes all but four, or all but sixteen bits.
            let (high, low, unit) = if self.kinds.is_number(a) && k < HALF / 2 {
                let [low, high] = self.halves(a);
                (high, low, HALF)
            } else {
                let digits = self.word(a);
                (self.graph.join(&digits[1..]), digits[0], 16)
            };
            let (rest, upper) = self.graph.divide(high, k);
            let rest = self.graph.times(rest, unit);
            let rest = self.graph.sum(&[(rest, true), (low, true)], 0);
            let (rest, lower) = self.graph.divide(rest, k);
            let upper = self.graph.times(upper, unit);
            let quotient = self.graph.sum(&[(upper, true), (lower, true)], 0);
            (rest, quotient)
        };
        Division {
            quotient: Quotient::Number(quotient),
            rest: vec![rest],
        }
    }

    fn divide_by_word(&mut self, a: Value, b: Value) -> Division {
        let zero = self.condition(b);
        let zero = self.graph.is_zero(zero);
        let dividend = self.used_digits(a);
        let (mut digits, mut rest) = if self.bits[b.index()] <= NARROW {
            let by = self.one(b);
            let by = self.graph.sum(&[(by, true), (zero, true)], 0);
            let (digits, rest) = self.graph.long_division(&dividend, by, false);
            (digits, vec![rest])
        } else {
            self.divide_by_wide(&dividend, b, zero)
        };
        // By zero, the quotient is all ones and the rest the dividend.
        if !self.facts.is_nonzero(b) && self.graph.as_const(zero) != Some(0) {
            let (ones, nothing) = (self.graph.constant(15), self.graph.constant(0));
            digits.resize(8, nothing);
            for digit in &mut digits {
                *digit = self.graph.select(zero, ones, *digit);
            }
            let all = match self.bits[a.index()] <= 31 && rest.len() == 1 {
                true => vec![self.one(a)],
                false => self.halves(a).to_vec(),
            };
            if rest.len() < all.len() {
                let (low, high) = self.graph.divide(rest[0], HALF);
                rest = vec![low, high];
            }
            rest = self.graph.choose(zero, &all, &rest);
        }
        digits.resize(8, self.graph.constant(0));
        Division {
            quotient: Quotient::Digits(std::array::from_fn(|n| digits[n])),
            rest,
        }
    }

    /// By a word that may be as large as the dividend: all digits but the last as numbers of 28
    /// bits, against which a larger divisor counts as `2^28`; then the last.
    fn divide_by_wide(
        &mut self,
        dividend: &[NodeId],
        b: Value,
        zero: NodeId,
    ) -> (Vec<NodeId>, Vec<NodeId>) {
        let mut by = self.word(b);
        by[7] = self.graph.at_most(by[7], 1);
        let capped = self.graph.join(&by);
        let capped = self.graph.at_most(capped, 1 << 28);
        let capped = self.graph.sum(&[(capped, true), (zero, true)], 0);
        let (last, upper) = match dividend {
            [last, upper @ ..] if upper.len() == 7 => (*last, upper),
            _ => {
                let (digits, rest) = self.graph.long_division(dividend, capped, true);
                return (digits, vec![rest]);
            }
        };
        let (mut digits, rest) = self.graph.long_division(upper, capped, true);
        let by = self.word(b);
        let multiples = self.multiples_in_two(by[0], &by[1..]);
        let (digit, rest, low) = self.last_digit(rest, last, &multiples);
        digits.insert(0, digit);
        let (rest, high) = self.graph.divide(rest, 1 << 12);
        let low = self.graph.join(&[low, rest]);
        (digits, vec![low, high])
    }

    /// A word times 1, 2, 4 and 8, each as its upper 28 bits (as far as they matter) and its
    /// lowest digit.
    fn multiples_in_two(&mut self, low: NodeId, upper: &[NodeId]) -> Vec<(NodeId, NodeId)> {
        let (mut high, mut low) = (self.graph.join(upper), low);
        let mut multiples = vec![(high, low)];
        for _ in 0..3 {
            let twice = self.graph.times(low, 2);
            let (rest, carry) = self.graph.divide(twice, 16);
            let twice = self.graph.times(high, 2);
            low = rest;
            high = self.graph.sum(&[(twice, true), (carry, true)], 0);
            multiples.push((self.graph.at_most(high, MANY), low));
        }
        multiples
    }

    /// The last digit of a quotient, and the rest as its upper bits and its lowest digit.
    fn last_digit(
        &mut self,
        rest: NodeId,
        last: NodeId,
        multiples: &[(NodeId, NodeId)],
    ) -> (NodeId, NodeId, NodeId) {
        let (mut rest, mut last) = (rest, last);
        let below = self.graph.constant(-1);
        let mut digit = Vec::new();
        for (n, (high, low)) in multiples.iter().enumerate().rev() {
            let borrow = self.graph.less(last, *low);
            let less = [(rest, true), (*high, false), (borrow, false)];
            let less = self.graph.sum(&less, 0);
            let taken = self.graph.less(below, less);
            let sixteen = self.graph.times(borrow, 16);
            let lower = [(last, true), (*low, false), (sixteen, true)];
            let lower = self.graph.sum(&lower, 0);
            let most = self.graph.range(rest).high;
            let chosen = self.graph.choose(taken, &[less, lower], &[rest, last]);
            (rest, last) = (chosen[0], chosen[1]);
            self.graph.within(rest, 0, most);
            self.graph.within(last, 0, 15);
            digit.push((self.graph.times(taken, 1 << n), true));
        }
        (self.graph.sum(&digit, 0), rest, last)
    }
}
