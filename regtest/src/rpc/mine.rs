//! Makes blocks.

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
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
        let mut hashes: Vec<BlockHash> = Vec::new();
        let mut left = count;
        while left > 0 {
            let now = left.min(CHUNK);
            let made = match self.call("generatetodescriptor", &[json!(now), json!(to)]) {
                // Only the first can be one that was made before.
                Err(error) if is_known(&error) => {
                    let waiting: Vec<Value> = self.mempool()?.iter().map(|id| json!(id)).collect();
                    vec![self.mine_another(script, &waiting)?]
                }
                other => other?,
            };
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
        let args = [json!(descriptor(&faucet::script())), json!(raw)];
        match self.call::<Reply>("generateblock", &args) {
            Ok(reply) => Ok(reply.hash),
            Err(error) if is_known(&error) => self.mine_another(&faucet::script(), &raw),
            Err(error) => Err(as_reject(error)),
        }
    }

    /// The block that the node would make of these, with another time: it made and disconnected
    /// the very same block before, and takes it no more. Transactions in hex, or ids of the
    /// mempool's.
    fn mine_another(&self, script: &Script, txs: &[Value]) -> Result<BlockHash, Error> {
        #[derive(Deserialize)]
        struct Reply {
            hex: String,
        }
        let args = [json!(descriptor(script)), json!(txs), json!(false)];
        let reply: Reply = self.call("generateblock", &args).map_err(as_reject)?;
        let mut block: bitcoin::Block =
            deserialize_hex(&reply.hex).map_err(|error| Error::Rpc {
                method: "generateblock".into(),
                code: 0,
                message: format!("no block: {error}"),
            })?;
        let mut reason = String::new();
        for _ in 0..MOST_TWINS {
            block.header.time = block.header.time.saturating_add(1);
            while block.header.validate_pow(block.header.target()).is_err() {
                block.header.nonce = block.header.nonce.wrapping_add(1);
            }
            let reply: Option<String> =
                self.call("submitblock", &[json!(serialize_hex(&block))])?;
            match reply {
                None => return Ok(block.block_hash()),
                Some(said) => reason = said,
            }
            if !reason.starts_with("duplicate") {
                break;
            }
        }
        Err(Error::Rejected(Reject::parse(&reason)))
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

/// How many blocks that differ in nothing but their time may have been disconnected.
const MOST_TWINS: u32 = 1_000;

/// Whether the node made a block that it knows, and holds for invalid.
fn is_known(error: &Error) -> bool {
    matches!(error, Error::Rpc { message, .. } if message.contains("block not accepted"))
}

/// The output descriptor for any script that isn't empty.
fn descriptor(script: &Script) -> String {
    format!("raw({})", script.to_hex_string())
}
