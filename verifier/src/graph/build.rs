//! Amounts and the whole graph.

use super::name::{ClaimId, DisputeId, Held, Permit, Role, TxName};
use super::planned::{DUST, Input, Output, Planned, Signer, Spend, TRUC_LIMIT};
use crate::connector::{Connectors, Tap};
use crate::deploy::{DeployError, Deployment, PublicOneTimeKeys};
use bitcoin::{OutPoint, Txid};
use gavel_compiler::units::{Blocks, Sats, VBytes, Weight};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most that an Assert may weigh, so that a package with its child stays within limits.
const ASSERT_LIMIT: Weight = Weight(396_000);
/// The largest standard transaction: what a rival can force a replacement to outbid.
const LARGEST: VBytes = VBytes(100_000);

/// Amounts that the terms leave open, and the fees that connectors carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// What a claimer loses if caught: the value of `claimed`.
    pub bond: Sats,
    /// What a challenger loses if wrong, per claimer; 0 where one leaf decides.
    pub stake: Sats,
    /// What each `open[v]` holds: Challenge's and Assert's fees and anchors.
    pub open: Sats,
    /// What the outputs of `challenged[v]` hold above the stake: Assert's fee and anchor.
    pub assert_cost: Sats,
    /// What all outputs of `bond[c]` hold together: bond, opens, Claim's fee and anchor.
    pub claim: Sats,
    /// What the vault holds above the pot: fee and anchor of Refund or of the largest Close.
    pub reserve: Sats,
}

/// A deployment's transactions, unsigned.
#[derive(Debug)]
pub struct Graph {
    /// What it was derived from.
    pub deployment: Deployment,
    /// Its outputs.
    pub connectors: Connectors,
    /// Its amounts.
    pub amounts: Amounts,
    /// All transactions that are fixed before Fund is signed, Fund included.
    pub txs: BTreeMap<TxName, Planned>,
    /// Names by txid.
    pub names: BTreeMap<Txid, TxName>,
    /// Txids by name.
    pub txids: BTreeMap<TxName, Txid>,
    /// What every output is for.
    pub outputs: BTreeMap<OutPoint, (TxName, Role)>,
}

/// What the files of this folder build from.
pub(super) struct Ctx<'a> {
    pub d: &'a Deployment,
    pub taps: &'a Connectors,
    pub amounts: Amounts,
}

/// An outpoint with what it holds, to be spent by a later transaction.
#[derive(Clone, Debug)]
pub(super) struct Coin {
    pub outpoint: OutPoint,
    pub output: Output,
}

impl Coin {
    /// Spends it by the n-of-n's key path.
    pub fn joint(&self, lock: Option<Blocks>) -> (OutPoint, Option<Blocks>, Input) {
        self.spend(lock, |tap| Spend::Key(tap, Signer::Joint))
    }

    /// Spends it by a party's key path.
    pub fn own(&self, party: u8) -> (OutPoint, Option<Blocks>, Input) {
        self.spend(None, |tap| Spend::Key(tap, Signer::Party(party)))
    }

    /// Spends it by a leaf.
    pub fn leaf(&self, leaf: usize, lock: Option<Blocks>) -> (OutPoint, Option<Blocks>, Input) {
        self.spend(lock, |tap| Spend::Leaf(tap, leaf))
    }

    fn spend(
        &self,
        lock: Option<Blocks>,
        by: impl Fn(Arc<Tap>) -> Spend,
    ) -> (OutPoint, Option<Blocks>, Input) {
        // An output without a tap is a payment, which nothing here spends.
        let spend = self.output.tap.clone().map_or(Spend::Funding(0), by);
        (
            self.outpoint,
            lock,
            Input {
                prevout: self.output.txout.clone(),
                spend,
            },
        )
    }
}

/// A planned transaction's output with a role, as a coin.
pub(super) fn coin(planned: &Planned, role: Role) -> Result<Coin, DeployError> {
    let found = planned.output(role).map(|(outpoint, output)| Coin {
        outpoint,
        output: output.clone(),
    });
    found.ok_or_else(|| DeployError::Amount {
        what: planned.name.to_string(),
        detail: format!("no output {role:?}"),
    })
}

