//! Operations, values and programs.

use super::state::StateOp;
use serde::{Deserialize, Serialize};

/// A byte range of the source file: `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// An SSA value: an index into [`Execution::values`](super::Execution::values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(pub u32);

impl Value {
    /// The value as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation on words. All arithmetic is modulo 2^32; comparisons are unsigned and give
/// 0 or 1; conditions hold when their word is not 0. Every operation is total.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    /// A constant.
    Const(u32),
    /// Word number `n` of the inputs, all elements flattened in order.
    Input(u16),
    /// `a + b`.
    Add(Value, Value),
    /// `a - b`.
    Sub(Value, Value),
    /// Low word of `a * b`.
    MulLo(Value, Value),
    /// High word of `a * b`.
    MulHi(Value, Value),
    /// `a / b` rounded down; `0xffff_ffff` when `b` is 0.
    Div(Value, Value),
    /// `a % b`; `a` when `b` is 0.
    Rem(Value, Value),
    /// Bitwise and.
    And(Value, Value),
    /// Bitwise or.
    Or(Value, Value),
    /// Bitwise exclusive or.
    Xor(Value, Value),
    /// Bitwise complement.
    Not(Value),
    /// Shift left by a constant, `0..=31`.
    Shl(Value, u8),
    /// Logical shift right by a constant, `0..=31`.
    Shr(Value, u8),
    /// Rotate right by a constant, `0..=31`.
    Rotr(Value, u8),
    /// Bytes in reverse order.
    Bswap(Value),
    /// `a == b`.
    Eq(Value, Value),
    /// `a < b`.
    Lt(Value, Value),
    /// The second where the first is not 0, else the third.
    Select(Value, Value, Value),
    /// The product of two numbers of several words each, the lowest first. Defines as many
    /// values as both have words.
    MulWide(Vec<Value>, Vec<Value>),
    /// The first number, of several words, divided by the second. Defines as many values as
    /// both have words: the quotient and then the rest, the lowest words first. By 0 the
    /// quotient is all ones and the rest the lowest words of the first.
    DivWide(Vec<Value>, Vec<Value>),
    /// The SHA-256 compression function (FIPS 180-4, 6.2.2): state and block, as big-endian
    /// words. Defines 8 values: the new state.
    Sha256 {
        /// Chaining state, `a` to `h`.
        state: [Value; 8],
        /// Message block.
        block: [Value; 16],
    },
    /// The BLAKE3 compression function (paper, 2.2), truncated to 8 words. Defines 8 values.
    Blake3 {
        /// Chaining value.
        cv: [Value; 8],
        /// Message block, little-endian words.
        block: [Value; 16],
        /// Chunk counter, low word then high word.
        counter: [u32; 2],
        /// Bytes in the block.
        block_len: u32,
        /// Domain flags.
        flags: u32,
    },
    /// Ends the program with abort `code` if the condition holds (is not 0) and no earlier
    /// abort fired. Defines no value.
    AbortIf(Value, u16),
    /// Reads or changes state, or checks a signature; only in a [`Routine`].
    State(Box<StateOp>),
}

impl Op {
    /// How many values the operation defines.
    pub fn results(&self) -> u32 {
        match self {
            Self::Sha256 { .. } | Self::Blake3 { .. } => 8,
            Self::MulWide(a, b) | Self::DivWide(a, b) => (a.len() + b.len()) as u32,
            Self::AbortIf(..) => 0,
            Self::State(state) => state.results(),
            _ => 1,
        }
    }

