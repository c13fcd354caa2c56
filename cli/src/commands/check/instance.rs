//! A contract of either kind with its parameters, and what `gavel check --explain` says of it.

use gavel_compiler::Sources;
use gavel_compiler::artifact::library_at;
use gavel_compiler::contract::Contract;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::front::{instantiate, instantiate_ledger};
use gavel_compiler::ledger::{LedgerAnalysis, LedgerContract};
use serde::Serialize;
use serde_json::{Map, Value};

use super::analyses::Analyses;
use super::ledger;

/// A contract with its parameters.
pub(super) enum Instance {
    /// It settles a coin.
    Coin(Box<Contract>),
    /// Its entries change a state.
    Ledger(Box<LedgerContract>),
}

/// What is known of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Known {
    Coin(Analyses),
    Ledger(LedgerAnalysis),
}

impl Instance {
    /// A source with its parameters, and the warnings of its check, or else all errors.
    pub(super) fn new(
        sources: &Sources,
        params: &Map<String, Value>,
        ledger: bool,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        if ledger {
            let (contract, warnings) = instantiate_ledger(sources, params)?;
            return Ok((Self::Ledger(Box::new(contract)), warnings));
        }
        let (contract, warnings) = instantiate(sources, params)?;
        Ok((Self::Coin(Box::new(contract)), warnings))
    }

    pub(super) fn known(&self, sources: &Sources) -> Known {
        match self {
            Self::Coin(contract) => Known::Coin(Analyses::of(contract, sources)),
            Self::Ledger(contract) => {
                let locate = |span| (library_at(sources, span), super::line(sources, span));
                Known::Ledger(contract.analysis(&locate))
            }
        }
    }
}

impl Known {
    /// One line for each, a newline at the end of each.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Coin(analyses) => analyses.text(),
            Self::Ledger(analysis) => ledger::text(analysis),
        }
    }
}
