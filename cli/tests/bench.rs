//! `gavel bench`: what it prints, and what it refuses. How fast things are is no test's affair.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::Shop;

const SMALL: &str = "bench --accounts 60 --calls 90 --batch 40 --threads 2";
const WORKLOADS: [&str; 11] = [
    "transfers",
    "transfers-zipf",
    "transfers-hot",
    "transfers-chain",
    "swaps-1",
    "swaps-100",
    "mixed",
    "nft",
    "lending",
    "voting",
    "work",
];

#[test]
fn every_workload_runs_and_agrees_with_the_interpreter() {
    let ran = Shop::new().gavel(&format!("{SMALL} --json"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report = ran.json();
    assert_eq!(report["sizes"]["calls"], 90);
    assert!(report["machine"]["instructions_per_call"].is_null());
    let workloads = report["workloads"].as_array().unwrap();
    let names: Vec<&str> = workloads
        .iter()
        .map(|w| w["workload"].as_str().unwrap())
        .collect();
    assert_eq!(names, WORKLOADS);
    for workload in workloads {
        assert_eq!(
            (&workload["calls"], &workload["done"]),
            (&90.into(), &90.into())
        );
        assert_eq!(workload["signatures_per_call"], 1.0);
        for side in ["plain", "one", "all"] {
            let rates = &workload[side];
            let t = |tier: &str| rates[tier].as_u64().unwrap();
            // Each tier includes the one before.
            assert!(
                t("t0") >= t("t1") && t("t1") >= t("t2") && t("t2") > 0,
                "{rates}"
            );
            for bundled in ["t2_bundled", "t2_known"] {
                assert!(t("t1") >= t(bundled) && t(bundled) > 0, "{rates}");
            }
            assert_eq!(rates["t3"].is_u64(), side == "all", "{rates}");
        }
    }
    assert!(report.get("scaling").is_none());
}

/// A text without its numbers.
fn shape(text: &str) -> String {
    let words = |line: &str| -> String {
        let word = |word: &str| match word.chars().any(|c| c.is_ascii_digit()) {
            true if !word.starts_with('T') => "#".to_owned(),
            _ => word.to_owned(),
        };
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        words.join(" ") + "\n"
    };
    // The first line names the processor, the second may say that this is no release build.
    text.lines().skip(2).map(words).collect()
}

#[test]
fn the_table() {
    let ran = Shop::new().gavel(&format!("{SMALL} --workload nft --workload work --no-disk"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rates = shape(&ran.out);
    let (rates, _) = rates.split_once("\nOf runs").unwrap();
    insta::assert_snapshot!(rates);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let shop = Shop::new();
    for (arguments, wanted) in [
        (
            "--workload transfer",
            "there is no workload `transfer`; there are transfers, ",
        ),
        (
            "--accounts 1",
            "--accounts is a number from 2 to 100000000, not 1",
        ),
        (
            "--accounts 100_000_001",
            "--accounts is a number from 2 to 100000000",
        ),
        ("--calls 0", "--calls is a number from 1 to 20000000, not 0"),
        ("--batch 0", "--batch is a number from 1 to 20000000, not 0"),
        ("--threads 0", "--threads is a number from 1 to 1024, not 0"),
        ("--threads 1e9", "a whole number"),
        ("--calls -5", "a whole number"),
        ("--dir x --no-disk", "cannot be used with"),
    ] {
        let ran = shop.gavel(&format!("bench --quick {arguments}"));
        assert_eq!(ran.code, 2, "{arguments}: {}", ran.err);
        assert!(ran.err.contains(wanted), "{arguments}: {}", ran.err);
    }
    let ran = shop.gavel(&format!("{SMALL} --workload work --dir nowhere/at/all"));
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err
            .contains("nowhere/at/all: a state can't be kept there"),
        "{}",
        ran.err
    );
}