    /// The values that the operation reads, in order.
    pub fn operands(&self) -> Vec<Value> {
        match self {
            Self::Const(_) | Self::Input(_) => vec![],
            Self::Add(a, b)
            | Self::Sub(a, b)
            | Self::MulLo(a, b)
            | Self::MulHi(a, b)
            | Self::Div(a, b)
            | Self::Rem(a, b)
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Xor(a, b)
            | Self::Eq(a, b)
            | Self::Lt(a, b) => vec![*a, *b],
            Self::Not(a)
            | Self::Shl(a, _)
            | Self::Shr(a, _)
            | Self::Rotr(a, _)
            | Self::Bswap(a)
            | Self::AbortIf(a, _) => vec![*a],
            Self::Select(a, b, c) => vec![*a, *b, *c],
            Self::MulWide(a, b) | Self::DivWide(a, b) => a.iter().chain(b).copied().collect(),
            Self::Sha256 { state, block } => state.iter().chain(block).copied().collect(),
            Self::Blake3 { cv, block, .. } => cv.iter().chain(block).copied().collect(),
            Self::State(state) => state.operands(),
        }
    }

    /// Whether it does something beyond defining values, so that it stays when nobody reads
    /// them.
    pub fn has_effect(&self) -> bool {
        match self {
            Self::AbortIf(..) => true,
            Self::State(state) => state.has_effect(),
            _ => false,
        }
    }
}

/// An operation, the first value it defines (the others follow) and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inst {
    /// What is done.
    pub op: Op,
    /// The first of [`Op::results`] consecutive values.
    pub first: Value,
    /// Source of the operation.
    pub span: Span,
}

/// Who vouches for an input of `settle` with a one-time signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// Nobody but the claimer: the program pins the value down itself.
    Anyone,
    /// A party, by its index in the order of declaration.
    Party(u8),
    /// An attestor parameter, by its index among the attestors in order of declaration.
    Attestor(u8),
}

/// An input of `settle`, or one element of an input that is an array: what one one-time
/// signature covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputElement {
    /// As a user would write it: `secret`, `moves[3]`.
    pub name: String,
    /// Digits of 4 bits that each word has, `1..=8`, words in order. Where `optional`, the
    /// first word is the tag: 0 for blank, 1 for present.
    pub words: Vec<u8>,
    /// Who signs it besides the claimer. For an optional element the author signs the words
    /// after the tag only, and only the claimer signs the tag.
    pub author: Author,
    /// Whether the claimer may leave it blank.
    pub optional: bool,
}

/// Names of the aborts that no contract declares.
pub const BUILT_IN_ABORTS: &[&str] = &[
    "Overflow",
    "IllTyped",
    "OutOfBounds",
    "DivisionByZero",
    "NoOutcome",
    "AssertFailed",
];

/// The same of ledgers only: a vault holds too little; a call lacks a signature.
pub const LEDGER_ABORTS: &[&str] = &["Insufficient", "NotSigned"];

/// Why a program may abort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// The error's name, as declared in the contract, or of a built-in check: `Overflow`,
    /// `IllTyped`, `OutOfBounds`, `DivisionByZero`, `NoOutcome`, `AssertFailed`.
    pub name: String,
    /// Where in the source.
    pub span: Span,
}

/// A whole `settle`, parameters already folded in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Inputs in order.
    pub inputs: Vec<InputElement>,
    /// Operations in order; the values they define are numbered consecutively from 0.
    pub insts: Vec<Inst>,
    /// The abort codes that [`Op::AbortIf`] refers to.
    pub aborts: Vec<Abort>,
    /// The outcome's index, a value `< outcomes` whenever no abort fires.
    pub outcome: Value,
    /// Names of the outcomes, in order of declaration, `1..=16`.
    pub outcomes: Vec<String>,
}

/// An entry of a ledger, parameters already folded in. Its inputs are the words of the
/// arguments and then one more, the height of the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// How many words the arguments have, without the height.
    pub arguments: usize,
    /// Operations in order; the values they define are numbered consecutively from 0.
    pub insts: Vec<Inst>,
    /// The abort codes that the operations refer to.
    pub aborts: Vec<Abort>,
    /// Whether it reads the height.
    pub reads_height: bool,
}

impl Routine {
    /// How many values the routine defines.
    pub fn value_count(&self) -> usize {
        value_count(&self.insts)
    }

