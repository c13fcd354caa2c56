//! The seam to a node.

mod core_rpc;

pub use core_rpc::CoreRpc;

use bitcoin::{BlockHash, Transaction, Txid};
use gavel_compiler::units::Height;

/// What a node said to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It relays it.
    Accepted,
    /// It had it already, unconfirmed or confirmed.
    Known,
    /// It refuses it, with the reject reason.
    Refused(String),
}

/// Why a node can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// No answer.
    #[error("the node at {url} does not answer: {detail}; is it running?")]
    Unreachable {
        /// Where it was asked.
        url: String,
        /// The transport's words.
        detail: String,
    },
    /// It answered with an error.
    #[error("the node refused `{method}`: {detail}")]
    Rpc {
        /// The method called.
        method: &'static str,
        /// Its words.
        detail: String,
    },
    /// It answered with something else than expected.
    #[error("the node's answer to `{method}` can't be read: {detail}")]
    Malformed {
        /// The method called.
        method: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// It is on another chain.
    #[error("the node is on `{found}`, not on `{expected}`")]
    WrongNetwork {
        /// Its chain.
        found: String,
        /// The one asked for.
        expected: String,
    },
}

/// A block, as far as a game is concerned.
#[derive(Clone, Debug)]
pub struct ChainBlock {
    /// Its hash.
    pub hash: BlockHash,
    /// The hash of the block before it.
    pub prev: BlockHash,
    /// Its transactions, in order.
    pub txs: Vec<Transaction>,
}

/// A view of one chain, and a way to get transactions into it.
pub trait Chain {
    /// Height of the best block.
    ///
    /// # Errors
    /// [`ChainError`], here and below, when the node can't be used.
    fn height(&self) -> Result<Height, ChainError>;

    /// Hash of the block at a height of the best chain; `None` above its tip.
    fn block_hash(&self, height: Height) -> Result<Option<BlockHash>, ChainError>;

    /// A block.
    fn block(&self, hash: BlockHash) -> Result<ChainBlock, ChainError>;

    /// The blocks of the best chain from one height to another, both included. An error if the chain doesn't reach so far (any more).
    fn blocks(&self, from: Height, to: Height) -> Result<Vec<ChainBlock>, ChainError> {
        (from.0..=to.0)
            .map(|height| {
                let method = "getblockhash";
                let hash = self
                    .block_hash(Height(height))?
                    .ok_or_else(|| ChainError::Rpc {
                        method,
                        detail: format!("no block at height {height}"),
                    })?;
                self.block(hash)
            })
            .collect()
    }

    /// Ids of unconfirmed transactions.
    fn mempool(&self) -> Result<Vec<Txid>, ChainError>;

    /// An unconfirmed transaction; `None` if it left the pool meanwhile.
    fn unconfirmed(&self, txid: Txid) -> Result<Option<Transaction>, ChainError>;

    /// Offers a transaction under the node's own policy.
    fn submit(&self, tx: &Transaction) -> Result<Submitted, ChainError>;
}
