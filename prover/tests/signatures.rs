//! Signatures in bundles say what libsecp256k1 says of each alone: valid ones and those that are
//! wrong in every way.
#![allow(clippy::unwrap_used, clippy::panic)]

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{
    Keypair, Message, Parity, Scalar, Secp256k1, SecretKey, XOnlyPublicKey, schnorr,
};
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, LedgerContract};
use gavel_prover::Machine;
use gavel_prover::engine::{Prepared, Signatures};
use gavel_prover::signatures::{BUNDLE, Keys, Signature, proven};
use gavel_prover::workload::Random;
use serde_json::Map;

/// Test vectors of BIP340 with messages of 32 bytes: key, message, r, s, whether it is valid.
/// <https://github.com/bitcoin/bips/blob/master/bip-0340/test-vectors.csv>
const VECTORS: [[&str; 5]; 15] = [
    [
        // 0
        "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215",
        "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
        "valid",
    ],
    [
        // 1
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341",
        "8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a",
        "valid",
    ],
    [
        // 2
        "dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8",
        "7e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c",
        "5831aaeed7b44bb74e5eab94ba9d4294c49bcf2a60728d8b4c200f50dd313c1b",
        "ab745879a5ad954a72c45a91c3a51d3c7adea98d82f8481e0e1e03674a6f3fb7",
        "valid",
    ],
    [
        // 3: message isn't reduced
        "25d1dff95105f5253c4022f628a996ad3a0d95fbf21d468a1b33f8c160d8f517",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "7eb0509757e246f19449885651611cb965ecc1a187dd51b64fda1edc9637d5ec",
        "97582b9cb13db3933705b32ba982af5af25fd78881ebb32771fc5922efc66ea3",
        "valid",
    ],
    [
        // 4
        "d69c3509bb99e412e68b0fe8544e72837dfa30746d8be2aa65975f29d22dc7b9",
        "4df3c3f68fcc83b27e9d42c90431a72499f17875c81a599b566c9889b9696703",
        "00000000000000000000003b78ce563f89a0ed9414f5aa28ad0d96d6795f9c63",
        "76afb1548af603b3eb45c9f8207dee1060cb71c04e80f593060b07d28308d7f4",
        "valid",
    ],
    [
        // 5: key not on the curve
        "eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769",
        "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
        "invalid",
    ],
    [
        // 6: y of R is odd
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556",
        "3cc27944640ac607cd107ae10923d9ef7a73c643e166be5ebeafa34b1ac553e2",
        "invalid",
    ],
    [
        // 7: message negated
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "1fa62e331edbc21c394792d2ab1100a7b432b013df3f6ff4f99fcb33e0e1515f",
        "28890b3edb6e7189b630448b515ce4f8622a954cfe545735aaea5134fccdb2bd",
        "invalid",
    ],
    [
        // 8: s negated
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769",
        "961764b3aa9b2ffcb6ef947b6887a226e8d7c93e00c5ed0c1834ff0d0c2e6da6",
        "invalid",
    ],
    [
        // 9: R is nothing, x as 0
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "123dda8328af9c23a94c1feecfd123ba4fb73476f0d594dcb65c6425bd186051",
        "invalid",
    ],
    [
        // 10: R is nothing, x as 1
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "0000000000000000000000000000000000000000000000000000000000000001",
        "7615fbaf5ae28864013c099742deadb4dba87f11ac6754f93780d5a1837cf197",
        "invalid",
    ],
    [
        // 11: r not on the curve
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "4a298dacae57395a15d0795ddbfd1dcb564da82b0f269bc70a74f8220429ba1d",
        "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
        "invalid",
    ],
    [
        // 12: r is p
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
        "invalid",
    ],
    [
        // 13: s is n
        "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "invalid",
    ],
    [
        // 14: key is p or more
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30",
        "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
        "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769",
        "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
        "invalid",
    ],
];

/// p and n, big end first.
const P: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
const N: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn hex(text: &str) -> [u8; 32] {
    std::array::from_fn(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap())
}

fn bytes(dice: &mut Random) -> [u8; 32] {
    let words: [u64; 4] = std::array::from_fn(|_| dice.word());
    std::array::from_fn(|n| words[n / 8].to_be_bytes()[n % 8])
}

fn any_secret(dice: &mut Random) -> SecretKey {
    SecretKey::from_slice(&bytes(dice)).unwrap()
}

/// Key, message, r, s.
type Parts = [[u8; 32]; 4];

fn signature([key, message, r, s]: Parts) -> Signature {
    let bytes = [r, s].concat().try_into().unwrap();
    Signature::new(key, message, bytes)
}

