//! A batch once more, one call after the other, for the roots between: what a dispute over one
//! call needs.

use crate::calls::{DecodeError, decode_calls};
use crate::engine::{Engine, EngineError, Machine, Prepared, Signatures};
use crate::store::{Past, Reader, Store, StoreError};
use crate::tree::{Tree, TreeError};
use crate::{Claim, Receipts};
use gavel_compiler::ledger::{Call, Root};
use gavel_compiler::units::Height;

/// A batch that is run again, call by call. Nothing is written.
pub struct Replay {
    machine: Machine,
    reader: Reader,
    past: Past,
    tree: Tree,
    engine: Engine,
    claim: Claim,
    calls: std::vec::IntoIter<Call>,
}

/// A call run again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The call.
    pub call: Call,
    /// Its receipt, as the only one.
    pub receipt: Receipts,
    /// The root after it.
    pub root: Root,
}

/// Why a batch can't be run again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The state can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such batch.
    #[error("there is no batch {0}")]
    NoBatch(u64),
    /// The stored calls can't be read.
    #[error("the calls of batch {batch} are damaged: {why}")]
    Calls {
        /// The batch.
        batch: u64,
        /// What is wrong with them.
        why: DecodeError,
    },
    /// A call can't be run.
    #[error(transparent)]
    Engine(#[from] EngineError<StoreError>),
    /// The tree can't be brought up to date.
    #[error(transparent)]
    Tree(#[from] TreeError<StoreError>),
    /// It comes to another root than was claimed.
    #[error("batch {batch} leads to {found}, and the claim says {claimed}")]
    Root {
        /// The batch.
        batch: u64,
        /// The claimed root.
        claimed: Root,
        /// The root found.
        found: Root,
    },
}

impl Replay {
    /// Goes back to before a batch. Memory grows with the cells that changed since then.
    ///
    /// # Errors
    /// If there is no such batch, or it can't be read.
    pub fn new(machine: Machine, store: Store, batch: u64) -> Result<Self, ReplayError> {
        let Store { reader, tree, .. } = store;
        let claim = reader.claim(batch)?.ok_or(ReplayError::NoBatch(batch))?;
        let bytes = reader.calls(batch)?.ok_or(ReplayError::NoBatch(batch))?;
        let calls = decode_calls(&bytes).map_err(|why| ReplayError::Calls { batch, why })?;
        let past = reader.state_before(batch)?;
        let mut tree = tree;
        tree.update(&past.way_back(), &reader)?;
        expect(batch, claim.before, tree.root())?;
        Ok(Self {
            machine,
            reader,
            past,
            tree,
            engine: Engine::new(1),
            claim,
            calls: calls.into_iter(),
        })
    }

    /// What was claimed of the batch.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The root now: before the first call, that before the batch.
    pub fn root(&self) -> Root {
        self.tree.root()
    }

    /// Runs the next call; `None` after the last.
    ///
    /// # Errors
    /// If it can't be run, or was the last and the root isn't the one that was claimed.
    pub fn step(&mut self) -> Result<Option<Replayed>, ReplayError> {
        let Some(call) = self.calls.next() else {
            return Ok(None);
        };
        let one = vec![call.clone()];
        let prepared = Prepared::new(&self.machine, one, Signatures::Check);
        let height = Height(self.claim.height);
        let done = self
            .engine
            .run(&self.machine, &prepared, height, &self.past)?;
        let updated = self.tree.update(&done.changes, &self.reader)?;
        if self.calls.len() == 0 {
            expect(self.claim.batch, self.claim.after, updated.root)?;
        }
        Ok(Some(Replayed {
            call,
            receipt: done.receipts,
            root: updated.root,
        }))
    }
}

fn expect(batch: u64, claimed: Root, found: Root) -> Result<(), ReplayError> {
    if claimed == found {
        return Ok(());
    }
    Err(ReplayError::Root {
        batch,
        claimed,
        found,
    })
}
