//! One-time signatures that were ever seen, and the lies that they prove.

use crate::connector::{Connectors, LeafKind, Tap};
use crate::graph::{ClaimId, Graph, Role, TxName};
use bitcoin::Transaction;
use gavel_compiler::commit::{Signature, digits_to_words, words_to_digits};
use gavel_compiler::script::leaf::disprove::elements_of;
use gavel_compiler::script::leaf::take_signatures;
use gavel_compiler::segment::{ElementId, Plan, Trace};
use gavel_compiler::word::End;
use std::collections::BTreeMap;

/// First byte of an annex.
const ANNEX: u8 = 0x50;

/// Signatures of claimers, by claimer. Several where a claimer signed twice.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Complete sets of input signatures, one signature per input element, with the claim
    /// they were shown in.
    claims: BTreeMap<ClaimId, Vec<Vec<Signature>>>,
    /// Frames.
    frames: BTreeMap<u8, BTreeMap<ElementId, Vec<Signature>>>,
}

impl Evidence {
    /// Takes what a transaction reveals.
    pub fn collect(&mut self, graph: &Graph, tx: &Transaction) {
        let mut inputs: BTreeMap<ElementId, Signature> = BTreeMap::new();
        for txin in &tx.input {
            let Some((name, role)) = graph.outputs.get(&txin.previous_output) else {
                continue;
            };
            let Some(revealed) = revealed(graph, *name, *role, &txin.witness) else {
                continue;
            };
            let framed = match (name, role) {
                (TxName::Challenge(id), _) => Some(id.claim.c),
                (TxName::Claim(id), Role::Claimed) => Some(id.c),
                _ => None,
            };
            match framed {
                Some(c) => {
                    let frames = self.frames.entry(c).or_default();
                    for (element, signature) in revealed {
                        remember(frames.entry(element).or_default(), signature);
                    }
                }
                None => inputs.extend(revealed),
            }
        }
        if let Some(TxName::Claim(id)) = graph.names.get(&tx.compute_txid()) {
            let all: Vec<Signature> = inputs.into_values().collect();
            if all.len() == graph.deployment.plan.program.inputs.len() {
                remember(self.claims.entry(*id).or_default(), all);
            }
        }
    }

    /// Input sets shown for a claim.
    pub fn shown(&self, id: ClaimId) -> &[Vec<Signature>] {
        self.claims.get(&id).map_or(&[], Vec::as_slice)
    }

    /// All input sets that a claimer ever signed.
    pub fn signed_by(&self, c: u8) -> impl Iterator<Item = &Vec<Signature>> {
        self.claims
            .iter()
            .filter(move |(id, _)| id.c == c)
            .flat_map(|(_, sets)| sets)
    }

    /// Frames that a claimer signed.
    pub fn frames(&self, c: u8, element: ElementId) -> &[Signature] {
        let frames = self.frames.get(&c).and_then(|frames| frames.get(&element));
        frames.map_or(&[], Vec::as_slice)
    }
}

fn remember<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// The signatures that a witness reveals, if it spends by a reveal leaf.
fn revealed(
    graph: &Graph,
    name: TxName,
    role: Role,
    witness: &bitcoin::Witness,
) -> Option<Vec<(ElementId, Signature)>> {
    let tap = graph.get(name)?.output(role)?.1.tap.as_ref()?;
    let mut items: Vec<Vec<u8>> = witness.iter().map(<[u8]>::to_vec).collect();
    // An annex (BIP 341) isn't relayed, but a miner may include it: it hides nothing.
    if items.len() >= 2
        && items
            .last()
            .is_some_and(|last| last.first() == Some(&ANNEX))
    {
        items.pop();
    }
    let [stack @ .., script, control] = items.as_slice() else {
        return None;
    };
    if role == Role::Claimed {
        return disproof(&graph.deployment.plan, tap, stack, control);
    }
    let leaf = tap.leaves.iter().find(|leaf| {
        leaf.script
            .as_ref()
            .is_some_and(|leaf| leaf.as_bytes() == script.as_slice())
    })?;
    let plan = &graph.deployment.plan;
    match (&leaf.kind, role) {
        (LeafKind::ClaimReveal(reveal), Role::Bond { group, .. }) => {
            let proofs = reveal.parse(stack)?;
            let group = plan.input_groups.get(usize::from(group))?;
            Some(
                group
                    .iter()
                    .copied()
                    .zip(proofs.into_iter().map(|p| p.claimer))
                    .collect(),
            )
        }
        (LeafKind::AssertReveal(reveal), Role::Challenged { group }) => {
            let group = plan.frame_groups.get(usize::from(group))?;
            Some(group.iter().copied().zip(reveal.parse(stack)?).collect())
        }
        _ => None,
    }
}

