//! The state tree: the root of a ledger's cells, kept up to date batch by batch.
//!
//! The space of paths is cut into 2^depth *buckets* by their first bits. The nodes from the root
//! down to the buckets' roots are always in memory; the cells of a bucket only once a batch has
//! changed one of them, as path and leaf, without words. Other buckets are read, from wherever
//! the cells lie, when they are first touched, and compared with their roots.
//!
//! **Invariant:** the root is that of `gavel_compiler::ledger::root` over the same cells, however
//! the tree is cut and whatever it holds. A refused update leaves the tree as it was.
//!
//! Knows nothing of batches' calls, of files and of what cells mean.

mod build;
mod forest;
mod hash;
mod node;
mod proof;
mod prove;
mod shard;

pub use build::Builder;
pub(crate) use hash::path;
pub use node::{Count, Node};
pub use proof::{Found, Hex, Proof, ProofError, Shown};

use crate::{Changes, Ranged, Span};
use forest::Forest;
use gavel_compiler::ledger::Root;
use hash::Hash;
use node::Heap;
use rayon::prelude::*;
use shard::Shard;
use std::ops::Range;

/// A bucket's number: the first `depth` bits of its cells' paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(pub u32);

/// How the space of paths is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// How many bits of a path are its bucket's number.
    depth: u8,
    /// How many of them are its shard's number.
    top: u8,
}

/// Why a tree can't be updated or asked.
#[derive(Debug, thiserror::Error)]
pub enum TreeError<E: std::error::Error> {
    /// The cells can't be read.
    #[error(transparent)]
    Source(#[from] E),
    /// The cells that were read aren't those that the tree was made from.
    #[error(
        "the cells of bucket {} don't hash to its node: the state is damaged, or was changed \
         behind the tree's back",
        .bucket.0
    )]
    Disagrees {
        /// The bucket.
        bucket: Bucket,
    },
}

/// The state tree of a ledger.
#[derive(Debug)]
pub struct Tree {
    cut: Cut,
    /// The nodes from the root down to the shards.
    top: Heap,
    shards: Vec<Shard>,
    cells: u64,
    batch: u64,
}

/// What an update made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The number of the batch.
    pub batch: u64,
    /// The root.
    pub root: Root,
    /// How many cells aren't zero.
    pub cells: u64,
    /// The roots of the buckets with changed cells, ascending.
    pub nodes: Vec<(Bucket, Node)>,
}

impl Tree {
    /// The deepest cut: 2^28 buckets, for some billions of cells.
    pub const DEEPEST: u8 = 28;
    /// The most cells that a bucket should have on average.
    const FULL: u64 = 16;
    /// The fewest that it has on average when the tree is cut for a number of cells.
    const SPARSE: u64 = 2;
    /// How a small state is cut: shallower would save nothing.
    const SHALLOWEST: u8 = 12;

    /// A tree without cells, cut at this depth, or at the deepest that is possible.
    pub fn new(depth: u8) -> Self {
        let cut = Cut::new(depth);
        let below = cut.depth - cut.top;
        let shards = 0..1u32 << cut.top;
        Self {
            cut,
            top: Heap::new(cut.top),
            shards: shards.map(|n| Shard::new(cut, n << below, below)).collect(),
            cells: 0,
            batch: 0,
        }
    }

    /// The tree of a state that was stored after a batch: how many cells it has and the roots of
    /// the buckets that aren't empty, ascending.
    pub fn restore(depth: u8, batch: u64, cells: u64, roots: &[(Bucket, Node)]) -> Self {
        let mut tree = Self::new(depth);
        tree.set_roots(roots);
        Self {
            batch,
            cells,
            ..tree
        }
    }

    /// The depth to cut a tree of so many cells at: two to four of them in a bucket.
    pub fn depth_for(cells: u64) -> u8 {
        let buckets = (cells / Self::SPARSE).max(1);
        (buckets.ilog2() as u8).clamp(Self::SHALLOWEST, Self::DEEPEST)
    }

    /// The depth that it is cut at.
    pub fn depth(&self) -> u8 {
        self.cut.depth
    }

    /// The root.
    pub fn root(&self) -> Root {
        Root(self.top.root().hash)
    }

    /// How many cells aren't zero.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// The number of updates so far: that of the last batch.
    pub fn batch(&self) -> u64 {
        self.batch
    }

    /// Whether the buckets have become so full that the tree should be cut deeper.
    pub fn wants_deeper(&self) -> bool {
        self.cells >> self.cut.depth >= Self::FULL && self.cut.depth < Self::DEEPEST
    }