/// What libsecp256k1 says.
fn law([key, message, r, s]: Parts) -> bool {
    let Ok(key) = XOnlyPublicKey::from_slice(&key) else {
        return false;
    };
    let signature = schnorr::Signature::from_slice(&[r, s].concat()).unwrap();
    let message = Message::from_digest(message);
    let secp = Secp256k1::verification_only();
    secp.verify_schnorr(&signature, &message, &key).is_ok()
}

fn challenge([key, message, r, _]: Parts) -> Scalar {
    let tag = sha256::Hash::hash(b"BIP0340/challenge").to_byte_array();
    let mut engine = sha256::Hash::engine();
    for part in [tag, tag, r, key, message] {
        engine.input(&part);
    }
    // Below n but for one in 2^128.
    Scalar::from_be_bytes(sha256::Hash::from_engine(engine).to_byte_array()).unwrap()
}

/// Signs with a nonce whose point has an even y, as it must, or an odd one.
fn sign(dice: &mut Random, message: [u8; 32], parity: Parity) -> Parts {
    let secp = Secp256k1::new();
    let even = |secret: SecretKey, wanted| {
        let (x, parity) = secret.x_only_public_key(&secp);
        let secret = if parity == wanted {
            secret
        } else {
            secret.negate()
        };
        (secret, x.serialize())
    };
    let (secret, key) = even(any_secret(dice), Parity::Even);
    let (nonce, r) = even(any_secret(dice), parity);
    let e = challenge([key, message, r, [0; 32]]);
    let s = secret.mul_tweak(&e).unwrap();
    let s = s.add_tweak(&Scalar::from(nonce)).unwrap();
    [key, message, r, s.secret_bytes()]
}

fn valid(dice: &mut Random, count: usize) -> Vec<Parts> {
    let one = |_| {
        let message = bytes(dice);
        sign(dice, message, Parity::Even)
    };
    (0..count).map(one).collect()
}

fn add(s: [u8; 32], by: SecretKey) -> [u8; 32] {
    let s = SecretKey::from_slice(&s).unwrap();
    s.add_tweak(&Scalar::from(by)).unwrap().secret_bytes()
}

/// All are proven if all are valid; none is that isn't, whatever it is beside.
fn check(all: &[Parts]) {
    let law: Vec<bool> = all.iter().map(|one| law(*one)).collect();
    let signatures: Vec<Signature> = all.iter().map(|one| signature(*one)).collect();
    // Known keys change nothing: none, some that drive each other out, then all.
    let [none, few, enough] = [0, 16, 1 << 12].map(Keys::new);
    for keys in [&none, &few, &few, &enough, &enough] {
        check_with(keys, all, &law, &signatures);
    }
}

fn check_with(keys: &Keys, all: &[Parts], law: &[bool], signatures: &[Signature]) {
    let together = proven(signatures, keys);
    assert_eq!(together.len(), law.len());
    for (n, (proven, valid)) in together.iter().zip(law).enumerate() {
        assert!(*valid || !*proven, "{n} of {}: {:02x?}", all.len(), all[n]);
    }
    if law.iter().all(|valid| *valid) {
        assert!(together.iter().all(|proven| *proven));
    }
    // Alone, there is no other to hide behind.
    if all.len() < 100 {
        for (signature, valid) in signatures.iter().zip(law) {
            assert_eq!(proven(&[*signature], keys), [*valid]);
        }
    }
}

#[test]
fn vectors_of_bip340() {
    for (n, [key, message, r, s, valid]) in VECTORS.into_iter().enumerate() {
        let parts = [key, message, r, s].map(hex);
        let valid = valid == "valid";
        assert_eq!(law(parts), valid, "libsecp256k1, vector {n}");
        assert_eq!(
            proven(&[signature(parts)], &Keys::none()),
            [valid],
            "vector {n}"
        );
    }
    check(&VECTORS.map(|[key, message, r, s, _]| [key, message, r, s].map(hex)));
}

#[test]
fn bundles_of_all_sizes() {
    let dice = &mut Random::new(1);
    let many = valid(dice, 300);
    for count in [0, 1, 2, 3, 7, 8, 9, 17, 47, 48, 49, 300] {
        check(&many[..count]);
    }
}

