//! `gavel bench`: how fast ledgers run, and what that includes.
//!
//! `docs/prover.md` says what each tier includes.

mod disk;
mod engine;
mod figures;
mod genesis;
mod load;
mod machine;
mod plain;
mod scaling;
mod text;

use std::path::PathBuf;
use std::sync::Arc;

use gavel_prover::workload::{HEIGHT, Kind, MOST_ACCOUNTS};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use figures::Figures;
use machine::Machine;

/// Measure how fast ledgers run: execution, root, signatures, disk.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each workload is a ledger of contracts/bench with calls drawn from a seed. Figures are calls per
second: T0 runs them, T1 makes the new root too, T2 checks each call's signature too, one by one, or
in bundles, or in bundles of known signers, who have signed before; T3 has it all on the disk too, of
known signers. Beside the engine stands the plain interpreter of the language, which gives the same
receipts. A batch that isn't measured comes first.

Examples:
  gavel bench --quick
  gavel bench --workload transfers --workload work
  gavel bench --scaling --workload transfers
  gavel bench --json | jq '.workloads[] | {workload, t0: .all.t0}'")]
pub struct Bench {
    /// A workload to run, again and again; all of them if none is named
    #[arg(long, value_name = "NAME", value_parser = kind)]
    workload: Vec<Kind>,
    /// Accounts [default: 1000000, quick: 10000]
    #[arg(long, value_name = "N", value_parser = super::number, allow_negative_numbers = true)]
    accounts: Option<u64>,
    /// Calls that are measured [default: 200000, quick: 10000]
    #[arg(long, value_name = "N", value_parser = super::number, allow_negative_numbers = true)]
    calls: Option<u64>,
    /// Calls in a batch [default: 100000, quick: 5000]
    #[arg(long, value_name = "N", value_parser = super::number, allow_negative_numbers = true)]
    batch: Option<u64>,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = super::number, allow_negative_numbers = true)]
    threads: Option<u64>,
    /// What calls are drawn from
    #[arg(long, value_name = "N", default_value = "1", value_parser = super::number, allow_negative_numbers = true)]
    seed: u64,
    /// A folder to keep states in while they are measured; a temporary one if it isn't given
    #[arg(long, value_name = "DIR", conflicts_with = "no_disk")]
    dir: Option<PathBuf>,
    /// Leave T3 out
    #[arg(long)]
    no_disk: bool,
    /// Small: some seconds in all, to see that it works
    #[arg(long)]
    quick: bool,
    /// How cost grows with the state and with the batch, too
    #[arg(long)]
    scaling: bool,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, Serialize)]
struct Sizes {
    accounts: u32,
    /// Of all measured batches together; the last one may be smaller.
    calls: usize,
    batch: usize,
    threads: usize,
    seed: u64,
    quick: bool,
}

/// All that was measured.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    sizes: Sizes,
    workloads: Vec<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling: Option<scaling::Scaling>,
}

impl Bench {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let sizes = self.sizes()?;
        let kinds = match self.workload.is_empty() {
            true => Kind::ALL.to_vec(),
            false => self.workload.clone(),
        };
        let mut progress = Progress::new();
        progress.show("making accounts", 0, 1);
        let accounts = Arc::new(load::accounts(sizes.accounts)?);
        let mut workloads = Vec::new();
        for kind in kinds {
            let load = load::load(kind, &accounts, sizes, &mut progress)?;
            let disk = match self.no_disk {
                true => None,
                false => {
                    progress.show(&format!("{kind}: with a disk"), 0, 1);
                    Some(disk::measure(&load, sizes.threads, self.dir.as_deref())?)
                }
            };
            workloads.push(engine::measure(load, sizes, disk, &mut progress)?);
        }
        let scaling = match self.scaling {
            true => Some(scaling::measure(sizes, &mut progress)?),
            false => None,
        };
        drop(progress);
        let report = Report {
            machine: Machine::here(),
            sizes,
            workloads,
            scaling,
        };
        output.result(&report, || text::text(&report));
        Ok(Exit::Good)
    }

    fn sizes(&self) -> Result<Sizes, Failure> {
        let usual = |asked: Option<u64>, quick, full| {
            asked.unwrap_or(if self.quick { quick } else { full })
        };
        let batch = within("batch", usual(self.batch, 5_000, 100_000), 1, MOST_CALLS)?;
        let cores = machine::cores() as u64;
        let accounts = usual(self.accounts, 10_000, 1_000_000);
        let calls = usual(self.calls, 10_000, 200_000);
        let threads = self.threads.unwrap_or(cores);
        Ok(Sizes {
            accounts: within("accounts", accounts, 2, MOST_ACCOUNTS.into())? as u32,
            calls: within("calls", calls, 1, MOST_CALLS)? as usize,
            batch: batch as usize,
            threads: within("threads", threads, 1, 1_024)? as usize,
            seed: self.seed,
            quick: self.quick,
        })
    }
}

/// The height of all measured batches: a later block than that of the first one, which isn't
/// measured.
const AFTER: u32 = HEIGHT.0 + 1;

/// Calls are held in memory while they are measured: some 400 bytes each.
const MOST_CALLS: u64 = 20_000_000;

fn within(name: &str, n: u64, least: u64, most: u64) -> Result<u64, Failure> {
    match (least..=most).contains(&n) {
        true => Ok(n),
        false => Err(Failure::usage(format!(
            "--{name} is a number from {least} to {most}, not {n}"
        ))),
    }
}

fn kind(name: &str) -> Result<Kind, String> {
    name.parse()
        .map_err(|unknown: gavel_prover::workload::UnknownKind| unknown.to_string())
}

/// Something that doesn't happen unless Gavel has a defect.
fn internal(what: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Environment, "internal", what.to_string())
        .hint("This is a defect of gavel: please report it.")
}
