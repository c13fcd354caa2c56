//! What `explore::meaning` declares is true on a real node, both ways: a spend of each output of
//! a graph with all that its way needs, and nothing else, can be mined, and without any one of
//! its needs it can't, for the reason that it should be refused for. A new line in the table
//! without a spend that shows it fails.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

#[path = "meaning/parts.rs"]
mod parts;
#[path = "meaning/secrets.rs"]
mod secrets;
#[path = "meaning/spend.rs"]
mod spend;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{OutPoint, Transaction};
use gavel_compiler::units::Blocks;
use gavel_regtest::{Node, Rpc};
use gavel_tests::explore::Toy;
use gavel_tests::explore::meaning::{Kind, Need, Way, kind, ways};
use gavel_tests::{Stage, Table};
use gavel_verifier::connector::nobody;
use gavel_verifier::game::{InputProof, Kit};
use gavel_verifier::graph::{ClaimId, DisputeId, Graph, Planned, Role, TxName};
use gavel_verifier::sample::sample;
use gavel_verifier::setup::Ready;
use gavel_verifier::sign::MemoryGuard;
use parts::Maker;
use secrets::Secrets;
use serde_json::{Value, json};
use spend::Coin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Three parties, several segments, inputs and frames in groups; an author among the parties.
const ROUNDS: Toy = Toy {
    n: 3,
    author: 1,
    groups: true,
    ..Toy::LONG
};
/// Three parties and a single leaf.
const LEAF: Toy = Toy {
    rounds: false,
    groups: false,
    ..ROUNDS
};

/// What a node says of a block with a spend whose lock isn't over.
const EARLY: &[&str] = &["non-BIP68-final"];

/// A node with a funded table, and what was shown so far.
struct Bench {
    node: Node,
    maker: Maker,
    kits: Vec<Kit>,
    fund: Transaction,
    proofs: Vec<InputProof>,
    /// The graph's transactions in the chain, and at which height.
    mined: BTreeMap<TxName, u32>,
    /// Ways that were tried one block before their lock ended.
    early: BTreeSet<(OutPoint, Kind)>,
    /// Needs that are shown to be wanted, in ways that are shown to be open.
    shown: BTreeSet<(OutPoint, Kind, Need)>,
    judged: usize,
}

impl Bench {
    fn new(stage: Stage) -> Self {
        let table = Table::seat(&stage).unwrap();
        let proofs = table.vouch(&stage.usual().unwrap().words).unwrap();
        let kit = |ready| Ready::into_kit(ready, Box::new(MemoryGuard::new()), 1);
        Self {
            maker: Maker {
                secrets: Secrets::new(table.graph.clone()),
                graph: table.graph,
                stage,
            },
            node: table.node,
            kits: table.parties.into_iter().map(kit).collect(),
            fund: table.fund,
            proofs,
            mined: BTreeMap::new(),
            early: BTreeSet::new(),
            shown: BTreeSet::new(),
            judged: 0,
        }
    }

    fn graph(&self) -> Arc<Graph> {
        self.maker.graph.clone()
    }

    fn height(&self) -> u32 {
        self.node.rpc().height().unwrap()
    }

    /// Mines these, and tries all that can be shown then.
    fn block(&mut self, txs: &[(TxName, Transaction)]) {
        let raw: Vec<_> = txs.iter().map(|(_, tx)| tx.clone()).collect();
        self.node.rpc().mine_block_with(&raw).unwrap();
        let height = self.height();
        self.mined
            .extend(txs.iter().map(|(name, _)| (*name, height)));
        for coin in self.unspent() {
            self.visit(&coin, height + 1 - self.mined[&coin.name]);
        }
    }

    /// Mines what needs only signatures.
    fn simple(&mut self, who: impl Fn(TxName) -> Option<u8>) {
        let names: Vec<TxName> = self.graph().txs.keys().copied().collect();
        let makers = names
            .into_iter()
            .filter_map(|name| Some((name, who(name)?)));
        let txs = makers.map(|(name, p)| (name, self.kits[usize::from(p)].simple(name).unwrap()));
        let txs: Vec<_> = txs.collect();
        self.block(&txs);
    }

    /// Mines empty blocks until a transaction is this deep.
    fn wait(&mut self, name: TxName, depth: Blocks) {
        while self.height() + 1 - self.mined[&name] < depth.0 {
            self.block(&[]);
        }
    }

    /// Takes all blocks above a height back. What comes next must be another block.
    fn back(&mut self, to: u32) {
        self.node.rpc().rewind(self.height() - to).unwrap();
        self.mined.retain(|_, height| *height <= to);
    }

