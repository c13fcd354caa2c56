//! Scenarios about witnesses that nobody should be able to make.

use super::{Scenario, any, has, must, paid, play_with, rounds, usual};
use crate::game::PlayError;
use crate::rogue::Rogue;
use crate::table::{Table, vouch};
use bitcoin::{Transaction, Witness};
use gavel_compiler::word::Author;
use gavel_verifier::game::{Duty, Kit, KitError, View};
use gavel_verifier::graph::{ClaimId, DisputeId, TxName};
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
        let (game, report) =
            play_with(stage, "forged-input", table, &[(0, k, proofs)], seat, watch)?;
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
        let (game, report) = super::play(stage, "self-challenge", &claims, seat, watch)?;
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

/// A Claim with one pair of its first input's witness spoilt.
fn spoilt(tx: &Transaction, spoil: &Spoil) -> Option<Transaction> {
    let mut tx = tx.clone();
    let witness = &mut tx.input.first_mut()?.witness;
    let mut items: Vec<Vec<u8>> = witness.iter().map(<[u8]>::to_vec).collect();
    // Pairs of a 20-byte element and a one-byte digit; the first pair of the witness.
    let at = items
        .windows(2)
        .position(|w| matches!(w, [e, d] if e.len() == 20 && d.len() == 1))?;
    let [element, digit, ..] = items.get_mut(at..)? else {
        return None;
    };
    (spoil.change)(element, digit);
    *witness = Witness::from_slice(&items);
    Some(tx)
}

pub(super) const ODD_WITNESS: Scenario = Scenario {
    name: "odd-witness",
    about: "Claims with odd elements and digits: refused by policy and by consensus",
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
                crate::game::Seat::still_honest(Rogue::new(party).also(make.clone()).only(open))
            }
            _ => party.into(),
        };
        let mut game = crate::game::Game::begin(table, &[(0, k, proofs)], seat)?;
        game.act()?;
        let tx = good.lock().ok().and_then(|kept| kept.clone());
        let tx = tx.ok_or_else(|| PlayError::Broken("no Claim was made".into()))?;
        for spoil in SPOILS {
            let what = spoil.what;
            let bad = spoilt(&tx, spoil);
            let bad = bad.ok_or_else(|| PlayError::Broken("no digit to spoil".into()))?;
            let rpc = game.node.rpc();
            must(
                !rpc.test_accept(&bad)?.allowed,
                format!("{what} was relayed"),
            )?;
            must(
                rpc.mine_block_with(&[bad]).is_err(),
                format!("{what} was mined"),
            )?;
        }
        if let Ok(mut open) = tried.lock() {
            *open = true;
        }
        game.play(watch)?;
        let report = game.report(stage, "odd-witness")?;
        must(
            has(&report, |n| n == TxName::Claim(id)),
            "the good Claim was not mined",
        )?;
        paid(stage, &report, k)?;
        Ok(vec![report])
    },
};
