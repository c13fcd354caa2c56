//! Vaults are linear: what one holds is never there twice and never lost.
//!
//! A walk over a checked body that follows where each variable's vault goes. A variable is full
//! from its declaration until it is moved: given to `.put(..)` or `.burn(..)`, to a function, or
//! returned. It must be moved exactly once on every way that doesn't abort (an abort undoes
//! the whole call).

use super::ty::Ty;
use super::typed::{
    Block, Condition, Expr, ExprKind, Key, Local, MatchArm, Place, Statement, Step,
};
use super::{Checker, Frame};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Checker {
    /// Follows the vaults of a function or entry whose first variables are its arguments. Where
    /// types are wrong, what was found here would follow from that.
    pub(super) fn linear(&mut self, frame: &Frame, arguments: usize, body: &Block) {
        if !self.good_since(frame.known) {
            return;
        }
        let mut flow = Flow::new(self, &frame.locals);
        let all: Vec<usize> = (0..arguments).collect();
        all.iter().for_each(|local| flow.declare(*local));
        flow.block(body);
        flow.leave(&all);
    }

    /// The same for an expression without variables that hold vaults.
    pub(super) fn linear_expr(&mut self, locals: &[Local], known: usize, expr: &Expr) {
        if self.good_since(known) {
            Flow::new(self, locals).value(expr);
        }
    }
}

/// What is known of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// It holds no vault, or isn't declared yet, or what is wrong with it has been reported.
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
    loops: Vec<Loop>,
}

