//! Listings of leaves, and runs of them forwards and backwards.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/marks.rs"]
mod marks;
mod support;

use gavel_compiler::listing::{About, Listing, Names, Session};
use gavel_compiler::script::Disprove;
use gavel_compiler::script::vm::{Rules, Why, run};
use gavel_compiler::units::Weight;
use gavel_compiler::value::encode_inputs;
use gavel_compiler::word::End;
use gavel_compiler::{Compiled, Options, compile};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use support::*;

const SMALL: &[(&str, Option<u64>)] = &[
    ("tic_tac_toe", None),
    ("tic_tac_toe", Some(9_000)),
    ("auction", None),
    ("price_feed", None),
    ("escrow", None),
    ("price_bet", None),
];

fn json(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../contracts")
        .join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A contract, compiled once.
fn compiled(name: &str, weight: Option<u64>) -> Arc<Compiled> {
    type Known = HashMap<(String, Option<u64>), Arc<Compiled>>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap();
    let made = known.entry((name.to_owned(), weight));
    Arc::clone(made.or_insert_with(|| Arc::new(compile_file(name, weight))))
}

fn compile_file(name: &str, weight: Option<u64>) -> Compiled {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../contracts")
        .join(format!("{name}.gvl"));
    let source = std::fs::read_to_string(path).unwrap();
    let params = json(&format!("{name}.params.json"));
    let mut options = Options::default();
    if let Some(weight) = weight {
        options.max_leaf_weight = Weight(weight);
    }
    compile(&source, params.as_object().unwrap(), &options, &|_, _| {}).unwrap()
}

/// The input words of every example.
fn examples(name: &str, compiled: &Compiled) -> Vec<Vec<u32>> {
    let play = json(&format!("{name}.play.json"));
    let cases = play["cases"].as_array().unwrap();
    let encode = |case: &Value| encode_inputs(&compiled.contract.inputs, &case["inputs"]).unwrap();
    cases.iter().map(encode).collect()
}

#[test]
fn the_example_has_segments() {
    assert!(compiled("tic_tac_toe", Some(9_000)).plan.segments.len() > 3);
}

/// The leaf of a segment as tests sign for it.
fn listed(compiled: &Compiled, segment: usize, claimed: u8) -> (Listing, Disprove) {
    let last = segment + 1 == compiled.plan.segments.len();
    let of = last.then_some(claimed);
    Listing::segment(compiled, segment, of, &keys(&compiled.plan), &[x_only(0)]).unwrap()
}

#[test]
fn names_are_right() {
    for (name, weight) in SMALL {
        let compiled = compiled(name, *weight);
        let runs = examples(name, &compiled);
        let seen = marks::check_marks(&compiled.plan, &runs);
        let ends = |words: &&Vec<u32>| !matches!(messages(&compiled.plan, words).1, End::Abort(_));
        let ending = runs.iter().filter(ends).count();
        assert!(seen > 40 * ending, "{name}: {seen}");
    }
}

#[test]
fn runs_cover_the_leaf_and_know_what_they_do() {
    for (name, weight) in SMALL {
        let compiled = compiled(name, *weight);
        for segment in 0..compiled.plan.segments.len() {
            let (listing, leaf) = listed(&compiled, segment, 0);
            assert_eq!(listing.script, leaf.script.to_bytes());
            let mut at = 0;
            for run in &listing.runs {
                assert_eq!(run.bytes.start, at);
                at = run.bytes.end;
                let about = listing.describe(run.about);
                assert!(!about.contains('?') && run.about != About::Other, "{about}");
            }
            assert_eq!(at, listing.script.len());
            let profile = listing.profile();
            let sum = |bytes: &mut dyn Iterator<Item = usize>| bytes.sum::<usize>();
            assert_eq!(sum(&mut profile.kinds.iter().map(|(_, n)| *n)), at);
            let lines = sum(&mut profile.lines.iter().map(|(_, n)| *n));
            assert_eq!(lines + profile.nowhere, at);
        }
    }
}

/// Everything that a session shows.
fn state(session: &Session<'_>) -> (usize, Vec<String>, Vec<String>) {
    let show = |(tag, bytes): (_, &[u8])| format!("{tag:?} {bytes:?}");
    let stack = session.stack().map(show).collect();
    (session.now(), stack, session.altstack().map(show).collect())
}

#[test]
fn a_listing_and_a_run_name_the_same_items() {
    for (name, weight) in SMALL {
        let compiled = compiled(name, *weight);
        let words = &examples(name, &compiled)[0];
        let (messages, _) = messages(&compiled.plan, words);
        for segment in 0..compiled.plan.segments.len() {
            let (listing, leaf) = listed(&compiled, segment, 0);
            let rules = Rules::default();
            let mut session = listing.session(&witness(&leaf, &messages), &rules);
            let mut walked: Vec<(usize, Names)> = Vec::new();
            listing.walk(|run, names| walked.push((run.steps.end, names.clone())));
            for (step, names) in walked {
                session.go(step);
                let now: Vec<_> = session.stack().map(|(tag, _)| tag).collect();
                if !session.is_active() {
                    continue; // a branch that is not taken
                }
                assert_eq!(now.len(), names.main.len(), "{name}, step {step}");
                for (now, named) in now.iter().zip(&names.main) {
                    // Branches name what they leave differently until it has a name of its own.
                    let number = |tag: &_| matches!(tag, gavel_compiler::listing::Tag::Number(_));
                    let unknown = |tag: &_| *tag == gavel_compiler::listing::Tag::Unknown;
                    let free = |tag: &_| number(tag) || unknown(tag);
                    assert!(
                        now == named || free(now) || free(named),
                        "{now:?} {named:?}"
                    );
                }
            }
            session.go(usize::MAX);
            assert_eq!(session.stack().map(|(tag, _)| tag).len(), 1);
        }
    }
}

#[test]
fn sessions_end_as_runs_do_and_say_why() {
    for (name, weight) in SMALL {
        let compiled = compiled(name, *weight);
        for words in examples(name, &compiled) {
            let (honest, end) = messages(&compiled.plan, &words);
            let End::Outcome(outcome) = end else { continue };
            for segment in 0..compiled.plan.segments.len() {
                let (listing, leaf) = listed(&compiled, segment, outcome as u8);
                let rules = Rules::default();
                let stack = witness(&leaf, &honest);
                let session = listing.session(&stack, &rules);
                assert_eq!(
                    *session.verdict(),
                    run(&listing.script, &stack, &rules).verdict
                );
                assert_eq!(session.verdict().as_ref().unwrap_err().why, Why::False);
                assert_eq!(session.reason(), None);
                for id in &compiled.plan.segments[segment].writes {
                    let mut wrong = honest.clone();
                    let digit = &mut wrong[id.index()][0];
                    let right = i64::from(*digit);
                    *digit = (*digit + 3) % 16;
                    let claimed = i64::from(*digit);
                    let session = listing.session(&witness(&leaf, &wrong), &rules);
                    assert_eq!(*session.verdict(), Ok(()));
                    let reason = session.reason().unwrap();
                    assert!(matches!(reason.about, About::Compare(_, 1)));
                    assert_eq!(reason.digits, Some((right, claimed)));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn back_is_where_it_was(forwards in 0usize..40_000, back in 0usize..5_000) {
        let compiled = compiled("tic_tac_toe", Some(9_000));
        let words = &examples("tic_tac_toe", &compiled)[0];
        let (messages, _) = messages(&compiled.plan, words);
        let (listing, leaf) = listed(&compiled, 2, 0);
        let rules = Rules::default();
        let mut session = listing.session(&witness(&leaf, &messages), &rules);
        let to = forwards % (session.last() + 1);
        let mut other = session.clone();
        other.go(to.saturating_sub(back));
        session.go(to);
        prop_assert_eq!(session.now(), to);
        let there = state(&session);
        session.go(to.saturating_sub(back));
        prop_assert_eq!(state(&session), state(&other));
        other.go(to);
        prop_assert_eq!(state(&other), there);
    }
}

#[test]
fn nothing_is_noted_unless_asked_for() {
    let compiled = compiled("price_feed", None);
    let mut notes = gavel_compiler::script::marks::Notes::off();
    let body = gavel_compiler::script::body_noted(&compiled.plan, 0, Some(0), &mut notes).unwrap();
    assert_eq!(body, compiled.bodies[0][0]);
    assert_eq!(notes.all().count(), 0);
    assert!(notes.program.is_none());
}
