//! The messages that parties exchange before Fund: whatever is wrong with one, every party that
//! gets it refuses, says whose message it was, and has signed nothing in return.
//!
//! "Signed nothing" needs no assertion of its own: a step gives either an error or the next
//! message, and consumes the party.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

mod support;

use bitcoin::Txid;
use gavel_compiler::units::{Blocks, Sats};
use gavel_tests::Stage;
use gavel_verifier::deploy::DeployError;
use gavel_verifier::graph::TxName;
use gavel_verifier::setup::SetupError;
use gavel_verifier::sign::hex::Hex;
use gavel_verifier::sign::{
    KeysError, MessageError, MusigError, NoncesMessage, OneTimeKeysMessage, PartialsMessage, seal,
};
use serde_json::Value;
use std::sync::LazyLock;
use support::{Agreed, Built, Peer, agree, agree_all, digest, example, peers, seed};

/// Two parties, one leaf, an attestor.
static CHEAP: LazyLock<(Stage, Agreed)> = LazyLock::new(|| {
    let stage = example("price_feed");
    let agreed = agree(&stage, 0);
    (stage, agreed)
});

/// Three parties, several segments; party 1 vouches for an input.
static THREE: LazyLock<(Stage, Agreed)> = LazyLock::new(|| {
    let stage = three(20);
    let agreed = agree(&stage, 0);
    (stage, agreed)
});

fn three(rounds: u32) -> Stage {
    Built {
        n: 3,
        outcomes: 2,
        rounds,
        weight: 8_000,
        ..Built::PLAIN
    }
    .stage()
}

type Right = fn(&SetupError) -> bool;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hello,
    Keys,
    Nonces,
    Partials,
}

const KINDS: [Kind; 4] = [Kind::Hello, Kind::Keys, Kind::Nonces, Kind::Partials];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Keys => "one-time-keys",
            Self::Nonces => "nonces",
            Self::Partials => "partials",
        }
    }

    fn of(self, agreed: &Agreed) -> &[Vec<u8>] {
        match self {
            Self::Hello => &agreed.hellos,
            Self::Keys => &agreed.keys,
            Self::Nonces => &agreed.nonces,
            Self::Partials => &agreed.partials,
        }
    }

    /// Why a party doesn't take these messages of this kind after right ones of all others;
    /// `None` if it takes them.
    fn refused(self, peer: Peer, agreed: &Agreed, messages: &[Vec<u8>]) -> Option<SetupError> {
        let Agreed {
            hellos,
            keys,
            nonces,
            ..
        } = agreed;
        match self {
            Self::Hello => peer.keyed(messages).err(),
            Self::Keys => peer.drawn(hellos, messages).err(),
            Self::Nonces => peer.signed(hellos, keys, messages).err(),
            Self::Partials => {
                let signed = peer.signed(hellos, keys, nonces);
                signed.expect("right nonces").0.partials(messages).err()
            }
        }
    }
}

/// Whether an error names a kind of message, and the party.
fn names(error: &SetupError, kind: Kind, party: u8) -> bool {
    let text = error.to_string();
    text.contains(kind.name()) && text.contains(&format!("party {party}"))
}

/// All parties refuse `bytes` as the message of `from`.
fn all_refuse((stage, agreed): &(Stage, Agreed), kind: Kind, from: u8, bytes: &[u8], what: &str) {
    let mut messages = kind.of(agreed).to_vec();
    messages[usize::from(from)] = bytes.to_vec();
    for peer in peers(stage, 0) {
        let what = format!("{kind:?} of {from} at {}: {what}", peer.me);
        match kind.refused(peer, agreed, &messages) {
            None => panic!("{what}: accepted"),
            Some(SetupError::OwnMessage { kind: of }) => {
                assert_eq!(
                    (peer.me, of),
                    (from, kind.name()),
                    "{what}: not our own message"
                );
            }
            Some(error) => assert!(names(&error, kind, from), "{what}: {error}"),
        }
    }
}

