//! Places in the state: how they are named, read and changed; vaults and assets.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Aggregate, Expr, ExprKind, Key, Place, Statement, Step, Store};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::Span;

/// What can be done with a vault.
const VAULT_METHODS: [&str; 3] = ["take", "take_all", "put"];

/// What can be done with an asset.
const ASSET_METHODS: [&str; 2] = ["mint", "burn"];

impl Checker {
    /// A field of the state by its name.
    pub(super) fn state_expr(&mut self, field: usize, text: &str, span: Span) -> Expr {
        let Some(def) = self.contract.state.get(field) else {
            return Self::error(span);
        };
        let keys = def.keys.iter().rev();
        let ty = keys.fold(def.ty.clone(), |value, key| {
            Ty::Map(Box::new(key.clone()), Box::new(value))
        });
        self.names.used.insert(Def::State(field));
        if self.frame.constant {
            return self.state_is_no_constant(text, span);
        }
        let place = Place {
            field,
            keys: Vec::new(),
            at: 0,
        };
        Expr {
            ty,
            span,
            kind: ExprKind::State(place),
        }
    }

    pub(super) fn state_is_no_constant(&mut self, text: &str, span: Span) -> Expr {
        let message = format!("`{text}` is state: it has no value when compiling");
        self.report(Diagnostic::new(Code::NotConstant, span, message));
        Self::error(span)
    }

    /// `map[key]`, where the map is a place of the state.
    pub(super) fn map_index(&mut self, map: Expr, index: &ast::Expr, span: Span) -> Expr {
        let (Ty::Map(key, value), ExprKind::State(mut place)) = (map.ty, map.kind) else {
            return Self::error(span);
        };
        let each = matches!(&index.kind, ast::ExprKind::Name(text) if text == "_");
        let key = match each {
            true => Key::Each,
            false => Key::Of(self.expect(index, &key)),
        };
        place.keys.push(key);
        Expr {
            ty: *value,
            span,
            kind: ExprKind::State(place),
        }
    }

    /// A part of a place of the state, or how much a vault holds.
    pub(super) fn place_part(&mut self, of: Expr, name: &ast::Name, span: Span) -> Expr {
        if matches!(of.ty, Ty::Vault(_)) {
            if name.text != "amount" {
                let message = format!("`{}` has no field `{}`", self.show(&of.ty), name.text);
                let unknown = Diagnostic::new(Code::UnknownField, name.span, message);
                let known: Vec<String> = ["amount"].map(str::to_owned).to_vec();
                let mut unknown = suggest(unknown, &name.text, name.span, &known);
                if VAULT_METHODS.contains(&name.text.as_str()) {
                    unknown = unknown.help(format!("call it: `.{}(..)`", name.text));
                }
                self.report(unknown);
                return Self::error(span);
            }
            let kind = match of.kind {
                ExprKind::State(place) => ExprKind::State(place),
                _ => ExprKind::Part(Box::new(of), 0),
            };
            let ty = Ty::U64;
            return Expr { ty, span, kind };
        }
        let Some((at, ty)) = self.part(&of.ty, name) else {
            return Self::error(span);
        };
        let kind = match of.kind {
            ExprKind::State(mut place) => {
                place.at += at;
                ExprKind::State(place)
            }
            kind => ExprKind::Part(Box::new(Expr { kind, ..of }), at),
        };
        Expr { ty, span, kind }
    }

    /// The asset that an expression names.
    pub(super) fn asset_named(&mut self, of: &ast::Expr) -> Option<usize> {
        let ast::ExprKind::Name(text) = &of.kind else {
            return None;
        };
        let known = self.names.items.get(text).map(|(def, _)| *def);
        match known {
            Some(Def::Asset(n)) if self.find_local(text).is_none() => {
                self.find(text);
                Some(n)
            }
            _ => None,
        }
    }

