//! Spends of leaves, judged by the consensus code of Bitcoin Core.
#![allow(dead_code, clippy::unwrap_used)]

use super::x_only;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{All, Keypair, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::{
    Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, absolute,
    transaction,
};
use gavel_compiler::script::vm::{Rules, run};
use gavel_compiler::tap::{Tree, leaf_hash};
use std::sync::LazyLock;

static SECP: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);
static INTERNAL: LazyLock<bitcoin::XOnlyPublicKey> = LazyLock::new(|| x_only(200));

/// What our machine enforces where it has to agree with consensus.
pub fn consensus() -> Rules<'static> {
    Rules {
        minimal_data: false,
        ..Rules::default()
    }
}

/// A transaction that spends a leaf, all but the stack.
pub struct Spend {
    script: ScriptBuf,
    output: TxOut,
    tx: Transaction,
    control: Vec<u8>,
    /// The signature of the one who signs.
    pub signature: [u8; 64],
}

impl Spend {
    /// The spend of a leaf, signed by key `signer`.
    pub fn new(script: &Script, signer: u8) -> Self {
        let other = leaf_hash(Script::from_bytes(&[0x51]));
        let tree = Tree::new(vec![leaf_hash(script), other, other]).unwrap();
        let output = TxOut {
            value: Amount::from_sat(100_000),
            script_pubkey: tree.script_pubkey(&*SECP, *INTERNAL),
        };
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::new(bitcoin::Txid::from_byte_array([7; 32]), 0),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![TxOut {
                value: Amount::from_sat(90_000),
                script_pubkey: ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::all_zeros()),
            }],
        };
        let sighash = SighashCache::new(&tx)
            .taproot_script_spend_signature_hash(
                0,
                &Prevouts::All(&[&output]),
                leaf_hash(script),
                TapSighashType::Default,
            )
            .unwrap();
        let secret = SecretKey::from_slice(&[signer + 1; 32]).unwrap();
        let pair = Keypair::from_secret_key(&SECP, &secret);
        let message = Message::from_digest(sighash.to_byte_array());
        let (_, parity) = tree.output_key(&*SECP, *INTERNAL);
        Self {
            script: script.to_owned(),
            output,
            tx,
            control: tree
                .control_block(*INTERNAL, parity, 0)
                .unwrap()
                .serialize(),
            signature: SECP.sign_schnorr_no_aux_rand(&message, &pair).serialize(),
        }
    }

    /// Whether consensus takes this stack.
    pub fn accepted(&self, stack: &[Vec<u8>]) -> bool {
        let mut tx = self.tx.clone();
        let mut witness = Witness::from_slice(stack);
        witness.push(self.script.as_bytes());
        witness.push(&self.control);
        tx.input[0].witness = witness;
        let script_pubkey = self.output.script_pubkey.as_bytes();
        let spent = bitcoinconsensus::Utxo {
            script_pubkey: script_pubkey.as_ptr(),
            script_pubkey_len: script_pubkey.len() as u32,
            value: self.output.value.to_sat() as i64,
        };
        bitcoinconsensus::verify_with_flags(
            script_pubkey,
            self.output.value.to_sat(),
            &bitcoin::consensus::serialize(&tx),
            Some(&[spent]),
            0,
            bitcoinconsensus::VERIFY_ALL_PRE_TAPROOT | bitcoinconsensus::VERIFY_TAPROOT,
        )
        .is_ok()
    }
}

/// Whether consensus lets a leaf be spent; `stack` gets a real signature of key `signer`.
pub fn core_accepts(
    script: &Script,
    signer: u8,
    stack: impl Fn(&[u8; 64]) -> Vec<Vec<u8>>,
) -> bool {
    let spend = Spend::new(script, signer);
    spend.accepted(&stack(&spend.signature))
}

/// Both machines' verdict; ours under consensus rules and under policy's.
pub fn accepts(script: &Script, signer: u8, stack: impl Fn(&[u8; 64]) -> Vec<Vec<u8>>) -> bool {
    let ours = stack(&[1; 64]);
    let verdict = run(script.as_bytes(), &ours, &consensus()).verdict.is_ok();
    assert_eq!(core_accepts(script, signer, &stack), verdict);
    if verdict {
        let policy = run(script.as_bytes(), &ours, &Rules::default()).verdict;
        assert_eq!(policy, Ok(()));
    }
    verdict
}
