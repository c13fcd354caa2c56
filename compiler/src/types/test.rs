//! Tests and properties in the source.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Claim, Expr, ExprKind, ParamTy, TestAssert, TestDef, Variable};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp, Item};
use crate::word::Span;
use crate::word::ir::BUILT_IN_ABORTS;
use crate::word::lower::{Constants, evaluate};

/// The most words that the variables of a property have together.
const MAX_VARIABLE_WORDS: usize = 4_096;

impl Checker {
    /// All tests. To be tested isn't to be used.
    pub(super) fn tests(&mut self, contract: &ast::Contract) {
        let used = self.names.used.clone();
        let variants = self.names.variants_used.clone();
        let mut props: Vec<(&str, Span)> = Vec::new();
        for item in &contract.items {
            let Item::Test(test) = item else { continue };
            if test.variables.is_some() {
                let known = props.iter().find(|(name, _)| *name == test.name);
                if let Some((_, first)) = known {
                    let name = ast::Name {
                        text: test.name.clone(),
                        span: test.span,
                    };
                    self.declared_twice(&name, *first);
                }
                props.push((&test.name, test.span));
            }
            self.test_item(test);
        }
        self.names.used_by_tests = std::mem::replace(&mut self.names.used, used);
        self.names.variants_used = variants;
    }

    fn test_item(&mut self, item: &ast::Test) {
        let before = self.enter(None);
        let variables = item.variables.as_ref().map(|all| self.variables(all));
        let with = self.with(item);
        if item.asserts.is_empty() {
            let message = format!("`{}` asserts nothing", item.name);
            let empty = Diagnostic::new(Code::AssertsNothing, item.span, message);
            self.report(empty.help("write `assert settle(..) == Outcome`"));
        }
        let asserts = item.asserts.iter().filter_map(|a| self.test_assert(a));
        let asserts = asserts.collect();
        let frame = self.leave(before);
        self.contract.tests.push(TestDef {
            name: item.name.clone(),
            span: item.span,
            variables,
            locals: frame.locals.len(),
            with,
            asserts,
        });
    }

    fn variables(&mut self, all: &[ast::Variable]) -> Vec<Variable> {
        let mut typed: Vec<Variable> = Vec::new();
        for item in all {
            let (ty, range) = self.variable(item);
            self.declare_argument(&item.name, ty.clone());
            typed.push(Variable {
                name: item.name.text.clone(),
                span: item.name.span,
                ty,
                range,
            });
        }
        let words: usize = typed.iter().map(|v| v.ty.words()).sum();
        if let (Some(last), true) = (typed.last(), words > MAX_VARIABLE_WORDS) {
            let message = format!("the variables have {words} words; at most {MAX_VARIABLE_WORDS}");
            self.report(Diagnostic::new(Code::TooManyInputs, last.span, message));
        }
        typed
    }

    fn variable(&mut self, item: &ast::Variable) -> (Ty, Option<[u64; 2]>) {
        let ty = item.ty.as_ref().map(|ty| self.ty(ty));
        let Some(range) = &item.range else {
            return (ty.unwrap_or(Ty::Error), None);
        };
        if let (Some(ty), Some(at)) = (&ty, &item.ty)
            && !counts(ty)
        {
            return self.not_a_range(ty, at.span);
        }
        let before = self.enter(None);
        self.frame.constant = true;
        let (from, to, ty) = match ty {
            Some(ty) => (
                self.expect(&range.from, &ty),
                self.expect(&range.to, &ty),
                ty,
            ),
            None => {
                let (from, to, ty) = self.ends(&range.from, &range.to);
                (self.coerce(from, &ty), self.coerce(to, &ty), ty)
            }
        };
        self.leave(before);
        if [&from.ty, &to.ty, &ty].iter().any(|ty| ty.is_bottom()) {
            return (ty, None);
        }
        if !counts(&ty) {
            return self.not_a_range(&ty, from.span);
        }
        let span = Span {
            end: to.span.end,
            ..from.span
        };
        let ends = (self.known(&from), self.known(&to));
        let (Some(first), Some(end)) = ends else {
            let message = "the ends of a range must be known when compiling";
            self.report(
                Diagnostic::new(Code::NotConstant, span, message)
                    .help("literals are, and constants that depend on no parameter"),
            );
            return (ty, None);
        };
        let last = if range.inclusive {
            Some(end)
        } else {
            end.checked_sub(1)
        };
        let values = last.filter(|last| *last >= first);
        if values.is_none() {
            let message = "this range holds no value";
            let mut empty = Diagnostic::new(Code::EmptyRange, span, message);
            if first == end {
                empty = empty.help("`..` leaves its end out, `..=` doesn't");
            }
            self.report(empty);
        }
        (ty, values.map(|last| [first, last]))
    }

