//! What operations cost, pinned; and how far the targets are.
//!
//! `INSTA_UPDATE=always cargo test -p gavel-compiler --test bench_ops` writes today's figures.
#![allow(clippy::unwrap_used)]

use gavel_compiler::bench_ops::bench_ops;
use std::fmt::Write;

/// Rows of the comparison that don't reach their target yet. Whoever reaches one takes it out.
const NOT_YET: &[&str] = &["u32 add, among bitwise operations"];

#[test]
fn figures_are_known_and_targets_are_kept() {
    let report = bench_ops(&|_, _| {}).unwrap();
    let mut text = String::new();
    for row in &report.comparison {
        let ours = row.ours;
        writeln!(text, "{}: {ours}, target {}", row.what, row.target).unwrap();
    }
    for hash in &report.hashes {
        writeln!(text, "{hash:?}").unwrap();
    }
    for cost in report.words.iter().chain(&report.language) {
        writeln!(text, "{}: {}", cost.what, cost.bytes).unwrap();
        assert!(cost.bytes >= 0.0, "{}: {}", cost.what, cost.bytes);
    }
    for commitment in &report.commitments {
        writeln!(text, "{commitment:?}").unwrap();
    }
    insta::assert_snapshot!(text);
    for row in &report.comparison {
        let not_yet = NOT_YET.contains(&row.what);
        assert_eq!(row.reached(), !not_yet, "{}: {}", row.what, row.ours);
    }
}
