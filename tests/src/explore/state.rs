//! A state of an explored world: a chain, what honest parties have on offer, what they know;
//! and the moves that lead on from it.

use super::mind::{Mind, Signed};
use super::setting::Tell;
use super::world::{Item, O, Proof, T, World};
use gavel_compiler::units::Height;
use gavel_verifier::game::{Duty, Event, Player};
use gavel_verifier::graph::{ClaimId, TxName};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The height of the block with Fund, where a game begins with it.
pub const START: u32 = 100;

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// The coalition has a transaction put into the next block.
    Put(T),
    /// The coalition keeps an honest party's transaction out of the next block.
    Leave(T),
    /// The next block is mined: with what was put into it, and all that honest parties have on
    /// offer and that nothing was done about.
    Mine,
    /// The last block is disconnected.
    Undo,
    /// Honest parties see a transaction that isn't mined.
    Show(T),
    /// An honest claimer learns the inputs.
    Tell(u8),
}

/// A transaction that an honest party wants confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Who.
    pub party: u8,
    /// Its number.
    pub t: T,
    /// The last block it may be kept out of is the one before this height.
    pub until: u32,
}

/// Something that must never happen, on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

/// A state.
#[derive(Clone)]
pub struct State {
    tip: u32,
    /// The highest tip there was.
    peak: u32,
    /// Confirmed transactions in order, with their heights.
    chain: Vec<(T, u32)>,
    unspent: BTreeMap<O, u32>,
    /// The next block so far.
    block: Vec<T>,
    left: BTreeSet<T>,
    minds: Vec<Rc<Mind>>,
    wanted: Vec<Wanted>,
    /// Since when each honest party has offered what, and whether it was once confirmed.
    since: BTreeMap<(u8, TxName), (u32, bool)>,
    /// All that honest parties ever offered and that may still be mined.
    offered: BTreeSet<T>,
    /// What parties saw that isn't in the chain.
    ghosts: BTreeSet<T>,
    told: BTreeSet<u8>,
    /// Lies that were confirmed before everything was decided.
    guilty: BTreeSet<ClaimId>,
    signed: Vec<Signed>,
}

impl State {
    /// The beginning.
    ///
    /// # Errors
    /// [`Fault`] if an honest party can't act.
    pub fn begin(world: &World) -> Result<Self, Fault> {
        let setting = &world.setting;
        let minds = setting
            .honest()
            .filter_map(|p| Mind::new(setting, &world.joint, p));
        let fund: Vec<O> = world
            .outs()
            .filter_map(|(o, out)| out.of.is_none().then_some(o))
            .collect();
        let mut state = Self {
            tip: START - 2,
            peak: START - 2,
            chain: vec![],
            unspent: fund.into_iter().map(|o| (o, 1)).collect(),
            block: vec![],
            left: BTreeSet::new(),
            minds: minds.map(Rc::new).collect(),
            wanted: vec![],
            since: BTreeMap::new(),
            offered: BTreeSet::new(),
            ghosts: BTreeSet::new(),
            told: BTreeSet::new(),
            guilty: BTreeSet::new(),
            signed: vec![],
        };
        if setting.tell == Tell::AtOnce {
            for party in setting.claimers.clone() {
                state.tell(world, party);
            }
        }
        if setting.close {
            state.close(world);
        }
        // A block so that everybody knows a height.
        state = state.mine(world)?;
        if !setting.before_fund
            && let Some(fund) = setting.graph.get(TxName::Fund)
        {
            let t = world.intern(TxName::Fund, "", fund.tx.clone());
            state.block.push(t);
            state = state.mine(world)?;
        }
        state.peak = state.tip;
        Ok(state)
    }

    /// Height of the best block.
    pub fn tip(&self) -> u32 {
        self.tip
    }

    /// Confirmed transactions with their heights.
    pub fn chain(&self) -> &[(T, u32)] {
        &self.chain
    }

    /// Unspent outputs with the heights of their confirmation.
    pub fn unspent(&self) -> &BTreeMap<O, u32> {
        &self.unspent
    }

    /// What honest parties want confirmed.
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Who was told the inputs.
    pub fn told(&self) -> &BTreeSet<u8> {
        &self.told
    }

    /// Lies that were confirmed before the vault's spend was buried.
    pub fn guilty(&self) -> &BTreeSet<ClaimId> {
        &self.guilty
    }

    /// Whether the next block is still empty.
    pub fn between_blocks(&self) -> bool {
        self.block.is_empty() && self.left.is_empty()
    }

