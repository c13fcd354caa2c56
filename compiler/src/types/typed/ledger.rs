//! What only ledgers have.

use super::{Block, Expr, Step};
use crate::syntax::ast::BinaryOp;
use crate::types::ty::{StructTy, Ty};
use crate::word::Span;
use std::sync::Arc;

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// The hidden field of the state that counts how much of it there is.
    pub supply: usize,
}

/// A field of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Types of the keys, outermost map first; empty if it isn't a map.
    pub keys: Vec<Ty>,
    /// Type of what stands under a key.
    pub ty: Ty,
    /// Number of the first of its families of cells; see [`Ty::leaves`].
    pub family: u16,
    /// Whether the source doesn't declare it: the supply of an asset.
    pub hidden: bool,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDef {
    /// Where the name stands.
    pub span: Span,
    /// Its name and its fields.
    pub of: Arc<StructTy>,
}

/// An entry. Its arguments are its first variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Names and types of its arguments.
    pub arguments: Vec<(String, Ty)>,
    /// Who signs a call, in order.
    pub signers: Vec<Signer>,
    /// The assets that it creates.
    pub mints: Vec<usize>,
    /// The assets that it destroys.
    pub burns: Vec<usize>,
    /// Its variables.
    pub locals: Vec<super::Local>,
    /// Its body.
    pub body: Block,
}

/// Whose signature a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Of the key in this argument.
    Argument(usize),
    /// Of the key in this parameter.
    Param(usize),
}

/// What holds between any two calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantDef {
    /// The condition.
    pub condition: Expr,
    /// How many variables it has.
    pub locals: usize,
    /// The whole.
    pub span: Span,
}

/// A place in the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The field.
    pub field: usize,
    /// The keys, as many as the field has; fewer only where a mistake was reported.
    pub keys: Vec<Key>,
    /// The word of the value at which the place begins.
    pub at: usize,
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// This one.
    Of(Expr),
    /// `_`: each, in invariants and tests.
    Each,
}

/// `place op= value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The place.
    pub place: Place,
    /// The way from there to the part, outermost first.
    pub path: Vec<Step>,
    /// The operator before `=`, and its place.
    pub op: Option<BinaryOp>,
    /// The right side.
    pub value: Expr,
    /// Type of the part.
    pub ty: Ty,
    /// Type of the place.
    pub of: Ty,
    /// The whole.
    pub span: Span,
}

/// What is computed over all keys of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The sum of integers, amounts or vaults, as a `u128`.
    Sum,
    /// How many aren't zero, as a `u64`.
    Count,
}

/// A line of a test of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestLine {
    /// A condition.
    Assert(Expr, Span),
    /// Gives a variable its value.
    Let(usize, Expr),
    /// A call.
    Call(TestCall),
    /// Gives variables the parts of a tuple, by order.
    LetParts(Vec<usize>, Expr),
    /// Gives a variable another value.
    Assign(usize, Expr),
    /// One of two ways.
    If(Expr, Vec<TestLine>, Vec<TestLine>),
    /// Gives a variable each element of an array.
    ForEach(usize, Expr, Vec<TestLine>),
    /// Counts a variable through a range.
    For {
        /// The variable.
        local: usize,
        /// The first value.
        from: Expr,
        /// The last, or one past it.
        to: Expr,
        /// Whether `to` is included.
        inclusive: bool,
        /// What is repeated.
        lines: Vec<TestLine>,
    },
}

/// A call in a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCall {
    /// The entry.
    pub entry: usize,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// Who signs.
    pub signers: Vec<Expr>,
    /// The height of the block.
    pub height: Option<Expr>,
    /// The error that is expected.
    pub fails: Option<String>,
    /// Events that are expected: each with the places and values of some fields.
    pub emits: Vec<(usize, Vec<(usize, Expr)>)>,
    /// Whether it may fail as well.
    pub tries: bool,
    /// The whole.
    pub span: Span,
}
