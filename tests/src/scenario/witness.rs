//! Scenarios about witnesses that nobody should be able to make.

use super::cheat::{lie, one_outcome, punished};
use super::{Scenario, any, has, must, paid, play_with, rounds, usual, wrong};
use crate::game::{Game, PlayError, Report, Seat, script_refuses};
use crate::rogue::Rogue;
use crate::sheet::Due;
use crate::stage::{Case, Stage};
use crate::table::{Table, vouch};
use bitcoin::hashes::Hash as _;
use bitcoin::sighash::{Annex, Prevouts, SighashCache, TapSighashType};
use bitcoin::{Transaction, TxOut, Witness};
use gavel_compiler::word::Author;
use gavel_verifier::game::{Duty, InputProof, Kit, KitError, View};
use gavel_verifier::graph::{ClaimId, DisputeId, Input, Spend, TxName};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

pub(super) const FORGED_INPUT: Scenario = Scenario {
    name: "forged-input",
    about: "a Claim with an input that its author never signed: no node takes it",
    unfit: |stage| {
        let vouched = stage
            .plan
            .program
            .inputs
            .iter()
            .any(|i| i.author != Author::Anyone);
        (!vouched).then_some("nobody vouches for its inputs")
    },
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let table = Table::seat(stage)?;
        let mut proofs = vouch(&table.graph, &table.parties, &case.words)?;
        // Another value in the claimer's own hand, with the author's signature on the first.
        let forged = proofs.iter_mut().find(|proof| proof.author.is_some());
        let word = forged.and_then(|proof| proof.words.last_mut());
        let word = word.ok_or_else(|| PlayError::Stage("every vouched input is blank".into()))?;
        *word ^= 1;
        let name = TxName::Claim(ClaimId { c: 0, k });
        let seat = |me, party| match me {
            0 => Rogue::new(party).insisting().into(),
            _ => party.into(),
        };
        let (game, report) = play_with(
            stage,
            "forged-input",
            table,
            &[(0, k, proofs)],
            Due::Refund,
            seat,
            watch,
        )?;
        must(
            game.was_refused(0, |n| n == name),
            "the forged Claim was not refused",
        )?;
        must(
            has(&report, |n| n == TxName::Refund),
            "Refund was not confirmed",
        )?;
        Ok(vec![report])
    },
};

pub(super) const SELF_CHALLENGE: Scenario = Scenario {
    name: "self-challenge",
    about: "a claimer forges a challenge to itself, to collect the stake: it lacks a signature",
    unfit: rounds,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let id = ClaimId { c: 0, k };
        let name = TxName::Challenge(DisputeId { claim: id, v: 1 });
        // The claimer holds all pre-signed parts, and signs where the challenger should.
        let forge = move |kit: &mut Kit, view: &View| -> Result<Vec<Duty>, KitError> {
            if view.confirmed(TxName::Claim(id)).is_none() {
                return Ok(vec![]);
            }
            Ok(vec![Duty::Broadcast {
                name,
                tx: kit.simple(name)?,
                deadline: None,
            }])
        };
        let seat = |me, party| match me {
            0 => Rogue::new(party).also(forge).into(),
            _ => party.into(),
        };
        let claims = [super::claim(0, k, case)];
        let (game, report) = super::play(
            stage,
            "self-challenge",
            &claims,
            Due::Outcome(k),
            seat,
            watch,
        )?;
        must(
            game.was_refused(0, |n| n == name),
            "the forged Challenge was not refused",
        )?;
        must(
            !has(&report, |n| n == name),
            "the forged Challenge was mined",
        )?;
        paid(stage, &report, k)?;
        Ok(vec![report])
    },
};

/// A way to spoil a witness.
struct Spoil {
    what: &'static str,
    /// Changes one element and its digit, as they stand in the witness.
    change: fn(&mut Vec<u8>, &mut Vec<u8>),
}

const SPOILS: &[Spoil] = &[
    Spoil {
        what: "an element of 81 bytes",
        change: |element, _| element.resize(81, 7),
    },
    Spoil {
        what: "an element of 21 bytes",
        change: |element, _| element.push(7),
    },
    Spoil {
        what: "an element of 19 bytes",
        change: |element, _| element.truncate(19),
    },
    Spoil {
        what: "an empty element",
        change: |element, _| element.clear(),
    },
    Spoil {
        what: "digit 16",
        change: |_, digit| *digit = vec![17],
    },
    Spoil {
        what: "digit -1",
        change: |_, digit| digit.clear(),
    },
    Spoil {
        what: "negative zero",
        change: |_, digit| *digit = vec![0x80],
    },
    Spoil {
        what: "a padded digit",
        change: |_, digit| digit.push(0),
    },
    Spoil {
        what: "a digit off by one",
        change: |_, digit| {
            if let Some(digit) = digit.first_mut() {
                *digit = if *digit > 1 { *digit - 1 } else { *digit + 1 };
            }
        },
    },
];

