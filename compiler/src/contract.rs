//! A checked contract with its parameters: what every back end and the verifier work from.

use crate::commit;
use crate::units::{Blocks, Sats};
use crate::value::ValueType;
use crate::word::{Author, Program};
use serde::{Deserialize, Serialize};

/// A contract with every parameter fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// As declared.
    pub name: String,
    /// SHA-256 over the domain `gavel/contract`, the source and the parameters in canonical
    /// form: binds keys and internal points to this contract.
    pub id: [u8; 32],
    /// Names of the parties, `2..=16`, in order of declaration.
    pub parties: Vec<String>,
    /// The attestors, in order of declaration.
    pub attestors: Vec<Attestor>,
    /// The inputs of `settle` as declared, in order. An array is one input here and one
    /// element per entry in the program.
    pub inputs: Vec<InputDecl>,
    /// The coin.
    pub coin: Coin,
    /// `settle`, parameters folded in.
    pub program: Program,
}

/// An input of `settle` as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputDecl {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ValueType,
    /// Who vouches for it.
    pub author: Author,
}

/// Somebody who isn't a party and vouches for one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestor {
    /// The parameter's name.
    pub name: String,
    /// Digits per word of the attested value.
    pub words: Vec<u8>,
    /// The one-time public key published in advance.
    pub key: commit::PublicKey,
}

/// The bitcoin that a contract holds, and the rules for paying it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// As declared.
    pub name: String,
    /// What each party puts in, by party index (0 where it funds nothing).
    pub fund: Vec<Sats>,
    /// Who is paid what under each outcome, by outcome index. Sums equal the funding.
    pub pay: Vec<Vec<Arm>>,
    /// When the refund may be broadcast, counted from Fund's confirmation.
    pub refund_after: Blocks,
    /// Who is paid what by the refund.
    pub refund: Vec<Arm>,
}

impl Coin {
    /// What the coin holds.
    pub fn pot(&self) -> Sats {
        Sats(self.fund.iter().map(|sats| sats.0).sum())
    }
}

/// One payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// Index of the party.
    pub party: u8,
    /// Amount, above dust.
    pub amount: Sats,
}
