//! The pre-signed graph, before any node sees it: sizes, values, locks, and everything that
//! must not be deployed.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

mod support;

use bitcoin::secp256k1::XOnlyPublicKey;
use bitcoin::{OutPoint, ScriptBuf, Sequence, Txid, hashes::Hash};
use gavel_compiler::commit::PublicKey;
use gavel_compiler::units::{Blocks, Sats, VBytes, Weight};
use gavel_tests::Stage;
use gavel_verifier::deploy::{DeployError, Deployment, PublicOneTimeKeys, Terms, Windows};
use gavel_verifier::graph::{
    ClaimId, DUST, DisputeId, Graph, Held, Planned, Role, TRUC_LIMIT, TxName,
};
use gavel_verifier::sample::sample;
use gavel_verifier::sign::{FundingInput, Hello, HelloError, OneTimeKeys, Role as KeyRole};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use support::{Built, entrant, example, examples, seed};

fn sampled(stage: &Stage) -> Graph {
    sample(
        stage.contract.clone(),
        stage.plan.clone(),
        stage.terms.clone(),
    )
    .unwrap()
}

/// The locks of each input, as the table in `docs/protocol.md` has them.
fn locks(graph: &Graph, planned: &Planned) -> Vec<Option<Blocks>> {
    let l = graph.deployment.locks();
    let n = planned.inputs.len();
    let first = |lock| {
        let rest = std::iter::repeat_n(None, n - 1);
        std::iter::once(Some(lock)).chain(rest).collect()
    };
    match planned.name {
        TxName::Refund => first(l.refund),
        TxName::Payout(_) => first(l.payout),
        TxName::PayoutLate(_) => first(l.late),
        TxName::Release(_) => first(l.release),
        // `claimed` at once, all of `challenged[v]` after Δ2.
        TxName::NoAssert(_) => {
            let rest = std::iter::repeat_n(Some(l.no_assert), n - 1);
            std::iter::once(None).chain(rest).collect()
        }
        _ => vec![None; n],
    }
}

