//! Reads an artifact and believes nothing in it: compiles its source again and compares.

use super::{COMPILER, CompileError, Compiled, FORMAT, Options, VERSION, compile};
use crate::sources::Sources;
use serde_json::{Map, Value};
use std::fmt;

/// Why an artifact is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArtifactError {
    /// It is no JSON object.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no artifact.
    #[error("`/format` is not \"{FORMAT}\": this is no artifact")]
    NotAnArtifact,
    /// Another version of the format.
    #[error("`/version` is {found}, this is for version {VERSION}: compile the source again")]
    Version {
        /// What stands there.
        found: String,
    },
    /// Written by another version of the compiler, which may make other scripts.
    #[error("it was written by gavel {found}, this is {COMPILER}: compile the source again")]
    Compiler {
        /// What stands there.
        found: String,
    },
    /// What is compiled isn't there, or can't be read.
    #[error("`{pointer}`: {reason}")]
    Input {
        /// Where, as a JSON pointer (RFC 6901).
        pointer: String,
        /// What is wrong.
        reason: String,
    },
    /// Its own source doesn't compile.
    #[error("its source does not compile: {error}")]
    Compile {
        /// The source, and what it imports.
        sources: Box<Sources>,
        /// Why.
        error: CompileError,
    },
    /// It says something else than follows from its source, parameters and options.
    #[error(
        "{0}: the file was changed after it was written, here or in `/source`, `/params` or \
         `/options`"
    )]
    Differs(Difference),
}

/// The first difference between an artifact and what its source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What stands there, shortened; `None` if nothing does.
    pub says: Option<String>,
    /// What should, shortened; `None` if nothing should.
    pub should: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = &self.pointer;
        match (&self.says, &self.should) {
            (Some(says), Some(should)) => {
                write!(f, "`{pointer}` is {says}, but should be {should}")
            }
            (None, Some(should)) => write!(f, "`{pointer}` is missing, should be {should}"),
            (Some(says), None) => write!(f, "`{pointer}` ({says}) doesn't belong there"),
            (None, None) => write!(f, "`{pointer}` differs"),
        }
    }
}

/// Reads an artifact, compiles what it was made from again, and compares everything.
///
/// # Errors
/// [`ArtifactError`] names the first thing that is wrong.
pub fn verify(
    json: &str,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Compiled, ArtifactError> {
    let value: Value =
        serde_json::from_str(json).map_err(|e| ArtifactError::NotJson(e.to_string()))?;
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(ArtifactError::NotAnArtifact);
    }
    if value.get("version").and_then(Value::as_u64) != Some(u64::from(VERSION)) {
        let found = says(value.get("version"));
        return Err(ArtifactError::Version { found });
    }
    if value.get("compiler").and_then(Value::as_str) != Some(COMPILER) {
        let found = says(value.get("compiler"));
        return Err(ArtifactError::Compiler { found });
    }
    let input = |pointer: &str, reason: &str| ArtifactError::Input {
        pointer: pointer.to_owned(),
        reason: reason.to_owned(),
    };
    let source = value.get("source").and_then(Value::as_str);
    let source = source.ok_or_else(|| input("/source", "expected the source text"))?;
    let sources = sources_of(source, value.get("files"))
        .ok_or_else(|| input("/files", "expected an object of texts"))?;
    let params: &Map<String, Value> = value
        .get("params")
        .and_then(Value::as_object)
        .ok_or_else(|| input("/params", "expected an object"))?;
    let options = value.get("options").cloned().unwrap_or_default();
    let options: Options =
        serde_json::from_value(options).map_err(|e| input("/options", &e.to_string()))?;
    let compiled = compile(&sources, params, &options, progress).map_err(|error| match error {
        CompileError::Option { .. } => input("/options/max_leaf_weight", &error.to_string()),
        error => ArtifactError::Compile {
            sources: Box::new(sources.clone()),
            error,
        },
    })?;
    let should = serde_json::to_value(compiled.artifact())
        .map_err(|e| ArtifactError::NotJson(e.to_string()))?;
    match difference(&value, &should, String::new()) {
        Some(difference) => Err(ArtifactError::Differs(difference)),
        None => Ok(compiled),
    }
}

/// The source with the libraries that are carried beside it.
fn sources_of(source: &str, files: Option<&Value>) -> Option<Sources> {
    let mut sources = Sources::from(source);
    if let Some(files) = files {
        for (name, text) in files.as_object()? {
            sources.add(name, text.as_str()?);
        }
    }
    Some(sources)
}

fn says(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), short)
}

/// The first difference, names in order; the digest, which differs whenever anything does,
/// comes last.
fn difference(is: &Value, should: &Value, at: String) -> Option<Difference> {
    match (is, should) {
        (Value::Object(is), Value::Object(should)) => {
            let mut names: Vec<&String> = is.keys().chain(should.keys()).collect();
            names.sort_by_key(|name| (name.as_str() == "digest", name.as_str()));
            names.dedup();
            names.into_iter().find_map(|name| {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                either(is.get(name), should.get(name), format!("{at}/{escaped}"))
            })
        }
        (Value::Array(is), Value::Array(should)) => (0..is.len().max(should.len()))
            .find_map(|n| either(is.get(n), should.get(n), format!("{at}/{n}"))),
        _ if is == should => None,
        _ => Some(Difference {
            pointer: at,
            says: Some(short(is)),
            should: Some(short(should)),
        }),
    }
}

fn either(is: Option<&Value>, should: Option<&Value>, at: String) -> Option<Difference> {
    match (is, should) {
        (Some(is), Some(should)) => difference(is, should, at),
        (None, None) => None,
        (is, should) => Some(Difference {
            pointer: at,
            says: is.map(short),
            should: should.map(short),
        }),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 {
        return text;
    }
    let start: String = text.chars().take(37).collect();
    format!("{start}...")
}
