//! Fund: everybody's money into the vault, bonds and stakes. Signed last of all.

use super::build::{Ctx, tap};
use super::name::{Role, TxName};
use super::planned::{DUST, Input, Output, Planned, Spend};
use crate::deploy::DeployError;
use crate::sign::Hello;
use bitcoin::{Amount, TxOut};
use gavel_compiler::units::Sats;

impl Ctx<'_> {
    /// Fund with change for every party.
    pub fn fund(&self) -> Result<Planned, DeployError> {
        let mut planned = self.fund_draft()?;
        let n = self.d.parties.len() as u64;
        let fee = self.fee(&planned).0;
        let first_change = planned.outputs.len() - self.d.parties.len();
        for (party, info) in self.d.parties.iter().enumerate() {
            // The shared costs, split evenly; earlier parties pay what doesn't divide.
            let shared = fee + self.amounts.reserve.0;
            let share = shared / n + u64::from((party as u64) < shared % n);
            let needs = self
                .needs(party as u8)
                .and_then(|needs| needs.checked_add(Sats(share)));
            let brings = brings(info);
            let short = |needs: Sats| DeployError::Underfunded {
                party,
                brings,
                needs,
            };
            let needs = needs.ok_or_else(|| short(Sats(u64::MAX)))?;
            let change = brings.checked_sub(needs).filter(|change| *change >= DUST);
            let change = change.ok_or_else(|| short(Sats(needs.0.saturating_add(DUST.0))))?;
            planned.set_value(first_change + party, change);
        }
        self.checked(planned)
    }

    /// What a party locks up: its funding, its bond, its stakes.
    fn needs(&self, party: u8) -> Option<Sats> {
        let fund = self.d.contract.coin.fund.get(usize::from(party))?;
        let stakes = self
            .amounts
            .stake
            .0
            .checked_mul(u64::from(self.d.n()) - 1)?;
        fund.checked_add(self.amounts.claim)?
            .checked_add(Sats(stakes))
    }

    /// Fund with all outputs but no value in the change: the right size.
    pub fn fund_draft(&self) -> Result<Planned, DeployError> {
        let d = self.d;
        let inputs = d.parties.iter().enumerate().flat_map(|(party, info)| {
            info.inputs.iter().map(move |input| {
                let spend = Spend::Funding(party as u8);
                let value = Amount::from_sat(input.amount.0);
                let prevout = TxOut {
                    value,
                    script_pubkey: input.script.clone(),
                };
                (input.outpoint, None, Input { prevout, spend })
            })
        });
        let pot = d
            .contract
            .coin
            .pot()
            .0
            .saturating_add(self.amounts.reserve.0);
        let mut outputs = vec![Output::tap(Role::Vault, &self.taps.vault, Sats(pot))];
        for (c, groups) in (0..d.n()).zip(&self.taps.bond) {
            // All in the first output; the others only carry their leaf.
            let small = DUST.0 * (groups.len() as u64).saturating_sub(1);
            for (group, tap) in (0..).zip(groups) {
                let first = Sats(self.amounts.claim.0.saturating_sub(small));
                let value = if group == 0 { first } else { DUST };
                outputs.push(Output::tap(Role::Bond { c, group }, tap, value));
            }
        }
        if d.rounds() {
            for v in 0..d.n() {
                for c in d.others(v) {
                    let tap = tap(&self.taps.stake, v)?;
                    outputs.push(Output::tap(Role::Stake { v, c }, tap, self.amounts.stake));
                }
            }
        }
        for (party, info) in (0..d.n()).zip(&d.parties) {
            let change = info.change.as_ref().unwrap_or(&info.payout);
            outputs.push(Output::payment(party, change, Sats(0)));
        }
        Ok(Planned::new(TxName::Fund, 2, inputs.collect(), outputs))
    }
}

fn brings(info: &Hello) -> Sats {
    Sats(
        info.inputs
            .iter()
            .map(|input| input.amount.0)
            .fold(0, u64::saturating_add),
    )
}
