//! The doors of the front end, and what must hold behind each for any text.

#![allow(dead_code, clippy::unwrap_used)]

use gavel_compiler::diagnostic::{Diagnostic, Fix, Style};
use gavel_compiler::format::format;
use gavel_compiler::front::{instantiate_ledger, value_type};
use gavel_compiler::ledger::{LedgerContract, State, root};
use gavel_compiler::testing::{Options, run};
use gavel_compiler::types::typed::{Contract, ParamTy};
use gavel_compiler::value::{ValueType, decode};
use gavel_compiler::{Sources, check, instantiate, people};
use serde_json::{Map, Value};

/// Everything that a tool would do with a source.
pub fn try_all(text: &str) {
    try_sources(&Sources::new("x.gvl", text));
}

/// Several files in one text: behind a line `//// NAME` stands the file of that name. Values of
/// the parameters may stand in `params.json`.
pub fn files(text: &str) -> Sources {
    let mut parts = text.split("\n//// ");
    let mut sources = Sources::new("x.gvl", parts.next().unwrap_or_default());
    for part in parts {
        let (name, text) = part.split_once('\n').unwrap_or((part, ""));
        sources.add(name, text);
    }
    sources
}

/// Everything that a tool would do with a source and what it imports.
pub fn try_sources(sources: &Sources) {
    sources.wanted();
    let checked = check(sources);
    drawn(&checked.diagnostics, sources);
    mended(&checked.diagnostics, sources);
    assert!(checked.diagnostics.is_sorted_by_key(|d| d.span.start));
    assert!(checked.is_ok() || checked.diagnostics.iter().any(Diagnostic::is_error));
    let none = Map::new();
    instances(sources, &none, checked.is_ok());
    if checked.is_ok() {
        for params in params(sources, &checked.contract) {
            instances(sources, &params, true);
        }
    }
    tested(sources);
    laid_out(sources, checked.is_ok());
}

/// Each can be drawn, and is about bytes of one file that are whole characters.
fn drawn(diagnostics: &[Diagnostic], sources: &Sources) {
    for found in diagnostics {
        found.draw_in(sources, Style::Plain);
        found.draw_in(sources, Style::Colour);
        found.to_json(sources);
        let labels = found.labels.iter().map(|label| label.span);
        let fix = found.fix.iter().map(|fix| fix.span);
        for span in labels.chain(fix).chain([found.span]) {
            let file = sources.file_at(span.start);
            let (start, end) = (span.start - file.base(), span.end - file.base());
            assert_eq!(file.range(span), start as usize..end as usize, "{found:?}");
        }
    }
}

/// What is mended as a diagnostic says is not reported there again.
fn mended(diagnostics: &[Diagnostic], sources: &Sources) {
    let main = sources.main();
    let here = |fix: &Fix| std::ptr::eq(sources.file_at(fix.span.start), main);
    let fixes = diagnostics
        .iter()
        .filter(|d| d.fix.as_ref().is_some_and(here));
    for (found, fix) in fixes.filter_map(|d| Some((d, d.fix.as_ref()?))).take(3) {
        let mut text = main.text().to_owned();
        text.replace_range(main.range(fix.span), &fix.replacement);
        let again = check(with_main(sources, &text)).diagnostics;
        let same = |d: &Diagnostic| {
            (d.code, d.span.start, &d.message) == (found.code, found.span.start, &found.message)
        };
        assert!(!again.iter().any(same), "{found:?}");
    }
}

/// The same other files.
fn with_main(sources: &Sources, text: &str) -> Sources {
    let mut again = Sources::new("x.gvl", text);
    for file in sources.files().skip(1) {
        again.add(file.name(), file.text());
    }
    again
}

/// Both doors: each refuses what belongs to the other.
fn instances(sources: &Sources, params: &Map<String, Value>, ok: bool) {
    let coin = instantiate(sources, params);
    let ledger = instantiate_ledger(sources, params);
    assert!(coin.is_err() || ledger.is_err());
    assert!(ok || (coin.is_err() && ledger.is_err()));
    if let Ok((ledger, _)) = &ledger {
        described(ledger, sources);
    }
    for found in [coin.map(|of| of.1), ledger.map(|of| of.1)] {
        drawn(&found.unwrap_or_else(|errors| errors), sources);
    }
}

/// What a ledger is asked for.
fn described(ledger: &LedgerContract, sources: &Sources) {
    let line = |span| (None, sources.lines(span).map_or(1, |[first, _]| first));
    let analysis = ledger.analysis(&line);
    assert_eq!(analysis.entries.len(), ledger.entries.len());
    let empty = ledger.ledger(State::new()).unwrap();
    assert!(ledger.named(empty.state()).is_empty());
    root(empty.state());
}

/// Tests and properties end, and what they report has a place.
fn tested(sources: &Sources) {
    let few = Options {
        cases: 3,
        ..Options::default()
    };
    for report in run(sources, &few, &mut |_, _, _| {}).unwrap_or_default() {
        for failure in report.failures {
            sources.lines(failure.span);
        }
    }
}

/// The layout stays, and a right source stays right.
fn laid_out(sources: &Sources, ok: bool) {
    let source = sources.main().text();
    let Ok(text) = format(source) else {
        return assert!(!ok, "{source}");
    };
    assert_eq!(format(&text).as_ref(), Ok(&text), "{source}");
    if ok {
        assert!(check(with_main(sources, &text)).is_ok(), "{source}");
    }
}

/// Values for the parameters: those of the text, and small and large ones.
fn params(sources: &Sources, contract: &Contract) -> Vec<Map<String, Value>> {
    let given = sources.find("params.json");
    let given = given.and_then(|file| serde_json::from_str(file.text()).ok());
    let alike = |size: &u32| {
        let values = contract.params.iter().filter_map(|param| match &param.ty {
            ParamTy::Value(ty) => {
                Some((param.name.clone(), value(&value_type(ty, contract), *size)))
            }
            _ => None,
        });
        values.collect()
    };
    let sizes: &[u32] = match contract.params.is_empty() {
        true => &[],
        false => &[1, 1_000],
    };
    sizes.iter().map(alike).chain(given).collect()
}

fn value(ty: &ValueType, size: u32) -> Value {
    let words = match ty {
        ValueType::Pubkey => people::key("ALICE").unwrap().to_vec(),
        _ => [size, 0].repeat(ty.words().div_ceil(2)),
    };
    decode(ty, &words)
}
