//! What only ledgers declare: state, assets, events, entries and invariants.

use super::{BinaryOp, Block, Expr, Name, Over, TestAssert, Type};
use crate::word::Span;

/// `state { balance: map<pubkey, u64> .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The word `state`.
    pub span: Span,
    /// Its fields.
    pub fields: Vec<StateField>,
    /// Whether each of them could be read.
    pub whole: bool,
}

/// `name: T`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateField {
    /// `///` lines above it.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
}

/// `event E { who: pubkey, .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `///` lines above it.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<(Name, Type)>,
}

/// `entry f(a: T) signed by a mints S burns S { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `///` lines above it.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// Arguments.
    pub arguments: Vec<(Name, Type)>,
    /// Who signs a call.
    pub signers: Vec<Name>,
    /// The assets that it creates.
    pub mints: Vec<Name>,
    /// The assets that it destroys.
    pub burns: Vec<Name>,
    /// Its body.
    pub body: Block,
}

/// `invariant condition`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    /// What holds between any two calls.
    pub condition: Expr,
    /// The whole.
    pub span: Span,
}

/// `with place = value, ..` for all tests of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct With {
    /// Places and values.
    pub places: Vec<(Expr, Expr)>,
    /// The whole, `///` lines above it included.
    pub whole: Span,
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestLine {
    /// `assert ..`
    Assert(TestAssert),
    /// `call f(..) as KEY`
    Call(TestCall),
    /// `let x = value`, `let mut x: T = value`
    Let {
        /// Whether it may be changed.
        mutable: bool,
        /// The name.
        name: Name,
        /// The type, if written.
        ty: Option<Type>,
        /// The value.
        value: Expr,
    },
    /// `let (x, y) = value`
    LetTuple(Vec<(bool, Name)>, Expr),
    /// `x = value`, `x += value`
    Assign {
        /// The variable.
        place: Expr,
        /// The operator before `=`.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
        /// The whole.
        span: Span,
    },
    /// `if condition { .. } else { .. }`
    If {
        /// The condition.
        condition: Expr,
        /// If it holds.
        then: Vec<TestLine>,
        /// If not.
        otherwise: Vec<TestLine>,
    },
    /// `for x in 0..5 { .. }`
    For {
        /// The variable.
        name: Name,
        /// Its type, if written.
        ty: Option<Type>,
        /// What it runs over.
        over: Over,
        /// What is repeated.
        lines: Vec<TestLine>,
    },
}

/// `call f(a, b) as KEY, KEY at height fails Error`, `try call f(a) emits E { x: 1 }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCall {
    /// The entry.
    pub entry: Name,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// Who signs.
    pub signers: Vec<Expr>,
    /// At which block.
    pub height: Option<Expr>,
    /// The error that is expected.
    pub fails: Option<Name>,
    /// Events that are expected, with some of their fields.
    pub emits: Vec<(Name, Vec<(Name, Expr)>)>,
    /// Whether it may fail as well.
    pub tries: bool,
    /// The whole.
    pub span: Span,
}
