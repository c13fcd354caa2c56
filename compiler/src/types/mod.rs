//! Tree to typed program: names, types, the coin.
//!
//! **Invariants:** all errors are found in one run: what can't be typed becomes
//! [`Ty::Error`], which agrees with everything. Parameters have no values here, so whatever
//! depends on one is checked when a contract is instantiated.

mod calls;
mod coin;
mod data;
mod expr;
mod import;
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
use crate::link::Unit;
use crate::syntax::ast;
use crate::word::Span;
use names::Names;
use std::collections::BTreeMap;
use std::sync::Arc;
use ty::StructTy;
use typed::{Contract, Expr, ExprKind, Local};

/// Checks units, libraries before those who import them; the last one is what is made of them.
/// The program that comes back can always be walked; it can be lowered if there is no error
/// among the diagnostics. Of libraries that are imported, only errors are reported, and their
/// tests aren't looked at.
pub(crate) fn check(units: &[Unit]) -> (Contract, Vec<Diagnostic>) {
    let mut checker = Checker {
        contract: Contract::default(),
        names: Names::default(),
        diagnostics: Vec::new(),
        frame: Frame::default(),
        ledger: false,
        structs: Vec::new(),
        data: Vec::new(),
        errors: 0,
    };
    let mut libraries: Vec<Names> = Vec::new();
    for (n, unit) in units.iter().enumerate() {
        checker.names = Names::default();
        if n + 1 < units.len() && !unit.tree.library {
            libraries.push(Names::default()); // a contract can't be imported, which is reported
            continue;
        }
        checker.imports(unit, &libraries);
        checker.items(&unit.tree);
        if n + 1 < units.len() {
            checker.diagnostics.retain(Diagnostic::is_error);
        } else {
            checker.main_only(&unit.tree);
        }
        libraries.push(std::mem::take(&mut checker.names));
    }
    (checker.contract, checker.diagnostics)
}

/// After so many errors nothing more is looked at. More than are shown: many may be uses of one
/// name that isn't declared, which is reported once.
const MAX_ERRORS: usize = 300;

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
    /// How many errors were reported.
    errors: usize,
}

/// What is known inside the function being checked.
#[derive(Default)]
struct Frame {
    locals: Vec<Local>,
    used: Vec<bool>,
    /// Arguments, and where they are declared.
    arguments: BTreeMap<String, Span>,
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
    /// What only the main file needs.
    fn main_only(&mut self, tree: &ast::Contract) {
        self.contract.name = tree.name.text.clone();
        self.contract.span = tree.name.span;
        self.tests(tree);
        if !tree.library {
            self.unused_items();
        }
        self.unused_imports(tree);
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.is_error());
        self.diagnostics.push(diagnostic);
    }

    /// Whether more errors would help nobody. Each may look for names that are alike among all
    /// that are declared, so that there must be an end.
    fn has_enough(&self) -> bool {
        self.errors >= MAX_ERRORS
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
