//! Every time lock: refused one block early, accepted when due.

use super::{Plan, Scenario, any, claim, must, need, rounds, usual, wrong};
use crate::game::{Game, PlayError, Report, Seat};
use crate::rogue::Rogue;
use crate::sheet::Due;
use crate::stage::Stage;
use crate::table::{Table, vouch};
use gavel_compiler::word::End;
use gavel_verifier::game::Party;
use gavel_verifier::graph::{Role, TxName};
use std::collections::BTreeSet;

pub(super) const EARLY_SPENDS: Scenario = Scenario {
    name: "early-spends",
    about: "each lock is tried one block early, where the node refuses, and when due; leaves \
            refuse a shorter lock and none",
    unfit: any,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let mut tried = BTreeSet::new();
        let mut reports = Vec::new();
        let mut timed = |claims: &[Plan], due, seat: &dyn Fn(u8, Party) -> Seat| {
            let report = probed(stage, claims, due, seat, &mut tried, watch)?;
            reports.push(report);
            Ok::<(), PlayError>(())
        };
        timed(&[claim(0, k, case)], Due::Outcome(k), &|_, party| {
            party.into()
        })?;
        timed(&[], Due::Refund, &|_, party| party.into())?;
        if rounds(stage).is_none() {
            timed(
                &[claim(0, k, case)],
                Due::Outcome(k),
                &|me, party| match me {
                    1 => believing(party, lied).into(),
                    _ => party.into(),
                },
            )?;
            timed(
                &[claim(0, lied, case)],
                Due::Refund,
                // Only one challenges: the others' `open` waits for Sweep's lock.
                &|me, party| match me {
                    0 => believing(party, lied).into(),
                    1 => party.into(),
                    _ => Seat::still_honest(
                        Rogue::new(party).only(|_, n| !matches!(n, TxName::Challenge(_))),
                    ),
                },
            )?;
            timed(
                &[claim(0, lied, case)],
                Due::Refund,
                &|me, party| match me {
                    0 => believing(party, lied)
                        .only(|_, n| !matches!(n, TxName::Assert(_)))
                        .into(),
                    _ => party.into(),
                },
            )?;
        }
        let mut locks = vec!["Payout", "Refund", "Reclaim", "bond's leaf"];
        if rounds(stage).is_none() {
            locks.extend(["PayoutLate", "NoAssert", "Unstake"]);
            locks.extend(["stake's leaf", "staked's leaf"]);
            if stage.contract.parties.len() > 2 {
                locks.extend(["Sweep", "open's leaf"]);
            }
        }
        if stage.other(k).is_some() {
            let second = need(stage.other(k), "second outcome")?;
            let l = second.outcome.unwrap_or_default();
            timed(
                &[claim(0, k, case), claim(1, l, second)],
                Due::Outcome(k),
                &|_, party| party.into(),
            )?;
            locks.push("Release");
        }
        for lock in locks {
            must(
                tried.contains(lock),
                format!("the lock of {lock} was never waited for"),
            )?;
        }
        Ok(reports)
    },
};

/// Believes that everything ends in `k`.
fn believing(party: Party, k: u8) -> Rogue {
    Rogue::new(party).lying(move |_, mut trace| {
        trace.end = End::Outcome(u32::from(k));
        trace
    })
}

/// A game in which every lock is tried one block early.
fn probed(
    stage: &Stage,
    claims: &[Plan],
    due: Due,
    seat: &dyn Fn(u8, Party) -> Seat,
    tried: &mut BTreeSet<&'static str>,
    watch: super::Watch,
) -> Result<Report, PlayError> {
    let table = Table::seat(stage)?;
    let mut proofs = Vec::new();
    for plan in claims {
        proofs.push((
            plan.c,
            plan.k,
            vouch(&table.graph, &table.parties, plan.words)?,
        ));
    }
    let mut game = Game::begin(table, &proofs, seat)?;
    game.probe_locks = true;
    game.play(watch)?;
    tried.extend(game.probed.iter().map(|name| kind(*name)));
    tried.extend(game.scripted.iter().filter_map(|role| leaf(*role)));
    game.report(stage, "early-spends", due)
}

/// Whose leaf refused a good signature under a shorter lock.
fn leaf(role: Role) -> Option<&'static str> {
    match role {
        Role::Bond { .. } => Some("bond's leaf"),
        Role::Stake { .. } => Some("stake's leaf"),
        Role::Staked => Some("staked's leaf"),
        Role::Challenged { .. } => Some("challenged's leaf"),
        Role::Open { .. } => Some("open's leaf"),
        _ => None,
    }
}

/// A transaction's kind, without its indices.
fn kind(name: TxName) -> &'static str {
    match name {
        TxName::Fund => "Fund",
        TxName::Close => "Close",
        TxName::Refund => "Refund",
        TxName::Claim(_) => "Claim",
        TxName::Payout(_) => "Payout",
        TxName::PayoutLate(_) => "PayoutLate",
        TxName::Release(_) => "Release",
        TxName::Challenge(_) => "Challenge",
        TxName::Assert(_) => "Assert",
        TxName::NoAssert(_) => "NoAssert",
        TxName::Collect(..) => "Collect",
        TxName::Disprove(..) => "Disprove",
        TxName::Unstake(..) => "Unstake",
        TxName::Sweep(_) => "Sweep",
        TxName::Reclaim(_) => "Reclaim",
        TxName::Withdraw(_) => "Withdraw",
    }
}
