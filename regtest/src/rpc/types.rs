//! Replies of a node, as types of our own.

use std::collections::BTreeMap;
use std::fmt;

use bitcoin::{Amount, BlockHash, FeeRate, ScriptBuf, Transaction, TxOut, Txid, Wtxid};
use serde::{Deserialize, Serialize};

/// Why a node refuses a transaction or a block.
///
/// Match on [`Reject::reason`]: it is the `reject-reason` of Bitcoin Core, stable between
/// releases as far as anything is, e.g. `non-BIP68-final`, `dust`, `tx-size`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Bitcoin Core's `reject-reason`.
    pub reason: String,
    /// What it adds for the reader, e.g. the amounts compared.
    pub detail: Option<String>,
}

impl Reject {
    /// Takes apart `reason, detail`, the form in which most methods report a refusal.
    pub(crate) fn parse(message: &str) -> Self {
        let message = message
            .strip_prefix("TestBlockValidity failed: ")
            .unwrap_or(message);
        match message.split_once(", ") {
            Some((reason, detail)) => Self {
                reason: reason.to_owned(),
                detail: Some(detail.to_owned()),
            },
            None => Self {
                reason: message.to_owned(),
                detail: None,
            },
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{} ({detail})", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// What a node would do with a transaction, from `testmempoolaccept`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which transaction.
    pub txid: Txid,
    /// Whether it would enter the mempool.
    pub allowed: bool,
    /// Its virtual size in vB; only if allowed.
    pub vsize: Option<u64>,
    /// Its fee; only if allowed.
    pub fee: Option<Amount>,
    /// Why not; only if not allowed. `None` for those of a package that weren't looked at
    /// because another one failed.
    pub reject: Option<Reject>,
}

/// What became of one transaction of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageTx {
    /// Its id.
    pub txid: Txid,
    /// Its id with the witness.
    pub wtxid: Wtxid,
    /// Its virtual size in vB; only if it is in the mempool now.
    pub vsize: Option<u64>,
    /// The fee it pays by itself; only if it is in the mempool now.
    pub fee: Option<Amount>,
    /// Another witness of the same transaction was in the mempool already, and stays.
    pub other_wtxid: Option<Wtxid>,
    /// Why it is not in the mempool.
    pub reject: Option<Reject>,
}

/// What became of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageReport {
    /// Bitcoin Core's `package_msg`: `success`, or why not.
    pub message: String,
    /// One per transaction, in the order they were submitted in.
    pub txs: Vec<PackageTx>,
    /// What was in the mempool and had to go.
    pub replaced: Vec<Txid>,
}

impl PackageReport {
    /// Whether every transaction is in the mempool now.
    pub fn is_accepted(&self) -> bool {
        self.message == "success" && self.txs.iter().all(|tx| tx.reject.is_none())
    }

    /// The first transaction's refusal.
    pub fn first_reject(&self) -> Option<&Reject> {
        self.txs.iter().find_map(|tx| tx.reject.as_ref())
    }
}

impl fmt::Display for PackageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for tx in &self.txs {
            match &tx.reject {
                Some(reject) => write!(f, "; {}: {reject}", tx.txid)?,
                None => write!(f, "; {}: in the mempool", tx.txid)?,
            }
        }
        Ok(())
    }
}

/// The chain that a node is on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Chain {
    /// `regtest`, `main`, …
    #[serde(rename = "chain")]
    pub name: String,
    /// Height of the best block.
    #[serde(rename = "blocks")]
    pub height: u32,
    /// The best block.
    #[serde(rename = "bestblockhash")]
    pub best: BlockHash,
}

/// The state of a node's mempool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MempoolInfo {
    /// How many transactions are in it.
    pub transactions: u64,
    /// Their virtual size together, in vB.
    pub vbytes: u64,
    /// What a transaction must pay at least, now, to enter by itself.
    pub min_fee_rate: FeeRate,
    /// What a replacement must pay on top, per vB.
    pub incremental_fee_rate: FeeRate,
}

