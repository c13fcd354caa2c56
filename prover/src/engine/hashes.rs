//! The compression functions of the word IR by the libraries' fast code.

use blake3::platform::Platform;
use gavel_compiler::word::{Op, Value};
use sha2::block_api::compress256;

/// The eight words of a compression; `None` for any other operation.
pub fn compress(op: &Op, get: impl Fn(Value) -> u32) -> Option<Vec<u32>> {
    match op {
        Op::Sha256 { state, block } => {
            let mut state = state.map(&get);
            let mut bytes = [0; 64];
            for (four, value) in bytes.chunks_mut(4).zip(block) {
                four.copy_from_slice(&get(*value).to_be_bytes());
            }
            compress256(&mut state, &[bytes]);
            Some(state.to_vec())
        }
        Op::Blake3 {
            cv,
            block,
            counter: [low, high],
            block_len,
            flags,
        } => {
            // Others than these no library takes.
            let (length, flags) = (u8::try_from(*block_len).ok()?, u8::try_from(*flags).ok()?);
            let counter = u64::from(*low) | (u64::from(*high) << 32);
            let mut cv = cv.map(&get);
            let mut bytes = [0; 64];
            for (four, value) in bytes.chunks_mut(4).zip(block) {
                four.copy_from_slice(&get(*value).to_le_bytes());
            }
            Platform::detect().compress_in_place(&mut cv, &bytes, length, counter, flags);
            Some(cv.to_vec())
        }
        _ => None,
    }
}
