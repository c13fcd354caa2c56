//! Typed program to word IR.
//!
//! Straight-line: functions are inlined, loops unrolled, branches become selections. Two
//! words say whether control is here: `guard` (the calls around this one are) and `live`
//! (within the function: no `return`, `break` or `continue` has happened). An abort fires if
//! both hold and its condition does.
//!
//! Constants are computed by the same code, on a program without inputs: whatever has no
//! input folds.
//!
//! **Invariants:** the same program and parameters give the same instructions; the size of
//! the result, the work and the depth are limited, whatever the source says.

mod bytes;
mod expr;
mod flow;
mod formula;
mod inputs;
mod int;
mod state;
mod wide;

use super::build::Builder;
use super::ir::{Op, Program, Routine, Span, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::ledger::State;
use crate::types::Ty;
use crate::types::typed::{
    AssetDef, ConstDef, Contract, EntryDef, ErrorDef, Expr, FnDef, Input, Settle, StateDef,
};
use flow::Loop;
pub use formula::{Formula, Scope};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most instructions of a program; a compression function counts as [`COMPRESSION`].
pub const MAX_INSTS: usize = 200_000;

/// What a compression function counts for: it is by far the largest operation.
const COMPRESSION: usize = 100;

/// The most steps of lowering: loops can do much that folds to nothing.
const MAX_STEPS: u64 = 2_000_000;

/// How deep calls and expressions may be nested together.
const MAX_DEPTH: u16 = 200;

/// The most different places that can abort.
const MAX_SITES: usize = 8_192;

/// What expressions outside of functions can refer to.
#[derive(Clone, Copy, Debug)]
pub struct Constants<'a> {
    /// The constants declared so far.
    pub consts: &'a [ConstDef],
    /// Functions.
    pub fns: &'a [FnDef],
    /// Words of the parameters, where they are known.
    pub params: &'a [Option<Vec<u32>>],
}

/// Why something has no value when compiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// It depends on a parameter without a value.
    NeedsParam,
    /// It aborts.
    Aborts {
        /// The abort's name.
        name: String,
        /// Where.
        span: Span,
    },
    /// It is too large.
    Limit(Box<Diagnostic>),
}

type Lowered<T> = Result<T, EvalError>;
type Words = Vec<Value>;

/// Computes an expression that has no inputs.
///
/// # Errors
/// If it depends on a parameter without a value, aborts, or is too large.
pub fn evaluate(constants: &Constants<'_>, expr: &Expr) -> Result<Vec<u32>, EvalError> {
    Lowerer::new(*constants, &[]).known(expr)
}

/// Lowers `settle`, parameters folded in. Constants must have their words.
///
/// # Errors
/// If a parameter that it reads has no value, or the program is too large.
pub fn lower(contract: &Contract, params: &[Option<Vec<u32>>]) -> Result<Program, EvalError> {
    lower_to(Builder::new(), contract, params)
}

/// The same by this builder.
pub(crate) fn lower_to(
    builder: Builder,
    contract: &Contract,
    params: &[Option<Vec<u32>>],
) -> Result<Program, EvalError> {
    let constants = Constants {
        consts: &contract.consts,
        fns: &contract.fns,
        params,
    };
    let Some(settle) = &contract.settle else {
        return Err(EvalError::NeedsParam);
    };
    let mut lowerer = Lowerer::on(builder, constants, &contract.errors);
    let inputs = lowerer.inputs(&settle.inputs, &contract.enums);
    let outcome = lowerer.outcome(settle, inputs)?;
    let def = contract.enums.get(settle.outcomes);
    let outcomes = def.map(|def| def.variants.clone()).unwrap_or_default();
    Ok(lowerer.b.finish(outcome, outcomes))
}

