//! Calls as bytes for the log: the same calls always give the same bytes.
//!
//! Numbers are written seven bits to a byte, low bits first, a high bit where another byte
//! follows. First the table of contracts' ids and entries' names, in the order in which calls
//! first use them: how many; for each the id (32 bytes), the length of the name, the name. Then
//! how many calls; for each: its place in the table, how many words, how many signatures, the
//! words (four bytes each, little end first), and of each signature the nonce and the 64 bytes.

use bitcoin::secp256k1::schnorr;
use gavel_compiler::ledger::{Call, Signed};
use std::collections::BTreeMap;

/// Why bytes aren't those of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {why}")]
pub struct DecodeError {
    /// Bytes before the one where it goes wrong.
    pub at: usize,
    /// What is wrong.
    pub why: &'static str,
}

/// The bytes of calls.
pub fn encode_calls(calls: &[Call]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_calls(calls, &mut bytes);
    bytes
}

/// Puts the bytes of calls in the place of what was there.
pub fn write_calls(calls: &[Call], bytes: &mut Vec<u8>) {
    let mut entries = Entries::default();
    for call in calls {
        entries.number(call);
    }
    bytes.clear();
    push_number(bytes, entries.numbers.len() as u64);
    bytes.append(&mut entries.table);
    push_number(bytes, calls.len() as u64);
    for call in calls {
        push_call(bytes, call, entries.number(call));
    }
}

/// The table of contracts' ids and entries' names.
#[derive(Default)]
struct Entries<'a> {
    numbers: BTreeMap<(&'a [u8; 32], &'a str), u64>,
    table: Vec<u8>,
    /// The call that was looked at last, with its place: the next one is mostly of its entry.
    last: Option<(&'a Call, u64)>,
}

impl<'a> Entries<'a> {
    /// The place of a call's entry, which is a new one if it wasn't seen before.
    fn number(&mut self, call: &'a Call) -> u64 {
        let same = |(other, _): &(&Call, u64)| {
            other.entry == call.entry && other.contract == call.contract
        };
        if let Some((_, number)) = self.last.filter(same) {
            return number;
        }
        let next = self.numbers.len() as u64;
        let place = self.numbers.entry((&call.contract, &call.entry));
        let table = &mut self.table;
        let number = *place.or_insert_with(|| {
            table.extend(call.contract);
            push_number(table, call.entry.len() as u64);
            table.extend(call.entry.bytes());
            next
        });
        self.last = Some((call, number));
        number
    }
}

fn push_call(bytes: &mut Vec<u8>, call: &Call, number: u64) {
    push_number(bytes, number);
    push_number(bytes, call.arguments.len() as u64);
    push_number(bytes, call.signatures.len() as u64);
    for word in &call.arguments {
        bytes.extend(word.to_le_bytes());
    }
    for signed in &call.signatures {
        push_number(bytes, signed.nonce);
        bytes.extend(signed.signature.as_ref());
    }
}

fn push_number(bytes: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
}

/// The calls of [`encode_calls`]' bytes.
///
/// # Errors
/// If these aren't such bytes. Never takes much more memory than the bytes do.
pub fn decode_calls(bytes: &[u8]) -> Result<Vec<Call>, DecodeError> {
    let mut rest = Rest { all: bytes, at: 0 };
    let table = rest.many(33, |rest| {
        let contract = *rest.array::<32>()?;
        let length = rest.count(1)?;
        let at = rest.at;
        let name = str::from_utf8(rest.bytes(length)?);
        let wrong = |_| DecodeError {
            at,
            why: "an entry's name is no UTF-8",
        };
        Ok((contract, name.map_err(wrong)?))
    })?;
    let calls = rest.many(3, |rest| {
        let at = rest.at;
        let number = usize::try_from(rest.number()?).ok();
        let known = number.and_then(|number| table.get(number));
        let (contract, entry) = known.ok_or(DecodeError {
            at,
            why: "a call of an entry that isn't in the table",
        })?;
        let (words, signatures) = (rest.count(4)?, rest.count(65)?);
        let words = rest.bytes(words.saturating_mul(4))?.as_chunks::<4>().0;
        Ok(Call {
            contract: *contract,
            entry: (*entry).to_owned(),
            arguments: words.iter().map(|word| u32::from_le_bytes(*word)).collect(),
            signatures: (0..signatures)
                .map(|_| rest.signed())
                .collect::<Result<_, _>>()?,
        })
    })?;
    match rest.at == bytes.len() {
        true => Ok(calls),
        false => Err(rest.wrong("something follows the last call")),
    }
}

/// What is still to be read.
struct Rest<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn wrong(&self, why: &'static str) -> DecodeError {
        DecodeError { at: self.at, why }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(count);
        let bytes = end.and_then(|end| self.all.get(self.at..end));
        let bytes = bytes.ok_or_else(|| self.wrong("the bytes end too early"))?;
        self.at = self.at.saturating_add(count);
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let at = self.at;
        let wrong = DecodeError {
            at,
            why: "the bytes end too early",
        };
        self.bytes(N)?.first_chunk().ok_or(wrong)
    }

    /// A number in the one way in which it is written.
    fn number(&mut self) -> Result<u64, DecodeError> {
        let wrong = self.wrong("a number isn't written as numbers are");
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.array::<1>()?[0];
            let bits = u64::from(byte & 0x7f);
            let fits = bits << shift >> shift == bits;
            let needless = byte == 0 && shift > 0;
            if !fits || needless {
                return Err(wrong);
            }
            n |= bits << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(wrong)
    }

    /// How many of something follow that have at least so many bytes each: never more than
    /// there are bytes for.
    fn count(&mut self, least: usize) -> Result<usize, DecodeError> {
        let wrong = self.wrong("there are fewer bytes than this many take");
        let count = usize::try_from(self.number()?).map_err(|_| wrong)?;
        let left = self.all.len().saturating_sub(self.at);
        let fits = count.checked_mul(least).is_some_and(|bytes| bytes <= left);
        if fits { Ok(count) } else { Err(wrong) }
    }

    fn many<T>(
        &mut self,
        least: usize,
        mut one: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.count(least)?;
        (0..count).map(|_| one(self)).collect()
    }

    fn signed(&mut self) -> Result<Signed, DecodeError> {
        let nonce = self.number()?;
        let wrong = self.wrong("this is no signature");
        let signature = schnorr::Signature::from_slice(self.bytes(64)?);
        let signature = signature.map_err(|_| wrong)?;
        Ok(Signed { nonce, signature })
    }
}
