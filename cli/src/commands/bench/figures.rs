//! What was measured of a workload.

use std::time::Duration;

use gavel_prover::engine::Report;
use gavel_prover::workload::Kind;
use serde::Serialize;

use super::disk::Durable;

/// What the steps took, in seconds, over all measured batches.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Seconds {
    /// Looking at calls: entries and arguments.
    pub prepare: f64,
    /// Running them: from there to receipts and changed cells.
    pub execute: f64,
    /// The new root.
    pub root: f64,
    /// Checking the signatures, one by one.
    pub signatures: f64,
    /// Checking them in bundles.
    pub bundles: f64,
    /// The same, with keys that were seen before.
    pub known: f64,
    /// All of it by an operator, whose batches overlap, with every batch on the disk.
    pub durable: Option<Durable>,
}

/// Calls per second of one way to run them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Side {
    /// Execution.
    pub t0: u64,
    /// And the new root.
    pub t1: u64,
    /// And a signature for each signer of a call, checked one by one.
    pub t2: u64,
    /// The same, checked in bundles.
    pub t2_bundled: u64,
    /// The same, of signers who have signed before.
    pub t2_known: u64,
    /// The same, and everything on the disk; of the engine on all threads only.
    pub t3: Option<u64>,
    /// What that is computed from.
    pub seconds: Seconds,
}

impl Side {
    pub fn new(calls: u64, seconds: Seconds) -> Self {
        let run = seconds.prepare + seconds.execute;
        Self {
            t0: rate(calls, run),
            t1: rate(calls, run + seconds.root),
            t2: rate(calls, run + seconds.root + seconds.signatures),
            t2_bundled: rate(calls, run + seconds.root + seconds.bundles),
            t2_known: rate(calls, run + seconds.root + seconds.known),
            t3: seconds.durable.map(|disk| rate(calls, disk.all)),
            seconds,
        }
    }
}

/// One workload.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub workload: Kind,
    /// Calls that were measured.
    pub calls: u64,
    /// Of these, those that changed the state.
    pub done: u64,
    pub signatures_per_call: f64,
    /// Cells of the state before the first batch.
    pub cells: u64,
    /// Cells that each batch changed, on average.
    pub changed: u64,
    /// T0 of the first batch, on all threads: all its cells are new to the engine.
    pub cold: u64,
    /// The plain interpreter on one thread; its root and signatures are the engine's on one.
    pub plain: Side,
    /// The engine on one thread.
    pub one: Side,
    /// The engine on all threads.
    pub all: Side,
    pub ratios: Ratios,
    /// How the engine on all threads ran the last batch.
    pub report: Report,
}

/// Execution alone, of runs that took turns.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Ratios {
    /// The engine on one thread, to the plain interpreter.
    pub one_to_plain: f64,
    /// The engine on all threads, to the plain interpreter.
    pub all_to_plain: f64,
    /// The engine on all threads, to itself on one.
    pub all_to_one: f64,
    /// What the root leaves of the rate: T1 to T0, on all threads.
    pub root: f64,
    /// What the disk leaves of it: T3 to T2 with bundles of known signers, as T3 has.
    pub durable: Option<f64>,
}

impl Ratios {
    pub fn new(plain: &Side, one: &Side, all: &Side) -> Self {
        let ratio = |a: u64, b: u64| a as f64 / b.max(1) as f64;
        Self {
            one_to_plain: ratio(one.t0, plain.t0),
            all_to_plain: ratio(all.t0, plain.t0),
            all_to_one: ratio(all.t0, one.t0),
            root: ratio(all.t1, all.t0),
            durable: all.t3.map(|t3| ratio(t3, all.t2_known)),
        }
    }
}

/// Things per second.
pub(super) fn rate(n: u64, seconds: f64) -> u64 {
    (n as f64 / seconds.max(1e-9)) as u64
}

/// What is left of a time, in seconds.
pub(super) fn beyond(time: Duration, without: Duration) -> f64 {
    time.saturating_sub(without).as_secs_f64()
}
