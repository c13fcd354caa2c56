//! What a batch changes: cells with their words before and after, flat in memory.

use gavel_compiler::ledger::{CellId, path};
use rayon::prelude::*;
use std::ops::Range;

/// The cells that a batch left with other words than they had, in the order of their
/// [paths](gavel_compiler::ledger::path).
///
/// **Invariant:** each cell is there once, and its words before and after differ.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    entries: Vec<Entry>,
    /// The words of the changes, in as many lists as were joined.
    words: Vec<Vec<u32>>,
}

/// Where one change lies among the words: its key, its value before, its value after.
#[derive(Clone, Copy, Debug)]
struct Entry {
    path: [u8; 32],
    list: u32,
    at: u32,
    family: u16,
    key: u16,
    value: u16,
}

/// The change of one cell. Absent cells are zeros here: both values have the words that the
/// cell's family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Where the cell hangs in the tree.
    pub path: &'a [u8; 32],
    /// The cell's family.
    pub family: u16,
    /// The words of its key.
    pub key: &'a [u32],
    /// Its words before the batch.
    pub before: &'a [u32],
    /// Its words after the batch.
    pub after: &'a [u32],
}

impl Changes {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing, with room for so many changes of small cells.
    pub fn with_capacity(changes: usize) -> Self {
        const WORDS: usize = 12;
        Self {
            entries: Vec::with_capacity(changes),
            words: vec![Vec::with_capacity(changes * WORDS)],
        }
    }

    /// Adds a change, unless both values are the same. The values have the same number of
    /// words, fewer than 2^16, and so has the key. Who adds them in another order than that of
    /// their paths calls [`Changes::sort`] at the end.
    pub fn push(&mut self, change: Change<'_>) {
        if change.before == change.after {
            return;
        }
        let size = change.key.len() + 2 * change.after.len();
        let words = self.last_list(size);
        let at = words.len() as u32;
        for part in [change.key, change.before, change.after] {
            words.extend_from_slice(part);
        }
        self.entries.push(Entry {
            path: *change.path,
            list: self.words.len() as u32 - 1,
            at,
            family: change.family,
            key: change.key.len() as u16,
            value: change.after.len() as u16,
        });
    }

    /// The list that so many words more go to: the last, while positions in it fit their number.
    fn last_list(&mut self, more: usize) -> &mut Vec<u32> {
        let fits = |list: &Vec<u32>| u32::try_from(list.len() + more).is_ok();
        if !self.words.last().is_some_and(fits) {
            self.words.push(Vec::new());
        }
        let last = self.words.len() - 1;
        &mut self.words[last]
    }

    /// Adds the change of a cell by its name.
    pub fn add(&mut self, cell: &CellId, before: &[u32], after: &[u32]) {
        self.push(Change {
            path: &path(cell),
            family: cell.family,
            key: &cell.key,
            before,
            after,
        });
    }

    /// Brings the changes into the order of their paths, on all threads of the current pool.
    pub fn sort(&mut self) {
        *self = Self::joined(vec![std::mem::take(self)]);
    }

    /// All of these changes, which are of different cells, in the order of their paths.
    pub fn joined(parts: Vec<Self>) -> Self {
        let order = order(&parts);
        // Lists of words stay as they are: those of a part come behind those of the parts before.
        let mut lists = 0;
        let parts = parts.into_iter().map(|part| {
            let first = lists;
            lists += part.words.len() as u32;
            (first, part)
        });
        let (entries, words): (Vec<_>, Vec<_>) = parts
            .map(|(first, part)| ((first, part.entries), part.words))
            .unzip();
        let entry = |of: &Sorted| {
            let (first, entries) = &entries[of.part as usize];
            let entry = entries[of.at as usize];
            Entry {
                list: entry.list + first,
                ..entry
            }
        };
        Self {
            entries: order.par_iter().with_min_len(4096).map(entry).collect(),
            words: words.into_iter().flatten().collect(),
        }
    }

    /// Adds other changes, of other cells, behind these.
    pub fn append(&mut self, mut other: Self) {
        let lists = self.words.len() as u32;
        self.words.append(&mut other.words);
        let moved = other.entries.iter().map(|entry| Entry {
            list: entry.list + lists,
            ..*entry
        });
        self.entries.extend(moved);
    }

    /// How many cells changed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no cell changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The changes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.entries.iter().map(|entry| self.change(entry))
    }

    /// The changes at these places; a range beyond the end has none.
    pub fn range(&self, places: Range<usize>) -> impl ExactSizeIterator<Item = Change<'_>> {
        let entries = self.entries.get(places).unwrap_or(&[]);
        entries.iter().map(|entry| self.change(entry))
    }

    /// The paths of the changes at these places.
    pub fn paths(&self, places: Range<usize>) -> impl ExactSizeIterator<Item = &[u8; 32]> {
        let entries = self.entries.get(places).unwrap_or(&[]);
        entries.iter().map(|entry| &entry.path)
    }

    /// How many of the sorted changes have a path before this one.
    pub fn before(&self, path: &[u8; 32]) -> usize {
        self.entries.partition_point(|entry| entry.path < *path)
    }

    /// The memory that they take, in bytes.
    pub fn bytes(&self) -> usize {
        let words = self.words.iter().map(|list| size_of_val(&list[..]));
        size_of_val(&self.entries[..]) + words.sum::<usize>()
    }

    /// The change at this place.
    pub fn get(&self, n: usize) -> Option<Change<'_>> {
        self.entries.get(n).map(|entry| self.change(entry))
    }

    fn change<'a>(&'a self, entry: &'a Entry) -> Change<'a> {
        let list = self.words.get(entry.list as usize);
        let rest = list.and_then(|list| list.get(entry.at as usize..));
        let rest = rest.unwrap_or(&[]);
        let (key, rest) = rest.split_at_checked(entry.key.into()).unwrap_or_default();
        let (before, rest) = rest
            .split_at_checked(entry.value.into())
            .unwrap_or_default();
        Change {
            path: &entry.path,
            family: entry.family,
            key,
            before,
            after: rest.get(..entry.value.into()).unwrap_or(&[]),
        }
    }
}

impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Changes {}

/// Where a change is to be found, by the first bytes of its path: small, so that sorting is fast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sorted {
    first: u64,
    part: u32,
    at: u32,
}

/// The changes of all parts in the order of their paths.
fn order(parts: &[Changes]) -> Vec<Sorted> {
    let each = parts
        .par_iter()
        .enumerate()
        .flat_map_iter(|(part, changes)| {
            let entries = changes.entries.iter().zip(0..);
            entries.map(move |(entry, at)| Sorted {
                first: first_bytes(entry),
                part: part as u32,
                at,
            })
        });
    let mut order: Vec<Sorted> = each.collect();
    order.par_sort_unstable();
    // Only where the first bytes are the same, the others decide.
    let path = |of: &Sorted| &parts[of.part as usize].entries[of.at as usize].path;
    for same in order.chunk_by_mut(|a, b| a.first == b.first) {
        if same.len() > 1 {
            same.sort_unstable_by(|a, b| path(a).cmp(path(b)));
        }
    }
    order
}

fn first_bytes(entry: &Entry) -> u64 {
    let first = entry.path.first_chunk();
    first.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
