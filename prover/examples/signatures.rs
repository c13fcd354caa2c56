//! What checking signatures takes, on one thread and on two:
//! `cargo run --release -p gavel-prover --example signatures`

use std::hint::black_box;
use std::time::Instant;

use bitcoin::secp256k1::{Keypair, Secp256k1};
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::ledger::{Call, LedgerContract};
use gavel_prover::Machine;
use gavel_prover::engine::{Prepared, Signatures};
use gavel_prover::signatures::Keys;
use serde_json::Map;

const SOURCE: &str = "
contract Tally {
    state { sum: map<pubkey, u64> }
    entry add(who: pubkey, amount: u64) signed by who { sum[who] += amount }
}";

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (contract, _) =
        instantiate_ledger(SOURCE, &Map::new()).map_err(|found| format!("{found:?}"))?;
    let machine = Machine::new(&contract)?;
    println!(
        "calls, wrong one in every, threads: microseconds a call in bundles, in bundles by known signers, one by one"
    );
    for (calls, wrong) in [
        (16, 0),
        (32, 0),
        (48, 0),
        (64, 0),
        (128, 0),
        (256, 0),
        (1024, 0),
        (16384, 0),
        (16384, 16384),
        (16384, 2048),
        (16384, 1024),
        (16384, 256),
        (16384, 1),
    ] {
        let calls = signed(&contract, calls, wrong)?;
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()?;
            let ways = [
                (Signatures::Check, Keys::none()),
                (Signatures::Check, Keys::default()),
                (Signatures::OneByOne, Keys::none()),
            ];
            let [bundled, known, alone] = ways.map(|(how, keys)| {
                let all = (0..ROUNDS).map(|_| {
                    let calls = calls.clone();
                    pool.install(|| {
                        let begin = Instant::now();
                        black_box(Prepared::with_keys(&machine, calls, how, &keys));
                        begin.elapsed().as_secs_f64()
                    })
                });
                1e6 * all.fold(f64::MAX, f64::min) / calls.len() as f64
            });
            let count = calls.len();
            println!("{count:6} {wrong:6} {threads:2}: {bundled:6.2} {known:6.2} {alone:6.2}");
        }
    }
    Ok(())
}

/// Calls of as many signers, one in so many with a signature of something else.
fn signed(
    contract: &LedgerContract,
    count: usize,
    wrong: usize,
) -> Result<Vec<Call>, Box<dyn std::error::Error>> {
    let secp = Secp256k1::new();
    let call = |n: usize| {
        let mut secret = [0x42; 32];
        secret[..8].copy_from_slice(&(n as u64).to_be_bytes());
        let pair = Keypair::from_seckey_slice(&secp, &secret)?;
        let key = pair.x_only_public_key().0.serialize();
        let words = key.as_chunks().0.iter();
        let mut arguments: Vec<u32> = words.map(|word| u32::from_be_bytes(*word)).collect();
        arguments.extend([n as u32, 0]);
        let mut call = Call::new(contract.id, "add", arguments).sign(&pair, 0);
        if wrong > 0 && n % wrong == wrong / 2 {
            call.signatures
                .iter_mut()
                .for_each(|signed| signed.nonce = 1);
        }
        Ok(call)
    };
    (0..count).map(call).collect()
}
