//! A contract from a path: a source with its parameters, or an artifact, which is checked.
//!
//! Beside `bet.gvl` may lie `bet.params.json`, used where no other parameters are named, and
//! `bet.play.json`, example inputs. Beside an artifact `bet.json` or `bet.artifact.json` only
//! the latter counts: it carries its parameters.

mod json;
mod play;

use json::not_strict;
pub use json::{object, object_of, terms};
pub use play::PlayCase;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use gavel_compiler::artifact::{ArtifactError, CompileError};
use gavel_compiler::contract::Contract;
use gavel_compiler::diagnostic::{Diagnostic, Style};
use gavel_compiler::segment::Plan;
use gavel_compiler::word::Span;
use gavel_compiler::{Compiled, Options, Sources, artifact, check, compile};
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::failure::{Failure, Problems};
use crate::file;
use crate::output::stderr_style;
use crate::progress::Progress;

/// A contract, ready for use.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Where it was read from.
    pub path: PathBuf,
    /// Everything made of it: source, parameters, plan, bodies.
    pub compiled: Compiled,
    /// The example inputs of its play file; empty if there is none, or if it wasn't asked for.
    pub cases: Vec<PlayCase>,
}

impl Loaded {
    /// The contract, parameters folded in.
    pub fn contract(&self) -> &Contract {
        &self.compiled.contract
    }

    /// Its program, cut.
    pub fn plan(&self) -> &Plan {
        &self.compiled.plan
    }

    /// With the example inputs of its play file, if there is one.
    ///
    /// # Errors
    /// A [`Failure`] if they aren't inputs of this contract, or don't end as they say.
    pub fn with_cases(mut self) -> Result<Self, Failure> {
        let file = beside(&self.path, "play.json");
        self.cases = play::cases(&file, &self.compiled.contract)?;
        Ok(self)
    }

    /// The warnings of the check, drawn, each with an empty line after it.
    pub fn warnings(&self, style: Style) -> String {
        draw(&self.compiled.warnings, &self.compiled.sources, style)
    }
}

/// Loads a contract: a source with the parameters at `params` (where `None`, those beside it,
/// if any) and the options, or an artifact, whose own parameters and options count; naming
/// others is an error.
///
/// # Errors
/// A [`Failure`] with everything that is wrong with the source or its parameters, or with what
/// is wrong with a file.
pub fn load(
    path: &Path,
    params: Option<&Path>,
    options: Option<&Options>,
) -> Result<Loaded, Failure> {
    let compiled = if is_artifact(path) {
        if params.is_some() || options.is_some() {
            let shown = path.display();
            return Err(Failure::usage(format!(
                "`{shown}` is an artifact, which carries its parameters and options"
            ))
            .hint("Leave them away, or name the source."));
        }
        from_artifact(path)?
    } else {
        let sources = sources(path)?;
        let given = params_of(path, params)?.map(|(_, given)| given);
        let given = given.unwrap_or_default();
        let progress = watch("generating scripts");
        let options = options.copied().unwrap_or_default();
        compile(&sources, &given, &options, &progress)
            .map_err(|error| compile_failure(error, &sources, stderr_style()))?
    };
    let loaded = Loaded {
        path: path.to_owned(),
        compiled,
        cases: Vec::new(),
    };
    // The examples beside a source are made for the parameters beside it: with others, a secret
    // that they reveal is no secret any more. Only who plays needs them then.
    if params.is_none() {
        return loaded.with_cases();
    }
    Ok(loaded)
}

/// Every file that a contract at this path may be made of, whether or not it is there.
pub fn files_of(path: &Path, params: Option<&Path>) -> Vec<PathBuf> {
    let params = params.map_or_else(|| beside(path, "params.json"), Path::to_owned);
    let mut files = vec![path.to_owned(), params, beside(path, "play.json")];
    if let (false, Ok(sources)) = (is_artifact(path), sources(path)) {
        let libraries = sources.files().skip(1);
        files.extend(libraries.map(|file| imported_from(path, file.name())));
    }
    files
}

/// Whether a path is taken for an artifact, by its name.
pub fn is_artifact(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ext| ext.eq_ignore_ascii_case("json"))
}

/// An artifact's contract, compiled again.
pub fn from_artifact(path: &Path) -> Result<Compiled, Failure> {
    let text = file::read_text(path, "an artifact (.json)")?;
    if let Some(why) = not_strict(&text) {
        let message = format!("`{}` is refused: {why}", path.display());
        return Err(Failure::new(Exit::No, "artifact", message));
    }
    let progress = watch("checking the artifact");
    let shown = path.display().to_string();
    let verified = artifact::verify(&text, &progress).map_err(|error| {
        let message = format!("`{shown}` is refused: {error}");
        let mut failure = Failure::new(Exit::No, "artifact", message);
        if let ArtifactError::Compile { sources, error } = error {
            let inner = compile_failure(error, &sources.shown_as(&shown), stderr_style());
            failure.problems = inner.problems;
        }
        failure.hint("`gavel compile FILE.gvl -o OUT.json` writes an artifact.")
    })?;
    Ok(Compiled {
        sources: verified.sources.shown_as(&shown),
        ..verified
    })
}

/// The text of a source.
pub fn source(path: &Path) -> Result<String, Failure> {
    text_of(&file::read(path, "a contract (.gvl)")?, path)
}

