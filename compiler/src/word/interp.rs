//! The reference interpreter: small, slow, obvious.

use super::ir::{Op, Program, Value};
use super::state::{StateOp, verify};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this outcome's index.
    Outcome(u32),
    /// With this abort code: the first that fired.
    Abort(u16),
}

/// A run: every value, and how it ended. Values after a fired abort are computed all the
/// same, because a dispute compares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// All values, indexed by [`Value`].
    pub values: Vec<u32>,
    /// The end.
    pub end: End,
}

/// Runs a program on its input words (all elements flattened in order). Missing words count
/// as 0.
pub fn run(program: &Program, inputs: &[u32]) -> Execution {
    let mut values = Vec::with_capacity(program.value_count());
    let mut abort = None;
    for inst in &program.insts {
        if let Op::AbortIf(condition, code) = inst.op {
            if abort.is_none() && values[condition.index()] != 0 {
                abort = Some(code);
            }
        } else {
            let results = eval(&inst.op, |value| values[value.index()], inputs);
            values.extend(results);
        }
    }
    let end = abort.map_or_else(|| End::Outcome(values[program.outcome.index()]), End::Abort);
    Execution { values, end }
}

/// The words that one operation defines, given a way to look up its operands.
pub fn eval(op: &Op, get: impl Fn(Value) -> u32, inputs: &[u32]) -> Vec<u32> {
    let word = match *op {
        Op::Const(word) => word,
        Op::Input(n) => inputs.get(usize::from(n)).copied().unwrap_or(0),
        Op::Add(a, b) => get(a).wrapping_add(get(b)),
        Op::Sub(a, b) => get(a).wrapping_sub(get(b)),
        Op::MulLo(a, b) => get(a).wrapping_mul(get(b)),
        Op::MulHi(a, b) => ((u64::from(get(a)) * u64::from(get(b))) >> 32) as u32,
        Op::Div(a, b) => get(a).checked_div(get(b)).unwrap_or(u32::MAX),
        Op::Rem(a, b) => get(a).checked_rem(get(b)).unwrap_or(get(a)),
        Op::And(a, b) => get(a) & get(b),
        Op::Or(a, b) => get(a) | get(b),
        Op::Xor(a, b) => get(a) ^ get(b),
        Op::Not(a) => !get(a),
        Op::Shl(a, by) => get(a) << by,
        Op::Shr(a, by) => get(a) >> by,
        Op::Rotr(a, by) => get(a).rotate_right(u32::from(by)),
        Op::Bswap(a) => get(a).swap_bytes(),
        Op::Eq(a, b) => u32::from(get(a) == get(b)),
        Op::Lt(a, b) => u32::from(get(a) < get(b)),
        Op::Select(c, t, f) => get(if get(c) != 0 { t } else { f }),
        Op::MulWide(ref a, ref b) => return multiply(&words(a, &get), &words(b, &get)),
        Op::DivWide(ref a, ref b) => return divide(&words(a, &get), &words(b, &get)),
        Op::Sha256 { state, block } => {
            return sha256_compress(state.map(&get), block.map(&get)).to_vec();
        }
        Op::Blake3 {
            cv,
            block,
            counter,
            block_len,
            flags,
        } => {
            let tail = [counter[0], counter[1], block_len, flags];
            return blake3_compress(cv.map(&get), block.map(&get), tail).to_vec();
        }
        Op::AbortIf(..) => return vec![],
        Op::State(ref state) => return eval_state(state, get),
    };
    vec![word]
}

fn words(values: &[Value], get: impl Fn(Value) -> u32) -> Vec<u32> {
    values.iter().map(|value| get(*value)).collect()
}

/// See [`Op::MulWide`].
fn multiply(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut product = vec![0u32; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0u64;
        for (j, y) in b.iter().chain(&[0]).enumerate() {
            if let Some(word) = product.get_mut(i + j) {
                let sum = u64::from(*x) * u64::from(*y) + u64::from(*word) + carry;
                *word = sum as u32;
                carry = sum >> 32;
            }
        }
    }
    product
}

