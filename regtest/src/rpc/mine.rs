//! Makes blocks.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{BlockHash, Script, Transaction};
use serde::Deserialize;
use serde_json::{Value, json};

use super::submit::as_reject;
use super::{Reject, Rpc};
use crate::{Error, faucet};

/// How many blocks are asked for at once, so that no call comes near the timeout.
const CHUNK: u32 = 200;

impl Rpc {
    /// Mines `count` blocks with what the mempool holds; the subsidy goes to the faucet.
    ///
    /// # Errors
    /// As [`Rpc::call`], here and below where nothing else is said.
    pub fn mine(&self, count: u32) -> Result<Vec<BlockHash>, Error> {
        self.mine_to(count, &faucet::script())
    }

    /// Mines `count` blocks with what the mempool holds; the subsidy goes to a script.
    /// For an address, pass its `script_pubkey()`.
    pub fn mine_to(&self, count: u32, script: &Script) -> Result<Vec<BlockHash>, Error> {
        self.mine_watched(count, script, &mut |_| {})
    }

    /// Like [`Rpc::mine_to`], and says now and then how many blocks are done.
    pub fn mine_watched(
        &self,
        count: u32,
        script: &Script,
        watch: &mut dyn FnMut(u32),
    ) -> Result<Vec<BlockHash>, Error> {
        let to = descriptor(script);
        let mut hashes = Vec::new();
        let mut left = count;
        while left > 0 {
            let now = left.min(CHUNK);
            let made: Vec<BlockHash> =
                self.call("generatetodescriptor", &[json!(now), json!(to)])?;
            if made.is_empty() {
                let reason = "no block could be made".to_owned();
                return Err(self.nonsense("generatetodescriptor", reason));
            }
            left = left.saturating_sub(u32::try_from(made.len()).unwrap_or(u32::MAX));
            hashes.extend(made);
            watch(count - left);
        }
        Ok(hashes)
    }

    /// Mines one block with exactly these transactions, in this order, and nothing of the
    /// mempool. Policy isn't asked: this tells "valid by consensus" from "relayed".
    ///
    /// # Errors
    /// [`Error::Rejected`] if the block would be invalid; nothing is mined then.
    pub fn mine_block_with(&self, txs: &[Transaction]) -> Result<BlockHash, Error> {
        #[derive(Deserialize)]
        struct Reply {
            hash: BlockHash,
        }
        let raw: Vec<Value> = txs.iter().map(|tx| json!(serialize_hex(tx))).collect();
        let args = [json!(descriptor(&faucet::script())), Value::Array(raw)];
        let reply: Reply = self.call("generateblock", &args).map_err(as_reject)?;
        Ok(reply.hash)
    }

    /// Hands the node a whole block, made elsewhere.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the node doesn't take it.
    pub fn submit_block(&self, block: &bitcoin::Block) -> Result<(), Error> {
        let reply: Option<String> = self.call("submitblock", &[json!(serialize_hex(block))])?;
        match reply {
            None => Ok(()),
            Some(reason) => Err(Error::Rejected(Reject::parse(&reason))),
        }
    }
}

/// The output descriptor for any script that isn't empty.
fn descriptor(script: &Script) -> String {
    format!("raw({})", script.to_hex_string())
}
