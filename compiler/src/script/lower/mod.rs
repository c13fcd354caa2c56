//! From words to digits: a straight-line word program becomes a [`Graph`] and the order in
//! which its parts are worth computing.
//!
//! A digit is *plain* (`0..=15`) or *spread* (its bits in base 3, see
//! [`spread`](super::graph::spread)): sums of two spread digits index the tables of the
//! bitwise operations. Shifts by whole digits and `bswap` only rename; chains of additions
//! become one sum of many terms per digit.

use super::forms::{Style, adds_rows, forms};
mod parity;

use super::graph::{Graph, Node, NodeId};
use super::marks::Names;
use super::shape::{Shape, Terms, def, flatten, is_mask};
use super::table::{Bitwise, Count, Form, STRIDE, Table};
use crate::word::{Op, Program, Value};
use std::collections::HashMap;

/// A program whose inputs are what was read, and whose results are the conditions of its
/// [`Op::AbortIf`]s.
#[derive(Debug)]
pub struct Task {
    /// The operations; no products, quotients or compressions.
    pub program: Program,
    /// Bits of each input word; at most four for each of its digits.
    pub input_bits: Vec<u8>,
    /// Digits of each input word.
    pub input_digits: Vec<u8>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have these on the stack.
    Keep(Vec<NodeId>),
    /// The value of the `AbortIf` with this code: its digits, least first.
    Result(u16, Vec<NodeId>),
}

/// Lowers a task; `names` learn which digit each node is.
pub fn lower(task: &Task, style: Style, names: &mut Names) -> (Graph, Vec<Step>) {
    let program = &task.program;
    let mut lower = Lower::new(task, style, names);
    let mut steps = Vec::new();
    for (n, inst) in program.insts.iter().enumerate() {
        match inst.op {
            Op::AbortIf(value, code) => {
                let digits = lower.word(value).to_vec();
                steps.push(Step::Result(code, digits));
            }
            _ if lower.shape.anchored[n] => {
                lower.graph.step();
                let value = inst.first;
                let keep = lower.native(value).to_vec();
                steps.push(Step::Keep(keep));
            }
            _ => {}
        }
    }
    let (forms, loose) = (&lower.forms, &lower.shape.loose);
    lower.names.record(&lower.words, forms, loose);
    (lower.graph, steps)
}

struct Lower<'a> {
    task: &'a Task,
    bits: Vec<u8>,
    shape: Shape,
    style: Style,
    /// By value, the form of its digits in `words`.
    forms: Vec<Form>,
    graph: Graph,
    words: Vec<Option<[NodeId; 8]>>,
    /// Nodes in other forms. Only ever looked up, never iterated.
    converted: HashMap<(NodeId, Form, Form), (NodeId, usize)>,
    /// Where each input word's digits begin.
    offsets: Vec<u32>,
    names: &'a mut Names,
}

impl<'a> Lower<'a> {
    fn new(task: &'a Task, style: Style, names: &'a mut Names) -> Self {
        let program = &task.program;
        let bits = program.bits();
        let mut offsets = Vec::with_capacity(task.input_digits.len());
        let mut offset = 0;
        for digits in &task.input_digits {
            offsets.push(offset);
            offset += u32::from(*digits);
        }
        let shape = Shape::of(program, &bits, style);
        Self {
            task,
            forms: forms(program, &bits, &shape, style),
            style,
            shape,
            bits,
            graph: Graph::default(),
            words: vec![None; program.value_count()],
            converted: HashMap::new(),
            offsets,
            names,
        }
    }

    /// The plain digits of a word.
    fn word(&mut self, value: Value) -> [NodeId; 8] {
        self.in_form(value, Form::PLAIN)
    }

    /// The digits of a word in some form.
    pub(super) fn in_form(&mut self, value: Value, form: Form) -> [NodeId; 8] {
        let from = self.forms[value.index()];
        self.native(value)
            .map(|digit| self.convert(digit, from, form))
    }

