//! Money for tests: pays from the coinbases that the node mines to a key known to everybody.
//!
//! Stateless: what the faucet holds is read from the chain each time, so it survives reorgs,
//! restarts, and being used by several programs one after the other.

use std::cmp::Reverse;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::{Keypair, TapTweak, TweakedKeypair};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
};
use serde::Deserialize;
use serde_json::json;

use crate::{Error, Rpc};

/// Coinbases can be spent in the block 100 above their own.
const MATURITY: u32 = 100;
/// Far above any node's minimum, so that nobody else's fee matters.
const FEE_RATE_SAT_PER_VB: u64 = 5;
/// Change below this stays with the miner (who is the faucet).
const MIN_CHANGE: Amount = Amount::from_sat(1_000);
/// More inputs than this don't fit a standard transaction with room to spare.
const MAX_INPUTS: usize = 1_000;
/// When even the next blocks pay less than this, mining more is pointless.
const MIN_SUBSIDY: u64 = 10_000;
/// How often mining for a payment is tried: once for new coinbases, once for what they cost.
const MAX_ROUNDS: u32 = 3;
const FIRST_SUBSIDY: u64 = 50 * 100_000_000;
const HALVING: u32 = 150;

/// An output that was paid and confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funded {
    /// Where it is.
    pub outpoint: OutPoint,
    /// Amount and script.
    pub output: TxOut,
    /// Height of the block that confirmed it.
    pub height: u32,
}

/// The script that the faucet mines to: a key path that anybody can spend from. Regtest only.
pub fn script() -> ScriptBuf {
    ScriptBuf::new_p2tr_tweaked(keypair().public_parts().0)
}

fn keypair() -> TweakedKeypair {
    let secp = Secp256k1::new();
    let seed = sha256::Hash::hash(b"gavel regtest faucet: worth nothing").to_byte_array();
    let key = SecretKey::from_slice(&seed).expect("the hash of this text is a valid key");
    Keypair::from_secret_key(&secp, &key).tap_tweak(&secp, None)
}

#[derive(Clone, Debug)]
struct Coin {
    outpoint: OutPoint,
    value: Amount,
}

#[derive(Default)]
struct Purse {
    /// Largest first; ties by outpoint, so that everything is reproducible.
    mature: Vec<Coin>,
    immature: Amount,
    height: u32,
}

impl Purse {
    fn total(&self) -> Amount {
        self.mature.iter().map(|coin| coin.value).sum::<Amount>() + self.immature
    }
}

impl Rpc {
    /// Pays an amount to a script from the faucet, and mines one block that holds this payment
    /// and nothing else. Mines more blocks first if the faucet has nothing yet.
    ///
    /// # Errors
    /// [`Error::FaucetDry`]; [`Error::Rejected`], for instance for dust.
    pub fn fund(&self, script: &Script, amount: Amount) -> Result<Funded, Error> {
        let mut paid = self.fund_all(&[(script.to_owned(), amount)])?;
        paid.pop().ok_or_else(|| Error::BadReply {
            method: "fund".into(),
            url: self.url().to_owned(),
            reason: "nothing was paid".into(),
        })
    }

    /// Like [`Rpc::fund`], for many outputs in one transaction, in the order given.
    ///
    /// # Errors
    /// As [`Rpc::fund`].
    pub fn fund_all(&self, payments: &[(ScriptBuf, Amount)]) -> Result<Vec<Funded>, Error> {
        if payments.is_empty() {
            return Ok(Vec::new());
        }
        let _turn = self.faucet_turn();
        let tx = self.faucet_tx(payments)?;
        self.submit(&tx)?;
        self.mine_block_with(std::slice::from_ref(&tx))?;
        let (txid, height) = (tx.compute_txid(), self.height()?);
        Ok((0u32..)
            .zip(tx.output)
            .take(payments.len())
            .map(|(vout, output)| Funded {
                outpoint: OutPoint { txid, vout },
                output,
                height,
            })
            .collect())
    }

