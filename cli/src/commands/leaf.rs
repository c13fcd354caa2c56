//! Leaves by name: `segment:3`, `segment:12/Yes`, `claim:1`, `release`. For `inspect` and
//! `debug`.

mod keys;

pub(super) use keys::{public_keys, signature};

use gavel_compiler::diagnostic::did_you_mean;
use gavel_compiler::listing::{Check, Listing};
use gavel_compiler::script::leaf::disprove::{elements_of, prefix_len, witness_len};
use gavel_compiler::script::{AssertReveal, ClaimReveal, Disprove};
use gavel_compiler::segment::{Body, Budget, ElementId};
use gavel_compiler::units::StackDepth;
use gavel_verifier::connector::{Connectors, Leaf, LeafKind, Tap};
use gavel_verifier::deploy::Terms;
use gavel_verifier::graph::Graph;
use gavel_verifier::sample;

use super::compile::sample_graph;
use crate::contract_file::Loaded;
use crate::exit::Exit;
use crate::failure::Failure;

/// A leaf in a list.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Row {
    /// As it is asked for.
    pub(super) name: String,
    /// Bytes of its script.
    pub(super) bytes: usize,
    /// What a transaction that spends it weighs at most, as the planner reckons.
    pub(super) weight: u64,
    /// Most items on stack and altstack.
    pub(super) peak: u16,
    /// What it is for.
    pub(super) about: String,
}

/// Which leaf is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Of a segment, counted from 0; in the last one for a claimed outcome.
    Segment(usize, Option<u8>),
    /// Of a sample instance, by name.
    Sample,
}

/// All leaves: those of the segments, and those of a sample instance.
pub(super) fn rows(loaded: &Loaded) -> Result<Vec<Row>, Failure> {
    let mut rows = segment_rows(loaded);
    let graph = sample_graph(loaded, Terms::default())?;
    for (name, about, leaf) in sample_leaves(&graph) {
        let (bytes, witness, peak) = sizes(&leaf);
        rows.push(Row {
            name,
            bytes,
            weight: weight(bytes, witness),
            peak: peak.0,
            about: about.to_owned(),
        });
    }
    Ok(rows)
}

/// What the planner reckons for a leaf and the stack that spends it.
pub(super) fn weight(script: usize, witness: usize) -> u64 {
    (script + witness) as u64 + Budget::default().overhead.0
}

/// The names of a segment's leaves, with their bodies.
fn names_of(loaded: &Loaded, segment: usize) -> Vec<(String, Option<String>, Body)> {
    let bodies = loaded.compiled.bodies.get(segment);
    let last = segment + 1 == loaded.plan().segments.len();
    let outcomes = &loaded.contract().program.outcomes;
    let bodies = bodies.into_iter().flatten().cloned().enumerate();
    let named = bodies.map(|(k, body)| match outcomes.get(k).filter(|_| last) {
        Some(outcome) => (
            format!("segment:{}/{outcome}", segment + 1),
            Some(outcome.clone()),
            body,
        ),
        None => (format!("segment:{}", segment + 1), None, body),
    });
    named.collect()
}

fn segment_rows(loaded: &Loaded) -> Vec<Row> {
    let challengers = loaded.contract().parties.len().saturating_sub(1);
    let mut rows = Vec::new();
    for segment in 0..loaded.plan().segments.len() {
        let Ok((_, shapes)) = elements_of(loaded.plan(), segment) else {
            continue;
        };
        for (name, outcome, body) in names_of(loaded, segment) {
            let bytes = prefix_len(&shapes, challengers) + body.script.len();
            let about = match outcome {
                Some(outcome) => {
                    format!("disproves a claim of {outcome}")
                }
                None => "disproves the segment".to_owned(),
            };
            rows.push(Row {
                name,
                bytes,
                weight: weight(bytes, witness_len(&shapes, challengers)),
                peak: body.peak.0,
                about,
            });
        }
    }
    rows
}

