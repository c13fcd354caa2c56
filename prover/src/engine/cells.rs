//! The cells that are in memory: found by name, with their values.
//!
//! All that is known of a cell lies together, from the start of a line of the processor's cache:
//! most names and values fit one. A cell comes into memory when a call may touch it, and stays
//! there until all are forgotten.

use super::table::Table;
use foldhash::fast::RandomState;
use gavel_compiler::ledger::{CellId, path};
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// A cell's position among those in memory.
pub type Spot = u32;

/// No cell.
pub const NOWHERE: Spot = Spot::MAX;

/// A cell by its name.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    pub family: u16,
    pub key: &'a [u32],
}

/// Cells in memory.
#[derive(Debug, Default)]
pub struct Cells {
    /// Spot after spot, [`CHUNK`] of them together: what is there never moves.
    chunks: Vec<Vec<Line>>,
    table: Table,
    hasher: RandomState,
    /// By spot: 0, or a number in a batch and what was `first` then. Apart from what else is known
    /// of a cell, so that it lies close together: the one thread that numbers cells needs no more.
    numbers: Vec<u32>,
    /// What numbers of this batch begin at, more than any of an earlier batch; at least 1 in one.
    first: u32,
    /// Where those of the next batch can begin.
    next: u32,
}

/// Eight pairs of words, low word first. A cell takes as many lines as it needs, and its spot is
/// the first of them. Its pairs are, one after the other:
///
/// - family and words of the key; words of the value;
/// - the value, the key, the path.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; LINE]);

const LINE: usize = 8;
/// Lines of a chunk. The largest cell has fewer.
const CHUNK: usize = 1 << 16;
/// The first pair of a value.
const VALUE: usize = 1;
/// Pairs of a path.
const PATH: usize = 4;

/// A cell's family and sizes.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    family: u16,
    /// Words of its key.
    key: u16,
    /// Words of its value.
    value: u16,
}

/// A cell that isn't in memory.
#[derive(Clone, Debug)]
pub struct Missing {
    pub cell: CellId,
    pub path: [u8; 32],
    pub words: u16,
    pub hash: u64,
}

impl Missing {
    fn name(&self) -> Name<'_> {
        Name {
            family: self.cell.family,
            key: &self.cell.key,
        }
    }
}

