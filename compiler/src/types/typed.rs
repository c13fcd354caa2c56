//! The typed program: names are resolved, every expression has a type, every implicit
//! conversion is written out.
//!
//! **Invariant:** where the checker reported no error, no [`Ty::Error`] and no
//! [`ExprKind::Error`] is left, every index is in range, and [`crate::word::lower`] accepts
//! the program unless it is too large.

mod ledger;

pub use ledger::{
    Aggregate, AssetDef, EntryDef, EventDef, InvariantDef, Key, Place, Signer, StateDef, Store,
    TestCall, TestLine,
};

use super::ty::Ty;
use crate::syntax::ast::BinaryOp;
use crate::word::{Author, Span};

/// A contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Enums.
    pub enums: Vec<EnumDef>,
    /// Errors.
    pub errors: Vec<ErrorDef>,
    /// Parameters, parties and attestors among them.
    pub params: Vec<ParamDef>,
    /// Indices of the parameters that are parties.
    pub parties: Vec<usize>,
    /// Indices of the parameters that are attestors.
    pub attestors: Vec<usize>,
    /// Constants.
    pub consts: Vec<ConstDef>,
    /// Functions.
    pub fns: Vec<FnDef>,
    /// `settle`.
    pub settle: Option<Settle>,
    /// The coin.
    pub coin: Option<CoinDef>,
    /// Assets.
    pub assets: Vec<AssetDef>,
    /// Fields of the state.
    pub state: Vec<StateDef>,
    /// Events.
    pub events: Vec<EventDef>,
    /// Entries; a contract that has some is a ledger.
    pub entries: Vec<EntryDef>,
    /// Invariants.
    pub invariants: Vec<InvariantDef>,
    /// Tests.
    pub tests: Vec<TestDef>,
}

impl Contract {
    /// Whether calls of entries change a state, instead of `settle` deciding over a coin.
    pub fn is_ledger(&self) -> bool {
        !self.entries.is_empty()
    }
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its variants.
    pub variants: Vec<String>,
}

/// An error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What it is.
    pub ty: ParamTy,
    /// What its value must meet.
    pub condition: Option<Expr>,
}

/// What a parameter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamTy {
    /// A party, by its index among the parties.
    Party(u8),
    /// An attestor of values of this type, by its index among the attestors.
    Attestor(u8, Ty),
    /// A value.
    Value(Ty),
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its type.
    pub ty: Ty,
    /// How it is computed.
    pub value: Expr,
    /// Its words, unless they depend on a parameter.
    pub words: Option<Vec<u32>>,
}

/// A variable of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its type.
    pub ty: Ty,
    /// Whether it may be changed.
    pub mutable: bool,
    /// Whether its value is known when compiling (loops are unrolled).
    pub constant: bool,
}

/// A function. Its arguments are its first variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FnDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Types of the arguments.
    pub arguments: Vec<Ty>,
    /// What it returns.
    pub returns: Ty,
    /// Whether it changes the state.
    pub changes: bool,
    /// The assets that it creates.
    pub mints: Vec<usize>,
    /// The assets that it destroys.
    pub burns: Vec<usize>,
    /// Its variables.
    pub locals: Vec<Local>,
    /// Its body.
    pub body: Block,
}

/// `settle`. Its inputs are its first variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// Where the word stands.
    pub span: Span,
    /// Inputs.
    pub inputs: Vec<Input>,
    /// Index of the enum of outcomes.
    pub outcomes: usize,
    /// Its variables.
    pub locals: Vec<Local>,
    /// Its body.
    pub body: Block,
}

/// An input of `settle`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its type.
    pub ty: Ty,
    /// Who vouches for it.
    pub author: Author,
}

/// A coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinDef {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Who funds it: index of the party, amount.
    pub fund: Vec<(u8, Expr)>,
    /// Whether that is all of what the source says, so that it can be summed up.
    pub funded: bool,
    /// Who is paid, by outcome index; `None` where that was forgotten.
    pub pay: Vec<Option<ArmList>>,
    /// After how many blocks the refund may be broadcast.
    pub refund_after: Expr,
    /// Who is paid by the refund.
    pub refund: ArmList,
}

/// Who is paid what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmList {
    /// Where it stands.
    pub span: Span,
    /// The payments.
    pub arms: Vec<ArmDef>,
    /// Whether that is all of what the source says, so that it can be summed up.
    pub complete: bool,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmDef {
    /// Index of the party.
    pub party: u8,
    /// The amount; `None` for the rest.
    pub amount: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// A test or a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestDef {
    /// What it is about.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What a property holds for; `None` for a test. They are the first variables.
    pub variables: Option<Vec<Variable>>,
    /// How many variables its expressions have together.
    pub locals: usize,
    /// Whether some of its last variables are parameters that it doesn't give: cases whose values
    /// their `where` refuses don't count.
    pub draws_params: bool,
    /// Values of parameters.
    pub with: Vec<(usize, Expr)>,
    /// What must hold, of a contract that settles a coin.
    pub asserts: Vec<TestAssert>,
    /// What the state holds at first, of a ledger: places, their types, and values.
    pub state: Vec<(Place, Ty, Expr)>,
    /// What is done and must hold, of a ledger.
    pub lines: Vec<TestLine>,
}

/// A variable of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its type.
    pub ty: Ty,
    /// The first and the last value, unless all of the type.
    pub range: Option<[u64; 2]>,
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestAssert {
    /// Where it stands.
    pub span: Span,
    /// What must hold.
    pub claim: Claim,
}

