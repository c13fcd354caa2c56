//! A contract with its parameters and example inputs: what a game is played with.

use gavel_compiler::contract::Contract;
use gavel_compiler::segment::Plan;
use gavel_regtest::Config;
use gavel_verifier::deploy::Terms;

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

impl Stage {
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
