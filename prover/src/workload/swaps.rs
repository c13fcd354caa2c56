//! Trades with pools.

use super::accounts::Accounts;
use super::play::{Draft, FUNDS, Play, Start, long, supply};
use super::random::Random;
use std::sync::Arc;

/// What a pool has of each asset at the start: far more than a trade changes.
const POOL: u64 = 1_000_000_000_000;

#[derive(Debug)]
pub(super) struct Swaps {
    accounts: Arc<Accounts>,
    pools: u32,
}

impl Swaps {
    pub fn new(accounts: Arc<Accounts>, pools: u32) -> Self {
        Self { accounts, pools }
    }
}

impl Play for Swaps {
    fn start(&self) -> Vec<Start> {
        let all = supply(&self.accounts, FUNDS, POOL * u64::from(self.pools));
        let pool = |part| Start::numbered(("pools", part), self.pools, |_| long(POOL).to_vec());
        let wallet = |field| Start::each_account(field, &self.accounts, long(FUNDS).to_vec());
        vec![
            pool(".a"),
            pool(".b"),
            wallet("wallet_a"),
            wallet("wallet_b"),
            Start::scalar("A.supply", all.clone()),
            Start::scalar("B.supply", all),
        ]
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        let who = random.index(self.accounts.len());
        let pool = random.index(self.pools);
        let paid = 1 + random.below(1_000);
        let entry = match random.below(2) {
            0 => "swap_a_for_b",
            _ => "swap_b_for_a",
        };
        let key = self.accounts.key(who);
        Draft {
            entry,
            signer: who,
            arguments: [&key[..], &[pool], &long(paid), &long(0)].concat(),
        }
    }
}
