//! A transaction of the graph before its signatures: what it spends and how, what it makes,
//! how large it will be.

use super::name::{Role, TxName};
use crate::connector::{LeafKind, Tap};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::schnorr;
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use gavel_compiler::commit::{Shape, Signature};
use gavel_compiler::script::{ClaimElement, ClaimSignature, Disprove};
use gavel_compiler::units::{Blocks, Sats, VBytes, Weight};
use std::sync::Arc;

/// Size of the pay-to-anchor output that Core 28 relays with a fee-paying transaction.
pub const ANCHOR: Sats = Sats(240);
/// The least value of our own small outputs: above P2TR dust (330) with nothing to spare.
pub const DUST: Sats = Sats(330);
/// The most virtual bytes of a version 3 transaction (BIP 431).
pub const TRUC_LIMIT: VBytes = VBytes(10_000);

/// Who signs a key path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// All parties, by MuSig2.
    Joint,
    /// One party.
    Party(u8),
}

/// How an input is spent.
#[derive(Clone, Debug)]
pub enum Spend {
    /// By key path.
    Key(Arc<Tap>, Signer),
    /// By a leaf whose script the tree keeps.
    Leaf(Arc<Tap>, usize),
    /// By a disprove leaf.
    Disprove(Arc<Tap>, usize, Arc<Disprove>),
    /// A party's own money, brought to Fund; assumed to be a P2TR key path for its size.
    Funding(u8),
}

/// An input: what it spends and how.
#[derive(Clone, Debug)]
pub struct Input {
    /// The output spent.
    pub prevout: TxOut,
    /// The way.
    pub spend: Spend,
}

/// What an input's witness needs besides the n-of-n's signature.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A party's signature (a lock's, a Challenge's, a Release's, an own key's).
    Own(schnorr::Signature),
    /// A Claim's group of inputs, with the claimer's signature.
    Inputs(Vec<ClaimSignature>, schnorr::Signature),
    /// An Assert's group of frames.
    Frames(Vec<Signature>),
    /// A disproof: one-time signatures in the leaf's order, the challenger's place among
    /// those the leaf accepts, and its signature.
    Disproof(Vec<Signature>, usize, schnorr::Signature),
    /// A finished witness of a funding input.
    Witness(Witness),
}

/// An output and what it is for.
#[derive(Clone, Debug)]
pub struct Output {
    /// What for.
    pub role: Role,
    /// The output.
    pub txout: TxOut,
    /// How it can be spent, where the graph says.
    pub tap: Option<Arc<Tap>>,
}

impl Output {
    /// An output that the graph spends.
    pub fn tap(role: Role, tap: &Arc<Tap>, value: Sats) -> Self {
        let script_pubkey = tap.script_pubkey().clone();
        let txout = TxOut {
            value: Amount::from_sat(value.0),
            script_pubkey,
        };
        Self {
            role,
            txout,
            tap: Some(tap.clone()),
        }
    }

    /// A payment to a party.
    pub fn payment(party: u8, script_pubkey: &ScriptBuf, value: Sats) -> Self {
        let value = Amount::from_sat(value.0);
        let txout = TxOut {
            value,
            script_pubkey: script_pubkey.clone(),
        };
        Self {
            role: Role::Payment { party },
            txout,
            tap: None,
        }
    }

    /// Pay-to-anchor: anyone can attach a child.
    pub fn anchor() -> Self {
        let script_pubkey = ScriptBuf::from_bytes(vec![0x51, 0x02, 0x4e, 0x73]);
        let txout = TxOut {
            value: Amount::from_sat(ANCHOR.0),
            script_pubkey,
        };
        Self {
            role: Role::Anchor,
            txout,
            tap: None,
        }
    }

    /// Its value.
    pub fn value(&self) -> Sats {
        Sats(self.txout.value.to_sat())
    }
}

