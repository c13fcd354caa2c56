//! Calls from whatever can be read, of either form, in chunks that are bounded.

use super::binary::read_record;
use super::frames::{Block, End, Frame, Framing, StreamError};
use super::interface::Interface;
use super::json::{is_whole, read_json};
use super::undecodable::{Cut, Ending, Form, Place, Undecodable, Why};
use gavel_compiler::ledger::Call;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;

/// Bytes that the calls of one chunk hold at most, but for the last of them. Only calls made to
/// be large come near it.
const HELD: usize = 256 << 20;

/// Some calls in their order. **Invariant:** as many places as calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The calls.
    pub calls: Vec<Call>,
    /// Where each of them stands.
    pub places: Vec<Place>,
    /// What stands between them and is no call.
    pub undecodable: Vec<Undecodable>,
    /// Set if what is read isn't whole: then this is the last chunk, and its calls are those
    /// before the place where it is cut.
    pub cut: Option<Cut>,
}

/// Reads calls. The chunks are a function of the bytes and the bound alone: not of how many
/// bytes a read gives, and not of the number of threads.
#[derive(Debug)]
pub struct CallStream<'a, R> {
    framing: Framing<R>,
    interface: &'a Interface,
    most: usize,
    ready: VecDeque<Result<(Place, Call), Undecodable>>,
    ended: bool,
    cut: Option<Cut>,
}

impl<'a, R: Read> CallStream<'a, R> {
    /// Reads calls in chunks of at most `most` calls, and as many undecodable ones.
    ///
    /// # Errors
    /// If reading fails, or the calls are of another version.
    pub fn new(from: R, interface: &'a Interface, most: NonZeroUsize) -> Result<Self, StreamError> {
        Ok(Self {
            framing: Framing::detect(from)?,
            interface,
            most: most.get(),
            ready: VecDeque::new(),
            ended: false,
            cut: None,
        })
    }

    /// How the calls are written.
    pub fn form(&self) -> Form {
        self.framing.form()
    }

    /// Bytes read so far, to say how far a file is done.
    pub fn bytes_read(&self) -> u64 {
        self.framing.read()
    }

    /// The next calls; `None` after the last. A chunk but the last has fewer than the bound only
    /// if it has that many undecodable lines, or huge calls; it may have no call at all.
    ///
    /// # Errors
    /// If reading fails. What was read before and not yet given is lost.
    pub fn chunk(&mut self) -> Result<Option<Chunk>, StreamError> {
        let mut chunk = Chunk::default();
        let mut held = 0usize;
        while chunk.calls.len() < self.most && chunk.undecodable.len() < self.most && held < HELD {
            match self.ready.pop_front() {
                Some(Ok((place, call))) => {
                    held = held.saturating_add(size(&call));
                    chunk.calls.push(call);
                    chunk.places.push(place);
                }
                Some(Err(undecodable)) => chunk.undecodable.push(undecodable),
                None if self.ended => {
                    chunk.cut = self.cut.take();
                    break;
                }
                None => self.fill()?,
            }
        }
        let nothing = chunk.calls.is_empty() && chunk.undecodable.is_empty() && chunk.cut.is_none();
        Ok(Some(chunk).filter(|_| !nothing))
    }

    /// Reads a block and what stands in it.
    fn fill(&mut self) -> Result<(), StreamError> {
        let block = self.framing.block()?;
        let mut read: Vec<_> = self.read(&block);
        match block.end {
            None => {}
            Some(End::Whole) => self.ended = true,
            Some(End::Unterminated) => {
                self.ended = true;
                if let Some(place) = unfinished(&block) {
                    read.pop();
                    let why = Ending::Line;
                    self.cut = Some(Cut { place, why });
                }
            }
            Some(End::Cut(place, why)) => {
                self.ended = true;
                self.cut = Some(Cut { place, why });
            }
        }
        self.ready.extend(read);
        Ok(())
    }

    fn read(&self, block: &Block) -> Vec<Result<(Place, Call), Undecodable>> {
        let contract = match &self.framing {
            Framing::Lines(_) => None,
            // Without a header there is no record.
            Framing::Records(records) => records.contract(),
        };
        let interface = self.interface;
        let one = |frame: &Frame| {
            let place = frame.place;
            let why = |why| Undecodable { place, why };
            let range = frame.body.clone().map_err(|n| why(Why::TooLong(n)))?;
            let bytes = block.bytes.get(range).unwrap_or_default();
            let call = match contract {
                Some(contract) => read_record(bytes, contract, interface),
                None => read_json(bytes, interface),
            };
            Ok((place, call.map_err(why)?))
        };
        block.frames.par_iter().with_min_len(64).map(one).collect()
    }
}

/// The place of a block's last line, if that isn't whole.
fn unfinished(block: &Block) -> Option<Place> {
    let last = block.frames.last()?;
    let whole = match &last.body {
        Ok(range) => block.bytes.get(range.clone()).is_some_and(is_whole),
        Err(_) => false,
    };
    Some(last.place).filter(|_| !whole)
}

/// Bytes that a call holds, roughly.
fn size(call: &Call) -> usize {
    let words = call.arguments.len().saturating_mul(4);
    let signatures = call.signatures.len().saturating_mul(72);
    let all = [size_of::<Call>(), call.entry.len(), words, signatures];
    all.iter().fold(0, |sum, n| sum.saturating_add(*n))
}

/// Looks whether a file is whole, before anything of it is used, and goes back to its beginning.
/// Lines that are cut off between two lines can't be told from whole ones.
///
/// # Errors
/// If reading fails, or the calls are of another version.
pub fn find_cut<R: Read + Seek>(file: &mut R) -> Result<Option<Cut>, StreamError> {
    file.seek(SeekFrom::Start(0))?;
    let form = Framing::detect(&mut *file)?.form();
    let ended = form == Form::Json && ends_with_newline(file)?;
    file.seek(SeekFrom::Start(0))?;
    let cut = if ended { None } else { last_cut(&mut *file)? };
    file.seek(SeekFrom::Start(0))?;
    Ok(cut)
}

fn ends_with_newline<R: Read + Seek>(file: &mut R) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Goes through all of it, without reading what its lines or records say.
fn last_cut(file: impl Read) -> Result<Option<Cut>, StreamError> {
    let mut framing = Framing::detect(file)?;
    loop {
        let block = framing.block()?;
        let (place, why) = match block.end {
            None => continue,
            Some(End::Whole) => return Ok(None),
            Some(End::Cut(place, why)) => (place, why),
            Some(End::Unterminated) => match unfinished(&block) {
                Some(place) => (place, Ending::Line),
                None => return Ok(None),
            },
        };
        return Ok(Some(Cut { place, why }));
    }
}
