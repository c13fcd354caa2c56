//! `gavel inspect`: a leaf's script with what it computes, for which line, and the stack.

mod text;

pub(super) use text::{cut, line, of};

use std::path::PathBuf;

use gavel_compiler::Options;
use gavel_compiler::listing::{Listing, Names, Run, Tag, folded};
use gavel_compiler::script::leaf::disprove::witness_len;
use gavel_compiler::units::Weight;
use serde_json::{Value, json};

use super::leaf::{self, Which};
use crate::contract_file::{Loaded, load};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, stderr_style};
use crate::table::{Table, grouped};

/// Show what the bytes of a leaf do: source lines, values, the stack.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Leaves are `segment:N` (of the last segment `segment:N/OUTCOME`, one for each outcome that may be
claimed), and those of a sample instance: `claim:G` and `assert:G` (they reveal group G of the
inputs and of the frames), `challenge`, `release`, `sweep`, `unstake`, `reclaim`. Without a leaf,
all are listed.

First comes where the bytes go: by kind of work and by source line, most first. Then the script, in
runs of opcodes that do one thing: offset, what it is, the opcodes, and under it the stack, top
first. `a + b`.3 is digit 3 of a word, the least being 0, .low and .high are its halves; where a
word is one number, it has no such ending. With a ~ after it, a digit is spread (its bits are the
digits of a number in base 3), with a ^ it is the row of a table, with +7 it is 7 more; 3×`a` is
three times it; carry(..) is what a sum carries from there, part(..) is on the way there; `sum`#4 is
the fourth word that `sum` takes to compute; `moves`[1].3 is digit 3 of the input's word 1;
`a`@6[2] was read from word 2 of element 6; sum of `a` adds up the digits of a commitment that were
checked so far; · has no name. Names are right as long as nothing aborts.

Examples:
  gavel inspect bet.gvl                                 the leaves
  gavel inspect bet.gvl segment:1 --summary             where the bytes go
  gavel inspect bet.gvl segment:1 --line 12             what is done for line 12
  gavel inspect bet.gvl segment:3/Yes --from 40000 --to 41000
  gavel inspect bet.gvl segment:3/Yes --find carry --items 12 | less
  gavel inspect bet.gvl segment:1 --json | jq '.runs[0]'")]
pub struct Inspect {
    /// The source (.gvl), or an artifact (.json)
    file: PathBuf,
    /// Which leaf; all are listed if none is given
    leaf: Option<String>,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// The most weight units that a transaction which spends a leaf may have, at most 400000
    #[arg(long, value_name = "WU", value_parser = super::number, allow_negative_numbers = true)]
    max_leaf_weight: Option<u64>,
    /// Show only where the bytes go
    #[arg(long)]
    summary: bool,
    /// Show the script from this byte
    #[arg(long, value_name = "OFFSET", value_parser = super::number, allow_negative_numbers = true)]
    from: Option<u64>,
    /// Show the script up to this byte
    #[arg(long, value_name = "OFFSET", value_parser = super::number, allow_negative_numbers = true)]
    to: Option<u64>,
    /// Show only what is done for a line: `12`, or `std/math:12` of a library
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// Show only what has this in its description or in its opcodes
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// How many stack items to show
    #[arg(long, value_name = "N", default_value_t = 6)]
    items: usize,
    /// How wide lines may be
    #[arg(long, value_name = "COLUMNS", default_value_t = 100)]
    width: usize,
}

