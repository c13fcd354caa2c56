use super::*;
use bitcoin::hashes::Hash;
use bitcoin::key::TapTweak;
use bitcoin::opcodes::all::OP_PUSHNUM_1;
use bitcoin::script::Builder;
use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin::taproot::{TapNodeHash, TaprootBuilder};

pub(super) const ID: [u8; 32] = [9; 32];

fn root() -> TapNodeHash {
    TapNodeHash::from_byte_array([5; 32])
}

pub(super) fn jobs(n: usize) -> Vec<Job> {
    let tweaks = [
        Tweak::None,
        Tweak::TapTweak(None),
        Tweak::TapTweak(Some(root())),
    ];
    (0..n)
        .map(|n| Job {
            label: format!("tx{n}:0"),
            sighash: bitcoin::hashes::sha256::Hash::hash(&n.to_le_bytes()).to_byte_array(),
            tweak: tweaks[n % 3],
        })
        .collect()
}

pub(super) fn start(keys: &[PartyKey], jobs: &[Job]) -> (Vec<Session>, Vec<NoncesMessage>) {
    let agg = key_agg(keys);
    keys.iter()
        .enumerate()
        .map(|(me, key)| {
            let rng = &mut rng(me as u64);
            Session::start(&agg, me as u8, key, jobs.to_vec(), &ID, rng).unwrap()
        })
        .unzip()
}

/// Gives every session the other parties' messages.
fn deliver<S, M>(
    sessions: Vec<S>,
    messages: &[M],
    receive: impl Fn(S, u8, &M) -> Result<S, MusigError>,
) -> Vec<S> {
    let each = sessions.into_iter().enumerate().map(|(me, session)| {
        let others = messages.iter().enumerate().filter(|(from, _)| *from != me);
        others.fold(session, |session, (from, message)| {
            receive(session, from as u8, message).unwrap()
        })
    });
    each.collect()
}

fn signed(keys: &[PartyKey], jobs: &[Job]) -> (Vec<PartialRound>, Vec<PartialsMessage>) {
    let (sessions, nonces) = start(keys, jobs);
    deliver(sessions, &nonces, Session::receive_nonces)
        .into_iter()
        .map(|session| session.sign().unwrap())
        .unzip()
}

#[test]
fn signatures_verify_under_the_keys_that_bitcoin_computes() {
    let secp = Secp256k1::new();
    for n in [2, 3, 5] {
        let keys = party_keys(n);
        let agg = key_agg(&keys);
        let jobs = jobs(7);
        let (rounds, partials) = signed(&keys, &jobs);
        let mut all = deliver(rounds, &partials, PartialRound::receive_partials)
            .into_iter()
            .map(|round| round.finish().unwrap());
        let signatures = all.next().unwrap();
        assert!(all.all(|others| others == signatures));
        for (job, signature) in jobs.iter().zip(&signatures) {
            let key = match job.tweak {
                Tweak::None => agg.aggregate(),
                Tweak::TapTweak(root) => {
                    let (key, _) = agg.aggregate().tap_tweak(&secp, root);
                    assert_eq!(agg.output_key(root).unwrap(), key.to_x_only_public_key());
                    key.to_x_only_public_key()
                }
            };
            let message = Message::from_digest(job.sighash);
            secp.verify_schnorr(signature, &message, &key).unwrap();
        }
    }
}

#[test]
fn the_output_key_is_that_of_a_taproot_tree() {
    let secp = Secp256k1::new();
    let agg = key_agg(&party_keys(3));
    let script = Builder::new().push_opcode(OP_PUSHNUM_1).into_script();
    let spend = TaprootBuilder::new()
        .add_leaf(0, script)
        .unwrap()
        .finalize(&secp, agg.aggregate())
        .unwrap();
    assert_eq!(
        agg.output_key(spend.merkle_root()).unwrap(),
        spend.output_key().to_x_only_public_key()
    );
}

