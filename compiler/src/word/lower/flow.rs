//! Control: blocks, statements, branches, loops and calls.

use super::super::ir::{Op, Span, Value};
use super::{Lowered, Lowerer, MAX_DEPTH, Words, limit};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::BinaryOp;
use crate::types::Ty;
use crate::types::typed::{Block, Condition, Expr, MatchArm, Pattern, Statement, Step};
use std::rc::Rc;

type FrameWords = Vec<Rc<Words>>;

/// A loop that is being unrolled.
pub(super) struct Loop {
    /// Variables from here on are the loop's own.
    limit: usize,
    broke: Exit,
    continued: Exit,
}

/// The ways that left early, merged.
struct Exit {
    taken: Value,
    frame: Option<FrameWords>,
}

impl Lowerer<'_> {
    /// Lowers something one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        span: Span,
        lower: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("calls and expressions nest more than {MAX_DEPTH} deep here");
            return Err(limit(Diagnostic::new(Code::TooLarge, span, message)));
        }
        self.depth += 1;
        let result = lower(self);
        self.depth -= 1;
        result
    }

    /// A function's body with these arguments, in place of its call.
    pub(super) fn inline(
        &mut self,
        arguments: Vec<Words>,
        locals: usize,
        body: &Block,
        returns: &Ty,
    ) -> Lowered<Words> {
        let mut frame: FrameWords = arguments.into_iter().map(Rc::new).collect();
        frame.resize_with(locals.max(frame.len()), Rc::default);
        let here = self.and(self.guard, self.live);
        let guard = std::mem::replace(&mut self.guard, here);
        let live = std::mem::replace(&mut self.live, self.one);
        let frame = std::mem::replace(&mut self.frame, frame);
        let result = self.result.take();
        let loops = std::mem::take(&mut self.loops);
        let count = std::mem::replace(&mut self.returns, 0);

        let value = self.block(body, returns)?;
        let returned = self.result.take();
        let value = match returned {
            Some(returned) if self.is_zero(self.live) => returned,
            Some(returned) => self.select(self.live, &value, &returned),
            None => value,
        };

        self.guard = guard;
        self.live = live;
        self.frame = frame;
        self.result = result;
        self.loops = loops;
        self.returns = count;
        Ok(value)
    }

    /// A block; its value as one of type `ty`.
    pub(super) fn block(&mut self, block: &Block, ty: &Ty) -> Lowered<Words> {
        for statement in &block.statements {
            if self.is_zero(self.live) {
                break;
            }
            self.statement(statement)?;
        }
        match &block.value {
            Some(value) if !self.is_zero(self.live) => self.expr_as(value, ty),
            _ => Ok(vec![self.zero; ty.words()]),
        }
    }

    fn statement(&mut self, statement: &Statement) -> Lowered<()> {
        match statement {
            Statement::Let(local, value) => {
                let words = self.expr(value)?;
                self.set(*local, words);
            }
            Statement::LetParts(locals, value) => {
                let words = self.expr(value)?;
                let mut words = words.into_iter();
                for (local, (_, ty)) in locals.iter().zip(value.ty.parts()) {
                    let part = words.by_ref().take(ty.words()).collect();
                    self.set(*local, part);
                }
            }
            Statement::Assign {
                local,
                path,
                op,
                value,
                ty,
                span,
            } => self.assign(*local, path, *op, value, ty, *span)?,
            Statement::Require {
                condition,
                error,
                span,
            } => {
                let holds = self.condition(condition)?;
                let fails = self.not(holds);
                let name = match error {
                    Some(n) => self.errors.get(*n).map_or("", |e| e.name.as_str()),
                    None => "AssertFailed",
                };
                self.abort_if(fails, name, *span)?;
            }
            Statement::For {
                local,
                from,
                to,
                inclusive,
                body,
            } => {
                let (first, last) = (self.bound(from)?, self.bound(to)?);
                let words = from.ty.words();
                let last = if *inclusive {
                    last.checked_add(1)
                } else {
                    Some(last)
                };
                // All of u64 can't be unrolled; the limit of steps says so long before.
                let range = first..last.unwrap_or(u64::MAX);
                let values = range.map(move |n| [n as u32, (n >> 32) as u32]);
                self.unroll(*local, body, from.span, values, |lowerer, n| {
                    let n = n.iter().chain(std::iter::repeat(&0)).take(words);
                    n.map(|w| lowerer.constant(*w)).collect()
                })?;
            }
            Statement::ForEach { local, array, body } => {
                let words = self.expr(array)?;
                let size = match &array.ty {
                    Ty::Array(element, _) => element.words().max(1),
                    _ => 1,
                };
                let elements: Vec<Words> = words.chunks(size).map(<[Value]>::to_vec).collect();
                self.unroll(*local, body, array.span, elements, |_, words| words)?;
            }
            Statement::Store(store) => self.store(store)?,
            Statement::Emit(event, fields, span) => self.emit(*event, fields, *span)?,
            Statement::Expr(expr) => {
                self.expr(expr)?;
            }
        }
        Ok(())
    }

    fn bound(&mut self, expr: &Expr) -> Lowered<u64> {
        let words = self.expr(expr)?;
        let word = |n: usize| words.get(n).map_or(Some(0), |w| self.b.as_const(*w));
        match (word(0), word(1)) {
            // No loop is that long; the limit of steps says so.
            _ if words.iter().skip(2).any(|w| !self.is_zero(*w)) => Ok(u64::MAX),
            (Some(low), Some(high)) => Ok(u64::from(low) | (u64::from(high) << 32)),
            _ => {
                let message = "the bound of a loop must be known when compiling";
                Err(limit(Diagnostic::new(
                    Code::NotConstant,
                    expr.span,
                    message,
                )))
            }
        }
    }

    fn unroll<T>(
        &mut self,
        local: usize,
        body: &Block,
        span: Span,
        values: impl IntoIterator<Item = T>,
        mut words: impl FnMut(&mut Self, T) -> Words,
    ) -> Lowered<()> {
        let (before, returns) = (self.live, self.returns);
        self.loops.push(Loop {
            limit: local,
            broke: exit_of(self.zero),
            continued: exit_of(self.zero),
        });
        for value in values {
            self.step(self.frame.len(), span)?;
            let words = words(self, value);
            self.set(local, words);
            let (start, returned) = (self.live, self.returns);
            let broken = self.loops.last().map(|l| l.broke.taken);
            self.block(body, &Ty::Unit)?;
            let fresh = exit_of(self.zero);
            let continued = match self.loops.last_mut() {
                Some(inner) => std::mem::replace(&mut inner.continued, fresh),
                None => fresh,
            };
            self.rejoin(continued, local);
            let straight = broken == self.loops.last().map(|l| l.broke.taken);
            if straight && returned == self.returns {
                self.live = start;
            }
            if self.is_zero(self.live) {
                break;
            }
        }
        if let Some(done) = self.loops.pop() {
            self.rejoin(done.broke, done.limit);
        }
        if returns == self.returns {
            self.live = before;
        }
        Ok(())
    }

    /// Brings the ways that left early together with the one that didn't.
    fn rejoin(&mut self, exit: Exit, limit: usize) {
        let Some(left) = exit.frame else { return };
        if self.is_zero(self.live) {
            self.restore(left, limit);
        } else {
            let stayed = self.frame.clone();
            self.merge(exit.taken, &left, &stayed, limit);
        }
        self.live = self.or(self.live, exit.taken);
    }

    fn restore(&mut self, from: FrameWords, limit: usize) {
        for (slot, words) in self.frame.iter_mut().zip(from).take(limit) {
            *slot = words;
        }
    }

    /// `break` or `continue`.
    pub(super) fn jump(&mut self, breaks: bool) {
        let live = self.live;
        self.live = self.zero;
        let Some(mut inner) = self.loops.pop() else {
            return;
        };
        let exit = if breaks {
            &mut inner.broke
        } else {
            &mut inner.continued
        };
        let before = exit.frame.take();
        let taken = exit.taken;
        let here = std::mem::take(&mut self.frame);
        self.frame = here.clone();
        let merged = match before {
            None => here.clone(),
            Some(before) => {
                self.merge(live, &here, &before, inner.limit);
                std::mem::replace(&mut self.frame, here)
            }
        };
        let taken = self.or(taken, live);
        let exit = if breaks {
            &mut inner.broke
        } else {
            &mut inner.continued
        };
        *exit = Exit {
            taken,
            frame: Some(merged),
        };
        self.loops.push(inner);
    }

    /// `return`
    pub(super) fn give_back(&mut self, words: Words) {
        self.result = Some(match self.result.take() {
            None => words,
            Some(before) => self.select(self.live, &words, &before),
        });
        self.returns += 1;
        self.live = self.zero;
    }

    /// The variables as they are in `then` where the condition holds, else in `otherwise`.
    fn merge(
        &mut self,
        condition: Value,
        then: &[Rc<Words>],
        otherwise: &[Rc<Words>],
        limit: usize,
    ) {
        let mut merged = Vec::with_capacity(then.len());
        for (n, (t, f)) in then.iter().zip(otherwise).enumerate() {
            let same = Rc::ptr_eq(t, f) || t.len() != f.len() || n >= limit;
            merged.push(if same {
                Rc::clone(if t.is_empty() { f } else { t })
            } else {
                self.steps += t.len() as u64;
                Rc::new(self.select(condition, t, f))
            });
        }
        self.frame = merged;
    }

    /// Lowers one of two ways, or both and selects.
    pub(super) fn branch(
        &mut self,
        condition: Value,
        span: Span,
        then: impl FnOnce(&mut Self) -> Lowered<Words>,
        otherwise: impl FnOnce(&mut Self) -> Lowered<Words>,
    ) -> Lowered<Words> {
        match self.b.as_const(condition) {
            Some(0) => return otherwise(self),
            Some(_) => return then(self),
            None => {}
        }
        self.step(self.frame.len(), span)?;
        let (before, frame) = (self.live, self.frame.clone());
        let live_then = self.and(before, condition);
        let unless = self.not(condition);
        let live_else = self.and(before, unless);

        self.live = live_then;
        let value_then = then(self)?;
        let end_then = std::mem::replace(&mut self.live, live_else);
        let frame_then = std::mem::replace(&mut self.frame, frame);
        let value_else = otherwise(self)?;
        let end_else = self.live;

        if self.is_zero(end_then) {
            return Ok(value_else);
        }
        if self.is_zero(end_else) {
            self.live = end_then;
            self.frame = frame_then;
            return Ok(value_then);
        }
        let frame_else = std::mem::take(&mut self.frame);
        self.merge(condition, &frame_then, &frame_else, usize::MAX);
        self.live = if (end_then, end_else) == (live_then, live_else) {
            before
        } else {
            self.or(end_then, end_else)
        };
        Ok(self.select(condition, &value_then, &value_else))
    }

    /// `if`
    pub(super) fn if_expr(
        &mut self,
        condition: &Condition,
        then: &Block,
        otherwise: Option<&Block>,
        expr: &Expr,
    ) -> Lowered<Words> {
        let (holds, matched) = match condition {
            Condition::Bool(condition) => (self.condition(condition)?, None),
            Condition::Let(pattern, value) => {
                let words = self.expr(value)?;
                (self.matches(pattern, &words), Some((pattern, words)))
            }
        };
        if self.is_zero(self.live) {
            return Ok(vec![self.zero; expr.ty.words()]);
        }
        self.branch(
            holds,
            expr.span,
            |lowerer| {
                if let Some((pattern, words)) = matched {
                    lowerer.bind(pattern, &words);
                }
                lowerer.block(then, &expr.ty)
            },
            |lowerer| match otherwise {
                Some(block) => lowerer.block(block, &expr.ty),
                None => Ok(vec![]),
            },
        )
    }

    /// The arms of a `match`, first match first. The last arm needs no test.
    pub(super) fn match_arms(
        &mut self,
        value: &[Value],
        arms: &[MatchArm],
        expr: &Expr,
    ) -> Lowered<Words> {
        let Some((arm, rest)) = arms.split_first() else {
            return Ok(vec![self.zero; expr.ty.words()]);
        };
        let holds = match rest {
            [] => self.one,
            _ => self.matches(&arm.pattern, value),
        };
        self.deeper(expr.span, |lowerer| {
            lowerer.branch(
                holds,
                expr.span,
                |lowerer| {
                    lowerer.bind(&arm.pattern, value);
                    lowerer.expr_as(&arm.value, &expr.ty)
                },
                |lowerer| lowerer.match_arms(value, rest, expr),
            )
        })
    }

    /// Whether a value matches.
    fn matches(&mut self, pattern: &Pattern, value: &[Value]) -> Value {
        match pattern {
            Pattern::Any => self.one,
            Pattern::Words(words) => {
                let words: Words = words.iter().map(|w| self.constant(*w)).collect();
                self.equal(value, &words)
            }
            Pattern::Variant(tag, _) => {
                let own = value.first().copied().unwrap_or(self.zero);
                self.has_tag(own, *tag)
            }
        }
    }

    /// Whether a word is the number of a variant.
    pub(super) fn has_tag(&mut self, word: Value, tag: u32) -> Value {
        match tag {
            0 => self.not(word),
            1 if self.b.bits(word) <= 1 => word,
            _ => {
                let tag = self.constant(tag);
                self.push(Op::Eq(word, tag))
            }
        }
    }

    /// Gives the variables of a pattern what it matched.
    fn bind(&mut self, pattern: &Pattern, value: &[Value]) {
        let Pattern::Variant(_, bindings) = pattern else {
            return;
        };
        for binding in bindings {
            let part = value.iter().skip(binding.at).take(binding.words);
            self.set(binding.local, part.copied().collect());
        }
    }

    pub(super) fn set(&mut self, local: usize, words: Words) {
        if let Some(slot) = self.frame.get_mut(local) {
            *slot = Rc::new(words);
        }
    }

    fn assign(
        &mut self,
        local: usize,
        path: &[Step],
        op: Option<BinaryOp>,
        value: &Expr,
        ty: &Ty,
        span: Span,
    ) -> Lowered<()> {
        let right = self.expr(value)?;
        let whole = self.frame.get(local).map(|words| (**words).clone());
        let whole = whole.unwrap_or_default();
        let changed = self.changed(&whole, path, (op, right, ty), span)?;
        self.set(local, changed);
        Ok(())
    }

    /// `whole` with the part at the end of the path changed: `part op= right`, of type `ty`. As
    /// in Rust, the right side was computed before the indices are.
    pub(super) fn changed(
        &mut self,
        whole: &[Value],
        path: &[Step],
        (op, right, ty): (Option<BinaryOp>, Words, &Ty),
        span: Span,
    ) -> Lowered<Words> {
        let mut indices = Vec::new();
        for step in path {
            indices.push(match step {
                Step::Element(index, _) => self.expr(index)?,
                Step::Part(..) => vec![],
            });
        }
        let mut places = Vec::new();
        let mut size = whole.len();
        for (step, index) in path.iter().zip(indices) {
            let (place, words) = match step {
                Step::Element(written, words) => {
                    let count = size.checked_div(*words).unwrap_or(0);
                    let low = self.index_word(&index, count, written.span)?;
                    (Place::Element(low, *words), *words)
                }
                Step::Part(at, words) => (Place::Part(*at, *words), *words),
            };
            places.push(place);
            size = words;
        }
        let new = match op {
            None => right,
            Some(op) => {
                let mut old = whole.to_vec();
                for place in &places {
                    old = match *place {
                        Place::Element(low, words) => self.pick(low, &old, words),
                        Place::Part(at, words) => old.into_iter().skip(at).take(words).collect(),
                    };
                }
                self.binary_words(op, ty, &old, &right, span)?
            }
        };
        self.replace(whole, &places, &new, span)
    }

    /// `whole` with the part at the place replaced.
    fn replace(
        &mut self,
        whole: &[Value],
        places: &[Place],
        new: &[Value],
        span: Span,
    ) -> Lowered<Words> {
        let Some((place, rest)) = places.split_first() else {
            return Ok(new.to_vec());
        };
        self.step(whole.len(), span)?;
        let (low, element) = match *place {
            Place::Element(low, element) => (low, element),
            Place::Part(at, words) => {
                let (before, from) = whole.split_at(at.min(whole.len()));
                let (part, after) = from.split_at(words.min(from.len()));
                let inner = self.replace(part, rest, new, span)?;
                return Ok([before, &inner, after].concat());
            }
        };
        let mut changed = Vec::with_capacity(whole.len());
        for (i, part) in whole.chunks(element.max(1)).enumerate() {
            let i = self.constant(i as u32);
            let here = self.push(Op::Eq(low, i));
            if self.is_zero(here) {
                changed.extend_from_slice(part);
                continue;
            }
            let inner = self.replace(part, rest, new, span)?;
            changed.extend(self.select(here, &inner, part));
        }
        Ok(changed)
    }
}

/// Where in a value: an element by its index, or the words from one on.
enum Place {
    Element(Value, usize),
    Part(usize, usize),
}

fn exit_of(zero: Value) -> Exit {
    Exit {
        taken: zero,
        frame: None,
    }
}
