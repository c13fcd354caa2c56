//! `gavel regtest up`: starts a node in the background.

use std::path::PathBuf;

use gavel_regtest::Config;

use super::place::Place;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use crate::progress::during;

/// Start a node in the background.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The node keeps running until `gavel regtest down`. Its chain is kept, and goes on next time.

Examples:
  gavel regtest up
  gavel regtest up --name second --port 18555
  gavel regtest up --json | jq -r .url")]
pub struct Up {
    #[command(flatten)]
    place: Place,
    /// Use this bitcoind instead of looking for one
    #[arg(long, env = "GAVEL_BITCOIND", value_name = "FILE")]
    bitcoind: Option<PathBuf>,
    /// Listen for RPC on this port of 127.0.0.1 instead of a free one
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

impl Up {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut config = Config::default();
        if let Some(bitcoind) = self.bitcoind {
            config = config.bitcoind(bitcoind);
        }
        if let Some(port) = self.port {
            config = config.port(port);
        }
        interrupt::watch(*output)?;
        let background = self.place.background()?;
        let state = during("waiting for bitcoind to answer", || background.up(&config))?;
        output.result(&state, || {
            format!(
                "node up at {} (pid {}, Bitcoin Core {})\ncookie: {}\ndata:   {}",
                state.url,
                state.pid,
                state.version,
                state.cookie.display(),
                state.datadir.display()
            )
        });
        Ok(Exit::Good)
    }
}
