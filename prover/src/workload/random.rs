//! Numbers that look random and are the same on every machine: whole numbers only.

/// A seeded generator (splitmix64, by Steele, Lea and Flood): not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator. The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number of 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 if there is none. Some numbers come up more often than others, by
    /// one part in 2^64 / n.
    pub fn below(&mut self, n: u64) -> u64 {
        let product = u128::from(self.word()) * u128::from(n);
        (product >> 64) as u64
    }

    /// A number below `n`; 0 if there is none.
    pub fn index(&mut self, n: u32) -> u32 {
        self.below(n.into()) as u32
    }

    /// A number below `n` that isn't `other`, if there is one.
    pub fn another(&mut self, n: u32, other: u32) -> u32 {
        let drawn = self.index(n.saturating_sub(1));
        if drawn >= other && n > 1 {
            drawn.saturating_add(1)
        } else {
            drawn
        }
    }
}

/// Zipf's law with exponent 1: number `n` comes up `1 / (n + 1)` times as often as number 0.
#[derive(Clone, Debug)]
pub struct Zipf {
    /// How much weight the numbers up to each have together.
    sums: Vec<u64>,
}

impl Zipf {
    /// What number 0 weighs. Any `u32` of numbers weigh less than 2^46 together, and none weighs
    /// less than 2^8.
    const FIRST: u64 = 1 << 40;

    /// The law for the numbers below `n`.
    pub fn new(n: u32) -> Self {
        let weights = (1..=u64::from(n)).map(|rank| Self::FIRST / rank);
        let sums = weights.scan(0, |sum: &mut u64, weight| {
            *sum = sum.saturating_add(weight);
            Some(*sum)
        });
        Self {
            sums: sums.collect(),
        }
    }

    /// A number.
    pub fn draw(&self, random: &mut Random) -> u32 {
        let all = self.sums.last().copied().unwrap_or(0);
        let at = random.below(all);
        self.sums.partition_point(|sum| *sum <= at) as u32
    }
}
