//! A leaf for people.

use std::fmt::Write as _;

use gavel_compiler::listing::{Listing, Place};

use super::{Shown, top};
use crate::failure::Failure;
use crate::table::{Table, grouped};

/// Most lines of the profile.
const LINES: usize = 20;

/// Everything that is asked for.
pub(super) fn all(shown: &Shown<'_>, picked: &[bool]) -> String {
    let mut out = summary(shown, picked.contains(&false));
    if !shown.summary {
        script(shown, picked, &mut out);
    }
    out
}

/// Where the bytes go; in short where only some of the script is asked for.
fn summary(shown: &Shown<'_>, short: bool) -> String {
    let listing = shown.listing;
    let bytes = listing.script.len();
    let mut out = format!(
        "{} of {}: {} bytes, {} WU to spend, peak {}\n",
        shown.name,
        shown.loaded.path.display(),
        grouped(bytes as u64),
        grouped(shown.weight),
        listing.peak.0
    );
    if short {
        return out;
    }
    for check in listing.checks.iter().rev() {
        let id = check
            .element
            .map_or_else(String::new, |id| format!("{} ", id.0));
        let words: Vec<String> = check.words.iter().map(u8::to_string).collect();
        let _ = writeln!(
            out,
            "  commitment {id}`{}`: {} word(s), digits {}",
            check.name,
            words.len(),
            words.join(" ")
        );
    }
    let profile = listing.profile();
    let percent = |part: usize| match bytes {
        0 => String::new(),
        all => format!("{:.1}", part as f64 * 100.0 / all as f64),
    };
    let row = |name: String, part: usize| [name, grouped(part as u64), percent(part)];
    let mut kinds = Table::new(&["kind", "bytes", "%"]);
    for (kind, part) in &profile.kinds {
        kinds.row(row(kind.name().to_owned(), *part));
    }
    let mut lines = Table::new(&["source line", "bytes", "%"]);
    let room = shown.width.saturating_sub(20);
    for (place, part) in profile.lines.iter().take(LINES) {
        lines.row(row(cut(&of(place), room), *part));
    }
    let more = profile.lines.len().saturating_sub(LINES);
    if more > 0 {
        let rest = profile.lines.iter().skip(LINES).map(|(_, part)| part).sum();
        lines.row(row(format!("{more} more lines"), rest));
    }
    lines.row(row(
        "no line (commitments, tables, reads, the end)".to_owned(),
        profile.nowhere,
    ));
    let _ = writeln!(out, "\n{}\n{}", kinds.text(), lines.text().trim_end());
    out
}

fn script(shown: &Shown<'_>, picked: &[bool], out: &mut String) {
    let listing = shown.listing;
    let mut n = 0;
    let mut last = None;
    listing.walk(|run, names| {
        n += 1;
        if picked.get(n - 1) != Some(&true) {
            return;
        }
        if let (Some(place), true) = (listing.place(run), run.place != last) {
            let _ = writeln!(out, "\n{}", cut(&of(place), shown.width));
        } else if run.place != last {
            out.push('\n');
        }
        last = run.place;
        let what = listing.describe(run.about);
        let head = format!("{:>7}  {what}: ", run.bytes.start);
        let asm = listing.asm(run.steps.clone());
        let room = shown.width.saturating_sub(head.chars().count()).max(24);
        let _ = writeln!(out, "{head}{}", cut(&asm, room));
        let stack = top(listing, names, shown.items).join("  ");
        let stack = cut(&stack, shown.width.saturating_sub(15));
        let _ = writeln!(out, "         {:>4}| {stack}", names.main.len());
    });
}

/// `12: let a = b`, with its file if it is of a library.
pub(in crate::commands) fn of(place: &Place) -> String {
    match &place.file {
        Some(file) => format!("{file}:{}: {}", place.line, place.text),
        None => format!("{}: {}", place.line, place.text),
    }
}

/// The start of a text, if it is too long.
pub(in crate::commands) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let short: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", short.trim_end())
}

/// The place of a line that is asked for: `12` or `std/math:12`.
pub(in crate::commands) fn line(listing: &Listing, asked: &str) -> Result<usize, Failure> {
    let (file, number) = match asked.rsplit_once(':') {
        Some((file, number)) => (Some(file), number),
        None => (None, asked),
    };
    let Ok(number) = number.parse::<usize>() else {
        let message = format!("`{asked}` is no line; one is `12`, or `std/math:12` of a library");
        return Err(Failure::usage(message));
    };
    let same = |place: &Place| place.line == number && place.file.as_deref() == file;
    listing.places.iter().position(same).ok_or_else(|| {
        let failure = Failure::usage(format!("the leaf does nothing for line {asked}"));
        failure.hint("`gavel inspect FILE LEAF --summary` shows the lines.")
    })
}
