//! From words to digits: a straight-line word program becomes a [`Graph`] and the order in
//! which its parts are worth computing.
//!
//! A digit is *plain* (`0..=15`) or *spread* (its bits in base 3, see
//! [`spread`](super::graph::spread)): sums of two spread digits index the tables of the
//! bitwise operations. Shifts by whole digits and `bswap` only rename; chains of additions
//! become one sum of many terms per digit.
//!
//! Where that is cheaper ([`Kinds`]), a word is one number of up to 31 bits or two halves
//! instead (`limbs`); products and quotients are made of such numbers and digits (`arith`,
//! `wide`).

mod arith;
mod bitwise;
mod limbs;
mod parity;
mod wide;

use self::arith::{Division, Product, Quotient};
use super::facts::Facts;
use super::forms::{Style, adds_rows, forms};
use super::graph::{Graph, Node, NodeId};
use super::idioms::Idioms;
use super::kinds::Kinds;
use super::marks::Names;
use super::number::Reduced;
use super::shape::{Shape, Terms, def, flatten};
use super::table::{Bitwise, Count, Form, STRIDE, Table};
use crate::word::{Op, Program, Value};
use rustc_hash::FxHashMap;

/// A program whose inputs are what was read, and whose results are the conditions of its
/// [`Op::AbortIf`]s.
#[derive(Debug)]
pub struct Task {
    /// The operations; no compressions.
    pub program: Program,
    /// Bits of each input word; at most four for each of its digits.
    pub input_bits: Vec<u8>,
    /// Digits of each input word.
    pub input_digits: Vec<u8>,
    /// The abort code that stands for an abort, not for a result.
    pub abort: u16,
    /// By abort code, the digits of the written word that it stands for; 0 where it doesn't.
    pub written: Vec<u8>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have these on the stack.
    Keep(Vec<NodeId>),
    /// The value of the `AbortIf` with this code: its digits, least first.
    Result(u16, Vec<NodeId>),
    /// The same as numbers, each with how many digits it makes up.
    Numbers(u16, Vec<(NodeId, usize)>),
}

/// Lowers a task; `names` learn which piece of which word each node is.
pub fn lower(task: &Task, style: Style, names: &mut Names) -> (Graph, Vec<Step>) {
    let program = &task.program;
    let mut lower = Lower::new(task, style, names);
    let mut steps = Vec::new();
    for (n, inst) in program.insts.iter().enumerate() {
        match inst.op {
            Op::AbortIf(value, code) if lower.kinds.reads_number(n) => {
                steps.push(Step::Numbers(code, lower.numbers(value, code)));
            }
            Op::AbortIf(value, code) => {
                let digits = lower.word(value).to_vec();
                steps.push(Step::Result(code, digits));
            }
            _ if lower.shape.anchored[n] => {
                lower.graph.step();
                let values = (0..inst.op.results()).map(|n| Value(inst.first.0 + n));
                let keep = values.flat_map(|value| lower.kept(value));
                steps.push(Step::Keep(keep.collect()));
            }
            _ => {}
        }
    }
    let (forms, loose) = (&lower.forms, &lower.shape.loose);
    lower.names.digits(&lower.words, forms, loose);
    lower.names.numbers(&lower.ones, &lower.halves);
    (lower.graph, steps)
}

struct Lower<'a> {
    task: &'a Task,
    bits: Vec<u8>,
    /// By value: has so few bits only where the task doesn't abort.
    doubtful: Vec<bool>,
    /// By value: what the sum has beyond the word is wanted, too.
    carried: Vec<bool>,
    shape: Shape,
    style: Style,
    idioms: Idioms,
    facts: Facts,
    kinds: Kinds,
    /// Words of at most 31 bits as one number, and words as halves, the lower first.
    ones: Vec<Option<NodeId>>,
    halves: Vec<Option<[NodeId; 2]>>,
    /// What sums have beyond the word.
    beyond: Vec<Option<Reduced>>,
    /// Products and quotients made so far. Only ever looked up, never iterated.
    products: FxHashMap<(Vec<Value>, Vec<Value>), Product>,
    divisions: FxHashMap<(Value, Value), Division>,
    /// By the first value that a division of several words defines: the digits of its quotient
    /// and the halves of its rest.
    wide_divisions: FxHashMap<Value, (Vec<NodeId>, Vec<NodeId>)>,
    /// By value, the form of its digits in `words`.
    forms: Vec<Form>,
    graph: Graph,
    words: Vec<Option<[NodeId; 8]>>,
    /// Nodes in other forms. Only ever looked up, never iterated.
    converted: FxHashMap<(NodeId, Form, Form), (NodeId, usize)>,
    /// Where each input word's digits begin.
    offsets: Vec<u32>,
    names: &'a mut Names,
}

