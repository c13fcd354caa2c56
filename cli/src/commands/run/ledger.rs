//! The operator of a ledger whose state is in a folder.

use std::path::Path;

use gavel_compiler::ledger::LedgerContract;
use gavel_compiler::units::Height;
use gavel_prover::operator::OperatorError;
use gavel_prover::store::StoreError;
use gavel_prover::{About, Operator, Settings};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::state_dir;

/// Opens the state in a folder, or makes an empty one if there is none.
pub(super) fn open(
    dir: &Path,
    contract: &LedgerContract,
    about: &About,
    settings: Settings,
) -> Result<Operator, Failure> {
    match Operator::open(dir, contract, settings) {
        Err(OperatorError::Store(StoreError::Missing(_))) => {
            let bytes = about.to_bytes();
            let bytes = bytes.map_err(|error| state_dir::damaged(dir, &error))?;
            Operator::create(dir, contract, &bytes, settings).map_err(failed)
        }
        opened => opened.map_err(failed),
    }
}

/// The height to run at: never less than before.
pub(super) fn height(operator: &Operator, asked: Option<u32>) -> Result<Height, Failure> {
    let last = operator.reader().last_claim().map_err(state_dir::failed)?;
    let last = last.map_or(0, |claim| claim.height);
    match asked {
        Some(asked) if asked < last => {
            let message = format!("height {asked} is before that of the last batch, {last}");
            Err(Failure::usage(message).hint("Blocks only get higher."))
        }
        asked => Ok(Height(asked.unwrap_or(last))),
    }
}

/// Makes a checkpoint and ends.
pub(super) fn close(operator: Operator) -> Result<(), Failure> {
    operator.close().map_err(failed)
}

/// Why the operator can't go on.
pub(super) fn failed(error: OperatorError) -> Failure {
    match error {
        OperatorError::Store(error) => state_dir::failed(error),
        OperatorError::Tree(error) => state_dir::failed(error.into()),
        OperatorError::Contract(_) => Failure::new(Exit::No, "contract", error.to_string()),
        OperatorError::Engine(_) => Failure::new(Exit::No, "batch", error.to_string())
            .hint("Smaller batches take less memory: --batch."),
        OperatorError::Threads(_) => Failure::new(Exit::Environment, "threads", error.to_string()),
        OperatorError::Broken => Failure::new(Exit::Environment, "state-io", error.to_string()),
    }
}
