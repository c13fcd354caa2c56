//! Runs the tests and properties that a source carries, with the reference interpreter.
//!
//! A property is lowered once, its variables being inputs, and run on many cases. They are
//! drawn from a seed, so the same seed gives the same cases on any machine; what fails is
//! shrunk to a case that fails with less.
//!
//! **Invariant:** the report is a function of the source and the [`Options`].

mod case;
mod draw;
mod ledger;
mod show;
mod shrink;

use crate::diagnostic::Diagnostic;
use crate::front::check;
use crate::sources::Sources;
use crate::types::typed::{self, TestDef};
use crate::word::Span;
use case::Trial;
use draw::{Atoms, Random};
use ledger::LedgerTrial;
use sha2::{Digest, Sha256};

/// What to run, and on which cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Decides the cases.
    pub seed: u64,
    /// How many cases each property is tried on.
    pub cases: u32,
    /// Only tests with this in their name.
    pub only: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            cases: 256,
            only: None,
        }
    }
}

/// How a test or a property went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// How many cases were run; `None` for a test.
    pub cases: Option<u32>,
    /// What went wrong; empty if it passed.
    pub failures: Vec<TestFailure>,
    /// The case that the failures are of, if it is a property.
    pub found: Option<Found>,
}

/// One line of a test that didn't hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFailure {
    /// The line.
    pub span: Span,
    /// What happened.
    pub message: String,
    /// The invariant that was broken, if it is that.
    pub invariant: Option<Span>,
    /// The last call before, of a test of a ledger.
    pub step: Option<Step>,
}

/// A call in a test of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call, as the source would write it.
    pub call: String,
    /// The places of the state that weren't zero before it, and what they held.
    pub before: Vec<(String, String)>,
    /// The same after it; `None` if it failed, which changes nothing.
    pub after: Option<Vec<(String, String)>>,
}

/// A case for which a property doesn't hold, as small as it could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many steps made it smaller.
    pub shrunk: u32,
    /// The variables and their values, as the source would write them.
    pub variables: Vec<(String, String)>,
    /// The parameters that `with` gave, likewise.
    pub params: Vec<(String, String)>,
}

/// Runs the `test` blocks of a source.
///
/// # Errors
/// All errors of the source.
pub fn run_tests(sources: impl Into<Sources>) -> Result<Vec<TestReport>, Vec<Diagnostic>> {
    let contract = checked(sources.into())?;
    let tests = contract.tests.iter().filter(|t| t.variables.is_none());
    Ok(tests.map(|test| run_test(&contract, test)).collect())
}

/// Runs the tests and properties of a source, in its order. `progress` is told the name of
/// what runs, how many cases are done, and of how many.
///
/// # Errors
/// All errors of the source.
pub fn run(
    sources: impl Into<Sources>,
    options: &Options,
    progress: &mut dyn FnMut(&str, u32, u32),
) -> Result<Vec<TestReport>, Vec<Diagnostic>> {
    let contract = checked(sources.into())?;
    let only = options.only.as_deref().unwrap_or_default();
    let tests = contract.tests.iter().filter(|t| t.name.contains(only));
    let report = |test: &TestDef| match &test.variables {
        None => run_test(&contract, test),
        Some(variables) => {
            let atoms = Atoms::new(variables, &contract.enums);
            run_prop(&contract, test, &atoms, options, progress)
        }
    };
    Ok(tests.map(report).collect())
}

fn checked(sources: Sources) -> Result<typed::Contract, Vec<Diagnostic>> {
    let checked = check(&sources);
    if checked.is_ok() {
        Ok(checked.contract)
    } else {
        Err(checked.diagnostics)
    }
}

/// A test, ready to be run.
enum Tried<'a> {
    Coin(Box<Trial<'a>>),
    Ledger(LedgerTrial<'a>),
}

/// How a case went.
#[derive(Debug)]
struct Ran {
    /// What didn't hold.
    failures: Vec<TestFailure>,
    /// Whether the parameters were refused: the case says nothing.
    refused: bool,
    /// Words of the parameters, as far as they were computed.
    params: Vec<Option<Vec<u32>>>,
}

impl<'a> Tried<'a> {
    fn new(contract: &'a typed::Contract, test: &'a TestDef) -> Self {
        if contract.entries.is_empty() {
            Self::Coin(Box::new(Trial::new(contract, test)))
        } else {
            Self::Ledger(LedgerTrial::new(contract, test))
        }
    }

    /// Runs it with these words of its variables.
    fn run(&self, variables: &[Vec<u32>]) -> Ran {
        match self {
            Self::Coin(trial) => trial.run(variables),
            Self::Ledger(trial) => trial.run(variables),
        }
    }

    fn show_variables(&self, words: &[Vec<u32>]) -> Vec<(String, String)> {
        match self {
            Self::Coin(trial) => trial.show_variables(words),
            Self::Ledger(trial) => trial.show_variables(words),
        }
    }
}

fn run_test(contract: &typed::Contract, test: &TestDef) -> TestReport {
    TestReport {
        name: test.name.clone(),
        span: test.span,
        cases: None,
        failures: Tried::new(contract, test).run(&[]).failures,
        found: None,
    }
}

fn run_prop(
    contract: &typed::Contract,
    test: &TestDef,
    atoms: &Atoms,
    options: &Options,
    progress: &mut dyn FnMut(&str, u32, u32),
) -> TestReport {
    let trial = Tried::new(contract, test);
    let mut random = Random::new(seed_of(options.seed, &test.name));
    // Without variables all cases are the same.
    let cases = if atoms.is_empty() { 1 } else { options.cases };
    let mut report = TestReport {
        name: test.name.clone(),
        span: test.span,
        cases: Some(cases),
        failures: Vec::new(),
        found: None,
    };
    let mut refused = 0;
    for n in 0..cases {
        progress(&test.name, n, cases);
        let drawn = atoms.draw(n, &mut random);
        let Ran {
            failures: first,
            refused: no,
            ..
        } = trial.run(&atoms.words(&drawn));
        refused += u32::from(no);
        let Some(line) = first.first().map(|failure| failure.span) else {
            continue;
        };
        // The same line must fail: another might for another reason.
        let fails = |case: &[u64]| {
            let failures = trial.run(&atoms.words(case)).failures;
            failures.first().is_some_and(|failure| failure.span == line)
        };
        let (least, shrunk) = shrink::shrink(drawn, atoms, fails);
        let words = atoms.words(&least);
        let ran = trial.run(&words);
        report.cases = Some(n + 1);
        // Those that were drawn are among the variables.
        let params = show::params(contract, &ran.params).into_iter();
        let given = |(name, _): &(String, String)| {
            let variables = test.variables.iter().flatten();
            !test.draws_params || !variables.into_iter().any(|v| v.name == *name)
        };
        let params = params.filter(given).collect();
        report.found = Some(Found {
            shrunk,
            variables: trial.show_variables(&words),
            params,
        });
        report.failures = ran.failures;
        break;
    }
    if refused == cases {
        report.failures.push(TestFailure {
            span: test.span,
            message:
                "no case was tried: no drawn parameters met their `where`; give them by `with`"
                    .to_owned(),
            invariant: None,
            step: None,
        });
    }
    report
}

/// Each property has cases of its own, whichever others run.
fn seed_of(seed: u64, name: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(name.as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    hash.iter()
        .take(8)
        .fold(0, |n, byte| (n << 8) | u64::from(*byte))
}
