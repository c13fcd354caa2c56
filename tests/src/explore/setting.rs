//! What is explored: a contract, who is honest, who knows what, and how the protocol differs
//! from the real one, if it does.

use super::meaning::{self, Way};
use crate::game::PlayError;
use crate::stage::{Case, Stage};
use bitcoin::Transaction;
use gavel_compiler::commit::{Shape, Signature, words_to_digits};
use gavel_compiler::segment::{ElementId, Trace};
use gavel_compiler::word::Author;
use gavel_verifier::deploy::Deployment;
use gavel_verifier::game::{Event, InputProof, View};
use gavel_verifier::graph::{Graph, Role as Output, TxName};
use gavel_verifier::sample;
use gavel_verifier::setup::input_proofs;
use gavel_verifier::sign::{MemoryGuard, OneTimeKeys, Role, Source, Statement};
use std::sync::Arc;

/// How the world differs from Gavel's protocol; by default it doesn't.
#[derive(Clone, Copy)]
pub struct Rules {
    /// What each way to spend an output wants.
    pub ways: fn(&Deployment, TxName, Output) -> Vec<Way>,
    /// Which duties the honest machine leaves undone.
    pub act: Option<fn(&View, &TxName) -> bool>,
    /// Which events reach the honest machine.
    pub hears: fn(&Event) -> bool,
    /// Whether the honest machine forgets evidence with the block that it was in.
    pub forgets: bool,
    /// What the honest machine believes that inputs give.
    pub believes: fn(Trace) -> Trace,
    /// Whether disprove leaves also take an author's signature for an input.
    pub reads_authors: bool,
    /// Whether a disprove leaf believes what its witness says about the right result.
    pub believes_hints: bool,
    /// Whether Fund's id can be changed by others.
    pub malleable: bool,
    /// Whether one-time keys are guarded.
    pub guarded: bool,
    /// What nodes relay and mine.
    pub relays: fn(&Graph, &Transaction) -> bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            ways: meaning::ways,
            act: None,
            hears: |_| true,
            forgets: false,
            believes: |trace| trace,
            reads_authors: false,
            believes_hints: false,
            malleable: false,
            guarded: true,
            relays: |_, _| true,
        }
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rules")
    }
}

/// When honest claimers learn the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Before Fund.
    AtOnce,
    /// At any height that the deadline leaves, as the adversary likes, or never.
    AnyTime,
}

/// What is explored.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The contract.
    pub stage: Stage,
    /// The graph.
    pub graph: Arc<Graph>,
    /// The graph as the honest machines know it: the same, unless they are to be mistaken.
    pub known: Arc<Graph>,
    /// Who plays by the rules; the others are one coalition.
    pub honest: Vec<bool>,
    /// What really happened.
    pub truth: Case,
    /// What else a coalition may claim, if it can have it vouched for.
    pub others: Vec<Case>,
    /// The honest parties that mean to claim the truth.
    pub claimers: Vec<u8>,
    /// When they can.
    pub tell: Tell,
    /// Whether the game begins before Fund is confirmed.
    pub before_fund: bool,
    /// Whether all honest parties have signed a Close of the true outcome.
    pub close: bool,
    /// How the world differs.
    pub rules: Rules,
    /// What nodes neither relay nor mine.
    pub refused: Option<fn(&TxName) -> bool>,
    /// Whether moves that can't help the coalition are left out.
    pub pruned: bool,
    secrets: Vec<Arc<OneTimeKeys>>,
}

