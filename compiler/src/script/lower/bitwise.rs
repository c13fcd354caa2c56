//! Bitwise operations: look-ups by sums of two digits.

use super::super::forms::Style;
use super::super::graph::NodeId;
use super::super::shape::is_mask;
use super::super::table::{Bitwise, Count, Form, Table};
use super::Lower;
use crate::word::Value;

impl Lower<'_> {
    pub(super) fn bitwise(&mut self, op: Bitwise, a: Value, b: Value, form: Form) -> [NodeId; 8] {
        if self.is_flag(a) && self.is_flag(b) {
            let (x, y) = (self.word(a)[0], self.word(b)[0]);
            let flag = match op {
                Bitwise::And => self.graph.both(x, y),
                Bitwise::Or => self.graph.either(x, y),
                Bitwise::Xor => self.graph.differ(x, y),
            };
            let flag = self.convert(flag, Form::PLAIN, form);
            return self.boolean(flag);
        }
        let mask = is_mask(&self.task.program, a) || is_mask(&self.task.program, b);
        let masks = |known| known == 0 || known == 15 || (mask && op == Bitwise::And);
        let (fa, fb) = (self.forms[a.index()], self.forms[b.index()]);
        let (x, y) = (self.native(a), self.native(b));
        std::array::from_fn(|n| {
            let (x, y) = ((x[n], fa), (y[n], fb));
            let known = |(node, form): (NodeId, Form)| {
                self.graph.as_const(node).and_then(|n| form.digit(n))
            };
            match (known(x), known(y)) {
                (Some(a), Some(b)) => self.graph.constant(form.of(op.of(a, b))),
                (Some(known), None) if masks(known) => self.with_constant(op, y, known, form),
                (None, Some(known)) if masks(known) => self.with_constant(op, x, known, form),
                _ => self.combine(op, x, y, form),
            }
        })
    }

    /// A bitwise function of a digit, which comes with its form, and a constant.
    fn with_constant(
        &mut self,
        op: Bitwise,
        (digit, from): (NodeId, Form),
        known: i64,
        form: Form,
    ) -> NodeId {
        match (op, known) {
            (Bitwise::And, 0) => self.graph.constant(0),
            (Bitwise::Or, 15) => self.graph.constant(form.of(15)),
            (Bitwise::And, 15) | (Bitwise::Or | Bitwise::Xor, 0) => self.convert(digit, from, form),
            (Bitwise::Xor, 15) => {
                let digit = self.convert(digit, from, form);
                self.not(digit, form)
            }
            (Bitwise::And, keep) if from == Form::PLAIN && form == from => {
                self.graph.mask(digit, keep)
            }
            _ => self.function(
                digit,
                from,
                form.after(|d| op.of(i64::from(d), known) as u8),
            ),
        }
    }

    /// A bitwise function of two digits, each with its form.
    fn combine(
        &mut self,
        op: Bitwise,
        (x, fx): (NodeId, Form),
        (y, fy): (NodeId, Form),
        form: Form,
    ) -> NodeId {
        if fx == fy && x == y {
            return match op {
                Bitwise::Xor => self.graph.constant(0),
                _ => self.convert(x, fx, form),
            };
        }
        let flag = |node, form: Form| form != Form::ROW && self.graph.range(node).high <= 1;
        if flag(x, fx) && flag(y, fy) {
            let flag = match op {
                Bitwise::And => self.graph.both(x, y),
                Bitwise::Or => self.graph.either(x, y),
                Bitwise::Xor => self.graph.differ(x, y),
            };
            return self.convert(flag, Form::PLAIN, form);
        }
        let apart = self.graph.range(x).mask & self.graph.range(y).mask == 0;
        if op == Bitwise::Or && apart && fx == Form::PLAIN && fy == fx && form == fx {
            return self.graph.sum(&[(x, true), (y, true)], 0);
        }
        match self.style {
            Style::Rows => {
                let (row, fr, column, fc) = match (fx, fy) {
                    (_, Form::ROW) if fx != Form::ROW => (y, fy, x, fx),
                    _ => (x, fx, y, fy),
                };
                let row = self.convert(row, fr, Form::ROW);
                let column = self.convert(column, fc, Form::PLAIN);
                let index = self.graph.sum(&[(row, true), (column, true)], 0);
                self.graph.look(Table::Pair { op, out: form }, index)
            }
            Style::Mixed | Style::Turned | Style::Tight => {
                let (x, y) = (
                    self.convert(x, fx, Form::SPREAD),
                    self.convert(y, fy, Form::SPREAD),
                );
                let index = self.graph.sum(&[(x, true), (y, true)], 0);
                let of = match op {
                    Bitwise::And => Count::Both,
                    Bitwise::Or => Count::Any,
                    Bitwise::Xor => Count::Odd,
                };
                let out = form;
                self.graph.look(Table::Spread { of, out }, index)
            }
        }
    }
}