/// A loop around.
struct Loop {
    /// The variables declared inside it so far.
    declared: Vec<usize>,
    /// What was held before its first round, which each round must leave like that.
    before: Vec<Held>,
    /// What was held at each `break`.
    broken: Vec<Vec<Held>>,
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
                inner.declared.push(local);
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
        let declared = self.locals.get(local).map_or(span, |local| local.span);
        let place = match (moved, declared == span) {
            (Some(_), _) => " on another way",
            (None, true) => "",
            (None, false) => " here",
        };
        let message = format!("what `{name}` holds would be lost{place}");
        let mut found = Diagnostic::new(Code::VaultLost, span, message);
        if let Some(moved) = moved {
            found = found.label(moved, "on this way it is moved");
        } else if declared != span {
            found = found.label(declared, "it holds a vault");
        }
        self.checker.report(found.help(match name.as_str() {
            "_" => "give it a name, and put it into a vault of the state".to_owned(),
            _ => format!("put it into a vault of the state: `wallet[who].put({name})`"),
        }));
    }

    /// Leaves early with `return`, or with `break` or `continue` out of the last loop.
    fn jump(&mut self, span: Span, out: &[usize]) {
        for local in out {
            if self.live && self.is(*local) == Held::Full {
                self.lost(*local, span, None);
                self.set(*local, Held::Nothing);
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
            Statement::Let(local, value) => self.let_parts(&[*local], value, declared),
            Statement::LetParts(locals, value) => self.let_parts(locals, value, declared),
            Statement::Assign {
                local,
                path,
                value,
                ty,
                span,
                ..
            } => {
                self.value(value);
                self.steps(path);
                if self.locals.get(*local).is_some_and(|l| l.ty.is_linear()) {
                    self.assign(*local, path, ty, *span);
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

    fn let_parts(&mut self, locals: &[usize], value: &Expr, declared: &mut Vec<usize>) {
        let known = self.checker.diagnostics.len();
        self.value(value);
        for local in locals {
            // What isn't there can't be lost.
            if self.checker.diagnostics.len() == known {
                self.declare(*local);
            }
            declared.push(*local);
        }
    }

    /// `local = ..` or, with a path, a part of it, where it holds vaults.
    fn assign(&mut self, local: usize, path: &[Step], ty: &Ty, span: Span) {
        let held = self.is(local);
        match held {
            Held::Full if path.is_empty() && self.live => self.lost(local, span, None),
            Held::Moved(at) if !path.is_empty() => self.twice(local, span, at),
            _ if !path.is_empty() && ty.is_linear() => {
                let message = "a vault in a tuple can't be assigned";
                let help = "give all its parts names: `let (a, b) = ..`";
                self.report(Code::NotMutable, span, message, help);
            }
            _ => {}
        }
        if path.is_empty() {
            self.set(local, Held::Full);
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
        self.loops.push(Loop {
            declared: Vec::new(),
            before: self.held.clone(),
            broken: Vec::new(),
        });
        self.block(body);
        self.next_round();
        let Some(left) = self.loops.pop() else { return };
        self.held = left.before;
        for broken in left.broken {
            self.held = self.merge(&self.held.clone(), &broken);
        }
        self.live = live;
    }

    /// The end of a round, or `continue`: the next one must find what this one found.
    fn next_round(&mut self) {
        let Some(inner) = self.loops.last().filter(|_| self.live) else {
            return;
        };
        for (local, before) in inner.before.clone().into_iter().enumerate() {
            let name = self.name(local);
            match (before, self.is(local)) {
                (Held::Full, Held::Moved(at)) => {
                    let message = format!("`{name}` would be moved in each round of the loop");
                    let help = format!("take a part of it in each round: `{name}.take(amount)`");
                    self.report(Code::VaultCopied, at, &message, &help);
                }
                (Held::Moved(_), Held::Full) => {
                    let span = self.locals.get(local).map(|l| l.span).unwrap_or_default();
                    let message = format!("the next round of the loop loses what `{name}` holds");
                    let help = "move it on before the round ends";
                    self.report(Code::VaultLost, span, &message, help);
                }
                // Reported already.
                (_, Held::Nothing) => {}
                _ => continue,
            }
            if let Some(before) = self.loops.last_mut().and_then(|l| l.before.get_mut(local)) {
                *before = Held::Nothing;
            }
        }
    }

    /// An expression whose value goes somewhere.
    fn value(&mut self, expr: &Expr) {
        if expr.ty.is_map() && !matches!(expr.kind, ExprKind::Error) {
            let message = "a map is no value";
            let help = "name one of its keys: `map[key]`";
            self.report(Code::MapAsValue, expr.span, message, help);
            return;
        }
        match &expr.kind {
            ExprKind::Local(n) if expr.ty.is_linear() => self.moved(*n, expr.span),
            ExprKind::State(place) => {
                if expr.ty.is_linear() && !place.keys.contains(&Key::Each) {
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
                if left.ty.is_linear() && left.ty == right.ty && !left.ty.is_map() {
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
                if value.ty.is_linear() {
                    let message = "a `match` would lose what this holds";
                    let help = "match on how much it is: `match v.amount { .. }`";
                    self.report(Code::VaultLost, value.span, message, help);
                }
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
                let inner = self.loops.last().map(|l| l.declared.clone());
                let live = self.live;
                self.jump(expr.span, &inner.unwrap_or_default());
                self.live = live;
                if expr.kind == ExprKind::Continue {
                    self.next_round();
                } else if let Some(inner) = self.loops.last_mut().filter(|_| live) {
                    inner.broken.push(self.held.clone());
                }
                self.live = false;
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
                    Held::Nothing
                }
                (Held::Nothing, _) | (_, Held::Nothing) => Held::Nothing,
                (a, _) => *a,
            });
        }
        merged
    }

    /// A variable's vault goes away.
    fn moved(&mut self, local: usize, span: Span) {
        match self.is(local) {
            Held::Moved(at) => self.twice(local, span, at),
            Held::Full => self.set(local, Held::Moved(span)),
            Held::Nothing => {}
        }
    }

    fn twice(&mut self, local: usize, span: Span, at: Span) {
        let message = format!("`{}` holds nothing any more", self.name(local));
        let found = Diagnostic::new(Code::VaultCopied, span, message);
        self.checker.report(found.label(at, "it was moved here"));
        self.set(local, Held::Nothing);
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
        } else if matches!(of.kind, ExprKind::Local(_)) && !whole.ty.is_linear() {
            self.vault(of);
        } else if matches!(of.ty, Ty::Vault(_)) && !matches!(of.kind, ExprKind::Part(..)) {
            let message = "what is here would be lost after its amount is read";
            let help = "give it a name: `let v = ..`, read `v.amount`, and move `v` on";
            self.report(Code::VaultLost, of.span, message, help);
        } else {
            let mut root = of;
            while let ExprKind::Part(inner, _) = &root.kind {
                root = inner;
            }
            if let ExprKind::Local(local) = root.kind {
                if self.is(local) == Held::Nothing {
                    return;
                }
                self.set(local, Held::Nothing);
            }
            let message = "a vault can't be taken out of a tuple like this";
            let help = "give all its parts names: `let (a, b) = ..`";
            self.report(Code::VaultCopied, whole.span, message, help);
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
