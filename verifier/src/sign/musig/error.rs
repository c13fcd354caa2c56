//! What can go wrong while signing together, and through whom.

use std::fmt;

/// Why a signing session was discarded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MusigError {
    /// The key isn't the one that the session has for this party.
    #[error("our key is not that of party {party}")]
    WrongKey {
        /// The index given as ours.
        party: u8,
    },
    /// No such party.
    #[error("there is no party {party} among {parties}")]
    UnknownParty {
        /// The index.
        party: u8,
        /// How many parties there are.
        parties: usize,
    },
    /// Too many jobs.
    #[error("{got} jobs; a session takes {limit}")]
    TooManyJobs {
        /// Jobs given.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// The random generator gave zeros.
    #[error("the random generator gave only zeros")]
    Randomness,
    /// A tweak leads to no key. Can't happen by chance.
    #[error("{job}: the tweak leads to no valid key")]
    Tweak {
        /// The job.
        job: String,
    },
    /// The message names another sender than the one it came from.
    #[error("a message from party {from} says it is from party {claimed}")]
    Sender {
        /// Whom it came from.
        from: u8,
        /// Whom it names.
        claimed: u8,
    },
    /// A second message of one party, or one in our own name.
    #[error("party {party} sent its message twice")]
    Duplicate {
        /// Whose.
        party: u8,
    },
    /// The party signs something else: another session id, other keys or other jobs.
    #[error("party {party} is in another session, or computed another graph")]
    OtherSession {
        /// Whose message.
        party: u8,
    },
    /// Not one item per job.
    #[error("party {party} sent {got} items for {need} jobs")]
    Count {
        /// Whose message.
        party: u8,
        /// Items sent.
        got: usize,
        /// Jobs.
        need: usize,
    },
    /// A nonce isn't two points of the curve.
    #[error("{job}: the nonce of party {party} is not valid")]
    Nonce {
        /// Whose nonce.
        party: u8,
        /// The job.
        job: String,
    },
    /// The party signed for another set of nonces: somebody sent different ones to it.
    #[error("party {party} saw other nonces than we did")]
    OtherNonces {
        /// Whose message.
        party: u8,
    },
    /// A partial signature doesn't verify.
    #[error("{job}: the partial signature of party {party} is not valid")]
    Partial {
        /// Whose partial signature.
        party: u8,
        /// The job.
        job: String,
    },
    /// Messages are missing.
    #[error("{what} missing from parties {parties:?}")]
    Missing {
        /// Of which round.
        what: Missing,
        /// From whom.
        parties: Vec<usize>,
    },
    /// The aggregate isn't a signature, though all partial ones verified.
    #[error("{job}: the aggregate signature is not valid")]
    Aggregate {
        /// The job.
        job: String,
    },
    /// Something that holds by construction doesn't.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// First round.
    Nonces,
    /// Second round.
    Partials,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nonces => "nonces",
            Self::Partials => "partial signatures",
        })
    }
}
