//! Gavel's compiler: contract source in; word IR, segments, Bitcoin Script and taproot
//! trees out.
//!
//! ```text
//! sources ─ syntax ─ link ─ types ─ word ─ segment ─ script ─ tap ─ artifact
//! ```
//!
//! **Invariants:** no I/O, no clock, no randomness; every output is a function of the source,
//! the parameters and the [`Options`], on any machine and with any number of threads.
//! Knows no node, keeps no key that could sign, and knows none of the other crates.

pub mod artifact;
pub mod bench_ops;
pub mod commit;
pub mod contract;
pub mod diagnostic;
pub mod format;
pub mod front;
pub mod ledger;
mod link;
pub mod listing;
pub mod people;
pub mod script;
pub mod segment;
pub mod sources;
pub mod syntax;
pub mod tap;
pub mod testing;
pub mod types;
pub mod units;
pub mod value;
pub mod word;

pub use artifact::{Artifact, Compiled, Options, compile};
pub use front::{Checked, check, instantiate};
pub use sources::Sources;
pub use testing::run_tests;
