//! Bodies of segments, run alone on digits as commitments leave them.
#![allow(dead_code, clippy::unwrap_used)]

use gavel_compiler::script::body::{Job, definitions, generate, needs};
use gavel_compiler::script::code::{number, push_bytes};
use gavel_compiler::script::vm::{Rules, Why, run as run_script};
use gavel_compiler::segment::CommittedWord;
use gavel_compiler::word::{Op, Program, Value, run as interpret};
use std::ops::Range;

/// Runs the body of some instructions alone on digits as a commitment leaves them; whether it
/// finds a lie.
fn accuses(body: &[u8], reads: &[u8], claimed: &[u8]) -> bool {
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

/// A stretch of a program, some of its values written: for each row of inputs the body accuses
/// whoever wrote a digit wrong, and nobody else. Gives the bytes of the body.
pub fn check_stretch(
    program: &Program,
    insts: Range<usize>,
    writes: &[Value],
    rows: &[Vec<u32>],
) -> usize {
    let bits = program.bits();
    let defs = definitions(program);
    let word = |value: &Value| CommittedWord {
        value: *value,
        digits: bits[value.index()].div_ceil(4).max(1),
    };
    let reads = needs(program, &bits, &defs, &insts, writes, false);
    let reads: Vec<CommittedWord> = reads.iter().map(word).collect();
    let writes: Vec<CommittedWord> = writes.iter().map(word).collect();
    let job = Job {
        program,
        bits: &bits,
        insts: insts.clone(),
        reads: &reads,
        writes: &writes,
        claimed: None,
    };
    let (body, _) = generate(&job).unwrap();
    for inputs in rows {
        let execution = interpret(program, inputs);
        let digits = |words: &[CommittedWord]| -> Vec<u8> {
            let digits = words.iter().flat_map(|word| {
                let honest = execution.values[word.value.index()];
                (0..word.digits).map(move |n| (honest >> (4 * n)) as u8 & 15)
            });
            digits.collect()
        };
        let aborts = program.insts[insts.clone()]
            .iter()
            .any(|inst| match inst.op {
                Op::AbortIf(condition, _) => execution.values[condition.index()] != 0,
                _ => false,
            });
        let (read, honest) = (digits(&reads), digits(&writes));
        assert_eq!(accuses(&body, &read, &honest), aborts, "{inputs:x?}");
        for n in 0..honest.len() {
            let mut wrong = honest.clone();
            wrong[n] = (wrong[n] + 1 + (n as u8 % 15)) % 16;
            assert!(accuses(&body, &read, &wrong), "{inputs:x?}: digit {n}");
        }
    }
    body.len()
}