    fn tell(&mut self, world: &World, party: u8) {
        let setting = &world.setting;
        let Some(k) = setting.truth.outcome else {
            return;
        };
        let mind = self.minds.iter_mut().find(|m| m.party.me() == party);
        if let Some(mind) = mind {
            let mut told = mind.fork(setting);
            told.party.claim(k, setting.proofs(&setting.truth));
            *mind = Rc::new(told);
        }
        self.told.insert(party);
    }

    fn close(&mut self, world: &World) {
        let setting = &world.setting;
        let Some(k) = setting.truth.outcome else {
            return;
        };
        let Ok(close) = setting.graph.close(k) else {
            return;
        };
        for mind in &mut self.minds {
            let mut told = mind.fork(setting);
            told.party.close(close.tx.clone());
            *mind = Rc::new(told);
        }
    }

    /// Whether a transaction fits into the next block as it stands.
    fn fits(&self, world: &World, item: &Item) -> bool {
        let height = self.tip + 1;
        let fresh = |o: O| {
            let made = self.block.iter().any(|t| world.item(*t).outs.contains(&o));
            made.then_some(height)
        };
        let taken = |o: O| {
            let mut spends = self.block.iter().flat_map(|t| world.item(*t).ins.clone());
            spends.any(|(other, _)| other == o)
        };
        let fits = |(o, lock): &(O, u32)| {
            let at = self.unspent.get(o).copied().or_else(|| fresh(*o));
            at.is_some_and(|at| height >= at.saturating_add(*lock)) && !taken(*o)
        };
        item.ins.len() == item.tx.input.len()
            && item.ins.iter().all(fits)
            && world
                .setting
                .refused
                .is_none_or(|refused| !refused(&item.name))
            && (world.setting.rules.relays)(&world.setting.graph, &item.tx)
    }

    /// Everything that can happen next.
    pub fn moves(&self, world: &World) -> Vec<Move> {
        let setting = &world.setting;
        let mut moves = Vec::new();
        let mut known = BTreeSet::new();
        for wanted in &self.wanted {
            if self.left.contains(&wanted.t) || !known.insert(wanted.t) {
                continue;
            }
            let item = world.item(wanted.t);
            if !self.fits(world, &item) {
                continue;
            }
            let first = self.wanted.iter().filter(|other| other.t == wanted.t);
            let until = first.map(|other| other.until).min().unwrap_or(0);
            if until > self.tip + 1 {
                moves.push(Move::Leave(wanted.t));
            }
        }
        let candidates = world.catalog.iter().chain(&self.offered);
        let mut put = BTreeSet::new();
        for t in candidates {
            if known.contains(t) && !self.left.contains(t) && !self.contested(world, *t) {
                continue;
            }
            if self.left.contains(t) || self.block.contains(t) || !put.insert(*t) {
                continue;
            }
            // A block is a set: what doesn't depend on the last one comes in order.
            let item = world.item(*t);
            if self.fits(world, &item) && self.proven(world, &item) && self.ordered(world, *t) {
                moves.push(Move::Put(*t));
            }
        }
        if self.between_blocks() {
            let depth = setting.deployment().terms.windows.reorg.0;
            if self.tip > START && self.tip + depth > self.peak {
                moves.push(Move::Undo);
            }
            if setting.tell == Tell::AnyTime {
                let late = |p: &&u8| !self.told.contains(*p) && self.in_time(world);
                moves.extend(setting.claimers.iter().filter(late).map(|p| Move::Tell(*p)));
            }
            let shown = world.catalog.iter().filter(|t| {
                let item = world.item(**t);
                // To a machine that has seen it, seeing it again is nothing.
                item.shows && !self.ghosts.contains(*t) && self.fits(world, &item)
            });
            moves.extend(shown.map(|t| Move::Show(*t)));
        }
        moves.push(Move::Mine);
        moves
    }

    /// Whether honest parties offer several transactions of which only one can be confirmed.
    fn contested(&self, world: &World, t: T) -> bool {
        let item = world.item(t);
        self.wanted.iter().any(|other| {
            let rival = world.item(other.t);
            let shared = |(o, _): &(O, u32)| item.ins.iter().any(|(mine, _)| mine == o);
            other.t != t && rival.ins.iter().any(shared)
        })
    }

    fn ordered(&self, world: &World, t: T) -> bool {
        self.block.last().is_none_or(|last| {
            let made = world.item(*last).outs.clone();
            *last < t || world.item(t).ins.iter().any(|(o, _)| made.contains(o))
        })
    }

    /// Whether an honest claimer that learns the inputs now is still in time.
    fn in_time(&self, world: &World) -> bool {
        let locks = world.setting.known.deployment.locks();
        let fund = self
            .chain
            .iter()
            .find(|(t, _)| world.item(*t).name == TxName::Fund);
        fund.is_none_or(|(_, at)| self.tip + locks.claim_margin.0 < at + locks.refund.0)
    }

