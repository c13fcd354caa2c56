//! Computations on numbers of up to 31 bits, as nodes of the [`Graph`]: what leaves several
//! numbers is one node, and its parts follow it.

use super::graph::{Graph, Node, NodeId, Range};

/// A computation on plain numbers that leaves several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arith {
    /// Of a number that is not negative: the rest and the quotient by a constant.
    Divide(i64),
    /// Of a number in `-unit..unit`: the rest, and whether the number was negative.
    Borrow(i64),
    /// Parts of a number, which start at the places whose bits are set, and the digits of
    /// another: the product, for each `span` places what falls there.
    Product {
        /// Where the parts start.
        starts: u32,
        /// Places of each number of the product.
        span: u8,
    },
    /// A positive divisor and the digits of a dividend, the least first: the digits of the
    /// quotient and the rest.
    Long {
        /// Whether eight times the divisor may exceed what a script computes with; the
        /// dividend doesn't then.
        saturate: bool,
    },
    /// The same with a divisor of so many numbers of [`LIMB`], its two-, four- and eightfold
    /// after it, then the digits: the digits of the quotient and the numbers of the rest.
    LongWide {
        /// Numbers of the divisor.
        limbs: u8,
    },
    /// A condition, numbers and as many others: the first ones if it is 1, the others if it
    /// is 0.
    Choose,
}

/// One more than what a script can compute with.
pub const LIMIT: i64 = 1 << 31;
/// One more than what one number of a wide divisor holds: six digits.
pub const LIMB: i64 = 1 << 24;
/// One more than what half a word holds.
pub const HALF: i64 = 1 << 16;

impl Graph {
    /// The parts of a computation.
    fn parts(&mut self, arith: Arith, operands: Vec<NodeId>, ranges: &[Range]) -> Vec<NodeId> {
        let before = self.len();
        let whole = self.add(Node::Multi(arith, operands), Range::new(0, 0));
        if whole.index() == before {
            for (n, range) in ranges.iter().enumerate() {
                self.add(Node::Part(whole, n as u8), *range);
            }
        }
        (1..=ranges.len() as u32)
            .map(|n| NodeId(whole.0 + n))
            .collect()
    }

    /// Digits as one number, the least first; they must fit [`LIMIT`] together.
    pub fn join(&mut self, digits: &[NodeId]) -> NodeId {
        let mut digits = digits.to_vec();
        while digits.len() > 1 && digits.last().and_then(|d| self.as_const(*d)) == Some(0) {
            digits.pop();
        }
        if let [digit] = digits[..] {
            return digit;
        }
        let (mut low, mut high) = (0, 0);
        for digit in digits.iter().rev() {
            let range = self.range(*digit);
            (low, high) = (16 * low + range.low, 16 * high + range.high);
        }
        if low == high {
            return self.constant(low);
        }
        self.add(Node::Join(digits), Range::new(low, high))
    }

    /// A number that is not negative times a constant that isn't either.
    pub fn times(&mut self, number: NodeId, k: i64) -> NodeId {
        let range = self.range(number);
        match (self.as_const(number), k) {
            (Some(n), _) => self.constant(n * k),
            (None, 0) => self.constant(0),
            (None, 1) => number,
            _ => {
                let range = Range::new(range.low * k, range.high * k);
                self.add(Node::Times(number, k), range)
            }
        }
    }

    /// A number, but at most a constant.
    pub fn at_most(&mut self, number: NodeId, most: i64) -> NodeId {
        let range = self.range(number);
        match self.as_const(number) {
            Some(n) => self.constant(n.min(most)),
            None if range.high <= most => number,
            None => self.add(
                Node::Min(number, most),
                Range::new(range.low.min(most), most),
            ),
        }
    }

    /// A number, but at least 0.
    pub fn at_least_zero(&mut self, number: NodeId) -> NodeId {
        let range = self.range(number);
        match self.as_const(number) {
            Some(n) => self.constant(n.max(0)),
            None if range.low >= 0 => number,
            None => self.add(Node::NotBelow0(number), Range::new(0, range.high.max(0))),
        }
    }

    /// The product of a number, in parts, and of digits. Part `(x, n)` stands for `x * 16^n`.
    /// Gives, for each `span` places of the product, what falls there, carries left in.
    pub fn product(
        &mut self,
        parts: &[(NodeId, usize)],
        digits: &[NodeId],
        span: usize,
    ) -> Vec<NodeId> {
        let places = parts.iter().map(|(_, at)| at).max().unwrap_or(&0) + digits.len();
        let mut most = vec![0; places.div_ceil(span)];
        let mut starts = 0;
        for (part, at) in parts {
            starts |= 1 << at;
            for (n, digit) in digits.iter().enumerate() {
                let place = at + n;
                let high = self.range(*part).high * self.range(*digit).high;
                most[place / span] += high << (4 * (place % span));
            }
        }
        if most.iter().all(|most| *most == 0) {
            return most.into_iter().map(|_| self.constant(0)).collect();
        }
        let mut operands: Vec<NodeId> = parts.iter().map(|(part, _)| *part).collect();
        operands.extend(digits);
        let ranges: Vec<Range> = most.into_iter().map(|most| Range::new(0, most)).collect();
        let span = span as u8;
        let mut groups = self.parts(Arith::Product { starts, span }, operands, &ranges);
        for (group, range) in groups.iter_mut().zip(ranges) {
            if range.high == 0 {
                *group = self.constant(0);
            }
        }
        groups
    }

