//! Scenarios with liars, false challengers and sleepers.

use super::{Scenario, any, claim, has, must, need, paid, play, rounds, usual, wrong};
use crate::game::{Game, PlayError, Report, Seat};
use crate::rogue::Rogue;
use crate::sheet::Due;
use crate::stage::{Case, Stage};
use crate::table::{Table, vouch};
use gavel_compiler::segment::{Plan, Trace};
use gavel_compiler::word::End;
use gavel_verifier::game::{Duty, Party};
use gavel_verifier::graph::{ClaimId, DisputeId, TxName};

/// A belief for a liar: everything ends in `k`, and what segment `segment` hands on is off by
/// one digit. With the last segment, or none, only the end is a lie.
pub(super) fn lie(
    plan: &Plan,
    k: u8,
    segment: usize,
) -> impl FnMut(&[u32], Trace) -> Trace + Send + use<> {
    let written = plan
        .segments
        .get(segment)
        .and_then(|s| s.writes.first())
        .copied();
    move |_, mut trace| {
        let word = written.and_then(|id| trace.elements.get_mut(id.index())?.first_mut());
        if let Some(word) = word {
            *word ^= 1;
        }
        trace.end = End::Outcome(u32::from(k));
        trace
    }
}

/// The liar claims a wrong outcome; everybody else is honest.
fn liar(stage: &Stage, party: Party, k: u8, segment: usize) -> Seat {
    Rogue::new(party).lying(lie(&stage.plan, k, segment)).into()
}

/// A liar lost, and its lie was not paid.
pub(super) fn punished(
    stage: &Stage,
    game: &Game,
    report: &Report,
    liar: u8,
    k: u8,
) -> Result<(), PlayError> {
    let lie = stage.contract.program.outcomes.get(usize::from(k));
    must(report.paid.as_ref() != lie, "the lie was paid")?;
    let name = stage.contract.parties.get(usize::from(liar));
    let row = name.and_then(|name| report.sheet.of(name));
    let row = row.ok_or_else(|| PlayError::Broken("the liar is not in the sheet".into()))?;
    // Beyond fees, and beyond what the pot gave it.
    let lost = row.at_least.0.saturating_sub(row.got.0);
    let bond = game.graph.amounts.bond.0;
    must(
        bond > 0 && lost >= bond,
        format!("the liar lost only {lost} sats of its bond of {bond}"),
    )
}

pub(super) fn one_outcome(stage: &Stage) -> Option<&'static str> {
    (stage.contract.program.outcomes.len() < 2).then_some("it has one outcome only")
}

pub(super) const LYING_CLAIMER: Scenario = Scenario {
    name: "lying-claimer",
    about: "a claimer computes one segment wrongly, each in turn; that segment's leaf kills it",
    unfit: one_outcome,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let mut reports = Vec::new();
        for segment in 0..stage.plan.segments.len() {
            let last = segment + 1 == stage.plan.segments.len();
            let hands_on = stage
                .plan
                .segments
                .get(segment)
                .is_some_and(|s| !s.writes.is_empty());
            if last || hands_on {
                reports.push(lying(stage, "lying-claimer", case, lied, segment, watch)?);
            } else {
                // It only checks something: the lie is to claim although its check fails.
                let failing = failing_in(stage, case, segment)?;
                reports.push(lying(
                    stage,
                    "lying-claimer",
                    &failing,
                    lied,
                    segment,
                    watch,
                )?);
            }
        }
        Ok(reports)
    },
};

/// Inputs, one bit off the usual ones, on which a segment aborts and none before it.
fn failing_in(stage: &Stage, case: &Case, segment: usize) -> Result<Case, PlayError> {
    let flipped = |at: usize| {
        let mut words = case.words.clone();
        if let Some(word) = words.get_mut(at) {
            *word ^= 1;
        }
        words
    };
    let mut all = (0..case.words.len()).map(flipped);
    let words =
        all.find(|words| gavel_prover::trace(&stage.plan, words).abort_segment == Some(segment));
    let words = words.ok_or_else(|| {
        PlayError::Broken(format!(
            "segment {segment} hands nothing on and never aborts"
        ))
    })?;
    Ok(Case {
        name: format!("segment {segment} aborts"),
        words,
        outcome: None,
    })
}

fn lying(
    stage: &Stage,
    scenario: &str,
    case: &Case,
    lied: u8,
    segment: usize,
    watch: super::Watch,
) -> Result<Report, PlayError> {
    let seat = |me, party| match me {
        0 => liar(stage, party, lied, segment),
        _ => party.into(),
    };
    let (game, report) = play(
        stage,
        scenario,
        &[claim(0, lied, case)],
        Due::Refund,
        seat,
        watch,
    )?;
    let found = |n| matches!(n, TxName::Disprove(_, at) if usize::from(at) == segment);
    must(
        has(&report, found),
        format!("segment {segment} was not disproved"),
    )?;
    punished(stage, &game, &report, 0, lied)?;
    Ok(report)
}

