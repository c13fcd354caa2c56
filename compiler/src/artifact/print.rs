//! The word IR and the bodies as text, for people.

use super::Compiled;
use super::build::kind;
use crate::script::print_asm;
use crate::word::{Inst, Op, Program, Span};
use std::fmt::Write as _;

impl Compiled {
    /// The legalised program, one operation a line, under the source line that it comes from.
    /// `%7` is a value; values that nothing names are numbered from 0.
    pub fn ir(&self) -> String {
        let program = &self.plan.program;
        let mut out = String::new();
        let push = |out: &mut String, text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        for (n, element) in program.inputs.iter().enumerate() {
            let blank = if element.optional {
                ", may be blank"
            } else {
                ""
            };
            let words = element.words.len();
            push(
                &mut out,
                format!("; input {n} `{}`: {words} words{blank}", element.name),
            );
        }
        let mut place_before = None;
        for (n, segment) in self.plan.segments.iter().enumerate() {
            push(
                &mut out,
                format!(
                    "\nsegment {}: reads {:?}, writes {:?}",
                    n + 1,
                    segment.reads.iter().map(|id| id.0).collect::<Vec<_>>(),
                    segment.writes.iter().map(|id| id.0).collect::<Vec<_>>(),
                ),
            );
            let insts = program.insts.get(segment.insts.clone());
            for inst in insts.unwrap_or_default() {
                let place = self.line(inst.span);
                if place.is_some() && place != place_before {
                    push(
                        &mut out,
                        format!("  ; {}", place.as_deref().unwrap_or_default()),
                    );
                    place_before = place;
                }
                push(&mut out, format!("    {}", operation(program, inst)));
            }
        }
        let outcomes = program.outcomes.join(", ");
        push(
            &mut out,
            format!("\noutcome %{}: {outcomes}", program.outcome.0),
        );
        out
    }

    /// The first line of a span with its number, and its file if it isn't the main one.
    fn line(&self, span: Span) -> Option<String> {
        let [number, _] = self.sources.lines(span)?;
        let file = self.sources.file_at(span.start);
        let text = file
            .text()
            .lines()
            .nth(number - 1)
            .unwrap_or_default()
            .trim();
        Some(match file.base() {
            0 => format!("{number}: {text}"),
            _ => format!("{}:{number}: {text}", file.name()),
        })
    }

    /// How many listings [`Compiled::asm`] has.
    pub fn listings(&self) -> usize {
        self.bodies.iter().map(Vec::len).sum()
    }

    /// Each segment's bodies as script assembly, in order, without the prefix `OP_`.
    pub fn asm(&self) -> impl Iterator<Item = String> + '_ {
        let last = self.bodies.len().saturating_sub(1);
        self.bodies.iter().enumerate().flat_map(move |(n, bodies)| {
            bodies.iter().enumerate().map(move |(k, body)| {
                let mut out = format!("; segment {}", n + 1);
                let outcome = self.contract.program.outcomes.get(k);
                if let Some(outcome) = outcome.filter(|_| n == last) {
                    let _ = write!(out, ", claimed {outcome}"); // a String takes everything
                }
                let _ = writeln!(
                    out,
                    ": {} bytes, peak stack {}",
                    body.script.len(),
                    body.peak.0
                );
                wrap(&print_asm(&body.script), &mut out);
                out
            })
        })
    }
}

/// Breaks a line between words, at 100 characters.
fn wrap(text: &str, out: &mut String) {
    let mut width = 0;
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.len() > 100 {
            out.push('\n');
            width = 0;
        }
        if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.len();
    }
    out.push('\n');
}

fn operation(program: &Program, inst: &Inst) -> String {
    let operands: Vec<String> = match &inst.op {
        Op::Const(word) => vec![format!("{word:#x}")],
        Op::Input(n) => vec![n.to_string()],
        op => op
            .operands()
            .iter()
            .map(|value| format!("%{}", value.0))
            .collect(),
    };
    let mut text = format!("{} {}", kind(&inst.op), operands.join(", "));
    match &inst.op {
        Op::Shl(_, by) | Op::Shr(_, by) | Op::Rotr(_, by) => text.push_str(&format!(", {by}")),
        Op::AbortIf(_, code) => {
            let abort = program.aborts.get(usize::from(*code));
            text.push_str(&format!(" -> {}", abort.map_or("?", |a| a.name.as_str())));
        }
        Op::State(state) => {
            let family = state.cell().map(|cell| cell.family);
            text.extend(family.map(|family| format!(" in family {family}")));
        }
        _ => {}
    }
    match inst.op.results() {
        0 => text,
        1 => format!("%{} = {text}", inst.first.0),
        n => format!("%{}..%{} = {text}", inst.first.0, inst.first.0 + n - 1),
    }
}
