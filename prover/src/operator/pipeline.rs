//! Batches on their way: prepared, run, written, each step on its own thread.

use super::{Operator, OperatorError, Outcome, Times};
use crate::calls::{digest, encode_calls};
use crate::engine::{Engine, Executed, Machine, Prepared, Signatures};
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
        let signatures = self.settings.signatures;
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
            scope.spawn(move || prepare_all(batches, machine, pool, signatures, &prepare));
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

fn prepare_all<T: Send>(
    batches: impl Source<T>,
    machine: &Machine,
    pool: &rayon::ThreadPool,
    signatures: Signatures,
    to: &SyncSender<Ready<T>>,
) {
    for Batch { calls, tag } in batches {
        let mut times = Times::default();
        let started = Instant::now();
        let digest = pool.install(|| digest(&calls));
        times.digest = started.elapsed();
        let started = Instant::now();
        let prepared = pool.install(|| Prepared::new(machine, calls, signatures));
        times.prepare = started.elapsed();
        let ready = Ready {
            signatures: match signatures {
                Signatures::Check | Signatures::OneByOne => prepared.signatures(),
                Signatures::Trust => 0,
            },
            prepared,
            digest,
            times,
            tag,
        };
        if to.send(ready).is_err() {
            return; // whoever runs them has ended, with an error
        }
    }
}

fn write_all<T>(
    writer: &mut Writer,
    orders: &Receiver<Order<T>>,
    mut done: impl FnMut(Outcome, T),
) -> Result<(), OperatorError> {
    for order in orders {
        match order {
            Order::Write(ran) => {
                let (outcome, tag) = write(writer, *ran)?;
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

fn write<T>(writer: &mut Writer, ran: Ran<T>) -> Result<(Outcome, T), OperatorError> {
    let started = Instant::now();
    let Executed {
        receipts,
        changes,
        report,
    } = ran.executed;
    writer.append(Record {
        claim: ran.claim.clone(),
        calls: &encode_calls(&ran.calls),
        receipts: &receipts.to_bytes(),
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
