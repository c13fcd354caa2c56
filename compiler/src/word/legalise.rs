//! Simplifies a program again, with what later passes found, and drops what Script cannot do.
//!
//! Compression functions stay operations of their own, so that the cutter of segments sees
//! them whole; [`sha256`] and [`blake3`] are the same functions as plain word programs, which
//! code generation uses and tests compare.

use super::build::Builder;
use super::interp::{BLAKE3_G, BLAKE3_PERMUTATION, IV, SHA256_K};
use super::ir::{Op, Program, Value};

/// The same program without [`Op::State`].
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
            Op::Sha256 { .. } | Op::Blake3 { .. } => {
                let words = builder.compress(op);
                self.map.extend(words);
                return;
            }
            Op::MulWide(..) | Op::DivWide(..) => {
                let words = builder.wide(op);
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
