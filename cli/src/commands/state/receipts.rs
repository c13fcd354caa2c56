//! `gavel state receipts`: what became of the calls of a batch.

use std::io::Write;
use std::path::PathBuf;

use gavel_prover::Receipts as Stored;
use gavel_prover::store::Options;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::receipt_line::of_batch;
use crate::sink::Sink;
use crate::state_dir::{self, StateDir, damaged, no_batch};

/// Write the receipts of a batch as lines of JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What can't be read as a call is no part of a batch, and has no receipt here.

Examples:
  gavel state receipts state --batch 3
  gavel state receipts state --batch 3 --out receipts.jsonl")]
pub struct Receipts {
    /// The folder of the state
    dir: PathBuf,
    /// The batch, from 1
    #[arg(long, value_name = "N", value_parser = super::super::number)]
    batch: u64,
    /// Where to write; `-` for standard output
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
}

impl Receipts {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut sink = Sink::new(&self.out, output)?;
        let state = StateDir::open(&self.dir, None, Options::default())?;
        let reader = &state.store.reader;
        let bytes = reader.receipts(self.batch).map_err(state_dir::failed)?;
        let bytes = bytes.ok_or_else(|| no_batch(reader, self.batch))?;
        let wrong = |error: &dyn std::error::Error| damaged(&self.dir, error);
        let receipts = Stored::from_bytes(&bytes).map_err(|error| wrong(&error))?;
        let machine = state
            .about
            .reading_machine()
            .map_err(|error| wrong(&error))?;
        let lines = of_batch(&receipts, &machine, &state.about.names(), self.batch, &[]);
        for line in &lines {
            writeln!(sink, "{line}").map_err(|error| sink.failed(&error))?;
        }
        sink.finish()?;
        output.json_only(&json!({ "batch": self.batch, "receipts": lines.len() }));
        Ok(Exit::Good)
    }
}
