//! The honest party.

use super::evidence::{find_lie, words};
use super::kit::{InputProof, Kit, KitError};
use super::{Act, Duty, Event, Player, View};
use crate::graph::{ClaimId, DisputeId, Held, Permit, Role, Spendable, TxName};
use bitcoin::Transaction;
use gavel_compiler::segment::Trace;
use gavel_compiler::units::{Blocks, Height};
use gavel_compiler::word::End;
use std::collections::BTreeMap;

/// An honest party: claims what it means to claim, tells the truth, disputes every lie, and
/// takes back what is its own.
#[derive(Debug)]
pub struct Party {
    kit: Kit,
    view: View,
    intent: Option<(u8, Vec<InputProof>)>,
    close: Option<Transaction>,
    traces: BTreeMap<Vec<u32>, Trace>,
}

/// What is known about a claim.
enum Verdict {
    /// The inputs give the outcome.
    True,
    /// They don't.
    False,
    /// These input words have to be computed first.
    Unknown(Vec<u32>),
}

impl Player for Party {
    fn me(&self) -> u8 {
        self.kit.me
    }

    fn on(&mut self, event: &Event) {
        self.view.on(event);
        if let Event::Traced { inputs, trace } = event {
            self.traces.insert(inputs.clone(), trace.clone());
        }
    }

    fn act(&mut self) -> Result<Act, KitError> {
        let mut act = Act::default();
        let Some(fund) = self.view.confirmed(TxName::Fund) else {
            self.withdraw(&mut act)?;
            return Ok(act);
        };
        self.vault(fund, &mut act)?;
        for id in self.kit.graph.claims() {
            let Some(at) = self.view.confirmed(TxName::Claim(id)) else {
                continue;
            };
            match self.verdict(id) {
                Verdict::Unknown(inputs) => act.duties.push(Duty::Compute { inputs }),
                Verdict::True => self.uphold(id, at, &mut act)?,
                Verdict::False if id.c == self.kit.me => {}
                Verdict::False => self.dispute(id, at, &mut act)?,
            }
            self.tidy(id, at, &mut act)?;
        }
        self.reclaim(fund, &mut act)?;
        Ok(act)
    }
}

impl Party {
    /// A party with its means; it claims nothing until told to.
    pub fn new(kit: Kit) -> Self {
        let view = View::new(kit.graph.clone());
        Self {
            kit,
            view,
            intent: None,
            close: None,
            traces: BTreeMap::new(),
        }
    }

    /// Claims outcome `k` with these inputs as soon as Fund is confirmed.
    pub fn claim(&mut self, k: u8, inputs: Vec<InputProof>) {
        self.intent = Some((k, inputs));
    }

    /// Broadcasts a Close that all parties signed.
    pub fn close(&mut self, tx: Transaction) {
        self.close = Some(tx);
    }

    /// What it knows of the chain.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Its means.
    pub fn kit(&self) -> &Kit {
        &self.kit
    }

    /// Its means, to use, and what it knows of the chain.
    pub fn parts_mut(&mut self) -> (&mut Kit, &View) {
        (&mut self.kit, &self.view)
    }

    /// The last height at which this deployment's parties should still claim.
    pub fn claim_deadline(&self) -> Option<Height> {
        let locks = self.kit.graph.deployment.locks();
        let fund = self.view.confirmed(TxName::Fund)?;
        Some(Height(
            fund.0 + locks.refund.0.saturating_sub(locks.claim_margin.0),
        ))
    }

    /// Whether an output confirmed at `at` can be spent with `lock` in the next block; if not,
    /// asks to be woken when it can.
    fn mature(&self, at: Height, lock: Blocks, act: &mut Act) -> bool {
        let ready = at.0.saturating_add(lock.0).saturating_sub(1);
        if self.view.tip().0 >= ready {
            return true;
        }
        act.wake_at(Height(ready));
        false
    }

