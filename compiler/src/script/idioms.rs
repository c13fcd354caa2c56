//! Carries and borrows of wide arithmetic: comparisons that are by-products of a sum, so that
//! nothing is computed twice.

use super::shape::{Shape, def, flatten};
use crate::word::{Op, Program, Value};
use std::collections::{BTreeMap, HashMap};

/// What a flag is besides what its operation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idiom {
    /// Whether this sum, all of whose terms are added, left the word.
    Carry(Value),
    /// Whether the first is less than the second and perhaps a flag together.
    Less(Value, Value, Option<Value>),
}

/// The idioms of a program.
#[derive(Debug, Default)]
pub(super) struct Idioms {
    of: BTreeMap<Value, Idiom>,
    /// `x - y`, or `x - y - flag`. Only ever looked up, never iterated.
    differences: HashMap<(Value, Value, Option<Value>), Value>,
}

impl Idioms {
    /// Finds them. Sums of three that are seen through are fused in the shape.
    pub(super) fn of(program: &Program, bits: &[u8], shape: &mut Shape) -> Self {
        let mut idioms = Self::default();
        let uses = readers(program);
        for (n, inst) in program.insts.iter().enumerate() {
            let value = inst.first;
            match inst.op {
                Op::Sub(x, y) => idioms.difference(program, bits, shape, value, (x, y)),
                Op::Lt(x, y) => {
                    let idiom = match plain_sum(program, shape, x) {
                        Some([a, b]) if y == a || y == b => Idiom::Carry(x),
                        _ => Idiom::Less(x, y, None),
                    };
                    idioms.of.insert(value, idiom);
                }
                Op::Or(a, b) => {
                    let found = [(a, b), (b, a)].into_iter().find_map(|(one, two)| {
                        borrow_of_three(program, bits, one, two)
                            .or_else(|| carry_of_three(program, bits, shape, &uses, n, one, two))
                    });
                    if let Some(idiom) = found {
                        idioms.of.insert(value, idiom);
                    }
                }
                _ => {}
            }
        }
        idioms
    }

    fn difference(
        &mut self,
        program: &Program,
        bits: &[u8],
        shape: &Shape,
        value: Value,
        (x, y): (Value, Value),
    ) {
        if shape.fused[value.index()] {
            return;
        }
        let plain = |v: Value| !shape.fused[v.index()];
        if plain(x) && plain(y) {
            self.differences.insert((x, y, None), value);
        }
        if let (false, Some(Op::Sub(a, b)), true) =
            (plain(x), def(program, x), bits[y.index()] <= 1)
            && plain(*a)
            && plain(*b)
            && plain(y)
        {
            self.differences.insert((*a, *b, Some(y)), value);
        }
    }

    /// What a value is besides what its operation says.
    pub(super) fn get(&self, value: Value) -> Option<Idiom> {
        self.of.get(&value).copied()
    }

    /// The difference whose borrow an idiom is.
    pub(super) fn difference_of(&self, x: Value, y: Value, flag: Option<Value>) -> Option<Value> {
        self.differences.get(&(x, y, flag)).copied()
    }

    /// The sums and differences whose carries and borrows are wanted.
    pub(super) fn sums(&self) -> impl Iterator<Item = Value> {
        self.of.values().filter_map(|idiom| match *idiom {
            Idiom::Carry(sum) => Some(sum),
            Idiom::Less(x, y, flag) => self.difference_of(x, y, flag),
        })
    }

    /// What a value is really computed from.
    pub(super) fn operands(&self, op: &Op, value: Value) -> Vec<Value> {
        match self.get(value) {
            Some(Idiom::Carry(sum)) => vec![sum],
            Some(Idiom::Less(x, y, flag)) => match self.difference_of(x, y, flag) {
                Some(difference) => vec![difference],
                None => [Some(x), Some(y), flag].into_iter().flatten().collect(),
            },
            None => op.operands(),
        }
    }
}

/// By value, the instructions that read it.
fn readers(program: &Program) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); program.value_count()];
    for (n, inst) in program.insts.iter().enumerate() {
        for operand in inst.op.operands() {
            readers[operand.index()].push(n);
        }
    }
    readers
}

/// The terms of a sum of two, neither of them negative nor a sum seen through.
fn plain_sum(program: &Program, shape: &Shape, value: Value) -> Option<[Value; 2]> {
    let Some(Op::Add(a, b)) = def(program, value) else {
        return None;
    };
    let flat = flatten(program, &shape.fused, value);
    let whole = !shape.fused[a.index()] && !shape.fused[b.index()];
    (whole && flat.terms.iter().all(|(_, plus)| *plus)).then_some([*a, *b])
}

/// `x < y || (x == y && flag)` is `x < y + flag`.
fn borrow_of_three(program: &Program, bits: &[u8], less: Value, still: Value) -> Option<Idiom> {
    let (Some(Op::Lt(x, y)), Some(Op::And(a, b))) = (def(program, less), def(program, still))
    else {
        return None;
    };
    [(*a, *b), (*b, *a)].into_iter().find_map(|(same, flag)| {
        let Some(Op::Eq(p, q)) = def(program, same) else {
            return None;
        };
        let equal = (p, q) == (x, y) || (p, q) == (y, x);
        (equal && bits[flag.index()] <= 1).then_some(Idiom::Less(*x, *y, Some(flag)))
    })
}

/// `s1 < a || s2 < s1` with `s1 = a + b` and `s2 = s1 + flag` is the carry of `a + b + flag`.
fn carry_of_three(
    program: &Program,
    bits: &[u8],
    shape: &mut Shape,
    readers: &[Vec<usize>],
    at: usize,
    one: Value,
    two: Value,
) -> Option<Idiom> {
    let (Some(Op::Lt(s1, a)), Some(Op::Lt(s2, above))) = (def(program, one), def(program, two))
    else {
        return None;
    };
    let [p, q] = plain_sum(program, shape, *s1)?;
    let [r, t] = plain_sum(program, shape, *s2)?;
    let flag = if r == *s1 { t } else { r };
    let matches = above == s1
        && (p == *a || q == *a)
        && (r == *s1 || t == *s1)
        && bits[flag.index()] <= 1
        && !shape.fused[s1.index()]
        && !shape.fused[s2.index()];
    // Nothing else may want the sum of two.
    let define = |value: Value| {
        let reads = &readers[value.index()];
        reads.len() == 1 && reads[0] == at
    };
    let alone = readers[s1.index()].len() == 3 && define(one) && define(two);
    if !matches || !alone {
        return None;
    }
    shape.fused[s1.index()] = true;
    Some(Idiom::Carry(*s2))
}
