//! A contract with its parameters and example inputs: what a game is played with.

use gavel_compiler::contract::Contract;
use gavel_compiler::diagnostic::{Diagnostic, Style};
use gavel_compiler::front;
use gavel_compiler::segment::{Budget, Plan, SegmentError, plan};
use gavel_compiler::value::encode_inputs;
use gavel_compiler::word::{End, run};
use gavel_regtest::Config;
use gavel_verifier::deploy::Terms;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Why a contract's files make no stage.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file can't be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A JSON file isn't what it should be.
    #[error("{}: {reason}", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The contract or its parameters have errors; drawn.
    #[error("{0}")]
    Contract(String),
    /// The program can't be cut into leaves.
    #[error(transparent)]
    Plan(#[from] SegmentError),
}

/// How to load a contract.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its parameters; by default `NAME.params.json` beside `NAME.gvl`.
    pub params: Option<PathBuf>,
    /// Its example inputs; by default `NAME.play.json` beside `NAME.gvl`.
    pub play: Option<PathBuf>,
    /// Limits of a leaf.
    pub budget: Budget,
    /// Terms of the deployment.
    pub terms: Terms,
    /// The node to start.
    pub node: Config,
}

/// Example inputs of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// As its file names it.
    pub name: String,
    /// Input words, all elements flattened.
    pub words: Vec<u32>,
    /// The outcome's index, or `None` where `settle` aborts.
    pub outcome: Option<u8>,
}

/// What a game is played with.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The contract, parameters folded in.
    pub contract: Contract,
    /// Its program, cut.
    pub plan: Plan,
    /// The deployment's terms.
    pub terms: Terms,
    /// Example inputs; the first is the usual one.
    pub cases: Vec<Case>,
    /// The node to start.
    pub node: Config,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlayFile {
    cases: Vec<PlayCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlayCase {
    name: String,
    inputs: Value,
    expect: Option<String>,
    aborts: Option<String>,
}

impl Stage {
    /// Loads `NAME.gvl` with the files beside it.
    ///
    /// # Errors
    /// [`LoadError`] says which file, and what is wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::load_with(path, Options::default())
    }

    /// Loads `NAME.gvl` with options.
    ///
    /// # Errors
    /// [`LoadError`] says which file, and what is wrong.
    pub fn load_with(path: impl AsRef<Path>, options: Options) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let source = read(path)?;
        let params = options
            .params
            .unwrap_or_else(|| path.with_extension("params.json"));
        let params: Map<String, Value> = json(&params)?;
        let drawn = |found: Vec<Diagnostic>| {
            let name = path.display().to_string();
            let all = found.iter().map(|d| d.draw(&source, &name, Style::Plain));
            LoadError::Contract(all.collect::<Vec<_>>().join("\n\n"))
        };
        let (contract, _) = front::instantiate(&source, &params).map_err(drawn)?;
        let plan = plan(&contract.program, &options.budget)?;
        let play = options
            .play
            .unwrap_or_else(|| path.with_extension("play.json"));
        let file: PlayFile = json(&play)?;
        let wrong = |reason: String| LoadError::Json {
            path: play.clone(),
            reason,
        };
        let cases = file
            .cases
            .into_iter()
            .map(|c| case(&contract, c).map_err(wrong));
        let cases = cases.collect::<Result<_, _>>()?;
        Ok(Self {
            contract,
            plan,
            terms: options.terms,
            cases,
            node: options.node,
        })
    }

    /// The first case with an outcome.
    pub fn usual(&self) -> Option<&Case> {
        self.cases.iter().find(|case| case.outcome.is_some())
    }

    /// A case with another outcome than `k`.
    pub fn other(&self, k: u8) -> Option<&Case> {
        self.cases
            .iter()
            .find(|case| case.outcome.is_some_and(|outcome| outcome != k))
    }

    /// A case on which `settle` aborts.
    pub fn aborting(&self) -> Option<&Case> {
        self.cases.iter().find(|case| case.outcome.is_none())
    }
}

/// Reads one case, and checks that it ends as its file says.
fn case(contract: &Contract, case: PlayCase) -> Result<Case, String> {
    let named = |reason: String| format!("case \"{}\": {reason}", case.name);
    let words = encode_inputs(&contract.inputs, &case.inputs).map_err(|e| named(e.to_string()))?;
    let program = &contract.program;
    let end = run(program, &words).end;
    let found = match end {
        End::Outcome(k) => program.outcomes.get(k as usize).map(String::as_str),
        End::Abort(code) => program
            .aborts
            .get(usize::from(code))
            .map(|abort| abort.name.as_str()),
    };
    let found = found.unwrap_or("?");
    let (expected, outcome) = match (&case.expect, &case.aborts, end) {
        (Some(name), None, End::Outcome(k)) => (name, Some(k as u8)),
        (None, Some(name), End::Abort(_)) => (name, None),
        (Some(_), Some(_), _) | (None, None, _) => {
            return Err(named(
                "has to say either \"expect\" or \"aborts\"".to_owned(),
            ));
        }
        (Some(name), ..) | (_, Some(name), _) => {
            return Err(named(format!("was to end in {name}, but ends in {found}")));
        }
    };
    if found != expected {
        return Err(named(format!(
            "was to end in {expected}, but ends in {found}"
        )));
    }
    Ok(Case {
        name: case.name,
        words,
        outcome,
    })
}

fn read(path: &Path) -> Result<String, LoadError> {
    let failed = |error| LoadError::Read {
        path: path.to_owned(),
        error,
    };
    std::fs::read_to_string(path).map_err(failed)
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, LoadError> {
    let text = read(path)?;
    let wrong = |e: serde_json::Error| LoadError::Json {
        path: path.to_owned(),
        reason: e.to_string(),
    };
    serde_json::from_str(&text).map_err(wrong)
}