pub(super) const WRONG_OUTCOME: Scenario = Scenario {
    name: "wrong-outcome",
    about: "right inputs and right frames, but another outcome claimed",
    unfit: one_outcome,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let last = stage.plan.segments.len().saturating_sub(1);
        Ok(vec![lying(
            stage,
            "wrong-outcome",
            case,
            wrong(stage, k),
            last,
            watch,
        )?])
    },
};

pub(super) const INVALID_INPUT: Scenario = Scenario {
    name: "invalid-input",
    about: "an outcome claimed from inputs on which settle aborts",
    unfit: |stage| {
        stage
            .aborting()
            .is_none()
            .then_some("its examples never abort")
    },
    play: |stage, watch| {
        let mut reports = Vec::new();
        for case in stage.cases.iter().filter(|case| case.outcome.is_none()) {
            let seat = |me, party| match me {
                0 => liar(stage, party, 0, usize::MAX),
                _ => party.into(),
            };
            let claims = [claim(0, 0, case)];
            let (game, report) = play(stage, "invalid-input", &claims, Due::Refund, seat, watch)?;
            must(
                has(&report, |n| matches!(n, TxName::Disprove(..))),
                "no Disprove",
            )?;
            punished(stage, &game, &report, 0, 0)?;
            reports.push(report);
        }
        Ok(reports)
    },
};

pub(super) const SILENT_CLAIMER: Scenario = Scenario {
    name: "silent-claimer",
    about: "a liar is challenged and doesn't answer: bond and stake go to the challenger",
    unfit: rounds,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let plan = stage.plan.clone();
        let seat = |me, party| match me {
            0 => Rogue::new(party)
                .lying(lie(&plan, lied, usize::MAX))
                .only(|_, name| !matches!(name, TxName::Assert(_)))
                .into(),
            _ => party.into(),
        };
        let claims = [claim(0, lied, case)];
        let (game, report) = play(stage, "silent-claimer", &claims, Due::Refund, seat, watch)?;
        must(
            has(&report, |n| matches!(n, TxName::NoAssert(_))),
            "no NoAssert",
        )?;
        punished(stage, &game, &report, 0, lied)?;
        Ok(vec![report])
    },
};

pub(super) const FALSE_CHALLENGE: Scenario = Scenario {
    name: "false-challenge",
    about: "a true claim is challenged: the claimer is paid, with the challenger's stake",
    unfit: any,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let seat = |me, party| match me {
            1 => liar(stage, party, wrong(stage, k), 0),
            _ => party.into(),
        };
        let claims = [claim(0, k, case)];
        let (game, report) = play(
            stage,
            "false-challenge",
            &claims,
            Due::Outcome(k),
            seat,
            watch,
        )?;
        paid(stage, &report, k)?;
        if rounds(stage).is_none() {
            must(
                has(&report, |n| matches!(n, TxName::Collect(..))),
                "no Collect",
            )?;
        }
        let disproof = |n| matches!(n, TxName::Disprove(..));
        must(
            game.was_refused(1, disproof),
            "a disproof of the truth was not refused",
        )?;
        Ok(vec![report])
    },
};

pub(super) const LATE_CHALLENGE: Scenario = Scenario {
    name: "late-challenge",
    about: "a true claim is challenged when Payout could already be mined, when PayoutLate \
            could, and once the vault is gone: the claimer collects all the same",
    unfit: rounds,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let n = stage.contract.parties.len() as u8;
        // The challenger has the lower index, so that it is asked first and wins the race.
        let (c, v) = (n - 1, 0);
        let id = ClaimId { c, k };
        let window = stage.terms.windows.challenge.0;
        let seat = |me: u8, party: Party| -> Seat {
            if me != v {
                return party.into();
            }
            let belief = lie(&stage.plan, wrong(stage, k), 0);
            let late = move |view: &gavel_verifier::game::View, name| match name {
                TxName::Challenge(_) => view
                    .confirmed(TxName::Claim(id))
                    .is_some_and(|at| view.tip().0 + 1 >= at.0 + window),
                _ => true,
            };
            Seat::from(Rogue::new(party).lying(belief).only(late))
        };
        let (_, report) = play(
            stage,
            "late-challenge",
            &[claim(c, k, case)],
            Due::Outcome(k),
            seat,
            watch,
        )?;
        paid(stage, &report, k)?;
        let collected = DisputeId { claim: id, v };
        must(
            has(
                &report,
                |n| matches!(n, TxName::Collect(id, ..) if id == collected),
            ),
            "the late challenger's stake was not collected",
        )?;
        let mut reports = vec![report, after_t(stage, case, k, watch)?];
        if let Some(second) = stage.other(k) {
            reports.push(after_the_vault(stage, case, k, second, watch)?);
        }
        Ok(reports)
    },
};

