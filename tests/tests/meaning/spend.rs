//! Spends of single outputs, made of exactly the parts that they are given.

use super::secrets::{Secrets, Who};
use bitcoin::secp256k1::schnorr;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Witness};
use gavel_compiler::commit::Signature;
use gavel_compiler::script::ClaimSignature;
use gavel_compiler::units::{Blocks, Sats};
use gavel_tests::explore::meaning::{Kind, Need, Way, kind};
use gavel_verifier::connector::{Connectors, Tap};
use gavel_verifier::graph::{Graph, Input, Output, Planned, Proof, Role, Signer, Spend, TxName};
use gavel_verifier::sign::Tweak;
use std::sync::Arc;

/// An output of the graph.
#[derive(Clone)]
pub struct Coin {
    pub name: TxName,
    pub role: Role,
    pub outpoint: OutPoint,
    pub output: Output,
}

/// Who signs where a signature is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Hand {
    /// Nobody: there is an empty item.
    Nobody,
    /// Somebody.
    Signs(Who),
    /// Somebody, but another transaction.
    SignsAnother(Who),
}

/// What a witness shows besides Schnorr signatures.
#[derive(Clone, Debug)]
pub enum Shown {
    Nothing,
    Inputs(Vec<ClaimSignature>),
    Frames(Vec<Signature>),
    /// One-time signatures to the leaf of a segment.
    Segment(usize, Vec<Signature>),
}

/// What a spend is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    pub lock: Option<Blocks>,
    pub joint: Hand,
    pub own: Hand,
    /// In whose place among the challengers `own` signs.
    pub place: usize,
    pub shown: Shown,
}

impl Parts {
    /// Nothing that anything could want.
    pub const NONE: Self = Self {
        lock: None,
        joint: Hand::Nobody,
        own: Hand::Nobody,
        place: 0,
        shown: Shown::Nothing,
    };
}

/// Stands for no signature until the witness is made; no signature looks like this.
fn blank() -> schnorr::Signature {
    schnorr::Signature::from_slice(&[0; 64]).unwrap()
}

impl Coin {
    /// All outputs of a graph for which there are ways, or should be.
    pub fn all(graph: &Graph) -> impl Iterator<Item = Self> + '_ {
        graph.outputs.iter().map(|(outpoint, (name, role))| Self {
            name: *name,
            role: *role,
            outpoint: *outpoint,
            output: graph.output(*name, *role).unwrap().1.clone(),
        })
    }

    /// Its tree and keys, unless it is a payment.
    pub fn tap(&self) -> Option<&Arc<Tap>> {
        self.output.tap.as_ref()
    }

    fn planned(&self, spend: Spend, lock: Option<Blocks>) -> Planned {
        let prevout = self.output.txout.clone();
        let half = Sats(prevout.value.to_sat() / 2);
        let input = (self.outpoint, lock, Input { prevout, spend });
        // Where the money goes is of no concern here.
        let to = Output::payment(0, &ScriptBuf::from_bytes(vec![0x51]), half);
        Planned::new(self.name, 2, vec![input], vec![to])
    }

    /// What kind of leaf stands in a place of its tree.
    pub fn leaf_kind(&self, leaf: usize) -> Option<Kind> {
        kind(
            &self.planned(Spend::Leaf(self.tap()?.clone(), leaf), None),
            0,
        )
    }

    fn way(&self, graph: &Graph, way: &Way, shown: &Shown) -> Spend {
        let tap = self.tap().unwrap().clone();
        match (way.kind, self.name, shown) {
            (Kind::Key, ..) if way.wants(Need::Joint) => Spend::Key(tap, Signer::Joint),
            (Kind::Key, ..) => Spend::Key(tap, Signer::Party(0)),
            (Kind::Disprove, TxName::Claim(id), Shown::Segment(segment, _)) => {
                let d = &graph.deployment;
                let leaf = graph.connectors.disprove(d, id.c, id.k, *segment);
                let place = Connectors::CLAIMED_RELEASE + 1 + segment;
                Spend::Disprove(tap, place, Arc::new(leaf.unwrap()))
            }
            (kind, ..) => {
                let mut leaves = 0..tap.leaves.len();
                let leaf = leaves.find(|leaf| self.leaf_kind(*leaf) == Some(kind));
                let missing = || format!("{}: {:?} has no leaf {kind:?}", self.name, self.role);
                Spend::Leaf(tap, leaf.unwrap_or_else(|| panic!("{}", missing())))
            }
        }
    }

    /// A spend of this output alone.
    pub fn spend(&self, graph: &Graph, secrets: &Secrets, way: &Way, parts: &Parts) -> Transaction {
        let planned = self.planned(self.way(graph, way, &parts.shown), parts.lock);
        let mut another = planned.clone();
        another.tx.output[0].value += Amount::ONE_SAT;
        let tweak = match &planned.inputs[0].spend {
            Spend::Key(tap, _) => Tweak::TapTweak(tap.root()),
            _ => Tweak::None,
        };
        let sign = |hand| match hand {
            Hand::Nobody => blank(),
            Hand::Signs(who) => secrets.sign(who, planned.sighash(0).unwrap(), tweak),
            Hand::SignsAnother(who) => secrets.sign(who, another.sighash(0).unwrap(), tweak),
        };
        let (joint, own) = (sign(parts.joint), sign(parts.own));
        let proof = |_| {
            Some(match parts.shown.clone() {
                Shown::Nothing => Proof::Own(own),
                Shown::Inputs(proofs) => Proof::Inputs(proofs, own),
                Shown::Frames(frames) => Proof::Frames(frames),
                Shown::Segment(_, all) => Proof::Disproof(all, parts.place, own),
            })
        };
        let finished = planned.finish(|_| Some(joint), proof);
        let mut tx = finished.expect("the needs are all that the leaf wants");
        let blank = blank().serialize();
        let items = tx.input[0].witness.iter();
        let items = items.map(|item| if item == blank { &[] } else { item });
        tx.input[0].witness = Witness::from_slice(&items.collect::<Vec<_>>());
        tx
    }
}
