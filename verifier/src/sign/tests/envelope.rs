use super::*;
use gavel_compiler::commit::Shape;
use std::collections::BTreeMap;

/// Checks that a message opens, and that no message one bit away does.
fn check_flips<B: Body + PartialEq + std::fmt::Debug>(body: &B, key: &PartyKey) {
    let party = body.party();
    let bytes = seal(body, &CONTRACT, key).unwrap();
    let public = key.public();
    assert_eq!(open::<B>(&bytes, &CONTRACT, party, &public).unwrap(), *body);
    for (bit, flipped) in bit_flips(&bytes) {
        assert!(
            open::<B>(&flipped, &CONTRACT, party, &public).is_err(),
            "bit {bit}: {}",
            String::from_utf8_lossy(&flipped)
        );
    }
}

fn one_time_keys() -> OneTimeKeysMessage {
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    let shape = Shape { message: 2 };
    OneTimeKeysMessage {
        party: 0,
        instance: [2; 32],
        claimer: keys.public_keys(Role::Claimer, &[(0, shape), (1, shape)]),
        author: BTreeMap::from([(1, keys.public_key(Role::Author, 1, shape))]),
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let keys = party_keys(2);
    check_flips(&one_time_keys(), &keys[0]);
    check_flips(&hello::hello(0), &keys[0]);
    let job = Job {
        label: "payout:0".into(),
        sighash: [3; 32],
        tweak: Tweak::None,
    };
    let agg = key_agg(&keys);
    let start = |me: u8, key| {
        let rng = &mut rng(u64::from(me));
        Session::start(&agg, me, key, vec![job.clone()], &[1; 32], rng).unwrap()
    };
    let (session, nonces) = start(0, &keys[0]);
    let (_, others) = start(1, &keys[1]);
    check_flips(&nonces, &keys[0]);
    let (_, partials) = session.receive_nonces(1, &others).unwrap().sign().unwrap();
    check_flips(&partials, &keys[0]);
}

#[test]
fn the_same_content_written_otherwise_is_refused() {
    let key = &party_keys(1)[0];
    let bytes = seal(&one_time_keys(), &CONTRACT, key).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let upper = text.replacen("\":\"", "\": \"", 1);
    let twice = text.replacen("\"1\":", "\"1\":[],\"1\":", 1);
    let more = text.replacen("\"party\":0", "\"party\":0,\"x\":1", 1);
    let after = format!("{text} ");
    let rows = [upper, after, twice, more];
    for other in rows {
        assert_ne!(other, text);
        let opened = open::<OneTimeKeysMessage>(other.as_bytes(), &CONTRACT, 0, &key.public());
        assert!(matches!(
            opened,
            Err(MessageError::NotCanonical { .. } | MessageError::Malformed { .. })
        ));
    }
}

#[test]
fn the_wrong_sender_context_or_kind_is_refused() {
    let keys = party_keys(2);
    let bytes = seal(&one_time_keys(), &CONTRACT, &keys[0]).unwrap();
    let open = |context: u8, party, key: &PartyKey| {
        open::<OneTimeKeysMessage>(&bytes, &[context; 32], party, &key.public())
    };
    assert!(open(7, 0, &keys[0]).is_ok());
    let signature = open(8, 0, &keys[0]);
    assert!(matches!(
        signature,
        Err(MessageError::Signature { party: 0, .. })
    ));
    assert!(matches!(
        open(7, 0, &keys[1]),
        Err(MessageError::Signature { party: 0, .. })
    ));
    assert!(matches!(
        open(7, 1, &keys[0]),
        Err(MessageError::Party {
            expected: 1,
            got: 0,
            ..
        })
    ));
    assert!(matches!(
        super::open::<Hello>(&bytes, &CONTRACT, 0, &keys[0].public()),
        Err(MessageError::Malformed { kind: "hello", .. })
    ));
}

#[test]
fn keys_of_another_shape_are_refused() {
    let shape = Shape { message: 2 };
    let other = Shape { message: 3 };
    let author = BTreeMap::from([(1, shape)]);
    let message = one_time_keys();
    let check = |instance: u8, claimer: &[Shape], author: &BTreeMap<u16, Shape>| {
        message.check(&[instance; 32], claimer, author)
    };
    assert_eq!(check(2, &[shape; 2], &author), Ok(()));
    let party = 0;
    for (got, error) in [
        (
            check(3, &[shape; 2], &author),
            KeysError::Instance { party },
        ),
        (
            check(2, &[shape; 3], &author),
            KeysError::Count {
                party,
                got: 2,
                need: 3,
            },
        ),
        (
            check(2, &[shape, other], &author),
            KeysError::Shape {
                party,
                role: Role::Claimer,
                element: 1,
            },
        ),
        (
            check(2, &[shape; 2], &BTreeMap::from([(1, other)])),
            KeysError::Shape {
                party,
                role: Role::Author,
                element: 1,
            },
        ),
        (
            check(2, &[shape; 2], &BTreeMap::from([(2, shape)])),
            KeysError::Elements {
                party,
                got: vec![1],
                need: vec![2],
            },
        ),
    ] {
        assert_eq!(got, Err(error));
    }
}
