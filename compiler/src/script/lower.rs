//! From words to digits: a straight-line word program becomes a [`Graph`] and the order in
//! which its parts are worth computing.
//!
//! A digit is *plain* (`0..=15`) or *spread* (its bits in base 3, see
//! [`spread`](super::graph::spread)): sums of two spread digits index the tables of the
//! bitwise operations. Shifts by whole digits and `bswap` only rename; chains of additions
//! become one sum of many terms per digit.

use super::graph::{Graph, Node, NodeId, SPREAD, Table};
use super::marks::Names;
use super::shape::{Shape, Terms, def, flatten, is_mask};
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

/// Lowers a task; `names` learns which digit each node is.
pub fn lower(task: &Task, names: &mut Names) -> (Graph, Vec<Step>) {
    let program = &task.program;
    let mut lower = Lower::new(task);
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
                let digits = lower.word(value);
                let mut keep = Vec::new();
                for digit in digits {
                    if lower.shape.plain[value.index()] {
                        keep.push(digit);
                    }
                    if lower.shape.spread[value.index()] {
                        keep.push(lower.spread(digit));
                    }
                }
                steps.push(Step::Keep(keep));
            }
            _ => {}
        }
    }
    names.record(&lower.words, &lower.spreads);
    (lower.graph, steps)
}

struct Lower<'a> {
    task: &'a Task,
    bits: Vec<u8>,
    shape: Shape,
    graph: Graph,
    words: Vec<Option<[NodeId; 8]>>,
    /// By plain node. Only ever looked up, never iterated.
    spreads: HashMap<NodeId, NodeId>,
    /// Where each input word's digits begin.
    offsets: Vec<u32>,
}

impl<'a> Lower<'a> {
    fn new(task: &'a Task) -> Self {
        let program = &task.program;
        let bits = program.bits();
        let mut offsets = Vec::with_capacity(task.input_digits.len());
        let mut offset = 0;
        for digits in &task.input_digits {
            offsets.push(offset);
            offset += u32::from(*digits);
        }
        Self {
            task,
            shape: Shape::of(program, &bits),
            bits,
            graph: Graph::default(),
            words: vec![None; program.value_count()],
            spreads: HashMap::new(),
            offsets,
        }
    }

    /// The plain digits of a word.
    fn word(&mut self, value: Value) -> [NodeId; 8] {
        if let Some(digits) = self.words[value.index()] {
            return digits;
        }
        let mut digits = self.digits(value);
        let bits = i64::from(self.bits[value.index()]);
        for (n, digit) in digits.iter_mut().enumerate() {
            let left = bits - 4 * n as i64;
            if left <= 0 {
                *digit = self.graph.constant(0);
            } else if left < 4 {
                self.graph.narrow(*digit, (1 << left) - 1);
            }
        }
        self.words[value.index()] = Some(digits);
        digits
    }

