//! The standard library: written in the language, and part of the compiler.

use super::File;
use crate::syntax::MAX_SOURCE;
use std::sync::LazyLock;

/// The libraries that every contract can import: names and texts.
pub const STD: &[(&str, &str)] = &[
    ("std/fixed", include_str!("../../std/fixed.gvl")),
    ("std/math", include_str!("../../std/math.gvl")),
    ("std/merkle", include_str!("../../std/merkle.gvl")),
    ("std/time", include_str!("../../std/time.gvl")),
];

/// Where the standard library stands: behind all files that can be given.
const BASE: u32 = 0xf000_0000;

/// A constant that takes allocations to write down.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let file = |(n, (name, text)): (u32, &(&str, &str))| File {
        name: (*name).to_owned(),
        text: (*text).into(),
        base: BASE + n * (MAX_SOURCE as u32 + 1),
    };
    (0..).zip(STD).map(file).collect()
});

/// A file of the standard library.
pub(crate) fn std_file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

/// The file of the standard library that an offset is in.
pub(super) fn at(offset: u32) -> Option<&'static File> {
    FILES.iter().rev().find(|file| file.base <= offset)
}
