//! Batches on their way: prepared, run, written, each step on its own thread.

use super::{Operator, OperatorError, Outcome, Times};
use crate::calls::{digest, write_calls};
use crate::engine::{Engine, Executed, Machine, Prepared, Signatures};
use crate::signatures::Keys;
use crate::store::{Reader, Record, Writer};
use crate::tree::{Tree, Updated};
use crate::{Changes, Claim};
use gavel_compiler::ledger::{Call, Root};
use gavel_compiler::units::Height;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

/// Calls to be run together, and whatever the caller wants to find with them again.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    /// The calls in their order.
    pub calls: Vec<Call>,
    /// The caller's.
    pub tag: T,
}

/// Where batches come from. It is asked on a thread of its own.
pub trait Source<T>: Iterator<Item = Batch<T>> + Send {}

impl<T, I: Iterator<Item = Batch<T>> + Send> Source<T> for I {}

/// A batch that may be run.
struct Ready<T> {
    prepared: Prepared,
    digest: Root,
    signatures: u64,
    /// Only of the steps so far.
    times: Times,
    tag: T,
}

/// A batch that was run.
struct Ran<T> {
    claim: Claim,
    calls: Vec<Call>,
    executed: Executed,
    updated: Updated,
    signatures: u64,
    times: Times,
    tag: T,
}

/// What the thread that writes is asked for.
enum Order<T> {
    Write(Box<Ran<T>>),
    /// A checkpoint of all so far; then its number is sent back.
    Checkpoint(SyncSender<u64>),
    /// A tree that is cut deeper.
    Recut(SyncSender<Tree>),
}

impl Operator {
    /// Runs batches as they come, at one height; `done` is told of each when it is on the disk.
    ///
    /// # Errors
    /// If something can't be read or written. Batches that were reported stand, no other does, and
    /// the operator can't go on.
    pub fn run_all<T: Send>(
        &mut self,
        batches: impl Source<T>,
        height: Height,
        done: impl FnMut(Outcome, T) + Send,
    ) -> Result<(), OperatorError> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(OperatorError::Broken);
        }
        let pool = &self.pool;
        let machine = &self.machine;
        let preparer = Preparer {
            machine,
            pool,
            signatures: self.settings.signatures,
            keys: &self.keys,
        };
        let writer = &mut self.writer;
        let mut runner = Runner {
            machine,
            pool,
            engine: &mut self.engine,
            tree: &mut self.tree,
            reader: &self.reader,
            memory: self.settings.memory,
            height,
        };
        let (prepare, ready) = sync_channel(1);
        let (order, orders) = sync_channel(1);
        thread::scope(|scope| {
            scope.spawn(move || preparer.prepare_all(batches, &prepare));
            let written = scope.spawn(move || write_all(writer, &orders, done));
            let ran = runner.run_all(&ready, &order);
            // Both ends of each channel go, so that nobody waits for ever.
            drop((ready, order));
            let written = written.join().unwrap_or(Err(OperatorError::Broken));
            written.and(ran)
        })?;
        self.broken = false;
        Ok(())
    }
}

/// The first step.
struct Preparer<'a> {
    machine: &'a Machine,
    pool: &'a rayon::ThreadPool,
    signatures: Signatures,
    keys: &'a Keys,
}

impl Preparer<'_> {
    fn prepare_all<T: Send>(&self, batches: impl Source<T>, to: &SyncSender<Ready<T>>) {
        for Batch { calls, tag } in batches {
            if to.send(self.prepare(calls, tag)).is_err() {
                return; // whoever runs them has ended, with an error
            }
        }
    }

    fn prepare<T>(&self, calls: Vec<Call>, tag: T) -> Ready<T> {
        let (pool, how) = (self.pool, self.signatures);
        let mut times = Times::default();
        let started = Instant::now();
        let digest = pool.install(|| digest(&calls));
        times.digest = started.elapsed();
        let started = Instant::now();
        let prepared = pool.install(|| Prepared::with_keys(self.machine, calls, how, self.keys));
        times.prepare = started.elapsed();
        Ready {
            signatures: match how {
                Signatures::Check | Signatures::OneByOne => prepared.signatures(),
                Signatures::Trust => 0,
            },
            prepared,
            digest,
            times,
            tag,
        }
    }
}

