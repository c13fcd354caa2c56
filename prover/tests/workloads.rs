//! The workloads: all calls succeed on the reference, with real signatures too, and the same seed
//! gives the same everywhere.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod differ;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use differ::signing;
use gavel_compiler::check;
use gavel_compiler::format::format;
use gavel_compiler::ledger::{CellId, Receipt, State, execute, root};
use gavel_compiler::testing::run_tests;
use gavel_compiler::units::Height;
use gavel_prover::workload::{
    Accounts, Drawn, HEIGHT, Kind, MOST_ACCOUNTS, Random, Workload, WorkloadError, Zipf,
};
use std::sync::Arc;

const SEED: u64 = 7;

fn unsigned(kind: Kind, n: u32) -> Workload {
    Workload::new(kind, Arc::new(Accounts::unsigned(n, SEED)), SEED).unwrap()
}

fn signed(kind: Kind, n: u32) -> Workload {
    Workload::new(kind, Arc::new(signing::accounts(n)), SEED).unwrap()
}

/// Runs a call's routine, without a look at its signature.
fn run(workload: &Workload, drawn: &Drawn, state: &mut State, height: Height) -> bool {
    let entry = &workload.contract().entry(&drawn.call.entry).unwrap().entry;
    assert!(entry.check_arguments(&drawn.call.arguments).is_ok());
    assert_eq!(entry.signers.len(), 1);
    let inputs = [&drawn.call.arguments[..], &[height.0]].concat();
    let run = execute(&entry.routine, &inputs, state);
    let Ok(changes) = run.result else {
        return false;
    };
    state.apply(&changes);
    true
}

#[test]
fn every_call_succeeds() {
    for kind in Kind::ALL {
        for accounts in [2, 97, 1_000] {
            let mut workload = unsigned(kind, accounts);
            let mut state = workload.state();
            for n in 0..2_000 {
                // Two batches: the second in a later block.
                let height = Height(HEIGHT.0 + n / 1_000);
                let drawn = workload.draw();
                let done = run(&workload, &drawn, &mut state, height);
                assert!(done, "{kind}, {accounts} accounts, call {n}");
            }
        }
    }
}

#[test]
fn every_signed_call_succeeds() {
    for kind in Kind::ALL {
        let mut workload = signed(kind, 50);
        let mut ledger = workload.contract().ledger(workload.state()).unwrap();
        for n in 0..300 {
            let call = signing::sign(&workload.draw());
            let receipt = ledger.apply(&call, HEIGHT);
            let done = matches!(receipt, Receipt::Done { .. });
            assert!(done, "{kind}, call {n}: {receipt:?}");
        }
    }
}

/// What a workload is, in short: its contract, the root of its start, its calls.
fn digest(workload: &mut Workload) -> String {
    let mut engine = sha256::Hash::engine();
    engine.input(&workload.contract().id);
    engine.input(&root(&workload.state()).0);
    for drawn in workload.by_ref().take(2_000) {
        engine.input(&drawn.call.signed_bytes(drawn.call.signatures[0].nonce));
        engine.input(&drawn.signer.to_be_bytes());
    }
    sha256::Hash::from_engine(engine).to_string()
}

#[test]
fn the_same_seed_gives_the_same_everywhere() {
    let digests = Kind::ALL.map(|kind| {
        let [first, second] = [0, 1].map(|_| digest(&mut unsigned(kind, 1_000)));
        assert_eq!(first, second);
        let other = Arc::new(Accounts::unsigned(1_000, SEED));
        let mut other = Workload::new(kind, other, SEED + 1).unwrap();
        // A chain has nothing to draw.
        assert_eq!(
            first == digest(&mut other),
            kind == Kind::TransfersChain,
            "{kind}"
        );
        format!("{kind} {first}")
    });
    insta::assert_snapshot!(digests.join("\n"));
}

