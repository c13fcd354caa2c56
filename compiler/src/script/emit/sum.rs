//! Emits sums: in an order in which little has to be moved, and with the biases of their terms
//! left in, unless they are so large that there is no room.

use super::super::code::Code;
use super::super::graph::NodeId;
use super::super::marks::What;
use super::Emitter;
use super::bias::Bias;
use super::stack::Name;

impl Emitter<'_> {
    /// Adds up the terms of a node. Constants are left to whoever corrects the bias.
    pub(super) fn sum(&mut self, node: NodeId, terms: &[(NodeId, bool)], constant: i64) -> Bias {
        let start = self.stack.asm.len();
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
        for (n, (term, plus)) in order.into_iter().enumerate() {
            if n > 0 {
                let added = self.addend(term, plus);
                bias.add(&added, sign(plus));
                self.mark(What::Toward(node), start);
                continue;
            }
            let first = self.value(term);
            bias.add(&first, sign(plus));
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

    /// How far from 0 a sum can get on the way.
    pub(super) fn reach(&self, terms: &[(NodeId, bool)]) -> i64 {
        let ranges = terms.iter().map(|(node, _)| self.graph.range(*node));
        ranges.map(|range| range.high.max(-range.low)).sum()
    }

    /// Adds up the terms of a node, all of them plain, and a constant.
    pub(super) fn huge_sum(&mut self, node: NodeId, terms: &[(NodeId, bool)], constant: i64) {
        let start = self.stack.asm.len();
        let mut order = terms.to_vec();
        if let Some(first) = order.iter().position(|(_, plus)| *plus) {
            order[..=first].rotate_right(1);
        }
        for (n, (term, plus)) in order.into_iter().enumerate() {
            if n > 0 {
                self.plus(term, plus);
                self.mark(What::Toward(node), start);
                continue;
            }
            self.plain(term);
            if !plus {
                self.stack.apply(Code::Negate, 1);
            }
        }
        self.add(constant);
    }

    /// Adds a plain number to the top item, or (`false`) subtracts it.
    pub(super) fn plus(&mut self, node: NodeId, plus: bool) {
        let partial = self.stack.top();
        self.plain(node);
        self.join(partial);
        self.stack
            .apply(if plus { Code::Add } else { Code::Sub }, 2);
    }
}

fn sign(plus: bool) -> i64 {
    if plus { 1 } else { -1 }
}
