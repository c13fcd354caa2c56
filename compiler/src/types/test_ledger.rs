//! Tests of ledgers: the first state, calls and asserts, one after the other.

use super::Checker;
use super::names::{Def, suggest};
use super::test::GivenPlace;
use super::ty::Ty;
use super::typed::{Expr, ExprKind, Statement, TestCall, TestLine};
use crate::diagnostic::{Code, Diagnostic};
use crate::people;
use crate::syntax::ast;
use crate::word::Span;

impl Checker {
    pub(super) fn ledger_lines(&mut self, lines: &[ast::TestLine]) -> Vec<TestLine> {
        self.scoped(|c| {
            lines
                .iter()
                .filter_map(|line| c.ledger_line(line))
                .collect()
        })
    }

    fn ledger_line(&mut self, line: &ast::TestLine) -> Option<TestLine> {
        match line {
            ast::TestLine::Assert(line) => {
                if let Some(error) = &line.fails {
                    let message = "only a call can be expected to fail";
                    let wrong = Diagnostic::new(Code::NoSuchCall, error.span, message);
                    self.report(wrong.help("write `call entry(..) as KEY fails Error`"));
                }
                let condition = self.test_value(&line.condition, &Ty::Bool);
                Some(TestLine::Assert(condition, line.span))
            }
            ast::TestLine::Let {
                mutable,
                name,
                ty,
                value,
            } => {
                let known = self.diagnostics.len();
                let value = match ty {
                    Some(ty) => {
                        let ty = self.plain_type(ty);
                        self.test_value(value, &ty)
                    }
                    None => self.expr(value, None),
                };
                self.test_linear(known, &value);
                let ty = match &value.ty {
                    Ty::Unit | Ty::Never => Ty::Error,
                    ty => ty.clone(),
                };
                let local = self.declare(name, ty, *mutable, false);
                Some(TestLine::Let(local, value))
            }
            ast::TestLine::LetTuple(names, value) => {
                let known = self.diagnostics.len();
                let Statement::LetParts(locals, value) = self.let_tuple(names, value) else {
                    return None;
                };
                self.test_linear(known, &value);
                Some(TestLine::LetParts(locals, value))
            }
            ast::TestLine::Assign {
                place,
                op,
                value,
                span,
            } => self.test_assign(place, *op, value, *span),
            ast::TestLine::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.test_value(condition, &Ty::Bool);
                let (then, otherwise) = (self.ledger_lines(then), self.ledger_lines(otherwise));
                Some(TestLine::If(condition, then, otherwise))
            }
            ast::TestLine::Call(call) => self.test_call(call).map(TestLine::Call),
            ast::TestLine::For {
                name,
                ty,
                over,
                lines,
            } => Some(self.test_for(name, ty.as_ref(), over, lines)),
        }
    }

    fn test_for(
        &mut self,
        name: &ast::Name,
        ty: Option<&ast::Type>,
        over: &ast::Over,
        lines: &[ast::TestLine],
    ) -> TestLine {
        match over {
            ast::Over::Elements(array) => {
                let known = self.diagnostics.len();
                let array = self.expr(array, None);
                let element = self.element_type(&array);
                self.test_linear(known, &array);
                self.scoped(|c| {
                    let local = c.declare(name, element, false, false);
                    TestLine::ForEach(local, array, c.ledger_lines(lines))
                })
            }
            ast::Over::Range {
                from,
                to,
                inclusive,
            } => {
                let ty = ty.map(|ty| self.ty(ty));
                let (from, to, ty) = self.counted(ty, name, from, to);
                self.scoped(|c| {
                    let local = c.declare(name, ty, false, true);
                    TestLine::For {
                        local,
                        from,
                        to,
                        inclusive: *inclusive,
                        lines: c.ledger_lines(lines),
                    }
                })
            }
        }
    }

    /// A variable of a test gets another value.
    fn test_assign(
        &mut self,
        place: &ast::Expr,
        op: Option<ast::BinaryOp>,
        value: &ast::Expr,
        span: Span,
    ) -> Option<TestLine> {
        let local = match &place.kind {
            ast::ExprKind::Name(text) => self.find_local(text),
            _ => None,
        };
        let Some(local) = local else {
            let message = "only variables can be changed in a test";
            let wrong = Diagnostic::new(Code::NotMutable, place.span, message);
            self.report(wrong.help("`with` gives the first state, and `call` changes it"));
            return None;
        };
        let known = self.frame.locals.get(local).cloned()?;
        if !known.mutable && known.ty != Ty::Error {
            self.not_mutable(&known, place.span);
        }
        let right = match op {
            None => self.test_value(value, &known.ty),
            Some(op) => {
                let right = self.assign_op(op, &known.ty, place.span, value, span);
                let left = Box::new(Expr {
                    ty: known.ty.clone(),
                    span: place.span,
                    kind: ExprKind::Local(local),
                });
                Expr {
                    ty: known.ty,
                    span,
                    kind: ExprKind::Binary(op, left, Box::new(right)),
                }
            }
        };
        Some(TestLine::Assign(local, right))
    }

    fn test_value(&mut self, value: &ast::Expr, ty: &Ty) -> Expr {
        let known = self.diagnostics.len();
        let value = self.expect(value, ty);
        self.test_linear(known, &value);
        value
    }

    fn test_linear(&mut self, known: usize, value: &Expr) {
        let locals = self.frame.locals.clone();
        self.linear_expr(&locals, known, value);
    }

    fn test_call(&mut self, call: &ast::TestCall) -> Option<TestCall> {
        let Some(Def::Entry(entry)) = self.find(&call.entry.text) else {
            let entries = self.contract.entries.iter();
            let known: Vec<String> = entries.map(|e| e.name.clone()).collect();
            let name = &call.entry;
            let message = format!("there is no entry `{}`", name.text);
            let unknown = Diagnostic::new(Code::NoSuchCall, name.span, message);
            self.report(suggest(unknown, &name.text, name.span, &known));
            return None;
        };
        let def = self.contract.entries.get(entry)?;
        let (declared, signers) = (def.span, def.signers.len());
        let types: Vec<Ty> = def.arguments.iter().map(|(_, ty)| ty.clone()).collect();
        if types.len() != call.arguments.len() {
            let (wants, has) = (types.len(), call.arguments.len());
            self.wrong_count(&call.entry, wants, has, Some(declared));
            return None;
        }
        let pairs = call.arguments.iter().zip(&types);
        let arguments = pairs.map(|(e, ty)| self.test_value(e, ty)).collect();
        // A test may leave the signatures out to see that the call is refused.
        if !call.signers.is_empty() && call.signers.len() != signers {
            let has = call.signers.len();
            let message = format!("`{}` is signed by {signers}, not by {has}", call.entry.text);
            self.report(
                Diagnostic::new(Code::NoSuchCall, call.span, message)
                    .label(declared, "declared here")
                    .help("to leave a signature out, give another key: `fails NotSigned`"),
            );
        }
        let keys = call.signers.iter();
        let signers = keys.map(|key| self.test_value(key, &Ty::Pubkey)).collect();
        let height = call.height.as_ref();
        let height = height.map(|height| self.test_value(height, &Ty::Height));
        if let Some(error) = &call.fails
            && !self.built_in_abort(&error.text)
        {
            self.error_name(error);
        }
        let emits = call.emits.iter();
        let emits = emits.filter_map(|(name, fields)| self.expected_event(name, fields));
        let emits = emits.collect();
        let alone = call.fails.is_some() && !call.emits.is_empty();
        if alone || (call.tries && (call.fails.is_some() || !call.emits.is_empty())) {
            let message = "a call either must succeed, or must fail, or may do both";
            let wrong = Diagnostic::new(Code::NoSuchCall, call.span, message);
            self.report(wrong.help("write one of `emits ..`, `fails ..` and `try call ..`"));
        }
        Some(TestCall {
            emits,
            tries: call.tries,
            entry,
            arguments,
            signers,
            height,
            fails: call.fails.as_ref().map(|error| error.text.clone()),
            span: call.span,
        })
    }

    /// An event that a call is expected to tell, with some of its fields.
    fn expected_event(
        &mut self,
        name: &ast::Name,
        fields: &[(ast::Name, ast::Expr)],
    ) -> Option<(usize, Vec<(usize, Expr)>)> {
        let (n, event) = self.event_named(name)?;
        let mut given = Vec::new();
        for (field, value) in fields {
            let known = event
                .of
                .fields
                .iter()
                .position(|(known, _)| *known == field.text);
            match known.and_then(|at| Some((at, event.of.fields.get(at)?))) {
                Some((at, (_, ty))) => given.push((at, self.test_value(value, ty))),
                None => {
                    self.part(&Ty::Struct(event.of.clone()), field);
                }
            }
        }
        Some((n, given))
    }

    /// A place of the state that `with` gives, its type, and the value.
    pub(super) fn with_state(
        &mut self,
        place: &ast::Expr,
        value: &ast::Expr,
    ) -> Option<GivenPlace> {
        let known = self.diagnostics.len();
        let at = self.expr(place, None);
        self.given_place(&at, known);
        let (ExprKind::State(of), false) = (&at.kind, at.ty.is_map()) else {
            if at.ty != Ty::Error {
                let message = "`with` gives parameters and places of the state";
                let wrong = Diagnostic::new(Code::Mismatch, place.span, message);
                self.report(wrong.help("of a map, name the key: `with balance[ALICE] = 5`"));
            }
            self.expr(value, None);
            return None;
        };
        // How much a vault holds is given as a number.
        let ty = match &at.ty {
            Ty::Vault(_) => Ty::U64,
            ty if ty.is_linear() => {
                let message = "give the parts of this one by one";
                let wrong = Diagnostic::new(Code::Mismatch, place.span, message);
                self.report(wrong.help("a vault is given as a number: `with lots[3].coins = 5`"));
                return None;
            }
            ty => ty.clone(),
        };
        let value = self.test_value(value, &ty);
        Some((of.clone(), ty, value))
    }

    /// A place that `with` gives is one place, and no asset's supply.
    fn given_place(&mut self, at: &Expr, known: usize) {
        let (ExprKind::State(place), false) = (&at.kind, at.ty.is_map()) else {
            return;
        };
        let field = self.contract.state.get(place.field);
        if field.is_some_and(|field| field.hidden) {
            let message = "the supply isn't given: it is what all vaults hold";
            self.report(Diagnostic::new(Code::Mismatch, at.span, message));
        } else if !at.ty.is_linear() {
            self.test_linear(known, at);
        } else {
            // A vault is given as its amount.
            let amount = Expr {
                ty: Ty::U64,
                ..at.clone()
            };
            self.test_linear(known, &amount);
        }
    }

    /// A person of tests by name.
    pub(super) fn person(&mut self, text: &str, span: Span) -> Option<Expr> {
        if !self.frame.test {
            return None;
        }
        let words = people::key(text)?;
        Some(Expr {
            ty: Ty::Pubkey,
            span,
            kind: ExprKind::Words(words.to_vec()),
        })
    }
}