/// What a supply says is what the wallets hold.
#[test]
fn supplies_are_what_all_vaults_hold() {
    for (kind, asset, fields) in [
        (Kind::Transfers, "Coin.supply", &["wallet"][..]),
        (Kind::TransfersChain, "Coin.supply", &["wallet"]),
        (Kind::Nft, "Coin.supply", &["wallet"]),
        (Kind::Mixed, "Coin.supply", &["wallet"]),
        (Kind::Mixed, "A.supply", &["wallet_a", "pools"]),
        (Kind::Swaps1, "B.supply", &["wallet_b", "pools"]),
        (Kind::Swaps100, "A.supply", &["wallet_a", "pools"]),
        (Kind::Lending, "Cash.supply", &["cash", "pool"]),
        (Kind::Lending, "Gold.supply", &["gold", "pledged"]),
    ] {
        let workload = unsigned(kind, 20);
        let asset_part = format!(".{}", asset[..1].to_lowercase());
        let mut supply = 0;
        let mut held = 0;
        for (CellId { family, .. }, value) in workload.cells() {
            let family = workload.contract().family(family).unwrap();
            let amount = value
                .iter()
                .rev()
                .fold(0, |n, w| (n << 32) | u128::from(*w));
            if family.field == asset {
                supply = amount;
            } else if fields.contains(&family.field.as_str())
                && (family.part.is_empty() || family.part == asset_part)
            {
                held += amount;
            }
        }
        assert!(
            supply > 0 && supply == held,
            "{kind} {asset}: {supply} {held}"
        );
    }
}

#[test]
fn keys_follow_from_the_first() {
    // Across the border of what is computed at a time.
    let accounts = signing::accounts(4_100);
    for n in [0, 1, 2, 4_095, 4_096, 4_099] {
        assert_eq!(accounts.key(n), signing::key(n), "{n}");
    }
    assert_eq!(accounts.len(), 4_100);
    assert_eq!(accounts.key(4_100), [0; 8]);
}

#[test]
fn numbers_of_accounts() {
    for n in [0, 1] {
        let made = Workload::new(Kind::Nft, Arc::new(Accounts::unsigned(n, 0)), 0);
        assert_eq!(made.err(), Some(WorkloadError::Accounts(n as usize)));
    }
    let error = WorkloadError::Accounts(MOST_ACCOUNTS as usize + 1).to_string();
    assert_eq!(
        error,
        "a workload has 2 to 100000000 accounts, not 100000001"
    );
}

#[test]
fn names() {
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
    let error = "transfer".parse::<Kind>().unwrap_err().to_string();
    assert!(error.starts_with("there is no workload `transfer`; there are transfers, "));
}

#[test]
fn draws_follow_their_law() {
    let mut random = Random::new(1);
    let law = Zipf::new(1_000);
    let mut counts = vec![0u32; 1_000];
    for _ in 0..100_000 {
        counts[law.draw(&mut random) as usize] += 1;
    }
    // The sum of 1/n to 1,000 is 7.485: 13,360 for the first, half of it for the second.
    for (n, wanted) in [(0, 13_360), (1, 6_680), (9, 1_336), (99, 134)] {
        let near = wanted * 9 / 10 - 20..wanted * 11 / 10 + 20;
        assert!(near.contains(&counts[n]), "{n}: {}", counts[n]);
    }
    assert_eq!(Zipf::new(0).draw(&mut random), 0);
    for n in 0..1_000 {
        assert_ne!(random.another(7, n % 7), n % 7);
        assert!(random.another(7, n % 7) < 7 && random.index(7) < 7);
    }
    assert_eq!(
        (random.below(0), random.another(1, 0), random.another(0, 0)),
        (0, 0, 0)
    );
}

#[test]
fn contracts_have_no_warnings_and_pass_their_tests() {
    for kind in Kind::ALL {
        let source = kind.source();
        assert_eq!(check(source).diagnostics, [], "{kind}");
        assert_eq!(format(source).as_deref(), Ok(source), "{kind}");
        for report in run_tests(source).unwrap() {
            let failed = report.failures.first();
            assert!(failed.is_none(), "{kind}: {}: {failed:?}", report.name);
        }
    }
}
