//! What is decided about each operation before any digit is made: where it is computed, in
//! which form its digits are wanted, and which sums become one.

use super::forms::Style;
use crate::word::{Inst, Op, Program, Value};

/// Most terms of one sum: bounds the tables that split it.
const MAX_TERMS: usize = 7;
/// How far an operation may be from its only reader and still be computed there.
const MAX_DISTANCE: usize = 24;
/// How deep operations that wait for their readers may nest.
const MAX_NESTING: u32 = 40;

/// What is decided about each operation before any digit is made.
pub(super) struct Shape {
    /// By instruction: computed where it stands, rather than where it is read.
    pub(super) anchored: Vec<bool>,
    /// By value: part of the sum, or of the exclusive or, that reads it.
    pub(super) fused: Vec<bool>,
    /// By value: only sums read it, so its digits may be above 15.
    pub(super) loose: Vec<bool>,
    /// By value: some reader wants its digits plain.
    pub(super) plain: Vec<bool>,
    /// By value: some reader wants its digits spread.
    pub(super) spread: Vec<bool>,
}

/// The operands of a fused sum and its constant.
pub(super) struct Terms {
    pub(super) terms: Vec<(Value, bool)>,
    pub(super) constant: u32,
}

/// Flattens a sum and those of its operands that are fused into it.
pub(super) fn flatten(program: &Program, fused: &[bool], value: Value) -> Terms {
    let mut flat = Terms {
        terms: Vec::new(),
        constant: 0,
    };
    let mut stack = vec![(value, true, true)];
    while let Some((value, plus, root)) = stack.pop() {
        match def(program, value) {
            Some(Op::Const(word)) => {
                let word = if plus { *word } else { word.wrapping_neg() };
                flat.constant = flat.constant.wrapping_add(word);
            }
            Some(Op::Add(a, b)) if root || fused[value.index()] => {
                stack.push((*b, plus, false));
                stack.push((*a, plus, false));
            }
            Some(Op::Sub(a, b)) if root || fused[value.index()] => {
                stack.push((*b, !plus, false));
                stack.push((*a, plus, false));
            }
            _ => flat.terms.push((value, plus)),
        }
    }
    flat
}

/// Whether a value is a constant with at most one kind of digit besides 0 and 15: worth a
/// table of its own to mask with.
pub(super) fn is_mask(program: &Program, value: Value) -> bool {
    let Some(Op::Const(word)) = def(program, value) else {
        return false;
    };
    let mut digits = (0..8)
        .map(|n| (word >> (4 * n)) & 15)
        .filter(|d| *d != 0 && *d != 15);
    match digits.next() {
        None => true,
        Some(first) => digits.all(|digit| digit == first),
    }
}

/// The operation that defines a value.
pub(super) fn def(program: &Program, value: Value) -> Option<&Op> {
    definition(program, value).map(|(op, _)| op)
}

/// The operation that defines a value, and which of its results that is.
pub(super) fn definition(program: &Program, value: Value) -> Option<(&Op, usize)> {
    let defined = |inst: &Inst| inst.first.0 + inst.op.results();
    let at = program
        .insts
        .partition_point(|inst| defined(inst) <= value.0);
    let inst = program.insts.get(at)?;
    Some((&inst.op, value.index().checked_sub(inst.first.index())?))
}

/// The factors of a product: the one whose multiples are laid out, and the one whose digits
/// pick them, or the constant.
pub(super) fn factors<'a>(
    program: &Program,
    bits: &[u8],
    a: &'a [Value],
    b: &'a [Value],
) -> (&'a [Value], &'a [Value]) {
    let rank = |value: &Value| match def(program, *value) {
        Some(Op::Const(_)) => 2,
        // These have digits anyway.
        Some(Op::Input(_) | Op::And(..) | Op::Or(..) | Op::Xor(..) | Op::Shr(..)) => 1,
        Some(Op::Div(..) | Op::Rotr(..) | Op::Bswap(..)) => 1,
        _ => 0,
    };
    let key = |words: &[Value]| {
        let width: usize = words
            .iter()
            .map(|word| usize::from(bits[word.index()]))
            .sum();
        (words.iter().map(rank).min(), width)
    };
    if key(a) > key(b) { (b, a) } else { (a, b) }
}

impl Shape {
    pub(super) fn of(program: &Program, bits: &[u8], style: Style) -> Self {
        let values = program.value_count();
        let mut uses = vec![0u32; values];
        let mut reader = vec![0usize; values];
        for (n, inst) in program.insts.iter().enumerate() {
            for operand in inst.op.operands() {
                uses[operand.index()] += 1;
                reader[operand.index()] = n;
            }
        }
        let mut shape = Self {
            anchored: vec![false; program.insts.len()],
            fused: fuse(program, &uses, &reader),
            loose: vec![false; values],
            plain: vec![false; values],
            spread: vec![false; values],
        };
        if style.turns() {
            fuse_parities(program, &uses, &reader, &mut shape.fused);
            shape.loose = loose(program, bits, &shape.fused);
        }
        let mut nesting = vec![0u32; values];
        for (n, inst) in program.insts.iter().enumerate() {
            if inst.op.results() == 0 {
                continue;
            }
            let value = inst.first.index();
            let near = uses[value] == 1 && reader[value] - n <= MAX_DISTANCE;
            let waits = match inst.op {
                Op::Const(_) | Op::Input(_) => true,
                Op::Not(_) | Op::Bswap(_) => true,
                Op::Shl(_, by) | Op::Shr(_, by) | Op::Rotr(_, by) if by % 4 == 0 => true,
                Op::Shl(..) | Op::Shr(..) | Op::Rotr(..) => near,
                Op::And(..) | Op::Or(..) | Op::Xor(..) => near,
                Op::Add(..) | Op::Sub(..) => shape.fused[value],
                _ => false,
            };
            let deep = inst.op.operands().iter().map(|v| nesting[v.index()]).max();
            let deep = deep.map_or(0, |deep| deep + 1);
            shape.anchored[n] = !waits || deep > MAX_NESTING;
            nesting[value] = if shape.anchored[n] { 0 } else { deep };
        }
        shape.wants(program, bits);
        shape
    }

