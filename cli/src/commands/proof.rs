//! `gavel proof`: that a state with a certain root has a value at a place.

mod check;
mod make;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Make and check proofs of what a state holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gavel proof make state 'held[shop]' --out proof.json
  gavel proof check proof.json --root 3f..")]
pub struct Proof {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove what stands at a place, or that nothing does
    Make(make::Make),
    /// Check a proof against a root: nothing else is needed
    Check(check::Check),
}

impl Proof {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self.command {
            Command::Make(command) => command.run(output),
            Command::Check(command) => command.run(output),
        }
    }
}
