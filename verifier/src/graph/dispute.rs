//! A dispute between a claim and one challenger: Challenge, Assert, NoAssert, Collect.

use super::build::{Coin, Ctx, coin, tap};
use super::name::{DisputeId, Held, Permit, Role, TxName};
use super::planned::{DUST, Output, Planned};
use crate::connector::{Connectors, Tap};
use crate::deploy::DeployError;
use gavel_compiler::units::Sats;
use std::sync::Arc;

impl Ctx<'_> {
    fn challenged_taps(&self, id: DisputeId) -> Result<&[Arc<Tap>], DeployError> {
        let taps = self.taps.challenged.get(usize::from(id.claim.c));
        let taps = taps.and_then(|taps| taps.get(usize::from(id.v)));
        taps.map(Vec::as_slice)
            .ok_or_else(|| DeployError::Script(format!("no dispute {id}")))
    }

    fn challenged(&self, challenge: &Planned, id: DisputeId) -> Result<Vec<Coin>, DeployError> {
        let groups = self.challenged_taps(id)?.len() as u16;
        (0..groups)
            .map(|group| coin(challenge, Role::Challenged { group }))
            .collect()
    }

    /// Challenge[c,k,v]: `open[v]` and the challenger's stake, with its own signature made
    /// only now, into one output per group of frames.
    pub fn challenge(
        &self,
        fund: &Planned,
        claim: &Planned,
        id: DisputeId,
    ) -> Result<Planned, DeployError> {
        let inputs = [
            coin(claim, Role::Open { v: id.v })?.joint(None),
            coin(
                fund,
                Role::Stake {
                    v: id.v,
                    c: id.claim.c,
                },
            )?
            .leaf(Connectors::STAKE_CHALLENGE, None),
        ];
        let taps = self.challenged_taps(id)?;
        let total = self
            .amounts
            .stake
            .0
            .saturating_add(self.amounts.assert_cost.0);
        let small = DUST.0 * (taps.len() as u64).saturating_sub(1);
        let mut outputs = vec![];
        for (group, tap) in (0..).zip(taps) {
            let value = if group == 0 {
                Sats(total.saturating_sub(small))
            } else {
                DUST
            };
            outputs.push(Output::tap(Role::Challenged { group }, tap, value));
        }
        let make = |version, anchor| {
            let outputs = outputs.iter().cloned().chain([anchor]).collect();
            Planned::new(TxName::Challenge(id), version, inputs.to_vec(), outputs)
        };
        self.checked(self.anchored(make, id.v))
    }

    /// Assert[c,k,v]: all of `challenged[v]`, by leaves that reveal the frames, into the
    /// challenger's whole stake.
    pub fn assert(&self, challenge: &Planned, id: DisputeId) -> Result<Planned, DeployError> {
        let challenged = self.challenged(challenge, id)?;
        let staked = Output::tap(
            Role::Staked,
            tap(&self.taps.staked, id.v)?,
            self.amounts.stake,
        );
        let make = |version, anchor| {
            let inputs = challenged
                .iter()
                .map(|c| c.leaf(Connectors::CHALLENGED_REVEAL, None));
            let outputs = vec![staked.clone(), anchor];
            Planned::new(TxName::Assert(id), version, inputs.collect(), outputs)
        };
        self.checked(self.anchored(make, id.claim.c))
    }

    /// NoAssert[c,k,v]: the claimer was silent for Δ2: its bond and the stake to the
    /// challenger.
    pub fn no_assert(
        &self,
        claim: &Planned,
        challenge: &Planned,
        id: DisputeId,
    ) -> Result<Planned, DeployError> {
        let lock = Some(self.d.locks().no_assert);
        let mut inputs = vec![coin(claim, Role::Claimed)?.joint(None)];
        inputs.extend(
            self.challenged(challenge, id)?
                .iter()
                .map(|coin| coin.joint(lock)),
        );
        let payment = self.payment(id.v, Sats(0))?;
        let make = |version, anchor| {
            let outputs = vec![payment.clone(), anchor];
            Planned::new(TxName::NoAssert(id), version, inputs.clone(), outputs)
        };
        self.balance(self.anchored(make, id.v))
    }

    /// Collect[c,k,v]: a false challenger's stake to the claimer, once its upheld payout or
    /// release made the permit.
    pub fn collect(
        &self,
        from: &Planned,
        stake: &Planned,
        id: DisputeId,
        permit: Permit,
        held: Held,
    ) -> Result<Planned, DeployError> {
        let role = match permit {
            Permit::Paid => Role::Paid { v: id.v },
            Permit::Freed => Role::Freed { v: id.v },
        };
        let mut inputs = vec![coin(from, role)?.own(id.claim.c)];
        match held {
            Held::Staked => inputs.push(coin(stake, Role::Staked)?.joint(None)),
            Held::Challenged => {
                inputs.extend(
                    self.challenged(stake, id)?
                        .iter()
                        .map(|coin| coin.joint(None)),
                );
            }
        }
        let payment = self.payment(id.claim.c, Sats(0))?;
        let make = |version, anchor| {
            let outputs = vec![payment.clone(), anchor];
            Planned::new(
                TxName::Collect(id, permit, held),
                version,
                inputs.clone(),
                outputs,
            )
        };
        self.balance(self.anchored(make, id.claim.c))
    }
}
