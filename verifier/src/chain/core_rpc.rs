//! Bitcoin Core over JSON-RPC.

use super::{Chain, ChainBlock, ChainError, Submitted};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Block, BlockHash, Transaction, Txid};
use bitcoincore_rpc::jsonrpc::{self, simple_http::SimpleHttpTransport};
use bitcoincore_rpc::{Client, RpcApi};
use gavel_compiler::units::Height;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// RPC error codes of Bitcoin Core (`src/rpc/protocol.h`).
const INVALID_ADDRESS_OR_KEY: i32 = -5;
const INVALID_PARAMETER: i32 = -8;
const VERIFY_REJECTED: i32 = -26;
const VERIFY_ERROR: i32 = -25;
const ALREADY_IN_UTXO_SET: i32 = -27;

/// How many connections calls go round over: Bitcoin Core 31, asked again on a connection that
/// it has just answered on, now and then looks at the question only 50 ms later.
const CONNECTIONS: usize = 8;
/// Calls per batch.
const BATCH: usize = 200;

/// Connections to one Bitcoin Core node.
#[derive(Debug)]
pub struct CoreRpc {
    clients: Vec<Client>,
    turn: AtomicUsize,
    url: String,
}

impl CoreRpc {
    /// Connects, and checks that the node is on `network` (as `getblockchaininfo` names it).
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] or [`ChainError::WrongNetwork`].
    pub fn connect(
        url: &str,
        user: &str,
        password: &str,
        network: &str,
    ) -> Result<Self, ChainError> {
        let unreachable = |detail: String| ChainError::Unreachable {
            url: url.to_owned(),
            detail,
        };
        let client = |_| {
            let transport = SimpleHttpTransport::builder()
                .url(url)
                .map_err(|e| unreachable(e.to_string()))?
                .auth(user, Some(password))
                // A large transaction takes the node longer than the default of 15 s on a busy
                // machine.
                .timeout(Duration::from_secs(60))
                .build();
            Ok(Client::from_jsonrpc(jsonrpc::Client::with_transport(
                transport,
            )))
        };
        let clients = (0..CONNECTIONS)
            .map(client)
            .collect::<Result<_, ChainError>>()?;
        let this = Self {
            clients,
            turn: AtomicUsize::new(0),
            url: url.to_owned(),
        };
        let info: Value = this.call("getblockchaininfo", &[])?;
        let found = info
            .get("chain")
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned();
        if found != network {
            return Err(ChainError::WrongNetwork {
                found,
                expected: network.to_owned(),
            });
        }
        Ok(this)
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        args: &[Value],
    ) -> Result<T, ChainError> {
        self.client()?
            .call(method, args)
            .map_err(|e| self.error(method, e))
    }

    fn client(&self) -> Result<&Client, ChainError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let detail = "no connection".to_owned();
        self.clients
            .get(turn)
            .ok_or_else(|| ChainError::Unreachable {
                url: self.url.clone(),
                detail,
            })
    }

    /// Calls one method many times. Replies come in order.
    fn batch<T: DeserializeOwned>(
        &self,
        method: &'static str,
        args: &[Vec<Value>],
    ) -> Result<Vec<T>, ChainError> {
        let malformed = |e: &dyn std::fmt::Display| ChainError::Malformed {
            method,
            detail: e.to_string(),
        };
        let client = self.client()?.get_jsonrpc_client();
        let mut replies = Vec::with_capacity(args.len());
        for chunk in args.chunks(BATCH) {
            let params = chunk
                .iter()
                .map(jsonrpc::try_arg)
                .collect::<Result<Vec<_>, _>>();
            let params = params.map_err(|e| malformed(&e))?;
            let requests: Vec<_> = params
                .iter()
                .map(|params| client.build_request(method, Some(params)))
                .collect();
            let answers = client
                .send_batch(&requests)
                .map_err(|e| self.error(method, e.into()))?;
            for answer in answers {
                let answer = answer.ok_or_else(|| malformed(&"an answer is missing"))?;
                replies.push(answer.result().map_err(|e| self.error(method, e.into()))?);
            }
        }
        Ok(replies)
    }

    fn error(&self, method: &'static str, e: bitcoincore_rpc::Error) -> ChainError {
        use bitcoincore_rpc::Error as E;
        match e {
            E::JsonRpc(jsonrpc::Error::Rpc(e)) => ChainError::Rpc {
                method,
                detail: format!("{} (code {})", e.message, e.code),
            },
            E::JsonRpc(jsonrpc::Error::Transport(e)) => ChainError::Unreachable {
                url: self.url.clone(),
                detail: e.to_string(),
            },
            other => ChainError::Malformed {
                method,
                detail: other.to_string(),
            },
        }
    }

    /// As [`Self::call`], with `None` where the node answers with one of `codes`.
    fn find<T: DeserializeOwned>(
        &self,
        method: &'static str,
        args: &[Value],
        codes: &[i32],
    ) -> Result<Option<T>, ChainError> {
        match self.client()?.call(method, args) {
            Ok(found) => Ok(Some(found)),
            Err(e) => match code(&e) {
                Some((code, _)) if codes.contains(&code) => Ok(None),
                _ => Err(self.error(method, e)),
            },
        }
    }
}