    fn push(&self, act: &mut Act, name: TxName, deadline: Option<Height>) -> Result<(), KitError> {
        let tx = self.kit.simple(name)?;
        act.duties.push(Duty::Broadcast { name, tx, deadline });
        Ok(())
    }

    fn vault_unspent(&self) -> bool {
        self.view.unspent(TxName::Fund, Role::Vault).is_some()
    }

    /// Takes its money back when Fund isn't confirmed in time. If an input of its own is spent,
    /// Fund can't be confirmed any more.
    fn withdraw(&self, act: &mut Act) -> Result<(), KitError> {
        let graph = &self.kit.graph;
        let Some(by) = graph.deployment.terms.fund_by else {
            return Ok(());
        };
        let own = graph.withdrawable(self.kit.me);
        if own.is_empty() || own.iter().any(|(at, _)| self.view.is_spent(at)) {
            return Ok(());
        }
        if self.view.tip() < by {
            act.wake_at(by);
            return Ok(());
        }
        act.duties.push(Duty::Broadcast {
            name: TxName::Withdraw(self.kit.me),
            tx: self.kit.withdraw()?,
            deadline: None,
        });
        Ok(())
    }

    /// Close, own claim, Refund.
    fn vault(&mut self, fund: Height, act: &mut Act) -> Result<(), KitError> {
        if !self.vault_unspent() {
            return Ok(());
        }
        if let Some(tx) = &self.close {
            let tx = tx.clone();
            act.duties.push(Duty::Broadcast {
                name: TxName::Close,
                tx,
                deadline: None,
            });
            return Ok(());
        }
        let in_time = self
            .claim_deadline()
            .is_some_and(|deadline| self.view.tip() < deadline);
        if let Some((k, inputs)) = self.intent.clone() {
            let name = TxName::Claim(ClaimId { c: self.kit.me, k });
            if self.view.confirmed(name).is_none() && in_time {
                let tx = self.kit.claim(k, &inputs)?;
                act.duties.push(Duty::Broadcast {
                    name,
                    tx,
                    deadline: self.claim_deadline(),
                });
            }
        }
        if self.mature(fund, self.kit.graph.deployment.locks().refund, act) {
            self.push(act, TxName::Refund, None)?;
        }
        Ok(())
    }

    /// Whether a claim is true, judged by every set of inputs shown for it.
    fn verdict(&self, id: ClaimId) -> Verdict {
        let plan = &self.kit.graph.deployment.plan;
        for inputs in self.view.evidence.shown(id) {
            let Some(words) = words(plan, inputs) else {
                return Verdict::False;
            };
            match self.traces.get(&words) {
                None => return Verdict::Unknown(words),
                Some(trace) if trace.end != End::Outcome(u32::from(id.k)) => return Verdict::False,
                Some(_) => {}
            }
        }
        Verdict::True
    }

    /// A true claim: have it paid; if it is ours, answer challenges and get the bond back.
    fn uphold(&mut self, id: ClaimId, at: Height, act: &mut Act) -> Result<(), KitError> {
        let claim = TxName::Claim(id);
        if self.view.unspent(claim, Role::Claimed).is_none() {
            return Ok(());
        }
        let d = &self.kit.graph.deployment;
        let (locks, rounds) = (d.locks(), d.rounds());
        let others: Vec<u8> = d.others(id.c).collect();
        if id.c == self.kit.me {
            for v in others.iter().copied() {
                self.answer(DisputeId { claim: id, v }, act)?;
            }
        }
        if self.vault_unspent() {
            let unchallenged = !rounds
                || others
                    .iter()
                    .all(|v| self.view.unspent(claim, Role::Open { v: *v }).is_some());
            if unchallenged && self.mature(at, locks.payout, act) {
                self.push(act, TxName::Payout(id), None)?;
            } else if !unchallenged && self.mature(at, locks.late, act) {
                self.push(act, TxName::PayoutLate(id), None)?;
            }
        } else if id.c == self.kit.me && self.mature(at, locks.release, act) {
            self.push(act, TxName::Release(id), None)?;
        }
        Ok(())
    }

