//! Any text, which may hold several files: see `doors::files`. Half of the changes are made to
//! bytes by libFuzzer, the others to words and lines: more of those are read to the end.
#![no_main]

#[path = "../../compiler/tests/support/accepted/dice.rs"]
#[allow(dead_code)]
mod dice;
#[path = "../../compiler/tests/support/doors.rs"]
mod doors;

use dice::Dice;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|text: &str| doors::try_sources(&doors::files(text)));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let text = std::str::from_utf8(&data[..size]).unwrap_or_default();
    let text = moved(text, &mut Dice::seeded(seed.into()));
    if seed.is_multiple_of(2) || text.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
});

/// One to three words or lines written in the place of others, behind them, or left out.
fn moved(text: &str, dice: &mut Dice) -> String {
    let mut parts = if dice.percent(70) {
        words(text)
    } else {
        text.split_inclusive('\n').collect()
    };
    for _ in 0..dice.range(1, 3) {
        let all = 0..parts.len();
        let (from, to) = (dice.below(all.len()), dice.below(all.len()));
        match dice.below(4) {
            _ if all.is_empty() => {}
            0 => parts[to] = parts[from],
            1 => parts.insert(to, parts[from]),
            2 => parts.swap(from, to),
            _ => drop(parts.remove(from)),
        }
    }
    parts.concat()
}

/// Names and numbers, and every other character on its own; a space stays behind its word.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let end = match inside(first) {
            true => rest.find(|c| !inside(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let end = end + usize::from(rest[end..].starts_with(' '));
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}
