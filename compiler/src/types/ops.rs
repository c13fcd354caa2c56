//! Operators, conversions and indexing.

use super::Checker;
use super::ty::Ty;
use super::typed::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp};
use crate::word::Span;

impl Checker {
    pub(super) fn not(&mut self, inner: &ast::Expr, span: Span, hint: Option<&Ty>) -> Expr {
        let inner = self.expr(inner, hint);
        if !(inner.ty == Ty::Bool || inner.ty.is_int() || inner.ty.is_bottom()) {
            let message = format!("`!` can't work on `{}`", self.show(&inner.ty));
            self.report(Diagnostic::new(Code::BadOperands, span, message));
            return Self::error(span);
        }
        Expr {
            ty: inner.ty.clone(),
            span,
            kind: ExprKind::Not(Box::new(inner)),
        }
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        at: Span,
        (left, right): (&ast::Expr, &ast::Expr),
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        use BinaryOp::{And, Eq, Ge, Gt, Le, Lt, Ne, Or, Shl, Shr};
        if matches!(op, And | Or) {
            let left = self.expect(left, &Ty::Bool);
            let right = self.expect(right, &Ty::Bool);
            return make(op, Ty::Bool, left, right, span);
        }
        let compares = matches!(op, Eq | Ne | Lt | Le | Gt | Ge);
        // What is welcome from outside is welcome inside, except for comparisons.
        let hint = hint.filter(|ty| !compares && ty.is_int());
        let beside = |ty: &Ty| beside(op, ty);
        if matches!(op, Shl | Shr) {
            let left = self.expr(left, hint);
            let right = self.expect(right, &Ty::U32);
            return self.finish(op, at, left, right, span);
        }
        // A literal takes the type of the other side.
        let (left, right) = if is_literal(left) && !is_literal(right) {
            let right = self.expr(right, hint);
            let left = self.expr(left, Some(&beside(&right.ty)));
            (left, right)
        } else {
            let left = self.expr(left, hint);
            let other = beside(&left.ty);
            let other = if left.ty == Ty::Error {
                hint
            } else {
                Some(&other)
            };
            let right = self.expr(right, other);
            (left, right)
        };
        self.finish(op, at, left, right, span)
    }

    /// The operator on two checked sides.
    pub(super) fn finish(
        &mut self,
        op: BinaryOp,
        at: Span,
        mut left: Expr,
        mut right: Expr,
        span: Span,
    ) -> Expr {
        use BinaryOp::{
            Add, BitAnd, BitOr, BitXor, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Rem, Shl, Shr, Sub,
        };
        if left.ty.is_bottom() || right.ty.is_bottom() {
            let compares = matches!(op, Eq | Ne | Lt | Le | Gt | Ge);
            let ty = if compares { Ty::Bool } else { Ty::Error };
            return Expr {
                ty,
                span,
                kind: ExprKind::Error,
            };
        }
        if matches!(op, Shl | Shr) {
            if left.ty.is_int() {
                let ty = left.ty.clone();
                return make(op, ty, left, right, span);
            }
            return self.bad_operands(op, at, &left, &right, span);
        }
        let result = match quantities(op, &left.ty, &right.ty) {
            Some([as_left, as_right, result]) => {
                left = self.coerce(left, &as_left);
                right = self.coerce(right, &as_right);
                Some(result)
            }
            None => {
                if left.ty.is_int() && right.ty.is_int() {
                    if left.ty.int_bits() < right.ty.int_bits() {
                        let ty = right.ty.clone();
                        left = self.coerce(left, &ty);
                    } else {
                        let ty = left.ty.clone();
                        right = self.coerce(right, &ty);
                    }
                }
                let same = left.ty == right.ty;
                match op {
                    Eq | Ne if same => Some(Ty::Bool),
                    Lt | Le | Gt | Ge if same && left.ty.int_bits().is_some() => Some(Ty::Bool),
                    Add | Sub | Mul | Div | Rem if same && left.ty.is_int() => {
                        Some(left.ty.clone())
                    }
                    BitAnd | BitOr | BitXor
                        if same && (left.ty.is_int() || left.ty == Ty::Bool) =>
                    {
                        Some(left.ty.clone())
                    }
                    _ => None,
                }
            }
        };
        match result {
            Some(ty) => make(op, ty, left, right, span),
            None => self.bad_operands(op, at, &left, &right, span),
        }
    }

