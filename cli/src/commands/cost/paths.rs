//! The ways that a contract can end, and what each costs at most.

use std::collections::BTreeMap;

use gavel_compiler::units::{Sats, VBytes, Weight};
use gavel_verifier::deploy::{DeployError, Locks};
use gavel_verifier::graph::{DisputeId, Graph, Held, TxName};
use serde::Serialize;

/// A kind of transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Kind {
    /// Its name.
    pub name: &'static str,
    /// How many of it are pre-signed; none of what a party makes alone when it needs it.
    pub presigned: usize,
    /// The weight of the largest.
    pub weight: Weight,
    /// Its virtual size.
    pub vbytes: VBytes,
    /// What it pays at the relay rate.
    pub relay_fee: Sats,
    /// What it takes at the survived rate.
    pub survive_fee: Sats,
    /// Who signs and sends it, and who pays.
    pub by: &'static str,
}

/// One way to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Path {
    /// What happens.
    pub name: &'static str,
    /// The transactions in order, Fund included.
    pub transactions: Vec<&'static str>,
    /// Virtual bytes of all, the largest of each kind.
    pub vbytes: VBytes,
    /// Fees of all at the relay rate.
    pub relay_fees: Sats,
    /// Fees of all at the survived rate.
    pub survive_fees: Sats,
    /// Blocks of waiting that the time locks impose at least, after Fund.
    pub blocks: u32,
    /// Who bears most of the fees in the end.
    pub paid_by: &'static str,
}

fn kind(name: TxName) -> (&'static str, &'static str) {
    match name {
        TxName::Fund => ("Fund", "all together"),
        TxName::Close => ("Close", "all together, out of the reserve"),
        TxName::Refund => ("Refund", "anyone, out of the reserve"),
        TxName::Claim(_) => ("Claim", "the claimer"),
        TxName::Payout(_) => ("Payout", "anyone; the claimer pays"),
        TxName::PayoutLate(_) => ("PayoutLate", "anyone; the claimer pays"),
        TxName::Release(_) => ("Release", "the claimer"),
        TxName::Challenge(_) => ("Challenge", "the challenger; the claimer's `open` pays"),
        TxName::Assert(_) => ("Assert", "the claimer"),
        TxName::NoAssert(_) => ("NoAssert", "the challenger, out of the bond"),
        TxName::Collect(..) => ("Collect", "the claimer, out of the stake"),
        TxName::Disprove(..) => ("Disprove", "any challenger, out of the bond"),
        TxName::Unstake(..) => ("Unstake", "the challenger"),
        TxName::Sweep(_) => ("Sweep", "the claimer"),
        TxName::Reclaim(_) => ("Reclaim", "its owner"),
        TxName::Withdraw(_) => ("Withdraw", "its owner, instead of Fund"),
    }
}

/// The order in which kinds are shown.
const ORDER: [&str; 15] = [
    "Fund",
    "Close",
    "Claim",
    "Payout",
    "Challenge",
    "Assert",
    "Disprove",
    "NoAssert",
    "PayoutLate",
    "Collect",
    "Release",
    "Refund",
    "Reclaim",
    "Sweep",
    "Unstake",
];

