//! Sums of many multiples of points, by Pippenger's buckets.
//!
//! Numbers are written with digits of c bits, from -2^(c-1) to 2^(c-1) - 1. For each place of the
//! digits, points with the same digit go into one bucket and are added up, and those sums are
//! weighted by their digits. Within buckets, points are added in affine coordinates, many at once,
//! because then one inversion serves all of them (Montgomery's trick): six products for each.

use super::field::Fe;
use super::point::{Jacobian, Point};
use super::scalar::Scalar;

/// A multiple of a point that is to be added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub point: Point,
    pub times: Scalar,
}

/// The bits of numbers below 2^128.
const SHORT: u32 = 128;
/// The bits of other numbers.
const LONG: u32 = 256;

/// The sum of all terms. Numbers of `short` are below 2^128.
pub(super) fn sum(short: &[Term], long: &[Term]) -> Jacobian {
    let bits = digit_bits(short.len() + 2 * long.len());
    let all: Vec<Digits> = (long.iter().map(|term| Digits::new(term, LONG, bits)))
        .chain(short.iter().map(|term| Digits::new(term, SHORT, bits)))
        .collect();
    let (long, _) = all.split_at(long.len());
    let mut place = Place::new(bits);
    let mut sum = Jacobian::NOTHING;
    for at in (0..places(LONG, bits)).rev() {
        for _ in 0..bits {
            sum = sum.double();
        }
        let is_high = at >= places(SHORT, bits);
        sum = sum.add(&place.sum(if is_high { long } else { &all }, at));
    }
    sum
}

/// The digits that are best for so many numbers of 128 bits, as measured.
fn digit_bits(numbers: usize) -> u32 {
    numbers.max(1).ilog2().saturating_sub(3).clamp(2, 12)
}

/// How many digits a number of so many bits has. The largest that `k` of them can write is
/// (2^(c-1) - 1) (2^(ck) - 1) / (2^c - 1), which for c of 2 and more is above 2^(ck-2): so they
/// need two bits more than the number.
fn places(number: u32, bits: u32) -> u32 {
    (number + 2).div_ceil(bits)
}

/// A term whose number has been raised by 2^(c-1) at each place, so that signed digits can be cut
/// out of it one by one.
struct Digits {
    point: Point,
    raised: [u64; 5],
}

impl Digits {
    fn new(term: &Term, number: u32, bits: u32) -> Self {
        let mut raised = [0_u64; 5];
        for place in 0..places(number, bits) {
            let bit = place * bits + bits - 1;
            if let Some(word) = raised.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
        let mut carry = false;
        let number = term.times.words().into_iter().chain([0]);
        for (word, other) in raised.iter_mut().zip(number) {
            let (sum, first) = word.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*word, carry) = (sum, first || second);
        }
        let point = term.point;
        Self { point, raised }
    }

    fn digit(&self, place: u32, bits: u32) -> i32 {
        let at = place * bits;
        let word = |n: u32| u128::from(self.raised.get(n as usize).copied().unwrap_or(0));
        let words = word(at / 64) | word(at / 64 + 1) << 64;
        let raised = (words >> (at % 64)) as u32 & ((1 << bits) - 1);
        raised as i32 - (1 << (bits - 1))
    }
}

/// The buckets of one place of the digits; used for one place after the other.
struct Place {
    bits: u32,
    /// Of n, the points with the digit n + 1, and those with -(n + 1), negated.
    buckets: Vec<Bucket>,
    /// The points of all buckets, one bucket after the other.
    points: Vec<Point>,
    steps: Vec<Step>,
}

/// Where the points of a bucket are.
#[derive(Clone, Copy, Default)]
struct Bucket {
    first: usize,
    count: usize,
}

/// What happens to points of a bucket when its points are halved.
struct Step {
    /// The first of two, or the last, if there's no other.
    from: usize,
    /// Where the sum goes: never after `from`, so steps can be taken in order, in place.
    to: usize,
    is_pair: bool,
    /// What the slope is divided by.
    below: Fe,
    /// The product of `below` of all later pairs.
    later: Fe,
}

