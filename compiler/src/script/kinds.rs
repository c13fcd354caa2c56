//! In which kind each word lives: as digits, or as numbers of up to 31 bits.
//!
//! An operation that can be computed in either form has a price in each; a value computed in
//! one form and read in the other has the price of converting it, once. A least cut of the
//! network of these prices is the cheapest choice for the whole segment.

use super::facts::{Facts, low_mask};
use super::flow::{NEVER, Network};
use super::idioms::{Idiom, Idioms};
use super::shape::{Shape, def, definition, factors};
use crate::word::{Op, Program, Value};

/// Which form every operation is computed in.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// By value: computed in numbers.
    numbers: Vec<bool>,
    /// By instruction: what it reads is better read as numbers.
    reads: Vec<bool>,
}

/// Values of up to so many bits live as one number.
pub(super) const ONE: u8 = 31;

impl Kinds {
    /// Whether a value is computed as numbers, not as digits.
    pub(super) fn is_number(&self, value: Value) -> bool {
        self.numbers.get(value.index()).copied().unwrap_or(false)
    }

    /// Whether what an instruction without a value reads is better compared as a number.
    pub(super) fn reads_number(&self, inst: usize) -> bool {
        self.reads.get(inst).copied().unwrap_or(false)
    }

    /// The cheapest choice. `written` tells whether an abort code stands for a written word.
    pub(super) fn of(
        program: &Program,
        bits: &[u8],
        shape: &Shape,
        idioms: &Idioms,
        facts: &Facts,
        written: impl Fn(u16) -> bool,
    ) -> Self {
        let mut defs = vec![0; program.value_count()];
        for (n, inst) in program.insts.iter().enumerate() {
            for k in 0..inst.op.results() as usize {
                defs[inst.first.index() + k] = n;
            }
        }
        let mut network = Network::default();
        let (digits, numbers) = (network.node(), network.node());
        let live = live(program, idioms, &defs);
        let mut nodes = vec![digits; program.insts.len()];
        for (n, inst) in program.insts.iter().enumerate() {
            if !live[n] || matches!(inst.op, Op::Const(_)) {
                continue;
            }
            let prices = price(program, bits, idioms, facts, &inst.op, inst.first, &written);
            nodes[n] = match prices {
                (_, NEVER) => digits,
                (NEVER, _) => numbers,
                (as_digits, as_numbers) => {
                    let node = network.node();
                    network.edge(node, numbers, as_digits);
                    network.edge(digits, node, as_numbers);
                    node
                }
            };
        }
        // By value.
        let mut readers: Vec<Vec<usize>> = vec![Vec::new(); program.value_count()];
        for (n, inst) in program.insts.iter().enumerate() {
            if !live[n] {
                continue;
            }
            if let Some(wants) = wants(program, bits, &inst.op) {
                for (operand, want) in wants {
                    let reader = match want {
                        Want::Digits => digits,
                        Want::Numbers => numbers,
                        Want::Any => continue,
                    };
                    readers[operand.index()].push(reader);
                }
                continue;
            }
            let operands = match inst.op.results() {
                0 => inst.op.operands(),
                _ => idioms.operands(&inst.op, inst.first),
            };
            for operand in operands {
                readers[operand.index()].push(nodes[n]);
            }
        }
        let node_of = |index: usize| match definition(program, Value(index as u32)) {
            // A quotient falls out as digits.
            Some((Op::DivWide(a, _), n)) if n < a.len() => digits,
            _ => nodes[defs[index]],
        };
        for (index, readers) in readers.iter().enumerate() {
            let node = node_of(index);
            let at = defs[index];
            if readers.is_empty() || matches!(program.insts[at].op, Op::Const(_)) {
                continue;
            }
            if shape.fused[index] {
                // Part of the sum that reads it.
                for reader in readers {
                    network.edge(node, *reader, NEVER);
                    network.edge(*reader, node, NEVER);
                }
                continue;
            }
            let (join, split) = convert(bits[index]);
            let (joined, parted) = (network.node(), network.node());
            network.edge(node, joined, join);
            network.edge(parted, node, split);
            for reader in readers {
                if join > 0 {
                    network.edge(joined, *reader, NEVER);
                    network.edge(*reader, parted, NEVER);
                }
            }
        }
        let sides = network.cut(digits, numbers);
        Self {
            numbers: (0..defs.len())
                .map(|index| !sides[node_of(index)])
                .collect(),
            reads: nodes.iter().map(|node| !sides[*node]).collect(),
        }
    }
}

/// A form that an operand is read in, whatever the operation is computed in.
enum Want {
    Digits,
    Numbers,
    Any,
}

/// What products and quotients read; `None` for the rest.
fn wants(program: &Program, bits: &[u8], op: &Op) -> Option<Vec<(Value, Want)>> {
    match *op {
        Op::MulLo(a, b) | Op::MulHi(a, b) => {
            let (a, b) = ([a], [b]);
            Some(of_product(program, bits, &a, &b))
        }
        Op::MulWide(ref a, ref b) => Some(of_product(program, bits, a, b)),
        Op::DivWide(ref a, ref b) => {
            let dividend = a.iter().map(|word| (*word, Want::Digits));
            let divisor = b.iter().map(|word| match b.len() {
                1 if bits[word.index()] <= 27 => (*word, Want::Numbers),
                _ => (*word, Want::Digits),
            });
            Some(dividend.chain(divisor).collect())
        }
        Op::Div(a, b) | Op::Rem(a, b) => Some(match def(program, b) {
            Some(Op::Const(k)) => match *k {
                _ if bits[a.index()] <= ONE => vec![(a, Want::Numbers)],
                1..0x8000 => vec![(a, Want::Any)],
                _ => vec![(a, Want::Digits)],
            },
            _ if bits[b.index()] <= 27 => vec![(a, Want::Digits), (b, Want::Numbers)],
            _ => vec![(a, Want::Digits), (b, Want::Digits)],
        }),
        _ => None,
    }
}

