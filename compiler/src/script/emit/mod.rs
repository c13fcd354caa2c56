//! Emits a [`Graph`] as Script: a symbolic stack whose every item is known by name, so that
//! an operand is fetched by `ROLL` at its last use and by `PICK` before.
//!
//! Stack, bottom first: tables, values, operands. Tables are pushed once, if used, and dropped
//! at the end. What was read arrives on the altstack, the first digit on top, the claimed
//! digits beneath. What lies on the stack is stored with a [bias](bias::Bias).
//!
//! A body is emitted twice: the first time tells which corrections of biases there would be,
//! then the tables' biases are chosen, the second time counts.

mod bias;
mod stack;
mod tables;

use super::ScriptError;
use super::asm::Asm;
use super::code::Code;
use super::graph::{Graph, Node, NodeId};
use super::marks::{Marks, What};
use super::table::Table;
use crate::units::StackDepth;
use bias::{Bias, Choice, Chosen, Demands};
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
    /// These wait as one item, which costs bytes and saves stack; such pairs come first.
    ComparePair(NodeId, NodeId),
}

/// Emits a body. `reads` digits wait on the altstack, and as many claimed digits beneath them
/// as are compared, which comes last. `marks` learn what the bytes are.
///
/// # Errors
/// [`ScriptError::Defect`] if the emitter broke an invariant of its own.
pub fn emit(
    graph: &Graph,
    stmts: &[Stmt],
    reads: usize,
    marks: &mut Marks,
) -> Result<(Vec<u8>, StackDepth), ScriptError> {
    let uses = count_uses(graph, stmts);
    let tables = Tables::of(graph, &uses);
    let draft = tables.draft();
    let drafted = Emitter::new(graph, &tables, &draft, uses.clone(), marks);
    let (sketch, demands) = drafted.body(stmts, reads)?;
    let others = usize::from(sketch.1.0).saturating_sub(tables.slots(&draft).len());
    let room = usize::from(StackDepth::MAX.0).saturating_sub(others);
    if tables.cells() > room {
        return Ok(sketch);
    }
    let chosen = tables.choose(&demands, room);
    marks.restart();
    let (script, _) = Emitter::new(graph, &tables, &chosen, uses, marks).body(stmts, reads)?;
    Ok(script)
}

