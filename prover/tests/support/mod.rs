//! What several tests use.

#![allow(dead_code, reason = "each test uses some of it")]

pub mod check;
pub mod random;
pub mod real;
pub mod signing;