    /// Whether the coalition has the proof that a transaction needs.
    fn proven(&self, world: &World, item: &Item) -> bool {
        let signed = |c: u8| {
            let mut minds = self.minds.iter().zip(&self.signed);
            let mind = minds.find(|(mind, _)| mind.party.me() == c);
            mind.map(|(_, signed)| signed)
        };
        match item.proof {
            None => true,
            Some(Proof::Revealed(c)) => signed(c).is_some_and(|signed| !signed.is_empty()),
            Some(Proof::Lie(id)) => signed(id.c).is_some_and(|signed| world.proves(id, signed)),
        }
    }

    /// The state after a move.
    ///
    /// # Errors
    /// [`Fault`] if a machine fails in it.
    pub fn after(&self, world: &World, next: Move) -> Result<Self, Fault> {
        let mut state = self.clone();
        match next {
            Move::Put(t) => state.block.push(t),
            Move::Leave(t) => drop(state.left.insert(t)),
            Move::Mine => return state.mine(world),
            Move::Undo => return state.undo(world),
            Move::Show(t) => {
                state.ghosts.insert(t);
                let event = Event::Seen(world.item(t).tx.as_ref().clone());
                return state.told_of(world, &event);
            }
            Move::Tell(party) => {
                state.tell(world, party);
                let minds = state.minds.iter().map(|mind| mind.fork(&world.setting));
                let minds = minds.collect();
                return state.act(world, minds);
            }
        }
        Ok(state)
    }

    fn mine(mut self, world: &World) -> Result<Self, Fault> {
        for wanted in self.wanted.clone() {
            let t = wanted.t;
            let held = self.left.contains(&t) || self.block.contains(&t);
            if !held && self.fits(world, &world.item(t)) {
                self.block.push(t);
            }
        }
        self.tip += 1;
        self.peak = self.peak.max(self.tip);
        let block = std::mem::take(&mut self.block);
        self.left.clear();
        let mut txs = Vec::with_capacity(block.len());
        let decided = self.decided(world);
        for t in block {
            let item = world.item(t);
            if let TxName::Claim(id) = item.name
                && item.lie
                && !decided
            {
                self.guilty.insert(id);
            }
            for (o, _) in &item.ins {
                self.unspent.remove(o);
            }
            self.unspent
                .extend(item.outs.iter().map(|o| (*o, self.tip)));
            self.chain.push((t, self.tip));
            self.ghosts.remove(&t);
            for wanted in self.wanted.iter().filter(|wanted| wanted.t == t) {
                if let Some((_, was)) = self.since.get_mut(&(wanted.party, item.name)) {
                    *was = true;
                }
            }
            txs.push(item.tx.as_ref().clone());
        }
        let height = Height(self.tip);
        self.told_of(world, &Event::Connected { height, txs })
    }

    /// Whether how the vault was spent is buried: from then on a lie matters to nobody.
    fn decided(&self, world: &World) -> bool {
        let m = world.setting.deployment().terms.windows.reorg.0;
        let ends = |name: TxName| {
            matches!(
                name,
                TxName::Payout(_) | TxName::PayoutLate(_) | TxName::Refund | TxName::Close
            )
        };
        let mut chain = self.chain.iter();
        chain.any(|(t, at)| at + m < self.tip && ends(world.item(*t).name))
    }

    fn undo(mut self, world: &World) -> Result<Self, Fault> {
        let height = Height(self.tip);
        while self.chain.last().is_some_and(|(_, at)| *at == self.tip) {
            let Some((t, _)) = self.chain.pop() else {
                break;
            };
            if world.item(t).shows {
                self.ghosts.insert(t);
            }
        }
        self.tip -= 1;
        let claims = self.chain.iter().map(|(t, _)| world.item(*t).name);
        let claims: BTreeSet<TxName> = claims.collect();
        self.guilty
            .retain(|id| claims.contains(&TxName::Claim(*id)));
        let fund = world.outs().filter(|(_, out)| out.of.is_none());
        self.unspent = fund.map(|(o, _)| (o, 1)).collect();
        for (t, at) in &self.chain {
            let item = world.item(*t);
            for (o, _) in &item.ins {
                self.unspent.remove(o);
            }
            self.unspent.extend(item.outs.iter().map(|o| (*o, *at)));
        }
        self.told_of(world, &Event::Disconnected { height })
    }

