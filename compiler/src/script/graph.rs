//! The stack IR: small numbers computed from digits, as a graph.
//!
//! **Invariants:** nodes are in topological order; equal nodes made in nearby steps are one; every value lies
//! within its node's range whenever what the segment reads was computed correctly. Knows no
//! words and no stack.

use super::number::Arith;
use super::table::{Form, Table};
use rustc_hash::FxHashMap;

/// A node, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The node as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a number is computed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A constant.
    Const(i64),
    /// A digit that was read from a commitment, counted in the order of reading.
    Read(u32),
    /// Terms, added or (`false`) subtracted, and a constant.
    Sum(Vec<(NodeId, bool)>, i64),
    /// A cell of a table.
    Look(Table, NodeId),
    /// A cell of a table, by what remains of an index without this other look-up by it: the
    /// carry of a sum.
    Rest(NodeId, Table),
    /// `a < b`.
    Less(NodeId, NodeId),
    /// `a != b`.
    Differ(NodeId, NodeId),
    /// Both of two conditions.
    Both(NodeId, NodeId),
    /// Either of two conditions.
    Either(NodeId, NodeId),
    /// `a == 0`.
    IsZero(NodeId),
    /// `a != 0`.
    NonZero(NodeId),
    /// The second if the first is 1, the third if it is 0.
    Select(NodeId, NodeId, NodeId),
    /// Plain digits as one number, the least first.
    Join(Vec<NodeId>),
    /// A plain number times a positive constant.
    Times(NodeId, i64),
    /// A plain number, but at most a constant.
    Min(NodeId, i64),
    /// A plain number, but at least 0.
    NotBelow0(NodeId),
    /// A computation on plain numbers that leaves several: its parts, which follow it.
    Multi(Arith, Vec<NodeId>),
    /// One of the plain numbers that a computation leaves.
    Part(NodeId, u8),
}

impl Node {
    /// What the node is computed from.
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            Self::Const(_) | Self::Read(_) => vec![],
            Self::Sum(terms, _) => terms.iter().map(|(node, _)| *node).collect(),
            Self::Look(_, a) | Self::Rest(a, _) => vec![*a],
            Self::IsZero(a) | Self::NonZero(a) | Self::NotBelow0(a) | Self::Part(a, _) => vec![*a],
            Self::Times(a, _) | Self::Min(a, _) => vec![*a],
            Self::Join(all) | Self::Multi(_, all) => all.clone(),
            Self::Less(a, b) | Self::Differ(a, b) | Self::Both(a, b) | Self::Either(a, b) => {
                vec![*a, *b]
            }
            Self::Select(c, t, f) => vec![*c, *t, *f],
        }
    }
}

/// What is known of a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub low: i64,
    /// The most.
    pub high: i64,
    /// Bits that can be set, where the value is within `0..=255`.
    pub mask: i64,
}

impl Range {
    /// What is known of a value between these.
    pub(super) fn new(low: i64, high: i64) -> Self {
        let mask = if high <= 0 {
            0
        } else {
            (1i64 << (64 - high.leading_zeros())) - 1
        };
        Self { low, high, mask }
    }
}

/// Nodes and what is known of them.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    ranges: Vec<Range>,
    /// Equal nodes, and at which step they were last asked for. Only ever looked up, never
    /// iterated.
    known: FxHashMap<Node, (NodeId, usize)>,
    /// What is known of cells of tables between two indices.
    looked: FxHashMap<(Table, i64, i64), (Range, bool)>,
    step: usize,
}

/// What is known of a cell, and whether each is its own index.
fn summary(cells: &[(i64, i64)]) -> (Range, bool) {
    let values = || cells.iter().map(|(_, cell)| *cell);
    let mut known = Range::new(values().min().unwrap_or(0), values().max().unwrap_or(0));
    known.mask = values().fold(0, |mask, cell| mask | cell);
    (known, cells.iter().all(|(index, cell)| index == cell))
}

/// For how many steps a node is shared: what is asked for again much later is cheaper
/// computed again than kept on the stack.
const MEMORY: usize = 8;

impl Graph {
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Starts another step.
    pub fn step(&mut self) {
        self.step += 1;
    }

    /// The number of steps so far.
    pub fn now(&self) -> usize {
        self.step
    }

