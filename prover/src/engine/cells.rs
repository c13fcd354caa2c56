//! The cells that are in memory: found by name, with their values.
//!
//! Names and paths, which are large, lie in one arena; heads and values, which every batch touches,
//! lie close together in lists of their own. A cell comes into memory when a call may touch it,
//! and stays there until all are forgotten.

use foldhash::fast::RandomState;
use gavel_compiler::ledger::{CellId, path};
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// A cell's position among those in memory.
pub type Spot = u32;

/// No cell.
pub const NOWHERE: Spot = Spot::MAX;

// A name in the arena: family and words of the key, the key, the path.
const KEY: usize = 1;

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
    heads: Vec<Head>,
    /// Pairs of words, low word first.
    values: Vec<AtomicU64>,
    table: HashTable<(u32, Spot)>,
    hasher: RandomState,
    stamp: u32,
}

/// Where the parts of a cell are.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// Its name in the arena.
    name: u32,
    /// The first pair of its value.
    value: u32,
    /// The batch that touched it last.
    stamp: u32,
    /// Its number in that batch.
    number: u32,
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
        4 * self.arena.capacity()
            + size_of::<Head>() * self.heads.capacity()
            + 8 * self.values.capacity()
            + 9 * self.table.capacity()
    }

    /// Forgets all cells.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The hash that finds a cell.
    pub fn hash(&self, name: Name<'_>) -> u64 {
        hash_of(&self.hasher, name)
    }

    /// Where a cell is.
    pub fn find(&self, hash: u64, name: Name<'_>) -> Option<Spot> {
        let same = |(tag, spot): &(u32, Spot)| *tag == tag_of(hash) && self.is(*spot, name);
        self.table.find(hash, same).map(|(_, spot)| *spot)
    }

    /// Where a cell with this hash is, which is almost always the one that is looked for. Together
    /// with [`Cells::is`] it does what [`Cells::find`] does; apart, many can be under way at once.
    #[inline]
    pub fn candidate(&self, hash: u64) -> Spot {
        let found = self.table.find(hash, |(tag, _)| *tag == tag_of(hash));
        found.map_or(NOWHERE, |(_, spot)| *spot)
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
        let length = u16::try_from(cell.key.len()).map_err(|_| Full)?;
        let spot = position(self.heads.len())?;
        let head = Head {
            name: position(self.arena.len())?,
            value: position(self.values.len())?,
            stamp: 0,
            number: 0,
        };
        self.heads.push(head);
        let pairs = usize::from(missing.words).div_ceil(2);
        self.values.extend((0..pairs).map(|_| AtomicU64::new(0)));
        let first = (u32::from(cell.family) << 16) | u32::from(length);
        self.arena.push(first);
        self.arena.extend_from_slice(&cell.key);
        let (fours, _) = missing.path.as_chunks();
        self.arena
            .extend(fours.iter().map(|four| u32::from_le_bytes(*four)));
        let entry = (tag_of(missing.hash), spot);
        let (arena, heads, hasher) = (&self.arena, &self.heads, &self.hasher);
        let rehash = |(_, spot): &(u32, Spot)| hash_of(hasher, name_of(arena, heads, *spot));
        self.table.insert_unique(missing.hash, entry, rehash);
        Ok(spot)
    }

    /// The cell's family and key.
    pub fn name(&self, spot: Spot) -> Name<'_> {
        name_of(&self.arena, &self.heads, spot)
    }

    /// Whether the cell there has this name.
    #[inline]
    pub fn is(&self, spot: Spot, name: Name<'_>) -> bool {
        let own = self.name(spot);
        own.family == name.family && own.key == name.key
    }

    /// The cell's path.
    pub fn path(&self, spot: Spot) -> [u8; 32] {
        let mut path = [0; 32];
        if let Some(head) = self.heads.get(spot as usize) {
            let at = head.name as usize + KEY + self.name(spot).key.len();
            let (fours, _) = path.as_chunks_mut();
            for (four, word) in fours.iter_mut().zip(self.arena.get(at..).unwrap_or(&[])) {
                *four = word.to_le_bytes();
            }
        }
        path
    }

    /// Pair `n` of the cell's value.
    #[inline]
    pub fn pair(&self, spot: Spot, n: usize) -> u64 {
        let head = self.heads.get(spot as usize);
        let pair = head.and_then(|head| self.values.get(head.value as usize + n));
        pair.map_or(0, |pair| pair.load(Ordering::Relaxed))
    }

    /// Word `n` of the cell's value.
    pub fn word(&self, spot: Spot, n: usize) -> u32 {
        (self.pair(spot, n / 2) >> (32 * (n % 2))) as u32
    }

    /// Gives the cell a value; missing words are zeros. Not while others look at it.
    pub fn set(&self, spot: Spot, value: &[u32]) {
        let Some(head) = self.heads.get(spot as usize) else {
            return;
        };
        let own = self.values.get(head.value as usize..).unwrap_or(&[]);
        for (slot, pair) in own.iter().zip(value.chunks(2)) {
            slot.store(pair_of(pair), Ordering::Relaxed);
        }
    }

    /// Begins a batch: no cell has a number in it.
    pub fn begin_batch(&mut self) {
        if self.stamp == u32::MAX {
            for head in &mut self.heads {
                head.stamp = 0;
            }
            self.stamp = 0;
        }
        self.stamp += 1;
    }

    /// The cell's number in this batch.
    #[inline]
    pub fn number(&self, spot: Spot) -> Option<u32> {
        let head = self.heads.get(spot as usize)?;
        (head.stamp == self.stamp).then_some(head.number)
    }

    /// Gives the cell a number in this batch.
    pub fn set_number(&mut self, spot: Spot, number: u32) {
        if let Some(head) = self.heads.get_mut(spot as usize) {
            (head.stamp, head.number) = (self.stamp, number);
        }
    }
}

fn name_of<'a>(arena: &'a [u32], heads: &[Head], spot: Spot) -> Name<'a> {
    let at = heads.get(spot as usize).map(|head| head.name as usize);
    let own = at.and_then(|at| arena.get(at..)).unwrap_or(&[]);
    let first = own.first().copied().unwrap_or(0);
    let key = own.get(KEY..KEY + (first & 0xffff) as usize);
    Name {
        family: (first >> 16) as u16,
        key: key.unwrap_or(&[]),
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

/// A part of the hash that the table itself doesn't look at first.
fn tag_of(hash: u64) -> u32 {
    (hash >> 24) as u32
}

fn position(length: usize) -> Result<u32, Full> {
    // One less than all ones: that is nowhere.
    let length = u32::try_from(length).map_err(|_| Full)?;
    (length < u32::MAX).then_some(length).ok_or(Full)
}

fn pair_of(words: &[u32]) -> u64 {
    let word = |n: usize| u64::from(words.get(n).copied().unwrap_or(0));
    word(0) | (word(1) << 32)
}