/// All kinds of transactions, with the largest of each.
pub(super) fn kinds(graph: &Graph) -> Result<Vec<Kind>, DeployError> {
    let terms = &graph.deployment.terms;
    let mut all: BTreeMap<&'static str, (usize, Weight, &'static str)> = BTreeMap::new();
    let mut add = |name: TxName, presigned: usize, weight: Weight| {
        let (name, by) = kind(name);
        let entry = all.entry(name).or_insert((0, Weight(0), by));
        entry.0 += presigned;
        entry.1 = entry.1.max(weight);
    };
    for planned in graph.txs.values() {
        add(planned.name, 1, planned.weight());
    }
    for k in 0..graph.deployment.outcomes() {
        add(TxName::Close, 0, graph.close(k)?.weight());
    }
    for claim in graph.claims().take(1) {
        let v = graph.deployment.others(claim.c).next().unwrap_or(claim.c);
        let id = DisputeId { claim, v };
        add(TxName::Disprove(id, 0), 0, graph.worst_disprove()?);
        let rate = terms.relay_feerate;
        if graph.deployment.rounds() {
            let open = graph.sweepable(id)?;
            let name = TxName::Sweep(id);
            add(name, 0, graph.take(name, claim.c, &open, rate)?.weight());
            for held in [Held::Staked, Held::Challenged] {
                let stake = graph.unstakeable(id, held)?;
                let name = TxName::Unstake(id, held);
                add(name, 0, graph.take(name, v, &stake, rate)?.weight());
            }
        }
    }
    for party in 0..graph.deployment.n() {
        let own = graph.reclaimable(party)?;
        let name = TxName::Reclaim(party);
        let reclaim = graph.take(name, party, &own, terms.relay_feerate)?;
        add(name, 0, reclaim.weight());
    }
    let kinds = ORDER.iter().filter_map(|name| {
        let (presigned, weight, by) = *all.get(name)?;
        let vbytes = weight.vbytes();
        let fee = |rate: u64| Sats(vbytes.0.saturating_mul(rate));
        Some(Kind {
            name,
            presigned,
            weight,
            vbytes,
            relay_fee: fee(terms.relay_feerate),
            survive_fee: fee(terms.survive_feerate),
            by,
        })
    });
    Ok(kinds.collect())
}

/// The ways to the end.
pub(super) fn paths(graph: &Graph, kinds: &[Kind]) -> Vec<Path> {
    let Locks {
        payout,
        no_assert,
        late,
        refund,
        release,
        ..
    } = graph.deployment.locks();
    let path = |name, transactions: &[&'static str], blocks, paid_by| {
        let parts = || {
            let find = |name: &&str| kinds.iter().find(|kind| kind.name == *name);
            transactions.iter().filter_map(find)
        };
        let sum = |of: fn(&Kind) -> u64| parts().map(of).fold(0, u64::saturating_add);
        Path {
            name,
            transactions: transactions.to_vec(),
            vbytes: VBytes(sum(|kind| kind.vbytes.0)),
            relay_fees: Sats(sum(|kind| kind.relay_fee.0)),
            survive_fees: Sats(sum(|kind| kind.survive_fee.0)),
            blocks,
            paid_by,
        }
    };
    let mut all = vec![
        path("all agree", &["Fund", "Close"], 0, "all"),
        path(
            "honest claim",
            &["Fund", "Claim", "Payout"],
            payout.0,
            "the claimer",
        ),
    ];
    if graph.deployment.rounds() {
        all.extend([
            path(
                "false claim, disproved",
                &[
                    "Fund",
                    "Claim",
                    "Challenge",
                    "Assert",
                    "Disprove",
                    "Claim",
                    "Payout",
                ],
                payout.0,
                "the liar's bond, until disproved",
            ),
            path(
                "false claim, then silence",
                &["Fund", "Claim", "Challenge", "NoAssert", "Claim", "Payout"],
                no_assert.0 + payout.0,
                "the liar's bond, until disproved",
            ),
            path(
                "false challenge",
                &[
                    "Fund",
                    "Claim",
                    "Challenge",
                    "Assert",
                    "PayoutLate",
                    "Collect",
                ],
                late.0,
                "the challenger's stake",
            ),
        ]);
    } else {
        all.push(path(
            "false claim, disproved",
            &["Fund", "Claim", "Disprove", "Claim", "Payout"],
            payout.0,
            "the liar's bond, until disproved",
        ));
    }
    all.extend([
        path(
            "two true claims",
            &["Fund", "Claim", "Claim", "Payout", "Release"],
            release.0,
            "each claimer its own",
        ),
        path(
            "nobody claims",
            &["Fund", "Refund", "Reclaim"],
            refund.0,
            "all",
        ),
    ]);
    all
}
