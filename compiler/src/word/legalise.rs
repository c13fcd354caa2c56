//! Expands what Script cannot do into what it can: products, quotients and remainders into
//! sums, comparisons and selections.
//!
//! Compression functions stay operations of their own, so that the cutter of segments sees
//! them whole; [`sha256`] and [`blake3`] are the same functions as plain word programs, which
//! code generation uses and tests compare.

use super::build::Builder;
use super::interp::{BLAKE3_G, BLAKE3_PERMUTATION, IV, SHA256_K};
use super::ir::{Op, Program, Value};
use std::collections::HashMap;

/// The same program without [`Op::MulLo`], [`Op::MulHi`], [`Op::Div`] and [`Op::Rem`].
pub fn legalise(program: &Program) -> Program {
    let mut legal = Legaliser::default();
    for element in &program.inputs {
        let words = legal.builder.input(element.clone());
        legal.inputs.extend(words);
    }
    let codes: Vec<u16> = program
        .aborts
        .iter()
        .map(|abort| legal.builder.abort_code(&abort.name, abort.span))
        .collect();
    for inst in &program.insts {
        legal.builder.at(inst.span);
        match &inst.op {
            Op::AbortIf(condition, code) => {
                let condition = legal.map[condition.index()];
                let code = codes.get(usize::from(*code)).copied().unwrap_or(*code);
                legal.builder.abort_if(condition, code);
            }
            op => legal.define(op),
        }
    }
    let outcome = legal.map[program.outcome.index()];
    legal.builder.finish(outcome, program.outcomes.clone())
}

#[derive(Default)]
struct Legaliser {
    builder: Builder,
    inputs: Vec<Value>,
    /// New names of the old program's values.
    map: Vec<Value>,
    /// Quotients and remainders made so far. Only ever looked up, never iterated.
    divisions: HashMap<(Value, Value), (Value, Value)>,
}

impl Legaliser {
    fn define(&mut self, op: &Op) {
        let op = op.map(|value| self.map[value.index()]);
        let builder = &mut self.builder;
        let value = match op {
            Op::Input(n) => match self.inputs.get(usize::from(n)) {
                Some(value) => *value,
                None => builder.constant(0),
            },
            Op::MulLo(a, b) => mul_lo(builder, a, b),
            Op::MulHi(a, b) => mul_hi(builder, a, b),
            Op::Div(a, b) => self.divide(a, b).0,
            Op::Rem(a, b) => self.divide(a, b).1,
            Op::Sha256 { .. } | Op::Blake3 { .. } => {
                let words = builder.compress(op);
                self.map.extend(words);
                return;
            }
            // Programs have no state; the front end refuses it in a `settle`.
            Op::State(state) => {
                let zero = builder.constant(0);
                let results = std::iter::repeat_n(zero, state.results() as usize);
                self.map.extend(results);
                return;
            }
            op => builder.push(op),
        };
        self.map.push(value);
    }

    fn divide(&mut self, a: Value, b: Value) -> (Value, Value) {
        if let Some(known) = self.divisions.get(&(a, b)) {
            return *known;
        }
        let result = divide(&mut self.builder, a, b);
        self.divisions.insert((a, b), result);
        result
    }
}

/// Bit `n` of a word.
fn bit(builder: &mut Builder, word: Value, n: u8) -> Value {
    let down = builder.push(Op::Shr(word, n));
    let one = builder.constant(1);
    builder.push(Op::And(down, one))
}

/// Low word of a product: the sum of shifted copies of one factor.
fn mul_lo(builder: &mut Builder, a: Value, b: Value) -> Value {
    // Bits are taken from the factor with fewer, or from the constant.
    let (a, b) = match (builder.as_const(a), builder.as_const(b)) {
        (Some(_), None) => (b, a),
        (None, None) if builder.bits(a) < builder.bits(b) => (b, a),
        _ => (a, b),
    };
    let zero = builder.constant(0);
    let mut sum = zero;
    for n in 0..builder.bits(b) {
        let bit = bit(builder, b, n);
        let shifted = builder.push(Op::Shl(a, n));
        let term = builder.push(Op::Select(bit, shifted, zero));
        sum = builder.push(Op::Add(sum, term));
    }
    sum
}

/// High word of a product, from four products of halves.
fn mul_hi(builder: &mut Builder, a: Value, b: Value) -> Value {
    let low_mask = builder.constant(0xffff);
    let mut halves = |word: Value| {
        let low = builder.push(Op::And(word, low_mask));
        (low, builder.push(Op::Shr(word, 16)))
    };
    let ((a0, a1), (b0, b1)) = (halves(a), halves(b));
    let mut product = |a: Value, b: Value| mul_lo(builder, a, b);
    let (p00, p01) = (product(a0, b0), product(a0, b1));
    let (p10, p11) = (product(a1, b0), product(a1, b1));
    let mut middle = builder.push(Op::Shr(p00, 16));
    let mut high = p11;
    for cross in [p01, p10] {
        let low = builder.push(Op::And(cross, low_mask));
        middle = builder.push(Op::Add(middle, low));
        let up = builder.push(Op::Shr(cross, 16));
        high = builder.push(Op::Add(high, up));
    }
    let carry = builder.push(Op::Shr(middle, 16));
    builder.push(Op::Add(high, carry))
}

