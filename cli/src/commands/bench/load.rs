//! What is run: a ledger, what it starts from, signed calls in batches.

use std::sync::Arc;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{All, Keypair, Message, Scalar, Secp256k1, SecretKey};
use gavel_compiler::ledger::{Call, LedgerContract, Signed};
use gavel_prover::workload::{Accounts, Drawn, Kind, Workload};
use rayon::prelude::*;

use super::genesis::Genesis;
use super::{Sizes, internal};
use crate::failure::Failure;
use crate::progress::Progress;

/// A workload, ready to run.
pub(super) struct Load {
    pub kind: Kind,
    pub contract: LedgerContract,
    pub workload: Workload,
    pub genesis: Genesis,
    /// The first isn't measured.
    pub batches: Vec<Vec<Call>>,
}

/// Calls that warm an engine up together: more would only take memory.
const TOGETHER: usize = 1_000_000;

/// The secret key of account 0; that of account `n` is `n` more. Anybody knows them.
fn first_secret() -> Result<SecretKey, Failure> {
    let hash = sha256::Hash::hash(b"gavel/bench");
    SecretKey::from_slice(hash.as_byte_array()).map_err(internal)
}

/// Accounts that can sign.
pub(super) fn accounts(n: u32) -> Result<Accounts, Failure> {
    let first = first_secret()?.public_key(&Secp256k1::new());
    Accounts::following(&first, n).ok_or_else(|| internal("a key is no point"))
}

/// Draws and signs a workload's calls.
pub(super) fn load(
    kind: Kind,
    accounts: &Arc<Accounts>,
    sizes: Sizes,
    progress: &mut Progress,
) -> Result<Load, Failure> {
    progress.show(&format!("{kind}: making the state"), 0, 1);
    let mut workload = Workload::new(kind, Arc::clone(accounts), sizes.seed).map_err(internal)?;
    let genesis = Genesis::new(&workload);
    let mut left = sizes.calls;
    let mut counts = vec![sizes.batch];
    while left > 0 {
        counts.push(left.min(sizes.batch));
        left = left.saturating_sub(sizes.batch);
    }
    let first = first_secret()?;
    let secp = Secp256k1::new();
    let mut batches = Vec::new();
    for (n, count) in counts.iter().enumerate() {
        let what = format!("{kind}: signing calls");
        progress.show(&what, n as u64, counts.len() as u64);
        let drawn: Vec<Drawn> = workload.by_ref().take(*count).collect();
        let signed = drawn.into_par_iter().map(|drawn| sign(&secp, first, drawn));
        batches.push(signed.collect::<Result<_, _>>()?);
    }
    Ok(Load {
        kind,
        contract: workload.contract().clone(),
        workload,
        genesis,
        batches,
    })
}

/// The same with unsigned calls, in batches of one size.
pub(super) fn unsigned(
    kind: Kind,
    accounts: u32,
    seed: u64,
    batch: usize,
    batches: usize,
) -> Result<Load, Failure> {
    let accounts = Arc::new(Accounts::unsigned(accounts, seed));
    let mut workload = Workload::new(kind, accounts, seed).map_err(internal)?;
    let genesis = Genesis::new(&workload);
    let mut draw = || -> Vec<Call> {
        let drawn = workload.by_ref().take(batch);
        drawn.map(|drawn| drawn.call).collect()
    };
    let batches = (0..batches).map(|_| draw()).collect();
    Ok(Load {
        kind,
        contract: workload.contract().clone(),
        workload,
        genesis,
        batches,
    })
}

impl Load {
    /// Calls that nobody may make, since their nonces can't be used: running them changes nothing,
    /// but brings the cells into memory that the measured calls touch.
    pub fn refused(&self) -> impl Iterator<Item = Vec<Call>> + '_ {
        let measured = self.batches.iter().skip(1);
        measured.map(|batch| batch.iter().cloned().map(refused).collect())
    }

    /// The same for as many other calls as there are accounts: most of the state, as an operator
    /// has it in memory that has run for long.
    pub fn others(&self, seed: u64) -> Result<impl Iterator<Item = Vec<Call>>, Failure> {
        let accounts = Arc::clone(self.workload.accounts());
        let mut left = accounts.len() as usize;
        let mut other = Workload::new(self.kind, accounts, !seed).map_err(internal)?;
        Ok(std::iter::from_fn(move || {
            let some = left.min(TOGETHER);
            left = left.saturating_sub(some);
            let calls = other.by_ref().take(some);
            let calls: Vec<Call> = calls.map(|drawn| refused(drawn.call)).collect();
            (!calls.is_empty()).then_some(calls)
        }))
    }
}

fn refused(mut call: Call) -> Call {
    for signed in &mut call.signatures {
        signed.nonce = u64::MAX;
    }
    call
}

/// Puts the signature where the blank is.
fn sign(secp: &Secp256k1<All>, first: SecretKey, drawn: Drawn) -> Result<Call, Failure> {
    let Drawn { mut call, signer } = drawn;
    let mut by = [0; 32];
    for (slot, byte) in by.iter_mut().rev().zip(signer.to_le_bytes()) {
        *slot = byte;
    }
    let by = Scalar::from_be_bytes(by).map_err(internal)?;
    let pair = Keypair::from_secret_key(secp, &first.add_tweak(&by).map_err(internal)?);
    let nonces: Vec<u64> = call.signatures.iter().map(|signed| signed.nonce).collect();
    let signed = nonces.into_iter().map(|nonce| Signed {
        nonce,
        signature: secp.sign_schnorr_no_aux_rand(&Message::from_digest(call.message(nonce)), &pair),
    });
    call.signatures = signed.collect();
    Ok(call)
}