/// Places where the value of each JSON field of a message begins, the first of each name.
fn fields(bytes: &[u8]) -> Vec<usize> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (at, _) in text.match_indices("\":") {
        let start = text[..at].rfind('"').unwrap();
        if seen.insert(&text[start..at]) {
            // A digit within strings and lists, not their brackets.
            let inner = text[at + 2..].find(|c: char| c.is_ascii_alphanumeric());
            found.push(at + 2);
            found.push(at + 2 + inner.unwrap());
        }
    }
    found
}

fn flips(kind: Kind, samples: usize) {
    let bytes = kind.of(&CHEAP.1)[1].clone();
    let step = (bytes.len() / samples).max(1);
    let spread = (0..bytes.len()).step_by(step).enumerate();
    let spread = spread.map(|(n, at)| (at, n % 8));
    let ends = [0, 1, bytes.len() - 2, bytes.len() - 1];
    let structural = fields(&bytes).into_iter().chain(ends);
    let structural = structural.flat_map(|at| [(at, 0), (at, 1), (at, 5), (at, 7)]);
    for (at, bit) in structural.chain(spread) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        all_refuse(&CHEAP, kind, 1, &flipped, &format!("byte {at}, bit {bit}"));
    }
}

#[test]
fn flipped_bits_of_a_hello_are_refused() {
    flips(Kind::Hello, 150);
}

#[test]
fn flipped_bits_of_one_time_keys_are_refused() {
    flips(Kind::Keys, 60);
}

#[test]
fn flipped_bits_of_nonces_are_refused() {
    flips(Kind::Nonces, 16);
}

#[test]
fn flipped_bits_of_partial_signatures_are_refused() {
    flips(Kind::Partials, 16);
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    for kind in KINDS {
        let bytes = &kind.of(&CHEAP.1)[0];
        let half = &bytes[..bytes.len() / 2];
        let twice = [&bytes[..], &bytes[..]].concat();
        let longer = [&bytes[..], b" "].concat();
        for (what, other) in [
            ("nothing", &[][..]),
            ("half", half),
            ("twice", &twice),
            ("a space more", &longer),
            ("not UTF-8", &[0xff, 0xfe]),
            ("another type", b"[1,2]"),
            ("deep", &[b'['; 5_000]),
        ] {
            all_refuse(&CHEAP, kind, 0, other, what);
        }
    }
}

