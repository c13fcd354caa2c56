//! `gavel regtest`: a Bitcoin Core node to develop and test against.

mod down;
mod fund;
mod install;
mod mine;
mod place;
mod status;
mod up;

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Network};
use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// A Bitcoin Core node on regtest: install, start, use, stop.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gavel regtest install
  gavel regtest up
  gavel regtest fund bcrt1q... 100000sat
  gavel regtest mine 6
  gavel regtest down")]
pub struct Regtest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build Bitcoin Core, unless there is a bitcoind already
    Install(install::Install),
    /// Start a node in the background
    Up(up::Up),
    /// Stop it; its chain stays
    Down(down::Down),
    /// Mine blocks
    Mine(mine::Mine),
    /// Pay an address from the faucet, confirmed
    Fund(fund::Fund),
    /// Show whether a node is up, and what it is at
    Status(status::Status),
}

impl Regtest {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        match self.command {
            Command::Install(command) => command.run(output),
            Command::Up(command) => command.run(output),
            Command::Down(command) => command.run(output),
            Command::Mine(command) => command.run(output),
            Command::Fund(command) => command.run(output),
            Command::Status(command) => command.run(output),
        }
    }
}

/// Checks an address.
fn regtest_address(text: &str) -> Result<Address, String> {
    let address: Address<NetworkUnchecked> = text
        .parse()
        .map_err(|error| format!("not a Bitcoin address: {error}"))?;
    address
        .require_network(Network::Regtest)
        .map_err(|_| "not a regtest address: those begin with bcrt1, m, n or 2".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, good) in [
            ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", true),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", false),
            ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", false),
            ("", false),
        ] {
            assert_eq!(regtest_address(text).is_ok(), good, "{text}");
        }
    }
}
