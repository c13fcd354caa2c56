//! How cost grows with the state and with the batch: payments, on all threads, unsigned.

use gavel_compiler::units::Height;
use gavel_prover::Machine;
use gavel_prover::workload::{HEIGHT, Kind};
use serde::Serialize;

use super::engine::{Fast, warm};
use super::figures::rate;
use super::load::unsigned;
use super::{Sizes, internal};
use crate::failure::Failure;
use crate::progress::Progress;

/// Both series.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scaling {
    pub workload: Kind,
    /// States of several sizes, batches of one.
    pub by_cells: Vec<Point>,
    /// Batches of several sizes, states of one.
    pub by_batch: Vec<Point>,
}

/// One measurement.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Point {
    pub cells: u64,
    /// Calls of a batch.
    pub batch: u64,
    /// Calls that were measured.
    pub calls: u64,
    /// Calls per second.
    pub t0: u64,
    /// Calls per second, with the root.
    pub t1: u64,
    /// Nanoseconds per call.
    pub execute_ns: u64,
    /// Nanoseconds per call.
    pub root_ns: u64,
}

/// At least so many calls are measured at each point.
const CALLS: usize = 100_000;

pub(super) fn measure(sizes: Sizes, progress: &mut Progress) -> Result<Scaling, Failure> {
    let (states, batches): (&[u32], &[usize]) = match sizes.quick {
        true => (&[1_000, 10_000, 100_000], &[100, 1_000, 10_000]),
        false => (
            &[10_000, 100_000, 1_000_000, 10_000_000],
            &[1_000, 10_000, 100_000, 1_000_000],
        ),
    };
    let mut point = |accounts, batch| {
        let what = format!("scaling: {accounts} cells, batches of {batch}");
        progress.show(&what, 0, 1);
        measured(accounts, batch, sizes)
    };
    let by_cells: Result<_, _> = states.iter().map(|n| point(*n, sizes.batch)).collect();
    let by_batch: Result<_, _> = batches.iter().map(|n| point(sizes.accounts, *n)).collect();
    Ok(Scaling {
        workload: Kind::Transfers,
        by_cells: by_cells?,
        by_batch: by_batch?,
    })
}

/// One point. The first batch isn't measured; then the engine is warmed up, as for T0 and T1.
fn measured(accounts: u32, batch: usize, sizes: Sizes) -> Result<Point, Failure> {
    let least = if sizes.quick { CALLS / 10 } else { CALLS };
    let count = least.div_ceil(batch).max(1);
    let load = unsigned(Kind::Transfers, accounts, sizes.seed, batch, 1 + count)?;
    let machine = Machine::new(&load.contract).map_err(internal)?;
    let mut fast = Fast::new(&machine, &load.genesis, sizes.threads)?;
    for (n, calls) in load.batches.iter().enumerate() {
        let height = Height(HEIGHT.0.saturating_add(n as u32));
        fast.batch(calls, height, false, n > 0)?;
        if n == 0 {
            warm(&load, sizes.seed, &mut [&mut fast])?;
        }
    }
    let calls = (batch * count) as u64;
    let run = fast.seconds.prepare + fast.seconds.execute;
    let each = |seconds: f64| (seconds * 1e9 / calls as f64) as u64;
    Ok(Point {
        cells: load.genesis.len() as u64,
        batch: batch as u64,
        calls,
        t0: rate(calls, run),
        t1: rate(calls, run + fast.seconds.root),
        execute_ns: each(run),
        root_ns: each(fast.seconds.root),
    })
}
