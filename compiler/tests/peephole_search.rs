//! Looks for rules that would pay: every short piece of the contracts' bodies, against the
//! shortest script of all with the same effect.
//!
//! `cargo test -p gavel-compiler --test peephole_search -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::instantiate;
use gavel_compiler::script::bodies;
use gavel_compiler::script::code::{Code, Item, items, number};
use gavel_compiler::script::peephole::proof::{Demand, Effect, Term};
use gavel_compiler::script::peephole::rules::{Top, bytes};
use gavel_compiler::segment::{Budget, plan};
use std::collections::BTreeMap;
use std::path::Path;

type Key = (Vec<Term>, Vec<Term>, Vec<Demand>);

/// How deep pieces may reach.
const REACH: usize = 6;
/// Most words of a replacement.
const WORDS: usize = 4;

fn words() -> Vec<Vec<Item>> {
    let codes = "DUP 2DUP 3DUP OVER 2OVER SWAP 2SWAP ROT 2ROT TUCK DROP 2DROP NIP ADD SUB \
                 1ADD 1SUB TOALTSTACK FROMALTSTACK";
    let code = |name: &str| vec![Item::Code(Code::from_name(name).unwrap())];
    let mut words: Vec<_> = codes.split_whitespace().map(code).collect();
    for (depth, name) in [
        (2, "PICK"),
        (3, "PICK"),
        (4, "PICK"),
        (3, "ROLL"),
        (4, "ROLL"),
    ] {
        words.push([vec![Item::Push(number(depth))], code(name)].concat());
    }
    words
}

/// The shortest script of each effect.
fn shortest() -> BTreeMap<Key, Vec<Item>> {
    let mut best: BTreeMap<Key, Vec<Item>> = BTreeMap::new();
    let words = words();
    let mut last = vec![vec![]];
    for _ in 0..=WORDS {
        let mut next = Vec::new();
        for script in last {
            let effect = Effect::of(&script, Top::Any);
            let Some(key) = effect.and_then(|effect| effect.key(REACH, 2)) else {
                continue;
            };
            let found = best.get(&key);
            if found.is_some_and(|found| bytes(found) <= bytes(&script)) {
                continue;
            }
            best.insert(key, script.clone());
            next.extend(
                words
                    .iter()
                    .map(|word| [script.clone(), word.clone()].concat()),
            );
        }
        last = next;
    }
    best
}

fn text(items: &[Item]) -> String {
    let word = |item: &Item| match item {
        Item::Code(code) => code.name().to_owned(),
        Item::Push(data) => format!("{:?}", gavel_compiler::script::code::parse_number(data)),
        Item::Bad(_) => "bad".into(),
    };
    items.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "a search, not a test"]
fn what_would_pay() {
    let best = shortest();
    println!("{} effects", best.len());
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "gvl") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let params = std::fs::read_to_string(path.with_extension("params.json")).unwrap();
        let params = serde_json::from_str(&params).unwrap();
        let contract = instantiate(&source, &params).unwrap().0;
        let plan = plan(&contract.program, &Budget::default()).unwrap();
        let all = bodies(&plan, &|_, _| {}).unwrap();
        let total: usize = all.iter().flatten().map(|body| body.script.len()).sum();
        println!("{}: {total} bytes of bodies", path.display());
        for script in all.iter().flatten().map(|body| &body.script) {
            let script: Vec<Item> = items(script).map(|(_, item)| item).collect();
            for start in 0..script.len() {
                for end in start + 1..(start + 8).min(script.len()) {
                    let piece = &script[start..end];
                    let Some(effect) = Effect::of(piece, Top::Any) else {
                        continue;
                    };
                    let Some(key) = effect.key(REACH, 2) else {
                        break;
                    };
                    let Some(short) = best.get(&key) else {
                        continue;
                    };
                    let reach = Effect::of(short, Top::Any).unwrap().reach();
                    if bytes(short) < bytes(piece) && reach <= effect.reach() {
                        let name = format!("{} => {}", text(piece), text(short));
                        let count = found.entry(name).or_default();
                        count.0 += 1;
                        count.1 += bytes(piece) - bytes(short);
                        break;
                    }
                }
            }
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(name, (count, saved))| (std::cmp::Reverse(*saved), *count, name.clone()));
    for (name, (count, saved)) in found.iter().take(60) {
        println!("{saved:6} bytes in {count:6} places: {name}");
    }
}