    /// Long division of digits, the least first, by a positive number below `2^27`: the digits
    /// of the quotient and the rest.
    pub fn long_division(
        &mut self,
        digits: &[NodeId],
        by: NodeId,
        saturate: bool,
    ) -> (Vec<NodeId>, NodeId) {
        let mut operands = vec![by];
        operands.extend(digits);
        let mut ranges = vec![Range::new(0, 15); digits.len()];
        let most = (1i64 << (4 * digits.len().min(8))) - 1;
        ranges.push(Range::new(0, (self.range(by).high - 1).min(most)));
        let mut quotient = self.parts(Arith::Long { saturate }, operands, &ranges);
        let rest = quotient.pop().unwrap_or(by);
        (quotient, rest)
    }

    /// The rest and the quotient of a number that is not negative.
    pub fn divide(&mut self, number: NodeId, unit: i64) -> (NodeId, NodeId) {
        let range = self.range(number);
        if range.high < unit {
            return (number, self.constant(0));
        }
        if let Some(n) = self.as_const(number) {
            return (self.constant(n % unit), self.constant(n / unit));
        }
        let (low, high) = (range.low / unit, range.high / unit);
        if low == high {
            return (self.sum(&[(number, true)], -low * unit), self.constant(low));
        }
        let ranges = [Range::new(0, unit - 1), Range::new(low, high)];
        let parts = self.parts(Arith::Divide(unit), vec![number], &ranges);
        (parts[0], parts[1])
    }

    /// Long division of digits, the least first, by a positive number of several limbs that has
    /// four bits to spare: the digits of the quotient and the limbs of the rest.
    pub fn wide_division(
        &mut self,
        digits: &[NodeId],
        by: &[NodeId],
    ) -> (Vec<NodeId>, Vec<NodeId>) {
        let mut operands = by.to_vec();
        let mut multiple = by.to_vec();
        for _ in 0..3 {
            let mut carry = self.constant(0);
            for (n, limb) in multiple.iter_mut().enumerate() {
                let twice = self.times(*limb, 2);
                let sum = self.sum(&[(twice, true), (carry, true)], 0);
                (*limb, carry) = match n + 1 == by.len() {
                    true => (sum, carry),
                    false => self.divide(sum, LIMB),
                };
            }
            operands.extend(&multiple);
        }
        operands.extend(digits);
        let mut ranges = vec![Range::new(0, 15); digits.len()];
        ranges.extend(by.iter().map(|_| Range::new(0, LIMB - 1)));
        let limbs = by.len() as u8;
        let mut quotient = self.parts(Arith::LongWide { limbs }, operands, &ranges);
        let rest = quotient.split_off(digits.len());
        (quotient, rest)
    }

    /// Any number as a rest and a quotient: `(rest, quotient, k)` where `quotient + k`, or `k -
    /// quotient` if the sign is `false`, is the quotient rounded down.
    pub fn reduce(&mut self, number: &[(NodeId, bool)], constant: i64, unit: i64) -> Reduced {
        let sum = self.sum(number, constant);
        let range = self.range(sum);
        if range.low >= 0 {
            let (rest, quotient) = self.divide(sum, unit);
            return Reduced {
                rest,
                quotient,
                plus: true,
                offset: 0,
            };
        }
        if range.low >= -unit && range.high < unit && self.as_const(sum).is_none() {
            let ranges = [Range::new(0, unit - 1), Range::new(0, 1)];
            let parts = self.parts(Arith::Borrow(unit), vec![sum], &ranges);
            return Reduced {
                rest: parts[0],
                quotient: parts[1],
                plus: false,
                offset: 0,
            };
        }
        let units = (unit - 1 - range.low) / unit;
        let sum = self.sum(number, constant + units * unit);
        let (rest, quotient) = self.divide(sum, unit);
        Reduced {
            rest,
            quotient,
            plus: true,
            offset: -units,
        }
    }

    /// Numbers by a condition.
    pub fn choose(&mut self, condition: NodeId, t: &[NodeId], f: &[NodeId]) -> Vec<NodeId> {
        let open: Vec<usize> = (0..t.len())
            .filter(|n| {
                t[*n] != f[*n] && (self.as_const(t[*n]).is_none() || self.as_const(f[*n]).is_none())
            })
            .collect();
        if open.len() != 2 || self.as_const(condition).is_some() {
            let pairs = t.iter().zip(f);
            return pairs.map(|(t, f)| self.select(condition, *t, *f)).collect();
        }
        let mut operands = vec![condition];
        operands.extend(open.iter().map(|n| t[*n]));
        operands.extend(open.iter().map(|n| f[*n]));
        let ranges: Vec<Range> = open
            .iter()
            .map(|n| {
                let (t, f) = (self.range(t[*n]), self.range(f[*n]));
                Range::new(t.low.min(f.low), t.high.max(f.high))
            })
            .collect();
        let mut parts = self.parts(Arith::Choose, operands, &ranges).into_iter();
        (0..t.len())
            .map(|n| match open.contains(&n) {
                true => parts.next().unwrap_or(t[n]),
                false => self.select(condition, t[n], f[n]),
            })
            .collect()
    }
}

/// A number as `rest + unit * (offset ± quotient)`.
#[derive(Clone, Copy, Debug)]
pub struct Reduced {
    /// In `0..unit`.
    pub rest: NodeId,
    /// Not negative.
    pub quotient: NodeId,
    /// Whether the quotient counts as it is, not its negative.
    pub plus: bool,
    /// What is added to it.
    pub offset: i64,
}