    /// Its operations on state, in order.
    pub fn state_ops(&self) -> impl Iterator<Item = &StateOp> {
        self.insts.iter().filter_map(|inst| match &inst.op {
            Op::State(op) => Some(&**op),
            _ => None,
        })
    }
}

/// How many values operations define.
pub(super) fn value_count(insts: &[Inst]) -> usize {
    insts
        .last()
        .map_or(0, |inst| (inst.first.0 + inst.op.results()) as usize)
}

impl Program {
    /// How many values the program defines.
    pub fn value_count(&self) -> usize {
        value_count(&self.insts)
    }

    /// How many words the inputs have together.
    pub fn input_words(&self) -> usize {
        self.inputs.iter().map(|element| element.words.len()).sum()
    }

    /// Upper bound on the bits of each value: every run keeps `value < 2^bits`. An input word
    /// counts as its digits can hold, whatever its type says: a claimer may sign anything.
    pub fn bits(&self) -> Vec<u8> {
        self.bits_given(|_, _| None)
    }

    /// The same where more is known of some results: `known` gives it for an operation, from
    /// the bits of its operands.
    pub(crate) fn bits_given(
        &self,
        known: impl Fn(&Op, &dyn Fn(Value) -> u8) -> Option<u8>,
    ) -> Vec<u8> {
        super::build::bits(self, known)
    }
}

impl Op {
    /// The same operation on renamed values.
    pub fn map(&self, f: impl Fn(Value) -> Value) -> Self {
        let all = |words: &[Value]| words.iter().map(|word| f(*word)).collect();
        match *self {
            Self::MulWide(ref a, ref b) => Self::MulWide(all(a), all(b)),
            Self::DivWide(ref a, ref b) => Self::DivWide(all(a), all(b)),
            Self::Const(word) => Self::Const(word),
            Self::Input(n) => Self::Input(n),
            Self::Add(a, b) => Self::Add(f(a), f(b)),
            Self::Sub(a, b) => Self::Sub(f(a), f(b)),
            Self::MulLo(a, b) => Self::MulLo(f(a), f(b)),
            Self::MulHi(a, b) => Self::MulHi(f(a), f(b)),
            Self::Div(a, b) => Self::Div(f(a), f(b)),
            Self::Rem(a, b) => Self::Rem(f(a), f(b)),
            Self::And(a, b) => Self::And(f(a), f(b)),
            Self::Or(a, b) => Self::Or(f(a), f(b)),
            Self::Xor(a, b) => Self::Xor(f(a), f(b)),
            Self::Not(a) => Self::Not(f(a)),
            Self::Shl(a, by) => Self::Shl(f(a), by),
            Self::Shr(a, by) => Self::Shr(f(a), by),
            Self::Rotr(a, by) => Self::Rotr(f(a), by),
            Self::Bswap(a) => Self::Bswap(f(a)),
            Self::Eq(a, b) => Self::Eq(f(a), f(b)),
            Self::Lt(a, b) => Self::Lt(f(a), f(b)),
            Self::Select(c, t, e) => Self::Select(f(c), f(t), f(e)),
            Self::Sha256 { state, block } => Self::Sha256 {
                state: state.map(&f),
                block: block.map(&f),
            },
            Self::Blake3 {
                cv,
                block,
                counter,
                block_len,
                flags,
            } => Self::Blake3 {
                cv: cv.map(&f),
                block: block.map(&f),
                counter,
                block_len,
                flags,
            },
            Self::AbortIf(condition, code) => Self::AbortIf(f(condition), code),
            Self::State(ref state) => Self::State(Box::new(state.map(f))),
        }
    }
}

impl InputElement {
    /// The shape of what the author signs: all words, without the tag if optional.
    pub fn author_shape(&self) -> crate::commit::Shape {
        crate::commit::Shape::of_words(self.words.get(usize::from(self.optional)..).unwrap_or(&[]))
    }
}
