//! Bodies of leaves, run alone on digits as checked commitments leave them.
#![allow(dead_code, clippy::unwrap_used)]

use gavel_compiler::script::body::{Job, generate, words_of};
use gavel_compiler::script::code::{number, push_bytes};
use gavel_compiler::script::vm::{Rules, Why, run};
use gavel_compiler::segment::{Body, Plan};
use gavel_compiler::units::StackDepth;

/// A body with its proven peak.
#[derive(Clone)]
pub struct Alone {
    script: Vec<u8>,
    /// As proven, from when the digits lie on the altstack.
    pub proven: StackDepth,
    /// The highest that a run was seen to reach.
    pub seen: StackDepth,
}

impl Alone {
    /// The body of some job.
    pub fn of_job(job: &Job<'_>) -> Self {
        let (script, proven) = generate(job).unwrap();
        Self {
            script,
            proven,
            seen: StackDepth(0),
        }
    }

    /// The body of a segment.
    pub fn of_segment(plan: &Plan, bits: &[u8], segment: usize, claimed: Option<u8>) -> Self {
        let (reads, writes) = words_of(plan, segment).unwrap();
        Self::of_job(&Job {
            program: &plan.program,
            bits,
            insts: plan.segments[segment].insts.clone(),
            reads: &reads,
            writes: &writes,
            claimed,
        })
    }

    /// A body that was made before; its peak counts what comes before it too.
    pub fn of_body(body: &Body) -> Self {
        Self {
            script: body.script.clone(),
            proven: body.peak,
            seen: StackDepth(0),
        }
    }

    /// Its script.
    pub fn script(&self) -> &[u8] {
        &self.script
    }

    /// Whether it finds a lie; `read` is what it reads and `written` what it is to check.
    pub fn accuses(&mut self, read: &[u8], written: &[u8]) -> bool {
        let mut script = Vec::with_capacity(self.script.len() + 2 * (read.len() + written.len()));
        for digit in written.iter().rev().chain(read.iter().rev()) {
            push_bytes(&number(i64::from(*digit)), &mut script);
            script.push(0x6b);
        }
        script.extend(&self.script);
        let outcome = run(&script, &[], &Rules::default());
        assert!(outcome.peak <= self.proven, "{:?}", outcome.peak);
        self.seen = self.seen.max(outcome.peak);
        match outcome.verdict {
            Ok(()) => true,
            Err(refusal) => {
                assert_eq!(refusal.why, Why::False, "{refusal}");
                false
            }
        }
    }
}