fn of_product(program: &Program, bits: &[u8], a: &[Value], b: &[Value]) -> Vec<(Value, Want)> {
    let (laid, picks) = factors(program, bits, a, b);
    let laid = laid.iter().map(|word| (*word, Want::Any));
    laid.chain(picks.iter().map(|word| (*word, Want::Digits)))
        .collect()
}

/// By instruction, whether anything needs it.
fn live(program: &Program, idioms: &Idioms, defs: &[usize]) -> Vec<bool> {
    let mut live = vec![false; program.insts.len()];
    let is_root = |n: &usize| matches!(program.insts[*n].op, Op::AbortIf(..));
    let mut todo: Vec<usize> = (0..live.len()).filter(is_root).collect();
    while let Some(n) = todo.pop() {
        if std::mem::replace(&mut live[n], true) {
            continue;
        }
        let inst = &program.insts[n];
        let operands = match inst.op.results() {
            0 => inst.op.operands(),
            _ => idioms.operands(&inst.op, inst.first),
        };
        todo.extend(operands.into_iter().map(|operand| defs[operand.index()]));
    }
    live
}

/// Bytes of joining digits to numbers, and of splitting numbers into digits.
fn convert(bits: u8) -> (u32, u32) {
    let bits = u32::from(bits);
    let digits = bits.div_ceil(4);
    match bits {
        0..=4 => (0, 0),
        5..=31 => (10 * (digits - 1), 14 * (bits - 4) + 3),
        _ => (10 * (digits - 2), 14 * 24),
    }
}

/// Bytes of an operation in digits and in numbers; [`NEVER`] where it has no such form.
fn price(
    program: &Program,
    bits: &[u8],
    idioms: &Idioms,
    facts: &Facts,
    op: &Op,
    value: Value,
    written: &impl Fn(u16) -> bool,
) -> (u32, u32) {
    let wide = |value: Value| u32::from(bits[value.index()]);
    let digits = |value: Value| wide(value).div_ceil(4);
    // Numbers that a value is.
    let count = |value: Value| if bits[value.index()] <= ONE { 1 } else { 2 };
    let constant = |value: Value| matches!(def(program, value), Some(Op::Const(_)));
    let fetch = |value: Value| if constant(value) { 1 } else { 2 };
    match *op {
        Op::Add(a, b) | Op::Sub(a, b) => {
            let as_digits = digits(value) * (7 + fetch(a) + fetch(b));
            let as_numbers = match count(value) {
                1 => 1 + fetch(a) + fetch(b),
                _ => 27 + 2 * (fetch(a) + fetch(b)),
            };
            (as_digits, as_numbers)
        }
        Op::Lt(..) | Op::Or(..) if idioms.get(value).is_some() => match idioms.get(value) {
            Some(Idiom::Less(x, y, flag)) if idioms.difference_of(x, y, flag).is_none() => {
                let each = 2 + fetch(x) + fetch(y);
                (
                    digits(x).max(digits(y)) * each,
                    count(x).max(count(y)) * each,
                )
            }
            _ => (3, 3),
        },
        Op::Eq(a, b) => {
            let each = 2 + fetch(a) + fetch(b);
            (
                digits(a).max(digits(b)) * each,
                count(a).max(count(b)) * each,
            )
        }
        Op::Select(_, t, f) => {
            let each = 5 + fetch(t) + fetch(f);
            (digits(value) * each, 2 + count(value) * (each - 2))
        }
        Op::Not(_) => (3 * 8, 14),
        Op::And(a, b) => match low_mask(program, a, b) {
            None => (0, NEVER),
            Some((_, 16)) => (0, 0),
            Some((word, keep)) if facts.at_most(word, u32::MAX >> (32 - keep)) => (0, 5),
            Some((word, keep)) => (0, 11 * wide(word).saturating_sub(u32::from(keep)) + 3),
        },
        Op::Shr(a, by) => {
            let as_digits = if by % 4 == 0 { 0 } else { 13 * digits(value) };
            let by = u32::from(by);
            let as_number = match wide(a) {
                ..=31 => 15 * wide(a).saturating_sub(by),
                _ if by >= 16 => 15 * (32 - by),
                _ => 17 * (16 - by) + 3,
            };
            (as_digits, if by == 16 { 0 } else { as_number })
        }
        Op::Shl(a, by) if by % 4 != 0 && wide(a) + u32::from(by) <= 31 => {
            (13 * digits(value), 2 + 2 * u32::from(by))
        }
        Op::MulLo(..) | Op::MulHi(..) | Op::Rem(..) => (NEVER, 0),
        Op::MulWide(..) | Op::DivWide(..) => (NEVER, 0),
        Op::Div(_, b) => match def(program, b) {
            Some(Op::Const(2..0x800_0000)) => (NEVER, 0),
            _ => (0, NEVER),
        },
        Op::Shl(_, 16) => (0, 0),
        Op::AbortIf(value, code) if written(code) => match bits[value.index()] {
            0..=4 => (5, 5),
            _ => (5 * digits(value), 10 * digits(value) - 7 * count(value)),
        },
        Op::AbortIf(value, _) => (3 * digits(value), 3 * count(value)),
        _ => (0, NEVER),
    }
}
