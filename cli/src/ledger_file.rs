//! A ledger from its source, with its parameters.

use std::path::Path;

use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::LedgerContract;

use crate::contract_file::{draw, params_of, source_failure, sources};
use crate::failure::Failure;
use crate::output::{Output, stderr_style};

/// Loads a ledger: a source with the parameters at `params`, or else those beside it. Shows the
/// warnings of its check.
///
/// # Errors
/// A [`Failure`] with everything that is wrong with the source or its parameters.
pub fn load(
    path: &Path,
    params: Option<&Path>,
    output: &Output,
) -> Result<LedgerContract, Failure> {
    let sources = sources(path)?;
    let given = params_of(path, params)?.map(|(_, given)| given);
    let made = instantiate_ledger(&sources, &given.unwrap_or_default());
    let (contract, warnings) =
        made.map_err(|found| source_failure(&found, &sources, stderr_style()))?;
    output.aside(&draw(&warnings, &sources, stderr_style()));
    Ok(contract)
}
