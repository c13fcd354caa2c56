//! Files that the user names: read whole, written whole.
//!
//! A path that names nothing, or something that can't be what is wanted, is a mistake on the
//! command line (exit 2); a file that the system won't give or take is the environment's fault
//! (exit 3); what stands in it is judged by others (exit 1).

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;

/// The largest file that is read: more than any source or artifact has.
const LARGEST: u64 = 64 << 20;

/// The bytes of a file. `what` is what it should be, e.g. `a contract`.
pub fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let bytes = read_up_to_largest(open(path, what)?).map_err(|error| unreadable(path, &error))?;
    bytes.ok_or_else(|| too_large(&format!("`{}`", path.display()), what))
}

/// A file to read from.
pub fn open(path: &Path, what: &str) -> Result<fs::File, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput => Failure::new(
            Exit::Usage,
            "no-such-file",
            format!("`{shown}` does not exist; expected {what}"),
        ),
        ErrorKind::IsADirectory => is_a_directory(path, what),
        _ => unreadable(path, &error),
    };
    let file = fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(is_a_directory(path, what));
    }
    Ok(file)
}

/// A file that the system won't give.
pub fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    let message = format!("`{shown}` can't be read: {error}");
    Failure::new(Exit::Environment, "unreadable", message)
}

/// The bytes of standard input.
pub fn read_stdin(what: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error| {
        let message = format!("standard input can't be read: {error}");
        Failure::new(Exit::Environment, "unreadable", message)
    };
    let bytes = read_up_to_largest(std::io::stdin().lock()).map_err(failed)?;
    bytes.ok_or_else(|| too_large("standard input", what))
}

/// `None` if it is too large.
fn read_up_to_largest(from: impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= LARGEST))
}

fn too_large(shown: &str, what: &str) -> Failure {
    let limit = LARGEST >> 20;
    let message = format!("{shown} is larger than {limit} MiB; expected {what}");
    Failure::new(Exit::No, "too-large", message)
}

/// A file's text.
pub fn read_text(path: &Path, what: &str) -> Result<String, Failure> {
    String::from_utf8(read(path, what)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let shown = path.display();
        Failure::new(
            Exit::No,
            "not-utf8",
            format!("`{shown}`: byte {at} is not UTF-8 text; expected {what}"),
        )
    })
}

fn is_a_directory(path: &Path, what: &str) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::Usage,
        "is-a-directory",
        format!("`{shown}` is a directory; expected {what}"),
    )
}

/// What becomes of a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is replaced, at once.
    Replace,
    /// It stays, and writing fails.
    Keep,
}

/// Writes a file whole: see [`create`].
pub fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), Failure> {
    let mut writing = create(path, existing)?;
    let written = writing.write_all(bytes);
    written.map_err(|error| unwritable(path, &error))?;
    writing.finish()
}

/// A file that is being written. Dropped before [`Writing::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Writing {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    /// Beside its place.
    Beside {
        file: tempfile::NamedTempFile,
        target: PathBuf,
        existing: Existing,
    },
    /// A device or a pipe.
    Straight(fs::File),
}

/// Begins to write a file: beside its place first, then renamed, so that nobody ever sees half of
/// it. A device or a pipe that is to be replaced is written to instead: for root, `-o /dev/null`
/// would else make a file of it. A link stays a link, and a file that is replaced keeps its
/// permissions.
pub fn create(path: &Path, existing: Existing) -> Result<Writing, Failure> {
    let shown = path.display();
    if path.is_dir() || path.file_name().is_none() {
        return Err(is_a_directory(path, "a file to write"));
    }
    let failed = |error: std::io::Error| unwritable(path, &error);
    let writing = |to| Writing {
        path: path.to_owned(),
        to,
    };
    if existing == Existing::Replace && fs::metadata(path).is_ok_and(|at| !at.is_file()) {
        let file = fs::File::options().write(true).open(path).map_err(failed)?;
        return Ok(writing(To::Straight(file)));
    }
    let target = match existing {
        Existing::Replace => fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
        Existing::Keep => path.to_owned(),
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let names_a_folder = path.as_os_str().to_string_lossy().ends_with('/');
    let folder = if names_a_folder { path } else { folder };
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Failure::new(
            Exit::Usage,
            "no-such-folder",
            format!("`{shown}` can't be written: `{folder}` is no folder"),
        ));
    }
    let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    Ok(writing(To::Beside {
        file,
        target,
        existing,
    }))
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.to {
            To::Beside { file, .. } => file.write(bytes),
            To::Straight(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.to {
            To::Beside { file, .. } => file.flush(),
            To::Straight(file) => file.flush(),
        }
    }
}

impl Writing {
    /// Puts the file in its place.
    pub fn finish(self) -> Result<(), Failure> {
        let path = self.path;
        let failed = |error: std::io::Error| unwritable(&path, &error);
        let To::Beside {
            file,
            target,
            existing,
        } = self.to
        else {
            return Ok(());
        };
        file.as_file().sync_all().map_err(failed)?;
        let permissions = match existing {
            Existing::Replace => fs::metadata(&target).ok().map(|at| at.permissions()),
            Existing::Keep => None,
        };
        match permissions {
            Some(permissions) => file.as_file().set_permissions(permissions),
            None => readable(file.as_file()),
        }
        .map_err(failed)?;
        match existing {
            Existing::Replace => file.persist(&target).map_err(|e| failed(e.error))?,
            Existing::Keep => file.persist_noclobber(&target).map_err(|e| {
                if e.error.kind() == ErrorKind::AlreadyExists {
                    exists(&path)
                } else {
                    failed(e.error)
                }
            })?,
        };
        Ok(())
    }
}

/// A file that the system won't take.
pub fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    let message = format!("`{shown}` can't be written: {error}");
    Failure::new(Exit::Environment, "unwritable", message)
}

/// A file that would have to be overwritten.
pub fn exists(path: &Path) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::Usage,
        "exists",
        format!("`{shown}` exists already, and isn't overwritten"),
    )
}

/// Temporary files are for their owner only; these are for everybody to read.
#[cfg(unix)]
fn readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &fs::File) -> std::io::Result<()> {
    Ok(())
}
