//! `gavel state verify`: checks everything that is stored.

use std::path::{Path, PathBuf};

use gavel_prover::calls::{decode_calls, digest};
use gavel_prover::store::{Options, Reader};
use gavel_prover::{Claim, Receipts};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::{Progress, during};
use crate::state_dir::{self, StateDir, damaged};

/// Check everything that is stored: exit 1 if something doesn't agree.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Computes the root from all cells, and the digest of the calls of each batch, and compares them with
what is claimed; each claim follows the one before; each call has a receipt. Calls aren't run again.

Examples:
  gavel state verify state")]
pub struct Verify {
    /// The folder of the state
    dir: PathBuf,
}

impl Verify {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let options = Options {
            check: true,
            ..Options::default()
        };
        let state = during("reading the state", || {
            StateDir::open(&self.dir, None, options)
        })?;
        let reader = &state.store.reader;
        let root = during("computing the root", || reader.verify()).map_err(state_dir::failed)?;
        let last = reader.last().map_err(state_dir::failed)?;
        let mut progress = Progress::new();
        let mut calls = 0u64;
        for batch in 1..=last {
            let claim = reader.claim(batch).map_err(state_dir::failed)?;
            let missing = || damaged(&self.dir, &Wrong::Missing(batch));
            let claim = claim.ok_or_else(missing)?;
            calls = calls.saturating_add(claim.calls);
            self::batch(&self.dir, reader, &claim)?;
            progress.show("checking batches", batch, last);
        }
        let cells = state.store.tree.cells();
        let shown = json!({
            "root": root.to_string(), "cells": cells, "batches": last, "calls": calls,
        });
        output.result(&shown, || {
            format!("ok: {cells} cells, {last} batches, {calls} calls; root {root}")
        });
        Ok(Exit::Good)
    }
}

/// What doesn't agree.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("batch {0} is missing")]
    Missing(u64),
    #[error("batch {0} has other calls than its claim says")]
    Calls(u64),
    #[error("batch {batch} has {has} receipts for {wants} calls")]
    Receipts { batch: u64, has: usize, wants: u64 },
}

fn batch(dir: &Path, reader: &Reader, claim: &Claim) -> Result<(), Failure> {
    let batch = claim.batch;
    let missing = || damaged(dir, &Wrong::Missing(batch));
    let bytes = reader
        .calls(batch)
        .map_err(state_dir::failed)?
        .ok_or_else(missing)?;
    let calls = decode_calls(&bytes).map_err(|error| damaged(dir, &error))?;
    if calls.len() as u64 != claim.calls || digest(&calls) != claim.digest {
        return Err(damaged(dir, &Wrong::Calls(batch)));
    }
    let bytes = reader
        .receipts(batch)
        .map_err(state_dir::failed)?
        .ok_or_else(missing)?;
    let receipts = Receipts::from_bytes(&bytes).map_err(|error| damaged(dir, &error))?;
    if receipts.len() != calls.len() {
        let (has, wants) = (receipts.len(), claim.calls);
        return Err(damaged(dir, &Wrong::Receipts { batch, has, wants }));
    }
    Ok(())
}