/// Finds a leaf by its name.
pub(super) fn find(loaded: &Loaded, name: &str) -> Result<Which, Failure> {
    let Some(rest) = name.strip_prefix("segment:") else {
        return Ok(Which::Sample);
    };
    let count = loaded.plan().segments.len();
    let (number, outcome) = match rest.split_once('/') {
        Some((number, outcome)) => (number, Some(outcome)),
        None => (rest, None),
    };
    let segment = number.parse().ok().filter(|n| (1..=count).contains(n));
    let Some(segment) = segment.and_then(|n: usize| n.checked_sub(1)) else {
        let there = match count {
            1 => "the only segment is 1".to_owned(),
            _ => format!("the segments are 1 to {count}"),
        };
        let message = format!("there is no leaf `{name}`: {there}");
        return Err(Failure::usage(message).hint(LIST_HINT));
    };
    let outcomes = &loaded.contract().program.outcomes;
    let last = segment + 1 == count;
    match (last, outcome) {
        (false, None) => Ok(Which::Segment(segment, None)),
        (false, Some(_)) => Err(Failure::usage(format!(
            "`{name}`: only the last segment, {count}, has a leaf for each outcome"
        ))
        .hint(format!("Ask for `segment:{}`.", segment + 1))),
        (true, None) => {
            let names = outcomes.iter().map(|o| format!("segment:{count}/{o}"));
            let names: Vec<String> = names.collect();
            let message = format!("`{name}` is the last segment: it has a leaf for each outcome");
            Err(Failure::usage(message).hint(format!("Ask for {}.", names.join(" or "))))
        }
        (true, Some(outcome)) => {
            let same = |o: &&String| o.eq_ignore_ascii_case(outcome);
            let at = outcomes.iter().position(|o| o == outcome);
            let at = at.or_else(|| outcomes.iter().position(|o| same(&o)));
            let at = at.and_then(|at| u8::try_from(at).ok());
            at.map(|at| Which::Segment(segment, Some(at)))
                .ok_or_else(|| {
                    let message = format!("there is no outcome `{outcome}`");
                    Failure::usage(message).hint(format!("There are: {}.", outcomes.join(", ")))
                })
        }
    }
}

const LIST_HINT: &str = "`gavel inspect FILE` lists the leaves.";

/// A leaf of a sample instance, and bytes of the stack that spends it.
pub(super) fn sample_listing(loaded: &Loaded, name: &str) -> Result<(Listing, usize), Failure> {
    let graph = sample_graph(loaded, Terms::default())?;
    let leaves = sample_leaves(&graph);
    let found = leaves.iter().find(|(known, _, _)| known == name);
    let Some((_, _, leaf)) = found else {
        let segments = segment_rows(loaded).into_iter().map(|row| row.name);
        let names: Vec<String> = leaves.iter().map(|(name, _, _)| name.clone()).collect();
        let names: Vec<String> = segments.chain(names).collect();
        let failure = Failure::usage(format!("there is no leaf `{name}`"));
        return Err(match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(meant) => failure.hint(format!("Did you mean `{meant}`? {LIST_HINT}")),
            None => failure.hint(LIST_HINT),
        });
    };
    let script = leaf.script.as_ref().map(|script| script.to_bytes());
    let (_, witness, peak) = sizes(leaf);
    let checks = checks(loaded, leaf, name);
    let listing = Listing::plain(script.unwrap_or_default(), peak, checks);
    Ok((listing, witness))
}

/// The leaf of a segment, with keys that everybody can compute.
pub(super) fn segment_listing(
    loaded: &Loaded,
    segment: usize,
    claimed: Option<u8>,
) -> Result<(Listing, Disprove), Failure> {
    let contract = loaded.contract();
    let challengers: Vec<_> = (1..contract.parties.len() as u8)
        .map(|party| sample::seed(party).party_key(&contract.id).public())
        .collect();
    let keys = public_keys(loaded.plan());
    Listing::segment(&loaded.compiled, segment, claimed, &keys, &challengers)
        .map_err(|error| Failure::new(Exit::No, "script", error.to_string()))
}

