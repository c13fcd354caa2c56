//! Calls on their way in: as JSON lines or records of bytes, in bounded chunks; as bytes for the
//! log; and the digest that a claim has of them.
//!
//! Whatever is read, nothing panics and little is held. What can't be read as a call is reported
//! with its place and is no part of a batch; what can be read but makes no sense, such as an
//! unknown entry, is a call that the engine refuses.

mod binary;
mod digest;
mod encoding;
mod frames;
mod interface;
mod json;
mod stream;
mod undecodable;

pub use binary::{BinaryError, BinaryWriter, MAGIC, VERSION, read_record};
pub use digest::{Membership, canonical_bytes, digest};
pub use encoding::{DecodeError, decode_calls, encode_calls, write_calls};
pub use frames::StreamError;
pub use interface::{EntryShape, Interface};
pub use json::{WriteError, read_json, write_json};
pub use stream::{CallStream, Chunk, find_cut};
pub use undecodable::{
    Cut, Ending, Form, LONGEST, LONGEST_NAME, MOST_SIGNATURES, Place, Undecodable, Why,
};
