//! Tests and properties in the source.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Claim, Expr, ExprKind, ParamTy, Place, TestAssert, TestDef, Variable};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp, Item};
use crate::word::Span;
use crate::word::lower::{Constants, evaluate};

/// The most words that the variables of a property have together.
const MAX_VARIABLE_WORDS: usize = 4_096;

/// A place of the state that `with` gives, its type, and the value.
pub(super) type GivenPlace = (Place, Ty, Expr);

impl Checker {
    /// All tests. To be tested isn't to be used.
    pub(super) fn tests(&mut self, contract: &ast::Contract) {
        let used = self.names.used.clone();
        let variants = self.names.variants_used.clone();
        let mut props: Vec<(&str, Span)> = Vec::new();
        let mut shared = Vec::new();
        for item in &contract.items {
            if let Item::With(with) = item {
                shared.extend(with.places.iter());
            }
        }
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
            self.test_item(test, &shared);
        }
        let in_tests = std::mem::replace(&mut self.names.used, used);
        // Functions and constants may be there for the tests, or for those who ask the state.
        let helps = |def: &&Def| matches!(def, Def::Function(_) | Def::Const(_));
        self.names.used.extend(in_tests.iter().filter(helps));
        self.names.used_by_tests = in_tests;
        self.names.variants_used = variants;
    }

    /// A test; `shared` is what `with` gives to all.
    fn test_item(&mut self, item: &ast::Test, shared: &[&(ast::Expr, ast::Expr)]) {
        // What a test gives itself comes last and counts.
        let own = |(place, _): &&&(ast::Expr, ast::Expr)| {
            !item.with.iter().any(|(own, _)| own.kind == place.kind)
        };
        let all: Vec<_> = shared
            .iter()
            .filter(own)
            .copied()
            .chain(&item.with)
            .collect();
        let before = self.enter(None);
        self.frame.test = true;
        self.frame.whole_state = true;
        let mut variables = item.variables.as_ref().map(|all| self.variables(all));
        let drawn = match &mut variables {
            Some(variables) => self.drawn_params(item.span, &all, variables),
            None => Vec::new(),
        };
        let (mut with, state) = self.with(item, &all);
        let asked = !drawn.is_empty();
        with.extend(drawn);
        let ledger = self.ledger;
        let (mut asserts, mut lines) = (Vec::new(), Vec::new());
        if ledger {
            lines = self.ledger_lines(&item.lines);
        } else {
            asserts = self.coin_lines(&item.lines);
        }
        if item.lines.is_empty() {
            let message = format!("`{}` asserts nothing", item.name);
            let empty = Diagnostic::new(Code::AssertsNothing, item.span, message);
            self.report(empty.help(match ledger {
                true => "write `call entry(..) as KEY` and `assert ..`",
                false => "write `assert settle(..) == Outcome`",
            }));
        }
        let frame = self.leave(before);
        self.contract.tests.push(TestDef {
            name: item.name.clone(),
            span: item.span,
            variables,
            locals: frame.locals.len(),
            draws_params: asked,
            with,
            asserts,
            state,
            lines,
        });
    }

    /// The lines of a test of a contract that settles a coin: asserts only.
    fn coin_lines(&mut self, lines: &[ast::TestLine]) -> Vec<TestAssert> {
        let mut asserts = Vec::new();
        for line in lines {
            let (word, span) = match line {
                ast::TestLine::Assert(line) => {
                    asserts.extend(self.test_assert(line));
                    continue;
                }
                ast::TestLine::Call(call) => ("call", call.span),
                ast::TestLine::Let { name, .. } => ("let", name.span),
                ast::TestLine::LetTuple(_, value) => ("let", value.span),
                ast::TestLine::Assign { span, .. } => ("=", *span),
                ast::TestLine::If { condition, .. } => ("if", condition.span),
                ast::TestLine::For { name, .. } => ("for", name.span),
            };
            let message = format!("`{word}` stands in tests of ledgers only");
            let wrong = Diagnostic::new(Code::NoSuchCall, span, message);
            self.report(wrong.help("a contract that settles a coin has `assert settle(..)`"));
        }
        asserts
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
        let ty = item.ty.as_ref().map(|ty| self.plain_type(ty));
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
                "ranges are of integers up to 64 bits, amounts or heights; `x: T` alone takes any value",
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

    /// What `with` gives: parameters, and places of the state.
    fn with(
        &mut self,
        item: &ast::Test,
        all: &[&(ast::Expr, ast::Expr)],
    ) -> (Vec<(usize, Expr)>, Vec<GivenPlace>) {
        let mut params: Vec<(usize, Expr)> = Vec::new();
        let mut state = Vec::new();
        let mut given: Vec<&ast::Expr> = Vec::new();
        for (place, value) in all {
            let ast::ExprKind::Name(text) = &place.kind else {
                state.extend(self.with_state(place, value));
                continue;
            };
            let name = ast::Name {
                text: text.clone(),
                span: place.span,
            };
            if let Some(first) = given.iter().find(|first| first.kind == place.kind) {
                self.declared_twice(&name, first.span);
            }
            given.push(place);
            match self.names.items.get(text).map(|(def, _)| *def) {
                Some(Def::State(_)) => state.extend(self.with_state(place, value)),
                _ => params.extend(self.with_param(&name, value)),
            }
        }
        // A name that was meant to be one of them is reported already.
        if params.len() + state.len() == all.len() {
            self.all_params(item, &params);
        }
        (params, state)
    }

    /// The parameters that a property doesn't give: they are variables of it, with any value that
    /// their `where` allows.
    fn drawn_params(
        &mut self,
        span: Span,
        with: &[&(ast::Expr, ast::Expr)],
        variables: &mut Vec<Variable>,
    ) -> Vec<(usize, Expr)> {
        let mut drawn = Vec::new();
        for (n, param) in self.contract.params.clone().into_iter().enumerate() {
            let given = |(place, _): &&(ast::Expr, ast::Expr)| matches!(&place.kind, ast::ExprKind::Name(text) if *text == param.name);
            let ParamTy::Value(ty) = param.ty else {
                continue;
            };
            if ty == Ty::Error || with.iter().any(given) || self.find_local(&param.name).is_some() {
                continue;
            }
            let name = ast::Name {
                text: param.name.clone(),
                span: param.span,
            };
            let local = self.declare(&name, ty.clone(), false, false);
            if let Some(used) = self.frame.used.get_mut(local) {
                *used = true;
            }
            let allowed = param.condition.as_ref().filter(|_| counts(&ty));
            variables.push(Variable {
                name: param.name,
                span: param.span,
                range: allowed.map(|condition| self.allowed(n, condition)),
                ty: ty.clone(),
            });
            let kind = ExprKind::Local(local);
            drawn.push((n, Expr { ty, span, kind }));
        }
        drawn
    }

    /// The values of a number that a condition on it visibly allows, and perhaps more.
    fn allowed(&self, param: usize, condition: &Expr) -> [u64; 2] {
        let mut range = [0, u64::MAX];
        let mut todo = vec![condition];
        while let Some(next) = todo.pop() {
            let ExprKind::Binary(op, left, right) = &next.kind else {
                continue;
            };
            let is_param = |e: &Expr| match &e.kind {
                ExprKind::Convert(inner) => inner.kind == ExprKind::Param(param),
                kind => *kind == ExprKind::Param(param),
            };
            let (op, bound) = match op {
                BinaryOp::And => {
                    todo.extend([&**left, &**right]);
                    continue;
                }
                op if is_param(left) => (*op, self.known(right)),
                BinaryOp::Lt if is_param(right) => (BinaryOp::Gt, self.known(left)),
                BinaryOp::Le if is_param(right) => (BinaryOp::Ge, self.known(left)),
                BinaryOp::Gt if is_param(right) => (BinaryOp::Lt, self.known(left)),
                BinaryOp::Ge if is_param(right) => (BinaryOp::Le, self.known(left)),
                _ => continue,
            };
            let [low, high] = &mut range;
            match (op, bound) {
                (BinaryOp::Lt, Some(n)) => *high = (*high).min(n.saturating_sub(1)),
                (BinaryOp::Le, Some(n)) => *high = (*high).min(n),
                (BinaryOp::Gt, Some(n)) => *low = (*low).max(n.saturating_add(1)),
                (BinaryOp::Ge, Some(n)) => *low = (*low).max(n),
                (BinaryOp::Eq, Some(n)) => range = [n, n],
                _ => {}
            }
        }
        let [low, high] = range;
        [low.min(high), high]
    }

    fn with_param(&mut self, name: &ast::Name, value: &ast::Expr) -> Option<(usize, Expr)> {
        let param = match self.find(&name.text) {
            Some(Def::Param(n)) => self.contract.params.get(n).map(|p| (n, p.ty.clone())),
            _ => None,
        };
        match param {
            Some((n, ParamTy::Value(ty))) => return Some((n, self.expect(value, &ty))),
            Some(_) => {
                let message = format!("`{}` needs no value in a test", name.text);
                self.report(Diagnostic::new(Code::NotAValue, name.span, message));
            }
            None => {
                let params = self.contract.params.iter().map(|p| p.name.clone());
                let fields = self.contract.state.iter().filter(|f| !f.hidden);
                let known: Vec<String> = params.chain(fields.map(|f| f.name.clone())).collect();
                let what = match self.contract.state.is_empty() {
                    true => "no parameter",
                    false => "neither a parameter nor a field of the state",
                };
                let message = format!("there is {what} `{}`", name.text);
                let unknown = Diagnostic::new(Code::UnknownName, name.span, message);
                self.report(suggest(unknown, &name.text, name.span, &known));
            }
        }
        None
    }

    /// Every parameter needs a value.
    fn all_params(&mut self, item: &ast::Test, given: &[(usize, Expr)]) {
        let missing: Vec<String> = self
            .contract
            .params
            .iter()
            .enumerate()
            .filter(|(n, p)| {
                matches!(&p.ty, ParamTy::Value(ty) if *ty != Ty::Error)
                    && !given.iter().any(|(known, _)| known == n)
                    && item.variables.is_none()
            })
            .map(|(_, p)| format!("`{}`", p.name))
            .collect();
        if !missing.is_empty() {
            let message = format!("this test gives no value for {}", missing.join(", "));
            let incomplete = Diagnostic::new(Code::TestIncomplete, item.span, message);
            self.report(incomplete.help("write `with name = value, ..` at its start"));
        }
    }

    fn test_assert(&mut self, item: &ast::TestAssert) -> Option<TestAssert> {
        let settle = self.contract.settle.as_ref();
        let outcomes = settle.map_or(usize::MAX, |settle| settle.outcomes);
        let claim = match (&item.fails, called(&item.condition)) {
            (Some(error), Some((name, arguments))) => {
                let arguments = self.settle_arguments(name, arguments);
                if !self.built_in_abort(&error.text) {
                    self.error_name(error);
                }
                Claim::Fails(arguments?, error.text.clone())
            }
            (Some(error), None) if matches!(item.condition.kind, ast::ExprKind::Call(..)) => {
                let value = self.expr(&item.condition, None);
                if !self.built_in_abort(&error.text) {
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
        let Some(settle) = &self.contract.settle else {
            if !self.diagnostics.iter().any(|d| d.code == Code::NoSettle) {
                let message = "there is no `settle` here";
                self.report(Diagnostic::new(Code::UnknownName, name.span, message));
            }
            return None;
        };
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
    ty.int_bits().is_some_and(|bits| bits <= 64)
}
