//! Where the choices come from: given bytes first, then numbers from a seed.

/// A source of choices. The same bytes give the same choices, on any machine.
#[derive(Clone, Debug)]
pub struct Dice {
    bytes: std::vec::IntoIter<u8>,
    state: u64,
}

impl Dice {
    /// Choices from a seed alone.
    pub fn seeded(seed: u64) -> Self {
        Self {
            bytes: Vec::new().into_iter(),
            state: seed,
        }
    }

    /// Choices from bytes, as a fuzzer gives them; a choice takes one while there are any.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec().into_iter(),
            state: bytes.len() as u64,
        }
    }

    /// A number of 64 bits, by SplitMix64.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        match self.bytes.next() {
            Some(byte) => usize::from(byte) % n.max(1),
            None => (self.word() % n.max(1) as u64) as usize,
        }
    }

    /// A number in `from..=to`.
    pub fn range(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// True `n` times out of a hundred.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}
