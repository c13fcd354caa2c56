//! What a node says about its chain and its mempool.

use std::ops::RangeInclusive;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, BlockHash, FeeRate, OutPoint, Transaction, TxOut, Txid};
use serde::Deserialize;
use serde_json::{Value, json};

use super::types::{RawMempoolInfo, RawTxOut};
use super::{Chain, Confirmation, MempoolInfo, Rpc, UnspentOutput};
use crate::{Error, Version};

/// "No such mempool or blockchain transaction", "block not found".
const NOT_FOUND: i32 = -5;
/// How many blocks are looked through per round trip when searching backwards.
const LOOK_BACK: u32 = 100;

impl Rpc {
    /// Version of the node.
    ///
    /// # Errors
    /// As [`Rpc::call`], here and below where nothing else is said.
    pub fn version(&self) -> Result<Version, Error> {
        #[derive(Deserialize)]
        struct Reply {
            version: u32,
        }
        Ok(Version::from_rpc(
            self.call::<Reply>("getnetworkinfo", &[])?.version,
        ))
    }

    /// Name of the chain, height and best block, all from one instant.
    pub fn chain(&self) -> Result<Chain, Error> {
        self.call("getblockchaininfo", &[])
    }

    /// Height of the best block; 0 is the genesis block.
    pub fn height(&self) -> Result<u32, Error> {
        self.call("getblockcount", &[])
    }

    /// The best block.
    pub fn best_hash(&self) -> Result<BlockHash, Error> {
        self.call("getbestblockhash", &[])
    }

