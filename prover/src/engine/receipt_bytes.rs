//! Receipts as bytes, for the log.
//!
//! One after the other, numbers little end first:
//!
//! | first byte | then |
//! |---|---|
//! | 0, done | steps (4), words of events (4), those words (4 each): of each event its number, how many words it has, and them |
//! | 1, aborted | the entry's number (2), the abort's code (2), steps (4) |
//! | 2, refused | length (4), why as JSON |

use super::receipts::{Head, Receipts};
use gavel_compiler::ledger::Refusal;

/// Bytes that are no receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receipts are damaged at byte {at}")]
pub struct ReceiptBytesError {
    /// Where.
    pub at: usize,
}

impl Receipts {
    /// The bytes of all receipts, in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_bytes(&mut bytes);
        bytes
    }

    /// Puts the bytes of all receipts in the place of what was there.
    pub fn write_bytes(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        let mut refusals = self.refusals();
        for (call, head) in self.heads().iter().enumerate() {
            match head {
                Head::Done { steps, .. } => {
                    let words = self.event_words(call);
                    bytes.push(0);
                    bytes.extend(steps.to_le_bytes());
                    bytes.extend((words.len() as u32).to_le_bytes());
                    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                }
                Head::Aborted { entry, code, steps } => {
                    bytes.push(1);
                    bytes.extend((*entry as u16).to_le_bytes());
                    bytes.extend(code.to_le_bytes());
                    bytes.extend(steps.to_le_bytes());
                }
                Head::Refused(_) => {
                    let why = refusals.next().map(|(_, why)| why);
                    // Names are at most as long as a call may be; nothing else is long.
                    let json = serde_json::to_vec(&why).unwrap_or_default();
                    bytes.push(2);
                    bytes.extend((json.len() as u32).to_le_bytes());
                    bytes.extend(json);
                }
            }
        }
    }

    /// Reads what [`Receipts::to_bytes`] wrote.
    ///
    /// # Errors
    /// If the bytes aren't that.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptBytesError> {
        let mut reader = Reader { bytes, at: 0 };
        let mut receipts = Self::default();
        let mut events = Vec::new();
        while reader.at < bytes.len() {
            let head = match reader.array::<1>()? {
                [0] => {
                    let steps = reader.u32()?;
                    let words = reader.u32()? as usize;
                    let begin = events.len() as u32;
                    for _ in 0..words {
                        events.push(reader.u32()?);
                    }
                    Head::Done {
                        list: 0,
                        begin,
                        end: events.len() as u32,
                        steps,
                    }
                }
                [1] => Head::Aborted {
                    entry: u32::from(u16::from_le_bytes(reader.array()?)),
                    code: u16::from_le_bytes(reader.array()?),
                    steps: reader.u32()?,
                },
                [2] => {
                    let length = reader.u32()? as usize;
                    receipts.push_refusal(reader.refusal(length)?)
                }
                _ => return Err(reader.error()),
            };
            receipts.push(head);
        }
        receipts.set_events(events);
        Ok(receipts)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn error(&self) -> ReceiptBytesError {
        ReceiptBytesError { at: self.at }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReceiptBytesError> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let (own, _) = rest.split_first_chunk().ok_or(self.error())?;
        self.at += N;
        Ok(*own)
    }

    fn u32(&mut self) -> Result<u32, ReceiptBytesError> {
        self.array().map(u32::from_le_bytes)
    }

    fn refusal(&mut self, length: usize) -> Result<Refusal, ReceiptBytesError> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let own = rest.get(..length).ok_or(self.error())?;
        let refusal = serde_json::from_slice(own).map_err(|_| self.error())?;
        self.at += length;
        Ok(refusal)
    }
}
