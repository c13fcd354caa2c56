//! The part of what is read that is held.

use std::io::{self, ErrorKind, Read};

/// Bytes that are asked for at once.
const BLOCK: usize = 2 << 20;

/// Bytes that were read and not yet taken.
#[derive(Debug)]
pub struct Window<R> {
    from: R,
    /// What a read gives; the rest is only moved.
    fresh: Box<[u8]>,
    bytes: Vec<u8>,
    /// Bytes before these.
    start: u64,
}

impl<R: Read> Window<R> {
    pub fn new(from: R) -> Self {
        Self {
            from,
            fresh: vec![0; BLOCK].into_boxed_slice(),
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// Reads more, once: a pipe that has little now isn't waited for. 0 at the end.
    pub fn grow(&mut self) -> io::Result<usize> {
        let read = loop {
            match self.from.read(&mut self.fresh) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let fresh = self.fresh.get(..read).unwrap_or_default();
        self.bytes.extend_from_slice(fresh);
        Ok(read)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where these bytes begin in what is read.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    /// Takes so many bytes away, at most all.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.bytes.len());
        let rest = self.bytes.split_off(count);
        self.start = self.start.saturating_add(count as u64);
        std::mem::replace(&mut self.bytes, rest)
    }
}
