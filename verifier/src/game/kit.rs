//! Finishes a party's transactions: pre-signed parts, its own signatures, its commitments.

use crate::connector::LeafKind;
use crate::deploy::DeployError;
use crate::graph::{
    ClaimId, DUST, DisputeId, FinishError, Graph, Planned, Proof, Signer as By, Spend, Spendable,
    TxName,
};
use crate::sign::{OneTimeError, Source};
use bitcoin::secp256k1::schnorr;
use bitcoin::{TapNodeHash, Transaction};
use gavel_compiler::commit::{Shape, Signature, words_to_digits};
use gavel_compiler::script::ClaimSignature;
use gavel_compiler::segment::ElementId;
use gavel_compiler::word::Author;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Holds a party's secrets and signs with them.
pub trait Signer {
    /// A Schnorr signature by the party's key, for a leaf; `None` if the key can't sign.
    fn sign(&self, sighash: [u8; 32]) -> Option<schnorr::Signature>;

    /// A Schnorr signature by the party's key tweaked for a key path (BIP 341).
    fn sign_key_path(
        &self,
        sighash: [u8; 32],
        root: Option<TapNodeHash>,
    ) -> Option<schnorr::Signature>;

    /// One-time signatures as a claimer, on each element's message: all of them, or none.
    ///
    /// # Errors
    /// [`OneTimeError`] if the guard refuses one: another message was signed before, or it
    /// can't be made durable.
    fn commit(
        &mut self,
        messages: Vec<(ElementId, Shape, Vec<u8>)>,
        source: Source,
    ) -> Result<Vec<Signature>, OneTimeError>;
}

/// An input of `settle` as a claimer has it: words and, where somebody vouches, the author's
/// signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProof {
    /// The element's words (with the tag, where optional).
    pub words: Vec<u32>,
    /// The author's signature; absent where nobody vouches or the element is blank.
    pub author: Option<Signature>,
}

