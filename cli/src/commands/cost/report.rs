//! Everything that `gavel cost` says, as data.

use std::path::PathBuf;

use gavel_compiler::artifact::SegmentInfo;
use gavel_compiler::units::{Blocks, Sats, StackDepth, VBytes, Weight};
use gavel_verifier::deploy::{DeployError, Terms};
use gavel_verifier::graph::{Amounts, ClaimId, Graph};
use gavel_verifier::sample::needs;
use serde::Serialize;

use super::paths::{Kind, Path, kinds, paths};
use crate::contract_file::Loaded;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table::grouped;

/// Bytes of a public nonce (BIP 327), of a partial signature, and of a signature.
const MUSIG_BYTES: [u64; 3] = [66, 32, 64];
/// Percent of a limit from which on there is a warning.
const NEAR: u64 = 90;

/// What a contract costs.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub file: PathBuf,
    pub contract: String,
    pub terms: Terms,
    /// How a claim is decided: by one leaf, or by Challenge and Assert first.
    pub single_leaf: bool,
    /// Most transactions one after another from a Claim to its disproof, the Claim included.
    pub turns: u8,
    pub pot: Sats,
    pub amounts: Amounts,
    pub parties: Vec<Brings>,
    pub transactions: Vec<Kind>,
    pub segments: Vec<Segment>,
    pub paths: Vec<Path>,
    pub off_chain: OffChain,
    pub deadlines: Vec<Deadline>,
    pub warnings: Vec<String>,
}

/// What a party must bring.
#[derive(Debug, Serialize)]
pub(super) struct Brings {
    pub party: String,
    /// What it puts into the pot.
    pub funds: Sats,
    /// Its bond and the fees that its claim carries; comes back to the honest.
    pub claim: Sats,
    /// Its stakes, one against each other party; come back to the honest.
    pub stakes: Sats,
    /// All that Fund takes from it, its share of Fund's fee and of the reserve included.
    pub total: Sats,
}

/// A segment and its disproof.
#[derive(Debug, Serialize)]
pub(super) struct Segment {
    #[serde(flatten)]
    pub info: SegmentInfo,
    /// Words that its leaf reads.
    pub read_words: usize,
    /// Words that its leaf checks.
    pub written_words: usize,
    /// The heaviest Disprove of it, finished.
    pub disprove_weight: Weight,
    pub disprove_vbytes: VBytes,
}

/// What the parties exchange and keep.
#[derive(Debug, Serialize)]
pub(super) struct OffChain {
    /// Transactions signed before Fund, it included.
    pub transactions: usize,
    /// Signatures of all parties together among them.
    pub joint_signatures: usize,
    /// Bytes of one-time public keys that each party sends to each other one, at most.
    pub key_bytes: u64,
    /// Bytes of nonces and partial signatures that each party sends to each other one.
    pub signing_bytes: u64,
    /// Bytes of signatures that each party keeps.
    pub kept_bytes: u64,
}

/// A time lock.
#[derive(Debug, Serialize)]
pub(super) struct Deadline {
    pub what: &'static str,
    pub blocks: Blocks,
    pub hours: f64,
}

/// The report.
pub(super) fn report(loaded: &Loaded, graph: &Graph) -> Result<Report, Failure> {
    gather(loaded, graph).map_err(|error| Failure::new(Exit::No, "deploy", error.to_string()))
}

fn gather(loaded: &Loaded, graph: &Graph) -> Result<Report, DeployError> {
    let d = &graph.deployment;
    let transactions = kinds(graph)?;
    let paths = paths(graph, &transactions);
    let mut report = Report {
        file: loaded.path.clone(),
        contract: d.contract.name.clone(),
        terms: d.terms.clone(),
        single_leaf: !d.rounds(),
        turns: if d.rounds() { 4 } else { 2 },
        pot: d.contract.coin.pot(),
        amounts: graph.amounts,
        parties: brings(graph),
        transactions,
        segments: segments(loaded, graph)?,
        paths,
        off_chain: off_chain(graph),
        deadlines: deadlines(graph),
        warnings: Vec::new(),
    };
    report.warnings = warnings(&report);
    Ok(report)
}

