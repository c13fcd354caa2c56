//! The commands, one per file. To add one: a file with a struct of raw arguments that derives
//! `clap::Args` and has `run(self, &Output) -> Result<Exit, Failure>`, and two lines here.

mod bench;
mod calls;
mod check;
mod compile;
mod completions;
mod cost;
mod debug;
mod explain;
mod fmt;
mod inspect;
mod leaf;
mod new;
mod play;
mod proof;
mod regtest;
mod run;
mod state;
mod test;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a contract to start from
    New(new::New),
    /// Check a contract: source, parameters, tests
    Check(check::Check),
    /// Say what the code of a diagnostic means
    Explain(explain::Explain),
    /// Run the tests and properties that contracts carry
    Test(test::Test),
    /// Lay sources out: one layout for all
    Fmt(fmt::Fmt),
    /// Compile a contract to scripts, trees and an artifact
    Compile(compile::Compile),
    /// Show what the bytes of a leaf do
    Inspect(inspect::Inspect),
    /// Run a segment's leaf step by step, forwards and backwards
    Debug(Box<debug::Debug>),
    /// What a contract costs, before any money moves
    Cost(Box<cost::Cost>),
    /// Measure how fast ledgers run, and what that includes
    Bench(bench::Bench),
    /// Play a game on a real node: who does what, transactions, balance sheet
    Play(Box<play::Play>),
    /// Make, sign and convert calls of a ledger, and keys
    Calls(Box<calls::Calls>),
    /// Run calls of a ledger in batches, and keep its state in a folder
    Run(Box<run::Run>),
    /// Read the state of a ledger, or make one from an export
    State(Box<state::State>),
    /// Make and check proofs of what a state holds
    Proof(proof::Proof),
    /// A Bitcoin Core node on regtest: install, start, use, stop
    Regtest(Box<regtest::Regtest>),
    /// Print completions for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self {
            Self::New(command) => command.run(output),
            Self::Check(command) => command.run(output),
            Self::Explain(command) => command.run(output),
            Self::Test(command) => command.run(output),
            Self::Fmt(command) => command.run(output),
            Self::Compile(command) => command.run(output),
            Self::Inspect(command) => command.run(output),
            Self::Debug(command) => command.run(output),
            Self::Cost(command) => command.run(output),
            Self::Bench(command) => command.run(output),
            Self::Play(command) => command.run(output),
            Self::Calls(command) => command.run(output),
            Self::Run(command) => command.run(output),
            Self::State(command) => command.run(output),
            Self::Proof(command) => command.run(output),
            Self::Regtest(command) => command.run(output),
            Self::Completions(command) => command.run(output),
        }
    }
}

/// Checks a number: as this program prints it, `1_000_330`, or without underscores.
fn number(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    digits
        .parse()
        .map_err(|_| format!("a whole number from 0 to {} is needed", u64::MAX))
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers() {
        for (text, n) in [
            ("0", Some(0)),
            ("1_000_330", Some(1_000_330)),
            ("-5", None),
            ("", None),
            ("_", None),
            ("1e5", None),
            ("18446744073709551616", None),
        ] {
            assert_eq!(super::number(text).ok(), n, "{text}");
        }
    }
}
