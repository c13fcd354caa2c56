//! The same by an operator: batches overlap, and each is on the disk before it counts.

use std::convert::Infallible;
use std::path::Path;
use std::time::Instant;

use gavel_compiler::ledger::Root;
use gavel_compiler::units::Height;
use gavel_prover::operator::{Batch, Operator, Settings, Times};
use gavel_prover::store::{Options, Store};
use gavel_prover::workload::HEIGHT;
use serde::Serialize;

use super::load::Load;
use super::{AFTER, internal};
use crate::exit::Exit;
use crate::failure::Failure;

/// What an operator took for the measured batches, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Durable {
    /// From the first call until the last batch was on the disk.
    pub all: f64,
    /// The steps of all batches: they overlap.
    pub steps: Steps,
    /// Bringing the stored cells up to date afterwards, which a restart would do otherwise.
    pub checkpoint: f64,
    /// The root that it came to.
    #[serde(skip)]
    pub root: Root,
}

/// What the steps of an operator took, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Steps {
    /// Digests of the calls.
    pub digest: f64,
    /// Arguments and signatures.
    pub prepare: f64,
    /// From there to receipts and changed cells.
    pub execute: f64,
    /// The new roots.
    pub root: f64,
    /// Bringing it to the disk.
    pub store: f64,
}

impl From<Times> for Steps {
    fn from(times: Times) -> Self {
        let execute = times.schedule + times.execute;
        Self {
            digest: times.digest.as_secs_f64(),
            prepare: times.prepare.as_secs_f64(),
            execute: execute.as_secs_f64(),
            root: times.root.as_secs_f64(),
            store: times.store.as_secs_f64(),
        }
    }
}

/// Runs all batches of a workload with their signatures; the first isn't measured.
pub(super) fn measure(load: &Load, threads: usize, dir: Option<&Path>) -> Result<Durable, Failure> {
    let folder = match dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let folder = folder.map_err(|error| unwritten(dir, error))?;
    let contract = &load.contract;
    let place = folder.path().join("state");
    let failed = |error: gavel_prover::store::StoreError| unwritten(dir, error);
    let mut store =
        Store::create(&place, contract.id, b"bench", Options::default()).map_err(failed)?;
    let cells = load.workload.cells().map(Ok::<_, Infallible>);
    store
        .seed(cells, |_| {})
        .map_err(|error| unwritten(dir, error))?;
    let machine = gavel_prover::Machine::new(contract).map_err(internal)?;
    let settings = Settings {
        threads,
        ..Settings::default()
    };
    let mut operator = Operator::new(machine, store, settings).map_err(internal)?;
    let mut batches = load.batches.iter();
    if let Some(first) = batches.next() {
        let ran = operator.run(first.clone(), HEIGHT);
        ran.map_err(|error| unwritten(dir, error))?;
    }
    for refused in load.refused() {
        let ran = operator.run(refused, Height(AFTER));
        ran.map_err(|error| unwritten(dir, error))?;
    }
    let batches: Vec<Batch<()>> = batches
        .map(|calls| Batch {
            calls: calls.clone(),
            tag: (),
        })
        .collect();
    let mut times = Times::default();
    let begin = Instant::now();
    let ran = operator.run_all(batches.into_iter(), Height(AFTER), |outcome, ()| {
        times += outcome.times;
    });
    ran.map_err(|error| unwritten(dir, error))?;
    let all = begin.elapsed().as_secs_f64();
    let root = operator.root();
    let begin = Instant::now();
    operator.close().map_err(|error| unwritten(dir, error))?;
    Ok(Durable {
        all,
        steps: times.into(),
        checkpoint: begin.elapsed().as_secs_f64(),
        root,
    })
}

fn unwritten(dir: Option<&Path>, error: impl std::fmt::Display) -> Failure {
    let place = match dir {
        Some(dir) => dir.display().to_string(),
        None => std::env::temp_dir().display().to_string(),
    };
    let message = format!("{place}: a state can't be kept there: {error}");
    Failure::new(Exit::Environment, "disk", message)
        .hint("`--dir` takes another folder; `--no-disk` measures without.")
}