fn write_all<T>(
    writer: &mut Writer,
    orders: &Receiver<Order<T>>,
    mut done: impl FnMut(Outcome, T),
) -> Result<(), OperatorError> {
    let mut log = Log::default();
    for order in orders {
        match order {
            Order::Write(ran) => {
                let (outcome, tag) = log.write(writer, *ran)?;
                done(outcome, tag);
            }
            Order::Checkpoint(reply) => {
                writer.checkpoint()?;
                let _ = reply.send(writer.checkpointed()); // gone only after an error
            }
            Order::Recut(reply) => {
                let tree = writer.recut()?;
                let _ = reply.send(tree); // gone only after an error
            }
        }
    }
    Ok(())
}

/// The bytes of a batch for the log. They are kept from batch to batch: fresh memory of that size
/// would be cleared first, page by page.
#[derive(Default)]
struct Log {
    calls: Vec<u8>,
    receipts: Vec<u8>,
}

impl Log {
    fn write<T>(
        &mut self,
        writer: &mut Writer,
        ran: Ran<T>,
    ) -> Result<(Outcome, T), OperatorError> {
        let started = Instant::now();
        let Executed {
            receipts,
            changes,
            report,
        } = ran.executed;
        write_calls(&ran.calls, &mut self.calls);
        receipts.write_bytes(&mut self.receipts);
        writer.append(Record {
            claim: ran.claim.clone(),
            calls: &self.calls,
            receipts: &self.receipts,
            changes: Arc::new(changes),
            updated: ran.updated,
        })?;
        let times = Times {
            store: started.elapsed(),
            ..ran.times
        };
        let outcome = Outcome {
            claim: ran.claim,
            receipts,
            report,
            signatures: ran.signatures,
            times,
        };
        Ok((outcome, ran.tag))
    }
}

/// The step in the middle.
struct Runner<'a> {
    machine: &'a Machine,
    pool: &'a rayon::ThreadPool,
    engine: &'a mut Engine,
    tree: &'a mut Tree,
    reader: &'a Reader,
    memory: usize,
    height: Height,
}

impl Runner<'_> {
    fn run_all<T: Send>(
        &mut self,
        ready: &Receiver<Ready<T>>,
        order: &SyncSender<Order<T>>,
    ) -> Result<(), OperatorError> {
        for ready in ready {
            let ran = self.run(ready)?;
            if order.send(Order::Write(Box::new(ran))).is_err() {
                return Ok(()); // the writer says why
            }
            if !self.tidy(order)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn run<T: Send>(&mut self, ready: Ready<T>) -> Result<Ran<T>, OperatorError> {
        let before = self.tree.root();
        let (machine, reader, height) = (self.machine, self.reader, self.height);
        let engine = &mut *self.engine;
        let prepared = &ready.prepared;
        let executed = self
            .pool
            .install(|| engine.run(machine, prepared, height, reader))?;
        let started = Instant::now();
        let updated = self.update(&executed.changes)?;
        let times = Times {
            schedule: executed.report.schedule,
            execute: executed.report.execute,
            root: executed.report.sort + started.elapsed(),
            ..ready.times
        };
        let calls = ready.prepared.into_calls();
        Ok(Ran {
            claim: Claim {
                batch: updated.batch,
                height: height.0,
                calls: calls.len() as u64,
                digest: ready.digest,
                before,
                after: updated.root,
            },
            calls,
            executed,
            updated,
            signatures: ready.signatures,
            times,
            tag: ready.tag,
        })
    }

    fn update(&mut self, changes: &Changes) -> Result<Updated, OperatorError> {
        let (tree, reader) = (&mut *self.tree, self.reader);
        Ok(self.pool.install(|| tree.update(changes, reader))?)
    }

    /// Keeps memory and tree in bounds; whether the writer still works.
    fn tidy<T>(&mut self, order: &SyncSender<Order<T>>) -> Result<bool, OperatorError> {
        if self.engine.bytes().saturating_add(self.tree.bytes()) > self.memory {
            let (reply, answer) = sync_channel(1);
            let Some(through) = ask(order, Order::Checkpoint(reply), &answer) else {
                return Ok(false);
            };
            // All batches were sent before, so the checkpoint has every one of them.
            self.engine.forget();
            self.tree.forget(through);
        }
        if self.tree.wants_deeper() {
            let (reply, answer) = sync_channel(1);
            let Some(tree) = ask(order, Order::Recut(reply), &answer) else {
                return Ok(false);
            };
            *self.tree = tree;
        }
        Ok(true)
    }
}

fn ask<T, A>(order: &SyncSender<Order<T>>, what: Order<T>, answer: &Receiver<A>) -> Option<A> {
    order.send(what).ok()?;
    answer.recv().ok()
}