#[test]
fn keys_are_aggregated_in_order_and_must_differ() {
    let keys: Vec<_> = party_keys(3).iter().map(PartyKey::public).collect();
    let swapped = [keys[1], keys[0], keys[2]];
    assert_ne!(
        KeyAgg::new(&keys).unwrap().aggregate(),
        KeyAgg::new(&swapped).unwrap().aggregate()
    );
    for (keys, error) in [
        (vec![], KeyAggError::Parties { got: 0 }),
        (vec![keys[0]], KeyAggError::Parties { got: 1 }),
        (vec![keys[0]; 17], KeyAggError::Parties { got: 17 }),
        (
            vec![keys[1], keys[0], keys[1]],
            KeyAggError::Same {
                first: 0,
                second: 2,
            },
        ),
    ] {
        assert_eq!(KeyAgg::new(&keys).unwrap_err(), error);
    }
}

#[test]
fn a_wrong_key_is_refused_without_aborting() {
    let keys = party_keys(3);
    let agg = key_agg(&keys);
    for (me, key) in [(0, &keys[1]), (3, &keys[0]), (255, &keys[0])] {
        let error = Session::start(&agg, me, key, jobs(1), &ID, &mut rng(1)).unwrap_err();
        assert_eq!(error, MusigError::WrongKey { party: me });
    }
}

#[test]
fn nonces_are_fresh() {
    let keys = party_keys(2);
    let agg = key_agg(&keys);
    let mut rng = rng(1);
    let mut all = Vec::new();
    for _ in 0..2 {
        let (_, message) = Session::start(&agg, 0, &keys[0], jobs(50), &ID, &mut rng).unwrap();
        all.extend(message.nonces);
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 100);
}

#[test]
fn what_is_missing_is_named() {
    let keys = party_keys(3);
    let jobs = jobs(2);
    let (mut sessions, nonces) = start(&keys, &jobs);
    let session = sessions.remove(0).receive_nonces(2, &nonces[2]).unwrap();
    let missing = |what, parties| MusigError::Missing { what, parties };
    assert_eq!(
        session.sign().unwrap_err(),
        missing(Missing::Nonces, vec![1])
    );
    let (mut rounds, partials) = signed(&keys, &jobs);
    let round = rounds.remove(0).receive_partials(1, &partials[1]).unwrap();
    assert_eq!(
        round.finish().unwrap_err(),
        missing(Missing::Partials, vec![2])
    );
}

#[test]
fn misfit_messages_are_refused() {
    let keys = party_keys(3);
    let jobs = jobs(2);
    let (_, nonces) = start(&keys, &jobs);
    let good = &nonces[1];
    let with = |change: &dyn Fn(&mut NoncesMessage)| {
        let mut message = good.clone();
        change(&mut message);
        message
    };
    let refusals = [
        (
            2,
            good.clone(),
            MusigError::Sender {
                from: 2,
                claimed: 1,
            },
        ),
        (0, nonces[0].clone(), MusigError::Duplicate { party: 0 }),
        (
            3,
            with(&|m| m.party = 3),
            MusigError::UnknownParty {
                party: 3,
                parties: 3,
            },
        ),
        (
            1,
            with(&|m| m.session[0] ^= 1),
            MusigError::OtherSession { party: 1 },
        ),
        (
            1,
            with(&|m| m.nonces.truncate(1)),
            MusigError::Count {
                party: 1,
                got: 1,
                need: 2,
            },
        ),
        (
            1,
            with(&|m| m.nonces[1].0[0] = 4),
            MusigError::Nonce {
                party: 1,
                job: "tx1:0".into(),
            },
        ),
    ];
    for (from, message, error) in refusals {
        let session = start(&keys, &jobs).0.remove(0);
        assert_eq!(session.receive_nonces(from, &message).unwrap_err(), error);
    }
    let session = start(&keys, &jobs).0.remove(0);
    let session = session.receive_nonces(1, good).unwrap();
    assert_eq!(
        session.receive_nonces(1, good).unwrap_err(),
        MusigError::Duplicate { party: 1 }
    );
}