/// A valid signature made wrong.
fn spoiled(dice: &mut Random, way: u64) -> Parts {
    let message = bytes(dice);
    let good = sign(dice, message, Parity::Even);
    let [key, message, r, s] = good;
    match way {
        0..4 => {
            let (part, byte, bit) = (way as usize, dice.below(32) as usize, dice.below(8));
            let mut parts = good;
            parts[part][byte] ^= 1 << bit;
            parts
        }
        4 => [key, message, r, hex(N)],
        5 => [key, message, r, [0xff; 32]],
        6 => [key, message, hex(P), s],
        7 => [key, message, [0xff; 32], s],
        8 => [hex(P), message, r, s],
        9 => sign(dice, message, Parity::Odd),
        10 => [
            key,
            message,
            r,
            SecretKey::from_slice(&s).unwrap().negate().secret_bytes(),
        ],
        11 => [key, message, r, [0; 32]],
        12 => [key, message, [0; 32], s],
        13 => [[0; 32], message, r, s],
        14 => [r, message, key, s],
        // The curve's order and the field's are swapped; the generator's x is a point.
        15 => [key, message, hex(N), s],
        _ => [[0; 32]; 4],
    }
}

const WAYS: u64 = 17;

#[test]
fn wrong_in_every_way() {
    let dice = &mut Random::new(2);
    for way in 0..WAYS {
        for _ in 0..8 {
            let bad = spoiled(dice, way);
            // Flipped bits may leave it unread or make it wrong, but not valid.
            assert!(!law(bad), "way {way}");
            let mut all = valid(dice, 11);
            let at = dice.below(12) as usize;
            all.insert(at, bad);
            check(&all);
        }
    }
}

#[test]
fn many_wrong_ones() {
    let dice = &mut Random::new(3);
    for count in [20, 64, 200] {
        let mut all = valid(dice, count);
        for one in &mut all {
            if dice.below(3) == 0 {
                let way = dice.below(WAYS);
                *one = spoiled(dice, way);
            }
        }
        check(&all);
    }
}

/// Keys that are given the other y can't be told apart: BIP340's keys are x alone. But a signature
/// made with the key whose y is odd is none.
#[test]
fn negated_keys() {
    let dice = &mut Random::new(4);
    let secp = Secp256k1::new();
    let mut all = valid(dice, 5);
    let [key, message, r, _] = all[0];
    let (secret, nonce) = (any_secret(dice), any_secret(dice));
    let (x, parity) = secret.x_only_public_key(&secp);
    let secret = if parity == Parity::Odd {
        secret
    } else {
        secret.negate()
    };
    let (own, parity) = nonce.x_only_public_key(&secp);
    let nonce = if parity == Parity::Even {
        nonce
    } else {
        nonce.negate()
    };
    let parts = [x.serialize(), message, own.serialize(), [0; 32]];
    let s = secret.mul_tweak(&challenge(parts)).unwrap();
    let s = s.add_tweak(&Scalar::from(nonce)).unwrap().secret_bytes();
    all.push([parts[0], message, parts[2], s]);
    assert!(!law(all[5]));
    check(&all);
    all.push([key, message, r, s]);
    check(&all);
}

/// Without randomizers, what one has too much and another too little wouldn't be seen.
#[test]
fn wrongs_that_make_up_for_each_other() {
    let dice = &mut Random::new(5);
    for count in [2, 3, 20, 100] {
        let mut all = valid(dice, count);
        let by = any_secret(dice);
        all[0][3] = add(all[0][3], by);
        let last = count - 1;
        all[last][3] = add(all[last][3], by.negate());
        assert!(!law(all[0]) && !law(all[last]));
        check(&all);
    }
    // Also where all but s is the same.
    let one = valid(dice, 1)[0];
    let by = any_secret(dice);
    let [key, message, r, s] = one;
    check(&[
        [key, message, r, add(s, by)],
        [key, message, r, add(s, by.negate())],
    ]);
}

#[test]
fn swapped_ones() {
    let dice = &mut Random::new(6);
    let mut all = valid(dice, 10);
    let ([.., r, s], [.., q, t]) = (all[2], all[7]);
    let [key, message, ..] = all[2];
    let [other, another, ..] = all[7];
    all[2] = [key, message, q, t];
    all[7] = [other, another, r, s];
    check(&all);
}

#[test]
fn the_same_many_times() {
    let dice = &mut Random::new(7);
    let one = valid(dice, 1)[0];
    check(&vec![one; 500]);
    let mut all = valid(dice, 40);
    all.extend(all.clone());
    all.extend([one; 9]);
    check(&all);
    all.push(spoiled(dice, 3));
    check(&all);
}

const SOURCE: &str = "
contract Signed {
    state { sum: map<pubkey, u64>, count: u64 }
    entry none() { count += 1 }
    entry one(a: pubkey, n: u64) signed by a { sum[a] += n }
    entry two(a: pubkey, b: pubkey, n: u64) signed by a, b { sum[a] += n }
    entry three(a: pubkey, b: pubkey, c: pubkey, n: u64) signed by a, b, c { sum[a] += n }
}";

