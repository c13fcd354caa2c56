//! How fast the front end is, and whether its work grows with the source: `cargo bench -p
//! gavel-compiler`. Prints one table; a ratio of 10 from 2,000 lines to 20,000 is linear.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../tests/support/accepted/mod.rs"]
mod accepted;

use accepted::{Dice, Size, accepted as generate};
use gavel_compiler::format::format;
use gavel_compiler::{check, syntax};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A contract of about so many lines, laid out.
fn contract(lines: usize) -> String {
    let size = |functions: usize| Size {
        structs: 40,
        enums: 10,
        consts: 40,
        functions,
        statements: 12,
        cost: 2_000,
    };
    let of = |functions: usize| {
        let contract = generate(Dice::seeded(7), size(functions));
        format(&contract.tree.to_string()).unwrap()
    };
    let sample = of(50).lines().count();
    let mut functions = 50 * lines / sample;
    loop {
        let source = of(functions);
        let found = source.lines().count();
        if found >= lines {
            return source;
        }
        functions += 1 + functions * (lines - found) / lines;
    }
}

/// The median of several runs.
fn time<T>(work: impl Fn() -> T) -> Duration {
    let mut all: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed()
        })
        .collect();
    all.sort();
    all[all.len() / 2]
}

/// A name, and what is done with a source.
type Stage = (&'static str, fn(&str));

const STAGES: &[Stage] = &[
    ("parse", |source| {
        black_box(syntax::parse(source));
    }),
    ("check", |source| {
        black_box(check(source));
    }),
    ("format", |source| {
        black_box(format(source).unwrap());
    }),
];

fn main() {
    let sources = [2_000, 20_000].map(contract);
    for source in &sources {
        let (lines, bytes) = (source.lines().count(), source.len());
        let found = check(source).diagnostics;
        assert!(!found.iter().any(|d| d.is_error()));
        println!("{lines} lines, {bytes} bytes, {} warnings", found.len());
    }
    println!(
        "{:<8}{:>12}{:>12}{:>10}{:>14}",
        "stage", "small", "large", "ratio", "lines/s"
    );
    for (name, work) in STAGES {
        let [small, large] = [0, 1].map(|n| time(|| work(&sources[n])));
        let lines = [0, 1].map(|n| sources[n].lines().count() as f64);
        let ratio = large.as_secs_f64() / small.as_secs_f64() * 10.0 * lines[0] / lines[1];
        let speed = lines[1] / large.as_secs_f64();
        println!("{name:<8}{small:>12.1?}{large:>12.1?}{ratio:>10.1}{speed:>14.0}");
    }
}
