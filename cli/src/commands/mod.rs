//! The commands, one per file. To add one: a file with a struct of raw arguments that derives
//! `clap::Args` and has `run(self, &Output) -> Result<Exit, Failure>`, and two lines here.

mod completions;
mod regtest;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A Bitcoin Core node on regtest: install, start, use, stop
    Regtest(Box<regtest::Regtest>),
    /// Print completions for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self {
            Self::Regtest(command) => command.run(output),
            Self::Completions(command) => command.run(output),
        }
    }
}
