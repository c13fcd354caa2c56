//! Workloads: ledgers, what they start from and endless calls, drawn from a seed and the same
//! everywhere. `gavel bench` and tests run them; `docs/prover.md` describes them.
//!
//! **Invariant:** every call that is drawn succeeds when all are run in their order, at
//! [`HEIGHT`] or later.
//!
//! Calls come with their nonces and a blank in the place of the signature: no secret key is
//! known here. [`Drawn::signer`] says whose signature belongs there.

mod accounts;
mod kind;
mod lending;
mod mixed;
mod nft;
mod play;
mod random;
mod swaps;
mod transfers;
mod voting;
mod work;

pub use accounts::Accounts;
pub use kind::{Kind, UnknownKind};
pub use random::{Random, Zipf};

use bitcoin::secp256k1::schnorr;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, CellId, LedgerContract, Signed, State};
use gavel_compiler::units::Height;
use play::{Play, Start};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The height of the first block that the calls can run in.
pub const HEIGHT: Height = Height(1_000);

/// The most accounts that a workload can have: more would hold more coins than a `u64` can.
pub const MOST_ACCOUNTS: u32 = 100_000_000;

/// A ledger and calls of it, without an end.
pub struct Workload {
    kind: Kind,
    contract: LedgerContract,
    accounts: Arc<Accounts>,
    /// What each account's next call must have.
    nonces: Vec<u32>,
    random: Random,
    play: Box<dyn Play>,
    /// What the state starts with, and in which families.
    start: Vec<(u16, Start)>,
}

/// A call that is still to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The call, with the right nonce and a signature of zeros.
    pub call: Call,
    /// The number of the account that signs it.
    pub signer: u32,
}

/// Why there is no such workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// Too few or too many accounts.
    #[error("a workload has 2 to {MOST_ACCOUNTS} accounts, not {0}")]
    Accounts(usize),
    /// Its contract isn't right. Only a change of `contracts/bench` brings this about.
    #[error("the contract of workload `{kind}` has an error: {message}")]
    Contract {
        /// The workload.
        kind: Kind,
        /// The first error.
        message: String,
    },
    /// Its contract lacks a field of the state.
    #[error("the contract of workload `{kind}` has no field `{field}{part}`")]
    Field {
        /// The workload.
        kind: Kind,
        /// The field.
        field: &'static str,
        /// The part of it.
        part: &'static str,
    },
}

impl Workload {
    /// A workload over these accounts. The same accounts and seed give the same calls.
    ///
    /// # Errors
    /// If there are too few or too many accounts.
    pub fn new(kind: Kind, accounts: Arc<Accounts>, seed: u64) -> Result<Self, WorkloadError> {
        let n = accounts.len();
        if !(2..=MOST_ACCOUNTS).contains(&n) {
            return Err(WorkloadError::Accounts(n as usize));
        }
        let contract = contract(kind, &accounts)?;
        let play = kind.play(&accounts);
        let start = placed(kind, &contract, play.start())?;
        Ok(Self {
            kind,
            contract,
            nonces: vec![0; n as usize],
            accounts,
            random: Random::new(seed),
            play,
            start,
        })
    }

    /// Which one it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its ledger.
    pub fn contract(&self) -> &LedgerContract {
        &self.contract
    }

    /// Its accounts.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// The cells that the state starts with, each once.
    pub fn cells(&self) -> impl Iterator<Item = (CellId, Vec<u32>)> + '_ {
        let cells = self.start.iter().flat_map(|(family, start)| {
            let family = *family;
            (0..start.cells).map(move |n| {
                let (key, value) = (start.cell)(n);
                (CellId { family, key }, value)
            })
        });
        cells.filter(|(_, value)| value.iter().any(|word| *word != 0))
    }

    /// The state that it starts from.
    pub fn state(&self) -> State {
        let mut state = State::new();
        for (cell, value) in self.cells() {
            state.set(cell, value);
        }
        state
    }

    /// The next call.
    pub fn draw(&mut self) -> Drawn {
        let draft = self.play.draw(&mut self.random);
        let mut nonce = 0;
        if let Some(next) = self.nonces.get_mut(draft.signer as usize) {
            nonce = u64::from(*next);
            *next = next.saturating_add(1);
        }
        let mut call = Call::new(self.contract.id, draft.entry, draft.arguments);
        call.signatures = vec![Signed {
            nonce,
            signature: blank(),
        }];
        Drawn {
            call,
            signer: draft.signer,
        }
    }
}

impl Iterator for Workload {
    type Item = Drawn;

    /// There is always another call.
    fn next(&mut self) -> Option<Drawn> {
        Some(self.draw())
    }
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let accounts = self.accounts.len();
        write!(f, "Workload({}, {accounts} accounts)", self.kind)
    }
}

/// No signature, in the place of one.
fn blank() -> schnorr::Signature {
    schnorr::Signature::from_slice(&[0; schnorr_size()]).expect("64 bytes are the form of one")
}

/// Bytes of a signature (BIP 340).
const fn schnorr_size() -> usize {
    bitcoin::secp256k1::constants::SCHNORR_SIGNATURE_SIZE
}

/// The ledger, where account 0 is whoever the contract names.
fn contract(kind: Kind, accounts: &Accounts) -> Result<LedgerContract, WorkloadError> {
    let bytes = accounts.key(0).map(u32::to_be_bytes).concat();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut params: Map<String, Value> = Map::new();
    if let Some(name) = kind.parameter() {
        params.insert(name.to_owned(), json!(hex));
    }
    let made = instantiate_ledger(kind.source(), &params);
    let (contract, _) = made.map_err(|found: Vec<Diagnostic>| WorkloadError::Contract {
        kind,
        message: found.first().map(|d| d.message.clone()).unwrap_or_default(),
    })?;
    Ok(contract)
}

/// Finds the family of each part of the start; of a part that is given twice, the first counts.
fn placed(
    kind: Kind,
    contract: &LedgerContract,
    start: Vec<Start>,
) -> Result<Vec<(u16, Start)>, WorkloadError> {
    let mut placed: Vec<(u16, Start)> = Vec::new();
    for one in start {
        let Start { field, part, .. } = one;
        let mut families = contract.families.iter();
        let family = families.find(|f| f.field == field && f.part == part);
        let family = family.ok_or(WorkloadError::Field { kind, field, part })?;
        if placed.iter().all(|(known, _)| *known != family.family) {
            placed.push((family.family, one));
        }
    }
    Ok(placed)
}
