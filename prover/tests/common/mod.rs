//! A ledger without a contract: batches of changes from a seed, and a model that follows them.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use gavel_compiler::ledger::{CellId, Root, State, root};
use gavel_prover::store::{Options, Record, Store, StoreError};
use gavel_prover::{Changes, Claim};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

pub const CONTRACT: [u8; 32] = [0xc0; 32];

/// Checkpoints after every few batches.
pub const SMALL: Options = Options {
    cache: 1 << 20,
    unsaved: 100_000,
    check: false,
};

/// No checkpoints until they are asked for.
pub const LARGE: Options = Options {
    unsaved: usize::MAX,
    ..SMALL
};

/// Numbers from a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// One of some hundred cells: keys of one to three words, values of one, two and ten.
pub fn cell(n: u64) -> (CellId, usize) {
    let family = (n % 3) as u16;
    let key = vec![n as u32; 1 + usize::from(family)];
    (CellId { family, key }, [1, 2, 10][usize::from(family)])
}

pub fn genesis() -> Vec<(CellId, Vec<u32>)> {
    let words = |n| {
        let (cell, words) = cell(n);
        (cell, vec![n as u32 + 1; words])
    };
    (0..400).rev().map(words).collect()
}

pub fn genesis_state() -> State {
    let mut state = State::new();
    for (cell, words) in genesis() {
        state.set(cell, words);
    }
    state
}

/// What a batch does to a state; it follows from the seed, its number and the state.
pub fn changes(state: &State, seed: u64, batch: u64) -> Changes {
    let mut random = Random(seed ^ batch.wrapping_mul(0xd134_2543_de82_ef95));
    let mut changes = Changes::new();
    let mut after = State::new();
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..random.below(250) {
        let n = random.below(600);
        names.insert(n);
        let (cell, words) = cell(n);
        let value = match random.below(4) {
            0 => vec![0; words],
            1 => vec![random.below(200) as u32; words],
            _ => (0..words).map(|_| random.next() as u32).collect(),
        };
        after.set(cell, value);
    }
    for n in names {
        let (cell, words) = cell(n);
        changes.add(&cell, &state.get(&cell, words), &after.get(&cell, words));
    }
    changes.sort();
    changes
}

/// A state and the batch that it is after.
#[derive(Clone)]
pub struct Model {
    pub seed: u64,
    pub batch: u64,
    pub state: State,
}

impl Model {
    pub fn new(seed: u64, state: State) -> Self {
        let batch = 0;
        Self { seed, batch, state }
    }

    /// The next batch.
    pub fn step(&mut self) -> Changes {
        self.batch += 1;
        let changes = changes(&self.state, self.seed, self.batch);
        for change in changes.iter() {
            let (family, key) = (change.family, change.key.to_vec());
            self.state
                .set(CellId { family, key }, change.after.to_vec());
        }
        changes
    }

    /// That a store has just this state.
    pub fn check(&self, store: &Store) {
        let expected = root(&self.state);
        assert_eq!(store.tree.root(), expected);
        assert_eq!(store.tree.batch(), self.batch);
        assert_eq!(store.reader.last().unwrap(), self.batch);
        assert_eq!(state_of(store), self.state);
        assert_eq!(store.reader.verify().unwrap(), expected);
        if self.batch > 0 {
            let claim = store.reader.last_claim().unwrap().unwrap();
            assert_eq!((claim.batch, claim.after), (self.batch, expected));
        }
    }
}

/// All stored cells.
pub fn state_of(store: &Store) -> State {
    let mut state = State::new();
    for cell in store.reader.cells().unwrap() {
        let cell = cell.unwrap();
        state.set(cell.cell, cell.words);
    }
    state
}

/// Bytes that a batch has as its calls, or its receipts: none, few, or several pieces.
pub fn blob(batch: u64, salt: u64) -> Vec<u8> {
    let mut random = Random(batch.wrapping_mul(31) ^ salt);
    let length = [0, 1, 1000, 255 << 10, (255 << 10) + 1, 600_000][random.below(6) as usize];
    (0..length)
        .map(|n| (n * 7 + batch as usize) as u8)
        .collect()
}

/// Runs a batch and stores it.
pub fn append(store: &mut Store, changes: Changes) -> Result<Claim, StoreError> {
    let before = store.tree.root();
    let updated = store.tree.update(&changes, &store.reader)?;
    let batch = updated.batch;
    let claim = Claim {
        batch,
        height: 800_000 + batch as u32,
        calls: batch * 3,
        digest: Root([batch as u8; 32]),
        before,
        after: updated.root,
    };
    store.writer.append(Record {
        claim: claim.clone(),
        calls: &blob(batch, 1),
        receipts: &blob(batch, 2),
        changes: Arc::new(changes),
        updated,
    })?;
    store.tree.forget(store.writer.checkpointed());
    Ok(claim)
}

/// A new store with the genesis.
pub fn create(dir: &Path, options: Options) -> Store {
    let mut store = Store::create(dir, CONTRACT, b"a test", options).unwrap();
    seed(&mut store);
    store
}

pub fn seed(store: &mut Store) {
    let cells = genesis().into_iter().map(Ok::<_, Infallible>);
    store.seed(cells, |_| ()).unwrap();
}