/// Where the pairs of a one-byte digit and a 20-byte element stand: input and item.
fn pairs(tx: &Transaction) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for (input, txin) in tx.input.iter().enumerate() {
        let sizes: Vec<usize> = txin.witness.iter().map(<[u8]>::len).collect();
        let found = sizes.windows(2).enumerate();
        let found = found.filter(|(_, sizes)| matches!(sizes, [1, 20]));
        all.extend(found.map(|(at, _)| (input, at)));
    }
    all
}

/// Spoils the first, a middle and the last pair of a transaction in every way; a script has to
/// refuse each.
fn try_spoilt(rpc: &gavel_regtest::Rpc, tx: &Transaction, name: &str) -> Result<(), PlayError> {
    let pairs = pairs(tx);
    let middle = pairs.get(pairs.len() / 2);
    let places: BTreeSet<_> = [pairs.first(), middle, pairs.last()]
        .into_iter()
        .flatten()
        .collect();
    must(!places.is_empty(), "no digit to spoil")?;
    for place in places {
        for spoil in SPOILS {
            let what = format!("{} at {place:?} of {name}", spoil.what);
            let bad = spoilt(tx, *place, spoil);
            let bad = bad.ok_or_else(|| PlayError::Broken(format!("no {what}")))?;
            script_refuses(rpc, &bad, "")
                .map_err(|why| PlayError::Broken(format!("{what}: {why}")))?;
        }
    }
    Ok(())
}

/// A transaction with one pair of an input's witness spoilt.
fn spoilt(tx: &Transaction, (input, at): (usize, usize), spoil: &Spoil) -> Option<Transaction> {
    let mut tx = tx.clone();
    let witness = &mut tx.input.get_mut(input)?.witness;
    let mut items: Vec<Vec<u8>> = witness.iter().map(<[u8]>::to_vec).collect();
    let [digit, element, ..] = items.get_mut(at..)? else {
        return None;
    };
    (spoil.change)(element, digit);
    *witness = Witness::from_slice(&items);
    Some(tx)
}

pub(super) const ODD_WITNESS: Scenario = Scenario {
    name: "odd-witness",
    about: "Claims and Asserts with odd elements and digits: scripts refuse them in blocks too",
    unfit: |stage| {
        stage
            .plan
            .program
            .inputs
            .is_empty()
            .then_some("it has no inputs")
            .or(any(stage))
    },
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let table = Table::seat(stage)?;
        let proofs = vouch(&table.graph, &table.parties, &case.words)?;
        let id = ClaimId { c: 0, k };
        // The claimer keeps the good Claim back until the spoilt ones were tried.
        let good: Arc<Mutex<Option<Transaction>>> = Arc::default();
        let (kept, claim) = (good.clone(), proofs.clone());
        let make = move |kit: &mut Kit, _: &View| {
            if let Ok(mut kept) = kept.lock()
                && kept.is_none()
            {
                *kept = Some(kit.claim(k, &claim)?);
            }
            Ok(vec![])
        };
        let tried = Arc::new(Mutex::new(false));
        let gate = tried.clone();
        let seat = |me, party| match me {
            0 => {
                let gate = gate.clone();
                let open = move |_: &View, name| {
                    !matches!(name, TxName::Claim(_)) || gate.lock().is_ok_and(|open| *open)
                };
                Seat::still_honest(Rogue::new(party).also(make.clone()).only(open))
            }
            _ => party.into(),
        };
        let mut game = Game::begin(table, &[(0, k, proofs)], seat)?;
        game.act()?;
        let tx = good.lock().ok().and_then(|kept| kept.clone());
        let tx = tx.ok_or_else(|| PlayError::Broken("no Claim was made".into()))?;
        try_spoilt(game.node.rpc(), &tx, "Claim")?;
        if let Ok(mut open) = tried.lock() {
            *open = true;
        }
        game.play(watch)?;
        let report = game.report(stage, "odd-witness", Due::Outcome(k))?;
        must(
            has(&report, |n| n == TxName::Claim(id)),
            "the good Claim was not mined",
        )?;
        paid(stage, &report, k)?;
        let mut reports = vec![report];
        if rounds(stage).is_none() {
            reports.push(odd_assert(stage, case, k, watch)?);
        }
        Ok(reports)
    },
};