    /// Digits that an exact sum reads, itself or through sums that are fused into it, are not
    /// above 15.
    pub(super) fn tighten(&mut self, program: &Program, exact: impl Fn(Value) -> bool) {
        let mut exactly = vec![false; self.fused.len()];
        for inst in program.insts.iter().rev() {
            if !matches!(inst.op, Op::Add(..) | Op::Sub(..)) {
                continue;
            }
            if !exactly[inst.first.index()] && !exact(inst.first) {
                continue;
            }
            for operand in inst.op.operands() {
                self.loose[operand.index()] = false;
                exactly[operand.index()] |= self.fused[operand.index()];
            }
        }
    }

    /// Which forms readers want, from the last reader to the first.
    fn wants(&mut self, program: &Program, bits: &[u8]) {
        for inst in program.insts.iter().rev() {
            let (plain, spread) = match inst.op.results() {
                0 => (true, false),
                _ => (
                    self.plain[inst.first.index()],
                    self.spread[inst.first.index()],
                ),
            };
            let mut want = |value: Value, plain: bool, spread: bool| {
                self.plain[value.index()] |= plain;
                self.spread[value.index()] |= spread;
            };
            match inst.op {
                Op::Not(a) | Op::Bswap(a) => want(a, plain, spread),
                Op::Shl(a, by) | Op::Shr(a, by) | Op::Rotr(a, by) if by % 4 == 0 => {
                    want(a, plain, spread);
                }
                Op::And(a, b) | Op::Or(a, b) | Op::Xor(a, b) => {
                    let flags = bits[a.index()] <= 1 && bits[b.index()] <= 1;
                    let masks = matches!(inst.op, Op::And(..))
                        && (is_mask(program, a) || is_mask(program, b));
                    want(a, flags || masks, !flags && !masks);
                    want(b, flags || masks, !flags && !masks);
                }
                _ => {
                    for operand in inst.op.operands() {
                        want(operand, true, false);
                    }
                }
            }
        }
    }
}

/// Which sums become part of the sum that reads them.
fn fuse(program: &Program, uses: &[u32], reader: &[usize]) -> Vec<bool> {
    let mut fused = vec![false; uses.len()];
    // Terms of each sum so far; a sum that waits counts at its reader.
    let mut terms: Vec<usize> = vec![1; uses.len()];
    for (n, inst) in program.insts.iter().enumerate() {
        let (Op::Add(a, b) | Op::Sub(a, b)) = inst.op else {
            continue;
        };
        let mut count = 2;
        for operand in [a, b] {
            let index = operand.index();
            let sum = matches!(def(program, operand), Some(Op::Add(..) | Op::Sub(..)));
            let alone = uses[index] == 1 && reader[index] == n;
            if sum && alone && count + terms[index] - 1 <= MAX_TERMS {
                fused[index] = true;
                count += terms[index] - 1;
            }
        }
        terms[inst.first.index()] = count;
    }
    fused
}

/// Which exclusive ors become part of the one that reads them: three terms at most, which is
/// what one look-up does.
fn fuse_parities(program: &Program, uses: &[u32], reader: &[usize], fused: &mut [bool]) {
    let mut terms: Vec<usize> = vec![1; uses.len()];
    for (n, inst) in program.insts.iter().enumerate() {
        let Op::Xor(a, b) = inst.op else {
            continue;
        };
        let mut count = 2;
        for operand in [a, b] {
            let index = operand.index();
            let xor = matches!(def(program, operand), Some(Op::Xor(..)));
            let alone = uses[index] == 1 && reader[index] == n;
            if xor && alone && count + terms[index] - 1 <= 3 {
                fused[index] = true;
                count += terms[index] - 1;
            }
        }
        terms[inst.first.index()] = count;
    }
}

/// Which words only sums read: sums that several read, and exclusive ors of rotated words.
fn loose(program: &Program, bits: &[u8], fused: &[bool]) -> Vec<bool> {
    let mut loose = vec![false; bits.len()];
    for inst in &program.insts {
        if matches!(inst.op, Op::Add(..) | Op::Xor(..)) {
            let value = inst.first.index();
            loose[value] = !fused[value] && bits[value] == 32;
        }
    }
    for inst in &program.insts {
        match inst.op {
            Op::Add(..) if bits[inst.first.index()] == 32 => {}
            _ => {
                for operand in inst.op.operands() {
                    loose[operand.index()] = false;
                }
            }
        }
    }
    loose
}
