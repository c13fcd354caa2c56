//! A party loses everything but its seed and its files in the middle of a game, and goes on.
#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use gavel_compiler::units::Height;
use gavel_regtest::Node;
use gavel_tests::table::{seed, vouch};
use gavel_tests::{Stage, Table, game};
use gavel_verifier::game::{Party, Player};
use gavel_verifier::graph::{ClaimId, TxName};
use gavel_verifier::run::{RunError, Runner};
use gavel_verifier::setup::Ready;
use gavel_verifier::sign::FileGuard;
use std::path::Path;

const CLAIM: ClaimId = ClaimId { c: 0, k: 0 };

/// Mines what there is to mine; tells whether anybody has anything left to do.
fn advance(node: &Node, wake: Option<Height>) -> bool {
    let tip = node.rpc().height().expect("a height");
    let blocks = match wake {
        _ if !node.rpc().mempool().expect("the pool").is_empty() => 1,
        Some(wake) if wake.0 > tip => wake.0 - tip,
        _ => return false,
    };
    node.rpc().mine(blocks).expect("blocks");
    true
}

fn guard(directory: &Path, party: u8) -> std::path::PathBuf {
    directory.join(format!("guard-{party}"))
}

#[test]
fn a_game_goes_on_after_a_restart() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts/price_feed.gvl");
    let stage = Stage::load(path).expect("the contract loads");
    let guards = tempfile::tempdir().expect("a directory");
    let case = stage.usual().expect("a case");
    assert_eq!(case.outcome, Some(CLAIM.k));
    let table = Table::seat(&stage).expect("a table");
    let node = table.node;
    let prover = game::prover(&stage.plan);
    let proofs = vouch(&table.graph, &table.parties, &case.words).expect("the oracle signs");
    let begun = Height(node.rpc().height().expect("a height") + 1);

    // Until the claim is confirmed.
    {
        let chain = game::connect(&node).expect("a chain");
        let mut runner = Runner::new(chain).expect("a runner");
        let mut players: Vec<Box<dyn Player>> = Vec::new();
        for ready in table.parties {
            let me = ready.me;
            let guard = FileGuard::create(guard(guards.path(), me), &seed(me, 0));
            let mut party = Party::new(ready.into_kit(Box::new(guard.expect("a guard")), 1));
            if me == CLAIM.c {
                party.claim(CLAIM.k, proofs.clone());
            }
            players.push(Box::new(party));
        }
        node.rpc().submit(&table.fund).expect("Fund is accepted");
        let mut claimed = false;
        for _ in 0..20 {
            node.rpc().mine(1).expect("a block");
            if claimed {
                break;
            }
            let (offered, _) = runner.step(&mut players, &prover).expect("a step");
            claimed = offered.iter().any(|o| o.name == TxName::Claim(CLAIM));
        }
        assert!(claimed);
    }
    drop(table.graph);

    // Everything from disk and chain again.
    let early = Runner::from(game::connect(&node).expect("a chain"), Height(1_000_000));
    assert!(matches!(early, Err(RunError::NotThere { .. })));
    let chain = game::connect(&node).expect("a chain");
    let mut runner = Runner::from(chain, begun).expect("a runner");
    let mut players: Vec<Box<dyn Player>> = Vec::new();
    for (me, path) in (0u8..).zip(&table.stores) {
        let seed = seed(me, 0);
        let (contract, plan) = (stage.contract.clone(), stage.plan.clone());
        let loaded = Ready::load(path, contract, plan, stage.terms.clone(), &seed);
        let (ready, _) = loaded.expect("what was stored");
        let guard = FileGuard::open(guard(guards.path(), me), &seed).expect("the guard's file");
        let mut party = Party::new(ready.into_kit(Box::new(guard), 1));
        if me == CLAIM.c {
            // The same proofs again: the guard allows them, and only them.
            party.claim(CLAIM.k, proofs.clone());
        }
        players.push(Box::new(party));
    }
    let mut offered = Vec::new();
    loop {
        let (more, wake) = runner.step(&mut players, &prover).expect("a step");
        offered.extend(more);
        if !advance(&node, wake) {
            break;
        }
    }
    let of = |name: TxName| offered.iter().find(|o| o.name == name);
    assert!(of(TxName::Claim(CLAIM)).is_none(), "claimed once");
    let payout = of(TxName::Payout(CLAIM)).expect("the payout");
    let found = node.rpc().confirmation(&payout.tx.compute_txid(), begun.0);
    assert!(found.expect("an answer").is_some(), "it is confirmed");
}
