//! Killing the process that writes, at any moment: what is opened next is the state after a whole
//! number of batches, with all that were reported, and nothing else.
//!
//! The process is this test binary itself, started again with [`DIR`] set. SIGKILL ends a process
//! between two instructions, but what it wrote stays with the system: a loss of power is another
//! thing, against which redb's own tests and its commits in two steps stand.

#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use gavel_compiler::ledger::State;
use gavel_prover::store::{Options, Store, StoreError};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

/// Where the process that is killed has its state.
const DIR: &str = "GAVEL_CRASH_DIR";
const SEED: &str = "GAVEL_CRASH_SEED";

/// So that checkpoints, appends, and the catching up of the log are killed about as often.
const OPTIONS: Options = Options {
    unsaved: 40_000,
    ..SMALL
};

/// The process that is killed: reports 0 when the genesis is there, then each batch.
#[test]
#[ignore = "started by the others"]
fn victim() {
    let (Ok(dir), Ok(seed)) = (std::env::var(DIR), std::env::var(SEED)) else {
        return;
    };
    let dir = Path::new(&dir);
    let mut store = match Store::open(dir, Some(CONTRACT), OPTIONS) {
        Err(StoreError::Missing(_)) => Store::create(dir, CONTRACT, b"crash", OPTIONS).unwrap(),
        opened => opened.unwrap(),
    };
    if store.tree.batch() == 0 && store.tree.cells() == 0 {
        common::seed(&mut store);
    }
    let mut model = Model {
        seed: seed.parse().unwrap(),
        batch: store.tree.batch(),
        state: state_of(&store),
    };
    report(model.batch);
    loop {
        append(&mut store, model.step()).unwrap();
        report(model.batch);
        if model.batch % 16 == 0 {
            store.tree = store.writer.recut().unwrap();
        }
    }
}

fn report(batch: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nreported {batch}").unwrap();
    out.flush().unwrap();
}

struct Victim {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Victim {
    fn start(dir: &Path, seed: u64) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--ignored", "--nocapture"])
            .env(DIR, dir)
            .env(SEED, seed.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    /// The next batch that it reports.
    fn next(&mut self) -> Option<u64> {
        let lines = self.out.by_ref().lines();
        let mut reports = lines.map_while(Result::ok).filter_map(|line| {
            let batch = line.strip_prefix("reported ")?;
            Some(batch.parse().unwrap())
        });
        reports.next()
    }

    /// Kills it, and gives the last batch that it reported.
    fn kill(mut self) -> Option<u64> {
        self.process.kill().unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.code().is_none(), "it ended by itself: {status}");
        std::iter::from_fn(|| self.next()).last()
    }
}

/// A state that processes die over, and the model of it.
struct Grave {
    dir: TempDir,
    model: Model,
    reported: Option<u64>,
}

impl Grave {
    fn new(seed: u64) -> Self {
        Self {
            dir: tempdir().unwrap(),
            model: Model::new(seed, genesis_state()),
            reported: None,
        }
    }

    /// Starts a process and kills it: after some batches, or some time, whatever comes first.
    fn kill(&mut self, random: &mut Random) {
        let place = self.dir.path().join("state");
        let mut victim = Victim::start(&place, self.model.seed);
        if random.below(3) > 0 {
            self.reported = self.reported.max(victim.next());
            for _ in 0..random.below(6) {
                self.reported = self.reported.max(victim.next());
            }
        }
        std::thread::sleep(Duration::from_micros(random.below(25_000)));
        self.reported = self.reported.max(victim.kill());
    }

    /// Opens what is left and compares. Gives the number of batches.
    fn check(&mut self) -> u64 {
        let place = self.dir.path().join("state");
        let store = match Store::open(&place, Some(CONTRACT), OPTIONS) {
            Err(StoreError::Missing(_)) if self.reported.is_none() => return 0,
            opened => opened.unwrap(),
        };
        if store.tree.batch() == 0 && self.reported.is_none() && store.tree.cells() == 0 {
            Model::new(0, State::new()).check(&store);
            return 0;
        }
        let last = store.tree.batch();
        assert!(
            Some(last) >= self.reported,
            "{last} after {:?}",
            self.reported
        );
        assert!(last >= self.model.batch);
        while self.model.batch < last {
            self.model.step();
        }
        self.model.check(&store);
        last
    }
}

/// Kills so many processes, over states that start anew now and then.
fn campaign(kills: u64, seed: u64) {
    let start = Instant::now();
    let mut random = Random(seed);
    let (mut done, mut batches, mut checks) = (0, 0, 0);
    while done < kills {
        let mut grave = Grave::new(random.next());
        let mut last = 0;
        for _ in 0..1 + random.below(12) {
            // Several in a row now and then, so that also those die that are catching up.
            for _ in 0..1 + random.below(3) {
                grave.kill(&mut random);
                done += 1;
            }
            last = grave.check();
            checks += 1;
        }
        batches += last;
    }
    println!(
        "{done} kills, {checks} checks, {batches} batches in {:?}",
        start.elapsed()
    );
    assert!(batches > done / 4, "the processes hardly got to work");
}

#[test]
fn killed_two_hundred_times() {
    campaign(200, 1);
}

/// `GAVEL_KILLS=5000 cargo test --release -p gavel-prover --test crash -- --ignored campaign`
#[test]
#[ignore = "takes as long as it is told"]
fn a_long_campaign() {
    let kills = std::env::var("GAVEL_KILLS").ok();
    let kills = kills.and_then(|kills| kills.parse().ok()).unwrap_or(2000);
    campaign(kills, 2);
}

#[test]
fn a_state_in_use_is_locked() {
    let dir = tempdir().unwrap();
    let place = dir.path().join("state");
    let mut victim = Victim::start(&place, 4);
    let reported = victim.next().unwrap();
    let refused = Store::open(&place, Some(CONTRACT), OPTIONS).unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
    let reported = victim.kill().max(Some(reported));
    let store = Store::open(&place, Some(CONTRACT), OPTIONS).unwrap();
    assert!(Some(store.tree.batch()) >= reported);
}
