//! Plays an explored run again on a real node: the same moves, with real signatures, real
//! scripts and the production runner; whatever the model said must come true.

use super::search::Found;
use super::state::{Move, State};
use super::world::{Made, T, World};
use crate::game::{PlayError, connect, prover};
use crate::rogue::NoGuard;
use crate::sheet::{Due, sheet, tx_rows};
use crate::table::Table;
use bitcoin::{OutPoint, Transaction};
use gavel_compiler::units::Height;
use gavel_regtest::Node;
use gavel_verifier::chain::CoreRpc;
use gavel_verifier::game::{Kit, Party, Player};
use gavel_verifier::graph::{Graph, Spendable, TxName};
use gavel_verifier::run::Runner;
use gavel_verifier::sign::MemoryGuard;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What was done on the node.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Blocks mined.
    pub blocks: usize,
    /// Blocks disconnected.
    pub undone: usize,
    /// Transactions in the chain at the end.
    pub txs: Vec<TxName>,
}

/// A table at which the moves of a run are made.
struct Stand<'a> {
    world: &'a World,
    node: Node,
    graph: Arc<Graph>,
    honest: Vec<Box<dyn Player>>,
    rogues: BTreeMap<u8, Kit>,
    runner: Runner<CoreRpc>,
    /// What honest parties offered last under each name.
    offered: BTreeMap<TxName, Transaction>,
    table: Vouchers,
    done: Replayed,
}

/// Input proofs of every case that the coalition uses.
type Vouchers = BTreeMap<Vec<u32>, Vec<gavel_verifier::game::InputProof>>;

/// Whether every move of a run can be made with real signatures: an accomplice's disproof of its
/// own friend needs frames that nobody asserted, so it can't be made here.
pub fn replayable(world: &World, run: &[Move]) -> bool {
    run.iter().all(|next| match next {
        Move::Put(t) => {
            let item = world.item(*t);
            !(matches!(item.made, Made::Alone) && matches!(item.name, TxName::Disprove(..)))
        }
        Move::Tell(_) | Move::Show(_) => false,
        Move::Mine | Move::Leave(_) | Move::Undo => true,
    })
}

/// At most `count` of a search's runs that can be replayed: each has as many transactions as
/// possible that none before it had, then as many moves.
pub fn sample(world: &World, found: &Found, count: usize) -> Vec<Vec<Move>> {
    let runs = found.runs.iter().filter(|run| replayable(world, run));
    let mut left: Vec<(Vec<Move>, BTreeSet<TxName>)> = runs
        .filter_map(|run| Some((run.clone(), confirmed(world, run)?)))
        .collect();
    let mut seen: BTreeSet<TxName> = BTreeSet::new();
    let mut taken = Vec::new();
    while taken.len() < count {
        let busy = |run: &[Move]| run.iter().filter(|next| **next != Move::Mine).count();
        let worth = |(run, names): &(Vec<Move>, BTreeSet<TxName>)| {
            (names.difference(&seen).count(), busy(run))
        };
        let Some(best) = (0..left.len()).max_by_key(|n| left.get(*n).map(worth)) else {
            break;
        };
        let (run, names) = left.swap_remove(best);
        seen.extend(names);
        taken.push(run);
    }
    taken
}

/// The transactions in the chain at the end of a run.
fn confirmed(world: &World, run: &[Move]) -> Option<BTreeSet<TxName>> {
    let mut state = State::begin(world).ok()?;
    for next in run {
        state = state.after(world, *next).ok()?;
    }
    let chain = state.chain().iter();
    Some(chain.map(|(t, _)| world.item(*t).name).collect())
}

/// Replays a run.
///
/// # Errors
/// [`PlayError::Broken`] where the node or the parties do something else than the model.
pub fn replay(world: &World, run: &[Move]) -> Result<Replayed, PlayError> {
    let mut stand = Stand::begin(world)?;
    let mut state = State::begin(world).map_err(|fault| PlayError::Broken(fault.0))?;
    stand.agrees(&state)?;
    for next in run {
        let after = state.after(world, *next);
        let after = after.map_err(|fault| PlayError::Broken(fault.0))?;
        match next {
            Move::Mine => {
                let new = after.chain().iter().filter(|(_, at)| *at == after.tip());
                let txs = new.map(|(t, _)| stand.real(*t));
                let txs = txs.collect::<Result<Vec<_>, _>>()?;
                stand.mine(&txs)?;
                stand.agrees(&after)?;
            }
            Move::Undo => {
                stand.undo()?;
                stand.agrees(&after)?;
            }
            _ => {}
        }
        state = after;
    }
    stand.settle(&state)
}

impl<'a> Stand<'a> {
    fn begin(world: &'a World) -> Result<Self, PlayError> {
        let setting = &world.setting;
        let table = Table::seat(&setting.stage)?;
        let cases = setting.provable().chain([&setting.truth]);
        let vouched = cases.map(|case| Ok((case.words.clone(), table.vouch(&case.words)?)));
        let vouched = vouched.collect::<Result<Vouchers, PlayError>>()?;
        let runner = Runner::new(connect(&table.node)?)?;
        let (mut honest, mut rogues) = (Vec::<Box<dyn Player>>::new(), BTreeMap::new());
        for ready in table.parties {
            let me = ready.me;
            if setting.rogue(me) {
                rogues.insert(me, ready.into_kit(Box::new(NoGuard), 1));
                continue;
            }
            let mut party = Party::new(ready.into_kit(Box::new(MemoryGuard::new()), 1));
            let truth = vouched.get(&setting.truth.words);
            if let (Some(k), Some(proofs)) = (setting.truth.outcome, truth)
                && setting.claimers.contains(&me)
            {
                party.claim(k, proofs.clone());
            }
            honest.push(Box::new(party));
        }
        let mut stand = Self {
            world,
            node: table.node,
            graph: table.graph,
            honest,
            rogues,
            runner,
            offered: BTreeMap::new(),
            table: vouched,
            done: Replayed::default(),
        };
        stand.mine(std::slice::from_ref(&table.fund))?;
        Ok(stand)
    }

