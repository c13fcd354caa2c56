//! The store: what is written is what is read, after any way of ending; and what is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::*;
use gavel_compiler::ledger::{CellId, Root, State, path, root};
use gavel_prover::store::{Options, Record, SeedError, Store, StoreError};
use gavel_prover::tree::Tree;
use gavel_prover::{Backing, Changes, Claim};
use redb::{Database, ReadableTable, TableDefinition};
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;

fn open(dir: &Path, options: Options) -> Result<Store, StoreError> {
    Store::open(dir, Some(CONTRACT), options)
}

/// A store with some batches, and its model.
fn run(dir: &Path, options: Options, batches: u64) -> (Store, Model) {
    let mut store = create(dir, options);
    let mut model = Model::new(7, genesis_state());
    for _ in 0..batches {
        append(&mut store, model.step()).unwrap();
    }
    (store, model)
}

#[test]
fn a_new_state_is_empty() {
    let dir = tempdir().unwrap();
    let place = dir.path().join("a/b");
    let store = Store::create(&place, CONTRACT, b"note", LARGE).unwrap();
    Model::new(0, State::new()).check(&store);
    assert_eq!(store.reader.contract().unwrap(), CONTRACT);
    assert_eq!(store.reader.about().unwrap(), b"note");
    assert_eq!(store.reader.last_claim().unwrap(), None);
    drop(store);
    Model::new(0, State::new()).check(&open(&place, LARGE).unwrap());
    let files: Vec<_> = fs::read_dir(&place)
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(files, ["state.redb"]);
}

#[test]
fn reopened_with_and_without_a_checkpoint() {
    for options in [
        SMALL,
        LARGE,
        Options {
            unsaved: 0,
            ..SMALL
        },
    ] {
        for close in [false, true] {
            let dir = tempdir().unwrap();
            let (mut store, mut model) = run(dir.path(), options, 0);
            for round in 0..4 {
                for _ in 0..round * 3 {
                    append(&mut store, model.step()).unwrap();
                }
                match close {
                    true => store.close().unwrap(),
                    false => drop(store),
                }
                store = open(dir.path(), options).unwrap();
                model.check(&store);
                assert_eq!(store.writer.checkpointed(), model.batch);
            }
        }
    }
}

#[test]
fn the_log_is_as_it_was_given() {
    let dir = tempdir().unwrap();
    let mut store = create(dir.path(), SMALL);
    let mut model = Model::new(3, genesis_state());
    let mut given: Vec<(Claim, Changes)> = Vec::new();
    for _ in 0..20 {
        let changes = model.step();
        given.push((append(&mut store, changes.clone()).unwrap(), changes));
    }
    for store in [store, open(dir.path(), SMALL).unwrap_err_locked(dir.path())] {
        let reader = &store.reader;
        for (claim, changes) in &given {
            let batch = claim.batch;
            assert_eq!(reader.claim(batch).unwrap().as_ref(), Some(claim));
            assert_eq!(reader.calls(batch).unwrap().unwrap(), blob(batch, 1));
            assert_eq!(reader.receipts(batch).unwrap().unwrap(), blob(batch, 2));
            let read = reader.changes(batch).unwrap().unwrap();
            assert!(read.iter().eq(changes.iter()));
        }
        for batch in [0, 21] {
            assert_eq!(reader.claim(batch).unwrap(), None);
            assert_eq!(reader.calls(batch).unwrap(), None);
            assert_eq!(reader.receipts(batch).unwrap(), None);
            assert!(reader.changes(batch).unwrap().is_none());
        }
    }
}

