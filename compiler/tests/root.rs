//! The state root: vectors, and that a set of cells has exactly one root.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use gavel_compiler::ledger::{CellId, Root, State, branch, leaf, path, root};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn cell(family: u16, key: &[u32]) -> CellId {
    CellId {
        family,
        key: key.to_vec(),
    }
}

fn state(cells: &[(CellId, Vec<u32>)]) -> State {
    let mut state = State::new();
    for (cell, value) in cells {
        state.set(cell.clone(), value.clone());
    }
    state
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vectors() {
    let mut text = String::new();
    let mut line = |name: &str, value: String| text.push_str(&format!("{name}: {value}\n"));
    line("empty", root(&State::new()).to_string());
    let cells = [
        (cell(1, &[]), vec![5]),
        (cell(2, &[1, 0, 0, 0, 0, 0, 0, 0xffff_ffff]), vec![1, 2]),
        (cell(3, &[7]), (1..=16).collect()),
        (cell(4, &[]), vec![0, 0, 0, 0, 0, 0, 0, 9]),
    ];
    for (cell, value) in &cells {
        line("path", hex(&path(cell)));
        line("leaf", leaf(&path(cell), value).to_string());
    }
    for n in 1..=cells.len() {
        line(
            &format!("root of {n}"),
            root(&state(&cells[..n])).to_string(),
        );
    }
    insta::assert_snapshot!(text);
}

/// The definition once more, from `docs/ledger.md`, with nothing of ours.
#[test]
fn nodes_are_keyed_blake3_of_one_block() {
    let keyed = |domain: &[u8], bytes: &[u8]| {
        let mut key = [0; 32];
        key[..domain.len()].copy_from_slice(domain);
        *blake3::keyed_hash(&key, bytes).as_bytes()
    };
    let at = path(&cell(0x0102, &[0x0304_0506]));
    assert_eq!(at, keyed(b"cell", &[2, 1, 6, 5, 4, 3]));
    let mut block = [0; 64];
    block[..32].copy_from_slice(&at);
    block[32..36].copy_from_slice(&[4, 3, 2, 1]);
    assert_eq!(leaf(&at, &[0x0102_0304]).0, keyed(b"leaf", &block));
    assert_eq!(leaf(&at, &[0x0102_0304, 0, 0]).0, keyed(b"leaf", &block));
    let long: Vec<u8> = (0..9u32).flat_map(u32::to_le_bytes).collect();
    block[32..].copy_from_slice(&keyed(b"value", &long));
    let words: Vec<u32> = (0..9).collect();
    assert_eq!(leaf(&at, &words).0, keyed(b"leaf", &block));
    let (a, b) = (Root([1; 32]), Root([2; 32]));
    assert_eq!(branch(a, b).0, keyed(b"branch", &[a.0, b.0].concat()));
}

#[test]
fn small_trees_by_hand() {
    let node = |n: u32| {
        let path = path(&cell(1, &[n]));
        (path, leaf(&path, &[n]))
    };
    let tree = |cells: &[u32]| {
        let cells: Vec<_> = cells.iter().map(|n| (cell(1, &[*n]), vec![*n])).collect();
        root(&state(&cells))
    };
    let starts = |n: u32, bits: u8, count: u32| node(n).0[0] >> (8 - count) == bits;
    let find = |bits: u8, count: u32| (1..).find(|n| starts(*n, bits, count)).unwrap();
    let (left, right) = (find(0b0, 1), find(0b1, 1));
    // One cell is its leaf; two that part at once have one branch.
    assert_eq!(tree(&[left]), node(left).1);
    assert_eq!(tree(&[left, right]), branch(node(left).1, node(right).1));
    // Two that part at the second bit: the other half is empty.
    let (a, b) = (find(0b10, 2), find(0b11, 2));
    let pair = branch(node(a).1, node(b).1);
    assert_eq!(tree(&[a, b]), branch(Root::EMPTY, pair));
    assert_eq!(tree(&[left, a, b]), branch(node(left).1, pair));
}

/// Another way to the same root: cells put in one by one, into a tree with pointers.
enum Tree {
    Empty,
    Leaf([u8; 32], Root),
    Branch(Box<(Tree, Tree)>),
}

impl Tree {
    fn put(self, path: [u8; 32], node: Root, depth: usize) -> Self {
        let bit = |path: &[u8; 32]| path[depth / 8] & (0x80 >> (depth % 8)) != 0;
        match self {
            Self::Empty => Self::Leaf(path, node),
            Self::Leaf(old, other) => {
                let halves = match bit(&old) {
                    false => (Self::Leaf(old, other), Self::Empty),
                    true => (Self::Empty, Self::Leaf(old, other)),
                };
                Self::Branch(Box::new(halves)).put(path, node, depth)
            }
            Self::Branch(halves) => {
                let (left, right) = *halves;
                Self::Branch(Box::new(match bit(&path) {
                    false => (left.put(path, node, depth + 1), right),
                    true => (left, right.put(path, node, depth + 1)),
                }))
            }
        }
    }

    fn root(&self) -> Root {
        match self {
            Self::Empty => Root::EMPTY,
            Self::Leaf(_, node) => *node,
            Self::Branch(halves) => branch(halves.0.root(), halves.1.root()),
        }
    }
}

/// Families fix how many words keys and values have.
fn cells() -> impl Strategy<Value = BTreeMap<(u16, u32), u32>> {
    prop::collection::btree_map((0u16..5, 0u32..12), 0u32..3, 0..40)
}

fn spread((family, key): &(u16, u32), value: u32) -> (CellId, Vec<u32>) {
    let mut words = vec![0; 1 + 4 * usize::from(*family)];
    *words.last_mut().unwrap() = value;
    let key = vec![*key; 1 + usize::from(*family)];
    (cell(*family, &key), words)
}

fn build(cells: &BTreeMap<(u16, u32), u32>) -> State {
    let cells: Vec<_> = cells
        .iter()
        .map(|(key, value)| spread(key, *value))
        .collect();
    state(&cells)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn the_order_of_writes_does_not_matter(
        cells in prop::collection::vec(((0u16..5, 0u32..50), 1u32..3), 0..60),
        seed in any::<u64>(),
    ) {
        let unique: BTreeMap<_, _> = cells.into_iter().collect();
        let mut list: Vec<_> = unique.iter().map(|(key, value)| spread(key, *value)).collect();
        let ordered = state(&list);
        let count = list.len() as u64;
        for n in 0..list.len() {
            let other = seed.rotate_left(n as u32).wrapping_mul(n as u64 + 7) % count;
            list.swap(n, other as usize);
        }
        // Something else was there before, and zeros come and go.
        let mut shuffled = State::new();
        for (cell, value) in &list {
            shuffled.set(cell.clone(), vec![77; value.len()]);
            shuffled.set(cell.clone(), vec![0; value.len()]);
            shuffled.set(cell.clone(), value.clone());
        }
        prop_assert_eq!(&shuffled, &ordered);
        prop_assert_eq!(root(&shuffled), root(&ordered));
        let mut tree = Tree::Empty;
        for (cell, value) in ordered.cells() {
            let path = path(cell);
            tree = tree.put(path, leaf(&path, value), 0);
        }
        prop_assert_eq!(tree.root(), root(&ordered));
    }

    #[test]
    fn zero_removes(cells in cells(), key in (0u16..5, 0u32..12)) {
        let mut without = cells.clone();
        without.remove(&key);
        let mut zeroed = build(&cells);
        let (cell, zeros) = spread(&key, 0);
        zeroed.set(cell.clone(), zeros.clone());
        prop_assert_eq!(&zeroed, &build(&without));
        prop_assert_eq!(root(&zeroed), root(&build(&without)));
        prop_assert_eq!(zeroed.get(&cell, zeros.len()), zeros);
    }

    #[test]
    fn distinct_states_have_distinct_roots(a in cells(), b in cells()) {
        let (a, b) = (build(&a), build(&b));
        prop_assert_eq!(a == b, root(&a) == root(&b));
    }

    #[test]
    fn every_change_changes_the_root(cells in cells(), key in (0u16..5, 0u32..12), value in 0u32..3) {
        let before = build(&cells);
        let mut after = before.clone();
        let (cell, value) = spread(&key, value);
        after.set(cell, value);
        prop_assert_eq!(before == after, root(&before) == root(&after));
    }
}
