//! The ledgers of `contracts/ledgers/`: checked without a warning, laid out, and their tests and
//! properties run.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::format::format;
use gavel_compiler::front::instantiate_ledger;
use gavel_compiler::testing::{Options, run};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts/ledgers");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "gvl"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_ledger_is_checked_laid_out_and_tested() {
    let files = files();
    assert!(files.len() >= 18, "{}", files.len());
    let wrong: Vec<String> = files.par_iter().filter_map(problem).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The ledger with the parameters beside it, and what is known of its entries.
fn instance(path: &Path, source: &str) -> Result<(), String> {
    let params = std::fs::read_to_string(path.with_extension("params.json")).unwrap();
    let params = serde_json::from_str(&params).unwrap();
    let (ledger, _) = instantiate_ledger(source, &params).map_err(|found| {
        let drawn = found.iter().map(|d| d.draw(source, "x.gvl", Style::Plain));
        drawn.collect::<Vec<_>>().join("\n")
    })?;
    let analysis = ledger.analysis(&|_| (None, 1));
    let idle = analysis
        .entries
        .iter()
        .find(|e| e.touches.is_empty() && e.emits.is_empty());
    match idle {
        Some(entry) => Err(format!("`{}` touches nothing", entry.entry)),
        None => Ok(()),
    }
}

/// What is wrong with a ledger.
fn problem(path: &PathBuf) -> Option<String> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let source = std::fs::read_to_string(path).unwrap();
    let found = check(source.as_str()).diagnostics;
    if let Some(first) = found.first() {
        return Some(first.draw(&source, name, Style::Plain));
    }
    if format(&source).unwrap() != source {
        return Some(format!("{name}: `gavel fmt` would change it"));
    }
    let options = Options {
        cases: 32,
        ..Options::default()
    };
    let reports = run(source.as_str(), &options, &mut |_, _, _| {}).unwrap();
    if let Err(found) = instance(path, &source) {
        return Some(format!("{name}: {found}"));
    }
    let props = reports
        .iter()
        .filter(|report| report.cases.is_some())
        .count();
    if props < 2 || reports.len() - props < 5 {
        return Some(format!(
            "{name}: {} tests, {props} properties",
            reports.len() - props
        ));
    }
    let failed = reports.iter().find(|report| !report.failures.is_empty());
    failed.map(|report| format!("{name}: {}: {:?}", report.name, report.failures))
}