/// Code and message of an error that the node itself gave.
fn code(e: &bitcoincore_rpc::Error) -> Option<(i32, &str)> {
    match e {
        bitcoincore_rpc::Error::JsonRpc(jsonrpc::Error::Rpc(e)) => Some((e.code, &e.message)),
        _ => None,
    }
}

fn decode<T: bitcoin::consensus::Decodable>(
    method: &'static str,
    hex: &str,
) -> Result<T, ChainError> {
    deserialize_hex(hex).map_err(|e| ChainError::Malformed {
        method,
        detail: e.to_string(),
    })
}

fn chain_block(hash: BlockHash, hex: &str) -> Result<ChainBlock, ChainError> {
    let block: Block = decode("getblock", hex)?;
    let prev = block.header.prev_blockhash;
    Ok(ChainBlock {
        hash,
        prev,
        txs: block.txdata,
    })
}

impl Chain for CoreRpc {
    fn height(&self) -> Result<Height, ChainError> {
        self.call("getblockcount", &[]).map(Height)
    }

    fn block_hash(&self, height: Height) -> Result<Option<BlockHash>, ChainError> {
        self.find("getblockhash", &[json!(height.0)], &[INVALID_PARAMETER])
    }

    fn block(&self, hash: BlockHash) -> Result<ChainBlock, ChainError> {
        let hex: String = self.call("getblock", &[json!(hash), json!(0)])?;
        chain_block(hash, &hex)
    }

    fn blocks(&self, from: Height, to: Height) -> Result<Vec<ChainBlock>, ChainError> {
        let heights: Vec<Vec<Value>> = (from.0..=to.0).map(|h| vec![json!(h)]).collect();
        let hashes: Vec<BlockHash> = self.batch("getblockhash", &heights)?;
        let args: Vec<Vec<Value>> = hashes.iter().map(|h| vec![json!(h), json!(0)]).collect();
        let raw: Vec<String> = self.batch("getblock", &args)?;
        let block = |(hash, hex): (BlockHash, String)| chain_block(hash, &hex);
        hashes.into_iter().zip(raw).map(block).collect()
    }

    fn mempool(&self) -> Result<Vec<Txid>, ChainError> {
        self.call("getrawmempool", &[])
    }

    fn unconfirmed(&self, txid: Txid) -> Result<Option<Transaction>, ChainError> {
        const METHOD: &str = "getrawtransaction";
        let hex: Option<String> = self.find(METHOD, &[json!(txid)], &[INVALID_ADDRESS_OR_KEY])?;
        hex.map(|hex| decode(METHOD, &hex)).transpose()
    }

    fn submit(&self, tx: &Transaction) -> Result<Submitted, ChainError> {
        const METHOD: &str = "sendrawtransaction";
        // Fees are our own decision: no limit by the node.
        let args = [json!(serialize_hex(tx)), json!(0)];
        match self.client()?.call::<Txid>(METHOD, &args) {
            Ok(_) => Ok(Submitted::Accepted),
            Err(e) => match code(&e) {
                Some((ALREADY_IN_UTXO_SET, _)) => Ok(Submitted::Known),
                Some((VERIFY_REJECTED, m)) if m.contains("txn-already-known") => {
                    Ok(Submitted::Known)
                }
                Some((VERIFY_REJECTED | VERIFY_ERROR, reason)) => {
                    Ok(Submitted::Refused(reason.to_owned()))
                }
                _ => Err(self.error(METHOD, e)),
            },
        }
    }
}
