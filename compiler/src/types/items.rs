//! Declarations.

use super::data::holds_data;
use super::names::Def;
use super::ty::Ty;
use super::typed::{
    ConstDef, EnumDef, ErrorDef, Expr, ExprKind, FnDef, Input, ParamDef, ParamTy, Settle,
};
use super::{Checker, Frame};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Item};
use crate::word::ir::{BUILT_IN_ABORTS, LEDGER_ABORTS};
use crate::word::lower::{Constants, EvalError, evaluate};
use crate::word::{Author, Span};
use std::collections::BTreeSet;

/// The most parties of a contract, and outcomes of a coin.
const MAX_PARTIES: usize = 16;

/// The most words that the inputs of `settle` have together.
const MAX_INPUT_WORDS: usize = 4_096;

impl Checker {
    /// All that a contract or library declares, but for tests.
    pub(super) fn items(&mut self, contract: &ast::Contract) {
        for item in &contract.items {
            if let Item::Param(ast::Param { name, .. })
            | Item::Const(ast::Const { name, .. })
            | Item::Struct(ast::Struct { name, .. })
            | Item::Enum(ast::Enum { name, .. }) = item
            {
                self.names.coming.insert(name.text.clone());
            }
            if let Item::Entry(entry) = item {
                self.names.entries.insert(entry.name.text.clone());
            }
            if let Item::State(state) = item {
                let fields = state.fields.iter().map(|field| field.name.text.clone());
                self.names.fields.extend(fields);
            }
        }
        self.ledger = self.is_ledger(contract);
        self.assets(contract);
        for item in &contract.items {
            match item {
                Item::Enum(item) if !holds_data(item) => self.enum_item(item),
                Item::Errors(names) => names.iter().for_each(|name| self.error_item(name)),
                _ => {}
            }
        }
        for item in &contract.items {
            match item {
                Item::Param(item) => self.param(item),
                Item::Const(item) => self.const_item(item),
                Item::Struct(item) => self.struct_item(item),
                Item::Enum(item) if holds_data(item) => self.data_item(item),
                _ => {}
            }
        }
        for item in &contract.items {
            match item {
                Item::State(item) => self.state_item(item),
                Item::Event(item) => self.event_item(item),
                _ => {}
            }
        }
        self.functions(contract);
        if self.ledger {
            self.entries(contract);
        } else if !contract.library {
            self.settle_item(contract);
            self.parties_present(contract);
            self.coin_item(contract);
        }
    }

    fn enum_item(&mut self, item: &ast::Enum) {
        let e = self.contract.enums.len();
        self.names.coming.remove(&item.name.text);
        self.declare_item(&item.name, Def::Enum(e));
        let variants = self.variants(item, Def::Enum(e)).into_iter();
        self.contract.enums.push(EnumDef {
            name: item.name.text.clone(),
            span: item.name.span,
            variants: variants.map(|v| v.name.text.clone()).collect(),
        });
    }

    /// Whether an error is one that no contract declares.
    pub(super) fn built_in_abort(&self, name: &str) -> bool {
        BUILT_IN_ABORTS.contains(&name) || self.ledger && LEDGER_ABORTS.contains(&name)
    }

    fn error_item(&mut self, name: &ast::Name) {
        let def = Def::Error(self.contract.errors.len());
        if self.built_in_abort(&name.text) {
            self.built_in(name);
        }
        self.declare_item(name, def);
        self.contract.errors.push(ErrorDef {
            name: name.text.clone(),
            span: name.span,
        });
    }

    fn param(&mut self, item: &ast::Param) {
        let n = self.contract.params.len();
        let mut ty = match &item.ty.kind {
            ast::TypeKind::Named(name) if name.text == "party" => {
                self.contract.parties.push(n);
                ParamTy::Party((self.contract.parties.len() - 1).min(255) as u8)
            }
            ast::TypeKind::Attestor(inner) => {
                let mut attested = self.ty(inner);
                if matches!(attested, Ty::Array(..) | Ty::Option(_)) {
                    let message = "an attestor attests one value, not an array or an option";
                    self.report(Diagnostic::new(Code::TypeNotAllowed, inner.span, message));
                    attested = Ty::Error;
                }
                self.contract.attestors.push(n);
                let index = self.contract.attestors.len() - 1;
                ParamTy::Attestor(index.min(255) as u8, attested)
            }
            _ => ParamTy::Value(self.plain_type(&item.ty)),
        };
        if let ParamTy::Value(value) = &mut ty
            && value.any(&not_plain)
        {
            let message = if value.any(&|ty| matches!(ty, Ty::Option(_))) {
                "a parameter always has a value"
            } else {
                "a parameter is no struct, tuple or enum with data: declare one for each part"
            };
            *value = Ty::Error;
            self.report(Diagnostic::new(Code::TypeNotAllowed, item.ty.span, message));
        }
        self.contract.params.push(ParamDef {
            name: item.name.text.clone(),
            span: item.name.span,
            ty,
            condition: None,
        });
        self.declare_item(&item.name, Def::Param(n));
        self.names.coming.remove(&item.name.text);
        if let Some(condition) = &item.condition {
            let used = self.names.used.clone();
            let condition = self.constant(condition, &Ty::Bool);
            // To be constrained isn't to be used.
            if !used.contains(&Def::Param(n)) {
                self.names.used.remove(&Def::Param(n));
            }
            if let Some(param) = self.contract.params.get_mut(n) {
                param.condition = Some(condition);
            }
        }
    }

