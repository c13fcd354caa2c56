//! The first state in memory: a table that engines read cells from which they haven't seen.

use std::convert::Infallible;

use gavel_compiler::ledger::path;
use gavel_prover::tree::{Builder, Tree};
use gavel_prover::workload::Workload;
use gavel_prover::{Backing, EachCell, Ranged, Span};
use rayon::prelude::*;

/// Where a cell's words are.
#[derive(Clone, Copy, Debug)]
struct Entry {
    path: [u8; 32],
    at: u32,
    words: u32,
}

/// All cells by path. Paths are as good as random, so the first bits say about where one is.
#[derive(Debug)]
pub(super) struct Genesis {
    entries: Vec<Entry>,
    words: Vec<u32>,
    /// By the first bits of a path: the number of the first entry with these or higher ones.
    starts: Vec<u32>,
    bits: u32,
}

/// Cells whose paths are computed together.
const TOGETHER: usize = 1 << 16;

impl Genesis {
    /// The state that a workload starts from.
    pub fn new(workload: &Workload) -> Self {
        let mut entries = Vec::new();
        let mut words: Vec<u32> = Vec::new();
        let mut cells = workload.cells();
        loop {
            let some: Vec<_> = cells.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                break;
            }
            let paths: Vec<[u8; 32]> = some.par_iter().map(|(cell, _)| path(cell)).collect();
            for ((_, value), path) in some.iter().zip(paths) {
                entries.push(Entry {
                    path,
                    at: words.len() as u32,
                    words: value.len() as u32,
                });
                words.extend(value);
            }
        }
        entries.par_sort_unstable_by_key(|entry| entry.path);
        let bits = entries.len().max(2).ilog2();
        let mut starts: Vec<u32> = vec![0; 1 << bits];
        for entry in &entries {
            // What comes after this entry's prefix starts behind it.
            let next = prefix_of(&entry.path, bits) as usize + 1;
            if let Some(count) = starts.get_mut(next) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self {
            starts,
            bits,
            entries,
            words,
        }
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Its tree.
    pub fn tree(&self) -> Tree {
        let mut builder = Builder::new(Tree::depth_for(self.len() as u64));
        for entry in &self.entries {
            builder.push(&entry.path, self.value(entry));
        }
        builder.finish(0).0
    }

    fn value(&self, entry: &Entry) -> &[u32] {
        let at = entry.at as usize;
        let range = at..at.saturating_add(entry.words as usize);
        self.words.get(range).unwrap_or(&[])
    }

    /// The number of the first entry whose path isn't lower than this one.
    fn find(&self, path: &[u8; 32]) -> usize {
        let prefix = prefix_of(path, self.bits) as usize;
        let start = |n: usize| self.starts.get(n).map_or(self.len(), |at| *at as usize);
        let begin = start(prefix);
        let own = self.entries.get(begin..start(prefix.saturating_add(1)));
        let lower = own.unwrap_or(&[]).partition_point(|e| e.path < *path);
        begin.saturating_add(lower)
    }
}

/// The first bits of a path.
fn prefix_of(path: &[u8; 32], bits: u32) -> u32 {
    let first = path
        .first_chunk()
        .map_or(0, |bytes| u32::from_be_bytes(*bytes));
    first >> (32 - bits.clamp(1, 32))
}

impl Backing for Genesis {
    type Error = Infallible;

    fn load(&self, paths: &[[u8; 32]]) -> Result<Vec<Vec<u32>>, Infallible> {
        let value = |path: &[u8; 32]| match self.entries.get(self.find(path)) {
            Some(entry) if entry.path == *path => self.value(entry).to_vec(),
            _ => Vec::new(),
        };
        Ok(paths.iter().map(value).collect())
    }
}

impl Ranged for Genesis {
    fn cells_in(&self, spans: &[Span], each: &mut EachCell<'_>) -> Result<(), Infallible> {
        for (n, span) in spans.iter().enumerate() {
            let from = self.entries.get(self.find(&span.first)..).unwrap_or(&[]);
            for entry in from.iter().take_while(|entry| entry.path <= span.last) {
                each(n, &entry.path, self.value(entry));
            }
        }
        Ok(())
    }
}
