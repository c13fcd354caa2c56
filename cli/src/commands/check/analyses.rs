//! What `gavel check --explain` says of a contract that is right, whichever kind it is.

use gavel_compiler::contract::Contract;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::front::{instantiate, instantiate_ledger};
use gavel_compiler::ledger::{LedgerAnalysis, LedgerContract};
use serde::Serialize;
use serde_json::{Map, Value};

use super::coin::CoinAnalyses;
use super::ledger;

/// A contract with its parameters.
pub(super) enum Instance {
    /// It settles a coin.
    Coin(Box<Contract>),
    /// Its entries change a state.
    Ledger(Box<LedgerContract>),
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Analyses {
    Coin(CoinAnalyses),
    Ledger(LedgerAnalysis),
}

impl Instance {
    /// A source with its parameters, and the warnings of its check, or else all errors.
    pub(super) fn new(
        source: &str,
        params: &Map<String, Value>,
        ledger: bool,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        if ledger {
            let (contract, warnings) = instantiate_ledger(source, params)?;
            return Ok((Self::Ledger(Box::new(contract)), warnings));
        }
        let (contract, warnings) = instantiate(source, params)?;
        Ok((Self::Coin(Box::new(contract)), warnings))
    }

    pub(super) fn analyses(&self, source: &str) -> Analyses {
        match self {
            Self::Coin(contract) => Analyses::Coin(CoinAnalyses::of(contract, source)),
            Self::Ledger(contract) => Analyses::Ledger(contract.analysis(source)),
        }
    }
}

impl Analyses {
    /// One line for each, a newline at the end of each.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Coin(coin) => coin.text(),
            Self::Ledger(analysis) => ledger::text(analysis),
        }
    }
}
