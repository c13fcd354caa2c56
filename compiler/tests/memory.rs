//! What hostile sources cost: memory and diagnostics grow with the source and no faster.
//!
//! One test in a binary of its own, because memory is counted for the whole process.
//! `GAVEL_BYTES=800000` tries larger sources, and `--nocapture` shows what each costs.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/hostile.rs"]
mod hostile;

use gavel_compiler::check;
use gavel_compiler::diagnostic::MAX_DIAGNOSTICS;
use gavel_compiler::format::format;
use peak_alloc::PeakAlloc;
use std::time::{Duration, Instant};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Bytes that any source may take.
const FLOOR: usize = 2 << 20;

/// Bytes of memory that a byte of source may cost: a token of one byte becomes a node of the
/// tree, one of the typed program, and instructions.
const FACTOR: usize = 1_000;

/// The most bytes that were in use at once, and how long it took.
fn cost(source: &str) -> (usize, Duration) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let start = Instant::now();
    let found = check(source).diagnostics;
    let errors = found.iter().filter(|d| d.is_error()).count();
    assert!(errors <= MAX_DIAGNOSTICS, "{errors} errors");
    assert!(
        found.len() <= MAX_DIAGNOSTICS + source.len(),
        "{} warnings",
        found.len()
    );
    let _ = format(source);
    (HEAP.peak_usage().saturating_sub(before), start.elapsed())
}

#[test]
fn memory_grows_with_the_source_only() {
    let asked = std::env::var("GAVEL_BYTES").ok();
    let bytes: usize = asked.and_then(|n| n.parse().ok()).unwrap_or(60_000);
    for (name, kind) in hostile::KINDS {
        let each = (kind(2_000).len() - kind(1_000).len()).div_ceil(1_000);
        let small = kind(bytes / 4 / each);
        let large = kind(bytes / each);
        let ((a, _), (b, time)) = (cost(&small), cost(&large));
        println!(
            "{name:<28}{:>8} bytes{:>9} KiB{:>9} KiB  {time:.1?}",
            large.len(),
            a >> 10,
            b >> 10
        );
        assert!(b <= FLOOR + FACTOR * large.len(), "{name}: {b} bytes");
        // Four times the source: five times the memory, apart from what any source takes.
        assert!(b <= FLOOR + 5 * a, "{name}: {a} bytes, then {b}");
    }
}
