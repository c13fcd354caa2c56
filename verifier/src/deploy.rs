//! From a contract, terms and the parties' announcements to a checked deployment.

use crate::sign::{Hello, HelloError, KeyAgg, KeyAggError, instance};
use bitcoin::{OutPoint, XOnlyPublicKey};
use gavel_compiler::commit::PublicKey;
use gavel_compiler::contract::Contract;
use gavel_compiler::segment::Plan;
use gavel_compiler::units::{Blocks, Height, Sats};
use gavel_compiler::word::Author;
use serde::{Deserialize, Serialize};

/// Time locks, in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// Δ1: to challenge a claim.
    pub challenge: Blocks,
    /// Δ2: to answer a challenge with an Assert.
    pub assert: Blocks,
    /// Δ3: to disprove an Assert.
    pub disprove: Blocks,
    /// w: within how many blocks an honest transaction confirms.
    pub confirm: Blocks,
    /// m: the deepest reorganisation to survive.
    pub reorg: Blocks,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            challenge: Blocks(144),
            assert: Blocks(144),
            disprove: Blocks(144),
            confirm: Blocks(36),
            reorg: Blocks(6),
        }
    }
}

/// What the parties agree on besides the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Time locks.
    pub windows: Windows,
    /// Satoshis per virtual byte that pre-signed transactions pay themselves; at least the
    /// relay minimum of the nodes in use.
    pub relay_feerate: u64,
    /// The highest satoshis per virtual byte at which a dispute must still pay for the victim.
    pub survive_feerate: u64,
    /// A claimer's bond; computed where absent.
    pub bond: Option<Sats>,
    /// A challenger's stake, per claimer; computed where absent.
    pub stake: Option<Sats>,
    /// From this height on an honest party takes its money back if Fund isn't confirmed, so
    /// that nobody can wait and see whether the contract turns out to its advantage; without,
    /// it waits for ever.
    pub fund_by: Option<Height>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            windows: Windows::default(),
            relay_feerate: 1,
            survive_feerate: 10,
            bond: None,
            stake: None,
            fund_by: None,
        }
    }
}

impl Terms {
    /// All terms as bytes, in one form: part of what the instance hashes.
    pub fn canonical(&self) -> Vec<u8> {
        let w = &self.windows;
        let windows = [w.challenge, w.assert, w.disprove, w.confirm, w.reorg];
        let amounts = [self.bond, self.stake].map(|sats| sats.map_or(u64::MAX, |sats| sats.0));
        let windows = windows.iter().map(|blocks| u64::from(blocks.0));
        let rates = [self.relay_feerate, self.survive_feerate];
        let fund_by = self.fund_by.map_or(u64::MAX, |height| u64::from(height.0));
        windows
            .chain(rates)
            .chain(amounts)
            .chain([fund_by])
            .flat_map(u64::to_le_bytes)
            .collect()
    }
}

/// All relative locks of a deployment, derived from its [`Windows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Locks {
    /// Δ1: Payout, Sweep.
    pub payout: Blocks,
    /// Δ2: NoAssert.
    pub no_assert: Blocks,
    /// T: PayoutLate.
    pub late: Blocks,
    /// 2T: Release.
    pub release: Blocks,
    /// U: Unstake.
    pub unstake: Blocks,
    /// R: Refund, Reclaim.
    pub refund: Blocks,
    /// How long before R a claim must be made: T + 4w + m.
    pub claim_margin: Blocks,
}

/// One-time public keys of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOneTimeKeys {
    /// For its own claims, by [`ElementId`](gavel_compiler::segment::ElementId).
    pub claimer: Vec<PublicKey>,
    /// For the inputs that it vouches for, by input element; `None` elsewhere.
    pub author: Vec<Option<PublicKey>>,
}

