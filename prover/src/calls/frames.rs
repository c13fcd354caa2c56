//! What is read, cut into lines or records, block by block. At most some megabytes are held,
//! whatever is read.

mod lines;
mod records;
mod window;

pub(super) use lines::Lines;
pub(super) use records::Records;

use super::undecodable::{Ending, Form, Place};
use std::io::{self, Read};
use std::ops::Range;

/// Some lines or records.
#[derive(Debug)]
pub(super) struct Block {
    /// Their bytes.
    pub bytes: Vec<u8>,
    /// Where each is.
    pub frames: Vec<Frame>,
    /// Whether nothing comes after them.
    pub end: Option<End>,
}

/// One line or record.
#[derive(Debug)]
pub(super) struct Frame {
    /// Where it stands in what is read.
    pub place: Place,
    /// Where in the block, or how many bytes it has if those are too many to be held.
    pub body: Result<Range<usize>, u64>,
}

/// How it ends.
#[derive(Debug)]
pub(super) enum End {
    /// As it should.
    Whole,
    /// With a line that nothing ended: the last of the block. It may be whole.
    Unterminated,
    /// Not as it should.
    Cut(Place, Ending),
}

/// Either form.
#[derive(Debug)]
pub(super) enum Framing<R> {
    Lines(Lines<R>),
    Records(Records<R>),
}

/// Why calls can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Reading fails.
    #[error("calls can't be read: {0}")]
    Io(#[from] io::Error),
    /// They are written in a way of another time.
    #[error("these calls have version {has}, and only {wants} is read", wants = super::binary::VERSION)]
    Version {
        /// Their version.
        has: u8,
    },
}

impl<R: Read> Framing<R> {
    /// Sees from the first bytes how calls are written.
    pub fn detect(from: R) -> Result<Self, StreamError> {
        let mut window = window::Window::new(from);
        while window.bytes().len() < super::binary::MAGIC.len() && window.grow()? > 0 {}
        let begins = window.bytes().starts_with(&super::binary::MAGIC);
        // Nothing but the beginning of a binary file is the beginning of the magic.
        let short = super::binary::MAGIC.starts_with(window.bytes()) && !window.bytes().is_empty();
        Ok(match begins || short {
            true => Self::Records(Records::new(window)?),
            false => Self::Lines(Lines::new(window)),
        })
    }

    pub fn form(&self) -> Form {
        match self {
            Self::Lines(_) => Form::Json,
            Self::Records(_) => Form::Binary,
        }
    }

    /// The next lines or records. Nothing is to be asked for after the end.
    pub fn block(&mut self) -> io::Result<Block> {
        match self {
            Self::Lines(lines) => lines.block(),
            Self::Records(records) => records.block(),
        }
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.read(),
            Self::Records(records) => records.read(),
        }
    }
}
