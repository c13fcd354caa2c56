//! Any text, which may hold several files: see `doors::files`.
#![no_main]

#[path = "../../compiler/tests/support/doors.rs"]
mod doors;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| doors::try_sources(&doors::files(text)));
