//! The analyses of a ledger as text: each entry, then each field of the state and each asset.

use gavel_compiler::ledger::{
    AbortPlaces, AssetAnalysis, Deed, EntryAnalysis, FieldAnalysis, LedgerAnalysis, Touch,
};
use gavel_compiler::word::access::{AccessKind, Class};

use crate::table::grouped;

pub(super) fn text(analysis: &LedgerAnalysis) -> String {
    let mut lines = Vec::new();
    for each in &analysis.entries {
        entry(each, &mut lines);
    }
    lines.extend(analysis.state.iter().map(field));
    lines.extend(analysis.assets.iter().map(asset));
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn entry(entry: &EntryAnalysis, lines: &mut Vec<String>) {
    let arguments = entry.arguments.join(", ");
    lines.push(format!("entry {}({arguments})", entry.entry));
    let mut line = |name: &str, text: String| lines.push(format!("  {name:<11}{text}"));
    line(
        "signed by",
        or(&entry.signers, "nobody: anybody may call it"),
    );
    let steps = grouped(entry.steps as u64);
    line("runs", format!("{steps} operations at most"));
    if !entry.mints.is_empty() {
        line("mints", entry.mints.join(", "));
    }
    if !entry.burns.is_empty() {
        line("burns", entry.burns.join(", "));
    }
    if entry.reads_height {
        line("reads", "the height of the block".to_owned());
    }
    line("touches", known(entry).to_owned());
    let width = entry.touches.iter().map(|touch| touch.place.len()).max();
    for touch in &entry.touches {
        line(
            "",
            format!(
                "  {:<1$}  {2}",
                touch.place,
                width.unwrap_or(0),
                done(touch)
            ),
        );
    }
    for abort in &entry.aborts {
        line("may abort", places(abort));
    }
    if !entry.emits.is_empty() {
        line("emits", entry.emits.join(", "));
    }
}

/// What is known of its cells before it runs.
fn known(entry: &EntryAnalysis) -> &'static str {
    match entry.class {
        _ if entry.touches.is_empty() => "no cell",
        Class::Exact => "exactly these cells",
        Class::Superset => "these cells, some perhaps not",
        Class::Dynamic => "cells that depend on what others hold (`?`)",
    }
}

/// `read, +=, maybe -=; commutes`
fn done(touch: &Touch) -> String {
    let deed = |deed: &Deed| {
        let maybe = if deed.maybe { "maybe " } else { "" };
        let kind = match deed.kind {
            AccessKind::Read => "read",
            AccessKind::Write => "=",
            AccessKind::Add => "+=",
            AccessKind::Sub => "-=",
        };
        format!("{maybe}{kind}")
    };
    let does: Vec<String> = touch.does.iter().map(deed).collect();
    let commutes = if touch.commutes { "; commutes" } else { "" };
    format!("{}{commutes}", does.join(", "))
}

fn places(abort: &AbortPlaces) -> String {
    let file = abort.file.iter().map(|file| format!("{file}, "));
    let plural = if abort.lines.len() == 1 { "" } else { "s" };
    let lines: Vec<String> = abort.lines.iter().map(usize::to_string).collect();
    format!(
        "{}: {}line{plural} {}",
        abort.error,
        file.collect::<String>(),
        lines.join(", ")
    )
}

fn field(field: &FieldAnalysis) -> String {
    let read_by = or(&field.read_by, "no entry");
    let changed_by = or(&field.changed_by, "no entry");
    format!(
        "state {}: read by {read_by}; changed by {changed_by}",
        field.field
    )
}

fn asset(asset: &AssetAnalysis) -> String {
    let (minted, burned) = (&asset.minted_by, &asset.burned_by);
    let name = &asset.asset;
    if minted.is_empty() && burned.is_empty() {
        return format!("asset {name}: minted and burned by no entry");
    }
    let (minted, burned) = (or(minted, "no entry"), or(burned, "no entry"));
    format!("asset {name}: minted by {minted}; burned by {burned}")
}

fn or(names: &[String], none: &str) -> String {
    match names {
        [] => none.to_owned(),
        names => names.join(", "),
    }
}
