//! `gavel proof check`: checks a proof against a root.

use std::path::{Path, PathBuf};

use gavel_compiler::ledger::Root;
use gavel_compiler::value::Strict;
use gavel_prover::tree::{Hex, Proof, Shown};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;
use crate::output::Output;

/// Check a proof against a root: exit 1 if it doesn't hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shows what is proven: the cell by its family and key, and its words, none for a cell that is zero.
What a family is called, `gavel check --explain` of the source says; the proof can't.

Examples:
  gavel proof check proof.json --root 3f..
  gavel proof check - --root 3f.. --json < proof.json")]
pub struct Check {
    /// The proof; `-` for standard input
    file: PathBuf,
    /// The root that it must hold for, 64 hex digits
    #[arg(long, value_name = "HEX", value_parser = root)]
    root: Root,
}

impl Check {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        const WHAT: &str = "a proof (JSON)";
        let bytes = match self.file == Path::new("-") {
            true => file::read_stdin(WHAT)?,
            false => file::read(&self.file, WHAT)?,
        };
        let refused = |why: String| {
            let message = format!("`{}` is refused: {why}", self.file.display());
            Failure::new(Exit::No, "proof", message)
        };
        let strict: Result<Strict, _> = serde_json::from_slice(&bytes);
        let Strict(fields) = strict.map_err(|error| refused(error.to_string()))?;
        let proof: Result<Proof, _> = serde_json::from_value(Value::Object(fields));
        let proof = proof.map_err(|error| refused(error.to_string()))?;
        let shown = proof
            .check(self.root)
            .map_err(|error| refused(error.to_string()))?;
        let (family, key) = (shown.cell.family, hex(&shown.cell.key));
        let words = hex(&shown.words);
        let result = json!({ "family": family, "key": key, "words": words });
        output.result(&result, || text(&shown));
        Ok(Exit::Good)
    }
}

fn text(shown: &Shown) -> String {
    let key = hex(&shown.cell.key).join(" ");
    let of = match key.is_empty() {
        true => format!("family {}", shown.cell.family),
        false => format!("family {}, key {key}", shown.cell.family),
    };
    match shown.words.is_empty() {
        true => format!("valid: the cell of {of} is zero"),
        false => format!("valid: the cell of {of} is {}", hex(&shown.words).join(" ")),
    }
}

fn hex(words: &[u32]) -> Vec<String> {
    words
        .iter()
        .map(|word| Hex::from(*word).to_string())
        .collect()
}

fn root(text: &str) -> Result<Root, String> {
    let root: Result<Hex<32>, _> = text.to_lowercase().try_into();
    root.map(|hex| Root(hex.0))
        .map_err(|_| "64 hex digits are needed".to_owned())
}
