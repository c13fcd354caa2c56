//! Which form each word's digits are stored in.
//!
//! A bitwise operation is a look-up by a sum of two digits in forms that fit: both spread, or
//! one as a row and the other plain. A table gives its result in any form, so a form is free
//! where a word is made, and costs a look-up more where a reader needs another one.

use super::shape::{Shape, def, flatten};
use super::table::Form;
use crate::word::{Op, Program, Value};

/// A program with fewer operations than that has one style, if that fits on the stack.
const FEW: usize = 500;

/// How words are stored, and with them bitwise operations computed. Each is best for some
/// programs: a body is made in all styles, and the smallest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Spread, where an operation wants them so.
    Mixed,
    /// Plain; digits are spread on the way. Rotations are done while adding.
    Turned,
    /// The same with smaller tables: sums are split earlier.
    Tight,
    /// As a row or plain.
    Rows,
}

impl Style {
    /// Those that may be best for a program, the likeliest first. Where many words are turned
    /// by odd numbers of bits, several make up one exclusive or. Of few operations there is
    /// little to be had.
    pub fn worth_trying(program: &Program) -> &'static [Self] {
        let count = |what: fn(&Op) -> bool| program.insts.iter().filter(|i| what(&i.op)).count();
        let turned = count(|op| match op {
            Op::Shl(_, by) | Op::Shr(_, by) | Op::Rotr(_, by) => by % 4 != 0,
            _ => false,
        });
        let xored = count(|op| matches!(op, Op::Xor(..)));
        match () {
            () if program.insts.len() < FEW => &[Self::Mixed, Self::Tight],
            () if xored > 0 && 2 * turned > xored => &[Self::Turned, Self::Tight, Self::Mixed],
            () => &[Self::Rows, Self::Mixed],
        }
    }

    /// The most that a digit of a sum can be before others are added.
    pub fn most(self) -> i64 {
        match self {
            Self::Turned => 110,
            Self::Tight => 80,
            _ => 140,
        }
    }

    /// Whether exclusive ors are made of turned words.
    pub fn turns(self) -> bool {
        matches!(self, Self::Turned | Self::Tight)
    }
}

/// By value, the form of its digits.
pub(super) fn forms(program: &Program, bits: &[u8], shape: &Shape, style: Style) -> Vec<Form> {
    match style {
        Style::Turned | Style::Tight => vec![Form::PLAIN; program.value_count()],
        Style::Mixed => (0..program.value_count())
            .map(|value| {
                let read = matches!(def(program, Value(value as u32)), Some(Op::Input(_)));
                match shape.spread[value] && !read {
                    true => Form::SPREAD,
                    false => Form::PLAIN,
                }
            })
            .collect(),
        Style::Rows => rows(program, bits, shape),
    }
}

/// Colours words as rows or columns: terms of a sum alike, operands of a bitwise operation
/// differently. First come, first served, once from the start and once from the end (a hash
/// function's first round is irregular); what can't be had is converted.
fn rows(program: &Program, bits: &[u8], shape: &Shape) -> Vec<Form> {
    let mut alike = Vec::new();
    let mut differ = Vec::new();
    for (n, inst) in program.insts.iter().enumerate() {
        match inst.op {
            Op::Not(a) | Op::Bswap(a) => alike.push((inst.first, a)),
            Op::Shl(a, by) | Op::Shr(a, by) | Op::Rotr(a, by) if by % 4 == 0 => {
                alike.push((inst.first, a));
            }
            Op::Add(..) | Op::Sub(..) if shape.anchored[n] => {
                let terms = flatten(program, &shape.fused, inst.first).terms;
                alike.extend(terms.windows(2).map(|pair| (pair[0].0, pair[1].0)));
            }
            Op::And(a, b) | Op::Or(a, b) | Op::Xor(a, b) => {
                // A constant has any form, flags have but one.
                let constant = |value| matches!(def(program, value), Some(Op::Const(_)));
                if ![a, b].iter().any(|v| constant(*v) || bits[v.index()] <= 1) {
                    differ.push((a, b));
                }
            }
            _ => {}
        }
    }
    let forwards = Colours::relating(program, &alike, &differ);
    differ.reverse();
    let backwards = Colours::relating(program, &alike, &differ);
    let mut colours = match backwards.missed < forwards.missed {
        true => backwards,
        false => forwards,
    };
    let mut forms: Vec<Form> = (0..program.value_count())
        .map(|value| match bits[value] > 1 && colours.is_row(value) {
            true => Form::ROW,
            false => Form::PLAIN,
        })
        .collect();
    for _ in 0..4 {
        settle_sums(program, shape, &mut forms);
    }
    forms
}