impl Ctx<'_> {
    /// The fee of a transaction at the relay rate.
    pub fn fee(&self, planned: &Planned) -> Sats {
        Sats(planned.vsize().0.saturating_mul(self.d.terms.relay_feerate))
    }

    /// Appends an anchor: pay-to-anchor on a version 3 transaction, or, where it is too large
    /// for version 3, an output that only the party with the deadline can spend.
    pub fn anchored(&self, make: impl Fn(i32, Output) -> Planned, bumper: u8) -> Planned {
        let small = make(3, Output::anchor());
        if small.vsize() <= TRUC_LIMIT {
            return small;
        }
        match self.taps.own.get(usize::from(bumper)) {
            Some(tap) => make(2, Output::tap(Role::Anchor, tap, DUST)),
            None => small,
        }
    }

    /// Gives output 0 what the inputs leave after the other outputs and the fee, and checks
    /// the result.
    pub fn balance(&self, mut planned: Planned) -> Result<Planned, DeployError> {
        let what = planned.name.to_string();
        planned.set_value(0, Sats(0));
        let spent = planned.value_out().0.checked_add(self.fee(&planned).0);
        let rest = spent.and_then(|spent| planned.value_in().0.checked_sub(spent));
        let Some(rest) = rest else {
            let detail = format!(
                "inputs of {} do not cover outputs and fee",
                planned.value_in()
            );
            return Err(DeployError::Amount { what, detail });
        };
        planned.set_value(0, Sats(rest));
        self.checked(planned)
    }

    /// Checks size and dust.
    pub fn checked(&self, planned: Planned) -> Result<Planned, DeployError> {
        let weight = planned.weight();
        let limit = match planned.name {
            TxName::Assert(_) => ASSERT_LIMIT,
            _ => Weight::STANDARD,
        };
        if weight > limit {
            let (what, weight, limit) = (planned.name.to_string(), weight.0, limit.0);
            return Err(DeployError::TooHeavy {
                what,
                weight,
                limit,
            });
        }
        for output in &planned.outputs {
            if output.role != Role::Anchor && output.value() < DUST {
                return Err(DeployError::Amount {
                    what: planned.name.to_string(),
                    detail: format!("output {:?} of {} is dust", output.role, output.value()),
                });
            }
        }
        Ok(planned)
    }

    /// A party's own small output.
    pub fn own(&self, role: Role, party: u8) -> Result<Output, DeployError> {
        let tap = tap(&self.taps.own, party)?;
        Ok(Output::tap(role, tap, DUST))
    }

    /// A payment to where a party wants to be paid.
    pub fn payment(&self, party: u8, value: Sats) -> Result<Output, DeployError> {
        let info = self.d.parties.get(usize::from(party));
        let info = info.ok_or_else(|| DeployError::Script(format!("no party {party}")))?;
        Ok(Output::payment(party, &info.payout, value))
    }
}

/// A party's tap from a list.
pub(super) fn tap(taps: &[Arc<Tap>], index: u8) -> Result<&Arc<Tap>, DeployError> {
    taps.get(usize::from(index))
        .ok_or_else(|| DeployError::Script(format!("no connector {index}")))
}

impl Graph {
    /// Derives the whole graph. `keys` are all parties' one-time public keys, by index.
    ///
    /// # Errors
    /// Everything that makes a deployment unsafe or unrelayable; see [`DeployError`].
    pub fn build(
        deployment: Deployment,
        keys: Vec<PublicOneTimeKeys>,
    ) -> Result<Self, DeployError> {
        let connectors = Connectors::new(&deployment, keys)?;
        // Sizes don't depend on values, so a draft with arbitrary values gives all fees.
        let draft = Amounts {
            bond: Sats(1 << 40),
            stake: Sats(1 << 40),
            ..Amounts::default()
        };
        let draft = Ctx {
            d: &deployment,
            taps: &connectors,
            amounts: draft,
        };
        let amounts = draft.price()?;
        let ctx = Ctx {
            d: &deployment,
            taps: &connectors,
            amounts,
        };
        let txs = ctx.all()?;
        Ok(Self::of(deployment, connectors, amounts, txs))
    }

