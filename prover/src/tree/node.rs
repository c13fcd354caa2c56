//! Nodes, and the part of the tree that always lies in memory.

use super::hash::{Domain, Hash, WIDTH, block};

/// How many cells hang below a node. One is told from many because a subtree with one cell *is*
/// that cell's leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// None: the node is 32 zero bytes.
    #[default]
    None,
    /// One: the node is its leaf.
    One,
    /// Two or more: the node is a branch.
    Many,
}

/// A node: the root of a subtree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// How many cells hang below it.
    pub count: Count,
    /// Its hash.
    pub hash: [u8; 32],
}

impl Node {
    /// The node above two others, if that needs no hash.
    fn above(left: Self, right: Self) -> Option<Self> {
        match (left.count, right.count) {
            (Count::None, Count::None | Count::One) => Some(right),
            (Count::One, Count::None) => Some(left),
            _ => None,
        }
    }
}

/// A complete binary tree of nodes over 2^depth places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heap {
    depth: u8,
    /// The root is number 1; below number n are 2n and 2n + 1. Number 0 is unused.
    nodes: Vec<Node>,
}

impl Heap {
    pub(crate) fn new(depth: u8) -> Self {
        let nodes = vec![Node::default(); 2 << depth];
        Self { depth, nodes }
    }

    pub(crate) fn root(&self) -> Node {
        self.nodes[1]
    }

    /// The node at a place of the lowest level.
    pub(crate) fn get(&self, place: usize) -> Node {
        self.nodes[(1 << self.depth) + place]
    }

    /// Puts a node at a place of the lowest level. [`Heap::refresh`] brings those above in line.
    pub(crate) fn set(&mut self, place: usize, node: Node) {
        self.nodes[(1 << self.depth) + place] = node;
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.nodes[..])
    }

    /// Makes the nodes above these places of the lowest level anew. The places ascend.
    pub(crate) fn refresh(&mut self, places: impl Iterator<Item = usize>) {
        let mut above: Vec<usize> = places.map(|place| (1 << self.depth) + place).collect();
        for _ in 0..self.depth {
            for number in &mut above {
                *number /= 2;
            }
            above.dedup();
            self.level(&above);
        }
    }

    /// Makes nodes of one level anew from those below.
    fn level(&mut self, numbers: &[usize]) {
        let mut queue = Vec::with_capacity(WIDTH);
        for number in numbers {
            let (left, right) = (self.nodes[2 * number], self.nodes[2 * number + 1]);
            match Node::above(left, right) {
                Some(node) => self.nodes[*number] = node,
                None => queue.push(*number),
            }
            if queue.len() == WIDTH {
                self.hash(&mut queue);
            }
        }
        self.hash(&mut queue);
    }

    fn hash(&mut self, queue: &mut Vec<usize>) {
        let mut blocks = [[0; 64]; WIDTH];
        let mut hashes: [Hash; WIDTH] = Default::default();
        for (slot, number) in blocks.iter_mut().zip(&*queue) {
            let (left, right) = (&self.nodes[2 * number], &self.nodes[2 * number + 1]);
            *slot = block(&left.hash, &right.hash);
        }
        let blocks = &blocks[..queue.len()];
        Domain::Branch.wide(blocks, &mut hashes[..queue.len()]);
        for (number, hash) in queue.drain(..).zip(hashes) {
            let count = Count::Many;
            self.nodes[number] = Node { count, hash };
        }
    }

    /// A node of any level, by its place there.
    pub(crate) fn at(&self, depth: u8, place: usize) -> Node {
        self.nodes[(1 << depth) + place]
    }
}
