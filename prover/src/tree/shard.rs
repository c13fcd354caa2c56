//! Buckets of cells that lie side by side, with the nodes above them: what one thread works on.

use super::forest::{Forest, Leaf};
use super::hash::{Domain, Hash, block, value};
use super::node::{Count, Heap, Node};
use super::{Bucket, Cut, TreeError};
use crate::{Change, Changes, Ranged, Span};
use std::ops::Range;

/// A run of 2^k buckets.
#[derive(Debug)]
pub(crate) struct Shard {
    cut: Cut,
    /// The number of its first bucket.
    first: u32,
    /// The nodes above the buckets, from the shard's root down to the buckets' roots.
    heap: Heap,
    held: Vec<Option<Held>>,
}

/// A bucket that lies in memory.
#[derive(Debug)]
struct Held {
    /// In the order of their paths.
    leaves: Vec<Leaf>,
    /// The batch that last changed it.
    changed: u64,
}

/// A bucket with its cells.
type Read = (Bucket, Vec<Leaf>);

/// What an update made of a shard.
pub(crate) struct Changed {
    pub(crate) nodes: Vec<(Bucket, Node)>,
    pub(crate) added: u64,
    pub(crate) removed: u64,
}

impl Shard {
    pub(crate) fn new(cut: Cut, first: u32, depth: u8) -> Self {
        Self {
            cut,
            first,
            heap: Heap::new(depth),
            held: (0..1u32 << depth).map(|_| None).collect(),
        }
    }

    pub(crate) fn heap(&self) -> &Heap {
        &self.heap
    }

    /// Gives some of its buckets their roots; they ascend.
    pub(crate) fn set_roots(&mut self, roots: &[(Bucket, Node)]) {
        for (bucket, node) in roots {
            self.heap.set(self.place(*bucket), *node);
        }
        let places = roots.iter().map(|(bucket, _)| self.place(*bucket));
        let places: Vec<usize> = places.collect();
        self.heap.refresh(places.into_iter());
    }

    /// Where a bucket stands among its own.
    fn place(&self, bucket: Bucket) -> usize {
        (bucket.0 - self.first) as usize
    }

    /// Puts the buckets in memory that these changes touch. Nothing else changes.
    pub(crate) fn fetch<S: Ranged>(
        &mut self,
        changes: &Changes,
        range: Range<usize>,
        source: &S,
    ) -> Result<(), TreeError<S::Error>> {
        let mut missing: Vec<Bucket> = Vec::new();
        for path in changes.paths(range) {
            let bucket = self.cut.bucket(path);
            let place = self.place(bucket);
            if self.held[place].is_some() || missing.last() == Some(&bucket) {
                continue;
            }
            if self.heap.get(place).count == Count::None {
                self.hold(bucket, Vec::new());
            } else {
                missing.push(bucket);
            }
        }
        for (bucket, mut leaves) in self.read(&missing, source)? {
            leaves.shrink_to_fit();
            self.hold(bucket, leaves);
        }
        Ok(())
    }

    fn hold(&mut self, bucket: Bucket, leaves: Vec<Leaf>) {
        let place = self.place(bucket);
        self.held[place] = Some(Held { leaves, changed: 0 });
    }

    /// Reads buckets, which ascend, and compares them with their roots.
    fn read<S: Ranged>(
        &self,
        buckets: &[Bucket],
        source: &S,
    ) -> Result<Vec<Read>, TreeError<S::Error>> {
        let spans: Vec<Span> = buckets
            .iter()
            .map(|bucket| self.cut.span(*bucket))
            .collect();
        let mut paths: Vec<(usize, Hash)> = Vec::new();
        let mut blocks = Vec::new();
        source.cells_in(&spans, &mut |n, path, words| {
            paths.push((n, *path));
            blocks.push(block(path, &value(words)));
        })?;
        let mut nodes = vec![[0; 32]; blocks.len()];
        Domain::Leaf.wide(&blocks, &mut nodes);
        let mut read: Vec<_> = buckets.iter().map(|bucket| (*bucket, Vec::new())).collect();
        for ((n, path), node) in paths.into_iter().zip(nodes) {
            if let Some((_, leaves)) = read.get_mut(n) {
                leaves.push(Leaf { path, node });
            }
        }
        let mut forest = Forest::new();
        let depth = self.cut.depth.into();
        let planned: Vec<_> = read
            .iter()
            .map(|(bucket, leaves)| (*bucket, forest.plan(leaves, depth)))
            .collect();
        forest.hash();
        for (bucket, planned) in planned {
            if forest.root(planned) != self.heap.get(self.place(bucket)) {
                return Err(TreeError::Disagrees { bucket });
            }
        }
        Ok(read)
    }