    /// A graph of these transactions, with its indexes.
    fn of(
        deployment: Deployment,
        connectors: Connectors,
        amounts: Amounts,
        txs: BTreeMap<TxName, Planned>,
    ) -> Self {
        let txids: BTreeMap<TxName, Txid> = txs
            .values()
            .map(|p| (p.name, p.tx.compute_txid()))
            .collect();
        let names = txids.iter().map(|(name, txid)| (*txid, *name)).collect();
        let outputs = txs
            .values()
            .zip(txids.values())
            .flat_map(|(planned, txid)| {
                let outputs = (0..).zip(&planned.outputs);
                outputs.map(|(n, o)| (OutPoint::new(*txid, n), (planned.name, o.role)))
            });
        let outputs = outputs.collect();
        Self {
            deployment,
            connectors,
            amounts,
            txs,
            names,
            txids,
            outputs,
        }
    }

    /// The same deployment with other transactions: what would happen if the protocol were
    /// different. Nothing checks them; **never sign such a graph.**
    #[must_use]
    pub fn altered(self, txs: BTreeMap<TxName, Planned>) -> Self {
        Self::of(self.deployment, self.connectors, self.amounts, txs)
    }

    /// An output of a transaction that is fixed before Fund.
    pub fn output(&self, name: TxName, role: Role) -> Option<(OutPoint, &Output)> {
        let planned = self.get(name)?;
        let vout = planned.outputs.iter().position(|o| o.role == role)?;
        let outpoint = OutPoint::new(*self.txids.get(&name)?, vout as u32);
        Some((outpoint, planned.outputs.get(vout)?))
    }

    /// A transaction by name.
    pub fn get(&self, name: TxName) -> Option<&Planned> {
        self.txs.get(&name)
    }

    /// Claims in order: every claimer, every outcome.
    pub fn claims(&self) -> impl Iterator<Item = ClaimId> + use<> {
        claims(&self.deployment)
    }

    /// All signatures that the n-of-n makes before Fund: transaction, input, and the merkle
    /// root of a key path's tweak (outer `None`: checked by a leaf under the untweaked key).
    #[allow(clippy::type_complexity, reason = "read in one place")]
    pub fn joint_jobs(&self) -> Vec<(TxName, usize, Option<Option<bitcoin::TapNodeHash>>)> {
        self.txs
            .values()
            .flat_map(|p| {
                p.joint_inputs()
                    .map(|(n, tap)| (p.name, n, tap.map(|tap| tap.root())))
            })
            .collect()
    }

    /// The worst disprove transaction's weight: the largest leaf of any claim.
    pub fn worst_disprove(&self) -> Result<Weight, DeployError> {
        let ctx = Ctx {
            d: &self.deployment,
            taps: &self.connectors,
            amounts: self.amounts,
        };
        ctx.worst_disprove()
    }
}

fn claims(d: &Deployment) -> impl Iterator<Item = ClaimId> + use<> {
    let outcomes = d.outcomes();
    (0..d.n()).flat_map(move |c| (0..outcomes).map(move |k| ClaimId { c, k }))
}

