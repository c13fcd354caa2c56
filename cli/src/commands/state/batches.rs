//! `gavel state batches`: what is claimed of each batch.

use std::path::PathBuf;

use gavel_prover::Claim;
use gavel_prover::store::Options;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::state_dir::{self, StateDir};
use crate::table::{Table, grouped};

/// List the batches and what is claimed of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gavel state batches state
  gavel state batches state --last 3 --json")]
pub struct Batches {
    /// The folder of the state
    dir: PathBuf,
    /// Only the last N
    #[arg(long, value_name = "N", value_parser = super::super::number)]
    last: Option<u64>,
}

impl Batches {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let state = StateDir::open(&self.dir, None, Options::default())?;
        let reader = &state.store.reader;
        let end = reader.last().map_err(state_dir::failed)?;
        let first = self
            .last
            .map_or(1, |last| end.saturating_sub(last).saturating_add(1));
        let claims = (first..=end).map(|batch| reader.claim(batch));
        let claims: Result<Vec<Option<Claim>>, _> = claims.collect();
        let claims: Vec<Claim> = claims
            .map_err(state_dir::failed)?
            .into_iter()
            .flatten()
            .collect();
        let rows: Vec<Value> = claims.iter().map(row).collect();
        output.result(&json!({ "batches": rows }), || text(&claims));
        Ok(Exit::Good)
    }
}

/// A claim for scripts.
pub(crate) fn row(claim: &Claim) -> Value {
    json!({
        "batch": claim.batch,
        "height": claim.height,
        "calls": claim.calls,
        "digest": claim.digest.to_string(),
        "before": claim.before.to_string(),
        "after": claim.after.to_string(),
    })
}

fn text(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return "no batch yet".to_owned();
    }
    let mut table = Table::new(&[
        "batch",
        "height",
        "calls",
        "<digest of the calls",
        "<root after",
    ]);
    for claim in claims {
        table.row([
            claim.batch.to_string(),
            claim.height.to_string(),
            grouped(claim.calls),
            claim.digest.to_string(),
            claim.after.to_string(),
        ]);
    }
    table.text()
}
