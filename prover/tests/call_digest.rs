//! The digest of a batch against the plainest way to make it, and proofs that a call is in it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use gavel_compiler::ledger::{Call, Root};
use gavel_prover::calls::{Membership, digest};
use proptest::prelude::*;
use support::{call, interface, pay};

fn keyed(domain: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    key[..domain.len()].copy_from_slice(domain);
    *blake3::keyed_hash(&key, bytes).as_bytes()
}

/// As `docs/prover.md` has it, byte for byte.
fn naive_leaf(call: &Call) -> [u8; 32] {
    let mut bytes = call.contract.to_vec();
    bytes.extend((call.entry.len() as u32).to_be_bytes());
    bytes.extend(call.entry.as_bytes());
    bytes.extend((call.arguments.len() as u32).to_be_bytes());
    for word in &call.arguments {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend((call.signatures.len() as u32).to_be_bytes());
    for signed in &call.signatures {
        bytes.extend(signed.nonce.to_be_bytes());
        bytes.extend(signed.signature.serialize());
    }
    keyed(b"call", &bytes)
}

fn naive(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => [0; 32],
        [one] => *one,
        _ => {
            let mut left = 1;
            while left * 2 < leaves.len() {
                left *= 2;
            }
            let sides = [naive(&leaves[..left]), naive(&leaves[left..])];
            keyed(b"calls", &sides.concat())
        }
    }
}

fn many(count: usize) -> Vec<Call> {
    let interface = interface();
    let unsigned = |n: usize| Call::new(interface.contract, "pay", vec![n as u32; 18]);
    (0..count).map(unsigned).collect()
}

#[test]
fn as_the_plainest_way_has_it() {
    let calls = many(1_100);
    let leaves: Vec<_> = calls.iter().map(naive_leaf).collect();
    for count in (0..=65).chain([511, 512, 513, 1_023, 1_024, 1_025, 1_100]) {
        assert_eq!(
            digest(&calls[..count]).0,
            naive(&leaves[..count]),
            "{count}"
        );
    }
    assert_eq!(digest(&[]), Root::EMPTY);
}

#[test]
fn every_call_of_a_batch_can_be_shown() {
    for count in (1..=33).chain([1_000]) {
        let calls = many(count);
        let root = digest(&calls);
        for index in (0..count).step_by(if count > 100 { 37 } else { 1 }) {
            let proof = Membership::new(&calls, index as u64).unwrap();
            assert!(proof.check(&calls[index], count as u64, root));
            let next = &calls[(index + 1) % count];
            assert_eq!(proof.check(next, count as u64, root), count == 1);
        }
        assert_eq!(Membership::new(&calls, count as u64), None);
        assert_eq!(Membership::new(&calls, u64::MAX), None);
    }
}

#[test]
fn whatever_is_changed_in_a_proof_it_is_refused() {
    let interface = interface();
    for count in [1, 2, 5, 8, 13u64] {
        let calls: Vec<Call> = (0..count).map(|n| pay(&interface, 1, 2, 9, n)).collect();
        let root = digest(&calls);
        for (index, call) in (0..).zip(&calls) {
            let proof = Membership::new(&calls, index).unwrap();
            for bit in 0..64 {
                let wrong = Membership {
                    index: index ^ (1 << bit),
                    ..proof.clone()
                };
                assert!(!wrong.check(call, count, root), "index {index}, bit {bit}");
            }
            for n in 0..proof.siblings.len() {
                for bit in 0..256 {
                    let mut wrong = proof.clone();
                    wrong.siblings[n].0[bit / 8] ^= 1 << (bit % 8);
                    assert!(!wrong.check(call, count, root), "sibling {n}, bit {bit}");
                }
                let mut wrong = proof.clone();
                wrong.siblings.remove(n);
                assert!(!wrong.check(call, count, root));
                let mut wrong = proof.clone();
                wrong.siblings.insert(n, root);
                assert!(!wrong.check(call, count, root));
            }
            for bit in 0..256 {
                let mut wrong = root;
                wrong.0[bit / 8] ^= 1 << (bit % 8);
                assert!(!proof.check(call, count, wrong), "root, bit {bit}");
            }
            assert!(!proof.check(call, 0, root) && !proof.check(call, index, root));
        }
    }
    let long = Membership {
        index: 0,
        siblings: vec![Root::EMPTY; 10_000],
    };
    assert!(!long.check(&many(1)[0], u64::MAX, Root::EMPTY));
}

proptest! {
    /// No two calls have one leaf: each part of a call is in it.
    #[test]
    fn other_calls_have_other_digests(one in call(), other in call()) {
        let same = digest(std::slice::from_ref(&one)) == digest(std::slice::from_ref(&other));
        prop_assert_eq!(same, one == other);
        let mut changed = one.clone();
        changed.contract[31] ^= 1;
        prop_assert_ne!(digest(&[changed]), digest(std::slice::from_ref(&one)));
        let mut longer = one.clone();
        longer.arguments.push(0);
        prop_assert_ne!(digest(&[longer]), digest(std::slice::from_ref(&one)));
        if let Some(signed) = one.signatures.first() {
            let mut later = one.clone();
            later.signatures[0].nonce = signed.nonce.wrapping_add(1);
            prop_assert_ne!(digest(&[later]), digest(&[one]));
        }
    }
}
