//! `gavel cost --bench-ops`: what operations cost, whatever the contract.

use gavel_compiler::bench_ops::{Report, bench_ops};

use crate::contract_file::watch;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped};

/// Measures and prints.
pub(super) fn run(output: &Output) -> Result<Exit, Failure> {
    let progress = watch("measuring operations");
    let measured = bench_ops(&progress);
    drop(progress);
    let report = measured.map_err(|error| {
        Failure::new(Exit::Environment, "internal", error.to_string())
            .hint("This is a defect of gavel: please report it.")
    })?;
    output.result(&report, || text(&report));
    Ok(Exit::Good)
}

fn text(report: &Report) -> String {
    let part = |title: &str, table: &Table| format!("\n{title}\n{}", table.text());
    [
        format!("Bytes of Script, beside those of {}.\n", report.source),
        part("Beside BitVM2", &comparison(report)),
        part(
            "Compression functions, one block: the body of a leaf",
            &hashes(report),
        ),
        part(
            "Operations on words, each one more in context",
            &costs(report, true),
        ),
        part(
            "Operations of the language, each one more in context",
            &costs(report, false),
        ),
        part("One-time signatures", &commitments(report)),
        format!("\n{}\n", wrapped(report.method)),
    ]
    .concat()
}

fn comparison(report: &Report) -> Table {
    let mut table = Table::new(&["what", "BitVM2", "ours", "target", "<"]);
    for row in &report.comparison {
        table.row([
            row.what.to_owned(),
            row.bitvm2.map_or(String::new(), |n| grouped(n.into())),
            bytes(row.ours),
            grouped(row.target.into()),
            if row.reached() { "" } else { "not yet" }.to_owned(),
        ]);
    }
    table
}

fn hashes(report: &Report) -> Table {
    let head = [
        "what",
        "in all",
        "reading",
        "comparing",
        "the function",
        "peak stack",
    ];
    let mut table = Table::new(&head);
    for hash in &report.hashes {
        let parts = [hash.body, hash.reading, hash.comparing, hash.compression];
        let parts = parts.map(|n| grouped(n as u64));
        let ends = [hash.peak.0.to_string()];
        table.row([hash.what.to_owned()].into_iter().chain(parts).chain(ends));
    }
    table
}

fn costs(report: &Report, words: bool) -> Table {
    let costs = if words {
        &report.words
    } else {
        &report.language
    };
    let mut table = Table::new(&["operation", "bytes"]);
    for cost in costs {
        let bytes = match cost.bytes {
            small if small < 1_000.0 => format!("{small:.1}"),
            large => bytes(large),
        };
        table.row([cost.what.to_owned(), bytes]);
    }
    table
}

fn commitments(report: &Report) -> Table {
    let mut table = Table::new(&["of", "in a disproof", "in a reveal", "witness"]);
    for row in &report.commitments {
        let parts = [row.disprove, row.reveal, row.witness];
        let parts = parts.map(|n| grouped(n as u64));
        table.row([row.what.to_owned()].into_iter().chain(parts));
    }
    table
}

/// A number of bytes, with a decimal where it is a small mean.
fn bytes(n: f64) -> String {
    match n {
        n if n < 1_000.0 && n.fract() != 0.0 => format!("{n:.1}"),
        n => grouped(n.round() as u64),
    }
}

/// Text in lines that fit a terminal.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        if width + word.len() >= 90 {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
        }
        out.push_str(word);
        width += word.len() + 1;
    }
    out
}
