//! What parties tell each other before Fund: who they are, and their one-time public keys.

use super::envelope::{Body, MessageError, open_with};
use super::hash::Tagged;
use super::hex;
use super::key_agg::MAX_PARTIES;
use super::musig::{NoncesMessage, PartialsMessage};
use bitcoin::secp256k1::XOnlyPublicKey;
use bitcoin::{Amount, OutPoint, ScriptBuf};
use gavel_compiler::commit::{PublicKey, Shape};
use gavel_compiler::units::Sats;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most funding inputs of one party.
const MAX_INPUTS: usize = 100;

/// A party's first message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Who sends it.
    pub party: u8,
    /// The contract's id.
    #[serde(with = "hex::array")]
    pub contract: [u8; 32],
    /// Fresh randomness, so that no two deployments share an instance.
    #[serde(with = "hex::array")]
    pub nonce: [u8; 32],
    /// The party's long-term key.
    pub key: XOnlyPublicKey,
    /// Where the party is paid.
    pub payout: ScriptBuf,
    /// What the party pays in from.
    pub inputs: Vec<FundingInput>,
    /// Where its change goes; without, nothing is left over.
    pub change: Option<ScriptBuf>,
}

/// An output that Fund spends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundingInput {
    /// Which output.
    pub outpoint: OutPoint,
    /// Its value.
    pub amount: Sats,
    /// Its script.
    pub script: ScriptBuf,
}

/// A party's one-time public keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneTimeKeysMessage {
    /// Who sends it.
    pub party: u8,
    /// The instance, from [`instance`].
    #[serde(with = "hex::array")]
    pub instance: [u8; 32],
    /// Its keys as a claimer, by element.
    pub claimer: Vec<PublicKey>,
    /// Its keys as an author, by input element.
    pub author: BTreeMap<u16, PublicKey>,
}

impl Body for Hello {
    const KIND: &'static str = "hello";
    fn party(&self) -> u8 {
        self.party
    }
}

impl Body for OneTimeKeysMessage {
    const KIND: &'static str = "one-time-keys";
    fn party(&self) -> u8 {
        self.party
    }
}

impl Body for NoncesMessage {
    const KIND: &'static str = "nonces";
    fn party(&self) -> u8 {
        self.party
    }
}

impl Body for PartialsMessage {
    const KIND: &'static str = "partials";
    fn party(&self) -> u8 {
        self.party
    }
}

/// Why first messages are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// The parties' messages aren't one each, in the order of their indices.
    #[error("message {at} is from party {party}")]
    Order {
        /// Position.
        at: usize,
        /// Who sent it.
        party: u8,
    },
    /// Too few or too many parties.
    #[error("{got} parties; a contract has 2 to {MAX_PARTIES}")]
    Parties {
        /// Messages given.
        got: usize,
    },
    /// For another contract.
    #[error("party {party} means another contract")]
    Contract {
        /// Who.
        party: u8,
    },
    /// Not P2WPKH, P2WSH or P2TR: others could make a transaction unrelayable or its id change.
    #[error("party {party}: its {what} is not P2WPKH, P2WSH or P2TR")]
    Script {
        /// Who.
        party: u8,
        /// Which script.
        what: &'static str,
    },
    /// An input of no value, or of more than there is.
    #[error("party {party}: {outpoint} has {amount}")]
    Value {
        /// Who.
        party: u8,
        /// The input.
        outpoint: OutPoint,
        /// Its value.
        amount: Sats,
    },
    /// Too many inputs.
    #[error("party {party}: {got} inputs; at most {MAX_INPUTS}")]
    Inputs {
        /// Who.
        party: u8,
        /// Inputs given.
        got: usize,
    },
    /// One output is spent twice.
    #[error("party {party}: {outpoint} is given twice")]
    Twice {
        /// Who gave it last.
        party: u8,
        /// The input.
        outpoint: OutPoint,
    },
    /// A key or a nonce that another party has too.
    #[error("party {party} copied the {what} of another party")]
    Copied {
        /// Who.
        party: u8,
        /// What.
        what: &'static str,
    },
}

impl Hello {
    /// Checks what can be checked without a node: scripts and values.
    pub fn check(&self) -> Result<(), HelloError> {
        let party = self.party;
        let script = |script: &ScriptBuf, what| match script.is_p2wpkh()
            || script.is_p2wsh()
            || script.is_p2tr()
        {
            true => Ok(()),
            false => Err(HelloError::Script { party, what }),
        };
        script(&self.payout, "payout script")?;
        if let Some(change) = &self.change {
            script(change, "change script")?;
        }
        let got = self.inputs.len();
        if got > MAX_INPUTS {
            return Err(HelloError::Inputs { party, got });
        }
        for input in &self.inputs {
            script(&input.script, "funding input")?;
            if input.amount.0 == 0 || input.amount.0 > Amount::MAX_MONEY.to_sat() {
                return Err(HelloError::Value {
                    party,
                    outpoint: input.outpoint,
                    amount: input.amount,
                });
            }
        }
        Ok(())
    }
}