/// The frames that somebody's Disprove shows.
fn disproof(
    plan: &Plan,
    tap: &Tap,
    stack: &[Vec<u8>],
    control: &[u8],
) -> Option<Vec<(ElementId, Signature)>> {
    let leaf = (0..tap.leaves.len()).find(|n| tap.control(*n).as_deref() == Some(control))?;
    let segment = leaf.checked_sub(Connectors::CLAIMED_RELEASE + 1)?;
    let (elements, shapes) = elements_of(plan, segment).ok()?;
    let (signatures, _) = take_signatures(stack, &shapes)?;
    let mut shown: Vec<_> = elements.into_iter().zip(signatures).collect();
    // What is an input was shown by the Claim; only complete sets of those count.
    shown.retain(|(element, _)| element.index() >= plan.program.inputs.len());
    Some(shown)
}

/// The words of a set of input signatures.
pub(super) fn words(plan: &Plan, inputs: &[Signature]) -> Option<Vec<u32>> {
    let mut words = Vec::new();
    for (element, signature) in plan.elements.iter().zip(inputs) {
        words.extend(digits_to_words(
            &signature.message(element.shape()),
            &element.digits(),
        )?);
    }
    Some(words)
}

/// A lie that a leaf can prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lie {
    /// The segment whose leaf proves it.
    pub segment: usize,
    /// One signature for each element that the leaf reads, then for each that it checks.
    pub signatures: Vec<Signature>,
}

/// The first lie in a claim of outcome `k`: `trace` is what `inputs` really give, `frames`
/// what the claimer signed for each element. `None` if nothing is wrong, or if what would show
/// it wasn't revealed.
pub fn find_lie<'a>(
    plan: &Plan,
    trace: &Trace,
    inputs: &'a [Signature],
    frames: impl Fn(ElementId) -> &'a [Signature],
    k: u8,
) -> Option<Lie> {
    let right = |id: &ElementId, signature: &&Signature| {
        let (Some(element), Some(words)) = (
            plan.elements.get(id.index()),
            trace.elements.get(id.index()),
        ) else {
            return false;
        };
        signature.message(element.shape()) == words_to_digits(words, &element.digits())
    };
    let last = plan.segments.len().checked_sub(1)?;
    for (segment, part) in plan.segments.iter().enumerate() {
        let reads = part.reads.iter().map(|id| match inputs.get(id.index()) {
            Some(signature) => Some(signature),
            None => frames(*id).iter().find(|signature| right(id, signature)),
        });
        let writes = part.writes.iter().map(|id| {
            let signed = frames(*id);
            signed
                .iter()
                .find(|signature| !right(id, signature))
                .or_else(|| signed.first())
        });
        let all: Option<Vec<&Signature>> = reads.chain(writes).collect();
        let Some(all) = all else { continue };
        let wrong_write = part
            .writes
            .iter()
            .zip(all.iter().skip(part.reads.len()))
            .any(|(id, signature)| !right(id, signature));
        let aborts = trace.abort_segment == Some(segment);
        let wrong_end = segment == last && trace.end != End::Outcome(u32::from(k));
        if wrong_write || aborts || wrong_end {
            return Some(Lie {
                segment,
                signatures: all.into_iter().cloned().collect(),
            });
        }
    }
    None
}
