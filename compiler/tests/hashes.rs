//! Compression functions in Script, against their crates' results.

#![allow(clippy::unwrap_used)]

mod support;

use gavel_compiler::script::Disprove;
use gavel_compiler::script::vm::Why;
use gavel_compiler::segment::{Budget, Plan, costs, plan};
use gavel_compiler::word::legalise::{blake3, sha256};
use gavel_compiler::word::{Author, Builder, End, InputElement, Op, Program, Value};
use support::*;

fn element(name: &str, words: usize) -> InputElement {
    InputElement {
        name: name.to_owned(),
        words: vec![8; words],
        author: Author::Anyone,
        optional: false,
    }
}

/// Outcome 1 if the function's result is the input `want`, else 0.
fn program(function: impl Fn([Value; 8], [Value; 16]) -> Op) -> Program {
    let mut builder = Builder::new();
    let state = builder.input(element("state", 8));
    let block = builder.input(element("block", 16));
    let want = builder.input(element("want", 8));
    let state = std::array::from_fn(|n| state[n]);
    let block = std::array::from_fn(|n| block[n]);
    let got = builder.compress(function(state, block));
    let mut same = builder.constant(1);
    for (got, want) in got.into_iter().zip(want) {
        let equal = builder.push(Op::Eq(got, want));
        same = builder.and_bool(same, equal);
    }
    builder.finish(same, vec!["no".into(), "yes".into()])
}

fn check(name: &str, program: &Program) {
    let plan = plan(program, &Budget::default()).unwrap();
    for cost in costs(&plan, &Budget::default()).unwrap() {
        println!("{name}: {cost:?}");
    }
    assert_eq!(plan.segments.len(), 1);
    let leaves = [leaf(&plan, 0, 0, 2), leaf(&plan, 0, 1, 2)];
    for seed in [0x9e37_79b9u32, 0x85eb_ca6b, 0xc2b2_ae35, 0] {
        let words = (1..=24u32).map(|n| n.wrapping_mul(seed).rotate_left(n) ^ seed);
        check_block(program, &plan, &leaves, words.collect());
    }
}

fn check_block(program: &Program, plan: &Plan, leaves: &[Disprove; 2], mut inputs: Vec<u32>) {
    let zeros = [0; 8];
    let start = [inputs.as_slice(), &zeros].concat();
    let execution = gavel_compiler::word::run(program, &start);
    let compression = program
        .insts
        .iter()
        .find(|inst| inst.op.results() == 8)
        .unwrap();
    let first = compression.first.index();
    inputs.extend(&execution.values[first..first + 8]);
    let (frames, end) = messages(plan, &inputs);
    assert_eq!(end, End::Outcome(1));
    assert_eq!(spend(&leaves[0], &frames).verdict, Ok(()));
    assert_eq!(
        spend(&leaves[1], &frames).verdict.unwrap_err().why,
        Why::False
    );
    for bit in [0, 77, 255] {
        let mut wrong = inputs.clone();
        wrong[24 + bit / 32] ^= 1 << (bit % 32);
        let (frames, end) = messages(plan, &wrong);
        assert_eq!(end, End::Outcome(0));
        assert_eq!(spend(&leaves[1], &frames).verdict, Ok(()));
        assert_eq!(
            spend(&leaves[0], &frames).verdict.unwrap_err().why,
            Why::False
        );
    }
}

#[test]
fn sha256_fits_one_leaf() {
    check(
        "SHA-256",
        &program(|state, block| Op::Sha256 { state, block }),
    );
}

#[test]
fn blake3_fits_one_leaf() {
    let blake3 = |cv, block| Op::Blake3 {
        cv,
        block,
        counter: [7, 1],
        block_len: 64,
        flags: 11,
    };
    check("BLAKE3", &program(blake3));
}

#[test]
fn expansions_agree_with_their_operations() {
    let mut builder = Builder::new();
    let words = builder.input(element("all", 24));
    let state = std::array::from_fn(|n| words[n]);
    let block = std::array::from_fn(|n| words[8 + n]);
    let tail = [3, 9, 41, 5];
    let pairs = [
        (
            sha256(&mut builder, state, block),
            builder.compress(Op::Sha256 { state, block }),
        ),
        (
            blake3(&mut builder, state, block, tail),
            builder.compress(Op::Blake3 {
                cv: state,
                block,
                counter: [tail[0], tail[1]],
                block_len: tail[2],
                flags: tail[3],
            }),
        ),
    ];
    let mut same = builder.constant(1);
    for (plain, atomic) in pairs {
        for (a, b) in plain.into_iter().zip(atomic) {
            let equal = builder.push(Op::Eq(a, b));
            same = builder.and_bool(same, equal);
        }
    }
    let program = builder.finish(same, vec!["no".into(), "yes".into()]);
    for seed in 0..200u32 {
        let inputs: Vec<u32> = (0..24)
            .map(|n: u32| (seed + 1).wrapping_mul(0x9e37_79b9).rotate_left(n * 3) ^ n)
            .collect();
        let end = gavel_compiler::word::run(&program, &inputs).end;
        assert_eq!(end, End::Outcome(1));
    }
}
