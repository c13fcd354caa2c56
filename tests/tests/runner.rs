//! The runner against a chain that changes while it is read.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{BlockHash, Transaction, Txid};
use gavel_compiler::segment::Trace;
use gavel_compiler::units::Height;
use gavel_verifier::chain::{Chain, ChainBlock, ChainError, Submitted};
use gavel_verifier::game::{Act, Event, KitError, Player};
use gavel_verifier::run::Runner;
use std::cell::Cell;
use std::sync::{Arc, Mutex};

const START: u32 = 10;

/// Two branches that part after `fork`; the node switches to the second after some questions.
struct Switching {
    fork: u32,
    tips: [u32; 2],
    /// How many questions are still answered from the first branch.
    left: Cell<usize>,
}

impl Switching {
    /// Which branch answers this question.
    fn branch(&self) -> usize {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        usize::from(left == 0)
    }

    fn hash(&self, branch: usize, height: u32) -> BlockHash {
        let branch = if height <= self.fork { 0 } else { branch };
        let mut bytes = [branch as u8 + 1; 32];
        bytes[..4].copy_from_slice(&height.to_le_bytes());
        BlockHash::from_byte_array(bytes)
    }
}

impl Chain for &Switching {
    fn height(&self) -> Result<Height, ChainError> {
        Ok(Height(self.tips[self.branch()]))
    }

    fn block_hash(&self, height: Height) -> Result<Option<BlockHash>, ChainError> {
        let branch = self.branch();
        Ok((height.0 <= self.tips[branch]).then(|| self.hash(branch, height.0)))
    }

    fn block(&self, hash: BlockHash) -> Result<ChainBlock, ChainError> {
        // A node knows the blocks of both branches.
        let bytes = hash.to_byte_array();
        let height = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let prev = self.hash(usize::from(bytes[4] - 1), height - 1);
        // One transaction, which says where it is from.
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(u32::from(bytes[4])),
            input: vec![],
            output: vec![],
        };
        let txs = vec![tx];
        Ok(ChainBlock { hash, prev, txs })
    }

    fn mempool(&self) -> Result<Vec<Txid>, ChainError> {
        Ok(vec![])
    }

    fn unconfirmed(&self, _: Txid) -> Result<Option<Transaction>, ChainError> {
        Ok(None)
    }

    fn submit(&self, _: &Transaction) -> Result<Submitted, ChainError> {
        panic!("nothing is offered")
    }
}

/// Writes down the chain as it is told of: the branch of each block, by height.
struct Scribe(Arc<Mutex<Vec<u32>>>);

impl Player for Scribe {
    fn me(&self) -> u8 {
        0
    }

    fn on(&mut self, event: &Event) {
        let mut chain = self.0.lock().unwrap();
        let tip = START + chain.len() as u32 - 1;
        match event {
            Event::Connected { height, txs } => {
                assert_eq!(height.0, tip + 1);
                chain.push(txs[0].lock_time.to_consensus_u32());
            }
            Event::Disconnected { height } => {
                assert_eq!(height.0, tip);
                chain.pop();
            }
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self) -> Result<Act, KitError> {
        Ok(Act::default())
    }
}

/// At whichever question the node switches, the parties end up with the second branch: what
/// left is taken back, and no block of it is left out.
#[test]
fn a_reorganisation_while_blocks_are_read_loses_no_block() {
    for switch in 0..40 {
        let chain = Switching {
            fork: START + 2,
            tips: [START + 6, START + 7],
            left: Cell::new(usize::MAX),
        };
        // Watching begins on what both branches share.
        let mut runner = Runner::from(&chain, Height(START)).unwrap();
        chain.left.set(switch);
        let heard = Arc::new(Mutex::new(vec![]));
        let mut players: Vec<Box<dyn Player>> = vec![Box::new(Scribe(heard.clone()))];
        let prover = |_: &[u32]| -> Trace { panic!("nothing to compute") };
        // A call may fail where the chain got in between; the next one goes on.
        for _ in 0..40 {
            let _ = runner.step(&mut players, &prover);
        }
        let told = heard.lock().unwrap().clone();
        let shared = vec![1; 3];
        let second = [shared, vec![2; 5]].concat();
        assert_eq!(told, second, "switched at question {switch}");
    }
}
