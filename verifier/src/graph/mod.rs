//! The pre-signed transactions of a deployment: all of `docs/protocol.md`, one file each.
//!
//! **Invariants:** values add up in every transaction; every output is above dust; every
//! transaction is standard; sizes are those of the finished transactions.

mod build;
mod dispute;
mod fund;
mod name;
mod own;
mod planned;
mod settle;
mod withdraw;

pub use build::{Amounts, Graph};
pub use name::{ClaimId, DisputeId, Held, Permit, Role, TxName};
pub use own::Spendable;
pub use planned::{
    ANCHOR, DUST, FinishError, Input, Output, Planned, Proof, Signer, Spend, TRUC_LIMIT,
};