#[test]
fn many_changes_in_several_pieces() {
    let dir = tempdir().unwrap();
    let mut store = Store::create(dir.path(), CONTRACT, b"", LARGE).unwrap();
    let mut changes = Changes::new();
    for n in 0..20_000u32 {
        let cell = CellId {
            family: 5 + (n % 7) as u16,
            key: vec![n; 1 + (n % 9) as usize],
        };
        let after = [n.wrapping_mul(0x0101_0101) | 1, n & 0x7f, u32::MAX - n, 0];
        changes.add(&cell, &[0; 4], &after);
    }
    changes.sort();
    append(&mut store, changes.clone()).unwrap();
    let read = store.reader.changes(1).unwrap().unwrap();
    assert!(read.iter().eq(changes.iter()));
    drop(store);
    let store = open(dir.path(), LARGE).unwrap();
    assert_eq!(store.reader.verify().unwrap(), root(&state_of(&store)));
    assert_eq!(store.tree.cells(), 20_000);
}

#[test]
fn the_state_before_any_batch() {
    for options in [SMALL, LARGE] {
        let dir = tempdir().unwrap();
        let mut store = create(dir.path(), options);
        let mut model = Model::new(11, genesis_state());
        let mut states = vec![model.state.clone()];
        for n in 0..25 {
            append(&mut store, model.step()).unwrap();
            states.push(model.state.clone());
            if n == 12 {
                store.writer.checkpoint().unwrap();
            }
        }
        for store in [
            store,
            open(dir.path(), options).unwrap_err_locked(dir.path()),
        ] {
            for (batch, state) in (1..).zip(&states) {
                let past = store.reader.state_before(batch).unwrap();
                assert_eq!(past.root(), root(state));
                let mut cells: Vec<_> = (0..600)
                    .map(cell)
                    .map(|(cell, _)| (path(&cell), cell))
                    .collect();
                cells.sort();
                let paths: Vec<_> = cells.iter().map(|(path, _)| *path).collect();
                for (words, (_, cell)) in past.load(&paths).unwrap().into_iter().zip(&cells) {
                    assert_eq!(words.is_empty(), state.get(cell, 10) == [0; 10]);
                    assert_eq!(words, state.get(cell, words.len()), "before {batch}");
                }
            }
            for batch in [0, 27, u64::MAX] {
                let refused = store.reader.state_before(batch);
                assert!(matches!(refused, Err(StoreError::NoBatch { .. })));
            }
        }
    }
}

/// What is in use can't be opened; this says so, and gives the one opened after that.
trait Locked {
    fn unwrap_err_locked(self, dir: &Path) -> Store;
}

impl Locked for Result<Store, StoreError> {
    fn unwrap_err_locked(self, dir: &Path) -> Store {
        assert!(
            matches!(self, Err(StoreError::Locked(_))),
            "{:?}",
            self.err()
        );
        let copy = dir.join("copy");
        fs::create_dir(&copy).unwrap();
        fs::copy(dir.join("state.redb"), copy.join("state.redb")).unwrap();
        open(&copy, SMALL).unwrap()
    }
}

#[test]
fn what_cannot_be_made_or_opened() {
    let dir = tempdir().unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for missing in [&empty, &dir.path().join("nothing")] {
        let refused = open(missing, SMALL).unwrap_err();
        assert!(matches!(refused, StoreError::Missing(_)), "{refused}");
    }
    let place = dir.path().join("state");
    let (store, model) = run(&place, SMALL, 3);
    let refused = Store::create(&place, CONTRACT, b"", SMALL).unwrap_err();
    assert!(matches!(refused, StoreError::Exists(_)), "{refused}");
    drop(store);
    let refused = Store::open(&place, Some([1; 32]), SMALL).unwrap_err();
    assert!(
        matches!(refused, StoreError::OtherContract { .. }),
        "{refused}"
    );
    model.check(&Store::open(&place, None, SMALL).unwrap());
    let file = dir.path().join("file");
    fs::write(&file, "no folder").unwrap();
    assert!(matches!(open(&file, SMALL), Err(StoreError::Io { .. })));
    assert!(matches!(
        Store::create(&file, CONTRACT, b"", SMALL),
        Err(StoreError::Io { .. })
    ));
}

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const CELLS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("cells");
const CLAIMS: TableDefinition<u64, &[u8]> = TableDefinition::new("claims");
const CHANGES: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("changes");
const BUCKETS: TableDefinition<u32, &[u8]> = TableDefinition::new("buckets");

