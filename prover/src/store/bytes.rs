//! Reading bytes that may be damaged.

use super::StoreError;

/// What is still to be read of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
    /// What they are, for errors.
    what: &'static str,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(rest: &'a [u8], what: &'static str) -> Self {
        Self { rest, what }
    }

    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    fn error(&self) -> StoreError {
        StoreError::damaged(format!("{} of a wrong length or form", self.what))
    }

    /// Errors unless all is read.
    pub(super) fn end(self) -> Result<(), StoreError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.error())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| self.error())?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, StoreError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, StoreError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, StoreError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Words of four bytes each, appended.
    pub(super) fn words(&mut self, count: u16, to: &mut Vec<u32>) -> Result<(), StoreError> {
        let (words, _) = self.take(4 * usize::from(count))?.as_chunks();
        to.extend(words.iter().map(|word| u32::from_le_bytes(*word)));
        Ok(())
    }

    /// Words as [`short`] wrote them, appended.
    pub(super) fn shorts(&mut self, count: u16, to: &mut Vec<u32>) -> Result<(), StoreError> {
        for _ in 0..count {
            let mut word = 0u64;
            let mut shift = 0;
            loop {
                let byte = self.u8()?;
                word |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
                shift += 7;
                if shift > 28 {
                    return Err(self.error());
                }
            }
            to.push(u32::try_from(word).map_err(|_| self.error())?);
        }
        Ok(())
    }
}

/// Appends words of four bytes each.
pub(super) fn put_words(words: &[u32], to: &mut Vec<u8>) {
    to.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// Appends words in one to five bytes each: seven bits a byte, low ones first, the high bit set
/// while more follow. Values are mostly small numbers.
pub(super) fn put_shorts(words: &[u32], to: &mut Vec<u8>) {
    for word in words {
        let mut rest = *word;
        while rest >= 0x80 {
            to.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        to.push(rest as u8);
    }
}
