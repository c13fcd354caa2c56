//! Bytes: packing, indexing and hashing.
//!
//! Bytes lie four to a word, big end first; where the length is no multiple of four, the last
//! word holds the rest in its low bits.

use super::super::interp::IV;
use super::super::ir::{Op, Value};
use super::{Lowerer, Words};
use crate::types::Ty;

/// The low `bytes` bytes of a word, big end first. `1..=4` bytes.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    word: Value,
    bytes: u32,
}

impl Lowerer<'_> {
    /// The bytes of a value, in order.
    pub(super) fn chunks(&mut self, ty: &Ty, words: &[Value], out: &mut Vec<Chunk>) {
        match ty {
            Ty::U8 => out.extend(words.iter().map(|word| Chunk {
                word: *word,
                bytes: 1,
            })),
            Ty::U64 | Ty::U128 => out.extend(words.iter().rev().map(|word| Chunk {
                word: *word,
                bytes: 4,
            })),
            Ty::Array(element, _) => {
                for part in words.chunks(element.words().max(1)) {
                    self.chunks(element, part, out);
                }
            }
            ty => {
                let mut left = ty.byte_len().unwrap_or(0);
                for word in words {
                    let bytes = left.clamp(1, 4);
                    out.push(Chunk { word: *word, bytes });
                    left = left.saturating_sub(4);
                }
            }
        }
    }

    /// Bytes as words, four to a word.
    pub(super) fn pack(&mut self, chunks: &[Chunk]) -> Words {
        let mut words = Vec::new();
        let mut word = self.zero;
        let mut filled = 0;
        for chunk in chunks {
            let mut left = chunk.bytes;
            while left > 0 {
                let take = left.min(4 - filled);
                let part = self.part(*chunk, left, take);
                word = if filled == 0 {
                    part
                } else {
                    let above = self.push(Op::Shl(word, (8 * take) as u8));
                    self.or(above, part)
                };
                filled += take;
                left -= take;
                if filled == 4 {
                    words.push(word);
                    filled = 0;
                }
            }
        }
        if filled > 0 {
            words.push(word);
        }
        words
    }

    /// The upper `take` of the low `left` bytes of a chunk.
    fn part(&mut self, chunk: Chunk, left: u32, take: u32) -> Value {
        let mut word = self.push(Op::Shr(chunk.word, (8 * (left - take)) as u8));
        if left < chunk.bytes
            && let Some(mask) = 1u32.checked_shl(8 * take)
        {
            let mask = self.constant(mask - 1);
            word = self.and(word, mask);
        }
        word
    }

    /// The byte that an index chooses of `n` bytes.
    pub(super) fn byte(&mut self, index: Value, words: &[Value], n: u32) -> Value {
        let mut words = words.to_vec();
        if let (Some(last), 1..) = (words.last_mut(), n % 4) {
            *last = self.b.push(Op::Shl(*last, (8 * (4 - n % 4)) as u8));
        }
        let which = self.push(Op::Shr(index, 2));
        let word = self.pick(which, &words, 1).first().copied();
        let word = word.unwrap_or(self.zero);
        let shifted: Words = [24, 16, 8, 0]
            .map(|by| self.push(Op::Shr(word, by)))
            .to_vec();
        let mask = self.constant(255);
        let bytes: Words = shifted.iter().map(|w| self.and(*w, mask)).collect();
        let three = self.constant(3);
        let within = self.and(index, three);
        let byte = self.pick(within, &bytes, 1).first().copied();
        byte.unwrap_or(self.zero)
    }

    fn zeros(&self, count: usize) -> Vec<Chunk> {
        let zero = Chunk {
            word: self.zero,
            bytes: 1,
        };
        vec![zero; count]
    }

    /// Bytes, then zeros up to 32.
    pub(super) fn pad32(&mut self, mut chunks: Vec<Chunk>) -> Words {
        let zeros = self.zeros(32usize.saturating_sub(length(&chunks)));
        chunks.extend(zeros);
        self.pack(&chunks)
    }

    /// SHA-256 (FIPS 180-4, 5.1.1 and 6.2.2).
    pub(super) fn sha256(&mut self, mut chunks: Vec<Chunk>) -> Words {
        let bytes = length(&chunks);
        let end = self.constant(0x80);
        chunks.push(Chunk {
            word: end,
            bytes: 1,
        });
        // Room for the end mark and eight bytes of length.
        let blocks = (bytes + 9).div_ceil(64);
        let zeros = self.zeros((64 * blocks).saturating_sub(bytes + 5));
        chunks.extend(zeros);
        let bits = self.constant((bytes * 8) as u32);
        chunks.push(Chunk {
            word: bits,
            bytes: 4,
        });
        let words = self.pack(&chunks);
        let mut state = IV.map(|word| self.constant(word));
        for block in words.chunks(16) {
            let block = std::array::from_fn(|i| block.get(i).copied().unwrap_or(self.zero));
            state = self.compress(Op::Sha256 { state, block });
        }
        state.to_vec()
    }

    /// BLAKE3 of one chunk: at most 1,024 bytes (paper, 2.1 to 2.4).
    pub(super) fn blake3(&mut self, chunks: &[Chunk]) -> Words {
        const START: u32 = 1;
        const END: u32 = 2;
        const ROOT: u32 = 8;
        let bytes = length(chunks);
        let mut padded = chunks.to_vec();
        padded.extend(self.zeros((4 - bytes % 4) % 4));
        let packed = self.pack(&padded);
        let words: Words = packed.iter().map(|w| self.push(Op::Bswap(*w))).collect();
        let mut cv = IV.map(|word| self.constant(word));
        let blocks = words.chunks(16).len();
        for (n, block) in words.chunks(16).enumerate() {
            let first = if n == 0 { START } else { 0 };
            let last = if n + 1 == blocks { END | ROOT } else { 0 };
            let block = std::array::from_fn(|i| block.get(i).copied().unwrap_or(self.zero));
            cv = self.compress(Op::Blake3 {
                cv,
                block,
                counter: [0, 0],
                block_len: bytes.saturating_sub(64 * n).min(64) as u32,
                flags: first | last,
            });
        }
        cv.map(|word| self.push(Op::Bswap(word))).to_vec()
    }
}

fn length(chunks: &[Chunk]) -> usize {
    chunks.iter().map(|chunk| chunk.bytes as usize).sum()
}
