//! Alice claims what is not so.
use gavel_compiler::word::End;
use gavel_tests::{Play, PlayError, Rogue};

#[test]
fn a_liar_loses_its_bond() -> Result<(), PlayError> {
    let mut play = Play::open("../contracts/price_bet.gvl")?;
    play.claim("alice", "AliceWins", "the oracle says no")?;
    play.seat("alice", |party| {
        Rogue::new(party).insisting().lying(|_inputs, mut trace| {
            trace.end = End::Outcome(0); // "I won", whatever `settle` says
            trace
        })
    })?;
    let report = play.to_end()?;
    assert_eq!(report.paid, None); // the bet's money went back
    let alice = report.sheet.of("alice").map(|row| row.net());
    assert!(alice < Some(-1_000_000)); // and her bond to bob
    Ok(())
}
