//! What names mean.

use super::Checker;
use super::calls::BUILTINS;
use super::data::Given;
use super::import::Imported;
use super::ty::{MAX_WORDS, Ty};
use super::typed::{Expr, ExprKind, ParamTy};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::syntax::ast;
use crate::word::Span;
use crate::word::lower::{Constants, evaluate};
use std::collections::{BTreeMap, BTreeSet};

/// What a declared name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Def {
    Param(usize),
    Const(usize),
    Function(usize),
    Enum(usize),
    Data(usize),
    Struct(usize),
    Error(usize),
    Coin,
    Asset(usize),
    State(usize),
    Event(usize),
    Entry(usize),
}

/// Names declared by items, and which of them are used.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub items: BTreeMap<String, (Def, Span)>,
    /// All items, those that come later in the file included: for better messages.
    pub coming: BTreeSet<String>,
    /// Those that are imported.
    pub imported: BTreeMap<String, Imported>,
    /// Which enums have a variant of a name, and its number in them.
    pub variants: BTreeMap<String, Vec<(Def, usize)>>,
    /// All fields of the state, likewise.
    pub fields: BTreeSet<String>,
    /// All entries, likewise.
    pub entries: BTreeSet<String>,
    pub used: BTreeSet<Def>,
    /// What only tests use.
    pub used_by_tests: BTreeSet<Def>,
    pub variants_used: BTreeSet<(usize, usize)>,
}

/// How deep types may be nested.
const MAX_TYPE_DEPTH: usize = 64;

const TYPES: &[&str] = &[
    "bool",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "sats",
    "height",
    "hash",
    "pubkey",
    "signature",
    "bytes",
    "party",
    "attestor",
    "Option",
    "map",
    "vault",
];

/// Built-in names that are neither types nor functions.
const NAMES: &[&str] = &["None", "anyone", "rest", "zero"];

impl Checker {
    /// Declares an item, unless its name is taken.
    pub(super) fn declare_item(&mut self, name: &ast::Name, def: Def) {
        let text = name.text.as_str();
        if TYPES.contains(&text) || BUILTINS.contains(&text) || NAMES.contains(&text) {
            self.built_in(name);
        }
        let known = self.names.items.get(&name.text).map(|(_, span)| *span);
        if let Some(first) = known {
            self.declared_twice(name, first);
        } else {
            let text = name.text.clone();
            self.names.items.insert(text, (def, name.span));
        }
    }

    pub(super) fn declared_twice(&mut self, name: &ast::Name, first: Span) {
        let message = format!("`{}` is declared twice", name.text);
        self.report(
            Diagnostic::new(Code::DeclaredTwice, name.span, message)
                .here("again here")
                .label(first, "first declared here"),
        );
    }

    pub(super) fn built_in(&mut self, name: &ast::Name) {
        let message = format!("`{}` is built in and can't be declared", name.text);
        self.report(Diagnostic::new(Code::ReservedWord, name.span, message));
    }

    pub(super) fn find(&mut self, text: &str) -> Option<Def> {
        let def = self.names.items.get(text).map(|(def, _)| *def);
        if let Some(def) = def {
            self.names.used.insert(def);
        }
        def
    }

    /// The variable that a name means here.
    pub(super) fn find_local(&self, text: &str) -> Option<usize> {
        let named = |local: &&usize| {
            self.frame
                .locals
                .get(**local)
                .is_some_and(|local| local.name == text)
        };
        let scopes = self.frame.scopes.iter().rev();
        scopes
            .filter_map(|scope| scope.iter().rev().find(named))
            .copied()
            .next()
    }

    /// An expression that is only a name.
    pub(super) fn name_expr(&mut self, text: &str, span: Span, hint: Option<&Ty>) -> Expr {
        if let Some(local) = self.find_local(text) {
            if let Some(used) = self.frame.used.get_mut(local) {
                *used = true;
            }
            let ty = self
                .frame
                .locals
                .get(local)
                .map_or(Ty::Error, |l| l.ty.clone());
            let kind = ExprKind::Local(local);
            return Expr { ty, span, kind };
        }
        match text {
            "None" => return self.none(span, hint),
            "zero" => return self.zero(span, hint),
            "_" => {
                let message = "`_` is no value";
                let wrong = Diagnostic::new(Code::NotAValue, span, message);
                self.report(wrong.help("it stands for every key of a map in `sum(map[_])`"));
                return Self::error(span);
            }
            _ => {}
        }
        let name = ast::Name {
            text: text.to_owned(),
            span,
        };
        if let Some(variant) = self.bare_variant(&name, Given::Nothing, span, hint) {
            return variant;
        }
        match self.find(text) {
            Some(Def::Param(n)) => self.param_expr(n, text, span),
            Some(Def::Const(n)) => {
                let ty = self
                    .contract
                    .consts
                    .get(n)
                    .map_or(Ty::Error, |c| c.ty.clone());
                let kind = ExprKind::Const(n);
                Expr { ty, span, kind }
            }
            Some(Def::State(n)) => self.state_expr(n, text, span),
            Some(def) => {
                let what = match def {
                    Def::Function(_) => "a function: call it with `()`",
                    Def::Enum(_) | Def::Data(_) => "an enum: name one of its variants",
                    Def::Struct(_) => "a struct: give its fields in `{}`",
                    Def::Error(_) => "an error: it can only stand after `else` or `fails`",
                    Def::Asset(_) => "an asset: say how much of it, in a `vault`",
                    Def::Event(_) => "an event: tell it with `emit`",
                    Def::Entry(_) => "an entry: people call it, programs don't",
                    _ => "a coin",
                };
                let message = format!("`{text}` is {what}");
                self.report(Diagnostic::new(Code::NotAValue, span, message));
                Self::error(span)
            }
            None => match self.person(text, span) {
                Some(key) => key,
                None => self.unknown_name(text, span),
            },
        }
    }

