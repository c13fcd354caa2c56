//! An operator in fifty lines: a ledger from its source, a signed call, its receipt and claim, a
//! proof of what the state holds, and the batch once more.
//!
//! `cargo run -p gavel-prover --example operator`

use bitcoin::secp256k1::{Keypair, Secp256k1};
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::Call;
use gavel_compiler::units::Height;
use gavel_prover::operator::Replay;
use gavel_prover::store::{Options, Store};
use gavel_prover::{Machine, Operator, Settings};
use serde_json::{Map, json};
use std::error::Error;

const SOURCE: &str = "
contract Notes {
    error Empty
    event Written { by: pubkey, words: u32 }
    state { total: map<pubkey, u32> }
    entry write(by: pubkey, words: u32) signed by by {
        require words > 0 else Empty
        total[by] += words
        emit Written { by, words }
    }
}";

fn main() -> Result<(), Box<dyn Error>> {
    let (contract, _) = instantiate_ledger(SOURCE, &Map::new()).map_err(|found| {
        let messages = found.into_iter().map(|problem| problem.message);
        messages.collect::<Vec<_>>().join("\n")
    })?;
    let entry = &contract.entry("write").ok_or("no entry")?.entry;
    // A key for this example only: everybody knows it.
    let key = Keypair::from_seckey_slice(&Secp256k1::new(), &[7; 32])?;
    let by = key.x_only_public_key().0.to_string();

    let dir = tempfile::tempdir()?;
    let mut operator = Operator::create(dir.path(), &contract, b"", Settings::default())?;
    for (words, nonce) in [(12, 0), (0, 1), (30, 2)] {
        let arguments = entry.encode_arguments(&json!({ "by": by, "words": words }))?;
        let call = Call::new(contract.id, "write", arguments).sign(&key, nonce);
        let outcome = operator.run(vec![call], Height(100))?;
        let claim = &outcome.claim;
        println!("batch {}: {} -> {}", claim.batch, claim.before, claim.after);
        for receipt in outcome.receipts.iter(operator.machine()) {
            println!("  {receipt:?}");
        }
    }
    operator.close()?;

    let store = Store::open(dir.path(), Some(contract.id), Options::default())?;
    for cell in store.reader.cells()? {
        let cell = cell?;
        println!("family {}: {:?}", cell.cell.family, cell.words);
    }
    let mut replay = Replay::new(Machine::new(&contract)?, store, 3)?;
    while let Some(step) = replay.step()? {
        println!("batch 3, after `{}`: {}", step.call.entry, step.root);
    }
    Ok(())
}
