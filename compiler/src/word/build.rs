//! Builds programs: folds constants, shares common subexpressions and tracks how many bits a
//! value can have, so that what reaches the back end is already small.

use super::cells::Cells;
use super::interp::eval;
use super::ir::{Abort, InputElement, Inst, Op, Program, Routine, Span, Value, value_count};
use super::state::StateOp;
use std::collections::HashMap;

/// Builds a [`Program`] operation by operation.
///
/// The same operation on the same values is emitted once. The map is only ever looked up,
/// never iterated, so the output does not depend on its order.
#[derive(Debug, Default)]
pub struct Builder {
    pub(super) cells: Cells,
    inputs: Vec<InputElement>,
    insts: Vec<Inst>,
    aborts: Vec<Abort>,
    known: HashMap<Op, Value>,
    ops: Vec<Option<Op>>,
    bits: Vec<u8>,
    span: Span,
    pub(super) plain: bool,
}

impl Builder {
    /// An empty program.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder that folds constants, which lowering must know, and simplifies nothing else:
    /// the reference that simplified programs are compared with.
    pub fn plain() -> Self {
        Self {
            plain: true,
            ..Self::default()
        }
    }

    /// The source span given to the operations that follow.
    pub fn at(&mut self, span: Span) {
        self.span = span;
    }

    /// How many instructions there are so far.
    pub fn len(&self) -> usize {
        self.insts.len()
    }

    /// Whether there is no instruction yet.
    pub fn is_empty(&self) -> bool {
        self.insts.is_empty()
    }

    /// Adds an input element and gives its words.
    pub fn input(&mut self, element: InputElement) -> Vec<Value> {
        let start = self.input_words();
        let words = (start..start + element.words.len())
            .map(|n| n as u16)
            .collect::<Vec<_>>();
        self.inputs.push(element);
        words.into_iter().map(|n| self.push(Op::Input(n))).collect()
    }

    /// A constant.
    pub fn constant(&mut self, word: u32) -> Value {
        self.push(Op::Const(word))
    }

    /// The constant that a value is known to be.
    pub fn as_const(&self, value: Value) -> Option<u32> {
        match self.ops.get(value.index())? {
            Some(Op::Const(word)) => Some(*word),
            _ => None,
        }
    }

    /// Upper bound on the bits of a value.
    pub fn bits(&self, value: Value) -> u8 {
        self.bits.get(value.index()).copied().unwrap_or(32)
    }

    /// Adds an operation that defines one value, or finds an equal one. Folds constants and
    /// trivial identities.
    pub fn push(&mut self, op: Op) -> Value {
        let simpler = self.fold(&op).or_else(|| self.simplify(&op));
        simpler.unwrap_or_else(|| self.define(op))
    }

    /// Adds a compression function; gives its eight words.
    pub fn compress(&mut self, op: Op) -> [Value; 8] {
        let operands: Option<Vec<u32>> = op.operands().iter().map(|v| self.as_const(*v)).collect();
        if operands.is_some() {
            let words = eval(&op, |value| self.as_const(value).unwrap_or(0), &[]);
            let consts: Vec<Value> = words.into_iter().map(|word| self.constant(word)).collect();
            return std::array::from_fn(|i| consts.get(i).copied().unwrap_or(Value(0)));
        }
        let first = self.define(op).0;
        std::array::from_fn(|i| Value(first + i as u32))
    }

    /// Adds an operation on numbers of several words; gives all words that it defines.
    pub fn wide(&mut self, op: Op) -> Vec<Value> {
        let results = op.results();
        let operands: Option<Vec<u32>> = op.operands().iter().map(|v| self.as_const(*v)).collect();
        if operands.is_some() {
            let words = eval(&op, |value| self.as_const(value).unwrap_or(0), &[]);
            return words.into_iter().map(|word| self.constant(word)).collect();
        }
        let first = self.define(op).0;
        (first..first + results).map(Value).collect()
    }

    /// `a` and `b` as conditions: both are not 0. Operands must be 0 or 1.
    pub fn and_bool(&mut self, a: Value, b: Value) -> Value {
        self.push(Op::And(a, b))
    }

