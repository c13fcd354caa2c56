//! Contracts that are accepted by construction, chosen by the bytes.
#![no_main]

#[path = "../../compiler/tests/support/accepted/mod.rs"]
mod accepted;
#[path = "../../compiler/tests/support/doors.rs"]
mod doors;

use accepted::{Dice, Size, accepted as generate};
use gavel_compiler::check;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = generate(Dice::from_bytes(bytes), Size::SMALL)
        .tree
        .to_string();
    assert!(check(&source).is_ok(), "{source}");
    doors::try_all(&source);
});
