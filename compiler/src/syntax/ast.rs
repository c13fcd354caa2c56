//! The tree of a source, names still text.
//!
//! Where the parser could not make sense of something, the tree has an `Error` in its place,
//! and a diagnostic says why.

mod ledger;

pub use ledger::{Entry, Event, Invariant, State, StateField, TestCall, TestLine, With};

use crate::word::Span;
use std::collections::BTreeSet;

/// A name where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A file: one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// `///` lines above it.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// What it declares, in order.
    pub items: Vec<Item>,
    /// Every word of items that couldn't be read: what they would have declared isn't known.
    pub unread: BTreeSet<String>,
    /// Whether every bracket has its partner; if not, nobody knows what stands inside what.
    pub balanced: bool,
    /// From `contract` to `}`.
    pub span: Span,
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `param x: T where ..`
    Param(Param),
    /// `enum E { A, B }`
    Enum(Enum),
    /// `struct S { a: T, b: T }`
    Struct(Struct),
    /// `error A, B`
    Errors(Vec<Name>),
    /// `const N: T = ..`
    Const(Const),
    /// `fn f(..) -> T { .. }`
    Function(Function),
    /// `settle(..) -> Outcome { .. }`
    Settle(Settle),
    /// `coin c { .. }`
    Coin(Coin),
    /// `asset A, B`
    Assets(Vec<Name>),
    /// `state { .. }`
    State(State),
    /// `event E { .. }`
    Event(Event),
    /// `entry f(..) signed by k { .. }`
    Entry(Entry),
    /// `invariant ..`
    Invariant(Invariant),
    /// `with place = value, ..`
    With(With),
    /// `test ".." { .. }` or `prop p(..) { .. }`
    Test(Test),
}

/// `param x: T where condition`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// `///` lines above it.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// What its value must meet.
    pub condition: Option<Expr>,
}

/// `enum E { A, B { x: T }, C(T) }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Its variants.
    pub variants: Vec<Variant>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: Name,
    /// Types of its data.
    pub data: Data<Type>,
}

/// What stands behind a variant's name: nothing, `{ x: .. }` or `(..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data<T> {
    /// Nothing.
    None,
    /// `{ x: T, y: T }`
    Named(Vec<(Name, T)>),
    /// `(T, T)`
    Tuple(Vec<T>),
}

/// `struct S { a: T, b: T }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struct {
    /// Its name.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<(Name, Type)>,
}

/// `const N: T = value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Const {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Its value.
    pub value: Expr,
}

/// `fn f(a: T) -> T { .. }`, `fn f(a: T) changes { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Arguments.
    pub arguments: Vec<(Name, Type)>,
    /// What it returns; `None` for nothing.
    pub returns: Option<Type>,
    /// Whether it changes the state.
    pub changes: bool,
    /// The assets that it creates.
    pub mints: Vec<Name>,
    /// The assets that it destroys.
    pub burns: Vec<Name>,
    /// Its body.
    pub body: Block,
}

/// `settle(x: T from alice) -> Outcome { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// The word `settle`.
    pub span: Span,
    /// Inputs.
    pub inputs: Vec<Input>,
    /// The outcomes.
    pub returns: Type,
    /// Its body.
    pub body: Block,
}

/// `x: T from alice`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Who vouches for it; absent where the source forgot (which is reported).
    pub from: Option<Name>,
}

/// `coin c { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its name.
    pub name: Name,
    /// `fund party: amount`
    pub fund: Vec<(Name, Expr)>,
    /// `pay OUTCOME { .. }`
    pub pay: Vec<Pay>,
    /// `refund after n blocks { .. }`
    pub refund: Vec<Refund>,
    /// Whether some line of it couldn't be read.
    pub broken: bool,
}

/// `pay A, B { party: amount, .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    /// Under which outcomes.
    pub outcomes: Vec<Name>,
    /// Who gets what.
    pub arms: Vec<Arm>,
    /// The whole.
    pub span: Span,
}

/// `refund after n blocks { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// After how many blocks.
    pub after: Expr,
    /// Who gets what.
    pub arms: Vec<Arm>,
    /// The whole.
    pub span: Span,
}

/// `party: amount`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// Who.
    pub party: Name,
    /// How much; `None` for `rest`.
    pub amount: Option<Expr>,
    /// The whole.
    pub span: Span,
}

/// `test "name" { .. }` or `prop name(..) { .. }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What it is about.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What a `prop` holds for; `None` for a `test`.
    pub variables: Option<Vec<Variable>>,
    /// `with place = value, ..`: a parameter, or a place of the state.
    pub with: Vec<(Expr, Expr)>,
    /// What it does and says.
    pub lines: Vec<TestLine>,
    /// The whole, `///` lines above it included.
    pub whole: Span,
}

/// `x in 1..10`, `x: u8 in 1..10` or `x: bytes<32>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// Its type, if written.
    pub ty: Option<Type>,
    /// Its values, unless all of the type.
    pub range: Option<Range>,
}

/// `from..to` or `from..=to`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// First value.
    pub from: Expr,
    /// Last, or one past it.
    pub to: Expr,
    /// Whether `to` is included.
    pub inclusive: bool,
}

