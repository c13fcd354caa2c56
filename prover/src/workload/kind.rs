//! Which workloads there are.

use super::accounts::Accounts;
use super::lending::Lending;
use super::mixed::Mixed;
use super::nft::Nft;
use super::play::Play;
use super::swaps::Swaps;
use super::transfers::{Pattern, Transfers};
use super::voting::Voting;
use super::work::Work;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A workload's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Payments between accounts, all equally likely.
    Transfers,
    /// Payments where both sides follow Zipf's law with exponent 1.
    TransfersZipf,
    /// Payments of many to one.
    TransfersHot,
    /// Payments where each pays the next one what it just got: nothing can be done in parallel.
    TransfersChain,
    /// Trades, both ways, with one pool.
    #[serde(rename = "swaps-1")]
    Swaps1,
    /// Trades, both ways, with a hundred pools.
    #[serde(rename = "swaps-100")]
    Swaps100,
    /// Of ten calls, six payments, two trades with a hundred pools, and two about tokens.
    Mixed,
    /// Tokens: of four calls, one mint and three sales.
    Nft,
    /// Loans and repayments at a shared index and price, and now and then a new price.
    Lending,
    /// Votes with nullifiers.
    Voting,
    /// Much computation, no conflicts.
    Work,
}

/// There is no such workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no workload `{name}`; there are {}", names().join(", "))]
pub struct UnknownKind {
    /// What was asked for.
    pub name: String,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Transfers,
        Self::TransfersZipf,
        Self::TransfersHot,
        Self::TransfersChain,
        Self::Swaps1,
        Self::Swaps100,
        Self::Mixed,
        Self::Nft,
        Self::Lending,
        Self::Voting,
        Self::Work,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::TransfersZipf => "transfers-zipf",
            Self::TransfersHot => "transfers-hot",
            Self::TransfersChain => "transfers-chain",
            Self::Swaps1 => "swaps-1",
            Self::Swaps100 => "swaps-100",
            Self::Mixed => "mixed",
            Self::Nft => "nft",
            Self::Lending => "lending",
            Self::Voting => "voting",
            Self::Work => "work",
        }
    }

    /// The source of its contract.
    pub fn source(self) -> &'static str {
        match self {
            Self::Transfers | Self::TransfersZipf | Self::TransfersHot | Self::TransfersChain => {
                include_str!("../../../contracts/bench/transfers.gvl")
            }
            Self::Swaps1 | Self::Swaps100 => include_str!("../../../contracts/bench/swaps.gvl"),
            Self::Mixed => include_str!("../../../contracts/bench/mixed.gvl"),
            Self::Nft => include_str!("../../../contracts/bench/nft.gvl"),
            Self::Lending => include_str!("../../../contracts/bench/lending.gvl"),
            Self::Voting => include_str!("../../../contracts/bench/voting.gvl"),
            Self::Work => include_str!("../../../contracts/bench/work.gvl"),
        }
    }

    /// The parameter of its contract that is the key of account 0.
    pub(super) fn parameter(self) -> Option<&'static str> {
        match self {
            Self::Mixed | Self::Nft => Some("creator"),
            Self::Lending => Some("oracle"),
            _ => None,
        }
    }

    pub(super) fn play(self, accounts: &Arc<Accounts>) -> Box<dyn Play> {
        let accounts = Arc::clone(accounts);
        match self {
            Self::Transfers => Box::new(Transfers::new(accounts, Pattern::Uniform)),
            Self::TransfersZipf => Box::new(Transfers::zipf(accounts)),
            Self::TransfersHot => Box::new(Transfers::new(accounts, Pattern::Hot)),
            Self::TransfersChain => Box::new(Transfers::new(accounts, Pattern::Chain(0))),
            Self::Swaps1 => Box::new(Swaps::new(accounts, 1)),
            Self::Swaps100 => Box::new(Swaps::new(accounts, 100)),
            Self::Mixed => Box::new(Mixed::new(&accounts)),
            Self::Nft => Box::new(Nft::new(accounts)),
            Self::Lending => Box::new(Lending::new(accounts)),
            Self::Voting => Box::new(Voting::new(accounts)),
            Self::Work => Box::new(Work::new(accounts)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == name).ok_or(UnknownKind {
            name: name.to_owned(),
        })
    }
}

fn names() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.name()).collect()
}
