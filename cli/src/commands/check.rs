//! `gavel check`: everything that is wrong with a contract, in one run.

mod analyses;
mod instance;
mod ledger;
mod step;

use std::path::PathBuf;

use gavel_compiler::Sources;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::front::check;
use gavel_compiler::testing::{TestFailure, TestReport, run_tests};
use gavel_compiler::word::Span;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::contract_file::{draw, explain_hint, from_artifact, is_artifact, params_of, sources};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use instance::{Instance, Known};
pub(super) use step::Step;

/// Check a contract: its source, its parameters, and the tests that it carries.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
All problems are shown in one run, in the order of the source. Parameters are those beside the
source (NAME.params.json) unless others are named; without any, the source alone is checked.
Exit code 1 if there is an error or a test fails; warnings are no errors.

Examples:
  gavel check bet.gvl
  gavel check bet.gvl --params other.json
  gavel check bet.gvl --explain          also who vouches for what, and who is paid
  gavel check amm.gvl --explain          of a ledger: who signs, what each entry touches
  gavel check bet.gvl --json | jq '.diagnostics[].message'
  gavel check bet.artifact.json          an artifact: whether it says what its source gives")]
pub struct Check {
    /// The source (.gvl), or an artifact (.json)
    file: PathBuf,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Don't run the tests that the source carries
    #[arg(long)]
    no_tests: bool,
    /// Say what holds of a contract that is right: operations, aborts, inputs and payments, or
    /// the signers, cells and events of entries
    #[arg(long)]
    explain: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    file: String,
    contract: String,
    /// The parameters that were checked too.
    params: Option<String>,
    ok: bool,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Value>,
    tests: Vec<Test>,
    /// With `--explain`, if all is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    analyses: Option<Known>,
}

#[derive(Debug, Serialize)]
struct Test {
    name: String,
    line: usize,
    ok: bool,
    failures: Vec<Unmet>,
}

/// A line of a test that didn't hold.
#[derive(Debug, Serialize)]
pub(super) struct Unmet {
    pub line: usize,
    pub message: String,
    /// The line of the invariant that was broken, if it is that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invariant: Option<usize>,
    /// The last call before, of a ledger's test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
}

impl Unmet {
    pub(super) fn all(sources: &Sources, failures: &[TestFailure]) -> Vec<Self> {
        let unmet = failures.iter().map(|failure| Self {
            line: line(sources, failure.span),
            message: failure.message.clone(),
            invariant: failure.invariant.map(|span| line(sources, span)),
            step: failure.step.as_ref().map(Step::new),
        });
        unmet.collect()
    }
}

impl Check {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let (report, found, sources) = self.look()?;
        let exit = if report.ok { Exit::Good } else { Exit::No };
        let style = output.style();
        output.result(&report, || {
            let text = report.text(&draw(&found, &sources, style));
            match explain_hint(&found) {
                Some(hint) => format!("{text}\n{hint}"),
                None => text,
            }
        });
        Ok(exit)
    }

    fn look(&self) -> Result<(Report, Vec<Diagnostic>, Sources), Failure> {
        if is_artifact(&self.file) {
            if self.params.is_some() {
                return Err(Failure::usage(
                    "an artifact carries its parameters; leave `--params` away",
                ));
            }
            let compiled = from_artifact(&self.file)?;
            let mut report = self.report(&compiled.sources, &compiled.warnings, None);
            let instance = Instance::Coin(Box::new(compiled.contract));
            self.explain(&mut report, Some(&instance), &compiled.sources);
            return Ok((report, compiled.warnings, compiled.sources));
        }
        let sources = sources(&self.file)?;
        let params = params_of(&self.file, self.params.as_deref())?;
        let checked = check(&sources);
        let library = checked.tree.as_ref().is_some_and(|tree| tree.library);
        if library && self.params.is_some() {
            return Err(Failure::usage(
                "a library has no parameters; leave `--params` away",
            ));
        }
        let ok = checked.is_ok() && !library;
        let ledger = checked.contract.is_ledger();
        let mut found = checked.diagnostics;
        // What is explained are numbers, which parameters decide.
        let (with, given) = match params {
            Some((at, given)) => (Some(at), Some(given)),
            None => (None, self.explain.then(Map::new)),
        };
        let mut instance = None;
        if let Some(given) = given.filter(|_| ok) {
            match Instance::new(&sources, &given, ledger) {
                Ok((made, all)) => (instance, found) = (Some(made), all),
                Err(more) => found.extend(more),
            }
        }
        let mut report = self.report(&sources, &found, with.filter(|_| !library));
        self.explain(&mut report, instance.as_ref(), &sources);
        Ok((report, found, sources))
    }

    fn explain(&self, report: &mut Report, instance: Option<&Instance>, sources: &Sources) {
        if self.explain && report.ok {
            report.analyses = instance.map(|instance| instance.known(sources));
        }
    }

    fn report(&self, sources: &Sources, found: &[Diagnostic], params: Option<PathBuf>) -> Report {
        let errors = found.iter().filter(|d| d.is_error()).count();
        let tests = match run_tests(sources) {
            Ok(reports) if !self.no_tests => {
                reports.iter().map(|r| Test::new(sources, r)).collect()
            }
            _ => Vec::new(), // errors of the source are shown already
        };
        Report {
            file: self.file.display().to_string(),
            contract: check(sources).contract.name,
            params: params.map(|path| path.display().to_string()),
            ok: errors == 0 && tests.iter().all(|test| test.ok),
            errors,
            warnings: found.len() - errors,
            diagnostics: found.iter().map(|d| d.to_json(sources)).collect(),
            tests,
            analyses: None,
        }
    }
}

impl Test {
    fn new(sources: &Sources, report: &TestReport) -> Self {
        Self {
            name: report.name.clone(),
            line: line(sources, report.span),
            ok: report.failures.is_empty(),
            failures: Unmet::all(sources, &report.failures),
        }
    }
}

impl Report {
    fn text(&self, drawn: &str) -> String {
        let mut lines = Vec::new();
        for test in &self.tests {
            let verdict = if test.ok { "passed" } else { "FAILED" };
            lines.push(format!("test \"{}\": {verdict}", test.name));
            for failure in &test.failures {
                let place = place(&self.file, failure.line);
                lines.push(format!("  {place}: {}", failure.message));
            }
        }
        let failed = self.tests.iter().filter(|test| !test.ok).count();
        let verdict = if self.ok { "ok" } else { "not ok" };
        let with = match &self.params {
            Some(params) => format!(", with {params}"),
            None => String::new(),
        };
        lines.push(format!(
            "{}: {verdict}{with}: {}, {}, {} of {} passed",
            self.file,
            count(self.errors, "error"),
            count(self.warnings, "warning"),
            self.tests.len() - failed,
            count(self.tests.len(), "test"),
        ));
        if let Some(analyses) = &self.analyses {
            lines.push(analyses.text());
        }
        format!("{drawn}{}", lines.join("\n"))
    }
}

/// `1 error`, `2 errors`.
pub(super) fn count(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

pub(super) fn line(sources: &Sources, span: Span) -> usize {
    sources.lines(span).map_or(1, |[first, _]| first)
}

fn place(file: &str, line: usize) -> String {
    format!("{file}:{line}")
}
