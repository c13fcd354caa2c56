//! Loans at a shared index and price.

use super::accounts::Accounts;
use super::play::{Draft, FUNDS, Play, Start, long, supply};
use super::random::Random;
use std::sync::Arc;

/// What can be borrowed: the lenders' cash.
const POOL: u64 = 1_000_000_000_000_000;
/// What everybody owes at the start, in parts of the index.
const DEBT: u64 = 1_000;
/// The index at the start.
const ONE: u64 = 1_000_000_000_000;
/// About what a million pieces of gold cost: everybody's collateral covers a hundred thousand
/// loans and more.
const PRICE: u64 = 10_000;

/// Account 0 is the oracle.
#[derive(Debug)]
pub(super) struct Lending {
    accounts: Arc<Accounts>,
}

impl Lending {
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }
}

impl Play for Lending {
    fn start(&self) -> Vec<Start> {
        let each = |field, n| Start::each_account(field, &self.accounts, long(n).to_vec());
        vec![
            each("cash", FUNDS),
            each("gold", FUNDS / 2),
            each("pledged", FUNDS / 2),
            each("parts", DEBT),
            Start::scalar("pool", long(POOL).to_vec()),
            Start::scalar("all_parts", supply(&self.accounts, DEBT, 0)),
            Start::scalar("index", long(ONE).to_vec()),
            Start::scalar("price", long(PRICE).to_vec()),
            Start::scalar("Cash.supply", supply(&self.accounts, FUNDS, POOL)),
            Start::scalar("Gold.supply", supply(&self.accounts, FUNDS / 2 * 2, 0)),
        ]
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        let kind = random.below(64);
        if kind == 0 {
            let price = PRICE * 9 / 10 + random.below(PRICE / 5);
            return Draft {
                entry: "set_price",
                signer: 0,
                arguments: long(price).to_vec(),
            };
        }
        let entry = match kind {
            1..8 => "pledge",
            8..36 => "borrow",
            _ => "repay",
        };
        let who = random.index(self.accounts.len());
        let amount = long(1 + random.below(100));
        Draft {
            entry,
            signer: who,
            arguments: [&self.accounts.key(who)[..], &amount].concat(),
        }
    }
}
