//! Structs and tuples: values of several parts.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::{StructTy, Ty};
use super::typed::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::Span;
use std::sync::Arc;

/// What is called rather than named.
const METHODS: [&str; 4] = ["is_some", "is_none", "unwrap_or", "len"];

impl Checker {
    /// A struct's declaration. Its fields can have the types declared above it only, so that no
    /// struct contains itself.
    pub(super) fn struct_item(&mut self, item: &ast::Struct) {
        let mut names: Vec<&ast::Name> = Vec::new();
        let mut fields = Vec::new();
        for (name, ty) in &item.fields {
            match names.iter().find(|known| known.text == name.text) {
                Some(first) => self.declared_twice(name, first.span),
                None => {
                    names.push(name);
                    let ty = self.ty(ty);
                    fields.push((name.text.clone(), self.no_map(ty, name.span)));
                }
            }
        }
        if item.fields.is_empty() {
            let message = "a struct has at least one field";
            self.report(Diagnostic::new(Code::BadSize, item.name.span, message));
        }
        self.names.coming.remove(&item.name.text);
        self.declare_item(&item.name, Def::Struct(self.structs.len()));
        let name = item.name.text.clone();
        let of = Arc::new(StructTy { name, fields });
        self.structs.push((of, item.name.span));
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
        let parts = of.parts().into_iter();
        let known: Vec<(String, Ty)> = parts.map(|(name, ty)| (name, ty.clone())).collect();
        self.unknown_field(&self.show(of), &known, name);
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

    /// `S { x: a, y }`
    pub(super) fn struct_expr(
        &mut self,
        name: &ast::Name,
        fields: &[(ast::Name, ast::Expr)],
        span: Span,
    ) -> Expr {
        let of = match self.find(&name.text) {
            Some(Def::Struct(n)) => self.structs.get(n).map(|(of, _)| of.clone()),
            _ => None,
        };
        let Some(of) = of else {
            let known: Vec<String> = self.structs.iter().map(|(s, _)| s.name.clone()).collect();
            let message = format!("there is no struct `{}`", name.text);
            let unknown = Diagnostic::new(Code::UnknownType, name.span, message);
            self.report(suggest(unknown, &name.text, name.span, &known));
            for (_, value) in fields {
                self.expr(value, None);
            }
            return Self::error(span);
        };
        let ty = Ty::Struct(of.clone());
        let kind = match self.given_fields(name, &of.name, &of.fields, fields) {
            Some(given) => ExprKind::Fields(given),
            None => ExprKind::Error,
        };
        Expr { ty, span, kind }
    }

    /// The values of fields, each with its place among those declared; `None` where a mistake
    /// was reported.
    pub(super) fn given_fields(
        &mut self,
        name: &ast::Name,
        of: &str,
        declared: &[(String, Ty)],
        fields: &[(ast::Name, ast::Expr)],
    ) -> Option<Vec<(usize, Expr)>> {
        let mut given: Vec<(usize, Expr)> = Vec::new();
        let mut names: Vec<&ast::Name> = Vec::new();
        for (field, value) in fields {
            if let Some(first) = names.iter().find(|known| known.text == field.text) {
                self.declared_twice(field, first.span);
                continue;
            }
            names.push(field);
            let known = declared.iter().position(|(known, _)| *known == field.text);
            match known.and_then(|n| Some((n, declared.get(n)?))) {
                Some((n, (_, ty))) => given.push((n, self.expect(value, ty))),
                None => {
                    self.unknown_field(of, declared, field);
                    self.expr(value, None);
                }
            }
        }
        let missing: Vec<String> = declared
            .iter()
            .filter(|(field, _)| !names.iter().any(|name| name.text == *field))
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !missing.is_empty() {
            let message = format!("this `{of}` lacks {}", missing.join(", "));
            self.report(Diagnostic::new(Code::MissingField, name.span, message));
        }
        let whole = given.len() == declared.len() && given.iter().all(|(_, e)| e.ty != Ty::Error);
        whole.then_some(given)
    }

    fn unknown_field(&mut self, of: &str, declared: &[(String, Ty)], name: &ast::Name) {
        let message = format!("`{of}` has no field `{}`", name.text);
        let known: Vec<String> = declared.iter().map(|(name, _)| name.clone()).collect();
        let unknown = Diagnostic::new(Code::UnknownField, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
    }
}
