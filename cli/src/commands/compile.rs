//! `gavel compile`: from a contract to scripts, trees and an artifact.

mod summary;
mod tree;

pub(super) use summary::{lines, payments};
pub(super) use tree::sample_graph;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use gavel_compiler::units::Weight;
use gavel_compiler::{Compiled, Options};
use serde_json::{Value, json};

use crate::contract_file::{Loaded, files_of, load};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::output::{Output, stderr_style};
use crate::progress::Progress;

/// Compile a contract to word IR, Bitcoin Script and taproot trees.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Parameters are those beside the source (NAME.params.json) unless others are named. Two people
who compile the same source with the same parameters and options get the same bytes, whatever
the machine or the number of threads.

The artifact (`-o FILE`, or `--emit json`) holds the source, the parameters and everything that
follows from them. It is taken wherever a contract is, after compiling its source again and
comparing: one that was edited is refused.

A ledger isn't compiled to Script yet: `gavel test` runs it, `gavel check --explain` describes it.

Examples:
  gavel compile bet.gvl                           a summary
  gavel compile bet.gvl -o bet.artifact.json      the artifact
  gavel compile bet.gvl --emit ir                 the word IR, with source lines
  gavel compile bet.gvl --emit asm -o bet.asm     every segment's script
  gavel compile bet.gvl --emit tree               taproot trees of a sample instance
  gavel compile bet.gvl --max-leaf-weight 60000   more and smaller segments")]
pub struct Compile {
    /// The source (.gvl), or an artifact (.json)
    file: PathBuf,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// What to show instead of the summary
    #[arg(long, value_name = "WHAT")]
    emit: Option<Emit>,
    /// Write to a file instead; without `--emit`, the artifact
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The most weight units that a transaction which spends a leaf may have, at most 400000
    #[arg(long, value_name = "WU", value_parser = super::number, allow_negative_numbers = true)]
    max_leaf_weight: Option<u64>,
}

/// What to show of a compiled contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// The word IR
    Ir,
    /// The script of each segment
    Asm,
    /// The taproot trees of a sample instance
    Tree,
    /// The artifact
    Json,
}

impl Compile {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let options = self.max_leaf_weight.map(|weight| Options {
            max_leaf_weight: Weight(weight),
        });
        let loaded = load(&self.file, self.params.as_deref(), options.as_ref())?;
        output.aside(&loaded.warnings(stderr_style()));
        let emit = match (self.emit, &self.output) {
            (None, Some(_)) => Some(Emit::Json),
            (emit, _) => emit,
        };
        let Some(path) = &self.output else {
            let value = self.value(emit, &loaded)?;
            output.result(&value, || self.text_of(emit, &loaded, &value));
            return Ok(Exit::Good);
        };
        let value = match emit {
            Some(Emit::Tree) => tree::trees(&loaded)?,
            _ => Value::Null,
        };
        let text = self.text_of(emit, &loaded, &value);
        self.keep_inputs(path)?;
        file::write(path, text.as_bytes(), Existing::Replace)?;
        let written = json!({
            "wrote": path.display().to_string(),
            "bytes": text.len(),
            "digest": loaded.compiled.artifact().digest,
        });
        output.result(&written, || {
            format!("wrote {} ({} bytes)", path.display(), text.len())
        });
        Ok(Exit::Good)
    }

    /// What is written replaces what is there, but never what the contract is made of.
    fn keep_inputs(&self, path: &Path) -> Result<(), Failure> {
        let Ok(target) = path.canonicalize() else {
            return Ok(()); // nothing is there
        };
        let inputs = files_of(&self.file, self.params.as_deref());
        let same = |input: &PathBuf| input.canonicalize().is_ok_and(|input| input == target);
        match inputs.iter().find(|input| same(input)) {
            Some(input) => Err(file::exists(input)
                .hint("The contract is made of that file; choose another name for the output.")),
            None => Ok(()),
        }
    }

    /// For scripts; the trees also for people.
    fn value(&self, emit: Option<Emit>, loaded: &Loaded) -> Result<Value, Failure> {
        let compiled = &loaded.compiled;
        Ok(match emit {
            None | Some(Emit::Json) => json!(compiled.artifact()),
            Some(Emit::Ir) => json!({ "ir": compiled.ir() }),
            Some(Emit::Asm) => json!({ "asm": listings(compiled) }),
            Some(Emit::Tree) => tree::trees(loaded)?,
        })
    }

    fn text_of(&self, emit: Option<Emit>, loaded: &Loaded, value: &Value) -> String {
        let compiled = &loaded.compiled;
        match emit {
            None => summary::text(loaded),
            Some(Emit::Json) => compiled.artifact().to_json(),
            Some(Emit::Ir) => compiled.ir(),
            Some(Emit::Asm) => listings(compiled).join("\n"),
            Some(Emit::Tree) => tree::text(value),
        }
    }
}

fn listings(compiled: &Compiled) -> Vec<String> {
    let mut progress = Progress::new();
    let total = compiled.listings() as u64;
    let mut all = Vec::new();
    for (n, listing) in (1..).zip(compiled.asm()) {
        progress.show("printing scripts", n, total);
        all.push(listing);
    }
    all
}
