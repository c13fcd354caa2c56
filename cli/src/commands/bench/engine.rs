//! The engine beside the plain interpreter: they take turns, batch by batch, so that whatever else
//! the machine does meets both.

use std::time::Instant;

use gavel_compiler::ledger::{Call, Receipt, Root};
use gavel_compiler::units::Height;
use gavel_prover::engine::{Executed, Prepared, Signatures};
use gavel_prover::signatures::Keys;
use gavel_prover::tree::Tree;
use gavel_prover::workload::HEIGHT;
use gavel_prover::{Engine, Machine};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::disk::Durable;
use super::figures::{Figures, Ratios, Seconds, Side, beyond, rate};
use super::genesis::Genesis;
use super::load::Load;
use super::plain::Plain;
use super::{AFTER, Sizes, internal};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;

/// An engine with its tree and threads.
pub(super) struct Fast<'a> {
    machine: &'a Machine,
    genesis: &'a Genesis,
    engine: Engine,
    tree: Tree,
    pool: ThreadPool,
    /// The signers' keys, once [`warm`] has shown them.
    keys: Keys,
    pub seconds: Seconds,
}

/// What it made of a batch.
pub(super) struct Made {
    pub done: Executed,
    pub root: Root,
    /// What execution took.
    pub seconds: f64,
}

impl<'a> Fast<'a> {
    pub fn new(
        machine: &'a Machine,
        genesis: &'a Genesis,
        threads: usize,
    ) -> Result<Self, Failure> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            let message = format!("{threads} threads can't be started: {error}");
            Failure::new(Exit::Environment, "threads", message)
        })?;
        Ok(Self {
            machine,
            genesis,
            engine: Engine::new(threads),
            tree: genesis.tree(),
            pool,
            keys: Keys::default(),
            seconds: Seconds::default(),
        })
    }

    /// Runs a batch; `check` says whether to look at signatures too. Only measured batches count.
    pub fn batch(
        &mut self,
        calls: &[Call],
        height: Height,
        check: bool,
        measured: bool,
    ) -> Result<Made, Failure> {
        let none = Keys::none();
        let ways = [
            (Signatures::OneByOne, &none),
            (Signatures::Check, &none),
            (Signatures::Check, &self.keys),
        ];
        let copies = (
            calls.to_vec(),
            check.then(|| ways.map(|way| (way, calls.to_vec()))),
        );
        let (machine, genesis) = (self.machine, self.genesis);
        let (engine, tree) = (&mut self.engine, &mut self.tree);
        let mut seconds = Seconds::default();
        let made = self.pool.install(|| {
            let begin = Instant::now();
            let prepared = Prepared::new(machine, copies.0, Signatures::Trust);
            let prepare = begin.elapsed();
            if let Some(copies) = copies.1 {
                [seconds.signatures, seconds.bundles, seconds.known] =
                    copies.map(|((how, keys), calls)| {
                        let begin = Instant::now();
                        let checked = Prepared::with_keys(machine, calls, how, keys);
                        let took = beyond(begin.elapsed(), prepare);
                        drop(checked);
                        took
                    });
            }
            let begin = Instant::now();
            let done = engine.run(machine, &prepared, height, genesis);
            let done = done.map_err(internal)?;
            seconds.prepare = prepare.as_secs_f64();
            // Only the tree needs changes in the order of their paths.
            seconds.execute = beyond(begin.elapsed(), done.report.sort);
            let begin = Instant::now();
            let updated = tree.update(&done.changes, genesis).map_err(internal)?;
            seconds.root = (begin.elapsed() + done.report.sort).as_secs_f64();
            Ok(Made {
                done,
                root: updated.root,
                seconds: seconds.prepare + seconds.execute,
            })
        });
        if measured {
            self.seconds.prepare += seconds.prepare;
            self.seconds.execute += seconds.execute;
            self.seconds.root += seconds.root;
            self.seconds.signatures += seconds.signatures;
            self.seconds.bundles += seconds.bundles;
            self.seconds.known += seconds.known;
        }
        made
    }

    /// Shows it the signers of calls.
    fn meet(&mut self, calls: &[Call]) {
        let (machine, keys) = (self.machine, &self.keys);
        let calls = calls.to_vec();
        let meet = || Prepared::with_keys(machine, calls, Signatures::Check, keys);
        self.pool.install(meet);
    }
}

