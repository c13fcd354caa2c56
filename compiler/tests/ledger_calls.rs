//! Calls: who may make which, once, and what is left of those that fail.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use bitcoin::secp256k1::{Keypair, Secp256k1, schnorr};
use gavel_compiler::ledger::{
    Call, CellId, Entry, EntryError, Ledger, NONCES, Receipt, Refusal, Signer, State,
};
use gavel_compiler::units::Height;
use gavel_compiler::value::ValueType;
use gavel_compiler::word::{Author, Builder, Cell, Delta, InputElement, Routine, Span, Value};
use proptest::prelude::*;

const CONTRACT: [u8; 32] = [7; 32];
const WALLET: u16 = 1;
const COUNT: u16 = 2;

fn keypair(n: u8) -> Keypair {
    Keypair::from_seckey_slice(&Secp256k1::new(), &[n; 32]).unwrap()
}

fn key(n: u8) -> [u32; 8] {
    let bytes = keypair(n).x_only_public_key().0.serialize();
    std::array::from_fn(|i| u32::from_be_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap()))
}

fn routine(words: usize, build: impl Fn(&mut Builder, &[Value], Value)) -> Routine {
    let mut b = Builder::new();
    let arguments = b.input(InputElement {
        name: "arguments".to_owned(),
        words: vec![8; words],
        author: Author::Anyone,
        optional: false,
    });
    let one = b.constant(1);
    build(&mut b, &arguments, one);
    b.finish_routine()
}

fn overflow(b: &mut Builder) -> u16 {
    b.abort_code("Overflow", Span::default())
}

fn delta(b: &mut Builder, when: Value, key: &[Value], amount: &[Value]) -> Delta {
    Delta {
        when,
        cell: Cell {
            family: WALLET,
            key: key.to_vec(),
        },
        amount: amount.to_vec(),
        bits: 64,
        code: overflow(b),
    }
}

/// `entry transfer(from: hash, to: hash, amount: u64) signed by from`
fn transfer() -> Entry {
    let hash = || ValueType::Hash;
    Entry {
        name: "transfer".to_owned(),
        arguments: vec![
            ("from".to_owned(), hash()),
            ("to".to_owned(), hash()),
            ("amount".to_owned(), ValueType::U64),
        ],
        signers: vec![Signer::Argument { first: 0 }],
        routine: routine(18, |b, words, one| {
            let take = delta(b, one, &words[..8], &words[16..]);
            b.sub(take);
            let put = delta(b, one, &words[8..16], &words[16..]);
            b.add(put);
            b.emit(one, 3, words[16..].to_vec());
        }),
    }
}

/// `entry swear(sure: bool, who: hash, small: u8) signed by ADMIN, who`: counts, and notes the
/// height.
fn swear() -> Entry {
    Entry {
        name: "swear".to_owned(),
        arguments: vec![
            ("sure".to_owned(), ValueType::Bool),
            ("who".to_owned(), ValueType::Hash),
            ("small".to_owned(), ValueType::U8),
        ],
        signers: vec![Signer::Key(key(9)), Signer::Argument { first: 1 }],
        routine: routine(10, |b, words, one| {
            let height = b.height();
            let cell = Cell {
                family: COUNT,
                key: words[1..9].to_vec(),
            };
            b.store(one, cell, vec![height]);
            let code = b.abort_code("Unsure", Span::default());
            let unsure = b.not_bool(words[0]);
            b.abort_if(unsure, code);
        }),
    }
}

/// `entry poke()`: anybody may.
fn poke() -> Entry {
    Entry {
        name: "poke".to_owned(),
        arguments: vec![],
        signers: vec![],
        routine: routine(0, |b, _, one| {
            let code = overflow(b);
            b.add(Delta {
                when: one,
                cell: Cell {
                    family: COUNT,
                    key: vec![],
                },
                amount: vec![one],
                bits: 8,
                code,
            });
        }),
    }
}

fn wallet(n: u8) -> CellId {
    CellId {
        family: WALLET,
        key: key(n).to_vec(),
    }
}