impl<'a> Lower<'a> {
    fn new(task: &'a Task, style: Style, names: &'a mut Names) -> Self {
        let program = &task.program;
        let facts = Facts::of(program, task.abort);
        let bits = facts.bits(program);
        let always = program.bits();
        let doubtful = bits.iter().zip(always).map(|(bits, always)| *bits < always);
        let doubtful: Vec<bool> = doubtful.collect();
        let mut offsets = Vec::with_capacity(task.input_digits.len());
        let mut offset = 0;
        for digits in &task.input_digits {
            offsets.push(offset);
            offset += u32::from(*digits);
        }
        let mut shape = Shape::of(program, &bits, style);
        let idioms = Idioms::of(program, &bits, &mut shape);
        let written = |code: u16| task.written.get(usize::from(code)).is_some_and(|n| *n > 0);
        let kinds = Kinds::of(program, &bits, &shape, &idioms, &facts, written);
        let values = program.value_count();
        let mut carried = vec![false; values];
        for sum in idioms.sums() {
            carried[sum.index()] = true;
        }
        let exact = |value: Value| carried[value.index()] || kinds.is_number(value);
        shape.tighten(program, exact);
        let mut forms = forms(program, &bits, &shape, style);
        for (n, form) in forms.iter_mut().enumerate() {
            // Digits of numbers, and those that must be capped, are plain.
            if doubtful[n] || kinds.is_number(Value(n as u32)) {
                *form = Form::PLAIN;
            }
        }
        Self {
            task,
            doubtful,
            carried,
            style,
            shape,
            idioms,
            facts,
            kinds,
            ones: vec![None; values],
            halves: vec![None; values],
            beyond: vec![None; values],
            products: FxHashMap::default(),
            divisions: FxHashMap::default(),
            wide_divisions: FxHashMap::default(),
            forms,
            bits,
            graph: Graph::default(),
            words: vec![None; values],
            converted: FxHashMap::default(),
            offsets,
            names,
        }
    }

    /// What a value is made of, in the form that was chosen for it.
    fn kept(&mut self, value: Value) -> Vec<NodeId> {
        match self.kinds.is_number(value) {
            true => self.all_numbers(value),
            false => self.native(value).to_vec(),
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
        let mut digits = match self.kinds.is_number(value) {
            true => self.parted(value),
            false => self.digits(value, form),
        };
        let bits = i64::from(self.bits[value.index()]);
        for (n, digit) in digits.iter_mut().enumerate() {
            let left = bits - 4 * n as i64;
            if left <= 0 {
                *digit = self.graph.constant(0);
            } else if left < 4 && self.doubtful[value.index()] {
                *digit = self.graph.at_most(*digit, (1 << left) - 1);
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
            Op::Or(a, b) if self.idioms.get(value).is_none() => {
                return self.bitwise(Bitwise::Or, a, b, form);
            }
            Op::Or(..) | Op::Lt(..) => {
                let flag = self.flag(value);
                self.boolean(flag)
            }
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
            Op::Select(c, t, f) => {
                let condition = self.condition(c);
                let (t, f) = (self.word(t), self.word(f));
                std::array::from_fn(|n| self.graph.select(condition, t[n], f[n]))
            }
            Op::Div(a, b) => match self.division(a, b).quotient {
                Quotient::Digits(digits) => digits,
                // Computed as a number.
                Quotient::Number(_) => [self.graph.constant(0); 8],
            },
            Op::DivWide(..) => self.wide_digits(value),
            // Computed as numbers, or not in a task.
            Op::MulWide(..)
            | Op::MulLo(..)
            | Op::MulHi(..)
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
        let large = self.highest(&words) > self.style.most() * scale;
        if large && words.len() > 2 && unit == Form::PLAIN && !self.carried[value.index()] {
            // Of many terms, the others first: the table that splits sums stays small.
            let others = words.split_off(1);
            words.push((self.add_up(&others, 0, 1, 8, unit).0, true));
        }
        let used = match self.carried[value.index()] {
            true => 8,
            false => usize::from(self.bits[value.index()].div_ceil(4)),
        };
        let (digits, beyond) = self.add_up(&words, constant, scale, used, form);
        if self.carried[value.index()] {
            self.beyond[value.index()] = Some(Reduced {
                quotient: self.convert(beyond.quotient, unit, Form::PLAIN),
                ..beyond
            });
        }
        digits
    }

    /// The most that a digit of a sum can be.
    pub(super) fn highest(&self, words: &[([NodeId; 8], bool)]) -> i64 {
        let digit = |n: usize| -> i64 {
            let digits = words.iter().map(|(word, _)| self.graph.range(word[n]).high);
            digits.sum::<i64>() + 15
        };
        (0..8).map(digit).max().unwrap_or(0)
    }

    /// Adds words of a scale and a constant, digit by digit, `used` digits of them; also gives
    /// what the sum has beyond these.
    fn add_up(
        &mut self,
        words: &[([NodeId; 8], bool)],
        constant: u32,
        scale: i64,
        used: usize,
        form: Form,
    ) -> ([NodeId; 8], Reduced) {
        let mut carry = self.graph.constant(0);
        let mut owed = 0;
        let digits = std::array::from_fn(|n| {
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
        });
        let beyond = Reduced {
            rest: digits[7],
            quotient: carry,
            plus: true,
            offset: -owed,
        };
        (digits, beyond)
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
