//! Votes.

use super::accounts::Accounts;
use super::play::{Draft, Play, Round, Start};
use super::random::Random;
use std::sync::Arc;

/// So many proposals are voted on at a time; everybody votes on one of them in each round.
const PROPOSALS: u32 = 8;

#[derive(Debug)]
pub(super) struct Voting {
    accounts: Arc<Accounts>,
    round: Round,
}

impl Voting {
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            round: Round::new(accounts.len()),
            accounts,
        }
    }
}

impl Play for Voting {
    fn start(&self) -> Vec<Start> {
        vec![Start::each_account("voters", &self.accounts, vec![1])]
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        let round = self.round.rounds;
        let voter = self.round.next();
        let proposal = round
            .wrapping_mul(PROPOSALS)
            .wrapping_add(voter % PROPOSALS);
        // One choice is liked best.
        let choice = random.index(4).min(random.index(4));
        let key = self.accounts.key(voter);
        Draft {
            entry: "vote",
            signer: voter,
            arguments: [&key[..], &[proposal, choice]].concat(),
        }
    }
}
