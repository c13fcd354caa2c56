//! What `gavel test` says, to people and to scripts.

use std::collections::BTreeMap;
use std::path::Path;

use gavel_compiler::Sources;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::testing::{Found, Options, TestReport};
use serde::Serialize;
use serde_json::Value;

use super::super::check::{Step, Unmet, count, line};

/// The whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub ok: bool,
    seed: u64,
    cases: u32,
    passed: usize,
    failed: usize,
    /// Files that couldn't be run because of their errors.
    refused: usize,
    pub files: Vec<FileReport>,
}

/// One file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport {
    file: String,
    ok: bool,
    diagnostics: Vec<Value>,
    tests: Vec<Entry>,
}

/// A test or a property.
#[derive(Debug, Serialize)]
struct Entry {
    kind: &'static str,
    name: String,
    line: usize,
    ok: bool,
    /// How many cases of a property were run.
    cases: Option<u32>,
    failures: Vec<Unmet>,
    case: Option<Case>,
}

/// The least case found for which a property doesn't hold, as the source would write it.
#[derive(Debug, Serialize)]
struct Case {
    shrunk: u32,
    variables: BTreeMap<String, String>,
    params: BTreeMap<String, String>,
}

impl Report {
    pub fn new(options: &Options) -> Self {
        Self {
            ok: true,
            seed: options.seed,
            cases: options.cases,
            passed: 0,
            failed: 0,
            refused: 0,
            files: Vec::new(),
        }
    }

    /// Counts what the files say.
    pub fn sum_up(&mut self) {
        let entries = || self.files.iter().flat_map(|file| &file.tests);
        self.passed = entries().filter(|entry| entry.ok).count();
        self.failed = entries().filter(|entry| !entry.ok).count();
        let refused = |file: &&FileReport| !file.diagnostics.is_empty();
        self.refused = self.files.iter().filter(refused).count();
        self.ok = self.failed == 0 && self.refused == 0;
    }

    /// Whether nothing was run, and nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.passed + self.failed + self.refused == 0
    }

    pub fn summary(&self) -> String {
        let verdict = if self.ok { "ok" } else { "FAILED" };
        let refused = match self.refused {
            0 => String::new(),
            n => format!(", {} not run", count(n, "file")),
        };
        format!(
            "{verdict}: {} passed, {} failed{refused}; seed {}, {} a property",
            self.passed,
            self.failed,
            self.seed,
            count(self.cases as usize, "case"),
        )
    }
}

impl FileReport {
    pub fn new(
        path: &Path,
        sources: &Sources,
        ran: &Result<Vec<TestReport>, Vec<Diagnostic>>,
    ) -> Self {
        let (tests, found) = match ran {
            Ok(reports) => (reports.as_slice(), [].as_slice()),
            Err(found) => ([].as_slice(), found.as_slice()),
        };
        let tests: Vec<Entry> = tests.iter().map(|test| Entry::new(sources, test)).collect();
        Self {
            file: path.display().to_string(),
            ok: ran.is_ok() && tests.iter().all(|test| test.ok),
            diagnostics: found.iter().map(|d| d.to_json(sources)).collect(),
            tests,
        }
    }

    /// Whether it has neither tests that were run nor errors.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.diagnostics.is_empty()
    }

    pub fn text(&self, options: &Options) -> String {
        if !self.diagnostics.is_empty() {
            return format!("{}: not run, it has errors", self.file);
        }
        if self.tests.is_empty() {
            return format!("{}: no tests", self.file);
        }
        let mut lines = vec![self.file.clone()];
        for test in &self.tests {
            test.text(&self.file, options, &mut lines);
        }
        lines.join("\n")
    }
}

impl Entry {
    fn new(sources: &Sources, report: &TestReport) -> Self {
        let kind = match report.cases {
            Some(_) => "prop",
            None => "test",
        };
        Self {
            kind,
            name: report.name.clone(),
            line: line(sources, report.span),
            ok: report.failures.is_empty(),
            cases: report.cases,
            failures: Unmet::all(sources, &report.failures),
            case: report.found.as_ref().map(Case::new),
        }
    }

    fn text(&self, file: &str, options: &Options, lines: &mut Vec<String>) {
        let verdict = if self.ok { "ok" } else { "FAILED" };
        let (name, tried) = match self.cases {
            None => (format!("\"{}\"", self.name), String::new()),
            Some(n) if self.ok => (
                self.name.clone(),
                format!(", {}", count(n as usize, "case")),
            ),
            Some(n) => (self.name.clone(), format!(", at case {n}")),
        };
        lines.push(format!("  {verdict:<6} {} {name}{tried}", self.kind));
        for failure in &self.failures {
            lines.push(format!("    {file}:{}: {}", failure.line, failure.message));
            if let Some(line) = failure.invariant {
                lines.push(format!("    {file}:{line}: the invariant"));
            }
            let step = failure.step.iter().flat_map(Step::text);
            lines.extend(step.map(|line| format!("    {line}")));
        }
        let Some(case) = &self.case else { return };
        if !case.variables.is_empty() {
            lines.push(format!("    for {}", listed(&case.variables)));
        }
        if !case.params.is_empty() {
            lines.push(format!("    with {}", listed(&case.params)));
        }
        lines.push(format!(
            "    made smaller in {}; again: gavel test {file} --only {} --seed {} --cases {}",
            count(case.shrunk as usize, "step"),
            self.name,
            options.seed,
            options.cases,
        ));
    }
}

impl Case {
    fn new(found: &Found) -> Self {
        Self {
            shrunk: found.shrunk,
            variables: found.variables.iter().cloned().collect(),
            params: found.params.iter().cloned().collect(),
        }
    }
}

/// `a = 1, b = 2`
fn listed(values: &BTreeMap<String, String>) -> String {
    let shown: Vec<String> = values.iter().map(|(n, v)| format!("{n} = {v}")).collect();
    shown.join(", ")
}
