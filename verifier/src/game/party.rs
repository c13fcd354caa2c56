//! The honest party.

use super::evidence::{Lie, find_lie, words};
use super::kit::{InputProof, Kit, KitError, Signer};
use super::{Act, Duty, Event, Player, View};
use crate::deploy::DeployError;
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
    /// Since when each lie is being disproved.
    disproving: BTreeMap<ClaimId, Height>,
    /// Whether it has offered its own claim: it was in time, and goes on.
    claiming: bool,
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
            let done = self.withdraw(&mut act);
            act.attempt(done);
            return Ok(act);
        };
        // Others' lies first: nothing that goes wrong elsewhere may delay a dispute.
        let claims: Vec<(ClaimId, Height, Verdict)> = self
            .kit
            .graph
            .claims()
            .filter_map(|id| {
                let at = self.view.confirmed(TxName::Claim(id))?;
                Some((id, at, self.verdict(id)))
            })
            .collect();
        for (id, at, verdict) in claims {
            match verdict {
                Verdict::Unknown(inputs) => act.duties.push(Duty::Compute { inputs }),
                Verdict::True => self.uphold(id, at, &mut act),
                Verdict::False if id.c == self.kit.me => {}
                Verdict::False => self.dispute(id, at, &mut act),
            }
            self.tidy(id, at, &mut act);
        }
        self.vault(fund, &mut act);
        self.reclaim(fund, &mut act);
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
            disproving: BTreeMap::new(),
            claiming: false,
        }
    }

    /// The same memory with another signer: to see what the party would do next, without
    /// touching it.
    pub fn fork(&self, signer: Box<dyn Signer + Send>) -> Self {
        let kit = Kit {
            me: self.kit.me,
            graph: self.kit.graph.clone(),
            joint: self.kit.joint.clone(),
            signer,
            feerate: self.kit.feerate,
        };
        Self {
            kit,
            view: self.view.clone(),
            intent: self.intent.clone(),
            close: self.close.clone(),
            traces: self.traces.clone(),
            disproving: self.disproving.clone(),
            claiming: self.claiming,
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

    /// What it means to claim.
    pub fn intent(&self) -> Option<&(u8, Vec<InputProof>)> {
        self.intent.as_ref()
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

    fn push(&self, act: &mut Act, name: TxName, deadline: Option<Height>) {
        self.offer(act, name, self.kit.simple(name), deadline);
    }

    /// A duty to broadcast, if the transaction could be made; else a trouble.
    fn offer(
        &self,
        act: &mut Act,
        name: TxName,
        made: Result<Transaction, KitError>,
        deadline: Option<Height>,
    ) {
        match made {
            Ok(tx) => act.duties.push(Duty::Broadcast { name, tx, deadline }),
            Err(error) => act.troubles.push(error),
        }
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
    fn vault(&mut self, fund: Height, act: &mut Act) {
        if !self.vault_unspent() {
            return;
        }
        if let Some(tx) = &self.close {
            let tx = tx.clone();
            act.duties.push(Duty::Broadcast {
                name: TxName::Close,
                tx,
                deadline: None,
            });
        }
        if let (Some((k, inputs)), Some(deadline)) = (self.intent.clone(), self.claim_deadline()) {
            let name = TxName::Claim(ClaimId { c: self.kit.me, k });
            // A Close that all signed comes first, for as long as there is time.
            let spare = self.kit.graph.deployment.terms.windows.confirm.0;
            let last = if self.close.is_some() {
                deadline.0.saturating_sub(spare)
            } else {
                0
            };
            let (tip, windows) = (self.view.tip(), &self.kit.graph.deployment.terms.windows);
            // What was offered in time may be confirmed, and disconnected, after the deadline:
            // the margin has room for both.
            let patience = windows.confirm.0.saturating_add(windows.reorg.0);
            let until = deadline
                .0
                .saturating_add(if self.claiming { patience } else { 0 });
            if self.view.confirmed(name).is_none() && tip.0 < until && tip.0 >= last {
                self.claim_now(name, k, &inputs, deadline, act);
            } else if tip.0 < last {
                act.wake_at(Height(last));
            }
        }
        if self.mature(fund, self.kit.graph.deployment.locks().refund, act) {
            self.push(act, TxName::Refund, None);
        }
    }

    /// Own claim, once every author's signature is checked and the outcome computed: a
    /// one-time key signs only once.
    fn claim_now(
        &mut self,
        name: TxName,
        k: u8,
        inputs: &[InputProof],
        deadline: Height,
        act: &mut Act,
    ) {
        let words: Vec<u32> = inputs
            .iter()
            .flat_map(|input| input.words.clone())
            .collect();
        let Some(trace) = self.traces.get(&words) else {
            act.duties.push(Duty::Compute { inputs: words });
            return;
        };
        let made = match self.kit.check_inputs(k, inputs) {
            Err(error) => Err(error),
            Ok(()) if trace.end != End::Outcome(u32::from(k)) => Err(KitError::NotTrue { name }),
            Ok(()) => self.kit.claim(k, inputs),
        };
        self.claiming |= made.is_ok();
        self.offer(act, name, made, Some(deadline));
    }

    /// Whether a claim is true, judged by every set of inputs shown for it.
    fn verdict(&self, id: ClaimId) -> Verdict {
        let plan = &self.kit.graph.deployment.plan;
        let shown = self.view.evidence.shown(id);
        if shown.is_empty() {
            // Confirmed, and yet its inputs can't be read: nothing to take on trust.
            return Verdict::False;
        }
        for inputs in shown {
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
    fn uphold(&mut self, id: ClaimId, at: Height, act: &mut Act) {
        let claim = TxName::Claim(id);
        if self.view.unspent(claim, Role::Claimed).is_none() {
            return;
        }
        let d = &self.kit.graph.deployment;
        let (locks, rounds) = (d.locks(), d.rounds());
        let others: Vec<u8> = d.others(id.c).collect();
        if id.c == self.kit.me {
            for v in others.iter().copied() {
                self.answer(DisputeId { claim: id, v }, act);
            }
        }
        if self.vault_unspent() {
            let open = |v: &u8| self.view.unspent(claim, Role::Open { v: *v }).is_some();
            if (!rounds || others.iter().all(open)) && self.mature(at, locks.payout, act) {
                self.push(act, TxName::Payout(id), None);
            }
            // Also where nobody's Challenge is confirmed: one that is stuck blocks Payout.
            if rounds && self.mature(at, locks.late, act) {
                self.push(act, TxName::PayoutLate(id), None);
            }
        } else if id.c == self.kit.me && self.mature(at, locks.release, act) {
            self.push(act, TxName::Release(id), None);
        }
    }

    /// Answers a challenge with the frames.
    fn answer(&mut self, id: DisputeId, act: &mut Act) {
        let challenge = TxName::Challenge(id);
        let Some((_, _, at)) = self.view.unspent(challenge, Role::Challenged { group: 0 }) else {
            return;
        };
        let plan = &self.kit.graph.deployment.plan;
        let shown = self.view.evidence.shown(id.claim).first();
        let words = shown.and_then(|inputs| words(plan, inputs));
        let trace = words.and_then(|words| self.traces.get(&words));
        let Some(elements) = trace.map(|trace| trace.elements.clone()) else {
            return;
        };
        let made = self.kit.assert(id, &elements);
        let deadline = Height(at.0 + self.kit.graph.deployment.locks().no_assert.0);
        self.offer(act, TxName::Assert(id), made, Some(deadline));
    }

    /// A false claim: kill it.
    fn dispute(&mut self, id: ClaimId, at: Height, act: &mut Act) {
        let claim = TxName::Claim(id);
        if self.view.unspent(claim, Role::Claimed).is_none() {
            return;
        }
        let (rounds, locks) = (
            self.kit.graph.deployment.rounds(),
            self.kit.graph.deployment.locks(),
        );
        let me = self.kit.me;
        let deadline = Some(Height(at.0.saturating_add(locks.late.0)));
        let lie = self.lie(id);
        if let Some(lie) = &lie {
            let since = *self.disproving.entry(id).or_insert(self.view.tip());
            // Not confirmed by the next block: pay more, every block, up to the whole bond.
            let blocks = self.view.tip().0.saturating_sub(since.0);
            let times = 1u64.checked_shl(blocks).unwrap_or(u64::MAX);
            let made = self.kit.disprove(id, lie.segment, &lie.signatures, times);
            let name = TxName::Disprove(DisputeId { claim: id, v: me }, lie.segment as u16);
            self.offer(act, name, made, deadline);
        }
        if !rounds {
            return;
        }
        let dispute = DisputeId { claim: id, v: me };
        let stake = self
            .view
            .unspent(TxName::Fund, Role::Stake { v: me, c: id.c })
            .is_some();
        let open = self.view.unspent(claim, Role::Open { v: me }).is_some();
        if lie.is_none() && open && stake {
            let deadline = Some(Height(at.0.saturating_add(locks.payout.0)));
            self.push(act, TxName::Challenge(dispute), deadline);
        }
        let challenge = TxName::Challenge(dispute);
        let challenged = self.view.unspent(challenge, Role::Challenged { group: 0 });
        let challenged = challenged.map(|(_, _, at)| at);
        if challenged.is_some_and(|at| self.mature(at, locks.no_assert, act)) {
            self.push(act, TxName::NoAssert(dispute), deadline);
        }
    }

    /// The first lie that what was seen shows.
    fn lie(&self, id: ClaimId) -> Option<Lie> {
        let plan = &self.kit.graph.deployment.plan;
        let evidence = &self.view.evidence;
        evidence.signed_by(id.c).find_map(|inputs| {
            let trace = self.traces.get(&words(plan, inputs)?)?;
            find_lie(
                plan,
                trace,
                inputs,
                |element| evidence.frames(id.c, element),
                id.k,
            )
        })
    }

    /// After a claim's end: stakes to whom they belong, and what lies open.
    fn tidy(&self, id: ClaimId, at: Height, act: &mut Act) {
        let (graph, me) = (&self.kit.graph, self.kit.me);
        let d = &graph.deployment;
        if !d.rounds() {
            return;
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
                    self.collect(dispute, held, act);
                }
                if v == me && self.mature(since, locks.unstake, act) {
                    let outputs = graph.unstakeable(dispute, held);
                    self.take(TxName::Unstake(dispute, held), outputs, act);
                }
            }
            let open = self
                .view
                .unspent(TxName::Claim(id), Role::Open { v })
                .is_some();
            if id.c == me && ended && open && self.mature(at, locks.payout, act) {
                self.take(TxName::Sweep(dispute), graph.sweepable(dispute), act);
            }
        }
    }

    fn collect(&self, id: DisputeId, held: Held, act: &mut Act) {
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
                self.push(act, TxName::Collect(id, permit, held), deadline);
            }
        }
    }

    fn take(&self, name: TxName, outputs: Result<Vec<Spendable>, DeployError>, act: &mut Act) {
        let made = outputs.map_err(KitError::from).and_then(|mut unspent| {
            unspent.retain(|s| !self.view.is_spent(&s.outpoint()));
            let some = !unspent.is_empty();
            some.then(|| self.kit.take(name, &unspent)).transpose()
        });
        match made {
            Ok(Some(tx)) => act.duties.push(Duty::Broadcast {
                name,
                tx,
                deadline: None,
            }),
            Ok(None) => {}
            Err(error) => act.troubles.push(error),
        }
    }

    /// After R, and once the vault's spend is buried: bond, stakes and small outputs.
    fn reclaim(&self, fund: Height, act: &mut Act) {
        let (graph, me) = (&self.kit.graph, self.kit.me);
        let d = &graph.deployment;
        let Some((_, spent)) = self.view.spender(TxName::Fund, Role::Vault) else {
            return;
        };
        let needed = |s: &Spendable| {
            let of = graph.outputs.get(&s.outpoint());
            matches!(of, Some((_, Role::Stake { c, .. })) if self.stake_needed(*c))
        };
        let outputs = graph.reclaimable(me).map(|mut outputs| {
            outputs.retain(|s| !self.view.is_spent(&s.outpoint()) && !needed(s));
            outputs
        });
        let locked = outputs.as_ref().is_ok_and(|outputs| !outputs.is_empty());
        let buried = self.mature(spent, d.terms.windows.reorg, act);
        if !locked || !buried || !self.mature(fund, d.locks().refund, act) {
            return;
        }
        let small = graph
            .txs
            .keys()
            .filter(|name| self.view.confirmed(**name).is_some());
        let small = small.map(|name| graph.leftovers(*name, me, |v| self.stake_open(*name, v)));
        let all = std::iter::once(outputs)
            .chain(small)
            .collect::<Result<Vec<_>, _>>();
        self.take(TxName::Reclaim(me), all.map(|all| all.concat()), act);
    }

    /// Whether the permit of `name` may still be what collects a challenger's stake: it lies
    /// there, or the challenger may yet put it there.
    fn stake_open(&self, name: TxName, v: u8) -> bool {
        let (TxName::PayoutLate(claim) | TxName::Release(claim)) = name else {
            return false;
        };
        let id = DisputeId { claim, v };
        let held = [
            (TxName::Assert(id), Role::Staked),
            (TxName::Challenge(id), Role::Challenged { group: 0 }),
        ];
        let lies = |(name, role)| self.view.unspent(name, role).is_some();
        if held.into_iter().any(lies) {
            return true;
        }
        // A Sweep that is disconnected makes room for a Challenge once more.
        let margin = self.kit.graph.deployment.terms.windows.reorg.0;
        let swept = self.view.spender(TxName::Claim(claim), Role::Open { v });
        swept.is_none_or(|(_, at)| self.view.tip().0 < at.0.saturating_add(margin))
    }

    /// Whether a stake is still needed to challenge a lie that nobody has killed yet.
    fn stake_needed(&self, c: u8) -> bool {
        let mut claims = self.kit.graph.claims().filter(|id| id.c == c);
        claims.any(|id| {
            let alive = self.view.unspent(TxName::Claim(id), Role::Claimed);
            alive.is_some() && !matches!(self.verdict(id), Verdict::True)
        })
    }
}
