//! Emits a [`Graph`] as Script: a symbolic stack whose every item is known by name, so that
//! an operand is fetched by `ROLL` at its last use and by `PICK` before.
//!
//! Stack, bottom first: tables, values, operands. Tables are pushed once, if used, and dropped
//! at the end. What was read arrives on the altstack, the first digit on top, the claimed
//! digits beneath. What lies on the stack is stored with a [bias](bias::Bias).
//!
//! A body is emitted twice: the first time tells which corrections of biases there would be,
//! then the tables' biases are chosen, the second time counts.

mod arrange;
mod bias;
mod draft;
mod long;
mod look;
mod number;
mod product;
mod slots;
mod stack;
mod sum;
mod tables;

use super::ScriptError;
use super::asm::Asm;
use super::code::Code;
use super::graph::{Graph, Node, NodeId};
use super::marks::{Marks, What};
use crate::units::StackDepth;
use bias::{Bias, Chosen, Demands};
pub use draft::Draft;
use stack::{Name, Stack};
use tables::Tables;

/// What a body does with its nodes, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stmt {
    /// Have this on the stack.
    Keep(NodeId),
    /// The body succeeds if this is not 0. Never negative.
    Flag(NodeId),
    /// The body succeeds if this is not the next claimed digit.
    Compare(NodeId),
    /// The body succeeds if these, the lower one first, are not the next two claimed digits.
    /// These, and all that are claimed before, wait as one item, which costs bytes and saves
    /// stack.
    ComparePair(NodeId, NodeId),
    /// The body succeeds if this is not the number that so many claimed digits make.
    CompareJoined(NodeId, usize),
}

impl Stmt {
    /// How many claimed digits it takes.
    pub fn claims(&self) -> usize {
        match self {
            Self::Keep(_) | Self::Flag(_) => 0,
            Self::Compare(_) => 1,
            Self::ComparePair(..) => 2,
            Self::CompareJoined(_, digits) => *digits,
        }
    }
}

/// Sums that reach so far are numbers rather than digits: their biases are corrected at once.
const LARGE: i64 = 1 << 12;
/// Sums that reach so far leave no room for biases on the way.
const HUGE: i64 = 1 << 30;

struct Emitter<'a> {
    graph: &'a Graph,
    tables: &'a Tables,
    chosen: &'a Chosen,
    /// Items on the stack that are tables' cells.
    base: usize,
    stack: Stack,
    /// By node: whether it lies on the stack, and with which bias.
    stored: Vec<Option<Bias>>,
    /// Uses of each node that are still to come.
    uses: Vec<u32>,
    demands: Demands,
    marks: &'a mut Marks,
}

impl<'a> Emitter<'a> {
    fn new(
        graph: &'a Graph,
        tables: &'a Tables,
        chosen: &'a Chosen,
        uses: Vec<u32>,
        marks: &'a mut Marks,
    ) -> Self {
        Self {
            graph,
            tables,
            chosen,
            base: 0,
            stack: Stack::new(Asm::new(0, 0)),
            stored: vec![None; graph.len()],
            uses,
            demands: Demands::default(),
            marks,
        }
    }

    fn body(
        mut self,
        stmts: &[Stmt],
        reads: usize,
    ) -> Result<((Vec<u8>, StackDepth), Demands), ScriptError> {
        let claims: usize = stmts.iter().map(Stmt::claims).sum();
        self.stack = Stack::new(Asm::new(0, reads + claims));
        self.tables
            .push(&mut self.stack.asm, self.chosen, self.marks);
        self.base = self.stack.asm.height();
        self.reads(reads);
        let mut joined = self.join_claims(stmts);
        let mut flagged = false;
        for stmt in stmts {
            let start = self.stack.asm.len();
            match *stmt {
                Stmt::Keep(node) => {
                    self.keep(node);
                    continue;
                }
                Stmt::Flag(node) => self.flag(node, flagged),
                Stmt::Compare(node) | Stmt::CompareJoined(node, _) => {
                    self.plain(node);
                    self.compare(&mut joined, stmt.claims(), flagged);
                }
                Stmt::ComparePair(low, high) => {
                    let of_high = self.value(high);
                    self.double(4);
                    let partial = self.stack.top();
                    let mut bias = self.value(low);
                    self.join(partial);
                    self.stack.apply(Code::Add, 2);
                    bias.add(&of_high, 16);
                    self.correct(bias);
                    self.compare(&mut joined, 2, flagged);
                }
            }
            flagged = true;
            let what = match stmt.claims() {
                0 => What::Flag,
                digits => What::Compare(digits),
            };
            self.mark(what, start);
        }
        self.end(flagged)
    }

