//! The roots of many small subtrees, hashed together.
//!
//! A subtree's branches depend on each other, but those of one *rank*, that is with as many
//! branches below them on the longest way, don't: so all subtrees are planned first, and then each
//! rank of all of them is hashed side by side.

use super::hash::{Domain, Hash, WIDTH, block};
use super::node::{Count, Node};

/// A cell in the tree: its path and its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) path: Hash,
    pub(crate) node: Hash,
}

/// A node of a forest, perhaps not yet hashed.
#[derive(Clone, Copy, Debug)]
struct Place {
    rank: u16,
    at: u32,
}

impl Place {
    /// The first of rank 0 is what has no cell.
    const EMPTY: Self = Self { rank: 0, at: 0 };
}

/// The branches of one rank. Rank 0 has leaves instead.
#[derive(Debug, Default)]
struct Rank {
    pairs: Vec<(Place, Place)>,
    hashes: Vec<Hash>,
}

/// The root of a planned subtree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    count: Count,
    place: Place,
}

/// A subtree on the way up.
#[derive(Clone, Copy, Debug)]
struct Part {
    place: Place,
    /// The depth at which its root hangs, if it is a branch.
    at: Option<u16>,
    /// One of its leaves.
    leaf: u32,
    /// The first bit in which its last path differs from the next leaf's.
    parts: u16,
}

/// Subtrees that are planned, then hashed.
#[derive(Debug)]
pub(crate) struct Forest {
    ranks: Vec<Rank>,
    /// Parts of the subtree that is being planned, from left to right, each deeper than the last.
    open: Vec<Part>,
}

impl Forest {
    pub(crate) fn new() -> Self {
        let leaves = Rank {
            hashes: vec![[0; 32]],
            ..Rank::default()
        };
        Self {
            ranks: vec![leaves],
            open: Vec::new(),
        }
    }

    /// Forgets all subtrees and keeps the memory.
    pub(crate) fn clear(&mut self) {
        for rank in &mut self.ranks {
            rank.pairs.clear();
            rank.hashes.clear();
        }
        self.ranks[0].hashes.push([0; 32]);
    }

    /// Plans the subtree of sorted leaves, whose paths agree in their first `depth` bits.
    pub(crate) fn plan(&mut self, leaves: &[Leaf], depth: u16) -> Planned {
        let mut last = None;
        for (n, leaf) in leaves.iter().enumerate() {
            let next = leaves.get(n + 1);
            let parts = next.map(|next| common_bits(&leaf.path, &next.path));
            let mut part = Part {
                place: self.leaf(leaf),
                at: None,
                leaf: n as u32,
                parts: parts.unwrap_or(0),
            };
            let joins = |left: &mut Part| parts.is_none_or(|bits| left.parts > bits);
            while let Some(left) = self.open.pop_if(joins) {
                part = self.join(leaves, left, part);
            }
            match parts {
                Some(_) => self.open.push(part),
                None => last = Some(part),
            }
        }
        let Some(part) = last else {
            return Planned {
                count: Count::None,
                place: Place::EMPTY,
            };
        };
        let count = match part.at {
            None => Count::One,
            Some(_) => Count::Many,
        };
        let place = self.lift(leaves, part, depth);
        Planned { count, place }
    }

    fn leaf(&mut self, leaf: &Leaf) -> Place {
        let hashes = &mut self.ranks[0].hashes;
        let at = hashes.len() as u32;
        hashes.push(leaf.node);
        Place { rank: 0, at }
    }

    /// The branch of two neighbours, at the depth where their paths part.
    fn join(&mut self, leaves: &[Leaf], left: Part, right: Part) -> Part {
        let depth = left.parts;
        let below_left = self.lift(leaves, left, depth + 1);
        let below_right = self.lift(leaves, right, depth + 1);
        Part {
            place: self.branch(below_left, below_right),
            at: Some(depth),
            ..right
        }
    }

    /// The node at `depth` above a part: a leaf is one everywhere, a branch has empty sides.
    fn lift(&mut self, leaves: &[Leaf], part: Part, depth: u16) -> Place {
        let from = part.at.unwrap_or(depth);
        if from == depth {
            return part.place;
        }
        let path = &leaves[part.leaf as usize].path;
        (depth..from).rev().fold(part.place, |place, depth| {
            if bit(path, depth) {
                self.branch(Place::EMPTY, place)
            } else {
                self.branch(place, Place::EMPTY)
            }
        })
    }

    fn branch(&mut self, left: Place, right: Place) -> Place {
        let rank = left.rank.max(right.rank) + 1;
        if self.ranks.len() <= rank.into() {
            self.ranks.push(Rank::default());
        }
        let pairs = &mut self.ranks[usize::from(rank)].pairs;
        let at = pairs.len() as u32;
        pairs.push((left, right));
        Place { rank, at }
    }

    /// Hashes all that is planned.
    pub(crate) fn hash(&mut self) {
        for rank in 1..self.ranks.len() {
            let (below, here) = self.ranks.split_at_mut(rank);
            let Some(here) = here.first_mut() else { return };
            let node = |place: Place| &below[usize::from(place.rank)].hashes[place.at as usize];
            here.hashes.resize(here.pairs.len(), [0; 32]);
            let mut blocks = [[0; 64]; WIDTH];
            for (pairs, hashes) in here.pairs.chunks(WIDTH).zip(here.hashes.chunks_mut(WIDTH)) {
                for (slot, (left, right)) in blocks.iter_mut().zip(pairs) {
                    *slot = block(node(*left), node(*right));
                }
                Domain::Branch.wide(&blocks[..pairs.len()], hashes);
            }
        }
    }

    /// The root of a subtree, after [`Forest::hash`].
    pub(crate) fn root(&self, planned: Planned) -> Node {
        let place = planned.place;
        Node {
            count: planned.count,
            hash: self.ranks[usize::from(place.rank)].hashes[place.at as usize],
        }
    }
}

/// A bit of a path, high bit of the first byte first. Beyond its end they count as 0.
pub(crate) fn bit(path: &Hash, depth: u16) -> bool {
    let byte = path.get(usize::from(depth / 8)).copied().unwrap_or(0);
    byte & (0x80 >> (depth % 8)) != 0
}

/// In how many first bits two paths agree.
pub(crate) fn common_bits(a: &Hash, b: &Hash) -> u16 {
    let (a, _) = a.as_chunks::<8>();
    let (b, _) = b.as_chunks::<8>();
    let mut bits = 0;
    for (a, b) in a.iter().zip(b) {
        let differ = u64::from_be_bytes(*a) ^ u64::from_be_bytes(*b);
        if differ != 0 {
            return bits + differ.leading_zeros() as u16;
        }
        bits += 64;
    }
    bits
}
