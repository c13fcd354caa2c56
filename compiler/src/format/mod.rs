//! One layout for every source: what `gavel fmt` does.
//!
//! ```text
//! source ─ pieces (tokens with their comments) ─ tree (brackets) ─ print
//! ```
//!
//! **Invariants:** tokens and comments stay as they are and in order, but for the last comma of
//! a list and a comment that moves behind the comma after it; the tree of the result is the tree
//! of the source; and laying a result out again changes nothing.
//! Stands on tokens and brackets. Of the grammar it knows only what the parser notes while it
//! parses ([`syntax::outline`]), so a language that grows needs little here.
//!
//! The rules: lines have up to [`WIDTH`] columns, and four spaces for each level. What stood on
//! one line stays on one line if it fits: a block with one statement, a `match`, a list. A list
//! that is broken over lines keeps its rows, or has one element a line if that was not so or a
//! row is too long; it ends with a comma if it has more than one element. A long line breaks before
//! its operators that bind least, then inside its brackets. Up to one blank line stays between
//! lines. Comments stay where they are.

mod piece;
mod print;
mod tree;

use crate::diagnostic::Diagnostic;
use crate::syntax;

/// Columns of a line, where it can be broken. Comments aren't.
pub const WIDTH: usize = 100;

/// How often a source is laid out at most, until nothing changes.
const MAX_PASSES: usize = 16;

/// The source, laid out.
///
/// # Errors
/// What keeps the source from being parsed.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let mut text = once(source)?;
    // What is broken here because it is too long looks the next time as if the author had broken
    // it, and then what stands around it may be broken too: only ever more, so this ends.
    for _ in 0..MAX_PASSES {
        let next = once(&text)?;
        if next == text {
            break;
        }
        text = next;
    }
    Ok(text)
}

fn once(source: &str) -> Result<String, Vec<Diagnostic>> {
    let outline = syntax::outline(source)?;
    let pieces = piece::pieces(source, &outline);
    Ok(print::print(&tree::file(pieces)))
}
