//! `gavel calls`: makes, signs and converts the calls of a ledger, and the keys that sign them.

mod convert;
mod key;
mod new;
mod sign;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Make, sign and convert calls of a ledger.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Calls are lines of JSON, or records of bytes, which are smaller and faster to read; commands that
read calls see which they are.

Examples:
  gavel calls key alice.key
  gavel calls new vouchers.gvl pay --arguments '{\"from\": .., \"to\": .., \"amount\": 5}' --key alice.key
  gavel calls sign vouchers.gvl --key alice.key --calls unsigned.jsonl --out signed.jsonl
  gavel calls convert vouchers.gvl --calls signed.jsonl --out signed.calls")]
pub struct Calls {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a call, signed if keys are given
    New(new::New),
    /// Sign calls wherever an entry's signer is this key
    Sign(sign::Sign),
    /// Make a new secret key
    Key(key::Key),
    /// Write calls in the other form
    Convert(convert::Convert),
}

impl Calls {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self.command {
            Command::New(command) => command.run(output),
            Command::Sign(command) => command.run(output),
            Command::Key(command) => command.run(output),
            Command::Convert(command) => command.run(output),
        }
    }
}
