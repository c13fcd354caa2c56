//! Any text: diagnostics in source order that can be drawn, and a layout that stays.
#![no_main]

use gavel_compiler::diagnostic::Style;
use gavel_compiler::format::format;
use gavel_compiler::{check, instantiate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    let checked = check(source);
    for found in &checked.diagnostics {
        found.draw(source, "x.gvl", Style::Plain);
        found.to_json(source);
    }
    assert!(checked.diagnostics.is_sorted_by_key(|d| d.span.start));
    assert!(checked.is_ok() || instantiate(source, &Default::default()).is_err());
    match format(source) {
        Ok(text) => assert_eq!(format(&text).as_ref(), Ok(&text)),
        Err(_) => assert!(!checked.is_ok()),
    }
});