    fn param_expr(&mut self, n: usize, text: &str, span: Span) -> Expr {
        let ty =
            match self.contract.params.get(n).map(|p| &p.ty) {
                Some(ParamTy::Value(ty)) => ty.clone(),
                Some(ParamTy::Party(_)) => {
                    let message = format!("`{text}` is a party, not a value");
                    self.report(Diagnostic::new(Code::NotAValue, span, message).help(
                        "parties stand after `from`, `fund`, and in the lists of who is paid",
                    ));
                    Ty::Error
                }
                Some(ParamTy::Attestor(..)) => {
                    let message = format!("`{text}` is an attestor, not a value");
                    let help = format!("take what it attests as an input: `x: T from {text}`");
                    self.report(Diagnostic::new(Code::NotAValue, span, message).help(help));
                    Ty::Error
                }
                None => Ty::Error,
            };
        let kind = ExprKind::Param(n);
        Expr { ty, span, kind }
    }

    /// `zero`: what the state holds where nothing was written.
    fn zero(&mut self, span: Span, hint: Option<&Ty>) -> Expr {
        match hint {
            Some(Ty::Error) => Self::error(span),
            Some(ty) if !ty.is_linear() && !ty.is_map() && *ty != Ty::Unit => Expr {
                kind: ExprKind::Words(vec![0; ty.words()]),
                ty: ty.clone(),
                span,
            },
            Some(ty) if ty.is_linear() => {
                let message = format!("there is no `zero` of a `{}`", self.show(ty));
                let help = "vaults come from `.take(amount)`, `.take_all()` and `A.mint(amount)`";
                self.report(Diagnostic::new(Code::TypeNotAllowed, span, message).help(help));
                Self::error(span)
            }
            _ => {
                let message = "`zero` of which type?";
                let help = "write the type: `let x: Order = zero`";
                self.report(Diagnostic::new(Code::NeedsType, span, message).help(help));
                Self::error(span)
            }
        }
    }

    fn none(&mut self, span: Span, hint: Option<&Ty>) -> Expr {
        match hint {
            Some(ty @ Ty::Option(_)) => Expr {
                kind: ExprKind::Words(vec![0; ty.words()]),
                ty: ty.clone(),
                span,
            },
            Some(Ty::Error) => Self::error(span),
            _ => {
                let message = "`None` of which type?";
                let help = "write the type: `let x: Option<u8> = None`";
                self.report(Diagnostic::new(Code::NeedsType, span, message).help(help));
                Self::error(span)
            }
        }
    }

    pub(super) fn unknown_name(&mut self, text: &str, span: Span) -> Expr {
        if self.frame.constant && self.names.fields.contains(text) {
            return self.state_is_no_constant(text, span);
        }
        if self.names.coming.contains(text) {
            let message = format!("`{text}` is used before its declaration");
            self.report(
                Diagnostic::new(Code::UsedBeforeDeclared, span, message)
                    .help("move its declaration up"),
            );
            return Self::error(span);
        }
        let mut known: Vec<String> = Vec::new();
        for scope in self.frame.scopes.iter().rev().flatten() {
            known.extend(self.frame.locals.get(*scope).map(|l| l.name.clone()));
        }
        known.extend(self.names.items.keys().cloned());
        known.extend(self.names.variants.keys().cloned());
        let message = format!("`{text}` is not declared");
        let mut unknown = Diagnostic::new(Code::UnknownName, span, message);
        unknown = suggest(unknown, text, span, &known);
        if text == "rest" {
            unknown = unknown.help("`rest` stands alone, as in `alice: rest`");
        }
        self.report(unknown);
        Self::error(span)
    }