/// Why a transaction can't be finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// A signature or proof is missing, or of the wrong kind.
    #[error("{name}: input {input} lacks {what}")]
    Missing {
        /// The transaction.
        name: TxName,
        /// The input.
        input: usize,
        /// What is missing.
        what: &'static str,
    },
    /// The sighash can't be computed.
    #[error("{name}: {detail}")]
    Sighash {
        /// The transaction.
        name: TxName,
        /// Why.
        detail: String,
    },
}

/// A transaction of the graph.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name.
    pub name: TxName,
    /// Unsigned.
    pub tx: Transaction,
    /// How each input is spent.
    pub inputs: Vec<Input>,
    /// What each output is for.
    pub outputs: Vec<Output>,
}

/// A lock of an input (BIP 68): how deep the output must be.
pub fn sequence(lock: Option<Blocks>) -> Sequence {
    match lock {
        Some(Blocks(n)) => Sequence::from_height(n.min(Blocks::MAX_RELATIVE.0) as u16),
        None => Sequence::ENABLE_RBF_NO_LOCKTIME,
    }
}

impl Planned {
    /// A transaction from inputs (with their locks) and outputs.
    pub fn new(
        name: TxName,
        version: i32,
        inputs: Vec<(OutPoint, Option<Blocks>, Input)>,
        outputs: Vec<Output>,
    ) -> Self {
        let txin = |(previous_output, lock, _): &(OutPoint, Option<Blocks>, Input)| TxIn {
            previous_output: *previous_output,
            sequence: sequence(*lock),
            ..TxIn::default()
        };
        let tx = Transaction {
            version: Version(version),
            lock_time: LockTime::ZERO,
            input: inputs.iter().map(txin).collect(),
            output: outputs.iter().map(|output| output.txout.clone()).collect(),
        };
        Self {
            name,
            tx,
            inputs: inputs.into_iter().map(|(_, _, input)| input).collect(),
            outputs,
        }
    }

    /// The output with a role, as an outpoint and what it holds.
    pub fn output(&self, role: Role) -> Option<(OutPoint, &Output)> {
        let vout = self.outputs.iter().position(|output| output.role == role)?;
        let outpoint = OutPoint::new(self.tx.compute_txid(), vout as u32);
        Some((outpoint, self.outputs.get(vout)?))
    }

    /// Sets the value of an output.
    pub(super) fn set_value(&mut self, vout: usize, value: Sats) {
        let amount = Amount::from_sat(value.0);
        if let (Some(output), Some(txout)) =
            (self.outputs.get_mut(vout), self.tx.output.get_mut(vout))
        {
            output.txout.value = amount;
            txout.value = amount;
        }
    }

    /// Sum of the inputs.
    pub fn value_in(&self) -> Sats {
        Sats(
            self.inputs
                .iter()
                .map(|input| input.prevout.value.to_sat())
                .sum(),
        )
    }

    /// Sum of the outputs.
    pub fn value_out(&self) -> Sats {
        Sats(
            self.tx
                .output
                .iter()
                .map(|output| output.value.to_sat())
                .sum(),
        )
    }

    /// What it pays to miners.
    pub fn fee(&self) -> Sats {
        Sats(self.value_in().0.saturating_sub(self.value_out().0))
    }

    /// The exact weight when finished, with every optional input present: the most.
    pub fn weight(&self) -> Weight {
        self.weight_with(&|_, _| true)
    }

    /// The exact weight when finished; `present(input, n)` tells whether the n-th element
    /// that a Claim's input reveals is present (only optional ones are asked).
    pub fn weight_with(&self, present: &dyn Fn(usize, usize) -> bool) -> Weight {
        let mut tx = self.tx.clone();
        for (index, (input, txin)) in self.inputs.iter().zip(&mut tx.input).enumerate() {
            txin.witness = template(&input.spend, &|n| present(index, n));
        }
        Weight(tx.weight().to_wu())
    }

    /// Virtual size, all optional inputs present.
    pub fn vsize(&self) -> VBytes {
        self.weight().vbytes()
    }

