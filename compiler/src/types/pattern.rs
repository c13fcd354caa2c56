//! Patterns: what they match, what they name, and whether they cover everything.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Binding, Expr, ExprKind, MatchArm, Pattern};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Data, PatternKind, VariantPattern};
use crate::word::Span;

impl Checker {
    pub(super) fn match_expr(
        &mut self,
        value: &ast::Expr,
        arms: &[ast::MatchArm],
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let value = self.expr(value, None);
        let mut ty = Ty::Never;
        let mut typed: Vec<MatchArm> = Vec::new();
        for arm in arms {
            if typed.iter().any(|arm| arm.pattern == Pattern::Any) {
                let message = "no value reaches this pattern";
                let at = arm.pattern.span;
                self.report(Diagnostic::new(Code::Unreachable, at, message));
            }
            let arm = self.scoped(|c| {
                let pattern = c.pattern(&arm.pattern, &value.ty);
                let value = c.expr(&arm.value, hint);
                MatchArm { pattern, value }
            });
            ty = self.join(&ty, &arm.value.ty, arm.value.span);
            typed.push(arm);
        }
        self.exhaustive(&value.ty, &typed, span);
        Expr {
            ty,
            span,
            kind: ExprKind::Match(Box::new(value), typed),
        }
    }

    /// A pattern for values of a type; its names are declared.
    pub(super) fn pattern(&mut self, pattern: &ast::Pattern, ty: &Ty) -> Pattern {
        let span = pattern.span;
        match (&pattern.kind, ty) {
            (PatternKind::Any, _) => Pattern::Any,
            (PatternKind::Variant(variant), ty)
                if !ty.variants(&self.contract.enums).is_empty() =>
            {
                self.variant_pattern(variant, ty, span)
            }
            (PatternKind::Literal(ast::ExprKind::Bool(b)), Ty::Bool) => {
                Pattern::Words(vec![u32::from(*b)])
            }
            (PatternKind::Literal(ast::ExprKind::Number(n)), ty) if ty.is_written_as_number() => {
                match self.number(*n, span, Some(ty)).kind {
                    ExprKind::Words(words) => Pattern::Words(words),
                    _ => Pattern::Any,
                }
            }
            (kind, ty) => {
                if !ty.is_bottom() {
                    self.cannot_match(ty, span);
                }
                if let PatternKind::Variant(variant) = kind {
                    self.declare_anyway(variant);
                }
                Pattern::Any
            }
        }
    }

    fn cannot_match(&mut self, ty: &Ty, span: Span) {
        let message = format!(
            "this pattern can't match a value of type `{}`",
            self.show(ty)
        );
        self.report(Diagnostic::new(Code::BadPattern, span, message));
    }

    /// Declares the names of a pattern that can't match.
    fn declare_anyway(&mut self, variant: &VariantPattern) {
        let names: Vec<&ast::Name> = match &variant.data {
            Data::None => vec![],
            Data::Named(all) => all.iter().filter_map(|(_, name)| name.as_ref()).collect(),
            Data::Tuple(all) => all.iter().flatten().collect(),
        };
        for name in names {
            self.declare(name, Ty::Error, false, false);
        }
    }

    fn variant_pattern(&mut self, pattern: &VariantPattern, ty: &Ty, span: Span) -> Pattern {
        if let Some(of) = &pattern.of
            && self.enum_named(of).is_some_and(|(_, named)| named != *ty)
        {
            self.cannot_match(ty, span);
            self.declare_anyway(pattern);
            return Pattern::Any;
        }
        let name = &pattern.name;
        let variants = ty.variants(&self.contract.enums);
        let found = variants.iter().position(|(known, _)| *known == name.text);
        let Some((tag, (_, data))) = found.and_then(|tag| Some((tag, variants.get(tag)?))) else {
            self.no_variant(name, ty);
            self.declare_anyway(pattern);
            return Pattern::Any;
        };
        match self.bindings(pattern, data) {
            Some(bindings) => Pattern::Variant(tag as u32, bindings),
            None => {
                let written = super::data::written(&name.text, data);
                let message = format!("the pattern for `{}` is written {written}", name.text);
                self.report(Diagnostic::new(Code::BadPattern, span, message));
                self.declare_anyway(pattern);
                Pattern::Any
            }
        }
    }