    /// `A.supply`
    pub(super) fn asset_field(&mut self, asset: usize, name: &ast::Name, span: Span) -> Expr {
        if name.text != "supply" {
            let message = format!("an asset has no field `{}`", name.text);
            let unknown = Diagnostic::new(Code::UnknownField, name.span, message);
            let known = ["supply".to_owned()];
            let mut unknown = suggest(unknown, &name.text, name.span, &known);
            if ASSET_METHODS.contains(&name.text.as_str()) {
                unknown = unknown.help(format!("call it: `.{}(..)`", name.text));
            }
            self.report(unknown);
            return Self::error(span);
        }
        let supply = self.contract.assets.get(asset).map(|def| def.supply);
        self.state_expr(supply.unwrap_or(usize::MAX), "supply", span)
    }

    /// `A.mint(amount)` and `A.burn(vault)`
    pub(super) fn asset_method(
        &mut self,
        asset: usize,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let minted = self.vault_of(asset);
        if !ASSET_METHODS.contains(&name.text.as_str()) {
            let message = format!("an asset has no method `{}`", name.text);
            let unknown = Diagnostic::new(Code::UnknownMethod, name.span, message);
            let known = ASSET_METHODS.map(str::to_owned);
            self.report(suggest(unknown, &name.text, name.span, &known));
            return Self::error(span);
        }
        self.changes_state(span);
        let mints = name.text == "mint";
        let wanted = if mints { Ty::U64 } else { minted.clone() };
        let done = if mints {
            &mut self.frame.minted
        } else {
            &mut self.frame.burned
        };
        done.push((asset, span));
        let Some(argument) = self.one(arguments, name) else {
            let ty = if mints { minted } else { Ty::Unit };
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        };
        let argument = Box::new(self.expect(argument, &wanted));
        match mints {
            true => Expr {
                ty: minted,
                span,
                kind: ExprKind::Mint(asset, argument),
            },
            false => Expr {
                ty: Ty::Unit,
                span,
                kind: ExprKind::Burn(asset, argument),
            },
        }
    }

    fn vault_of(&self, index: usize) -> Ty {
        let name = self.asset_name(index);
        Ty::Vault(std::sync::Arc::new(super::ty::AssetTy { name, index }))
    }

    /// `vault.take(amount)`, `vault.take_all()`, `vault.put(other)`
    pub(super) fn vault_method(
        &mut self,
        vault: Expr,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let held = vault.ty.clone();
        match &vault.kind {
            ExprKind::State(_) => self.changes_state(span),
            ExprKind::Local(n) => self.changes_local(*n, vault.span),
            ExprKind::Error => {}
            _ => {
                let message = "only a variable or a place of the state can be changed";
                let wrong = Diagnostic::new(Code::NotMutable, vault.span, message);
                self.report(wrong.help("give it a name first: `let mut v = ..`"));
            }
        }
        let wanted = match name.text.as_str() {
            "take" => Some(Ty::U64),
            "put" => Some(held.clone()),
            "take_all" => None,
            other => {
                let message = format!("`{}` has no method `{other}`", self.show(&held));
                let unknown = Diagnostic::new(Code::UnknownMethod, name.span, message);
                let known = VAULT_METHODS.map(str::to_owned);
                self.report(suggest(unknown, other, name.span, &known));
                return Self::error(span);
            }
        };
        let ty = if name.text == "put" { Ty::Unit } else { held };
        let argument = match (&wanted, arguments) {
            (None, []) => None,
            (Some(wanted), [argument]) => Some(Box::new(self.expect(argument, wanted))),
            _ => {
                let count = usize::from(wanted.is_some());
                self.wrong_count(name, count, arguments.len(), None);
                let kind = ExprKind::Error;
                return Expr { ty, span, kind };
            }
        };
        let vault = Box::new(vault);
        let kind = match (name.text.as_str(), argument) {
            ("put", Some(other)) => ExprKind::Put(vault, other),
            (_, amount) => ExprKind::Take(vault, amount),
        };
        Expr { ty, span, kind }
    }

    /// Reports a change of the state where there can be none.
    pub(super) fn changes_state(&mut self, span: Span) {
        if self.frame.entry {
            return;
        }
        let message = "only entries change the state";
        let wrong = Diagnostic::new(Code::NotInEntry, span, message);
        self.report(match self.frame.returns {
            Some(_) => wrong.help(
                "let the function compute the new value and return it, or say that it changes the \
                 state: `fn f(..) changes { .. }`",
            ),
            None => wrong.help("in a test, `with` gives the first state and `call` changes it"),
        });
    }

