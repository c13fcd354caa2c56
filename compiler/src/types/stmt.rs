//! Blocks and statements.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Block, Condition, Expr, ExprKind, Local, Pattern, Statement, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, StatementKind};
use crate::word::Span;

impl Checker {
    /// A function's body: its value is what the function returns.
    pub(super) fn body(&mut self, block: &ast::Block, returns: &Ty) -> Block {
        let mut block = self.block(block, Some(returns));
        match block.value.take() {
            Some(value) => {
                let value = self.coerce(*value, returns);
                block.ty = returns.clone();
                block.value = Some(Box::new(value));
            }
            None if block.ty == Ty::Unit && *returns != Ty::Error => {
                let end = Span {
                    start: block.span.end.saturating_sub(1).max(block.span.start),
                    end: block.span.end,
                };
                let wanted = self.show(returns);
                let message = format!("the end is reached without a value of type `{wanted}`");
                self.report(
                    Diagnostic::new(Code::MissingValue, end, message)
                        .help("end with the value, or `return` it on every path"),
                );
            }
            None => {}
        }
        block
    }

    pub(super) fn block(&mut self, block: &ast::Block, hint: Option<&Ty>) -> Block {
        self.scoped(|c| {
            let mut statements = Vec::new();
            let mut ended = false;
            let mut reported = false;
            for statement in &block.statements {
                if ended && !reported {
                    c.unreachable(statement.span);
                    reported = true;
                }
                let checked = c.statement(statement);
                ended |= matches!(&checked, Statement::Expr(e) if e.ty == Ty::Never);
                statements.push(checked);
            }
            let value = block.value.as_ref().map(|value| {
                if ended && !reported {
                    c.unreachable(value.span);
                }
                Box::new(c.expr(value, hint))
            });
            let ty = match &value {
                _ if ended => Ty::Never,
                Some(value) => value.ty.clone(),
                None => Ty::Unit,
            };
            Block {
                statements,
                value,
                ty,
                span: block.span,
            }
        })
    }

    fn unreachable(&mut self, span: Span) {
        let message = "this is never reached";
        self.report(Diagnostic::new(Code::Unreachable, span, message));
    }

