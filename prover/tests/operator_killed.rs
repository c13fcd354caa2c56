//! An operator that is killed while it runs calls: what it reported is there afterwards, with the
//! roots that the reference gives, and it goes on from a whole number of batches.
//!
//! `crash.rs` does the same to the store alone, more often.

#![allow(clippy::unwrap_used)]
#![allow(missing_docs)]

use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, LedgerContract, Root, State, root};
use gavel_compiler::units::Height;
use gavel_prover::operator::Batch;
use gavel_prover::store::{Options, Store, StoreError};
use gavel_prover::{Operator, Settings};
use serde_json::Map;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const DIR: &str = "GAVEL_KILLED_DIR";
/// So many times if nobody asks for more with `GAVEL_CASES`.
const KILLS: u64 = 40;
const BATCHES: u64 = 4_000;

const SOURCE: &str = "
contract Counters {
    error TooMuch
    event Put { key: u64, value: u64 }
    state { count: map<u64, u64>, last: map<u64, u64>, sum: u64 }
    entry add(key: u64, n: u64) { count[key] += n sum += n }
    entry take(key: u64, n: u64) { count[key] -= n }
    entry put(key: u64, value: u64) {
        require value < 900 else TooMuch
        last[count[key] % 50] = value
        emit Put { key, value }
    }
}";

fn contract() -> LedgerContract {
    instantiate_ledger(SOURCE, &Map::new()).unwrap().0
}

fn settings() -> Settings {
    Settings {
        threads: 2,
        // So that checkpoints, and memory that is forgotten, come often.
        memory: 300_000,
        store: Options {
            unsaved: 60_000,
            cache: 4 << 20,
            check: false,
        },
        ..Settings::default()
    }
}

/// splitmix64
fn random(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The calls of a batch: always the same.
fn calls(contract: &LedgerContract, batch: u64) -> Vec<Call> {
    let one = |n: u64| {
        let dice = random(batch * 1_000 + n);
        let (key, value) = (dice % 200, (dice >> 20) % 1_000);
        let entry = ["add", "add", "take", "put"][(dice >> 40) as usize % 4];
        let arguments = [key as u32, 0, value as u32, 0];
        Call::new(contract.id, entry, arguments.to_vec())
    };
    (0..1 + random(batch) % 60).map(one).collect()
}

/// The process that is killed: reports each batch with its root.
#[test]
#[ignore = "started by the other"]
fn victim() {
    let Ok(dir) = std::env::var(DIR) else {
        return;
    };
    let (dir, contract) = (Path::new(&dir), contract());
    let opened = match Store::open(dir, Some(contract.id), settings().store) {
        Err(StoreError::Missing(_)) => {
            Store::create(dir, contract.id, b"", settings().store).unwrap()
        }
        opened => opened.unwrap(),
    };
    let machine = gavel_prover::Machine::new(&contract).unwrap();
    let mut operator = Operator::new(machine, opened, settings()).unwrap();
    let rest = operator.last() + 1..=BATCHES;
    let batches = rest.map(|batch| Batch {
        calls: calls(&contract, batch),
        tag: (),
    });
    let report = |outcome: gavel_prover::operator::Outcome, ()| {
        let mut out = std::io::stdout().lock();
        let claim = outcome.claim;
        writeln!(out, "\nreported {} {}", claim.batch, claim.after).unwrap();
        out.flush().unwrap();
    };
    operator.run_all(batches, Height(1), report).unwrap();
}

/// Starts a process, kills it after so long, and gives what it reported.
fn kill(dir: &Path, after: Duration) -> Vec<(u64, String)> {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    std::thread::sleep(after);
    process.kill().unwrap();
    process.wait().unwrap();
    let mut text = String::new();
    // The last line may be cut.
    out.by_ref().lines().map_while(Result::ok).for_each(|line| {
        text.push_str(&line);
        text.push('\n');
    });
    let lines = text.lines().filter_map(|line| {
        let (batch, root) = line.strip_prefix("reported ")?.split_once(' ')?;
        (root.len() == 64).then(|| (batch.parse().unwrap(), root.to_owned()))
    });
    lines.collect()
}

#[test]
fn what_was_reported_is_there() {
    let asked = std::env::var("GAVEL_CASES").ok();
    let wanted = asked.and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let contract = contract();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("state");
    let mut law = contract.ledger(State::new()).unwrap();
    let mut roots = vec![Root::EMPTY];
    let (mut last, mut kills) = (0, 0);
    while kills < wanted && last < BATCHES {
        kills += 1;
        let after = Duration::from_micros(10_000 + random(kills) % 120_000);
        let reported = kill(&dir, after);
        let promised = reported.iter().map(|(batch, _)| *batch).max();
        let store = match Store::open(&dir, Some(contract.id), settings().store) {
            Err(StoreError::Missing(_)) if promised.is_none() => continue,
            opened => opened.unwrap(),
        };
        let now = store.reader.last().unwrap();
        assert!(now >= last.max(promised.unwrap_or(0)), "a batch is lost");
        for batch in last + 1..=now {
            for call in calls(&contract, batch) {
                law.apply(&call, Height(1));
            }
            roots.push(root(law.state()));
            let claim = store.reader.claim(batch).unwrap().unwrap();
            assert_eq!(claim.after, roots[batch as usize], "batch {batch}");
        }
        for (batch, root) in reported {
            assert_eq!(root, roots[batch as usize].to_string());
        }
        assert_eq!(store.reader.verify().unwrap(), roots[now as usize]);
        assert_eq!(store.reader.count().unwrap(), law.state().len() as u64);
        last = now;
    }
    println!("{kills} kills, {last} batches");
    assert!(last > 0, "no batch was ever run");
}
