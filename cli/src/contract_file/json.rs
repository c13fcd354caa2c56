//! JSON files: objects whose names stand once, and terms.

use std::path::Path;

use gavel_compiler::value::Strict;
use gavel_verifier::deploy::Terms;
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;

/// Why a text is no JSON object in which each name stands once; `None` if it is one.
pub fn not_strict(text: &str) -> Option<String> {
    let parsed: Result<Strict, _> = serde_json::from_str(text);
    parsed.err().map(|error| error.to_string())
}

/// A JSON object from a file; `what` is what it should be.
pub fn object(path: &Path, what: &str) -> Result<Map<String, Value>, Failure> {
    let text = file::read_text(path, what)?;
    let parsed: Result<Strict, _> = serde_json::from_str(&text);
    parsed
        .map(|Strict(map)| map)
        .map_err(|error| malformed(path, what, &error))
}

/// A JSON object from the command line; `what` is what it should be.
pub fn object_of(text: &str, what: &str) -> Result<Map<String, Value>, Failure> {
    let parsed: Result<Strict, _> = serde_json::from_str(text);
    parsed
        .map(|Strict(map)| map)
        .map_err(|error| Failure::new(Exit::No, "json", format!("{error}; expected {what}")))
}

/// Terms of a deployment from a file; what it leaves out is the default.
pub fn terms(path: &Path) -> Result<Terms, Failure> {
    const WHAT: &str = "terms (a JSON object)";
    let given = object(path, WHAT)?;
    serde_json::from_value(Value::Object(given)).map_err(|error| malformed(path, WHAT, &error))
}

fn malformed(path: &Path, what: &str, error: &serde_json::Error) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::No,
        "json",
        format!("`{shown}`: {error}; expected {what}"),
    )
}