    /// `1 - a` for a word that is 0 or 1.
    pub fn not_bool(&mut self, a: Value) -> Value {
        let zero = self.constant(0);
        self.push(Op::Eq(a, zero))
    }

    /// Registers an abort code.
    pub fn abort_code(&mut self, name: &str, span: Span) -> u16 {
        let abort = Abort {
            name: name.to_owned(),
            span,
        };
        let known = self.aborts.iter().position(|a| *a == abort);
        known.unwrap_or_else(|| {
            self.aborts.push(abort);
            self.aborts.len() - 1
        }) as u16
    }

    /// Aborts with `code` if the condition is not 0.
    pub fn abort_if(&mut self, condition: Value, code: u16) {
        if self.as_const(condition) == Some(0) {
            return;
        }
        self.append(Op::AbortIf(condition, code));
    }

    /// The finished program, without the operations that nothing needs.
    pub fn finish(self, outcome: Value, outcomes: Vec<String>) -> Program {
        self.finish_keeping(outcome, outcomes, &mut [])
    }

    /// The same, with other values that are wanted; gives them their new numbers.
    pub fn finish_keeping(
        self,
        outcome: Value,
        outcomes: Vec<String>,
        wanted: &mut [Value],
    ) -> Program {
        let mut wanted_too = [&[outcome], &*wanted].concat();
        let insts = match self.plain {
            true => self.insts,
            false => drop_dead(self.insts, &mut wanted_too),
        };
        let mut renamed = wanted_too.into_iter();
        let outcome = renamed.next().unwrap_or(outcome);
        for (old, new) in wanted.iter_mut().zip(renamed) {
            *old = new;
        }
        Program {
            inputs: self.inputs,
            insts,
            aborts: self.aborts,
            outcome,
            outcomes,
        }
    }

    /// The finished entry of a ledger, without the operations that nothing needs.
    pub fn finish_routine(self) -> Routine {
        let arguments = self.input_words();
        let insts = match self.plain {
            true => self.insts,
            false => drop_dead(self.insts, &mut []),
        };
        let height = |inst: &Inst| matches!(inst.op, Op::Input(n) if usize::from(n) == arguments);
        Routine {
            arguments,
            reads_height: insts.iter().any(height),
            insts,
            aborts: self.aborts,
        }
    }

    /// The height of the block: in a [`Routine`], the word after the arguments. Ask for it
    /// after the last [`input`](Self::input).
    pub fn height(&mut self) -> Value {
        let arguments = self.input_words();
        self.push(Op::Input(arguments as u16))
    }

    fn input_words(&self) -> usize {
        self.inputs.iter().map(|element| element.words.len()).sum()
    }

    fn define(&mut self, op: Op) -> Value {
        if let Some(value) = self.known.get(&op) {
            return *value;
        }
        let first = self.append(op.clone());
        if !self.plain {
            self.known.insert(op, first);
        }
        first
    }

    /// Adds an operation as it is.
    pub(super) fn append(&mut self, op: Op) -> Value {
        let first = Value(self.ops.len() as u32);
        let bits = match self.plain {
            true => 32,
            false => op_bits(
                &op,
                |value| self.bits(value),
                &self.inputs,
                |value| self.as_const(value),
            ),
        };
        for n in 0..op.results() {
            self.ops.push((n == 0).then(|| op.clone()));
            self.bits.push(if n == 0 { bits } else { 32 });
        }
        self.insts.push(Inst {
            op,
            first,
            span: self.span,
        });
        first
    }

    /// The word that a value is the negation of: `Eq(word, 0)`.
    fn negated(&self, value: Value) -> Option<Value> {
        match *self.ops.get(value.index())?.as_ref()? {
            Op::Eq(a, b) if self.as_const(b) == Some(0) => Some(a),
            Op::Eq(a, b) if self.as_const(a) == Some(0) => Some(b),
            _ => None,
        }
    }

    /// The condition that a value is the negation of the negation of.
    fn not_not(&self, value: Value) -> Option<Value> {
        self.negated(value).filter(|inner| self.bits(*inner) <= 1)
    }

