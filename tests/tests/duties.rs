//! What an honest party does when something of its own goes wrong: the rest, all the same.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use gavel_tests::{Due, Game, Rogue, Stage, Table};
use gavel_verifier::game::{Kit, KitError, Party, Player};
use gavel_verifier::graph::TxName;
use gavel_verifier::setup::Ready;
use gavel_verifier::sign::MemoryGuard;

fn stage(contract: &str) -> Stage {
    let path = format!("{}/../contracts/{contract}.gvl", env!("CARGO_MANIFEST_DIR"));
    Stage::load(path).expect("an example contract loads")
}

/// A peer's bad one-time signature must not be built into a Claim, must not burn the party's
/// own one-time keys, and must not keep it from disproving somebody else's lie.
#[test]
fn a_bad_author_signature_costs_nothing_but_the_claim() {
    let stage = stage("auction");
    let case = stage.usual().expect("a case");
    let k = case.outcome.expect("an outcome");
    let table = Table::seat(&stage).expect("seats");
    let good = table.vouch(&case.words).expect("signatures");
    let mut bad = good.clone();
    let author = bad
        .iter_mut()
        .find_map(|proof| proof.author.as_mut())
        .expect("an author");
    author.0[0].0[0] ^= 1;
    let lied = (k + 1) % stage.contract.program.outcomes.len() as u8;
    let claims = [(0, k, bad), (1, lied, good)];
    let mut game = Game::begin(table, &claims, |me, party| match me {
        1 => Rogue::new(party).insisting().into(),
        _ => party.into(),
    })
    .expect("begins");
    game.play(&mut |_| ()).expect("ends");
    let report = game
        .report(&stage, "bad-author", Due::Refund)
        .expect("holds");
    let names: Vec<TxName> = report.transactions.iter().map(|row| row.id).collect();
    assert!(
        !names
            .iter()
            .any(|name| matches!(name, TxName::Claim(id) if id.c == 0))
    );
    assert!(
        names
            .iter()
            .any(|name| matches!(name, TxName::Disprove(id, _) if id.claim.c == 1))
    );
}

/// Nothing is signed for a claim that is not vouched for: a later, good one can still be made.
#[test]
fn inputs_are_checked_before_a_one_time_key_signs() {
    let stage = stage("auction");
    let case = stage.usual().expect("a case");
    let k = case.outcome.expect("an outcome");
    let table = Table::seat(&stage).expect("seats");
    let good = table.vouch(&case.words).expect("signatures");
    let graph = table.graph.clone();
    let ready = table.parties.into_iter().next().expect("a party");
    let kit: Kit = Ready::into_kit(ready, Box::new(MemoryGuard::new()), 1);
    assert!(kit.check_inputs(k, &good).is_ok());
    for spoilt in 0..good.len() {
        if good[spoilt].author.is_none() {
            continue;
        }
        let mut unsigned = good.clone();
        unsigned[spoilt].author = None;
        let mut other = good.clone();
        *other[spoilt].words.last_mut().expect("a word") ^= 1;
        let mut short = good.clone();
        short[spoilt].author.as_mut().expect("signed").0.pop();
        for bad in [unsigned, other, short] {
            assert!(matches!(
                kit.check_inputs(k, &bad),
                Err(KitError::NotVouched { .. })
            ));
        }
    }
    assert!(kit.check_inputs(k, &good[1..]).is_err());
    let mut party = Party::new(kit);
    assert_eq!(party.me(), 0);
    // Before Fund is confirmed there is nothing to do, whatever it means to claim.
    party.claim(k, good);
    assert!(party.act().expect("acts").duties.is_empty());
    drop(graph);
}