    fn bad_operands(
        &mut self,
        op: BinaryOp,
        at: Span,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Expr {
        let (l, r) = (self.show(&left.ty), self.show(&right.ty));
        let message = format!("`{}` can't work on `{l}` and `{r}`", op.symbol());
        let mut bad = Diagnostic::new(Code::BadOperands, at, message)
            .label(left.span, format!("`{l}`"))
            .label(right.span, format!("`{r}`"));
        let named_and_bytes = match (&left.ty, &right.ty) {
            (named, Ty::Bytes(n)) | (Ty::Bytes(n), named) => {
                named.named_bytes().filter(|(_, length)| length == n)
            }
            _ => None,
        };
        let heights = [&left.ty, &right.ty].map(|ty| *ty == Ty::Height);
        if let Some((name, _)) = named_and_bytes {
            bad = bad.help(format!(
                "a {name} isn't just bytes: convert one side with `{name}(..)` or `bytes(..)`"
            ));
        } else if matches!(left.ty, Ty::Vault(_)) || matches!(right.ty, Ty::Vault(_)) {
            bad = bad.help("compare or compute with what a vault holds: `.amount`");
        } else if heights.contains(&true) {
            bad = bad.help(
                "heights are compared with heights, moved by a `u32`, and apart by a `u32`; \
                 convert with `as height` or `as u32`",
            );
        } else if (left.ty == Ty::Sats) != (right.ty == Ty::Sats) {
            bad = bad.help("amounts are written `50_000 sats`; convert with `as sats` or `as u64`");
        }
        self.report(bad);
        Self::error(span)
    }

    pub(super) fn convert_as(&mut self, inner: &ast::Expr, to: &ast::Type, span: Span) -> Expr {
        let ty = self.ty(to);
        let hint = if is_literal(inner) && ty.is_written_as_number() {
            Some(&ty)
        } else {
            None
        };
        let inner = self.expr(inner, hint);
        if inner.ty.is_bottom() || ty == Ty::Error {
            return Self::error(span);
        }
        let from_number =
            inner.ty.int_bits().is_some() || matches!(inner.ty, Ty::Bool | Ty::Enum(_));
        let related = !(inner.ty.is_quantity() && ty.is_quantity());
        if inner.ty == ty || (from_number && ty.int_bits().is_some() && related) {
            return Expr {
                ty,
                span,
                kind: ExprKind::Convert(Box::new(inner)),
            };
        }
        let (from, to) = (self.show(&inner.ty), self.show(&ty));
        let message = format!("`{from}` can't be converted to `{to}`");
        let bad = Diagnostic::new(Code::BadConversion, span, message);
        self.report(match (&inner.ty, &ty) {
            (Ty::Bytes(_), named) if let Some((name, _)) = named.named_bytes() => {
                bad.help(format!("write `{name}(..)`"))
            }
            (named, Ty::Bytes(_)) if named.named_bytes().is_some() => bad.help("write `bytes(..)`"),
            (_, Ty::Bool) => bad.help("compare it: `x != 0`"),
            _ => bad.help(
                "`as` converts between integers, from and to amounts and heights, and from enums",
            ),
        });
        Self::error(span)
    }

    pub(super) fn index(&mut self, of: &ast::Expr, index: &ast::Expr, span: Span) -> Expr {
        let of = self.expr(of, None);
        if matches!(of.ty, Ty::Map(..)) {
            return self.map_index(of, index, span);
        }
        if of.ty.is_bottom() {
            self.expr(index, None);
            return Self::error(span);
        }
        let index = self.index_value(index);
        let (ty, length) = match &of.ty {
            Ty::Array(element, n) => ((**element).clone(), *n),
            Ty::Bytes(n) => (Ty::U8, *n),
            Ty::Hash => (Ty::U8, 32),
            other => {
                let message = format!("`{}` can't be indexed", self.show(other));
                self.report(Diagnostic::new(Code::NotIndexable, of.span, message));
                return Self::error(span);
            }
        };
        self.index_in_range(&index, length);
        if index.ty == Ty::Error {
            return Self::error(span);
        }
        Expr {
            ty,
            span,
            kind: ExprKind::Index(Box::new(of), Box::new(index)),
        }
    }

    /// An index: any integer.
    pub(super) fn index_value(&mut self, index: &ast::Expr) -> Expr {
        let index = self.expr(index, None);
        if index.ty.is_int() || index.ty == Ty::Error {
            return index;
        }
        let message = format!("an index is a number, not `{}`", self.show(&index.ty));
        self.report(Diagnostic::new(Code::Mismatch, index.span, message));
        Self::error(index.span)
    }

    /// Reports a literal index that is too large.
    pub(super) fn index_in_range(&mut self, index: &Expr, length: u32) {
        let ExprKind::Words(words) = &index.kind else {
            return;
        };
        let low = words.first().copied().unwrap_or(0);
        let high = words.iter().skip(1).any(|word| *word != 0);
        if high || low >= length {
            let message = format!("index {low} is outside: the length is {length}");
            self.report(Diagnostic::new(Code::IndexTooLarge, index.span, message));
        }
    }
}

/// What an operator makes of amounts and heights: the types that its sides take, and its
/// result's. `None` if it goes by the rules of all types, or works on no such sides.
fn quantities(op: BinaryOp, left: &Ty, right: &Ty) -> Option<[Ty; 3]> {
    use BinaryOp::{Add, Div, Mul, Rem, Sub};
    use Ty::{Height, Sats, U32, U64};
    match (op, left, right) {
        // Amounts are multiplied and divided by plain numbers.
        (Mul | Div | Rem, Sats, number) if number.is_int() => Some([Sats, U64, Sats]),
        (Mul, number, Sats) if number.is_int() => Some([U64, Sats, Sats]),
        (Div, Sats, Sats) => Some([Sats, Sats, U64]),
        (Rem | Add | Sub, Sats, Sats) => Some([Sats, Sats, Sats]),
        // Heights are moved by numbers of blocks.
        (Add | Sub, Height, blocks) if blocks.is_int() => Some([Height, U32, Height]),
        (Add, blocks, Height) if blocks.is_int() => Some([U32, Height, Height]),
        (Sub, Height, Height) => Some([Height, Height, U32]),
        _ => None,
    }
}

/// The type that a literal takes on the other side of the operator.
pub(super) fn beside(op: BinaryOp, ty: &Ty) -> Ty {
    match (op, ty) {
        (BinaryOp::Add | BinaryOp::Sub, Ty::Height) => Ty::U32,
        (BinaryOp::Shl | BinaryOp::Shr, _) => Ty::U32,
        (_, ty) => ty.clone(),
    }
}

fn make(op: BinaryOp, ty: Ty, left: Expr, right: Expr, span: Span) -> Expr {
    Expr {
        ty,
        span,
        kind: ExprKind::Binary(op, Box::new(left), Box::new(right)),
    }
}

/// Whether an expression is made of number literals only, and so has no type of its own.
pub(super) fn is_literal(e: &ast::Expr) -> bool {
    match &e.kind {
        ast::ExprKind::Number(_) => true,
        ast::ExprKind::Not(inner) => is_literal(inner),
        ast::ExprKind::Binary(_, _, left, right) => is_literal(left) && is_literal(right),
        _ => false,
    }
}
