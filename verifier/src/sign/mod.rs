//! Keys and signatures: seeds, one-time keys with the guard against second use, MuSig2, and
//! the signed messages that parties exchange before funding.
//!
//! ```text
//! Seed ─┬─ PartyKey ──── Session ─ PartialRound ─ signatures      (MuSig2, BIP 327)
//!       ├─ OneTimeKeys ─ Guard ─ commit::Signature                (Winternitz)
//!       └─ AttestorKey
//! ```
//!
//! **Invariants:** no one-time key signs two messages, whatever crashes; no secret nonce is
//! stored or used twice; nothing that a peer sent is used before it is verified; no secret is
//! printed or serialised. Knows no transaction: jobs arrive as signature hashes.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::expect_used,
        clippy::unwrap_used
    )
)]

mod attestor;
mod chain;
pub mod demo;
mod envelope;
mod guard;
mod guard_file;
mod hash;
pub mod hex;
mod key;
mod key_agg;
mod message;
mod musig;
mod onetime;
mod seed;
#[cfg(test)]
mod tests;

pub use attestor::{AttestError, AttestorKey};
pub use demo::DemoAttestor;
pub use envelope::{Body, MAX_MESSAGE_BYTES, MessageError, open, seal};
pub use guard::{Guard, GuardError, MemoryGuard, Record, Source};
pub use guard_file::FileGuard;
pub use key::{InvalidKey, PartyKey};
pub use key_agg::{KeyAgg, KeyAggError, MAX_PARTIES, Tweak};
pub use message::{
    FundingInput, Hello, HelloError, KeysError, OneTimeKeysMessage, instance, open_hello,
};
pub use musig::{
    Job, MAX_JOBS, Missing, MusigError, NoncesMessage, PartialRound, PartialsMessage, Session,
};
pub use onetime::{OneTimeError, OneTimeKeys, Role, Statement};
pub use seed::Seed;

/// The random generators' traits that signatures in this module ask for (rand 0.9).
pub use ::musig::rand;