    /// An expression outside of functions that is computed when compiling.
    pub(super) fn constant(&mut self, expr: &ast::Expr, ty: &Ty) -> Expr {
        let before = self.enter(None);
        self.frame.constant = true;
        let expr = self.expect(expr, ty);
        self.leave(before);
        expr
    }

    fn const_item(&mut self, item: &ast::Const) {
        let ty = self.plain_type(&item.ty);
        let value = self.constant(&item.value, &ty);
        let constants = Constants {
            consts: &self.contract.consts,
            fns: &[],
            params: &[],
        };
        let words = match evaluate(&constants, &value) {
            Ok(words) if words.len() == ty.words() => Some(words),
            Ok(_) | Err(EvalError::NeedsParam) => None,
            Err(error) => {
                let what = format!("`{}`", item.name.text);
                self.report(const_error(&error, &what, value.span));
                None
            }
        };
        let n = self.contract.consts.len();
        self.contract.consts.push(ConstDef {
            name: item.name.text.clone(),
            span: item.name.span,
            ty,
            value,
            words,
        });
        self.declare_item(&item.name, Def::Const(n));
        self.names.coming.remove(&item.name.text);
    }

    fn functions(&mut self, contract: &ast::Contract) {
        let first = self.contract.fns.len();
        let mut bodies = Vec::new();
        for item in &contract.items {
            let Item::Function(item) = item else { continue };
            let arguments = item.arguments.iter().map(|(_, ty)| self.local_type(ty));
            let arguments: Vec<Ty> = arguments.collect();
            let returns = item.returns.as_ref();
            let returns = returns.map_or(Ty::Unit, |returns| self.local_type(returns));
            let (mints, burns) = (self.may_create(&item.mints), self.may_create(&item.burns));
            self.declare_item(&item.name, Def::Function(self.contract.fns.len()));
            self.contract.fns.push(FnDef {
                name: item.name.text.clone(),
                span: item.name.span,
                arguments,
                returns,
                changes: item.changes,
                mints,
                burns,
                locals: Vec::new(),
                body: empty_block(item.body.span),
            });
            bodies.push(item);
        }
        let mut calls: Vec<Vec<(usize, Span)>> = Vec::new();
        for (n, item) in bodies.iter().enumerate() {
            let n = first + n;
            let Some(def) = self.contract.fns.get(n) else {
                continue;
            };
            let (types, returns) = (def.arguments.clone(), def.returns.clone());
            let (mints, burns) = (def.mints.clone(), def.burns.clone());
            let before = self.enter(Some(returns.clone()));
            self.frame.entry = item.changes;
            for ((name, _), ty) in item.arguments.iter().zip(types) {
                self.declare_argument(name, ty);
            }
            let body = match &item.returns {
                Some(_) => self.body(&item.body, &returns),
                None => self.procedure(&item.body),
            };
            self.clauses(&item.name, [&item.mints, &item.burns], [&mints, &burns]);
            let mut frame = self.leave(before);
            if returns != Ty::Error {
                self.linear(&frame, item.arguments.len(), &body);
            }
            calls.push(std::mem::take(&mut frame.calls));
            if let Some(def) = self.contract.fns.get_mut(n) {
                def.locals = frame.locals;
                def.body = body;
            }
        }
        self.recursion(first, &calls);
    }

    pub(super) fn declare_argument(&mut self, name: &ast::Name, ty: Ty) {
        let known = self.frame.arguments.insert(name.text.clone(), name.span);
        if let Some(first) = known {
            self.declared_twice(name, first);
            self.frame.arguments.insert(name.text.clone(), first);
        }
        self.declare(name, ty, false, false);
    }

    /// Reports functions that reach themselves; `calls` are those of functions from `first` on.
    /// Those before are of libraries, which know none of these.
    fn recursion(&mut self, first: usize, calls: &[Vec<(usize, Span)>]) {
        let endless = endless(first, calls);
        for (n, own) in calls.iter().enumerate() {
            let start = first + n;
            if self.has_enough() {
                break;
            }
            if !endless.contains(&n) {
                continue;
            }
            for (callee, span) in own {
                if reaches(*callee, start, first, calls) {
                    let name = self.contract.fns.get(start).map_or("", |f| &f.name);
                    let message = format!("`{name}` calls itself");
                    let at = self.contract.fns.get(start).map_or(*span, |f| f.span);
                    self.report(
                        Diagnostic::new(Code::Recursion, *span, message)
                            .label(at, "declared here")
                            .help("every program has a fixed number of steps: use a `for` loop"),
                    );
                    break;
                }
            }
        }
    }