impl Ctx<'_> {
    /// The amounts that sizes and terms ask for.
    fn price(&self) -> Result<Amounts, DeployError> {
        let d = self.d;
        let fund = self.fund_draft()?;
        let id = ClaimId { c: 0, k: 0 };
        let claim = self.claim(&fund, id)?;
        let cost = |planned: &Planned| {
            let anchor = planned
                .output(Role::Anchor)
                .map_or(Sats(0), |(_, output)| output.value());
            Sats(self.fee(planned).0 + anchor.0)
        };
        // Enough for Refund and for a Close of any outcome.
        let mut reserve = cost(&self.refund(&fund)?);
        for k in 0..d.outcomes() {
            reserve = reserve.max(cost(&self.close(&fund, k)?));
        }
        let survive = d.terms.survive_feerate;
        let worst = self.worst_disprove()?.vbytes().max(LARGEST);
        let least = Sats(worst.0 * survive + DUST.0);
        let bond = d.terms.bond.unwrap_or(least);
        if bond < least {
            return Err(DeployError::BondTooSmall {
                bond,
                least,
                feerate: survive,
            });
        }
        let (mut stake, mut open, mut assert_cost) = (Sats(0), Sats(0), Sats(0));
        if d.rounds() {
            let dispute = DisputeId { claim: id, v: 1 };
            let challenge = self.challenge(&fund, &claim, dispute)?;
            let assert = self.assert(&challenge, dispute)?;
            let late = self.payout_late(&fund, &claim, id)?;
            let least = Sats((assert.vsize().0 + late.vsize().0) * survive + DUST.0);
            stake = d.terms.stake.unwrap_or(least);
            if stake < least {
                return Err(DeployError::StakeTooSmall { stake, least });
            }
            assert_cost = cost(&assert);
            open = Sats(cost(&challenge).0 + assert_cost.0);
        }
        let opens = open.0 * u64::from(d.n() - 1);
        let claim = bond
            .0
            .checked_add(opens)
            .and_then(|sum| sum.checked_add(cost(&claim).0));
        let claim = claim.map(Sats).ok_or_else(|| DeployError::Amount {
            what: "the bond".to_owned(),
            detail: "exceeds 64 bits".to_owned(),
        })?;
        Ok(Amounts {
            bond,
            stake,
            open,
            assert_cost,
            claim,
            reserve,
        })
    }

    fn all(&self) -> Result<BTreeMap<TxName, Planned>, DeployError> {
        let fund = self.fund()?;
        let mut txs = vec![self.refund(&fund)?];
        for id in claims(self.d) {
            let claim = self.claim(&fund, id)?;
            txs.push(self.payout(&fund, &claim, id)?);
            let release = self.release(&claim, id)?;
            if self.d.rounds() {
                let late = self.payout_late(&fund, &claim, id)?;
                for v in self.d.others(id.c) {
                    self.disputes(&fund, &claim, [&late, &release], id, v, &mut txs)?;
                }
                txs.push(late);
            }
            txs.push(release);
            txs.push(claim);
        }
        txs.push(fund);
        Ok(txs
            .into_iter()
            .map(|planned| (planned.name, planned))
            .collect())
    }

    /// Everything between one claim and one challenger.
    fn disputes(
        &self,
        fund: &Planned,
        claim: &Planned,
        [late, release]: [&Planned; 2],
        id: ClaimId,
        v: u8,
        txs: &mut Vec<Planned>,
    ) -> Result<(), DeployError> {
        let id = DisputeId { claim: id, v };
        let challenge = self.challenge(fund, claim, id)?;
        let assert = self.assert(&challenge, id)?;
        txs.push(self.no_assert(claim, &challenge, id)?);
        for (permit, from) in [(Permit::Paid, late), (Permit::Freed, release)] {
            for (held, stake) in [(Held::Staked, &assert), (Held::Challenged, &challenge)] {
                txs.push(self.collect(from, stake, id, permit, held)?);
            }
        }
        txs.push(challenge);
        txs.push(assert);
        Ok(())
    }

    fn worst_disprove(&self) -> Result<Weight, DeployError> {
        let last = self.d.plan.segments.len().saturating_sub(1);
        let mut worst = Weight(0);
        let segments = (0..=last).map(|s| (s, 0));
        let outcomes = (1..self.d.outcomes()).map(|k| (last, k));
        for (segment, k) in segments.chain(outcomes) {
            let disprove = self.disprove_draft(ClaimId { c: 0, k }, segment)?;
            worst = worst.max(disprove.weight());
        }
        if worst > Weight::STANDARD {
            return Err(DeployError::TooHeavy {
                what: "Disprove".to_owned(),
                weight: worst.0,
                limit: Weight::STANDARD.0,
            });
        }
        Ok(worst)
    }
}
