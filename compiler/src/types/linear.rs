//! Vaults are linear: what one holds is never there twice and never lost.
//!
//! A walk over a checked body that follows where each variable's vault goes. A variable is full
//! from its declaration until it is moved: given to `.put(..)` or `.burn(..)`, to a function, or
//! returned. It must be moved exactly once on every way that doesn't abort (an abort undoes
//! the whole call).

use super::Checker;
use super::ty::Ty;
use super::typed::{
    Block, Condition, Expr, ExprKind, Key, Local, MatchArm, Place, Statement, Step,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Checker {
    /// Follows the vaults of a function or entry whose first variables are its arguments.
    pub(super) fn linear(&mut self, locals: &[Local], arguments: usize, body: &Block) {
        let mut flow = Flow::new(self, locals);
        let all: Vec<usize> = (0..arguments).collect();
        all.iter().for_each(|local| flow.declare(*local));
        flow.block(body);
        flow.leave(&all);
    }

    /// The same for an expression without variables that hold vaults.
    pub(super) fn linear_expr(&mut self, locals: &[Local], expr: &Expr) {
        Flow::new(self, locals).value(expr);
    }
}

/// What is known of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// It holds no vault, or isn't declared yet.
    Nothing,
    /// It holds a vault.
    Full,
    /// Its vault was moved here.
    Moved(Span),
}

struct Flow<'c> {
    checker: &'c mut Checker,
    locals: &'c [Local],
    held: Vec<Held>,
    /// Whether control comes here at all.
    live: bool,
    /// For each loop around, the variables declared inside it so far.
    loops: Vec<Vec<usize>>,
}

impl<'c> Flow<'c> {
    fn new(checker: &'c mut Checker, locals: &'c [Local]) -> Self {
        Self {
            checker,
            locals,
            held: vec![Held::Nothing; locals.len()],
            live: true,
            loops: Vec::new(),
        }
    }

    fn report(&mut self, code: Code, span: Span, message: &str, help: &str) {
        let found = Diagnostic::new(code, span, message.to_owned());
        self.checker.report(found.help(help.to_owned()));
    }

    fn name(&self, local: usize) -> String {
        let known = self.locals.get(local);
        known.map(|local| local.name.clone()).unwrap_or_default()
    }

    fn is(&self, local: usize) -> Held {
        self.held.get(local).copied().unwrap_or(Held::Nothing)
    }

    fn set(&mut self, local: usize, held: Held) {
        if let Some(slot) = self.held.get_mut(local) {
            *slot = held;
        }
    }

    fn declare(&mut self, local: usize) {
        let linear = self.locals.get(local).is_some_and(|l| l.ty.is_linear());
        if linear {
            self.set(local, Held::Full);
            if let Some(inner) = self.loops.last_mut() {
                inner.push(local);
            }
        }
    }

    /// The end of what these variables are visible in.
    fn leave(&mut self, locals: &[usize]) {
        for local in locals {
            if self.live && self.is(*local) == Held::Full {
                let span = self.locals.get(*local).map(|l| l.span);
                self.lost(*local, span.unwrap_or_default(), None);
            }
            self.set(*local, Held::Nothing);
        }
    }

    fn lost(&mut self, local: usize, span: Span, moved: Option<Span>) {
        let name = self.name(local);
        let message = format!("what `{name}` holds would be lost here");
        let mut found = Diagnostic::new(Code::VaultLost, span, message);
        if let Some(moved) = moved {
            found = found.label(moved, "on this way it is moved");
        } else if let Some(known) = self.locals.get(local)
            && known.span != span
        {
            found = found.label(known.span, "it holds a vault");
        } else {
            let message = format!("what `{name}` holds would be lost");
            found = Diagnostic::new(Code::VaultLost, span, message);
        }
        self.checker.report(found.help(format!(
            "put it into a vault of the state: `wallet[who].put({name})`"
        )));
    }

    /// Leaves early with `return`, or with `break` or `continue` out of the last loop.
    fn jump(&mut self, span: Span, out: &[usize]) {
        for local in out {
            if self.live && self.is(*local) == Held::Full {
                self.lost(*local, span, None);
                // Once is enough.
                self.set(*local, Held::Moved(span));
            }
        }
        self.live = false;
    }

    fn block(&mut self, block: &Block) {
        let mut declared = Vec::new();
        for statement in &block.statements {
            self.statement(statement, &mut declared);
        }
        if let Some(value) = &block.value {
            self.value(value);
        }
        self.leave(&declared);
    }