    fn settle_item(&mut self, contract: &ast::Contract) {
        let mut found: Option<&ast::Settle> = None;
        for item in &contract.items {
            if let Item::Settle(item) = item {
                if let Some(first) = found {
                    let message = "`settle` is declared twice";
                    self.report(
                        Diagnostic::new(Code::DeclaredTwice, item.span, message)
                            .label(first.span, "first declared here"),
                    );
                } else {
                    found = Some(item);
                }
            }
        }
        let Some(item) = found else {
            let message = format!("`{}` has no `settle`", contract.name.text);
            self.report(
                Diagnostic::new(Code::NoSettle, contract.name.span, message)
                    .help("`settle(..) -> Outcome { .. }` decides how the coin is paid"),
            );
            return;
        };
        let returns = self.ty(&item.returns);
        let outcomes = match returns {
            Ty::Enum(e) => e,
            Ty::Error => usize::MAX, // none
            _ => {
                let message = "`settle` must return an enum: the outcomes";
                let wrong = Diagnostic::new(Code::WrongReturn, item.returns.span, message);
                self.report(wrong.help(match returns {
                    Ty::Data(_) => "outcomes hold no data: the coin has one `pay` for each",
                    _ => "declare `enum Outcome { .. }` and write `-> Outcome`",
                }));
                usize::MAX
            }
        };
        if let Some(def) = self.contract.enums.get(outcomes)
            && def.variants.len() > MAX_PARTIES
        {
            let message = format!("{} outcomes; at most 16", def.variants.len());
            let span = def.span;
            self.report(Diagnostic::new(Code::TooManyOutcomes, span, message));
        }
        // An input may be any outcome.
        let given = |ty: &Ty| *ty == Ty::Enum(outcomes);
        let before = self.enter(Some(returns.clone()));
        let mut inputs: Vec<Input> = Vec::new();
        for input in &item.inputs {
            let ty = self.ty(&input.ty);
            if !input_allowed(&ty) {
                let message = "this can't be the type of an input";
                self.report(
                    Diagnostic::new(Code::TypeNotAllowed, input.ty.span, message)
                        .help("an input is a value, an option of a value, or an array of either"),
                );
            }
            if ty.any(&given) {
                let all = self
                    .contract
                    .enums
                    .get(outcomes)
                    .map_or(0, |e| e.variants.len());
                let reached = (0..all).map(|variant| (outcomes, variant));
                self.names.variants_used.extend(reached);
            }
            let author = self.author(input, &ty, &inputs);
            self.declare_argument(&input.name, ty.clone());
            inputs.push(Input {
                name: input.name.text.clone(),
                span: input.name.span,
                ty,
                author,
            });
        }
        let words: usize = inputs.iter().map(|input| input.ty.words()).sum();
        if words > MAX_INPUT_WORDS {
            let message = format!("the inputs have {words} words; at most {MAX_INPUT_WORDS}");
            self.report(Diagnostic::new(Code::TooManyInputs, item.span, message));
        }
        let body = self.body(&item.body, &returns);
        let frame = self.leave(before);
        self.contract.settle = Some(Settle {
            span: item.span,
            inputs,
            outcomes,
            locals: frame.locals,
            body,
        });
    }

    fn author(&mut self, input: &ast::Input, ty: &Ty, before: &[Input]) -> Author {
        let Some(from) = &input.from else {
            return Author::Anyone;
        };
        if from.text == "anyone" {
            return Author::Anyone;
        }
        let param = match self.find(&from.text) {
            Some(Def::Param(n)) => self.contract.params.get(n).map(|p| (p.ty.clone(), p.span)),
            _ => None,
        };
        match param {
            Some((ParamTy::Party(n), _)) => Author::Party(n),
            Some((ParamTy::Attestor(n, attested), span)) => {
                let own = match ty {
                    Ty::Option(inner) => inner,
                    ty => ty,
                };
                if *own != attested && *own != Ty::Error && attested != Ty::Error {
                    let message = format!(
                        "`{}` attests `{}`, not `{}`",
                        from.text,
                        self.show(&attested),
                        self.show(own)
                    );
                    self.report(
                        Diagnostic::new(Code::AttestorMismatch, input.ty.span, message)
                            .label(span, "the attestor is declared here"),
                    );
                }
                let author = Author::Attestor(n);
                if let Some(first) = before.iter().find(|i| i.author == author) {
                    let message = format!("`{}` vouches for two inputs", from.text);
                    let diagnostic = Diagnostic::new(Code::AttestorTwice, from.span, message)
                        .label(first.span, "the first")
                        .help("its one-time key can sign one value; declare another attestor");
                    self.report(diagnostic);
                }
                author
            }
            _ => {
                let message = format!(
                    "`{}` is neither a party nor an attestor nor `anyone`",
                    from.text
                );
                let mut known = vec!["anyone".to_owned()];
                for n in self.contract.parties.iter().chain(&self.contract.attestors) {
                    known.extend(self.contract.params.get(*n).map(|p| p.name.clone()));
                }
                let unknown = Diagnostic::new(Code::UnknownAuthor, from.span, message);
                self.report(super::names::suggest(
                    unknown, &from.text, from.span, &known,
                ));
                Author::Anyone
            }
        }
    }