/// See [`Op::DivWide`]: bit by bit, the highest first.
fn divide(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut quotient = vec![0u32; a.len()];
    let mut rest = vec![0u32; b.len()];
    for (slot, word) in quotient.iter_mut().zip(a).rev() {
        for n in (0..32).rev() {
            let mut bit = (word >> n) & 1;
            for part in &mut rest {
                (*part, bit) = ((*part << 1) | bit, *part >> 31);
            }
            // What left at the top makes it larger than any divisor.
            if bit == 1 || rest.iter().rev().ge(b.iter().rev()) {
                *slot |= 1 << n;
                let mut borrow = 0;
                for (part, by) in rest.iter_mut().zip(b) {
                    let less = i64::from(*part) - i64::from(*by) - borrow;
                    *part = less as u32;
                    borrow = i64::from(less < 0);
                }
            }
        }
    }
    quotient.extend(rest);
    quotient
}

/// Without a ledger there are no cells: they read as zeros, and effects do nothing.
fn eval_state(op: &StateOp, get: impl Fn(Value) -> u32) -> Vec<u32> {
    match op {
        StateOp::Verify {
            key,
            message,
            signature,
        } => {
            let valid = verify(key.map(&get), message.map(&get), signature.map(&get));
            vec![u32::from(valid)]
        }
        op => vec![0; op.results() as usize],
    }
}

/// Round constants of SHA-256 (FIPS 180-4, 4.2.2).
pub const SHA256_K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// Initial state of SHA-256 and of BLAKE3 (FIPS 180-4, 5.3.3).
pub const IV: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// SHA-256's compression function.
pub fn sha256_compress(state: [u32; 8], block: [u32; 16]) -> [u32; 8] {
    let mut w = block.to_vec();
    for t in 16..64 {
        let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
        let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
        w.push(
            w[t - 16]
                .wrapping_add(s0)
                .wrapping_add(w[t - 7])
                .wrapping_add(s1),
        );
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    for (k, w) in SHA256_K.iter().zip(w) {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let ch = (e & f) ^ (!e & g);
        let t1 = h
            .wrapping_add(s1)
            .wrapping_add(ch)
            .wrapping_add(*k)
            .wrapping_add(w);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let maj = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
        (d, c, b, a) = (c, b, a, t1.wrapping_add(s0).wrapping_add(maj));
    }
    let after = [a, b, c, d, e, f, g, h];
    std::array::from_fn(|i| state[i].wrapping_add(after[i]))
}

/// Where each round of BLAKE3 takes its message words from, relative to the round before.
pub const BLAKE3_PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/// The state words that the eight G functions of a BLAKE3 round mix, columns then diagonals.
pub const BLAKE3_G: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// BLAKE3's compression function, truncated to 8 words. `tail` is the counter (low, high),
/// the block's length and the flags.
pub fn blake3_compress(cv: [u32; 8], block: [u32; 16], tail: [u32; 4]) -> [u32; 8] {
    let mut v = [0u32; 16];
    v[..8].copy_from_slice(&cv);
    v[8..12].copy_from_slice(&IV[..4]);
    v[12..].copy_from_slice(&tail);
    let mut m = block;
    for _ in 0..7 {
        for (i, [a, b, c, d]) in BLAKE3_G.into_iter().enumerate() {
            for (x, r0, r1) in [(m[2 * i], 16, 12), (m[2 * i + 1], 8, 7)] {
                v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                v[d] = (v[d] ^ v[a]).rotate_right(r0);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(r1);
            }
        }
        m = BLAKE3_PERMUTATION.map(|from| m[from]);
    }
    std::array::from_fn(|i| v[i] ^ v[i + 8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;

    #[test]
    fn compression_functions_agree_with_their_crates() {
        // "abc", padded to one block.
        let mut block = [0u32; 16];
        block[0] = 0x6162_6380;
        block[15] = 24;
        let ours: Vec<u8> = sha256_compress(IV, block)
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        assert_eq!(ours, sha2::Sha256::digest(b"abc").to_vec());

        let mut block = [0u32; 16];
        block[0] = u32::from_le_bytes(*b"abc\0");
        // CHUNK_START | CHUNK_END | ROOT
        let ours: Vec<u8> = blake3_compress(IV, block, [0, 0, 3, 1 | 2 | 8])
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        assert_eq!(ours, blake3::hash(b"abc").as_bytes());
    }
}
