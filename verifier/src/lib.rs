//! Gavel's verifier: parties, commitments, the pre-signed graph and the dispute game.

pub mod sign;
