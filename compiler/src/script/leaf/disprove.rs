//! Disproves a claim: a challenger shows, with the claimer's own signatures, that a segment
//! was computed wrongly, that it aborts, or that it ends in another outcome than claimed.
//!
//! Witness, bottom first: the signatures of what the segment reads, of what it writes, in the
//! plan's order; one item per challenger, the last challenger's first: a signature or empty.

use super::super::ScriptError;
use super::super::asm::Asm;
use super::super::body::{Job, generate_noted, words_of};
use super::super::code::Code;
use super::super::marks::Notes;
use super::super::winternitz::{self, Mode};
use super::{MAX_CHALLENGERS, SchnorrSignature, take_signatures};
use crate::commit::{PublicKey, Shape, Signature};
use crate::segment::{Bodies, Body, ElementId, Plan};
use crate::tap;
use crate::units::StackDepth;
use bitcoin::{ScriptBuf, TapLeafHash, XOnlyPublicKey};
use rayon::prelude::*;
use std::sync::Arc;

/// Is told how much is done of how much, from any thread.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// The leaf of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disprove {
    /// The script.
    pub script: ScriptBuf,
    /// The elements whose signatures it checks, reads before writes.
    pub elements: Vec<ElementId>,
    /// Their shapes.
    pub shapes: Vec<Shape>,
    /// How many challengers it names.
    pub challengers: usize,
    /// Highest stack plus altstack, witness included.
    pub peak: StackDepth,
}

/// The program-dependent part of the leaf of one segment, for one claimed outcome (which only
/// the last segment looks at).
///
/// # Errors
/// [`ScriptError`] if the plan has no such segment or outcome.
pub fn body(plan: &Plan, segment: usize, claimed: Option<u8>) -> Result<Body, ScriptError> {
    body_noted(plan, segment, claimed, &mut Notes::off())
}

/// The same; `notes` learn what the bytes stand for.
///
/// # Errors
/// As [`body`].
pub fn body_noted(
    plan: &Plan,
    segment: usize,
    claimed: Option<u8>,
    notes: &mut Notes,
) -> Result<Body, ScriptError> {
    let last = segment + 1 == plan.segments.len();
    if last && claimed.is_none_or(|k| usize::from(k) >= plan.program.outcomes.len()) {
        return Err(ScriptError::Outcome { claimed, segment });
    }
    let missing = ScriptError::NoSegment { segment };
    let (reads, writes) = words_of(plan, segment).ok_or_else(|| missing.clone())?;
    let range = plan.segments.get(segment).ok_or(missing)?.insts.clone();
    let bits = plan.program.bits();
    let job = Job {
        program: &plan.program,
        bits: &bits,
        insts: range,
        reads: &reads,
        writes: &writes,
        claimed: claimed.filter(|_| last),
    };
    let (script, peak) = generate_noted(&job, notes)?;
    let (_, shapes) = elements_of(plan, segment)?;
    let keys: Vec<PublicKey> = shapes
        .iter()
        .map(|shape| PublicKey(vec![[0; 20]; shape.digits()]))
        .collect();
    let prefix = prefix(
        &keys.iter().collect::<Vec<_>>(),
        &shapes,
        &[[0; 32]; MAX_CHALLENGERS],
    );
    Ok(Body {
        script,
        peak: peak.max(prefix.peak()),
    })
}

/// The leaf of one segment, given its [`body`], the claimer's one-time keys by [`ElementId`]
/// and the challengers.
///
/// # Errors
/// [`ScriptError`] if keys do not fit the plan's elements.
pub fn disprove(
    plan: &Plan,
    segment: usize,
    body: &Body,
    keys: &[PublicKey],
    challengers: &[XOnlyPublicKey],
) -> Result<Disprove, ScriptError> {
    let (mut asm, elements, shapes) = keyed(plan, segment, keys, challengers)?;
    asm.append(&body.script, body.peak);
    let (script, peak) = asm.finish()?;
    Ok(Disprove {
        script: ScriptBuf::from_bytes(script),
        elements,
        shapes,
        challengers: challengers.len(),
        peak,
    })
}

/// The hash of what [`disprove`] makes. The body is hashed where it lies: of each leaf there is
/// only the part with keys at a time.
///
/// # Errors
/// Those of [`disprove`].
pub fn disprove_hash(
    plan: &Plan,
    segment: usize,
    body: &Body,
    keys: &[PublicKey],
    challengers: &[XOnlyPublicKey],
) -> Result<TapLeafHash, ScriptError> {
    let (asm, _, _) = keyed(plan, segment, keys, challengers)?;
    let parts = [asm.bytes(), &body.script];
    Ok(tap::leaf_hash_of(&parts))
}

/// The part of a leaf that depends on keys, which comes first, with the elements that it checks
/// and their shapes.
fn keyed(
    plan: &Plan,
    segment: usize,
    keys: &[PublicKey],
    challengers: &[XOnlyPublicKey],
) -> Result<(Asm, Vec<ElementId>, Vec<Shape>), ScriptError> {
    if challengers.is_empty() || challengers.len() > MAX_CHALLENGERS {
        return Err(ScriptError::Challengers {
            given: challengers.len(),
        });
    }
    let (elements, shapes) = elements_of(plan, segment)?;
    let mut used = Vec::with_capacity(elements.len());
    for (element, shape) in elements.iter().zip(&shapes) {
        match keys.get(element.index()) {
            Some(key) if key.fits(*shape) => used.push(key),
            _ => {
                return Err(ScriptError::KeyShape {
                    element: *element,
                    digits: shape.digits(),
                });
            }
        }
    }
    let challengers: Vec<[u8; 32]> = challengers.iter().map(XOnlyPublicKey::serialize).collect();
    Ok((prefix(&used, &shapes, &challengers), elements, shapes))
}