/// How many sums must change between rows and columns for tables of their own.
const RARE: usize = 10;

/// Whether a sum is added up as rows: most of its terms and the result are.
pub(super) fn adds_rows(sum: Value, terms: &[(Value, bool)], forms: &[Form]) -> bool {
    let words = terms.iter().map(|(term, _)| *term).chain([sum]);
    let rows = words.filter(|word| forms[word.index()] == Form::ROW);
    2 * rows.count() > terms.len()
}

/// Leaves results of sums as their terms are, where few differ.
fn settle_sums(program: &Program, shape: &Shape, forms: &mut [Form]) {
    let mut changing = [const { Vec::new() }; 2];
    for (n, inst) in program.insts.iter().enumerate() {
        if matches!(inst.op, Op::Add(..) | Op::Sub(..)) && shape.anchored[n] {
            let terms = flatten(program, &shape.fused, inst.first).terms;
            let rows = adds_rows(inst.first, &terms, forms);
            if rows != (forms[inst.first.index()] == Form::ROW) {
                changing[usize::from(rows)].push(inst.first);
            }
        }
    }
    for (rows, changing) in [false, true].into_iter().zip(changing) {
        if changing.len() < RARE {
            for value in changing {
                forms[value.index()] = if rows { Form::ROW } else { Form::PLAIN };
            }
        }
    }
}

/// Words that are known to have the same colour as another, or the other one.
struct Colours {
    /// Another word of the same group, and whether its colour differs; itself at the root.
    parent: Vec<(usize, bool)>,
    /// By root, how much would rather have it plain, and rather as a row.
    wishes: Vec<[u32; 2]>,
    /// Relations that can't be had.
    missed: usize,
}

impl Colours {
    fn relating(program: &Program, alike: &[(Value, Value)], differ: &[(Value, Value)]) -> Self {
        let words = program.value_count();
        let mut colours = Self {
            parent: (0..words).map(|word| (word, false)).collect(),
            wishes: vec![[0; 2]; words],
            missed: 0,
        };
        for (a, b) in alike {
            colours.relate(*a, *b, false);
        }
        for (a, b) in differ {
            colours.relate(*a, *b, true);
        }
        for inst in &program.insts {
            match inst.op {
                Op::Input(_) => colours.prefer_plain(inst.first, 4),
                Op::Eq(a, b) | Op::Lt(a, b) | Op::Select(_, a, b) => {
                    colours.prefer_plain(a, 1);
                    colours.prefer_plain(b, 1);
                }
                Op::AbortIf(a, _) => colours.prefer_plain(a, 1),
                _ => {}
            }
        }
        colours
    }

    /// The root of a word's group, and whether its colour differs.
    fn root(&mut self, word: usize) -> (usize, bool) {
        let (mut at, mut differs) = (word, false);
        while self.parent[at].0 != at {
            differs ^= self.parent[at].1;
            at = self.parent[at].0;
        }
        self.parent[word] = (at, differs);
        (at, differs)
    }

    /// Two words shall have the same colour, or different ones, unless it is known already.
    fn relate(&mut self, a: Value, b: Value, differ: bool) {
        let (root_a, of_a) = self.root(a.index());
        let (root_b, of_b) = self.root(b.index());
        if root_a != root_b {
            self.parent[root_b] = (root_a, of_a ^ of_b ^ differ);
        } else if of_a ^ of_b != differ {
            self.missed += 1;
        }
    }

    fn prefer_plain(&mut self, word: Value, weight: u32) {
        let (root, differs) = self.root(word.index());
        self.wishes[root][usize::from(differs)] += weight;
    }

    fn is_row(&mut self, word: usize) -> bool {
        let (root, differs) = self.root(word);
        let [plain, other] = self.wishes[root];
        // The root is plain unless more would have it as a row.
        (other > plain) ^ differs
    }
}
