//! Leaves: what they accept and refuse, in our machine and in Bitcoin Core's consensus code.
#![allow(clippy::unwrap_used)]

mod support;

use gavel_compiler::commit::{Shape, Signature};
use gavel_compiler::script::leaf::MAX_ITEMS;
use gavel_compiler::script::vm::{Rules, run};
use gavel_compiler::script::{AssertReveal, ClaimElement, ClaimReveal, ClaimSignature, body};
use gavel_compiler::segment::{Budget, plan};
use gavel_compiler::tap::Tree;
use gavel_compiler::units::{StackDepth, Weight};
use gavel_compiler::word::{Author, Builder, End, InputElement, Op, Program};
use support::core::{accepts, core_accepts};
use support::*;

/// A witness, one of its items replaced.
fn with(stack: &[Vec<u8>], at: usize, item: &[u8]) -> Vec<Vec<u8>> {
    let mut stack = stack.to_vec();
    stack[at] = item.to_vec();
    stack
}

#[test]
fn a_commitment_has_one_witness() {
    let shape = Shape { message: 5 };
    let key = public_key("claimer", 0, shape);
    let leaf = AssertReveal::new(&[(&key, shape)], x_only(0)).unwrap();
    assert_eq!(leaf.script.len(), AssertReveal::script_len(&[shape]));
    let message = [0, 15, 7, 8, 1];
    let signature = sign("claimer", 0, &message);
    let stack = leaf.witness(std::slice::from_ref(&signature), &[1; 64]);
    assert_eq!(stack.len(), AssertReveal::items(&[shape]));
    assert_eq!(
        stack.iter().map(|item| item.len() + 1).sum::<usize>(),
        AssertReveal::witness_len(&[shape])
    );
    assert_eq!(leaf.parse(&stack), Some(vec![signature.clone()]));
    let check = |stack: &[Vec<u8>], want: bool| {
        let signed = |schnorr: &[u8; 64]| with(stack, stack.len() - 1, schnorr);
        assert_eq!(accepts(&leaf.script, 0, signed), want);
    };
    check(&stack, true);
    let outcome = run(leaf.script.as_bytes(), &stack, &Rules::default());
    assert_eq!(outcome.peak, leaf.peak);
    for digit in 0..shape.digits() {
        // Another number, 0 and 17 as the item, negative, padded, too long.
        let item = stack[2 * digit + 1][0];
        for bad in [
            &[item % 16 + 1][..],
            &[0],
            &[],
            &[0x80],
            &[17],
            &[0x81],
            &[item | 0x80],
            &[item, 0],
            &[item, 0, 0, 0, 0],
        ] {
            check(&with(&stack, 2 * digit + 1, bad), false);
        }
        let element = &stack[2 * digit];
        for bad in [
            &element[..19],
            &[&element[..], &[0]].concat(),
            &[5; 81],
            &[],
            &[9; 20],
        ] {
            check(&with(&stack, 2 * digit, bad), false);
        }
        // Elements of an odd size that hash to the right chain.
        if digit < shape.message && message[digit] > 0 {
            let mut lowered = signature.clone();
            let chain = chain("claimer", 0, digit);
            let lower = usize::from(message[digit]) - 1;
            lowered.0[digit] = (chain[15 - lower], lower as u8);
            check(&leaf.witness(&[lowered], &[1; 64]), false);
        }
    }
    check(&stack[1..], false);
    check(&[vec![vec![]], stack.clone()].concat(), false);
    let other = |schnorr: &[u8; 64]| with(&stack, stack.len() - 1, schnorr);
    assert!(!core_accepts(&leaf.script, 1, other));
    // The key itself as the element of digit 16.
    let forged = with(&with(&stack, 0, &key.0[0]), 1, &[17]);
    check(&forged, false);
}