    /// A condition in one form: the value it tests, or `(word, bound)` for `word < bound`; and
    /// whether it is negated.
    fn literal(&self, value: Value) -> (Value, Option<u32>, bool) {
        let (inner, negated) = match self.not_not(value) {
            Some(inner) => (inner, true),
            None => (value, false),
        };
        match self.ops.get(inner.index()).and_then(Option::as_ref) {
            Some(Op::Lt(a, b)) => match (self.as_const(*a), self.as_const(*b)) {
                (_, Some(bound)) => (*a, Some(bound), negated),
                // `k < word` is not `word < k + 1`.
                (Some(k), _) if k < u32::MAX => (*b, Some(k + 1), !negated),
                _ => (inner, None, negated),
            },
            _ => (inner, None, negated),
        }
    }

    /// Whether the condition `a`, perhaps a conjunction, visibly implies `b` (or its negation).
    fn implies(&self, a: Value, b: Value, negated: bool) -> bool {
        let (word, bound, is_negated) = self.literal(b);
        let wanted = (word, bound, is_negated ^ negated);
        let mut todo = vec![a];
        for _ in 0..16 {
            let Some(next) = todo.pop() else { return false };
            if self.literal(next) == wanted {
                return true;
            }
            if let Some(Some(Op::And(x, y))) = self.ops.get(next.index()) {
                todo.extend([*x, *y]);
            }
        }
        false
    }

    /// An operation on constants as a constant.
    fn fold(&mut self, op: &Op) -> Option<Value> {
        let operands = op.operands();
        if operands.is_empty() || operands.iter().any(|v| self.as_const(*v).is_none()) {
            return None;
        }
        let word = *eval(op, |value| self.as_const(value).unwrap_or(0), &[]).first()?;
        Some(self.constant(word))
    }

