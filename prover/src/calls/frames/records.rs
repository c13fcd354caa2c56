//! Records, between a header and a trailer.

use super::super::binary::{MAGIC, VERSION};
use super::super::undecodable::{Ending, Form, LONGEST, Place};
use super::window::Window;
use super::{Block, End, Frame, StreamError};
use std::io::{self, Read};

#[derive(Debug)]
pub struct Records<R> {
    window: Window<R>,
    /// What the header says that the calls are for; `None` if it isn't whole.
    contract: Option<[u8; 32]>,
    /// Records so far.
    before: u64,
    /// Bytes of a record that is too long, still to be left out.
    skip: u64,
}

/// What stands at the window's beginning, behind what was looked at already.
enum Next {
    Record(usize),
    TooLong(u64),
    Trailer(u64),
    /// Nothing whole.
    Part,
}

impl<R: Read> Records<R> {
    /// Reads the header, if it is there in full.
    pub fn new(mut window: Window<R>) -> Result<Self, StreamError> {
        const LENGTH: usize = MAGIC.len() + 1 + 32;
        while window.bytes().len() < LENGTH && window.grow()? > 0 {}
        let behind = window.bytes().get(MAGIC.len()..).unwrap_or_default();
        let contract = match behind.split_first() {
            Some((&version, _)) if version != VERSION => {
                return Err(StreamError::Version { has: version });
            }
            Some((_, rest)) => rest.first_chunk().copied(),
            None => None,
        };
        if contract.is_some() {
            window.take(LENGTH);
        }
        Ok(Self {
            window,
            contract,
            before: 0,
            skip: 0,
        })
    }

    /// The contract that the calls are for.
    pub fn contract(&self) -> Option<[u8; 32]> {
        self.contract
    }

    pub fn read(&self) -> u64 {
        self.window.read()
    }

    pub fn block(&mut self) -> io::Result<Block> {
        if self.contract.is_none() {
            return Ok(self.cut(Ending::Header));
        }
        loop {
            self.leave_out();
            let block = self.frames()?;
            if !block.frames.is_empty() || block.end.is_some() {
                return Ok(block);
            }
            if self.window.grow()? == 0 {
                let inside = self.skip > 0 || !self.window.bytes().is_empty();
                return Ok(self.cut(match inside {
                    true => Ending::Record,
                    false => Ending::NoTrailer,
                }));
            }
        }
    }

    /// All whole records of the window, or the end.
    fn frames(&mut self) -> io::Result<Block> {
        let mut frames = Vec::new();
        let mut at = 0usize;
        while self.skip == 0 {
            let rest = self.window.bytes().get(at..).unwrap_or_default();
            let place = self.place(at);
            let body = match next(rest) {
                Next::Record(length) => {
                    let body = at.saturating_add(4);
                    at = body.saturating_add(length);
                    Ok(body..at)
                }
                Next::TooLong(length) => {
                    at = at.saturating_add(4);
                    self.skip = length;
                    Err(length)
                }
                // Looked at only when nothing else is left of the window.
                Next::Trailer(says) if frames.is_empty() => return self.trailer(says),
                Next::Trailer(_) | Next::Part => break,
            };
            self.before = self.before.saturating_add(1);
            frames.push(Frame { place, body });
        }
        let bytes = self.window.take(at);
        let end = None;
        Ok(Block { bytes, frames, end })
    }

    fn trailer(&mut self, says: u64) -> io::Result<Block> {
        let has = self.before;
        if says != has {
            return Ok(self.cut(Ending::Count { says, has }));
        }
        self.window.take(TRAILER);
        // Only the end of input may follow.
        let more = !self.window.bytes().is_empty() || self.window.grow()? > 0;
        if more {
            return Ok(self.cut(Ending::Behind));
        }
        Ok(Block {
            bytes: Vec::new(),
            frames: Vec::new(),
            end: Some(End::Whole),
        })
    }

    /// Leaves out what is here of a record that is too long.
    fn leave_out(&mut self) {
        let here = usize::try_from(self.skip).unwrap_or(usize::MAX);
        let gone = self.window.take(here).len() as u64;
        self.skip = self.skip.saturating_sub(gone);
    }

    /// The place of the next record, so many bytes into the window.
    fn place(&self, at: usize) -> Place {
        Place {
            form: Form::Binary,
            number: self.before.saturating_add(1),
            byte: self.window.start().saturating_add(at as u64),
        }
    }

    fn cut(&self, why: Ending) -> Block {
        let mut place = self.place(0);
        // One that is being left out has its number already.
        let begun = u64::from(self.skip > 0);
        place.number = place.number.saturating_sub(begun);
        Block {
            bytes: Vec::new(),
            frames: Vec::new(),
            end: Some(End::Cut(place, why)),
        }
    }
}

/// Bytes of the trailer.
const TRAILER: usize = 12;

fn next(rest: &[u8]) -> Next {
    let Some((length, behind)) = rest.split_first_chunk::<4>() else {
        return Next::Part;
    };
    let length = u32::from_le_bytes(*length);
    let bytes = length as usize;
    match (length, behind.first_chunk::<8>()) {
        (0, Some(count)) => Next::Trailer(u64::from_le_bytes(*count)),
        (0, None) => Next::Part,
        _ if bytes > LONGEST => Next::TooLong(length.into()),
        _ if behind.len() < bytes => Next::Part,
        _ => Next::Record(bytes),
    }
}