/// Reads a party's first message, signed with the key that it announces. Whoever knows by
/// other means which key the party has must compare.
pub fn open_hello(bytes: &[u8], contract: &[u8; 32], party: u8) -> Result<Hello, MessageError> {
    let hello = open_with(bytes, contract, |hello: &Hello| hello.key)?;
    if hello.party != party {
        return Err(MessageError::Party {
            kind: Hello::KIND,
            expected: party,
            got: hello.party,
        });
    }
    Ok(hello)
}

/// The instance of a deployment: a hash over the contract's id, the deployment's options in
/// canonical form, and every party's nonce, key, scripts and inputs. Checks the messages,
/// alone and together.
pub fn instance(
    contract: &[u8; 32],
    options: &[u8],
    hellos: &[Hello],
) -> Result<[u8; 32], HelloError> {
    let got = hellos.len();
    if !(2..=MAX_PARTIES).contains(&got) {
        return Err(HelloError::Parties { got });
    }
    let (mut outpoints, mut keys, mut nonces) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut hash = Tagged::new("gavel/instance").field(contract).field(options);
    for (at, hello) in hellos.iter().enumerate() {
        let party = hello.party;
        if usize::from(party) != at {
            return Err(HelloError::Order { at, party });
        }
        if hello.contract != *contract {
            return Err(HelloError::Contract { party });
        }
        hello.check()?;
        if !keys.insert(hello.key) {
            let what = "key";
            return Err(HelloError::Copied { party, what });
        }
        if !nonces.insert(hello.nonce) {
            let what = "nonce";
            return Err(HelloError::Copied { party, what });
        }
        hash = hash
            .field(&[party])
            .field(&hello.nonce)
            .field(&hello.key.serialize())
            .field(hello.payout.as_bytes())
            .field(&[u8::from(hello.change.is_some())])
            .field(
                hello
                    .change
                    .as_ref()
                    .map_or(&[], |script| script.as_bytes()),
            )
            .field(&(hello.inputs.len() as u64).to_le_bytes());
        for FundingInput {
            outpoint,
            amount,
            script,
        } in &hello.inputs
        {
            if !outpoints.insert(*outpoint) {
                let outpoint = *outpoint;
                return Err(HelloError::Twice { party, outpoint });
            }
            hash = hash
                .field(outpoint.txid.as_ref())
                .field(&outpoint.vout.to_le_bytes())
                .field(&amount.0.to_le_bytes())
                .field(script.as_bytes());
        }
    }
    Ok(hash.finish())
}

/// Why one-time keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// For another instance.
    #[error("party {party} means another instance")]
    Instance {
        /// Who.
        party: u8,
    },
    /// Not as many claimer's keys as elements.
    #[error("party {party}: {got} claimer's keys for {need} elements")]
    Count {
        /// Who.
        party: u8,
        /// Keys sent.
        got: usize,
        /// Elements.
        need: usize,
    },
    /// Author's keys for other elements than those the party vouches for.
    #[error("party {party}: author's keys for elements {got:?}, it vouches for {need:?}")]
    Elements {
        /// Who.
        party: u8,
        /// Elements with keys.
        got: Vec<u16>,
        /// Elements that need keys.
        need: Vec<u16>,
    },
    /// A key has another number of digits than its element.
    #[error("party {party}: the {role} key of element {element} has another shape")]
    Shape {
        /// Who.
        party: u8,
        /// As claimer or author.
        role: super::Role,
        /// The element.
        element: usize,
    },
}

impl OneTimeKeysMessage {
    /// Checks that there is exactly one key of the right shape per element: `claimer` by
    /// element, `author` for the inputs that this party vouches for.
    pub fn check(
        &self,
        instance: &[u8; 32],
        claimer: &[Shape],
        author: &BTreeMap<u16, Shape>,
    ) -> Result<(), KeysError> {
        let party = self.party;
        if self.instance != *instance {
            return Err(KeysError::Instance { party });
        }
        if self.claimer.len() != claimer.len() {
            return Err(KeysError::Count {
                party,
                got: self.claimer.len(),
                need: claimer.len(),
            });
        }
        if !self.author.keys().eq(author.keys()) {
            return Err(KeysError::Elements {
                party,
                got: self.author.keys().copied().collect(),
                need: author.keys().copied().collect(),
            });
        }
        let misfit = |role, element| KeysError::Shape {
            party,
            role,
            element,
        };
        for (element, (key, shape)) in self.claimer.iter().zip(claimer).enumerate() {
            if !key.fits(*shape) {
                return Err(misfit(super::Role::Claimer, element));
            }
        }
        for ((element, key), shape) in self.author.iter().zip(author.values()) {
            if !key.fits(*shape) {
                return Err(misfit(super::Role::Author, usize::from(*element)));
            }
        }
        Ok(())
    }
}
