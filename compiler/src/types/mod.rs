//! Tree to typed program: names, types, the coin.
//!
//! **Invariants:** all errors are found in one run: what can't be typed becomes
//! [`Ty::Error`], which agrees with everything. Parameters have no values here, so whatever
//! depends on one is checked when a contract is instantiated.

mod calls;
mod coin;
mod data;
mod expr;
mod items;
mod ledger;
mod linear;
mod names;
mod ops;
mod parts;
mod pattern;
mod place;
mod stmt;
mod test;
mod test_ledger;
mod ty;
pub mod typed;
mod unused;

pub use coin::coin_with;
pub(crate) use items::const_error;
pub use ty::{DataTy, MAX_WORDS, Ty};

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::Span;
use names::Names;
use std::sync::Arc;
use ty::StructTy;
use typed::{Contract, Expr, ExprKind, Local};

/// Checks a contract. The program that comes back can always be walked; it can be lowered
/// if there is no error among the diagnostics.
pub fn check(contract: &ast::Contract) -> (Contract, Vec<Diagnostic>) {
    let mut checker = Checker {
        contract: Contract {
            name: contract.name.text.clone(),
            span: contract.name.span,
            ..Contract::default()
        },
        names: Names::default(),
        diagnostics: Vec::new(),
        frame: Frame::default(),
        ledger: false,
        structs: Vec::new(),
        data: Vec::new(),
    };
    checker.items(contract);
    (checker.contract, checker.diagnostics)
}

struct Checker {
    contract: Contract,
    names: Names,
    diagnostics: Vec<Diagnostic>,
    frame: Frame,
    /// Whether the contract is a ledger.
    ledger: bool,
    /// Structs, and where their names stand.
    structs: Vec<(Arc<StructTy>, Span)>,
    /// Enums with data, likewise.
    data: Vec<(Arc<DataTy>, Span)>,
}

/// What is known inside the function being checked.
#[derive(Default)]
struct Frame {
    locals: Vec<Local>,
    used: Vec<bool>,
    scopes: Vec<Vec<usize>>,
    returns: Option<Ty>,
    /// How many diagnostics there were before.
    known: usize,
    loops: usize,
    /// Functions called, and where.
    calls: Vec<(usize, Span)>,
    /// Inside a constant, where no function can be called.
    constant: bool,
    /// Inside an entry, which changes the state.
    entry: bool,
    /// Inside a test, where people have names.
    test: bool,
    /// Where all keys of a map can be looked at: invariants and tests.
    whole_state: bool,
    /// Assets minted, and where.
    minted: Vec<(usize, Span)>,
    /// Assets burned, and where.
    burned: Vec<(usize, Span)>,
}

impl Checker {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether no error was found since there were so many diagnostics.
    fn good_since(&self, known: usize) -> bool {
        !self
            .diagnostics
            .iter()
            .skip(known)
            .any(Diagnostic::is_error)
    }

    fn show(&self, ty: &Ty) -> String {
        ty.show(&self.contract.enums).to_string()
    }

    fn error(span: Span) -> Expr {
        Expr {
            ty: Ty::Error,
            span,
            kind: ExprKind::Error,
        }
    }

    /// A variable of the function being checked, visible from here on.
    fn declare(&mut self, name: &ast::Name, ty: Ty, mutable: bool, constant: bool) -> usize {
        let local = self.frame.locals.len();
        self.frame.locals.push(Local {
            name: name.text.clone(),
            span: name.span,
            ty,
            mutable,
            constant,
        });
        self.frame.used.push(name.text.starts_with('_'));
        match self.frame.scopes.last_mut() {
            Some(scope) => scope.push(local),
            None => self.frame.scopes.push(vec![local]),
        }
        local
    }

    fn scoped<T>(&mut self, check: impl FnOnce(&mut Self) -> T) -> T {
        self.frame.scopes.push(Vec::new());
        let result = check(self);
        self.frame.scopes.pop();
        result
    }

    /// Starts a function; gives back the one before.
    fn enter(&mut self, returns: Option<Ty>) -> Frame {
        let frame = Frame {
            returns,
            scopes: vec![Vec::new()],
            known: self.diagnostics.len(),
            ..Frame::default()
        };
        std::mem::replace(&mut self.frame, frame)
    }

    /// Ends a function: warns of variables that nothing reads.
    fn leave(&mut self, before: Frame) -> Frame {
        let frame = std::mem::replace(&mut self.frame, before);
        for (local, used) in frame.locals.iter().zip(&frame.used) {
            if !used && local.ty != Ty::Error {
                let message = format!("`{}` is never used", local.name);
                self.report(Diagnostic::new(Code::UnusedName, local.span, message).fix(
                    Span {
                        end: local.span.start,
                        ..local.span
                    },
                    "_",
                    "start its name with `_` if that is meant",
                ));
            }
        }
        frame
    }
}
