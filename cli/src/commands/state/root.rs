//! `gavel state root`: the one hash that stands for the state.

use std::path::PathBuf;

use gavel_compiler::ledger;
use gavel_prover::store::Options;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::state_dir::{self, StateDir};

/// Show the state's root.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gavel state root state
  gavel state root state --json | jq .batch")]
pub struct Root {
    /// The folder of the state
    dir: PathBuf,
}

impl Root {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let state = StateDir::open(&self.dir, None, Options::default())?;
        let root = state.store.tree.root().to_string();
        let last = state.store.reader.last().map_err(state_dir::failed)?;
        let shown = json!({
            "root": root,
            "batch": last,
            "cells": state.store.tree.cells(),
            "contract": state.about.name,
            "id": ledger::Root(state.about.interface.contract).to_string(),
        });
        output.result(&shown, || root.clone());
        Ok(Exit::Good)
    }
}