    /// The digits of a word, in the form that was chosen for it.
    fn native(&mut self, value: Value) -> [NodeId; 8] {
        if let Some(digits) = self.words[value.index()] {
            return digits;
        }
        let form = self.forms[value.index()];
        let mut digits = self.digits(value, form);
        let bits = i64::from(self.bits[value.index()]);
        for (n, digit) in digits.iter_mut().enumerate() {
            let left = bits - 4 * n as i64;
            if left <= 0 {
                *digit = self.graph.constant(0);
            } else if left < 4 {
                self.graph.narrow(*digit, form.of((1 << left) - 1));
            }
        }
        self.words[value.index()] = Some(digits);
        digits
    }

    /// Computes the digits of a word in a form.
    fn digits(&mut self, value: Value, form: Form) -> [NodeId; 8] {
        let Some(op) = def(&self.task.program, value).cloned() else {
            return [self.graph.constant(0); 8];
        };
        let plain = match op {
            Op::Const(word) => {
                return std::array::from_fn(|n| {
                    let digit = i64::from((word >> (4 * n)) & 15);
                    self.graph.constant(form.of(digit))
                });
            }
            Op::Add(..) if self.shape.loose[value.index()] => return self.loose_sum(value, form),
            Op::Add(..) | Op::Sub(..) => return self.add(value, form),
            Op::Xor(..) if self.style.turns() && self.is_parity(value) => {
                return self.parity(value, form);
            }
            Op::And(a, b) => return self.bitwise(Bitwise::And, a, b, form),
            Op::Or(a, b) => return self.bitwise(Bitwise::Or, a, b, form),
            Op::Xor(a, b) => return self.bitwise(Bitwise::Xor, a, b, form),
            Op::Not(a) => return self.in_form(a, form).map(|n| self.not(n, form)),
            Op::Shl(a, by) => return self.shift(a, -i32::from(by), false, form),
            Op::Shr(a, by) => return self.shift(a, i32::from(by), false, form),
            Op::Rotr(a, by) => return self.shift(a, i32::from(by), true, form),
            Op::Bswap(a) => {
                let digits = self.in_form(a, form);
                return std::array::from_fn(|n| digits[(3 - n / 2) * 2 + n % 2]);
            }
            Op::Input(n) => self.input(usize::from(n)),
            Op::Eq(a, b) => self.eq(a, b),
            Op::Lt(a, b) => self.lt(a, b),
            Op::Select(c, t, f) => {
                let condition = self.word(c);
                let condition = self.truth(&condition);
                let (t, f) = (self.word(t), self.word(f));
                std::array::from_fn(|n| self.graph.select(condition, t[n], f[n]))
            }
            // Not in a task: legalised before.
            Op::MulLo(..)
            | Op::MulHi(..)
            | Op::Div(..)
            | Op::Rem(..)
            | Op::Sha256 { .. }
            | Op::Blake3 { .. }
            | Op::State(_)
            | Op::AbortIf(..) => [self.graph.constant(0); 8],
        };
        plain.map(|digit| self.convert(digit, Form::PLAIN, form))
    }

    fn input(&mut self, n: usize) -> [NodeId; 8] {
        let digits = self.task.input_digits[n];
        let bits = i64::from(self.task.input_bits[n]);
        let offset = self.offsets[n];
        std::array::from_fn(|i| {
            let left = (bits - 4 * i as i64).min(4);
            if i < usize::from(digits) && left > 0 {
                self.graph.read(offset + i as u32, (1 << left) - 1)
            } else {
                self.graph.constant(0)
            }
        })
    }

    fn boolean(&mut self, condition: NodeId) -> [NodeId; 8] {
        let zero = self.graph.constant(0);
        std::array::from_fn(|n| if n == 0 { condition } else { zero })
    }

    /// Whether any digit is not 0: 0 or 1.
    fn truth(&mut self, digits: &[NodeId]) -> NodeId {
        let terms: Vec<(NodeId, bool)> = digits.iter().map(|digit| (*digit, true)).collect();
        let sum = self.graph.sum(&terms, 0);
        self.graph.non_zero(sum)
    }