    fn not_a_range(&mut self, ty: &Ty, span: Span) -> (Ty, Option<[u64; 2]>) {
        if !ty.is_bottom() {
            let message = format!("a range of `{}`", self.show(ty));
            self.report(Diagnostic::new(Code::RangeNotInteger, span, message).help(
                "ranges are of integers up to 64 bits, or of amounts; `x: T` alone takes any value",
            ));
        }
        (ty.clone(), None)
    }

    /// A number that depends on no parameter.
    fn known(&self, expr: &Expr) -> Option<u64> {
        let constants = Constants {
            consts: &self.contract.consts,
            fns: &[],
            params: &[],
        };
        let words = evaluate(&constants, expr).ok()?;
        Some(crate::value::number_of(&words))
    }

    fn with(&mut self, item: &ast::Test) -> Vec<(usize, Expr)> {
        let mut with: Vec<(usize, Expr)> = Vec::new();
        let mut given: Vec<&ast::Name> = Vec::new();
        for (name, value) in &item.with {
            if let Some(first) = given.iter().find(|first| first.text == name.text) {
                self.declared_twice(name, first.span);
            }
            given.push(name);
            let param = match self.find(&name.text) {
                Some(Def::Param(n)) => self.contract.params.get(n).map(|p| (n, p.ty.clone())),
                _ => None,
            };
            match param {
                Some((n, ParamTy::Value(ty))) => with.push((n, self.expect(value, &ty))),
                Some(_) => {
                    let message = format!("`{}` needs no value in a test", name.text);
                    self.report(Diagnostic::new(Code::NotAValue, name.span, message));
                }
                None => {
                    let params = self.contract.params.iter();
                    let known: Vec<String> = params.map(|p| p.name.clone()).collect();
                    let message = format!("there is no parameter `{}`", name.text);
                    let unknown = Diagnostic::new(Code::UnknownName, name.span, message);
                    self.report(suggest(unknown, &name.text, name.span, &known));
                }
            }
        }
        let missing: Vec<String> = self
            .contract
            .params
            .iter()
            .enumerate()
            .filter(|(n, p)| {
                matches!(&p.ty, ParamTy::Value(ty) if *ty != Ty::Error)
                    && !with.iter().any(|(known, _)| known == n)
            })
            .map(|(_, p)| format!("`{}`", p.name))
            .collect();
        // A name that was meant to be one of them is reported already.
        if !missing.is_empty() && with.len() == item.with.len() {
            let message = format!("this test gives no value for {}", missing.join(", "));
            let incomplete = Diagnostic::new(Code::TestIncomplete, item.span, message);
            self.report(incomplete.help("write `with name = value, ..` at its start"));
        }
        with
    }

    fn test_assert(&mut self, item: &ast::TestAssert) -> Option<TestAssert> {
        let settle = self.contract.settle.as_ref();
        let outcomes = settle.map_or(usize::MAX, |settle| settle.outcomes);
        let claim = match (&item.fails, called(&item.condition)) {
            (Some(error), Some((name, arguments))) => {
                let arguments = self.settle_arguments(name, arguments);
                if !BUILT_IN_ABORTS.contains(&error.text.as_str()) {
                    self.error_name(error);
                }
                Claim::Fails(arguments?, error.text.clone())
            }
            (Some(error), None) if matches!(item.condition.kind, ast::ExprKind::Call(..)) => {
                let value = self.expr(&item.condition, None);
                if !BUILT_IN_ABORTS.contains(&error.text.as_str()) {
                    self.error_name(error);
                }
                if value.ty == Ty::Error {
                    return None;
                }
                Claim::Aborts(value, error.text.clone())
            }
            (Some(error), None) => {
                let message = "only a call can be expected to fail";
                let span = item.condition.span;
                let wrong = Diagnostic::new(Code::Expected, span, message);
                self.report(wrong.label(error.span, "the error that is expected"));
                return None;
            }
            (None, _) => self.condition(&item.condition, outcomes)?,
        };
        Some(TestAssert {
            span: item.span,
            claim,
        })
    }