    /// What the faucet holds, coinbases that aren't mature yet included.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub fn faucet_balance(&self) -> Result<Amount, Error> {
        Ok(self.purse()?.total())
    }

    /// Builds and signs a payment; mines until the faucet can afford it.
    fn faucet_tx(&self, payments: &[(ScriptBuf, Amount)]) -> Result<Transaction, Error> {
        let mut rounds = 0;
        loop {
            let purse = self.purse()?;
            match select(&purse.mature, payments) {
                Ok(selected) => return Ok(sign(&selected, payments)),
                Err(need) if rounds < MAX_ROUNDS => self.mine_for(&purse, need)?,
                Err(need) => {
                    return Err(Error::FaucetDry {
                        need,
                        have: purse.total(),
                    });
                }
            }
            rounds += 1;
        }
    }

    /// Mines towards a payment that the mature coins can't make.
    fn mine_for(&self, purse: &Purse, need: Amount) -> Result<(), Error> {
        let have = purse.total();
        let dry = Error::FaucetDry { need, have };
        if purse.immature == Amount::ZERO || have < need {
            // new coinbases are needed: as many as it takes, if the subsidy still allows it
            let (mut blocks, mut sum) = (0, have);
            while sum < need {
                let subsidy = subsidy(purse.height + blocks + 1);
                if subsidy < MIN_SUBSIDY {
                    return Err(dry);
                }
                sum += Amount::from_sat(subsidy);
                blocks += 1;
            }
            if blocks == 0 {
                return Err(dry); // all is mature, but in too many coins for one transaction
            }
            self.mine(blocks)?;
        }
        self.mine(MATURITY).map(drop)
    }

    /// What the faucet holds and the mempool doesn't spend.
    fn purse(&self) -> Result<Purse, Error> {
        #[derive(Deserialize)]
        struct Scan {
            height: u32,
            unspents: Vec<Unspent>,
        }
        #[derive(Deserialize)]
        struct Unspent {
            txid: Txid,
            vout: u32,
            #[serde(with = "bitcoin::amount::serde::as_btc")]
            amount: Amount,
            coinbase: bool,
            height: u32,
        }
        let what = format!("raw({})", script().to_hex_string());
        let scan: Scan = self.call("scantxoutset", &[json!("start"), json!([what])])?;
        let mut purse = Purse {
            height: scan.height,
            ..Purse::default()
        };
        for unspent in scan.unspents {
            let outpoint = OutPoint {
                txid: unspent.txid,
                vout: unspent.vout,
            };
            // a transaction sent now is mined at scan.height + 1
            if unspent.coinbase && unspent.height.saturating_add(MATURITY) > scan.height + 1 {
                purse.immature += unspent.amount;
            } else if unspent.amount >= MIN_CHANGE {
                purse.mature.push(Coin {
                    outpoint,
                    value: unspent.amount,
                });
            }
        }
        purse
            .mature
            .sort_by_key(|coin| (Reverse(coin.value), coin.outpoint));
        purse.mature.truncate(MAX_INPUTS);
        // after a reorg, a payment may be back in the mempool
        let outpoints: Vec<OutPoint> = purse.mature.iter().map(|coin| coin.outpoint).collect();
        let spenders = self.mempool_spenders(&outpoints)?;
        let coins = purse.mature.into_iter().zip(spenders);
        purse.mature = coins
            .filter(|(_, by)| by.is_none())
            .map(|(coin, _)| coin)
            .collect();
        Ok(purse)
    }
}

/// What a block at this height may create, on regtest.
fn subsidy(height: u32) -> u64 {
    FIRST_SUBSIDY.checked_shr(height / HALVING).unwrap_or(0)
}

/// The fewest coins, largest first, that pay everything and the fee; or what is needed.
fn select(coins: &[Coin], payments: &[(ScriptBuf, Amount)]) -> Result<Vec<Coin>, Amount> {
    let target = payments
        .iter()
        .try_fold(Amount::ZERO, |sum, (_, amount)| sum.checked_add(*amount))
        .map_or(Amount::MAX_MONEY, |sum| sum.min(Amount::MAX_MONEY));
    let mut selected = Vec::new();
    let mut sum = Amount::ZERO;
    for coin in coins {
        selected.push(coin.clone());
        sum += coin.value;
        if sum >= target + fee(selected.len(), payments) + MIN_CHANGE {
            return Ok(selected);
        }
    }
    Err(target + fee(selected.len().max(1), payments) + MIN_CHANGE)
}

/// The fee of a payment with change, from its exact weight.
fn fee(inputs: usize, payments: &[(ScriptBuf, Amount)]) -> Amount {
    let outpoints = vec![OutPoint::null(); inputs];
    let mut tx = unsigned(outpoints.into_iter(), payments, Amount::MAX_MONEY);
    for input in &mut tx.input {
        input.witness = Witness::from_slice(&[[0u8; 64]]);
    }
    Amount::from_sat(tx.vsize() as u64 * FEE_RATE_SAT_PER_VB)
}

fn unsigned(
    inputs: impl Iterator<Item = OutPoint>,
    payments: &[(ScriptBuf, Amount)],
    change: Amount,
) -> Transaction {
    let mut output: Vec<TxOut> = payments
        .iter()
        .map(|(script, value)| TxOut {
            value: *value,
            script_pubkey: script.clone(),
        })
        .collect();
    output.push(TxOut {
        value: change,
        script_pubkey: script(),
    });
    let input = inputs
        .map(|previous_output| TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        })
        .collect();
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input,
        output,
    }
}

/// The signed payment; `coins` are enough (see [`select`]).
fn sign(coins: &[Coin], payments: &[(ScriptBuf, Amount)]) -> Transaction {
    let total: Amount = coins.iter().map(|coin| coin.value).sum();
    let paid: Amount = payments.iter().map(|(_, amount)| *amount).sum();
    let change = total - paid - fee(coins.len(), payments);
    let mut tx = unsigned(coins.iter().map(|coin| coin.outpoint), payments, change);
    let spent: Vec<TxOut> = coins
        .iter()
        .map(|c| TxOut {
            value: c.value,
            script_pubkey: script(),
        })
        .collect();
    let (secp, key) = (Secp256k1::new(), keypair());
    let mut cache = SighashCache::new(&tx);
    let signatures: Vec<_> = (0..coins.len())
        .map(|index| {
            let hash = cache
                .taproot_key_spend_signature_hash(
                    index,
                    &Prevouts::All(&spent),
                    TapSighashType::Default,
                )
                .expect("there is one previous output per input");
            let message = Message::from_digest(hash.to_byte_array());
            secp.sign_schnorr_no_aux_rand(&message, &key.to_keypair())
        })
        .collect();
    for (input, signature) in tx.input.iter_mut().zip(signatures) {
        input.witness = Witness::from_slice(&[signature.as_ref()]);
    }
    tx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsidies_halve() {
        for (height, sats) in [
            (1, 5_000_000_000),
            (149, 5_000_000_000),
            (150, 2_500_000_000),
        ] {
            assert_eq!(subsidy(height), sats);
        }
        assert_eq!(subsidy(u32::MAX), 0);
    }

    #[test]
    fn too_much_is_an_error_and_no_overflow() {
        let payments = [(script(), Amount::MAX), (script(), Amount::MAX)];
        assert!(select(&[], &payments).is_err());
    }
}
