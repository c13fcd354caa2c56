//! Calls as records of bytes. All numbers are little end first.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 1 | [`VERSION`] |
//! | 32 | the contract's id |
//! | for each call: 4 | bytes of the record that follow; never 0 |
//! | 2 | the entry's number, in order of declaration from 0 |
//! | 1 | how many signatures |
//! | 4 each | the words of the arguments |
//! | 72 each | nonce (8) and signature (64) |
//! | at the end: 4 | zeros |
//! | 8 | how many calls there are |

use super::interface::Interface;
use super::json::WriteError;
use super::undecodable::{LONGEST, MOST_SIGNATURES, Why};
use bitcoin::hex::DisplayHex;
use bitcoin::secp256k1::schnorr;
use gavel_compiler::ledger::{Call, Signed};
use std::io::{self, Write};

/// What a binary file begins with. No text begins with its first byte.
pub const MAGIC: [u8; 8] = *b"\xffGAVEL\0c";

/// The version that is written and read.
pub const VERSION: u8 = 1;

/// Bytes of a nonce and a signature.
const SIGNED: usize = 72;

/// Bytes of the entry's number and the count of signatures.
const FIXED: usize = 3;

/// The number that an entry's name has if it isn't in the interface: `#17` for 17.
fn number_of(name: &str, interface: &Interface) -> Option<u16> {
    let unknown = || {
        let number: u16 = name.strip_prefix('#')?.parse().ok()?;
        let plain = format!("#{number}") == name && usize::from(number) >= interface.entries.len();
        Some(number).filter(|_| plain)
    };
    interface.number(name).or_else(unknown)
}

/// Reads a call from a record without its length. `contract` is what the header says. The name
/// of an unknown entry is its number, `#17`, so that the call is refused for it.
///
/// # Errors
/// If the record is no call.
pub fn read_record(record: &[u8], contract: [u8; 32], interface: &Interface) -> Result<Call, Why> {
    let Some((&[low, high, signatures], body)) = record.split_first_chunk::<FIXED>() else {
        return Err(Why::Short(record.len()));
    };
    let wrong = || Why::Record {
        bytes: record.len(),
        signatures,
    };
    let words = body.len().checked_sub(SIGNED * usize::from(signatures));
    let words = words.filter(|bytes| bytes % 4 == 0).ok_or_else(wrong)?;
    let (words, signed) = body.split_at_checked(words).ok_or_else(wrong)?;
    let (words, _) = words.as_chunks::<4>();
    let number = u16::from_le_bytes([low, high]);
    let known = interface.entries.get(usize::from(number));
    let signed = signed.chunks_exact(SIGNED).map(read_signed);
    Ok(Call {
        contract,
        entry: known.map_or_else(|| format!("#{number}"), |entry| entry.name.clone()),
        arguments: words.iter().map(|word| u32::from_le_bytes(*word)).collect(),
        signatures: signed.collect::<Option<_>>().ok_or_else(wrong)?,
    })
}

fn read_signed(bytes: &[u8]) -> Option<Signed> {
    let (nonce, signature) = bytes.split_first_chunk::<8>()?;
    Some(Signed {
        nonce: u64::from_le_bytes(*nonce),
        signature: schnorr::Signature::from_slice(signature).ok()?,
    })
}

/// Writes calls of one contract as records. Without [`BinaryWriter::finish`] what was written
/// has no trailer, and readers take it for cut off.
#[derive(Debug)]
pub struct BinaryWriter<'a, W: Write> {
    to: W,
    interface: &'a Interface,
    count: u64,
    record: Vec<u8>,
}

/// Why a call wasn't written.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// It can't be.
    #[error(transparent)]
    Call(#[from] WriteError),
    /// Where it should go takes no more.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<'a, W: Write> BinaryWriter<'a, W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If `to` takes nothing.
    pub fn new(mut to: W, interface: &'a Interface) -> io::Result<Self> {
        to.write_all(&MAGIC)?;
        to.write_all(&[VERSION])?;
        to.write_all(&interface.contract)?;
        Ok(Self {
            to,
            interface,
            count: 0,
            record: Vec::new(),
        })
    }

    /// Writes a call.
    ///
    /// # Errors
    /// If it is for another contract, its entry has no number, it is too long, or `to` takes
    /// no more. Nothing is written of a call that can't be.
    pub fn write(&mut self, call: &Call) -> Result<(), BinaryError> {
        if call.contract != self.interface.contract {
            let other = call.contract.to_lower_hex_string();
            return Err(WriteError::Contract(other).into());
        }
        let number = number_of(&call.entry, self.interface);
        let number = number.ok_or_else(|| WriteError::Entry(call.entry.clone()))?;
        let has = call.signatures.len();
        let signatures = u8::try_from(has).ok().filter(|_| has <= MOST_SIGNATURES);
        let signatures = signatures.ok_or(WriteError::Signatures(has))?;
        let record = &mut self.record;
        record.clear();
        record.extend(number.to_le_bytes());
        record.push(signatures);
        record.extend(call.arguments.iter().flat_map(|word| word.to_le_bytes()));
        for signed in &call.signatures {
            record.extend(signed.nonce.to_le_bytes());
            record.extend(signed.signature.as_ref());
        }
        let length = u32::try_from(record.len()).ok();
        let length = length.filter(|_| record.len() <= LONGEST);
        let length = length.ok_or(WriteError::TooLong(record.len()))?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(record)?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Where it writes to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.to
    }

    /// Writes the trailer.
    ///
    /// # Errors
    /// If `to` takes no more.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&[0; 4])?;
        self.to.write_all(&self.count.to_le_bytes())?;
        self.to.flush()?;
        Ok(self.to)
    }
}