    /// Answers a challenge with the frames.
    fn answer(&mut self, id: DisputeId, act: &mut Act) -> Result<(), KitError> {
        let challenge = TxName::Challenge(id);
        let Some((_, _, at)) = self.view.unspent(challenge, Role::Challenged { group: 0 }) else {
            return Ok(());
        };
        let plan = &self.kit.graph.deployment.plan;
        let shown = self.view.evidence.shown(id.claim).first();
        let trace = shown
            .and_then(|inputs| words(plan, inputs))
            .and_then(|w| self.traces.get(&w));
        let Some(elements) = trace.map(|trace| trace.elements.clone()) else {
            return Ok(());
        };
        let tx = self.kit.assert(id, &elements)?;
        let deadline = Some(Height(at.0 + self.kit.graph.deployment.locks().no_assert.0));
        act.duties.push(Duty::Broadcast {
            name: TxName::Assert(id),
            tx,
            deadline,
        });
        Ok(())
    }

    /// A false claim: kill it.
    fn dispute(&self, id: ClaimId, at: Height, act: &mut Act) -> Result<(), KitError> {
        let claim = TxName::Claim(id);
        if self.view.unspent(claim, Role::Claimed).is_none() {
            return Ok(());
        }
        let graph = &self.kit.graph;
        let (d, locks, me) = (&graph.deployment, graph.deployment.locks(), self.kit.me);
        let deadline = Some(Height(at.0.saturating_add(locks.late.0)));
        if let Some(disproof) = self.disproof(id)? {
            let (name, tx) = disproof;
            act.duties.push(Duty::Broadcast { name, tx, deadline });
            return Ok(());
        }
        if !d.rounds() {
            return Ok(());
        }
        let dispute = DisputeId { claim: id, v: me };
        let stake = self
            .view
            .unspent(TxName::Fund, Role::Stake { v: me, c: id.c });
        if self.view.unspent(claim, Role::Open { v: me }).is_some() && stake.is_some() {
            let deadline = Some(Height(at.0.saturating_add(locks.payout.0)));
            self.push(act, TxName::Challenge(dispute), deadline)?;
        }
        let challenge = TxName::Challenge(dispute);
        if let Some((_, _, at)) = self.view.unspent(challenge, Role::Challenged { group: 0 }) {
            if self.mature(at, locks.no_assert, act) {
                self.push(act, TxName::NoAssert(dispute), deadline)?;
            }
        }
        Ok(())
    }

    /// A disproof, if what was seen shows a lie.
    fn disproof(&self, id: ClaimId) -> Result<Option<(TxName, Transaction)>, KitError> {
        let plan = &self.kit.graph.deployment.plan;
        let evidence = &self.view.evidence;
        for inputs in evidence.signed_by(id.c) {
            let trace = words(plan, inputs).and_then(|words| self.traces.get(&words));
            let Some(trace) = trace else { continue };
            let frames = |element| evidence.frames(id.c, element);
            if let Some(lie) = find_lie(plan, trace, inputs, frames, id.k) {
                let tx = self.kit.disprove(id, lie.segment, &lie.signatures)?;
                let dispute = DisputeId {
                    claim: id,
                    v: self.kit.me,
                };
                return Ok(Some((TxName::Disprove(dispute, lie.segment as u16), tx)));
            }
        }
        Ok(None)
    }

