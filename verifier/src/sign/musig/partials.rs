//! Second round: partial signatures.

use super::error::{Missing, MusigError};
use super::nonces::Secret;
use super::{Common, missing};
use crate::sign::hash::Tagged;
use crate::sign::hex::{self, Hex};
use ::musig::musig::{PartialSignature, PublicNonce, Session as JobSession};
use bitcoin::secp256k1::{Message, Secp256k1, schnorr};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A party's partial signatures, one per job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialsMessage {
    /// Who sends it.
    pub party: u8,
    /// Digest of the session id, the keys and the jobs.
    #[serde(with = "hex::array")]
    pub session: [u8; 32],
    /// Digest of all nonces that the party saw.
    #[serde(with = "hex::array")]
    pub nonces: [u8; 32],
    /// By job.
    pub partials: Vec<Hex<32>>,
}

/// A signing session that has signed, and collects the others' partial signatures.
pub struct PartialRound {
    common: Common,
    /// By job.
    sessions: Vec<JobSession>,
    /// By party, then job.
    nonces: Vec<Vec<PublicNonce>>,
    nonces_digest: [u8; 32],
    /// By party, then job; verified.
    partials: Vec<Option<Vec<PartialSignature>>>,
}

impl PartialRound {
    pub(super) fn sign(
        common: Common,
        secrets: Vec<Secret>,
        nonces: Vec<Vec<PublicNonce>>,
        sessions: Vec<JobSession>,
    ) -> Result<(Self, PartialsMessage), MusigError> {
        let own = secrets
            .into_par_iter()
            .zip(&sessions)
            .zip(&common.tweaked)
            .map(|((secret, session), tweaked)| {
                let nonce = secret.take().ok_or(MusigError::Internal("nonce used"))?;
                Ok(session.partial_sign(nonce, &common.key.0, &tweaked.cache))
            })
            .collect::<Result<Vec<_>, MusigError>>()?;
        let nonces_digest = digest(&common.digest, &nonces);
        let message = PartialsMessage {
            party: u8::try_from(common.me).map_err(|_| MusigError::Internal("party index"))?,
            session: common.digest,
            nonces: nonces_digest,
            partials: own.iter().map(|partial| Hex(partial.serialize())).collect(),
        };
        let mut partials = vec![None; common.parties()];
        if let Some(slot) = partials.get_mut(common.me) {
            *slot = Some(own);
        }
        let round = Self {
            common,
            sessions,
            nonces,
            nonces_digest,
            partials,
        };
        Ok((round, message))
    }

    /// Takes the partial signatures of another party, after verifying each.
    pub fn receive_partials(
        mut self,
        from: u8,
        message: &PartialsMessage,
    ) -> Result<Self, MusigError> {
        let index = usize::from(from);
        let seen = self.partials.get(index).is_some_and(|slot| slot.is_some());
        let items = message.partials.len();
        self.common
            .check_message(from, message.party, &message.session, items, seen)?;
        if message.nonces != self.nonces_digest {
            return Err(MusigError::OtherNonces { party: from });
        }
        let partials = self.verify(index, &message.partials).map_err(|job| {
            let job = self.common.label(job);
            MusigError::Partial { party: from, job }
        })?;
        if let Some(slot) = self.partials.get_mut(index) {
            *slot = Some(partials);
        }
        Ok(self)
    }

    /// The partial signatures if all verify, else the first job whose doesn't.
    fn verify(&self, party: usize, partials: &[Hex<32>]) -> Result<Vec<PartialSignature>, usize> {
        let key = self.common.keys.point(party).ok_or(0usize)?;
        let nonces = self.nonces.get(party).ok_or(0usize)?;
        let verified: Vec<Option<PartialSignature>> = partials
            .par_iter()
            .zip(nonces)
            .zip(&self.sessions)
            .zip(&self.common.tweaked)
            .map(|(((bytes, nonce), session), tweaked)| {
                let partial = PartialSignature::from_byte_array(&bytes.0).ok()?;
                session
                    .partial_verify(&tweaked.cache, &partial, nonce, key)
                    .then_some(partial)
            })
            .collect();
        verified
            .into_iter()
            .enumerate()
            .map(|(job, partial)| partial.ok_or(job))
            .collect()
    }

    /// From whom partial signatures are still missing.
    pub fn missing(&self) -> Vec<usize> {
        missing(&self.partials)
    }

    /// The signatures, by job: each verified (BIP 340) against the key that its job names.
    pub fn finish(self) -> Result<Vec<schnorr::Signature>, MusigError> {
        let parties = self.missing();
        if !parties.is_empty() {
            let what = Missing::Partials;
            return Err(MusigError::Missing { what, parties });
        }
        let partials: Vec<&Vec<PartialSignature>> = self.partials.iter().flatten().collect();
        let secp = Secp256k1::verification_only();
        self.common
            .jobs
            .par_iter()
            .zip(&self.sessions)
            .zip(&self.common.tweaked)
            .enumerate()
            .map(|(n, ((job, session), tweaked))| {
                let of_job: Vec<&PartialSignature> =
                    partials.iter().filter_map(|party| party.get(n)).collect();
                if of_job.len() != self.common.parties() {
                    return Err(MusigError::Internal("a partial signature is missing"));
                }
                let aggregate = session.partial_sig_agg(&of_job).assume_valid();
                let message = Message::from_digest(job.sighash);
                schnorr::Signature::from_slice(&aggregate.to_byte_array())
                    .and_then(|signature| {
                        secp.verify_schnorr(&signature, &message, &tweaked.key)?;
                        Ok(signature)
                    })
                    .map_err(|_| MusigError::Aggregate {
                        job: job.label.clone(),
                    })
            })
            .collect()
    }
}

impl fmt::Debug for PartialRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartialRound")
            .field("me", &self.common.me)
            .field("jobs", &self.common.jobs.len())
            .field("missing", &self.missing())
            .finish_non_exhaustive()
    }
}

fn digest(session: &[u8; 32], nonces: &[Vec<PublicNonce>]) -> [u8; 32] {
    let hash = Tagged::new("gavel/musig-nonces").field(session);
    nonces
        .iter()
        .flatten()
        .fold(hash, |hash, nonce| hash.field(&nonce.serialize()))
        .finish()
}
