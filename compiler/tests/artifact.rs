//! Artifacts: the same bytes from any number of threads, and none that was edited is believed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use gavel_compiler::artifact::{ArtifactError, CompileError, verify};
use gavel_compiler::script::{disprove, disprove_hash};
use gavel_compiler::segment::{Body, Plan};
use gavel_compiler::tap::{Tree, TreeError, leaf_hash};
use gavel_compiler::units::Weight;
use gavel_compiler::{Compiled, Options, compile};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use support::{assert_leaf, claim_leaf, keys, x_only};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".gvl").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

fn contract(name: &str) -> (String, Map<String, Value>) {
    let text = |ending: &str| std::fs::read_to_string(folder().join(format!("{name}.{ending}")));
    let params = serde_json::from_str(&text("params.json").unwrap()).unwrap();
    (text("gvl").unwrap(), params)
}

fn quiet(_: usize, _: usize) {}

fn compiled(name: &str) -> Result<Compiled, CompileError> {
    let (source, params) = contract(name);
    compile(&source, &params, &Options::default(), &quiet)
}

/// Every leaf of a contract, with the keys of tests, by one digest.
fn leaves_digest(plan: &Plan, bodies: &[Vec<Body>]) -> String {
    let keys = keys(plan);
    let mut scripts = Vec::new();
    for (segment, bodies) in bodies.iter().enumerate() {
        for body in bodies {
            let challengers = [x_only(0), x_only(1)];
            let leaf = disprove(plan, segment, body, &keys, &challengers).unwrap();
            let hash = disprove_hash(plan, segment, body, &keys, &challengers).unwrap();
            assert_eq!(hash, leaf_hash(&leaf.script), "segment {segment}");
            scripts.push(leaf.script);
        }
    }
    let tree = Tree::generate(scripts.len(), |n| Ok::<_, TreeError>(scripts[n].clone())).unwrap();
    let claims = plan
        .input_groups
        .iter()
        .map(|group| claim_leaf(plan, group).script);
    let asserts = plan
        .frame_groups
        .iter()
        .map(|group| assert_leaf(plan, group).script);
    scripts.extend(claims.chain(asserts));
    let mut engine = sha256::Hash::engine();
    for script in &scripts {
        engine.input(&(script.len() as u64).to_le_bytes());
        engine.input(script.as_bytes());
    }
    engine.input(&tree.root().to_byte_array());
    sha256::Hash::from_engine(engine).to_string()
}

/// The artifact and the leaves, made with so many threads.
fn made_with(threads: usize, name: &str, options: &Options) -> Result<[String; 2], CompileError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(|| {
        let (source, params) = contract(name);
        let compiled = compile(&source, &params, options, &quiet)?;
        let leaves = leaves_digest(&compiled.plan, &compiled.bodies);
        Ok([compiled.artifact().to_json(), leaves])
    })
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let tight = Options {
        max_leaf_weight: Weight(9_000),
    };
    let mut digests = Vec::new();
    for name in names() {
        for (of, options) in [("", Options::default()), (", cut small", tight)] {
            let one = made_with(1, &name, &options);
            for threads in [2, 3] {
                assert_eq!(
                    one,
                    made_with(threads, &name, &options),
                    "{name}, {threads}"
                );
            }
            digests.push(match one {
                Ok([artifact, leaves]) => {
                    let value: Value = serde_json::from_str(&artifact).unwrap();
                    let digest = value["digest"].as_str().unwrap().to_owned();
                    format!("{name}{of}: {digest}, leaves {leaves}")
                }
                Err(error) => format!("{name}{of}: {error}"),
            });
        }
    }
    // Changes whenever a generated script does: accept it then.
    insta::assert_snapshot!(digests.join("\n"));
}

#[test]
fn progress_goes_up_to_a_hundred_percent() {
    let (source, params) = contract("tic_tac_toe");
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done: usize, total: usize| seen.lock().unwrap().push((done, total));
    compile(&source, &params, &Options::default(), &progress).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() > 3);
    assert!(seen.iter().all(|(done, of)| done <= of && *of == 100));
    assert!(seen.contains(&(100, 100)));
}

#[test]
fn an_artifact_gives_its_contract_again() {
    for name in ["price_feed", "tic_tac_toe", "auction"] {
        let compiled = compiled(name).unwrap();
        let again = verify(&compiled.artifact().to_json(), &quiet).unwrap();
        assert_eq!(again, compiled, "{name}");
    }
}

