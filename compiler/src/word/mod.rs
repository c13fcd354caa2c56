//! The word IR: what a contract means.
//!
//! One value type, the 32-bit word. A program is straight-line SSA: loops are unrolled and
//! branches if-converted by lowering, so an abort is an operation with a condition
//! ([`Op::AbortIf`]) and every operation is total. The first abort in program order whose
//! condition holds decides; a program without a fired abort ends in its outcome.
//!
//! An entry of a ledger is a [`Routine`]: the same operations, and [`StateOp`]s, that change
//! cells if no abort fires.
//!
//! [`interp`] is the reference for programs, [`ledger::execute`](crate::ledger::execute) for
//! routines; every other executor is checked against it.

pub mod access;
pub mod build;
mod cells;
pub mod interp;
pub mod ir;
pub mod legalise;
pub mod lower;
pub mod state;

pub use build::Builder;
pub use interp::{End, Execution, run};
pub use ir::{Abort, Author, InputElement, Inst, Op, Program, Routine, Span, Value};
pub use state::{Cell, Delta, StateOp};
