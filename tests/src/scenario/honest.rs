//! Scenarios in which nobody lies about the program.

use super::{Scenario, any, claim, has, must, need, paid, play, play_with, rounds, usual, wrong};
use crate::game::{PlayError, Report, Seat};
use crate::rogue::Rogue;
use crate::sheet::Due;
use crate::stage::Stage;
use crate::table::Table;
use gavel_compiler::word::{Author, End};
use gavel_verifier::graph::{ClaimId, TxName};

pub(super) const HONEST: Scenario = Scenario {
    name: "honest",
    about: "a party claims the truth, nobody objects, the outcome is paid",
    unfit: any,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let claims = [claim(0, k, case)];
        let (_, report) = play(
            stage,
            "honest",
            &claims,
            Due::Outcome(k),
            |_, party| party.into(),
            watch,
        )?;
        paid(stage, &report, k)?;
        must(
            has(&report, |name| matches!(name, TxName::Payout(_))),
            "Payout was not used",
        )?;
        Ok(vec![report])
    },
};

pub(super) const COOPERATIVE_CLOSE: Scenario = Scenario {
    name: "cooperative-close",
    about: "all agree and sign one payment; no claim is made",
    unfit: any,
    play: |stage, watch| {
        let (_, k) = usual(stage)?;
        let table = Table::seat(stage)?;
        let close = table.close(k)?;
        let seat = |_, mut party: gavel_verifier::game::Party| {
            party.close(close.clone());
            party.into()
        };
        let (_, report) = play_with(
            stage,
            "cooperative-close",
            table,
            &[],
            Due::Outcome(k),
            seat,
            watch,
        )?;
        must(
            has(&report, |name| name == TxName::Close),
            "Close was not confirmed",
        )?;
        Ok(vec![report])
    },
};

pub(super) const NOBODY_CLAIMS: Scenario = Scenario {
    name: "nobody-claims",
    about: "nothing happens until R; the refund arms are paid",
    unfit: any,
    play: |stage, watch| {
        let (_, report) = play(
            stage,
            "nobody-claims",
            &[],
            Due::Refund,
            |_, party| party.into(),
            watch,
        )?;
        must(
            has(&report, |name| name == TxName::Refund),
            "Refund was not confirmed",
        )?;
        Ok(vec![report])
    },
};

fn two_outcomes(stage: &Stage) -> Option<&'static str> {
    let k = stage.usual().and_then(|case| case.outcome)?;
    stage
        .other(k)
        .is_none()
        .then_some("its examples prove one outcome only")
}

/// Whether a rival's claim, or what follows from it, is on the chain.
fn after(claim: ClaimId) -> impl FnMut(&gavel_verifier::game::View, TxName) -> bool + Send {
    move |view, name| {
        !matches!(name, TxName::Claim(_)) || view.confirmed(TxName::Claim(claim)).is_some()
    }
}

pub(super) const RIVAL_PAID: Scenario = Scenario {
    name: "rival-paid",
    about: "two true claims from different inputs: the first is paid, the second's bond returns",
    unfit: two_outcomes,
    play: |stage, watch| {
        let (first, k) = usual(stage)?;
        let second = need(stage.other(k), "second outcome")?;
        let l = second.outcome.unwrap_or_default();
        let n = stage.contract.parties.len() as u8;
        let in_rounds = rounds(stage).is_none();
        let claims = [claim(0, k, first), claim(1, l, second)];
        let words = second.words.clone();
        let m = wrong(stage, l);
        let seat = |me, party| match me {
            1 => Seat::still_honest(Rogue::new(party).only(after(ClaimId { c: 0, k }))),
            // A third party challenges the second claim, which is true.
            2 if in_rounds => {
                let words = words.clone();
                Rogue::new(party)
                    .lying(move |inputs, mut trace| {
                        if inputs == words {
                            trace.end = End::Outcome(u32::from(m));
                        }
                        trace
                    })
                    .into()
            }
            _ => party.into(),
        };
        let (_, report) = play(stage, "rival-paid", &claims, Due::Outcome(k), seat, watch)?;
        paid(stage, &report, k)?;
        must(
            has(&report, |n| matches!(n, TxName::Release(id) if id.c == 1)),
            "no Release",
        )?;
        if in_rounds && n > 2 {
            let collected = |name| matches!(name, TxName::Collect(id, ..) if id.claim.c == 1);
            must(
                has(&report, collected),
                "the false challenger's stake was not collected",
            )?;
        }
        Ok(vec![report])
    },
};

fn vouched(stage: &Stage) -> Option<&'static str> {
    let by_party =
        |input: &gavel_compiler::word::InputElement| matches!(input.author, Author::Party(_));
    if !stage.plan.program.inputs.iter().any(by_party) {
        return Some("no party vouches for an input");
    }
    two_outcomes(stage)
}

pub(super) const AUTHOR_EQUIVOCATES: Scenario = Scenario {
    name: "author-equivocates",
    about: "authors sign two values, before and after the Claim: the first upheld claim is paid, \
            and no honest claimer loses its bond",
    unfit: vouched,
    play: |stage, watch| {
        let (first, k) = usual(stage)?;
        let second = need(stage.other(k), "second outcome")?;
        let l = second.outcome.unwrap_or_default();
        let mut reports: Vec<Report> = Vec::new();
        // Before: both sets of signatures exist when Fund confirms, and both claims race.
        // After: the second is made when the first Claim is confirmed.
        for late in [false, true] {
            let claims = [claim(0, k, first), claim(1, l, second)];
            let seat = |me, party| match me {
                1 if late => Seat::still_honest(Rogue::new(party).only(after(ClaimId { c: 0, k }))),
                _ => party.into(),
            };
            let (_, report) = play(
                stage,
                "author-equivocates",
                &claims,
                Due::Outcome(k),
                seat,
                watch,
            )?;
            must(
                !has(&report, |n| {
                    matches!(n, TxName::Disprove(..) | TxName::NoAssert(_))
                }),
                "an honest claim died",
            )?;
            must(report.paid.is_some(), "neither claim was paid")?;
            for c in [0, 1] {
                let k = if c == 0 { k } else { l };
                let claim = TxName::Claim(ClaimId { c, k });
                must(
                    has(&report, |n| n == claim),
                    format!("{claim} was not confirmed"),
                )?;
                let back = |n| matches!(n, TxName::Payout(id) | TxName::PayoutLate(id) | TxName::Release(id) if id.c == c);
                must(has(&report, back), format!("party {c} lost its bond"))?;
            }
            reports.push(report);
        }
        Ok(reports)
    },
};

impl Table {
    /// Close of outcome `k`, signed by all parties.
    ///
    /// # Errors
    /// [`PlayError`] if somebody's part is bad.
    pub fn close(&self, k: u8) -> Result<bitcoin::Transaction, PlayError> {
        let mut rng = gavel_verifier::sign::rand::rng();
        let (mut states, mut nonces) = (Vec::new(), Vec::new());
        for ready in &self.parties {
            let (state, message) = ready.close(k, [k; 32], &mut rng)?;
            states.push(state);
            nonces.push(message);
        }
        let (mut signed, mut partials) = (Vec::new(), Vec::new());
        for state in states {
            let (state, message) = state.nonces(&nonces)?;
            signed.push(state);
            partials.push(message);
        }
        let mut close = None;
        for state in signed {
            close = Some(state.partials(&partials)?);
        }
        close.ok_or_else(|| PlayError::Stage("a contract without parties".into()))
    }
}