    /// The block at a height, if the chain is that long.
    pub fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, Error> {
        /// "Block height out of range".
        const INVALID_PARAMETER: i32 = -8;
        match self.call("getblockhash", &[json!(height)]) {
            Ok(hash) => Ok(Some(hash)),
            Err(Error::Rpc {
                code: INVALID_PARAMETER,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A block by its hash, if the node has it (in whichever chain).
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Block>, Error> {
        match self.call::<String>("getblock", &[json!(hash), json!(0)]) {
            Ok(hex) => self.decode("getblock", &hex).map(Some),
            Err(Error::Rpc {
                code: NOT_FOUND, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A block by its height, if the chain is that long.
    pub fn block_at(&self, height: u32) -> Result<Option<Block>, Error> {
        match self.hash_at(height)? {
            Some(hash) => self.block(&hash),
            None => Ok(None),
        }
    }

    /// Many blocks, in a few round trips. The range must lie within the chain.
    pub fn blocks(&self, heights: RangeInclusive<u32>) -> Result<Vec<Block>, Error> {
        let hashes: Vec<BlockHash> = self.call_many(
            "getblockhash",
            &heights.map(|h| vec![json!(h)]).collect::<Vec<_>>(),
        )?;
        let args: Vec<_> = hashes
            .iter()
            .map(|hash| vec![json!(hash), json!(0)])
            .collect();
        let blocks: Vec<String> = self.call_many("getblock", &args)?;
        blocks
            .iter()
            .map(|hex| self.decode("getblock", hex))
            .collect()
    }

    /// Ids of everything in the mempool, sorted.
    pub fn mempool(&self) -> Result<Vec<Txid>, Error> {
        let mut txids: Vec<Txid> = self.call("getrawmempool", &[])?;
        txids.sort();
        Ok(txids)
    }

    /// A transaction in the mempool, with its witnesses; `None` if it isn't there (any more).
    pub fn mempool_tx(&self, txid: &Txid) -> Result<Option<Transaction>, Error> {
        match self.call::<String>("getrawtransaction", &[json!(txid)]) {
            Ok(hex) => self.decode("getrawtransaction", &hex).map(Some),
            Err(Error::Rpc {
                code: NOT_FOUND, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Size of the mempool, and what it takes to enter it.
    pub fn mempool_info(&self) -> Result<MempoolInfo, Error> {
        let raw: RawMempoolInfo = self.call("getmempoolinfo", &[])?;
        // per 1,000 vB = per 4,000 weight units
        let rate = |per_kvb: Amount| FeeRate::from_sat_per_kwu(per_kvb.to_sat().div_ceil(4));
        Ok(MempoolInfo {
            transactions: raw.size,
            vbytes: raw.bytes,
            min_fee_rate: rate(raw.min_fee_per_kvb),
            incremental_fee_rate: rate(raw.incremental_per_kvb),
        })
    }

    /// An output, if it exists and is unspent. With `mempool`, what the mempool makes and
    /// spends counts.
    pub fn unspent(
        &self,
        outpoint: &OutPoint,
        mempool: bool,
    ) -> Result<Option<UnspentOutput>, Error> {
        let args = [json!(outpoint.txid), json!(outpoint.vout), json!(mempool)];
        let raw: Option<RawTxOut> = self.call("gettxout", &args)?;
        Ok(raw.map(|raw| UnspentOutput {
            output: TxOut {
                value: raw.value,
                script_pubkey: raw.script.hex,
            },
            confirmations: raw.confirmations,
            coinbase: raw.coinbase,
        }))
    }

    /// Which mempool transaction spends each of these outputs.
    pub fn mempool_spenders(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Txid>>, Error> {
        #[derive(Deserialize)]
        struct Spent {
            spendingtxid: Option<Txid>,
        }
        if outpoints.is_empty() {
            return Ok(Vec::new()); // the node refuses an empty list
        }
        let list: Vec<Value> = outpoints
            .iter()
            .map(|o| json!({"txid": o.txid, "vout": o.vout}))
            .collect();
        let spent: Vec<Spent> = self.call("gettxspendingprevout", &[Value::Array(list)])?;
        Ok(spent.into_iter().map(|spent| spent.spendingtxid).collect())
    }

    /// Looks for a transaction in the chain, from the best block back to the height `since`.
    ///
    /// There is no transaction index: this reads blocks, 100 per round trip. Pass the height at
    /// which you sent the transaction.
    pub fn confirmation(&self, txid: &Txid, since: u32) -> Result<Option<Confirmation>, Error> {
        let tip = self.height()?;
        let mut top = tip;
        while top >= since {
            let bottom = top.saturating_sub(LOOK_BACK - 1).max(since);
            let blocks = self.blocks(bottom..=top)?;
            for (height, block) in (bottom..=top).rev().zip(blocks.iter().rev()) {
                if let Some(tx) = block.txdata.iter().find(|tx| tx.compute_txid() == *txid) {
                    return Ok(Some(Confirmation {
                        height,
                        block: block.block_hash(),
                        confirmations: tip - height + 1,
                        tx: tx.clone(),
                    }));
                }
            }
            match bottom.checked_sub(1) {
                Some(next) => top = next,
                None => break,
            }
        }
        Ok(None)
    }

    /// Marks a block and all that build on it as invalid: the way to make a reorg.
    ///
    /// The node takes transactions of up to 10 blocks back into its mempool; with more, none.
    pub fn invalidate(&self, hash: &BlockHash) -> Result<(), Error> {
        self.call::<Value>("invalidateblock", &[json!(hash)])
            .map(drop)
    }

    /// Takes [`Rpc::invalidate`] back; the longest chain wins again.
    pub fn reconsider(&self, hash: &BlockHash) -> Result<(), Error> {
        self.call::<Value>("reconsiderblock", &[json!(hash)])
            .map(drop)
    }

    /// Undoes the last `depth` blocks; returns the new best block, and the one to
    /// [`reconsider`](Rpc::reconsider) to undo this.
    pub fn rewind(&self, depth: u32) -> Result<(BlockHash, BlockHash), Error> {
        let height = self.height()?;
        let hash = match depth.checked_sub(1).and_then(|d| height.checked_sub(d)) {
            Some(height) => self.hash_at(height)?,
            None => None,
        };
        let hash = hash
            .filter(|hash| *hash != BlockHash::all_zeros())
            .ok_or(Error::Rpc {
                method: "invalidateblock".into(),
                code: -8,
                message: format!("can't rewind {depth} blocks from height {height}"),
            })?;
        self.invalidate(&hash)?;
        Ok((self.best_hash()?, hash))
    }
}