    /// A simpler way to the value of an operation that isn't on constants only.
    fn simplify(&mut self, op: &Op) -> Option<Value> {
        if self.plain {
            return None;
        }
        let operands = op.operands();
        let consts: Vec<Option<u32>> = operands.iter().map(|v| self.as_const(*v)).collect();
        let c = |n: usize| consts.get(n).copied().flatten();
        match *op {
            Op::Add(a, b) => match (c(0), c(1)) {
                (Some(0), _) => Some(b),
                (_, Some(0)) => Some(a),
                // One order of operands, so that equal sums are shared.
                _ if a > b => Some(self.push(Op::Add(b, a))),
                _ => None,
            },
            Op::Sub(a, b) if a == b => Some(self.constant(0)),
            Op::Sub(a, _) if c(1) == Some(0) => Some(a),
            Op::MulLo(a, b) => match (c(0), c(1)) {
                (Some(0), _) | (_, Some(0)) => Some(self.constant(0)),
                (Some(1), _) => Some(b),
                (_, Some(1)) => Some(a),
                (Some(k), _) if k.is_power_of_two() => {
                    Some(self.push(Op::Shl(b, k.trailing_zeros() as u8)))
                }
                (_, Some(k)) if k.is_power_of_two() => {
                    Some(self.push(Op::Shl(a, k.trailing_zeros() as u8)))
                }
                _ if a > b => Some(self.push(Op::MulLo(b, a))),
                _ => None,
            },
            Op::MulHi(a, b) => {
                let narrow = u32::from(self.bits(a)) + u32::from(self.bits(b)) <= 32;
                match (c(0), c(1)) {
                    _ if narrow => Some(self.constant(0)),
                    (_, Some(k)) if k.is_power_of_two() => {
                        // k = 1 is narrow.
                        Some(self.push(Op::Shr(a, 32 - k.trailing_zeros() as u8)))
                    }
                    (Some(k), _) if k.is_power_of_two() => {
                        Some(self.push(Op::Shr(b, 32 - k.trailing_zeros() as u8)))
                    }
                    _ if a > b => Some(self.push(Op::MulHi(b, a))),
                    _ => None,
                }
            }
            Op::Div(a, _) => match c(1) {
                Some(k) if k.is_power_of_two() => {
                    Some(self.push(Op::Shr(a, k.trailing_zeros() as u8)))
                }
                _ => None,
            },
            Op::Rem(a, _) => match c(1) {
                Some(k) if k.is_power_of_two() => {
                    let mask = self.constant(k - 1);
                    Some(self.push(Op::And(a, mask)))
                }
                _ => None,
            },
            Op::And(a, b) => match (c(0), c(1)) {
                _ if a == b => Some(a),
                (Some(0), _) | (_, Some(0)) => Some(self.constant(0)),
                (Some(m), _) if covers(m, self.bits(b)) => Some(b),
                (_, Some(m)) if covers(m, self.bits(a)) => Some(a),
                _ if self.bits(a).max(self.bits(b)) <= 1 && self.implies(a, b, false) => Some(a),
                _ if self.bits(a).max(self.bits(b)) <= 1 && self.implies(b, a, false) => Some(b),
                _ if self.bits(a).max(self.bits(b)) <= 1 && self.implies(a, b, true) => {
                    Some(self.constant(0))
                }
                _ if a > b => Some(self.push(Op::And(b, a))),
                _ => None,
            },
            Op::Or(a, b) => match (c(0), c(1)) {
                _ if a == b => Some(a),
                (Some(0), _) => Some(b),
                (_, Some(0)) => Some(a),
                _ if a > b => Some(self.push(Op::Or(b, a))),
                _ => None,
            },
            Op::Xor(a, b) => match (c(0), c(1)) {
                _ if a == b => Some(self.constant(0)),
                (Some(0), _) => Some(b),
                (_, Some(0)) => Some(a),
                _ if a > b => Some(self.push(Op::Xor(b, a))),
                _ => None,
            },
            Op::Shl(a, 0) | Op::Shr(a, 0) | Op::Rotr(a, 0) => Some(a),
            Op::Shr(a, by) if by >= self.bits(a) => Some(self.constant(0)),
            Op::Eq(a, b) => match (c(0), c(1)) {
                _ if a == b => Some(self.constant(1)),
                (Some(k), _) if bits_of(k) > self.bits(b) => Some(self.constant(0)),
                (_, Some(k)) if bits_of(k) > self.bits(a) => Some(self.constant(0)),
                (Some(0), _) if self.not_not(b).is_some() => self.not_not(b),
                (_, Some(0)) if self.not_not(a).is_some() => self.not_not(a),
                (Some(1), _) if self.bits(b) <= 1 => Some(b),
                (_, Some(1)) if self.bits(a) <= 1 => Some(a),
                _ if a > b => Some(self.push(Op::Eq(b, a))),
                _ => None,
            },
            Op::Lt(a, b) => match (c(0), c(1)) {
                _ if a == b => Some(self.constant(0)),
                (_, Some(0)) => Some(self.constant(0)),
                (Some(k), _) if u64::from(k) + 1 >= 1u64 << self.bits(b) => Some(self.constant(0)),
                (_, Some(k)) if u64::from(k) >= 1u64 << self.bits(a) => Some(self.constant(1)),
                _ => None,
            },
            Op::Select(condition, t, f) => match c(0) {
                Some(0) => Some(f),
                Some(_) => Some(t),
                None if t == f => Some(t),
                // `not c ? t : f` is `c ? f : t`.
                None if self.negated(condition).is_some() => {
                    let inner = self.negated(condition)?;
                    Some(self.push(Op::Select(inner, f, t)))
                }
                // Conditions: `c ? t : 0` is `c and t`, `c ? 1 : f` is `c or f`.
                None if c(2) == Some(0) && self.bits(condition).max(self.bits(t)) <= 1 => {
                    Some(self.push(Op::And(condition, t)))
                }
                None if c(1) == Some(1) && self.bits(condition).max(self.bits(f)) <= 1 => {
                    Some(self.push(Op::Or(condition, f)))
                }
                None if c(1) == Some(1) && c(2) == Some(0) && self.bits(condition) <= 1 => {
                    Some(condition)
                }
                None => None,
            },
            _ => None,
        }
    }
}

/// Whether `mask` keeps every bit of a value of `bits` bits.
fn covers(mask: u32, bits: u8) -> bool {
    let all = if bits >= 32 {
        u32::MAX
    } else {
        (1u32 << bits) - 1
    };
    mask & all == all
}

fn bits_of(word: u32) -> u8 {
    (32 - word.leading_zeros()) as u8
}