/// What must hold for every transaction of every graph.
fn check(graph: &Graph) {
    let d = &graph.deployment;
    let mut spendable: BTreeMap<OutPoint, (u64, ScriptBuf)> = BTreeMap::new();
    for planned in graph.txs.values() {
        let txid = planned.tx.compute_txid();
        for (n, output) in planned.tx.output.iter().enumerate() {
            let outpoint = OutPoint::new(txid, n as u32);
            spendable.insert(
                outpoint,
                (output.value.to_sat(), output.script_pubkey.clone()),
            );
        }
    }
    for (name, planned) in &graph.txs {
        assert_eq!(planned.name, *name);
        assert_eq!(planned.inputs.len(), planned.tx.input.len(), "{name}");
        assert_eq!(planned.outputs.len(), planned.tx.output.len(), "{name}");

        // Values: each input is worth what the output that it spends is, and the fee is
        // exactly the relay rate. (Claim, Challenge and Assert are paid for in advance, at the
        // same rate.)
        for (txin, input) in planned.tx.input.iter().zip(&planned.inputs) {
            match spendable.get(&txin.previous_output) {
                Some((value, script)) => {
                    assert_eq!(input.prevout.value.to_sat(), *value, "{name}");
                    assert_eq!(input.prevout.script_pubkey, *script, "{name}");
                }
                None => assert_eq!(*name, TxName::Fund, "{name} spends an unknown output"),
            }
            assert!(txin.script_sig.is_empty() && txin.witness.is_empty());
        }
        let (put_in, out) = (planned.value_in(), planned.value_out());
        assert_eq!(put_in.0 - out.0, planned.fee().0, "{name}");
        let least = planned.vsize().0 * d.terms.relay_feerate;
        match name {
            // Out of the reserve, which pays the largest Close too.
            TxName::Refund => assert!(planned.fee().0 >= least, "{name} pays too little"),
            _ => assert_eq!(planned.fee().0, least, "{name} pays another fee"),
        }

        // Outputs: no dust, one anchor on what may have to be bumped.
        for output in &planned.outputs {
            let least = if output.role == Role::Anchor {
                240
            } else {
                DUST.0
            };
            assert!(output.value().0 >= least, "{name}: {:?}", output.role);
            let script = &output.txout.script_pubkey;
            assert!(
                output.value() >= Sats(script.minimal_non_dust().to_sat()),
                "{name}"
            );
        }
        let anchors = planned.outputs.iter().filter(|o| o.role == Role::Anchor);
        let anchors: Vec<_> = anchors.collect();
        assert_eq!(anchors.len(), usize::from(*name != TxName::Fund), "{name}");

        // Sizes.
        let weight = planned.weight();
        assert!(weight <= Weight::STANDARD, "{name}: {weight}");
        if matches!(name, TxName::Assert(_)) {
            assert!(weight <= Weight(396_000), "{name}: {weight}");
        }
        let small = planned.vsize() <= TRUC_LIMIT && *name != TxName::Fund;
        assert_eq!(planned.tx.version.0, if small { 3 } else { 2 }, "{name}");
        for anchor in anchors {
            assert_eq!(anchor.tap.is_none(), small, "{name}: whose anchor?");
        }

        // Locks.
        let sequences: Vec<Sequence> = planned.tx.input.iter().map(|i| i.sequence).collect();
        let expected = locks(graph, planned).into_iter().map(|lock| match lock {
            Some(Blocks(n)) => Sequence::from_height(n as u16),
            None => Sequence::ENABLE_RBF_NO_LOCKTIME,
        });
        assert_eq!(sequences, expected.collect::<Vec<_>>(), "{name}");
        assert_eq!(planned.tx.lock_time.to_consensus_u32(), 0, "{name}");
    }

    // Every transaction of the table, for every claimer, outcome and challenger, once.
    let (n, outcomes) = (usize::from(d.n()), usize::from(d.outcomes()));
    let per_dispute = if d.rounds() { 3 + 4 } else { 0 };
    let per_claim = 3 + usize::from(d.rounds()) + (n - 1) * per_dispute;
    assert_eq!(graph.txs.len(), 2 + n * outcomes * per_claim);
    assert_eq!(
        graph.names.len(),
        graph.txs.len(),
        "two transactions with one id"
    );
    assert_eq!(graph.outputs.len(), spendable.len());

    // Money: Fund holds what all brought; a claim's connectors hold what they say.
    let fund = graph.get(TxName::Fund).unwrap();
    let vault = fund.output(Role::Vault).unwrap().1.value();
    assert_eq!(vault.0, d.contract.coin.pot().0 + graph.amounts.reserve.0);
    for id in graph.claims() {
        let claim = graph.get(TxName::Claim(id)).unwrap();
        assert_eq!(
            claim.output(Role::Claimed).unwrap().1.value(),
            graph.amounts.bond
        );
        for v in d.others(id.c).filter(|_| d.rounds()) {
            let dispute = DisputeId { claim: id, v };
            let open = claim.output(Role::Open { v }).unwrap().1.value();
            assert_eq!(open, graph.amounts.open);
            let staked = graph.get(TxName::Assert(dispute)).unwrap();
            let staked = staked.output(Role::Staked).unwrap().1.value();
            assert_eq!(staked, graph.amounts.stake, "the whole stake");
            let challenge = graph.get(TxName::Challenge(dispute)).unwrap();
            let held = challenge.outputs.iter();
            let held = held.filter(|o| matches!(o.role, Role::Challenged { .. }));
            let held: u64 = held.map(|o| o.value().0).sum();
            assert_eq!(held, graph.amounts.stake.0 + graph.amounts.assert_cost.0);
        }
        // The arms, to the satoshi, and nothing of them to fees.
        for name in [TxName::Payout(id), TxName::PayoutLate(id)] {
            let Some(payout) = graph.get(name) else {
                assert!(!d.rounds() && matches!(name, TxName::PayoutLate(_)));
                continue;
            };
            let arms = payout.outputs.iter().skip(1);
            let arms = arms.filter_map(|o| match o.role {
                Role::Payment { party } => Some((party, o.value())),
                _ => None,
            });
            let pay = d.contract.coin.pay[usize::from(id.k)].iter();
            let pay = pay.map(|arm| (arm.party, arm.amount));
            assert_eq!(arms.collect::<Vec<_>>(), pay.collect::<Vec<_>>(), "{name}");
        }
        // Close is signed when all agree; it must be possible.
        let close = graph.close(id.k).unwrap();
        let least = close.vsize().0 * d.terms.relay_feerate;
        assert!(close.fee().0 >= least, "Close pays too little");
    }
    let refund = graph.get(TxName::Refund).unwrap();
    let paid: u64 = refund.outputs.iter().map(|o| o.value().0).sum();
    assert_eq!(paid - 240, d.contract.coin.pot().0);

    // Disproofs: each fits, and the bond pays the worst at the rate to survive.
    let segments = d.plan.segments.len();
    let mut worst = Weight(0);
    for id in graph.claims() {
        for segment in [0, segments / 2, segments - 1] {
            worst = worst.max(graph.disprove_weight(id, segment).unwrap());
        }
    }
    assert!(worst <= graph.worst_disprove().unwrap());
    let survive = d.terms.survive_feerate;
    let most = graph
        .worst_disprove()
        .unwrap()
        .vbytes()
        .max(VBytes(100_000));
    assert!(graph.amounts.bond.0 >= most.0 * survive + DUST.0);
    let id = DisputeId {
        claim: ClaimId { c: 0, k: 0 },
        v: 1,
    };
    let dear = graph.disprove(id, segments - 1, survive).unwrap();
    assert_eq!(dear.fee().0, dear.vsize().0 * survive);
    let beyond = graph.disprove(id, segments - 1, graph.amounts.bond.0);
    assert!(matches!(beyond, Err(DeployError::Amount { .. })));
    if d.rounds() {
        let sizes = [TxName::Assert(id), TxName::PayoutLate(id.claim)];
        let sizes: u64 = sizes
            .map(|name| graph.get(name).unwrap().vsize().0)
            .iter()
            .sum();
        assert!(graph.amounts.stake.0 >= sizes * survive + DUST.0);
        for held in [Held::Staked, Held::Challenged] {
            let lock = d.locks().unstake;
            let unstake = graph.unstakeable(id, held).unwrap();
            assert!(!unstake.is_empty());
            for output in &unstake {
                assert_eq!(output.lock(), Some(lock));
            }
            let took = graph
                .take(TxName::Unstake(id, held), 1, &unstake, 1)
                .unwrap();
            for txin in &took.tx.input {
                assert_eq!(txin.sequence, Sequence::from_height(lock.0 as u16));
            }
        }
    }

    // What the n-of-n signs: each job once.
    let jobs = graph.joint_jobs();
    let distinct: BTreeSet<_> = jobs.iter().map(|(name, input, _)| (name, input)).collect();
    assert_eq!(distinct.len(), jobs.len());
}

