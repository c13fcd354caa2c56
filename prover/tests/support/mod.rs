//! What several tests use.

#![allow(dead_code, reason = "each test uses some of it")]

pub mod random;
pub mod signing;
