//! First round: nonces.

use super::error::{Missing, MusigError};
use super::partials::{PartialRound, PartialsMessage};
use super::{Common, Job, MAX_JOBS, missing};
use crate::sign::hash::Tagged;
use crate::sign::hex::{self, Hex};
use crate::sign::key::PartyKey;
use crate::sign::key_agg::KeyAgg;
use crate::sign::rand::CryptoRng;
use ::musig::musig::{
    AggregatedNonce, PublicNonce, SecretNonce, Session as JobSession, SessionSecretRand,
    new_nonce_pair,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A party's public nonces, one per job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoncesMessage {
    /// Who sends it.
    pub party: u8,
    /// Digest of the session id, the keys and the jobs.
    #[serde(with = "hex::array")]
    pub session: [u8; 32],
    /// Two points each, by job.
    pub nonces: Vec<Hex<66>>,
}

/// A signing session that collects nonces.
pub struct Session {
    common: Common,
    secrets: Vec<Secret>,
    /// By party.
    nonces: Vec<Option<Vec<PublicNonce>>>,
}

/// A secret nonce, erased when dropped unused.
pub(super) struct Secret(Option<SecretNonce>);

impl Secret {
    pub(super) fn take(mut self) -> Option<SecretNonce> {
        self.0.take()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        if let Some(nonce) = &mut self.0 {
            nonce.non_secure_erase();
        }
    }
}

impl Session {
    /// Starts a session as party `me`, and makes the nonces to send to all others.
    ///
    /// All parties must give the same keys, jobs (labels and order included) and session id; a
    /// retry takes a new id. The generator must be the system's, or seeded from it.
    pub fn start(
        keys: &KeyAgg,
        me: u8,
        key: &PartyKey,
        jobs: Vec<Job>,
        session_id: &[u8; 32],
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, NoncesMessage), MusigError> {
        let index = usize::from(me);
        if keys.parties().get(index) != Some(&key.public()) {
            return Err(MusigError::WrongKey { party: me });
        }
        if jobs.len() > MAX_JOBS {
            return Err(MusigError::TooManyJobs {
                got: jobs.len(),
                limit: MAX_JOBS,
            });
        }
        // libsecp256k1 aborts the process if key and nonce don't match.
        let wrong = MusigError::WrongKey { party: me };
        let key = key.erasing().map_err(|_| wrong.clone())?;
        if keys.point(index) != Some(key.0.public_key()) {
            return Err(wrong);
        }
        let common = Common::new(keys.clone(), index, key, jobs, session_id)?;
        let (secrets, own): (Vec<Secret>, Vec<PublicNonce>) = draw(common.jobs.len(), rng)?
            .into_par_iter()
            .enumerate()
            .zip(&common.jobs)
            .zip(&common.tweaked)
            .map(|(((n, random), job), tweaked)| {
                let extra = Tagged::new("gavel/musig-nonce")
                    .field(&common.digest)
                    .field(&(n as u64).to_le_bytes())
                    .finish();
                let (secret, public) = new_nonce_pair(
                    SessionSecretRand::assume_uniformly_random(*random),
                    Some(&tweaked.cache),
                    Some(common.key.0.secret_key()),
                    common.key.0.public_key(),
                    Some(&job.sighash),
                    Some(extra),
                );
                (Secret(Some(secret)), public)
            })
            .unzip();
        let message = NoncesMessage {
            party: me,
            session: common.digest,
            nonces: own.iter().map(|nonce| Hex(nonce.serialize())).collect(),
        };
        let mut nonces = vec![None; common.parties()];
        if let Some(slot) = nonces.get_mut(index) {
            *slot = Some(own);
        }
        let session = Self {
            common,
            secrets,
            nonces,
        };
        Ok((session, message))
    }

    /// Takes the nonces of another party.
    pub fn receive_nonces(mut self, from: u8, message: &NoncesMessage) -> Result<Self, MusigError> {
        let slot = self.nonces.get_mut(usize::from(from));
        let seen = slot.as_ref().is_some_and(|slot| slot.is_some());
        let items = message.nonces.len();
        self.common
            .check_message(from, message.party, &message.session, items, seen)?;
        let parsed = message
            .nonces
            .par_iter()
            .enumerate()
            .map(|(n, nonce)| PublicNonce::from_byte_array(&nonce.0).map_err(|_| n))
            .collect::<Vec<_>>();
        let nonces = parsed
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|n| MusigError::Nonce {
                party: from,
                job: self.common.label(n),
            })?;
        if let Some(slot) = slot {
            *slot = Some(nonces);
        }
        Ok(self)
    }

    /// From whom nonces are still missing.
    pub fn missing(&self) -> Vec<usize> {
        missing(&self.nonces)
    }

    /// Signs all jobs, once all nonces are there, and makes the message for all others.
    pub fn sign(self) -> Result<(PartialRound, PartialsMessage), MusigError> {
        let parties = self.missing();
        if !parties.is_empty() {
            let what = Missing::Nonces;
            return Err(MusigError::Missing { what, parties });
        }
        let Self {
            common,
            secrets,
            nonces,
        } = self;
        let nonces: Vec<Vec<PublicNonce>> = nonces.into_iter().flatten().collect();
        let sessions = common
            .jobs
            .par_iter()
            .zip(&common.tweaked)
            .enumerate()
            .map(|(n, (job, tweaked))| {
                let of_job: Vec<&PublicNonce> = nonces.iter().filter_map(|p| p.get(n)).collect();
                if of_job.len() != common.parties() {
                    return Err(MusigError::Internal("a nonce is missing"));
                }
                let aggregate = AggregatedNonce::new(&of_job);
                Ok(JobSession::new(&tweaked.cache, aggregate, &job.sighash))
            })
            .collect::<Result<Vec<_>, _>>()?;
        PartialRound::sign(common, secrets, nonces, sessions)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("me", &self.common.me)
            .field("jobs", &self.common.jobs.len())
            .field("missing", &self.missing())
            .finish_non_exhaustive()
    }
}

/// Fresh randomness for each job.
fn draw(jobs: usize, rng: &mut impl CryptoRng) -> Result<Vec<Zeroizing<[u8; 32]>>, MusigError> {
    let draw_one = |_| {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        match *bytes == [0; 32] {
            true => Err(MusigError::Randomness),
            false => Ok(bytes),
        }
    };
    (0..jobs).map(draw_one).collect()
}