    fn reads(&mut self, reads: usize) {
        let mut names = vec![None; reads];
        for index in 0..self.graph.len() {
            if let Node::Read(n) = self.graph.node(NodeId(index as u32))
                && self.uses[index] > 0
                && let Some(name) = names.get_mut(*n as usize)
            {
                *name = Some(index);
            }
        }
        let joins = self.joins_of_reads(reads);
        for (name, joins) in names.into_iter().zip(joins) {
            let start = self.stack.asm.len();
            self.stack.asm.op(Code::FromAlt);
            match name {
                Some(index) => {
                    let node = NodeId(index as u32);
                    self.stack.pushed();
                    self.name_top(node, Bias::default());
                    self.mark(What::Node(node), start);
                }
                None => {
                    self.stack.asm.op(Code::Drop);
                    self.mark(What::Unread, start);
                }
            }
            for join in joins {
                self.keep(join);
            }
        }
    }

    /// Makes one item each of what is compared first, up to the last pair; gives how many.
    fn join_claims(&mut self, stmts: &[Stmt]) -> usize {
        let claims: Vec<&Stmt> = stmts.iter().filter(|stmt| stmt.claims() > 0).collect();
        let pair = |stmt: &&Stmt| matches!(stmt, Stmt::ComparePair(..));
        let joined = claims.iter().rposition(pair).map_or(0, |last| last + 1);
        let start = self.stack.asm.len();
        for stmt in claims.iter().take(joined) {
            self.claimed(stmt.claims());
        }
        for _ in 0..joined {
            self.stack.asm.op(Code::ToAlt);
        }
        self.mark(What::Join, start);
        joined
    }

    /// Says what the bytes since `start` are.
    fn mark(&mut self, what: What, start: usize) {
        self.marks.add(what, start..self.stack.asm.len());
    }

    /// Says that the bytes since `start` leave a node's value on top, biased.
    fn mark_node(&mut self, node: NodeId, bias: &Bias, start: usize) {
        if self.marks.are_on() {
            let (bytes, bias) = (start..self.stack.asm.len(), bias.value(self.chosen));
            self.marks.add_biased(What::Node(node), bytes, bias);
        }
    }

    /// Has a node on the stack, if anything still needs it.
    fn keep(&mut self, node: NodeId) {
        let index = node.index();
        let constant = self.graph.as_const(node).is_some();
        if self.uses[index] > 0 && self.stored[index].is_none() && !constant {
            self.hold(node);
        }
    }

    fn flag(&mut self, node: NodeId, flagged: bool) {
        self.plain(node);
        if flagged {
            self.with_verdict(Code::Add);
        }
        self.stack.name_top(Name::Verdict);
    }

    /// Compares the top item with what so many claimed digits make, unless that is one of the
    /// items that were joined before.
    fn compare(&mut self, joined: &mut usize, digits: usize, flagged: bool) {
        match joined.checked_sub(1) {
            Some(left) => {
                *joined = left;
                self.claimed(1);
            }
            None => self.claimed(digits),
        }
        self.stack.pushed();
        self.stack.apply(Code::NumNotEqual, 2);
        if flagged {
            self.with_verdict(Code::BoolOr);
        }
        self.stack.name_top(Name::Verdict);
    }

    fn with_verdict(&mut self, code: Code) {
        let top = self.stack.top();
        if top.is_some_and(|top| !self.stack.ends_with(&[Name::Verdict, top])) {
            self.bring(Name::Verdict);
        }
        self.stack.apply(code, 2);
    }

    /// Leaves only the verdict.
    fn end(mut self, flagged: bool) -> Result<((Vec<u8>, StackDepth), Demands), ScriptError> {
        let start = self.stack.asm.len();
        if flagged {
            self.bring(Name::Verdict);
        } else {
            self.stack.asm.num(0);
        }
        let asm = &mut self.stack.asm;
        let below = asm.height().saturating_sub(1);
        if below > 0 {
            asm.op(Code::ToAlt);
            for _ in 0..below / 2 {
                asm.op(Code::Drop2);
            }
            if below % 2 == 1 {
                asm.op(Code::Drop);
            }
            asm.op(Code::FromAlt);
        }
        self.mark(What::End, start);
        let mut left = self.uses.iter().zip(&self.stored);
        if left.any(|(uses, stored)| stored.is_some() && *uses > 0) {
            return Err(ScriptError::Defect("a value was left over"));
        }
        Ok((self.stack.asm.finish()?, self.demands))
    }

