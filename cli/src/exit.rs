//! What `gavel` tells the shell.

use std::process::ExitCode;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done as asked.
    Good,
    /// It ran, and the contract, the game or the node says no.
    No,
    /// The command line makes no sense.
    Usage,
    /// Something around it is missing or broken: no node, no disk space, no permission.
    Environment,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Environment => 3,
        })
    }
}