/// Why parties and terms don't make a deployment.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Wrong number of parties.
    #[error("the contract has {need} parties, {got} announced themselves")]
    PartyCount {
        /// Parties declared.
        need: usize,
        /// Parties given.
        got: usize,
    },
    /// A window breaks one of the inequalities that the promise rests on.
    #[error("time locks do not fit: {rule}, but {left} >= {right}")]
    Windows {
        /// The inequality.
        rule: &'static str,
        /// Its left side, in blocks.
        left: u32,
        /// Its right side, in blocks.
        right: u32,
    },
    /// A party's announcement is not acceptable.
    #[error(transparent)]
    Hello(#[from] HelloError),
    /// A party wants to fund from an output of another kind than P2TR.
    #[error("party {party}: its funding input {outpoint} is not P2TR")]
    NotTaproot {
        /// Index of the party.
        party: u8,
        /// The input.
        outpoint: OutPoint,
    },
    /// A party brought too little.
    #[error("party {party} brings {brings}, but needs {needs}")]
    Underfunded {
        /// Index of the party.
        party: usize,
        /// Sum of its inputs.
        brings: Sats,
        /// What Fund asks of it.
        needs: Sats,
    },
    /// Terms give a bond that a dispute could exceed.
    #[error("the bond of {bond} is below {least}, what a dispute may cost at {feerate} sat/vB")]
    BondTooSmall {
        /// Given.
        bond: Sats,
        /// Needed.
        least: Sats,
        /// The promised fee rate.
        feerate: u64,
    },
    /// Terms give a stake below what a false challenge costs the claimer.
    #[error("the stake of {stake} is below {least}, what a false challenge costs a claimer")]
    StakeTooSmall {
        /// Given.
        stake: Sats,
        /// Needed.
        least: Sats,
    },
    /// A one-time key has the wrong number of digits, or is missing.
    #[error("party {party}: one-time key {index} ({role}) is missing or has a wrong length")]
    OneTimeKey {
        /// Index of the party.
        party: usize,
        /// Which element.
        index: usize,
        /// Claimer or author.
        role: &'static str,
    },
    /// Amounts don't fit 64 bits or an output would be dust.
    #[error("{what} does not add up: {detail}")]
    Amount {
        /// Which transaction.
        what: String,
        /// What is wrong.
        detail: String,
    },
    /// A transaction exceeds what a stock node relays.
    #[error("{what} would weigh {weight}, over the standard limit of {limit}")]
    TooHeavy {
        /// Which transaction.
        what: String,
        /// Its weight.
        weight: u64,
        /// The limit.
        limit: u64,
    },
    /// A leaf could not be generated.
    #[error("leaf generation failed: {0}")]
    Script(String),
    /// The parties' keys have no aggregate.
    #[error(transparent)]
    Keys(#[from] KeyAggError),
    /// The contract has no point that nobody can know: can't happen by chance.
    #[error("no unspendable key for this contract: {0}")]
    Nobody(String),
    /// A fee rate is zero or absurd.
    #[error("{what} of {value} sat/vB is out of range 1..=10000")]
    FeeRate {
        /// Which one.
        what: &'static str,
        /// Its value.
        value: u64,
    },
}

/// A contract, its terms and its parties, checked against each other.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The contract.
    pub contract: Contract,
    /// Its program, cut.
    pub plan: Plan,
    /// What was agreed.
    pub terms: Terms,
    /// The parties, in order of declaration.
    pub parties: Vec<Hello>,
    /// The aggregate of all parties' keys.
    pub keys: KeyAgg,
    /// Its x-only form, untweaked: internal key of joint outputs, and the key in leaves.
    pub joint: XOnlyPublicKey,
    /// The instance: binds one-time keys to these parties, inputs and terms.
    pub instance: [u8; 32],
}