    fn told_of(mut self, world: &World, event: &Event) -> Result<Self, Fault> {
        let minds = std::mem::take(&mut self.minds);
        let minds = minds.into_iter().map(|mind| {
            let mut told = mind.fork(&world.setting);
            told.on(&world.setting, event);
            told
        });
        self.act(world, minds.collect())
    }

    /// Asks every honest party what it wants done.
    fn act(mut self, world: &World, minds: Vec<Mind>) -> Result<Self, Fault> {
        let windows = &world.setting.deployment().terms.windows;
        let (w, m) = (windows.confirm.0, windows.reorg.0);
        self.wanted.clear();
        self.signed.clear();
        self.minds.clear();
        for mut mind in minds {
            let party = mind.party.me();
            let named = |error: String| Fault(format!("party {party}: {error}"));
            let act = mind.act(&world.setting).map_err(|e| named(e.to_string()))?;
            if let Some(trouble) = act.troubles.first() {
                return Err(named(trouble.to_string()));
            }
            for duty in act.duties {
                let Duty::Broadcast { name, tx, .. } = duty else {
                    continue;
                };
                let t = world.intern(name, "", tx);
                let since = self.since.entry((party, name)).or_insert((self.tip, false));
                let until = since.0 + w + if since.1 { m } else { 0 };
                self.wanted.push(Wanted { party, t, until });
                self.offered.insert(t);
            }
            self.signed.push(mind.signed());
            self.minds.push(Rc::new(mind));
        }
        self.forget(world, m);
        Ok(self)
    }

    /// Drops what can't matter any more.
    fn forget(&mut self, world: &World, m: u32) {
        let recent: BTreeSet<TxName> = self
            .chain
            .iter()
            .filter(|(_, at)| at + m >= self.tip)
            .map(|(t, _)| world.item(*t).name)
            .collect();
        // What was spent lately may be unspent again.
        let (unspent, tip, chain) = (&self.unspent, self.tip, &self.chain);
        let lately = chain.iter().filter(|(_, at)| at + m > tip);
        let lately: BTreeSet<O> = lately
            .flat_map(|(t, _)| world.item(*t).ins.clone())
            .map(|(o, _)| o)
            .collect();
        self.offered.retain(|t| {
            let there = |(o, _): &(O, u32)| unspent.contains_key(o) || lately.contains(o);
            world.item(*t).ins.iter().all(there)
        });
        // What may still be mined keeps its place in time, whatever was mined instead of it.
        let offered: BTreeSet<TxName> = self.offered.iter().map(|t| world.item(*t).name).collect();
        self.since.retain(|(_, name), (_, was)| {
            offered.contains(name) || (*was && recent.contains(name))
        });
    }

    /// A number that two states share only if everything that can follow is the same.
    pub fn key(&self, world: &World) -> u128 {
        let m = world.setting.deployment().terms.windows.reorg.0;
        let halves = [0u64, 1].map(|salt| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            self.hash_into(world, m, &mut hasher);
            u128::from(hasher.finish())
        });
        (halves[0] << 64) | halves[1]
    }

    fn hash_into(&self, world: &World, m: u32, hasher: &mut impl Hasher) {
        (self.peak - self.tip).hash(hasher);
        let mut chain: Vec<(T, u32)> = Vec::with_capacity(self.chain.len());
        for (t, at) in &self.chain {
            let item = world.item(*t);
            let live = item.outs.iter().filter(|o| self.unspent.contains_key(*o));
            let longest = live.filter_map(|o| world.out(*o)).map(|out| out.longest);
            // One deeper than any lock and any reorganisation, it is just old.
            let old = longest.max().unwrap_or(0).max(m) + 1;
            chain.push((*t, (self.tip - at).min(old)));
        }
        chain.sort_unstable();
        chain.hash(hasher);
        self.block.hash(hasher);
        self.left.hash(hasher);
        self.ghosts.hash(hasher);
        self.told.hash(hasher);
        self.guilty.hash(hasher);
        self.offered.hash(hasher);
        self.signed.hash(hasher);
        for wanted in &self.wanted {
            (
                wanted.party,
                wanted.t,
                wanted.until.saturating_sub(self.tip),
            )
                .hash(hasher);
        }
        let patience = world.setting.deployment().terms.windows.confirm.0 + m + 2;
        for (of, (since, was)) in &self.since {
            (of, (self.tip + 1).saturating_sub(*since).min(patience), was).hash(hasher);
        }
        if world.setting.tell == Tell::AnyTime || world.setting.before_fund {
            // Heights that are fixed in advance.
            self.in_time(world).hash(hasher);
        }
        if let Some(by) = world.setting.deployment().terms.fund_by {
            by.0.saturating_sub(self.tip).hash(hasher);
        }
    }
}