/// One line per kind of transaction that differs in size, for a snapshot.
fn sizes(graph: &Graph) -> String {
    let mut kinds: BTreeMap<(usize, String), BTreeSet<(u64, u64, u64, i32)>> = BTreeMap::new();
    let order = [
        "Fund",
        "Claim",
        "Payout",
        "Challenge",
        "Assert",
        "NoAssert",
        "PayoutLate",
        "Release",
        "Collect",
        "Refund",
    ];
    for planned in graph.txs.values() {
        let text = planned.name.to_string();
        let kind = text.split('[').next().unwrap();
        let which = text.split(']').nth(1).unwrap_or("");
        let size = (
            planned.vsize().0,
            planned.weight().0,
            planned.fee().0,
            planned.tx.version.0,
        );
        let at = order.iter().position(|known| *known == kind).unwrap();
        kinds
            .entry((at, format!("{kind}{which}")))
            .or_default()
            .insert(size);
    }
    let segments = graph.deployment.plan.segments.len();
    for segment in 0..segments {
        let claims = graph.claims().filter(|id| id.c == 0);
        for id in claims {
            let dispute = DisputeId { claim: id, v: 1 };
            let planned = graph.disprove(dispute, segment, 1).unwrap();
            let size = (planned.vsize().0, planned.weight().0, planned.fee().0, 2);
            let kind = format!("Disprove(segment {segment})");
            kinds
                .entry((order.len() + segment, kind))
                .or_default()
                .insert(size);
        }
    }
    let a = &graph.amounts;
    let mut text = String::new();
    let d = &graph.deployment;
    writeln!(
        text,
        "{} parties, {} outcomes, {segments} segments, {} transactions, {} joint signatures",
        d.n(),
        d.outcomes(),
        graph.txs.len(),
        graph.joint_jobs().len(),
    )
    .unwrap();
    writeln!(
        text,
        "bond {}, stake {}, open {}, claim {}, reserve {}",
        a.bond, a.stake, a.open, a.claim, a.reserve
    )
    .unwrap();
    for ((_, kind), sizes) in kinds {
        for (vbytes, weight, fee, version) in sizes {
            let line = format!("{kind}: {vbytes} vB, {weight} WU, fee {fee}, version {version}");
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

macro_rules! contracts {
    ($($contract:ident)*) => {
        $(#[test]
        fn $contract() {
            let graph = sampled(&example(stringify!($contract)));
            check(&graph);
            insta::assert_snapshot!(stringify!($contract), sizes(&graph));
        })*

        #[test]
        fn every_contract_has_a_test() {
            assert_eq!(examples(), [$(stringify!($contract)),*]);
        }
    };
}

contracts! { auction auction5 channel escrow merkle_raffle price_bet price_feed tic_tac_toe }

const FIVE: Built = Built {
    n: 5,
    outcomes: 16,
    rounds: 40,
    weight: 400_000,
    ..Built::PLAIN
};

#[test]
fn five_parties_and_sixteen_outcomes_in_one_leaf() {
    let stage = FIVE.stage();
    assert_eq!(stage.plan.segments.len(), 1);
    let graph = sampled(&stage);
    check(&graph);
    // Refund's vault; per claim Payout's `claimed` and vault, and Release's `claimed`.
    assert_eq!(graph.joint_jobs().len(), 1 + 5 * 16 * 3);
    insta::assert_snapshot!("five_one_leaf", sizes(&graph));
}

#[test]
fn five_parties_and_sixteen_outcomes_in_many_leaves() {
    let stage = Built {
        weight: 8_000,
        ..FIVE
    }
    .stage();
    assert!(stage.plan.segments.len() >= 3);
    assert!(
        stage
            .plan
            .segments
            .iter()
            .rev()
            .skip(1)
            .all(|s| !s.writes.is_empty())
    );
    let graph = sampled(&stage);
    check(&graph);
    let groups = stage.plan.frame_groups.len();
    // Payout: claimed, vault, 4 opens; PayoutLate: 2; Release: 1. Per challenger: Challenge 2
    // (`open`, and the n-of-n's part of the stake's leaf), Assert one per group, NoAssert
    // `claimed` and the groups, Collect twice `staked` and twice the groups.
    let per_dispute = 2 + groups + (1 + groups) + 2 + 2 * groups;
    let per_claim = 6 + 2 + 1 + 4 * per_dispute;
    assert_eq!(graph.joint_jobs().len(), 1 + 5 * 16 * per_claim);
    insta::assert_snapshot!("five_many_leaves", sizes(&graph));
}

// What must not be deployed.

fn windows(w: [u32; 5]) -> Windows {
    let [challenge, assert, disprove, confirm, reorg] = w.map(Blocks);
    Windows {
        challenge,
        assert,
        disprove,
        confirm,
        reorg,
    }
}

/// What `sample` says to these terms.
fn refused(stage: &Stage, terms: Terms) -> Option<DeployError> {
    sample(stage.contract.clone(), stage.plan.clone(), terms).err()
}

fn many() -> Stage {
    Built {
        n: 3,
        outcomes: 2,
        rounds: 20,
        weight: 8_000,
        ..Built::PLAIN
    }
    .stage()
}

/// [Δ1, Δ2, Δ3, w, m], R, and what is said of it; for a contract of many leaves and of one.
#[test]
fn windows_that_break_the_promise_are_refused() {
    const OK: [u32; 5] = [144, 144, 144, 36, 6];
    // T = 432 and 144; T + 4w + m = 582 and 294.
    let big = 65_536;
    let cases: &[([u32; 5], u32, Option<&str>, Option<&str>)] = &[
        (OK, 1_008, None, None),
        // Each inequality, at its edge and one beyond.
        ([43, 144, 144, 36, 6], 1_008, None, None),
        (
            [42, 144, 144, 36, 6],
            1_008,
            Some("w + m < Δ1"),
            Some("w + m < Δ1"),
        ),
        ([144, 43, 144, 36, 6], 1_008, None, None),
        (
            [144, 42, 144, 36, 6],
            1_008,
            Some("w + m < Δ2"),
            Some("w + m < Δ2"),
        ),
        // 3w + m = 114.
        ([100, 144, 15, 36, 6], 1_008, None, None),
        (
            [100, 144, 14, 36, 6],
            1_008,
            Some("3w + m < Δ1 + Δ3"),
            Some("3w + m < Δ1 + Δ3"),
        ),
        ([144, 144, 144, 0, 6], 1_008, Some("0 < w"), Some("0 < w")),
        ([144, 144, 144, 1, 0], 1_008, None, None),
        (OK, 583, None, None),
        (OK, 582, Some("T + 4w + m < R (time to claim)"), None),
        (OK, 295, Some("T + 4w + m < R (time to claim)"), None),
        (
            OK,
            294,
            Some("T + 4w + m < R (time to claim)"),
            Some("T + 4w + m < R (time to claim)"),
        ),
        (
            OK,
            0,
            Some("T + 4w + m < R (time to claim)"),
            Some("T + 4w + m < R (time to claim)"),
        ),
        // BIP 68's 16 bits.
        (OK, 65_535, None, None),
        (OK, 65_536, Some("R <= 65535"), Some("R <= 65535")),
        (OK, u32::MAX, Some("R <= 65535"), Some("R <= 65535")),
        // U = 2T + 4w + m; T is Δ1 + Δ2 + Δ3 for many leaves and Δ1 for one.
        ([10_000, 10_000, 12_692, 36, 6], 65_535, None, None),
        (
            [10_000, 10_000, 12_693, 36, 6],
            65_535,
            Some("U <= 65535"),
            None,
        ),
        (
            [10_000, 10_000, 12_768, 36, 6],
            65_535,
            Some("2T <= 65535"),
            None,
        ),
        ([32_692, 43, 43, 36, 6], 65_535, Some("2T <= 65535"), None),
        (
            [32_693, 43, 43, 36, 6],
            65_535,
            Some("2T <= 65535"),
            Some("U <= 65535"),
        ),
        (
            [32_768, 43, 43, 36, 6],
            65_535,
            Some("2T <= 65535"),
            Some("2T <= 65535"),
        ),
        // Nothing overflows.
        (
            [big, 144, 144, 36, 6],
            1_008,
            Some("Δ1 <= 65535"),
            Some("Δ1 <= 65535"),
        ),
        (
            [144, big, 144, 36, 6],
            1_008,
            Some("Δ2 <= 65535"),
            Some("Δ2 <= 65535"),
        ),
        (
            [144, 144, big, 36, 6],
            1_008,
            Some("Δ3 <= 65535"),
            Some("Δ3 <= 65535"),
        ),
        (
            [144, 144, 144, big, 6],
            1_008,
            Some("w <= 65535"),
            Some("w <= 65535"),
        ),
        (
            [144, 144, 144, 36, big],
            1_008,
            Some("m <= 65535"),
            Some("m <= 65535"),
        ),
        (
            [u32::MAX; 5],
            u32::MAX,
            Some("Δ1 <= 65535"),
            Some("Δ1 <= 65535"),
        ),
        ([0; 5], 0, Some("w + m < Δ1"), Some("w + m < Δ1")),
    ];
    let one = Built {
        weight: 400_000,
        n: 3,
        outcomes: 2,
        rounds: 6,
        ..Built::PLAIN
    }
    .stage();
    let many = many();
    for (given, refund, for_many, for_one) in cases {
        for (stage, expected) in [(&many, for_many), (&one, for_one)] {
            let mut stage = stage.clone();
            stage.contract.coin.refund_after = Blocks(*refund);
            let terms = Terms {
                windows: windows(*given),
                ..Terms::default()
            };
            let segments = stage.plan.segments.len();
            let found = match refused(&stage, terms) {
                None => None,
                Some(DeployError::Windows { rule, left, right }) => {
                    assert!(left >= right, "{rule}: {left} < {right}");
                    Some(rule)
                }
                Some(other) => panic!("{given:?}, R {refund}: {other}"),
            };
            assert_eq!(
                found, *expected,
                "{given:?}, R {refund}, {segments} segments"
            );
        }
    }
}

#[test]
fn bonds_and_stakes_are_exact_to_the_satoshi() {
    let stage = many();
    let amounts = sampled(&stage).amounts;
    let with = |bond: u64, stake: u64| Terms {
        bond: Some(Sats(bond)),
        stake: Some(Sats(stake)),
        ..Terms::default()
    };
    assert!(refused(&stage, with(amounts.bond.0, amounts.stake.0)).is_none());
    match refused(&stage, with(amounts.bond.0 - 1, amounts.stake.0)) {
        Some(DeployError::BondTooSmall {
            bond,
            least,
            feerate: 10,
        }) => {
            assert_eq!((bond.0 + 1, least), (least.0, amounts.bond));
        }
        other => panic!("{other:?}"),
    }
    match refused(&stage, with(amounts.bond.0, amounts.stake.0 - 1)) {
        Some(DeployError::StakeTooSmall { stake, least }) => {
            assert_eq!((stake.0 + 1, least), (least.0, amounts.stake));
        }
        other => panic!("{other:?}"),
    }
    for zero in [with(0, amounts.stake.0), with(amounts.bond.0, 0)] {
        assert!(refused(&stage, zero).is_some());
    }
    // More than there is: an error, not an overflow.
    for much in [1 << 51, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        for terms in [with(much, amounts.stake.0), with(amounts.bond.0, much)] {
            match refused(&stage, terms) {
                Some(DeployError::Underfunded { .. } | DeployError::Amount { .. }) => {}
                other => panic!("{much}: {other:?}"),
            }
        }
    }
}

#[test]
fn fee_rates_out_of_range_are_refused() {
    let stage = many();
    for value in [0, 10_001, 1_000_000_000, u64::MAX] {
        let relay = Terms {
            relay_feerate: value,
            ..Terms::default()
        };
        let survive = Terms {
            survive_feerate: value,
            ..Terms::default()
        };
        for (terms, name) in [(relay, "relay fee rate"), (survive, "survived fee rate")] {
            match refused(&stage, terms) {
                Some(DeployError::FeeRate { what, value: of }) => {
                    assert_eq!((what, of), (name, value));
                }
                other => panic!("{value}: {other:?}"),
            }
        }
    }
    for value in [1, 2, 100, 10_000] {
        let terms = Terms {
            relay_feerate: value,
            survive_feerate: value,
            ..Terms::default()
        };
        // At some rate Payout's fee may eat more than a bond holds; that is said, too.
        match sample(stage.contract.clone(), stage.plan.clone(), terms) {
            Ok(graph) => check_fees(&graph, value),
            Err(error) => panic!("{value}: {error}"),
        }
    }
}

fn check_fees(graph: &Graph, rate: u64) {
    for (name, planned) in &graph.txs {
        assert!(planned.fee().0 >= planned.vsize().0 * rate, "{name}");
    }
}

/// Announcements of the parties of `stage`, as they should be.
fn hellos(stage: &Stage) -> Vec<Hello> {
    let hello = |me: u8| {
        let entrant = entrant(stage, me, 0);
        Hello {
            party: me,
            contract: stage.contract.id,
            nonce: entrant.nonce,
            key: seed(me, 0).party_key(&stage.contract.id).public(),
            payout: entrant.payout,
            inputs: entrant.inputs,
            change: None,
        }
    };
    (0..stage.contract.parties.len() as u8).map(hello).collect()
}

fn deploy(stage: &Stage, hellos: Vec<Hello>) -> Result<Deployment, DeployError> {
    Deployment::new(
        stage.contract.clone(),
        stage.plan.clone(),
        stage.terms.clone(),
        hellos,
    )
}

/// The parties' one-time public keys, as they should be.
fn one_time(d: &Deployment) -> Vec<PublicOneTimeKeys> {
    let shapes: Vec<_> = (0..)
        .zip(d.plan.elements.iter().map(|e| e.shape()))
        .collect();
    let keys = (0..d.n()).map(|party| {
        let secrets = OneTimeKeys::new(&seed(party, 0), &d.contract.id, &d.instance);
        let author = (0..).zip(&d.plan.program.inputs).map(|(element, input)| {
            let ours = input.author == gavel_compiler::word::Author::Party(party);
            ours.then(|| secrets.public_key(KeyRole::Author, element, input.author_shape()))
        });
        PublicOneTimeKeys {
            author: author.collect(),
            claimer: secrets.public_keys(KeyRole::Claimer, &shapes),
        }
    });
    keys.collect()
}

fn build(stage: &Stage, hellos: Vec<Hello>) -> Result<Graph, DeployError> {
    let deployment = deploy(stage, hellos)?;
    let keys = one_time(&deployment);
    Graph::build(deployment, keys)
}

#[test]
fn odd_announcements_are_refused() {
    let stage = many();
    assert!(build(&stage, hellos(&stage)).is_ok());
    let p2pkh = ScriptBuf::from_hex("76a91400000000000000000000000000000000000000000088ac");
    let p2sh = ScriptBuf::from_hex("a914000000000000000000000000000000000000000087");
    let p2a = ScriptBuf::from_hex("51024e73");
    let v2 = ScriptBuf::from_hex(&format!("5220{}", "02".repeat(32)));
    let op_return = ScriptBuf::from_hex("6a0401020304");
    let odd = [p2pkh, p2sh, p2a, v2, op_return].map(Result::unwrap);
    let odd = odd.into_iter().chain([ScriptBuf::new()]);
    for script in odd {
        let mut payout = hellos(&stage);
        payout[1].payout = script.clone();
        let mut funding = hellos(&stage);
        funding[1].inputs[0].script = script.clone();
        let mut change = hellos(&stage);
        change[1].change = Some(script.clone());
        let each = [
            (payout, "payout script"),
            (funding, "funding input"),
            (change, "change script"),
        ];
        for (hellos, of) in each {
            match deploy(&stage, hellos) {
                Err(DeployError::Hello(HelloError::Script { party: 1, what })) => {
                    assert_eq!(what, of);
                }
                other => panic!("{script}: {other:?}"),
            }
        }
    }

    type Change = fn(&mut Vec<Hello>);
    type Right = fn(&DeployError) -> bool;
    let cases: [(&str, Change, Right); 14] = [
        (
            "one input of two parties",
            |h| h[2].inputs = h[0].inputs.clone(),
            |e| matches!(e, DeployError::Hello(HelloError::Twice { party: 2, .. })),
        ),
        (
            "one input twice",
            |h| {
                let again = h[0].inputs[0].clone();
                h[0].inputs.push(again);
            },
            |e| matches!(e, DeployError::Hello(HelloError::Twice { party: 0, .. })),
        ),
        (
            "the key of another",
            |h| h[1].key = h[0].key,
            |e| {
                matches!(
                    e,
                    DeployError::Hello(HelloError::Copied {
                        party: 1,
                        what: "key"
                    })
                )
            },
        ),
        (
            "the nonce of another",
            |h| h[2].nonce = h[1].nonce,
            |e| {
                matches!(
                    e,
                    DeployError::Hello(HelloError::Copied {
                        party: 2,
                        what: "nonce"
                    })
                )
            },
        ),
        (
            "an input of nothing",
            |h| h[1].inputs[0].amount = Sats(0),
            |e| matches!(e, DeployError::Hello(HelloError::Value { party: 1, .. })),
        ),
        (
            "more than there is",
            |h| h[1].inputs[0].amount = Sats(2_100_000_000_000_001),
            |e| matches!(e, DeployError::Hello(HelloError::Value { party: 1, .. })),
        ),
        (
            "too many inputs",
            |h| h[1].inputs = inputs(&h[1].inputs[0], 101),
            |e| {
                matches!(
                    e,
                    DeployError::Hello(HelloError::Inputs { party: 1, got: 101 })
                )
            },
        ),
        (
            "another contract",
            |h| h[1].contract[0] ^= 1,
            |e| matches!(e, DeployError::Hello(HelloError::Contract { party: 1 })),
        ),
        (
            "another order",
            |h| h.swap(0, 1),
            |e| matches!(e, DeployError::Hello(HelloError::Order { at: 0, party: 1 })),
        ),
        (
            "a party missing",
            |h| drop(h.pop()),
            |e| matches!(e, DeployError::PartyCount { need: 3, got: 2 }),
        ),
        (
            "nobody",
            |h| h.clear(),
            |e| matches!(e, DeployError::PartyCount { need: 3, got: 0 }),
        ),
        (
            "too little",
            |h| h[1].inputs[0].amount = Sats(100_000),
            |e| {
                matches!(
                    e,
                    DeployError::Underfunded {
                        party: 1,
                        brings: Sats(100_000),
                        ..
                    }
                )
            },
        ),
        (
            "nothing",
            |h| h[0].inputs.clear(),
            |e| {
                matches!(
                    e,
                    DeployError::Underfunded {
                        party: 0,
                        brings: Sats(0),
                        ..
                    }
                )
            },
        ),
        (
            "a key that is no point",
            |h| h[1].key = not_on_the_curve(h[1].key),
            |e| matches!(e, DeployError::Hello(HelloError::Copied { .. })),
        ),
    ];
    for (what, change, right) in cases {
        let mut hellos = hellos(&stage);
        change(&mut hellos);
        match build(&stage, hellos) {
            Err(error) => assert!(right(&error), "{what}: {error:?}"),
            Ok(_) => panic!("{what}: accepted"),
        }
    }
}

/// There is no such `XOnlyPublicKey`: the type holds points only.
fn not_on_the_curve(_: XOnlyPublicKey) -> XOnlyPublicKey {
    assert!(XOnlyPublicKey::from_slice(&[5; 32]).is_err());
    seed(0, 0).party_key(&many().contract.id).public()
}

/// `n` inputs like one.
fn inputs(like: &FundingInput, n: usize) -> Vec<FundingInput> {
    let input = |at: usize| FundingInput {
        outpoint: OutPoint::new(Txid::from_byte_array([at as u8; 32]), 1),
        ..like.clone()
    };
    (0..n).map(input).collect()
}

#[test]
fn the_least_that_a_party_may_bring_is_exact() {
    let stage = many();
    let mut least = hellos(&stage);
    least[1].inputs[0].amount = Sats(1);
    let Err(DeployError::Underfunded {
        party: 1, needs, ..
    }) = build(&stage, least.clone())
    else {
        panic!("one satoshi is enough");
    };
    least[1].inputs[0].amount = needs;
    let graph = build(&stage, least.clone()).expect("enough");
    check(&graph);
    let change = Role::Payment { party: 1 };
    let fund = graph.get(TxName::Fund).unwrap();
    assert_eq!(fund.output(change).unwrap().1.value(), DUST);
    least[1].inputs[0].amount = Sats(needs.0 - 1);
    match build(&stage, least) {
        Err(DeployError::Underfunded {
            party: 1,
            needs: again,
            ..
        }) => assert_eq!(again, needs),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn a_fund_of_too_many_inputs_is_refused() {
    let stage = Built {
        n: 5,
        outcomes: 2,
        rounds: 2,
        weight: 400_000,
        ..Built::PLAIN
    }
    .stage();
    let mut many = hellos(&stage);
    for (party, hello) in many.iter_mut().enumerate() {
        let all = inputs(&hello.inputs[0], 100).into_iter().map(|mut input| {
            input.outpoint.vout = party as u32;
            input
        });
        hello.inputs = all.collect();
    }
    // 500 inputs of 230 WU are fine; a contract of more parties could bring too many.
    check(&build(&stage, many).expect("fits"));
}

#[test]
fn one_time_keys_that_do_not_fit_are_refused() {
    let stage = many();
    let deployment = deploy(&stage, hellos(&stage)).unwrap();
    let good = one_time(&deployment);
    type Change = fn(&mut Vec<PublicOneTimeKeys>);
    let cases: [(&str, Change, Option<&str>); 8] = [
        ("right", |_| {}, None),
        (
            "a claimer's key missing",
            |k| drop(k[1].claimer.pop()),
            Some("claimer"),
        ),
        (
            "a claimer's key more",
            |k| k[1].claimer.push(PublicKey(vec![])),
            Some("claimer"),
        ),
        (
            "a digit missing",
            |k| k[1].claimer[0].0.truncate(3),
            Some("claimer"),
        ),
        (
            "a digit more",
            |k| k[1].claimer[0].0.push([0; 20]),
            Some("claimer"),
        ),
        ("no author's key", |k| k[1].author[1] = None, Some("author")),
        (
            "an author's slot missing",
            |k| drop(k[1].author.pop()),
            Some("author"),
        ),
        (
            "an author's key of who vouches for nothing",
            |k| k[1].author[0] = Some(k[1].claimer[0].clone()),
            Some("author"),
        ),
    ];
    for (what, change, of) in cases {
        let mut keys = good.clone();
        change(&mut keys);
        match (Graph::build(deployment.clone(), keys), of) {
            (Ok(_), None) => {}
            (Err(DeployError::OneTimeKey { party: 1, role, .. }), Some(of)) => {
                assert_eq!(role, of, "{what}");
            }
            (other, _) => panic!("{what}: {:?}", other.map(|_| ())),
        }
    }
    let fewer = good[..2].to_vec();
    let error = Graph::build(deployment, fewer).err();
    assert!(matches!(
        error,
        Some(DeployError::PartyCount { need: 3, got: 2 })
    ));
}

/// A plan whose frames all hang in one Assert that is too heavy, made by hand: the planner
/// would not give it.
#[test]
fn transactions_that_no_node_relays_are_refused() {
    let stage = example("merkle_raffle");
    let mut heavy = stage.clone();
    // Every frame once more, until the Assert is over its limit.
    let groups = heavy.plan.frame_groups.clone();
    for _ in 0..20 {
        heavy.plan.frame_groups.extend(groups.clone());
    }
    match refused(&heavy, Terms::default()) {
        Some(DeployError::TooHeavy {
            what,
            weight,
            limit: 396_000,
        }) => {
            assert!(what.starts_with("Assert"), "{what}");
            assert!(weight > 396_000);
        }
        other => panic!("{other:?}"),
    }
    // And a leaf that is too heavy: all segments in one.
    let mut heavy = stage;
    let last = heavy.plan.segments.last().cloned().unwrap();
    let reads = (0..heavy.plan.program.inputs.len() as u16).map(gavel_compiler::segment::ElementId);
    heavy.plan.segments = vec![gavel_compiler::segment::Segment {
        insts: 0..last.insts.end,
        reads: reads.collect(),
        writes: vec![],
    }];
    match refused(&heavy, Terms::default()) {
        Some(DeployError::TooHeavy {
            what,
            weight,
            limit: 400_000,
        }) => {
            assert!(
                what.starts_with("Disprove") && weight > 400_000,
                "{what}: {weight}"
            );
        }
        Some(DeployError::Script(_)) => {}
        other => panic!("{other:?}"),
    }
}

/// The front end refuses such arms; so does the graph, which may come from elsewhere.
#[test]
fn arms_that_cannot_be_paid_are_refused() {
    type Change = fn(&mut Stage);
    let cases: [(&str, Change, &str); 8] = [
        (
            "a dusty arm",
            |s| {
                let arms = &mut s.contract.coin.pay[0];
                arms[0].amount.0 += arms[1].amount.0 - 329;
                arms[1].amount = Sats(329);
            },
            "dust",
        ),
        (
            "a dusty refund",
            |s| {
                let arms = &mut s.contract.coin.refund;
                arms[0].amount.0 += arms[1].amount.0 - 1;
                arms[1].amount = Sats(1);
            },
            "dust",
        ),
        (
            "more than the pot",
            |s| s.contract.coin.pay[1][0].amount.0 += 1,
            "K1 does not add up",
        ),
        (
            "less than the pot",
            |s| s.contract.coin.pay[1][0].amount.0 -= 1,
            "K1 does not add up",
        ),
        (
            "a refund of more",
            |s| s.contract.coin.refund[2].amount.0 += 1,
            "the refund does",
        ),
        (
            "beyond 64 bits",
            |s| s.contract.coin.pay[0][0].amount = Sats(u64::MAX),
            "K0 does not",
        ),
        (
            "funding beyond 64 bits",
            |s| s.contract.coin.fund.fill(Sats(u64::MAX / 2)),
            "the funding does not add up",
        ),
        (
            "a party too many",
            |s| s.contract.coin.pay[0][0].party = 3,
            "there is no party 3",
        ),
    ];
    for (what, change, of) in cases {
        let mut stage = many();
        change(&mut stage);
        match refused(&stage, Terms::default()) {
            Some(error @ DeployError::Amount { .. }) => {
                assert!(error.to_string().contains(of), "{what}: {error}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    let mut stage = many();
    stage.contract.coin.pay.pop();
    assert!(matches!(
        refused(&stage, Terms::default()),
        Some(DeployError::Amount { .. })
    ));
}
