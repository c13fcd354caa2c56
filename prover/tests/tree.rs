//! The state tree against the reference: same root, however it is cut and whatever it holds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use gavel_compiler::ledger::{CellId, Root, State, branch, leaf, root};
use gavel_prover::tree::{Builder, Tree, TreeError};
use gavel_prover::{Change, Changes, InMemory};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A state, and a tree over what its last checkpoint stored.
struct Both {
    state: State,
    stored: InMemory,
    unstored: Vec<Changes>,
    tree: Tree,
}

impl Both {
    fn new(depth: u8) -> Self {
        Self {
            state: State::new(),
            stored: InMemory::default(),
            unstored: Vec::new(),
            tree: Tree::new(depth),
        }
    }

    /// Gives cells values, in both, and compares.
    fn set(&mut self, cells: &[(CellId, Vec<u32>)]) {
        let cells: BTreeMap<_, _> = cells.iter().cloned().collect();
        let mut changes = Changes::new();
        for (cell, after) in &cells {
            changes.add(cell, &self.state.get(cell, after.len()), after);
            self.state.set(cell.clone(), after.clone());
        }
        changes.sort();
        let updated = self.tree.update(&changes, &self.stored).unwrap();
        assert_eq!(updated.root, root(&self.state));
        assert_eq!(updated.root, self.tree.root());
        assert_eq!(updated.cells, self.state.len() as u64);
        assert!(updated.nodes.is_sorted_by(|(a, _), (b, _)| a < b));
        self.unstored.push(changes);
    }

    fn checkpoint(&mut self) {
        for changes in self.unstored.drain(..) {
            self.stored.apply(&changes);
        }
    }

    fn forget(&mut self) {
        self.checkpoint();
        self.tree.forget(self.tree.batch());
    }

    fn rebuild(&mut self, depth: u8) {
        self.checkpoint();
        self.tree = built(&self.stored, depth, self.tree.batch());
        assert_eq!(self.tree.root(), root(&self.state));
        assert_eq!(self.tree.cells(), self.state.len() as u64);
    }
}

fn built(cells: &InMemory, depth: u8, batch: u64) -> Tree {
    let mut builder = Builder::new(depth);
    for (path, words) in cells.iter() {
        builder.push(path, words);
    }
    let (tree, roots) = builder.finish(batch);
    let restored = Tree::restore(depth, batch, tree.cells(), &roots);
    assert_eq!(restored.root(), tree.root());
    tree
}

/// A cell of one of five families, whose values have 1, 5, .. 17 words.
fn cell(family: u16, key: u32, value: u32) -> (CellId, Vec<u32>) {
    let mut words = vec![0; 1 + 4 * usize::from(family)];
    *words.last_mut().unwrap() = value;
    let key = vec![key; 1 + usize::from(family)];
    (CellId { family, key }, words)
}

#[test]
fn every_number_of_cells() {
    for depth in [0, 1, 3, 12] {
        let mut both = Both::new(depth);
        for n in 0..150 {
            both.set(&[cell(n as u16 % 3, n, n + 1)]);
        }
        for n in 0..150 {
            both.set(&[cell(n as u16 % 3, n, 0)]);
        }
        assert_eq!(both.tree.root(), Root::EMPTY);
    }
}

