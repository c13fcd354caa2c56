//! Transactions that one party makes alone, when it needs them: Disprove, Unstake, Sweep,
//! Reclaim.

use super::build::{Coin, Ctx, Graph, coin, tap};
use super::name::{ClaimId, DisputeId, Held, Role, TxName};
use super::planned::{Input, Output, Planned, Spend};
use crate::connector::Connectors;
use crate::deploy::DeployError;
use bitcoin::OutPoint;
use gavel_compiler::units::{Blocks, Sats, Weight};
use std::sync::Arc;

/// An output that a party may spend alone, and how.
#[derive(Clone, Debug)]
pub struct Spendable {
    pub(super) coin: Coin,
    pub(super) leaf: Option<(usize, Blocks)>,
}

impl Spendable {
    /// The output.
    pub fn outpoint(&self) -> OutPoint {
        self.coin.outpoint
    }

    /// Its value.
    pub fn value(&self) -> Sats {
        self.coin.output.value()
    }

    /// How deep the output must be.
    pub fn lock(&self) -> Option<Blocks> {
        self.leaf.map(|(_, lock)| lock)
    }
}

impl Ctx<'_> {
    /// A disproof of one segment of a claim, of the right size; its input is `coin`.
    fn disprove_with(
        &self,
        id: DisputeId,
        segment: usize,
        claimed: &Coin,
        feerate: u64,
    ) -> Result<Planned, DeployError> {
        let ClaimId { c, k } = id.claim;
        let leaf = Arc::new(self.taps.disprove(self.d, c, k, segment)?);
        let place = Connectors::CLAIMED_RELEASE + 1 + segment;
        let (outpoint, lock, Input { prevout, .. }) = claimed.joint(None);
        let tap = claimed.output.tap.clone();
        let tap = tap.ok_or_else(|| DeployError::Script("claimed has no tree".to_owned()))?;
        let input = Input {
            prevout,
            spend: Spend::Disprove(tap, place, leaf),
        };
        let name = TxName::Disprove(id, segment as u16);
        let outputs = vec![self.payment(id.v, Sats(0))?];
        self.rest(
            Planned::new(name, 2, vec![(outpoint, lock, input)], outputs),
            feerate,
        )
    }

    /// Gives the only output what the inputs leave after the fee.
    fn rest(&self, mut planned: Planned, feerate: u64) -> Result<Planned, DeployError> {
        let fee = planned.vsize().0.saturating_mul(feerate);
        let rest = planned.value_in().0.checked_sub(fee);
        let rest = rest.ok_or_else(|| DeployError::Amount {
            what: planned.name.to_string(),
            detail: format!("{} do not pay a fee of {fee} sats", planned.value_in()),
        })?;
        planned.set_value(0, Sats(rest));
        self.checked(planned)
    }

    pub(super) fn disprove_draft(
        &self,
        claim: ClaimId,
        segment: usize,
    ) -> Result<Planned, DeployError> {
        let taps = self.taps.claimed.get(usize::from(claim.c));
        let taps = taps.ok_or_else(|| DeployError::Script("no such claim".to_owned()))?;
        let output = Output::tap(Role::Claimed, tap(taps, claim.k)?, Sats(1 << 40));
        let claimed = Coin {
            outpoint: OutPoint::null(),
            output,
        };
        let v = self.d.others(claim.c).next().unwrap_or(0);
        self.disprove_with(DisputeId { claim, v }, segment, &claimed, 1)
    }
}

fn missing(name: TxName) -> DeployError {
    DeployError::Script(format!("no transaction {name}"))
}