    /// Whether another tree is cut alike and has the same nodes.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let nodes = |tree: &Self| (tree.cut.depth, tree.cells);
        let mut shards = self.shards.iter().zip(&other.shards);
        nodes(self) == nodes(other)
            && self.top == other.top
            && shards.all(|(own, other)| own.heap() == other.heap())
    }

    /// The memory that it holds, in bytes.
    pub fn bytes(&self) -> usize {
        self.top.bytes() + self.shards.iter().map(Shard::bytes).sum::<usize>()
    }

    /// Drops the buckets from memory that were last changed by a batch up to this one. Only once
    /// their cells can be read from where [`Tree::update`] reads them.
    pub fn forget(&mut self, through: u64) {
        self.shards
            .par_iter_mut()
            .for_each(|shard| shard.forget(through));
    }

    /// Brings the tree to where the next batch's changes lead; they ascend by path. Buckets that
    /// it doesn't hold are read from the source: as before this batch and all that
    /// [`Tree::forget`] doesn't know of.
    ///
    /// # Errors
    /// If cells can't be read, or aren't those that the tree knows; then nothing has changed.
    pub fn update<S: Ranged>(
        &mut self,
        changes: &Changes,
        source: &S,
    ) -> Result<Updated, TreeError<S::Error>> {
        let ranges = self.ranges(changes);
        let fetched = self.shards.par_iter_mut().zip(&ranges);
        fetched.try_for_each(|(shard, range)| shard.fetch(changes, range.clone(), source))?;
        let batch = self.batch + 1;
        let applied = self.shards.par_iter_mut().zip(&ranges);
        let changed: Vec<_> = applied
            .map_init(Forest::new, |forest, (shard, range)| {
                shard.apply(changes, range.clone(), batch, forest)
            })
            .collect();
        self.batch = batch;
        let mut nodes = Vec::with_capacity(changed.iter().map(|shard| shard.nodes.len()).sum());
        let mut touched = Vec::new();
        for (n, shard) in changed.iter().enumerate() {
            self.cells = (self.cells + shard.added).saturating_sub(shard.removed);
            nodes.extend_from_slice(&shard.nodes);
            if !shard.nodes.is_empty() {
                touched.push(n);
            }
        }
        self.raise(&touched);
        Ok(Updated {
            batch,
            root: self.root(),
            cells: self.cells,
            nodes,
        })
    }

    /// Which changes belong to which shard.
    fn ranges(&self, changes: &Changes) -> Vec<Range<usize>> {
        let below = self.cut.depth - self.cut.top;
        let first = |n: usize| match self.shards.get(n) {
            Some(_) => changes.before(&self.cut.span(Bucket((n << below) as u32)).first),
            None => changes.len(),
        };
        (0..self.shards.len())
            .map(|n| first(n)..first(n + 1))
            .collect()
    }

    fn set_roots(&mut self, roots: &[(Bucket, Node)]) {
        let below = self.cut.depth - self.cut.top;
        let shard = |bucket: Bucket| (bucket.0 >> below) as usize;
        let mut touched = Vec::new();
        for own in roots.chunk_by(|(a, _), (b, _)| shard(*a) == shard(*b)) {
            let Some(n) = own.first().map(|(bucket, _)| shard(*bucket)) else {
                continue;
            };
            if let Some(shard) = self.shards.get_mut(n) {
                shard.set_roots(own);
                touched.push(n);
            }
        }
        self.raise(&touched);
    }

    /// Brings the nodes above these shards in line.
    fn raise(&mut self, touched: &[usize]) {
        for n in touched {
            if let Some(shard) = self.shards.get(*n) {
                self.top.set(*n, shard.heap().root());
            }
        }
        self.top.refresh(touched.iter().copied());
    }
}

impl Cut {
    fn new(depth: u8) -> Self {
        let depth = depth.min(Tree::DEEPEST);
        // Shards of at least 2^8 buckets have enough to hash side by side; 2^8 of them are
        // enough for many threads.
        let top = depth.saturating_sub(8).min(8);
        Self { depth, top }
    }

    fn bucket(&self, path: &Hash) -> Bucket {
        let [a, b, c, d, ..] = *path;
        let first = u64::from(u32::from_be_bytes([a, b, c, d]));
        Bucket((first >> (32 - self.depth)) as u32)
    }

    /// The paths in a bucket.
    fn span(&self, bucket: Bucket) -> Span {
        let start = (u64::from(bucket.0) << (32 - self.depth)) as u32;
        let rest = (u64::from(u32::MAX) >> self.depth) as u32;
        let path = |start: u32, fill: u8| {
            let mut path = [fill; 32];
            for (slot, byte) in path.iter_mut().zip(start.to_be_bytes()) {
                *slot = byte;
            }
            path
        };
        Span {
            first: path(start, 0),
            last: path(start | rest, 0xff),
        }
    }
}