/// Quotient and remainder by restoring division. A divisor of 0 is never subtracted in vain:
/// every bit of the quotient is 1 and the remainder is the dividend, as the IR defines.
fn divide(builder: &mut Builder, a: Value, b: Value) -> (Value, Value) {
    let zero = builder.constant(0);
    let bits = builder.bits(a);
    let (mut quotient, mut rest) = (zero, zero);
    for n in (0..bits).rev() {
        // The remainder so far is at most the dividend's leading bits: no overflow.
        let next = bit(builder, a, n);
        let up = builder.push(Op::Shl(rest, 1));
        let up = builder.push(Op::Or(up, next));
        let less = builder.push(Op::Lt(up, b));
        let less_by = builder.push(Op::Sub(up, b));
        let kept = builder.push(Op::Select(less, up, less_by));
        // Tells how narrow the remainder is, in whole digits.
        let digits = (bits - n).div_ceil(4).min(8);
        let mask = builder.constant(u32::MAX >> (32 - 4 * u32::from(digits)));
        rest = builder.push(Op::And(kept, mask));
        let one = builder.not_bool(less);
        let place = builder.push(Op::Shl(one, n));
        quotient = builder.push(Op::Or(quotient, place));
    }
    if bits < 32 && builder.as_const(b).is_none_or(|b| b == 0) {
        let by_zero = builder.push(Op::Eq(b, zero));
        let ones = builder.constant(u32::MAX);
        quotient = builder.push(Op::Select(by_zero, ones, quotient));
    }
    (quotient, rest)
}

/// [`Op::Sha256`] as plain operations. The message is expanded as it is consumed, so that
/// only sixteen of its words live at once.
pub fn sha256(builder: &mut Builder, state: [Value; 8], block: [Value; 16]) -> [Value; 8] {
    let mut w = block;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    for (t, k) in SHA256_K.into_iter().enumerate() {
        if t >= 16 {
            let s0 = sigma(builder, w[(t + 1) % 16], [7, 18], Op::Shr, 3);
            let s1 = sigma(builder, w[(t + 14) % 16], [17, 19], Op::Shr, 10);
            w[t % 16] = sum(builder, &[w[t % 16], s0, w[(t + 9) % 16], s1]);
        }
        let s1 = sigma(builder, e, [6, 11], Op::Rotr, 25);
        // Choose and majority are sums, because their terms share no bit.
        let chosen = builder.push(Op::And(e, f));
        let not = builder.push(Op::Not(e));
        let others = builder.push(Op::And(not, g));
        let k = builder.constant(k);
        let t1 = sum(builder, &[h, s1, chosen, others, k, w[t % 16]]);
        let s0 = sigma(builder, a, [2, 13], Op::Rotr, 22);
        let both = builder.push(Op::And(a, b));
        let one = builder.push(Op::Xor(a, b));
        let third = builder.push(Op::And(one, c));
        (h, g, f, e) = (g, f, e, sum(builder, &[d, t1]));
        (d, c, b, a) = (c, b, a, sum(builder, &[t1, s0, both, third]));
    }
    let after = [a, b, c, d, e, f, g, h];
    std::array::from_fn(|i| builder.push(Op::Add(state[i], after[i])))
}

fn sigma(
    builder: &mut Builder,
    x: Value,
    turns: [u8; 2],
    last: fn(Value, u8) -> Op,
    by: u8,
) -> Value {
    let [one, two] = turns.map(|by| builder.push(Op::Rotr(x, by)));
    let three = builder.push(last(x, by));
    let pair = builder.push(Op::Xor(one, two));
    builder.push(Op::Xor(pair, three))
}

fn sum(builder: &mut Builder, terms: &[Value]) -> Value {
    let zero = builder.constant(0);
    terms
        .iter()
        .fold(zero, |sum, term| builder.push(Op::Add(sum, *term)))
}

/// [`Op::Blake3`] as plain operations. `tail` is the counter (low, high), the block's length
/// and the flags.
pub fn blake3(
    builder: &mut Builder,
    cv: [Value; 8],
    block: [Value; 16],
    tail: [u32; 4],
) -> [Value; 8] {
    let constants: Vec<Value> = IV[..4]
        .iter()
        .chain(&tail)
        .map(|word| builder.constant(*word))
        .collect();
    let mut v: Vec<Value> = cv.into_iter().chain(constants).collect();
    let mut m = block;
    for _ in 0..7 {
        for (i, [a, b, c, d]) in BLAKE3_G.into_iter().enumerate() {
            for (x, r0, r1) in [(m[2 * i], 16, 12), (m[2 * i + 1], 8, 7)] {
                v[a] = sum(builder, &[v[a], v[b], x]);
                let mixed = builder.push(Op::Xor(v[d], v[a]));
                v[d] = builder.push(Op::Rotr(mixed, r0));
                v[c] = sum(builder, &[v[c], v[d]]);
                let mixed = builder.push(Op::Xor(v[b], v[c]));
                v[b] = builder.push(Op::Rotr(mixed, r1));
            }
        }
        m = BLAKE3_PERMUTATION.map(|from| m[from]);
    }
    std::array::from_fn(|i| builder.push(Op::Xor(v[i], v[i + 8])))
}
