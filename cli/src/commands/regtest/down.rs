//! `gavel regtest down`: stops a node that `up` started.

use super::place::Place;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::during;

/// Stop a node that `up` started; its chain stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Only ever ends the process that `up` started.

Examples:
  gavel regtest down
  gavel regtest down --name second")]
pub struct Down {
    #[command(flatten)]
    place: Place,
}

impl Down {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let background = self.place.background()?;
        let state = during("waiting for bitcoind to stop", || background.down())?;
        output.result(&state, || {
            format!("node at {} (pid {}) stopped", state.url, state.pid)
        });
        Ok(Exit::Good)
    }
}
