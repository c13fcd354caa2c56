//! Expressions: their types, given what is expected.

use super::Checker;
use super::ty::Ty;
use super::typed::{Condition, Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::Span;

impl Checker {
    /// Checks an expression. The hint is the type that would be welcome: literals take it.
    pub(super) fn expr(&mut self, e: &ast::Expr, hint: Option<&Ty>) -> Expr {
        let span = e.span;
        if self.has_enough() {
            return Self::error(span);
        }
        let known = |ty, words| Expr {
            ty,
            span,
            kind: ExprKind::Words(words),
        };
        match &e.kind {
            ast::ExprKind::Error => Self::error(span),
            ast::ExprKind::Number(n) => self.number(*n, span, hint),
            ast::ExprKind::Sats(n) => known(Ty::Sats, vec![*n as u32, (*n >> 32) as u32]),
            ast::ExprKind::Bool(b) => known(Ty::Bool, vec![u32::from(*b)]),
            ast::ExprKind::Bytes(bytes) => self.bytes_literal(bytes, span),
            ast::ExprKind::Name(text) => self.name_expr(text, span, hint),
            ast::ExprKind::Path(of, name, data) => self.path_expr(of, name, data, span),
            ast::ExprKind::Array(all) => self.array(all, span, hint),
            ast::ExprKind::Repeat(element, count) => self.repeat(element, count, span, hint),
            ast::ExprKind::Not(inner) => self.not(inner, span, hint),
            ast::ExprKind::Binary(op, at, left, right) => {
                self.binary(*op, *at, (left, right), span, hint)
            }
            ast::ExprKind::As(inner, ty) => self.convert_as(inner, ty, span),
            ast::ExprKind::Index(array, index) => self.index(array, index, span),
            ast::ExprKind::Field(of, name) => self.field(of, name, span),
            ast::ExprKind::Tuple(all) => self.tuple(all, span, hint),
            ast::ExprKind::Struct(name, fields) => self.struct_expr(name, fields, span, hint),
            ast::ExprKind::Call(name, arguments) => self.call(name, arguments, span, hint),
            ast::ExprKind::Method(of, name, arguments) => {
                self.method(of, name, arguments, span, hint)
            }
            ast::ExprKind::If {
                condition,
                then,
                otherwise,
            } => self.if_expr(condition, then, otherwise.as_ref(), span, hint),
            ast::ExprKind::Match(value, arms) => self.match_expr(value, arms, span, hint),
            ast::ExprKind::Block(block) => {
                let block = self.block(block, hint);
                Expr {
                    ty: block.ty.clone(),
                    span,
                    kind: ExprKind::Block(block),
                }
            }
            ast::ExprKind::Return(value) => self.return_expr(value.as_deref(), span),
            ast::ExprKind::Break => self.jump("break", ExprKind::Break, span),
            ast::ExprKind::Continue => self.jump("continue", ExprKind::Continue, span),
        }
    }

    /// Checks an expression that must have this type.
    pub(super) fn expect(&mut self, e: &ast::Expr, ty: &Ty) -> Expr {
        let expr = self.expr(e, Some(ty));
        self.coerce(expr, ty)
    }

    /// Makes the value one of this type, if that loses nothing.
    pub(super) fn coerce(&mut self, expr: Expr, ty: &Ty) -> Expr {
        if expr.ty == *ty || expr.ty == Ty::Error {
            return expr;
        }
        if *ty == Ty::Error {
            return Self::error(expr.span);
        }
        let widens = match (&expr.ty, ty) {
            (Ty::Never, _) => true,
            (from, to) => from.is_int() && to.is_int() && from.int_bits() < to.int_bits(),
        };
        if widens {
            return Expr {
                ty: ty.clone(),
                span: expr.span,
                kind: ExprKind::Convert(Box::new(expr)),
            };
        }
        let diagnostic = self.mismatch(&expr, ty);
        self.report(diagnostic);
        Self::error(expr.span)
    }

    fn mismatch(&self, expr: &Expr, ty: &Ty) -> Diagnostic {
        let (found, wanted) = (self.show(&expr.ty), self.show(ty));
        if expr.ty == Ty::Unit {
            let message = format!("expected a value of type `{wanted}`, found none");
            let missing = Diagnostic::new(Code::MissingValue, expr.span, message);
            return match expr.kind {
                ExprKind::If(_, _, None) => missing.help("add an `else` with a value"),
                _ => missing,
            };
        }
        let message = format!("expected `{wanted}`, found `{found}`");
        let mismatch =
            Diagnostic::new(Code::Mismatch, expr.span, message).here(format!("this is `{found}`"));
        let end = Span {
            start: expr.span.end,
            end: expr.span.end,
        };
        match (&expr.ty, ty) {
            _ if found == wanted => {
                mismatch.help("these are two types of one name, each of a library of its own")
            }
            (from, to) if from.is_int() && to.is_int() => mismatch
                .help("a conversion to a smaller type aborts where the value doesn't fit")
                .fix(end, format!(" as {wanted}"), "convert it"),
            (from, Ty::Sats) if from.is_int() => match expr.kind {
                ExprKind::Words(_) => mismatch.fix(end, " sats", "say that it is an amount"),
                _ => mismatch.fix(end, " as sats", "convert it"),
            },
            (from, Ty::Height) if from.is_int() => mismatch.fix(end, " as height", "convert it"),
            (Ty::Sats, Ty::U64) | (Ty::Height, Ty::U32 | Ty::U64) => {
                mismatch.fix(end, format!(" as {wanted}"), "convert it")
            }
            (Ty::Bytes(n), named) if named.named_bytes().is_some_and(|(_, all)| all == *n) => {
                mismatch.help(format!("write `{wanted}(..)` if it is meant as a {wanted}"))
            }
            (named, Ty::Bytes(n)) if named.named_bytes().is_some_and(|(_, all)| all == *n) => {
                mismatch.help(format!("write `bytes(..)` to get a {found}'s bytes"))
            }
            (Ty::Bytes(n), Ty::Bytes(32)) if *n < 32 => {
                mismatch.help("`pad32(..)` adds zeros up to 32 bytes")
            }
            (Ty::Option(inner), to) if **inner == *to => {
                mismatch.help("take the value out: `if let Some(x) = .. { }` or `.unwrap_or(..)`")
            }
            (from, Ty::Option(inner)) if *from == **inner => mismatch.help("wrap it: `Some(..)`"),
            _ => mismatch,
        }
    }

    pub(super) fn number(&mut self, n: u64, span: Span, hint: Option<&Ty>) -> Expr {
        let ty = match hint {
            Some(ty) if ty.is_written_as_number() => ty.clone(),
            _ if u32::try_from(n).is_ok() => Ty::U32,
            _ => Ty::U64,
        };
        let bits = ty.int_bits().unwrap_or(64);
        if bits < 64 && n >> bits != 0 {
            let name = self.show(&ty);
            let most = (1u64 << bits) - 1;
            let message = format!("{n} doesn't fit `{name}`, which goes up to {most}");
            self.report(Diagnostic::new(Code::DoesNotFit, span, message));
            return Self::error(span);
        }
        let mut words = vec![n as u32];
        if bits >= 64 {
            words.push((n >> 32) as u32);
        }
        words.resize(ty.words(), 0);
        Expr {
            ty,
            span,
            kind: ExprKind::Words(words),
        }
    }

    fn bytes_literal(&mut self, bytes: &[u8], span: Span) -> Expr {
        let n = bytes.len() as u32;
        if n == 0 || u64::from(n) > 4 * super::MAX_WORDS {
            let message = "bytes have a length of 1 to 16,384";
            self.report(Diagnostic::new(Code::BadSize, span, message));
            return Self::error(span);
        }
        let pack = |chunk: &[u8]| {
            chunk
                .iter()
                .fold(0u32, |w, byte| (w << 8) | u32::from(*byte))
        };
        Expr {
            ty: Ty::Bytes(n),
            span,
            kind: ExprKind::Words(bytes.chunks(4).map(pack).collect()),
        }
    }

    fn array(&mut self, all: &[ast::Expr], span: Span, hint: Option<&Ty>) -> Expr {
        let hinted = match hint {
            Some(Ty::Array(element, _)) => Some((**element).clone()),
            _ => None,
        };
        if all.is_empty() {
            let message = "an array has at least one element";
            self.report(Diagnostic::new(Code::BadSize, span, message));
            return Self::error(span);
        }
        let mut elements: Vec<Expr> = Vec::new();
        let mut ty = hinted;
        for element in all {
            let mut element = self.expr(element, ty.as_ref());
            match &ty {
                Some(ty) => element = self.coerce(element, ty),
                None if !element.ty.is_bottom() => ty = Some(element.ty.clone()),
                None => {}
            }
            elements.push(element);
        }
        let bad = elements.iter().any(|e| e.ty.is_bottom());
        let Some(ty) = ty.filter(|_| !bad) else {
            return Self::error(span);
        };
        self.sized(
            Ty::Array(Box::new(ty), all.len() as u32),
            ExprKind::Join(elements),
            span,
        )
    }

    fn repeat(&mut self, e: &ast::Expr, n: &ast::Expr, span: Span, hint: Option<&Ty>) -> Expr {
        let hinted = match hint {
            Some(Ty::Array(element, _)) => Some((**element).clone()),
            _ => None,
        };
        let mut element = self.expr(e, hinted.as_ref());
        if let Some(ty) = &hinted {
            element = self.coerce(element, ty);
        }
        let Some(n) = self.length(n) else {
            return Self::error(span);
        };
        if element.ty.is_bottom() {
            return Self::error(span);
        }
        let ty = Ty::Array(Box::new(element.ty.clone()), n);
        self.sized(ty, ExprKind::Join(vec![element]), span)
    }

    /// A value whose size must be within limits.
    pub(super) fn sized(&mut self, ty: Ty, kind: ExprKind, span: Span) -> Expr {
        if ty.spread() as u64 > super::MAX_WORDS {
            let words = ty.spread();
            let message = format!("this value has {words} words; at most {}", super::MAX_WORDS);
            self.report(Diagnostic::new(Code::BadSize, span, message));
            return Self::error(span);
        }
        Expr { ty, span, kind }
    }

    fn if_expr(
        &mut self,
        condition: &ast::Condition,
        then: &ast::Block,
        otherwise: Option<&ast::Block>,
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let (condition, then) = match condition {
            ast::Condition::Bool(condition) => {
                let condition = self.expect(condition, &Ty::Bool);
                (Condition::Bool(condition), self.block(then, hint))
            }
            ast::Condition::Let(pattern, value) => {
                let value = self.expr(value, None);
                self.scoped(|c| {
                    let pattern = c.pattern(pattern, &value.ty);
                    let then = c.block(then, hint);
                    (Condition::Let(pattern, value), then)
                })
            }
        };
        let otherwise = otherwise.map(|block| self.block(block, hint));
        let ty = match &otherwise {
            None => {
                if !matches!(then.ty, Ty::Unit | Ty::Never | Ty::Error) {
                    let message = "this `if` gives a value but has no `else`";
                    let at = then.value.as_ref().map_or(then.span, |v| v.span);
                    let unused = Diagnostic::new(Code::UnusedValue, at, message);
                    self.report(unused.help("write `return` before the value, or add an `else`"));
                }
                Ty::Unit
            }
            Some(otherwise) => {
                let at = otherwise.value.as_ref().map_or(otherwise.span, |v| v.span);
                self.join(&then.ty, &otherwise.ty, at)
            }
        };
        Expr {
            ty,
            span,
            kind: ExprKind::If(Box::new(condition), then, otherwise),
        }
    }

    /// The type that both branches have, perhaps after widening.
    pub(super) fn join(&mut self, a: &Ty, b: &Ty, at: Span) -> Ty {
        match (a, b) {
            (Ty::Error, _) | (_, Ty::Error) => Ty::Error,
            (Ty::Never, other) | (other, Ty::Never) => other.clone(),
            (a, b) if a == b => a.clone(),
            (a, b) if a.is_int() && b.is_int() => {
                if a.int_bits() < b.int_bits() {
                    b.clone()
                } else {
                    a.clone()
                }
            }
            (a, b) => {
                let message = format!(
                    "the branches differ: `{}` and `{}`",
                    self.show(a),
                    self.show(b)
                );
                self.report(Diagnostic::new(Code::Mismatch, at, message));
                Ty::Error
            }
        }
    }

    fn return_expr(&mut self, value: Option<&ast::Expr>, span: Span) -> Expr {
        let returns = self.frame.returns.clone();
        let Some(ty) = returns.filter(|_| self.frame.in_function()) else {
            let message = "`return` outside a function";
            self.report(Diagnostic::new(Code::NotConstant, span, message));
            return Self::error(span);
        };
        if value.is_none() && ty == Ty::Unit {
            let unit = Expr {
                ty: Ty::Unit,
                span,
                kind: ExprKind::Words(Vec::new()),
            };
            return Expr {
                ty: Ty::Never,
                span,
                kind: ExprKind::Return(Box::new(unit)),
            };
        }
        let Some(value) = value else {
            let message = format!("`return` needs a value of type `{}`", self.show(&ty));
            self.report(Diagnostic::new(Code::MissingValue, span, message));
            return Self::error(span);
        };
        let value = self.expect(value, &ty);
        Expr {
            ty: Ty::Never,
            span,
            kind: ExprKind::Return(Box::new(value)),
        }
    }

    fn jump(&mut self, word: &str, kind: ExprKind, span: Span) -> Expr {
        if self.frame.loops == 0 {
            let message = format!("`{word}` outside a loop");
            self.report(Diagnostic::new(Code::OutsideLoop, span, message));
            return Self::error(span);
        }
        let ty = Ty::Never;
        Expr { ty, span, kind }
    }
}