/// Where a transaction is in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Height of its block.
    pub height: u32,
    /// Its block.
    pub block: BlockHash,
    /// 1 if its block is the best one.
    pub confirmations: u32,
    /// The transaction itself, with its witnesses.
    pub tx: Transaction,
}

/// An output that nobody has spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnspentOutput {
    /// Amount and script.
    pub output: TxOut,
    /// 0 while only the mempool has it.
    pub confirmations: u32,
    /// Whether a coinbase transaction made it: it can be spent after 100 confirmations.
    pub coinbase: bool,
}

#[derive(Deserialize)]
pub(super) struct RawVerdict {
    pub txid: Txid,
    pub allowed: Option<bool>,
    pub vsize: Option<u64>,
    pub fees: Option<RawFees>,
    #[serde(rename = "reject-reason")]
    pub reject_reason: Option<String>,
    #[serde(rename = "reject-details")]
    pub reject_details: Option<String>,
    #[serde(rename = "package-error")]
    pub package_error: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawFees {
    #[serde(with = "bitcoin::amount::serde::as_btc")]
    pub base: Amount,
}

impl From<RawVerdict> for Verdict {
    fn from(raw: RawVerdict) -> Self {
        let detail = |reason: &str| {
            let details = raw.reject_details.as_deref()?;
            let rest = details.strip_prefix(reason).unwrap_or(details);
            let rest = rest.trim_start_matches(", ");
            (!rest.is_empty()).then(|| rest.to_owned())
        };
        let reject = match (&raw.reject_reason, &raw.package_error) {
            (Some(reason), _) => Some(Reject {
                detail: detail(reason),
                reason: reason.clone(),
            }),
            (None, Some(package)) => Some(Reject::parse(package)),
            (None, None) => None,
        };
        Self {
            txid: raw.txid,
            allowed: raw.allowed.unwrap_or(false),
            vsize: raw.vsize,
            fee: raw.fees.map(|fees| fees.base),
            reject,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawPackage {
    pub package_msg: String,
    #[serde(rename = "tx-results")]
    pub results: BTreeMap<Wtxid, RawPackageTx>,
    #[serde(rename = "replaced-transactions", default)]
    pub replaced: Vec<Txid>,
}

#[derive(Deserialize)]
pub(super) struct RawPackageTx {
    #[serde(rename = "other-wtxid")]
    pub other_wtxid: Option<Wtxid>,
    pub vsize: Option<u64>,
    pub fees: Option<RawFees>,
    pub error: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawMempoolInfo {
    pub size: u64,
    pub bytes: u64,
    #[serde(rename = "mempoolminfee", with = "bitcoin::amount::serde::as_btc")]
    pub min_fee_per_kvb: Amount,
    #[serde(
        rename = "incrementalrelayfee",
        with = "bitcoin::amount::serde::as_btc"
    )]
    pub incremental_per_kvb: Amount,
}

#[derive(Deserialize)]
pub(super) struct RawTxOut {
    pub confirmations: u32,
    #[serde(with = "bitcoin::amount::serde::as_btc")]
    pub value: Amount,
    #[serde(rename = "scriptPubKey")]
    pub script: RawScript,
    pub coinbase: bool,
}

#[derive(Deserialize)]
pub(super) struct RawScript {
    pub hex: ScriptBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_are_taken_apart() {
        for (message, reason, detail) in [
            ("dust", "dust", None),
            (
                "min relay fee not met, 0 < 100",
                "min relay fee not met",
                Some("0 < 100"),
            ),
            (
                "TestBlockValidity failed: bad-txns-nonfinal, non-final transaction",
                "bad-txns-nonfinal",
                Some("non-final transaction"),
            ),
        ] {
            let reject = Reject::parse(message);
            assert_eq!(
                (reject.reason.as_str(), reject.detail.as_deref()),
                (reason, detail)
            );
        }
    }
}
