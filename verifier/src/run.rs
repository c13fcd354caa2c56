//! Plays parties against a chain: events in, duties out.
//!
//! The runner repeats duties until the chain shows them done: it asks every party again after
//! every block, so a transaction that was dropped is broadcast again.

use crate::chain::{Chain, ChainError, Submitted};
use crate::game::{Duty, Event, KitError, Player};
use crate::graph::TxName;
use bitcoin::{BlockHash, Transaction, Txid};
use gavel_compiler::segment::Trace;
use gavel_compiler::units::Height;
use std::collections::{BTreeMap, BTreeSet};

/// Blocks fetched at once.
const CHUNK: usize = 200;

/// Computes traces for parties.
pub trait Prover {
    /// What these input words give.
    fn trace(&self, inputs: &[u32]) -> Trace;
}

impl<F: Fn(&[u32]) -> Trace> Prover for F {
    fn trace(&self, inputs: &[u32]) -> Trace {
        self(inputs)
    }
}

/// Why a game can't go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A party.
    #[error("party {party}: {error}")]
    Party {
        /// Its index.
        party: u8,
        /// What happened.
        error: KitError,
    },
    /// The chain doesn't reach the height to watch from: the node isn't synced yet.
    #[error("the chain ends at height {tip}, before {from}, where watching is to begin")]
    NotThere {
        /// Where watching is to begin.
        from: Height,
        /// Where the chain ends.
        tip: Height,
    },
    /// The chain disagrees with what was seen, deeper than it was looked at.
    #[error("the chain was reorganised below height {0}, where watching began")]
    TooDeep(Height),
}

/// A transaction that somebody offered to the node.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// By whom.
    pub party: u8,
    /// Its name.
    pub name: TxName,
    /// The transaction.
    pub tx: Transaction,
    /// Height of the tip when it was offered.
    pub at: Height,
    /// What the node said.
    pub said: Submitted,
}

/// Keeps parties and chain in step.
#[derive(Debug)]
pub struct Runner<C> {
    chain: C,
    /// The blocks that the parties know, by height; the first is where watching began.
    known: BTreeMap<Height, BlockHash>,
    seen: BTreeSet<Txid>,
    traces: BTreeMap<Vec<u32>, Trace>,
    troubles: Vec<(u8, KitError)>,
}

impl<C: Chain> Runner<C> {
    /// Watches from the chain's present tip on; Fund must not be confirmed yet.
    ///
    /// # Errors
    /// [`ChainError`] if the node can't be used.
    pub fn new(chain: C) -> Result<Self, ChainError> {
        let tip = chain.height()?;
        let known = chain
            .block_hash(tip)?
            .map(|hash| (tip, hash))
            .into_iter()
            .collect();
        Ok(Self {
            chain,
            known,
            seen: BTreeSet::new(),
            traces: BTreeMap::new(),
            troubles: Vec::new(),
        })
    }

    /// Watches from the block at `height` on: after a restart, to rebuild what the parties knew.
    /// The height must not be above that of Fund's block, and should be a reorganisation's
    /// depth below it; the height at which the setup was stored will do, as will any lower.
    ///
    /// The chain gives back everything but what was only ever seen unconfirmed, and what was in
    /// a party's head: whoever meant to claim must be told again
    /// ([`Party::claim`](crate::game::Party::claim); the guard signs the same inputs again, and
    /// no others).
    ///
    /// # Errors
    /// [`RunError::NotThere`] if the chain ends below.
    pub fn from(chain: C, height: Height) -> Result<Self, RunError> {
        let before = Height(height.0.saturating_sub(1));
        let Some(hash) = chain.block_hash(before)? else {
            let tip = chain.height()?;
            return Err(RunError::NotThere { from: height, tip });
        };
        Ok(Self {
            chain,
            known: BTreeMap::from([(before, hash)]),
            seen: BTreeSet::new(),
            traces: BTreeMap::new(),
            troubles: Vec::new(),
        })
    }

    /// The chain.
    pub fn chain(&self) -> &C {
        &self.chain
    }

