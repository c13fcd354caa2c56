//! Where much is written, piece by piece: a file, or standard output.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Existing, Writing};
use crate::output::Output;

/// Takes what is written. A file is there once it is finished, and not before.
#[derive(Debug)]
pub struct Sink {
    to: BufWriter<To>,
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum To {
    Stdout(io::Stdout),
    /// Its reader has gone away, which is no error: the rest is for nobody.
    Nobody,
    File(Writing),
}

impl Sink {
    /// Writes to a file, or with `-` to standard output, which with `--json` has no room for it.
    pub fn new(path: &Path, output: &Output) -> Result<Self, Failure> {
        let stdout = path == Path::new("-");
        if stdout && output.is_json() {
            let message = "with --json, standard output has one JSON object only";
            return Err(Failure::usage(message).hint("Name a file to write to."));
        }
        let to = match stdout {
            true => To::Stdout(io::stdout()),
            false => To::File(file::create(path, Existing::Replace)?),
        };
        Ok(Self {
            to: BufWriter::with_capacity(1 << 16, to),
            path: Some(path.to_owned()).filter(|_| !stdout),
        })
    }

    /// What couldn't be written, as a failure.
    pub fn failed(&self, error: &io::Error) -> Failure {
        failed(self.path.as_deref(), error)
    }

    /// Writes the rest, and puts a file in its place.
    pub fn finish(self) -> Result<(), Failure> {
        let path = self.path;
        let to = self.to.into_inner();
        match to.map_err(|error| failed(path.as_deref(), error.error()))? {
            To::File(writing) => writing.finish(),
            To::Stdout(_) | To::Nobody => Ok(()),
        }
    }
}

fn failed(path: Option<&Path>, error: &io::Error) -> Failure {
    match path {
        Some(path) => file::unwritable(path, error),
        None => {
            let message = format!("standard output can't be written: {error}");
            Failure::new(Exit::Environment, "unwritable", message)
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Write for To {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
            Self::Nobody => return Ok(bytes.len()),
        };
        match (written, &self) {
            (Err(error), Self::Stdout(_)) if error.kind() == ErrorKind::BrokenPipe => {
                *self = Self::Nobody;
                Ok(bytes.len())
            }
            (written, _) => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
            Self::Nobody => Ok(()),
        }
    }
}
