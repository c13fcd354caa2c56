//! Example inputs of a contract, `NAME.play.json`: read, checked, and run.

use std::path::Path;

use gavel_compiler::contract::Contract;
use gavel_compiler::value::encode_inputs;
use gavel_compiler::word::{End, run};
use serde::Deserialize;
use serde_json::Value;

use super::object;
use crate::exit::Exit;
use crate::failure::Failure;

/// Example inputs, and how `settle` ends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayCase {
    /// Its name.
    pub name: String,
    /// Input words, all elements flattened.
    pub words: Vec<u32>,
    /// The outcome's index, or `None` where `settle` aborts.
    pub outcome: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    inputs: Value,
    expect: Option<String>,
    aborts: Option<String>,
}

/// The cases of a play file, or none if there is no such file. Each must end as it says.
pub(super) fn cases(path: &Path, contract: &Contract) -> Result<Vec<PlayCase>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let shown = path.display();
    let refuse = |message: String| Failure::new(Exit::No, "play-file", message);
    let mut all = object(path, "example inputs, {\"cases\": [..]}")?;
    let cases = all.remove("cases").unwrap_or_default();
    if let Some((name, _)) = all.iter().next() {
        return Err(refuse(format!("`{shown}`: unknown field `{name}`")));
    }
    let cases: Vec<Raw> =
        serde_json::from_value(cases).map_err(|e| refuse(format!("`{shown}`: `/cases`: {e}")))?;
    for (n, case) in cases.iter().enumerate() {
        if cases.iter().take(n).any(|other| other.name == case.name) {
            let name = &case.name;
            return Err(refuse(format!(
                "`{shown}`: two cases are called \"{name}\""
            )));
        }
    }
    cases
        .into_iter()
        .map(|raw| {
            let name = raw.name.clone();
            case(raw, contract)
                .map_err(|reason| refuse(format!("`{shown}`: case \"{name}\": {reason}")))
        })
        .collect()
}

fn case(raw: Raw, contract: &Contract) -> Result<PlayCase, String> {
    let words = encode_inputs(&contract.inputs, &raw.inputs).map_err(|e| e.to_string())?;
    let program = &contract.program;
    let (outcome, ends) = match run(program, &words).end {
        End::Outcome(k) => (Some(k), program.outcomes.get(k as usize).cloned()),
        End::Abort(code) => {
            let abort = program.aborts.get(usize::from(code));
            (None, abort.map(|abort| abort.name.clone()))
        }
    };
    let ends = ends.unwrap_or_default();
    let (expected, how) = match (&raw.expect, &raw.aborts) {
        (Some(outcome), None) => (outcome, true),
        (None, Some(error)) => (error, false),
        _ => return Err("needs either `expect` (an outcome) or `aborts` (an error)".to_owned()),
    };
    if *expected != ends || how != outcome.is_some() {
        let ended = if outcome.is_some() {
            "outcome"
        } else {
            "error"
        };
        return Err(format!(
            "expected `{expected}`, but `settle` ends with the {ended} `{ends}`"
        ));
    }
    let outcome = outcome.and_then(|k| u8::try_from(k).ok());
    Ok(PlayCase {
        name: raw.name,
        words,
        outcome,
    })
}