    fn digits(&mut self, value: Value) -> [NodeId; 8] {
        let Some(op) = def(&self.task.program, value).cloned() else {
            return [self.graph.constant(0); 8];
        };
        match op {
            Op::Const(word) => {
                std::array::from_fn(|n| self.graph.constant(i64::from((word >> (4 * n)) & 15)))
            }
            Op::Input(n) => self.input(usize::from(n)),
            Op::Add(..) | Op::Sub(..) => self.add(value),
            Op::And(a, b) => self.and(a, b),
            Op::Or(a, b) => self.or(a, b),
            Op::Xor(a, b) => self.xor(a, b),
            Op::Not(a) => self.word(a).map(|n| self.not(n)),
            Op::Shl(a, by) => self.shift(value, a, -i32::from(by), false),
            Op::Shr(a, by) => self.shift(value, a, i32::from(by), false),
            Op::Rotr(a, by) => self.shift(value, a, i32::from(by), true),
            Op::Bswap(a) => {
                let digits = self.word(a);
                std::array::from_fn(|n| digits[(3 - n / 2) * 2 + n % 2])
            }
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
        }
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

    fn add(&mut self, value: Value) -> [NodeId; 8] {
        let Terms { terms, constant } = flatten(&self.task.program, &self.shape.fused, value);
        let words: Vec<([NodeId; 8], bool)> = terms
            .iter()
            .map(|(term, plus)| (self.word(*term), *plus))
            .collect();
        let mut carry = self.graph.constant(0);
        let mut owed = 0;
        let used = usize::from(self.bits[value.index()].div_ceil(4));
        std::array::from_fn(|n| {
            if n >= used {
                return self.graph.constant(0);
            }
            let mut terms = vec![(carry, true)];
            terms.extend(words.iter().map(|(word, plus)| (word[n], *plus)));
            let constant = i64::from((constant >> (4 * n)) & 15) - owed;
            let sum = self.graph.sum(&terms, constant);
            // A sum below zero borrows from the next digit.
            let low = self.graph.range(sum).low;
            owed = if low < 0 { (15 - low) / 16 } else { 0 };
            let sum = self.graph.sum(&terms, constant + 16 * owed);
            let (digit, rest) = self.graph.split(sum);
            carry = rest;
            digit
        })
    }

    fn not(&mut self, digit: NodeId) -> NodeId {
        self.graph.sum(&[(digit, false)], 15)
    }

    /// Digits moved down by `by` bits, up if negative; those that leave come back if `around`.
    fn shift(&mut self, value: Value, a: Value, by: i32, around: bool) -> [NodeId; 8] {
        let digits = self.word(a);
        let zero = self.graph.constant(0);
        let (whole, part) = (by.div_euclid(4), by.rem_euclid(4));
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
        let twice = self.shape.plain[value.index()] && self.shape.spread[value.index()];
        std::array::from_fn(|n| {
            let low = source(n as i32 + whole);
            if part == 0 {
                return low;
            }
            let high = source(n as i32 + whole + 1);
            let low = self.graph.digit(|d| d >> part, low);
            let high = self.graph.digit(|d| (d << (4 - part)) & 15, high);
            let plain = self.graph.sum(&[(low, true), (high, true)], 0);
            if !twice || !matches!(self.graph.node(plain), Node::Sum(..)) {
                return plain;
            }
            // Wanted in both forms: the spread one is computed, the plain one looked up.
            let spread = self.spread(plain);
            let plain = self.graph.look(Table::Xor, spread);
            self.spreads.insert(plain, spread);
            plain
        })
    }

    fn is_flag(&self, value: Value) -> bool {
        self.bits[value.index()] <= 1
    }

    fn and(&mut self, a: Value, b: Value) -> [NodeId; 8] {
        let (x, y) = (self.word(a), self.word(b));
        if self.is_flag(a) && self.is_flag(b) {
            let both = self.graph.both(x[0], y[0]);
            return self.boolean(both);
        }
        let mask = is_mask(&self.task.program, a) || is_mask(&self.task.program, b);
        std::array::from_fn(
            |n| match (self.graph.as_const(x[n]), self.graph.as_const(y[n])) {
                (Some(keep), _) if mask || keep == 0 || keep == 15 => self.graph.mask(y[n], keep),
                (_, Some(keep)) if mask || keep == 0 || keep == 15 => self.graph.mask(x[n], keep),
                _ => self.and_digit(x[n], y[n]),
            },
        )
    }

    fn and_digit(&mut self, x: NodeId, y: NodeId) -> NodeId {
        if x == y {
            return x;
        }
        if self.graph.range(x).high <= 1 && self.graph.range(y).high <= 1 {
            return self.graph.both(x, y);
        }
        let (x, y) = (self.spread(x), self.spread(y));
        let index = self.graph.sum(&[(x, true), (y, true)], 0);
        self.graph.look(Table::And, index)
    }

    fn or(&mut self, a: Value, b: Value) -> [NodeId; 8] {
        let (x, y) = (self.word(a), self.word(b));
        if self.is_flag(a) && self.is_flag(b) {
            let either = self.graph.either(x[0], y[0]);
            return self.boolean(either);
        }
        std::array::from_fn(|n| {
            let (x, y) = (x[n], y[n]);
            match (self.graph.as_const(x), self.graph.as_const(y)) {
                (Some(15), _) | (_, Some(15)) => return self.graph.constant(15),
                (Some(a), Some(b)) => return self.graph.constant(a | b),
                _ if x == y => return x,
                _ => {}
            }
            if self.graph.range(x).mask & self.graph.range(y).mask == 0 {
                return self.graph.sum(&[(x, true), (y, true)], 0);
            }
            if self.graph.range(x).high <= 1 && self.graph.range(y).high <= 1 {
                return self.graph.either(x, y);
            }
            // a | b = !(!a & !b), and the complement of a spread digit s is 40 - s.
            let (x, y) = (self.spread(x), self.spread(y));
            let index = self.graph.sum(&[(x, false), (y, false)], 80);
            let neither = self.graph.look(Table::And, index);
            self.not(neither)
        })
    }

    fn xor(&mut self, a: Value, b: Value) -> [NodeId; 8] {
        let (x, y) = (self.word(a), self.word(b));
        if self.is_flag(a) && self.is_flag(b) {
            let differ = self.graph.differ(x[0], y[0]);
            return self.boolean(differ);
        }
        std::array::from_fn(|n| {
            let (x, y) = (x[n], y[n]);
            match (self.graph.as_const(x), self.graph.as_const(y)) {
                (Some(a), Some(b)) => return self.graph.constant(a ^ b),
                (Some(0), _) => return y,
                (_, Some(0)) => return x,
                (Some(15), _) => return self.not(y),
                (_, Some(15)) => return self.not(x),
                _ if x == y => return self.graph.constant(0),
                _ => {}
            }
            if self.graph.range(x).high <= 1 && self.graph.range(y).high <= 1 {
                return self.graph.differ(x, y);
            }
            let (x, y) = (self.spread(x), self.spread(y));
            let index = self.graph.sum(&[(x, true), (y, true)], 0);
            self.graph.look(Table::Xor, index)
        })
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

    /// The spread form of a plain digit.
    fn spread(&mut self, plain: NodeId) -> NodeId {
        if let Some(spread) = self.spreads.get(&plain) {
            return *spread;
        }
        let range = self.graph.range(plain);
        let spread = match self.graph.node(plain).clone() {
            _ if range.low >= 0 && range.high <= 1 => plain,
            Node::Look(Table::Digit(table), index) => self
                .graph
                .digit(|d| SPREAD[usize::from(table[usize::from(d)] & 15)], index),
            Node::Look(Table::Xor, index) => self.graph.look(Table::XorSpread, index),
            Node::Sum(terms, 15) if matches!(terms.as_slice(), [(_, false)]) => {
                let inner = self.spread(terms[0].0);
                self.graph.sum(&[(inner, false)], 40)
            }
            Node::Sum(terms, 0) if self.graph.disjoint(&terms) => {
                let parts: Vec<(NodeId, bool)> = terms
                    .into_iter()
                    .map(|(term, plus)| (self.spread(term), plus))
                    .collect();
                self.graph.sum(&parts, 0)
            }
            _ => self.graph.digit(|d| SPREAD[usize::from(d)], plain),
        };
        self.spreads.insert(plain, spread);
        spread
    }
}
