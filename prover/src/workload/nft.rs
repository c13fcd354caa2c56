//! Tokens, minted and sold.

use super::accounts::Accounts;
use super::play::{Draft, FUNDS, Play, Start, long, supply};
use super::random::Random;
use std::sync::Arc;

/// Whose a token is and what it costs.
#[derive(Clone, Copy, Debug)]
struct Token {
    owner: u32,
    ask: u32,
}

/// At the start each account has the token with its own number.
#[derive(Debug)]
pub(super) struct Nft {
    accounts: Arc<Accounts>,
    tokens: Vec<Token>,
}

/// What token number `n` costs at first.
fn first_ask(n: u32) -> u32 {
    100 + n % 100
}

impl Nft {
    pub fn new(accounts: Arc<Accounts>) -> Self {
        let first = (0..accounts.len()).map(|n| Token {
            owner: n,
            ask: first_ask(n),
        });
        Self {
            tokens: first.collect(),
            accounts,
        }
    }

    fn mint(&mut self, ask: u32, random: &mut Random) -> Draft {
        let owner = random.index(self.accounts.len());
        self.tokens.push(Token { owner, ask });
        Draft {
            entry: "mint",
            signer: owner,
            arguments: [&self.accounts.key(owner)[..], &long(ask.into())].concat(),
        }
    }

    fn buy(&mut self, ask: u32, random: &mut Random) -> Option<Draft> {
        let id = random.below(self.tokens.len() as u64);
        let token = self.tokens.get_mut(id as usize)?;
        let owner = random.another(self.accounts.len(), token.owner);
        let price = long(token.ask.into());
        *token = Token { owner, ask };
        let key = self.accounts.key(owner);
        Some(Draft {
            entry: "buy",
            signer: owner,
            arguments: [&key[..], &[id as u32], &price, &long(ask.into())].concat(),
        })
    }
}

impl Play for Nft {
    fn start(&self) -> Vec<Start> {
        let (n, keys) = (self.accounts.len(), Arc::clone(&self.accounts));
        let ask = |n| long(first_ask(n).into()).to_vec();
        vec![
            Start::each_account("wallet", &self.accounts, long(FUNDS).to_vec()),
            Start::scalar("Coin.supply", supply(&self.accounts, FUNDS, 0)),
            Start::numbered(("tokens", ".owner"), n, move |n| keys.key(n).to_vec()),
            Start::numbered(("tokens", ".ask"), n, ask),
            Start::scalar("minted", vec![n]),
        ]
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        let ask = 100 + random.index(1_000);
        let sale = random.below(4) != 0;
        let bought = if sale { self.buy(ask, random) } else { None };
        bought.unwrap_or_else(|| self.mint(ask, random))
    }
}
