//! Frames of a run: what a claimer signs and a challenger compares.

use gavel_compiler::segment::{Plan, Trace};
use gavel_compiler::word::{Op, run};

/// Runs a plan's program on its input words (all elements flattened, in order; missing words
/// count as 0).
pub fn trace(plan: &Plan, inputs: &[u32]) -> Trace {
    let execution = run(&plan.program, inputs);
    let value = |index: usize| execution.values.get(index).copied().unwrap_or(0);
    let elements = plan.elements.iter().map(|element| {
        element
            .words
            .iter()
            .map(|word| value(word.value.index()))
            .collect()
    });
    let fired = |range: &std::ops::Range<usize>| {
        let insts = plan.program.insts.get(range.clone()).unwrap_or(&[]);
        insts.iter().any(|inst| match inst.op {
            Op::AbortIf(condition, _) => value(condition.index()) != 0,
            _ => false,
        })
    };
    Trace {
        elements: elements.collect(),
        end: execution.end,
        abort_segment: plan
            .segments
            .iter()
            .position(|segment| fired(&segment.insts)),
    }
}
