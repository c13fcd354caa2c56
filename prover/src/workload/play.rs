//! What each workload is made of.

use super::accounts::Accounts;
use super::random::Random;
use std::sync::Arc;

/// What each account has at the start of each asset: enough for any number of calls, and so
/// little that the sum over all accounts is a `u64`.
pub(super) const FUNDS: u64 = 100_000_000_000;

/// Draws calls that all succeed, one after the other.
pub(super) trait Play: Send {
    /// What the state holds before the first call.
    fn start(&self) -> Vec<Start>;

    /// The next call.
    fn draw(&mut self, random: &mut Random) -> Draft;
}

/// A call of one account.
#[derive(Debug)]
pub(super) struct Draft {
    pub entry: &'static str,
    pub signer: u32,
    pub arguments: Vec<u32>,
}

/// The key and value of a cell, by its number.
type Numbered = Box<dyn Fn(u32) -> (Vec<u32>, Vec<u32>) + Send + Sync>;

/// The first cells of one part of a field.
pub(super) struct Start {
    pub field: &'static str,
    pub part: &'static str,
    /// How many there are.
    pub cells: u32,
    pub cell: Numbered,
}

impl Start {
    /// A field that is no map.
    pub fn scalar(field: &'static str, value: Vec<u32>) -> Self {
        Self {
            field,
            part: "",
            cells: 1,
            cell: Box::new(move |_| (Vec::new(), value.clone())),
        }
    }

    /// A map that holds the same number for each account.
    pub fn each_account(field: &'static str, accounts: &Arc<Accounts>, value: Vec<u32>) -> Self {
        let keys = Arc::clone(accounts);
        Self {
            field,
            part: "",
            cells: accounts.len(),
            cell: Box::new(move |n| (keys.key(n).to_vec(), value.clone())),
        }
    }

    /// A part of a map whose keys are the numbers below `cells`.
    pub fn numbered(
        (field, part): (&'static str, &'static str),
        cells: u32,
        value: impl Fn(u32) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        Self {
            field,
            part,
            cells,
            cell: Box::new(move |n| (vec![n], value(n))),
        }
    }
}

/// The words of a number of 64 bits.
pub(super) fn long(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

/// What all accounts have together, and something beside.
pub(super) fn supply(accounts: &Accounts, each: u64, rest: u64) -> Vec<u32> {
    let all = each.saturating_mul(accounts.len().into());
    long(all.saturating_add(rest)).to_vec()
}

/// Goes round all accounts, in an order in which neighbours are far apart: each once, then all
/// again.
#[derive(Clone, Debug)]
pub(super) struct Round {
    accounts: u32,
    step: u32,
    at: u32,
    /// How often all were there.
    pub rounds: u32,
}

impl Round {
    pub fn new(accounts: u32) -> Self {
        // Near the golden ratio, which spreads the steps evenly.
        let near = (u64::from(accounts) * 618 / 1_000).max(1) as u32;
        let steps = near..accounts.max(near.saturating_add(1));
        let step = steps.into_iter().find(|step| coprime(*step, accounts));
        Self {
            accounts,
            step: step.unwrap_or(1),
            at: 0,
            rounds: 0,
        }
    }

    /// The next account.
    pub fn next(&mut self) -> u32 {
        let here = self.at;
        let next = u64::from(here) + u64::from(self.step);
        self.at = next.checked_rem(self.accounts.into()).unwrap_or(0) as u32;
        if self.at == 0 {
            self.rounds = self.rounds.wrapping_add(1);
        }
        here
    }
}

fn coprime(a: u32, b: u32) -> bool {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a == 1
}