/// Everything before the body: a challenger's signature, then the commitments, whose digits
/// end on the altstack: reads above writes, each element's first digit on top.
fn prefix(keys: &[&PublicKey], shapes: &[Shape], challengers: &[[u8; 32]]) -> Asm {
    let mut asm = Asm::new(items(shapes, challengers.len()), 0);
    for (n, key) in challengers.iter().enumerate() {
        asm.data(key);
        asm.op(if n == 0 {
            Code::CheckSig
        } else {
            Code::CheckSigAdd
        });
    }
    asm.op(Code::Verify);
    // Writes are the last elements and on top; so they come first and lie lowest.
    for (key, shape) in keys.iter().zip(shapes).rev() {
        winternitz::verify(&mut asm, key, *shape, Mode::Disprove);
    }
    asm
}

/// All bodies of a plan, made in parallel the first time they are asked for; `progress` is told
/// how many of how many are done. The result doesn't depend on the number of threads.
///
/// # Errors
/// [`ScriptError`] of the first body that can't be made.
pub fn bodies<'a>(plan: &'a Plan, progress: Progress<'_>) -> Result<&'a Arc<Bodies>, ScriptError> {
    plan.made.get_or_make(|| make_bodies(plan, progress))
}

fn make_bodies(plan: &Plan, progress: Progress<'_>) -> Result<Bodies, ScriptError> {
    let last = plan.segments.len().saturating_sub(1);
    let outcomes = plan.program.outcomes.len() as u8;
    let jobs: Vec<(usize, Option<u8>)> = (0..last)
        .map(|segment| (segment, None))
        .chain((0..outcomes).map(|k| (last, Some(k))))
        .collect();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let made: Vec<Result<Body, ScriptError>> = jobs
        .par_iter()
        .map(|(segment, claimed)| {
            let made = body(plan, *segment, *claimed);
            let before = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            progress(before + 1, jobs.len());
            made
        })
        .collect();
    let mut bodies = vec![Vec::new(); plan.segments.len()];
    for ((segment, _), body) in jobs.iter().zip(made) {
        if let Some(of) = bodies.get_mut(*segment) {
            of.push(body?);
        }
    }
    Ok(bodies)
}

/// The elements that a segment's leaf checks, reads before writes.
///
/// # Errors
/// [`ScriptError::NoSegment`].
pub fn elements_of(
    plan: &Plan,
    segment: usize,
) -> Result<(Vec<ElementId>, Vec<Shape>), ScriptError> {
    let missing = ScriptError::NoSegment { segment };
    let found = plan.segments.get(segment).ok_or_else(|| missing.clone())?;
    let elements: Vec<ElementId> = found.reads.iter().chain(&found.writes).copied().collect();
    let shapes: Option<Vec<Shape>> = elements
        .iter()
        .map(|id| plan.elements.get(id.index()).map(|element| element.shape()))
        .collect();
    Ok((elements, shapes.ok_or(missing)?))
}

/// Length of a leaf without its body.
pub fn prefix_len(shapes: &[Shape], challengers: usize) -> usize {
    let checks = shapes
        .iter()
        .map(|shape| winternitz::verify_len(*shape, Mode::Disprove));
    34 * challengers + 1 + checks.sum::<usize>()
}

/// Items of a witness.
pub fn items(shapes: &[Shape], challengers: usize) -> usize {
    challengers + shapes.iter().map(|shape| shape.items()).sum::<usize>()
}

/// Bytes of a witness with one challenger's signature, length prefixes included.
pub fn witness_len(shapes: &[Shape], challengers: usize) -> usize {
    64 + challengers
        + shapes
            .iter()
            .map(|s| winternitz::witness_len(*s))
            .sum::<usize>()
}

impl Disprove {
    /// The stack that spends the leaf, given how to find each element's signature; `None` if
    /// one is missing or there is no such challenger.
    pub fn witness(
        &self,
        signature: impl Fn(ElementId) -> Option<Signature>,
        challenger: usize,
        schnorr: &SchnorrSignature,
    ) -> Option<Vec<Vec<u8>>> {
        if challenger >= self.challengers {
            return None;
        }
        let mut stack = Vec::new();
        for (element, shape) in self.elements.iter().zip(&self.shapes) {
            stack.extend(signature(*element)?.to_witness(*shape));
        }
        for n in (0..self.challengers).rev() {
            stack.push(if n == challenger {
                schnorr.to_vec()
            } else {
                vec![]
            });
        }
        Some(stack)
    }

    /// The claimer's one-time signatures in a stack that spends the leaf; `None` if it has
    /// another form.
    pub fn parse(&self, stack: &[Vec<u8>]) -> Option<Vec<(ElementId, Signature)>> {
        let (signatures, rest) = take_signatures(stack, &self.shapes)?;
        let pairs = self.elements.iter().copied().zip(signatures).collect();
        (rest.len() == self.challengers).then_some(pairs)
    }
}