    /// Moves an item to the top.
    fn bring(&mut self, name: Name) {
        if let Some(depth) = self.stack.depth_of(name) {
            self.stack.roll(depth);
        }
    }

    /// Says that the top item is a node's value.
    fn name_top(&mut self, node: NodeId, bias: Bias) {
        self.stack.name_top(Name::Node(node.0));
        self.stored[node.index()] = Some(bias);
    }

    /// Puts a node's value on top as it is.
    fn plain(&mut self, node: NodeId) {
        let bias = self.value(node);
        let start = self.stack.asm.len();
        self.correct(bias);
        if self.stack.asm.len() > start {
            self.mark(What::Node(node), start);
        }
    }

    /// Corrects the top item, stored with a bias that should be 0.
    fn correct(&mut self, bias: Bias) {
        self.add(-bias.value(self.chosen));
        self.demands.push(bias);
    }

    /// Adds a constant to the top item.
    fn add(&mut self, constant: i64) {
        let asm = &mut self.stack.asm;
        match constant {
            0 => {}
            1 => asm.op(Code::Add1),
            -1 => asm.op(Code::Sub1),
            n => {
                asm.num(n.abs());
                asm.op(if n > 0 { Code::Add } else { Code::Sub });
            }
        }
    }

    /// Puts a copy of a node's value, or at its last use the value itself, on top; gives its
    /// bias.
    fn value(&mut self, node: NodeId) -> Bias {
        let index = node.index();
        if let Node::Const(n) = self.graph.node(node) {
            self.uses[index] -= 1;
            self.stack.asm.num(*n);
            self.stack.pushed();
            return Bias::default();
        }
        if self.stored[index].is_none() {
            if self.uses[index] == 1 && !self.comes_in_pair(node) {
                self.uses[index] = 0;
                return self.compute(node);
            }
            self.hold(node);
        }
        self.uses[index] -= 1;
        let depth = self.stack.depth_of(Name::Node(node.0)).unwrap_or(0);
        if self.uses[index] > 0 {
            self.stack.pick(depth);
            return self.stored[index].clone().unwrap_or_default();
        }
        self.stack.roll(depth);
        let name = self.stack.pushed();
        self.stack.drop(1);
        self.stack.name_top(name);
        self.stored[index].take().unwrap_or_default()
    }

    /// Whether fetching the node costs nothing: it is on top and used for the last time.
    fn is_free(&self, node: NodeId) -> bool {
        self.stack.top() == Some(Name::Node(node.0)) && self.uses[node.index()] == 1
    }

    /// Whether the node is beneath the top item and used for the last time.
    fn is_second(&self, node: NodeId) -> bool {
        self.uses[node.index()] == 1 && self.stack.depth_of(Name::Node(node.0)) == Some(1)
    }

    /// Whether the node isn't on the stack, and will stay there once it is.
    fn is_new(&self, node: NodeId) -> bool {
        let index = node.index();
        self.stored[index].is_none() && self.uses[index] > 1 && self.graph.as_const(node).is_none()
    }

    /// Computes a node that is not on the stack, and names it.
    fn hold(&mut self, node: NodeId) {
        if let Node::Part(whole, _) = self.graph.node(node) {
            self.multi(*whole);
        } else if let Node::Rest(low, _) = self.graph.node(node) {
            self.split(*low, node);
        } else if let Some(carry) = self.carry_of(node) {
            self.split(node, carry);
        } else {
            let bias = self.compute(node);
            self.name_top(node, bias);
        }
    }

    /// Computes a node that is not on the stack; leaves one temporary and gives its bias.
    fn compute(&mut self, node: NodeId) -> Bias {
        let start = self.stack.asm.len();
        let bias = self.evaluate(node);
        self.mark_node(node, &bias, start);
        bias
    }

