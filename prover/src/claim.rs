//! What an operator claims of a batch.

use gavel_compiler::ledger::Root;
use serde::{Deserialize, Serialize};

/// That these calls, at this height, lead from one root to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The batch's number; the first of a ledger is 1.
    pub batch: u64,
    /// The height of the block that its calls run at.
    pub height: u32,
    /// How many calls it has.
    pub calls: u64,
    /// The digest of the calls in their order: the root of the tree of their digests.
    pub digest: Root,
    /// The state's root before.
    pub before: Root,
    /// The state's root after.
    pub after: Root,
}
