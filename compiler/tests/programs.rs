//! Random programs: interpreter against Script, for every leaf of every plan.
#![allow(clippy::unwrap_used)]

mod support;

use gavel_compiler::segment::{Budget, plan};
use gavel_compiler::units::Weight;
use gavel_compiler::word::legalise::legalise;
use gavel_compiler::word::{
    Author, Builder, InputElement, Op, Program, Span, Value, run as interpret,
};
use proptest::prelude::*;
use support::stretch::check_stretch;
use support::*;

/// An operation by number and its operands by position from the end.
type Choice = (u8, u16, u16, u16, u8);

/// Aborts, and what relies on their conditions.
fn checked(builder: &mut Builder, code: u16, (a, b): (Value, Value), by: u8) -> Vec<Value> {
    let zero = builder.constant(0);
    let low = builder.constant((1 << by) - 1);
    let (condition, then) = match by % 4 {
        // Rarely true for random words.
        0 => {
            let low = builder.constant(u32::from(by));
            (Op::Eq(a, low), vec![])
        }
        1 => (Op::Lt(a, b), vec![Op::Sub(a, b)]),
        2 => (Op::Lt(low, a), vec![Op::And(a, low)]),
        _ => (Op::Eq(b, zero), vec![Op::Div(a, b), Op::Rem(a, b)]),
    };
    let condition = builder.push(condition);
    builder.abort_if(condition, code);
    then.into_iter().map(|op| builder.push(op)).collect()
}

/// Builds a program from choices; well-typed whatever they are.
fn build(widths: &[u8], choices: &[Choice]) -> Program {
    let mut builder = Builder::new();
    let mut values: Vec<Value> = Vec::new();
    for (n, words) in widths.chunks(3).enumerate() {
        values.extend(builder.input(InputElement {
            name: format!("input {n}"),
            words: words.to_vec(),
            author: Author::Anyone,
            optional: false,
        }));
    }
    let code = builder.abort_code("Bad", Span::default());
    for (n, (kind, a, b, c, by)) in choices.iter().enumerate() {
        builder.at(Span {
            start: n as u32,
            end: n as u32 + 1,
        });
        let pick = |n: &u16| values[values.len() - 1 - usize::from(*n) % values.len().min(20)];
        let (a, b, c, by) = (pick(a), pick(b), pick(c), by % 32);
        let op = match kind % 26 {
            24 => {
                values.extend(builder.wide(Op::MulWide(vec![a, b], vec![c])));
                continue;
            }
            25 => {
                values.extend(builder.wide(Op::DivWide(vec![a, b], vec![c, a])));
                continue;
            }
            0 => Op::Const(u32::from(*kind) * 0x0101 + u32::from(by)),
            1 => Op::Const([0, 1, 15, 16, 0xff, 0xffff_ffff, 0x8000_0000, 7][usize::from(by % 8)]),
            2 | 3 => Op::Add(a, b),
            4 | 5 => Op::Sub(a, b),
            6 => Op::MulLo(a, b),
            7 => Op::MulHi(a, b),
            8 => Op::Div(a, b),
            9 => Op::Rem(a, b),
            10 => Op::And(a, b),
            11 => Op::Or(a, b),
            12 => Op::Xor(a, b),
            13 => Op::Not(a),
            14 => Op::Shl(a, by),
            15 => Op::Shr(a, by),
            16 => Op::Rotr(a, by),
            17 => Op::Bswap(a),
            18 | 19 => Op::Eq(a, b),
            20 => Op::Lt(a, b),
            21 | 22 => Op::Select(a, b, c),
            _ => {
                values.extend(checked(&mut builder, code, (a, b), by));
                continue;
            }
        };
        values.push(builder.push(op));
    }
    let last = values.iter().rev().take(4).copied().collect::<Vec<_>>();
    let mixed = last
        .iter()
        .skip(1)
        .fold(last[0], |a, b| builder.push(Op::Xor(a, *b)));
    let one = builder.constant(1);
    let outcome = builder.push(Op::And(mixed, one));
    builder.finish(outcome, vec!["even".into(), "odd".into()])
}

fn words(widths: &[u8], seeds: &[u32]) -> Vec<u32> {
    let full = widths.iter().zip(seeds.iter().cycle());
    full.map(|(digits, seed)| seed & (u32::MAX >> (32 - 4 * u32::from(*digits))))
        .collect()
}

