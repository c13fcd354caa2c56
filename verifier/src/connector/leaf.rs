//! The leaves of the connectors.

use crate::deploy::DeployError;
use bitcoin::taproot::LeafVersion;
use bitcoin::{ScriptBuf, TapLeafHash, XOnlyPublicKey};
use gavel_compiler::script::{AssertReveal, ClaimReveal};
use gavel_compiler::units::Blocks;
use miniscript::{Miniscript, Tap as TapContext};
use std::sync::Arc;

/// What has to be shown to spend a leaf.
#[derive(Clone, Debug)]
pub enum LeafKind {
    /// The n-of-n's signature and the challenger's.
    Challenge,
    /// The n-of-n's signature and the claimer's, after a lock.
    Release,
    /// A party's signature, after a lock.
    Timeout,
    /// The claimer's signature and one-time signatures on a group of inputs.
    ClaimReveal(Arc<ClaimReveal>),
    /// The n-of-n's signature and one-time signatures on a group of frames.
    AssertReveal(Arc<AssertReveal>),
    /// A disproof; the script is generated when needed.
    Disprove,
}

/// A leaf: its hash, and its script unless it is too large to keep.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Commits to the script (BIP 341).
    pub hash: TapLeafHash,
    /// The script; absent for disprove leaves.
    pub script: Option<Arc<ScriptBuf>>,
    /// How it is spent.
    pub kind: LeafKind,
}

impl Leaf {
    fn new(script: ScriptBuf, kind: LeafKind) -> Self {
        let hash = TapLeafHash::from_script(&script, LeafVersion::TapScript);
        Self {
            hash,
            script: Some(Arc::new(script)),
            kind,
        }
    }

    fn miniscript(text: &str, kind: LeafKind) -> Result<Self, DeployError> {
        let failed = |e: miniscript::Error| DeployError::Script(format!("{text}: {e}"));
        let script = text
            .parse::<Miniscript<XOnlyPublicKey, TapContext>>()
            .map_err(failed)?;
        Ok(Self::new(script.encode(), kind))
    }

    /// `key` signs, once the output is `lock` deep.
    pub fn after(key: XOnlyPublicKey, lock: Blocks) -> Result<Self, DeployError> {
        Self::miniscript(
            &format!("and_v(v:pk({key}),older({}))", lock.0),
            LeafKind::Timeout,
        )
    }

    /// The n-of-n and `key` sign.
    pub fn joint_and(
        joint: XOnlyPublicKey,
        key: XOnlyPublicKey,
        kind: LeafKind,
    ) -> Result<Self, DeployError> {
        Self::miniscript(&format!("and_v(v:pk({joint}),pk({key}))"), kind)
    }

    /// The n-of-n and `key` sign, once the output is `lock` deep.
    pub fn joint_and_after(
        joint: XOnlyPublicKey,
        key: XOnlyPublicKey,
        lock: Blocks,
    ) -> Result<Self, DeployError> {
        let text = format!("and_v(and_v(v:pk({joint}),v:pk({key})),older({}))", lock.0);
        Self::miniscript(&text, LeafKind::Release)
    }

    /// Reveals a group of inputs.
    pub fn claim_reveal(reveal: Arc<ClaimReveal>) -> Self {
        Self::new(reveal.script.clone(), LeafKind::ClaimReveal(reveal))
    }

    /// Reveals a group of frames.
    pub fn assert_reveal(reveal: Arc<AssertReveal>) -> Self {
        Self::new(reveal.script.clone(), LeafKind::AssertReveal(reveal))
    }

    /// A disprove leaf, by its hash.
    pub fn hashed(hash: TapLeafHash) -> Self {
        Self {
            hash,
            script: None,
            kind: LeafKind::Disprove,
        }
    }
}
