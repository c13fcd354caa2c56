//! A taproot output: internal key, tree of leaves, control blocks.

use super::Leaf;
use bitcoin::key::TweakedPublicKey;
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
    script: ScriptBuf,
}

impl Tap {
    /// An output with an internal key and leaves.
    pub fn new(internal: XOnlyPublicKey, leaves: Vec<Leaf>) -> Arc<Self> {
        let tree = Tree::new(leaves.iter().map(|leaf| leaf.hash).collect()).ok();
        let script = ScriptBuf::new_p2tr(
            &Secp256k1::verification_only(),
            internal,
            tree.as_ref().map(Tree::root),
        );
        Arc::new(Self {
            internal,
            leaves,
            tree,
            script,
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
        let secp = Secp256k1::verification_only();
        bitcoin::key::TapTweak::tap_tweak(self.internal, &secp, self.root()).0
    }

    /// The control block for a leaf (BIP 341), serialised; `None` if there is no such leaf.
    pub fn control(&self, leaf: usize) -> Option<Vec<u8>> {
        let secp = Secp256k1::verification_only();
        let block = self
            .tree
            .as_ref()?
            .control_block(&secp, self.internal, leaf);
        Some(block.ok()?.serialize())
    }
}