#[test]
fn parties_who_sign_different_things_notice_in_the_first_round() {
    let keys = party_keys(2);
    let agg = key_agg(&keys);
    let base = jobs(3);
    let change = |change: &dyn Fn(&mut Vec<Job>)| {
        let mut jobs = base.clone();
        change(&mut jobs);
        jobs
    };
    for (jobs, id) in [
        (change(&|jobs| jobs[2].sighash[0] ^= 1), ID),
        (change(&|jobs| jobs[0].tweak = Tweak::TapTweak(None)), ID),
        (change(&|jobs| jobs[1].label.push('x')), ID),
        (change(&|jobs| jobs.swap(0, 1)), ID),
        (base.clone(), [8; 32]),
    ] {
        let (_, theirs) = Session::start(&agg, 1, &keys[1], jobs, &id, &mut rng(2)).unwrap();
        let session = start(&keys, &base).0.remove(0);
        assert_eq!(
            session.receive_nonces(1, &theirs).unwrap_err(),
            MusigError::OtherSession { party: 1 }
        );
    }
}

#[test]
fn every_flipped_bit_of_a_partial_signature_is_blamed() {
    let keys = party_keys(3);
    let jobs = jobs(2);
    for bit in 0..256 {
        let (mut rounds, mut partials) = signed(&keys, &jobs);
        partials[2].partials[1].0[bit / 8] ^= 1 << (bit % 8);
        let error = rounds.remove(0).receive_partials(2, &partials[2]);
        assert_eq!(
            error.unwrap_err(),
            MusigError::Partial {
                party: 2,
                job: "tx1:0".into()
            }
        );
    }
}

#[test]
fn every_flipped_bit_of_a_nonce_is_noticed() {
    let keys = party_keys(2);
    let jobs = jobs(1);
    for bit in 0..66 * 8 {
        let (sessions, mut nonces) = start(&keys, &jobs);
        let [zero, one]: [Session; 2] = sessions.try_into().unwrap();
        let one = one.receive_nonces(0, &nonces[0]).unwrap();
        let (_, theirs) = one.sign().unwrap();
        nonces[1].nonces[0].0[bit / 8] ^= 1 << (bit % 8);
        let party = 1;
        match zero.receive_nonces(1, &nonces[1]) {
            Err(error) => assert_eq!(
                error,
                MusigError::Nonce {
                    party,
                    job: "tx0:0".into()
                }
            ),
            Ok(zero) => {
                let (round, _) = zero.sign().unwrap();
                let error = round.receive_partials(1, &theirs).unwrap_err();
                assert_eq!(error, MusigError::OtherNonces { party });
            }
        }
    }
}

#[test]
fn a_liar_about_nonces_seen_is_still_blamed() {
    let keys = party_keys(2);
    let jobs = jobs(1);
    let (sessions, nonces) = start(&keys, &jobs);
    let (_, other) = {
        let agg = key_agg(&keys);
        Session::start(&agg, 1, &keys[1], jobs.clone(), &ID, &mut rng(77)).unwrap()
    };
    let [zero, one]: [Session; 2] = sessions.try_into().unwrap();
    let (round, ours) = zero.receive_nonces(1, &other).unwrap().sign().unwrap();
    let (_, mut theirs) = one.receive_nonces(0, &nonces[0]).unwrap().sign().unwrap();
    theirs.nonces = ours.nonces;
    assert_eq!(
        round.receive_partials(1, &theirs).unwrap_err(),
        MusigError::Partial {
            party: 1,
            job: "tx0:0".into()
        }
    );
}

#[test]
fn a_nonce_that_cancels_ours_does_no_harm() {
    let keys = party_keys(2);
    let jobs = jobs(3);
    let (mut sessions, nonces) = start(&keys, &jobs);
    let mut cancel = nonces[0].clone();
    cancel.party = 1;
    for nonce in &mut cancel.nonces {
        nonce.0[0] ^= 1;
        nonce.0[33] ^= 1;
    }
    let session = sessions.remove(0).receive_nonces(1, &cancel).unwrap();
    let (round, mut echo) = session.sign().unwrap();
    echo.party = 1;
    assert_eq!(
        round.receive_partials(1, &echo).unwrap_err(),
        MusigError::Partial {
            party: 1,
            job: "tx0:0".into()
        }
    );
}
