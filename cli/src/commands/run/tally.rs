//! What is counted and written of each batch that is done.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gavel_compiler::ledger::LedgerContract;
use gavel_prover::calls::Undecodable;
use gavel_prover::engine::Report;
use gavel_prover::operator::Outcome;
use gavel_prover::{About, Machine};

use super::feed::Tag;
use super::text;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::receipt_line::{of_batch, of_undecodable, reason};
use crate::sink::Sink;
use crate::table::grouped;

/// Lines that are no calls are shown up to here; receipts have all.
const SHOWN: u64 = 10;

/// All that was counted.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub batches: u64,
    pub calls: u64,
    pub done: u64,
    pub aborted: u64,
    pub refused: BTreeMap<&'static str, u64>,
    pub undecodable: u64,
    pub signatures: u64,
    /// What each step took, by name, in the order of the steps.
    pub times: [(&'static str, Duration); 7],
    pub reports: Vec<Report>,
}

/// Counts, writes receipts and shows progress.
#[derive(Debug)]
pub(super) struct Tally {
    totals: Totals,
    machine: Machine,
    names: LedgerContract,
    receipts: Option<Sink>,
    explain: bool,
    output: Output,
    failed: Option<Failure>,
    progress: Progress,
    started: Instant,
    read: Arc<AtomicU64>,
    size: u64,
}

impl Tally {
    pub(super) fn new(
        about: &About,
        receipts: Option<&Path>,
        explain: bool,
        output: &Output,
    ) -> Result<Self, Failure> {
        let machine = about.reading_machine();
        let machine =
            machine.map_err(|error| Failure::new(Exit::No, "contract", error.to_string()))?;
        Ok(Self {
            totals: Totals::default(),
            machine,
            names: about.names(),
            receipts: receipts.map(|path| Sink::new(path, output)).transpose()?,
            explain,
            output: *output,
            failed: None,
            progress: Progress::new(),
            started: Instant::now(),
            read: Arc::default(),
            size: 0,
        })
    }

    /// Where the reader is in a file of this size, for the remaining time; 0 if it isn't known.
    pub(super) fn follow(&mut self, read: Arc<AtomicU64>, size: u64) {
        (self.read, self.size) = (read, size);
        self.started = Instant::now();
    }

    /// Takes a batch that is done. An error means that no more should come.
    pub(super) fn batch(&mut self, outcome: &Outcome, tag: &Tag) -> Result<(), ()> {
        let totals = &mut self.totals;
        let ended = outcome.receipts.tally();
        let add = |to: &mut u64, count: u64| *to = to.saturating_add(count);
        add(&mut totals.batches, 1);
        add(&mut totals.calls, outcome.claim.calls);
        add(&mut totals.done, ended.done);
        add(&mut totals.aborted, ended.aborted);
        add(&mut totals.signatures, outcome.signatures);
        for (_, refusal) in outcome.receipts.refusals() {
            add(totals.refused.entry(reason(refusal)).or_default(), 1);
        }
        let times = &outcome.times;
        totals.times = [
            ("decode", tag.decode),
            ("digest", times.digest),
            ("prepare", times.prepare),
            ("schedule", times.schedule),
            ("execute", times.execute),
            ("root", times.root),
            ("store", times.store),
        ]
        .map(|(name, took)| {
            let before = totals.times.iter().find(|(known, _)| *known == name);
            (
                name,
                before.map_or(took, |(_, before)| before.saturating_add(took)),
            )
        });
        if self.explain {
            self.output
                .line(&text::explained(&outcome.claim, &outcome.report));
            if self.output.is_json() {
                totals.reports.push(outcome.report.clone());
            }
        }
        self.write(outcome, tag);
        self.note(&tag.undecodable);
        self.show();
        if self.failed.is_some() {
            Err(())
        } else {
            Ok(())
        }
    }

    /// Takes lines that are no calls.
    pub(super) fn undecodable(&mut self, found: Vec<Undecodable>) {
        let lines: Vec<String> = match &self.receipts {
            Some(_) => found.iter().map(of_undecodable).collect(),
            None => Vec::new(),
        };
        self.put(lines);
        self.note(&found);
        self.show();
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Puts the receipts in their place, and gives what was counted.
    pub(super) fn finish(self) -> Result<Totals, Failure> {
        let finished = self.receipts.map_or(Ok(()), Sink::finish);
        match self.failed {
            Some(failure) => Err(failure),
            None => finished.map(|()| self.totals),
        }
    }

    /// Tells people of the first lines that are no calls.
    fn note(&mut self, found: &[Undecodable]) {
        for undecodable in found {
            self.totals.undecodable = self.totals.undecodable.saturating_add(1);
            match self.totals.undecodable {
                ..=SHOWN => self.output.aside(&format!("no call: {undecodable}\n")),
                n if n == SHOWN + 1 => {
                    self.output
                        .aside("no call: more of them; --receipts has all\n");
                }
                _ => {}
            }
        }
    }

    /// Writes receipts in the order of the lines.
    fn write(&mut self, outcome: &Outcome, tag: &Tag) {
        if self.receipts.is_none() {
            return;
        }
        let batch = outcome.claim.batch;
        let done = of_batch(
            &outcome.receipts,
            &self.machine,
            &self.names,
            batch,
            &tag.lines,
        );
        let mut others = tag.undecodable.iter().peekable();
        let mut lines = Vec::with_capacity(done.len().saturating_add(tag.undecodable.len()));
        for (text, line) in done.into_iter().zip(&tag.lines) {
            while let Some(other) = others.next_if(|other| other.place.number < *line) {
                lines.push(of_undecodable(other));
            }
            lines.push(text);
        }
        lines.extend(others.map(of_undecodable));
        self.put(lines);
    }

    fn put(&mut self, lines: Vec<String>) {
        let Some(sink) = &mut self.receipts else {
            return;
        };
        for line in lines {
            if let Err(error) = writeln!(sink, "{line}") {
                let failure = sink.failed(&error);
                self.failed.get_or_insert(failure);
                return;
            }
        }
    }

    fn show(&mut self) {
        let read = self.read.load(Ordering::Relaxed);
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = self.totals.calls as f64 / seconds.max(0.001);
        let left = match read {
            0 => 0.0,
            read => self.size.saturating_sub(read) as f64 * seconds / read as f64,
        };
        let calls = grouped(self.totals.calls);
        let mut more = format!(" bytes, {calls} calls, {} a second", grouped(rate as u64));
        if self.size > 0 {
            more.push_str(&format!(", about {} s left", left.ceil() as u64));
        }
        self.progress.show_more("running", &more, read, self.size);
    }
}