    /// Declares the names for the parts of a variant's data; `None` if the pattern has another
    /// form than the data.
    fn bindings(&mut self, pattern: &VariantPattern, data: &Ty) -> Option<Vec<Binding>> {
        let named: Vec<(ast::Name, Option<&ast::Name>)> = match (data, &pattern.data) {
            (Ty::Unit, Data::None) => vec![],
            (Ty::Struct(_), Data::Named(all)) => {
                let all = all.iter();
                all.map(|(field, name)| (field.clone(), name.as_ref()))
                    .collect()
            }
            (Ty::Tuple(types), Data::Tuple(all))
                if all.len() == types.len() || (pattern.rest && all.len() < types.len()) =>
            {
                let position = |(n, name): (usize, &Option<ast::Name>)| ast::Name {
                    text: n.to_string(),
                    span: name.as_ref().map_or(pattern.name.span, |name| name.span),
                };
                let all = all.iter().enumerate();
                all.map(|(n, name)| (position((n, name)), name.as_ref()))
                    .collect()
            }
            _ => return None,
        };
        let mut bindings = Vec::new();
        let mut fields: Vec<&ast::Name> = Vec::new();
        let mut names: Vec<&ast::Name> = Vec::new();
        for (field, name) in &named {
            if let Some(first) = fields.iter().find(|known| known.text == field.text) {
                self.declared_twice(field, first.span);
            }
            fields.push(field);
            let part = self.part(data, field);
            let Some(name) = name else { continue };
            if let Some(first) = names.iter().find(|known| known.text == name.text) {
                self.declared_twice(name, first.span);
            }
            names.push(name);
            let ty = part.as_ref().map_or(Ty::Error, |(_, ty)| ty.clone());
            let local = self.declare(name, ty, false, false);
            bindings.extend(part.map(|(at, ty)| Binding {
                local,
                at: at + 1,
                words: ty.words(),
            }));
        }
        if let (Ty::Struct(of), false) = (data, pattern.rest) {
            self.all_given(
                of,
                &fields,
                &pattern.name,
                Some("`..` leaves the others out"),
            );
        }
        Some(bindings)
    }

    fn exhaustive(&mut self, ty: &Ty, arms: &[MatchArm], span: Span) {
        let covers = |pattern: &Pattern| arms.iter().any(|arm| arm.pattern == *pattern);
        let covers_variant = |n: usize| {
            let mut patterns = arms.iter().map(|arm| &arm.pattern);
            patterns.any(|p| matches!(p, Pattern::Variant(tag, _) if *tag as usize == n))
        };
        if covers(&Pattern::Any) || ty.is_bottom() {
            return;
        }
        let variants = ty.variants(&self.contract.enums);
        let missing: Vec<String> = match ty {
            Ty::Bool => [(0, "`false`"), (1, "`true`")]
                .iter()
                .filter(|(word, _)| !covers(&Pattern::Words(vec![*word])))
                .map(|(_, name)| (*name).to_owned())
                .collect(),
            _ if variants.is_empty() => vec!["`_`".to_owned()],
            _ => variants
                .iter()
                .enumerate()
                .filter(|(n, _)| !covers_variant(*n))
                .map(|(_, (name, data))| match data {
                    Ty::Unit => format!("`{name}`"),
                    Ty::Struct(_) => format!("`{name} {{ .. }}`"),
                    _ => format!("`{name}(..)`"),
                })
                .collect(),
        };
        if !missing.is_empty() {
            let message = format!("this `match` doesn't cover {}", missing.join(", "));
            self.report(
                Diagnostic::new(Code::NotExhaustive, span, message)
                    .help("add the missing arms, or `_ => ..` for everything else"),
            );
        }
    }

    /// An enum by its name, reported where there is none.
    pub(super) fn enum_named(&mut self, of: &ast::Name) -> Option<(Def, Ty)> {
        let def = self.find(&of.text);
        let found = def.and_then(|def| Some((def, self.enum_ty(def)?)));
        if found.is_none() {
            let enums = self.enum_names();
            let message = format!("there is no enum `{}`", of.text);
            let unknown = Diagnostic::new(Code::UnknownName, of.span, message);
            self.report(suggest(unknown, &of.text, of.span, &enums));
        }
        found
    }

    pub(super) fn no_variant(&mut self, name: &ast::Name, of: &Ty) {
        let variants = of.variants(&self.contract.enums).into_iter();
        let known: Vec<String> = variants.map(|(name, _)| name).collect();
        let message = format!("`{}` has no variant `{}`", self.show(of), name.text);
        let unknown = Diagnostic::new(Code::UnknownName, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
    }
}