#[test]
fn every_message_digit_is_accepted() {
    for shape in [
        Shape { message: 1 },
        Shape { message: 16 },
        Shape { message: 33 },
    ] {
        let key = public_key("claimer", 3, shape);
        let leaf = AssertReveal::new(&[(&key, shape)], x_only(0)).unwrap();
        assert_eq!(leaf.script.len(), AssertReveal::script_len(&[shape]));
        for start in 0..16u8 {
            let message: Vec<u8> = (0..shape.message as u8).map(|n| (n + start) % 16).collect();
            let stack = leaf.witness(&[sign("claimer", 3, &message)], &[1; 64]);
            let verdict = run(leaf.script.as_bytes(), &stack, &Rules::default()).verdict;
            assert_eq!(verdict, Ok(()));
        }
    }
}

/// As many digits as a leaf may take, and more than the stack holds.
#[test]
fn leaves_fill_the_stack() {
    for (messages, taken) in [([241, 244], true), ([241, 256], false)] {
        let shapes = messages.map(|message| Shape { message });
        let keys = [0, 1].map(|n| public_key("claimer", n, shapes[n]));
        let elements = [(&keys[0], shapes[0]), (&keys[1], shapes[1])];
        let leaf = AssertReveal::new(&elements, x_only(0)).unwrap();
        assert_eq!(AssertReveal::items(&shapes) <= MAX_ITEMS, taken);
        assert_eq!(leaf.peak <= StackDepth::MAX, taken);
        let signatures = [0, 1].map(|n| sign("claimer", n, &vec![n as u8 + 7; messages[n]]));
        let stack = |schnorr: &[u8; 64]| leaf.witness(&signatures, schnorr);
        assert_eq!(accepts(&leaf.script, 0, stack), taken);
    }
}

fn claim(author: bool, optional: bool) -> ClaimElement {
    let mut element = ClaimElement {
        words: vec![1, 8, 3],
        claimer: public_key("claimer", 0, Shape { message: 12 }),
        author: None,
        optional,
    };
    let shape = element.author_shape();
    element.author = author.then(|| public_key("author", 0, shape));
    element
}

