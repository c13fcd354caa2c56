//! Keys, signatures and honest frames for tests of plans and leaves.
#![allow(dead_code, clippy::unwrap_used)]

use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash, hash160};
use gavel_compiler::commit::{
    ChainElement, MAX_DIGIT, PublicKey, Shape, Signature, with_checksum, words_to_digits,
};
use gavel_compiler::script::vm::{Outcome, Rules, run};
use gavel_compiler::script::{Disprove, body, disprove};
use gavel_compiler::segment::{ElementId, Plan};
use gavel_compiler::word;

/// All elements of one digit's chain, `chain[n] = H^n(secret)`.
pub fn chain(role: &str, element: usize, digit: usize) -> Vec<ChainElement> {
    let seed = format!("{role}/{element}/{digit}");
    let mut chain = vec![hash160::Hash::hash(seed.as_bytes()).to_byte_array()];
    for n in 0..usize::from(MAX_DIGIT) {
        chain.push(hash160::Hash::hash(&chain[n]).to_byte_array());
    }
    chain
}

pub fn public_key(role: &str, element: usize, shape: Shape) -> PublicKey {
    PublicKey(
        (0..shape.digits())
            .map(|n| chain(role, element, n)[15])
            .collect(),
    )
}

pub fn sign(role: &str, element: usize, message: &[u8]) -> Signature {
    let digits = with_checksum(message);
    let pairs = digits.iter().enumerate();
    Signature(
        pairs
            .map(|(n, d)| (chain(role, element, n)[usize::from(MAX_DIGIT - d)], *d))
            .collect(),
    )
}

pub fn x_only(n: u8) -> XOnlyPublicKey {
    let secp = bitcoin::secp256k1::Secp256k1::new();
    let secret = bitcoin::secp256k1::SecretKey::from_slice(&[n + 1; 32]).unwrap();
    secret.x_only_public_key(&secp).0
}

pub fn keys(plan: &Plan) -> Vec<PublicKey> {
    let elements = plan.elements.iter().enumerate();
    elements
        .map(|(n, e)| public_key("claimer", n, e.shape()))
        .collect()
}

/// The digits of every element in an honest run.
pub fn messages(plan: &Plan, inputs: &[u32]) -> (Vec<Vec<u8>>, word::End) {
    let execution = word::run(&plan.program, inputs);
    let messages = plan.elements.iter().map(|element| {
        let words: Vec<u32> = element
            .words
            .iter()
            .map(|w| execution.values[w.value.index()])
            .collect();
        words_to_digits(&words, &element.digits())
    });
    (messages.collect(), execution.end)
}

pub fn leaf(plan: &Plan, segment: usize, claimed: u8, challengers: usize) -> Disprove {
    let last = segment + 1 == plan.segments.len();
    let body = body(plan, segment, last.then_some(claimed)).unwrap();
    let challengers: Vec<XOnlyPublicKey> = (0..challengers as u8).map(x_only).collect();
    disprove(plan, segment, &body, &keys(plan), &challengers).unwrap()
}

pub fn witness(leaf: &Disprove, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let sign = |id: ElementId| Some(sign("claimer", id.index(), &messages[id.index()]));
    leaf.witness(sign, 0, &[1; 64]).unwrap()
}

pub fn spend(leaf: &Disprove, messages: &[Vec<u8>]) -> Outcome {
    let outcome = run(
        leaf.script.as_bytes(),
        &witness(leaf, messages),
        &Rules::default(),
    );
    assert!(
        outcome.peak <= leaf.peak,
        "{:?} > {:?}",
        outcome.peak,
        leaf.peak
    );
    outcome
}
