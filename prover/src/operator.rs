//! An operator of a ledger: takes calls, gives receipts and claims, and keeps the state.
//!
//! Batches overlap: while one is being run, the signatures of the next are checked and the one
//! before is written. A batch is reported once it is on the disk.
//!
//! **Invariant:** what is reported is on the disk, and batches are reported in their order.

mod pipeline;
mod replay;

pub use pipeline::{Batch, Source};
pub use replay::{Replay, ReplayError, Replayed};

use crate::engine::{Engine, EngineError, Machine, Signatures};
use crate::signatures::Keys;
use crate::store::{Options, Reader, Store, StoreError, Writer};
use crate::tree::{Tree, TreeError};
use crate::{Claim, Receipts};
use gavel_compiler::ledger::{Call, EntryError, LedgerContract, Root};
use gavel_compiler::units::Height;
use std::ops::AddAssign;
use std::path::Path;
use std::time::Duration;

/// How an operator works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that check signatures, run calls and hash; 0 for as many as there are cores.
    pub threads: usize,
    /// Whether signatures are checked. Nothing but a measurement should trust them.
    pub signatures: Signatures,
    /// Bytes of memory that cells and tree may take between batches. What is beyond is forgotten
    /// after a checkpoint, and read again when it is needed.
    pub memory: usize,
    /// How many signers' keys are remembered, whose signatures take a quarter less time then.
    /// Each takes 64 bytes, beside that memory.
    pub keys: usize,
    /// How the store behaves.
    pub store: Options,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: 0,
            signatures: Signatures::Check,
            memory: 2 << 30,
            keys: Keys::ROOM,
            store: Options::default(),
        }
    }
}

/// Runs a ledger's batches and keeps its state in a folder.
#[derive(Debug)]
pub struct Operator {
    machine: Machine,
    engine: Engine,
    tree: Tree,
    reader: Reader,
    writer: Writer,
    pool: rayon::ThreadPool,
    keys: Keys,
    settings: Settings,
    broken: bool,
}

/// What a batch came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is claimed of it.
    pub claim: Claim,
    /// What became of each call.
    pub receipts: Receipts,
    /// How it was run.
    pub report: crate::engine::Report,
    /// Signatures that were checked.
    pub signatures: u64,
    /// What each step took.
    pub times: Times,
}

/// What the steps of a batch took. Steps of several batches overlap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// The digest of the calls.
    pub digest: Duration,
    /// Arguments and signatures.
    pub prepare: Duration,
    /// Finding cells and planning.
    pub schedule: Duration,
    /// Running calls and giving cells their values.
    pub execute: Duration,
    /// The new root.
    pub root: Duration,
    /// Writing to the disk, with checkpoints.
    pub store: Duration,
}

impl AddAssign for Times {
    fn add_assign(&mut self, other: Self) {
        self.digest += other.digest;
        self.prepare += other.prepare;
        self.schedule += other.schedule;
        self.execute += other.execute;
        self.root += other.root;
        self.store += other.store;
    }
}

/// Why an operator can't go on.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The contract's entries don't fit together.
    #[error(transparent)]
    Contract(#[from] EntryError),
    /// The state can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch can't be run.
    #[error(transparent)]
    Engine(#[from] EngineError<StoreError>),
    /// The tree can't be brought up to date.
    #[error(transparent)]
    Tree(#[from] TreeError<StoreError>),
    /// There are no threads to be had.
    #[error("no threads can be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// An error before has left memory and disk apart.
    #[error("an earlier error stopped this operator: open the state again")]
    Broken,
}

impl Operator {
    /// Begins a ledger: an empty state in a folder. `about` is kept with it.
    ///
    /// # Errors
    /// If there is a state already, or it can't be written.
    pub fn create(
        dir: &Path,
        contract: &LedgerContract,
        about: &[u8],
        settings: Settings,
    ) -> Result<Self, OperatorError> {
        let machine = Machine::new(contract)?;
        let store = Store::create(dir, contract.id, about, settings.store)?;
        Self::new(machine, store, settings)
    }

    /// Goes on with the ledger in a folder.
    ///
    /// # Errors
    /// If there is none, or it is another contract's, in use, or damaged.
    pub fn open(
        dir: &Path,
        contract: &LedgerContract,
        settings: Settings,
    ) -> Result<Self, OperatorError> {
        let machine = Machine::new(contract)?;
        let store = Store::open(dir, Some(contract.id), settings.store)?;
        Self::new(machine, store, settings)
    }

    /// The same with parts at hand.
    ///
    /// # Errors
    /// If no threads can be started.
    pub fn new(machine: Machine, store: Store, settings: Settings) -> Result<Self, OperatorError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(settings.threads)
            .build()?;
        Ok(Self {
            machine,
            engine: Engine::new(pool.current_num_threads()),
            tree: store.tree,
            reader: store.reader,
            writer: store.writer,
            pool,
            keys: Keys::new(settings.keys),
            settings,
            broken: false,
        })
    }

    /// The contract's bytecode, which receipts are read with.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Reads the stored state, claims and batches. Cells are those of the last checkpoint.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The tree, as after the last batch.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The state's root.
    pub fn root(&self) -> Root {
        self.tree.root()
    }

    /// The number of the last batch, 0 before the first.
    pub fn last(&self) -> u64 {
        self.writer.last()
    }

    /// Threads that it works with.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs one batch at this height. When this returns, it is on the disk.
    ///
    /// # Errors
    /// If something can't be read or written. Then the state is as before, and the operator can't
    /// go on.
    pub fn run(&mut self, calls: Vec<Call>, height: Height) -> Result<Outcome, OperatorError> {
        let mut done = None;
        let one = std::iter::once(Batch { calls, tag: () });
        self.run_all(one, height, |outcome, ()| done = Some(outcome))?;
        done.ok_or(OperatorError::Broken)
    }

    /// Makes a checkpoint, so that the next start has nothing to do, and ends.
    ///
    /// # Errors
    /// If it can't be written. Nothing is lost then.
    pub fn close(self) -> Result<(), OperatorError> {
        Ok(self.writer.close()?)
    }
}
