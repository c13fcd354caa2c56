//! Every contract of `contracts/`: checked, instantiated, and every case of its play run.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::commit::{MAX_DIGIT, Shape, hash_chain};
use gavel_compiler::contract::Contract;
use gavel_compiler::diagnostic::{Diagnostic, Style};
use gavel_compiler::value::{decode_inputs, encode_inputs};
use gavel_compiler::word::{End, run};
use gavel_compiler::{check, instantiate, run_tests};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const NAMES: &[&str] = &[
    "auction",
    "auction5",
    "channel",
    "escrow",
    "merkle_raffle",
    "price_bet",
    "price_feed",
    "tic_tac_toe",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

fn text(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn json(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap()
}

fn drawn(source: &str, path: &str, diagnostics: &[Diagnostic]) -> String {
    let draw = |d: &Diagnostic| d.draw(source, path, Style::Plain);
    diagnostics
        .iter()
        .map(draw)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn load(name: &str) -> Contract {
    let source = text(&format!("{name}.gvl"));
    let params: Map<String, Value> = json(&format!("{name}.params.json"))
        .as_object()
        .unwrap()
        .clone();
    let (contract, warnings) =
        instantiate(&source, &params).unwrap_or_else(|d| panic!("{}", drawn(&source, name, &d)));
    assert!(warnings.is_empty(), "{}", drawn(&source, name, &warnings));
    contract
}

#[test]
fn every_contract_is_listed() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "gvl"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    let mut names: Vec<String> = NAMES.iter().map(|n| (*n).to_owned()).collect();
    names.sort();
    assert_eq!(found, names);
}

#[test]
fn every_case_ends_as_it_says() {
    for name in NAMES {
        let contract = load(name);
        let program = &contract.program;
        let play = json(&format!("{name}.play.json"));
        let mut reached = BTreeSet::new();
        let mut aborts = 0;
        for case in play["cases"].as_array().unwrap() {
            let title = format!("{name}: {}", case["name"]);
            let words = encode_inputs(&contract.inputs, &case["inputs"])
                .unwrap_or_else(|e| panic!("{title}: {e}"));
            assert_eq!(words.len(), program.input_words(), "{title}");
            let again = decode_inputs(&contract.inputs, &words).unwrap();
            assert_eq!(
                encode_inputs(&contract.inputs, &again).as_ref(),
                Ok(&words),
                "{title}"
            );
            match run(program, &words).end {
                End::Outcome(n) => {
                    let outcome = &program.outcomes[n as usize];
                    assert_eq!(case["expect"], **outcome, "{title}");
                    reached.insert(outcome.clone());
                }
                End::Abort(code) => {
                    let abort = &program.aborts[usize::from(code)].name;
                    assert_eq!(case["aborts"], **abort, "{title}");
                    aborts += 1;
                }
            }
        }
        assert!(
            play["cases"][0]["expect"].is_string(),
            "{name}: the first case is true"
        );
        assert!(aborts > 0, "{name}: some case aborts");
        // The raffle's parameters pin the ticket that is drawn.
        let wants = match *name {
            "merkle_raffle" => 1,
            // A tie goes to the first, so the last bidder never pays the highest price.
            "auction" | "auction5" => program.outcomes.len() - 1,
            _ => program.outcomes.len(),
        };
        assert_eq!(
            reached.len(),
            wants,
            "{name}: outcomes reached: {reached:?}"
        );
    }
}

#[test]
fn tests_in_the_sources_pass() {
    for name in NAMES {
        let reports = run_tests(&text(&format!("{name}.gvl"))).unwrap();
        for report in reports {
            assert!(report.failures.is_empty(), "{name}: {report:?}");
        }
    }
}

#[test]
fn checks_are_clean() {
    for name in NAMES {
        let source = text(&format!("{name}.gvl"));
        let checked = check(&source);
        assert!(
            checked.diagnostics.is_empty(),
            "{}",
            drawn(&source, name, &checked.diagnostics)
        );
    }
}

/// The public key of demo attestor 0, as the demo derives it.
#[test]
fn the_demo_oracle_is_derived_from_its_seed() {
    let shape = Shape::of_words(&[8, 8]);
    let key: Vec<String> = (0..shape.digits() as u16)
        .map(|digit| {
            let mut seed = b"gavel/demo-attestor".to_vec();
            seed.push(0);
            seed.extend(digit.to_le_bytes());
            let secret = &Sha256::digest(&seed)[..20];
            let end = hash_chain(secret, MAX_DIGIT);
            end.iter().map(|byte| format!("{byte:02x}")).collect()
        })
        .collect();
    assert_eq!(json("price_feed.params.json")["oracle"], Value::from(key));
}

/// Sizes, so that a change of lowering is seen.
#[test]
fn programs_have_known_sizes() {
    let sizes: Vec<String> = NAMES
        .iter()
        .map(|name| {
            let program = load(name).program;
            let (insts, inputs) = (program.insts.len(), program.inputs.len());
            format!(
                "{name}: {insts} operations, {inputs} input elements, {} words",
                program.input_words()
            )
        })
        .collect();
    insta::assert_snapshot!(sizes.join("\n"));
}