    /// What an input's signature commits to (BIP 341, SIGHASH_DEFAULT).
    ///
    /// # Errors
    /// [`FinishError::Sighash`] for an input that does not exist.
    pub fn sighash(&self, input: usize) -> Result<[u8; 32], FinishError> {
        let name = self.name;
        let failed = |detail: String| FinishError::Sighash { name, detail };
        let prevouts: Vec<&TxOut> = self.inputs.iter().map(|input| &input.prevout).collect();
        let spend = self.inputs.get(input).map(|input| &input.spend);
        let mut cache = SighashCache::new(&self.tx);
        let prevouts = Prevouts::All(&prevouts);
        let sighash = match spend {
            None => return Err(failed(format!("no input {input}"))),
            Some(Spend::Key(..) | Spend::Funding(_)) => {
                cache.taproot_key_spend_signature_hash(input, &prevouts, TapSighashType::Default)
            }
            Some(Spend::Leaf(tap, leaf) | Spend::Disprove(tap, leaf, _)) => {
                let hash = tap.leaves.get(*leaf).map(|leaf| leaf.hash);
                let hash = hash.ok_or_else(|| failed(format!("no leaf {leaf}")))?;
                cache.taproot_script_spend_signature_hash(
                    input,
                    &prevouts,
                    hash,
                    TapSighashType::Default,
                )
            }
        };
        sighash
            .map(|hash| hash.to_byte_array())
            .map_err(|e| failed(e.to_string()))
    }

    /// The inputs that the n-of-n signs, each with the tap of its key path, or `None` where
    /// the signature is checked by a leaf under the untweaked key.
    pub fn joint_inputs(&self) -> impl Iterator<Item = (usize, Option<&Arc<Tap>>)> {
        self.inputs
            .iter()
            .enumerate()
            .filter_map(|(n, input)| match &input.spend {
                Spend::Key(tap, Signer::Joint) => Some((n, Some(tap))),
                Spend::Leaf(tap, leaf) => match tap.leaves.get(*leaf)?.kind {
                    LeafKind::Challenge | LeafKind::Release | LeafKind::AssertReveal(_) => {
                        Some((n, None))
                    }
                    _ => None,
                },
                _ => None,
            })
    }

    /// Puts signatures and proofs in place.
    ///
    /// # Errors
    /// [`FinishError::Missing`] names the input that lacks something.
    pub fn finish(
        &self,
        joint: impl Fn(usize) -> Option<schnorr::Signature>,
        proof: impl Fn(usize) -> Option<Proof>,
    ) -> Result<Transaction, FinishError> {
        let mut tx = self.tx.clone();
        for (index, (input, txin)) in self.inputs.iter().zip(&mut tx.input).enumerate() {
            let witness = witness(&input.spend, joint(index), proof(index));
            txin.witness = witness.map_err(|what| FinishError::Missing {
                name: self.name,
                input: index,
                what,
            })?;
        }
        Ok(tx)
    }
}