/// How often each node is read.
fn count_uses(graph: &Graph, stmts: &[Stmt]) -> Vec<u32> {
    let mut uses = vec![0u32; graph.len()];
    for stmt in stmts {
        match stmt {
            Stmt::Keep(_) => {}
            Stmt::Flag(node) | Stmt::Compare(node) => uses[node.index()] += 1,
            Stmt::ComparePair(low, high) => {
                uses[low.index()] += 1;
                uses[high.index()] += 1;
            }
        }
    }
    for index in (0..graph.len()).rev() {
        if uses[index] > 0 {
            for operand in graph.node(NodeId(index as u32)).operands() {
                uses[operand.index()] += 1;
            }
        }
    }
    uses
}

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
        let pairs = |stmt: &&Stmt| matches!(stmt, Stmt::ComparePair(..));
        let pairs = stmts.iter().filter(pairs).count();
        let single = |stmt: &&Stmt| matches!(stmt, Stmt::Compare(_));
        let single = stmts.iter().filter(single).count();
        self.stack = Stack::new(Asm::new(0, reads + 2 * pairs + single));
        self.tables
            .push(&mut self.stack.asm, self.chosen, self.marks);
        self.base = self.stack.asm.height();
        self.reads(reads);
        self.join_claims(pairs);
        let mut flagged = false;
        for stmt in stmts {
            let start = self.stack.asm.len();
            match *stmt {
                Stmt::Keep(node) => self.keep(node),
                Stmt::Flag(node) => {
                    self.flag(node, flagged);
                    flagged = true;
                    self.mark(What::Flag, start);
                }
                Stmt::Compare(node) => {
                    self.plain(node);
                    self.compare(flagged);
                    flagged = true;
                    self.mark(What::Compare, start);
                }
                Stmt::ComparePair(low, high) => {
                    self.plain(high);
                    self.sixteenfold();
                    let partial = self.stack.top();
                    self.plain(low);
                    self.join(partial);
                    self.stack.apply(Code::Add, 2);
                    self.compare(flagged);
                    flagged = true;
                    self.mark(What::ComparePair, start);
                }
            }
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
        for name in names {
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
        }
    }

    /// Makes one item each of the first pairs of claimed digits.
    fn join_claims(&mut self, pairs: usize) {
        let start = self.stack.asm.len();
        for _ in 0..pairs {
            self.stack.asm.ops(&[Code::FromAlt, Code::FromAlt]);
            self.sixteenfold();
            self.stack.asm.op(Code::Add);
        }
        for _ in 0..pairs {
            self.stack.asm.op(Code::ToAlt);
        }
        self.mark(What::Join, start);
    }

    /// Says what the bytes since `start` are, and the item that they leave on top.
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

    /// Multiplies the top item by 16.
    fn sixteenfold(&mut self) {
        for _ in 0..4 {
            self.stack.asm.ops(&[Code::Dup, Code::Add]);
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

    /// Compares the top item with the next claimed one.
    fn compare(&mut self, flagged: bool) {
        self.stack.asm.op(Code::FromAlt);
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
        if let Node::Rest(low, _) = self.graph.node(node) {
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
            Node::Sum(terms, constant) => return self.sum(terms, *constant),
            Node::Look(table, index) => {
                let bias = self.value(*index);
                return self.look(*table, bias);
            }
            // Computed with the other look-up.
            Node::Rest(..) => {}
            Node::Less(a, b) => {
                if self.is_free(*b) {
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
        self.plain(a);
        let partial = self.stack.top();
        self.plain(b);
        self.join(partial);
        self.stack.apply(code, 2);
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

    /// Adds up terms. Constants are left to whoever corrects the bias.
    fn sum(&mut self, terms: &[(NodeId, bool)], constant: i64) -> Bias {
        let mut order: Vec<(NodeId, bool)> = terms.to_vec();
        // What is on top comes first, what is yet to be computed and kept last: it is tucked
        // away beneath the sum.
        order.sort_by_key(|(node, plus)| {
            let rank = match () {
                () if self.is_free(*node) => 0,
                () if self.is_second(*node) => 1,
                () if self.stored[node.index()].is_some() => 2,
                () if !self.is_new(*node) => 3,
                () => 4,
            };
            (rank, !*plus)
        });
        if let Some(first) = order.iter().position(|(_, plus)| *plus) {
            order[..=first].rotate_right(1);
        }
        let mut bias = Bias::fixed(-constant);
        for (n, (node, plus)) in order.into_iter().enumerate() {
            if n > 0 {
                let term = self.addend(node, plus);
                bias.add(&term, sign(plus));
                continue;
            }
            let term = self.value(node);
            bias.add(&term, sign(plus));
            if !plus {
                self.stack.apply(Code::Negate, 1);
            }
        }
        bias
    }

    /// Adds a term to the sum on top; gives the term's bias.
    fn addend(&mut self, node: NodeId, plus: bool) -> Bias {
        let partial = self.stack.top();
        let code = if plus { Code::Add } else { Code::Sub };
        if self.is_new(node)
            && let Some(under) = partial
        {
            self.hold(node);
            if self.stack.ends_with(&[under, Name::Node(node.0)]) {
                self.uses[node.index()] -= 1;
                self.stack.tuck();
                self.stack.apply(code, 2);
                return self.stored[node.index()].clone().unwrap_or_default();
            }
        }
        let bias = self.value(node);
        let top = self.stack.top();
        if partial
            .zip(top)
            .is_some_and(|(a, b)| !self.stack.ends_with(&[a, b]))
        {
            if let Some(partial) = partial {
                self.bring(partial);
            }
            if !plus {
                self.stack.roll(1);
            }
        }
        self.stack.apply(code, 2);
        bias
    }

    /// Corrects the index on top for a look-up, `more` items being pushed before; gives what
    /// it is biased by then.
    fn index(&mut self, table: Table, bias: Bias, more: usize) -> Bias {
        let Some(number) = self.tables.number(&table) else {
            return bias;
        };
        // Cell n lies `place + n` beneath the topmost cell, and `PICK` has taken the index.
        let above = (self.stack.asm.height() + more - self.base) as i64 - 1;
        let mut wanted = Bias::chosen(Choice::Place(number));
        wanted.fixed = above;
        let mut lack = bias;
        lack.add(&wanted, -1);
        self.correct(lack);
        wanted
    }

    /// Replaces the index on top by a table's cell; gives its bias.
    fn look(&mut self, table: Table, index: Bias) -> Bias {
        self.index(table, index, 0);
        self.stack.apply(Code::Pick, 1);
        let number = self.tables.number(&table);
        number.map_or_else(Bias::default, |n| Bias::chosen(Choice::Bias(n)))
    }

    /// What is yet to be looked up by the rest of this look-up's index.
    fn carry_of(&self, low: NodeId) -> Option<NodeId> {
        // The graph makes it right after the look-up.
        Some(NodeId(low.0 + 1))
            .filter(|id| id.index() < self.graph.len())
            .filter(|id| matches!(self.graph.node(*id), Node::Rest(of, _) if *of == low))
            .filter(|id| self.uses[id.index()] > 0 && self.stored[id.index()].is_none())
    }

    /// Whether computing the node leaves a low digit and a carry.
    fn comes_in_pair(&self, node: NodeId) -> bool {
        matches!(self.graph.node(node), Node::Rest(..)) || self.carry_of(node).is_some()
    }

    /// Splits a sum into its low digit and, on top, the carry.
    fn split(&mut self, low: NodeId, carry: NodeId) {
        let (Node::Look(low_table, sum), Node::Rest(_, table)) =
            (self.graph.node(low), self.graph.node(carry))
        else {
            return;
        };
        let (low_table, sum, table) = (low_table, *sum, *table);
        let start = self.stack.asm.len();
        let sum = self.value(sum);
        // Corrected before it is copied: what is left then is the same for all sums.
        let mut left = self.index(*low_table, sum, 1);
        self.stack.pick(0);
        let bias = self.look(*low_table, left.clone());
        self.mark_node(low, &bias, start);
        self.uses[low.index()] -= 1; // the carry's
        left.add(&bias, -1);
        if self.uses[low.index()] > 0 {
            self.name_top(low, bias);
            self.stack.tuck();
        }
        self.stack.apply(Code::Sub, 2);
        let bias = self.look(table, left);
        self.mark_node(carry, &bias, start);
        self.name_top(carry, bias);
    }

    fn select(&mut self, c: NodeId, t: NodeId, f: NodeId) {
        let mut operands = Vec::new();
        let constant = |node| self.graph.as_const(node);
        let (of_t, of_f) = (constant(t), constant(f));
        for (node, constant) in [(f, of_f), (t, of_t)] {
            if constant.is_none() {
                self.plain(node);
                operands.extend(self.stack.top());
            }
        }
        self.plain(c);
        operands.extend(self.stack.top());
        if !self.stack.ends_with(&operands) {
            for name in &operands {
                self.bring(*name);
            }
        }
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

fn sign(plus: bool) -> i64 {
    if plus { 1 } else { -1 }
}
