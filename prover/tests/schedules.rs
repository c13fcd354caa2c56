//! Every order in which workers can come is as good as any other: batches of random ledgers under
//! schedules that shuttle draws, with a switch of workers possible at every access to a shared
//! word, against the reference.
//!
//! `cargo test -p gavel-prover --features shuttle --test schedules`; `GAVEL_CASES=10000` tries that
//! many ledgers.

#![cfg(feature = "shuttle")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod differ;

use differ::check::Checked;
use differ::random::{CONTRACT, Scenario};
use gavel_prover::Machine;
use gavel_prover::engine::{Prepared, Signatures};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Random ledgers, and schedules for each.
const CASES: u64 = 250;
const SCHEDULES: usize = 12;

/// What was seen, so that the test can't pass without having tried anything.
#[derive(Default)]
struct Seen {
    in_parallel: AtomicU64,
    deferred: AtomicU64,
    sums: AtomicU64,
    components: AtomicU64,
}

fn compare(scenario: &Scenario, seen: &Seen) {
    let machine = Machine::from_entries(CONTRACT, scenario.entries()).unwrap();
    let mut checked = Checked::new(&machine, &scenario.state);
    for (batch, outcome) in scenario.batches.iter().zip(scenario.reference()) {
        let prepared = Prepared::new(&machine, batch.calls.clone(), Signatures::Check);
        let reports = checked.batch(&prepared, batch.height, &outcome).unwrap();
        for report in reports {
            let parallel = u64::from(report.in_order.is_none());
            seen.in_parallel.fetch_add(parallel, Ordering::Relaxed);
            seen.deferred.fetch_add(report.deferred, Ordering::Relaxed);
            seen.sums.fetch_add(report.sums, Ordering::Relaxed);
            seen.components
                .fetch_add(report.components, Ordering::Relaxed);
        }
    }
}

#[test]
fn no_schedule_changes_what_a_batch_does() {
    // Shuttle's tasks all live on this thread, and so must everything that they call.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread();
    let _pool = pool.build().unwrap();
    let asked = std::env::var("GAVEL_CASES").ok();
    let cases = asked.and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let seen = Arc::new(Seen::default());
    for seed in 0..cases {
        let scenario = Arc::new(Scenario::new(seed));
        let noted = Arc::clone(&seen);
        shuttle::check_random(move || compare(&scenario, &noted), SCHEDULES);
    }
    let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
    let (parallel, deferred) = (count(&seen.in_parallel), count(&seen.deferred));
    let (sums, components) = (count(&seen.sums), count(&seen.components));
    println!(
        "{parallel} batches in parallel, {deferred} calls deferred, {sums} sums, {components} components"
    );
    assert!(parallel > 10 * cases && deferred > cases && sums > cases && components > cases);
}
