//! Emits a [`Graph`] as Script: a symbolic stack whose every item is known by name, so that
//! an operand is fetched by `ROLL` at its last use and by `PICK` before.
//!
//! Stack, bottom first: tables, values, operands. Tables are pushed once, if used, and dropped
//! at the end. What was read arrives on the altstack, the first digit on top, the claimed
//! digits beneath.

use super::ScriptError;
use super::asm::Asm;
use super::code::{Code, number_len};
use super::graph::{Graph, Node, NodeId, Table};
use super::marks::{Marks, What};
use crate::units::StackDepth;
use std::collections::BTreeMap;

/// What a body does with its nodes, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stmt {
    /// Have this on the stack.
    Keep(NodeId),
    /// The body succeeds if this is not 0. Never negative.
    Flag(NodeId),
    /// The body succeeds if this is not the next claimed digit.
    Compare(NodeId),
}

/// Emits a body. `reads` digits wait on the altstack, and as many claimed digits beneath them
/// as there are comparisons, which come last.
///
/// # Errors
/// [`ScriptError::Defect`] if the emitter broke an invariant of its own.
pub fn emit(
    graph: &Graph,
    stmts: &[Stmt],
    reads: usize,
    marks: &mut Marks,
) -> Result<(Vec<u8>, StackDepth), ScriptError> {
    let claimed = stmts
        .iter()
        .filter(|stmt| matches!(stmt, Stmt::Compare(_)))
        .count();
    let mut emitter = Emitter::new(graph, stmts, reads, claimed, marks);
    emitter.tables();
    emitter.reads(reads);
    let mut flagged = false;
    for stmt in stmts {
        match *stmt {
            Stmt::Keep(node) => emitter.keep(node),
            Stmt::Flag(node) => {
                emitter.flag(node, flagged);
                flagged = true;
            }
            Stmt::Compare(node) => {
                emitter.compare(node, flagged);
                flagged = true;
            }
        }
    }
    emitter.end(flagged)
}

/// A stack item without a name.
const NAMELESS: u32 = u32::MAX;
/// The stack item that tells whether any flag was raised so far.
const VERDICT: u32 = u32::MAX - 1;

struct Emitter<'a> {
    graph: &'a Graph,
    asm: Asm,
    /// Names of the items above the tables.
    stack: Vec<u32>,
    on_stack: Vec<bool>,
    /// Uses of each node that are still to come.
    uses: Vec<u32>,
    /// Cells of each table, and how deep its cell 0 lies from the bottom.
    tables: BTreeMap<Table, (usize, usize)>,
    marks: &'a mut Marks,
}

impl<'a> Emitter<'a> {
    fn new(
        graph: &'a Graph,
        stmts: &[Stmt],
        reads: usize,
        claimed: usize,
        marks: &'a mut Marks,
    ) -> Self {
        let mut uses = vec![0u32; graph.len()];
        for stmt in stmts {
            if let Stmt::Flag(node) | Stmt::Compare(node) = stmt {
                uses[node.index()] += 1;
            }
        }
        let mut sizes: BTreeMap<Table, usize> = BTreeMap::new();
        for index in (0..graph.len()).rev() {
            if uses[index] == 0 {
                continue;
            }
            let node = graph.node(NodeId(index as u32));
            for operand in node.operands() {
                uses[operand.index()] += 1;
            }
            if let Node::Look(table, at) = node {
                let size = sizes.entry(*table).or_default();
                *size = (*size).max(graph.range(*at).high as usize + 1);
            }
        }
        let mut cells = 0;
        let mut tables = BTreeMap::new();
        for (table, size) in sizes {
            cells += size;
            tables.insert(table, (size, cells - 1));
        }
        Self {
            graph,
            asm: Asm::new(0, reads + claimed),
            stack: Vec::new(),
            on_stack: vec![false; graph.len()],
            uses,
            tables,
            marks,
        }
    }