impl Deployment {
    /// Checks everything that doesn't need one-time keys. `parties` are in order of
    /// declaration.
    ///
    /// # Errors
    /// Any [`DeployError`] about parties, windows and rates.
    pub fn new(
        contract: Contract,
        plan: Plan,
        terms: Terms,
        parties: Vec<Hello>,
    ) -> Result<Self, DeployError> {
        let need = contract.parties.len();
        if parties.len() != need {
            return Err(DeployError::PartyCount {
                need,
                got: parties.len(),
            });
        }
        for (what, value) in [
            ("relay fee rate", terms.relay_feerate),
            ("survived fee rate", terms.survive_feerate),
        ] {
            if !(1..=10_000).contains(&value) {
                return Err(DeployError::FeeRate { what, value });
            }
        }
        check_coin(&contract)?;
        let instance = instance(&contract.id, &terms.canonical(), &parties)?;
        for (party, hello) in (0..).zip(&parties) {
            // Sizes count on 64-byte witnesses, and a P2TR signature commits to the amounts of
            // all inputs: whoever lies about one makes signatures that don't fit the chain.
            let other = hello.inputs.iter().find(|i| !i.script.is_p2tr());
            if let Some(outpoint) = other.map(|input| input.outpoint) {
                return Err(DeployError::NotTaproot { party, outpoint });
            }
        }
        let keys: Vec<XOnlyPublicKey> = parties.iter().map(|party| party.key).collect();
        let keys = KeyAgg::new(&keys)?;
        let joint = keys.aggregate();
        let deployment = Self {
            contract,
            plan,
            terms,
            parties,
            keys,
            joint,
            instance,
        };
        deployment.check_windows()?;
        Ok(deployment)
    }

    /// Number of parties.
    pub fn n(&self) -> u8 {
        self.parties.len() as u8
    }

    /// Number of outcomes.
    pub fn outcomes(&self) -> u8 {
        self.contract.program.outcomes.len() as u8
    }

    /// Whether a claim is disputed in rounds (Challenge, Assert, Disprove) or by a single leaf.
    pub fn rounds(&self) -> bool {
        self.plan.segments.len() > 1
    }

    /// The parties other than `c`, in order.
    pub fn others(&self, c: u8) -> impl Iterator<Item = u8> + use<> {
        (0..self.n()).filter(move |v| *v != c)
    }

    /// A party's name.
    pub fn party_name(&self, party: u8) -> &str {
        self.contract
            .parties
            .get(usize::from(party))
            .map_or("?", String::as_str)
    }

    /// An outcome's name.
    pub fn outcome_name(&self, outcome: u8) -> &str {
        self.contract
            .program
            .outcomes
            .get(usize::from(outcome))
            .map_or("?", String::as_str)
    }

    /// The locks that follow from the windows and the contract.
    pub fn locks(&self) -> Locks {
        let windows = &self.terms.windows;
        let late = if self.rounds() {
            windows.challenge.0 + windows.assert.0 + windows.disprove.0
        } else {
            windows.challenge.0
        };
        let margin = 4 * windows.confirm.0 + windows.reorg.0;
        Locks {
            payout: windows.challenge,
            no_assert: windows.assert,
            late: Blocks(late),
            release: Blocks(2 * late),
            unstake: Blocks(2 * late + margin),
            refund: self.contract.coin.refund_after,
            claim_margin: Blocks(late + margin),
        }
    }