impl Graph {
    fn ctx(&self) -> Ctx<'_> {
        Ctx {
            d: &self.deployment,
            taps: &self.connectors,
            amounts: self.amounts,
        }
    }

    fn planned(&self, name: TxName) -> Result<&Planned, DeployError> {
        self.get(name).ok_or_else(|| missing(name))
    }

    /// A disproof of segment `segment` of a claim by challenger `id.v`, paying the challenger.
    ///
    /// # Errors
    /// [`DeployError::Amount`] if the bond doesn't pay the fee.
    pub fn disprove(
        &self,
        id: DisputeId,
        segment: usize,
        feerate: u64,
    ) -> Result<Planned, DeployError> {
        let claimed = coin(self.planned(TxName::Claim(id.claim))?, Role::Claimed)?;
        self.ctx().disprove_with(id, segment, &claimed, feerate)
    }

    /// The weight of a disproof of a segment.
    ///
    /// # Errors
    /// [`DeployError::Script`] if there is no such claim or segment.
    pub fn disprove_weight(&self, claim: ClaimId, segment: usize) -> Result<Weight, DeployError> {
        Ok(self.ctx().disprove_draft(claim, segment)?.weight())
    }

    /// What a challenger may take back after U.
    ///
    /// # Errors
    /// [`DeployError::Script`] if there is no such dispute.
    pub fn unstakeable(&self, id: DisputeId, held: Held) -> Result<Vec<Spendable>, DeployError> {
        let lock = self.deployment.locks().unstake;
        let (name, leaf) = match held {
            Held::Staked => (TxName::Assert(id), Connectors::STAKED_UNSTAKE),
            Held::Challenged => (TxName::Challenge(id), Connectors::CHALLENGED_UNSTAKE),
        };
        let planned = self.planned(name)?;
        self.spendable(planned, Some((leaf, lock)), |role| {
            matches!(role, Role::Staked | Role::Challenged { .. })
        })
    }

    /// A claimer's `open[v]`, to be swept after Δ1.
    ///
    /// # Errors
    /// [`DeployError::Script`] if there is no such dispute.
    pub fn sweepable(&self, id: DisputeId) -> Result<Vec<Spendable>, DeployError> {
        let lock = self.deployment.locks().payout;
        let claim = self.planned(TxName::Claim(id.claim))?;
        let leaf = Some((Connectors::OPEN_SWEEP, lock));
        self.spendable(claim, leaf, |role| role == Role::Open { v: id.v })
    }

    /// A party's bond and stakes, to be taken back after R.
    ///
    /// # Errors
    /// [`DeployError::Script`] if the graph has no Fund.
    pub fn reclaimable(&self, party: u8) -> Result<Vec<Spendable>, DeployError> {
        let lock = self.deployment.locks().refund;
        let fund = self.planned(TxName::Fund)?;
        let bond = Some((Connectors::BOND_RECLAIM, lock));
        let mut all = self.spendable(
            fund,
            bond,
            |role| matches!(role, Role::Bond { c, .. } if c == party),
        )?;
        let stake = Some((Connectors::STAKE_RECLAIM, lock));
        all.extend(self.spendable(
            fund,
            stake,
            |role| matches!(role, Role::Stake { v, .. } if v == party),
        )?);
        Ok(all)
    }

    /// A party's small outputs of a transaction: permits whose stake isn't `open` any more,
    /// keyed anchors.
    ///
    /// # Errors
    /// [`DeployError::Script`] if there is no such transaction.
    pub fn leftovers(
        &self,
        name: TxName,
        party: u8,
        open: impl Fn(u8) -> bool,
    ) -> Result<Vec<Spendable>, DeployError> {
        let own = self
            .connectors
            .own
            .get(usize::from(party))
            .map(|tap| tap.script_pubkey());
        let planned = self.planned(name)?;
        let all = self.spendable(planned, None, |role| match role {
            Role::Paid { v } | Role::Freed { v } => !open(v),
            role => role == Role::Anchor,
        })?;
        let ours = |s: &Spendable| Some(&s.coin.output.txout.script_pubkey) == own;
        Ok(all.into_iter().filter(ours).collect())
    }

    fn spendable(
        &self,
        planned: &Planned,
        leaf: Option<(usize, Blocks)>,
        wanted: impl Fn(Role) -> bool,
    ) -> Result<Vec<Spendable>, DeployError> {
        let roles = planned
            .outputs
            .iter()
            .map(|output| output.role)
            .filter(|role| wanted(*role));
        roles
            .map(|role| {
                let found = self.output(planned.name, role);
                let (outpoint, output) = found.ok_or_else(|| missing(planned.name))?;
                let output = output.clone();
                let coin = Coin { outpoint, output };
                Ok(Spendable { coin, leaf })
            })
            .collect()
    }

    /// A party's outputs to where it is paid, at a fee rate.
    ///
    /// # Errors
    /// [`DeployError::Amount`] if they don't pay the fee.
    pub fn take(
        &self,
        name: TxName,
        party: u8,
        outputs: &[Spendable],
        feerate: u64,
    ) -> Result<Planned, DeployError> {
        let ctx = self.ctx();
        let inputs = outputs.iter().map(|s| match s.leaf {
            Some((leaf, lock)) => s.coin.leaf(leaf, Some(lock)),
            None => s.coin.own(party),
        });
        let to = vec![ctx.payment(party, Sats(0))?];
        ctx.rest(Planned::new(name, 2, inputs.collect(), to), feerate)
    }
}
