//! Random ledgers and real ones, signatures for workloads, and engines beside the reference.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

pub mod check;
pub mod random;
pub mod real;
pub mod signing;
