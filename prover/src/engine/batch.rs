//! One batch from its calls to its receipts and changes.

use super::EngineError;
use super::cells::{Cells, Name, Spot};
use super::machine::Machine;
use super::number::{Numbered, Use};
use super::prepare::Prepared;
use super::receipts::Receipts;
use super::report::{InOrder, Report};
use super::run::{End, Frame};
use super::schedule::{Schedule, load, modes};
use super::sites::{Foresee, Sites, bring_one, compiled};
use super::work::{Mode, Work};
use super::workers::{Done, Shared, head, run};
use crate::backing::Backing;
use crate::changes::{Change, Changes};
use gavel_compiler::units::Height;
use gavel_compiler::word::access::Class;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::time::Instant;

/// If the longest component takes this many thousandths of all work or more, a second thread
/// doesn't pay.
const DEPENDENT: u64 = 800;
/// After a batch that had to be run in order, so many aren't looked at.
const EXPECT: u32 = 7;

/// Cells that one thread gives their values in one go.
const PART: usize = 8192;
/// Cells that are approached at once.
const AHEAD: usize = 32;

/// Runs batches. It keeps the cells that they touched in memory, until it is told to forget them.
#[derive(Debug)]
pub struct Engine {
    threads: usize,
    cells: Cells,
    work: Work,
    /// Batches to run in order without looking for anything better.
    expect: u32,
}

/// What a batch did.
#[derive(Clone, Debug, Default)]
pub struct Executed {
    /// What became of each call.
    pub receipts: Receipts,
    /// The cells that changed.
    pub changes: Changes,
    /// How it was run.
    pub report: Report,
}

/// A batch under way.
struct Batch<'a, B> {
    machine: &'a Machine,
    prepared: &'a Prepared,
    height: u32,
    backing: &'a B,
    sites: Sites,
    numbered: Numbered,
    receipts: Receipts,
}

impl Engine {
    /// An engine that runs calls on so many threads of the pool in which it is called; at least
    /// one.
    pub fn new(threads: usize) -> Self {
        Self {
            threads: threads.max(1),
            cells: Cells::default(),
            work: Work::default(),
            expect: 0,
        }
    }

    /// Bytes of memory that its cells take.
    pub fn bytes(&self) -> usize {
        self.cells.bytes()
    }

    /// Forgets all cells: the backing has them as they are now, or the state starts anew.
    pub fn forget(&mut self) {
        self.cells.forget();
    }

    /// Runs a batch in a block of this height. `backing` has the cells that this engine never saw,
    /// or has forgotten.
    ///
    /// # Errors
    /// If cells can't be read, or don't fit. Nothing has changed then.
    pub fn run<B: Backing>(
        &mut self,
        machine: &Machine,
        prepared: &Prepared,
        height: Height,
        backing: &B,
    ) -> Result<Executed, EngineError<B::Error>> {
        let started = Instant::now();
        let in_order = self.in_order();
        let foresee = match in_order {
            Some(_) => Foresee::Inputs,
            None => Foresee::All,
        };
        let cells = &mut self.cells;
        let mut sites = Sites::find(machine, prepared, height.0, foresee, cells, backing)?;
        let numbered = Numbered::new(machine, prepared, &mut sites, cells);
        let mut batch = Batch {
            machine,
            prepared,
            height: height.0,
            backing,
            sites,
            numbered,
            receipts: Receipts::sized(prepared.len()),
        };
        let mut report = batch.counted();
        match in_order {
            Some(why) => {
                report.schedule = started.elapsed();
                batch.all_in_order(self, why, &mut report)?;
            }
            None => batch.in_parallel(self, started, &mut report)?,
        }
        let parts = batch.settle(self);
        for (call, refusal) in std::mem::take(&mut batch.numbered.refused) {
            batch.receipts.refuse(call, refusal);
        }
        report.execute = started.elapsed().saturating_sub(report.schedule);
        let sorting = Instant::now();
        let changes = Changes::joined(parts);
        report.sort = sorting.elapsed();
        Ok(Executed {
            receipts: batch.receipts,
            changes,
            report,
        })
    }