fn brings(graph: &Graph) -> Vec<Brings> {
    let d = &graph.deployment;
    let stakes = graph.amounts.stake.0 * u64::from(d.n().saturating_sub(1));
    (0..d.n())
        .map(|party| Brings {
            party: d.party_name(party).to_owned(),
            funds: d
                .contract
                .coin
                .fund
                .get(usize::from(party))
                .copied()
                .unwrap_or_default(),
            claim: graph.amounts.claim,
            stakes: Sats(stakes),
            total: needs(graph, party).unwrap_or_default(),
        })
        .collect()
}

fn segments(loaded: &Loaded, graph: &Graph) -> Result<Vec<Segment>, DeployError> {
    let plan = loaded.plan();
    let words = |ids: &[usize]| {
        ids.iter()
            .filter_map(|n| plan.elements.get(*n))
            .map(|element| element.words.len())
            .sum()
    };
    let last = plan.segments.len().saturating_sub(1);
    (0..plan.segments.len())
        .filter_map(|n| Some((n, loaded.compiled.segment(n)?)))
        .map(|(n, info)| {
            // Only the last segment's leaf depends on the outcome.
            let outcomes = if n == last {
                graph.deployment.outcomes()
            } else {
                1
            };
            let mut weight = Weight(0);
            for k in 0..outcomes {
                weight = weight.max(graph.disprove_weight(ClaimId { c: 0, k }, n)?);
            }
            Ok(Segment {
                read_words: words(&info.reads),
                written_words: words(&info.writes),
                disprove_weight: weight,
                disprove_vbytes: weight.vbytes(),
                info,
            })
        })
        .collect()
}

fn off_chain(graph: &Graph) -> OffChain {
    let keys = graph.connectors.keys().iter().map(|keys| {
        let author = keys.author.iter().flatten();
        let digits = keys.claimer.iter().chain(author).map(|key| key.0.len());
        20 * digits.sum::<usize>() as u64
    });
    let jobs = graph.joint_jobs().len();
    let [nonce, partial, signature] = MUSIG_BYTES;
    OffChain {
        transactions: graph.txs.len(),
        joint_signatures: jobs,
        key_bytes: keys.max().unwrap_or(0),
        signing_bytes: jobs as u64 * (nonce + partial),
        kept_bytes: jobs as u64 * signature,
    }
}

fn deadlines(graph: &Graph) -> Vec<Deadline> {
    let d = &graph.deployment;
    let locks = d.locks();
    let margin = locks.claim_margin.0;
    let claim_by = Blocks(locks.refund.0.saturating_sub(margin));
    let mut all = vec![
        ("an honest party claims, after Fund, by", claim_by),
        ("Payout, after the Claim", locks.payout),
    ];
    if d.rounds() {
        all.extend([
            ("NoAssert, after the Challenge", locks.no_assert),
            ("PayoutLate, after the Claim (T)", locks.late),
        ]);
    }
    all.push(("Release, after the Claim (2T)", locks.release));
    if d.rounds() {
        all.push(("Unstake, after Challenge or Assert (U)", locks.unstake));
    }
    all.push(("Refund and Reclaim, after Fund (R)", locks.refund));
    let deadline = |(what, blocks): (&'static str, Blocks)| Deadline {
        what,
        blocks,
        hours: blocks.hours(),
    };
    all.into_iter().map(deadline).collect()
}

fn warnings(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    let (bond, pot) = (report.amounts.bond.0, report.pot.0);
    if bond > pot {
        all.push(format!(
            "the bond of {} sats is more than the pot of {}: it must pay for a Disprove, and for \
             outbidding the largest rival, at {} sat/vB",
            grouped(bond),
            grouped(pot),
            report.terms.survive_feerate
        ));
    }
    for path in &report.paths {
        if path.name == "honest claim" && path.survive_fees.0 > pot {
            all.push(format!(
                "an honest claim costs {} sats at {} sat/vB, more than the pot of {}",
                grouped(path.survive_fees.0),
                report.terms.survive_feerate,
                grouped(pot)
            ));
        }
    }
    for (n, segment) in (1..).zip(&report.segments) {
        let mut near = |what: &str, is: u64, limit: u64| {
            if is * 100 > limit * NEAR {
                all.push(format!(
                    "segment {n}: {what} is {} of {}",
                    grouped(is),
                    grouped(limit)
                ));
            }
        };
        let weight = segment.disprove_weight.0;
        near("the weight of its Disprove", weight, Weight::STANDARD.0);
        let peak = u64::from(segment.info.peak_stack.0);
        near("its peak stack", peak, u64::from(StackDepth::MAX.0));
    }
    all
}
