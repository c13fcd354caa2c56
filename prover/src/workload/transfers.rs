//! Payments.

use super::accounts::Accounts;
use super::play::{Draft, FUNDS, Play, Start, long, supply};
use super::random::{Random, Zipf};
use std::sync::Arc;

/// Who pays whom.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Anybody anybody else.
    Uniform,
    /// Who is rich in payments, on both sides.
    Zipf(Zipf),
    /// All others the first.
    Hot,
    /// The one with this number the next one, what it just got.
    Chain(u32),
}

/// What goes from hand to hand in a chain. Besides, everybody has one coin and keeps it: each
/// payment needs the one before.
const BATON: u64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Transfers {
    accounts: Arc<Accounts>,
    pattern: Pattern,
}

impl Transfers {
    pub fn new(accounts: Arc<Accounts>, pattern: Pattern) -> Self {
        Self { accounts, pattern }
    }

    pub fn zipf(accounts: Arc<Accounts>) -> Self {
        let law = Zipf::new(accounts.len());
        Self::new(accounts, Pattern::Zipf(law))
    }

    /// Who pays, whom, how much.
    fn payment(&mut self, random: &mut Random) -> (u32, u32, u64) {
        let n = self.accounts.len();
        let (from, to) = match &mut self.pattern {
            Pattern::Uniform => {
                let from = random.index(n);
                (from, random.another(n, from))
            }
            Pattern::Zipf(law) => (law.draw(random), law.draw(random)),
            Pattern::Hot => (random.another(n, 0), 0),
            Pattern::Chain(at) => {
                let from = *at;
                *at = from.saturating_add(1).checked_rem(n).unwrap_or(0);
                return (from, *at, BATON);
            }
        };
        (from, to, 1 + random.below(1_000))
    }
}

impl Play for Transfers {
    fn start(&self) -> Vec<Start> {
        let keys = Arc::clone(&self.accounts);
        let (each, first) = match self.pattern {
            Pattern::Chain(_) => (1, BATON),
            _ => (FUNDS, 0),
        };
        let wallets = Start {
            field: "wallet",
            part: "",
            cells: keys.len(),
            cell: Box::new(move |n| {
                let more = if n == 0 { first } else { 0 };
                (keys.key(n).to_vec(), long(each + more).to_vec())
            }),
        };
        let supply = supply(&self.accounts, each, first);
        vec![wallets, Start::scalar("Coin.supply", supply)]
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        let (from, to, amount) = self.payment(random);
        let keys = [self.accounts.key(from), self.accounts.key(to)].concat();
        Draft {
            entry: "transfer",
            signer: from,
            arguments: [&keys[..], &long(amount)].concat(),
        }
    }
}
