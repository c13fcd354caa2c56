//! MuSig2 (BIP 327), all parties, over a list of jobs.
//!
//! ```text
//! Session ──receive_nonces──▶ Session ──sign──▶ PartialRound ──receive_partials──▶ finish
//! ```
//!
//! **Invariants:** every step consumes the state, so a failure discards the session and drops
//! its secret nonces; they come from fresh randomness, are never stored, serialised or used
//! twice, and depend on nothing that a peer sent. A partial signature is counted only after it
//! was verified, a signature returned only after BIP 340 verification. A new attempt needs a
//! new session, and should have a new session id.
//!
//! Messages arrive through [`super::open`], which proves who sent them. Without that, a nonce
//! changed on the way is noticed too late to say by whom.

mod error;
mod nonces;
mod partials;

pub use error::{Missing, MusigError};
pub use nonces::{NoncesMessage, Session};
pub use partials::{PartialRound, PartialsMessage};

use super::hash::Tagged;
use super::key::Erasing;
use super::key_agg::{KeyAgg, Tweak, Tweaked};
use std::collections::HashMap;

/// The most jobs of one session.
pub const MAX_JOBS: usize = 100_000;

/// One signature to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Transaction and input, for people.
    pub label: String,
    /// The hash to sign.
    pub sighash: [u8; 32],
    /// Which key the signature is for.
    pub tweak: Tweak,
}

/// What both rounds share.
struct Common {
    keys: KeyAgg,
    me: usize,
    key: Erasing,
    jobs: Vec<Job>,
    tweaked: Vec<Tweaked>,
    /// Binds messages to the session id, the keys and every job.
    digest: [u8; 32],
}

impl Common {
    fn new(
        keys: KeyAgg,
        me: usize,
        key: Erasing,
        jobs: Vec<Job>,
        session_id: &[u8; 32],
    ) -> Result<Self, MusigError> {
        let mut known = HashMap::new();
        let mut tweaked = Vec::with_capacity(jobs.len());
        for job in &jobs {
            let found = match known.get(&job.tweak) {
                Some(found) => *found,
                None => {
                    let new = keys.tweaked(job.tweak).map_err(|_| MusigError::Tweak {
                        job: job.label.clone(),
                    })?;
                    known.insert(job.tweak, new);
                    new
                }
            };
            tweaked.push(found);
        }
        let digest = digest(session_id, &keys, &jobs);
        Ok(Self {
            keys,
            me,
            key,
            jobs,
            tweaked,
            digest,
        })
    }

    fn parties(&self) -> usize {
        self.keys.parties().len()
    }

    /// Checks what all messages have: the sender, the session, as many items as jobs.
    fn check_message(
        &self,
        from: u8,
        claimed: u8,
        session: &[u8; 32],
        items: usize,
        seen: bool,
    ) -> Result<(), MusigError> {
        if claimed != from {
            return Err(MusigError::Sender { from, claimed });
        }
        if usize::from(from) >= self.parties() {
            return Err(MusigError::UnknownParty {
                party: from,
                parties: self.parties(),
            });
        }
        if seen {
            return Err(MusigError::Duplicate { party: from });
        }
        if *session != self.digest {
            return Err(MusigError::OtherSession { party: from });
        }
        if items != self.jobs.len() {
            return Err(MusigError::Count {
                party: from,
                got: items,
                need: self.jobs.len(),
            });
        }
        Ok(())
    }

    fn label(&self, job: usize) -> String {
        self.jobs
            .get(job)
            .map_or_else(|| format!("job {job}"), |job| job.label.clone())
    }
}

fn digest(session_id: &[u8; 32], keys: &KeyAgg, jobs: &[Job]) -> [u8; 32] {
    let mut hash = Tagged::new("gavel/musig-session").field(session_id);
    hash = hash.field(&(keys.parties().len() as u64).to_le_bytes());
    for key in keys.parties() {
        hash = hash.field(&key.serialize());
    }
    for job in jobs {
        hash = hash.field(job.label.as_bytes()).field(&job.sighash);
        hash = match &job.tweak {
            Tweak::None => hash.field(b"none"),
            Tweak::TapTweak(None) => hash.field(b"key"),
            Tweak::TapTweak(Some(root)) => hash.field(b"root").field(root.as_ref()),
        };
    }
    hash.finish()
}

/// The indices of slots that are still empty.
fn missing<T>(slots: &[Option<T>]) -> Vec<usize> {
    let empty = slots.iter().enumerate().filter(|(_, slot)| slot.is_none());
    empty.map(|(party, _)| party).collect()
}