    /// After a claim's end: stakes to whom they belong, and what lies open.
    fn tidy(&self, id: ClaimId, at: Height, act: &mut Act) -> Result<(), KitError> {
        let (graph, me) = (&self.kit.graph, self.kit.me);
        let d = &graph.deployment;
        if !d.rounds() {
            return Ok(());
        }
        let locks = d.locks();
        let ended = self
            .view
            .unspent(TxName::Claim(id), Role::Claimed)
            .is_none();
        for v in d.others(id.c) {
            let dispute = DisputeId { claim: id, v };
            let staked = self.view.unspent(TxName::Assert(dispute), Role::Staked);
            let challenged = self
                .view
                .unspent(TxName::Challenge(dispute), Role::Challenged { group: 0 });
            for (held, stake) in [(Held::Staked, staked), (Held::Challenged, challenged)] {
                let Some((_, _, since)) = stake else { continue };
                if id.c == me {
                    self.collect(dispute, held, act)?;
                }
                if v == me && self.mature(since, locks.unstake, act) {
                    let outputs = graph.unstakeable(dispute, held)?;
                    self.take(TxName::Unstake(dispute, held), outputs, act)?;
                }
            }
            let open = self
                .view
                .unspent(TxName::Claim(id), Role::Open { v })
                .is_some();
            if id.c == me && ended && open && self.mature(at, locks.payout, act) {
                self.take(TxName::Sweep(dispute), graph.sweepable(dispute)?, act)?;
            }
        }
        Ok(())
    }

    fn collect(&self, id: DisputeId, held: Held, act: &mut Act) -> Result<(), KitError> {
        let permits = [
            (
                Permit::Paid,
                TxName::PayoutLate(id.claim),
                Role::Paid { v: id.v },
            ),
            (
                Permit::Freed,
                TxName::Release(id.claim),
                Role::Freed { v: id.v },
            ),
        ];
        for (permit, name, role) in permits {
            if let Some((_, _, at)) = self.view.unspent(name, role) {
                let unstake = self.kit.graph.deployment.locks().unstake;
                let deadline = Some(Height(at.0.saturating_add(unstake.0)));
                self.push(act, TxName::Collect(id, permit, held), deadline)?;
            }
        }
        Ok(())
    }

    fn take(&self, name: TxName, outputs: Vec<Spendable>, act: &mut Act) -> Result<(), KitError> {
        let unspent: Vec<Spendable> = outputs
            .into_iter()
            .filter(|s| !self.view.is_spent(&s.outpoint()))
            .collect();
        if !unspent.is_empty() {
            let tx = self.kit.take(name, &unspent)?;
            act.duties.push(Duty::Broadcast {
                name,
                tx,
                deadline: None,
            });
        }
        Ok(())
    }

    /// After R, and once the vault's spend is buried: bond, stakes and small outputs.
    fn reclaim(&self, fund: Height, act: &mut Act) -> Result<(), KitError> {
        let (graph, me) = (&self.kit.graph, self.kit.me);
        let d = &graph.deployment;
        let Some((_, spent)) = self.view.spender(TxName::Fund, Role::Vault) else {
            return Ok(());
        };
        let mut outputs = graph.reclaimable(me)?;
        let locked = outputs.iter().any(|s| !self.view.is_spent(&s.outpoint()));
        let buried = self.mature(spent, d.terms.windows.reorg, act);
        if !locked || !buried || !self.mature(fund, d.locks().refund, act) {
            return Ok(());
        }
        for name in graph
            .txs
            .keys()
            .filter(|name| self.view.confirmed(**name).is_some())
        {
            outputs.extend(graph.leftovers(*name, me, |v| self.stake_open(*name, v))?);
        }
        self.take(TxName::Reclaim(me), outputs, act)
    }

    /// Whether a challenger's stake still lies where the permit of `name` could collect it.
    fn stake_open(&self, name: TxName, v: u8) -> bool {
        let (TxName::PayoutLate(claim) | TxName::Release(claim)) = name else {
            return false;
        };
        let id = DisputeId { claim, v };
        self.view
            .unspent(TxName::Assert(id), Role::Staked)
            .is_some()
            || self
                .view
                .unspent(TxName::Challenge(id), Role::Challenged { group: 0 })
                .is_some()
    }
}
