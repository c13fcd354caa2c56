//! Calls from a file or from standard input.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::num::NonZeroUsize;
use std::path::Path;

use gavel_prover::calls::{CallStream, Cut, Form, Interface, StreamError, Undecodable, find_cut};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;

/// Calls to be read.
#[derive(Debug)]
pub struct CallInput {
    from: From,
    /// As messages name it.
    pub shown: String,
    /// Bytes of a file, to say how far it is done.
    pub size: Option<u64>,
    /// Where a file ends half-way, seen before any of it is used. What comes from standard input
    /// can't be looked at before.
    pub cut: Option<Cut>,
}

#[derive(Debug)]
enum From {
    File(File),
    Stdin(io::Stdin),
}

impl Read for From {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(bytes),
            Self::Stdin(stdin) => stdin.read(bytes),
        }
    }
}

impl CallInput {
    /// Opens a file, or with `-` standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self {
                from: From::Stdin(io::stdin()),
                shown: "standard input".to_owned(),
                size: None,
                cut: None,
            });
        }
        let mut file = file::open(path, "calls (JSON lines or binary)")?;
        let shown = format!("`{}`", path.display());
        let metadata = file
            .metadata()
            .map_err(|error| file::unreadable(path, &error))?;
        // A pipe or a device has no end to look at.
        let whole = metadata.is_file() && file.stream_position().is_ok();
        let cut = match whole {
            true => find_cut(&mut file).map_err(|error| failed(&shown, &error))?,
            false => None,
        };
        Ok(Self {
            from: From::File(file),
            shown,
            size: Some(metadata.len()).filter(|_| whole),
            cut,
        })
    }

    /// Reads calls of this interface, so many together.
    pub fn stream(
        self,
        interface: &Interface,
        most: NonZeroUsize,
    ) -> Result<CallStream<'_, impl Read + Send>, Failure> {
        let shown = self.shown;
        CallStream::new(self.from, interface, most).map_err(|error| failed(&shown, &error))
    }
}

/// What can't be read.
pub fn failed(shown: &str, error: &StreamError) -> Failure {
    let message = format!("{shown}: {error}");
    match error {
        StreamError::Io(_) => Failure::new(Exit::Environment, "unreadable", message),
        StreamError::Version { .. } => Failure::new(Exit::No, "version", message),
    }
}

/// Calls that end half-way.
pub fn cut_off(shown: &str, cut: &Cut) -> Failure {
    let whole = match cut.place.form {
        Form::Json => "a line was cut off",
        Form::Binary => "records were cut off or damaged",
    };
    let message = format!("{shown}, {cut}: {whole}");
    Failure::new(Exit::No, "cut-off", message)
}

/// Something that is no call, where all must be calls.
pub fn undecodable(shown: &str, found: &Undecodable) -> Failure {
    Failure::new(Exit::No, "undecodable", format!("{shown}, {found}"))
}