    /// Checks the inequalities on which the promise to honest parties rests.
    fn check_windows(&self) -> Result<(), DeployError> {
        let w = &self.terms.windows;
        let most = Blocks::MAX_RELATIVE.0;
        // Bounds first, so that the sums below can't overflow.
        for (rule, value) in [
            ("Δ1 <= 65535", w.challenge.0),
            ("Δ2 <= 65535", w.assert.0),
            ("Δ3 <= 65535", w.disprove.0),
            ("w <= 65535", w.confirm.0),
            ("m <= 65535", w.reorg.0),
        ] {
            if value > most {
                return Err(DeployError::Windows {
                    rule,
                    left: value,
                    right: most + 1,
                });
            }
        }
        let locks = self.locks();
        for (rule, left, right) in [
            ("w + m < Δ1", w.confirm.0 + w.reorg.0, w.challenge.0),
            ("w + m < Δ2", w.confirm.0 + w.reorg.0, w.assert.0),
            (
                "3w + m < Δ1 + Δ3",
                3 * w.confirm.0 + w.reorg.0,
                w.challenge.0 + w.disprove.0,
            ),
            ("0 < w", 0, w.confirm.0),
            ("2T <= 65535", locks.release.0, most + 1),
            ("U <= 65535", locks.unstake.0, most + 1),
            ("R <= 65535", locks.refund.0, most + 1),
            (
                "T + 4w + m < R (time to claim)",
                locks.claim_margin.0,
                locks.refund.0,
            ),
        ] {
            if left >= right {
                return Err(DeployError::Windows { rule, left, right });
            }
        }
        Ok(())
    }

    /// Checks that every one-time key is there and has the right length.
    ///
    /// # Errors
    /// [`DeployError::OneTimeKey`].
    pub fn check_keys(&self, keys: &[PublicOneTimeKeys]) -> Result<(), DeployError> {
        if keys.len() != self.parties.len() {
            return Err(DeployError::PartyCount {
                need: self.parties.len(),
                got: keys.len(),
            });
        }
        for (party, keys) in keys.iter().enumerate() {
            let wrong = |role| move |index| DeployError::OneTimeKey { party, index, role };
            if keys.claimer.len() != self.plan.elements.len() {
                return Err(wrong("claimer")(keys.claimer.len()));
            }
            for (index, (element, key)) in self.plan.elements.iter().zip(&keys.claimer).enumerate()
            {
                if !key.fits(element.shape()) {
                    return Err(wrong("claimer")(index));
                }
            }
            let inputs = &self.plan.program.inputs;
            if keys.author.len() != inputs.len() {
                return Err(wrong("author")(keys.author.len()));
            }
            for (index, (input, key)) in inputs.iter().zip(&keys.author).enumerate() {
                let ours = input.author == Author::Party(party as u8);
                let fits = match key {
                    Some(key) => ours && key.fits(input.author_shape()),
                    None => !ours,
                };
                if !fits {
                    return Err(wrong("author")(index));
                }
            }
        }
        Ok(())
    }
}

/// Checks that every outcome and the refund pay out what the coin holds, to parties there are.
fn check_coin(contract: &Contract) -> Result<(), DeployError> {
    let coin = &contract.coin;
    let wrong = |what: &str, detail: String| DeployError::Amount {
        what: what.to_owned(),
        detail,
    };
    fn sum(amounts: impl IntoIterator<Item = Sats>) -> Option<Sats> {
        let mut amounts = amounts.into_iter();
        amounts.try_fold(Sats(0), |sum, sats| sum.checked_add(sats))
    }
    let n = contract.parties.len();
    let funding = sum(coin.fund.iter().copied());
    let pot = funding.filter(|_| coin.fund.len() == n);
    let pot = pot.ok_or_else(|| wrong("the funding", "not one amount per party".to_owned()))?;
    let outcomes = &contract.program.outcomes;
    if coin.pay.len() != outcomes.len() {
        return Err(wrong("paying", "not one list per outcome".to_owned()));
    }
    let refund = ("the refund", &coin.refund);
    let pay = outcomes.iter().map(String::as_str).zip(&coin.pay);
    for (what, arms) in pay.chain([refund]) {
        if let Some(arm) = arms.iter().find(|arm| usize::from(arm.party) >= n) {
            return Err(wrong(what, format!("there is no party {}", arm.party)));
        }
        let paid = sum(arms.iter().map(|arm| arm.amount));
        if paid != Some(pot) {
            return Err(wrong(
                what,
                format!("the coin holds {pot}, it pays another sum"),
            ));
        }
    }
    Ok(())
}