    fn changes_local(&mut self, local: usize, at: Span) {
        let known = self.frame.locals.get(local).cloned();
        if let Some(known) = known.filter(|known| !known.mutable) {
            self.not_mutable(&known, at);
        }
    }

    /// `place op= value`, where the place is one of the state.
    pub(super) fn store(
        &mut self,
        field: usize,
        root: &ast::Expr,
        written: &[&ast::Expr],
        (place, op, value): (&ast::Expr, Option<ast::BinaryOp>, &ast::Expr),
        span: Span,
    ) -> Statement {
        let ast::ExprKind::Name(text) = &root.kind else {
            return Statement::Expr(Self::error(span));
        };
        let mut at = self.state_expr(field, text, root.span);
        let mut steps = written.iter().rev().peekable();
        while let Some(step) = steps.peek() {
            at = match &step.kind {
                ast::ExprKind::Index(_, index) if matches!(at.ty, Ty::Map(..)) => {
                    self.map_index(at, index, step.span)
                }
                ast::ExprKind::Field(_, name) if !matches!(at.ty, Ty::Vault(_)) => {
                    self.place_part(at, name, step.span)
                }
                _ => break,
            };
            steps.next();
        }
        let of = at.ty.clone();
        let mut ty = of.clone();
        let mut path: Vec<Step> = Vec::new();
        if !matches!(ty, Ty::Vault(_) | Ty::Map(..)) {
            for step in steps {
                path.extend(self.step(step, &mut ty, place.span));
            }
        }
        self.changes_state(span);
        if ty.is_linear() || ty.is_map() {
            self.not_assigned(&ty, place.span);
            self.expr(value, Some(&Ty::Error));
            return Statement::Expr(Self::error(span));
        }
        let value = match op {
            None => self.expect(value, &ty),
            Some(op) => self.assign_op(op, &ty, place.span, value, span),
        };
        let ExprKind::State(place) = at.kind else {
            return Statement::Expr(Self::error(span));
        };
        Statement::Store(Box::new(Store {
            place,
            path,
            op,
            value,
            ty,
            of,
            span,
        }))
    }

    fn not_assigned(&mut self, ty: &Ty, span: Span) {
        let shown = self.show(ty);
        let message = format!("a `{shown}` can't be assigned");
        let wrong = Diagnostic::new(Code::NotMutable, span, message);
        self.report(match ty {
            Ty::Map(..) => wrong.help("assign to one of its keys: `map[key] = ..`"),
            _ => wrong.help(
                "what it holds would be lost: move it with `.put(..)`, `.take(..)` and `.take_all()`",
            ),
        });
    }

    /// `sum(map[_])` and `count(map[_])`
    pub(super) fn aggregate(
        &mut self,
        which: Aggregate,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let ty = match which {
            Aggregate::Sum => Ty::U128,
            Aggregate::Count => Ty::U64,
        };
        if !self.frame.whole_state {
            let message = format!("`{}` looks at the whole state", name.text);
            self.report(Diagnostic::new(Code::WholeState, span, message).help(
                "only invariants and tests can: keep a field with the total for what an entry needs",
            ));
        }
        let Some(argument) = self.one(arguments, name) else {
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        };
        let over = self.expr(argument, None);
        let kind = match over.kind {
            _ if over.ty == Ty::Error => ExprKind::Error,
            ExprKind::State(place) if place.keys.contains(&Key::Each) && !over.ty.is_map() => {
                let number = over.ty.int_bits().is_some() || matches!(over.ty, Ty::Vault(_));
                if which == Aggregate::Sum && !number {
                    let message = format!("a `{}` can't be summed up", self.show(&over.ty));
                    self.report(Diagnostic::new(Code::Mismatch, over.span, message));
                }
                return Expr {
                    ty,
                    span,
                    kind: ExprKind::Aggregate(which, Box::new(over.ty), place),
                };
            }
            _ => {
                let message = format!("`{}` takes a map's values", name.text);
                let wrong = Diagnostic::new(Code::Mismatch, over.span, message);
                self.report(wrong.help(format!(
                    "`_` stands for every key: `{}(balance[_])`",
                    name.text
                )));
                ExprKind::Error
            }
        };
        Expr { ty, span, kind }
    }
}
