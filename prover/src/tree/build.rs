//! A tree from all cells of a state, in one pass that holds few of them.

use super::forest::{Forest, Leaf};
use super::hash::{Block, Domain, Hash, block, value};
use super::{Bucket, Cut, Node, Tree};

/// Takes the cells of a state in the order of their paths.
#[derive(Debug)]
pub struct Builder {
    cut: Cut,
    /// Cells whose buckets aren't hashed yet. All but those of the last bucket are complete.
    paths: Vec<Hash>,
    blocks: Vec<Block>,
    roots: Vec<(Bucket, Node)>,
    cells: u64,
}

impl Builder {
    /// How many cells are hashed at once.
    const TOGETHER: usize = 1 << 14;

    /// For a tree that is cut at this depth.
    pub fn new(depth: u8) -> Self {
        Self {
            cut: Cut::new(depth),
            paths: Vec::new(),
            blocks: Vec::new(),
            roots: Vec::new(),
            cells: 0,
        }
    }

    /// Takes the next cell, which isn't zero.
    pub fn push(&mut self, path: &[u8; 32], words: &[u32]) {
        let is_new = self
            .paths
            .last()
            .is_some_and(|last| self.cut.bucket(last) != self.cut.bucket(path));
        if is_new && self.paths.len() >= Self::TOGETHER {
            self.hash();
        }
        self.paths.push(*path);
        self.blocks.push(block(path, &value(words)));
        self.cells += 1;
    }

    fn hash(&mut self) {
        let mut nodes = vec![[0; 32]; self.blocks.len()];
        Domain::Leaf.wide(&self.blocks, &mut nodes);
        self.blocks.clear();
        let leaves: Vec<Leaf> = self
            .paths
            .drain(..)
            .zip(nodes)
            .map(|(path, node)| Leaf { path, node })
            .collect();
        let bucket = |leaf: &Leaf| self.cut.bucket(&leaf.path);
        let mut forest = Forest::new();
        let mut planned = Vec::new();
        for own in leaves.chunk_by(|a, b| bucket(a) == bucket(b)) {
            if let Some(first) = own.first() {
                planned.push((bucket(first), forest.plan(own, self.cut.depth.into())));
            }
        }
        forest.hash();
        let roots = planned.into_iter();
        self.roots
            .extend(roots.map(|(bucket, planned)| (bucket, forest.root(planned))));
    }

    /// The tree of a state after this batch, and the roots of its buckets that aren't empty.
    pub fn finish(mut self, batch: u64) -> (Tree, Vec<(Bucket, Node)>) {
        self.hash();
        let tree = Tree::restore(self.cut.depth, batch, self.cells, &self.roots);
        (tree, self.roots)
    }
}
