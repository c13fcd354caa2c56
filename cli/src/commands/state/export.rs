//! `gavel state export`: all cells as lines of JSON.

use std::io::Write;
use std::path::PathBuf;

use gavel_compiler::ledger::LedgerContract;
use gavel_prover::store::{Options, StoredCell};
use rayon::prelude::*;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::sink::Sink;
use crate::state_dir::{self, StateDir};
use crate::state_lines::{Heading, line};

/// Cells that are written together.
const TOGETHER: usize = 10_000;

/// Write all cells as lines of JSON, the same for the same state.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The first line says whose state it is, after which batch, its root, and how many cells follow.
Nonces are cells like the others.

Examples:
  gavel state export state --out state.jsonl
  gavel state export state | grep '\"held\"'")]
pub struct Export {
    /// The folder of the state
    dir: PathBuf,
    /// Where to write; `-` for standard output
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut sink = Sink::new(&self.out, output)?;
        let state = StateDir::open(&self.dir, None, Options::default())?;
        let reader = &state.store.reader;
        let last = reader.last().map_err(state_dir::failed)?;
        let count = reader.count().map_err(state_dir::failed)?;
        let root = state.store.tree.root();
        let heading = Heading::new(&state.about, last, count, root);
        let first = serde_json::to_string(&heading).unwrap_or_default();
        writeln!(sink, "{first}").map_err(|error| sink.failed(&error))?;
        let names = state.about.names();
        let mut progress = Progress::new();
        let mut done = 0u64;
        let mut cells = reader.cells().map_err(state_dir::failed)?;
        loop {
            let some: Result<Vec<StoredCell>, _> = cells.by_ref().take(TOGETHER).collect();
            let some = some.map_err(state_dir::failed)?;
            if some.is_empty() {
                break;
            }
            write(&names, &some, &mut sink)?;
            done = done.saturating_add(some.len() as u64);
            progress.show("exporting", done, count);
        }
        sink.finish()?;
        output.json_only(&json!({ "cells": done, "batch": last, "root": root.to_string() }));
        Ok(Exit::Good)
    }
}

fn write(names: &LedgerContract, cells: &[StoredCell], sink: &mut Sink) -> Result<(), Failure> {
    let lines = cells
        .par_iter()
        .map(|cell| line(names, &cell.cell, &cell.words));
    let lines: Vec<Option<String>> = lines.collect();
    for (line, cell) in lines.iter().zip(cells) {
        let Some(line) = line else {
            let message = format!(
                "the state has a cell of the unknown family {}",
                cell.cell.family
            );
            return Err(Failure::new(Exit::No, "state-damaged", message));
        };
        writeln!(sink, "{line}").map_err(|error| sink.failed(&error))?;
    }
    Ok(())
}
