//! The one place that writes results and errors.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use gavel_compiler::diagnostic::Style;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

/// Why standard output took no more, if it didn't.
static BROKEN: OnceLock<String> = OnceLock::new();

/// Where results go: text for people, or one JSON object for scripts.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// With `json`, standard output gets exactly one JSON object.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows a result; `text` is made only if a person reads it.
    pub fn result<T: Serialize>(&self, result: &T, text: impl FnOnce() -> String) {
        if self.json {
            self.json_only(result);
        } else {
            self.write(&text());
        }
    }

    /// Whether results are for scripts.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard output is a terminal that wants colours (<https://no-color.org>).
    pub fn style(&self) -> Style {
        style(!self.json && io::stdout().is_terminal())
    }

    /// Shows a failure: to people on standard error, to scripts on standard output.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            self.write(&json!({ "error": failure }).to_string());
            return;
        }
        let hint = failure
            .hint
            .as_deref()
            .map(|hint| format!("\nhint: {hint}"));
        let text = format!(
            "{}error: {}{}\n",
            failure
                .problems
                .as_ref()
                .map_or("", |problems| &problems.drawn),
            failure.message,
            hint.unwrap_or_default()
        );
        let _ = io::stderr().write_all(text.as_bytes()); // nowhere left to complain to
    }

    /// Tells people something beside the result, on standard error.
    pub fn aside(&self, text: &str) {
        if !self.json {
            let _ = io::stderr().write_all(text.as_bytes()); // nowhere left to complain to
        }
    }

    /// Shows a line as it comes; scripts get everything at the end.
    pub fn line(&self, text: &str) {
        if !self.json {
            self.write(text);
        }
    }

    /// Shows a result that people have already read line by line.
    pub fn json_only<T: Serialize>(&self, result: &T) {
        if self.json {
            match serde_json::to_string(result) {
                Ok(text) => self.write(&text),
                Err(error) => broken(error.to_string()), // a path that isn't UTF-8
            }
        }
    }

    /// Shows a result that is one line of JSON, to people as to scripts.
    pub fn raw_json(&self, text: &str) {
        self.write(text);
    }

    /// Writes to standard output. A reader who has gone away is no error; a full disk is.
    fn write(&self, text: &str) {
        let mut out = io::stdout().lock();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let written = out
            .write_all(format!("{text}{end}").as_bytes())
            .and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => broken(error.to_string()),
            _ => {}
        }
    }

    /// Whether everything got out; if not, says why on standard error.
    pub fn is_whole(&self) -> bool {
        let Some(reason) = BROKEN.get() else {
            return true;
        };
        let text = format!("error: standard output can't be written: {reason}\n");
        let _ = io::stderr().write_all(text.as_bytes()); // nowhere left to complain to
        false
    }
}

/// Keeps the first reason; the rest follows from it.
fn broken(reason: String) {
    let _ = BROKEN.set(reason);
}

/// The style for diagnostics on standard error.
pub fn stderr_style() -> Style {
    style(io::stderr().is_terminal())
}

fn style(terminal: bool) -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if terminal && !unwanted {
        Style::Colour
    } else {
        Style::Plain
    }
}
