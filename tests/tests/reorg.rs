//! Parties without a node, whose chain is reorganised or whose transactions are stuck: what they
//! have to do follows from the chain as it is, and what was ever seen one-time-signed is kept.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

mod support;

use bitcoin::{OutPoint, Transaction, relative::LockTime};
use gavel_compiler::segment::Trace;
use gavel_compiler::units::Height;
use gavel_compiler::word::End;
use gavel_tests::{Rogue, Stage};
use gavel_verifier::game::{Duty, Event, InputProof, Party, Player};
use gavel_verifier::graph::{ClaimId, Graph, TxName};
use gavel_verifier::setup::{Ready, finish_fund};
use gavel_verifier::sign::MemoryGuard;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use support::{Built, agree};

const START: u32 = 100;

fn stage() -> Stage {
    Built {
        n: 3,
        outcomes: 2,
        rounds: 20,
        weight: 8_000,
        ..Built::PLAIN
    }
    .stage()
}

/// A chain that checks that outputs are there, unspent and deep enough, and no script.
struct Chain {
    /// From `START` on.
    blocks: Vec<Vec<Transaction>>,
    unspent: HashMap<OutPoint, u32>,
    pool: Vec<Transaction>,
    /// What no miner takes, whoever offers it.
    stuck: fn(TxName) -> bool,
}

impl Chain {
    fn tip(&self) -> u32 {
        START + self.blocks.len() as u32 - 1
    }

    fn offer(&mut self, tx: &Transaction) {
        let next = self.tip() + 1;
        let fits = tx.input.iter().all(|txin| {
            let taken = self.pool.iter().flat_map(|tx| &tx.input);
            let taken = taken.map(|other| other.previous_output);
            let mature = |at: u32| match txin.sequence.to_relative_lock_time() {
                Some(LockTime::Blocks(lock)) => next >= at + u32::from(lock.value()),
                _ => true,
            };
            let deep = self.unspent.get(&txin.previous_output).copied();
            deep.is_some_and(mature) && !taken.into_iter().any(|o| o == txin.previous_output)
        });
        if fits {
            self.pool.push(tx.clone());
        }
    }

    fn offer_all(&mut self, duties: &Duties) {
        for (name, tx) in duties {
            if !(self.stuck)(*name) {
                self.offer(tx);
            }
        }
    }

    fn mine(&mut self) -> Event {
        let txs = std::mem::take(&mut self.pool);
        self.blocks.push(txs.clone());
        let height = self.tip();
        for tx in &txs {
            for txin in &tx.input {
                self.unspent.remove(&txin.previous_output);
            }
            let txid = tx.compute_txid();
            for n in 0..tx.output.len() {
                self.unspent.insert(OutPoint::new(txid, n as u32), height);
            }
        }
        Event::Connected {
            height: Height(height),
            txs,
        }
    }
}

type Duties = BTreeMap<TxName, Transaction>;

struct World {
    stage: Stage,
    graph: Arc<Graph>,
    players: Vec<Box<dyn Player>>,
    chain: Chain,
    /// What each party had to do after the block at a height.
    had: BTreeMap<(u32, usize), Duties>,
}

impl World {
    /// Everybody is honest but the claimer, if it is to lie.
    fn begin(lies: bool) -> Self {
        let stage = stage();
        let ready = agree(&stage, 0).ready;
        let graph = ready[0].graph.clone();
        let mut signatures = BTreeMap::new();
        let folder = tempfile::tempdir().unwrap();
        for party in &ready {
            let stored = party.store(folder.path().join(party.me.to_string()));
            signatures.extend(party.sign_fund(&stored.unwrap()).unwrap());
        }
        let fund = finish_fund(&graph, &signatures).unwrap();
        let case = stage.usual().unwrap().clone();
        let k = case.outcome.unwrap();
        let claimed = if lies { 1 - k } else { k };
        let proofs = proofs(&graph, &ready, &case.words);
        let mut players: Vec<Box<dyn Player>> = Vec::new();
        for one in ready {
            let me = one.me;
            let mut party = Party::new(one.into_kit(Box::new(MemoryGuard::new()), 1));
            if me == 0 {
                party.claim(claimed, proofs.clone());
            }
            if lies && me == 0 {
                let rogue = Rogue::new(party).insisting().lying(move |_, mut trace| {
                    trace.end = End::Outcome(u32::from(claimed));
                    let frame = trace.elements.last_mut().unwrap();
                    frame[0] ^= 1;
                    trace
                });
                players.push(Box::new(rogue));
            } else {
                players.push(Box::new(party));
            }
        }
        let funding = fund.tx_inputs();
        let chain = Chain {
            blocks: vec![vec![]],
            unspent: funding.into_iter().map(|o| (o, 1)).collect(),
            pool: vec![fund],
            stuck: |_| false,
        };
        let mut world = Self {
            stage,
            graph,
            players,
            chain,
            had: BTreeMap::new(),
        };
        let event = world.chain.mine();
        world.tell(&event);
        world
    }

    fn tell(&mut self, event: &Event) {
        for player in &mut self.players {
            player.on(event);
        }
    }

