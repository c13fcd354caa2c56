//! Close, Refund, and the life of a claim: Claim, Payout, PayoutLate, Release.

use super::build::{Coin, Ctx, Graph, coin, tap};
use super::name::{ClaimId, Role, TxName};
use super::planned::{Output, Planned};
use crate::connector::Connectors;
use crate::deploy::{DeployError, Deployment};
use gavel_compiler::contract::Arm;
use gavel_compiler::units::Sats;

impl Ctx<'_> {
    fn arms(&self, arms: &[Arm]) -> Result<Vec<Output>, DeployError> {
        arms.iter()
            .map(|arm| self.payment(arm.party, arm.amount))
            .collect()
    }

    fn outcome_arms(&self, id: ClaimId) -> Result<Vec<Output>, DeployError> {
        self.arms(outcome_arms(self.d, id.k)?)
    }

    /// Claim[c,k]: all of `bond[c]`, by leaves that reveal the inputs, into `claimed` and an
    /// `open[v]` for every other party.
    pub fn claim(&self, fund: &Planned, id: ClaimId) -> Result<Planned, DeployError> {
        let groups = self.taps.bond.get(usize::from(id.c)).map_or(0, Vec::len) as u16;
        let bonds: Vec<Coin> = (0..groups)
            .map(|group| coin(fund, Role::Bond { c: id.c, group }))
            .collect::<Result<_, _>>()?;
        let claimed = self
            .taps
            .claimed
            .get(usize::from(id.c))
            .map(|taps| tap(taps, id.k));
        let claimed = claimed.ok_or_else(|| DeployError::Script("no such claim".to_owned()))??;
        let mut outputs = vec![Output::tap(Role::Claimed, claimed, self.amounts.bond)];
        if self.d.rounds() {
            let open = tap(&self.taps.open, id.c)?;
            for v in self.d.others(id.c) {
                outputs.push(Output::tap(Role::Open { v }, open, self.amounts.open));
            }
        }
        let make = |version, anchor| {
            let inputs = bonds
                .iter()
                .map(|bond| bond.leaf(Connectors::BOND_REVEAL, None));
            let outputs = outputs.iter().cloned().chain([anchor]).collect();
            Planned::new(TxName::Claim(id), version, inputs.collect(), outputs)
        };
        Ok(self.anchored(make, id.c))
    }

    /// Payout[c,k]: the vault, `claimed` and all `open[v]` after Δ1, so only if nobody
    /// challenged. Output 0 is what the claimer gets back.
    pub fn payout(
        &self,
        fund: &Planned,
        claim: &Planned,
        id: ClaimId,
    ) -> Result<Planned, DeployError> {
        let lock = Some(self.d.locks().payout);
        let mut inputs = vec![
            coin(claim, Role::Claimed)?.joint(lock),
            coin(fund, Role::Vault)?.joint(None),
        ];
        if self.d.rounds() {
            for v in self.d.others(id.c) {
                inputs.push(coin(claim, Role::Open { v })?.joint(None));
            }
        }
        let mut outputs = vec![self.payment(id.c, Sats(0))?];
        outputs.extend(self.outcome_arms(id)?);
        let make = |version, anchor| {
            let outputs = outputs.iter().cloned().chain([anchor]).collect();
            Planned::new(TxName::Payout(id), version, inputs.clone(), outputs)
        };
        self.balance(self.anchored(make, id.c))
    }

    /// PayoutLate[c,k]: the vault and `claimed` after T, whoever challenged. Makes `paid[v]`,
    /// which opens the way to a false challenger's stake.
    pub fn payout_late(
        &self,
        fund: &Planned,
        claim: &Planned,
        id: ClaimId,
    ) -> Result<Planned, DeployError> {
        let lock = Some(self.d.locks().late);
        let inputs = [
            coin(claim, Role::Claimed)?.joint(lock),
            coin(fund, Role::Vault)?.joint(None),
        ];
        let mut outputs = vec![self.payment(id.c, Sats(0))?];
        outputs.extend(self.outcome_arms(id)?);
        for v in self.d.others(id.c) {
            outputs.push(self.own(Role::Paid { v }, id.c)?);
        }
        let make = |version, anchor| {
            let outputs = outputs.iter().cloned().chain([anchor]).collect();
            Planned::new(TxName::PayoutLate(id), version, inputs.to_vec(), outputs)
        };
        self.balance(self.anchored(make, id.c))
    }

    /// Release[c,k]: the bond back to its claimer after 2T, when the vault went elsewhere.
    pub fn release(&self, claim: &Planned, id: ClaimId) -> Result<Planned, DeployError> {
        let lock = Some(self.d.locks().release);
        let claimed = coin(claim, Role::Claimed)?.leaf(Connectors::CLAIMED_RELEASE, lock);
        let mut outputs = vec![self.payment(id.c, Sats(0))?];
        if self.d.rounds() {
            for v in self.d.others(id.c) {
                outputs.push(self.own(Role::Freed { v }, id.c)?);
            }
        }
        let make = |version, anchor| {
            let outputs = outputs.iter().cloned().chain([anchor]).collect();
            Planned::new(TxName::Release(id), version, vec![claimed.clone()], outputs)
        };
        self.balance(self.anchored(make, id.c))
    }

    /// Refund: the vault to the refund arms after R. Its fee is the vault's reserve.
    pub fn refund(&self, fund: &Planned) -> Result<Planned, DeployError> {
        let lock = Some(self.d.locks().refund);
        let vault = coin(fund, Role::Vault)?.joint(lock);
        let outputs = self.arms(&self.d.contract.coin.refund)?;
        let make = |version, anchor| {
            let outputs = outputs.iter().cloned().chain([anchor]).collect();
            Planned::new(TxName::Refund, version, vec![vault.clone()], outputs)
        };
        self.checked(self.anchored(make, 0))
    }

    /// Close: the vault as all agree, to the arms of an outcome. Its fee is the vault's reserve.
    pub fn close(&self, fund: &Planned, k: u8) -> Result<Planned, DeployError> {
        let vault = coin(fund, Role::Vault)?.joint(None);
        let mut outputs = self.arms(outcome_arms(self.d, k)?)?;
        outputs.push(Output::anchor());
        self.checked(Planned::new(TxName::Close, 3, vec![vault], outputs))
    }
}

fn outcome_arms(d: &Deployment, k: u8) -> Result<&[Arm], DeployError> {
    let arms = d.contract.coin.pay.get(usize::from(k));
    arms.map(Vec::as_slice)
        .ok_or_else(|| DeployError::Script(format!("no outcome {k}")))
}

impl Graph {
    /// Close: the vault as all agree, to the arms of an outcome; signed when they agree.
    ///
    /// # Errors
    /// [`DeployError`] if there is no such outcome.
    pub fn close(&self, k: u8) -> Result<Planned, DeployError> {
        let ctx = Ctx {
            d: &self.deployment,
            taps: &self.connectors,
            amounts: self.amounts,
        };
        let fund = self.get(TxName::Fund);
        let fund = fund.ok_or_else(|| DeployError::Script("no Fund".to_owned()))?;
        ctx.close(fund, k)
    }
}