    fn in_order(&mut self) -> Option<InOrder> {
        if self.threads == 1 {
            return Some(InOrder::OneThread);
        }
        let expected = self.expect > 0;
        self.expect = self.expect.saturating_sub(1);
        expected.then_some(InOrder::Expected)
    }
}

impl<B: Backing> Batch<'_, B> {
    fn shared<'a>(&'a self, cells: &'a Cells, work: &'a Work) -> Shared<'a> {
        Shared {
            machine: self.machine,
            prepared: self.prepared,
            sites: &self.sites,
            cells,
            uses: &self.numbered.uses,
            work,
            height: self.height,
        }
    }

    fn counted(&self) -> Report {
        let mut report = Report {
            calls: self.prepared.len() as u64,
            admitted: self.numbered.admitted.len() as u64,
            cells: self.numbered.uses.len() as u64,
            ..Report::default()
        };
        for call in &self.numbered.admitted {
            let checked = self.prepared.checked.get(*call as usize);
            match checked.and_then(|checked| compiled(self.machine, checked)) {
                Some(of) if of.class == Class::Exact => report.exact += 1,
                Some(of) if of.class == Class::Superset => report.superset += 1,
                _ => report.dynamic += 1,
            }
        }
        report
    }

    /// Plans, runs what can run side by side, then the rest in order; and everything in order if
    /// that turns out to be needed.
    fn in_parallel(
        &mut self,
        engine: &mut Engine,
        started: Instant,
        report: &mut Report,
    ) -> Result<(), EngineError<B::Error>> {
        let modes = modes(&self.numbered);
        let schedule = Schedule::new(
            self.machine,
            self.prepared,
            &self.sites,
            &self.numbered,
            &modes,
            engine.threads,
        );
        report.sums = schedule.sums;
        report.conflicts = schedule.conflicts;
        report.components = schedule.components;
        report.longest = schedule.longest;
        report.longest_share = schedule.longest_share;
        report.schedule = started.elapsed();
        if schedule.longest_share >= DEPENDENT && schedule.longest > 1 {
            return self.give_up(engine, InOrder::Dependent, report);
        }
        load(&mut engine.work, &self.numbered, &engine.cells, &modes);
        report.tasks = schedule.tasks.len() as u64;
        let shared = self.shared(&engine.cells, &engine.work);
        let mut deferred = Vec::new();
        for done in run(shared, &schedule, engine.threads) {
            deferred.extend_from_slice(&done.deferred);
            self.receipts.take(&done.heads, done.events);
        }
        deferred.sort_unstable();
        report.deferred = deferred.len() as u64;
        if !self.rest_in_order(engine, &schedule, &deferred)? {
            return self.give_up(engine, InOrder::Foreseen, report);
        }
        if !self.sums_fit(engine) {
            return self.give_up(engine, InOrder::Sums, report);
        }
        Ok(())
    }

    /// Runs the calls that were deferred; whether the order was kept.
    fn rest_in_order(
        &mut self,
        engine: &mut Engine,
        schedule: &Schedule,
        deferred: &[u32],
    ) -> Result<bool, EngineError<B::Error>> {
        // By component, the first of its calls that was deferred.
        let mut stopped: BTreeMap<u32, u32> = BTreeMap::new();
        for call in deferred {
            if let Some(leader) = schedule.leaders.get(*call as usize) {
                stopped.entry(*leader).or_insert(*call);
            }
        }
        let known = self.numbered.uses.len();
        let mut kept = true;
        let check = |batch: &Self, work: &Work, call: u32, place: u32, number: u32| {
            let fits = number as usize >= known
                || batch.may_touch(work, schedule, &stopped, call, place, number);
            kept &= fits;
            fits
        };
        self.run_in_order(engine, deferred, check)?;
        Ok(kept)
    }

    /// Whether a deferred call may touch a cell that it wasn't foreseen to touch: whether no later
    /// call has done so already, in a way that matters.
    fn may_touch(
        &self,
        work: &Work,
        schedule: &Schedule,
        stopped: &BTreeMap<u32, u32>,
        call: u32,
        place: u32,
        number: u32,
    ) -> bool {
        let checked = self.prepared.checked.get(call as usize);
        let compiled = checked.and_then(|checked| compiled(self.machine, checked));
        let place = compiled.and_then(|compiled| compiled.code.places.get(place as usize));
        let (Some(place), Some(used), Some(cell)) = (
            place,
            self.numbered.uses.get(number as usize),
            work.cell(number),
        ) else {
            return false;
        };
        if cell.mode == Mode::Sum {
            return !place.ordered;
        }
        if !used.written && !place.written {
            return true;
        }
        // Of the calls that touch the cell, those of a component that stopped before this call
        // are still to come, or ran before it.
        let leader = schedule.leaders.get(used.last as usize);
        let stop = leader.and_then(|leader| stopped.get(leader));
        let together = used.written && used.first != used.last;
        used.last <= call
            || stop.is_some_and(|stop| *stop <= call) && (together || used.first == used.last)
    }

    /// Runs everything in order, and expects that the next batches are no better.
    fn give_up(
        &mut self,
        engine: &mut Engine,
        why: InOrder,
        report: &mut Report,
    ) -> Result<(), EngineError<B::Error>> {
        engine.expect = EXPECT;
        self.all_in_order(engine, why, report)
    }

    /// Runs everything in order, from the start.
    fn all_in_order(
        &mut self,
        engine: &mut Engine,
        why: InOrder,
        report: &mut Report,
    ) -> Result<(), EngineError<B::Error>> {
        report.in_order = Some(why);
        report.tasks = 1;
        self.receipts.forget_events();
        let ordered = vec![Mode::Ordered; self.numbered.uses.len()];
        load(&mut engine.work, &self.numbered, &engine.cells, &ordered);
        let all = std::mem::take(&mut self.numbered.admitted);
        self.run_in_order(engine, &all, |_, _, _, _, _| true)?;
        self.numbered.admitted = all;
        Ok(())
    }

    /// Runs calls one after the other, and finds cells that weren't foreseen as it goes. Stops if
    /// `check` says no to one.
    fn run_in_order(
        &mut self,
        engine: &mut Engine,
        calls: &[u32],
        mut check: impl FnMut(&Self, &Work, u32, u32, u32) -> bool,
    ) -> Result<(), EngineError<B::Error>> {
        let mut frame = Frame::default();
        let mut done = Done::default();
        for call in calls {
            let begin = frame.events.len();
            let shared = self.shared(&engine.cells, &engine.work);
            let Some((entry, _)) = shared.begin(*call, &mut frame) else {
                continue;
            };
            let machine = self.machine;
            let Some(code) = machine.compiled(entry).map(|compiled| &compiled.code) else {
                continue;
            };
            loop {
                let shared = self.shared(&engine.cells, &engine.work);
                let end = shared.resume(*call, code, &mut frame);
                if let Some(head) = head(end, entry, code, begin, &frame) {
                    done.heads.push((*call, head));
                    break;
                }
                let End::Elsewhere { place } = end else {
                    break;
                };
                let number = self.find_place(engine, *call, place, &frame)?;
                if !check(self, &engine.work, *call, place, number) {
                    return Ok(());
                }
            }
        }
        self.receipts.take(&done.heads, frame.events);
        Ok(())
    }

    /// Finds the cell of a place whose key is known by now; gives its number.
    fn find_place(
        &mut self,
        engine: &mut Engine,
        call: u32,
        place: u32,
        frame: &Frame,
    ) -> Result<u32, EngineError<B::Error>> {
        let checked = self.prepared.checked.get(call as usize);
        let compiled = checked.and_then(|checked| compiled(self.machine, checked));
        let known = compiled.and_then(|compiled| compiled.code.places.get(place as usize));
        let (Some(compiled), Some(known)) = (compiled, known) else {
            return Err(EngineError::TooLarge);
        };
        let key = frame.words(&known.key);
        let name = Name {
            family: known.family,
            key: &key,
        };
        let cells = &mut engine.cells;
        let spot = bring_one(cells, self.backing, name, known.words)?;
        let number = cells.number(spot).unwrap_or_else(|| {
            let number = self.numbered.uses.len() as u32;
            let held = cells.held(spot, known.words);
            cells.set_number(spot, number);
            self.numbered.uses.push(Use {
                ordered: true,
                written: true,
                ..Use::new(spot, known.words, held, call)
            });
            let value = |n| cells.pair(spot, n);
            engine.work.add(known.words, Mode::Ordered, value);
            number
        });
        let site = self.sites.of(call as usize).start + compiled.entry.signers.len();
        if let Some(slot) = self.sites.spots.get_mut(site + place as usize) {
            *slot = number;
        }
        Ok(number)
    }

    /// Whether every sum fits in any order.
    fn sums_fit(&self, engine: &Engine) -> bool {
        let all = self.numbered.uses.par_iter().zip(engine.work.cells());
        all.with_min_len(4096).all(|(used, cell)| {
            if cell.mode == Mode::Ordered {
                return true;
            }
            engine.work.settled(cell, used.held, used.bits).is_some()
        })
    }

    /// Gives the cells their new values; tells what changed, in no order.
    fn settle(&self, engine: &Engine) -> Vec<Changes> {
        let (cells, work) = (&engine.cells, &engine.work);
        let uses = self
            .numbered
            .uses
            .par_chunks(PART)
            .zip(work.cells().par_chunks(PART));
        let parts = uses.map(|(uses, own)| {
            let mut part = Part::new(uses.len());
            for (uses, own) in uses.chunks(AHEAD).zip(own.chunks(AHEAD)) {
                cells.approach_all(uses.iter().map(|used| used.spot));
                for (used, cell) in uses.iter().zip(own) {
                    part.settle(cells, work, used, cell);
                }
            }
            part.changes
        });
        let mut parts: Vec<Changes> = parts.collect();
        let nonces = self.numbered.nonces.par_chunks(PART);
        parts.par_extend(nonces.map(|nonces| {
            let mut part = Part::new(nonces.len());
            for nonces in nonces.chunks(AHEAD) {
                cells.approach_all(nonces.iter().map(|nonce| nonce.spot));
                for nonce in nonces {
                    let after = [nonce.next as u32, (nonce.next >> 32) as u32];
                    part.change(cells, nonce.spot, &after);
                }
            }
            part.changes
        }));
        parts
    }
}