    fn statement(&mut self, statement: &Statement, declared: &mut Vec<usize>) {
        match statement {
            Statement::Let(local, value) => {
                self.value(value);
                self.declare(*local);
                declared.push(*local);
            }
            Statement::LetParts(locals, value) => {
                self.value(value);
                for local in locals {
                    self.declare(*local);
                    declared.push(*local);
                }
            }
            Statement::Assign {
                local,
                path,
                value,
                span,
                ..
            } => {
                self.value(value);
                self.steps(path);
                let linear = self.locals.get(*local).is_some_and(|l| l.ty.is_linear());
                if linear {
                    if self.live && self.is(*local) == Held::Full {
                        self.lost(*local, *span, None);
                    }
                    self.set(*local, Held::Full);
                }
            }
            Statement::Store(store) => {
                self.value(&store.value);
                self.steps(&store.path);
                self.keys(&store.place, store.span);
            }
            Statement::Emit(_, fields, _) => fields.iter().for_each(|(_, e)| self.value(e)),
            Statement::Require { condition, .. } => self.value(condition),
            Statement::For { from, to, body, .. } => {
                self.value(from);
                self.value(to);
                self.repeated(body);
            }
            Statement::ForEach { array, body, .. } => {
                self.value(array);
                self.repeated(body);
            }
            Statement::Expr(expr) => self.value(expr),
        }
    }

    fn steps(&mut self, path: &[Step]) {
        for step in path {
            if let Step::Element(index, _) = step {
                self.value(index);
            }
        }
    }

    /// The body of a loop: `break` or the end of the range lead past it.
    fn repeated(&mut self, body: &Block) {
        let live = self.live;
        self.loops.push(Vec::new());
        self.block(body);
        self.loops.pop();
        self.live = live;
    }

