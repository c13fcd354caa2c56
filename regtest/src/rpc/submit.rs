//! Hands transactions to a node, and reads its refusals.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Transaction, Txid};
use serde_json::{Value, json};

use super::types::{RawPackage, RawVerdict};
use super::{PackageReport, PackageTx, Reject, Rpc, Verdict};
use crate::Error;

/// No limit: the node's own default would refuse packages whose child pays for a big parent.
const NO_MAX_FEE_RATE: u8 = 0;
/// All bitcoin there will ever be: outputs that nobody can spend may carry money.
const ANY_BURN: u32 = 21_000_000;

impl Rpc {
    /// Hands the node a transaction. One that it has already is no error.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the reason.
    pub fn submit(&self, tx: &Transaction) -> Result<Txid, Error> {
        let args = [
            json!(serialize_hex(tx)),
            json!(NO_MAX_FEE_RATE),
            json!(ANY_BURN),
        ];
        self.call("sendrawtransaction", &args).map_err(as_reject)
    }

    /// What the node would do with a transaction; nothing is submitted. It judges single
    /// transactions, not zero-fee parents: for those see [`Rpc::submit_package`].
    pub fn test_accept(&self, tx: &Transaction) -> Result<Verdict, Error> {
        let verdict = self.test_accept_all(std::slice::from_ref(tx))?.pop();
        verdict.ok_or_else(|| self.nonsense("testmempoolaccept", "no verdict".into()))
    }

    /// What the node would do with several transactions together, parents first.
    pub fn test_accept_all(&self, txs: &[Transaction]) -> Result<Vec<Verdict>, Error> {
        let args = [raw(txs), json!(NO_MAX_FEE_RATE)];
        let verdicts: Vec<RawVerdict> = self.call("testmempoolaccept", &args)?;
        if verdicts.len() != txs.len() {
            let reason = format!("{} verdicts on {} transactions", verdicts.len(), txs.len());
            return Err(self.nonsense("testmempoolaccept", reason));
        }
        Ok(verdicts.into_iter().map(Verdict::from).collect())
    }

    /// Hands the node a package: parents, and last the child that pays for them.
    ///
    /// # Errors
    /// [`Error::PackageRejected`] unless *every* transaction is in the mempool now; its report
    /// says which ones are. [`Error::Rejected`] if it isn't a package at all.
    pub fn submit_package(&self, txs: &[Transaction]) -> Result<PackageReport, Error> {
        let args = [raw(txs), json!(NO_MAX_FEE_RATE), json!(ANY_BURN)];
        let mut reply: RawPackage = self.call("submitpackage", &args).map_err(as_reject)?;
        let mut results = Vec::with_capacity(txs.len());
        for tx in txs {
            let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
            let result = reply.results.remove(&wtxid).ok_or_else(|| {
                self.nonsense(
                    "submitpackage",
                    format!("nothing about the transaction {wtxid}"),
                )
            })?;
            results.push(PackageTx {
                txid,
                wtxid,
                vsize: result.vsize,
                fee: result.fees.map(|fees| fees.base),
                other_wtxid: result.other_wtxid,
                reject: result.error.as_deref().map(Reject::parse),
            });
        }
        let report = PackageReport {
            message: reply.package_msg,
            txs: results,
            replaced: reply.replaced,
        };
        if report.is_accepted() {
            Ok(report)
        } else {
            Err(Error::PackageRejected(Box::new(report)))
        }
    }
}

/// Transactions as a JSON list of hex.
fn raw(txs: &[Transaction]) -> Value {
    Value::Array(txs.iter().map(|tx| json!(serialize_hex(tx))).collect())
}

/// Tells refusals from other errors, by Bitcoin Core's error codes.
pub(super) fn as_reject(error: Error) -> Error {
    /// RPC_VERIFY_ERROR, RPC_VERIFY_REJECTED, RPC_VERIFY_ALREADY_IN_UTXO_SET.
    const REFUSALS: [i32; 3] = [-25, -26, -27];
    match error {
        Error::Rpc { code, message, .. } if REFUSALS.contains(&code) => {
            Error::Rejected(Reject::parse(&message))
        }
        other => other,
    }
}