    fn add(&mut self, value: Value, form: Form) -> [NodeId; 8] {
        let Terms { terms, constant } = flatten(&self.task.program, &self.shape.fused, value);
        // Rows are added up as rows, if most terms are.
        let rows = adds_rows(value, &terms, &self.forms);
        let unit = if rows { Form::ROW } else { Form::PLAIN };
        let scale = if rows { i64::from(STRIDE) } else { 1 };
        let mut words = self.addends(terms, unit);
        if self.highest(&words) > self.style.most() * scale
            && words.len() > 2
            && unit == Form::PLAIN
        {
            // Of many terms, the others first: the table that splits sums stays small.
            let others = words.split_off(1);
            words.push((self.add_up(&others, 0, 1, 8, unit), true));
        }
        let used = usize::from(self.bits[value.index()].div_ceil(4));
        self.add_up(&words, constant, scale, used, form)
    }

    /// The most that a digit of a sum can be.
    pub(super) fn highest(&self, words: &[([NodeId; 8], bool)]) -> i64 {
        let digit = |n: usize| -> i64 {
            let digits = words.iter().map(|(word, _)| self.graph.range(word[n]).high);
            digits.sum::<i64>() + 15
        };
        (0..8).map(digit).max().unwrap_or(0)
    }

    /// Adds words of a scale and a constant, digit by digit, `used` digits of them.
    fn add_up(
        &mut self,
        words: &[([NodeId; 8], bool)],
        constant: u32,
        scale: i64,
        used: usize,
        form: Form,
    ) -> [NodeId; 8] {
        let mut carry = self.graph.constant(0);
        let mut owed = 0;
        std::array::from_fn(|n| {
            if n >= used {
                return self.graph.constant(0);
            }
            let mut terms = vec![(carry, true)];
            terms.extend(words.iter().map(|(word, plus)| (word[n], *plus)));
            let constant = (i64::from((constant >> (4 * n)) & 15) - owed) * scale;
            let sum = self.graph.sum(&terms, constant);
            // A sum below zero borrows from the next digit.
            let low = self.graph.range(sum).low / scale;
            owed = if low < 0 { (15 - low) / 16 } else { 0 };
            let sum = self.graph.sum(&terms, constant + 16 * owed * scale);
            let (digit, rest) = self.graph.split(sum, scale, form);
            carry = rest;
            digit
        })
    }

    fn not(&mut self, digit: NodeId, form: Form) -> NodeId {
        self.graph.sum(&[(digit, false)], form.of(15))
    }

    /// Digits moved down by `by` bits, up if negative; those that leave come back if `around`.
    pub(super) fn shift(&mut self, a: Value, by: i32, around: bool, form: Form) -> [NodeId; 8] {
        let (whole, part) = (by.div_euclid(4), by.rem_euclid(4));
        let from = self.forms[a.index()];
        let digits = match part {
            0 => self.in_form(a, form),
            _ => self.native(a),
        };
        let zero = self.graph.constant(0);
        let source = |n: i32| {
            if around {
                digits[n.rem_euclid(8) as usize]
            } else {
                usize::try_from(n)
                    .ok()
                    .and_then(|n| digits.get(n).copied())
                    .unwrap_or(zero)
            }
        };
        std::array::from_fn(|n| {
            let low = source(n as i32 + whole);
            if part == 0 {
                return low;
            }
            let high = source(n as i32 + whole + 1);
            if from != Form::ROW && part != 2 {
                return self.window(low, high, part as u8, from, form);
            }
            let low = self.function(low, from, form.after(|d| d >> part));
            let high = self.function(high, from, form.after(|d| (d << (4 - part)) & 15));
            self.graph.sum(&[(low, true), (high, true)], 0)
        })
    }

    /// A digit across two: the bits of `low` from `part` on, and bits of `high`.
    fn window(&mut self, low: NodeId, high: NodeId, part: u8, from: Form, out: Form) -> NodeId {
        // Fewer bits come in on one side than on the other.
        let above = part == 1;
        let (digit, more, bits) = match above {
            true => (low, high, part),
            false => (high, low, 4 - part),
        };
        let span = from.span() as i16;
        let incoming = match above {
            true => Form(std::array::from_fn(|n| {
                (n as i16 & ((1 << bits) - 1)) * span
            })),
            false => Form(std::array::from_fn(|n| (n as i16 >> part) * span)),
        };
        let more = self.function(more, from, incoming);
        let index = self.graph.sum(&[(more, true), (digit, true)], 0);
        let form = from;
        self.graph.look(
            Table::Window {
                form,
                bits,
                above,
                out,
            },
            index,
        )
    }

