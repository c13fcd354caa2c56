//! What can't be read as a call, and where it stands.

use serde::Serialize;
use std::fmt;

/// Bytes of a line or record that are read at most: no call is that long.
pub const LONGEST: usize = 1 << 20;

/// Signatures of a call that are read at most.
pub const MOST_SIGNATURES: usize = u8::MAX as usize;

/// Bytes of an entry's name that are read at most.
pub const LONGEST_NAME: usize = 256;

/// How calls are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A JSON object on each line.
    Json,
    /// Records of bytes.
    Binary,
}

/// Where a call stands in what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// How the calls are written.
    #[serde(skip)]
    pub form: Form,
    /// The number of the line or record, from 1.
    #[serde(rename = "line")]
    pub number: u64,
    /// Bytes before it.
    pub byte: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.form {
            Form::Json => "line",
            Form::Binary => "record",
        };
        write!(f, "{what} {} (byte {})", self.number, self.byte)
    }
}

/// A line or record that is no call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Undecodable {
    /// Where it stands.
    pub place: Place,
    /// Why.
    pub why: Why,
}

/// Why something is no call. Texts in it are short, whatever was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is no JSON object, or a name stands twice in one.
    #[error("no JSON object with each name once: {0}")]
    Json(String),
    /// It has a field that calls don't have.
    #[error(
        "there is no field `{0}`; a call has `contract`, `entry`, `arguments` and `signatures`"
    )]
    Unknown(String),
    /// A field can't be read.
    #[error("`{field}`: {reason}")]
    Field {
        /// The field, such as `signatures[1].nonce`.
        field: String,
        /// Why.
        reason: String,
    },
    /// Its arguments aren't those of the entry.
    #[error("`arguments`: {0}")]
    Arguments(String),
    /// It has too many signatures to be any entry's call.
    #[error("{0} signatures are more than the {MOST_SIGNATURES} that are read")]
    Signatures(usize),
    /// It is too long to be any entry's call.
    #[error("{0} bytes are more than the {LONGEST} that are read")]
    TooLong(u64),
    /// A record has another length than its signatures and words take.
    #[error("a record of {bytes} bytes can't hold {signatures} signatures and whole words")]
    Record {
        /// Bytes of the record.
        bytes: usize,
        /// How many signatures it says that it has.
        signatures: u8,
    },
    /// A record ends before it says what it is.
    #[error("a record of {0} bytes has no entry")]
    Short(usize),
}

/// The beginning of a text: what is kept of undecodable input must be small.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().nth(MOST).is_none() {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}...")
}

/// Why what is read ends before it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ending {
    /// The last line isn't whole.
    #[error("the last line ends half-way")]
    Line,
    /// The header isn't whole.
    #[error("the header ends half-way")]
    Header,
    /// A record isn't whole.
    #[error("it ends inside a record")]
    Record,
    /// There is no trailer.
    #[error("it ends without the trailer that says how many calls there are")]
    NoTrailer,
    /// The trailer counts other calls than there are.
    #[error("the trailer says {says} calls, but there are {has}")]
    Count {
        /// What the trailer says.
        says: u64,
        /// Records read.
        has: u64,
    },
    /// Something stands behind the trailer.
    #[error("something stands behind the trailer")]
    Behind,
}

/// What is read isn't whole: perhaps it was cut off, or damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Cut {
    /// The first line or record that isn't there in full.
    pub place: Place,
    /// How it ends.
    pub why: Ending,
}
