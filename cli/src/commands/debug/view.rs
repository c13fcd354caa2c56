//! A session as text and as JSON.

use bitcoin::hex::DisplayHex;
use gavel_compiler::listing::{Listing, Place, Tag, folded};
use gavel_compiler::script::code::{number, parse_number};
use gavel_compiler::script::vm::Why;
use serde_json::{Value, json};

use super::super::inspect::{cut, of};
use super::command::Command;
use super::cursor::Cursor;
use super::screen;

/// How wide lines may be.
const WIDTH: usize = 100;

/// What is shown after a command.
pub(super) fn after(
    cursor: &Cursor<'_>,
    command: &Command,
    note: Option<&str>,
    items: usize,
) -> String {
    let mut out = String::new();
    if let Some(note) = note {
        out.push_str(&format!("{note}\n"));
    }
    match command {
        Command::Print => out.push_str(&print(cursor, items)),
        Command::Stack(n) => out.push_str(&stack(cursor, *n).join("\n")),
        Command::Screen => {
            out.push_str(&screen::draw(cursor, "", items, (WIDTH, 30), "").join("\n"))
        }
        Command::Break(_) => {}
        _ => out.push_str(&place(cursor)),
    }
    out.trim_end().to_owned()
}

/// Where it is: one line.
pub(super) fn place(cursor: &Cursor<'_>) -> String {
    let listing = cursor.listing;
    let now = cursor.session.now();
    let at = format!(
        "byte {}, step {now} of {}",
        listing.offset(now),
        listing.steps()
    );
    let text = match cursor.run() {
        None => format!("{at}: the end"),
        Some(run) => match listing.place(run) {
            Some(place) => format!("{at}, line {}", of(place)),
            None => format!("{at}: {}", listing.describe(run.about)),
        },
    };
    cut(&text, WIDTH)
}

/// Where it is, what comes next, the stack.
fn print(cursor: &Cursor<'_>, items: usize) -> String {
    let mut out = place(cursor);
    if let Some(run) = cursor.run() {
        let now = cursor.session.now();
        let what = cursor.listing.describe(run.about);
        let rest = cursor.listing.asm(now..run.steps.end);
        let skipped = if cursor.session.is_active() {
            ""
        } else {
            " (skipped)"
        };
        out.push_str(&format!(
            "\n  {}\n",
            cut(&format!("{what}:{skipped} {rest}"), WIDTH - 2)
        ));
    } else {
        out.push('\n');
    }
    out + &stack(cursor, items).join("\n")
}

/// The stacks, the top first, the cells of a table in one line.
pub(super) fn stack(cursor: &Cursor<'_>, items: usize) -> Vec<String> {
    let session = &cursor.session;
    let (main, alt) = (session.stack().len(), session.altstack().len());
    let mut lines = vec![format!("  stack {main}, altstack {alt}")];
    for (depth, tag, count, bytes) in top(cursor).take(items) {
        let name = cursor.listing.show(tag);
        lines.push(match count {
            1 => format!("  {depth:>4}  {:<8} {}", value(tag, bytes), name),
            _ => format!("  {depth:>4}  {name} ×{count}"),
        });
    }
    lines
}

/// Items from the top: depth, name, how many of a table, bytes of the first.
fn top<'a>(cursor: &'a Cursor<'_>) -> impl Iterator<Item = (usize, Tag, usize, &'a [u8])> {
    let mut bytes = cursor.session.stack().rev().map(|(_, bytes)| bytes);
    let mut depth = 0;
    let tags = cursor.session.stack().rev().map(|(tag, _)| tag);
    folded(tags).map(move |(tag, count)| {
        let first = bytes.next().unwrap_or_default();
        for _ in 1..count {
            bytes.next();
        }
        depth += count;
        (depth - count, tag, count, first)
    })
}

/// An item's bytes as a number if they are one; and as the digit that they stand for.
fn value(tag: Tag, bytes: &[u8]) -> String {
    let Some(n) = parse_number(bytes).filter(|n| number(*n) == bytes) else {
        return cut(&format!("<{}>", bytes.to_lower_hex_string()), 8);
    };
    match decoded(tag, n) {
        Some(digit) => format!("{n} = {digit}"),
        None => n.to_string(),
    }
}

