//! Dishonest parties: an honest party whose ears, mouth or knowledge somebody has changed.

use crate::sheet::own_tx;
use bitcoin::relative::LockTime;
use bitcoin::{Sequence, Transaction, Txid};
use gavel_compiler::segment::Trace;
use gavel_verifier::game::{Act, Duty, Event, Kit, KitError, Party, Player, View};
use gavel_verifier::graph::{ClaimId, Role, TxName};
use gavel_verifier::sign::{Guard, GuardError, Record};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Lie = Box<dyn FnMut(&[u32], Trace) -> Trace + Send>;
type Keep = Box<dyn FnMut(&View, TxName) -> bool + Send>;
type Extra = Box<dyn FnMut(&mut Kit, &View) -> Result<Vec<Duty>, KitError> + Send>;

/// Spends that break a lock, signed anew: by the honest spend's id, each with what it spends.
pub type Forgeries = Arc<Mutex<BTreeMap<Txid, Vec<(Role, Transaction)>>>>;

/// A party that cheats. It starts out as an honest party and does everything an honest one
/// would do for its money; what it believes, leaves undone or does besides can be changed.
pub struct Rogue {
    inner: Party,
    lie: Lie,
    keep: Keep,
    extra: Extra,
    forgeries: Option<Forgeries>,
    insists: bool,
}

impl Rogue {
    /// A rogue that still behaves.
    pub fn new(party: Party) -> Self {
        Self {
            inner: party,
            lie: Box::new(|_, trace| trace),
            keep: Box::new(|_, _| true),
            extra: Box::new(|_, _| Ok(vec![])),
            forgeries: None,
            insists: false,
        }
    }

    /// Believes another trace than the true one: claims it, asserts it, disputes the truth.
    #[must_use]
    pub fn lying(mut self, lie: impl FnMut(&[u32], Trace) -> Trace + Send + 'static) -> Self {
        self.lie = Box::new(lie);
        self
    }

    /// Broadcasts only what `keep` lets through.
    #[must_use]
    pub fn only(mut self, keep: impl FnMut(&View, TxName) -> bool + Send + 'static) -> Self {
        self.keep = Box::new(keep);
        self
    }

    /// Never broadcasts anything.
    #[must_use]
    pub fn asleep(self) -> Self {
        self.only(|_, _| false)
    }

    /// Also signs its own locked spends under a shorter lock and under none, and tells them.
    #[must_use]
    pub fn forging(mut self, forgeries: Forgeries) -> Self {
        self.forgeries = Some(forgeries);
        self
    }

    /// Claims what it was told to, whether or not it is true or vouched for.
    #[must_use]
    pub fn insisting(mut self) -> Self {
        self.insists = true;
        self
    }

    /// Does something besides, whenever it is asked.
    #[must_use]
    pub fn also(
        mut self,
        extra: impl FnMut(&mut Kit, &View) -> Result<Vec<Duty>, KitError> + Send + 'static,
    ) -> Self {
        self.extra = Box::new(extra);
        self
    }
}

impl Player for Rogue {
    fn me(&self) -> u8 {
        self.inner.me()
    }

    fn on(&mut self, event: &Event) {
        match event {
            Event::Traced { inputs, trace } => {
                let trace = (self.lie)(inputs, trace.clone());
                self.inner.on(&Event::Traced {
                    inputs: inputs.clone(),
                    trace,
                });
            }
            other => self.inner.on(other),
        }
    }

    fn act(&mut self) -> Result<Act, KitError> {
        let mut act = self.inner.act()?;
        let intent = self.inner.intent().filter(|_| self.insists).cloned();
        let (kit, view) = self.inner.parts_mut();
        if let Some((k, inputs)) = intent {
            act.troubles.clear();
            let name = TxName::Claim(ClaimId { c: kit.me, k });
            if view.confirmed(TxName::Fund).is_some() && view.confirmed(name).is_none() {
                let tx = kit.claim(k, &inputs)?;
                act.duties.push(Duty::Broadcast {
                    name,
                    tx,
                    deadline: None,
                });
            }
        }
        act.duties.retain(|duty| match duty {
            Duty::Broadcast { name, .. } => (self.keep)(view, *name),
            Duty::Compute { .. } => true,
        });
        act.duties.extend((self.extra)(kit, view)?);
        let forgeries = self.forgeries.as_ref().and_then(|all| all.lock().ok());
        if let Some(mut forgeries) = forgeries {
            for duty in &act.duties {
                let Duty::Broadcast { name, tx, .. } = duty else {
                    continue;
                };
                let txid = tx.compute_txid();
                let own = matches!(
                    name,
                    TxName::Unstake(..) | TxName::Sweep(_) | TxName::Reclaim(_)
                );
                if own && !forgeries.contains_key(&txid) {
                    forgeries.insert(txid, without_lock(kit, tx)?);
                }
            }
        }
        Ok(act)
    }
}

/// Each locked input of a party's own spend alone, with a lock one block shorter and with none.
/// The signature is good, and so is BIP 68: only the leaf can refuse it.
fn without_lock(kit: &Kit, tx: &Transaction) -> Result<Vec<(Role, Transaction)>, KitError> {
    let mut all = Vec::new();
    let Some(planned) = own_tx(&kit.graph, tx) else {
        return Ok(all);
    };
    for (input, txin) in planned.inputs.iter().zip(&planned.tx.input) {
        let Some(LockTime::Blocks(lock)) = txin.sequence.to_relative_lock_time() else {
            continue;
        };
        let Some((_, role)) = kit.graph.outputs.get(&txin.previous_output) else {
            continue;
        };
        let shorter = Sequence::from_height(lock.value().saturating_sub(1));
        for sequence in [shorter, Sequence::ENABLE_RBF_NO_LOCKTIME] {
            let mut alone = planned.clone();
            alone.inputs = vec![input.clone()];
            alone.tx.input = vec![txin.clone()];
            if let Some(txin) = alone.tx.input.first_mut() {
                txin.sequence = sequence;
            }
            if let Some(output) = alone.tx.output.first_mut() {
                // Half for the fee, so that policy has no other reason to refuse it.
                output.value = input.prevout.value / 2;
            }
            all.push((*role, kit.finish(&alone, |_| None)?));
        }
    }
    Ok(all)
}

/// A guard that forbids nothing: whoever uses it can be robbed, and in tests is.
#[derive(Debug, Default)]
pub struct NoGuard;

impl Guard for NoGuard {
    fn commit(&mut self, _: &[Record]) -> Result<(), GuardError> {
        Ok(())
    }
}
