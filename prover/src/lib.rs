//! Gavel's prover: runs contracts off-chain.
//!
//! Of a contract over a coin, it runs `settle` and gives the [`trace`] that a claimer signs and a
//! challenger compares. Of a ledger, it runs batches of calls in parallel, and gives receipts, a
//! new state, its root, and a [`Claim`]: exactly what running the calls one after another with
//! [`gavel_compiler::ledger`] gives, only faster. `docs/prover.md` says how.
//!
//! Knows no transaction and no secret key.
#![forbid(unsafe_code)]

mod about;
mod backing;
pub mod calls;
mod changes;
mod claim;
pub mod engine;
pub mod operator;
mod place;
pub mod signatures;
pub mod store;
mod sync;
mod trace;
pub mod tree;
pub mod workload;

pub use about::{About, AboutError, Param};
pub use backing::{Backing, EachCell, InMemory, Ranged, Span};
pub use changes::{Change, Changes};
pub use claim::Claim;
pub use engine::{Engine, Machine, Receipts};
pub use operator::{Operator, Settings};
pub use place::{Located, PlaceError};
pub use trace::trace;
