//! Text to tree.
//!
//! **Invariants:** any text gives a tree and diagnostics, never a panic; nesting is limited, so
//! whoever walks a tree can recurse. Knows names only as text: what they mean is decided by
//! [`crate::types`].

pub mod ast;
pub(crate) mod lexer;
mod parser;
pub(crate) mod token;

pub use parser::{MAX_DEPTH, parse};
pub(crate) use parser::{MAX_SOURCE, Outline, imports, outline, parse_at};