#[test]
fn claims_need_their_authors() {
    for (authored, optional) in [(false, false), (true, false), (false, true), (true, true)] {
        let element = claim(authored, optional);
        let elements = [element.clone(), element.clone()];
        let leaf = ClaimReveal::new(&elements, x_only(0)).unwrap();
        assert_eq!(leaf.script.len(), ClaimReveal::script_len(&elements));
        let skip = usize::from(optional);
        let check = |signatures: &[ClaimSignature], want: bool| {
            let stack = |schnorr: &[u8; 64]| leaf.witness(signatures, schnorr);
            assert_eq!(
                accepts(&leaf.script, 0, stack),
                want,
                "{authored} {optional}"
            );
            if want {
                assert_eq!(leaf.parse(&stack(&[1; 64])), Some(signatures.to_vec()));
            }
        };
        for tag in [0u8, 1, 5] {
            let message = [tag, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
            let present = !optional || tag == 1;
            let good = ClaimSignature {
                claimer: sign("claimer", 0, &message),
                author: (authored && present).then(|| sign("author", 0, &message[skip..])),
            };
            check(&[good.clone(), good.clone()], true);
            let stack = leaf.witness(&[good.clone(), good.clone()], &[1; 64]);
            let blank = |_| optional && !present;
            let bytes: usize = stack.iter().map(|item| item.len() + 1).sum();
            assert_eq!(bytes, ClaimReveal::witness_len(&elements, blank));
            if present {
                assert_eq!(stack.len(), ClaimReveal::items(&elements));
                let outcome = run(leaf.script.as_bytes(), &stack, &Rules::default());
                assert_eq!(outcome.peak, leaf.peak);
            }
            if authored {
                let mut other = message;
                other[4] ^= 1;
                let bad = ClaimSignature {
                    author: match good.author {
                        Some(_) => Some(sign("author", 0, &other[skip..])),
                        None => Some(sign("author", 0, &message[skip..])),
                    },
                    ..good.clone()
                };
                check(&[good.clone(), bad], false);
                if good.author.is_some() {
                    let bad = ClaimSignature {
                        author: None,
                        ..good.clone()
                    };
                    check(&[bad, good], false);
                }
            }
        }
    }
}

/// Four segments or so of mixing; the outcome is a bit of the end.
fn chain_program() -> Program {
    let mut builder = Builder::new();
    let words = builder.input(InputElement {
        name: "x".into(),
        words: vec![8, 8, 1],
        author: Author::Anyone,
        optional: false,
    });
    let (mut a, mut b) = (words[0], words[1]);
    for n in 0..120 {
        let sum = builder.push(Op::Add(a, b));
        let turned = builder.push(Op::Rotr(sum, 5 + n % 7));
        b = builder.push(Op::Xor(turned, a));
        a = builder.push(Op::Sub(sum, words[1]));
    }
    let one = builder.constant(1);
    let mut outcome = builder.push(Op::And(a, one));
    let flag = builder.push(Op::Eq(words[2], one));
    outcome = builder.push(Op::Xor(outcome, flag));
    builder.finish(outcome, vec!["even".into(), "odd".into()])
}

#[test]
fn core_agrees_on_disprove_leaves() {
    let budget = Budget {
        max_leaf_weight: Weight(24_000),
        ..Budget::default()
    };
    let plan = plan(&chain_program(), &budget).unwrap();
    assert!(plan.segments.len() > 2, "{}", plan.segments.len());
    let (honest, end) = messages(&plan, &[0xdead_beef, 0x1234_5678, 1]);
    let End::Outcome(outcome) = end else { panic!() };
    for (n, segment) in plan.segments.iter().enumerate() {
        for claimed in 0..2 {
            let leaf = leaf(&plan, n, claimed, 3);
            let try_with = |messages: &[Vec<u8>], challenger: usize| {
                let stack = |schnorr: &[u8; 64]| {
                    let sign = |id: gavel_compiler::segment::ElementId| {
                        Some(sign("claimer", id.index(), &messages[id.index()]))
                    };
                    leaf.witness(sign, challenger, schnorr).unwrap()
                };
                accepts(&leaf.script, challenger as u8, stack)
            };
            let last = n + 1 == plan.segments.len();
            assert_eq!(try_with(&honest, 0), last && u32::from(claimed) != outcome);
            for id in &segment.writes {
                let mut wrong = honest.clone();
                let digit = (n * 5) % wrong[id.index()].len();
                wrong[id.index()][digit] ^= 9;
                assert!(try_with(&wrong, 1));
                assert!(try_with(&wrong, 2));
                // Nobody's signature, however wrong the frame.
                let mut unsigned = witness(&leaf, &wrong);
                let items = unsigned.len();
                unsigned[items - 1] = vec![];
                assert!(!accepts(&leaf.script, 0, |_| unsigned.clone()));
            }
            let stack = witness(&leaf, &honest);
            let parsed = leaf.parse(&stack).unwrap();
            assert_eq!(parsed.len(), leaf.elements.len());
            let signatures: Vec<Signature> = parsed.into_iter().map(|(_, s)| s).collect();
            assert_eq!(
                signatures[0].message(leaf.shapes[0]).len(),
                leaf.shapes[0].message
            );
        }
    }
}

#[test]
fn threads_do_not_matter() {
    let program = chain_program();
    let budget = Budget {
        max_leaf_weight: Weight(24_000),
        ..Budget::default()
    };
    let make = || {
        let plan = plan(&program, &budget).unwrap();
        let bodies: Vec<_> = (0..plan.segments.len())
            .map(|n| body(&plan, n, Some(0)).unwrap())
            .collect();
        let tree = Tree::generate(plan.segments.len(), |n| {
            Ok::<_, gavel_compiler::tap::TreeError>(leaf(&plan, n, 0, 2).script)
        })
        .unwrap();
        (plan, bodies, tree)
    };
    let pool = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(make)
    };
    assert_eq!(pool(1), pool(5));
}