    /// An expression whose value goes somewhere.
    fn value(&mut self, expr: &Expr) {
        if expr.ty.is_map() && !matches!(expr.kind, ExprKind::Error) {
            let message = "a map is no value";
            let help = "name one of its keys: `map[key]`";
            self.report(Code::MapAsValue, expr.span, message, help);
        }
        match &expr.kind {
            ExprKind::Local(n) if expr.ty.is_linear() => self.moved(*n, expr.span),
            ExprKind::State(place) => {
                if expr.ty.is_linear() {
                    let message = "this would be there twice: in the state and here";
                    let help = "`.take(amount)` or `.take_all()` moves it out of the state";
                    self.report(Code::VaultCopied, expr.span, message, help);
                }
                self.keys(place, expr.span);
            }
            ExprKind::Aggregate(_, _, place) => self.key_values(place),
            ExprKind::Part(of, _) => self.part(of, expr),
            ExprKind::Take(vault, amount) => {
                amount.iter().for_each(|amount| self.value(amount));
                self.vault(vault);
            }
            ExprKind::Put(vault, other) => {
                self.value(other);
                self.vault(vault);
            }
            ExprKind::Binary(op, left, right) => {
                if left.ty.is_linear() && left.ty == right.ty {
                    let message = format!("`{}` can't compare vaults", op.symbol());
                    let help = "compare what they hold: `a.amount == b.amount`";
                    self.report(Code::BadOperands, expr.span, &message, help);
                    return;
                }
                self.value(left);
                match op {
                    crate::syntax::ast::BinaryOp::And | crate::syntax::ast::BinaryOp::Or => {
                        self.branches(vec![
                            Box::new(|_: &mut Self| {}),
                            Box::new(|f| f.value(right)),
                        ]);
                    }
                    _ => self.value(right),
                }
            }
            ExprKind::If(condition, then, otherwise) => self.if_expr(condition, then, otherwise),
            ExprKind::Match(value, arms) => {
                self.value(value);
                let ways = arms
                    .iter()
                    .map(|arm| -> Way<'_, 'c> { Box::new(|f| f.arm(arm)) });
                self.branches(ways.collect());
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Return(value) => {
                self.value(value);
                let all: Vec<usize> = (0..self.locals.len()).collect();
                self.jump(expr.span, &all);
            }
            ExprKind::Break | ExprKind::Continue => {
                let inner = self.loops.last().cloned().unwrap_or_default();
                self.jump(expr.span, &inner);
            }
            _ => self.children(expr),
        }
    }

    /// Expressions that give their operands' values on.
    fn children(&mut self, expr: &Expr) {
        let wrapped = matches!(expr.ty, Ty::Option(_) | Ty::Array(..) | Ty::Struct(_));
        if wrapped && expr.ty.is_linear() {
            let message = "a vault can't be wrapped";
            let help = "only variables, tuples and places of the state hold vaults";
            self.report(Code::TypeNotAllowed, expr.span, message, help);
            return;
        }
        match &expr.kind {
            ExprKind::Not(inner)
            | ExprKind::Convert(inner)
            | ExprKind::Mint(_, inner)
            | ExprKind::Burn(_, inner) => self.value(inner),
            ExprKind::Index(of, index) => {
                self.value(of);
                self.value(index);
            }
            ExprKind::Join(all)
            | ExprKind::Call(_, all)
            | ExprKind::Builtin(_, all)
            | ExprKind::Settle(all) => all.iter().for_each(|e| self.value(e)),
            ExprKind::Fields(all) => all.iter().for_each(|(_, e)| self.value(e)),
            _ => {}
        }
    }

    fn if_expr(&mut self, condition: &Condition, then: &Block, otherwise: &Option<Block>) {
        match condition {
            Condition::Bool(condition) => self.value(condition),
            Condition::Let(_, value) => self.value(value),
        }
        self.branches(vec![
            Box::new(|flow| flow.block(then)),
            Box::new(|flow| {
                if let Some(block) = otherwise {
                    flow.block(block);
                }
            }),
        ]);
    }

    fn arm(&mut self, arm: &MatchArm) {
        self.value(&arm.value);
    }

    /// Ways of which one is taken: afterwards all agree on what was moved.
    fn branches(&mut self, ways: Vec<Way<'_, 'c>>) {
        let (held, live) = (self.held.clone(), self.live);
        let mut merged: Option<Vec<Held>> = None;
        for way in ways {
            self.held.clone_from(&held);
            self.live = live;
            way(self);
            if self.live {
                let now = self.held.clone();
                merged = Some(match merged {
                    None => now,
                    Some(before) => self.merge(&before, &now),
                });
            }
        }
        self.live = merged.is_some();
        self.held = merged.unwrap_or(held);
    }

    fn merge(&mut self, a: &[Held], b: &[Held]) -> Vec<Held> {
        let mut merged = Vec::with_capacity(a.len());
        for (local, (a, b)) in a.iter().zip(b).enumerate() {
            merged.push(match (a, b) {
                (Held::Full, Held::Moved(at)) | (Held::Moved(at), Held::Full) => {
                    let span = self.locals.get(local).map(|l| l.span);
                    self.lost(local, span.unwrap_or_default(), Some(*at));
                    Held::Moved(*at)
                }
                (Held::Nothing, other) => *other,
                (a, _) => *a,
            });
        }
        merged
    }

    /// A variable's vault goes away.
    fn moved(&mut self, local: usize, span: Span) {
        if let Held::Moved(at) = self.is(local) {
            self.twice(local, span, at);
            return;
        }
        let outside = self
            .loops
            .last()
            .is_some_and(|inner| !inner.contains(&local));
        if outside {
            let name = self.name(local);
            let message = format!("`{name}` would be moved in each round of the loop");
            let help = format!("take a part of it in each round: `{name}.take(amount)`");
            self.report(Code::VaultCopied, span, &message, &help);
        }
        self.set(local, Held::Moved(span));
    }

    fn twice(&mut self, local: usize, span: Span, at: Span) {
        let message = format!("`{}` holds nothing any more", self.name(local));
        let found = Diagnostic::new(Code::VaultCopied, span, message);
        self.checker.report(found.label(at, "it was moved here"));
    }

    /// A vault that stays where it is.
    fn vault(&mut self, vault: &Expr) {
        match &vault.kind {
            ExprKind::Local(n) => {
                if let Held::Moved(at) = self.is(*n) {
                    self.twice(*n, vault.span, at);
                }
            }
            ExprKind::State(place) => self.keys(place, vault.span),
            _ => self.value(vault),
        }
    }

    fn part(&mut self, of: &Expr, whole: &Expr) {
        if !of.ty.is_linear() {
            self.value(of);
        } else if whole.ty.is_linear() || !matches!(of.kind, ExprKind::Local(_)) {
            let message = "a vault can't be taken out of a tuple like this";
            let help = "give all its parts names: `let (a, b) = ..`";
            self.report(Code::VaultCopied, whole.span, message, help);
        } else {
            self.vault(of);
        }
    }

    /// The keys of a place, each one key.
    fn keys(&mut self, place: &Place, span: Span) {
        if place.keys.contains(&Key::Each) {
            let message = "`_` stands for every key";
            let help = "only `sum(..)` and `count(..)` look at every key; name one: `map[key]`";
            self.report(Code::WholeState, span, message, help);
        }
        self.key_values(place);
    }

    fn key_values(&mut self, place: &Place) {
        for key in &place.keys {
            if let Key::Of(key) = key {
                self.value(key);
            }
        }
    }
}

/// One of several ways.
type Way<'a, 'c> = Box<dyn FnOnce(&mut Flow<'c>) + 'a>;
