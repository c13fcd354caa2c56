//! Emits look-ups: an index is corrected by where its table lies, and a sum is looked up twice,
//! for its low digit and for what it carries.

use super::super::code::Code;
use super::super::graph::{Node, NodeId};
use super::super::marks::What;
use super::super::table::Table;
use super::Emitter;
use super::bias::{Bias, Choice};

impl Emitter<'_> {
    /// Corrects the index on top for a look-up, `more` items being pushed before; gives what
    /// it is biased by then.
    pub(super) fn index(&mut self, table: Table, bias: Bias, more: usize) -> Bias {
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
    pub(super) fn look(&mut self, table: Table, index: Bias) -> Bias {
        self.index(table, index, 0);
        self.stack.apply(Code::Pick, 1);
        let number = self.tables.number(&table);
        number.map_or_else(Bias::default, |n| Bias::chosen(Choice::Bias(n)))
    }

    /// What is yet to be looked up by the rest of this look-up's index.
    pub(super) fn carry_of(&self, low: NodeId) -> Option<NodeId> {
        // The graph makes it right after the look-up.
        Some(NodeId(low.0 + 1))
            .filter(|id| id.index() < self.graph.len())
            .filter(|id| matches!(self.graph.node(*id), Node::Rest(of, _) if *of == low))
            .filter(|id| self.uses[id.index()] > 0 && self.stored[id.index()].is_none())
    }

    /// Whether computing the node leaves others, too: a low digit and a carry, or parts.
    pub(super) fn comes_in_pair(&self, node: NodeId) -> bool {
        matches!(self.graph.node(node), Node::Rest(..) | Node::Part(..))
            || self.carry_of(node).is_some()
    }

    /// Splits a sum into its low digit and, on top, the carry.
    pub(super) fn split(&mut self, low: NodeId, carry: NodeId) {
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
        self.mark(What::Toward(low), start);
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
}
