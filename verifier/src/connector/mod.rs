//! The outputs that order the graph: which keys and leaves may spend each.
//!
//! **Invariant:** an internal key is the parties' aggregate where the key path is meant, and
//! otherwise a point nobody can know the discrete logarithm of.

mod leaf;
mod tap;

pub use leaf::{Leaf, LeafKind};
pub use tap::Tap;

use crate::deploy::{DeployError, Deployment, PublicOneTimeKeys};
use bitcoin::TapLeafHash;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{PublicKey, Scalar, Secp256k1, XOnlyPublicKey};
use gavel_compiler::commit;
use gavel_compiler::script::{self, Disprove};
use gavel_compiler::segment::{Bodies, Body, ElementId};
use gavel_compiler::word::Author;
use rayon::prelude::*;
use std::sync::Arc;

/// BIP 341's point without a known discrete logarithm: SHA-256 of the generator, as x.
const NUMS: [u8; 32] = [
    0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b, 0x4b, 0x60, 0x35, 0xe9, 0x7a, 0x5e,
    0x07, 0x8a, 0x5a, 0x0f, 0x28, 0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80, 0x3a, 0xc0,
];

/// A key that provably nobody holds, different for each contract: BIP 341's point plus a
/// public multiple of the generator.
///
/// # Errors
/// [`DeployError::Nobody`], with negligible probability.
pub fn nobody(contract_id: &[u8; 32]) -> Result<XOnlyPublicKey, DeployError> {
    let failed = |e: bitcoin::secp256k1::Error| DeployError::Nobody(e.to_string());
    let mut engine = sha256::Hash::engine();
    engine.input(b"gavel/nobody");
    engine.input(contract_id);
    let by = Scalar::from_be_bytes(sha256::Hash::from_engine(engine).to_byte_array())
        .map_err(|_| DeployError::Nobody("tweak out of range".to_owned()))?;
    let point = XOnlyPublicKey::from_slice(&NUMS).map_err(failed)?;
    let point = PublicKey::from_x_only_public_key(point, bitcoin::secp256k1::Parity::Even);
    let tweaked = point
        .add_exp_tweak(&Secp256k1::verification_only(), &by)
        .map_err(failed)?;
    Ok(tweaked.x_only_public_key().0)
}

/// Everything about a deployment's outputs but their values.
#[derive(Debug)]
pub struct Connectors {
    /// n-of-n by key path, no leaves.
    pub vault: Arc<Tap>,
    /// `bond[c][g]`: a reveal leaf and a reclaim leaf.
    pub bond: Vec<Vec<Arc<Tap>>>,
    /// `stake[v]`: the same for every claimer.
    pub stake: Vec<Arc<Tap>>,
    /// `claimed[c][k]`: n-of-n by key path; a release leaf and the disprove leaves.
    pub claimed: Vec<Vec<Arc<Tap>>>,
    /// `open[c]`: n-of-n by key path; a sweep leaf.
    pub open: Vec<Arc<Tap>>,
    /// `challenged[c][v][g]`: n-of-n by key path; a reveal leaf and an unstake leaf.
    pub challenged: Vec<Vec<Vec<Arc<Tap>>>>,
    /// `staked[v]`: n-of-n by key path; an unstake leaf.
    pub staked: Vec<Arc<Tap>>,
    /// `own[p]`: a party's own key, no leaves: `paid`, `freed`, keyed anchors.
    pub own: Vec<Arc<Tap>>,
    keys: Vec<PublicOneTimeKeys>,
}

/// Places of the leaves within their trees.
impl Connectors {
    /// In `bond`: reveals a group of inputs.
    pub const BOND_REVEAL: usize = 0;
    /// In `bond`: back to its owner after R.
    pub const BOND_RECLAIM: usize = 1;
    /// In `stake`: spent by Challenge.
    pub const STAKE_CHALLENGE: usize = 0;
    /// In `stake`: back to its owner after R.
    pub const STAKE_RECLAIM: usize = 1;
    /// In `claimed`: back to the claimer after 2T. Disprove leaves follow, one per segment.
    pub const CLAIMED_RELEASE: usize = 0;
    /// In `open`: to the claimer after Δ1.
    pub const OPEN_SWEEP: usize = 0;
    /// In `challenged`: reveals a group of frames.
    pub const CHALLENGED_REVEAL: usize = 0;
    /// In `challenged`: back to the challenger after U.
    pub const CHALLENGED_UNSTAKE: usize = 1;
    /// In `staked`: back to the challenger after U.
    pub const STAKED_UNSTAKE: usize = 0;
}