    fn mine(&mut self, txs: &[Transaction]) -> Result<(), PlayError> {
        self.node.rpc().mine_block_with(txs)?;
        self.done.blocks += 1;
        self.ask()
    }

    fn undo(&mut self) -> Result<(), PlayError> {
        let rpc = self.node.rpc();
        rpc.rewind(1)?;
        self.done.undone += 1;
        self.ask()
    }

    /// Honest parties learn what happened and offer what they have to.
    fn ask(&mut self) -> Result<(), PlayError> {
        let plan = self.graph.deployment.plan.clone();
        let (offered, _) = self.runner.step(&mut self.honest, &prover(&plan))?;
        if let Some((party, trouble)) = self.runner.troubles().into_iter().next() {
            return Err(PlayError::Broken(format!("party {party}: {trouble}")));
        }
        let offered = offered.into_iter().map(|offer| (offer.name, offer.tx));
        self.offered = offered.collect();
        Ok(())
    }

    /// Whether honest parties want what they want in the model.
    fn agrees(&self, state: &State) -> Result<(), PlayError> {
        let model = state.wanted().iter();
        let model: BTreeSet<TxName> = model.map(|w| self.world.item(w.t).name).collect();
        let real: BTreeSet<TxName> = self.offered.keys().copied().collect();
        if model != real {
            return Err(PlayError::Broken(format!(
                "at height {} of the model honest parties offer {model:?}, on the node {real:?}",
                state.tip()
            )));
        }
        Ok(())
    }

    /// The real transaction for one of the model.
    fn real(&mut self, t: T) -> Result<Transaction, PlayError> {
        let item = self.world.item(t);
        if let Some(tx) = self.offered.get(&item.name) {
            return Ok(tx.clone());
        }
        let missing = || PlayError::Broken(format!("nobody can make {}", item.name));
        match (&item.made, item.name) {
            (Made::Claim(words), TxName::Claim(id)) => {
                let kit = self.rogues.get_mut(&id.c).ok_or_else(missing)?;
                let proofs = self.table.get(words).ok_or_else(missing)?;
                Ok(kit.claim(id.k, proofs)?)
            }
            (Made::Assert(elements), TxName::Assert(id)) => {
                let kit = self.rogues.get_mut(&id.claim.c).ok_or_else(missing)?;
                Ok(kit.assert(id, elements)?)
            }
            (Made::Alone, name) => self.alone(name, &item.tx),
            _ => {
                let mut kits = self.rogues.values();
                let made = kits.find_map(|kit| kit.simple(item.name).ok());
                made.ok_or_else(missing)
            }
        }
    }

    /// One output, by a rogue's own leaf.
    fn alone(&self, name: TxName, model: &Transaction) -> Result<Transaction, PlayError> {
        let spent = model.input.first().map(|txin| txin.previous_output);
        let missing = || PlayError::Broken(format!("{name} spends nothing that is known"));
        let of = spent.and_then(|at| self.world.setting.graph.outputs.get(&at));
        let (parent, role) = of.copied().ok_or_else(missing)?;
        let (at, _) = self.graph.output(parent, role).ok_or_else(missing)?;
        let only = |all: Vec<Spendable>| -> Vec<Spendable> {
            let is = |s: &Spendable, at: OutPoint| s.outpoint() == at;
            all.into_iter().filter(|s| is(s, at)).collect()
        };
        let (party, outputs) = match name {
            TxName::Unstake(id, held) => (id.v, self.graph.unstakeable(id, held)?),
            TxName::Sweep(id) => (id.claim.c, self.graph.sweepable(id)?),
            TxName::Reclaim(p) => (p, self.graph.reclaimable(p)?),
            _ => return Err(missing()),
        };
        let kit = self.rogues.get(&party).ok_or_else(missing)?;
        Ok(kit.take(name, &only(outputs))?)
    }

    /// The balance sheet at the end.
    fn settle(mut self, state: &State) -> Result<Replayed, PlayError> {
        let start = Height(self.node.rpc().height()? - (state.tip() + 1 - super::state::START));
        let rows = tx_rows(&self.node, &self.graph, start)?;
        let paid = rows.iter().find_map(|row| match row.id {
            TxName::Payout(id) | TxName::PayoutLate(id) => Some(Due::Outcome(id.k)),
            TxName::Refund => Some(Due::Refund),
            _ => None,
        });
        let due = paid.ok_or_else(|| PlayError::Broken("the pot is frozen".to_owned()))?;
        let honest = &self.world.setting.honest;
        let mut sheet = sheet(&self.node, &self.graph, start, &rows, honest, due)?;
        // A rogue may leave its own money lying; what the rules give it counts all of it.
        sheet.rows.retain(|row| row.honest);
        sheet.check().map_err(PlayError::Broken)?;
        let model = state.chain().iter();
        let model: BTreeSet<TxName> = model.map(|(t, _)| self.world.item(*t).name).collect();
        let real: BTreeSet<TxName> = rows.iter().map(|row| row.id).collect();
        if model != real {
            let what = format!("the model confirmed {model:?}, the node {real:?}");
            return Err(PlayError::Broken(what));
        }
        self.done.txs = real.into_iter().collect();
        Ok(self.done)
    }
}
