//! Where in a leaf somebody is, and how to get elsewhere.

use std::collections::BTreeSet;

use gavel_compiler::Sources;
use gavel_compiler::listing::{Listing, Run, Session};
use gavel_compiler::script::vm::Rules;

use super::super::inspect::line;
use super::command::Command;
use crate::contract_file::Loaded;
use crate::failure::Failure;
use crate::table::grouped;

/// A session with its leaf.
pub(super) struct Cursor<'a> {
    pub(super) listing: &'a Listing,
    pub(super) sources: &'a Sources,
    pub(super) session: Session<'a>,
    /// Lines to stop at.
    pub(super) breaks: BTreeSet<usize>,
}

impl<'a> Cursor<'a> {
    /// Before the first instruction.
    pub(super) fn new(
        loaded: &'a Loaded,
        listing: &'a Listing,
        witness: &[Vec<u8>],
        rules: &'a Rules<'a>,
    ) -> Self {
        Self {
            listing,
            sources: &loaded.compiled.sources,
            session: listing.session(witness, rules),
            breaks: BTreeSet::new(),
        }
    }

    /// The run that the next instruction belongs to.
    pub(super) fn run(&self) -> Option<&'a Run> {
        self.listing.run_at(self.session.now())
    }

    /// Obeys; says what couldn't be done.
    pub(super) fn apply(&mut self, command: &Command) -> Result<Option<String>, Failure> {
        let now = self.session.now();
        let to = match command {
            Command::Step(n) => Some(now.saturating_add(*n)),
            Command::Back(n) => Some(now.saturating_sub(*n)),
            Command::Next => self.next_line(),
            Command::Prev => self.line_before(),
            Command::Start => Some(0),
            Command::End => Some(usize::MAX),
            Command::Goto(offset) => Some(self.step_at(*offset)?),
            Command::Line(asked) => {
                let place = line(self.listing, asked)?;
                self.ahead(|run| run.place == Some(place))
            }
            Command::Find(text) => self.ahead(|run| self.has(run, text)),
            Command::Break(asked) => {
                let place = line(self.listing, asked)?;
                let is_new = self.breaks.insert(place);
                if !is_new {
                    self.breaks.remove(&place);
                }
                let done = if is_new { "stops" } else { "no longer stops" };
                return Ok(Some(format!("{done} at line {asked}")));
            }
            Command::Continue => {
                self.ahead(|run| run.place.is_some_and(|place| self.breaks.contains(&place)))
            }
            Command::Print | Command::Stack(_) | Command::Screen | Command::Quit => {
                return Ok(None);
            }
        };
        let Some(to) = to else {
            let way = if *command == Command::Prev {
                "before"
            } else {
                "after"
            };
            return Ok(Some(format!("there is none {way} this place")));
        };
        self.session.go(to);
        let refused = to > self.session.last() && self.session.last() < self.listing.steps();
        Ok(refused.then(|| "the leaf refuses here".to_owned()))
    }

    fn step_at(&self, offset: usize) -> Result<usize, Failure> {
        let len = self.listing.script.len();
        if offset == len {
            return Ok(self.listing.steps());
        }
        self.listing.step_at(offset).ok_or_else(|| {
            Failure::usage(format!(
                "there is no byte {}: the leaf has {}",
                grouped(offset as u64),
                grouped(len as u64)
            ))
        })
    }

    fn has(&self, run: &Run, text: &str) -> bool {
        let about = self.listing.describe(run.about);
        about.contains(text) || self.listing.asm(run.steps.clone()).contains(text)
    }

    /// Where the next run like that starts, if it is ever reached.
    fn ahead(&self, wanted: impl Fn(&Run) -> bool) -> Option<usize> {
        let now = self.session.now();
        let here = self
            .listing
            .runs
            .partition_point(|run| run.steps.start <= now);
        let later = self.listing.runs.get(here..)?;
        // Somewhere else first: what goes on here isn't the next one.
        let found = later.iter().find(|run| wanted(run))?;
        (found.steps.start <= self.session.last()).then_some(found.steps.start)
    }

    /// Where another line starts.
    fn next_line(&self) -> Option<usize> {
        let here = self.run()?.place;
        self.ahead(|run| run.place.is_some() && run.place != here)
    }

    /// Where the line before starts.
    fn line_before(&self) -> Option<usize> {
        let now = self.session.now();
        let here = self
            .listing
            .runs
            .partition_point(|run| run.steps.start < now);
        let earlier = self.listing.runs.get(..here)?;
        let mut runs = earlier.iter().rev();
        let last = runs.find(|run| run.place.is_some())?;
        let first = runs.take_while(|run| run.place.is_none() || run.place == last.place);
        let first = first.filter(|run| run.place.is_some()).last();
        Some(first.unwrap_or(last).steps.start)
    }
}