fn contract() -> LedgerContract {
    match instantiate_ledger(SOURCE, &Map::new()) {
        Ok((contract, _)) => contract,
        Err(found) => panic!("{found:?}"),
    }
}

/// A call with none to three signers out of a few or of many.
fn call(contract: &LedgerContract, dice: &mut Random, people: u64) -> Call {
    let secp = Secp256k1::new();
    let entry = ["none", "one", "two", "three"][dice.below(4) as usize];
    let signers = ["none", "one", "two", "three"];
    let signers = signers.iter().position(|name| *name == entry).unwrap();
    let pairs: Vec<Keypair> = (0..signers)
        .map(|_| {
            let secret = any_secret(&mut Random::new(1_000 + dice.below(people)));
            Keypair::from_secret_key(&secp, &secret)
        })
        .collect();
    let mut arguments: Vec<u32> = Vec::new();
    for pair in &pairs {
        let key = pair.x_only_public_key().0.serialize();
        let words = key.as_chunks().0.iter();
        arguments.extend(words.map(|word| u32::from_be_bytes(*word)));
    }
    if signers > 0 {
        arguments.extend([dice.below(100) as u32, 0]);
    }
    let call = Call::new(contract.id, entry, arguments);
    let nonce = dice.below(5);
    pairs.iter().fold(call, |call, pair| call.sign(pair, nonce))
}

/// Makes a call wrong: a bit of a signature, an argument, which may be a key, or a nonce; or it
/// isn't one of this contract at all.
fn spoil(dice: &mut Random, call: &mut Call) {
    let count = call.signatures.len();
    let Some(signed) = call
        .signatures
        .get_mut(dice.below(count.max(1) as u64) as usize)
    else {
        return;
    };
    match dice.below(5) {
        0 => {
            let mut bytes = signed.signature.serialize();
            bytes[dice.below(64) as usize] ^= 1 << dice.below(8);
            signed.signature = schnorr::Signature::from_slice(&bytes).unwrap();
        }
        1 => signed.nonce += 1,
        2 => {
            let at = dice.below(8 * count as u64) as usize;
            call.arguments[at] ^= 1 << dice.below(32);
        }
        3 => call.entry = "nobody".to_owned(),
        _ => call.signatures.reverse(),
    }
}

/// What both ways of checking, on several numbers of threads, say of each call.
fn compare(machine: &Machine, calls: &[Call]) {
    let unsigned = |signatures, threads, keys| -> Vec<Option<u32>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let prepared = pool
            .build()
            .unwrap()
            .install(|| Prepared::with_keys(machine, calls.to_vec(), signatures, keys));
        (0..calls.len()).map(|n| prepared.unsigned(n)).collect()
    };
    let keys = [Keys::none(), Keys::new(100)];
    let law = unsigned(Signatures::OneByOne, 2, &keys[0]);
    for (threads, keys) in [1, 2, 3, 8]
        .into_iter()
        .flat_map(|n| keys.iter().map(move |keys| (n, keys)))
    {
        assert_eq!(
            unsigned(Signatures::Check, threads, keys),
            law,
            "{threads} threads, {keys:?}"
        );
    }
}

#[test]
fn bundles_and_one_by_one_refuse_the_same() {
    let contract = contract();
    let machine = Machine::new(&contract).unwrap();
    let dice = &mut Random::new(8);
    let sizes = [0, 1, 2, 20, 60, 200, 700];
    for (size, wrong, people) in sizes.into_iter().flat_map(|size| {
        [
            (size, 0, 5),
            (size, 2, 5),
            (size, 9, 1_000),
            (size, 100, 1_000),
        ]
    }) {
        let calls: Vec<Call> = (0..size)
            .map(|_| {
                let mut call = call(&contract, dice, people);
                if wrong > 0 && dice.below(wrong) == 0 {
                    spoil(dice, &mut call);
                }
                call
            })
            .collect();
        compare(&machine, &calls);
    }
}

/// With one signer each, so that calls and signatures are as many.
#[test]
fn around_the_size_of_a_bundle() {
    let contract = contract();
    let machine = Machine::new(&contract).unwrap();
    let dice = &mut Random::new(9);
    let mut calls = Vec::new();
    while calls.len() < BUNDLE + 1 {
        let call = call(&contract, dice, 200);
        if call.signatures.len() == 1 {
            calls.push(call);
        }
    }
    for size in [BUNDLE - 1, BUNDLE, BUNDLE + 1] {
        let mut calls = calls[..size].to_vec();
        compare(&machine, &calls);
        calls[size - 1].signatures[0].nonce += 1;
        calls[size / 2].arguments[0] ^= 1;
        compare(&machine, &calls);
    }
}
