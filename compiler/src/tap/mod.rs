//! Leaves → taproot trees.
//!
//! A tree is made of leaf hashes: scripts are generated, hashed and dropped, on as many
//! threads as there are, and the result does not depend on how many.

use bitcoin::consensus::serialize;
use bitcoin::hashes::{Hash, HashEngine};
use bitcoin::key::{Parity, Secp256k1, TapTweak, TweakedPublicKey, UntweakedPublicKey};
use bitcoin::secp256k1::{Verification, XOnlyPublicKey};
use bitcoin::taproot::{ControlBlock, LeafVersion, TapLeafHash, TapNodeHash, TaprootMerkleBranch};
use bitcoin::{Script, ScriptBuf, VarInt};
use rayon::prelude::*;

/// A taproot tree, known by its hashes only. Balanced: leaf `i` of `n` goes left while the
/// halves are split as evenly as they can be, the left one larger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: TapNodeHash,
    leaves: Vec<TapLeafHash>,
    paths: Vec<Vec<TapNodeHash>>,
}

/// Why there is no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A tree has at least one leaf.
    #[error("a tree needs at least one leaf")]
    Empty,
    /// There is no such leaf.
    #[error("there is no leaf {0}")]
    NoLeaf(usize),
    /// The path is longer than BIP 341 allows.
    #[error("a path of more than 128 nodes")]
    TooDeep,
}

/// The hash of a tapscript leaf.
pub fn leaf_hash(script: &Script) -> TapLeafHash {
    TapLeafHash::from_script(script, LeafVersion::TapScript)
}

/// The hash of a tapscript leaf whose script lies in several parts (BIP 341).
pub fn leaf_hash_of(parts: &[&[u8]]) -> TapLeafHash {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut engine = TapLeafHash::engine();
    engine.input(&[LeafVersion::TapScript.to_consensus()]);
    engine.input(&serialize(&VarInt::from(len)));
    for part in parts {
        engine.input(part);
    }
    TapLeafHash::from_engine(engine)
}

impl Tree {
    /// The tree of these leaves, in order.
    ///
    /// # Errors
    /// [`TreeError::Empty`].
    pub fn new(leaves: Vec<TapLeafHash>) -> Result<Self, TreeError> {
        let mut paths = vec![Vec::new(); leaves.len()];
        let root = build(&leaves, &mut paths).ok_or(TreeError::Empty)?;
        Ok(Self {
            root,
            leaves,
            paths,
        })
    }

    /// The tree of `count` leaves whose scripts are generated in parallel, hashed and dropped.
    ///
    /// # Errors
    /// What generating fails with, of the first leaf that fails; [`TreeError::Empty`].
    pub fn generate<E: Send + From<TreeError>>(
        count: usize,
        script: impl Fn(usize) -> Result<ScriptBuf, E> + Sync,
    ) -> Result<Self, E> {
        Self::hashed(count, |n| script(n).map(|script| leaf_hash(&script)))
    }

    /// The tree of `count` leaves that are hashed in parallel.
    ///
    /// # Errors
    /// What hashing fails with, of the first leaf that fails; [`TreeError::Empty`].
    pub fn hashed<E: Send + From<TreeError>>(
        count: usize,
        hash: impl Fn(usize) -> Result<TapLeafHash, E> + Sync,
    ) -> Result<Self, E> {
        let hashes: Vec<Result<TapLeafHash, E>> = (0..count).into_par_iter().map(&hash).collect();
        let hashes: Result<Vec<TapLeafHash>, E> = hashes.into_iter().collect();
        Ok(Self::new(hashes?)?)
    }

    /// The merkle root.
    pub fn root(&self) -> TapNodeHash {
        self.root
    }

    /// The leaves' hashes, in order.
    pub fn leaves(&self) -> &[TapLeafHash] {
        &self.leaves
    }

    /// How deep a leaf lies.
    ///
    /// # Errors
    /// [`TreeError::NoLeaf`].
    pub fn depth(&self, leaf: usize) -> Result<usize, TreeError> {
        let path = self.paths.get(leaf).ok_or(TreeError::NoLeaf(leaf))?;
        Ok(path.len())
    }

    /// The output key for an internal key, with its parity.
    pub fn output_key<C: Verification>(
        &self,
        secp: &Secp256k1<C>,
        internal: UntweakedPublicKey,
    ) -> (TweakedPublicKey, Parity) {
        internal.tap_tweak(secp, Some(self.root))
    }

    /// The output's script for an internal key.
    pub fn script_pubkey<C: Verification>(
        &self,
        secp: &Secp256k1<C>,
        internal: XOnlyPublicKey,
    ) -> ScriptBuf {
        ScriptBuf::new_p2tr_tweaked(self.output_key(secp, internal).0)
    }

    /// The control block that spends a leaf, where the internal key tweaked by this tree has
    /// this parity.
    ///
    /// # Errors
    /// [`TreeError::NoLeaf`].
    pub fn control_block(
        &self,
        internal: XOnlyPublicKey,
        output_key_parity: Parity,
        leaf: usize,
    ) -> Result<ControlBlock, TreeError> {
        let path = self.paths.get(leaf).ok_or(TreeError::NoLeaf(leaf))?;
        let merkle_branch =
            TaprootMerkleBranch::try_from(path.clone()).map_err(|_| TreeError::TooDeep)?;
        Ok(ControlBlock {
            leaf_version: LeafVersion::TapScript,
            output_key_parity,
            internal_key: internal,
            merkle_branch,
        })
    }
}

/// The root of some leaves; appends to each leaf's path, from the leaf upwards.
fn build(leaves: &[TapLeafHash], paths: &mut [Vec<TapNodeHash>]) -> Option<TapNodeHash> {
    match leaves {
        [] => None,
        [leaf] => Some(TapNodeHash::from(*leaf)),
        _ => {
            let middle = leaves.len().div_ceil(2);
            let (left, right) = leaves.split_at(middle);
            let (left_paths, right_paths) = paths.split_at_mut(middle);
            let a = build(left, left_paths)?;
            let b = build(right, right_paths)?;
            for path in left_paths {
                path.push(b);
            }
            for path in right_paths {
                path.push(a);
            }
            Some(TapNodeHash::from_node_hashes(a, b))
        }
    }
}
