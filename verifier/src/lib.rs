//! Gavel's verifier: parties, commitments, the pre-signed transaction graph and the dispute
//! game.
//!
//! ```text
//! contract + terms ─ deploy ─ graph ─ sign ─ game ─ run ─ chain
//! ```
//!
//! **Invariants:** everything but `run` and `chain` is free of I/O, clocks and threads' order;
//! two parties with the same contract, terms and messages derive the same txids; nothing is
//! signed that was not recomputed. Knows no prover: a [`run::Prover`] answers the duty to
//! compute a trace.

pub mod chain;
pub mod connector;
pub mod deploy;
pub mod game;
pub mod graph;
pub mod run;
pub mod sample;
pub mod setup;
pub mod sign;