/// Nobody broadcasts Payout until T has passed; then the claim, which is true, is challenged.
fn after_t(stage: &Stage, case: &Case, k: u8, watch: super::Watch) -> Result<Report, PlayError> {
    let n = stage.contract.parties.len() as u8;
    let (id, v) = (ClaimId { c: n - 1, k }, 0);
    let dispute = DisputeId { claim: id, v };
    let table = Table::seat(stage)?;
    let late = table.graph.deployment.locks().late.0;
    let proofs = vouch(&table.graph, &table.parties, &case.words)?;
    let seat = |me: u8, party: Party| -> Seat {
        let rogue = Rogue::new(party);
        if me != v {
            return Seat::still_honest(rogue.only(|_, name| !matches!(name, TxName::Payout(_))));
        }
        let belief = lie(&stage.plan, wrong(stage, k), 0);
        let after = move |view: &gavel_verifier::game::View, name| match name {
            TxName::Challenge(_) => view
                .confirmed(TxName::Claim(id))
                .is_some_and(|at| view.tip().0 >= at.0 + late),
            _ => true,
        };
        rogue.lying(belief).only(after).into()
    };
    let mut game = Game::begin(table, &[(id.c, k, proofs)], seat)?;
    game.round()?;
    game.node.rpc().mine(late)?;
    game.play(watch)?;
    let report = game.report(stage, "late-challenge", Due::Outcome(k))?;
    let at = |name| {
        let row = report.transactions.iter().find(|row| row.id == name);
        row.map(|row| row.height.0)
    };
    let claimed = at(TxName::Claim(id));
    let challenged = at(TxName::Challenge(dispute));
    must(
        claimed.is_some_and(|claimed| challenged.is_some_and(|at| at > claimed + late)),
        "the challenge did not come after T",
    )?;
    let collected = |n| matches!(n, TxName::Collect(id, ..) if id == dispute);
    must(
        has(&report, |n| n == TxName::PayoutLate(id)) && has(&report, collected),
        "the stake of the challenger after T was not collected",
    )?;
    Ok(report)
}

/// Two true claims; the first is paid; then the second is challenged.
fn after_the_vault(
    stage: &Stage,
    first: &Case,
    k: u8,
    second: &Case,
    watch: super::Watch,
) -> Result<Report, PlayError> {
    let l = need(Some(second), "second outcome")?
        .outcome
        .unwrap_or_default();
    let (paid_first, late) = (ClaimId { c: 0, k }, ClaimId { c: 1, k: l });
    let words = second.words.clone();
    let lied = wrong(stage, l);
    let seat = |me, party| match me {
        // The first claimer, once paid, turns on the second.
        0 => {
            let words = words.clone();
            Rogue::new(party)
                .lying(move |inputs, mut trace| {
                    if inputs == words {
                        trace.end = End::Outcome(u32::from(lied));
                    }
                    trace
                })
                .only(move |view, name| match name {
                    TxName::Challenge(_) => view
                        .spender(TxName::Fund, gavel_verifier::graph::Role::Vault)
                        .is_some(),
                    _ => true,
                })
                .into()
        }
        1 => Seat::still_honest(Rogue::new(party).only(move |view, name| {
            !matches!(name, TxName::Claim(_)) || view.confirmed(TxName::Claim(paid_first)).is_some()
        })),
        _ => party.into(),
    };
    let claims = [claim(0, k, first), claim(1, l, second)];
    let (_, report) = play(
        stage,
        "late-challenge",
        &claims,
        Due::Outcome(k),
        seat,
        watch,
    )?;
    paid(stage, &report, k)?;
    must(has(&report, |n| n == TxName::Release(late)), "no Release")?;
    let collected = DisputeId { claim: late, v: 0 };
    let freed = |n| matches!(n, TxName::Collect(id, gavel_verifier::graph::Permit::Freed, _) if id == collected);
    must(
        has(&report, freed),
        "the late challenger's stake was not collected",
    )?;
    Ok(report)
}