/// What a line of a test says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// `settle` gives this outcome for these inputs.
    Gives(Vec<Expr>, Expr),
    /// `settle` aborts with this error for these inputs.
    Fails(Vec<Expr>, String),
    /// This call aborts with this error.
    Aborts(Expr, String),
    /// A `bool`.
    Holds(Expr),
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Statements.
    pub statements: Vec<Statement>,
    /// The value at its end.
    pub value: Option<Box<Expr>>,
    /// Type of the value; [`Ty::Never`] if the end is never reached.
    pub ty: Ty,
    /// From `{` to `}`.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Gives a variable its first value.
    Let(usize, Expr),
    /// Gives variables the parts of a tuple, by order.
    LetParts(Vec<usize>, Expr),
    /// Changes a variable, or a part of it.
    Assign {
        /// The variable.
        local: usize,
        /// The way to the part, outermost first.
        path: Vec<Step>,
        /// The operator before `=`, and its place.
        op: Option<BinaryOp>,
        /// The right side.
        value: Expr,
        /// Type of the place.
        ty: Ty,
        /// The whole.
        span: Span,
    },
    /// Aborts with the error unless the condition holds.
    Require {
        /// The condition.
        condition: Expr,
        /// Index of the error; `None` for `assert`.
        error: Option<usize>,
        /// The whole.
        span: Span,
    },
    /// Counts a variable through a range.
    For {
        /// The variable.
        local: usize,
        /// First value.
        from: Expr,
        /// Last, or one past it.
        to: Expr,
        /// Whether `to` is included.
        inclusive: bool,
        /// The body.
        body: Block,
    },
    /// Gives a variable each element of an array.
    ForEach {
        /// The variable.
        local: usize,
        /// The array.
        array: Expr,
        /// The body.
        body: Block,
    },
    /// Changes a place of the state.
    Store(Box<Store>),
    /// Tells an event: its fields in the order in which they are written, with their places.
    Emit(usize, Vec<(usize, Expr)>, Span),
    /// For its effect.
    Expr(Expr),
}

/// A step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To an element of an array: its index, and the words of an element.
    Element(Expr, usize),
    /// To a part of a struct or tuple: the word where it begins, and its words.
    Part(usize, usize),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Its type.
    pub ty: Ty,
    /// Where it stands.
    pub span: Span,
    /// Which.
    pub kind: ExprKind,
}

/// Which expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// Known words.
    Words(Vec<u32>),
    /// A variable of the function.
    Local(usize),
    /// A parameter.
    Param(usize),
    /// A constant.
    Const(usize),
    /// `!a`
    Not(Box<Expr>),
    /// An operator on two values of one integer type, or of `bool`; `==` and `!=` of any.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// The same value as another type: lossless, or checked.
    Convert(Box<Expr>),
    /// `array[i]`, or a byte of bytes.
    Index(Box<Expr>, Box<Expr>),
    /// A part of a struct or tuple, by the word where it begins.
    Part(Box<Expr>, usize),
    /// The values one after the other: `[a, b]`, `Some(a)`, `(a, b)`.
    Join(Vec<Expr>),
    /// The fields of a struct, computed in the order in which they are written: each with its
    /// place among the fields.
    Fields(Vec<(usize, Expr)>),
    /// A function call.
    Call(usize, Vec<Expr>),
    /// A call of `settle`, in tests only.
    Settle(Vec<Expr>),
    /// What a place of the state holds.
    State(Place),
    /// Something over all keys of a map (the type of what stands there), in invariants and tests
    /// only.
    Aggregate(Aggregate, Box<Ty>, Place),
    /// The height of the block.
    Height,
    /// `vault.take(amount)`, or all of it. The vault is a variable or a place of the state.
    Take(Box<Expr>, Option<Box<Expr>>),
    /// `vault.put(other)`
    Put(Box<Expr>, Box<Expr>),
    /// `A.mint(amount)`
    Mint(usize, Box<Expr>),
    /// `A.burn(vault)`
    Burn(usize, Box<Expr>),
    /// A built-in function.
    Builtin(Builtin, Vec<Expr>),
    /// `if`
    If(Box<Condition>, Block, Option<Block>),
    /// `match`
    Match(Box<Expr>, Vec<MatchArm>),
    /// A block.
    Block(Block),
    /// `return a`
    Return(Box<Expr>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// A mistake that has been reported.
    Error,
}

/// A built-in function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// SHA-256 of bytes.
    Sha256,
    /// BLAKE3 of at most 1,024 bytes.
    Blake3,
    /// BIP 340's tagged hash: a tag, then what is hashed.
    TagHash,
    /// The product of two `u64`s as a `u128`.
    WideMul,
    /// `a * b / c` of `u64`s, the product in 128 bits, rounded down.
    MulDiv,
    /// Bytes one after the other.
    Concat,
    /// Bytes, then zeros up to 32.
    Pad32,
    /// Whether a signature of BIP 340 is a key's on a message. The checker lets none through.
    Verify,
    /// The BIP 340 signature of a person of tests, in tests only.
    Sign,
    /// The smaller.
    Min,
    /// The larger.
    Max,
    /// Whether an option has a value.
    IsSome,
    /// Whether it has none.
    IsNone,
    /// An option's value, or another.
    UnwrapOr,
}

/// What an `if` decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A `bool`.
    Bool(Expr),
    /// Whether a value matches.
    Let(Pattern, Expr),
}

/// One arm of a `match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchArm {
    /// What it matches.
    pub pattern: Pattern,
    /// Its value.
    pub value: Expr,
}

/// What a match arm or `if let` matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Everything.
    Any,
    /// These words.
    Words(Vec<u32>),
    /// The variant of this number, parts of whose data variables then hold.
    Variant(u32, Vec<Binding>),
}

/// A variable that holds a part of what a pattern matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The variable.
    pub local: usize,
    /// The word of the value where the part begins.
    pub at: usize,
    /// Its words.
    pub words: usize,
}