    fn unspent(&self) -> Vec<Coin> {
        let graph = self.graph();
        let mined = self.mined.keys().filter_map(|name| graph.get(*name));
        let inputs = mined.flat_map(|planned| &planned.tx.input);
        let spent: BTreeSet<_> = inputs.map(|txin| txin.previous_output).collect();
        Coin::all(&graph)
            .filter(|coin| self.mined.contains_key(&coin.name) && !spent.contains(&coin.outpoint))
            .collect()
    }

    fn visit(&mut self, coin: &Coin, depth: u32) {
        for way in ways(&self.graph().deployment, coin.name, coin.role) {
            let missing = |need: &Need| !self.shown.contains(&(coin.outpoint, way.kind, *need));
            if !way.needs.iter().any(missing) {
                continue;
            }
            match way.depth() {
                Some(lock) if lock.0 == depth + 1 => self.try_early(coin, &way),
                Some(lock) if lock.0 != depth => {}
                _ => self.try_way(coin, &way),
            }
        }
    }

    /// All is there but the depth.
    fn try_early(&mut self, coin: &Coin, way: &Way) {
        for good in self.maker.goods(coin, way) {
            let said = self.judge(&self.maker.spend(coin, way, &good));
            expect(coin, way, "a block early", &said, EARLY);
            self.judged += 1;
        }
        self.early.insert((coin.outpoint, way.kind));
    }

    /// All is there; then all but one thing.
    fn try_way(&mut self, coin: &Coin, way: &Way) {
        let goods = self.maker.goods(coin, way);
        for good in &goods {
            let said = self.judge(&self.maker.spend(coin, way, good));
            assert_eq!(said, Ok(()), "{}: {:?} by {way:?}", coin.name, coin.role);
            self.judged += 1;
        }
        for need in &way.needs {
            let faults = self.maker.faults(coin, *need, &goods[0]);
            assert!(!faults.is_empty(), "nothing takes {need:?} away");
            for fault in faults {
                let said = self.judge(&self.maker.spend(coin, way, &fault.parts));
                expect(coin, way, &fault.what, &said, fault.why);
                self.judged += 1;
            }
            let waited = self.early.contains(&(coin.outpoint, way.kind));
            if waited || !matches!(need, Need::Depth(_)) {
                self.shown.insert((coin.outpoint, way.kind, *need));
            }
        }
    }

    /// What consensus says of a block with this transaction. Nothing is mined.
    fn judge(&self, tx: &Transaction) -> Result<(), String> {
        let rpc: &Rpc = self.node.rpc();
        let args = [json!("raw(51)"), json!([serialize_hex(tx)]), json!(false)];
        let said: Result<Value, _> = rpc.call("generateblock", &args);
        said.map(drop).map_err(|error| format!("{error:?}"))
    }

    /// Every output of the graph comes to lie in the chain, as deep as its locks ask for.
    fn tour(&mut self) {
        let d = self.graph().deployment.clone();
        self.block(&[(TxName::Fund, self.fund.clone())]);
        let start = self.height();
        self.wait(TxName::Fund, d.locks().refund);
        for k in 0..d.outcomes() {
            self.back(start);
            self.claim(k);
        }
    }

    /// Everybody claims one outcome, and all challenge all.
    fn claim(&mut self, k: u8) {
        let d = self.graph().deployment.clone();
        let locks = d.locks();
        let (inputs, claims) = (self.proofs.clone(), |id: ClaimId| id.k == k);
        let made = self.kits.iter_mut().map(|kit| {
            let name = TxName::Claim(ClaimId { c: kit.me, k });
            (name, kit.claim(k, &inputs).unwrap())
        });
        let made: Vec<_> = made.collect();
        self.block(&made);
        let first = made[0].0;
        if d.rounds() {
            self.wait(first, locks.payout);
            self.simple(|name| match name {
                TxName::Challenge(id) if claims(id.claim) => Some(id.v),
                _ => None,
            });
            self.answer(k);
        }
        self.wait(first, locks.late);
        for c in 0..d.n() {
            let here = self.height();
            let late = TxName::PayoutLate(ClaimId { c, k });
            self.simple(|name| (name == late).then_some(c));
            self.back(here);
        }
        self.wait(first, locks.release);
        self.simple(|name| match name {
            TxName::Release(id) if claims(id) => Some(id.c),
            _ => None,
        });
    }

