//! `gavel calls sign`: adds a key's signatures to calls.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use bitcoin::secp256k1::schnorr;
use gavel_compiler::ledger::{Call, LedgerContract, Signed};
use gavel_prover::calls::{Interface, write_json};
use gavel_prover::store::Options;
use rayon::prelude::*;
use serde_json::json;

use crate::call_input::{self, CallInput};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ledger_file;
use crate::output::Output;
use crate::progress::Progress;
use crate::secret_key::SecretKey;
use crate::sink::Sink;
use crate::state_dir::{StateDir, next_nonce};

/// Calls that are signed together.
const TOGETHER: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Sign calls wherever an entry's signer is this key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Calls that the key doesn't sign stay as they are. Nonces count up from call to call, so the calls
have to run in this order. Writes lines of JSON.

Examples:
  gavel calls sign vouchers.gvl --key alice.key --calls unsigned.jsonl --out signed.jsonl
  gavel calls sign vouchers.gvl --key alice.key --nonce 12 < unsigned.jsonl > signed.jsonl
  gavel calls sign vouchers.gvl --key alice.key --state state --calls unsigned.jsonl")]
pub struct Sign {
    /// The source (.gvl)
    contract: PathBuf,
    /// A file with the secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The nonce of the first call that is signed; 0 where absent
    #[arg(long, value_name = "N", value_parser = super::super::number, conflicts_with = "state")]
    nonce: Option<u64>,
    /// The folder of a state, which says what the next nonce is
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The calls; `-` for standard input
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    calls: PathBuf,
    /// Where to write them; `-` for standard output
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

impl Sign {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let contract = ledger_file::load(&self.contract, self.params.as_deref(), output)?;
        let key = SecretKey::read(&self.key)?;
        let first = self.first(&contract, &key)?;
        let interface = Interface::from(&contract);
        let input = CallInput::open(&self.calls)?;
        let mut sink = Sink::new(&self.out, output)?;
        let mut signer = Signer {
            contract: &contract,
            key: &key,
            next: first,
            signed: 0,
        };
        let calls = each_chunk(input, &interface, "signing", |calls| {
            let signed = signer.sign(calls)?;
            let lines: Vec<_> = signed
                .par_iter()
                .map(|c| write_json(c, &interface))
                .collect();
            for line in lines {
                let line = line.map_err(|e| Failure::new(Exit::No, "call", e.to_string()))?;
                let written = writeln!(sink, "{line}");
                written.map_err(|error| sink.failed(&error))?;
            }
            Ok(())
        })?;
        sink.finish()?;
        let signed = signer.signed;
        output.json_only(&json!({ "calls": calls, "signed": signed, "next_nonce": signer.next }));
        output.aside(&format!(
            "signed {signed} of {calls} calls; the next nonce is {}\n",
            signer.next
        ));
        Ok(Exit::Good)
    }

    fn first(&self, contract: &LedgerContract, key: &SecretKey) -> Result<u64, Failure> {
        match &self.state {
            Some(dir) => {
                let state = StateDir::open(dir, Some(contract.id), Options::default())?;
                next_nonce(&state.store.reader, &key.public())
            }
            None => Ok(self.nonce.unwrap_or(0)),
        }
    }
}

/// Does something with all calls, chunk by chunk, where all must be calls; gives their number.
pub(super) fn each_chunk(
    input: CallInput,
    interface: &Interface,
    what: &str,
    mut each: impl FnMut(Vec<Call>) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let shown = input.shown.clone();
    if let Some(cut) = &input.cut {
        return Err(call_input::cut_off(&shown, cut));
    }
    let size = input.size.unwrap_or(0);
    let mut stream = input.stream(interface, TOGETHER)?;
    let mut progress = Progress::new();
    let mut count = 0u64;
    loop {
        let chunk = stream.chunk();
        let Some(chunk) = chunk.map_err(|error| call_input::failed(&shown, &error))? else {
            return Ok(count);
        };
        if let Some(found) = chunk.undecodable.first() {
            return Err(call_input::undecodable(&shown, found));
        }
        if let Some(cut) = &chunk.cut {
            return Err(call_input::cut_off(&shown, cut));
        }
        count = count.saturating_add(chunk.calls.len() as u64);
        each(chunk.calls)?;
        progress.show(what, stream.bytes_read(), size);
    }
}

struct Signer<'a> {
    contract: &'a LedgerContract,
    key: &'a SecretKey,
    next: u64,
    signed: u64,
}

impl Signer<'_> {
    /// Signs calls, whose nonces follow each other, on all cores.
    fn sign(&mut self, calls: Vec<Call>) -> Result<Vec<Call>, Failure> {
        let mut plan = Vec::with_capacity(calls.len());
        for call in calls {
            let places = self.places(&call);
            let nonce = self.next;
            if !places.is_empty() {
                // The last nonce can't be used, since none would follow.
                self.next = nonce.checked_add(1).ok_or_else(|| {
                    Failure::new(Exit::No, "nonce", "there are no nonces left for this key")
                })?;
                self.signed = self.signed.saturating_add(1);
            }
            plan.push((call, places, nonce));
        }
        let key = self.key;
        let signed = plan.into_par_iter().map(|(mut call, places, nonce)| {
            if let Some(count) = places.last().map(|last| last.of) {
                let signed = key.sign(&call, nonce).unwrap_or(blank());
                let missing = count.max(call.signatures.len());
                call.signatures.resize(missing, blank());
                for place in places {
                    if let Some(slot) = call.signatures.get_mut(place.at) {
                        *slot = signed;
                    }
                }
            }
            call
        });
        Ok(signed.collect())
    }

    /// Where this key signs a call.
    fn places(&self, call: &Call) -> Vec<Place> {
        let entry = self.contract.entry(&call.entry);
        let entry = entry.filter(|_| call.contract == self.contract.id);
        let Some(entry) = entry.map(|declared| &declared.entry) else {
            return Vec::new();
        };
        if entry.check_arguments(&call.arguments).is_err() {
            return Vec::new();
        }
        let own = self.key.words();
        let keys = entry.keys(&call.arguments).into_iter().enumerate();
        let of = entry.signers.len();
        let places = keys.filter(|(_, key)| *key == own);
        places.map(|(at, _)| Place { at, of }).collect()
    }
}

/// One of a call's signatures.
struct Place {
    at: usize,
    /// How many the call has.
    of: usize,
}

/// What stands where a signature is still missing. It is valid for nothing.
pub(super) fn blank() -> Signed {
    let signature = schnorr::Signature::from_slice(&[0; 64]);
    Signed {
        nonce: 0,
        signature: signature.expect("64 bytes are a signature"),
    }
}