#[test]
fn missing_and_surplus_messages_are_refused() {
    for kind in KINDS {
        let all = kind.of(&CHEAP.1);
        let more = [all, &all[..1]].concat();
        for (messages, count) in [(&all[..1], 1), (&[][..], 0), (&more, 3)] {
            for peer in peers(&CHEAP.0, 0) {
                match kind.refused(peer, &CHEAP.1, messages) {
                    Some(SetupError::Count {
                        kind: of,
                        got,
                        need,
                    }) => {
                        assert_eq!((of, got, need), (kind.name(), count, 2));
                    }
                    other => panic!("{kind:?}, {count} messages: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn swapped_messages_are_refused() {
    for kind in KINDS {
        let mut messages = kind.of(&THREE.1).to_vec();
        messages.swap(0, 1);
        for peer in peers(&THREE.0, 0) {
            let error = kind.refused(peer, &THREE.1, &messages).expect("refused");
            match error {
                SetupError::OwnMessage { kind: of } => {
                    assert!(peer.me < 2 && of == kind.name());
                }
                error => assert!(peer.me == 2 && names(&error, kind, 0), "{kind:?}: {error}"),
            }
        }
    }
}

#[test]
fn messages_of_another_kind_are_refused() {
    for (kind, other) in [
        (Kind::Hello, Kind::Keys),
        (Kind::Keys, Kind::Nonces),
        (Kind::Nonces, Kind::Partials),
        (Kind::Partials, Kind::Nonces),
    ] {
        all_refuse(&CHEAP, kind, 1, &other.of(&CHEAP.1)[1], "another kind");
    }
}

#[test]
fn messages_of_another_instance_are_refused() {
    // The same people, the same contract, another attempt.
    let again = agree(&CHEAP.0, 1);
    for kind in [Kind::Keys, Kind::Nonces, Kind::Partials] {
        all_refuse(&CHEAP, kind, 1, &kind.of(&again)[1], "another instance");
    }
    // An announcement of another attempt is a valid one, so its owner notices; and the others
    // do as soon as it goes on with this attempt.
    let mut hellos = CHEAP.1.hellos.clone();
    hellos[1] = again.hellos[1].clone();
    let [alice, bob] = peers(&CHEAP.0, 0)[..] else {
        panic!("two parties")
    };
    assert!(matches!(
        bob.keyed(&hellos).err(),
        Some(SetupError::OwnMessage { kind: "hello" })
    ));
    let (_, own) = alice.keyed(&hellos).unwrap();
    let keys = [own, CHEAP.1.keys[1].clone()];
    let error = alice.drawn(&hellos, &keys).err().unwrap();
    assert!(names(&error, Kind::Keys, 1), "{error}");
}

/// Another opinion of party 1 on what is agreed, and where the others notice.
#[test]
fn other_terms_parameters_or_contracts_are_refused() {
    let stage = || example("price_feed");
    let mut others: Vec<(&str, Stage)> = Vec::new();
    let mut add = |what, change: fn(&mut Stage)| {
        let mut other = stage();
        change(&mut other);
        others.push((what, other));
    };
    add("bond", |s| s.terms.bond = Some(Sats(5_000_000)));
    add("stake", |s| s.terms.stake = Some(Sats(5_000_000)));
    add("fee rate", |s| s.terms.relay_feerate = 2);
    add("survived fee rate", |s| s.terms.survive_feerate = 11);
    add("Δ1", |s| s.terms.windows.challenge = Blocks(145));
    add("Δ2", |s| s.terms.windows.assert = Blocks(145));
    add("Δ3", |s| s.terms.windows.disprove = Blocks(145));
    add("w", |s| s.terms.windows.confirm = Blocks(35));
    add("m", |s| s.terms.windows.reorg = Blocks(5));
    others.push(("contract", example("price_bet")));
    for (what, other) in &others {
        let [alice, bob] = [0, 1].map(|me| Peer {
            stage: if me == 0 { &CHEAP.0 } else { other },
            me,
            salt: 0,
        });
        let error = agree_all(&[alice, bob]).err();
        let error = error.unwrap_or_else(|| panic!("{what}: agreed"));
        // Another contract shows in the announcement, other terms in the keys.
        let kind = if *what == "contract" {
            Kind::Hello
        } else {
            Kind::Keys
        };
        assert!(names(&error, kind, 1), "{what}: {error}");
        assert!(matches!(
            error,
            SetupError::Message {
                party: 1,
                error: MessageError::Signature { .. }
            }
        ));
    }
}

#[test]
fn another_parameter_is_another_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = |file: &str| {
        format!(
            "{}/../contracts/price_feed.{file}",
            env!("CARGO_MANIFEST_DIR")
        )
    };
    let params = std::fs::read_to_string(path("params.json")).unwrap();
    let mut params: Value = serde_json::from_str(&params).unwrap();
    params["strike"] = 99_999.into();
    for file in ["gvl", "play.json"] {
        std::fs::copy(path(file), folder.path().join(format!("feed.{file}"))).unwrap();
    }
    // Its examples say what the strike of 100,000 gives.
    let play = r#"{"cases":[{"name":"above","inputs":{"price":104250},"expect":"AliceWins"}]}"#;
    std::fs::write(folder.path().join("feed.play.json"), play).unwrap();
    std::fs::write(folder.path().join("feed.params.json"), params.to_string()).unwrap();
    let other = Stage::load(folder.path().join("feed.gvl")).unwrap();
    assert_ne!(other.contract.id, CHEAP.0.contract.id);
    let peers = [&CHEAP.0, &other];
    let peers = (0..)
        .zip(peers)
        .map(|(me, stage)| Peer { stage, me, salt: 0 });
    let error = agree_all(&peers.collect::<Vec<_>>())
        .err()
        .expect("refused");
    assert!(names(&error, Kind::Hello, 1), "{error}");
}

/// Terms that no party should accept are refused with the announcements, whoever agrees.
#[test]
fn unsafe_terms_are_refused_even_if_all_agree() {
    let mut stage = example("price_feed");
    stage.terms.windows.challenge = Blocks(42);
    let error = agree_all(&peers(&stage, 0)).err().expect("refused");
    assert!(
        matches!(error, SetupError::Deploy(DeployError::Windows { .. })),
        "{error}"
    );
    let mut stage = example("price_feed");
    stage.terms.bond = Some(Sats(1_000));
    let error = agree_all(&peers(&stage, 0)).err().expect("refused");
    assert!(
        matches!(error, SetupError::Deploy(DeployError::BondTooSmall { .. })),
        "{error}"
    );
}

/// A party whose program sends it another way under the same contract id: a liar, or a bug.
/// Its transactions differ, and that shows before anybody signs one.
#[test]
fn another_graph_is_refused_with_the_nonces() {
    type Change = fn(&mut Stage);
    let changes: [(&str, Change); 4] = [
        ("who is paid", |s| s.contract.coin.pay[0][0].party = 2),
        ("how much is paid", |s| {
            s.contract.coin.pay[1][0].amount.0 -= 1_000;
            s.contract.coin.pay[1][1].amount.0 += 1_000;
        }),
        ("what is put in", |s| {
            s.contract.coin.fund[0].0 += 1_000;
            s.contract.coin.fund[2].0 -= 1_000;
        }),
        ("the refund", |s| s.contract.coin.refund_after.0 += 1),
    ];
    for (what, change) in changes {
        let mut other = three(20);
        change(&mut other);
        let mut peers = peers(&THREE.0, 0);
        peers[1].stage = &other;
        match agree_all(&peers).err() {
            Some(SetupError::Musig(MusigError::OtherSession { party: 1 })) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
    // Another program of the same inputs and frames has other leaves.
    let mut other = three(20);
    other.plan.made = Default::default();
    for inst in &mut other.plan.program.insts {
        if let gavel_compiler::word::Op::Const(word @ 0x9e37_79b9..) = &mut inst.op {
            *word ^= 1;
        }
    }
    assert_ne!(other.plan, THREE.0.plan);
    let mut peers = peers(&THREE.0, 0);
    peers[1].stage = &other;
    match agree_all(&peers).err() {
        Some(SetupError::Musig(MusigError::OtherSession { party: 1 })) => {}
        other => panic!("another constant: {other:?}"),
    }
}

#[test]
fn another_cut_of_the_program_is_refused() {
    let other = Built {
        n: 3,
        outcomes: 2,
        rounds: 20,
        weight: 400_000,
        ..Built::PLAIN
    }
    .stage();
    assert!(other.plan.segments.len() < THREE.0.plan.segments.len());
    let mut peers = peers(&THREE.0, 0);
    peers[1].stage = &other;
    match agree_all(&peers).err() {
        Some(SetupError::Keys(KeysError::Count { party: 1, .. })) => {}
        other => panic!("{other:?}"),
    }
}

/// The body of a sealed message.
fn body<B: serde::de::DeserializeOwned>(bytes: &[u8]) -> B {
    let envelope: Value = serde_json::from_slice(bytes).unwrap();
    serde_json::from_value(envelope["body"].clone()).unwrap()
}

/// What party 1 sends if it signs something else than it should.
fn forged<B: gavel_verifier::sign::Body + serde::de::DeserializeOwned>(
    agreed: &Agreed,
    kind: Kind,
    instance: &[u8; 32],
    change: impl FnOnce(&mut B),
) -> Vec<u8> {
    let mut message: B = body(&kind.of(agreed)[1]);
    change(&mut message);
    seal(
        &message,
        instance,
        &seed(1, 0).party_key(&THREE.0.contract.id),
    )
    .unwrap()
}

fn instance(agreed: &Agreed) -> [u8; 32] {
    agreed.ready[0].graph.deployment.instance
}

/// How parties 0 and 2 refuse a message that party 1 signed itself.
fn both_refuse(kind: Kind, bytes: Vec<u8>) -> [SetupError; 2] {
    let mut messages = kind.of(&THREE.1).to_vec();
    messages[1] = bytes;
    [0, 2].map(|me| {
        let peer = peers(&THREE.0, 0)[me];
        let error = kind.refused(peer, &THREE.1, &messages);
        error.unwrap_or_else(|| panic!("{kind:?}: accepted by {me}"))
    })
}

#[test]
fn well_signed_but_wrong_one_time_keys_are_refused() {
    let id = instance(&THREE.1);
    type Change = fn(&mut OneTimeKeysMessage);
    let cases: [(&str, Change, Right); 7] = [
        (
            "instance",
            |m| m.instance[0] ^= 1,
            |e| matches!(e, SetupError::Keys(KeysError::Instance { party: 1 })),
        ),
        (
            "a key missing",
            |m| drop(m.claimer.pop()),
            |e| matches!(e, SetupError::Keys(KeysError::Count { party: 1, .. })),
        ),
        (
            "a key more",
            |m| m.claimer.push(m.claimer[0].clone()),
            |e| matches!(e, SetupError::Keys(KeysError::Count { party: 1, .. })),
        ),
        (
            "a digit missing",
            |m| m.claimer[0].0.truncate(3),
            |e| {
                matches!(
                    e,
                    SetupError::Keys(KeysError::Shape {
                        party: 1,
                        element: 0,
                        ..
                    })
                )
            },
        ),
        (
            "no author's key",
            |m| m.author.clear(),
            |e| matches!(e, SetupError::Keys(KeysError::Elements { party: 1, .. })),
        ),
        (
            "an author's key for what nobody vouches for",
            |m| drop(m.author.insert(0, m.claimer[0].clone())),
            |e| matches!(e, SetupError::Keys(KeysError::Elements { party: 1, .. })),
        ),
        (
            "in the name of another",
            |m| m.party = 2,
            |e| {
                matches!(
                    e,
                    SetupError::Message {
                        party: 1,
                        error: MessageError::Party { got: 2, .. }
                    }
                )
            },
        ),
    ];
    for (what, change, right) in cases {
        for error in both_refuse(Kind::Keys, forged(&THREE.1, Kind::Keys, &id, change)) {
            assert!(right(&error), "{what}: {error:?}");
        }
    }
}

#[test]
fn well_signed_but_wrong_nonces_are_refused() {
    let id = instance(&THREE.1);
    type Change = fn(&mut NoncesMessage);
    let cases: [(&str, Change, Right); 6] = [
        (
            "session",
            |m| m.session[31] ^= 0x80,
            |e| matches!(e, SetupError::Musig(MusigError::OtherSession { party: 1 })),
        ),
        (
            "one missing",
            |m| m.nonces.truncate(1),
            |e| matches!(e, SetupError::Musig(MusigError::Count { party: 1, .. })),
        ),
        (
            "one more",
            |m| m.nonces.push(m.nonces[0]),
            |e| matches!(e, SetupError::Musig(MusigError::Count { party: 1, .. })),
        ),
        (
            "not a point",
            |m| m.nonces[3] = Hex([5; 66]),
            |e| matches!(e, SetupError::Musig(MusigError::Nonce { party: 1, .. })),
        ),
        (
            "nothing",
            |m| m.nonces[0] = Hex([0; 66]),
            |e| matches!(e, SetupError::Musig(MusigError::Nonce { party: 1, .. })),
        ),
        (
            "in the name of another",
            |m| m.party = 0,
            |e| {
                matches!(
                    e,
                    SetupError::Message {
                        party: 1,
                        error: MessageError::Party { got: 0, .. }
                    }
                )
            },
        ),
    ];
    for (what, change, right) in cases {
        for error in both_refuse(Kind::Nonces, forged(&THREE.1, Kind::Nonces, &id, change)) {
            assert!(right(&error), "{what}: {error:?}");
        }
    }
}

#[test]
fn well_signed_but_wrong_partial_signatures_are_refused_by_name_and_job() {
    let id = instance(&THREE.1);
    let jobs = THREE.1.ready[0].graph.joint_jobs();
    // One bit of one partial signature: the first, the last, and some between.
    for at in [0, jobs.len() / 3, jobs.len() / 2, jobs.len() - 1] {
        for bit in [0, 77, 255] {
            let flip = |m: &mut PartialsMessage| m.partials[at].0[bit / 8] ^= 1 << (bit % 8);
            let bytes = forged(&THREE.1, Kind::Partials, &id, flip);
            for error in both_refuse(Kind::Partials, bytes) {
                let SetupError::Musig(MusigError::Partial { party: 1, job }) = &error else {
                    panic!("{error:?}");
                };
                let (name, input, _) = &jobs[at];
                assert_eq!(*job, format!("{name} input {input}"));
            }
        }
    }
    type Change = fn(&mut PartialsMessage);
    let cases: [(&str, Change, Right); 4] = [
        (
            "session",
            |m| m.session[0] ^= 1,
            |e| matches!(e, SetupError::Musig(MusigError::OtherSession { party: 1 })),
        ),
        (
            "nonces",
            |m| m.nonces[0] ^= 1,
            |e| matches!(e, SetupError::Musig(MusigError::OtherNonces { party: 1 })),
        ),
        (
            "one missing",
            |m| m.partials.truncate(1),
            |e| matches!(e, SetupError::Musig(MusigError::Count { party: 1, .. })),
        ),
        (
            "two swapped",
            |m| m.partials.swap(0, 1),
            |e| matches!(e, SetupError::Musig(MusigError::Partial { party: 1, .. })),
        ),
    ];
    for (what, change, right) in cases {
        for error in both_refuse(
            Kind::Partials,
            forged(&THREE.1, Kind::Partials, &id, change),
        ) {
            assert!(right(&error), "{what}: {error:?}");
        }
    }
}

/// Party 1 tells party 2 other one-time keys than party 0: each computes a graph of its own.
#[test]
fn a_party_with_two_faces_is_found_out_before_anybody_signs() {
    let id = instance(&THREE.1);
    let other = forged(&THREE.1, Kind::Keys, &id, |m: &mut OneTimeKeysMessage| {
        m.claimer[0].0[0][0] ^= 1;
    });
    let mut keys = THREE.1.keys.clone();
    keys[1] = other;
    let carol = peers(&THREE.0, 0)[2];
    let (_, hers) = carol.drawn(&THREE.1.hellos, &keys).unwrap();
    let mut nonces = THREE.1.nonces.clone();
    nonces[2] = hers.clone();
    let alice = peers(&THREE.0, 0)[0];
    match Kind::Nonces.refused(alice, &THREE.1, &nonces) {
        Some(SetupError::Musig(MusigError::OtherSession { party: 2 })) => {}
        other => panic!("{other:?}"),
    }
    let (drawn, own) = carol.drawn(&THREE.1.hellos, &keys).unwrap();
    assert_eq!(own, hers);
    match drawn.nonces(&nonces).err() {
        Some(SetupError::Musig(MusigError::OtherSession { party: 0 })) => {}
        other => panic!("{other:?}"),
    }
}

/// Fund is signed last: only by who holds every signature, and each its own inputs only.
#[test]
fn a_party_signs_only_its_own_inputs_of_fund() {
    let directory = tempfile::tempdir().unwrap();
    for ready in &THREE.1.ready {
        let fund = ready.graph.get(TxName::Fund).unwrap();
        assert_eq!(ready.joint.len(), ready.graph.joint_jobs().len());
        let path = directory.path().join(ready.me.to_string());
        let signed = ready.sign_fund(&ready.store(path).unwrap()).unwrap();
        let indices: Vec<usize> = signed.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [usize::from(ready.me)]);
        let outpoint = fund.tx.input[indices[0]].previous_output;
        assert_eq!(
            outpoint.txid.to_raw_hash().as_ref() as &[u8],
            digest("funding", ready.me, 0)
        );
    }
}

#[test]
fn all_parties_derive_the_same_graph_with_any_number_of_threads() {
    type Fixed = (Vec<(TxName, Txid)>, Vec<Vec<u8>>);
    for stage in [example("price_feed"), example("tic_tac_toe"), three(20)] {
        let fixed = |threads: usize| -> Fixed {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let agreed = pool.build().unwrap().install(|| agree(&stage, 0));
            let txids = agreed.ready.iter().map(|ready| {
                let txs = ready.graph.txs.iter();
                txs.map(|(name, planned)| (*name, planned.tx.compute_txid()))
                    .collect::<Vec<_>>()
            });
            let mut txids: Vec<_> = txids.collect();
            txids.dedup();
            assert_eq!(txids.len(), 1, "the parties disagree");
            (txids.remove(0), agreed.partials)
        };
        let first = fixed(1);
        for threads in [1, 2, 3] {
            assert!(fixed(threads) == first, "{threads} threads: another graph");
        }
    }
}