/// Changes the database behind the store's back.
fn tamper(dir: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(dir.join("state.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
}

#[test]
fn newer_formats_are_refused() {
    let dir = tempdir().unwrap();
    drop(run(dir.path(), SMALL, 2));
    tamper(dir.path(), |tx| {
        let mut meta = tx.open_table(META).unwrap();
        meta.insert("format", &2u32.to_le_bytes()[..]).unwrap();
    });
    let refused = open(dir.path(), SMALL).unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer { found: 2, .. }),
        "{refused}"
    );
}

/// Whatever is missing or changed is found when it is opened, or when it is verified.
#[test]
fn damage_is_found() {
    type Damage = (&'static str, fn(&redb::WriteTransaction));
    let damages: [Damage; 12] = [
        ("no format", |tx| {
            drop(tx.open_table(META).unwrap().remove("format").unwrap())
        }),
        ("no contract", |tx| {
            drop(tx.open_table(META).unwrap().remove("contract").unwrap())
        }),
        ("no genesis", |tx| {
            drop(tx.open_table(META).unwrap().remove("genesis").unwrap())
        }),
        ("no depth", |tx| {
            drop(tx.open_table(META).unwrap().remove("depth").unwrap())
        }),
        ("deep", |tx| {
            drop(
                tx.open_table(META)
                    .unwrap()
                    .insert("depth", &[200][..])
                    .unwrap(),
            )
        }),
        ("less deep", |tx| {
            drop(
                tx.open_table(META)
                    .unwrap()
                    .insert("depth", &[3][..])
                    .unwrap(),
            )
        }),
        ("short checkpoint", |tx| {
            drop(
                tx.open_table(META)
                    .unwrap()
                    .insert("checkpoint", &[1, 2][..])
                    .unwrap(),
            );
        }),
        ("late checkpoint", |tx| {
            let late = 100u64.to_le_bytes();
            drop(
                tx.open_table(META)
                    .unwrap()
                    .insert("checkpoint", &late[..])
                    .unwrap(),
            );
        }),
        ("a cell is gone", |tx| {
            drop(tx.open_table(CELLS).unwrap().pop_first().unwrap())
        }),
        ("a cell is short", |tx| {
            let mut cells = tx.open_table(CELLS).unwrap();
            let first = *cells.pop_first().unwrap().unwrap().0.value();
            cells.insert(&first, &[1, 0, 9, 0, 1][..]).unwrap();
        }),
        ("no nodes", |tx| assert!(tx.delete_table(BUCKETS).unwrap())),
        ("a claim is gone", |tx| {
            drop(tx.open_table(CLAIMS).unwrap().remove(2).unwrap())
        }),
    ];
    for (what, damage) in damages {
        let dir = tempdir().unwrap();
        run(dir.path(), SMALL, 5).0.close().unwrap();
        tamper(dir.path(), damage);
        let found = open(dir.path(), SMALL).and_then(|store| store.reader.verify());
        assert!(found.is_err(), "{what}");
    }
}

#[test]
fn damage_of_the_log_is_found() {
    let damages: [(&str, fn(&redb::WriteTransaction)); 5] = [
        ("a claim's root", |tx| {
            let mut claims = tx.open_table(CLAIMS).unwrap();
            let mut claim = claims.get(4).unwrap().unwrap().value().to_vec();
            *claim.last_mut().unwrap() ^= 1;
            claims.insert(4, &claim[..]).unwrap();
        }),
        ("a short claim", |tx| {
            drop(
                tx.open_table(CLAIMS)
                    .unwrap()
                    .insert(5, &[0; 9][..])
                    .unwrap(),
            );
        }),
        ("changes", |tx| {
            let mut table = tx.open_table(CHANGES).unwrap();
            let mut changes = table.get((3, 0)).unwrap().unwrap().value().to_vec();
            *changes.last_mut().unwrap() ^= 1;
            table.insert((3, 0), &changes[..]).unwrap();
        }),
        ("no changes", |tx| {
            drop(tx.open_table(CHANGES).unwrap().remove((3, 0)).unwrap())
        }),
        ("other pieces", |tx| {
            drop(
                tx.open_table(CHANGES)
                    .unwrap()
                    .insert((3, 2), &[0, 0][..])
                    .unwrap(),
            );
        }),
    ];
    for (what, damage) in damages {
        let dir = tempdir().unwrap();
        drop(run(dir.path(), LARGE, 5));
        tamper(dir.path(), damage);
        assert!(open(dir.path(), LARGE).is_err(), "{what}");
    }
}

/// A cell changed on the disk: found by the first batch that comes near.
#[test]
fn changed_cells_are_not_built_on() {
    let dir = tempdir().unwrap();
    let (store, mut model) = run(dir.path(), SMALL, 3);
    store.close().unwrap();
    tamper(dir.path(), |tx| {
        let mut cells = tx.open_table(CELLS).unwrap();
        let keys: Vec<_> = cells
            .range::<&[u8; 32]>(..)
            .unwrap()
            .map(|e| *e.unwrap().0.value())
            .collect();
        for key in keys {
            let mut bytes = cells.get(&key).unwrap().unwrap().value().to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            cells.insert(&key, &bytes[..]).unwrap();
        }
    });
    let mut store = open(dir.path(), SMALL).unwrap();
    let refused = append(&mut store, model.step()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
    assert!(matches!(store.reader.verify(), Err(StoreError::Damaged(_))));
}

/// Bytes that are no database, and databases with bytes turned, never get through as another
/// state; and nothing panics.
#[test]
fn garbage_files() {
    let dir = tempdir().unwrap();
    let (store, model) = run(dir.path(), SMALL, 6);
    store.close().unwrap();
    let file = dir.path().join("state.redb");
    let good = fs::read(&file).unwrap();
    let mut random = Random(1);
    let mut tried: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0; 100],
        vec![0xff; 1 << 16],
        b"not a database".to_vec(),
        (0..100_000).map(|_| random.next() as u8).collect(),
    ];
    for _ in 0..30 {
        tried.push(good[..random.below(good.len() as u64) as usize].to_vec());
        let mut turned = good.clone();
        for _ in 0..1 + random.below(3) {
            let end = [64, 8192, good.len()][random.below(3) as usize];
            let at = random.below(end as u64) as usize;
            turned[at] ^= 1 << random.below(8);
        }
        tried.push(turned);
    }
    let mut refused = 0;
    for bytes in tried {
        fs::write(&file, &bytes).unwrap();
        let options = Options {
            check: true,
            ..SMALL
        };
        match open(dir.path(), options) {
            Ok(store) => model.check(&store),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 30, "{refused}");
}

#[test]
fn batches_that_do_not_follow_are_refused() {
    let dir = tempdir().unwrap();
    let (mut store, mut model) = run(dir.path(), SMALL, 4);
    let changes = model.step();
    let before = store.tree.root();
    let updated = store.tree.update(&changes, &store.reader).unwrap();
    let claim = Claim {
        batch: 5,
        height: 1,
        calls: 1,
        digest: Root([9; 32]),
        before,
        after: updated.root,
    };
    let record = Record {
        claim,
        calls: b"",
        receipts: b"",
        changes: Arc::new(changes),
        updated,
    };
    let wrong: [fn(&mut Record<'_>); 5] = [
        |record| record.claim.batch = 4,
        |record| record.claim.batch = 6,
        |record| record.updated.batch = 6,
        |record| record.claim.before.0[0] ^= 1,
        |record| record.claim.after.0[31] ^= 1,
    ];
    for change in wrong {
        let mut wrong = record.clone();
        change(&mut wrong);
        let refused = store.writer.append(wrong).unwrap_err();
        assert!(
            matches!(refused, StoreError::Order { .. } | StoreError::Claim { .. }),
            "{refused}"
        );
    }
    store.writer.append(record).unwrap();
    store.writer.checkpoint().unwrap();
    model.check(&store);
}

#[derive(Debug, thiserror::Error)]
#[error("the file ends")]
struct Ends;

#[test]
fn a_genesis_is_whole_or_not_there() {
    let dir = tempdir().unwrap();
    let mut store = Store::create(dir.path(), CONTRACT, b"", SMALL).unwrap();
    let empty = Model::new(0, State::new());
    let twice = genesis().into_iter().chain([(cell(7).0, vec![4, 4])]);
    let refused = store.seed(twice.map(Ok::<_, Infallible>), |_| ());
    assert!(matches!(
        refused,
        Err(SeedError::Store(StoreError::Twice(_)))
    ));
    empty.check(&store);
    let ends = genesis().into_iter().map(Ok).chain([Err(Ends)]);
    assert!(matches!(
        store.seed(ends, |_| ()),
        Err(SeedError::Cells(Ends))
    ));
    empty.check(&store);
    let long = (
        CellId {
            family: 1,
            key: vec![1; 70_000],
        },
        vec![1],
    );
    let refused = store.seed([Ok::<_, Infallible>(long)], |_| ());
    assert!(matches!(
        refused,
        Err(SeedError::Store(StoreError::TooLong(_)))
    ));
    // Zeros are left out.
    let zeros = (1000..1010).map(|n| (cell(n).0, vec![0; 2]));
    let mut told = Vec::new();
    let cells = genesis().into_iter().chain(zeros).map(Ok::<_, Infallible>);
    store.seed(cells, |done| told.push(done)).unwrap();
    assert_eq!(told, [410]);
    let model = Model::new(0, genesis_state());
    model.check(&store);
    let again = store.seed([Ok::<_, Infallible>((cell(1000).0, vec![1]))], |_| ());
    assert!(matches!(again, Err(SeedError::Store(StoreError::Started))));
    drop(store);
    model.check(&open(dir.path(), SMALL).unwrap());
}

#[test]
fn a_genesis_is_not_put_over_batches() {
    let dir = tempdir().unwrap();
    let mut store = Store::create(dir.path(), CONTRACT, b"", SMALL).unwrap();
    append(&mut store, Changes::new()).unwrap();
    let refused = store.seed(genesis().into_iter().map(Ok::<_, Infallible>), |_| ());
    assert!(matches!(
        refused,
        Err(SeedError::Store(StoreError::Started))
    ));
}

#[test]
fn the_tree_is_cut_anew() {
    let dir = tempdir().unwrap();
    let mut store = Store::create(dir.path(), CONTRACT, b"", LARGE).unwrap();
    let mut model = Model::new(5, State::new());
    let depth = store.tree.depth();
    let many = 17u32 << depth;
    let mut changes = Changes::new();
    for n in 0..many {
        let name = CellId {
            family: 9,
            key: vec![n],
        };
        changes.add(&name, &[0], &[n + 1]);
        model.state.set(name, vec![n + 1]);
    }
    changes.sort();
    append(&mut store, changes).unwrap();
    model.batch = 1;
    assert!(store.tree.wants_deeper());
    store.tree = store.writer.recut().unwrap();
    assert!(!store.tree.wants_deeper());
    assert_eq!(store.tree.depth(), Tree::depth_for(many.into()));
    model.check(&store);
    for _ in 0..3 {
        append(&mut store, model.step()).unwrap();
    }
    drop(store);
    let store = open(dir.path(), LARGE).unwrap();
    assert!(store.tree.depth() > depth);
    model.check(&store);
}

/// Cells that no pending batch has changed read the same while checkpoints are made.
#[test]
fn readers_beside_the_writer() {
    let dir = tempdir().unwrap();
    let options = Options {
        unsaved: 0,
        ..SMALL
    };
    let mut store = create(dir.path(), options);
    let mut model = Model::new(2, genesis_state());
    let still = (
        CellId {
            family: 50,
            key: vec![],
        },
        [5, 6],
    );
    let mut changes = Changes::new();
    changes.add(&still.0, &[0, 0], &still.1);
    append(&mut store, changes).unwrap();
    model.state.set(still.0.clone(), still.1.to_vec());
    model.batch = 1;
    let reader = store.reader.clone();
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stop = done.clone();
    let thread = std::thread::spawn(move || {
        let mut reads = 0u64;
        while reads == 0 || !stop.load(std::sync::atomic::Ordering::Relaxed) {
            assert_eq!(reader.cell(&still.0).unwrap(), still.1);
            reads += 1;
        }
    });
    for _ in 0..30 {
        append(&mut store, model.step()).unwrap();
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    thread.join().unwrap();
    model.check(&store);
}

#[test]
fn errors_are_whole() {
    fn is_error<E: std::error::Error + Send + Sync + 'static>() {}
    is_error::<StoreError>();
    is_error::<SeedError<io::Error>>();
}

/// `cargo test --release -p gavel-prover --test store -- --ignored --nocapture measure`
#[test]
#[ignore = "a measurement"]
fn measure() {
    use std::time::Instant;
    const CELLS: u64 = 2_000_000;
    const CHANGED: u64 = 276_000;
    let name = |n: u64| CellId {
        family: 1,
        key: vec![n as u32; 8],
    };
    let dir = tempdir().unwrap();
    let mut store = Store::create(dir.path(), CONTRACT, b"", Options::default()).unwrap();
    let start = Instant::now();
    let cells = (0..CELLS).map(|n| Ok::<_, Infallible>((name(n), vec![7, 0])));
    store.seed(cells, |_| ()).unwrap();
    println!("genesis of {CELLS} cells: {:?}", start.elapsed());
    let (calls, receipts) = (vec![1; 16 << 20], vec![2; 4 << 20]);
    for batch in 1..=24u64 {
        let odd = |n: u64| (n + batch * CHANGED).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let changed = (0..CHANGED).map(|n| odd(n) % CELLS);
        let mut changes = Changes::new();
        for n in changed.collect::<std::collections::BTreeSet<u64>>() {
            changes.add(&name(n), &[7, 0], &[batch as u32 * 1000, 0]);
        }
        changes.sort();
        let before = store.tree.root();
        let start = Instant::now();
        let updated = store.tree.update(&changes, &store.reader).unwrap();
        let tree = start.elapsed();
        let checkpointed = store.writer.checkpointed();
        let start = Instant::now();
        let claim = Claim {
            batch,
            height: 1,
            calls: 100_000,
            digest: Root::EMPTY,
            before,
            after: updated.root,
        };
        let record = Record {
            claim,
            calls: &calls,
            receipts: &receipts,
            changes: Arc::new(changes),
            updated,
        };
        store.writer.append(record).unwrap();
        let checkpoint = store.writer.checkpointed() > checkpointed;
        let with = if checkpoint { " with a checkpoint" } else { "" };
        println!(
            "batch {batch}: tree {tree:?}, append {:?}{with}",
            start.elapsed()
        );
    }
    let size = |dir: &Path| fs::metadata(dir.join("state.redb")).unwrap().len() >> 20;
    println!(
        "file: {} MB, tree: {} MB",
        size(dir.path()),
        store.tree.bytes() >> 20
    );
    let start = Instant::now();
    drop(store);
    println!("dropped: {:?}", start.elapsed());
    let start = Instant::now();
    let store = open(dir.path(), Options::default()).unwrap();
    println!("opened and caught up: {:?}", start.elapsed());
    let start = Instant::now();
    store.reader.verify().unwrap();
    println!("verified: {:?}", start.elapsed());
}
