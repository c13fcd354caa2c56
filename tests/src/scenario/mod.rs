//! The scenarios of `docs/protocol.md`: each a name for `gavel play --scenario`, each asserted
//! by a test on every contract for which it makes sense.

mod cheat;
mod honest;
mod locks;
mod witness;

use crate::game::{Game, Line, PlayError, Report, Seat};
use crate::sheet::Due;
use crate::stage::{Case, Stage};
use crate::table::{Table, vouch};
use gavel_verifier::game::{InputProof, Party};
use gavel_verifier::graph::TxName;

/// Told of each event as it happens.
pub type Watch<'a> = &'a mut dyn FnMut(&Line);

/// A way for a game to go.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What `--scenario` takes.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Why it doesn't make sense for a contract, if it doesn't.
    pub unfit: fn(&Stage) -> Option<&'static str>,
    /// Plays it, and checks how it must end. Several reports where it is played several times.
    pub play: fn(&Stage, Watch) -> Result<Vec<Report>, PlayError>,
}

/// All scenarios, in the order of `docs/protocol.md`.
pub const ALL: &[Scenario] = &[
    honest::HONEST,
    honest::COOPERATIVE_CLOSE,
    cheat::LYING_CLAIMER,
    cheat::WRONG_OUTCOME,
    cheat::INVALID_INPUT,
    witness::FORGED_INPUT,
    honest::AUTHOR_EQUIVOCATES,
    cheat::SILENT_CLAIMER,
    cheat::FALSE_CHALLENGE,
    cheat::LATE_CHALLENGE,
    witness::SELF_CHALLENGE,
    honest::NOBODY_CLAIMS,
    cheat::TWO_LIARS,
    cheat::LIAR_THEN_HONEST,
    honest::RIVAL_PAID,
    cheat::ACCOMPLICE_CHALLENGER,
    witness::ODD_WITNESS,
    witness::ANNEXED_CLAIM,
    cheat::ABSENT_VICTIM,
    locks::EARLY_SPENDS,
];

/// A scenario by its name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

/// Fits every contract.
fn any(_: &Stage) -> Option<&'static str> {
    None
}

/// Fits contracts whose disputes go in rounds.
fn rounds(stage: &Stage) -> Option<&'static str> {
    (stage.plan.segments.len() < 2).then_some("one leaf decides: there are no challenges")
}

/// A case that the scenario can't do without.
fn need<'a>(case: Option<&'a Case>, what: &str) -> Result<&'a Case, PlayError> {
    case.ok_or_else(|| PlayError::Stage(format!("the contract's examples have no {what}")))
}

fn usual(stage: &Stage) -> Result<(&Case, u8), PlayError> {
    let case = need(stage.usual(), "case with an outcome")?;
    Ok((case, case.outcome.unwrap_or_default()))
}

/// Another outcome than `k`.
fn wrong(stage: &Stage, k: u8) -> u8 {
    let n = stage.contract.program.outcomes.len() as u8;
    if k + 1 < n { k + 1 } else { 0 }
}

/// A claim to be made: by whom, of what, with which inputs.
struct Plan<'a> {
    c: u8,
    k: u8,
    words: &'a [u32],
}

fn claim(c: u8, k: u8, case: &Case) -> Plan<'_> {
    Plan {
        c,
        k,
        words: &case.words,
    }
}

/// Seats a table, lets `claims` be made with everybody vouching, plays to the end, and gives
/// the report, checked to have ended as `due`.
fn play(
    stage: &Stage,
    scenario: &str,
    claims: &[Plan],
    due: Due,
    seat: impl FnMut(u8, Party) -> Seat,
    watch: Watch,
) -> Result<(Game, Report), PlayError> {
    let table = Table::seat(stage)?;
    let mut proofs: Vec<(u8, u8, Vec<InputProof>)> = Vec::new();
    for plan in claims {
        proofs.push((
            plan.c,
            plan.k,
            vouch(&table.graph, &table.parties, plan.words)?,
        ));
    }
    play_with(stage, scenario, table, &proofs, due, seat, watch)
}

fn play_with(
    stage: &Stage,
    scenario: &str,
    table: Table,
    claims: &[(u8, u8, Vec<InputProof>)],
    due: Due,
    seat: impl FnMut(u8, Party) -> Seat,
    watch: Watch,
) -> Result<(Game, Report), PlayError> {
    let mut game = Game::begin(table, claims, seat)?;
    game.play(watch)?;
    let report = game.report(stage, scenario, due)?;
    Ok((game, report))
}

/// Ends a scenario that did not end as it must.
fn must(holds: bool, what: impl Into<String>) -> Result<(), PlayError> {
    if holds {
        Ok(())
    } else {
        Err(PlayError::Broken(what.into()))
    }
}

/// Whether a transaction of the report has a name.
fn has(report: &Report, name: impl Fn(TxName) -> bool) -> bool {
    report.transactions.iter().any(|row| name(row.id))
}

/// What `k` being paid looks like.
fn paid(stage: &Stage, report: &Report, k: u8) -> Result<(), PlayError> {
    let name = stage.contract.program.outcomes.get(usize::from(k));
    must(
        report.paid.as_ref() == name,
        format!("paid {:?}, not {name:?}", report.paid),
    )
}