/// A false challenge; the claimer's Assert is spoilt before it is mined.
fn odd_assert(stage: &Stage, case: &Case, k: u8, watch: super::Watch) -> Result<Report, PlayError> {
    let table = Table::seat(stage)?;
    let proofs = vouch(&table.graph, &table.parties, &case.words)?;
    let seat = |me, party| match me {
        1 => Rogue::new(party)
            .lying(lie(&stage.plan, wrong(stage, k), 0))
            .into(),
        _ => party.into(),
    };
    let mut game = Game::begin(table, &[(0, k, proofs)], seat)?;
    let assert = loop {
        let (offered, _) = game.act()?;
        let found = offered
            .into_iter()
            .find(|offer| matches!(offer.name, TxName::Assert(_)));
        if let Some(offer) = found {
            break offer.tx;
        }
        if game.round()?.is_none() {
            return Err(PlayError::Broken("no Assert was made".into()));
        }
    };
    try_spoilt(game.node.rpc(), &assert, "Assert")?;
    game.play(watch)?;
    let report = game.report(stage, "odd-witness", Due::Outcome(k))?;
    must(
        has(&report, |n| matches!(n, TxName::Assert(_))),
        "the good Assert was not mined",
    )?;
    Ok(report)
}

pub(super) const ANNEXED_CLAIM: Scenario = Scenario {
    name: "annexed-claim",
    about: "a miner mines a false Claim with annexes, which nobody relays: it is disproved",
    unfit: one_outcome,
    play: |stage, watch| {
        let (case, k) = usual(stage)?;
        let lied = wrong(stage, k);
        let table = Table::seat(stage)?;
        let proofs = vouch(&table.graph, &table.parties, &case.words)?;
        let claim: Arc<Mutex<Option<Transaction>>> = Arc::default();
        let (made, with) = (claim.clone(), proofs.clone());
        let make = move |kit: &mut Kit, _: &View| {
            if let Ok(mut made) = made.lock()
                && made.is_none()
            {
                *made = annexed(kit, lied, &with)?;
            }
            Ok(vec![])
        };
        let seat = |me, party| match me {
            0 => Rogue::new(party)
                .lying(lie(&stage.plan, lied, 0))
                .only(|_, name| !matches!(name, TxName::Claim(_)))
                .also(make.clone())
                .into(),
            _ => party.into(),
        };
        let mut game = Game::begin(table, &[(0, lied, proofs)], seat)?;
        game.act()?;
        let tx = claim.lock().ok().and_then(|made| made.clone());
        let tx = tx.ok_or_else(|| PlayError::Broken("no Claim was made".into()))?;
        let verdict = game.node.rpc().test_accept(&tx)?;
        let reason = verdict.reject.map(|reject| reject.reason);
        must(
            reason.as_deref() == Some("bad-witness-nonstandard"),
            format!("annexes were not refused by policy: {reason:?}"),
        )?;
        game.node.rpc().mine_block_with(&[tx])?;
        game.play(watch)?;
        let report = game.report(stage, "annexed-claim", Due::Refund)?;
        must(
            has(&report, |n| matches!(n, TxName::Disprove(..))),
            "no Disprove",
        )?;
        punished(stage, &game, &report, 0, lied)?;
        Ok(vec![report])
    },
};

/// A Claim with an annex in every input, to which the claimer's signatures commit (BIP 341).
fn annexed(kit: &mut Kit, k: u8, proofs: &[InputProof]) -> Result<Option<Transaction>, KitError> {
    const ANNEX: &[u8] = &[0x50, b'g', b'a', b'v', b'e', b'l'];
    let name = TxName::Claim(ClaimId { c: kit.me, k });
    let mut tx = kit.claim(k, proofs)?;
    let Some(planned) = kit.graph.get(name) else {
        return Ok(None);
    };
    let prevouts: Vec<&TxOut> = planned.inputs.iter().map(|i| &i.prevout).collect();
    let sign = |index: usize, input: &Input| {
        let Spend::Leaf(tap, leaf) = &input.spend else {
            return None;
        };
        let leaf = tap.leaves.get(*leaf)?.hash;
        let mut cache = SighashCache::new(&planned.tx);
        let sighash = cache.taproot_signature_hash(
            index,
            &Prevouts::All(&prevouts),
            Some(Annex::new(ANNEX).ok()?),
            Some((leaf, u32::MAX)),
            TapSighashType::Default,
        );
        kit.signer.sign(sighash.ok()?.to_byte_array())
    };
    for (index, (txin, input)) in tx.input.iter_mut().zip(&planned.inputs).enumerate() {
        let mut items: Vec<Vec<u8>> = txin.witness.iter().map(<[u8]>::to_vec).collect();
        // The signature is the last item before the script and the control block.
        let [.., place, _script, _control] = items.as_mut_slice() else {
            return Ok(None);
        };
        let Some(sig) = sign(index, input).filter(|_| place.len() == 64) else {
            return Ok(None);
        };
        *place = sig.serialize().to_vec();
        items.push(ANNEX.to_vec());
        txin.witness = Witness::from_slice(&items);
    }
    Ok(Some(tx))
}