impl Connectors {
    /// Derives every output's script. Leaves are generated in parallel, hashed and dropped;
    /// the result doesn't depend on the number of threads.
    ///
    /// # Errors
    /// [`DeployError::OneTimeKey`] if `keys` don't fit the plan; [`DeployError::Script`].
    pub fn new(d: &Deployment, keys: Vec<PublicOneTimeKeys>) -> Result<Self, DeployError> {
        d.check_keys(&keys)?;
        let locks = d.locks();
        let nobody = nobody(&d.contract.id)?;
        let key = |party: u8| d.parties.get(usize::from(party)).map_or(nobody, |p| p.key);
        let parties: Vec<u8> = (0..d.n()).collect();
        let failed = |e: script::ScriptError| DeployError::Script(e.to_string());
        let bodies = script::bodies(&d.plan, &|_, _| ()).map_err(failed)?;

        let bond = parties.iter().map(|c| {
            let group = |group: &Vec<ElementId>| {
                let reveal = claim_reveal(d, &keys, *c, group)?;
                Ok(Tap::new(
                    nobody,
                    vec![
                        Leaf::claim_reveal(reveal),
                        Leaf::after(key(*c), locks.refund)?,
                    ],
                ))
            };
            d.plan.input_groups.iter().map(group).collect()
        });
        let stake = parties.iter().map(|v| {
            let challenge = Leaf::joint_and(d.joint, key(*v), LeafKind::Challenge)?;
            Ok(Tap::new(
                nobody,
                vec![challenge, Leaf::after(key(*v), locks.refund)?],
            ))
        });
        let open = parties
            .iter()
            .map(|c| Ok(Tap::new(d.joint, vec![Leaf::after(key(*c), locks.payout)?])));
        let staked = parties.iter().map(|v| {
            Ok(Tap::new(
                d.joint,
                vec![Leaf::after(key(*v), locks.unstake)?],
            ))
        });
        let challenged = parties.iter().map(|c| {
            let reveals = d.plan.frame_groups.iter().map(|group| {
                let keys = keys.get(usize::from(*c)).map(|k| k.claimer.as_slice());
                let reveal = assert_reveal(d, keys.unwrap_or_default(), group)?;
                Ok(Leaf::assert_reveal(reveal))
            });
            let reveals = reveals.collect::<Result<Vec<Leaf>, DeployError>>()?;
            let of = |v: &u8| {
                let group = |reveal: &Leaf| {
                    let unstake = Leaf::after(key(*v), locks.unstake)?;
                    Ok(Tap::new(d.joint, vec![reveal.clone(), unstake]))
                };
                reveals.iter().map(group).collect()
            };
            parties.iter().map(of).collect()
        });
        Ok(Self {
            vault: Tap::new(d.joint, vec![]),
            bond: bond.collect::<Result<_, DeployError>>()?,
            stake: stake.collect::<Result<_, DeployError>>()?,
            claimed: claimed_taps(d, &keys, bodies)?,
            open: open.collect::<Result<_, DeployError>>()?,
            challenged: challenged.collect::<Result<_, DeployError>>()?,
            staked: staked.collect::<Result<_, DeployError>>()?,
            own: parties.iter().map(|p| Tap::new(key(*p), vec![])).collect(),
            keys,
        })
    }

    /// The disprove leaf of one segment against claim `(c, k)`, generated again.
    ///
    /// # Errors
    /// [`DeployError::Script`] for a segment or party that doesn't exist.
    pub fn disprove(
        &self,
        d: &Deployment,
        c: u8,
        k: u8,
        segment: usize,
    ) -> Result<Disprove, DeployError> {
        let body = self.body(d, segment, k);
        let keys = self.keys.get(usize::from(c));
        let (Some(body), Some(keys)) = (body, keys) else {
            return Err(DeployError::Script(format!(
                "no segment {segment} or party {c}"
            )));
        };
        disprove(d, &keys.claimer, body, c, segment)
    }

    /// The one-time keys that the scripts were made from.
    pub fn keys(&self) -> &[PublicOneTimeKeys] {
        &self.keys
    }

    /// A disprove leaf's body.
    pub fn body<'a>(&self, d: &'a Deployment, segment: usize, k: u8) -> Option<&'a Body> {
        body_of(script::bodies(&d.plan, &|_, _| ()).ok()?, segment, k)
    }
}

/// The body of a segment's leaf against outcome `k`.
fn body_of(bodies: &Bodies, segment: usize, k: u8) -> Option<&Body> {
    match bodies.get(segment)?.as_slice() {
        [body] => Some(body),
        per_outcome => per_outcome.get(usize::from(k)),
    }
}