impl Place {
    fn new(bits: u32) -> Self {
        Self {
            bits,
            buckets: vec![Bucket::default(); 1 << (bits - 1)],
            points: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// The sum of points times their digit at this place.
    fn sum(&mut self, terms: &[Digits], place: u32) -> Jacobian {
        self.fill(terms, place);
        while self.plan() {
            self.halve();
        }
        // The highest bucket is added as often as its digit says, because it is in all the sums
        // of buckets from some one upwards; and so on.
        let mut upwards = Jacobian::NOTHING;
        let mut all = Jacobian::NOTHING;
        for bucket in self.buckets.iter().rev() {
            let point = self.points.get(bucket.first);
            if let Some(point) = point.filter(|_| bucket.count > 0) {
                upwards = upwards.add_point(point);
            }
            all = all.add(&upwards);
        }
        all
    }

    /// Points into buckets.
    fn fill(&mut self, terms: &[Digits], place: u32) {
        let bits = self.bits;
        let digits = || {
            terms.iter().filter_map(move |term| {
                let digit = term.digit(place, bits);
                let bucket = (digit.unsigned_abs() as usize).checked_sub(1)?;
                Some((bucket, digit < 0, &term.point))
            })
        };
        self.buckets.fill(Bucket::default());
        for (bucket, ..) in digits() {
            if let Some(bucket) = self.buckets.get_mut(bucket) {
                bucket.count += 1;
            }
        }
        let mut next = 0;
        for bucket in &mut self.buckets {
            bucket.first = next;
            next += std::mem::take(&mut bucket.count);
        }
        self.points.resize(next, Point::NOTHING);
        for (bucket, is_negative, point) in digits() {
            let Some(bucket) = self.buckets.get_mut(bucket) else {
                continue;
            };
            if let Some(to) = self.points.get_mut(bucket.first + bucket.count) {
                *to = if is_negative { point.negate() } else { *point };
            }
            bucket.count += 1;
        }
    }

    /// Pairs up the points of each bucket; whether there was any pair.
    fn plan(&mut self) -> bool {
        self.steps.clear();
        for bucket in &mut self.buckets {
            if bucket.count < 2 {
                continue;
            }
            let pairs = bucket.count / 2;
            bucket.count = bucket.count.div_ceil(2);
            self.steps.extend((0..bucket.count).map(|n| Step {
                from: bucket.first + 2 * n,
                to: bucket.first + n,
                is_pair: n < pairs,
                below: Fe::ONE,
                later: Fe::ONE,
            }));
        }
        !self.steps.is_empty()
    }

    /// Adds the pairs, with one inversion for all.
    fn halve(&mut self) {
        let mut later = Fe::ONE;
        for step in self.steps.iter_mut().rev().filter(|step| step.is_pair) {
            if let Some([a, b]) = pair(&self.points, step.from) {
                step.below = below(a, b);
                step.later = later;
                later = later.mul(&step.below);
            }
        }
        // Of the product of `below` of this step and all later ones.
        let mut inverse = later.invert();
        for step in &self.steps {
            let sum = match pair(&self.points, step.from).filter(|_| step.is_pair) {
                Some([a, b]) => {
                    let own = inverse.mul(&step.later);
                    inverse = inverse.mul(&step.below);
                    Some(added(a, b, &own))
                }
                None => self.points.get(step.from).copied(),
            };
            if let (Some(sum), Some(to)) = (sum, self.points.get_mut(step.to)) {
                *to = sum;
            }
        }
    }
}

#[inline(always)]
fn pair(points: &[Point], at: usize) -> Option<&[Point; 2]> {
    points.get(at..)?.first_chunk()
}

/// What the slope of the line through two points is divided by: the difference of x, or 2y of a
/// point that is doubled; 1 where there is no such line.
#[inline(always)]
fn below(a: &Point, b: &Point) -> Fe {
    let run = b.x.sub(&a.x);
    if !run.is_zero() && !a.is_nothing() && !b.is_nothing() {
        return run;
    }
    match is_same(a, b) {
        true => a.y.double(),
        false => Fe::ONE,
    }
}

/// Whether these are the same point. They have the same x, or one of them is nothing.
#[cold]
fn is_same(a: &Point, b: &Point) -> bool {
    !a.is_nothing() && !b.is_nothing() && a.x.sub(&b.x).is_zero() && a.y.sub(&b.y).is_zero()
}

/// The sum of two points, with the inverse of [`below`].
#[inline(always)]
fn added(a: &Point, b: &Point, inverse: &Fe) -> Point {
    if a.is_nothing() {
        return *b;
    }
    if b.is_nothing() {
        return *a;
    }
    let run = b.x.sub(&a.x);
    let rise = if !run.is_zero() {
        b.y.sub(&a.y)
    } else if is_same(a, b) {
        let square = a.x.square();
        square.double().add(&square)
    } else {
        return Point::NOTHING;
    };
    let slope = rise.mul(inverse);
    let x = slope.square().sub(&a.x).sub(&b.x);
    let y = slope.mul(&a.x.sub(&x)).sub(&a.y);
    Point { x, y }
}

#[cfg(test)]
mod tests;
