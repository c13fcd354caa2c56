//! Games on a real node: tables of parties, adversaries, scenarios, balance sheets.
//!
//! For people who write integration tests: load a contract, seat its parties at a node of
//! their own, let some of them cheat, play to the end, read the sheet.
//!
//! **Invariant:** everything dishonest in Gavel is in this crate, behind the seam that the
//! honest party also stands behind ([`gavel_verifier::game::Player`]).

pub mod built;
pub mod explore;
pub mod game;
pub mod rogue;
pub mod scenario;
pub mod sheet;
pub mod simple;
pub mod stage;
pub mod table;

pub use built::Built;
pub use game::{Game, PlayError, Report};
pub use rogue::Rogue;
pub use sheet::Due;
pub use simple::Play;
pub use stage::{Case, LoadError, Options, Stage};
pub use table::Table;