    /// Tells the parties what happened since the last call, asks them what to do, and does it.
    /// Gives what was offered to the node, and the next height at which somebody has to do
    /// something.
    ///
    /// # Errors
    /// [`RunError`]; nothing is lost: calling again goes on where this call stopped.
    pub fn step(
        &mut self,
        players: &mut [Box<dyn Player>],
        prover: &dyn Prover,
    ) -> Result<(Vec<Broadcast>, Option<Height>), RunError> {
        self.sync(players)?;
        let mut offered = Vec::new();
        let mut wake: Option<Height> = None;
        let mut failed: Option<ChainError> = None;
        for player in players.iter_mut() {
            let act = loop {
                let act = player.act().map_err(|error| RunError::Party {
                    party: player.me(),
                    error,
                })?;
                let unknown = act.duties.iter().filter_map(|duty| match duty {
                    Duty::Compute { inputs } => Some(inputs.clone()),
                    Duty::Broadcast { .. } => None,
                });
                let unknown: Vec<Vec<u32>> = unknown.collect();
                if unknown.is_empty() {
                    break act;
                }
                for inputs in unknown {
                    let trace = self.traces.entry(inputs.clone());
                    let trace = trace.or_insert_with(|| prover.trace(&inputs)).clone();
                    player.on(&Event::Traced { inputs, trace });
                }
            };
            let me = player.me();
            self.troubles
                .extend(act.troubles.into_iter().map(|error| (me, error)));
            wake = [wake, act.wake].into_iter().flatten().min();
            for duty in act.duties {
                if let Duty::Broadcast { name, tx, .. } = duty {
                    let said = match self.chain.submit(&tx) {
                        Ok(said) => said,
                        // The other duties don't have to suffer for it.
                        Err(error) => {
                            failed = Some(error);
                            continue;
                        }
                    };
                    let at = self.chain.height()?;
                    offered.push(Broadcast {
                        party: player.me(),
                        name,
                        tx,
                        at,
                        said,
                    });
                }
            }
        }
        failed.map_or(Ok((offered, wake)), |error| Err(error.into()))
    }

    /// What parties should have done and couldn't, since the last call.
    pub fn troubles(&mut self) -> Vec<(u8, KitError)> {
        std::mem::take(&mut self.troubles)
    }

    /// Brings the parties up to date with the chain and the pool.
    fn sync(&mut self, players: &mut [Box<dyn Player>]) -> Result<(), RunError> {
        while let Some((height, hash)) = self.known.last_key_value().map(|(h, b)| (*h, *b)) {
            if self.chain.block_hash(height)? == Some(hash) {
                break;
            }
            if self.known.len() == 1 {
                return Err(RunError::TooDeep(height));
            }
            self.known.remove(&height);
            // What comes back to the pool may have another witness.
            self.seen.clear();
            tell(players, &Event::Disconnected { height });
        }
        let tip = self.chain.height()?;
        let next = self.known.last_key_value().map_or(tip.0, |(h, _)| h.0 + 1);
        for from in (next..=tip.0).step_by(CHUNK) {
            let to = tip.0.min(from.saturating_add(CHUNK as u32 - 1));
            let blocks = self.chain.blocks(Height(from), Height(to))?;
            for (height, block) in (from..).map(Height).zip(blocks) {
                // The chain moved while it was read: what doesn't connect is left for the
                // next call, which finds where it forked off.
                let before = self.known.get(&Height(height.0.saturating_sub(1)));
                if before.is_some_and(|before| *before != block.prev) {
                    return Ok(());
                }
                self.known.insert(height, block.hash);
                tell(
                    players,
                    &Event::Connected {
                        height,
                        txs: block.txs,
                    },
                );
            }
        }
        for txid in self.chain.mempool()? {
            if self.seen.contains(&txid) {
                continue;
            }
            if let Some(tx) = self.chain.unconfirmed(txid)? {
                self.seen.insert(txid);
                tell(players, &Event::Seen(tx));
            }
        }
        Ok(())
    }
}

fn tell(players: &mut [Box<dyn Player>], event: &Event) {
    for player in players {
        player.on(event);
    }
}
