//! Structs and tuples: values of several parts.

use super::Checker;
use super::data::Given;
use super::names::{Def, suggest};
use super::ty::{StructTy, Ty};
use super::typed::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is called rather than named.
const METHODS: [&str; 4] = ["is_some", "is_none", "unwrap_or", "len"];

impl Checker {
    /// A struct's declaration. Its fields can have the types declared above it only, so that no
    /// struct contains itself.
    pub(super) fn struct_item(&mut self, item: &ast::Struct) {
        let fields = self.field_types(&item.fields);
        if item.fields.is_empty() {
            let message = "a struct has at least one field";
            self.report(Diagnostic::new(Code::BadSize, item.name.span, message));
        }
        self.names.coming.remove(&item.name.text);
        self.declare_item(&item.name, Def::Struct(self.structs.len()));
        let name = item.name.text.clone();
        let of = StructTy::new(self.structs.len(), name, fields);
        self.structs.push((Arc::new(of), item.name.span));
    }

    /// Names and types of fields, each name once.
    pub(super) fn field_types(&mut self, all: &[(ast::Name, ast::Type)]) -> Vec<(String, Ty)> {
        let mut known: BTreeMap<&str, Span> = BTreeMap::new();
        let mut fields = Vec::new();
        for (name, ty) in all {
            match known.get(name.text.as_str()) {
                Some(first) => self.declared_twice(name, *first),
                None => {
                    known.insert(&name.text, name.span);
                    let resolved = self.ty(ty);
                    fields.push((name.text.clone(), self.no_map(resolved, ty.span)));
                }
            }
        }
        fields
    }

    /// `of.name`
    pub(super) fn field(&mut self, of: &ast::Expr, name: &ast::Name, span: Span) -> Expr {
        if let Some(asset) = self.asset_named(of) {
            return self.asset_field(asset, name, span);
        }
        let of = self.expr(of, None);
        self.place_part(of, name, span)
    }

    /// A part of a type by name, reported where there is none.
    pub(super) fn part(&mut self, of: &Ty, name: &ast::Name) -> Option<(usize, Ty)> {
        if of.is_bottom() {
            return None;
        }
        if let Some((at, ty)) = of.part(&name.text) {
            return Some((at, ty.clone()));
        }
        if METHODS.contains(&name.text.as_str()) {
            let message = format!("`.{}` needs `()`", name.text);
            let end = Span {
                start: name.span.end,
                end: name.span.end,
            };
            let missing = Diagnostic::new(Code::Expected, name.span, message);
            self.report(missing.fix(end, "()", "call it"));
            return None;
        }
        let message = format!("`{}` has no field `{}`", self.show(of), name.text);
        let known: Vec<String> = of.parts().into_iter().map(|(name, _)| name).collect();
        let unknown = Diagnostic::new(Code::UnknownField, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
        None
    }

    /// `(a, b)`
    pub(super) fn tuple(&mut self, all: &[ast::Expr], span: Span, hint: Option<&Ty>) -> Expr {
        if all.len() < 2 {
            let message = "a tuple has at least two parts";
            self.report(Diagnostic::new(Code::BadSize, span, message));
            return Self::error(span);
        }
        let hints = match hint {
            Some(Ty::Tuple(types)) if types.len() == all.len() => types.clone(),
            _ => vec![],
        };
        let mut parts = Vec::new();
        for (n, part) in all.iter().enumerate() {
            parts.push(match hints.get(n) {
                Some(ty) => self.expect(part, ty),
                None => self.expr(part, None),
            });
        }
        for part in &parts {
            if part.ty == Ty::Unit {
                let message = "this has no value";
                self.report(Diagnostic::new(Code::MissingValue, part.span, message));
            }
        }
        let bad = |part: &Expr| part.ty.is_bottom() || part.ty == Ty::Unit;
        if parts.iter().any(bad) {
            return Self::error(span);
        }
        let ty = Ty::Tuple(parts.iter().map(|part| part.ty.clone()).collect());
        self.sized(ty, ExprKind::Join(parts), span)
    }

    /// `S { x: a, y }`, where `S` is a struct or a variant.
    pub(super) fn struct_expr(
        &mut self,
        name: &ast::Name,
        fields: &[(ast::Name, ast::Expr)],
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let of = match self.find(&name.text) {
            Some(Def::Struct(n)) => self.structs.get(n).map(|(of, _)| of.clone()),
            _ => None,
        };
        let Some(of) = of else {
            let given = Given::Fields(fields);
            if let Some(variant) = self.bare_variant(name, given, span, hint) {
                return variant;
            }
            self.no_struct(name);
            self.check_given(given);
            return Self::error(span);
        };
        let kind = match self.fields_given(&of, fields, name) {
            Some(given) => ExprKind::Fields(given),
            None => ExprKind::Error,
        };
        let ty = Ty::Struct(of);
        Expr { ty, span, kind }
    }
}
