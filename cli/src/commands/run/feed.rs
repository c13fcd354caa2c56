//! Calls on their way to the operator.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gavel_compiler::ledger::Call;
use gavel_prover::calls::{CallStream, Cut, StreamError, Undecodable};
use gavel_prover::operator::Batch;

/// What goes with a batch.
#[derive(Debug)]
pub(super) struct Tag {
    /// The lines that its calls were read from.
    pub lines: Vec<u64>,
    /// What stands between them and is no call.
    pub undecodable: Vec<Undecodable>,
    /// What reading took.
    pub decode: Duration,
}

/// Batches of calls from a stream. Ends early, to be asked again, where lines are no calls but
/// nothing else: see [`Feed::take_idle`].
#[derive(Debug)]
pub(super) struct Feed<'a, R> {
    stream: CallStream<'a, R>,
    partial: bool,
    idle: Vec<Undecodable>,
    cut: Option<Cut>,
    failed: Option<StreamError>,
    ended: bool,
    read: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

/// Ends a feed from another thread.
#[derive(Debug)]
pub(super) struct Stopper(Arc<AtomicBool>);

impl Stopper {
    pub(super) fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a, R: Read> Feed<'a, R> {
    /// With `partial`, the calls before a cut are among the batches.
    pub(super) fn new(stream: CallStream<'a, R>, partial: bool) -> Self {
        Self {
            stream,
            partial,
            idle: Vec::new(),
            cut: None,
            failed: None,
            ended: false,
            read: Arc::default(),
            stop: Arc::default(),
        }
    }

    /// Bytes read so far, for another thread.
    pub(super) fn follow(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    pub(super) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Lines that were no calls and came without any.
    pub(super) fn take_idle(&mut self) -> Vec<Undecodable> {
        std::mem::take(&mut self.idle)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Where what is read ends half-way.
    pub(super) fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// Why reading failed.
    pub(super) fn failed(&self) -> Option<&StreamError> {
        self.failed.as_ref()
    }
}

impl<R: Read> Iterator for Feed<'_, R> {
    type Item = Batch<Tag>;

    fn next(&mut self) -> Option<Batch<Tag>> {
        if self.stop.load(Ordering::Relaxed) {
            self.ended = true;
        }
        if self.ended || !self.idle.is_empty() {
            return None;
        }
        let started = Instant::now();
        let chunk = self.stream.chunk();
        self.read.store(self.stream.bytes_read(), Ordering::Relaxed);
        let chunk = match chunk {
            Ok(Some(chunk)) => chunk,
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Err(error) => {
                self.failed = Some(error);
                self.ended = true;
                return None;
            }
        };
        if chunk.cut.is_some() {
            self.cut = chunk.cut;
            self.ended = true;
            if !self.partial {
                // No calls all the same, and reported as such.
                self.idle = chunk.undecodable;
                return None;
            }
        }
        let calls: Vec<Call> = chunk.calls;
        if calls.is_empty() {
            self.idle = chunk.undecodable;
            return None;
        }
        let tag = Tag {
            lines: chunk.places.iter().map(|place| place.number).collect(),
            undecodable: chunk.undecodable,
            decode: started.elapsed(),
        };
        Some(Batch { calls, tag })
    }
}