    /// Pushes the tables, each from its last cell to its first.
    fn tables(&mut self) {
        let mut last: [Option<i64>; 2] = [None, None];
        for (table, (size, _)) in &self.tables {
            for index in (0..*size).rev() {
                let cell = table.cell(index);
                let start = self.asm.len();
                match last {
                    [Some(top), _] if top == cell && number_len(cell) > 1 => {
                        self.asm.op(Code::Dup);
                    }
                    [_, Some(next)] if next == cell && number_len(cell) > 1 => {
                        self.asm.op(Code::Over);
                    }
                    _ => self.asm.num(cell),
                }
                self.marks.add(What::Cell(*table), start..self.asm.len());
                last = [Some(cell), last[0]];
            }
        }
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
            let start = self.asm.len();
            self.asm.op(Code::FromAlt);
            match name {
                Some(index) => {
                    self.stack.push(index as u32);
                    self.on_stack[index] = true;
                    self.mark(What::Node(NodeId(index as u32)), start);
                }
                None => {
                    self.asm.op(Code::Drop);
                    self.mark(What::Unread, start);
                }
            }
        }
    }

    /// Has a node on the stack, if anything still needs it.
    fn keep(&mut self, node: NodeId) {
        let index = node.index();
        if self.uses[index] == 0 || self.on_stack[index] || self.graph.as_const(node).is_some() {
            return;
        }
        self.prepare(node);
        self.compute(node);
        self.name_top(node);
    }

    /// Whether a node must lie on the stack under its own name before anything nameless does:
    /// it is needed again, or leaves a carry beneath it.
    fn is_shared(&self, node: NodeId) -> bool {
        self.uses[node.index()] > 1 || matches!(self.graph.node(node), Node::Low(_))
    }

    /// Has what a node is computed from on the stack, as far as it is shared. What is used
    /// once is left to be computed in place.
    fn prepare(&mut self, node: NodeId) {
        for operand in self.graph.node(node).operands() {
            self.ready(operand);
        }
    }

    fn ready(&mut self, node: NodeId) {
        if self.on_stack[node.index()] || self.graph.as_const(node).is_some() {
            return;
        }
        self.prepare(node);
        if self.is_shared(node) {
            self.compute(node);
            self.name_top(node);
        }
    }

    fn flag(&mut self, node: NodeId, flagged: bool) {
        let start = self.asm.len();
        self.ready(node);
        self.value(node);
        if flagged {
            self.fetch_verdict();
            self.asm.op(Code::Add);
            self.stack.pop();
        }
        self.stack.pop();
        self.stack.push(VERDICT);
        self.mark(What::Flag, start);
    }

    fn compare(&mut self, node: NodeId, flagged: bool) {
        let start = self.asm.len();
        self.ready(node);
        // What was made ready for later comparisons lies above the verdict now.
        if flagged {
            self.fetch_verdict();
        }
        self.value(node);
        self.asm.op(Code::FromAlt);
        self.asm.op(Code::NumNotEqual);
        if flagged {
            self.asm.op(Code::BoolOr);
            self.stack.pop();
        }
        self.stack.pop();
        self.stack.push(VERDICT);
        self.mark(What::Compare, start);
    }

    /// Says what the bytes since `start` are, and the item that they leave on top.
    fn mark(&mut self, what: What, start: usize) {
        self.marks.add(what, start..self.asm.len());
    }

    fn fetch_verdict(&mut self) {
        if let Some(at) = self.stack.iter().rposition(|name| *name == VERDICT) {
            self.roll(self.stack.len() - 1 - at);
        }
    }

    /// Leaves only the verdict.
    fn end(mut self, flagged: bool) -> Result<(Vec<u8>, StackDepth), ScriptError> {
        let start = self.asm.len();
        if flagged {
            self.fetch_verdict();
        } else {
            self.asm.num(0);
        }
        let below = self.asm.height().saturating_sub(1);
        if below > 0 {
            self.asm.op(Code::ToAlt);
            for _ in 0..below / 2 {
                self.asm.op(Code::Drop2);
            }
            if below % 2 == 1 {
                self.asm.op(Code::Drop);
            }
            self.asm.op(Code::FromAlt);
        }
        self.mark(What::End, start);
        if self
            .uses
            .iter()
            .zip(self.on_stack)
            .any(|(uses, on)| on && *uses > 0)
        {
            return Err(ScriptError::Defect("a value was left over"));
        }
        self.asm.finish()
    }

    /// Puts a copy of the node's value, or at its last use the value itself, on top.
    fn value(&mut self, node: NodeId) {
        let index = node.index();
        self.uses[index] -= 1;
        if let Node::Const(n) = self.graph.node(node) {
            self.asm.num(*n);
            self.stack.push(NAMELESS);
            return;
        }
        let more = self.uses[index] > 0;
        if !self.on_stack[index] {
            self.compute(node);
            return;
        }
        let Some(at) = self.stack.iter().rposition(|name| *name == index as u32) else {
            return;
        };
        let depth = self.stack.len() - 1 - at;
        if more {
            match depth {
                0 => self.asm.op(Code::Dup),
                1 => self.asm.op(Code::Over),
                _ => {
                    self.asm.num(depth as i64);
                    self.asm.op(Code::Pick);
                }
            }
            self.stack.push(NAMELESS);
        } else {
            self.on_stack[index] = false;
            self.roll(depth);
            if let Some(top) = self.stack.last_mut() {
                *top = NAMELESS;
            }
        }
    }

    fn roll(&mut self, depth: usize) {
        match depth {
            0 => {}
            1 => self.asm.op(Code::Swap),
            2 => self.asm.op(Code::Rot),
            _ => {
                self.asm.num(depth as i64);
                self.asm.op(Code::Roll);
            }
        }
        let at = self.stack.len() - 1 - depth;
        let name = self.stack.remove(at);
        self.stack.push(name);
    }

    fn name_top(&mut self, node: NodeId) {
        if let Some(top) = self.stack.last_mut() {
            *top = node.0;
            self.on_stack[node.index()] = true;
        }
    }

    /// Whether fetching the node costs nothing: it is on top and used for the last time.
    fn is_free(&self, node: NodeId) -> bool {
        self.stack.last() == Some(&node.0) && self.uses[node.index()] == 1
    }

    /// An opcode that takes `takes` nameless items and leaves one.
    fn apply(&mut self, code: Code, takes: usize) {
        self.asm.op(code);
        self.stack.truncate(self.stack.len() - takes);
        self.stack.push(NAMELESS);
    }

    /// Computes a node that is not on the stack; leaves one nameless item.
    fn compute(&mut self, node: NodeId) {
        let start = self.asm.len();
        match self.graph.node(node) {
            Node::Const(n) => {
                self.asm.num(*n);
                self.stack.push(NAMELESS);
            }
            Node::Read(_) => {}
            Node::Sum(terms, constant) => self.terms(terms, *constant),
            Node::Look(table, index) => self.look(*table, *index),
            Node::Low(sum) => self.low(node, *sum),
            Node::Carry(sum) => {
                self.value(*sum);
                self.asm.num(16);
                self.asm.op(Code::GreaterThanOrEqual);
            }
            Node::Less(a, b) => {
                let (a, b) = (*a, *b);
                if self.is_free(b) || matches!(self.graph.node(b), Node::Sum(..)) {
                    self.pair(b, a, Code::GreaterThan);
                } else {
                    self.pair(a, b, Code::LessThan);
                }
            }
            Node::Differ(a, b) => self.symmetric(*a, *b, Code::NumNotEqual),
            Node::Both(a, b) => self.symmetric(*a, *b, Code::BoolAnd),
            Node::Either(a, b) => self.symmetric(*a, *b, Code::BoolOr),
            Node::IsZero(a) => {
                self.value(*a);
                self.apply(Code::Not, 1);
            }
            Node::NonZero(a) => {
                self.value(*a);
                self.apply(Code::NotEqual0, 1);
            }
            Node::Select(c, t, f) => self.select(*c, *t, *f),
        }
        self.mark(What::Node(node), start);
    }

    fn symmetric(&mut self, a: NodeId, b: NodeId, code: Code) {
        if self.is_free(b) {
            self.pair(b, a, code);
        } else {
            self.pair(a, b, code);
        }
    }

    fn pair(&mut self, a: NodeId, b: NodeId, code: Code) {
        self.value(a);
        self.value(b);
        self.apply(code, 2);
    }

    /// Adds up terms and a constant.
    fn terms(&mut self, terms: &[(NodeId, bool)], constant: i64) {
        let free = terms
            .iter()
            .position(|(node, plus)| *plus && self.is_free(*node));
        let first = free.or_else(|| terms.iter().position(|(_, plus)| *plus));
        let mut constant = constant;
        match first {
            Some(n) => self.value(terms[n].0),
            None => {
                self.asm.num(constant);
                self.stack.push(NAMELESS);
                constant = 0;
            }
        }
        for (n, (node, plus)) in terms.iter().enumerate() {
            if Some(n) != first {
                self.value(*node);
                self.apply(if *plus { Code::Add } else { Code::Sub }, 2);
            }
        }
        self.offset(constant);
    }

    /// Adds a constant to the top item.
    fn offset(&mut self, constant: i64) {
        match constant {
            0 => {}
            1 => self.asm.op(Code::Add1),
            -1 => self.asm.op(Code::Sub1),
            n if n < 0 => {
                self.asm.num(-n);
                self.asm.op(Code::Sub);
            }
            n => {
                self.asm.num(n);
                self.asm.op(Code::Add);
            }
        }
    }

    fn look(&mut self, table: Table, index: NodeId) {
        let place = self.tables.get(&table).map_or(0, |(_, place)| *place) as i64;
        // Cell n lies at `place - n` from the bottom, which `PICK` counts from the top.
        let alone = self.uses[index.index()] == 1 && !self.on_stack[index.index()];
        match self.graph.node(index) {
            Node::Sum(terms, constant) if alone => {
                self.uses[index.index()] = 0;
                let (bias, terms) = (*constant, terms.clone());
                if terms.iter().any(|(_, plus)| *plus) {
                    self.terms(&terms, 0);
                    let depth = self.asm.height() as i64 - 2 - place;
                    self.offset(bias + depth);
                } else {
                    // The height is known only when the terms are fetched.
                    let sum: Vec<_> = terms.iter().map(|(node, _)| (*node, true)).collect();
                    self.terms(&sum, 0);
                    let depth = self.asm.height() as i64 - 2 - place;
                    self.asm.num(bias + depth);
                    self.asm.ops(&[Code::Swap, Code::Sub]);
                }
            }
            _ => {
                self.value(index);
                let depth = self.asm.height() as i64 - 2 - place;
                self.offset(depth);
            }
        }
        self.asm.op(Code::Pick);
    }

    /// `sum % 16` of a sum of at most 31, and beneath it the carry if anything needs it.
    fn low(&mut self, node: NodeId, sum: NodeId) {
        // The graph makes the carry right after the digit.
        let carry = Some(NodeId(node.0 + 1))
            .filter(|id| id.index() < self.graph.len())
            .filter(|id| *self.graph.node(*id) == Node::Carry(sum))
            .filter(|id| self.uses[id.index()] > 0 && !self.on_stack[id.index()]);
        if carry.is_some() {
            // The carry is computed here, not by a use of its own.
            self.uses[sum.index()] -= 1;
        }
        self.value(sum);
        self.asm.op(Code::Dup);
        self.asm.num(16);
        self.asm.op(Code::GreaterThanOrEqual);
        if let Some(carry) = carry {
            self.mark(What::Node(carry), self.asm.len());
            self.asm.op(Code::Tuck);
            self.stack.pop();
            self.stack.push(carry.0);
            self.on_stack[carry.index()] = true;
            self.stack.push(NAMELESS);
        }
        self.asm.op(Code::If);
        self.asm.num(16);
        self.asm.op(Code::Sub);
        self.asm.op(Code::EndIf);
    }

    fn select(&mut self, c: NodeId, t: NodeId, f: NodeId) {
        match (self.graph.as_const(t), self.graph.as_const(f)) {
            (Some(t), Some(f)) => {
                self.value(c);
                self.asm.op(Code::If);
                self.asm.num(t);
                self.asm.op(Code::Else);
                self.asm.num(f);
                self.asm.op(Code::EndIf);
            }
            (Some(n), None) => {
                self.value(f);
                self.value(c);
                self.asm.ops(&[Code::If, Code::Drop]);
                self.asm.num(n);
                self.asm.op(Code::EndIf);
                self.stack.pop();
            }
            (None, Some(n)) => {
                self.value(t);
                self.value(c);
                self.asm.ops(&[Code::NotIf, Code::Drop]);
                self.asm.num(n);
                self.asm.op(Code::EndIf);
                self.stack.pop();
            }
            (None, None) => {
                self.value(f);
                self.value(t);
                self.value(c);
                self.asm
                    .ops(&[Code::If, Code::Swap, Code::EndIf, Code::Drop]);
                self.stack.pop();
                self.stack.pop();
            }
        }
    }
}
