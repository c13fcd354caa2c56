//! Against adding up bit by bit, for points that meet in all ways.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Term, sum};
use crate::signatures::GENERATOR;
use crate::signatures::field::Fe;
use crate::signatures::point::{Jacobian, Point};
use crate::signatures::scalar::Scalar;
use proptest::prelude::*;

fn generator() -> Point {
    let [point] = Point::lift([Fe::from_bytes(&GENERATOR).unwrap()]);
    point.unwrap()
}

/// Some points, among them the same one several times, negated ones and nothing.
fn points() -> Vec<Point> {
    let small = (1..40_u64).filter_map(|x| {
        let [point] = Point::lift([Fe::from_bytes(&number(x, 0)).unwrap()]);
        point
    });
    let mut points: Vec<Point> = small.take(4).collect();
    points.push(generator());
    let negated: Vec<Point> = points.iter().map(Point::negate).collect();
    points.extend(negated);
    points.push(Point::NOTHING);
    points
}

fn number(low: u64, high: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&low.to_be_bytes());
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes
}

fn short_number(n: u128) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[16..].copy_from_slice(&n.to_be_bytes());
    bytes
}

fn slowly(terms: &[Term]) -> Jacobian {
    let mut all = Jacobian::NOTHING;
    for term in terms {
        let mut own = Jacobian::NOTHING;
        for bit in (0..256).rev() {
            own = own.double();
            if term.times.words()[bit / 64] >> (bit % 64) & 1 == 1 {
                own = own.add_point(&term.point);
            }
        }
        all = all.add(&own);
    }
    all
}

fn check(short: &[Term], long: &[Term]) {
    let both: Vec<Term> = short.iter().chain(long).copied().collect();
    let should = slowly(&both);
    let is = sum(short, long);
    assert_eq!(is.is_nothing(), should.is_nothing());
    // They are the same if taking one from the other leaves nothing.
    let less = Scalar::ONE.negate();
    let mut negated = Jacobian::NOTHING;
    for bit in (0..256).rev() {
        negated = negated.double();
        if less.words()[bit / 64] >> (bit % 64) & 1 == 1 {
            negated = negated.add(&should);
        }
    }
    assert!(is.add(&negated).is_nothing());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn as_bit_by_bit(
        short in prop::collection::vec((0..10_usize, prop_oneof![any::<u128>(), 0..4_u128]), 0..80),
        long in prop::collection::vec((0..10_usize, any::<u64>(), prop_oneof![any::<u64>(), Just(u64::MAX)]), 0..40),
    ) {
        let points = points();
        let short: Vec<Term> = short.iter().map(|(at, times)| Term {
            point: points[at % points.len()],
            times: Scalar::reduced(&short_number(*times)),
        }).collect();
        let long: Vec<Term> = long.iter().map(|(at, low, high)| Term {
            point: points[at % points.len()],
            times: Scalar::reduced(&number(*low, *high)),
        }).collect();
        check(&short, &long);
    }
}

#[test]
fn many_of_one_point() {
    for count in [0, 1, 2, 3, 7, 64, 300] {
        let term = |times: [u8; 32]| Term {
            point: generator(),
            times: Scalar::reduced(&times),
        };
        let short = vec![term(number(u64::MAX, 0)); count];
        let long = vec![term([0xff; 32]); count];
        check(&short, &long);
    }
}

/// Numbers of all ones need the most digits; how many terms there are decides how long digits are.
#[test]
fn the_largest_numbers_with_digits_of_any_length() {
    let ones = |bytes: usize| {
        let mut number = [0; 32];
        number[32 - bytes..].fill(0xff);
        let times = Scalar::reduced(&number);
        let point = generator();
        Term { point, times }
    };
    for count in [20, 40, 70, 130, 260, 520] {
        check(&vec![ones(16); count], &[]);
        check(&vec![ones(16); count], &vec![ones(31); 3]);
    }
}

#[test]
fn n_times_a_point_is_nothing() {
    let point = generator();
    let long = [Scalar::ONE.negate(), Scalar::ONE].map(|times| Term { point, times });
    assert!(sum(&[], &long).is_nothing());
    assert!(!sum(&[], &long[..1]).is_nothing());
    assert!(sum(&[], &[]).is_nothing());
}
