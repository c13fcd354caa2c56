//! Diagnostics as text and as JSON.

use super::{Diagnostic, Severity};
use crate::word::Span;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
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
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level
            .primary_title(self.message.as_str())
            .id(self.code.id());
        let mut snippet = Snippet::source(source).path(path).annotation(
            AnnotationKind::Primary
                .span(range(source, self.span))
                .label(self.label.as_str()),
        );
        for label in &self.labels {
            snippet = snippet.annotation(
                AnnotationKind::Context
                    .span(range(source, label.span))
                    .label(label.text.as_str()),
            );
        }
        let mut group: Group<'_> = title.element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let mut groups = vec![group];
        if let Some(fix) = &self.fix {
            let patch = Patch::new(range(source, fix.span), fix.replacement.as_str());
            groups.push(
                Level::HELP
                    .secondary_title(fix.message.as_str())
                    .element(Snippet::source(source).path(path).patch(patch)),
            );
        }
        renderer.render(&groups).to_string()
    }

    /// The diagnostic as JSON: ranges in bytes, and lines and columns from 1 (columns count
    /// characters).
    pub fn to_json(&self, source: &str) -> Value {
        let labels: Vec<Value> = self
            .labels
            .iter()
            .map(|label| json!({ "range": place(source, label.span), "message": label.text }))
            .collect();
        let fix = self.fix.as_ref().map(|fix| {
            json!({
                "range": place(source, fix.span),
                "replacement": fix.replacement,
                "message": fix.message,
            })
        });
        json!({
            "code": self.code.id(),
            "severity": self.severity,
            "message": self.message,
            "range": place(source, self.span),
            "label": self.label,
            "labels": labels,
            "help": self.help,
            "fix": fix,
        })
    }
}

/// The span as byte offsets that are character boundaries within the source.
fn range(source: &str, span: Span) -> std::ops::Range<usize> {
    let floor = |at: u32| {
        let mut at = (at as usize).min(source.len());
        while !source.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

fn place(source: &str, span: Span) -> Value {
    let range = range(source, span);
    let position = |at: usize| {
        let before = source.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        json!({ "line": before.matches('\n').count() + 1, "column": column + 1 })
    };
    json!({
        "bytes": [range.start, range.end],
        "start": position(range.start),
        "end": position(range.end),
    })
}
