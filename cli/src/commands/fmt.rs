//! `gavel fmt`: one layout for all sources.

use std::fs;
use std::path::{Path, PathBuf};

use gavel_compiler::Sources;
use gavel_compiler::format::format;
use serde::Serialize;

use crate::contract_file::{is_artifact, source, source_failure, text_of};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::output::{Output, stderr_style};

/// Lay sources out, in place: four spaces a level, lines of up to 100 columns, comments kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A file is written only if that changes it. One with errors stays as it is, and the others are
still laid out. Only white space changes, and the last comma of a list; so does a contract's id,
which covers every byte of the source: lay a source out before a contract is made of it.
Exit code 1 if a source has errors or, with `--check`, if one isn't laid out.

Examples:
  gavel fmt bet.gvl
  gavel fmt contracts/*.gvl
  gavel fmt --check contracts/*.gvl      change nothing; say which would change
  gavel fmt - < bet.gvl                  from standard input to standard output")]
pub struct Fmt {
    /// Sources (.gvl), or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; exit with 1 if a file would change
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    /// Whether all files are laid out now.
    ok: bool,
    files: Vec<Done>,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Done {
    file: String,
    /// Whether its layout differs from what it was.
    changed: bool,
    /// Whether it was written.
    written: bool,
    /// The source, laid out; only of standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Why it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

impl Fmt {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        if self.files.iter().any(|file| is_stdin(file)) {
            if self.files.len() > 1 {
                return Err(Failure::usage("`-` can't be named with other files"));
            }
            return self.stdin(output);
        }
        let mut report = Report {
            ok: true,
            files: Vec::new(),
        };
        let mut exit = Exit::Good;
        for path in &self.files {
            let done = self.file(path);
            let its_exit = done.exit(self.check);
            if let (Some(failure), false) = (&done.error, output.is_json()) {
                output.failure(failure);
            } else {
                output.line(&done.line());
            }
            if its_exit.code() > exit.code() {
                exit = its_exit;
            }
            report.files.push(done);
        }
        report.ok = exit == Exit::Good;
        output.json_only(&report);
        Ok(exit)
    }

    fn stdin(&self, output: &Output) -> Result<Exit, Failure> {
        let path = Path::new("-");
        let bytes = file::read_stdin("a contract")?;
        let before = text_of(&bytes, path)?;
        let text = laid_out(&before, path)?;
        let mut done = Done::new(path, text != before);
        let exit = done.exit(self.check);
        if self.check {
            output.line(&done.line());
        } else {
            output.line(&text);
            done.text = Some(text);
        }
        output.json_only(&Report {
            ok: exit == Exit::Good,
            files: vec![done],
        });
        Ok(exit)
    }

    fn file(&self, path: &Path) -> Done {
        self.try_file(path).unwrap_or_else(|failure| Done {
            error: Some(failure),
            ..Done::new(path, false)
        })
    }

    fn try_file(&self, path: &Path) -> Result<Done, Failure> {
        if is_artifact(path) {
            let shown = path.display();
            let message = format!("`{shown}` is no source: only sources are laid out");
            return Err(Failure::usage(message));
        }
        let before = source(path)?;
        let text = laid_out(&before, path)?;
        let mut done = Done::new(path, text != before);
        if done.changed && !self.check {
            refuse_read_only(path)?;
            file::write(path, text.as_bytes(), Existing::Replace)?;
            done.written = true;
        }
        Ok(done)
    }
}

impl Done {
    fn new(path: &Path, changed: bool) -> Self {
        Self {
            file: path.display().to_string(),
            changed,
            written: false,
            text: None,
            error: None,
        }
    }

    fn exit(&self, check: bool) -> Exit {
        match &self.error {
            Some(failure) => failure.exit,
            None if check && self.changed => Exit::No,
            None => Exit::Good,
        }
    }

    fn line(&self) -> String {
        let what = match (self.changed, self.written) {
            (false, _) => "unchanged",
            (true, true) => "laid out",
            (true, false) => "would change",
        };
        format!("{}: {what}", self.file)
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn laid_out(text: &str, path: &Path) -> Result<String, Failure> {
    format(text).map_err(|found| {
        let sources = Sources::new(&path.display().to_string(), text);
        source_failure(&found, &sources, stderr_style())
    })
}

/// Renaming would get around the permissions of the file.
fn refuse_read_only(path: &Path) -> Result<(), Failure> {
    let read_only = fs::metadata(path).is_ok_and(|at| at.permissions().readonly());
    if read_only {
        let message = format!("`{}` can't be written: it is read-only", path.display());
        return Err(Failure::new(Exit::Environment, "unwritable", message));
    }
    Ok(())
}