    /// Nobody answers the challenges; then, on another branch, everybody does.
    fn answer(&mut self, k: u8) {
        let unstake = self.graph().deployment.locks().unstake;
        let here = self.height();
        let id = |c: u8, v: u8| DisputeId {
            claim: ClaimId { c, k },
            v,
        };
        self.wait(TxName::Challenge(id(0, 1)), unstake);
        self.back(here);
        let words = &self.maker.stage.usual().unwrap().words;
        let trace = gavel_prover::trace(&self.maker.stage.plan, words);
        let n = self.graph().deployment.n();
        let mut txs = Vec::new();
        for (c, v) in (0..n).flat_map(|c| (0..n).map(move |v| (c, v))) {
            if c != v {
                let made = self.kits[usize::from(c)].assert(id(c, v), &trace.elements);
                txs.push((TxName::Assert(id(c, v)), made.unwrap()));
            }
        }
        self.block(&txs);
        self.wait(txs[0].0, unstake);
    }
}

/// Checks that a node refused a spend, and said one of these things.
fn expect(coin: &Coin, way: &Way, what: &str, said: &Result<(), String>, why: &[&str]) {
    let fits = |said: &String| why.iter().any(|why| said.contains(why));
    let place = format!("{}: {:?} by {:?}, {what}", coin.name, coin.role, way.kind);
    assert!(
        said.as_ref().is_err_and(fits),
        "{place}: {said:?}, not {why:?}"
    );
}

fn show(toy: Toy) {
    let mut bench = Bench::new(toy.stage().unwrap());
    bench.tour();
    let graph = bench.graph();
    let mut wanted = BTreeSet::new();
    for coin in Coin::all(&graph) {
        for way in ways(&graph.deployment, coin.name, coin.role) {
            let all = way
                .needs
                .iter()
                .map(|need| (coin.outpoint, way.kind, *need));
            wanted.extend(all);
        }
    }
    let missed: Vec<_> = wanted.difference(&bench.shown).collect();
    assert!(missed.is_empty(), "never shown: {missed:?}");
    println!("{} needs, {} spends judged", wanted.len(), bench.judged);
}

#[test]
fn every_need_is_wanted_and_together_they_are_enough() {
    show(ROUNDS);
}

#[test]
fn the_same_with_a_single_leaf() {
    show(LEAF);
}

fn graphs() -> [Graph; 2] {
    [ROUNDS, LEAF].map(|toy| {
        let stage = toy.stage().unwrap();
        sample(stage.contract, stage.plan, stage.terms).unwrap()
    })
}

/// No leaf and no key that the table doesn't have, and no way in it twice.
#[test]
fn there_is_no_other_way() {
    for graph in graphs() {
        let nobody = nobody(&graph.deployment.contract.id).unwrap();
        for coin in Coin::all(&graph) {
            let declared = ways(&graph.deployment, coin.name, coin.role);
            let kinds: BTreeSet<_> = declared.iter().map(|way| way.kind).collect();
            assert_eq!(kinds.len(), declared.len(), "{declared:?}");
            let Some(tap) = coin.tap().filter(|_| coin.role != Role::Anchor) else {
                assert!(declared.is_empty(), "{}: {:?}", coin.name, coin.role);
                continue;
            };
            let leaves = (0..tap.leaves.len()).map(|leaf| coin.leaf_kind(leaf).unwrap());
            let key = (tap.internal != nobody).then_some(Kind::Key);
            let real: BTreeSet<_> = leaves.chain(key).collect();
            assert_eq!(kinds, real, "{}: {:?}", coin.name, coin.role);
        }
    }
}

/// The graph's own transactions spend by ways of the table, have the n-of-n's signature where it
/// is needed, and wait as long as the leaf does at least.
#[test]
fn the_graph_goes_by_the_table() {
    for graph in graphs() {
        for planned in graph.txs.values().filter(|p| p.name != TxName::Fund) {
            let signed: BTreeSet<_> = planned.joint_inputs().map(|(n, _)| n).collect();
            for n in 0..planned.inputs.len() {
                let way = way_of(&graph, planned, n);
                assert_eq!(way.wants(Need::Joint), signed.contains(&n), "{way:?}");
                let lock = planned.tx.input[n].sequence.to_relative_lock_time();
                let least = way.depth().map_or(0, |lock| lock.0);
                let lock = lock.map_or(0, |lock| lock.to_consensus_u32());
                assert!(lock >= least, "{}: {way:?}", planned.name);
            }
        }
    }
}

fn way_of(graph: &Graph, planned: &Planned, n: usize) -> Way {
    let (name, role) = graph.outputs[&planned.tx.input[n].previous_output];
    let kind = kind(planned, n).unwrap();
    let mut all = ways(&graph.deployment, name, role).into_iter();
    let found = all.find(|way| way.kind == kind);
    found.unwrap_or_else(|| panic!("{}: {role:?} by {kind:?}", planned.name))
}
