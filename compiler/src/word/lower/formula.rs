//! Expressions of tests as programs of their own, lowered once and run on many cases.

use super::super::ir::{Abort, Author, Program, Span, Value};
use super::{Constants, Lowered, Lowerer, Words, limit};
use crate::diagnostic::{Code, Diagnostic};
use crate::types::Ty;
use crate::types::typed::{Contract, Expr, Input, ParamTy, Variable};
use crate::word::{End, run};
use std::rc::Rc;

/// What expressions of a test can refer to.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// Constants and parameters, as far as they are known.
    pub constants: Constants<'a>,
    /// The variables of the property.
    pub variables: &'a [Variable],
    /// How many variables the test has together with those of its blocks.
    pub locals: usize,
    /// Words of the property's variables; where `None`, they are inputs of the program.
    pub values: Option<&'a [Vec<u32>]>,
    /// The parameters that are inputs of the program, after the variables.
    pub open: &'a [usize],
}

/// Expressions, or `settle`, as a program. Its inputs are the words of the variables that are
/// open, of the parameters that are, and then of `settle`.
#[derive(Clone, Debug)]
pub struct Formula {
    program: Program,
    words: Vec<Value>,
}

impl Formula {
    /// The expressions, their words one after the other.
    ///
    /// # Errors
    /// If they depend on a parameter without a value, or are too large.
    pub fn new(scope: &Scope<'_>, exprs: &[Expr]) -> Lowered<Self> {
        let mut lowerer = Lowerer::within(scope)?;
        let mut words = Vec::new();
        for expr in exprs {
            words.extend(lowerer.expr(expr)?);
        }
        Ok(lowerer.formula(words))
    }

    /// `settle`: its outcome's index.
    ///
    /// # Errors
    /// If it depends on a parameter without a value, or is too large.
    pub fn settle(scope: &Scope<'_>) -> Lowered<Self> {
        let mut lowerer = Lowerer::within(scope)?;
        let Some(settle) = &scope.contract.settle else {
            return Err(super::EvalError::NeedsParam);
        };
        let inputs = lowerer.inputs(&settle.inputs, &scope.contract.enums);
        let outcome = lowerer.outcome(settle, inputs)?;
        Ok(lowerer.formula(vec![outcome]))
    }

    /// Its words, or why it aborts.
    ///
    /// # Errors
    /// The abort that fires.
    pub fn run(&self, inputs: &[u32]) -> Result<Vec<u32>, Abort> {
        let ran = run(&self.program, inputs);
        match ran.end {
            End::Outcome(_) => Ok(self
                .words
                .iter()
                .map(|value| ran.values.get(value.index()).copied().unwrap_or(0))
                .collect()),
            End::Abort(code) => {
                let abort = self.program.aborts.get(usize::from(code));
                Err(abort.cloned().unwrap_or_else(|| Abort {
                    name: "?".to_owned(),
                    span: Span::default(),
                }))
            }
        }
    }

    /// Whether it is the same for all inputs.
    pub fn is_constant(&self) -> bool {
        use super::super::ir::Op;
        let insts = self.program.insts.iter();
        insts
            .map(|inst| &inst.op)
            .all(|op| matches!(op, Op::Const(_)))
    }
}

impl<'a> Lowerer<'a> {
    /// Where the expressions of a test are lowered.
    fn within(scope: &Scope<'a>) -> Lowered<Self> {
        let contract = scope.contract;
        let mut lowerer = Self::new(scope.constants, &contract.errors);
        lowerer.settle = contract.settle.as_ref();
        let variables = match scope.values {
            Some(_) => &[],
            None => scope.variables,
        };
        let mut inputs: Vec<Input> = variables
            .iter()
            .map(|variable| input(&variable.name, variable.span, &variable.ty))
            .collect();
        for n in scope.open {
            if let Some(param) = contract.params.get(*n)
                && let ParamTy::Value(ty) = &param.ty
            {
                inputs.push(input(&param.name, param.span, ty));
            }
        }
        let settle = contract.settle.iter().flat_map(|settle| &settle.inputs);
        let words: usize = inputs.iter().chain(settle).map(|i| i.ty.words()).sum();
        if words > usize::from(u16::MAX) {
            let message = "variables and parameters have too many words";
            let span = contract.span;
            return Err(limit(Diagnostic::new(Code::TooLarge, span, message)));
        }
        let mut words = lowerer.inputs(&inputs, &contract.enums);
        let params = words.split_off(variables.len());
        lowerer.open = scope.open.iter().copied().zip(params).collect();
        for value in scope.values.unwrap_or_default() {
            let known = value.iter().map(|word| lowerer.constant(*word)).collect();
            words.push(known);
        }
        lowerer.frame = words.into_iter().map(Rc::new).collect();
        lowerer
            .frame
            .resize_with(scope.locals.max(lowerer.frame.len()), Rc::default);
        Ok(lowerer)
    }

    fn formula(self, mut words: Words) -> Formula {
        let program = self.b.finish_keeping(self.zero, Vec::new(), &mut words);
        Formula { program, words }
    }
}

pub(super) fn input(name: &str, span: Span, ty: &Ty) -> Input {
    Input {
        name: name.to_owned(),
        span,
        ty: ty.clone(),
        author: Author::Anyone,
    }
}
