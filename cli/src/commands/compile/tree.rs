//! The taproot trees of the sample instance: one under `claimed` for each claim.

use bitcoin::hex::DisplayHex;
use gavel_compiler::units::Sats;
use gavel_verifier::connector::{Connectors, LeafKind, Tap};
use gavel_verifier::deploy::Terms;
use gavel_verifier::graph::{ClaimId, Graph};
use gavel_verifier::sample::sample;
use serde_json::{Value, json};

use crate::contract_file::Loaded;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table::{Table, grouped};

/// The sample's graph.
pub(in crate::commands) fn sample_graph(loaded: &Loaded, terms: Terms) -> Result<Graph, Failure> {
    sample(loaded.contract().clone(), loaded.plan().clone(), terms).map_err(|error| {
        let failure = Failure::new(
            Exit::No,
            "deploy",
            format!("`{}` can't be deployed: {error}", loaded.path.display()),
        );
        use gavel_verifier::deploy::DeployError as E;
        match error {
            E::Windows { .. } => failure.hint(
                "Change the time locks (`gavel cost --terms`), or the contract's `refund after`.",
            ),
            E::BondTooSmall { least, .. } => failure.hint(least_hint("bond", least)),
            E::StakeTooSmall { least, .. } => failure.hint(least_hint("stake", least)),
            _ => failure,
        }
    })
}

fn least_hint(what: &str, least: Sats) -> String {
    format!(
        "Give a {what} of {} or more, or none: then it is computed.",
        least.0
    )
}

/// The trees as JSON.
pub(super) fn trees(loaded: &Loaded) -> Result<Value, Failure> {
    let graph = sample_graph(loaded, Terms::default())?;
    let d = &graph.deployment;
    let mut trees = Vec::new();
    for ClaimId { c, k } in graph.claims() {
        let taps = graph.connectors.claimed.get(usize::from(c));
        let Some(tap) = taps.and_then(|taps| taps.get(usize::from(k))) else {
            continue;
        };
        let mut leaves = Vec::new();
        for (n, leaf) in tap.leaves.iter().enumerate() {
            let (name, bytes) = match (&leaf.kind, &leaf.script) {
                (LeafKind::Disprove, _) => {
                    let segment = n - Connectors::CLAIMED_RELEASE - 1;
                    let disprove = graph.connectors.disprove(d, c, k, segment);
                    let disprove = disprove
                        .map_err(|error| Failure::new(Exit::No, "script", error.to_string()))?;
                    (format!("disprove {}", segment + 1), disprove.script.len())
                }
                (_, Some(script)) => ("release".to_owned(), script.len()),
                (kind, None) => (format!("{kind:?}"), 0),
            };
            leaves.push(json!({
                "name": name,
                "bytes": bytes,
                "depth": depth(tap, n),
                "hash": leaf.hash.to_string(),
            }));
        }
        trees.push(json!({
            "claimer": d.party_name(c),
            "outcome": d.outcome_name(k),
            "internal_key": tap.internal.to_string(),
            "root": tap.root().map(|root| root.to_string()),
            "output_key": tap.output_key().serialize().to_lower_hex_string(),
            "script_pubkey": tap.script_pubkey().to_hex_string(),
            "leaves": leaves,
        }));
    }
    Ok(json!({ "contract": d.contract.name, "instance": "sample", "trees": trees }))
}

/// How many hashes lead from a leaf to the root: the control block has them.
fn depth(tap: &Tap, leaf: usize) -> Option<usize> {
    Some(tap.control(leaf)?.len().checked_sub(33)? / 32)
}

/// The trees for people.
pub(super) fn text(value: &Value) -> String {
    let text = |value: &Value, name: &str| {
        let found = value.get(name).and_then(Value::as_str);
        found.unwrap_or("none").to_owned()
    };
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    let list = |value: &Value, name: &str| {
        let found = value.get(name).and_then(Value::as_array);
        found.cloned().unwrap_or_default()
    };
    let mut out = format!(
        "contract {}: sample instance, with keys that everybody can compute. Never fund it.\n",
        text(value, "contract")
    );
    for tree in list(value, "trees") {
        out.push_str(&format!(
            "\nclaimed by {}, {}\n  output key    {}\n  internal key  {}\n  merkle root   {}\n",
            text(&tree, "claimer"),
            text(&tree, "outcome"),
            text(&tree, "output_key"),
            text(&tree, "internal_key"),
            text(&tree, "root"),
        ));
        let mut table = Table::new(&["leaf", "bytes", "depth", "<hash"]);
        for leaf in list(&tree, "leaves") {
            table.row([
                text(&leaf, "name"),
                grouped(number(&leaf, "bytes")),
                number(&leaf, "depth").to_string(),
                text(&leaf, "hash"),
            ]);
        }
        out.push_str(&table.text());
    }
    out
}