/// The leaves of a sample instance but those of segments: for the first party as claimer and the
/// second as challenger.
fn sample_leaves(graph: &Graph) -> Vec<(String, &'static str, Leaf)> {
    let c = &graph.connectors;
    let mut all = Vec::new();
    let mut add =
        |name: String, about: &'static str, tap: Option<&std::sync::Arc<Tap>>, at: usize| {
            let leaf = tap.and_then(|tap| tap.leaves.get(at));
            all.extend(leaf.map(|leaf| (name, about, leaf.clone())));
        };
    let bonds = c.bond.first().map_or(&[][..], |taps| taps.as_slice());
    for (n, tap) in (1..).zip(bonds) {
        let name = format!("claim:{n}");
        add(
            name,
            "reveals a group of inputs",
            Some(tap),
            Connectors::BOND_REVEAL,
        );
    }
    let frames = c.challenged.first().and_then(|of| of.get(1));
    for (n, tap) in (1..).zip(frames.into_iter().flatten()) {
        let name = format!("assert:{n}");
        add(
            name,
            "reveals a group of frames",
            Some(tap),
            Connectors::CHALLENGED_REVEAL,
        );
    }
    let claimed = c.claimed.first().and_then(|of| of.first());
    let rest = [
        (
            "challenge",
            "challenges a claim",
            c.stake.get(1),
            Connectors::STAKE_CHALLENGE,
        ),
        (
            "release",
            "pays an undisproved claim",
            claimed,
            Connectors::CLAIMED_RELEASE,
        ),
        (
            "sweep",
            "takes an unasserted claim's output",
            c.open.first(),
            Connectors::OPEN_SWEEP,
        ),
        (
            "unstake",
            "takes a stake back in time",
            c.staked.get(1),
            Connectors::STAKED_UNSTAKE,
        ),
        (
            "reclaim",
            "takes a bond or a stake back at the end",
            bonds.first(),
            Connectors::BOND_RECLAIM,
        ),
    ];
    for (name, about, tap, at) in rest {
        add(name.to_owned(), about, tap, at);
    }
    all
}

/// Bytes of the script, bytes of the stack that spends it, peak.
fn sizes(leaf: &Leaf) -> (usize, usize, StackDepth) {
    let bytes = leaf.script.as_ref().map_or(0, |script| script.len());
    let signed = |signatures: u16| {
        (
            bytes,
            65 * usize::from(signatures),
            StackDepth(signatures + 1),
        )
    };
    match &leaf.kind {
        LeafKind::ClaimReveal(reveal) => (
            bytes,
            ClaimReveal::witness_len(&reveal.elements, |_| false),
            reveal.peak,
        ),
        LeafKind::AssertReveal(reveal) => (
            bytes,
            AssertReveal::witness_len(&reveal.shapes),
            reveal.peak,
        ),
        LeafKind::Timeout => signed(1),
        _ => signed(2),
    }
}

/// The commitments that a leaf checks, in the order in which it does.
fn checks(loaded: &Loaded, leaf: &Leaf, name: &str) -> Vec<Check> {
    let plan = loaded.plan();
    let group = |groups: &[Vec<ElementId>]| {
        let number = name
            .split_once(':')
            .and_then(|(_, n)| n.parse::<usize>().ok());
        let group = groups.get(number.and_then(|n| n.checked_sub(1)).unwrap_or(0));
        let elements = group.into_iter().flatten().rev();
        let found = elements.filter_map(|id| Some((*id, plan.elements.get(id.index())?)));
        found.collect::<Vec<_>>()
    };
    let check = |name: String, words: Vec<u8>, id: ElementId| Check {
        name,
        words,
        element: Some(id),
    };
    let mut checks = Vec::new();
    match &leaf.kind {
        LeafKind::ClaimReveal(reveal) => {
            let elements = group(&plan.input_groups);
            for ((id, element), claim) in elements.into_iter().zip(reveal.elements.iter().rev()) {
                checks.push(check(element.name.clone(), element.digits(), id));
                if claim.author.is_some() {
                    let words = claim.words.get(usize::from(claim.optional)..);
                    let words = words.unwrap_or_default().to_vec();
                    checks.push(check(format!("{}, its author's", element.name), words, id));
                }
            }
        }
        LeafKind::AssertReveal(_) => {
            let elements = group(&plan.frame_groups);
            for (id, element) in elements {
                checks.push(check(element.name.clone(), element.digits(), id));
            }
        }
        _ => {}
    }
    checks
}
