//! Whether everybody's money is where it was announced.

use crate::deploy::Deployment;
use bitcoin::{OutPoint, TxOut};
use gavel_compiler::units::Sats;

/// Why an announced funding input isn't good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FundingError {
    /// The output doesn't exist, or is spent.
    #[error("party {party}: its funding input {outpoint} does not exist, or is spent")]
    Missing {
        /// Who announced it.
        party: u8,
        /// The output.
        outpoint: OutPoint,
    },
    /// The output exists, but nothing keeps it from going away.
    #[error("party {party}: its funding input {outpoint} is not confirmed")]
    Unconfirmed {
        /// Who announced it.
        party: u8,
        /// The output.
        outpoint: OutPoint,
    },
    /// It holds another amount.
    #[error("party {party}: its funding input {outpoint} holds {found}, not {announced}")]
    Amount {
        /// Who announced it.
        party: u8,
        /// The output.
        outpoint: OutPoint,
        /// What was announced.
        announced: Sats,
        /// What it holds.
        found: Sats,
    },
    /// It is somebody else's.
    #[error("party {party}: its funding input {outpoint} has another script than announced")]
    Script {
        /// Who announced it.
        party: u8,
        /// The output.
        outpoint: OutPoint,
    },
}

/// Checks every party's funding inputs against what a node knows. To be called before any
/// signature is given away. `find` gives an unspent output and its confirmations; `None` where
/// it doesn't exist, is spent (in the mempool too), or is an immature coinbase's.
///
/// # Errors
/// [`FundingError`] names party and output.
pub fn check_funding(
    deployment: &Deployment,
    mut find: impl FnMut(&OutPoint) -> Option<(TxOut, u32)>,
) -> Result<(), FundingError> {
    for (party, hello) in (0..).zip(&deployment.parties) {
        for input in &hello.inputs {
            let outpoint = input.outpoint;
            let Some((output, confirmations)) = find(&outpoint) else {
                return Err(FundingError::Missing { party, outpoint });
            };
            if confirmations == 0 {
                return Err(FundingError::Unconfirmed { party, outpoint });
            }
            let (announced, found) = (input.amount, Sats(output.value.to_sat()));
            if found != announced {
                return Err(FundingError::Amount {
                    party,
                    outpoint,
                    announced,
                    found,
                });
            }
            if output.script_pubkey != input.script {
                return Err(FundingError::Script { party, outpoint });
            }
        }
    }
    Ok(())
}