/// A source with all that it imports. What can't be had is left to the check, which says where
/// it is imported.
pub fn sources(path: &Path) -> Result<Sources, Failure> {
    let mut sources = Sources::new(&path.display().to_string(), &source(path)?);
    loop {
        let wanted = sources.wanted();
        if wanted.is_empty() {
            return Ok(sources);
        }
        for name in wanted {
            match library(&imported_from(path, &name)) {
                Ok(text) => sources.add(&name, &text),
                Err(why) => sources.refuse(&name, &why),
            }
        }
    }
}

/// Where an imported file is.
fn imported_from(main: &Path, name: &str) -> PathBuf {
    main.parent().unwrap_or(Path::new("")).join(name)
}

/// The text of a library, or why there is none.
fn library(path: &Path) -> Result<String, String> {
    let bytes = file::read(path, "a library (.gvl)").map_err(|failure| failure.message)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("byte {at} of `{}` is not UTF-8 text", path.display())
    })
}

/// The text of a source that was read from `path`.
pub fn text_of(bytes: &[u8], path: &Path) -> Result<String, Failure> {
    match gavel_compiler::front::decode_source(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(diagnostic) => {
            // Drawn over the text before it: the rest may be anything.
            let valid = bytes.get(..diagnostic.span.start as usize);
            let before = String::from_utf8_lossy(valid.unwrap_or_default());
            let before = Sources::new(&path.display().to_string(), &before);
            Err(source_failure(&[*diagnostic], &before, stderr_style()))
        }
    }
}

/// Parameters, and the file that they stand in.
pub type Params = (PathBuf, Map<String, Value>);

/// The parameters for a source: those named, or else those beside it, with where they are.
pub fn params_of(path: &Path, named: Option<&Path>) -> Result<Option<Params>, Failure> {
    let at = match named {
        Some(named) => named.to_owned(),
        None => {
            let sibling = beside(path, "params.json");
            if !sibling.exists() {
                return Ok(None);
            }
            sibling
        }
    };
    let given = object(&at, "parameters (a JSON object)")?;
    Ok(Some((at, given)))
}

/// `dir/bet.gvl` or `dir/bet.artifact.json` → `dir/bet.play.json`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_suffix(".artifact").unwrap_or(&stem);
    path.with_file_name(format!("{stem}.{ending}"))
}

/// All that keeps a source from being compiled.
pub fn compile_failure(error: CompileError, sources: &Sources, style: Style) -> Failure {
    match error {
        CompileError::Diagnostics(_) if is_ledger(sources) => ledger_failure(sources),
        CompileError::Diagnostics(found) => source_failure(&found, sources, style),
        CompileError::Segment(error) => {
            use gavel_compiler::segment::SegmentError;
            let span = match &error {
                SegmentError::TooLarge { span, .. } => *span,
                _ => Span::default(),
            };
            let shown = sources.shown(sources.file_at(span.start));
            let place = sources.lines(span).map_or_else(
                || format!("`{shown}`"),
                |[line, _]| format!("`{shown}`, line {line}"),
            );
            Failure::new(
                Exit::No,
                "too-large",
                format!("{place}: the contract can't be cut into leaves: {error}"),
            )
        }
        CompileError::Option { .. } => Failure::usage(error.to_string()),
        CompileError::Script(_) => Failure::new(Exit::No, "script", error.to_string())
            .hint("This is a defect of Gavel; please report it with the source."),
    }
}

/// Whether a source is right and declares a ledger.
fn is_ledger(sources: &Sources) -> bool {
    let checked = check(sources);
    checked.is_ok() && checked.contract.is_ledger()
}

/// A ledger where a contract over a coin is needed.
fn ledger_failure(sources: &Sources) -> Failure {
    let shown = sources.shown(sources.main());
    let message = format!(
        "`{shown}` is a ledger: its entries are run and tested, but not compiled to Script yet; \
         disputes over batches of calls come later"
    );
    Failure::new(Exit::No, "ledger", message).hint(format!(
        "`gavel test {shown}` runs its tests; `gavel check {shown} --explain` says what its \
         entries do."
    ))
}

/// Problems of a source as a failure.
pub fn source_failure(found: &[Diagnostic], sources: &Sources, style: Style) -> Failure {
    let errors = found.iter().filter(|d| d.is_error()).count();
    let plural = if errors == 1 { "" } else { "s" };
    let shown = sources.shown(sources.main());
    let message = format!("`{shown}` has {errors} error{plural}");
    let mut failure = Failure::new(Exit::No, "source", message);
    failure.hint = explain_hint(found);
    failure.problems = Some(Box::new(Problems {
        diagnostics: found.iter().map(|d| d.to_json(sources)).collect(),
        drawn: draw(found, sources, style),
    }));
    failure
}

/// Where to read more about the first of the problems.
pub fn explain_hint(found: &[Diagnostic]) -> Option<String> {
    let first = found.first()?;
    Some(format!("`gavel explain {}` says more", first.code.id()))
}

/// Diagnostics drawn, each with an empty line after it.
pub fn draw(found: &[Diagnostic], sources: &Sources, style: Style) -> String {
    found
        .iter()
        .map(|d| d.draw_in(sources, style) + "\n\n")
        .collect()
}

/// Shows progress of a job that tells how far it is from several threads.
pub fn watch(what: &'static str) -> impl Fn(usize, usize) + Sync {
    let progress = Mutex::new(Progress::new());
    move |done, total| {
        // A poisoned lock only means that a bar stands still.
        if let Ok(mut progress) = progress.lock() {
            progress.show(what, done as u64, total as u64);
        }
    }
}
