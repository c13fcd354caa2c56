//! Compression functions in Script, against their crates' results.

#![allow(clippy::unwrap_used)]

mod support;

use gavel_compiler::script::vm::Why;
use gavel_compiler::segment::{Budget, costs, plan};
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
    let mut inputs: Vec<u32> = (0..24u32)
        .map(|n| n.wrapping_mul(0x9e37_79b9) ^ 0x5a5a)
        .collect();
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
    let leaves = [leaf(&plan, 0, 0, 2), leaf(&plan, 0, 1, 2)];
    let (frames, end) = messages(&plan, &inputs);
    assert_eq!(end, End::Outcome(1));
    assert_eq!(spend(&leaves[0], &frames).verdict, Ok(()));
    assert_eq!(
        spend(&leaves[1], &frames).verdict.unwrap_err().why,
        Why::False
    );
    for bit in [0, 77, 255] {
        let mut wrong = inputs.clone();
        wrong[24 + bit / 32] ^= 1 << (bit % 32);
        let (frames, end) = messages(&plan, &wrong);
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