/// `assert condition` or `assert settle(args) fails Error`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestAssert {
    /// What must hold, or what must abort. It may call `settle`.
    pub condition: Expr,
    /// The error that is expected.
    pub fails: Option<Name>,
    /// The whole.
    pub span: Span,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Which.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// Which type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// `u8`
    Named(Name),
    /// `bytes<N>`
    Bytes(Box<Expr>),
    /// `Option<T>`
    Option(Box<Type>),
    /// `attestor<T>`
    Attestor(Box<Type>),
    /// `[T; N]`
    Array(Box<Type>, Box<Expr>),
    /// `(T, U)`
    Tuple(Vec<Type>),
    /// `map<K, V>`
    Map(Box<Type>, Box<Type>),
    /// `vault<A>`
    Vault(Name),
    /// Not readable.
    Error,
}

/// `{ statements value }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Statements.
    pub statements: Vec<Statement>,
    /// The expression at the end, if there is one.
    pub value: Option<Box<Expr>>,
    /// How deep its deepest expression is.
    pub depth: u16,
    /// From `{` to `}`.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which.
    pub kind: StatementKind,
    /// Where.
    pub span: Span,
}

/// Which statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `let mut x: T = value`
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
    /// `let (x, mut y) = value`
    LetTuple {
        /// The names, and which may be changed.
        names: Vec<(bool, Name)>,
        /// The value.
        value: Expr,
    },
    /// `place = value`, `place += value`
    Assign {
        /// What is changed.
        place: Expr,
        /// The operator before `=`.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
    },
    /// `require condition else Error`
    Require {
        /// What must hold.
        condition: Expr,
        /// The error if it doesn't.
        error: Name,
    },
    /// `assert condition`
    Assert(Expr),
    /// `for x in from..to { .. }`
    For {
        /// The variable.
        name: Name,
        /// Its type, if written.
        ty: Option<Type>,
        /// What it runs over.
        over: Over,
        /// The body.
        body: Block,
    },
    /// `emit E { a, b: c }`
    Emit(Name, Vec<(Name, Expr)>),
    /// An expression for its effect.
    Expr(Expr),
}

/// What a loop runs over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// `from..to` or `from..=to`
    Range {
        /// First value.
        from: Expr,
        /// Last, or one past it.
        to: Expr,
        /// Whether `to` is included.
        inclusive: bool,
    },
    /// The elements of an array.
    Elements(Expr),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
    /// How deep the tree below it is, at least; at most [`super::MAX_DEPTH`].
    pub depth: u16,
}

/// Which expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `12`
    Number(u64),
    /// `12 sats`
    Sats(u64),
    /// `true`
    Bool(bool),
    /// `b"yes"`, `hex"00"`
    Bytes(Vec<u8>),
    /// `x`
    Name(String),
    /// `E::A`, `E::A { x: a }` or `E::A(a)`
    Path(Name, Name, Data<Expr>),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `[a; n]`
    Repeat(Box<Expr>, Box<Expr>),
    /// `!a`
    Not(Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Span, Box<Expr>, Box<Expr>),
    /// `a as T`
    As(Box<Expr>, Type),
    /// `a[i]`
    Index(Box<Expr>, Box<Expr>),
    /// `a.x`, `a.0`
    Field(Box<Expr>, Name),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `S { x: a, y }`, also where `S` is a variant
    Struct(Name, Vec<(Name, Expr)>),
    /// `f(a)`
    Call(Name, Vec<Expr>),
    /// `a.m(b)`
    Method(Box<Expr>, Name, Vec<Expr>),
    /// `if c { .. } else { .. }`
    If {
        /// The condition.
        condition: Box<Condition>,
        /// If it holds.
        then: Block,
        /// If not.
        otherwise: Option<Block>,
    },
    /// `match a { p => e, .. }`
    Match(Box<Expr>, Vec<MatchArm>),
    /// `{ .. }`
    Block(Block),
    /// `return a`
    Return(Option<Box<Expr>>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// Not readable.
    Error,
}

/// What an `if` decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A `bool`.
    Bool(Expr),
    /// `let pattern = value`
    Let(Pattern, Expr),
}

/// `pattern => value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchArm {
    /// What it matches.
    pub pattern: Pattern,
    /// The value.
    pub value: Expr,
}

/// What a match arm or `if let` matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Which.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// Which pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternKind {
    /// `_`
    Any,
    /// `12`, `true`
    Literal(ExprKind),
    /// `A`, `Some(x)`, `E::A { x, y: _, .. }`
    Variant(VariantPattern),
}

/// A variant and names for its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantPattern {
    /// The enum, if written.
    pub of: Option<Name>,
    /// The variant.
    pub name: Name,
    /// Names for its data; `None` for `_`.
    pub data: Data<Option<Name>>,
    /// Whether `..` leaves the rest of the data out.
    pub rest: bool,
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
    And,
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::Shl => "<<",
            Self::Shr => ">>",
            Self::And => "&&",
            Self::Or => "||",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// The operator written like this.
    pub(crate) fn from_symbol(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.symbol() == text)
    }

    /// How strongly it binds; higher binds first. Comparisons don't chain.
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => 3,
            Self::BitOr => 4,
            Self::BitXor => 5,
            Self::BitAnd => 6,
            Self::Shl | Self::Shr => 7,
            Self::Add | Self::Sub => 8,
            Self::Mul | Self::Div | Self::Rem => 9,
        }
    }

    const ALL: [Self; 18] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Rem,
        Self::BitAnd,
        Self::BitOr,
        Self::BitXor,
        Self::Shl,
        Self::Shr,
        Self::And,
        Self::Or,
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
    ];
}
