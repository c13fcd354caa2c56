//! `gavel cost`: what a contract costs on each path, before any money moves.

mod bench;
mod paths;
mod report;
mod text;

use std::path::PathBuf;

use gavel_compiler::Options;
use gavel_compiler::units::{Sats, Weight};
use gavel_verifier::deploy::Terms;

use super::compile::sample_graph;
use crate::contract_file::{load, terms};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, stderr_style};

/// Show what a contract costs: transactions, segments, bonds, paths, deadlines.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Sizes are exact: those of the finished transactions of a sample instance, with one P2TR input
per party. Terms are the defaults, changed by --terms, changed by the other options; the file is
a JSON object, e.g. {\"survive_feerate\": 50, \"windows\": {\"challenge\": 144, \"assert\": 144,
\"disprove\": 144, \"confirm\": 36, \"reorg\": 6}}.

Examples:
  gavel cost bet.gvl
  gavel cost bet.gvl --survive-feerate 100
  gavel cost bet.gvl --terms terms.json --json | jq .amounts
  gavel cost --bench-ops")]
pub struct Cost {
    /// The source (.gvl), or an artifact (.json)
    #[arg(required_unless_present = "bench_ops")]
    file: Option<PathBuf>,
    /// What operations cost in bytes of Script, beside BitVM2; of no contract
    #[arg(long, conflicts_with_all = [
        "file", "params", "max_leaf_weight", "terms", "survive_feerate", "relay_feerate", "bond",
        "stake",
    ])]
    bench_ops: bool,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// The most weight units that a transaction which spends a leaf may have, at most 400000
    #[arg(long, value_name = "WU", value_parser = super::number, allow_negative_numbers = true)]
    max_leaf_weight: Option<u64>,
    /// Terms of the deployment, a JSON object
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,
    /// Satoshis per virtual byte up to which a dispute must pay for the victim
    #[arg(long, value_name = "RATE", value_parser = super::number, allow_negative_numbers = true)]
    survive_feerate: Option<u64>,
    /// Satoshis per virtual byte that pre-signed transactions pay themselves
    #[arg(long, value_name = "RATE", value_parser = super::number, allow_negative_numbers = true)]
    relay_feerate: Option<u64>,
    /// A claimer's bond in satoshis; computed where absent
    #[arg(long, value_name = "SATS", value_parser = super::number, allow_negative_numbers = true)]
    bond: Option<u64>,
    /// A challenger's stake per claimer in satoshis; computed where absent
    #[arg(long, value_name = "SATS", value_parser = super::number, allow_negative_numbers = true)]
    stake: Option<u64>,
}

impl Cost {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let Some(file) = &self.file else {
            return bench::run(output);
        };
        let options = self.max_leaf_weight.map(|weight| Options {
            max_leaf_weight: Weight(weight),
        });
        let loaded = load(file, self.params.as_deref(), options.as_ref())?;
        let terms = self.terms()?;
        let graph = sample_graph(&loaded, terms)?;
        let report = report::report(&loaded, &graph)?;
        output.aside(&loaded.warnings(stderr_style()));
        output.result(&report, || text::text(&report));
        Ok(Exit::Good)
    }

    fn terms(&self) -> Result<Terms, Failure> {
        let mut all = match &self.terms {
            Some(path) => terms(path)?,
            None => Terms::default(),
        };
        all.survive_feerate = self.survive_feerate.unwrap_or(all.survive_feerate);
        all.relay_feerate = self.relay_feerate.unwrap_or(all.relay_feerate);
        all.bond = self.bond.map(Sats).or(all.bond);
        all.stake = self.stake.map(Sats).or(all.stake);
        Ok(all)
    }
}
