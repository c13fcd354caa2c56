//! What a body's bytes are said to be, against what they are.
#![allow(dead_code, clippy::unwrap_used)]

use super::support::{keys, messages, witness, x_only};
use gavel_compiler::script::body::words_of;
use gavel_compiler::script::code::{items, parse_number};
use gavel_compiler::script::marks::{Note, Notes};
use gavel_compiler::script::vm::{Rules, Vm};
use gavel_compiler::script::{Disprove, body_noted, disprove};
use gavel_compiler::segment::Plan;
use gavel_compiler::word::{End, run};
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
    let honest = run(&plan.program, inputs);
    if matches!(honest.end, End::Abort(_)) {
        // What comes after an abort is nobody's concern, and may be anything.
        return 0;
    }
    let values = honest.values;
    let (messages, _) = messages(plan, inputs);
    let (reads, _) = words_of(plan, segment).unwrap();
    let words: Vec<u32> = reads.iter().map(|w| values[w.value.index()]).collect();
    let task = run(notes.program.as_ref().unwrap(), &words).values;
    let mut wanted: BTreeMap<usize, Vec<(usize, i64)>> = BTreeMap::new();
    for noted in notes.all() {
        let (name, times) = match noted.note {
            Note::Node(Some(name)) => (name, 1),
            Note::Multiple(Some(name), times) => (name, times),
            _ => continue,
        };
        let number = name.form.of(task[name.value.index()]);
        if let (Some(number), Some(bias)) = (number, noted.bias) {
            let at = wanted.entry(base + noted.bytes.end).or_default();
            at.push((noted.depth, times * number + bias));
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
        for (depth, number) in wanted.remove(&end).unwrap_or_default() {
            let item = vm.stack().iter().nth_back(depth);
            let item = item.and_then(|item| parse_number(item));
            assert_eq!(item, Some(number), "segment {segment}, byte {end}");
            seen += 1;
        }
    }
    assert!(wanted.is_empty());
    seen
}