    fn trace(&self, inputs: &[u32]) -> Trace {
        gavel_prover::trace(&self.stage.plan, inputs)
    }

    /// What a party has to do now.
    fn duties(&mut self, party: usize) -> Duties {
        loop {
            let act = self.players[party].act().unwrap();
            assert!(act.troubles.is_empty(), "{:?}", act.troubles);
            let mut duties = Duties::new();
            let mut unknown = Vec::new();
            for duty in act.duties {
                match duty {
                    Duty::Broadcast { name, tx, .. } => drop(duties.insert(name, tx)),
                    Duty::Compute { inputs } => unknown.push(inputs),
                }
            }
            if unknown.is_empty() {
                return duties;
            }
            for inputs in unknown {
                let trace = self.trace(&inputs);
                self.players[party].on(&Event::Traced { inputs, trace });
            }
        }
    }

    fn wake(&mut self) -> Option<u32> {
        let acts = self
            .players
            .iter_mut()
            .filter_map(|p| p.act().unwrap().wake);
        acts.map(|height| height.0).min()
    }

    /// Plays to the end, and notes what everybody had to do when.
    fn play(&mut self) {
        for _ in 0..100 {
            for party in 0..self.players.len() {
                let duties = self.duties(party);
                self.chain.offer_all(&duties);
                self.had.insert((self.chain.tip(), party), duties);
            }
            let blocks = match self.chain.pool.is_empty() {
                false => 1,
                true => match self.wake().filter(|wake| *wake > self.chain.tip()) {
                    Some(wake) => wake - self.chain.tip(),
                    None => return,
                },
            };
            for _ in 0..blocks {
                let event = self.chain.mine();
                self.tell(&event);
            }
        }
        panic!("the game did not end");
    }

    /// Takes blocks back until `to` is the tip.
    fn disconnect(&mut self, from: u32, to: u32) {
        for height in (to + 1..=from).rev() {
            let height = Height(height);
            self.tell(&Event::Disconnected { height });
        }
    }

    fn reconnect(&mut self, from: u32, to: u32) {
        for height in from + 1..=to {
            let txs = self.chain.blocks[(height - START) as usize].clone();
            let height = Height(height);
            self.tell(&Event::Connected { height, txs });
        }
    }

    /// Names of the graph's transactions that the chain holds.
    fn confirmed(&self) -> BTreeSet<TxName> {
        let txs = self.chain.blocks.iter().flatten();
        txs.filter_map(|tx| self.graph.names.get(&tx.compute_txid()).copied())
            .collect()
    }

    /// Heights at which somebody was asked, and their neighbours.
    fn heights(&self) -> BTreeSet<u32> {
        self.had.keys().map(|(height, _)| *height).collect()
    }
}

trait Inputs {
    fn tx_inputs(&self) -> Vec<OutPoint>;
}

impl Inputs for Transaction {
    fn tx_inputs(&self) -> Vec<OutPoint> {
        self.input.iter().map(|txin| txin.previous_output).collect()
    }
}

fn proofs(graph: &Graph, ready: &[Ready], words: &[u32]) -> Vec<InputProof> {
    gavel_tests::table::vouch(graph, ready, words).unwrap()
}

fn names(duties: &Duties) -> BTreeSet<TxName> {
    duties.keys().copied().collect()
}

/// Back to every height of a game and forth again, at every depth: the same duties each time.
fn walk(lies: bool) {
    let mut world = World::begin(lies);
    world.play();
    let confirmed = world.confirmed();
    let k = world.stage.usual().unwrap().outcome.unwrap();
    let claimed = ClaimId {
        c: 0,
        k: if lies { 1 - k } else { k },
    };
    assert!(confirmed.contains(&TxName::Claim(claimed)));
    let paid = confirmed.contains(&TxName::Payout(claimed));
    assert_eq!(paid, !lies, "{confirmed:?}");
    let tip = world.chain.tip();
    let at_end: Vec<Duties> = (0..3).map(|party| world.duties(party)).collect();
    let had = world.had.clone();
    let mut earlier = false;
    for height in world.heights() {
        world.disconnect(tip, height);
        for party in 0..3 {
            let duties = world.duties(party);
            assert_eq!(duties, world.duties(party), "asked twice at {height}");
            let (now, then) = (names(&duties), names(&had[&(height, party)]));
            if now != then {
                // Only because of what was seen since: a lie that can be disproved at once.
                let lie =
                    |name: &&TxName| matches!(name, TxName::Disprove(id, _) if id.claim == claimed);
                let new: Vec<_> = now.difference(&then).collect();
                assert!(
                    new.iter().all(lie),
                    "{party} at {height}: {then:?}, now {now:?}"
                );
                assert!(
                    lies && !new.is_empty(),
                    "{party} at {height}: {then:?}, now {now:?}"
                );
                earlier = true;
            }
            // What was signed is the same, too.
            for (name, tx) in duties {
                if let Some(before) = had[&(height, party)].get(&name)
                    && !matches!(name, TxName::Disprove(..))
                {
                    assert_eq!(*before, tx, "{party} at {height}: another {name}");
                }
            }
        }
        world.reconnect(height, tip);
        for (party, before) in at_end.iter().enumerate() {
            let after = world.duties(party);
            assert_eq!(names(&after), names(before), "{party} after {height}");
        }
    }
    assert_eq!(earlier, lies, "evidence was not used");
}

