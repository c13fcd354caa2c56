//! `gavel state`: reads the state of a ledger, and makes one from an export. The source isn't
//! needed: names and types are kept with the state.

mod batches;
mod export;
mod get;
mod import;
mod receipts;
mod root;
mod verify;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Read the state of a ledger, or make one from an export.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gavel state get state 'held[9722..220c]'
  gavel state root state
  gavel state export state --out state.jsonl
  gavel state import vouchers.gvl copy --from state.jsonl
  gavel state batches state
  gavel state receipts state --batch 3
  gavel state verify state")]
pub struct State {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what stands at a place
    Get(get::Get),
    /// Show the state's root
    Root(root::Root),
    /// Write all cells as lines of JSON
    Export(export::Export),
    /// Make a new state from an export
    Import(import::Import),
    /// List the batches and what is claimed of them
    Batches(batches::Batches),
    /// Write the receipts of a batch as lines of JSON
    Receipts(receipts::Receipts),
    /// Check everything that is stored
    Verify(verify::Verify),
}

impl State {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self.command {
            Command::Get(command) => command.run(output),
            Command::Root(command) => command.run(output),
            Command::Export(command) => command.run(output),
            Command::Import(command) => command.run(output),
            Command::Batches(command) => command.run(output),
            Command::Receipts(command) => command.run(output),
            Command::Verify(command) => command.run(output),
        }
    }
}
