//! The ledgers of `contracts/ledgers` with random calls: few accounts, small numbers, people who
//! sign for themselves.

use super::random::{Outcome, percent, pick};
use bitcoin::secp256k1::{Keypair, Secp256k1};
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, CellId, Ledger, LedgerContract, Receipt, Signer, State};
use gavel_compiler::people;
use gavel_compiler::units::Height;
use gavel_compiler::value::{ValueType, encode};
use gavel_prover::workload::Random;
use serde_json::{Map, Value, json};
use std::fmt;
use std::path::Path;

/// So many runs are tried of each ledger.
pub const SEEDS: u64 = 6;
/// Batches of a run, and calls of a batch.
const BATCHES: u32 = 3;
const CALLS: u64 = 80;

/// A ledger from a file.
pub struct RealLedger {
    pub contract: LedgerContract,
}

/// All of them, by name.
pub fn all() -> Vec<RealLedger> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/ledgers");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "gvl"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 18);
    let ledger = |path: &std::path::PathBuf| {
        let source = std::fs::read_to_string(path).unwrap();
        let params = std::fs::read_to_string(path.with_extension("params.json")).unwrap();
        let params: Map<String, Value> = serde_json::from_str(&params).unwrap();
        let (contract, _) = instantiate_ledger(source.as_str(), &params).unwrap();
        RealLedger { contract }
    };
    paths.iter().map(ledger).collect()
}

impl RealLedger {
    /// A run from a seed: people who have something, then calls.
    pub fn run(&self, seed: u64) -> Run<'_> {
        let mut random = Random::new(seed);
        let ledger = self.contract.ledger(self.start(&mut random)).unwrap();
        Run {
            contract: &self.contract,
            start: ledger.state().clone(),
            ledger,
            random,
            batches: 0,
        }
    }

    /// Values here and there: as if much had happened before. It needn't be a state that calls
    /// lead to; the engine mustn't care.
    fn start(&self, random: &mut Random) -> State {
        let mut state = State::new();
        for family in &self.contract.families {
            for _ in 0..random.below(10) {
                let key = words(family.keys.iter(), random);
                let family_number = family.family;
                let value = match family.ty {
                    ValueType::U64 => vec![500 + random.index(10_000), 0],
                    _ => words([&family.ty].into_iter(), random),
                };
                let family = family_number;
                state.set(CellId { family, key }, value);
            }
        }
        state
    }
}

/// Calls of one ledger, and the reference beside them.
pub struct Run<'a> {
    contract: &'a LedgerContract,
    start: State,
    ledger: Ledger,
    random: Random,
    batches: u32,
}

impl Run<'_> {
    /// The state before the first batch.
    pub fn state(&self) -> &State {
        &self.start
    }

    /// The next batch, and what the reference makes of it.
    pub fn batch(&mut self) -> Option<(Height, Vec<Call>, Outcome)> {
        if self.batches == BATCHES {
            return None;
        }
        self.batches += 1;
        let height = Height(20 * self.batches);
        let mut calls = Vec::new();
        let mut receipts = Vec::new();
        for _ in 0..CALLS {
            let call = self.call();
            receipts.push(self.ledger.apply(&call, height));
            calls.push(call);
        }
        let state = self.ledger.state().clone();
        Some((height, calls, Outcome { receipts, state }))
    }

    fn call(&mut self) -> Call {
        let declared = pick(&mut self.random, &self.contract.entries);
        let entry = declared.entry;
        let types = entry.arguments.iter().map(|(_, ty)| ty);
        let arguments = words(types, &mut self.random);
        let mut call = Call::new(self.contract.id, &entry.name, arguments.clone());
        for signer in &entry.signers {
            let key = match *signer {
                Signer::Argument { first } => arguments[first..first + 8].try_into().unwrap(),
                Signer::Key(key) => key,
            };
            let pair = pair(&key);
            let mut nonce = self.ledger.next_nonce(&pair.x_only_public_key().0);
            if percent(&mut self.random, 3) {
                nonce += 1;
            }
            call = call.sign(&pair, nonce);
        }
        call
    }
}

/// The keys of a person of tests.
fn pair(key: &[u32]) -> Keypair {
    let secret = people::secret(people::name(key).unwrap()).unwrap();
    Keypair::from_secret_key(&Secp256k1::new(), &secret)
}

fn words<'a>(types: impl Iterator<Item = &'a ValueType>, random: &mut Random) -> Vec<u32> {
    let own = |ty| encode(ty, &value(ty, random), "x").unwrap();
    types.flat_map(own).collect()
}

/// A value, with few different ones of each type, so that keys meet.
fn value(ty: &ValueType, random: &mut Random) -> Value {
    let hex = |n: usize, random: &mut Random| {
        let byte = 17 * random.index(3);
        json!(format!("{byte:02x}").repeat(n))
    };
    match ty {
        ValueType::Bool => json!(percent(random, 50)),
        ValueType::Pubkey => {
            let name = pick(random, &people::PEOPLE);
            let bytes = people::key(name).unwrap().map(u32::to_be_bytes).concat();
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!(digits.concat())
        }
        ValueType::Hash => hex(32, random),
        ValueType::Signature => hex(64, random),
        ValueType::Bytes(n) => hex(*n as usize, random),
        ValueType::Enum(names) => json!(pick(random, names)),
        ValueType::Option(_) if percent(random, 40) => Value::Null,
        ValueType::Option(inner) => value(inner, random),
        ValueType::Array(element, n) => (0..*n).map(|_| value(element, random)).collect(),
        ValueType::Tuple(all) => all.iter().map(|ty| value(ty, random)).collect(),
        ValueType::Struct(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, ty)| (name.clone(), value(ty, random)));
            Value::Object(fields.collect())
        }
        ValueType::Height => json!(random.below(100)),
        ValueType::U64 if percent(random, 40) => json!(random.below(300)),
        _ => json!(random.below(5)),
    }
}

/// How many calls ended in which way.
#[derive(Default)]
pub struct Tally {
    done: usize,
    aborted: usize,
    refused: usize,
}

impl Tally {
    pub fn add(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            match receipt {
                Receipt::Done { .. } => self.done += 1,
                Receipt::Aborted { .. } => self.aborted += 1,
                Receipt::Refused(_) => self.refused += 1,
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            done,
            aborted,
            refused,
        } = self;
        write!(
            f,
            "{done:>5} done {aborted:>5} aborted {refused:>5} refused"
        )
    }
}
