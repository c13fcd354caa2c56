//! Expressions.

use super::super::ir::{Op, Span, Value};
use super::{EvalError, Lowered, Lowerer, Words};
use crate::syntax::ast::BinaryOp;
use crate::types::Ty;
use crate::types::typed::{Builtin, Expr, ExprKind};

impl Lowerer<'_> {
    /// The words of an expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Lowered<Words> {
        self.step(0, expr.span)?;
        self.deeper(expr.span, |lowerer| lowerer.expr_kind(expr))
    }

    /// The words of an expression as a value of a type that it widens to.
    pub(super) fn expr_as(&mut self, expr: &Expr, ty: &Ty) -> Lowered<Words> {
        let words = self.expr(expr)?;
        self.convert(words, &expr.ty, ty, expr.span)
    }

    /// An expression that is one word: 0 or 1.
    pub(super) fn condition(&mut self, expr: &Expr) -> Lowered<Value> {
        let words = self.expr(expr)?;
        Ok(words.first().copied().unwrap_or(self.zero))
    }

    fn expr_kind(&mut self, expr: &Expr) -> Lowered<Words> {
        let span = expr.span;
        let blank = || vec![self.zero; expr.ty.words()];
        match &expr.kind {
            // What is wrong has no value; only constants of a wrong contract get here.
            ExprKind::Error => Err(EvalError::NeedsParam),
            ExprKind::Words(words) => Ok(words.iter().map(|w| self.constant(*w)).collect()),
            ExprKind::Local(n) => Ok(self.frame.get(*n).map_or_else(blank, |w| (**w).clone())),
            ExprKind::Param(n) => {
                if let Some(words) = self.open.get(n) {
                    return Ok(words.clone());
                }
                let params = self.constants.params;
                let words = params.get(*n).and_then(Option::as_ref);
                let words = words.ok_or(EvalError::NeedsParam)?;
                self.step(words.len(), span)?;
                Ok(words.iter().map(|w| self.constant(*w)).collect())
            }
            ExprKind::Const(n) => {
                let consts = self.constants.consts;
                let def = consts.get(*n).ok_or(EvalError::NeedsParam)?;
                let Some(words) = &def.words else {
                    return self.open_const(&def.value);
                };
                self.step(words.len(), span)?;
                Ok(words.iter().map(|w| self.constant(*w)).collect())
            }
            ExprKind::Not(inner) => {
                let words = self.expr(inner)?;
                self.b.at(span);
                Ok(self.not_words(&expr.ty, &words))
            }
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
                self.short_circuit(*op, left, right, span)
            }
            ExprKind::Binary(op, left, right) => {
                let (a, b) = (self.expr(left)?, self.expr(right)?);
                self.step(a.len(), span)?;
                self.b.at(span);
                self.binary_words(*op, &left.ty, &a, &b, span)
            }
            ExprKind::Convert(inner) => self.expr_as(inner, &expr.ty),
            ExprKind::Index(of, index) => self.index(of, index, span),
            ExprKind::Part(of, at) => {
                let words = self.expr(of)?;
                let words = words.into_iter().skip(*at).take(expr.ty.words());
                Ok(words.collect())
            }
            ExprKind::Fields(fields) => {
                let mut all = Vec::new();
                for (place, field) in fields {
                    all.push((*place, self.expr(field)?));
                }
                all.sort_by_key(|(place, _)| *place);
                Ok(all.into_iter().flat_map(|(_, words)| words).collect())
            }
            ExprKind::Join(parts) => {
                let mut words = Vec::new();
                for part in parts {
                    words.extend(self.expr(part)?);
                }
                // One part may stand for many: `[0; 9]`.
                let times = expr.ty.words().checked_div(words.len()).unwrap_or(1);
                Ok(words.repeat(times.max(1)))
            }
            ExprKind::Call(n, arguments) => {
                let mut all = Vec::new();
                for argument in arguments {
                    all.push(self.expr(argument)?);
                }
                let fns = self.constants.fns;
                let Some(def) = fns.get(*n) else {
                    return Ok(vec![self.zero; expr.ty.words()]);
                };
                self.inline(all, def.locals.len(), &def.body, &def.returns)
            }
            ExprKind::Settle(arguments) => {
                let mut inputs = Vec::new();
                for argument in arguments {
                    inputs.push(self.expr(argument)?);
                }
                let settle = self.settle.ok_or(EvalError::NeedsParam)?;
                Ok(vec![self.outcome(settle, inputs)?])
            }
            ExprKind::State(place) => self.load(place, &expr.ty, span),
            ExprKind::Aggregate(which, of, place) => self.aggregate(*which, of, place),
            ExprKind::Height => Ok(vec![self.ledger.height.ok_or(EvalError::NeedsParam)?]),
            ExprKind::Take(vault, amount) => self.take(vault, amount.as_deref()),
            ExprKind::Put(vault, other) => self.put(vault, other),
            ExprKind::Mint(asset, amount) => self.supply(*asset, amount, false),
            ExprKind::Burn(asset, vault) => self.supply(*asset, vault, true),
            ExprKind::Builtin(builtin, arguments) => self.builtin(*builtin, arguments, expr),
            ExprKind::If(condition, then, otherwise) => {
                self.if_expr(condition, then, otherwise.as_ref(), expr)
            }
            ExprKind::Match(value, arms) => {
                let words = self.expr(value)?;
                self.match_arms(&words, arms, expr)
            }
            ExprKind::Block(block) => self.block(block, &expr.ty),
            ExprKind::Return(value) => {
                let words = self.expr(value)?;
                if !self.is_zero(self.live) {
                    self.give_back(words);
                }
                Ok(vec![])
            }
            ExprKind::Break | ExprKind::Continue => {
                if !self.is_zero(self.live) {
                    self.jump(matches!(expr.kind, ExprKind::Break));
                }
                Ok(vec![])
            }
        }
    }

    /// A constant that depends on a parameter that is an input.
    fn open_const(&mut self, value: &Expr) -> Lowered<Words> {
        let frame = std::mem::take(&mut self.frame);
        let words = self.expr(value);
        self.frame = frame;
        words
    }

    /// `&&` and `||`: the right side runs only where it matters.
    fn short_circuit(
        &mut self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Lowered<Words> {
        let left = self.condition(left)?;
        if self.is_zero(self.live) {
            return Ok(vec![self.zero]);
        }
        let (zero, one) = (self.zero, self.one);
        if op == BinaryOp::And {
            self.branch(left, span, |l| l.expr(right), |_| Ok(vec![zero]))
        } else {
            self.branch(left, span, |_| Ok(vec![one]), |l| l.expr(right))
        }
    }

    fn builtin(&mut self, builtin: Builtin, arguments: &[Expr], expr: &Expr) -> Lowered<Words> {
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.expr(argument)?);
        }
        self.step(values.iter().map(Vec::len).sum(), expr.span)?;
        self.b.at(expr.span);
        let first = values.first().cloned().unwrap_or_default();
        let second = values.get(1).cloned().unwrap_or_default();
        let tag = first.first().copied().unwrap_or(self.zero);
        match builtin {
            Builtin::Sha256 | Builtin::Blake3 | Builtin::Concat | Builtin::Pad32 => {
                let mut bytes = Vec::new();
                for (argument, words) in arguments.iter().zip(&values) {
                    self.chunks(&argument.ty, words, &mut bytes);
                }
                Ok(match builtin {
                    Builtin::Sha256 => self.sha256(bytes),
                    Builtin::Blake3 => self.blake3(&bytes),
                    Builtin::Pad32 => self.pad32(bytes),
                    _ => self.pack(&bytes),
                })
            }
            Builtin::TagHash => {
                let mut parts = arguments.iter().zip(&values);
                let mut tag = Vec::new();
                if let Some((argument, words)) = parts.next() {
                    self.chunks(&argument.ty, words, &mut tag);
                }
                let tag = self.sha256(tag);
                let mut bytes = Vec::new();
                for _ in 0..2 {
                    self.chunks(&Ty::Hash, &tag, &mut bytes);
                }
                for (argument, words) in parts {
                    self.chunks(&argument.ty, words, &mut bytes);
                }
                Ok(self.sha256(bytes))
            }
            Builtin::WideMul => Ok(self.full_mul(&first, &second)),
            Builtin::MulDiv => {
                let product = self.full_mul(&first, &second);
                let by = values.get(2).cloned().unwrap_or_default();
                let (quotient, _) = self.checked_div(&product, &by, expr.span)?;
                self.convert(quotient, &Ty::U128, &Ty::U64, expr.span)
            }
            Builtin::Min | Builtin::Max => {
                let less = self.less(&first, &second);
                Ok(if builtin == Builtin::Min {
                    self.select(less, &first, &second)
                } else {
                    self.select(less, &second, &first)
                })
            }
            Builtin::Verify => {
                let third = values.get(2).cloned().unwrap_or_default();
                match (first.try_into(), second.try_into(), third.try_into()) {
                    (Ok(key), Ok(message), Ok(signature)) => {
                        Ok(vec![self.b.verify(key, message, signature)])
                    }
                    _ => Err(EvalError::NeedsParam),
                }
            }
            Builtin::Sign => self.sign(&first, &second),
            Builtin::IsSome => Ok(vec![tag]),
            Builtin::IsNone => Ok(vec![self.not(tag)]),
            Builtin::UnwrapOr => {
                let payload = first.get(1..).unwrap_or_default().to_vec();
                Ok(self.select(tag, &payload, &second))
            }
        }
    }

    fn index(&mut self, of: &Expr, index: &Expr, span: Span) -> Lowered<Words> {
        let words = self.expr(of)?;
        let at = self.expr(index)?;
        self.step(words.len(), span)?;
        match &of.ty {
            Ty::Array(element, n) => {
                let low = self.index_word(&at, *n as usize, index.span)?;
                self.b.at(span);
                Ok(self.pick(low, &words, element.words()))
            }
            ty => {
                let n = ty.byte_len().unwrap_or(0);
                let low = self.index_word(&at, n as usize, index.span)?;
                self.b.at(span);
                Ok(vec![self.byte(low, &words, n)])
            }
        }
    }

    /// The low word of an index; aborts where it isn't below `length`.
    pub(super) fn index_word(
        &mut self,
        index: &[Value],
        length: usize,
        span: Span,
    ) -> Lowered<Value> {
        let low = index.first().copied().unwrap_or(self.zero);
        let length = self.constant(length as u32);
        let inside = self.push(Op::Lt(low, length));
        let outside = self.not(inside);
        let mut outside = outside;
        for high in index.iter().skip(1) {
            let far = self.nonzero(*high);
            outside = self.or(outside, far);
        }
        self.abort_if(outside, "OutOfBounds", span)?;
        Ok(low)
    }

    /// The part that an index chooses of an array; any part if the index is outside.
    pub(super) fn pick(&mut self, index: Value, words: &[Value], element: usize) -> Words {
        let mut parts: Vec<Words> = words
            .chunks(element.max(1))
            .map(<[Value]>::to_vec)
            .collect();
        if let Some(known) = self.b.as_const(index) {
            let at = (known as usize).min(parts.len().saturating_sub(1));
            return parts.get(at).cloned().unwrap_or_default();
        }
        // Halve the choice with each bit of the index.
        let mut bit = 0;
        while parts.len() > 1 {
            let shifted = self.push(Op::Shr(index, bit));
            let odd = self.and(shifted, self.one);
            parts = parts
                .chunks(2)
                .map(|pair| match pair {
                    [even, other] => self.select(odd, other, even),
                    rest => rest.first().cloned().unwrap_or_default(),
                })
                .collect();
            bit += 1;
        }
        parts.pop().unwrap_or_default()
    }

    /// Whether a word isn't 0, as 0 or 1.
    pub(super) fn nonzero(&mut self, word: Value) -> Value {
        if self.b.bits(word) <= 1 {
            return word;
        }
        let zero = self.not(word);
        self.not(zero)
    }

    /// Whether all words are equal.
    pub(super) fn equal(&mut self, a: &[Value], b: &[Value]) -> Value {
        let mut all = self.one;
        for (a, b) in a.iter().zip(b) {
            let same = self.push(Op::Eq(*a, *b));
            all = self.and(all, same);
        }
        all
    }
}
