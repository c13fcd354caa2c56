//! Structs and tuples: values of several parts.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::{StructTy, Ty};
use super::typed::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::{MAX_DEPTH, ast};
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
                    fields.push((name.text.clone(), self.ty(ty)));
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
        let mut of = StructTy::new(name, fields);
        if of.depth > usize::from(MAX_DEPTH) {
            let message = format!("structs are nested more than {MAX_DEPTH} deep");
            self.report(Diagnostic::new(Code::BadSize, item.name.span, message));
            of = StructTy::new(of.name, Vec::new());
        }
        self.structs.push((Arc::new(of), item.name.span));
    }

    /// `of.name`
    pub(super) fn field(&mut self, of: &ast::Expr, name: &ast::Name, span: Span) -> Expr {
        let of = self.expr(of, None);
        let Some((at, ty)) = self.part(&of.ty, name) else {
            return Self::error(span);
        };
        let kind = ExprKind::Part(Box::new(of), at);
        Expr { ty, span, kind }
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
        let mut given: Vec<(usize, Expr)> = Vec::new();
        let mut names: Vec<&ast::Name> = Vec::new();
        for (field, value) in fields {
            if let Some(first) = names.iter().find(|known| known.text == field.text) {
                self.declared_twice(field, first.span);
                continue;
            }
            names.push(field);
            let known = of.fields.iter().position(|(known, _)| *known == field.text);
            match known.and_then(|n| Some((n, of.fields.get(n)?))) {
                Some((n, (_, ty))) => given.push((n, self.expect(value, ty))),
                None => {
                    self.part(&Ty::Struct(of.clone()), field);
                    self.expr(value, None);
                }
            }
        }
        self.all_given(&of, &names, name);
        let ty = Ty::Struct(of.clone());
        if given.len() != of.fields.len() || given.iter().any(|(_, e)| e.ty == Ty::Error) {
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        }
        let kind = ExprKind::Fields(given);
        Expr { ty, span, kind }
    }

    fn all_given(&mut self, of: &StructTy, names: &[&ast::Name], name: &ast::Name) {
        let missing: Vec<String> = of
            .fields
            .iter()
            .filter(|(field, _)| !names.iter().any(|name| name.text == *field))
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !missing.is_empty() {
            let message = format!("this `{}` lacks {}", of.name, missing.join(", "));
            self.report(Diagnostic::new(Code::MissingField, name.span, message));
        }
    }
}