/// `claimed[c][k]` for all: segment leaves are shared by a claimer's outcomes, the last
/// segment's are not.
fn claimed_taps(
    d: &Deployment,
    keys: &[PublicOneTimeKeys],
    bodies: &Bodies,
) -> Result<Vec<Vec<Arc<Tap>>>, DeployError> {
    let hash = |c: u8, keys: &PublicOneTimeKeys, segment: usize, body: &Body| {
        let challengers = challengers(d, c);
        script::disprove_hash(&d.plan, segment, body, &keys.claimer, &challengers)
            .map_err(|e| DeployError::Script(e.to_string()))
    };
    let release = d.locks().release;
    let last = bodies.len().saturating_sub(1);
    (0..d.n())
        .zip(keys)
        .map(|(c, keys)| {
            let leaf = |(segment, body): (usize, &Body)| hash(c, keys, segment, body);
            let shared: Vec<(usize, &Body)> =
                bodies.iter().take(last).flatten().enumerate().collect();
            let shared: Vec<TapLeafHash> = shared
                .into_par_iter()
                .map(leaf)
                .collect::<Result<_, DeployError>>()?;
            let per_outcome: Vec<TapLeafHash> = bodies
                .get(last)
                .map_or(&[][..], Vec::as_slice)
                .par_iter()
                .map(|body| leaf((last, body)))
                .collect::<Result<_, DeployError>>()?;
            let claimer = d.parties.get(usize::from(c)).map_or(d.joint, |p| p.key);
            let taps = per_outcome.into_iter().map(|last| {
                let release = Leaf::joint_and_after(d.joint, claimer, release)?;
                let hashes = shared.iter().copied().chain([last]);
                let leaves = [release].into_iter().chain(hashes.map(Leaf::hashed));
                Ok(Tap::new(d.joint, leaves.collect()))
            });
            taps.collect()
        })
        .collect()
}

fn disprove(
    d: &Deployment,
    keys: &[commit::PublicKey],
    body: &Body,
    c: u8,
    segment: usize,
) -> Result<Disprove, DeployError> {
    script::disprove(&d.plan, segment, body, keys, &challengers(d, c))
        .map_err(|e| DeployError::Script(e.to_string()))
}

/// The keys of all but a claimer.
fn challengers(d: &Deployment, c: u8) -> Vec<XOnlyPublicKey> {
    d.others(c)
        .filter_map(|v| d.parties.get(usize::from(v)).map(|party| party.key))
        .collect()
}

fn assert_reveal(
    d: &Deployment,
    keys: &[commit::PublicKey],
    group: &[ElementId],
) -> Result<Arc<script::AssertReveal>, DeployError> {
    let failed = |e: script::ScriptError| DeployError::Script(e.to_string());
    let pick = |id: &ElementId| {
        Some((
            keys.get(id.index())?,
            d.plan.elements.get(id.index())?.shape(),
        ))
    };
    let elements: Option<Vec<_>> = group.iter().map(pick).collect();
    let elements = elements.ok_or_else(|| DeployError::Script("unknown element".to_owned()))?;
    Ok(Arc::new(
        script::AssertReveal::new(&elements, d.joint).map_err(failed)?,
    ))
}

fn claim_reveal(
    d: &Deployment,
    keys: &[PublicOneTimeKeys],
    c: u8,
    group: &[ElementId],
) -> Result<Arc<script::ClaimReveal>, DeployError> {
    let unknown = || DeployError::Script("unknown input element".to_owned());
    let claimer = keys.get(usize::from(c)).ok_or_else(unknown)?;
    let mut inputs = Vec::with_capacity(group.len());
    for id in group {
        let input = d.plan.program.inputs.get(id.index()).ok_or_else(unknown)?;
        let author = match input.author {
            Author::Anyone => None,
            Author::Party(p) => keys
                .get(usize::from(p))
                .and_then(|keys| keys.author.get(id.index()))
                .and_then(Option::as_ref),
            Author::Attestor(a) => d.contract.attestors.get(usize::from(a)).map(|a| &a.key),
        };
        let vouched = input.author != Author::Anyone;
        if vouched && author.is_none_or(|key| !key.fits(input.author_shape())) {
            return Err(unknown());
        }
        inputs.push(script::ClaimElement {
            words: input.words.clone(),
            claimer: claimer.claimer.get(id.index()).ok_or_else(unknown)?.clone(),
            author: author.cloned(),
            optional: input.optional,
        });
    }
    let key = d.parties.get(usize::from(c)).ok_or_else(unknown)?.key;
    let failed = |e: script::ScriptError| DeployError::Script(e.to_string());
    Ok(Arc::new(
        script::ClaimReveal::new(&inputs, key).map_err(failed)?,
    ))
}