    /// `settle(..) == outcome`, or any `bool`.
    fn condition(&mut self, condition: &ast::Expr, outcomes: usize) -> Option<Claim> {
        if let ast::ExprKind::Binary(BinaryOp::Eq, _, left, right) = &condition.kind
            && let Some((name, arguments)) = called(left)
        {
            let arguments = self.settle_arguments(name, arguments);
            let outcome = self.expected_outcome(right, outcomes)?;
            return Some(Claim::Gives(arguments?, outcome));
        }
        let condition = self.expect(condition, &Ty::Bool);
        (condition.ty != Ty::Error).then_some(Claim::Holds(condition))
    }

    fn expected_outcome(&mut self, expr: &ast::Expr, outcomes: usize) -> Option<Expr> {
        if let ast::ExprKind::Name(text) = &expr.kind
            && self.find_local(text).is_none()
            && !matches!(self.find(text), Some(Def::Const(_) | Def::Param(_)))
        {
            let name = ast::Name {
                text: text.clone(),
                span: expr.span,
            };
            self.outcome(&name, outcomes)?;
        }
        Some(self.expect(expr, &Ty::Enum(outcomes)))
    }

    /// The inputs of `settle`, typed.
    fn settle_arguments(&mut self, name: &ast::Name, all: &[ast::Expr]) -> Option<Vec<Expr>> {
        let settle = self.contract.settle.as_ref()?;
        let types: Vec<_> = settle.inputs.iter().map(|input| input.ty.clone()).collect();
        if types.len() != all.len() {
            let message = format!("`settle` takes {} inputs, not {}", types.len(), all.len());
            self.report(Diagnostic::new(Code::WrongArguments, name.span, message));
            return None;
        }
        let pairs = all.iter().zip(&types);
        Some(pairs.map(|(e, ty)| self.expect(e, ty)).collect())
    }

    /// `settle(..)` as an expression, which only the asserts of tests can have.
    pub(super) fn settle_call(
        &mut self,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let outcomes = self.contract.settle.as_ref().map(|settle| settle.outcomes);
        let arguments = self.settle_arguments(name, arguments);
        match (outcomes, arguments) {
            (Some(outcomes), Some(arguments)) => Expr {
                ty: Ty::Enum(outcomes),
                span,
                kind: ExprKind::Settle(arguments),
            },
            _ => Self::error(span),
        }
    }

    /// The index of an outcome.
    pub(super) fn outcome(&mut self, name: &ast::Name, outcomes: usize) -> Option<usize> {
        let def = self.contract.enums.get(outcomes)?;
        let known = def.variants.clone();
        let found = known.iter().position(|v| *v == name.text);
        if found.is_none() {
            let message = format!("there is no outcome `{}`", name.text);
            let unknown = Diagnostic::new(Code::UnknownOutcome, name.span, message)
                .label(def.span, "the outcomes are declared here");
            self.report(suggest(unknown, &name.text, name.span, &known));
        }
        found
    }
}

/// The arguments, if the expression is a call of `settle`.
fn called(expr: &ast::Expr) -> Option<(&ast::Name, &[ast::Expr])> {
    match &expr.kind {
        ast::ExprKind::Call(name, arguments) if name.text == "settle" => Some((name, arguments)),
        _ => None,
    }
}

/// Whether ranges can be of this type.
fn counts(ty: &Ty) -> bool {
    matches!(ty, Ty::U8 | Ty::U32 | Ty::U64 | Ty::Sats)
}