/// The plain number that an item stands for, if it isn't the item's own.
fn decoded(tag: Tag, n: i64) -> Option<i64> {
    match tag {
        Tag::Item(..) => Some(n - 1),
        Tag::Word(name, bias) => {
            let plain = n - bias;
            let digit = name.form.decode(plain);
            digit.or((bias != 0).then_some(plain))
        }
        _ => None,
    }
}

/// The same for scripts.
pub(super) fn state(cursor: &Cursor<'_>, items: usize) -> Value {
    let listing = cursor.listing;
    let session = &cursor.session;
    let run = cursor.run();
    let place = run.and_then(|run| listing.place(run));
    let stack = top(cursor).take(items).map(|(depth, tag, count, bytes)| {
        let n = parse_number(bytes).filter(|n| number(*n) == bytes);
        json!({
            "depth": depth,
            "name": listing.show(tag),
            "cells": (count > 1).then_some(count),
            "number": n,
            "stands_for": n.and_then(|n| decoded(tag, n)),
            "hex": bytes.to_lower_hex_string(),
        })
    });
    json!({
        "step": session.now(),
        "offset": listing.offset(session.now()),
        "next": listing.asm(session.now()..(session.now() + 1).min(listing.steps())),
        "skipped": !session.is_active(),
        "what": run.map(|run| listing.describe(run.about)),
        "place": place.map(shown),
        "height": session.stack().len(),
        "altstack": session.altstack().len(),
        "stack": stack.collect::<Vec<_>>(),
    })
}

/// Whether the leaf can be spent, and why; for scripts and for people.
pub(super) fn verdict(cursor: &Cursor<'_>) -> (Value, String) {
    let (listing, session) = (cursor.listing, &cursor.session);
    let spendable = session.verdict().is_ok();
    let why = match session.verdict() {
        Ok(()) => reason(cursor).unwrap_or_else(|| "it ends with a true item".to_owned()),
        Err(refusal) if refusal.why == Why::False => {
            "nothing aborts, and all that it computes is as claimed".to_owned()
        }
        Err(refusal) => match refused_in(listing, refusal.at) {
            Some(what) => format!("{refusal}, in: {what}"),
            None => refusal.to_string(),
        },
    };
    let at = session.reason().map(|reason| listing.offset(reason.step));
    let digits = session.reason().and_then(|reason| reason.digits);
    let value = json!({
        "spendable": spendable,
        "why": why,
        "at": at,
        "computed": digits.map(|(computed, _)| computed),
        "place": reason_place(cursor).map(shown),
        "claimed": digits.map(|(_, claimed)| claimed),
    });
    let can = if spendable { "can" } else { "can't" };
    (value, format!("the leaf {can} be spent: {why}"))
}

fn reason(cursor: &Cursor<'_>) -> Option<String> {
    let reason = cursor.session.reason()?;
    let at = cursor.listing.offset(reason.step);
    let what = cursor.listing.describe(reason.about);
    let what = what.strip_prefix("accuses if ").unwrap_or(&what);
    let line =
        reason_place(cursor).map_or_else(String::new, |place| format!(" (line {})", of(place)));
    let digits = reason
        .digits
        .map_or_else(String::new, |(computed, claimed)| {
            format!(": it is {computed}, claimed is {claimed}")
        });
    Some(format!("at byte {at}, {what}{digits}{line}"))
}

/// The line that the reason is for.
fn reason_place<'a>(cursor: &Cursor<'a>) -> Option<&'a Place> {
    cursor.listing.places.get(cursor.session.reason()?.place?)
}

fn shown(place: &Place) -> Value {
    json!({ "file": place.file, "line": place.line, "text": place.text })
}

fn refused_in(listing: &Listing, offset: usize) -> Option<String> {
    let run = listing.run_at(listing.step_at(offset)?)?;
    Some(listing.describe(run.about))
}