/// Memory is full: positions no longer fit their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Cells {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let lines: usize = self.chunks.iter().map(Vec::len).sum();
        size_of::<Line>() * lines + 4 * self.numbers.capacity() + self.table.bytes()
    }

    /// Forgets all cells.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The hash that finds a cell.
    pub fn hash(&self, name: Name<'_>) -> u64 {
        let mut state = self.hasher.build_hasher();
        state.write_u16(name.family);
        for pair in name.key.chunks(2) {
            state.write_u64(pair_of(pair));
        }
        state.finish()
    }

    /// Where a cell is.
    pub fn find(&self, hash: u64, name: Name<'_>) -> Option<Spot> {
        self.table
            .candidates(hash)
            .find(|spot| self.is(*spot, name))
    }

    /// Where a cell with this hash is, which is almost always the one that is looked for. Together
    /// with [`Cells::is`] it does what [`Cells::find`] does; apart, many can be under way at once.
    #[inline]
    pub fn candidate(&self, hash: u64) -> Spot {
        self.table.candidates(hash).next().unwrap_or(NOWHERE)
    }

    /// What is needed to bring a cell here.
    pub fn missing(hash: u64, name: Name<'_>, words: u16) -> Missing {
        let cell = CellId {
            family: name.family,
            key: name.key.to_vec(),
        };
        Missing {
            path: path(&cell),
            cell,
            words,
            hash,
        }
    }

    /// Where a cell is that was missing.
    pub fn find_missing(&self, missing: &Missing) -> Option<Spot> {
        self.find(missing.hash, missing.name())
    }

    /// Brings a cell here that isn't here yet. Its value is zeros.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn insert(&mut self, missing: &Missing) -> Result<Spot, Full> {
        let shape = Shape {
            family: missing.cell.family,
            key: u16::try_from(missing.cell.key.len()).map_err(|_| Full)?,
            value: missing.words,
        };
        let value = (0..shape.value.div_ceil(2)).map(|_| 0);
        let key = missing.cell.key.chunks(2).map(pair_of);
        let (path, _) = missing.path.as_chunks();
        let path = path.iter().map(|eight| u64::from_le_bytes(*eight));
        let mut pairs = std::iter::once(shape.pair())
            .chain(value)
            .chain(key)
            .chain(path);
        let lines = (shape.path() + PATH).div_ceil(LINE);
        let fits = |chunk: &Vec<Line>| chunk.len() + lines <= CHUNK;
        if !self.chunks.last().is_some_and(fits) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let chunk = self.chunks.last_mut().ok_or(Full)?;
        let spot = Spot::try_from(before + chunk.len()).map_err(|_| Full)?;
        // One less than all ones: that is nowhere.
        if spot >= NOWHERE - CHUNK as u32 {
            return Err(Full);
        }
        chunk.extend((0..lines).map(|_| {
            let pair = |_| AtomicU64::new(pairs.next().unwrap_or(0));
            Line(std::array::from_fn(pair))
        }));
        self.numbers.resize(before + chunk.len(), 0);
        self.table.insert(missing.hash, spot);
        Ok(spot)
    }

    #[inline]
    fn at(&self, spot: Spot, pair: usize) -> Option<&AtomicU64> {
        let spot = spot as usize;
        let chunk = self.chunks.get(spot / CHUNK)?;
        chunk.get(spot % CHUNK + pair / LINE)?.0.get(pair % LINE)
    }

    #[inline]
    fn read(&self, spot: Spot, pair: usize) -> u64 {
        let pair = self.at(spot, pair);
        pair.map_or(0, |pair| pair.load(Ordering::Relaxed))
    }

    #[inline]
    fn shape(&self, spot: Spot) -> Shape {
        Shape::of(self.read(spot, 0))
    }

    /// Reads a little of each of these cells. Reads from far in memory that don't wait for each
    /// other take a fifth of the time of those that do: who is about to look at many cells, one
    /// after the other, calls this for some dozens of them first.
    #[inline]
    pub fn approach(&self, spots: impl Iterator<Item = Spot>) {
        let read = spots.map(|spot| self.read(spot, 0));
        std::hint::black_box(read.fold(0, |all, pair| all ^ pair));
    }

    /// The same for the whole of small cells.
    #[inline]
    pub fn approach_all(&self, spots: impl Iterator<Item = Spot>) {
        let read = spots.map(|spot| self.read(spot, 0) ^ self.read(spot, LINE));
        std::hint::black_box(read.fold(0, |all, pair| all ^ pair));
    }

    /// Whether the cell there has this name.
    #[inline]
    pub fn is(&self, spot: Spot, name: Name<'_>) -> bool {
        let shape = self.shape(spot);
        let own = shape.key();
        let mut key = (own..).zip(name.key.chunks(2));
        shape.family == name.family
            && usize::from(shape.key) == name.key.len()
            && key.all(|(at, pair)| self.read(spot, at) == pair_of(pair))
    }

    /// Its family, and the words of its key, behind what is in `key`.
    pub fn name(&self, spot: Spot, key: &mut Vec<u32>) -> u16 {
        let shape = self.shape(spot);
        let words = 0..usize::from(shape.key);
        key.extend(words.map(|n| (self.read(spot, shape.key() + n / 2) >> (32 * (n % 2))) as u32));
        shape.family
    }

    /// Its path.
    pub fn path(&self, spot: Spot) -> [u8; 32] {
        let mut path = [0; 32];
        let (eights, _) = path.as_chunks_mut();
        for (eight, at) in eights.iter_mut().zip(self.shape(spot).path()..) {
            *eight = self.read(spot, at).to_le_bytes();
        }
        path
    }

    /// Pair `n` of its value.
    #[inline]
    pub fn pair(&self, spot: Spot, n: usize) -> u64 {
        self.read(spot, VALUE + n)
    }

    /// Word `n` of its value.
    #[inline]
    pub fn word(&self, spot: Spot, n: usize) -> u32 {
        (self.pair(spot, n / 2) >> (32 * (n % 2))) as u32
    }

    /// Gives the cell a value of not more words than it has; missing words are zeros. Not while
    /// others look at it.
    pub fn set(&self, spot: Spot, value: &[u32]) {
        let own = VALUE..self.shape(spot).key();
        for (at, pair) in own.zip(value.chunks(2)) {
            if let Some(slot) = self.at(spot, at) {
                slot.store(pair_of(pair), Ordering::Relaxed);
            }
        }
    }

    /// The first two pairs of its value of so many words, 0 beyond them.
    #[inline]
    pub fn held(&self, spot: Spot, words: u16) -> [u64; 2] {
        let pair = |n: u16| (words > 2 * n).then(|| self.pair(spot, n.into()));
        [pair(0).unwrap_or(0), pair(1).unwrap_or(0)]
    }

    /// Begins a batch: no cell has a number in it.
    pub fn begin_batch(&mut self) {
        self.first = self.next.max(1);
        if self.first > u32::MAX / 2 {
            self.numbers.fill(0);
            self.first = 1;
        }
        self.next = self.first;
    }

    /// The same as [`Cells::approach`] for the numbers of cells.
    #[inline]
    pub fn approach_numbers(&self, spots: impl Iterator<Item = Spot>) {
        let read = spots.map(|spot| self.numbers.get(spot as usize).copied().unwrap_or(0));
        std::hint::black_box(read.fold(0, |all, number| all ^ number));
    }

    /// The cell's number in this batch.
    #[inline]
    pub fn number(&self, spot: Spot) -> Option<u32> {
        let number = self.numbers.get(spot as usize);
        number.and_then(|number| number.checked_sub(self.first))
    }

    /// Gives the cell a number in this batch, which has fewer than 2^31 of them.
    #[inline]
    pub fn set_number(&mut self, spot: Spot, number: u32) {
        if let Some(slot) = self.numbers.get_mut(spot as usize) {
            *slot = self.first + number;
            self.next = self.next.max(*slot + 1);
        }
    }
}

impl Shape {
    fn of(pair: u64) -> Self {
        Self {
            family: pair as u16,
            key: (pair >> 16) as u16,
            value: (pair >> 32) as u16,
        }
    }

    fn pair(self) -> u64 {
        u64::from(self.family) | (u64::from(self.key) << 16) | (u64::from(self.value) << 32)
    }

    /// The first pair of the key.
    fn key(self) -> usize {
        VALUE + usize::from(self.value).div_ceil(2)
    }

    /// The first pair of the path.
    fn path(self) -> usize {
        self.key() + usize::from(self.key).div_ceil(2)
    }
}

fn pair_of(words: &[u32]) -> u64 {
    let word = |n: usize| u64::from(words.get(n).copied().unwrap_or(0));
    word(0) | (word(1) << 32)
}
