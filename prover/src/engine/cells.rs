//! The cells that are in memory: found by name, with their values.
//!
//! All of a cell lies side by side in one arena, so that finding it and reading it touches one
//! place in memory. A cell comes into memory when a call may touch it, and stays there until all
//! are forgotten.

use foldhash::fast::RandomState;
use gavel_compiler::ledger::{CellId, path};
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

/// Where a cell lies: a position in the arena.
pub type Spot = u32;

/// No cell.
pub const NOWHERE: Spot = Spot::MAX;

// Of a cell: family and words of its key; words of its value; the batch that touched it last and
// its number there; its path; its value; its key.
const WORDS: usize = 1;
const STAMP: usize = 2;
const NUMBER: usize = 3;
const PATH: usize = 4;
const VALUE: usize = PATH + 8;

/// A cell by its name.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    pub family: u16,
    pub key: &'a [u32],
}

/// Cells in memory.
#[derive(Debug, Default)]
pub struct Cells {
    arena: Vec<u32>,
    table: HashTable<Spot>,
    hasher: RandomState,
    stamp: u32,
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
        4 * self.arena.capacity() + 5 * self.table.capacity()
    }

    /// Forgets all cells.
    pub fn forget(&mut self) {
        self.arena = Vec::new();
        self.table = HashTable::new();
    }

    /// The hash that finds a cell.
    pub fn hash(&self, name: Name<'_>) -> u64 {
        hash_of(&self.hasher, name)
    }

    /// Where a cell is.
    pub fn find(&self, hash: u64, name: Name<'_>) -> Option<Spot> {
        let same = |spot: &Spot| self.is(*spot, name);
        self.table.find(hash, same).copied()
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
        let cell = &missing.cell;
        let end = self.arena.len() + VALUE + usize::from(missing.words) + cell.key.len();
        let spot = Spot::try_from(self.arena.len()).map_err(|_| Full)?;
        Spot::try_from(end).map_err(|_| Full)?;
        let length = u32::try_from(cell.key.len()).map_err(|_| Full)?;
        if length > u32::from(u16::MAX) {
            return Err(Full);
        }
        let head = (u32::from(cell.family) << 16) | length;
        self.arena.extend([head, u32::from(missing.words), 0, 0]);
        for four in missing.path.chunks(4) {
            let word = four
                .iter()
                .rev()
                .fold(0, |w, byte| (w << 8) | u32::from(*byte));
            self.arena.push(word);
        }
        let value = self.arena.len() + usize::from(missing.words);
        self.arena.resize(value, 0);
        self.arena.extend_from_slice(&cell.key);
        let (arena, hasher) = (&self.arena, &self.hasher);
        let rehash = |spot: &Spot| hash_of(hasher, name_at(arena, *spot));
        self.table.insert_unique(missing.hash, spot, rehash);
        Ok(spot)
    }

    /// The cell's family and key.
    pub fn name(&self, spot: Spot) -> Name<'_> {
        name_at(&self.arena, spot)
    }

    /// Words of the cell's value.
    pub fn words(&self, spot: Spot) -> u16 {
        self.at(spot, WORDS) as u16
    }

    /// The cell's path.
    pub fn path(&self, spot: Spot) -> [u8; 32] {
        let mut path = [0; 32];
        for (four, n) in path.chunks_mut(4).zip(PATH..) {
            four.copy_from_slice(&self.at(spot, n).to_le_bytes());
        }
        path
    }

    /// The cell's value.
    pub fn value(&self, spot: Spot) -> &[u32] {
        let at = spot as usize + VALUE;
        let end = at + usize::from(self.words(spot));
        self.arena.get(at..end).unwrap_or(&[])
    }

    /// The cell's value by pairs of words.
    pub fn pairs(&self, spot: Spot) -> impl Iterator<Item = u64> {
        self.value(spot).chunks(2).map(pair_of)
    }

    /// Gives the cell a value; missing words are zeros.
    pub fn set(&mut self, spot: Spot, value: &[u32]) {
        let at = spot as usize + VALUE;
        let end = at + usize::from(self.words(spot));
        let rest = value.iter().copied().chain(std::iter::repeat(0));
        for (slot, word) in self.arena.get_mut(at..end).into_iter().flatten().zip(rest) {
            *slot = word;
        }
    }

    /// Begins a batch: no cell has a number in it.
    pub fn begin_batch(&mut self) {
        if self.stamp == u32::MAX {
            for spot in &self.table {
                if let Some(stamp) = self.arena.get_mut(*spot as usize + STAMP) {
                    *stamp = 0;
                }
            }
            self.stamp = 0;
        }
        self.stamp += 1;
    }

    /// The cell's number in this batch.
    pub fn number(&self, spot: Spot) -> Option<u32> {
        (self.at(spot, STAMP) == self.stamp).then(|| self.at(spot, NUMBER))
    }

    /// Gives the cell a number in this batch.
    pub fn set_number(&mut self, spot: Spot, number: u32) {
        let at = spot as usize + STAMP;
        if let Some([stamp, slot]) = self.arena.get_mut(at..at + 2) {
            (*stamp, *slot) = (self.stamp, number);
        }
    }

    /// Whether the cell there has this name.
    pub fn is(&self, spot: Spot, name: Name<'_>) -> bool {
        let own = name_at(&self.arena, spot);
        own.family == name.family && own.key == name.key
    }

    fn at(&self, spot: Spot, n: usize) -> u32 {
        self.arena.get(spot as usize + n).copied().unwrap_or(0)
    }
}

fn name_at(arena: &[u32], spot: Spot) -> Name<'_> {
    let at = spot as usize;
    let head = arena.get(at).copied().unwrap_or(0);
    let words = arena.get(at + WORDS).copied().unwrap_or(0) as usize;
    let key = at + VALUE + words;
    Name {
        family: (head >> 16) as u16,
        key: arena
            .get(key..key + (head & 0xffff) as usize)
            .unwrap_or(&[]),
    }
}

fn hash_of(hasher: &RandomState, name: Name<'_>) -> u64 {
    let mut state = hasher.build_hasher();
    state.write_u16(name.family);
    for pair in name.key.chunks(2) {
        state.write_u64(pair_of(pair));
    }
    state.finish()
}

fn pair_of(words: &[u32]) -> u64 {
    let word = |n: usize| u64::from(words.get(n).copied().unwrap_or(0));
    word(0) | (word(1) << 32)
}
