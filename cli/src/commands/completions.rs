//! `gavel completions`: completions for a shell.

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  gavel completions bash > ~/.local/share/bash-completion/completions/gavel"
)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

impl Completions {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Cli::command(), "gavel", &mut bytes);
        let script = String::from_utf8_lossy(&bytes).into_owned();
        let result = Script {
            shell: self.shell.to_string(),
            script,
        };
        output.result(&result, || result.script.clone());
        Ok(Exit::Good)
    }
}
