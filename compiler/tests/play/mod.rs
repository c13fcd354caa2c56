//! Contracts around a body of `settle`, run on inputs.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use gavel_compiler::diagnostic::Style;
use gavel_compiler::value::encode_inputs;
use gavel_compiler::word::{End, Program, run};
use gavel_compiler::{check, instantiate};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// A contract around a body of `settle`.
pub fn source(items: &str, inputs: &str, body: &str) -> String {
    format!(
        "contract T {{
            param a: party
            param b: party
            enum Outcome {{ Yes, No }}
            error E1, E2, E3
            {items}
            settle({inputs}) -> Outcome {{ {body} }}
            coin pot {{
                fund a: 1_000 sats
                fund b: 1_000 sats
                pay Yes {{ a: rest }}
                pay No {{ b: rest }}
                refund after 10 blocks {{ a: 1_000 sats, b: rest }}
            }}
        }}"
    )
}

pub fn compile(source: &str) -> gavel_compiler::contract::Contract {
    let (contract, _) = instantiate(source, &Map::new()).unwrap_or_else(|found| {
        let drawn: Vec<String> = found
            .iter()
            .map(|d| d.draw(source, "t.gvl", Style::Plain))
            .collect();
        panic!("{}", drawn.join("\n\n"))
    });
    contract
}

pub fn end(program: &Program, words: &[u32]) -> String {
    match run(program, words).end {
        End::Outcome(n) => program.outcomes[n as usize].clone(),
        End::Abort(code) => program.aborts[usize::from(code)].name.clone(),
    }
}

pub fn play(source: &str, inputs: Value) -> String {
    let contract = compile(source);
    let words = encode_inputs(&contract.inputs, &inputs).unwrap();
    end(&contract.program, &words)
}

/// The codes of what is wrong with a source, and all of it drawn.
pub fn mistakes(source: &str) -> (Vec<&'static str>, String) {
    let found = check(source).diagnostics;
    let drawn = found.iter().map(|d| d.draw(source, "t.gvl", Style::Plain));
    let drawn: Vec<String> = drawn.collect();
    let codes = found.iter().map(|d| d.code.id());
    (codes.collect(), drawn.join("\n\n"))
}

/// Rows of items, inputs, a statement of `settle`, and the code of the mistake in it. All
/// mistakes, drawn.
pub fn drawn(rows: &[(&str, &str, &str, &str)]) -> String {
    let mut all = String::new();
    for (items, inputs, body, code) in rows {
        let source = source(items, &format!("{inputs} from a"), &format!("{body}\n Yes"));
        let (codes, drawn) = mistakes(&source);
        assert!(codes.contains(code), "{code}: {body}\n{drawn}");
        writeln!(all, "=== {code}\n\n{drawn}\n").unwrap();
    }
    all
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
