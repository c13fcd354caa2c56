//! Problems found in a source, and how they are shown.
//!
//! A [`Diagnostic`] has a [`Code`], a place in the source and a message; it may point at other
//! places, say what helps, and carry a fix that an editor can apply. Every stage of the front
//! end returns what it could make of the source *and* its diagnostics, so one mistake hides
//! no other.

mod codes;
mod draw;
mod explain;

pub use codes::Code;
pub use draw::Style;
pub use explain::{Example, LongForm};

use crate::word::Span;
use serde::Serialize;

/// The most errors that are reported of a source: whoever wants more mends these first.
pub const MAX_DIAGNOSTICS: usize = 100;

/// How many names are looked at for one that is alike.
const MAX_ALIKE: usize = 200;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The contract can't be compiled.
    Error,
    /// It can, but probably shouldn't be like this.
    Warning,
}

/// A second place that matters to a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// A change to the source that would remove the diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The bytes to replace; empty to insert.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
    /// The fix in words.
    pub message: String,
}

/// One problem of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong, in one line.
    pub message: String,
    /// What stands at `span`; may be empty.
    pub label: String,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// What the author can do.
    pub help: Option<String>,
    /// A change that does it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A problem; its severity is the code's.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            span,
            message: message.into(),
            label: String::new(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Says what stands at the diagnostic's own place.
    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says what the author can do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(
        mut self,
        span: Span,
        replacement: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        self.fix = Some(Fix {
            span,
            replacement: replacement.into(),
            message: message.into(),
        });
        self
    }

    /// Whether the contract can't be compiled because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Whether any of the diagnostics is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// Drops warnings where there are errors: what looks unused may be used by what couldn't be
/// understood.
pub(crate) fn errors_first(diagnostics: &mut Vec<Diagnostic>) {
    if has_errors(diagnostics) {
        diagnostics.retain(Diagnostic::is_error);
    }
}

/// Sorts by place in the source, and drops exact repetitions.
pub(crate) fn in_source_order(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end, d.severity));
    diagnostics.dedup();
}

/// The name among `known` that is most like `name`, if one is like enough to be meant.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let limit = if length < 2 { 0 } else { (length / 3).max(1) };
    known
        .into_iter()
        .take(MAX_ALIKE)
        .filter(|other| *other != name)
        .map(|other| (distance(name, other), other))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, other)| other)
}

/// Edit distance (insert, delete, replace, swap of neighbours), letters compared without case.
fn distance(a: &str, b: &str) -> usize {
    let fold = |s: &str| s.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (a, b) = (fold(a), fold(b));
    if a.len().abs_diff(b.len()) > 8 || a.len() > 64 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let replace = at(&row, j) + usize::from(x != y);
            let mut best = replace.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}
