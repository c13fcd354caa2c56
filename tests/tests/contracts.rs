//! Every scenario on every contract of `contracts/` for which it makes sense, on a real node.
//! One test per pair, so that each has a node of its own and a name.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use gavel_tests::{Stage, scenario};
use std::sync::OnceLock;

fn check(contract: &str, stage: &OnceLock<Stage>, scenario: &str) {
    // Compiling a contract with hashes takes seconds: once for all its games.
    let stage = stage.get_or_init(|| {
        let path = format!("{}/../contracts/{contract}.gvl", env!("CARGO_MANIFEST_DIR"));
        Stage::load(&path).expect("an example contract loads")
    });
    let scenario = scenario::find(scenario).expect("a known scenario");
    if let Some(why) = (scenario.unfit)(stage) {
        println!("{} does not fit {contract}: {why}", scenario.name);
        return;
    }
    let mut lines = Vec::new();
    let result = (scenario.play)(stage, &mut |line| lines.push(line.clone()));
    match result {
        Ok(reports) => {
            assert!(!reports.is_empty());
            println!("{contract} {}: {} games", scenario.name, reports.len());
        }
        Err(error) => {
            for line in lines {
                println!("{:>6} {} {}", line.height, line.who, line.what);
            }
            panic!("{contract}, {}: {error}", scenario.name);
        }
    }
}

macro_rules! scenarios {
    ($contract:ident: $($test:ident $name:literal,)*) => {
        mod $contract {
            static STAGE: std::sync::OnceLock<gavel_tests::Stage> = std::sync::OnceLock::new();

            $(#[test]
            fn $test() {
                super::check(stringify!($contract), &STAGE, $name);
            })*

            #[test]
            fn every_scenario_has_a_test() {
                let tested = [$($name),*];
                for scenario in gavel_tests::scenario::ALL {
                    assert!(tested.contains(&scenario.name), "{} is not tested", scenario.name);
                }
            }
        }
    };
}

macro_rules! contracts {
    ($($contract:ident)*) => {
        $(scenarios! { $contract:
            honest "honest",
            cooperative_close "cooperative-close",
            lying_claimer "lying-claimer",
            wrong_outcome "wrong-outcome",
            invalid_input "invalid-input",
            forged_input "forged-input",
            author_equivocates "author-equivocates",
            silent_claimer "silent-claimer",
            false_challenge "false-challenge",
            late_challenge "late-challenge",
            self_challenge "self-challenge",
            nobody_claims "nobody-claims",
            two_liars "two-liars",
            liar_then_honest "liar-then-honest",
            rival_paid "rival-paid",
            accomplice_challenger "accomplice-challenger",
            odd_witness "odd-witness",
            annexed_claim "annexed-claim",
            absent_victim "absent-victim",
            early_spends "early-spends",
        })*
    };
}

contracts! { price_bet price_feed tic_tac_toe merkle_raffle auction escrow channel }