impl Inspect {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let options = self.max_leaf_weight.map(|weight| Options {
            max_leaf_weight: Weight(weight),
        });
        let loaded = load(&self.file, self.params.as_deref(), options.as_ref())?;
        output.aside(&loaded.warnings(stderr_style()));
        let Some(name) = &self.leaf else {
            return list(&loaded, output);
        };
        let (listing, witness) = match leaf::find(&loaded, name)? {
            Which::Segment(segment, claimed) => {
                let (listing, leaf) = leaf::segment_listing(&loaded, segment, claimed)?;
                (listing, witness_len(&leaf.shapes, leaf.challengers))
            }
            Which::Sample => leaf::sample_listing(&loaded, name)?,
        };
        let picked = self.picks(&listing)?;
        let shown = Shown {
            name,
            loaded: &loaded,
            listing: &listing,
            weight: leaf::weight(listing.script.len(), witness),
            items: self.items,
            width: self.width.max(40),
            summary: self.summary,
        };
        output.result(&json_of(&shown, &picked), || text::all(&shown, &picked));
        Ok(Exit::Good)
    }

    /// Which runs to show: by their index.
    fn picks(&self, listing: &Listing) -> Result<Vec<bool>, Failure> {
        let len = listing.script.len();
        let offset = |given: Option<u64>, default: usize| match given.map(usize::try_from) {
            None => Ok(default),
            Some(Ok(at)) if at <= len => Ok(at),
            _ => Err(Failure::usage(format!(
                "the leaf has {} bytes; offsets go up to that",
                grouped(len as u64)
            ))),
        };
        let (from, to) = (offset(self.from, 0)?, offset(self.to, len)?);
        if from > to {
            return Err(Failure::usage("--from is after --to"));
        }
        let line = self.line.as_deref().map(|line| text::line(listing, line));
        let line = line.transpose()?;
        let wanted = |run: &Run| {
            let inside = run.bytes.end > from && run.bytes.start < to;
            let on_line = line.is_none_or(|line| run.place == Some(line));
            let found = self.find.as_ref().is_none_or(|text| {
                let about = listing.describe(run.about);
                about.contains(text) || listing.asm(run.steps.clone()).contains(text)
            });
            inside && on_line && found
        };
        let picked: Vec<bool> = listing.runs.iter().map(wanted).collect();
        if let (Some(text), false) = (&self.find, picked.contains(&true)) {
            let message = format!("nothing there has `{text}` in it");
            return Err(Failure::new(Exit::No, "not-found", message));
        }
        Ok(picked)
    }
}

/// What is shown, and how.
struct Shown<'a> {
    name: &'a str,
    loaded: &'a Loaded,
    listing: &'a Listing,
    weight: u64,
    items: usize,
    width: usize,
    summary: bool,
}

fn list(loaded: &Loaded, output: &Output) -> Result<Exit, Failure> {
    let rows = leaf::rows(loaded)?;
    output.result(&json!({ "leaves": rows }), || {
        let mut table = Table::new(&["leaf", "bytes", "spend WU", "peak", "<what it does"]);
        for row in &rows {
            table.row([
                row.name.clone(),
                grouped(row.bytes as u64),
                grouped(row.weight),
                row.peak.to_string(),
                row.about.clone(),
            ]);
        }
        table.text()
    });
    Ok(Exit::Good)
}

/// The names of the items on top, the uppermost first, those of one table as one.
fn top(listing: &Listing, names: &Names, items: usize) -> Vec<String> {
    let show = |(tag, count): (Tag, usize)| match count {
        1 => listing.show(tag),
        count => format!("{} ×{count}", listing.show(tag)),
    };
    let top = folded(names.main.iter().rev().copied());
    top.take(items).map(show).collect()
}

fn json_of(shown: &Shown<'_>, picked: &[bool]) -> Value {
    let listing = shown.listing;
    let profile = listing.profile();
    let place = |place: &gavel_compiler::listing::Place| json!({ "file": place.file, "line": place.line, "text": place.text });
    let kinds = profile.kinds.iter();
    let lines = profile.lines.iter();
    let mut value = json!({
        "leaf": shown.name,
        "bytes": listing.script.len(),
        "weight": shown.weight,
        "peak": listing.peak.0,
        "kinds": kinds.map(|(kind, bytes)| json!({ "kind": kind.name(), "bytes": bytes }))
            .collect::<Vec<_>>(),
        "lines": lines.map(|(at, bytes)| json!({ "place": place(at), "bytes": bytes }))
            .collect::<Vec<_>>(),
        "bytes_without_line": profile.nowhere,
    });
    if shown.summary {
        return value;
    }
    let mut runs = Vec::new();
    let mut n = 0;
    listing.walk(|run, names| {
        if picked.get(n) == Some(&true) {
            runs.push(json!({
                "from": run.bytes.start,
                "to": run.bytes.end,
                "what": listing.describe(run.about),
                "place": listing.place(run).map(place),
                "asm": listing.asm(run.steps.clone()),
                "depth": names.main.len(),
                "altstack": names.alt.len(),
                "stack": top(listing, names, shown.items),
            }));
        }
        n += 1;
    });
    if let Value::Object(map) = &mut value {
        map.insert("runs".to_owned(), runs.into());
    }
    value
}