/// Some of a batch's changes, and words that are used again and again.
#[derive(Default)]
struct Part {
    changes: Changes,
    key: Vec<u32>,
    before: Vec<u32>,
    after: Vec<u32>,
}

impl Part {
    fn new(cells: usize) -> Self {
        Self {
            changes: Changes::with_capacity(cells),
            ..Self::default()
        }
    }

    fn settle(&mut self, cells: &Cells, work: &Work, used: &Use, cell: &super::work::Cell) {
        let mut after = std::mem::take(&mut self.after);
        after.clear();
        match cell.mode {
            Mode::Ordered => after.extend((0..u32::from(cell.words)).map(|n| work.word(cell, n))),
            Mode::Sum => {
                let settled = work.settled(cell, used.held, used.bits);
                let pairs = settled.unwrap_or_default();
                let words = pairs
                    .iter()
                    .flat_map(|pair| [*pair as u32, (pair >> 32) as u32]);
                after.extend(words.take(cell.words.into()));
            }
        }
        self.change(cells, used.spot, &after);
        self.after = after;
    }

    fn change(&mut self, cells: &Cells, spot: Spot, after: &[u32]) {
        self.before.clear();
        let words = 0..after.len();
        self.before.extend(words.map(|n| cells.word(spot, n)));
        if self.before == after {
            return;
        }
        self.key.clear();
        let family = cells.name(spot, &mut self.key);
        self.changes.push(Change {
            path: &cells.path(spot),
            family,
            key: &self.key,
            before: &self.before,
            after,
        });
        cells.set(spot, after);
    }
}