#[test]
fn duties_of_an_undisputed_game_follow_the_chain() {
    walk(false);
}

#[test]
fn duties_of_a_disputed_game_follow_the_chain_and_evidence_is_kept() {
    walk(true);
}

/// The block with the Assert leaves the chain, and the liar never offers it again: it is
/// disproved by the frames that were seen.
#[test]
fn a_lie_in_a_block_that_is_gone_is_disproved() {
    let mut world = World::begin(true);
    world.play();
    let graph = world.graph.clone();
    let assert = world.chain.blocks.iter().position(|block| {
        let mut names = block
            .iter()
            .filter_map(|tx| graph.names.get(&tx.compute_txid()));
        names.any(|name| matches!(name, TxName::Assert(_)))
    });
    let before = START + assert.expect("an Assert") as u32 - 1;
    world.disconnect(world.chain.tip(), before);
    // Another branch, without it.
    for height in before + 1..before + 4 {
        let (height, txs) = (Height(height), vec![]);
        world.tell(&Event::Connected { height, txs });
    }
    for party in [1, 2] {
        let duties = world.duties(party);
        let disprove = duties
            .keys()
            .any(|name| matches!(name, TxName::Disprove(..)));
        assert!(disprove, "{party}: {:?}", names(&duties));
    }
}

/// An unconfirmed Assert is enough, and so is one in a transaction seen and dropped.
#[test]
fn a_lie_that_was_only_seen_is_disproved() {
    let mut world = World::begin(true);
    world.play();
    let graph = world.graph.clone();
    let blocks = world.chain.blocks.clone();
    let is_assert = |tx: &&Transaction| {
        let name = graph.names.get(&tx.compute_txid());
        matches!(name, Some(TxName::Assert(_)))
    };
    let seen = blocks.iter().flatten().find(is_assert).unwrap().clone();
    let at = blocks
        .iter()
        .position(|block| block.iter().any(|tx| is_assert(&tx)));
    // The same game again, for parties that know nothing yet, up to the block before.
    let mut fresh = World::begin(true);
    fresh.chain.blocks = blocks;
    fresh.reconnect(START + 1, START + at.unwrap() as u32 - 1);
    let disproves = |duties: &Duties| {
        let mut names = duties.keys();
        names.any(|name| matches!(name, TxName::Disprove(..)))
    };
    assert!(!disproves(&fresh.duties(1)));
    fresh.tell(&Event::Seen(seen));
    assert!(disproves(&fresh.duties(1)) && disproves(&fresh.duties(2)));
}

/// A Disprove that no block takes pays more each time, and never more than the bond holds.
#[test]
fn a_pinned_disprove_is_raised_up_to_the_bond() {
    let mut world = World::begin(true);
    world.chain.stuck = |name| matches!(name, TxName::Disprove(..));
    let fee = |world: &mut World| {
        let graph = world.graph.clone();
        let duties = world.duties(1);
        let mut disproves = duties
            .iter()
            .filter(|(name, _)| matches!(name, TxName::Disprove(..)));
        let (_, tx) = disproves.next()?;
        Some(graph.amounts.bond.0 - tx.output[0].value.to_sat())
    };
    let mut paid = Vec::new();
    for _ in 0..400 {
        for party in 0..3 {
            let duties = world.duties(party);
            world.chain.offer_all(&duties);
        }
        paid.extend(fee(&mut world));
        let event = world.chain.mine();
        world.tell(&event);
        if paid.len() == 40 {
            break;
        }
    }
    let first = *paid.first().expect("a Disprove");
    let (bond, last) = (world.graph.amounts.bond.0, *paid.last().unwrap());
    for pair in paid.windows(2) {
        let doubled = pair[1] == 2 * pair[0];
        let capped = pair[1] == last && pair[1] < 2 * pair[0];
        assert!(doubled || capped, "{pair:?}");
    }
    // All but the least output and what is less than one satoshi per virtual byte.
    assert!(
        first < bond / 100 && last > bond * 9 / 10 && last < bond,
        "{first} {last} of {bond}"
    );
}

/// A Challenge in the pool that nobody mines keeps Payout out: the claim is paid after T.
#[test]
fn a_payout_that_a_stuck_challenge_blocks_is_paid_late() {
    let mut world = World::begin(false);
    world.chain.stuck = |name| matches!(name, TxName::Payout(_));
    world.play();
    let k = world.stage.usual().unwrap().outcome.unwrap();
    let claim = ClaimId { c: 0, k };
    let confirmed = world.confirmed();
    assert!(
        confirmed.contains(&TxName::PayoutLate(claim)),
        "{confirmed:?}"
    );
    let mut had = world.had.values();
    let late = had
        .find(|duties| duties.contains_key(&TxName::PayoutLate(claim)))
        .unwrap();
    assert!(
        late.contains_key(&TxName::Payout(claim)),
        "both are offered: {:?}",
        names(late)
    );
}