#[test]
fn all_at_once() {
    for depth in [0, 2, 9, 17] {
        let mut both = Both::new(depth);
        let cells = |from: u32, value: u32| -> Vec<_> {
            (from..from + 3000).map(|n| cell(0, n, value)).collect()
        };
        both.set(&cells(0, 1));
        both.set(&cells(1500, 2));
        both.forget();
        both.set(&cells(0, 0));
        both.rebuild(5);
        both.set(&cells(100, 7));
        both.set(&cells(1000, 0));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<(u16, u32, u32)>),
    Checkpoint,
    Forget,
    Rebuild(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let cells = prop::collection::vec((0u16..5, 0u32..60, 0u32..3), 0..40);
    prop_oneof![
        6 => cells.prop_map(Step::Set),
        1 => Just(Step::Checkpoint),
        2 => Just(Step::Forget),
        1 => (0u8..14).prop_map(Step::Rebuild),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_batches(depth in 0u8..14, steps in prop::collection::vec(step(), 1..12)) {
        let mut both = Both::new(depth);
        for step in steps {
            match step {
                Step::Set(cells) => {
                    let cells: Vec<_> =
                        cells.iter().map(|(family, key, value)| cell(*family, *key, *value)).collect();
                    both.set(&cells);
                }
                Step::Checkpoint => both.checkpoint(),
                Step::Forget => both.forget(),
                Step::Rebuild(depth) => both.rebuild(depth),
            }
        }
    }

    /// Paths are hashes, so cells can't be chosen to hang close together; these do.
    #[test]
    fn close_paths(
        depth in prop::sample::select(vec![0u8, 1, 2, 9, 16]),
        batches in prop::collection::vec(prop::collection::vec((close_path(), 0u32..3), 0..30), 1..5),
    ) {
        let mut tree = Tree::new(depth);
        let mut stored = InMemory::default();
        for batch in batches {
            let changes = raw(&stored, &batch.into_iter().collect());
            let updated = tree.update(&changes, &stored).unwrap();
            stored.apply(&changes);
            prop_assert_eq!(updated.root, naive(&stored));
            prop_assert_eq!(built(&stored, depth, 1).root(), updated.root);
            tree.forget(tree.batch());
        }
    }
}

/// Zeros or ones, with a few bits turned.
fn close_path() -> impl Strategy<Value = [u8; 32]> {
    let bits = prop::sample::select(vec![
        0usize, 1, 2, 8, 9, 63, 64, 65, 127, 128, 191, 254, 255,
    ]);
    (any::<bool>(), prop::collection::vec(bits, 0..3)).prop_map(|(ones, bits)| {
        let mut path = if ones { [0xff; 32] } else { [0; 32] };
        for bit in bits {
            path[bit / 8] ^= 0x80 >> (bit % 8);
        }
        path
    })
}

fn raw(stored: &InMemory, cells: &BTreeMap<[u8; 32], u32>) -> Changes {
    let mut changes = Changes::new();
    for (path, value) in cells {
        let before = stored.iter().find(|(at, _)| *at == path);
        let before = before.map_or(0, |(_, words)| words[0]);
        changes.push(Change {
            path,
            family: 1,
            key: &[],
            before: &[before],
            after: &[*value],
        });
    }
    changes
}

/// The definition, for paths that no cell has.
fn naive(cells: &InMemory) -> Root {
    fn subtree(leaves: &[([u8; 32], Root)], depth: usize) -> Root {
        match leaves {
            [] => Root::EMPTY,
            [(_, leaf)] => *leaf,
            _ => {
                let bit = |path: &[u8; 32]| path[depth / 8] & (0x80 >> (depth % 8)) != 0;
                let (left, right) = leaves.split_at(leaves.partition_point(|(path, _)| !bit(path)));
                branch(subtree(left, depth + 1), subtree(right, depth + 1))
            }
        }
    }
    let leaves: Vec<_> = cells
        .iter()
        .map(|(path, words)| (*path, leaf(path, words)))
        .collect();
    subtree(&leaves, 0)
}

#[test]
fn cells_that_are_others_than_the_trees_are_refused() {
    let mut both = Both::new(3);
    let cells: Vec<_> = (0..100).map(|n| cell(0, n, 1)).collect();
    both.set(&cells);
    both.forget();
    let (root, mut damaged) = (both.tree.root(), both.stored.clone());
    let mut changes = Changes::new();
    changes.add(&cells[0].0, &[1], &[2]);
    damaged.apply(&changes);
    let mut next = Changes::new();
    next.add(&cells[0].0, &[2], &[3]);
    let refused = both.tree.update(&next, &damaged).unwrap_err();
    assert!(matches!(refused, TreeError::Disagrees { .. }), "{refused}");
    // The tree is as it was, and goes on.
    assert_eq!(both.tree.root(), root);
    both.set(&[cell(0, 0, 3)]);
}

#[test]
fn memory_is_given_back() {
    let mut both = Both::new(4);
    let empty = both.tree.bytes();
    both.set(&(0..1000).map(|n| cell(0, n, 1)).collect::<Vec<_>>());
    assert!(both.tree.bytes() >= empty + 1000 * 64);
    assert!(both.tree.wants_deeper());
    both.checkpoint();
    both.tree.forget(0);
    assert!(both.tree.bytes() > empty, "the batch isn't stored");
    both.tree.forget(1);
    assert_eq!(both.tree.bytes(), empty);
    both.rebuild(Tree::depth_for(both.tree.cells()));
    assert!(!both.tree.wants_deeper());
}

/// `cargo test --release -p gavel-prover --test tree -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn measure() {
    use std::time::Instant;
    const CELLS: u32 = 2_000_000;
    const CHANGED: u64 = 276_000;
    let name = |n: u64| CellId {
        family: 1,
        key: vec![(n % u64::from(CELLS)) as u32; 8],
    };
    let mut genesis = Changes::new();
    for n in 0..u64::from(CELLS) {
        genesis.add(&name(n), &[0, 0], &[7, 1]);
    }
    genesis.sort();
    let mut stored = InMemory::default();
    stored.apply(&genesis);
    for depth in [17, 18, 19, 20] {
        let start = Instant::now();
        let mut tree = built(&stored, depth, 0);
        println!("depth {depth}: built in {:?}", start.elapsed());
        let mut times = Vec::new();
        for batch in 0..24u64 {
            let odd = |n: u64| (n + batch * CHANGED).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let cells = (0..CHANGED).map(|n| odd(n) % u64::from(CELLS));
            let mut changes = Changes::new();
            for n in cells.collect::<std::collections::BTreeSet<u64>>() {
                changes.add(&name(n), &[7, 1], &[8, batch as u32]);
            }
            changes.sort();
            let (start, cpu) = (Instant::now(), processor_time());
            tree.update(&changes, &stored).unwrap();
            times.push((start.elapsed().as_millis(), processor_time() - cpu));
        }
        let (first, rest) = times.split_at(12);
        let best = rest.iter().map(|(wall, _)| wall).min().unwrap();
        let cpu = rest.iter().map(|(_, cpu)| cpu).sum::<u64>() / rest.len() as u64;
        println!("  first {:?} ms, later {rest:?} ms", first[0]);
        println!(
            "  best {best} ms, {cpu} ms of processors; {} MB",
            tree.bytes() >> 20
        );
    }
}

/// What this process has taken of all processors, in ms, where Linux tells.
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    10 * fields
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum::<u64>()
}