    /// Applies changes to buckets that all lie in memory, and makes the nodes above them anew.
    pub(crate) fn apply(
        &mut self,
        changes: &Changes,
        range: Range<usize>,
        batch: u64,
        forest: &mut Forest,
    ) -> Changed {
        let leaves = leaves_after(changes, range);
        let mut changed = Changed {
            nodes: Vec::new(),
            added: 0,
            removed: 0,
        };
        self.warm(&leaves);
        // First all buckets' cells, then all plans: the reads from memory that the first has to
        // wait for don't depend on each other.
        let mut touched = Vec::with_capacity(leaves.len());
        let cut = self.cut;
        for news in leaves.chunk_by(|a, b| cut.bucket(&a.path) == cut.bucket(&b.path)) {
            let Some(bucket) = news.first().map(|leaf| cut.bucket(&leaf.path)) else {
                continue;
            };
            let place = self.place(bucket);
            let Some(held) = &mut self.held[place] else {
                continue;
            };
            let before = held.leaves.len();
            let added = put(&mut held.leaves, news);
            changed.added += added as u64;
            changed.removed += (before + added - held.leaves.len()) as u64;
            held.changed = batch;
            touched.push(bucket);
        }
        forest.clear();
        let mut planned = Vec::with_capacity(touched.len());
        for bucket in touched {
            if let Some(held) = &self.held[self.place(bucket)] {
                planned.push((bucket, forest.plan(&held.leaves, cut.depth.into())));
            }
        }
        forest.hash();
        let roots = planned.into_iter();
        changed.nodes = roots
            .map(|(bucket, planned)| (bucket, forest.root(planned)))
            .collect();
        self.set_roots(&changed.nodes);
        changed
    }

    /// Reads a little of the buckets that these leaves go to, for the same reason as [`warm`].
    fn warm(&self, leaves: &[Leaf]) {
        let bucket = |leaf: &Leaf| self.held[self.place(self.cut.bucket(&leaf.path))].as_ref();
        let first = |leaf: &Leaf| leaf.path[0];
        let all = |held: &Held| {
            held.leaves
                .iter()
                .map(first)
                .fold(0, |all, byte| all ^ byte)
        };
        let read = leaves.iter().map(|leaf| bucket(leaf).map_or(0, all));
        std::hint::black_box(read.fold(0, |all, byte| all ^ byte));
    }

    /// The leaves of a bucket, from memory or from where the cells lie.
    pub(crate) fn leaves<S: Ranged>(
        &self,
        bucket: Bucket,
        source: &S,
    ) -> Result<Vec<Leaf>, TreeError<S::Error>> {
        if let Some(held) = &self.held[self.place(bucket)] {
            return Ok(held.leaves.clone());
        }
        let read = self.read(&[bucket], source)?;
        Ok(read.into_iter().flat_map(|(_, leaves)| leaves).collect())
    }

    /// Drops the buckets from memory that no batch after this one changed.
    pub(crate) fn forget(&mut self, through: u64) {
        for held in &mut self.held {
            held.take_if(|held| held.changed <= through);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let held = self.held.iter().flatten();
        let leaves: usize = held
            .map(|held| held.leaves.capacity() * size_of::<Leaf>())
            .sum();
        self.heap.bytes() + size_of_val(&self.held[..]) + leaves
    }
}

/// The leaves that cells have after changes; zeros for those that are gone.
fn leaves_after(changes: &Changes, range: Range<usize>) -> Vec<Leaf> {
    let is_gone = |change: &Change<'_>| change.after.iter().all(|word| *word == 0);
    warm(changes, range.clone());
    let mut leaves = Vec::with_capacity(range.len());
    let mut blocks = Vec::with_capacity(range.len());
    for change in changes.range(range) {
        let (path, node) = (*change.path, GONE);
        leaves.push(Leaf { path, node });
        if !is_gone(&change) {
            blocks.push((leaves.len() - 1, block(change.path, &value(change.after))));
        }
    }
    let (places, blocks): (Vec<usize>, Vec<_>) = blocks.into_iter().unzip();
    let mut nodes = vec![[0; 32]; blocks.len()];
    Domain::Leaf.wide(&blocks, &mut nodes);
    for (place, node) in places.into_iter().zip(nodes) {
        leaves[place].node = node;
    }
    leaves
}

/// Reads one word of each change. Words lie far apart in memory; this small loop waits for many of
/// them at once, where the one that uses them would wait for each.
fn warm(changes: &Changes, range: Range<usize>) {
    let last = |change: Change<'_>| change.after.last().copied().unwrap_or(0);
    let words = changes.range(range).map(last);
    std::hint::black_box(words.fold(0, |all, word| all ^ word));
}

/// The node of a cell that is no more. No leaf has it: that would break BLAKE3.
const GONE: Hash = [0; 32];

/// Puts leaves among others, or takes those out that are gone; all ascend. How many were not
/// there before and are now.
fn put(leaves: &mut Vec<Leaf>, news: &[Leaf]) -> usize {
    /// From how many on it is better to merge than to look each up and move those behind it.
    const MANY: usize = 8;
    if news.len() >= MANY {
        return merge(leaves, news);
    }
    let mut added = 0;
    for new in news {
        match leaves.binary_search_by(|leaf| leaf.path.cmp(&new.path)) {
            Ok(at) if new.node == GONE => {
                leaves.remove(at);
            }
            Ok(at) => leaves[at] = *new,
            Err(_) if new.node == GONE => {}
            Err(at) => {
                // Most buckets have few cells and seldom get more: little space is left for them.
                if leaves.len() == leaves.capacity() {
                    leaves.reserve_exact(2);
                }
                leaves.insert(at, *new);
                added += 1;
            }
        }
    }
    added
}

fn merge(leaves: &mut Vec<Leaf>, news: &[Leaf]) -> usize {
    let mut added = 0;
    let mut merged = Vec::with_capacity(leaves.len() + news.len());
    let mut old = leaves.iter().peekable();
    for new in news {
        while let Some(leaf) = old.next_if(|leaf| leaf.path < new.path) {
            merged.push(*leaf);
        }
        let replaced = old.next_if(|leaf| leaf.path == new.path).is_some();
        if new.node != GONE {
            merged.push(*new);
            added += usize::from(!replaced);
        }
    }
    merged.extend(old);
    *leaves = merged;
    added
}