    fn statement(&mut self, statement: &ast::Statement) -> Statement {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Let {
                mutable,
                name,
                ty,
                value,
            } => self.let_statement(*mutable, name, ty.as_ref(), value),
            StatementKind::LetTuple { names, value } => self.let_tuple(names, value),
            StatementKind::Assign { place, op, value } => self.assign(place, *op, value, span),
            StatementKind::Require { condition, error } => {
                let condition = self.expect(condition, &Ty::Bool);
                let error = self.error_name(error);
                Statement::Require {
                    condition,
                    error: Some(error),
                    span,
                }
            }
            StatementKind::Assert(condition) => Statement::Require {
                condition: self.expect(condition, &Ty::Bool),
                error: None,
                span,
            },
            StatementKind::For {
                name,
                ty,
                over,
                body,
            } => self.for_statement(name, ty.as_ref(), over, body),
            StatementKind::Emit(event, fields) => self.emit(event, fields, span),
            StatementKind::Expr(expr) => {
                let expr = self.expr(expr, None);
                if !matches!(expr.ty, Ty::Unit | Ty::Never | Ty::Error) {
                    let message = "this value isn't used";
                    let at = value_span(&expr);
                    self.report(
                        Diagnostic::new(Code::UnusedValue, at, message)
                            .help("`return` it, or give it a name with `let`"),
                    );
                }
                Statement::Expr(expr)
            }
        }
    }

    fn let_statement(
        &mut self,
        mutable: bool,
        name: &ast::Name,
        ty: Option<&ast::Type>,
        value: &ast::Expr,
    ) -> Statement {
        let value = match ty {
            Some(ty) => {
                let ty = self.local_type(ty);
                let value = self.expect(value, &ty);
                // Errors keep the type that was written.
                Expr { ty, ..value }
            }
            None => self.expr(value, None),
        };
        let ty = match &value.ty {
            Ty::Unit => {
                let message = "this has no value";
                self.report(Diagnostic::new(Code::MissingValue, value.span, message));
                Ty::Error
            }
            Ty::Never => Ty::Error,
            ty => ty.clone(),
        };
        let constant = !mutable && self.is_constant(&value);
        let local = self.declare(name, ty, mutable, constant);
        Statement::Let(local, value)
    }

    fn assign(
        &mut self,
        place: &ast::Expr,
        op: Option<ast::BinaryOp>,
        value: &ast::Expr,
        span: Span,
    ) -> Statement {
        let mut written = Vec::new();
        let mut at = place;
        while let ast::ExprKind::Index(of, _) | ast::ExprKind::Field(of, _) = &at.kind {
            written.push(at);
            at = of;
        }
        let local = match &at.kind {
            ast::ExprKind::Name(text) => self.find_local(text),
            _ => None,
        };
        if let (None, ast::ExprKind::Name(text)) = (local, &at.kind)
            && let Some((Def::State(field), _)) = self.names.items.get(text).copied()
        {
            return self.store(field, at, &written, (place, op, value), span);
        }
        if let (None, Some(asset)) = (local, self.asset_named(at)) {
            let name = self.asset_name(asset);
            let message = format!("there is as much of `{name}` as was minted and not burned");
            let wrong = Diagnostic::new(Code::NotMutable, place.span, message);
            self.report(wrong.help(format!(
                "`{name}.mint(amount)` and `{name}.burn(vault)` change that"
            )));
            self.expr(value, Some(&Ty::Error));
            return Statement::Expr(Self::error(span));
        }
        let Some(local) = local else {
            // Reports unknown names in its own way.
            let checked = self.expr(at, None);
            if checked.ty != Ty::Error {
                let message = "only variables can be changed";
                self.report(Diagnostic::new(Code::NotMutable, at.span, message));
            }
            return Statement::Expr(Self::error(span));
        };
        let Some(known) = self.frame.locals.get(local).cloned() else {
            return Statement::Expr(Self::error(span));
        };
        if !known.mutable && known.ty != Ty::Error {
            self.not_mutable(&known, at.span);
        }
        let mut ty = known.ty;
        let mut path = Vec::new();
        for step in written.into_iter().rev() {
            let step = self.step(step, &mut ty, place.span);
            path.extend(step);
        }
        let value = match op {
            None => self.expect(value, &ty),
            Some(op) => self.assign_op(op, &ty, place.span, value, span),
        };
        Statement::Assign {
            local,
            path,
            op,
            value,
            ty,
            span,
        }
    }

    pub(super) fn not_mutable(&mut self, known: &Local, at: Span) {
        let message = format!("`{}` can't be changed", known.name);
        let insert = Span {
            end: known.span.start,
            ..known.span
        };
        self.report(
            Diagnostic::new(Code::NotMutable, at, message)
                .label(known.span, "declared without `mut`")
                .fix(insert, "mut ", "declare it with `let mut`"),
        );
    }

    /// One step of the way to what is assigned; `ty` becomes the part's type.
    pub(super) fn step(&mut self, step: &ast::Expr, ty: &mut Ty, place: Span) -> Option<Step> {
        let of = std::mem::replace(ty, Ty::Error);
        match &step.kind {
            ast::ExprKind::Index(_, index) => {
                let index = self.index_value(index);
                match of {
                    Ty::Array(element, n) => {
                        self.index_in_range(&index, n);
                        *ty = *element;
                    }
                    Ty::Error => {}
                    other => {
                        let other = self.show(&other);
                        let message = format!("an element of `{other}` can't be changed");
                        self.report(Diagnostic::new(Code::NotIndexable, place, message));
                    }
                }
                Some(Step::Element(index, ty.words()))
            }
            ast::ExprKind::Field(_, name) => {
                let (at, part) = self.part(&of, name)?;
                let step = Step::Part(at, part.words());
                *ty = part;
                Some(step)
            }
            _ => None,
        }
    }

    pub(super) fn let_tuple(
        &mut self,
        names: &[(bool, ast::Name)],
        value: &ast::Expr,
    ) -> Statement {
        let value = self.expr(value, None);
        let parts = match &value.ty {
            Ty::Tuple(parts) if parts.len() == names.len() => parts.clone(),
            Ty::Error | Ty::Never => vec![Ty::Error; names.len()],
            other => {
                let message = format!(
                    "{} names for a value of type `{}`",
                    names.len(),
                    self.show(other)
                );
                self.report(Diagnostic::new(Code::Mismatch, value.span, message));
                vec![Ty::Error; names.len()]
            }
        };
        let constant = self.is_constant(&value);
        let locals = names
            .iter()
            .zip(parts)
            .map(|((mutable, name), ty)| self.declare(name, ty, *mutable, constant && !*mutable));
        Statement::LetParts(locals.collect(), value)
    }

    /// The right side of `place op= value`.
    pub(super) fn assign_op(
        &mut self,
        op: ast::BinaryOp,
        ty: &Ty,
        place: Span,
        value: &ast::Expr,
        span: Span,
    ) -> Expr {
        use ast::BinaryOp::{Shl, Shr};
        let right = self.expr(value, Some(&super::ops::beside(op, ty)));
        let right = match op {
            Shl | Shr => self.coerce(right, &Ty::U32),
            _ => right,
        };
        if *ty == Ty::Error || right.ty.is_bottom() {
            return Self::error(span);
        }
        let left = Expr {
            ty: ty.clone(),
            span: place,
            kind: ExprKind::Words(vec![0; ty.words()]),
        };
        let whole = self.finish(op, span, left, right, span);
        let result = self.coerce(whole, ty);
        match result.kind {
            ExprKind::Binary(_, _, right) => *right,
            _ => Self::error(span),
        }
    }

    fn for_statement(
        &mut self,
        name: &ast::Name,
        ty: Option<&ast::Type>,
        over: &ast::Over,
        body: &ast::Block,
    ) -> Statement {
        let ty = ty.map(|ty| self.ty(ty));
        match over {
            ast::Over::Elements(array) => {
                let array = self.expr(array, None);
                let element = self.element_type(&array);
                let constant = self.is_constant(&array);
                let (local, body) = self.loop_body(name, element, constant, body);
                Statement::ForEach { local, array, body }
            }
            ast::Over::Range {
                from,
                to,
                inclusive,
            } => {
                let (from, to, ty) = self.counted(ty, name, from, to);
                for bound in [&from, &to] {
                    if bound.ty != Ty::Error && !self.is_constant(bound) {
                        let message = "the bound of a loop must be known when compiling";
                        self.report(
                            Diagnostic::new(Code::NotConstant, bound.span, message).help(
                                "run to the largest value possible and leave the loop with `break`",
                            ),
                        );
                    }
                }
                let (local, body) = self.loop_body(name, ty, true, body);
                Statement::For {
                    local,
                    from,
                    to,
                    inclusive: *inclusive,
                    body,
                }
            }
        }
    }

    /// The ends of a loop's range, and the type of its variable, which may be written.
    pub(super) fn counted(
        &mut self,
        ty: Option<Ty>,
        name: &ast::Name,
        from: &ast::Expr,
        to: &ast::Expr,
    ) -> (Expr, Expr, Ty) {
        match ty {
            Some(ty) if ty.is_int() => (self.expect(from, &ty), self.expect(to, &ty), ty),
            Some(ty) => {
                if ty != Ty::Error {
                    let message = "a loop counts with an integer";
                    self.report(Diagnostic::new(Code::Mismatch, name.span, message));
                }
                (self.expr(from, None), self.expr(to, None), Ty::Error)
            }
            None => self.range(from, to),
        }
    }

    /// The type of what a loop over this gives.
    pub(super) fn element_type(&mut self, array: &Expr) -> Ty {
        match &array.ty {
            Ty::Array(element, _) => (**element).clone(),
            Ty::Error | Ty::Never => Ty::Error,
            other => {
                let message = format!("`for` can't run over `{}`", self.show(other));
                self.report(
                    Diagnostic::new(Code::Mismatch, array.span, message)
                        .help("it runs over an array or a range: `for i in 0..8`"),
                );
                Ty::Error
            }
        }
    }

    /// Both ends of a range, and the wider of their types.
    pub(super) fn ends(&mut self, from: &ast::Expr, to: &ast::Expr) -> (Expr, Expr, Ty) {
        let (from, to) = if super::ops::is_literal(from) {
            let to = self.expr(to, None);
            (self.expr(from, Some(&to.ty)), to)
        } else {
            let from = self.expr(from, None);
            let to = self.expr(to, Some(&from.ty));
            (from, to)
        };
        let wider = if from.ty.int_bits() < to.ty.int_bits() {
            to.ty.clone()
        } else {
            from.ty.clone()
        };
        if from.ty == Ty::Error || to.ty == Ty::Error {
            return (from, to, Ty::Error);
        }
        (from, to, wider)
    }

    pub(super) fn range(&mut self, from: &ast::Expr, to: &ast::Expr) -> (Expr, Expr, Ty) {
        let (from, to, wider) = self.ends(from, to);
        if wider == Ty::Error {
            return (from, to, wider);
        }
        if !wider.is_int() {
            let message = format!("a loop counts with an integer, not `{}`", self.show(&wider));
            self.report(Diagnostic::new(Code::Mismatch, from.span, message));
            return (from, to, Ty::Error);
        }
        let (from, to) = (self.coerce(from, &wider), self.coerce(to, &wider));
        (from, to, wider)
    }

    fn loop_body(
        &mut self,
        name: &ast::Name,
        ty: Ty,
        constant: bool,
        body: &ast::Block,
    ) -> (usize, Block) {
        self.scoped(|c| {
            let local = c.declare(name, ty, false, constant);
            c.frame.loops += 1;
            let body = c.block(body, None);
            c.frame.loops -= 1;
            if !matches!(body.ty, Ty::Unit | Ty::Never | Ty::Error) {
                let at = body.value.as_ref().map_or(body.span, |v| v.span);
                let message = "a loop's body has no value";
                c.report(Diagnostic::new(Code::UnusedValue, at, message));
            }
            (local, body)
        })
    }

    pub(super) fn error_name(&mut self, name: &ast::Name) -> usize {
        if let Some(Def::Error(n)) = self.find(&name.text) {
            return n;
        }
        let known = self.names.of_kind(|def| matches!(def, Def::Error(_)));
        let message = format!("there is no error `{}`", name.text);
        let mut unknown = Diagnostic::new(Code::UnknownError, name.span, message);
        unknown = suggest(unknown, &name.text, name.span, &known);
        if unknown.fix.is_none() {
            unknown = unknown.help(format!("declare it: `error {}`", name.text));
        }
        self.report(unknown);
        0
    }

    /// Whether lowering will know the value: loops are unrolled and parameters folded in.
    pub(super) fn is_constant(&self, e: &Expr) -> bool {
        let all = |list: &[Expr]| list.iter().all(|e| self.is_constant(e));
        match &e.kind {
            ExprKind::Words(_) | ExprKind::Param(_) | ExprKind::Const(_) => true,
            ExprKind::Local(n) => self.frame.locals.get(*n).is_some_and(|l| l.constant),
            ExprKind::Not(inner) | ExprKind::Convert(inner) | ExprKind::Part(inner, _) => {
                self.is_constant(inner)
            }
            ExprKind::Fields(fields) => fields.iter().all(|(_, e)| self.is_constant(e)),
            ExprKind::Binary(_, a, b) | ExprKind::Index(a, b) => {
                self.is_constant(a) && self.is_constant(b)
            }
            ExprKind::Join(list) | ExprKind::Builtin(_, list) => all(list),
            ExprKind::If(condition, then, Some(otherwise)) => {
                let condition = matches!(&**condition, Condition::Bool(c) if self.is_constant(c));
                condition && self.is_constant_block(then) && self.is_constant_block(otherwise)
            }
            ExprKind::Match(value, arms) => {
                let arms = arms.iter().all(|arm| {
                    let binds = matches!(&arm.pattern, Pattern::Variant(_, all) if !all.is_empty());
                    !binds && self.is_constant(&arm.value)
                });
                self.is_constant(value) && arms
            }
            ExprKind::Block(block) => self.is_constant_block(block),
            _ => false,
        }
    }

    fn is_constant_block(&self, block: &Block) -> bool {
        let value = block.value.as_ref();
        block.statements.is_empty() && value.is_some_and(|v| self.is_constant(v))
    }
}

/// Where the unused value of a statement stands.
fn value_span(e: &Expr) -> Span {
    match &e.kind {
        ExprKind::If(_, then, _) => then.value.as_ref().map_or(e.span, |v| value_span(v)),
        _ => e.span,
    }
}
