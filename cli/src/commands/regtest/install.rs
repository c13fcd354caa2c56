//! `gavel regtest install`: builds Bitcoin Core, once.

use std::path::PathBuf;

use gavel_regtest::{Bitcoind, Error, Phase, install};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

/// Build Bitcoin Core, unless there is a bitcoind already.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Takes about six minutes on two cores. The source is that of a crates.io package which
Cargo.lock pins; the result goes to ~/.cache/gavel (or $GAVEL_CACHE). Missing build tools are
installed with apt-get if this needs no question; otherwise you are told what to install.

Examples:
  gavel regtest install
  gavel regtest install --force
  GAVEL_BITCOIND=/opt/bitcoin/bin/bitcoind gavel regtest install    (only checks that one)")]
pub struct Install {
    /// Use this bitcoind, if it is good enough, instead of looking for one
    #[arg(long, value_name = "FILE", conflicts_with = "force")]
    bitcoind: Option<PathBuf>,
    /// Build even if there is a bitcoind on PATH
    #[arg(long)]
    force: bool,
}

impl Install {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let found = if self.force {
            build()?
        } else {
            match Bitcoind::find(self.bitcoind.as_deref()) {
                Err(Error::NodeNotFound { .. }) => build()?,
                // one that Gavel doesn't know of a use for, and that nobody named: build our own
                Err(Error::TooOld { .. } | Error::BadBinary { .. }) if !self.is_named() => build()?,
                found => found?,
            }
        };
        output.result(&found, || {
            format!(
                "bitcoind {} is ready: {}",
                found.version,
                found.path.display()
            )
        });
        Ok(Exit::Good)
    }

    fn is_named(&self) -> bool {
        self.bitcoind.is_some() || std::env::var_os(gavel_regtest::BITCOIND_ENV).is_some()
    }
}

fn build() -> Result<Bitcoind, Error> {
    let mut progress = Progress::new();
    install::install(&mut |phase: Phase, done: u32, total: u32| {
        progress.show(phase.describe(), done.into(), total.into());
    })
}
