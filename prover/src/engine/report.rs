//! How a batch was scheduled, for people who want to know why it was as fast as it was.

use serde::Serialize;
use std::time::Duration;

/// How a batch was run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Calls.
    pub calls: u64,
    /// Calls that ran.
    pub admitted: u64,
    /// Of these, calls of entries whose cells all follow from the arguments, and that touch all of
    /// them.
    pub exact: u64,
    /// Calls of entries that may leave some of those cells untouched.
    pub superset: u64,
    /// Calls of entries with a cell that depends on what another holds.
    pub dynamic: u64,
    /// Cells that calls may touch, without nonces.
    pub cells: u64,
    /// Cells that are only added to and subtracted from, by more than one call, in any order.
    pub sums: u64,
    /// Cells at which calls wait for each other.
    pub conflicts: u64,
    /// Groups of more than one call that depend on each other.
    pub components: u64,
    /// Calls in the group that takes longest: the critical path.
    pub longest: u64,
    /// What that group takes, in thousandths of what all calls take.
    pub longest_share: u64,
    /// Pieces of work that threads took.
    pub tasks: u64,
    /// Calls that touched another cell than was foreseen, or came after one that did: they ran
    /// again, at the end and in order.
    pub deferred: u64,
    /// Why everything was run in order, if it was.
    pub in_order: Option<InOrder>,
    /// Finding cells and planning.
    pub schedule: Duration,
    /// Running calls, and giving cells their new values.
    pub execute: Duration,
    /// Bringing changes into the order of their paths, for the tree.
    pub sort: Duration,
}

/// Why a batch was run in order, on one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InOrder {
    /// There is one thread.
    OneThread,
    /// Most of the work is one group of calls that depend on each other.
    Dependent,
    /// The batches before were like that, and this one wasn't looked at.
    Expected,
    /// Sums that were thought to fit in any order didn't.
    Sums,
    /// A call touched a cell that a later one had touched before.
    Foreseen,
}