pub(super) const TWO_LIARS: Scenario = Scenario {
    name: "two-liars",
    about: "two false claims at once: both die",
    unfit: one_outcome,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        // Each believes its own lie only; towards the other it is honest, for the reward.
        let seat = |me, party: Party| match me {
            0 | 1 => {
                let own = ClaimId { c: me, k: lied };
                Seat::from(Rogue::new(party).insisting().also(greedy(own)))
            }
            _ => party.into(),
        };
        let claims = [claim(0, lied, case), claim(1, lied, case)];
        let (_, report) = play(stage, "two-liars", &claims, Due::Refund, seat, watch)?;
        for c in [0, 1] {
            let dead = |n| match n {
                TxName::Disprove(id, _) | TxName::NoAssert(id) => id.claim.c == c,
                _ => false,
            };
            must(has(&report, dead), format!("claim of party {c} survived"))?;
        }
        let lie = stage.contract.program.outcomes.get(usize::from(lied));
        must(report.paid.as_ref() != lie, "a lie was paid")?;
        Ok(vec![report])
    },
};

/// Tries to be paid for a claim whenever that may be possible.
fn greedy(
    own: ClaimId,
) -> impl FnMut(
    &mut gavel_verifier::game::Kit,
    &gavel_verifier::game::View,
) -> Result<Vec<Duty>, gavel_verifier::game::KitError>
+ Send {
    move |kit, view| {
        if view.confirmed(TxName::Claim(own)).is_none() {
            return Ok(vec![]);
        }
        let names = [
            TxName::Payout(own),
            TxName::PayoutLate(own),
            TxName::Release(own),
        ];
        let there = names
            .into_iter()
            .filter(|name| kit.graph.get(*name).is_some());
        there
            .map(|name| {
                Ok(Duty::Broadcast {
                    name,
                    tx: kit.simple(name)?,
                    deadline: None,
                })
            })
            .collect()
    }
}

pub(super) const LIAR_THEN_HONEST: Scenario = Scenario {
    name: "liar-then-honest",
    about: "a false claim comes first, a true one second: the truth is paid",
    unfit: one_outcome,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let first = ClaimId { c: 0, k: lied };
        let seat = |me, party| match me {
            0 => liar(stage, party, lied, 0),
            1 => Seat::still_honest(Rogue::new(party).only(move |view, name| {
                !matches!(name, TxName::Claim(_)) || view.confirmed(TxName::Claim(first)).is_some()
            })),
            _ => party.into(),
        };
        let claims = [claim(0, lied, case), claim(1, k, case)];
        let (game, report) = play(
            stage,
            "liar-then-honest",
            &claims,
            Due::Outcome(k),
            seat,
            watch,
        )?;
        paid(stage, &report, k)?;
        punished(stage, &game, &report, 0, lied)?;
        Ok(vec![report])
    },
};

pub(super) const ACCOMPLICE_CHALLENGER: Scenario = Scenario {
    name: "accomplice-challenger",
    about: "a liar's friend challenges first and sleeps; a third party disproves and keeps its \
            own stake",
    unfit: |stage| match stage.contract.parties.len() {
        0..=2 => Some("it has two parties only"),
        _ => rounds(stage),
    },
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let id = ClaimId { c: 0, k: lied };
        let friend = DisputeId { claim: id, v: 1 };
        let seat = |me, party| match me {
            0 => liar(stage, party, lied, 0),
            1 => Rogue::new(party)
                .only(move |_, name| name == TxName::Challenge(friend))
                .into(),
            // The others see the friend's Challenge first.
            _ => Seat::still_honest(Rogue::new(party).only(move |view, name| {
                !matches!(name, TxName::Challenge(_))
                    || view.confirmed(TxName::Challenge(friend)).is_some()
            })),
        };
        let claims = [claim(0, lied, case)];
        let (game, report) = play(
            stage,
            "accomplice-challenger",
            &claims,
            Due::Refund,
            seat,
            watch,
        )?;
        let disproved = |n| matches!(n, TxName::Disprove(id, _) if id.v >= 2);
        must(has(&report, disproved), "no third party disproved")?;
        punished(stage, &game, &report, 0, lied)?;
        Ok(vec![report])
    },
};

pub(super) const ABSENT_VICTIM: Scenario = Scenario {
    name: "absent-victim",
    about: "nobody watches: the liar is paid. Who doesn't watch does lose",
    unfit: one_outcome,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let seat = |me, party| match me {
            0 => liar(stage, party, lied, 0),
            _ => Rogue::new(party).asleep().into(),
        };
        let claims = [claim(0, lied, case)];
        let due = Due::Robbed {
            truth: k,
            lie: lied,
        };
        let (_, report) = play(stage, "absent-victim", &claims, due, seat, watch)?;
        paid(stage, &report, lied)?;
        let robbed = |row: &crate::sheet::SheetRow| row.got < row.at_least;
        must(report.sheet.rows.iter().any(robbed), "nobody lost")?;
        Ok(vec![report])
    },
};
