//! Seats the parties of a contract at a node: funded, with a graph that all have signed.

use crate::game::PlayError;
use crate::stage::Stage;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::TweakedPublicKey;
use bitcoin::{Amount, ScriptBuf, Transaction};
use gavel_compiler::commit::Signature;
use gavel_compiler::segment::ElementId;
use gavel_compiler::units::Sats;
use gavel_compiler::word::Author;
use gavel_regtest::Node;
use gavel_verifier::game::InputProof;
use gavel_verifier::graph::Graph;
use gavel_verifier::sample;
use gavel_verifier::setup::{Announced, Entrant, Ready, check_funding, finish_fund, input_proofs};
use gavel_verifier::sign::{
    DemoAttestor, FundingInput, MemoryGuard, Seed, rand::SeedableRng, rand::rngs::StdRng,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Money that a party keeps as change beyond what Fund needs.
const SPARE: u64 = 10_000;

/// Parties at a node, before Fund is broadcast.
pub struct Table {
    /// The node that was started for this game.
    pub node: Node,
    /// The graph.
    pub graph: Arc<Graph>,
    /// The parties, by index: all hold the whole graph, signed.
    pub parties: Vec<Ready>,
    /// What each party brought.
    pub brought: Vec<Sats>,
    /// Fund, signed by all.
    pub fund: Transaction,
    /// Where each party stored its setup.
    pub stores: Vec<PathBuf>,
}

impl Table {
    /// Starts a node, funds the parties, and lets them exchange all messages.
    ///
    /// # Errors
    /// [`PlayError`] if the node can't be used or the contract can't be deployed.
    pub fn seat(stage: &Stage) -> Result<Self, PlayError> {
        let node = Node::start_with(stage.node.clone())?;
        Self::seat_at(stage, node, 0)
    }

    /// The same at a node that runs already. `salt` makes the parties' seeds differ from other
    /// tables'.
    ///
    /// # Errors
    /// As [`Self::seat`].
    pub fn seat_at(stage: &Stage, node: Node, salt: u64) -> Result<Self, PlayError> {
        let contract = &stage.contract;
        let draft = sample::sample(contract.clone(), stage.plan.clone(), stage.terms.clone())?;
        let n = contract.parties.len() as u8;
        let mut seeds = Vec::new();
        let mut payments = Vec::new();
        for party in 0..n {
            let seed = seed(party, salt);
            let key = seed.party_key(&contract.id).public();
            let key = TweakedPublicKey::dangerous_assume_tweaked(
                seed.party_key(&contract.id)
                    .tap_tweak(None)
                    .map_or(key, |key| key.public()),
            );
            let needs = sample::needs(&draft, party).unwrap_or_default().0 + SPARE;
            payments.push((ScriptBuf::new_p2tr_tweaked(key), Amount::from_sat(needs)));
            seeds.push(seed);
        }
        let funded = node.rpc().fund_all(&payments)?;
        let mut announced = Vec::new();
        let mut messages = Vec::new();
        for ((party, seed), funded) in (0..n).zip(seeds).zip(&funded) {
            let script = funded.output.script_pubkey.clone();
            let amount = Sats(funded.output.value.to_sat());
            let entrant = Entrant {
                me: party,
                nonce: digest("nonce", party, salt),
                payout: script.clone(),
                inputs: vec![FundingInput {
                    outpoint: funded.outpoint,
                    amount,
                    script,
                }],
            };
            let (contract, plan) = (contract.clone(), stage.plan.clone());
            let terms = stage.terms.clone();
            let (state, message) = Announced::new(contract, plan, terms, seed, entrant)?;
            announced.push(state);
            messages.push(message);
        }
        let parties = exchange(&node, announced, messages, salt)?;
        let graph = parties.first().map(|ready| ready.graph.clone());
        let graph = graph.ok_or_else(|| PlayError::Stage("a contract without parties".into()))?;
        let mut signatures = BTreeMap::new();
        let mut stores = Vec::new();
        for ready in &parties {
            let name = format!("gavel-setup-{salt}-{}", ready.me);
            let path = node.datadir().join(name);
            let stored = ready.store(&path)?;
            signatures.extend(ready.sign_fund(&stored)?);
            stores.push(path);
        }
        let fund = finish_fund(&graph, &signatures)?;
        let brought = funded
            .iter()
            .map(|f| Sats(f.output.value.to_sat()))
            .collect();
        Ok(Self {
            node,
            graph,
            parties,
            brought,
            fund,
            stores,
        })
    }

    /// The proofs that a claimer needs for these input words: everybody who vouches signs.
    /// `forge` leaves out honest authors' refusal: a fresh guard is used each time.
    ///
    /// # Errors
    /// [`PlayError`] if an author can't sign.
    pub fn vouch(&self, words: &[u32]) -> Result<Vec<InputProof>, PlayError> {
        vouch(&self.graph, &self.parties, words)
    }
}

/// As [`Table::vouch`].
///
/// # Errors
/// [`PlayError`] if an author can't sign.
pub fn vouch(
    graph: &Graph,
    parties: &[Ready],
    words: &[u32],
) -> Result<Vec<InputProof>, PlayError> {
    let mut failed = None;
    let plan = &graph.deployment.plan;
    let proofs = input_proofs(
        plan,
        words,
        |id: ElementId, author: Author, words: &[u32]| {
            let signed: Result<Signature, PlayError> = match author {
                Author::Anyone => return None,
                Author::Party(party) => match parties.get(usize::from(party)) {
                    Some(ready) => ready
                        .vouch(id, words, &mut MemoryGuard::new())
                        .map_err(PlayError::from),
                    None => Err(PlayError::Stage(format!("no party {party}"))),
                },
                Author::Attestor(index) => {
                    let shape = plan
                        .program
                        .inputs
                        .get(id.index())
                        .map(|input| input.words.clone());
                    DemoAttestor { index }
                        .attest(words, &shape.unwrap_or_default())
                        .map_err(|e| PlayError::Stage(e.to_string()))
                }
            };
            signed.map_err(|error| failed = Some(error)).ok()
        },
    );
    failed.map_or(Ok(proofs), Err)
}

/// All rounds of messages between parties in this process.
fn exchange(
    node: &Node,
    announced: Vec<Announced>,
    hellos: Vec<Vec<u8>>,
    salt: u64,
) -> Result<Vec<Ready>, PlayError> {
    let mut keyed = Vec::new();
    let mut keys = Vec::new();
    for state in announced {
        let (state, message) = state.hellos(&hellos)?;
        keyed.push(state);
        keys.push(message);
    }
    let mut drawn = Vec::new();
    let mut nonces = Vec::new();
    for (party, state) in (0u8..).zip(keyed) {
        // Tests are repeatable, so their nonces are too; every table has its own session id.
        let mut rng = StdRng::from_seed(digest("rng", party, salt));
        let (state, message) = state.one_time_keys(&keys, &mut rng)?;
        drawn.push(state);
        nonces.push(message);
    }
    let mut signed = Vec::new();
    let mut partials = Vec::new();
    for state in drawn {
        check_money(node, state.graph())?;
        let (state, message) = state.nonces(&nonces)?;
        signed.push(state);
        partials.push(message);
    }
    signed
        .into_iter()
        .map(|state| Ok(state.partials(&partials)?))
        .collect()
}

/// Has the node confirm that everybody's money is where it was announced.
fn check_money(node: &Node, graph: &Graph) -> Result<(), PlayError> {
    let mut failed = None;
    let checked = check_funding(&graph.deployment, |outpoint| {
        let found = node.rpc().unspent(outpoint, true);
        let found = found.map_err(|error| failed = Some(error)).ok()??;
        Some((found.output, found.confirmations))
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(checked?),
    }
}

/// A party's seed at the table with this salt.
pub fn seed(party: u8, salt: u64) -> Seed {
    Seed::from_bytes(&digest("seed", party, salt))
}

fn digest(what: &str, party: u8, salt: u64) -> [u8; 32] {
    let text = format!("gavel-tests/{what}/{party}/{salt}");
    sha256::Hash::hash(text.as_bytes()).to_byte_array()
}
