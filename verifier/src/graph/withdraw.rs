//! Withdraw: a party's money back out of a Fund that wasn't confirmed in time.

use super::build::{Ctx, Graph};
use super::name::TxName;
use super::planned::{Input, Planned, Spend};
use crate::deploy::DeployError;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{OutPoint, ScriptBuf};
use gavel_compiler::units::Sats;

impl Graph {
    /// A party's inputs of Fund that its long-term key can spend. Where a wallet's key holds an
    /// input, taking it back is up to the wallet.
    pub fn withdrawable(&self, party: u8) -> Vec<(OutPoint, Input)> {
        let (Some(fund), Some(info)) = (
            self.get(TxName::Fund),
            self.deployment.parties.get(usize::from(party)),
        ) else {
            return vec![];
        };
        let own = ScriptBuf::new_p2tr(&Secp256k1::verification_only(), info.key, None);
        let inputs = fund.tx.input.iter().zip(&fund.inputs);
        let ours = inputs.filter(|(_, input)| {
            matches!(input.spend, Spend::Funding(p) if p == party)
                && input.prevout.script_pubkey == own
        });
        ours.map(|(txin, input)| (txin.previous_output, input.clone()))
            .collect()
    }

    /// All of [`Self::withdrawable`] to where the party is paid. Pays for its own size at
    /// `feerate`, but at least what replaces Fund where Fund waits to be mined: Fund's fee and
    /// its own at the relay rate. (If somebody attached a child to Fund, the fee rate has to
    /// cover the child's fee too.)
    ///
    /// # Errors
    /// [`DeployError::Amount`] if the inputs don't pay the fee; [`DeployError::Script`] if there
    /// are none.
    pub fn withdraw(&self, party: u8, feerate: u64) -> Result<Planned, DeployError> {
        let name = TxName::Withdraw(party);
        let nothing = || DeployError::Script(format!("{name}: no input of the party's own key"));
        let inputs = self.withdrawable(party);
        let fund = self.get(TxName::Fund).filter(|_| !inputs.is_empty());
        let fund = fund.ok_or_else(nothing)?;
        let ctx = Ctx {
            d: &self.deployment,
            taps: &self.connectors,
            amounts: self.amounts,
        };
        let inputs = inputs.into_iter().map(|(at, input)| (at, None, input));
        let to = vec![ctx.payment(party, Sats(0))?];
        let mut planned = Planned::new(name, 2, inputs.collect(), to);
        let replaces = fund.fee().0.saturating_add(ctx.fee(&planned).0);
        let fee = planned.vsize().0.saturating_mul(feerate).max(replaces);
        let rest = planned.value_in().0.checked_sub(fee);
        let rest = rest.ok_or_else(|| DeployError::Amount {
            what: name.to_string(),
            detail: format!("{} do not pay a fee of {fee} sats", planned.value_in()),
        })?;
        planned.set_value(0, Sats(rest));
        ctx.checked(planned)
    }
}
