//! Names of transactions and outputs, as `docs/protocol.md` has them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which connector a Collect takes its permission from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Permit {
    /// `paid[v]`, of PayoutLate.
    Paid,
    /// `freed[v]`, of Release.
    Freed,
}

/// Where a challenger's stake lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Held {
    /// In `staked[v]`: the claimer answered.
    Staked,
    /// In `challenged[v]`: it did not, and NoAssert wasn't used.
    Challenged,
}

/// A claim: claimer and outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClaimId {
    /// The claimer's index.
    pub c: u8,
    /// The outcome's index.
    pub k: u8,
}

/// A dispute: a claim and a challenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DisputeId {
    /// The claim.
    pub claim: ClaimId,
    /// The challenger's index.
    pub v: u8,
}

/// A transaction. Those that are not pre-signed are built when needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the table in docs/protocol.md describes each")]
pub enum TxName {
    Fund,
    Close,
    Refund,
    Claim(ClaimId),
    Payout(ClaimId),
    PayoutLate(ClaimId),
    Release(ClaimId),
    Challenge(DisputeId),
    Assert(DisputeId),
    NoAssert(DisputeId),
    Collect(DisputeId, Permit, Held),
    /// Disproof of one segment by one challenger.
    Disprove(DisputeId, u16),
    Unstake(DisputeId, Held),
    /// `open[v]` back to the claimer.
    Sweep(DisputeId),
    /// What a party has left in bonds, stakes and small outputs.
    Reclaim(u8),
    /// A party's funding inputs back to it, so that Fund can't be confirmed any more.
    Withdraw(u8),
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.c, self.k)
    }
}

impl fmt::Display for DisputeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.claim, self.v)
    }
}

impl fmt::Display for TxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fund => write!(f, "Fund"),
            Self::Close => write!(f, "Close"),
            Self::Refund => write!(f, "Refund"),
            Self::Claim(id) => write!(f, "Claim[{id}]"),
            Self::Payout(id) => write!(f, "Payout[{id}]"),
            Self::PayoutLate(id) => write!(f, "PayoutLate[{id}]"),
            Self::Release(id) => write!(f, "Release[{id}]"),
            Self::Challenge(id) => write!(f, "Challenge[{id}]"),
            Self::Assert(id) => write!(f, "Assert[{id}]"),
            Self::NoAssert(id) => write!(f, "NoAssert[{id}]"),
            Self::Collect(id, permit, held) => write!(f, "Collect[{id}]({permit:?},{held:?})"),
            Self::Disprove(id, segment) => write!(f, "Disprove[{id}](segment {segment})"),
            Self::Unstake(id, held) => write!(f, "Unstake[{id}]({held:?})"),
            Self::Sweep(id) => write!(f, "Sweep[{id}]"),
            Self::Reclaim(p) => write!(f, "Reclaim[{p}]"),
            Self::Withdraw(p) => write!(f, "Withdraw[{p}]"),
        }
    }
}

/// What an output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the table in docs/protocol.md describes each")]
pub enum Role {
    Vault,
    Bond {
        c: u8,
        group: u16,
    },
    Stake {
        v: u8,
        c: u8,
    },
    Claimed,
    Open {
        v: u8,
    },
    Challenged {
        group: u16,
    },
    Staked,
    Paid {
        v: u8,
    },
    Freed {
        v: u8,
    },
    /// Money that leaves the graph, to a party.
    Payment {
        party: u8,
    },
    /// A small output that lets a child pay for the transaction.
    Anchor,
}

impl super::Graph {
    /// A transaction's name with the names of parties and outcomes: `Claim[alice,BobWins]`.
    pub fn label(&self, name: TxName) -> String {
        let d = &self.deployment;
        let claim = |id: ClaimId| format!("{},{}", d.party_name(id.c), d.outcome_name(id.k));
        let dispute = |id: DisputeId| format!("{},{}", claim(id.claim), d.party_name(id.v));
        let held = |held| match held {
            Held::Staked => "staked",
            Held::Challenged => "challenged",
        };
        match name {
            TxName::Fund | TxName::Close | TxName::Refund => name.to_string(),
            TxName::Claim(id) => format!("Claim[{}]", claim(id)),
            TxName::Payout(id) => format!("Payout[{}]", claim(id)),
            TxName::PayoutLate(id) => format!("PayoutLate[{}]", claim(id)),
            TxName::Release(id) => format!("Release[{}]", claim(id)),
            TxName::Challenge(id) => format!("Challenge[{}]", dispute(id)),
            TxName::Assert(id) => format!("Assert[{}]", dispute(id)),
            TxName::NoAssert(id) => format!("NoAssert[{}]", dispute(id)),
            TxName::Collect(id, permit, at) => {
                let permit = match permit {
                    Permit::Paid => "paid",
                    Permit::Freed => "freed",
                };
                format!("Collect[{}] {permit}+{}", dispute(id), held(at))
            }
            TxName::Disprove(id, segment) => format!("Disprove[{}] segment {segment}", dispute(id)),
            TxName::Unstake(id, at) => format!("Unstake[{}] {}", dispute(id), held(at)),
            TxName::Sweep(id) => format!("Sweep[{}]", dispute(id)),
            TxName::Reclaim(party) => format!("Reclaim[{}]", d.party_name(party)),
            TxName::Withdraw(party) => format!("Withdraw[{}]", d.party_name(party)),
        }
    }
}
