//! `gavel state import`: a new state from an export.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use gavel_compiler::ledger::CellId;
use gavel_prover::About;
use gavel_prover::store::{Options, SeedError, Store};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;
use crate::ledger_file;
use crate::output::Output;
use crate::progress::Progress;
use crate::state_dir;
use crate::state_lines::{Heading, VERSION, cell};

/// Make a new state from an export: of the same contract a copy, of another a genesis.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Cells are found by their names, so a contract with other parameters, or a changed one whose state
has the same fields, can go on from there. Of the same contract the root has to be the same. Either
all of it is imported, or the folder isn't made.

Examples:
  gavel state import vouchers.gvl copy --from state.jsonl
  gavel state import vouchers.gvl next --from state.jsonl --params next.json")]
pub struct Import {
    /// The source (.gvl)
    contract: PathBuf,
    /// The folder of the new state
    dir: PathBuf,
    /// The export; `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    from: PathBuf,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

/// Bytes of a line that are read at most. No cell is as long.
const LONGEST: u64 = 4 << 20;

/// Why a line is no cell.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("line {number}: {why}")]
    Bad { number: u64, why: String },
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
}

impl Import {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let contract = ledger_file::load(&self.contract, self.params.as_deref(), output)?;
        let about = About::from(&contract);
        let shown = shown(&self.from);
        let mut lines = Lines::open(&self.from)?;
        let heading = heading(&mut lines).map_err(|error| failed(&shown, &error))?;
        // Beside its place first, so that it is there whole or not at all.
        let place = NewFolder::beside(&self.dir)?;
        let bytes = about
            .to_bytes()
            .map_err(|error| Failure::new(Exit::Environment, "state-io", error.to_string()))?;
        let store = Store::create(place.path(), contract.id, &bytes, Options::default());
        let mut store = store.map_err(state_dir::failed)?;
        let mut progress = Progress::new();
        let mut count = 0u64;
        let cells = std::iter::from_fn(|| {
            let line = match lines.next() {
                Ok(line) => line?,
                Err(error) => return Some(Err(error)),
            };
            count = count.saturating_add(1);
            Some(read(&about, &line))
        });
        let seeded = store.seed(cells, |done| {
            progress.show("importing", done, heading.cells)
        });
        seeded.map_err(|error| match error {
            SeedError::Cells(error) => failed(&shown, &error),
            SeedError::Store(error) => state_dir::failed(error),
        })?;
        let root = store.tree.root().to_string();
        store.close().map_err(state_dir::failed)?;
        same(
            &shown,
            "cells",
            &heading.cells.to_string(),
            &count.to_string(),
        )?;
        if heading.contract == gavel_compiler::ledger::Root(contract.id).to_string() {
            same(&shown, "the root", &heading.root, &root)?;
        }
        place.become_this(&self.dir)?;
        let shown = json!({ "cells": count, "root": root, "from_batch": heading.batch });
        output.result(&shown, || format!("{count} cells, root {root}"));
        Ok(Exit::Good)
    }
}

fn shown(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => format!("`{}`", path.display()),
    }
}

fn heading(lines: &mut Lines) -> Result<Heading, LineError> {
    let bad = |why: String| LineError::Bad { number: 1, why };
    let line = lines
        .next()?
        .ok_or_else(|| bad("there is no heading".to_owned()))?;
    let heading: Heading = serde_json::from_slice(&line.bytes)
        .map_err(|error| bad(format!("no heading of an export: {error}")))?;
    match heading.gavel_state {
        VERSION => Ok(heading),
        other => Err(bad(format!("version {other}, and only {VERSION} is read"))),
    }
}

fn read(about: &About, line: &Line) -> Result<(CellId, Vec<u32>), LineError> {
    cell(about, &line.bytes).map_err(|why| LineError::Bad {
        number: line.number,
        why,
    })
}

fn same(shown: &str, what: &str, says: &str, has: &str) -> Result<(), Failure> {
    if says == has {
        return Ok(());
    }
    let message = format!("{shown} says of {what} {says}, but it is {has}; nothing is imported");
    Err(Failure::new(Exit::No, "export", message).hint("The export was cut off or changed."))
}

fn failed(shown: &str, error: &LineError) -> Failure {
    let message = format!("{shown}, {error}; nothing is imported");
    match error {
        LineError::Bad { .. } => Failure::new(Exit::No, "export", message),
        LineError::Io(_) => Failure::new(Exit::Environment, "unreadable", message),
    }
}

struct Line {
    number: u64,
    bytes: Vec<u8>,
}

/// The lines of an export.
struct Lines {
    from: BufReader<Box<dyn Read>>,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Failure> {
        let from: Box<dyn Read> = match path == Path::new("-") {
            true => Box::new(io::stdin()),
            false => Box::new(file::open(path, "an export (JSON lines)")?),
        };
        let from = BufReader::with_capacity(1 << 20, from);
        Ok(Self { from, number: 0 })
    }

    fn next(&mut self) -> Result<Option<Line>, LineError> {
        let mut bytes = Vec::new();
        let mut limited = (&mut self.from).take(LONGEST);
        if limited.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let number = self.number;
        if bytes.len() as u64 == LONGEST {
            let why = format!("longer than {LONGEST} bytes");
            return Err(LineError::Bad { number, why });
        }
        Ok(Some(Line { number, bytes }))
    }
}

/// A folder that is still to get its name.
struct NewFolder(tempfile::TempDir);

impl NewFolder {
    fn beside(dir: &Path) -> Result<Self, Failure> {
        let taken = match dir.read_dir() {
            Ok(mut inside) => inside.next().is_some(),
            Err(_) => dir.exists(),
        };
        if taken {
            return Err(file::exists(dir));
        }
        let beside = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let made = tempfile::Builder::new()
            .prefix(".gavel-import-")
            .tempdir_in(beside);
        made.map(Self)
            .map_err(|error| file::unwritable(dir, &error))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn become_this(self, dir: &Path) -> Result<(), Failure> {
        let made = std::fs::rename(self.0.path(), dir);
        made.map_err(|error| file::unwritable(dir, &error))?;
        // What was temporary isn't there any more.
        let _ = self.0.keep();
        Ok(())
    }
}
