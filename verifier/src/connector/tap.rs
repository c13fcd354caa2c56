//! A taproot output: internal key, tree of leaves, control blocks.

use super::Leaf;
use bitcoin::key::{Parity, TapTweak, TweakedPublicKey};
use bitcoin::secp256k1::{Secp256k1, XOnlyPublicKey};
use bitcoin::{ScriptBuf, TapNodeHash};
use gavel_compiler::tap::Tree;
use std::sync::Arc;

/// A taproot output's script and the ways to spend it.
#[derive(Clone, Debug)]
pub struct Tap {
    /// The key before the tweak.
    pub internal: XOnlyPublicKey,
    /// The leaves, in the order of the tree.
    pub leaves: Vec<Leaf>,
    tree: Option<Tree>,
    key: TweakedPublicKey,
    parity: Parity,
    script: ScriptBuf,
}

impl Tap {
    /// An output with an internal key and leaves.
    pub fn new(internal: XOnlyPublicKey, leaves: Vec<Leaf>) -> Arc<Self> {
        let tree = Tree::new(leaves.iter().map(|leaf| leaf.hash).collect()).ok();
        let root = tree.as_ref().map(Tree::root);
        let (key, parity) = internal.tap_tweak(&Secp256k1::verification_only(), root);
        Arc::new(Self {
            internal,
            leaves,
            tree,
            key,
            parity,
            script: ScriptBuf::new_p2tr_tweaked(key),
        })
    }

    /// The output's script.
    pub fn script_pubkey(&self) -> &ScriptBuf {
        &self.script
    }

    /// The root of the tree, if it has leaves.
    pub fn root(&self) -> Option<TapNodeHash> {
        self.tree.as_ref().map(Tree::root)
    }

    /// The tweaked key.
    pub fn output_key(&self) -> TweakedPublicKey {
        self.key
    }

    /// The control block for a leaf (BIP 341), serialised; `None` if there is no such leaf.
    pub fn control(&self, leaf: usize) -> Option<Vec<u8>> {
        let tree = self.tree.as_ref()?;
        let block = tree.control_block(self.internal, self.parity, leaf);
        Some(block.ok()?.serialize())
    }
}