/// The witness of an input.
fn witness(
    spend: &Spend,
    joint: Option<schnorr::Signature>,
    proof: Option<Proof>,
) -> Result<Witness, &'static str> {
    let joint = joint.map(|sig| sig.serialize());
    let need_joint = || joint.ok_or("the n-of-n's signature");
    let own = || match &proof {
        Some(Proof::Own(sig)) => Ok(sig.serialize().to_vec()),
        _ => Err("a party's signature"),
    };
    let (tap, index, mut items) = match spend {
        Spend::Key(_, Signer::Joint) => return Ok(Witness::from_slice(&[need_joint()?])),
        Spend::Key(_, Signer::Party(_)) => return Ok(Witness::from_slice(&[own()?])),
        Spend::Funding(_) => {
            return match proof {
                Some(Proof::Witness(witness)) => Ok(witness),
                Some(Proof::Own(sig)) => Ok(Witness::from_slice(&[sig.serialize()])),
                _ => Err("the funder's witness"),
            };
        }
        Spend::Disprove(tap, leaf, disprove) => match &proof {
            Some(Proof::Disproof(signatures, place, sig)) => {
                let find = |id| {
                    let place = disprove
                        .elements
                        .iter()
                        .position(|element| *element == id)?;
                    signatures.get(place).cloned()
                };
                let items = disprove
                    .witness(find, *place, &sig.serialize())
                    .filter(|_| fit(signatures, &disprove.shapes))
                    .ok_or(MISFIT)?;
                (tap, *leaf, (items, disprove.script.clone()))
            }
            _ => return Err("a disproof"),
        },
        Spend::Leaf(tap, leaf) => {
            let of = tap.leaves.get(*leaf).ok_or("a leaf")?;
            let script = of.script.as_ref().ok_or("the leaf's script")?;
            let items = match (&of.kind, &proof) {
                (LeafKind::Timeout, _) => vec![own()?],
                (LeafKind::Challenge | LeafKind::Release, _) => {
                    vec![own()?, need_joint()?.to_vec()]
                }
                (LeafKind::ClaimReveal(reveal), Some(Proof::Inputs(proofs, sig))) => {
                    if !claim_fits(proofs, &reveal.elements) {
                        return Err(MISFIT);
                    }
                    reveal.witness(proofs, &sig.serialize())
                }
                (LeafKind::AssertReveal(reveal), Some(Proof::Frames(signatures))) => {
                    if !fit(signatures, &reveal.shapes) {
                        return Err(MISFIT);
                    }
                    reveal.witness(signatures, &need_joint()?)
                }
                _ => return Err("one-time signatures"),
            };
            (tap, *leaf, (items, script.as_ref().clone()))
        }
    };
    let control = tap.control(index).ok_or("a control block")?;
    items.0.push(items.1.into_bytes());
    items.0.push(control);
    Ok(Witness::from_slice(&items.0))
}

const MISFIT: &str = "one-time signatures that fit the leaf";

/// Whether signatures have the lengths that a leaf checks.
fn fit(signatures: &[Signature], shapes: &[Shape]) -> bool {
    let lengths = signatures.iter().map(|signature| signature.0.len());
    lengths.eq(shapes.iter().map(|shape| shape.digits()))
}

fn claim_fits(proofs: &[ClaimSignature], elements: &[ClaimElement]) -> bool {
    let fits = |(proof, element): (&ClaimSignature, &ClaimElement)| {
        let author = proof.author.as_ref().map(|signature| signature.0.len());
        proof.claimer.0.len() == element.shape().digits()
            && author.is_none_or(|digits| digits == element.author_shape().digits())
    };
    proofs.len() == elements.len() && proofs.iter().zip(elements).all(fits)
}

/// A witness of the right size for an input, made of zeros.
fn template(spend: &Spend, present: &dyn Fn(usize) -> bool) -> Witness {
    let zero = schnorr::Signature::from_slice(&[0; 64]).ok();
    let blank = |shape: Shape| Signature(vec![([0; 20], 0); shape.digits()]);
    let all = |shapes: &[Shape]| shapes.iter().map(|shape| blank(*shape)).collect();
    let leaf = match spend {
        Spend::Leaf(tap, leaf) => tap.leaves.get(*leaf).map(|leaf| &leaf.kind),
        _ => None,
    };
    let proof = match (spend, leaf) {
        (Spend::Disprove(_, _, disprove), _) => {
            zero.map(|sig| Proof::Disproof(all(&disprove.shapes), 0, sig))
        }
        (_, Some(LeafKind::AssertReveal(reveal))) => Some(Proof::Frames(all(&reveal.shapes))),
        (_, Some(LeafKind::ClaimReveal(reveal))) => {
            let proofs = reveal.elements.iter().enumerate().map(|(n, element)| {
                let there = !element.optional || present(n);
                let author = element.author.as_ref().filter(|_| there);
                let author = author.map(|_| blank(element.author_shape()));
                ClaimSignature {
                    claimer: blank(element.shape()),
                    author,
                }
            });
            zero.map(|sig| Proof::Inputs(proofs.collect(), sig))
        }
        _ => zero.map(Proof::Own),
    };
    witness(spend, zero, proof).unwrap_or_default()
}