/// Lowers an entry, parameters folded in. Constants must have their words.
///
/// # Errors
/// If a parameter that it reads has no value, or the program is too large.
pub fn lower_entry(
    contract: &Contract,
    params: &[Option<Vec<u32>>],
    entry: &EntryDef,
) -> Result<Routine, EvalError> {
    lower_entry_to(Builder::new(), contract, params, entry)
}

/// The same by this builder.
pub(crate) fn lower_entry_to(
    builder: Builder,
    contract: &Contract,
    params: &[Option<Vec<u32>>],
    entry: &EntryDef,
) -> Result<Routine, EvalError> {
    let constants = Constants {
        consts: &contract.consts,
        fns: &contract.fns,
        params,
    };
    let mut lowerer = Lowerer::on(builder, constants, &contract.errors);
    lowerer.ledger = Ledger::of(contract);
    let inputs: Vec<Input> = entry
        .arguments
        .iter()
        .map(|(name, ty)| formula::input(name, entry.span, ty))
        .collect();
    let arguments = lowerer.inputs(&inputs, &contract.enums);
    lowerer.ledger.height = Some(lowerer.b.height());
    lowerer.inline(arguments, entry.locals.len(), &entry.body, &Ty::Unit)?;
    Ok(lowerer.b.finish_routine())
}

/// Computes an expression of a test of a ledger: with these words of its variables, and on
/// this state.
///
/// # Errors
/// If it aborts or is too large.
pub fn evaluate_on(
    contract: &Contract,
    constants: &Constants<'_>,
    state: &State,
    height: u32,
    locals: &[Vec<u32>],
    expr: &Expr,
) -> Result<Vec<u32>, EvalError> {
    let mut lowerer = Lowerer::new(*constants, &contract.errors);
    lowerer.ledger = Ledger {
        snapshot: Some(state),
        height: Some(lowerer.b.constant(height)),
        ..Ledger::of(contract)
    };
    for words in locals {
        let words = words.iter().map(|word| lowerer.constant(*word)).collect();
        lowerer.frame.push(Rc::new(words));
    }
    lowerer.known(expr)
}

/// What is known of a ledger's state.
#[derive(Clone, Copy, Default)]
struct Ledger<'a> {
    state: &'a [StateDef],
    assets: &'a [AssetDef],
    /// What the state holds, if that is known.
    snapshot: Option<&'a State>,
    height: Option<Value>,
}

impl<'a> Ledger<'a> {
    fn of(contract: &'a Contract) -> Self {
        Self {
            state: &contract.state,
            assets: &contract.assets,
            ..Self::default()
        }
    }
}

struct Lowerer<'a> {
    constants: Constants<'a>,
    ledger: Ledger<'a>,
    errors: &'a [ErrorDef],
    /// What calls of `settle` call; only tests have them.
    settle: Option<&'a Settle>,
    /// Parameters that are inputs.
    open: BTreeMap<usize, Words>,
    b: Builder,
    zero: Value,
    one: Value,
    guard: Value,
    live: Value,
    frame: Vec<Rc<Words>>,
    result: Option<Words>,
    /// How many `return`s of this function were lowered.
    returns: u32,
    loops: Vec<Loop>,
    sites: BTreeMap<(String, u32, u32), u16>,
    /// The first abort that fires whatever the inputs are.
    certain: Option<(String, Span)>,
    steps: u64,
    compressions: usize,
    depth: u16,
}

impl<'a> Lowerer<'a> {
    fn new(constants: Constants<'a>, errors: &'a [ErrorDef]) -> Self {
        Self::on(Builder::new(), constants, errors)
    }

    fn on(mut b: Builder, constants: Constants<'a>, errors: &'a [ErrorDef]) -> Self {
        let zero = b.constant(0);
        let one = b.constant(1);
        Self {
            constants,
            ledger: Ledger::default(),
            errors,
            settle: None,
            open: BTreeMap::new(),
            b,
            zero,
            one,
            guard: one,
            live: one,
            frame: Vec::new(),
            result: None,
            returns: 0,
            loops: Vec::new(),
            sites: BTreeMap::new(),
            certain: None,
            steps: 0,
            compressions: 0,
            depth: 0,
        }
    }

