//! Computation without conflicts.

use super::accounts::Accounts;
use super::play::{Draft, Play, Round, Start};
use super::random::Random;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Work {
    accounts: Arc<Accounts>,
    round: Round,
}

impl Work {
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            round: Round::new(accounts.len()),
            accounts,
        }
    }
}

impl Play for Work {
    fn start(&self) -> Vec<Start> {
        vec![Start::each_account("done", &self.accounts, vec![1])]
    }

    fn draw(&mut self, random: &mut Random) -> Draft {
        let who = self.round.next();
        Draft {
            entry: "work",
            signer: who,
            arguments: [&self.accounts.key(who)[..], &[random.word() as u32]].concat(),
        }
    }
}