    fn evaluate(&mut self, node: NodeId) -> Bias {
        match self.graph.node(node) {
            Node::Const(n) => {
                self.stack.asm.num(*n);
                self.stack.pushed();
            }
            Node::Read(_) => {}
            Node::Sum(terms, constant) => match self.reach(terms) {
                ..LARGE => return self.sum(node, terms, *constant),
                LARGE..HUGE => {
                    let bias = self.sum(node, terms, *constant);
                    self.correct(bias);
                }
                _ => self.huge_sum(node, terms, *constant),
            },
            Node::Look(table, index) => {
                let bias = self.value(*index);
                return self.look(*table, bias);
            }
            // Computed with the other look-up, or all parts at once.
            Node::Rest(..) | Node::Multi(..) | Node::Part(..) => {}
            Node::Less(a, b) => {
                let sum = matches!(self.graph.node(*b), Node::Sum(..));
                if self.is_free(*b) || (sum && self.stored[b.index()].is_none()) {
                    self.pair(*b, *a, Code::GreaterThan);
                } else {
                    self.pair(*a, *b, Code::LessThan);
                }
            }
            Node::Differ(a, b) => self.symmetric(*a, *b, Code::NumNotEqual),
            Node::Both(a, b) => self.symmetric(*a, *b, Code::BoolAnd),
            Node::Either(a, b) => self.symmetric(*a, *b, Code::BoolOr),
            Node::IsZero(a) => {
                self.plain(*a);
                self.stack.apply(Code::Not, 1);
            }
            Node::NonZero(a) => {
                self.plain(*a);
                self.stack.apply(Code::NotEqual0, 1);
            }
            Node::Select(c, t, f) => self.select(*c, *t, *f),
            Node::Join(digits) => self.number_of(node, digits),
            Node::Times(a, k) => self.times(*a, *k),
            Node::NotBelow0(a) => {
                self.plain(*a);
                self.stack.asm.num(0);
                self.stack.asm.op(Code::Max);
            }
            Node::Min(a, most) => {
                self.plain(*a);
                self.stack.asm.num(*most);
                self.stack.asm.op(Code::Min);
            }
        }
        Bias::default()
    }

    fn symmetric(&mut self, a: NodeId, b: NodeId, code: Code) {
        if self.is_free(b) {
            self.pair(b, a, code);
        } else {
            self.pair(a, b, code);
        }
    }

    fn pair(&mut self, a: NodeId, b: NodeId, code: Code) {
        self.gather(&[a, b]);
        self.stack.apply(code, 2);
    }

    /// Puts plain values on top, the last one uppermost. Computing one may leave others that
    /// are shared, so they may have to be brought together.
    fn gather(&mut self, nodes: &[NodeId]) {
        let mut operands = Vec::with_capacity(nodes.len());
        for node in nodes {
            self.plain(*node);
            operands.extend(self.stack.top());
        }
        if !self.stack.ends_with(&operands) {
            for name in operands {
                self.bring(name);
            }
        }
    }

    /// Has the operand `partial` beneath the other, which is on top.
    fn join(&mut self, partial: Option<Name>) {
        let (Some(partial), Some(top)) = (partial, self.stack.top()) else {
            return;
        };
        if !self.stack.ends_with(&[partial, top]) {
            self.bring(partial);
            self.bring(top);
        }
    }

    fn select(&mut self, c: NodeId, t: NodeId, f: NodeId) {
        let constant = |node| self.graph.as_const(node);
        let (of_t, of_f) = (constant(t), constant(f));
        let mut operands = vec![f, t, c];
        operands.retain(|node| *node == c || constant(*node).is_none());
        self.gather(&operands);
        let asm = &mut self.stack.asm;
        match (of_t, of_f) {
            (Some(t), Some(f)) => {
                asm.op(Code::If);
                asm.num(t);
                asm.op(Code::Else);
                asm.num(f);
            }
            (Some(n), None) => {
                asm.ops(&[Code::If, Code::Drop]);
                asm.num(n);
            }
            (None, Some(n)) => {
                asm.ops(&[Code::NotIf, Code::Drop]);
                asm.num(n);
            }
            (None, None) => asm.ops(&[Code::If, Code::Swap]),
        }
        asm.op(Code::EndIf);
        if of_t.is_none() && of_f.is_none() {
            asm.op(Code::Drop);
        }
        self.stack.drop(operands.len());
        self.stack.pushed();
    }
}