fn ledger() -> Ledger {
    let mut state = State::new();
    state.set(wallet(1), vec![100, 0]);
    Ledger::new(CONTRACT, vec![transfer(), swear(), poke()], state).unwrap()
}

fn unsigned_transfer(from: u8, to: u8, amount: u32) -> Call {
    let arguments = [&key(from)[..], &key(to), &[amount, 0]].concat();
    Call::new(CONTRACT, "transfer", arguments)
}

fn pay(from: u8, to: u8, amount: u32, nonce: u64) -> Call {
    unsigned_transfer(from, to, amount).sign(&keypair(from), nonce)
}

fn unsigned_oath(who: u8, sure: u32) -> Call {
    let arguments = [&[sure][..], &key(who), &[200]].concat();
    Call::new(CONTRACT, "swear", arguments)
}

fn refused(ledger: &mut Ledger, call: &Call) -> Refusal {
    let before = ledger.clone();
    match ledger.apply(call, Height(5)) {
        Receipt::Refused(refusal) => {
            assert_eq!(*ledger, before, "a refused call changes nothing");
            refusal
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn done(ledger: &mut Ledger, call: &Call) {
    let receipt = ledger.apply(call, Height(5));
    assert!(matches!(receipt, Receipt::Done { .. }), "{receipt:?}");
}

fn nonce(ledger: &Ledger, n: u8) -> u64 {
    ledger.next_nonce(&keypair(n).x_only_public_key().0)
}

#[test]
fn a_signed_call_is_run_once() {
    let mut ledger = ledger();
    let call = pay(1, 2, 30, 0);
    match ledger.apply(&call, Height(5)) {
        Receipt::Done { events, steps } => {
            assert_eq!(events.len(), 1);
            assert_eq!((events[0].event, &events[0].words[..]), (3, &[30, 0][..]));
            assert_eq!(steps, transfer().routine.insts.len() as u64);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ledger.state().get(&wallet(1), 2), [70, 0]);
    assert_eq!(ledger.state().get(&wallet(2), 2), [30, 0]);
    assert_eq!((nonce(&ledger, 1), nonce(&ledger, 2)), (1, 0));
    let again = Refusal::Nonce {
        signer: 0,
        wants: 1,
        has: 0,
    };
    assert_eq!(refused(&mut ledger, &call), again);
    // The same wish, signed anew, is another call.
    done(&mut ledger, &pay(1, 2, 30, 1));
    assert_eq!(
        refused(&mut ledger, &call),
        Refusal::Nonce {
            signer: 0,
            wants: 2,
            has: 0
        }
    );
}

#[test]
fn calls_run_in_the_order_of_their_nonces() {
    let mut ledger = ledger();
    let (first, second) = (pay(1, 2, 30, 0), pay(1, 2, 5, 1));
    let early = Refusal::Nonce {
        signer: 0,
        wants: 0,
        has: 1,
    };
    assert_eq!(refused(&mut ledger, &second), early);
    done(&mut ledger, &first);
    done(&mut ledger, &second);
    // Each signer has nonces of its own.
    done(&mut ledger, &pay(2, 1, 1, 0));
}

#[test]
fn an_aborted_call_changes_only_the_nonce() {
    let mut ledger = ledger();
    let call = pay(1, 2, 101, 0);
    let mut cells = ledger.state().clone();
    match ledger.apply(&call, Height(5)) {
        Receipt::Aborted { abort, .. } => assert_eq!(abort.name, "Overflow"),
        other => panic!("{other:?}"),
    }
    let counted = CellId {
        family: NONCES,
        key: key(1).to_vec(),
    };
    cells.set(counted, vec![1, 0]);
    assert_eq!(*ledger.state(), cells);
    // So it can't be run later, when the money is there.
    assert!(matches!(refused(&mut ledger, &call), Refusal::Nonce { .. }));
    // What a call wrote before it aborted is gone too.
    let oath = unsigned_oath(3, 0)
        .sign(&keypair(9), 0)
        .sign(&keypair(3), 0);
    let receipt = ledger.apply(&oath, Height(5));
    assert!(matches!(receipt, Receipt::Aborted { abort, .. } if abort.name == "Unsure"));
    assert_eq!((nonce(&ledger, 9), nonce(&ledger, 3)), (1, 1));
    assert!(ledger.state().cells().all(|(cell, _)| cell.family != COUNT));
}

#[test]
fn two_signers_sign_in_their_order() {
    let mut ledger = ledger();
    let oath = || unsigned_oath(3, 1);
    let (admin, who) = (keypair(9), keypair(3));
    for (call, refusal) in [
        (oath(), Refusal::Signers { wants: 2, has: 0 }),
        (
            oath().sign(&admin, 0),
            Refusal::Signers { wants: 2, has: 1 },
        ),
        (
            oath().sign(&admin, 0).sign(&who, 0).sign(&who, 1),
            Refusal::Signers { wants: 2, has: 3 },
        ),
        (
            oath().sign(&who, 0).sign(&admin, 0),
            Refusal::Signature { signer: 0 },
        ),
        (
            oath().sign(&admin, 0).sign(&admin, 0),
            Refusal::Signature { signer: 1 },
        ),
        (
            oath().sign(&admin, 0).sign(&keypair(4), 0),
            Refusal::Signature { signer: 1 },
        ),
        (
            oath().sign(&admin, 0).sign(&who, 2),
            Refusal::Nonce {
                signer: 1,
                wants: 0,
                has: 2,
            },
        ),
    ] {
        assert_eq!(refused(&mut ledger, &call), refusal);
    }
    let call = oath().sign(&admin, 0).sign(&who, 0);
    assert!(matches!(
        ledger.apply(&call, Height(812)),
        Receipt::Done { .. }
    ));
    let noted = CellId {
        family: COUNT,
        key: key(3).to_vec(),
    };
    assert_eq!(ledger.state().get(&noted, 1), [812]);
    // Nonces move on one by one: the admin's next oath, for another, has 1 and 0.
    done(
        &mut ledger,
        &unsigned_oath(4, 1).sign(&admin, 1).sign(&keypair(4), 0),
    );
}

#[test]
fn one_key_in_two_places_uses_one_nonce() {
    let mut ledger = ledger();
    let admin = keypair(9);
    let next = unsigned_oath(9, 1).sign(&admin, 0).sign(&admin, 1);
    let refusal = Refusal::Nonce {
        signer: 1,
        wants: 0,
        has: 1,
    };
    assert_eq!(refused(&mut ledger, &next), refusal);
    let call = unsigned_oath(9, 1).sign(&admin, 0).sign(&admin, 0);
    done(&mut ledger, &call);
    assert_eq!(nonce(&ledger, 9), 1);
    assert!(matches!(refused(&mut ledger, &call), Refusal::Nonce { .. }));
}

#[test]
fn every_bit_of_a_call_is_signed() {
    let call = pay(1, 2, 30, 0);
    let mut ledger = ledger();
    let signature = *call.signatures[0].signature.as_ref();
    let mut try_bits = |bits: usize, flip: &dyn Fn(&mut Call, usize)| {
        for bit in 0..bits {
            let mut wrong = call.clone();
            flip(&mut wrong, bit);
            assert_ne!(wrong, call);
            // Refused before anything runs; `refused` checks that nothing changed.
            refused(&mut ledger, &wrong);
        }
    };
    try_bits(256, &|call, bit| call.contract[bit / 8] ^= 1 << (bit % 8));
    try_bits(18 * 32, &|call, bit| {
        call.arguments[bit / 32] ^= 1 << (bit % 32)
    });
    try_bits(64, &|call, bit| call.signatures[0].nonce ^= 1 << bit);
    try_bits(512, &|call, bit| {
        let mut bytes = signature;
        bytes[bit / 8] ^= 1 << (bit % 8);
        call.signatures[0].signature = schnorr::Signature::from_slice(&bytes).unwrap();
    });
    try_bits(8, &|call, n| {
        call.entry.remove(n);
    });
    // None of that spoilt the call itself.
    done(&mut ledger, &call);
}

#[test]
fn a_signature_is_for_one_nonce_and_one_contract() {
    let mut ledger = ledger();
    done(&mut ledger, &pay(1, 2, 1, 0));
    let mut old = pay(1, 2, 1, 0);
    old.signatures[0].nonce = 1;
    assert_eq!(refused(&mut ledger, &old), Refusal::Signature { signer: 0 });
    let elsewhere = Call::new([8; 32], "transfer", unsigned_transfer(1, 2, 1).arguments);
    let mut moved = elsewhere.sign(&keypair(1), 1);
    assert_eq!(refused(&mut ledger, &moved), Refusal::Contract);
    moved.contract = CONTRACT;
    assert_eq!(
        refused(&mut ledger, &moved),
        Refusal::Signature { signer: 0 }
    );
}

#[test]
fn entries_and_arguments_are_checked_first() {
    let mut ledger = ledger();
    let mut call = pay(1, 2, 30, 0);
    call.entry = "steal".to_owned();
    assert_eq!(
        refused(&mut ledger, &call).to_string(),
        "there is no entry `steal`"
    );
    let sign = |arguments: Vec<u32>| {
        Call::new(CONTRACT, "swear", arguments)
            .sign(&keypair(9), 0)
            .sign(&keypair(3), 0)
    };
    let with = |sure: u32, small: u32| sign([&[sure][..], &key(3), &[small]].concat());
    for (call, message) in [
        (
            with(2, 0),
            "the words of argument `sure` are no value of its type",
        ),
        (
            with(1, 256),
            "the words of argument `small` are no value of its type",
        ),
        (sign(vec![1; 9]), "the arguments have 10 words, not 9"),
        (sign(vec![]), "the arguments have 10 words, not 0"),
        (sign(vec![1; 11]), "the arguments have 10 words, not 11"),
    ] {
        let refusal = refused(&mut ledger, &call);
        assert!(matches!(refusal, Refusal::Arguments(_)));
        assert_eq!(refusal.to_string(), message);
    }
    done(&mut ledger, &with(1, 255));
}

#[test]
fn every_value_has_one_form() {
    let small = || Box::new(ValueType::U8);
    let entry = |ty: ValueType| Entry {
        name: "e".to_owned(),
        routine: routine(ty.words(), |_, _, _| ()),
        arguments: vec![("a".to_owned(), ty)],
        signers: vec![],
    };
    let option = || ValueType::Option(small());
    for (ty, good, bad) in [
        (ValueType::Bool, vec![vec![0], vec![1]], vec![vec![2]]),
        (
            ValueType::Bytes(5),
            vec![vec![u32::MAX, 255]],
            vec![vec![0, 256]],
        ),
        (
            ValueType::Enum(vec!["A".into(), "B".into()]),
            vec![vec![1]],
            vec![vec![2], vec![u32::MAX]],
        ),
        (
            option(),
            vec![vec![0, 0], vec![1, 0], vec![1, 255]],
            vec![vec![0, 1], vec![2, 0], vec![1, 256]],
        ),
        (
            ValueType::Array(Box::new(option()), 2),
            vec![vec![0, 0, 1, 7]],
            vec![vec![0, 0, 0, 7], vec![0, 0, 2, 7]],
        ),
        (ValueType::U128, vec![vec![u32::MAX; 4]], vec![]),
        (ValueType::U64, vec![vec![u32::MAX; 2]], vec![vec![1, 2, 3]]),
    ] {
        let entry = entry(ty);
        for words in good {
            assert_eq!(entry.check_arguments(&words), Ok(()), "{words:?}");
        }
        for words in bad {
            assert!(entry.check_arguments(&words).is_err(), "{words:?}");
        }
    }
}

#[test]
fn a_call_without_signers_needs_none() {
    let mut ledger = ledger();
    let call = Call::new(CONTRACT, "poke", vec![]);
    for _ in 0..255 {
        done(&mut ledger, &call);
    }
    let receipt = ledger.apply(&call, Height(5));
    assert!(matches!(receipt, Receipt::Aborted { .. }), "{receipt:?}");
    let signed = call.sign(&keypair(1), 0);
    assert_eq!(
        refused(&mut ledger, &signed),
        Refusal::Signers { wants: 0, has: 1 }
    );
}

#[test]
fn the_last_nonce_is_never_used() {
    let mut state = State::new();
    let counted = CellId {
        family: NONCES,
        key: key(1).to_vec(),
    };
    state.set(counted, vec![u32::MAX - 1, u32::MAX]);
    let mut ledger = Ledger::new(CONTRACT, vec![transfer()], state).unwrap();
    done(&mut ledger, &pay(1, 2, 0, u64::MAX - 1));
    let call = pay(1, 2, 0, u64::MAX);
    assert!(matches!(refused(&mut ledger, &call), Refusal::Nonce { .. }));
}

#[test]
fn a_key_that_is_no_point_signs_nothing() {
    let mut ledger = ledger();
    let mut call = pay(1, 2, 0, 0);
    call.arguments[..8].fill(u32::MAX);
    let refusal = refused(&mut ledger, &call);
    assert_eq!(refusal, Refusal::Signature { signer: 0 });
}

#[test]
fn entries_that_do_not_fit_are_refused() {
    let new = |entries: Vec<Entry>| Ledger::new(CONTRACT, entries, State::new()).unwrap_err();
    let name = || "transfer".to_owned();
    assert_eq!(new(vec![transfer(), transfer()]), EntryError::Twice(name()));
    let mut short = transfer();
    short.arguments.pop();
    let words = EntryError::Words {
        name: name(),
        wants: 16,
        has: 18,
    };
    assert_eq!(new(vec![short]), words);
    for first in [11, 18, usize::MAX] {
        let mut beyond = transfer();
        beyond.signers.push(Signer::Argument { first });
        let name = name();
        assert_eq!(new(vec![beyond]), EntryError::Signer { name, signer: 1 });
    }
    let mut thief = poke();
    thief.routine = routine(0, |b, _, one| {
        let cell = Cell {
            family: NONCES,
            key: vec![one; 8],
        };
        b.store(one, cell, vec![one, one]);
    });
    let error = new(vec![thief]);
    assert_eq!(
        error.to_string(),
        "entry `poke` touches family 0, which holds the nonces"
    );
}

#[test]
fn the_signed_bytes_are_those_of_the_documentation() {
    let call = Call::new([0xab; 32], "pay", vec![1, 0xdead_beef]);
    let bytes = call.signed_bytes(258);
    let expected = [
        &[0xab; 32][..],
        &[0, 0, 0, 3],
        b"pay",
        &[0, 0, 0, 2, 0, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef],
        &[0, 0, 0, 0, 0, 0, 1, 2],
    ]
    .concat();
    assert_eq!(bytes, expected);
    use bitcoin::hashes::{Hash, sha256};
    let tag = sha256::Hash::hash(b"gavel/call").to_byte_array();
    let message = sha256::Hash::hash(&[&tag[..], &tag, &expected].concat());
    assert_eq!(call.message(258), message.to_byte_array());
    let signed = call.clone().sign(&keypair(1), 258);
    insta::assert_snapshot!(serde_json::to_string_pretty(&signed.signatures).unwrap());
    let text = serde_json::to_string(&signed).unwrap();
    assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), signed);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Any mixture of calls, right and wrong: money is kept, and no call runs twice.
    #[test]
    fn no_call_runs_twice_and_no_money_is_made(
        calls in prop::collection::vec((1u8..4, 1u8..4, 0u32..80, 0u64..4), 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..30),
    ) {
        let mut ledger = ledger();
        let signed: Vec<Call> = calls.iter().map(|(from, to, n, nonce)| pay(*from, *to, *n, *nonce)).collect();
        let mut ran = Vec::new();
        for index in order {
            let call = &signed[index.index(signed.len())];
            let before = ledger.clone();
            match ledger.apply(call, Height(1)) {
                Receipt::Refused(_) => prop_assert_eq!(&ledger, &before),
                _ => {
                    prop_assert!(!ran.contains(call));
                    ran.push(call.clone());
                }
            }
            let money: u32 = (1..4).map(|n| ledger.state().get(&wallet(n), 2)[0]).sum();
            prop_assert_eq!(money, 100);
        }
    }
}
