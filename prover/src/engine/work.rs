//! The cells that a batch touches, dense: what workers run calls on.
//!
//! A cell is either **ordered**, and then only one worker at a time touches it, or a **sum**: the
//! whole batch only adds to it and subtracts from it, so workers share it as two sums, which
//! [`Work::settled`] brings together at the end. All words are atomics, so that no schedule, right
//! or wrong, is undefined; relaxed ones, because workers meet at the batch's end and share nothing
//! else before.

use crate::sync::{AtomicU64, Ordering};

/// How a batch treats a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read and written by calls in their order.
    Ordered,
    /// Only added to and subtracted from, in any order.
    Sum,
}

/// A cell of the batch.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The first of its pairs of words.
    pub at: u32,
    /// Words of its value.
    pub words: u16,
    /// How the batch treats it.
    pub mode: Mode,
}

/// What puts one change back.
#[derive(Clone, Copy, Debug)]
pub enum Undo {
    /// A pair of words held this.
    Set { at: u32, before: u64 },
    /// This much went into a sum of so many pairs.
    Sum {
        at: u32,
        pairs: u32,
        low: u64,
        high: u64,
    },
}

/// The cells of a batch and their words, two to a pair, low word first.
#[derive(Debug, Default)]
pub struct Work {
    cells: Vec<Cell>,
    pairs: Vec<AtomicU64>,
}

impl Cell {
    /// Pairs of words that its value has.
    pub fn pairs(&self) -> u32 {
        u32::from(self.words).div_ceil(2)
    }

    /// Where the sum of what was added stands. A sum has a pair more than the value, so that none
    /// of as many calls as a batch can have makes it wrap.
    pub fn added(&self) -> u32 {
        self.at
    }

    /// Where the sum of what was subtracted stands.
    pub fn subtracted(&self) -> u32 {
        self.at + self.pairs() + 1
    }
}

impl Work {
    /// Forgets all cells.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.pairs.clear();
    }

    /// All cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Adds a cell with the pairs of its value. A sum starts with nothing added or subtracted.
    pub fn add(&mut self, words: u16, mode: Mode, value: impl Fn(usize) -> u64) {
        let at = self.pairs.len() as u32;
        let cell = Cell { at, words, mode };
        self.cells.push(cell);
        match mode {
            Mode::Ordered => {
                let pairs = 0..cell.pairs() as usize;
                self.pairs.extend(pairs.map(|n| AtomicU64::new(value(n))));
            }
            Mode::Sum => {
                let pairs = 2 * (cell.pairs() as usize + 1);
                self.pairs.extend((0..pairs).map(|_| AtomicU64::new(0)));
            }
        }
    }

    /// The cell of this number.
    #[inline]
    pub fn cell(&self, number: u32) -> Option<&Cell> {
        self.cells.get(number as usize)
    }

    /// A pair of words.
    #[inline]
    pub fn pair(&self, at: u32) -> u64 {
        let pair = self.pairs.get(at as usize);
        pair.map_or(0, |pair| pair.load(Ordering::Relaxed))
    }

    /// Word `n` of an ordered cell.
    #[inline]
    pub fn word(&self, cell: &Cell, n: u32) -> u32 {
        if n >= u32::from(cell.words) {
            return 0;
        }
        (self.pair(cell.at + n / 2) >> (32 * (n % 2))) as u32
    }

    /// The number of up to two pairs.
    #[inline]
    pub fn number(&self, at: u32, pairs: u32) -> u128 {
        let high = if pairs > 1 { self.pair(at + 1) } else { 0 };
        u128::from(self.pair(at)) | (u128::from(high) << 64)
    }

    /// Sets a pair of an ordered cell; gives what puts it back.
    #[inline]
    pub fn set(&self, at: u32, word: u64) -> Undo {
        let before = self.pair(at);
        if let Some(pair) = self.pairs.get(at as usize) {
            pair.store(word, Ordering::Relaxed);
        }
        Undo::Set { at, before }
    }

    /// Adds to a sum; gives what puts it back.
    #[inline]
    pub fn accumulate(&self, at: u32, pairs: u32, amount: u128) -> Undo {
        let (low, high) = (amount as u64, (amount >> 64) as u64);
        self.carry(at, pairs, [low, high], |pair, by| {
            let before = pair.fetch_add(by, Ordering::Relaxed);
            before.checked_add(by).is_none()
        });
        Undo::Sum {
            at,
            pairs,
            low,
            high,
        }
    }

    /// Undoes one change.
    pub fn put_back(&self, undo: Undo) {
        match undo {
            Undo::Set { at, before } => {
                self.set(at, before);
            }
            Undo::Sum {
                at,
                pairs,
                low,
                high,
            } => {
                self.carry(at, pairs, [low, high], |pair, by| {
                    pair.fetch_sub(by, Ordering::Relaxed) < by
                });
            }
        }
    }

    /// Changes each pair of a sum by its part of an amount, and the next one by 1 where that
    /// carried. The sum is right once every change is done, whatever came between.
    fn carry(&self, at: u32, pairs: u32, amount: [u64; 2], by: impl Fn(&AtomicU64, u64) -> bool) {
        let mut parts = amount.into_iter();
        let mut carried = 0;
        for n in at..=at + pairs {
            let part = parts.next().unwrap_or(0);
            let Some(pair) = self.pairs.get(n as usize) else {
                return;
            };
            // The part and the carry one after the other: together they may not fit a pair.
            let first = part != 0 && by(pair, part);
            let second = carried != 0 && by(pair, carried);
            carried = u64::from(first) + u64::from(second);
        }
    }

    /// What a cell that held these pairs holds after the batch; `None` if sums don't fit in
    /// every order, so that the order decides.
    pub fn settled(&self, cell: &Cell, [low, high]: [u64; 2], bits: u8) -> Option<[u64; 2]> {
        let pairs = cell.pairs();
        let held = u128::from(low) | (u128::from(high) << 64);
        let sum = |at: u32| {
            let beyond = self.pair(at + pairs);
            (beyond == 0).then(|| self.number(at, pairs))
        };
        let (added, subtracted) = (sum(cell.added())?, sum(cell.subtracted())?);
        let most = u128::MAX >> 128u32.saturating_sub(u32::from(bits));
        let highest = held.checked_add(added).filter(|n| *n <= most)?;
        held.checked_sub(subtracted)?;
        let after = highest.checked_sub(subtracted)?;
        Some([after as u64, (after >> 64) as u64])
    }
}