    /// The type that is written.
    pub(super) fn ty(&mut self, ty: &ast::Type) -> Ty {
        if self.has_enough() {
            return Ty::Error;
        }
        let resolved = match &ty.kind {
            ast::TypeKind::Error => Ty::Error,
            ast::TypeKind::Named(name) => self.named_type(name),
            ast::TypeKind::Bytes(n) => self.length(n).map_or(Ty::Error, Ty::Bytes),
            ast::TypeKind::Option(inner) => match self.plain_type(inner) {
                Ty::Error => Ty::Error,
                inner => Ty::Option(Box::new(inner)),
            },
            ast::TypeKind::Array(element, n) => match (self.plain_type(element), self.length(n)) {
                (Ty::Error, _) | (_, None) => Ty::Error,
                (element, Some(n)) => Ty::Array(Box::new(element), n),
            },
            ast::TypeKind::Tuple(all) => {
                let types: Vec<Ty> = all.iter().map(|ty| self.local_type(ty)).collect();
                if types.len() < 2 {
                    let message = "a tuple has at least two parts";
                    self.report(Diagnostic::new(Code::BadSize, ty.span, message));
                    return Ty::Error;
                }
                match types.contains(&Ty::Error) {
                    true => Ty::Error,
                    false => Ty::Tuple(types),
                }
            }
            ast::TypeKind::Map(key, value) => self.map_type(key, value),
            ast::TypeKind::Vault(asset) => self.vault_type(asset),
            ast::TypeKind::Attestor(_) => {
                let message = "`attestor` can only be the type of a parameter";
                self.report(Diagnostic::new(Code::TypeNotAllowed, ty.span, message));
                Ty::Error
            }
        };
        let (words, spread) = (resolved.words(), resolved.spread());
        let message = if words as u64 > MAX_WORDS {
            format!("a value of this type has {words} words; at most {MAX_WORDS}")
        } else if spread as u64 > MAX_WORDS {
            format!("the variants in this type have {spread} words; at most {MAX_WORDS}")
        } else if resolved.depth() > MAX_TYPE_DEPTH {
            format!("types are nested more than {MAX_TYPE_DEPTH} deep here")
        } else {
            return resolved;
        };
        self.report(Diagnostic::new(Code::BadSize, ty.span, message));
        Ty::Error
    }

    fn named_type(&mut self, name: &ast::Name) -> Ty {
        match name.text.as_str() {
            "bool" => return Ty::Bool,
            "u8" => return Ty::U8,
            "u16" => return Ty::U16,
            "u32" => return Ty::U32,
            "u64" => return Ty::U64,
            "u128" => return Ty::U128,
            "sats" => return Ty::Sats,
            "height" => return Ty::Height,
            "hash" => return Ty::Hash,
            "pubkey" => return Ty::Pubkey,
            "signature" => return Ty::Signature,
            "party" => {
                let message = "`party` can only be the type of a parameter";
                self.report(Diagnostic::new(Code::TypeNotAllowed, name.span, message));
                return Ty::Error;
            }
            _ => {}
        }
        if let Some(Def::Enum(e)) = self.find(&name.text) {
            return Ty::Enum(e);
        }
        if let Some(Def::Struct(n)) = self.find(&name.text) {
            let of = self.structs.get(n);
            return of.map_or(Ty::Error, |(of, _)| Ty::Struct(of.clone()));
        }
        if let Some(Def::Data(n)) = self.find(&name.text) {
            let of = self.data.get(n);
            return of.map_or(Ty::Error, |(of, _)| Ty::Data(of.clone()));
        }
        if self.names.coming.contains(&name.text) {
            let message = format!("`{}` is used before its declaration", name.text);
            self.report(
                Diagnostic::new(Code::UsedBeforeDeclared, name.span, message)
                    .help("move its declaration up; no type contains itself"),
            );
            return Ty::Error;
        }
        let mut known: Vec<String> = TYPES.iter().map(|t| (*t).to_owned()).collect();
        let types = |def: &Def| matches!(def, Def::Enum(_) | Def::Struct(_) | Def::Data(_));
        known.extend(self.names.of_kind(types));
        let message = format!("there is no type `{}`", name.text);
        let unknown = Diagnostic::new(Code::UnknownType, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
        Ty::Error
    }

    /// A length: a constant that depends on no parameter, `1..=MAX_WORDS * 4`.
    pub(super) fn length(&mut self, expr: &ast::Expr) -> Option<u32> {
        let before = self.frame.constant;
        self.frame.constant = true;
        let expr = self.expect(expr, &Ty::U32);
        self.frame.constant = before;
        if expr.ty == Ty::Error {
            return None;
        }
        let constants = Constants {
            consts: &self.contract.consts,
            fns: &[],
            params: &[],
        };
        let words = evaluate(&constants, &expr).ok();
        let length = words.and_then(|words| words.first().copied());
        let length = length.filter(|n| *n > 0 && u64::from(*n) <= 4 * MAX_WORDS);
        if length.is_none() {
            let message = "a length must be a number from 1 to 16,384, known when compiling";
            self.report(
                Diagnostic::new(Code::BadSize, expr.span, message)
                    .help("it can be a literal or a `const` that depends on no parameter"),
            );
        }
        length
    }
}

/// Adds the name that was probably meant.
pub(super) fn suggest(
    diagnostic: Diagnostic,
    name: &str,
    span: Span,
    known: &[String],
) -> Diagnostic {
    match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(meant) => diagnostic.fix(span, meant, format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}