impl Setting {
    /// A setting in which `honest` parties play by the rules and all of them mean to claim.
    ///
    /// # Errors
    /// [`PlayError`] if the contract can't be deployed, or has no case with an outcome.
    pub fn new(stage: Stage, honest: &[bool]) -> Result<Self, PlayError> {
        let graph = sample::sample(
            stage.contract.clone(),
            stage.plan.clone(),
            stage.terms.clone(),
        )?;
        let d = &graph.deployment;
        let secrets = (0..d.n()).map(|p| {
            Arc::new(OneTimeKeys::new(
                &sample::seed(p),
                &d.contract.id,
                &d.instance,
            ))
        });
        let secrets = secrets.collect();
        let truth = stage.cases.iter().find(|case| case.outcome.is_some());
        let truth = truth.ok_or_else(|| PlayError::Stage("no case with an outcome".into()))?;
        let truth = truth.clone();
        // One case of each kind: another outcome, an abort.
        let mut others: Vec<Case> = Vec::new();
        for case in &stage.cases {
            let known = others.iter().chain([&truth]);
            if !known.into_iter().any(|k| k.outcome == case.outcome) {
                others.push(case.clone());
            }
        }
        let claimers = (0..d.n()).filter(|p| honest[usize::from(*p)]).collect();
        let graph = Arc::new(graph);
        Ok(Self {
            stage,
            known: graph.clone(),
            graph,
            honest: honest.to_vec(),
            truth,
            others,
            claimers,
            tell: Tell::AtOnce,
            before_fund: false,
            close: false,
            rules: Rules::default(),
            refused: None,
            pruned: true,
            secrets,
        })
    }

    /// The deployment.
    pub fn deployment(&self) -> &Deployment {
        &self.graph.deployment
    }

    /// Whether a party belongs to the coalition.
    pub fn rogue(&self, party: u8) -> bool {
        !self.is_honest(party)
    }

    /// Whether a party plays by the rules.
    pub fn is_honest(&self, party: u8) -> bool {
        self.honest.get(usize::from(party)).copied().unwrap_or(true)
    }

    /// The honest parties.
    pub fn honest(&self) -> impl Iterator<Item = u8> {
        let all = self.deployment().n();
        (0..all).filter(|p| self.is_honest(*p))
    }

    /// The coalition.
    pub fn rogues(&self) -> impl Iterator<Item = u8> {
        let all = self.deployment().n();
        (0..all).filter(|p| self.rogue(*p))
    }

    /// A party's one-time keys.
    pub fn secrets(&self, party: u8) -> Option<&Arc<OneTimeKeys>> {
        self.secrets.get(usize::from(party))
    }

    /// All cases whose inputs the coalition can have vouched for: honest authors sign only
    /// what really happened.
    pub fn provable(&self) -> impl Iterator<Item = &Case> {
        let vouched = |case: &&Case| {
            let mut at = 0;
            let inputs = &self.deployment().plan.program.inputs;
            inputs.iter().all(|input| {
                let range = at..at + input.words.len();
                at = range.end;
                let same = case.words.get(range.clone()) == self.truth.words.get(range);
                match input.author {
                    Author::Anyone => true,
                    Author::Party(p) => same || self.rogue(p),
                    Author::Attestor(_) => same,
                }
            })
        };
        std::iter::once(&self.truth).chain(self.others.iter().filter(vouched))
    }

    /// Inputs with their authors' signatures.
    pub fn proofs(&self, case: &Case) -> Vec<InputProof> {
        let plan = &self.deployment().plan;
        input_proofs(plan, &case.words, |id, author, words| match author {
            Author::Party(p) => self.vouch(p, id, words),
            Author::Anyone | Author::Attestor(_) => None,
        })
    }

    fn vouch(&self, party: u8, element: ElementId, words: &[u32]) -> Option<Signature> {
        let input = self.deployment().plan.program.inputs.get(element.index())?;
        let statement = Statement {
            role: Role::Author,
            element: element.0,
            shape: Shape::of_words(&input.words),
            digits: words_to_digits(words, &input.words),
            source: Source::Choice,
        };
        let mut guard = MemoryGuard::new();
        self.secrets(party)?.sign(&statement, &mut guard).ok()
    }

    /// What inputs really give.
    pub fn trace(&self, words: &[u32]) -> Trace {
        gavel_prover::trace(&self.deployment().plan, words)
    }
}
