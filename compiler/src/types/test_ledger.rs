//! Tests of ledgers: the first state, calls and asserts, one after the other.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Expr, ExprKind, Place, TestCall, TestLine};
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
            ast::TestLine::Let(name, value) => {
                let known = self.diagnostics.len();
                let value = self.expr(value, None);
                self.test_linear(known, &value);
                let ty = match &value.ty {
                    Ty::Unit | Ty::Never => Ty::Error,
                    ty => ty.clone(),
                };
                let local = self.declare(name, ty, false, false);
                Some(TestLine::Let(local, value))
            }
            ast::TestLine::Call(call) => self.test_call(call).map(TestLine::Call),
            ast::TestLine::For { name, over, lines } => {
                let (from, to, ty) = self.range(&over.from, &over.to);
                self.scoped(|c| {
                    let local = c.declare(name, ty, false, true);
                    Some(TestLine::For {
                        local,
                        from,
                        to,
                        inclusive: over.inclusive,
                        lines: c.ledger_lines(lines),
                    })
                })
            }
        }
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
                    .label(declared, "declared here"),
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
        Some(TestCall {
            entry,
            arguments,
            signers,
            height,
            fails: call.fails.as_ref().map(|error| error.text.clone()),
            span: call.span,
        })
    }

    /// A place of the state that `with` gives, its type, and the value.
    pub(super) fn with_state(
        &mut self,
        place: &ast::Expr,
        value: &ast::Expr,
    ) -> Option<(Place, Ty, Expr)> {
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
