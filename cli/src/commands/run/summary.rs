//! What a run came to.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use gavel_compiler::ledger::Root;
use gavel_prover::engine::Report;
use gavel_prover::{About, Operator};
use serde::Serialize;

use super::feed::Feed;
use super::tally::Totals;

/// What a run came to, for scripts.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// The contract's name.
    pub contract: String,
    /// The contract's id.
    pub id: String,
    /// Batches that were run.
    pub batches: u64,
    /// The number of the last batch of the state.
    pub last_batch: u64,
    /// Calls of these batches.
    pub calls: u64,
    /// Calls that changed the state.
    pub done: u64,
    /// Calls that aborted.
    pub aborted: u64,
    /// Calls that were refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Lines or records that are no calls.
    pub undecodable: u64,
    /// Where the calls end half-way.
    pub cut: Option<String>,
    /// Signatures that were checked.
    pub signatures: u64,
    /// The root before.
    pub root_before: String,
    /// The root after.
    pub root_after: String,
    /// Cells of the state that aren't zero.
    pub cells: u64,
    /// Threads.
    pub threads: usize,
    /// From the first byte read to the last batch on the disk.
    pub seconds: f64,
    /// Calls in that time, per second.
    pub calls_per_second: u64,
    /// What each step took. They overlap, so together they are more than all.
    pub steps: Vec<Step>,
    /// How each batch was scheduled, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explain: Vec<Report>,
}

/// What one step of all batches took.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// Which.
    pub step: &'static str,
    /// How long.
    pub seconds: f64,
    /// Calls in that time, per second.
    pub calls_per_second: u64,
}

impl Summary {
    pub(super) fn new<R: Read>(
        operator: &Operator,
        about: &About,
        before: Root,
        took: Duration,
        totals: Totals,
        feed: &Feed<'_, R>,
    ) -> Self {
        let calls = totals.calls;
        let steps = totals.times.iter().filter(|(name, _)| !name.is_empty());
        let steps = steps.map(|(step, took)| Step {
            step,
            seconds: took.as_secs_f64(),
            calls_per_second: rate(calls, *took),
        });
        Self {
            contract: about.name.clone(),
            id: Root(about.interface.contract).to_string(),
            batches: totals.batches,
            last_batch: operator.last(),
            calls,
            done: totals.done,
            aborted: totals.aborted,
            refused: totals.refused,
            undecodable: totals.undecodable,
            cut: feed.cut().map(ToString::to_string),
            signatures: totals.signatures,
            root_before: before.to_string(),
            root_after: operator.root().to_string(),
            cells: operator.tree().cells(),
            threads: operator.threads(),
            seconds: took.as_secs_f64(),
            calls_per_second: rate(calls, took),
            steps: steps.collect(),
            explain: totals.reports,
        }
    }
}

fn rate(calls: u64, took: Duration) -> u64 {
    let seconds = took.as_secs_f64();
    if seconds > 0.0 {
        (calls as f64 / seconds) as u64
    } else {
        0
    }
}