    /// The words of an expression that has no inputs.
    fn known(&mut self, expr: &Expr) -> Lowered<Vec<u32>> {
        let words = self.expr(expr)?;
        if let Some((name, span)) = self.certain.take() {
            return Err(EvalError::Aborts { name, span });
        }
        let known: Option<Vec<u32>> = words.iter().map(|w| self.b.as_const(*w)).collect();
        known.ok_or(EvalError::NeedsParam)
    }

    /// The body of `settle` on these inputs: the outcome's index.
    fn outcome(&mut self, settle: &Settle, inputs: Vec<Words>) -> Lowered<Value> {
        let returns = crate::types::Ty::Enum(settle.outcomes);
        let outcome = self.inline(inputs, settle.locals.len(), &settle.body, &returns)?;
        Ok(outcome.first().copied().unwrap_or(self.zero))
    }

    fn push(&mut self, op: Op) -> Value {
        self.b.push(op)
    }

    fn constant(&mut self, word: u32) -> Value {
        self.b.constant(word)
    }

    fn and(&mut self, a: Value, b: Value) -> Value {
        self.push(Op::And(a, b))
    }

    fn or(&mut self, a: Value, b: Value) -> Value {
        self.push(Op::Or(a, b))
    }

    fn not(&mut self, a: Value) -> Value {
        self.b.not_bool(a)
    }

    fn is_zero(&self, value: Value) -> bool {
        self.b.as_const(value) == Some(0)
    }

    fn select(&mut self, condition: Value, then: &[Value], otherwise: &[Value]) -> Words {
        let pairs = then.iter().zip(otherwise);
        pairs
            .map(|(t, f)| self.b.push(Op::Select(condition, *t, *f)))
            .collect()
    }

    /// A compression function.
    fn compress(&mut self, op: Op) -> [Value; 8] {
        self.compressions += 1;
        self.b.compress(op)
    }

    /// Counts work; gives up when it is too much.
    fn step(&mut self, work: usize, span: Span) -> Lowered<()> {
        self.steps += 1 + work as u64;
        if self.steps > MAX_STEPS || self.b.len() + self.compressions * COMPRESSION > MAX_INSTS {
            let message = "the program is too large";
            return Err(limit(
                Diagnostic::new(Code::TooLarge, span, message)
                    .here("the limit is passed here")
                    .help(format!(
                        "loops are unrolled and functions inlined; at most {MAX_INSTS} operations"
                    )),
            ));
        }
        Ok(())
    }

    /// Aborts with the built-in or declared error if control is here and the condition holds.
    fn abort_if(&mut self, condition: Value, name: &str, span: Span) -> Lowered<()> {
        let here = self.and(self.guard, self.live);
        let fires = self.and(here, condition);
        match self.b.as_const(fires) {
            Some(0) => return Ok(()),
            Some(_) if self.certain.is_none() => self.certain = Some((name.to_owned(), span)),
            _ => {}
        }
        let code = self.abort_code(name, span)?;
        self.b.at(span);
        self.b.abort_if(fires, code);
        Ok(())
    }

    /// The code of an abort that happens there.
    fn abort_code(&mut self, name: &str, span: Span) -> Lowered<u16> {
        let site = (name.to_owned(), span.start, span.end);
        if let Some(code) = self.sites.get(&site) {
            return Ok(*code);
        }
        if self.sites.len() >= MAX_SITES {
            let message = format!("more than {MAX_SITES} places can abort");
            return Err(limit(Diagnostic::new(Code::TooLarge, span, message)));
        }
        let code = self.b.abort_code(name, span);
        self.sites.insert(site, code);
        Ok(code)
    }
}

fn limit(diagnostic: Diagnostic) -> EvalError {
    EvalError::Limit(Box::new(diagnostic))
}