    /// Whether what was made at a step is still shared.
    pub fn is_recent(&self, step: usize) -> bool {
        self.step - step <= MEMORY
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// What is known of its value.
    pub fn range(&self, id: NodeId) -> Range {
        self.ranges[id.index()]
    }

    /// The constant that a node is.
    pub fn as_const(&self, id: NodeId) -> Option<i64> {
        match self.node(id) {
            Node::Const(n) => Some(*n),
            _ => None,
        }
    }

    /// Adds the knowledge that a value is at most `high`.
    pub fn narrow(&mut self, id: NodeId, high: i64) {
        let range = &mut self.ranges[id.index()];
        if high < range.high {
            range.high = high;
            range.mask &= Range::new(0, high).mask;
        }
    }

    /// Adds the knowledge that a value is between these.
    pub fn within(&mut self, id: NodeId, low: i64, high: i64) {
        if self.as_const(id).is_none() {
            self.ranges[id.index()] = Range::new(low, high);
        }
    }

    /// A constant.
    pub fn constant(&mut self, n: i64) -> NodeId {
        self.add(Node::Const(n), Range::new(n, n))
    }

    /// A digit that was read.
    pub fn read(&mut self, n: u32, high: i64) -> NodeId {
        self.add(Node::Read(n), Range::new(0, high))
    }

    /// A sum of nodes and a constant.
    pub fn sum(&mut self, terms: &[(NodeId, bool)], constant: i64) -> NodeId {
        let mut flat: Vec<(NodeId, bool)> = Vec::with_capacity(terms.len());
        let mut constant = constant;
        for (id, plus) in terms {
            let sign = if *plus { 1 } else { -1 };
            match self.node(*id) {
                Node::Const(n) => constant += sign * n,
                Node::Sum(inner, n) if inner.len() == 1 => {
                    constant += sign * n;
                    flat.extend(inner.iter().map(|(id, inner)| (*id, inner == plus)));
                }
                _ => flat.push((*id, *plus)),
            }
        }
        match flat.as_slice() {
            [] => return self.constant(constant),
            [(id, true)] if constant == 0 => return *id,
            _ => {}
        }
        let (mut low, mut high) = (constant, constant);
        let mut mask = Some(0);
        for (id, plus) in &flat {
            let range = self.range(*id);
            if *plus {
                low += range.low;
                high += range.high;
                mask = mask
                    .filter(|mask| mask & range.mask == 0 && range.low >= 0)
                    .map(|mask| mask | range.mask);
            } else {
                low -= range.high;
                high -= range.low;
                mask = None;
            }
        }
        let mut range = Range::new(low, high);
        if let (Some(mask), 0) = (mask, constant) {
            range.mask = mask;
            range.high = range.high.min(mask);
        }
        self.add(Node::Sum(flat, constant), range)
    }

    /// A cell of a table.
    pub fn look(&mut self, table: Table, index: NodeId) -> NodeId {
        let range = self.range(index);
        let key = (table, range.low, range.high);
        let (known, same) = match self.looked.get(&key) {
            Some(known) => *known,
            None => {
                let known = summary(&table.cells(range.low, range.high));
                self.looked.insert(key, known);
                known
            }
        };
        if known.low == known.high {
            return self.constant(known.low);
        }
        match same {
            true => index,
            false => self.add(Node::Look(table, index), known),
        }
    }

    /// A function of a plain digit by table.
    pub fn digit(&mut self, function: impl Fn(u8) -> u8, digit: NodeId) -> NodeId {
        let (form, out) = (Form::PLAIN, Form::PLAIN.after(function));
        self.look(Table::Digit { form, out }, digit)
    }

    /// The index of a look-up.
    pub fn index_of(&self, look: NodeId) -> Option<NodeId> {
        match self.node(look) {
            Node::Look(_, index) => Some(*index),
            _ => None,
        }
    }

    /// A digit masked by a constant.
    pub fn mask(&mut self, digit: NodeId, keep: i64) -> NodeId {
        let range = self.range(digit);
        if range.mask & !keep == 0 && range.low >= 0 {
            return digit;
        }
        match self.node(digit).clone() {
            Node::Const(n) => self.constant(n & keep),
            Node::Look(Table::Digit { form, out }, index) => {
                let out = Form(out.0.map(|n| n & keep as i16));
                self.look(Table::Digit { form, out }, index)
            }
            // Parts that share no bit are masked one by one.
            Node::Sum(terms, 0) if self.disjoint(&terms) => {
                let parts: Vec<(NodeId, bool)> = terms
                    .into_iter()
                    .map(|(term, plus)| (self.mask(term, keep), plus))
                    .collect();
                self.sum(&parts, 0)
            }
            _ => self.digit(|n| n & keep as u8, digit),
        }
    }

    /// Whether terms are digits that share no bit.
    pub fn disjoint(&self, terms: &[(NodeId, bool)]) -> bool {
        let mut seen = 0;
        terms.iter().all(|(term, plus)| {
            let range = self.range(*term);
            let free = *plus && range.low >= 0 && range.high <= 15 && seen & range.mask == 0;
            seen |= range.mask;
            free
        })
    }

    /// Splits a sum of a scale that is not negative into its low digit, in some form, and the
    /// rest, of the same scale.
    pub fn split(&mut self, sum: NodeId, scale: i64, out: Form) -> (NodeId, NodeId) {
        let range = self.range(sum);
        if let Some(n) = self.as_const(sum) {
            let low = self.constant(out.of(n / scale));
            return (low, self.constant(n / scale / 16 * scale));
        }
        if range.high <= 15 * scale {
            let form = if scale == 1 { Form::PLAIN } else { Form::ROW };
            let low = self.look(Table::Digit { form, out }, sum);
            return (low, self.constant(0));
        }
        let low = self.look(Table::Low { scale, out }, sum);
        let carries = Range::new(0, range.high / scale / 16 * scale);
        (
            low,
            self.add(Node::Rest(low, Table::Carry { scale, out }), carries),
        )
    }

    /// `a < b`.
    pub fn less(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (ra, rb) = (self.range(a), self.range(b));
        if ra.high < rb.low || ra.low >= rb.high {
            return self.constant(i64::from(ra.high < rb.low));
        }
        if rb.low == rb.high && rb.low == 1 && ra.low == 0 {
            return self.is_zero(a);
        }
        if ra == Range::new(0, 0) && rb.low == 0 {
            return self.non_zero(b);
        }
        self.add(Node::Less(a, b), Range::new(0, 1))
    }

    /// `a != b`.
    pub fn differ(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if a == b {
            return self.constant(0);
        }
        let (ra, rb) = (self.range(a), self.range(b));
        if ra.high < rb.low || rb.high < ra.low {
            return self.constant(1);
        }
        match (self.as_const(a), self.as_const(b)) {
            (Some(a), Some(b)) => self.constant(i64::from(a != b)),
            (Some(0), None) => self.non_zero(b),
            (None, Some(0)) => self.non_zero(a),
            _ => self.add(Node::Differ(a, b), Range::new(0, 1)),
        }
    }

    /// `a == 0`.
    pub fn is_zero(&mut self, a: NodeId) -> NodeId {
        let range = self.range(a);
        if range.low > 0 || range.high < 0 || (range.low == 0 && range.high == 0) {
            return self.constant(i64::from(range.high == 0));
        }
        self.add(Node::IsZero(a), Range::new(0, 1))
    }

    /// `a != 0`: 0 or 1.
    pub fn non_zero(&mut self, a: NodeId) -> NodeId {
        let range = self.range(a);
        if range.low > 0 || range.high < 0 {
            return self.constant(1);
        }
        if range.low == 0 && range.high <= 1 {
            return a;
        }
        self.add(Node::NonZero(a), Range::new(0, 1))
    }

    /// Both of two conditions.
    pub fn both(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(0), _) | (_, Some(0)) => self.constant(0),
            (Some(_), _) => b,
            (_, Some(_)) => a,
            _ if a == b => a,
            _ => self.add(Node::Both(a, b), Range::new(0, 1)),
        }
    }

    /// Either of two conditions.
    pub fn either(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_const(a), self.as_const(b)) {
            (Some(0), _) => b,
            (_, Some(0)) => a,
            (Some(_), _) | (_, Some(_)) => self.constant(1),
            _ if a == b => a,
            _ => self.add(Node::Either(a, b), Range::new(0, 1)),
        }
    }

    /// `t` if the condition is 1, `f` if it is 0.
    pub fn select(&mut self, condition: NodeId, t: NodeId, f: NodeId) -> NodeId {
        if t == f {
            return t;
        }
        if let Some(c) = self.as_const(condition) {
            return if c == 0 { f } else { t };
        }
        let (rt, rf) = (self.range(t), self.range(f));
        let flags = rt.low >= 0 && rf.low >= 0 && rt.high <= 1 && rf.high <= 1;
        match (self.as_const(t), self.as_const(f)) {
            (Some(1), Some(0)) => return condition,
            (Some(0), Some(1)) => return self.is_zero(condition),
            (None, Some(0)) if flags => return self.both(condition, t),
            (Some(1), None) if flags => return self.either(condition, f),
            _ => {}
        }
        let mut range = Range::new(rt.low.min(rf.low), rt.high.max(rf.high));
        range.mask = rt.mask | rf.mask;
        self.add(Node::Select(condition, t, f), range)
    }

    /// A node as it is, or an equal one.
    pub(super) fn add(&mut self, node: Node, range: Range) -> NodeId {
        let forever = matches!(node, Node::Const(_) | Node::Read(_));
        if let Some((id, asked)) = self.known.get_mut(&node)
            && (forever || self.step - *asked <= MEMORY)
        {
            *asked = self.step;
            return *id;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.known.insert(node.clone(), (id, self.step));
        self.nodes.push(node);
        self.ranges.push(range);
        id
    }
}