/// Why a transaction couldn't be made.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// It isn't in the graph, or doesn't add up.
    #[error(transparent)]
    Graph(#[from] DeployError),
    /// Something to put into it is missing.
    #[error(transparent)]
    Finish(#[from] FinishError),
    /// The one-time key refused.
    #[error("{name} is not signed: {error}")]
    Commit {
        /// The transaction.
        name: TxName,
        /// Why.
        error: OneTimeError,
    },
    /// An input isn't what its author signed: a Claim with it would be refused.
    #[error("{name}: `{element}` is not vouched for by its author's one-time signature")]
    NotVouched {
        /// The transaction.
        name: TxName,
        /// The input's name.
        element: String,
    },
    /// The inputs don't give the outcome that was to be claimed.
    #[error("{name}: the inputs don't give this outcome; nothing was signed")]
    NotTrue {
        /// The transaction.
        name: TxName,
    },
}

/// A party's means: the graph, the n-of-n's signatures, its secrets.
pub struct Kit {
    /// The party's index.
    pub me: u8,
    /// The graph.
    pub graph: Arc<Graph>,
    /// The n-of-n's signatures, by transaction and input.
    pub joint: Arc<BTreeMap<(TxName, usize), schnorr::Signature>>,
    /// The party's secrets.
    pub signer: Box<dyn Signer + Send>,
    /// Satoshis per virtual byte for transactions built when needed.
    pub feerate: u64,
}

impl std::fmt::Debug for Kit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kit")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl Kit {
    fn planned(&self, name: TxName) -> Result<&Planned, KitError> {
        let missing = || DeployError::Script(format!("no transaction {name} in the graph"));
        Ok(self.graph.get(name).ok_or_else(missing)?)
    }

    /// A transaction that needs nothing but signatures.
    ///
    /// # Errors
    /// [`KitError`] if it isn't in the graph or needs more than signatures.
    pub fn simple(&self, name: TxName) -> Result<Transaction, KitError> {
        self.finish(self.planned(name)?, |_| None)
    }

    /// What a party takes back alone.
    ///
    /// # Errors
    /// [`KitError`] if the outputs don't pay the fee.
    pub fn take(&self, name: TxName, outputs: &[Spendable]) -> Result<Transaction, KitError> {
        let planned = self.graph.take(name, self.me, outputs, self.feerate)?;
        self.finish(&planned, |_| None)
    }

    /// The party's money back out of a Fund that wasn't confirmed in time.
    ///
    /// # Errors
    /// [`KitError`] if none of Fund's inputs is of the party's key, or they don't pay the fee.
    pub fn withdraw(&self) -> Result<Transaction, KitError> {
        let planned = self.graph.withdraw(self.me, self.feerate)?;
        self.finish(&planned, |index| {
            let sighash = planned.sighash(index).ok()?;
            let signature = self.signer.sign_key_path(sighash, None)?;
            Some(Proof::Own(signature))
        })
    }

    /// Claim of outcome `k` with these inputs, one per input element.
    ///
    /// # Errors
    /// [`KitError::Commit`] if the guard refuses one; nothing is released then.
    pub fn claim(&mut self, k: u8, inputs: &[InputProof]) -> Result<Transaction, KitError> {
        let name = TxName::Claim(ClaimId { c: self.me, k });
        let messages = (0..)
            .map(ElementId)
            .zip(inputs.iter().map(|input| &input.words[..]));
        let signatures = self.commit(name, messages, Source::Choice)?;
        let proofs: Vec<ClaimSignature> = signatures
            .into_iter()
            .zip(inputs)
            .map(|(claimer, input)| ClaimSignature {
                claimer,
                author: input.author.clone(),
            })
            .collect();
        let groups = self.graph.deployment.plan.input_groups.clone();
        let planned = self.planned(name)?.clone();
        self.finish(&planned, |index| {
            let group = groups.get(index)?;
            let proofs = group.iter().map(|id| proofs.get(id.index()).cloned());
            let sig = self.signer.sign(planned.sighash(index).ok()?)?;
            Some(Proof::Inputs(proofs.collect::<Option<_>>()?, sig))
        })
    }

    /// Checks every author's signature on inputs, as the Claim's leaves will. To be done before
    /// anything is signed: a one-time key that signed inputs which no node takes is lost.
    ///
    /// # Errors
    /// [`KitError::NotVouched`] names the first input that fails.
    pub fn check_inputs(&self, k: u8, inputs: &[InputProof]) -> Result<(), KitError> {
        let name = TxName::Claim(ClaimId { c: self.me, k });
        let d = &self.graph.deployment;
        let keys = self.graph.connectors.keys();
        let elements = &d.plan.program.inputs;
        for (index, element) in elements.iter().enumerate() {
            let key = match element.author {
                Author::Anyone => None,
                Author::Party(p) => keys
                    .get(usize::from(p))
                    .and_then(|keys| keys.author.get(index)?.as_ref()),
                Author::Attestor(a) => d.contract.attestors.get(usize::from(a)).map(|a| &a.key),
            };
            let good = inputs.get(index).is_some_and(|input| {
                let tag = usize::from(element.optional);
                let blank = element.optional && input.words.first() != Some(&1);
                let words = input.words.get(tag..).unwrap_or(&[]);
                let digits = element.words.get(tag..).unwrap_or(&[]);
                input.words.len() == element.words.len()
                    && match (key, &input.author) {
                        (Some(key), Some(author)) if !blank => {
                            author.verify(key, element.author_shape())
                                == Some(words_to_digits(words, digits))
                        }
                        (Some(_), None) => blank,
                        (None, None) => element.author == Author::Anyone,
                        _ => false,
                    }
            });
            if !good {
                return Err(KitError::NotVouched {
                    name,
                    element: element.name.clone(),
                });
            }
        }
        if inputs.len() != elements.len() {
            return Err(KitError::NotVouched {
                name,
                element: "too many inputs".to_owned(),
            });
        }
        Ok(())
    }

    /// Assert against challenger `id.v`, with the words of every element of the trace.
    ///
    /// # Errors
    /// [`KitError::Commit`] if the guard refuses one; nothing is released then.
    pub fn assert(
        &mut self,
        id: DisputeId,
        elements: &[Vec<u32>],
    ) -> Result<Transaction, KitError> {
        let name = TxName::Assert(id);
        let groups = self.graph.deployment.plan.frame_groups.clone();
        let all = groups
            .iter()
            .flatten()
            .map(|id| (*id, elements.get(id.index()).map_or(&[][..], Vec::as_slice)));
        let mut signatures = self.commit(name, all, Source::Chain)?.into_iter();
        let frames: Vec<Vec<Signature>> = groups
            .iter()
            .map(|group| signatures.by_ref().take(group.len()).collect())
            .collect();
        let planned = self.planned(name)?.clone();
        self.finish(&planned, |index| {
            frames.get(index).cloned().map(Proof::Frames)
        })
    }

    /// A disproof by this party, at a multiple of its fee rate, but never for more than the
    /// bond pays.
    ///
    /// # Errors
    /// [`KitError`] if the leaf or the signatures don't fit.
    pub fn disprove(
        &self,
        claim: ClaimId,
        segment: usize,
        signatures: &[Signature],
        times: u64,
    ) -> Result<Transaction, KitError> {
        let id = DisputeId { claim, v: self.me };
        let size = self.graph.disprove_weight(claim, segment)?.vbytes().0;
        let most = self.graph.amounts.bond.0.saturating_sub(DUST.0) / size.max(1);
        let rate = self.feerate.saturating_mul(times).min(most);
        let planned = self.graph.disprove(id, segment, rate)?;
        let place = self
            .graph
            .deployment
            .others(claim.c)
            .position(|v| v == self.me);
        let place = place.unwrap_or(usize::MAX);
        self.finish(&planned, |index| {
            let sig = self.signer.sign(planned.sighash(index).ok()?)?;
            Some(Proof::Disproof(signatures.to_vec(), place, sig))
        })
    }

    /// Finishes a transaction with `proofs`, and with this party's signature wherever one of
    /// its keys or leaves asks for it.
    ///
    /// # Errors
    /// [`FinishError::Missing`] names what it lacks.
    pub fn finish(
        &self,
        planned: &Planned,
        proofs: impl Fn(usize) -> Option<Proof>,
    ) -> Result<Transaction, KitError> {
        let own = |index: usize| {
            let sighash = planned.sighash(index).ok()?;
            let sig = match &planned.inputs.get(index)?.spend {
                Spend::Key(tap, By::Party(_)) => self.signer.sign_key_path(sighash, tap.root())?,
                Spend::Leaf(tap, leaf) => match tap.leaves.get(*leaf)?.kind {
                    LeafKind::Challenge | LeafKind::Release | LeafKind::Timeout => {
                        self.signer.sign(sighash)?
                    }
                    _ => return None,
                },
                _ => return None,
            };
            Some(Proof::Own(sig))
        };
        let joint = |index| self.joint.get(&(planned.name, index)).copied();
        Ok(planned.finish(joint, |index| proofs(index).or_else(|| own(index)))?)
    }

    fn commit<'a>(
        &mut self,
        name: TxName,
        words: impl Iterator<Item = (ElementId, &'a [u32])>,
        source: Source,
    ) -> Result<Vec<Signature>, KitError> {
        let plan = &self.graph.deployment.plan;
        let messages = words.filter_map(|(id, words)| {
            let element = plan.elements.get(id.index())?;
            Some((
                id,
                element.shape(),
                words_to_digits(words, &element.digits()),
            ))
        });
        let messages = messages.collect();
        self.signer
            .commit(messages, source)
            .map_err(|error| KitError::Commit { name, error })
    }
}
