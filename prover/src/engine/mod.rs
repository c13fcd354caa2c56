//! Runs batches of calls in parallel, with the results of running them in order.
//!
//! A batch goes through these, in this order:
//!
//! | file | what |
//! |---|---|
//! | `prepare` | what can be said without the state: arguments, signatures |
//! | `sites` | the cells that each call touches, found in memory or brought there |
//! | `number` | nonces; numbers for cells; what the batch does to each cell |
//! | `schedule` | which cells are sums, which calls depend on each other, who runs what |
//! | `workers` | the calls, side by side, in place |
//! | `batch` | what was deferred, in order; then the cells' new values |
//!
//! `code` and `run` are the bytecode; `cells` holds cells from batch to batch, `work` those of the
//! batch that runs.
//!
//! **Invariant:** whatever the schedule, receipts, events and cells are those of
//! [`gavel_compiler::ledger::Ledger`] on the same calls.

mod batch;
mod cells;
mod code;
mod hashes;
mod machine;
mod number;
mod prepare;
mod receipt_bytes;
mod receipts;
mod report;
mod run;
mod schedule;
mod sites;
mod table;
mod work;
mod workers;

pub use batch::{Engine, Executed};
pub use machine::Machine;
pub use prepare::{Prepared, Signatures};
pub use receipt_bytes::ReceiptBytesError;
pub use receipts::{Receipts, Tally};
pub use report::{InOrder, Report};

/// Why a batch can't be run. Nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError<E> {
    /// Cells can't be read.
    #[error("cells can't be read: {0}")]
    Backing(E),
    /// There are more cells than can be numbered.
    #[error("the batch touches more cells than fit in memory: take smaller batches")]
    TooLarge,
}
