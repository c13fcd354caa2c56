//! `gavel calls new`: one call as a line of JSON.

use std::path::PathBuf;

use gavel_compiler::ledger::{Call, DeclaredEntry, LedgerContract, Signed};
use gavel_compiler::value::{ValueType, decode};
use gavel_prover::calls::{Interface, write_json};
use gavel_prover::store::Options;
use serde_json::{Map, Value};

use super::sign::blank;
use crate::contract_file::{object, object_of};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ledger_file;
use crate::output::Output;
use crate::secret_key::SecretKey;
use crate::state_dir::{StateDir, next_nonce};

/// Make a call, signed if keys are given.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each key signs wherever the entry's signer is it. Signatures that are missing are zeros, and
`gavel calls sign` puts them in.

Examples:
  gavel calls new vouchers.gvl give --arguments @give.json --key shop.key
  gavel calls new vouchers.gvl give --arguments @give.json --key shop.key --nonce 7
  gavel calls new vouchers.gvl give --arguments @give.json --key shop.key --state state")]
pub struct New {
    /// The source (.gvl)
    contract: PathBuf,
    /// The entry to call
    entry: String,
    /// Its arguments, a JSON object by name, or `@` and a file with one
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    arguments: String,
    /// A file with the secret key of a signer
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The nonce that the key at the same place signs with; 0 where absent
    #[arg(long, value_name = "N", value_parser = super::super::number, conflicts_with = "state")]
    nonce: Vec<u64>,
    /// The folder of a state, which says what the next nonces are
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        if self.nonce.len() > self.key.len() {
            return Err(Failure::usage("there are more nonces than keys"));
        }
        let contract = ledger_file::load(&self.contract, self.params.as_deref(), output)?;
        let interface = Interface::from(&contract);
        let entry = entry(&contract, &self.entry)?;
        let mut call = self.unsigned(&contract, &interface)?;
        let signers = entry.entry.keys(&call.arguments);
        let keys: Vec<SecretKey> =
            (self.key.iter().map(|path| SecretKey::read(path))).collect::<Result<_, _>>()?;
        let nonces = self.nonces(&contract, &keys)?;
        let mut signed: Vec<Option<Signed>> = vec![None; signers.len()];
        for ((key, nonce), path) in keys.iter().zip(nonces).zip(&self.key) {
            let mut places = signers.iter().zip(&mut signed);
            let own: Vec<_> = places
                .by_ref()
                .filter(|(s, _)| **s == key.words())
                .collect();
            if own.is_empty() {
                return Err(no_signer(entry, path, key));
            }
            let signature = key.sign(&call, nonce);
            own.into_iter().for_each(|(_, slot)| *slot = signature);
        }
        if !keys.is_empty() {
            let missing = signed
                .iter()
                .zip(&entry.signers)
                .filter(|(s, _)| s.is_none());
            let missing: Vec<&str> = missing.map(|(_, name)| name.as_str()).collect();
            if !missing.is_empty() {
                let names = missing.join("`, `");
                output.aside(&format!("note: still to be signed by `{names}`\n"));
            }
            call.signatures = signed.into_iter().map(|s| s.unwrap_or(blank())).collect();
        }
        let line = write_json(&call, &interface)
            .map_err(|error| Failure::new(Exit::No, "call", error.to_string()))?;
        output.raw_json(&line);
        Ok(Exit::Good)
    }

    fn unsigned(&self, contract: &LedgerContract, interface: &Interface) -> Result<Call, Failure> {
        const WHAT: &str = "arguments (a JSON object)";
        let given: Map<String, Value> = match self.arguments.strip_prefix('@') {
            Some(file) => object(&PathBuf::from(file), WHAT)?,
            None => object_of(&self.arguments, WHAT)?,
        };
        let shape = interface.entry(&self.entry);
        let words = shape.map_or(Ok(Vec::new()), |shape| shape.encode(given));
        let words = words.map_err(|error| {
            let takes = shape.into_iter().flat_map(|shape| shape.arguments());
            let takes: Vec<&str> = takes.map(|(name, _)| name).collect();
            Failure::new(Exit::No, "arguments", error.to_string()).hint(format!(
                "`{}` takes: {}.",
                self.entry,
                takes.join(", ")
            ))
        })?;
        Ok(Call::new(contract.id, &self.entry, words))
    }

    fn nonces(&self, contract: &LedgerContract, keys: &[SecretKey]) -> Result<Vec<u64>, Failure> {
        let Some(dir) = &self.state else {
            let given = self.nonce.iter().copied().chain(std::iter::repeat(0));
            return Ok(given.take(keys.len()).collect());
        };
        let state = StateDir::open(dir, Some(contract.id), Options::default())?;
        let next = |key: &SecretKey| next_nonce(&state.store.reader, &key.public());
        keys.iter().map(next).collect()
    }
}

/// The entry of this name.
fn entry<'a>(contract: &'a LedgerContract, name: &str) -> Result<&'a DeclaredEntry, Failure> {
    contract.entry(name).ok_or_else(|| {
        let names = contract.entries.iter().map(|e| e.entry.name.as_str());
        let names: Vec<&str> = names.collect();
        let message = format!("`{}` has no entry `{name}`", contract.name);
        Failure::usage(message).hint(format!("There are: {}.", names.join(", ")))
    })
}

fn no_signer(entry: &DeclaredEntry, path: &std::path::Path, key: &SecretKey) -> Failure {
    let public = decode(&ValueType::Pubkey, &key.words());
    let public = public.as_str().unwrap_or_default();
    let signed_by = match &entry.signers[..] {
        [] => "nobody signs it".to_owned(),
        names => format!("it is signed by {}", names.join(", ")),
    };
    let (shown, name) = (path.display(), &entry.entry.name);
    let message = format!("the key in `{shown}`, {public}, doesn't sign this call of `{name}`");
    Failure::usage(message).hint(format!("As `{name}` has it, {signed_by}."))
}
