//! Payments, trades and tokens in one contract.

use super::accounts::Accounts;
use super::nft::Nft;
use super::play::{Draft, Play, Start};
use super::random::Random;
use super::swaps::Swaps;
use super::transfers::{Pattern, Transfers};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Mixed {
    transfers: Transfers,
    swaps: Swaps,
    nft: Nft,
}

impl Mixed {
    pub fn new(accounts: &Arc<Accounts>) -> Self {
        let own = || Arc::clone(accounts);
        Self {
            transfers: Transfers::new(own(), Pattern::Uniform),
            swaps: Swaps::new(own(), 100),
            nft: Nft::new(own()),
        }
    }
}

impl Play for Mixed {
    /// Payments and tokens start from the same wallets.
    fn start(&self) -> Vec<Start> {
        let all = [self.transfers.start(), self.swaps.start(), self.nft.start()];
        all.into_iter().flatten().collect()
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        match random.below(10) {
            0..6 => self.transfers.draw(random),
            6 | 7 => self.swaps.draw(random),
            _ => self.nft.draw(random),
        }
    }
}
