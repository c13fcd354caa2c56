//! Lines. Those with nothing but white space are counted and left out.

use super::super::undecodable::{Form, LONGEST, Place};
use super::window::Window;
use super::{Block, End, Frame};
use std::io::{self, Read};

#[derive(Debug)]
pub struct Lines<R> {
    window: Window<R>,
    /// Lines before the window.
    before: u64,
    /// Bytes of the window's first line that were too many to be held, and are gone.
    skipped: u64,
}

impl<R: Read> Lines<R> {
    pub fn new(window: Window<R>) -> Self {
        Self {
            window,
            before: 0,
            skipped: 0,
        }
    }

    pub fn read(&self) -> u64 {
        self.window.read()
    }

    pub fn block(&mut self) -> io::Result<Block> {
        let mut searched = 0;
        loop {
            let unseen = self.window.bytes().get(searched..).unwrap_or_default();
            if let Some(at) = unseen.iter().rposition(|byte| *byte == b'\n') {
                let whole = searched.saturating_add(at).saturating_add(1);
                return Ok(self.lines(whole, None));
            }
            searched = self.window.bytes().len();
            if searched > LONGEST {
                let gone = self.window.take(searched).len();
                self.skipped = self.skipped.saturating_add(gone as u64);
                searched = 0;
            }
            if self.window.grow()? == 0 {
                let none = searched == 0 && self.skipped == 0;
                let end = if none { End::Whole } else { End::Unterminated };
                return Ok(self.lines(searched, Some(end)));
            }
        }
    }

    /// The lines of the window's first bytes.
    fn lines(&mut self, whole: usize, end: Option<End>) -> Block {
        let mut byte = self.window.start();
        let bytes = self.window.take(whole);
        let mut frames = Vec::new();
        let mut at = 0usize;
        // A line whose bytes are all gone is one of no bytes.
        let gone: &[&[u8]] = match bytes.is_empty() && self.skipped > 0 {
            true => &[&[]],
            false => &[],
        };
        for line in gone
            .iter()
            .copied()
            .chain(bytes.split_inclusive(|b| *b == b'\n'))
        {
            let skipped = std::mem::take(&mut self.skipped);
            self.before = self.before.saturating_add(1);
            let length = skipped.saturating_add(line.len() as u64);
            let range = at..at.saturating_add(line.len());
            let place = Place {
                form: Form::Json,
                number: self.before,
                byte: byte.saturating_sub(skipped),
            };
            at = range.end;
            byte = byte.saturating_add(line.len() as u64);
            let body = match line.len() > LONGEST || skipped > 0 {
                true => Err(length),
                false if line.trim_ascii().is_empty() => continue,
                false => Ok(range),
            };
            frames.push(Frame { place, body });
        }
        // What nothing ended may be white space.
        let end = match end {
            Some(End::Unterminated) if frames.is_empty() => Some(End::Whole),
            end => end,
        };
        Block { bytes, frames, end }
    }
}