    fn parties_present(&mut self, contract: &ast::Contract) {
        let count = self.contract.parties.len();
        if !(2..=MAX_PARTIES).contains(&count) {
            let message = format!(
                "`{}` has {count} {}; a contract has 2 to {MAX_PARTIES}",
                contract.name.text,
                if count == 1 { "party" } else { "parties" }
            );
            self.report(
                Diagnostic::new(Code::PartyCount, contract.name.span, message)
                    .help("declare parties as parameters: `param alice: party`"),
            );
        }
    }
}

/// The functions whose calls lead to a cycle: those left when functions that call nothing left
/// are taken away. Both are counted from `first` on.
fn endless(first: usize, calls: &[Vec<(usize, Span)>]) -> BTreeSet<usize> {
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); calls.len()];
    let mut left: Vec<usize> = vec![0; calls.len()];
    for ((caller, own), left) in calls.iter().enumerate().zip(&mut left) {
        for (callee, _) in own {
            let callee = callee.checked_sub(first);
            if let Some(callers) = callee.and_then(|callee| callers.get_mut(callee)) {
                callers.push(caller);
                *left += 1;
            }
        }
    }
    let mut endless: BTreeSet<usize> = (0..calls.len()).collect();
    let mut ends: Vec<usize> = (0..calls.len())
        .filter(|n| left.get(*n) == Some(&0))
        .collect();
    while let Some(n) = ends.pop() {
        endless.remove(&n);
        for caller in callers.get(n).into_iter().flatten() {
            if let Some(left) = left.get_mut(*caller) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ends.push(*caller);
                }
            }
        }
    }
    endless
}

/// Whether a call of `from` can lead to one of `start`.
fn reaches(from: usize, start: usize, first: usize, calls: &[Vec<(usize, Span)>]) -> bool {
    let mut seen = vec![false; calls.len()];
    let mut todo = vec![from];
    while let Some(n) = todo.pop() {
        if n == start {
            return true;
        }
        let Some(n) = n.checked_sub(first) else {
            continue;
        };
        if let Some(seen) = seen.get_mut(n)
            && !std::mem::replace(seen, true)
        {
            todo.extend(
                calls
                    .get(n)
                    .into_iter()
                    .flatten()
                    .map(|(callee, _)| *callee),
            );
        }
    }
    false
}

fn empty_block(span: Span) -> super::typed::Block {
    super::typed::Block {
        statements: Vec::new(),
        value: Some(Box::new(Expr {
            ty: Ty::Error,
            span,
            kind: ExprKind::Error,
        })),
        ty: Ty::Error,
        span,
    }
}

/// Whether it can't stand in what people outside give to a contract.
fn not_plain(ty: &Ty) -> bool {
    matches!(
        ty,
        Ty::Option(_) | Ty::Struct(_) | Ty::Tuple(_) | Ty::Data(_) | Ty::Vault(_) | Ty::Map(..)
    )
}

/// Only the first word of an element can be a tag.
fn input_allowed(ty: &Ty) -> bool {
    let element = match ty {
        Ty::Array(element, _) => element,
        ty => ty,
    };
    match element {
        Ty::Option(inner) => !inner.any(&not_plain),
        ty => !ty.any(&not_plain),
    }
}

/// Why a constant can't be computed.
pub(crate) fn const_error(error: &EvalError, what: &str, span: Span) -> Diagnostic {
    match error {
        EvalError::NeedsParam => {
            let message = format!("{what} depends on a parameter without a value");
            Diagnostic::new(Code::NotConstant, span, message)
        }
        EvalError::Aborts { name, span } => {
            let message = format!("computing {what} aborts: `{name}`");
            Diagnostic::new(Code::ConstAborts, *span, message)
        }
        EvalError::Limit(diagnostic) => (**diagnostic).clone(),
    }
}

impl Frame {
    /// Whether `return` has somewhere to go.
    pub(super) fn in_function(&self) -> bool {
        self.returns.is_some()
    }
}