/// Brings what the measured calls touch, and most of the state beside, into memory, and who signs
/// them: nothing changes. What that takes isn't measured.
pub(super) fn warm(load: &Load, seed: u64, engines: &mut [&mut Fast<'_>]) -> Result<(), Failure> {
    for calls in load.refused().chain(load.others(seed)?) {
        for engine in &mut *engines {
            let made = engine.batch(&calls, Height(AFTER), false, false)?;
            if !made.done.changes.is_empty() {
                return Err(internal("a call was run that is to be refused"));
            }
        }
    }
    for calls in load.batches.iter().skip(1) {
        engines.iter_mut().for_each(|engine| engine.meet(calls));
    }
    Ok(())
}

/// Measures a workload.
pub(super) fn measure(
    load: Load,
    sizes: Sizes,
    disk: Option<Durable>,
    progress: &mut Progress,
) -> Result<Figures, Failure> {
    let kind = load.kind;
    let machine = Machine::new(&load.contract).map_err(internal)?;
    let mut plain = Plain::new(&load.contract, load.workload.state());
    let mut one = Fast::new(&machine, &load.genesis, 1)?;
    let mut all = Fast::new(&machine, &load.genesis, sizes.threads)?;
    let mut interpreted = 0.0;
    let (mut calls, mut done, mut changed) = (0, 0, 0);
    let mut last = None;
    let mut cold = 0;
    for (n, batch) in load.batches.iter().enumerate() {
        let what = format!("{kind}: running batches");
        progress.show(&what, n as u64, load.batches.len() as u64);
        let measured = n > 0;
        let height = if measured { Height(AFTER) } else { HEIGHT };
        let begin = Instant::now();
        let receipts = plain.run(batch, height);
        let took = begin.elapsed().as_secs_f64();
        let single = one.batch(batch, height, measured, measured)?;
        let many = all.batch(batch, height, measured, measured)?;
        agree(&machine, &receipts, &plain, [&single, &many])
            .map_err(|what| internal(format!("{kind}, batch {n}: {what}")))?;
        if measured {
            interpreted += took;
            calls += batch.len() as u64;
            let is_done = |receipt: &&Receipt| matches!(receipt, Receipt::Done { .. });
            done += receipts.iter().filter(is_done).count() as u64;
            changed += many.done.changes.len() as u64;
        } else {
            cold = rate(batch.len() as u64, many.seconds);
            warm(&load, sizes.seed, &mut [&mut one, &mut all])?;
        }
        last = Some(many);
    }
    let last = last.ok_or_else(|| internal("there is no batch"))?;
    if disk.is_some_and(|disk| disk.root != last.root) {
        return Err(internal(format!("{kind}: the operator's root differs")));
    }
    all.seconds.durable = disk;
    let interpreter = Seconds {
        prepare: 0.0,
        execute: interpreted,
        durable: None,
        ..one.seconds
    };
    let signed = load.batches.iter().skip(1).flatten();
    let signatures: usize = signed.map(|call| call.signatures.len()).sum();
    let plain = Side::new(calls, interpreter);
    let (one, all) = (Side::new(calls, one.seconds), Side::new(calls, all.seconds));
    let measured = load.batches.len().saturating_sub(1).max(1) as u64;
    Ok(Figures {
        workload: kind,
        calls,
        done,
        signatures_per_call: signatures as f64 / calls.max(1) as f64,
        cells: load.genesis.len() as u64,
        changed: changed / measured,
        cold,
        ratios: Ratios::new(&plain, &one, &all),
        plain,
        one,
        all,
        report: last.done.report,
    })
}

/// Figures of runs that don't give the same would mean nothing: the receipts, the cells that
/// changed, and the roots.
fn agree(
    machine: &Machine,
    receipts: &[Receipt],
    plain: &Plain,
    fast: [&Made; 2],
) -> Result<(), String> {
    let [first, second] = fast;
    if first.root != second.root {
        return Err("the roots differ".to_owned());
    }
    for made in fast {
        let mut pairs = made.done.receipts.iter(machine).zip(receipts);
        if let Some(n) = pairs.position(|(is, should)| is != *should) {
            return Err(format!("the receipts of call {n} differ"));
        }
        for change in made.done.changes.iter() {
            let cell = gavel_compiler::ledger::CellId {
                family: change.family,
                key: change.key.to_vec(),
            };
            if plain.state.get(&cell, change.after.len()) != change.after {
                return Err(format!("a cell of family {} differs", change.family));
            }
        }
    }
    Ok(())
}
