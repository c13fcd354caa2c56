//! The way from the root down to a cell, or to where it would hang, as a proof.

use super::forest::{Forest, Leaf, bit};
use super::hash::{Domain, Hash, block, value};
use super::node::{Count, Node};
use super::proof::{Found, Hex, Proof};
use super::{Bucket, Tree, TreeError};
use crate::{Backing, Ranged};
use gavel_compiler::ledger::{CellId, path};

/// A way down: the nodes beside it and the cell at its end, if there is one.
struct Way {
    siblings: Vec<Hash>,
    end: Option<Leaf>,
}

impl Tree {
    /// A proof of what a cell is. Words come from `words`, which must be up to date; buckets
    /// that the tree doesn't hold come from `source`, as for [`Tree::update`].
    ///
    /// # Errors
    /// If cells can't be read or aren't those that the tree knows.
    pub fn prove<W, S>(
        &self,
        cell: &CellId,
        words: &W,
        source: &S,
    ) -> Result<Proof, TreeError<S::Error>>
    where
        S: Ranged,
        W: Backing<Error = S::Error>,
    {
        let path = path(cell);
        let way = self.way(&path, source)?;
        let found = match way.end {
            None => Found::Nothing,
            Some(leaf) => {
                let read = words.load(&[leaf.path])?;
                let words = read.into_iter().next().unwrap_or_default();
                let value = value(&words);
                if Domain::Leaf.hash(&block(&leaf.path, &value)) != leaf.node {
                    let bucket = self.cut.bucket(&leaf.path);
                    return Err(TreeError::Disagrees { bucket });
                }
                if leaf.path == path {
                    Found::Value(words.into_iter().map(Hex::from).collect())
                } else {
                    let (path, value) = (Hex(leaf.path), Hex(value));
                    Found::Other { path, value }
                }
            }
        };
        Ok(Proof {
            family: cell.family,
            key: cell.key.iter().copied().map(Hex::from).collect(),
            path: Hex(path),
            found,
            siblings: way.siblings.into_iter().map(Hex).collect(),
        })
    }

    /// The way down to a path.
    fn way<S: Ranged>(&self, path: &Hash, source: &S) -> Result<Way, TreeError<S::Error>> {
        let mut siblings = Vec::new();
        let bucket = self.cut.bucket(path);
        for depth in 0..=self.cut.depth {
            let index = bucket.0 >> (self.cut.depth - depth);
            if depth > 0 {
                siblings.push(self.node(depth, index ^ 1).hash);
            }
            let end = match self.node(depth, index).count {
                Count::Many => continue,
                Count::None => None,
                Count::One => {
                    let bucket = self.only(depth, index);
                    self.leaves(bucket, source)?.first().copied()
                }
            };
            return Ok(Way { siblings, end });
        }
        let leaves = self.leaves(bucket, source)?;
        let (below, end) = way_among(&leaves, path, self.cut.depth.into());
        siblings.extend(below);
        Ok(Way { siblings, end })
    }

    /// A node by its depth and the bits of the way to it.
    fn node(&self, depth: u8, index: u32) -> Node {
        let top = self.cut.top;
        match depth.checked_sub(top) {
            None | Some(0) => self.top.at(depth, index as usize),
            Some(below) => {
                let (shard, place) = (index >> below, index & ((1 << below) - 1));
                self.shards[shard as usize].heap().at(below, place as usize)
            }
        }
    }

    /// The bucket that has the only cell below a node.
    fn only(&self, depth: u8, index: u32) -> Bucket {
        let below = depth..self.cut.depth;
        Bucket(below.fold(index, |index, depth| {
            let left = self.node(depth + 1, 2 * index);
            2 * index + u32::from(left.count == Count::None)
        }))
    }

    fn leaves<S: Ranged>(
        &self,
        bucket: Bucket,
        source: &S,
    ) -> Result<Vec<Leaf>, TreeError<S::Error>> {
        let shard = bucket.0 >> (self.cut.depth - self.cut.top);
        self.shards[shard as usize].leaves(bucket, source)
    }
}

/// The way from the root of sorted leaves, whose paths agree in `depth` bits, down to a path.
fn way_among(leaves: &[Leaf], path: &Hash, depth: u16) -> (Vec<Hash>, Option<Leaf>) {
    let mut forest = Forest::new();
    let mut beside = Vec::new();
    let (mut leaves, mut depth) = (leaves, depth);
    while leaves.len() > 1 {
        let right = leaves.partition_point(|leaf| !bit(&leaf.path, depth));
        let (left, right) = leaves.split_at(right);
        let (own, other) = match bit(path, depth) {
            false => (left, right),
            true => (right, left),
        };
        depth += 1;
        beside.push(forest.plan(other, depth));
        leaves = own;
    }
    forest.hash();
    let siblings = beside.into_iter().map(|node| forest.root(node).hash);
    (siblings.collect(), leaves.first().copied())
}
