//! Keys, signatures and honest frames for tests of plans and leaves.
#![allow(dead_code, clippy::unwrap_used)]

pub mod asm;
pub mod bodies;
pub mod core;
pub mod frames;
pub mod stretch;

use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash, hash160};
use gavel_compiler::commit::{
    ChainElement, MAX_DIGIT, PublicKey, Shape, Signature, with_checksum, words_to_digits,
};
use gavel_compiler::script::vm::{Outcome, Rules, Why, run};
use gavel_compiler::script::{AssertReveal, ClaimElement, ClaimReveal, Disprove, body, disprove};
use gavel_compiler::segment::{Budget, ElementId, Plan, costs, plan};
use gavel_compiler::word::{self, Author, End, Program};

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
pub fn messages(plan: &Plan, inputs: &[u32]) -> (Vec<Vec<u8>>, End) {
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

/// The leaf that reveals a group of inputs.
pub fn claim_leaf(plan: &Plan, group: &[ElementId]) -> ClaimReveal {
    let element = |id: &ElementId| {
        let element = &plan.program.inputs[id.index()];
        let author = public_key("author", id.index(), element.author_shape());
        ClaimElement {
            words: element.words.clone(),
            claimer: public_key("claimer", id.index(), Shape::of_words(&element.words)),
            author: (element.author != Author::Anyone).then_some(author),
            optional: element.optional,
        }
    };
    let elements: Vec<ClaimElement> = group.iter().map(element).collect();
    ClaimReveal::new(&elements, x_only(0)).unwrap()
}

/// The leaf that reveals a group of frames.
pub fn assert_leaf(plan: &Plan, group: &[ElementId]) -> AssertReveal {
    let shape = |id: &ElementId| plan.elements[id.index()].shape();
    let keys = group
        .iter()
        .map(|id| public_key("claimer", id.index(), shape(id)));
    let keys: Vec<PublicKey> = keys.collect();
    let elements: Vec<_> = keys.iter().zip(group.iter().map(shape)).collect();
    AssertReveal::new(&elements, x_only(0)).unwrap()
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

/// Which leaves can be spent with these messages.
pub fn spendable(plan: &Plan, claimed: u8, messages: &[Vec<u8>]) -> Vec<usize> {
    let spends = |segment: &usize| {
        let leaf = leaf(plan, *segment, claimed, 1);
        match spend(&leaf, messages).verdict {
            Ok(()) => true,
            // With a correct before-frame a leaf refuses for no other reason.
            Err(refusal) => {
                assert_eq!(refusal.why, Why::False, "segment {segment}: {refusal}");
                false
            }
        }
    };
    (0..plan.segments.len()).filter(spends).collect()
}

/// Plays a program with these inputs: the leaves of its plan accuse liars, and nobody else.
pub fn check_leaves(program: &Program, inputs: &[u32], budget: &Budget) {
    let plan = plan(program, budget).unwrap();
    let (honest, end) = messages(&plan, inputs);
    assert_eq!(end, word::run(program, inputs).end);
    let last = plan.segments.len() - 1;
    match end {
        End::Outcome(outcome) => {
            let outcome = outcome as u8;
            let other = (outcome + 1) % program.outcomes.len() as u8;
            assert_eq!(spendable(&plan, outcome, &honest), Vec::<usize>::new());
            assert_eq!(spendable(&plan, other, &honest), vec![last]);
            // Every element that a segment writes, one digit wrong.
            for (n, segment) in plan.segments.iter().enumerate() {
                for (k, id) in segment.writes.iter().enumerate() {
                    let mut wrong = honest.clone();
                    let message = &mut wrong[id.index()];
                    let at = (n * 7 + k * 3) % message.len();
                    message[at] = (message[at] + 1 + (n as u8 % 15)) % 16;
                    let leaf = leaf(&plan, n, outcome, 1);
                    assert_eq!(spend(&leaf, &wrong).verdict, Ok(()), "{id:?} of {n}");
                }
            }
        }
        End::Abort(_) => assert!(!spendable(&plan, 0, &honest).is_empty()),
    }
    check_costs(&plan, budget);
}

/// Lengths and peaks of leaves are those that the cost model gives, and all keep the budget,
/// whichever outcome is claimed.
pub fn check_costs(plan: &Plan, budget: &Budget) {
    let challengers: Vec<XOnlyPublicKey> = (0..budget.challengers as u8).map(x_only).collect();
    let keys = keys(plan);
    let shapes = plan.elements.iter().map(|element| element.shape());
    let digits: Vec<Vec<u8>> = shapes.map(|shape| vec![0; shape.message]).collect();
    for cost in costs(plan, budget).unwrap() {
        let last = cost.segment + 1 == plan.segments.len();
        let outcomes = if last { plan.program.outcomes.len() } else { 1 };
        for claimed in 0..outcomes as u8 {
            let body = body(plan, cost.segment, last.then_some(claimed)).unwrap();
            let leaf = disprove(plan, cost.segment, &body, &keys, &challengers).unwrap();
            if claimed == 0 {
                assert_eq!(leaf.script.len(), cost.leaf_bytes);
                assert_eq!(body.peak, cost.peak);
            }
            let weight = cost.weight.0 + leaf.script.len() as u64 - cost.leaf_bytes as u64;
            assert!(weight <= budget.max_leaf_weight.0, "{claimed} claimed");
            assert!(leaf.peak <= body.peak && body.peak <= budget.max_stack);
            let stack = witness(&leaf, &digits);
            assert_eq!(stack.len(), cost.witness_items);
            let bytes: usize = stack.iter().map(|item| item.len() + 1).sum();
            assert_eq!(bytes, cost.witness_bytes);
        }
    }
}
