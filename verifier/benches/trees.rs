//! How fast an instance's trees are built, beside hashing alone, and how much of an instance's
//! set-up is only keys: `cargo bench -p gavel-verifier --bench trees`.
//!
//! All ratios are of one run. Bodies are made once per program, before anything is timed here.

#![allow(clippy::unwrap_used, missing_docs)]

use bitcoin::ScriptBuf;
use bitcoin::XOnlyPublicKey;
use gavel_compiler::commit::PublicKey;
use gavel_compiler::script::{ScriptError, disprove, disprove_hash};
use gavel_compiler::segment::{Body, Plan};
use gavel_compiler::tap::{Tree, TreeError, leaf_hash};
use gavel_compiler::{Compiled, Options, compile};
use gavel_verifier::sample::seed;
use gavel_verifier::sign::{OneTimeKeys, Role};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Failed;

impl From<TreeError> for Failed {
    fn from(_: TreeError) -> Self {
        Self
    }
}

impl From<ScriptError> for Failed {
    fn from(_: ScriptError) -> Self {
        Self
    }
}

/// The median of several runs.
fn time<T>(work: impl Fn() -> T) -> Duration {
    let once = || {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    let mut all: Vec<Duration> = (0..15).map(|_| once()).collect();
    all.sort();
    all[all.len() / 2]
}

fn compiled(name: &str) -> Compiled {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../contracts/{name}"));
    let source = std::fs::read_to_string(path.with_extension("gvl")).unwrap();
    let params = std::fs::read_to_string(path.with_extension("params.json")).unwrap();
    let params = serde_json::from_str(&params).unwrap();
    compile(source.as_str(), &params, &Options::default(), &|_, _| {}).unwrap()
}

/// A claimer's leaves: segment and body of each.
fn leaves(compiled: &Compiled) -> Vec<(usize, &Body)> {
    let all = compiled.bodies.iter().enumerate();
    all.flat_map(|(segment, bodies)| bodies.iter().map(move |body| (segment, body)))
        .collect()
}

struct Instance<'a> {
    plan: &'a Plan,
    leaves: Vec<(usize, &'a Body)>,
    keys: Vec<PublicKey>,
    challengers: Vec<XOnlyPublicKey>,
}

impl Instance<'_> {
    fn tree(&self) -> Tree {
        Tree::hashed(self.leaves.len(), |n| {
            let (segment, body) = self.leaves[n];
            let (keys, challengers) = (&self.keys, &self.challengers);
            Ok::<_, Failed>(disprove_hash(self.plan, segment, body, keys, challengers)?)
        })
        .unwrap()
    }

    fn scripts(&self) -> Vec<ScriptBuf> {
        let script = |(segment, body): &(usize, &Body)| {
            disprove(self.plan, *segment, body, &self.keys, &self.challengers)
        };
        self.leaves
            .iter()
            .map(|leaf| script(leaf).unwrap().script)
            .collect()
    }
}

fn report(name: &str) {
    let start = Instant::now();
    let compiled = compiled(name);
    let compiling = start.elapsed();
    let plan = &compiled.plan;
    let id = compiled.contract.id;
    let seed = seed(0);
    let secrets = OneTimeKeys::new(&seed, &id, &[7; 32]);
    let shapes: Vec<_> = (0..).zip(plan.elements.iter().map(|e| e.shape())).collect();
    let derive = || secrets.public_keys(Role::Claimer, &shapes);
    let made = Instance {
        plan,
        leaves: leaves(&compiled),
        keys: derive(),
        challengers: vec![seed.party_key(&id).public()],
    };
    let scripts = made.scripts();
    let bytes: usize = scripts.iter().map(|script| script.len()).sum();
    let bodies: usize = made.leaves.iter().map(|(_, body)| body.script.len()).sum();
    let hash_all = || {
        Tree::hashed(scripts.len(), |n| {
            Ok::<_, TreeError>(leaf_hash(&scripts[n]))
        })
        .unwrap()
    };
    assert_eq!(hash_all().root(), made.tree().root());

    println!(
        "{name}: {} leaves, {bytes} bytes, {bodies} of them bodies, made in {compiling:.1?}",
        scripts.len()
    );
    println!(
        "{:>8}{:>16}{:>16}{:>8}{:>14}{:>12}",
        "threads", "hashing MB/s", "trees MB/s", "ratio", "keys ms", "keys' share"
    );
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let hashing = pool.install(|| time(hash_all));
        let building = pool.install(|| time(|| made.tree()));
        let keys = pool.install(|| time(derive));
        let rate = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e6;
        println!(
            "{threads:>8}{:>16.0}{:>16.0}{:>8.2}{:>14.1}{:>11.0}%",
            rate(hashing),
            rate(building),
            hashing.as_secs_f64() / building.as_secs_f64(),
            keys.as_secs_f64() * 1e3,
            100.0 * keys.as_secs_f64() / (keys + building).as_secs_f64(),
        );
    }
}

fn main() {
    for name in ["tic_tac_toe", "merkle_raffle"] {
        report(name);
        println!();
    }
}
