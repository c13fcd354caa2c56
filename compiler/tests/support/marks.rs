//! What a body's bytes are said to be, against what they are.
#![allow(dead_code, clippy::unwrap_used)]

use super::support::{keys, messages, witness, x_only};
use gavel_compiler::script::body::words_of;
use gavel_compiler::script::code::{items, parse_number};
use gavel_compiler::script::marks::{Note, Noted, Notes};
use gavel_compiler::script::vm::{Rules, Vm};
use gavel_compiler::script::{Disprove, body_noted, disprove};
use gavel_compiler::segment::Plan;
use gavel_compiler::word::run;
use std::collections::BTreeMap;

/// Runs every leaf of a plan on honest runs; wherever a body says that part of a word is on
/// top of the stack, there it is. Gives how many such places were seen.
pub fn check_marks(plan: &Plan, runs: &[Vec<u32>]) -> usize {
    let last = plan.segments.len() - 1;
    let outcomes = plan.program.outcomes.len() as u8;
    let mut seen = 0;
    for segment in 0..plan.segments.len() {
        for claimed in 0..if segment == last { outcomes } else { 1 } {
            let mut notes = Notes::on();
            let of = (segment == last).then_some(claimed);
            let body = body_noted(plan, segment, of, &mut notes).unwrap();
            let leaf = disprove(plan, segment, &body, &keys(plan), &[x_only(0)]).unwrap();
            let leaf = (&leaf, leaf.script.len() - body.script.len());
            for inputs in runs {
                seen += check_run(plan, segment, inputs, leaf, &notes);
            }
        }
    }
    seen
}

fn check_run(
    plan: &Plan,
    segment: usize,
    inputs: &[u32],
    (leaf, base): (&Disprove, usize),
    notes: &Notes,
) -> usize {
    let values = run(&plan.program, inputs).values;
    let (messages, _) = messages(plan, inputs);
    let (reads, _) = words_of(plan, segment).unwrap();
    let words: Vec<u32> = reads.iter().map(|w| values[w.value.index()]).collect();
    let task = run(notes.program.as_ref().unwrap(), &words).values;
    let mut wanted: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for Noted { bytes, note, bias } in notes.all() {
        let (Note::Node(Some(name)), Some(bias)) = (note, bias) else {
            continue;
        };
        if let Some(number) = name.form.of(task[name.value.index()]) {
            let at = wanted.entry(base + bytes.end).or_default();
            at.push(number + bias);
        }
    }
    let rules = Rules::default();
    let script = leaf.script.as_bytes();
    let mut vm = Vm::new(&witness(leaf, &messages), &rules);
    let ends = items(script).skip(1).map(|(at, _)| at);
    let ends = ends.chain([script.len()]);
    let mut seen = 0;
    for ((at, item), end) in items(script).zip(ends) {
        vm.instruction(script, at, item).unwrap();
        for number in wanted.remove(&end).unwrap_or_default() {
            let top = vm.stack().last().and_then(|item| parse_number(item));
            assert_eq!(top, Some(number), "segment {segment}, byte {end}");
            seen += 1;
        }
    }
    assert!(wanted.is_empty());
    seen
}