/// What [`verify`] says after an edit of the artifact of `tic_tac_toe`.
fn check_edit(edit: impl FnOnce(&mut Value)) -> ArtifactError {
    let text = compiled("tic_tac_toe").unwrap().artifact().to_json();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    edit(&mut value);
    verify(&value.to_string(), &quiet).unwrap_err()
}

#[test]
fn every_field_is_compared() {
    let text = compiled("tic_tac_toe").unwrap().artifact().to_json();
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut leaves = Vec::new();
    pointers(&value, String::new(), &mut leaves);
    // A compilation each: take some of them, evenly.
    let inputs = [
        "/format",
        "/version",
        "/compiler",
        "/source",
        "/params",
        "/options",
    ];
    leaves.retain(|at| !inputs.iter().any(|input| at.starts_with(input)));
    let step = leaves.len().div_ceil(30);
    for at in leaves.iter().step_by(step) {
        let error = check_edit(|value| match value.pointer_mut(at) {
            Some(Value::String(text)) => text.push('x'),
            Some(Value::Number(n)) => {
                *value.pointer_mut(at).unwrap() = json!(n.as_u64().unwrap() + 1)
            }
            Some(other) => *other = json!("x"),
            None => panic!("{at}"),
        });
        match error {
            ArtifactError::Differs(difference) => assert_eq!(difference.pointer, *at),
            other => panic!("{at}: {other}"),
        }
    }
}

fn pointers(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                pointers(value, format!("{at}/{name}"), out);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                pointers(value, format!("{at}/{n}"), out);
            }
        }
        _ => out.push(at),
    }
}

#[test]
fn edits_are_named() {
    let shown = [
        check_edit(|a| a["params"]["stake"] = json!(60_000)),
        check_edit(|a| a["params"]["stake"] = json!("much")),
        check_edit(|a| a["params"]["prize"] = json!(1)),
        check_edit(|a| a["options"]["max_leaf_weight"] = json!(0)),
        check_edit(|a| a["options"] = json!({ "max_leaf_wait": 4 })),
        check_edit(|a| a["source"] = json!("contract X {}")),
        check_edit(|a| a["source"] = json!(7)),
        check_edit(|a| a["digest"] = json!("00")),
        check_edit(|a| a["version"] = json!(2)),
        check_edit(|a| a["compiler"] = json!("9.9.9")),
        check_edit(|a| a["format"] = json!("zip")),
        check_edit(|a| a["more/~"] = json!(1)),
        check_edit(|a| drop(a.as_object_mut().unwrap().remove("segments"))),
        check_edit(|a| drop(a["segments"].as_array_mut().unwrap().pop())),
        check_edit(|a| a["contract"]["coin"]["pay"][0]["payments"][0]["party"] = json!("bob")),
    ];
    let shown = shown.map(|error| error.to_string());
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn what_is_no_artifact_is_refused() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "\"gavel-artifact\"",
        "{\"format\": null}",
    ] {
        assert!(matches!(
            verify(text, &quiet),
            Err(ArtifactError::NotJson(_) | ArtifactError::NotAnArtifact)
        ));
    }
}

#[test]
fn a_smaller_limit_makes_more_segments() {
    let (source, params) = contract("tic_tac_toe");
    let whole = compile(&source, &params, &Options::default(), &quiet).unwrap();
    let options = Options {
        max_leaf_weight: Weight(9_000),
    };
    let cut = compile(&source, &params, &options, &quiet).unwrap();
    assert!(cut.plan.segments.len() > whole.plan.segments.len());
    let artifact = cut.artifact();
    for segment in &artifact.segments {
        assert!(segment.spend_weight <= options.max_leaf_weight);
    }
    assert_eq!(verify(&artifact.to_json(), &quiet).unwrap(), cut);
}

#[test]
fn options_out_of_range_are_refused() {
    let (source, params) = contract("price_feed");
    for weight in [0, 3_999, 400_001, u64::MAX] {
        let options = Options {
            max_leaf_weight: Weight(weight),
        };
        let error = compile(&source, &params, &options, &quiet).unwrap_err();
        assert!(matches!(error, CompileError::Option { .. }));
    }
}

#[test]
fn listings_show_source_lines_and_scripts() {
    let compiled = compiled("price_feed").unwrap();
    insta::assert_snapshot!(compiled.ir());
    assert_eq!(compiled.asm().count(), compiled.listings());
}
