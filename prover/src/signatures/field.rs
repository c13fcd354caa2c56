//! The field of secp256k1: numbers modulo p = 2^256 - C, where C = 2^32 + 977.
//!
//! **Invariant:** a number is four words of 64 bits, the low one first, and may be p or above: 2^256 and C are the
//! same modulo p, so whatever goes beyond four words comes back at the low end, times C. Nothing
//! here takes the same time for all numbers: all of them are public.
//!
//! `tests` compares all of it with `fiat-crypto`, whose code is generated from a proof. Its products
//! aren't used themselves because they take half as long again.

const C: u64 = 0x1_0000_03d1;
const P: [u64; 4] = [C.wrapping_neg(), u64::MAX, u64::MAX, u64::MAX];

/// A number modulo p.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fe([u64; 4]);

/// `sum + a * b + carry` as two words, the low one first. It is at most 2^128 - 1.
#[inline(always)]
fn step(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let all = u128::from(sum) + u128::from(a) * u128::from(b) + u128::from(carry);
    (all as u64, (all >> 64) as u64)
}

/// `a + b + carry`, and what goes beyond.
#[inline(always)]
fn plus(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// `a - b - borrow`, and whether that is below zero.
#[inline(always)]
fn minus(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (rest, first) = a.overflowing_sub(b);
    let (rest, second) = rest.overflowing_sub(u64::from(borrow));
    (rest, first | second)
}

impl Fe {
    pub const ZERO: Self = Self([0; 4]);
    pub const ONE: Self = Self([1, 0, 0, 0]);
    /// The 7 of y² = x³ + 7.
    pub const SEVEN: Self = Self([7, 0, 0, 0]);

    /// From 32 bytes, big end first; `None` from p on.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let words = words(bytes);
        words.iter().rev().lt(P.iter().rev()).then_some(Self(words))
    }

    /// Its words, the low one first.
    pub fn words(&self) -> [u64; 4] {
        self.0
    }

    /// The number with these words, the low one first.
    pub fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    #[inline(always)]
    pub fn mul(&self, by: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, by.0);
        let (r0, up) = step(0, a, e, 0);
        let (r1, up) = step(0, a, f, up);
        let (r2, up) = step(0, a, g, up);
        let (r3, r4) = step(0, a, h, up);
        let (r1, up) = step(r1, b, e, 0);
        let (r2, up) = step(r2, b, f, up);
        let (r3, up) = step(r3, b, g, up);
        let (r4, r5) = step(r4, b, h, up);
        let (r2, up) = step(r2, c, e, 0);
        let (r3, up) = step(r3, c, f, up);
        let (r4, up) = step(r4, c, g, up);
        let (r5, r6) = step(r5, c, h, up);
        let (r3, up) = step(r3, d, e, 0);
        let (r4, up) = step(r4, d, f, up);
        let (r5, up) = step(r5, d, g, up);
        let (r6, r7) = step(r6, d, h, up);
        Self::reduced([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    #[inline(always)]
    pub fn square(&self) -> Self {
        let [a, b, c, d] = self.0;
        // Products of two different words, each once.
        let (r1, up) = step(0, a, b, 0);
        let (r2, up) = step(0, a, c, up);
        let (r3, r4) = step(0, a, d, up);
        let (r3, up) = step(r3, b, c, 0);
        let (r4, r5) = step(r4, b, d, up);
        let (r5, r6) = step(r5, c, d, 0);
        // Twice that.
        let (r7, r6) = (r6 >> 63, r6 << 1 | r5 >> 63);
        let (r5, r4) = (r5 << 1 | r4 >> 63, r4 << 1 | r3 >> 63);
        let (r3, r2) = (r3 << 1 | r2 >> 63, r2 << 1 | r1 >> 63);
        let r1 = r1 << 1;
        // And each word's own square.
        let (r0, aa) = step(0, a, a, 0);
        let (r1, up) = plus(r1, aa, false);
        let (low, high) = step(0, b, b, 0);
        let (r2, up) = plus(r2, low, up);
        let (r3, up) = plus(r3, high, up);
        let (low, high) = step(0, c, c, 0);
        let (r4, up) = plus(r4, low, up);
        let (r5, up) = plus(r5, high, up);
        let (low, high) = step(0, d, d, 0);
        let (r6, up) = plus(r6, low, up);
        let (r7, _) = plus(r7, high, up); // a square has eight words
        Self::reduced([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    /// `low + 2^256 high`.
    #[inline(always)]
    fn reduced([a, b, c, d]: [u64; 4], [e, f, g, h]: [u64; 4]) -> Self {
        let (a, up) = step(a, e, C, 0);
        let (b, up) = step(b, f, C, up);
        let (c, up) = step(c, g, C, up);
        let (d, up) = step(d, h, C, up);
        // What was added up is less than 2^256 (C + 1), so this is at most C.
        Self::folded([a, b, c, d], up)
    }

    /// `low + 2^256 up`, where `up` is at most C.
    #[inline(always)]
    fn folded([a, b, c, d]: [u64; 4], up: u64) -> Self {
        let (low, high) = step(0, up, C, 0);
        let (a, up) = plus(a, low, false);
        let (b, up) = plus(b, high, up);
        let (c, up) = plus(c, 0, up);
        let (d, up) = plus(d, 0, up);
        // If it went beyond four words, what is left is less than C², which is less than 2^67: once
        // more, and it can't go beyond two words.
        let (a, again) = plus(a, if up { C } else { 0 }, false);
        let (b, _) = plus(b, 0, again);
        Self([a, b, c, d])
    }

    #[inline(always)]
    pub fn add(&self, other: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        let (a, up) = plus(a, e, false);
        let (b, up) = plus(b, f, up);
        let (c, up) = plus(c, g, up);
        let (d, up) = plus(d, h, up);
        Self::folded([a, b, c, d], u64::from(up))
    }

    #[inline(always)]
    pub fn sub(&self, other: &Self) -> Self {
        let (rest, below) = less(self.0, other.0);
        // Below zero by at most 2^256: C less makes up for 2^256 more. If that is below zero again,
        // what is left is 2^256 - C or more, and the second time can't be.
        let (rest, below) = less(rest, [if below { C } else { 0 }, 0, 0, 0]);
        let [a, b, c, d] = rest;
        Self([if below { a.wrapping_sub(C) } else { a }, b, c, d])
    }

    #[inline(always)]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    pub fn negate(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// Whether it is a multiple of p: 2p is beyond four words.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = P;
        self.is_mark() || (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) == 0
    }

    /// Whether all words are zero: a mark, not a number.
    #[inline(always)]
    pub fn is_mark(&self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }

    /// Whether the number from 0 to p - 1 is odd. p is odd.
    pub fn is_odd(&self) -> bool {
        let [low, ..] = self.0;
        let above = self.0.iter().rev().ge(P.iter().rev());
        (low & 1 == 1) != above
    }

    /// 1 / x; of 0 it is 0.
    pub fn invert(&self) -> Self {
        let x = [*self];
        let powers = Powers::new(x);
        let y = times(squares(powers.ones223, 23), powers.ones22);
        let y = times(squares(y, 5), x);
        let y = times(squares(y, 3), powers.ones2);
        let [y] = times(squares(y, 2), x);
        y
    }

    /// Of each the square root, x^((p+1)/4), if it has one. Two side by side are a quarter faster
    /// than one after the other, because each product waits for the one before.
    pub fn roots<const N: usize>(of: [Self; N]) -> [Option<Self>; N] {
        let powers = Powers::new(of);
        let y = times(squares(powers.ones223, 23), powers.ones22);
        let y = times(squares(y, 6), powers.ones2);
        let y = squares(y, 2);
        let mut pairs = y.into_iter().zip(of);
        std::array::from_fn(|_| {
            let (root, square) = pairs.next()?;
            root.square().sub(&square).is_zero().then_some(root)
        })
    }
}

/// x^(2^n - 1) for the n that both inverse and root need: the chain of libsecp256k1.
struct Powers<const N: usize> {
    ones2: [Fe; N],
    ones22: [Fe; N],
    ones223: [Fe; N],
}

impl<const N: usize> Powers<N> {
    fn new(x: [Fe; N]) -> Self {
        let ones2 = times(squares(x, 1), x);
        let ones3 = times(squares(ones2, 1), x);
        let ones6 = times(squares(ones3, 3), ones3);
        let ones9 = times(squares(ones6, 3), ones3);
        let ones11 = times(squares(ones9, 2), ones2);
        let ones22 = times(squares(ones11, 11), ones11);
        let ones44 = times(squares(ones22, 22), ones22);
        let ones88 = times(squares(ones44, 44), ones44);
        let ones176 = times(squares(ones88, 88), ones88);
        let ones220 = times(squares(ones176, 44), ones44);
        let ones223 = times(squares(ones220, 3), ones3);
        Self {
            ones2,
            ones22,
            ones223,
        }
    }
}

fn squares<const N: usize>(mut x: [Fe; N], times: u32) -> [Fe; N] {
    for _ in 0..times {
        for x in &mut x {
            *x = x.square();
        }
    }
    x
}

fn times<const N: usize>(mut x: [Fe; N], y: [Fe; N]) -> [Fe; N] {
    for (x, y) in x.iter_mut().zip(&y) {
        *x = x.mul(y);
    }
    x
}

/// The words of 32 bytes, big end first.
pub(super) fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    let mut words = words.iter().rev();
    std::array::from_fn(|_| words.next().map_or(0, |word| u64::from_be_bytes(*word)))
}

/// The difference, and whether it is below zero.
#[inline(always)]
fn less([a, b, c, d]: [u64; 4], [e, f, g, h]: [u64; 4]) -> ([u64; 4], bool) {
    let (a, below) = minus(a, e, false);
    let (b, below) = minus(b, f, below);
    let (c, below) = minus(c, g, below);
    let (d, below) = minus(d, h, below);
    ([a, b, c, d], below)
}

#[cfg(test)]
mod tests;
