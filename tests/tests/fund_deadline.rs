//! Fund isn't confirmed in time: honest parties take their money back, on a real node.
#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use gavel_compiler::units::Height;
use gavel_regtest::Node;
use gavel_tests::{Stage, Table, game};
use gavel_verifier::chain::{Chain, Submitted};
use gavel_verifier::game::{Party, Player};
use gavel_verifier::graph::TxName;
use gavel_verifier::run::Runner;
use gavel_verifier::sign::MemoryGuard;

#[test]
fn who_waits_with_its_signature_finds_the_others_gone() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts/price_feed.gvl");
    let mut stage = Stage::load(path).expect("the contract loads");
    let node = Node::start_with(stage.node.clone()).expect("a node");
    let by = Height(node.rpc().height().expect("a height") + 300);
    stage.terms.fund_by = Some(by);
    let table = Table::seat_at(&stage, node, 0).expect("a table");
    let rpc = table.node.rpc();
    let (graph, fund) = (table.graph.clone(), table.fund.clone());
    let mut runner = Runner::new(game::connect(&table.node).expect("a chain")).expect("a runner");
    let prover = game::prover(&graph.deployment.plan);
    // Bob withholds his signature for Fund; Alice is honest.
    let ready = table.parties.into_iter().next().expect("Alice");
    let alice = Party::new(ready.into_kit(Box::new(MemoryGuard::new()), 1));
    let mut players: Vec<Box<dyn Player>> = vec![Box::new(alice)];

    let tip = rpc.height().expect("a height");
    rpc.mine(by.0 - 1 - tip).expect("blocks");
    let (offered, wake) = runner.step(&mut players, &prover).expect("a step");
    assert!(offered.is_empty());
    assert_eq!(wake, Some(by));

    // At the deadline Bob brings his signature after all, but Fund isn't mined yet.
    rpc.mine(1).expect("a block");
    let said = runner.chain().submit(&fund).expect("an answer");
    assert_eq!(said, Submitted::Accepted);
    let (offered, _) = runner.step(&mut players, &prover).expect("a step");
    let names: Vec<TxName> = offered.iter().map(|offer| offer.name).collect();
    assert_eq!(names, [TxName::Withdraw(0)]);
    assert_eq!(offered[0].said, Submitted::Accepted, "it replaces Fund");
    let withdraw = offered[0].tx.compute_txid();
    assert_eq!(rpc.mempool().expect("the pool"), [withdraw]);
    let refused = runner.chain().submit(&fund).expect("an answer");
    assert!(matches!(refused, Submitted::Refused(_)), "{refused:?}");

    rpc.mine(1).expect("a block");
    let refused = runner.chain().submit(&fund).expect("an answer");
    assert!(matches!(refused, Submitted::Refused(_)), "{refused:?}");
    assert!(rpc.mine_block_with(&[fund]).is_err(), "nor is it mined");
    let (offered, _) = runner.step(&mut players, &prover).expect("a step");
    assert!(offered.is_empty(), "once is enough");
}
