//! `gavel regtest mine`: makes blocks.

use bitcoin::{Address, BlockHash};
use gavel_regtest::faucet;
use serde::Serialize;

use super::place::Target;
use super::regtest_address;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

/// Mine blocks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The subsidy goes to the faucet unless --to says otherwise. It halves every 150 blocks.

Examples:
  gavel regtest mine
  gavel regtest mine 144
  gavel regtest mine 101 --to bcrt1q...")]
pub struct Mine {
    /// How many
    #[arg(default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    blocks: u32,
    /// Where the subsidy goes
    #[arg(long, value_name = "ADDRESS", value_parser = regtest_address)]
    to: Option<Address>,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Mined {
    blocks: u32,
    height: u32,
    best: Option<BlockHash>,
}

impl Mine {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let rpc = self.target.connect()?;
        let script = self
            .to
            .map_or_else(faucet::script, |address| address.script_pubkey());
        let mut progress = Progress::new();
        let hashes = rpc.mine_watched(self.blocks, &script, &mut |done| {
            progress.show("mining", done.into(), self.blocks.into());
        })?;
        drop(progress);
        let best = hashes.last().copied();
        let mined = Mined {
            blocks: self.blocks,
            height: rpc.height()?,
            best,
        };
        output.result(&mined, || {
            format!("mined {}; height {}", mined.blocks, mined.height)
        });
        Ok(Exit::Good)
    }
}