    pub(super) fn is_flag(&self, value: Value) -> bool {
        self.bits[value.index()] <= 1
    }

    fn bitwise(&mut self, op: Bitwise, a: Value, b: Value, form: Form) -> [NodeId; 8] {
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
            Style::Mixed | Style::Plain | Style::Tight => {
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

    fn eq(&mut self, a: Value, b: Value) -> [NodeId; 8] {
        let (x, y) = (self.word(a), self.word(b));
        let mut terms = Vec::new();
        for (x, y) in x.into_iter().zip(y) {
            let differ = match (self.graph.as_const(x), self.graph.as_const(y)) {
                (Some(0), _) => y,
                (_, Some(0)) => x,
                _ => self.graph.differ(x, y),
            };
            terms.push((differ, true));
        }
        let sum = self.graph.sum(&terms, 0);
        let equal = self.graph.is_zero(sum);
        self.boolean(equal)
    }

    fn lt(&mut self, a: Value, b: Value) -> [NodeId; 8] {
        let (x, y) = (self.word(a), self.word(b));
        let mut borrow = self.graph.constant(0);
        for (x, y) in x.into_iter().zip(y) {
            let need = self.graph.sum(&[(borrow, true), (y, true)], 0);
            borrow = self.graph.less(x, need);
        }
        self.boolean(borrow)
    }

    /// A digit in another form.
    pub(super) fn convert(&mut self, digit: NodeId, from: Form, to: Form) -> NodeId {
        if from == to {
            return digit;
        }
        if let Some((known, step)) = self.converted.get(&(digit, from, to))
            && self.graph.is_recent(*step)
        {
            return *known;
        }
        let range = self.graph.range(digit);
        let converted = match self.graph.node(digit).clone() {
            Node::Look(table @ (Table::Spread { out, .. } | Table::Pair { out, .. }), index)
                if out == from =>
            {
                self.graph.look(table.with_out(to), index)
            }
            // A complement.
            Node::Sum(terms, all) if all == from.of(15) && matches!(terms[..], [(_, false)]) => {
                let inner = self.convert(terms[0].0, from, to);
                self.graph.sum(&[(inner, false)], to.of(15))
            }
            Node::Sum(terms, 0) if from == Form::PLAIN && self.graph.disjoint(&terms) => {
                let parts: Vec<(NodeId, bool)> = terms
                    .into_iter()
                    .map(|(term, plus)| (self.convert(term, from, to), plus))
                    .collect();
                self.graph.sum(&parts, 0)
            }
            // Bits 0 and 1 look alike.
            _ if range.low >= 0 && range.high <= 1 && from.of(1) == to.of(1) => digit,
            _ => match (self.style, from, to) {
                // With a zero on the other side.
                (Style::Rows, Form::PLAIN, Form::ROW) | (Style::Rows, Form::ROW, Form::PLAIN) => {
                    let op = Bitwise::Xor;
                    self.graph.look(Table::Pair { op, out: to }, digit)
                }
                (Style::Mixed, Form::SPREAD, Form::PLAIN) => {
                    let (of, out) = (Count::Odd, to);
                    self.graph.look(Table::Spread { of, out }, digit)
                }
                _ => self.function(digit, from, to),
            },
        };
        let step = self.graph.now();
        self.converted.insert((digit, from, to), (converted, step));
        self.names.convert(digit, converted, to);
        converted
    }

    /// A function of a digit: what `out` gives for it.
    pub(super) fn function(&mut self, digit: NodeId, form: Form, out: Form) -> NodeId {
        if let Node::Look(
            Table::Digit {
                form: of,
                out: inner,
            },
            index,
        ) = *self.graph.node(digit)
        {
            // A function of a function of a digit is one.
            let digits = inner.0.map(|n| form.digit(i64::from(n)));
            if digits.iter().all(Option::is_some) {
                let out = Form(digits.map(|digit| out.of(digit.unwrap_or(0)) as i16));
                return self.graph.look(Table::Digit { form: of, out }, index);
            }
        }
        self.graph.look(Table::Digit { form, out }, digit)
    }
}
