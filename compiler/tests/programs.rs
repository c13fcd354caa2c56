//! Random programs: interpreter against Script, for every leaf of every plan.
#![allow(clippy::unwrap_used)]

#[path = "support/marks.rs"]
mod marks;
mod support;

use gavel_compiler::script::body::{Job, definitions, generate, needs};
use gavel_compiler::script::code::{number, push_bytes};
use gavel_compiler::script::vm::{Rules, Why, run as run_script};
use gavel_compiler::segment::{Budget, CommittedWord, plan};
use gavel_compiler::units::Weight;
use gavel_compiler::word::legalise::legalise;
use gavel_compiler::word::{
    Author, Builder, InputElement, Op, Program, Span, Value, run as interpret,
};
use proptest::prelude::*;
use support::*;

/// An operation by number and its operands by position from the end.
type Choice = (u8, u16, u16, u16, u8);

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
        let op = match kind % 24 {
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
                // Rarely true for random words.
                let low = builder.constant(u32::from(by));
                let equal = builder.push(Op::Eq(a, low));
                builder.abort_if(equal, code);
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

/// Runs the body of some instructions alone on digits as a commitment leaves them; whether it
/// finds a lie.
fn accuses(job: &Job<'_>, reads: &[u8], claimed: &[u8]) -> bool {
    let (body, _) = generate(job).unwrap();
    let mut script = Vec::new();
    for digit in claimed.iter().rev().chain(reads.iter().rev()) {
        push_bytes(&number(i64::from(*digit)), &mut script);
        script.push(0x6b);
    }
    script.extend(body);
    match run_script(&script, &[], &Rules::default()).verdict {
        Ok(()) => true,
        Err(refusal) => {
            assert_eq!(refusal.why, Why::False, "{refusal}");
            false
        }
    }
}

/// Any stretch of a program, any of its values written: a body accuses whoever wrote a digit
/// wrong, and nobody else.
fn check_body(program: &Program, inputs: &[u32], from: u16, to: u16, picks: &[u16]) {
    let program = legalise(program);
    let execution = interpret(&program, inputs);
    let bits = program.bits();
    let defs = definitions(&program);
    let place = |n: u16| usize::from(n) % (program.insts.len() + 1);
    let insts = place(from).min(place(to))..place(from).max(place(to));
    let within: Vec<Value> = program.insts[insts.clone()]
        .iter()
        .filter(|inst| inst.op.results() > 0 && !matches!(inst.op, Op::Input(_) | Op::Const(_)))
        .map(|inst| inst.first)
        .collect();
    if within.is_empty() {
        return;
    }
    let word = |value: &Value| CommittedWord {
        value: *value,
        digits: bits[value.index()].div_ceil(4).max(1),
    };
    let writes: Vec<Value> = picks
        .iter()
        .map(|n| within[usize::from(*n) % within.len()])
        .collect();
    let reads = needs(&program, &bits, &defs, &insts, &writes, false);
    let (reads, writes): (Vec<_>, Vec<_>) = (
        reads.iter().map(word).collect(),
        writes.iter().map(word).collect(),
    );
    let digits = |words: &[CommittedWord]| -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| {
                let honest = execution.values[word.value.index()];
                (0..word.digits).map(move |n| (honest >> (4 * n)) as u8 & 15)
            })
            .collect()
    };
    let job = Job {
        program: &program,
        bits: &bits,
        insts: insts.clone(),
        reads: &reads,
        writes: &writes,
        claimed: None,
    };
    let aborts = program.insts[insts].iter().any(|inst| match inst.op {
        Op::AbortIf(condition, _) => execution.values[condition.index()] != 0,
        _ => false,
    });
    let (read, honest) = (digits(&reads), digits(&writes));
    assert_eq!(accuses(&job, &read, &honest), aborts);
    for n in 0..honest.len() {
        let mut wrong = honest.clone();
        wrong[n] = (wrong[n] + 1 + (n as u8 % 15)) % 16;
        assert!(accuses(&job, &read, &wrong), "digit {n}");
    }
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
    fn what_a_body_is_said_to_have_on_top_is_there((widths, choices, seeds) in programs()) {
        let program = build(&widths, &choices);
        if let Ok(plan) = plan(&program, &Budget::default()) {
            marks::check_marks(&plan, &words(&widths, &seeds));
        }
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
