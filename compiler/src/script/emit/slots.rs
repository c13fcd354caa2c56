//! Which slots of the stack's bottom are used, as bits.

/// Which slots a table takes, counted from its first cell.
#[derive(Debug)]
pub struct Shape {
    /// Its least index.
    pub first: i64,
    /// Its greatest index.
    pub last: i64,
    bits: Vec<u64>,
}

impl Shape {
    /// The shape of cells by index.
    pub fn of(cells: &[(i64, i64)]) -> Self {
        let indices = || cells.iter().map(|(index, _)| *index);
        let (first, last) = (indices().min().unwrap_or(0), indices().max().unwrap_or(0));
        let mut slots = Slots::default();
        for index in indices() {
            slots.set((index - first) as usize);
        }
        Self {
            first,
            last,
            bits: slots.bits,
        }
    }
}

/// Which slots are used, from the topmost down.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    bits: Vec<u64>,
    /// As many as lie between the topmost and the last that is used.
    pub len: usize,
}

impl Slots {
    /// Uses a slot.
    pub fn set(&mut self, slot: usize) {
        self.len = self.len.max(slot + 1);
        if slot / 64 >= self.bits.len() {
            self.bits.resize(slot / 64 + 1, 0);
        }
        self.bits[slot / 64] |= 1 << (slot % 64);
    }

    /// Uses those of a shape, whose table's cell 0 is at a place.
    pub fn take(&mut self, shape: &Shape, place: i64) {
        let at = (place + shape.first) as usize;
        self.len = self.len.max((place + shape.last) as usize + 1);
        self.bits.resize(self.bits.len().max(self.len / 64 + 1), 0);
        let (word, shift) = (at / 64, at % 64);
        for (n, bits) in shape.bits.iter().enumerate() {
            self.bits[word + n] |= bits << shift;
            if shift > 0 && bits >> (64 - shift) != 0 {
                self.bits[word + n + 1] |= bits >> (64 - shift);
            }
        }
    }

    /// Whether a shape that begins at a slot collides with none that is used.
    pub fn is_free(&self, shape: &Shape, at: usize) -> bool {
        let (word, shift) = (at / 64, at % 64);
        let get = |n: usize| self.bits.get(n).copied().unwrap_or(0);
        shape.bits.iter().enumerate().all(|(n, bits)| {
            let low = get(word + n) >> shift;
            let high = match shift {
                0 => 0,
                _ => get(word + n + 1) << (64 - shift),
            };
            (low | high) & bits == 0
        })
    }
}