/// Bits that the (first) result of an operation can have.
fn op_bits(
    op: &Op,
    bits: impl Fn(Value) -> u8,
    inputs: &[InputElement],
    constant: impl Fn(Value) -> Option<u32>,
) -> u8 {
    let bound = |word: u32| 32.min(word);
    let wide = match *op {
        Op::Const(word) => u32::from(bits_of(word)),
        Op::Input(n) => inputs
            .iter()
            .flat_map(|element| &element.words)
            .nth(usize::from(n))
            .map_or(32, |digits| 4 * u32::from(*digits)),
        Op::Add(a, b) => u32::from(bits(a).max(bits(b))) + 1,
        Op::MulLo(a, b) => u32::from(bits(a)) + u32::from(bits(b)),
        Op::Div(a, b) => match constant(b) {
            Some(0) | None => 32,
            Some(k) => u32::from((bits(a) + 1).saturating_sub(bits_of(k))),
        },
        Op::Rem(a, b) => match constant(b) {
            Some(0) | None => u32::from(bits(a)),
            Some(k) => u32::from(bits_of(k - 1).min(bits(a))),
        },
        Op::And(a, b) => u32::from(bits(a).min(bits(b))),
        Op::Or(a, b) | Op::Xor(a, b) => u32::from(bits(a).max(bits(b))),
        Op::Shl(a, by) => u32::from(bits(a)) + u32::from(by),
        Op::Shr(a, by) => u32::from(bits(a).saturating_sub(by)),
        Op::Eq(..) | Op::Lt(..) => 1,
        Op::State(ref state) if matches!(**state, StateOp::Verify { .. }) => 1,
        Op::Select(_, t, f) => u32::from(bits(t).max(bits(f))),
        Op::Sub(..)
        | Op::MulHi(..)
        | Op::Not(_)
        | Op::Rotr(..)
        | Op::Bswap(_)
        | Op::MulWide(..)
        | Op::DivWide(..)
        | Op::Sha256 { .. }
        | Op::Blake3 { .. }
        | Op::State(_)
        | Op::AbortIf(..) => 32,
    };
    bound(wide) as u8
}

/// See [`Program::bits_given`].
pub(super) fn bits(
    program: &Program,
    known: impl Fn(&Op, &dyn Fn(Value) -> u8) -> Option<u8>,
) -> Vec<u8> {
    let mut all: Vec<u8> = Vec::with_capacity(program.value_count());
    let mut consts: Vec<Option<u32>> = Vec::with_capacity(program.value_count());
    for inst in &program.insts {
        let get = |value: Value| all.get(value.index()).copied().unwrap_or(32);
        let constant = |value: Value| consts.get(value.index()).copied().flatten();
        let first = op_bits(&inst.op, get, &program.inputs, constant);
        let first = known(&inst.op, &get).map_or(first, |known| known.min(first));
        for n in 0..inst.op.results() {
            all.push(if n == 0 { first } else { 32 });
            consts.push(match inst.op {
                Op::Const(word) => Some(word),
                _ => None,
            });
        }
    }
    all
}

/// Removes operations whose results nothing reads, and renumbers.
fn drop_dead(all: Vec<Inst>, wanted: &mut [Value]) -> Vec<Inst> {
    let mut live = vec![false; value_count(&all)];
    for value in &*wanted {
        live[value.index()] = true;
    }
    let mut keep = vec![false; all.len()];
    for (n, inst) in all.iter().enumerate().rev() {
        let results = inst.first.index()..(inst.first.0 + inst.op.results()) as usize;
        keep[n] = inst.op.has_effect() || live[results].iter().any(|live| *live);
        if keep[n] {
            for operand in inst.op.operands() {
                live[operand.index()] = true;
            }
        }
    }
    let mut renamed = vec![Value(0); live.len()];
    let mut next = 0;
    let mut insts = Vec::new();
    for (inst, keep) in all.into_iter().zip(keep) {
        if !keep {
            continue;
        }
        let first = Value(next);
        for n in 0..inst.op.results() {
            renamed[inst.first.index() + n as usize] = Value(next + n);
        }
        next += inst.op.results();
        let op = inst.op.map(|value| renamed[value.index()]);
        insts.push(Inst {
            op,
            first,
            span: inst.span,
        });
    }
    for value in wanted {
        *value = renamed[value.index()];
    }
    insts
}
