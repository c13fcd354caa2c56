//! What a batch changes: cells with their words before and after, flat in memory.

use gavel_compiler::ledger::{CellId, path};
use std::ops::Range;

/// The cells that a batch left with other words than they had, in the order of their
/// [paths](gavel_compiler::ledger::path).
///
/// **Invariant:** each cell is there once, and its words before and after differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    entries: Vec<Entry>,
    words: Vec<u32>,
}

/// Where one change lies among the words: its key, its value before, its value after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    path: [u8; 32],
    at: usize,
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

    /// Adds a change, unless both values are the same. The values have the same number of
    /// words, fewer than 2^16, and so has the key. Who adds them in another order than that of
    /// their paths calls [`Changes::sort`] at the end.
    pub fn push(&mut self, change: Change<'_>) {
        if change.before == change.after {
            return;
        }
        self.entries.push(Entry {
            path: *change.path,
            at: self.words.len(),
            family: change.family,
            key: change.key.len() as u16,
            value: change.after.len() as u16,
        });
        for part in [change.key, change.before, change.after] {
            self.words.extend_from_slice(part);
        }
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

    /// Brings the changes into the order of their paths.
    pub fn sort(&mut self) {
        self.entries.sort_unstable_by_key(|entry| entry.path);
    }

    /// Adds other changes, of other cells, behind these.
    pub fn append(&mut self, other: &Self) {
        let offset = self.words.len();
        self.words.extend_from_slice(&other.words);
        let moved = other.entries.iter().map(|entry| Entry {
            at: entry.at + offset,
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
        size_of_val(&self.entries[..]) + size_of_val(&self.words[..])
    }

    /// The change at this place.
    pub fn get(&self, n: usize) -> Option<Change<'_>> {
        self.entries.get(n).map(|entry| self.change(entry))
    }

    fn change<'a>(&'a self, entry: &'a Entry) -> Change<'a> {
        let rest = self.words.get(entry.at..).unwrap_or(&[]);
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