/// Any stretch of a program, any of its values written: a body accuses whoever wrote a digit
/// wrong, and nobody else.
fn check_body(program: &Program, inputs: &[u32], from: u16, to: u16, picks: &[u16]) {
    let program = legalise(program);
    let place = |n: u16| usize::from(n) % (program.insts.len() + 1);
    let insts = place(from).min(place(to))..place(from).max(place(to));
    let within: Vec<Value> = program.insts[insts.clone()]
        .iter()
        .filter(|inst| !matches!(inst.op, Op::Input(_) | Op::Const(_)))
        .flat_map(|inst| (0..inst.op.results()).map(|n| Value(inst.first.0 + n)))
        .collect();
    if within.is_empty() {
        return;
    }
    let writes: Vec<Value> = picks
        .iter()
        .map(|n| within[usize::from(*n) % within.len()])
        .collect();
    check_stretch(&program, insts, &writes, &[inputs.to_vec()]);
}

fn tiny() -> Budget {
    Budget {
        max_leaf_weight: Weight(24_000),
        ..Budget::default()
    }
}

fn programs() -> impl Strategy<Value = (Vec<u8>, Vec<Choice>, Vec<u32>)> {
    let width = prop_oneof![Just(1u8), Just(8), 1..=8u8];
    let seed = prop_oneof![any::<u32>(), Just(0), Just(u32::MAX), 0..40u32];
    (
        proptest::collection::vec(width, 1..7),
        proptest::collection::vec(any::<Choice>(), 1..40),
        proptest::collection::vec(seed, 7),
    )
}

/// The same with little but arithmetic.
fn arithmetic() -> impl Strategy<Value = (Vec<u8>, Vec<Choice>, Vec<u32>)> {
    const KINDS: [u8; 18] = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 18, 19, 20, 21, 22, 23, 23,
    ];
    programs().prop_map(|(widths, mut choices, seeds)| {
        for choice in &mut choices {
            choice.0 = KINDS[usize::from(choice.0) % KINDS.len()];
        }
        (widths, choices, seeds)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn script_agrees_with_the_interpreter((widths, choices, seeds) in programs()) {
        let program = build(&widths, &choices);
        check_leaves(&program, &words(&widths, &seeds), &Budget::default());
    }

    #[test]
    fn many_small_segments_agree_too((widths, choices, seeds) in programs()) {
        let program = build(&widths, &choices);
        // Where one operation is too large for the tiny budget, take a larger one.
        let budget = match plan(&program, &tiny()) {
            Ok(_) => tiny(),
            Err(_) => Budget { max_leaf_weight: Weight(60_000), ..tiny() },
        };
        if plan(&program, &budget).is_ok() {
            check_leaves(&program, &words(&widths, &seeds), &budget);
        }
    }

    #[test]
    fn arithmetic_accuses_only_liars(
        (widths, choices, seeds) in arithmetic(),
        (from, to) in any::<(u16, u16)>(),
        picks in proptest::collection::vec(any::<u16>(), 1..6),
    ) {
        let program = build(&widths, &choices);
        check_body(&program, &words(&widths, &seeds), from, to, &picks);
        check_body(&program, &words(&widths, &seeds), 0, program.insts.len() as u16, &picks);
    }

    #[test]
    fn any_stretch_accuses_only_liars(
        (widths, choices, seeds) in programs(),
        (from, to) in any::<(u16, u16)>(),
        picks in proptest::collection::vec(any::<u16>(), 1..6),
    ) {
        let program = build(&widths, &choices);
        check_body(&program, &words(&widths, &seeds), from, to, &picks);
    }
}

/// A written word two of whose digits are one and the same computation, which nothing else
/// asks for. The second comparison once took that digit for the verdict, so that an honest
/// claimer could be accused.
#[test]
fn equal_digits_of_a_written_word_are_compared_one_by_one() {
    let mut builder = Builder::new();
    let words = builder.input(InputElement {
        name: "words".into(),
        words: vec![1, 1],
        author: Author::Anyone,
        optional: false,
    });
    let twice = |builder: &mut Builder, word: Value, mask: u32| {
        let shifted = builder.push(Op::Shl(word, 4));
        let both = builder.push(Op::Or(word, shifted));
        let mask = builder.constant(mask);
        builder.push(Op::And(both, mask))
    };
    let low = twice(&mut builder, words[0], 0x33);
    let high = twice(&mut builder, words[1], 0xcc);
    let twice = builder.push(Op::Or(low, high));
    let program = builder.finish(twice, vec!["any".into()]);
    let last = program.insts.len() as u16;
    // The first operation and the last are written: something is compared before the word.
    let operations = 7;
    check_body(&program, &[3, 1], 0, last, &[0, operations - 1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn legalising_keeps_the_meaning((widths, choices, seeds) in programs()) {
        let program = build(&widths, &choices);
        let inputs = words(&widths, &seeds);
        prop_assert_eq!(
            interpret(&program, &inputs).end,
            interpret(&legalise(&program), &inputs).end
        );
    }
}
