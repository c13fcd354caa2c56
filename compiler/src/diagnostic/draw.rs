//! Diagnostics as text and as JSON.

use super::{Diagnostic, Severity};
use crate::sources::{Columns, File, Sources};
use crate::word::Span;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde_json::{Value, json};

/// How diagnostics are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// ASCII only.
    #[default]
    Plain,
    /// With ANSI colours.
    Colour,
}

impl Diagnostic {
    /// Draws the diagnostic over its source, which `path` names.
    pub fn draw(&self, source: &str, path: &str, style: Style) -> String {
        self.draw_in(&Sources::new(path, source), style)
    }

    /// Draws the diagnostic over the files that it is about.
    pub fn draw_in(&self, sources: &Sources, style: Style) -> String {
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group: Group<'_> = level
            .primary_title(self.message.as_str())
            .id(self.code.id())
            .element(self.snippet(sources, sources.file_at(self.span.start)));
        for file in self.other_files(sources) {
            group = group.element(self.snippet(sources, file));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let mut groups = vec![group];
        if let Some(fix) = &self.fix {
            let file = sources.file_at(fix.span.start);
            let patch = Patch::new(file.range(fix.span), fix.replacement.as_str());
            let snippet = Snippet::source(file.text()).path(sources.shown(file));
            groups.push(
                Level::HELP
                    .secondary_title(fix.message.as_str())
                    .element(snippet.patch(patch)),
            );
        }
        renderer.render(&groups).to_string()
    }

    /// Files other than the diagnostic's own that its labels point into.
    fn other_files<'s>(&self, sources: &'s Sources) -> Vec<&'s File> {
        let own = sources.file_at(self.span.start).base();
        let files = self.labels.iter().map(|l| sources.file_at(l.span.start));
        let mut files: Vec<&File> = files.filter(|file| file.base() != own).collect();
        files.dedup_by_key(|file| file.base());
        files
    }

    /// What the diagnostic says of one file.
    fn snippet<'a>(&'a self, sources: &'a Sources, file: &'a File) -> Snippet<'a, Annotation<'a>> {
        let here = |span: Span| sources.file_at(span.start).base() == file.base();
        let note = |kind: AnnotationKind, span: Span, text: &'a str| {
            kind.span(file.range(span)).label(text)
        };
        let own =
            here(self.span).then(|| note(AnnotationKind::Primary, self.span, self.label.as_str()));
        let labels = self.labels.iter().filter(|label| here(label.span));
        let labels = labels.map(|l| note(AnnotationKind::Context, l.span, l.text.as_str()));
        Snippet::source(file.text())
            .path(sources.shown(file))
            .annotations(own.into_iter().chain(labels))
    }

    /// The diagnostic as JSON: files, ranges in their bytes, and lines and columns from 1
    /// (columns count characters).
    pub fn to_json(&self, sources: impl Into<Sources>) -> Value {
        let sources = sources.into();
        let place = |span| place(&sources, span);
        let labels: Vec<Value> = self
            .labels
            .iter()
            .map(|label| {
                json!({
                    "file": file_of(&sources, label.span),
                    "range": place(label.span),
                    "message": label.text,
                })
            })
            .collect();
        let fix = self.fix.as_ref().map(|fix| {
            json!({
                "range": place(fix.span),
                "replacement": fix.replacement,
                "message": fix.message,
            })
        });
        json!({
            "code": self.code.id(),
            "severity": self.severity,
            "message": self.message,
            "file": file_of(&sources, self.span),
            "range": place(self.span),
            "label": self.label,
            "labels": labels,
            "help": self.help,
            "fix": fix,
        })
    }
}

/// The file of a span as it is shown; `null` for a text that has no path.
fn file_of(sources: &Sources, span: Span) -> Option<String> {
    let shown = sources.shown(sources.file_at(span.start));
    Some(shown).filter(|path| !path.is_empty())
}

fn place(sources: &Sources, span: Span) -> Value {
    let file = sources.file_at(span.start);
    let range = file.range(span);
    let position = |at: usize| {
        let at = file.position(file.base() + at as u32, Columns::Chars);
        json!({ "line": at.line + 1, "column": at.column + 1 })
    };
    json!({
        "bytes": [range.start, range.end],
        "start": position(range.start),
        "end": position(range.end),
    })
}
