//! From strangers to a pre-signed graph: the messages that parties exchange before Fund.
//!
//! ```text
//! Announced ──hellos──▶ Keyed ──one-time keys──▶ Drawn ──nonces──▶ Signed ──partials──▶ Ready
//! Ready ──store──▶ Stored ──sign_fund──▶ signatures for Fund
//! ```
//!
//! **Invariants:** every step consumes the state, so a bad message ends the attempt; each party
//! recomputes the graph and signs only its own copy; a party's Fund inputs are signed last,
//! when everything that can get its money back is there, verified and on disk. No other I/O:
//! messages go in and out as bytes.

mod funding;
mod store;
#[cfg(test)]
mod tests;

pub use funding::{FundingError, check_funding};
pub use store::{StoreError, Stored};

use crate::deploy::{DeployError, Deployment, PublicOneTimeKeys, Terms};
use crate::game::{InputProof, Kit, KitError, Signer};
use crate::graph::{Graph, Planned, Spend, TxName};
use crate::sign::{
    FundingInput, Guard, Hello, Job, KeysError, MessageError, MusigError, NoncesMessage,
    OneTimeError, OneTimeKeys, OneTimeKeysMessage, PartialRound, PartialsMessage, PartyKey, Role,
    Seed, Session, Source, Statement, Tweak, open, open_hello, rand::CryptoRng, seal,
};
use bitcoin::secp256k1::schnorr;
use bitcoin::{ScriptBuf, TapNodeHash, Transaction};
use gavel_compiler::commit::{Shape, Signature, words_to_digits};
use gavel_compiler::contract::Contract;
use gavel_compiler::segment::{ElementId, Plan};
use gavel_compiler::word::Author;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why setting up ended. Nothing that could cost money was released.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A message can't be read, or isn't from whom it should be.
    #[error("message from party {party}: {error}")]
    Message {
        /// Whose message it was to be.
        party: u8,
        /// What is wrong with it.
        error: MessageError,
    },
    /// One-time keys don't fit.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The parties, the terms and the contract don't make a deployment.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// Signing together failed.
    #[error(transparent)]
    Musig(#[from] MusigError),
    /// Not one message from each other party.
    #[error("{got} messages of kind `{kind}`; there are {need} parties")]
    Count {
        /// What kind of message.
        kind: &'static str,
        /// How many came.
        got: usize,
        /// How many parties there are.
        need: usize,
    },
    /// Somebody changed our own message.
    #[error("our own {kind} came back changed")]
    OwnMessage {
        /// What kind of message.
        kind: &'static str,
    },
    /// Our key can't sign: can't happen by chance.
    #[error("our own key can't sign")]
    OwnKey,
    /// What was stored is something else.
    #[error("what was stored is another setup than this; nothing is signed")]
    NotStored,
}

/// What a party brings, besides its seed.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// Its index.
    pub me: u8,
    /// Fresh randomness: makes the instance unique.
    pub nonce: [u8; 32],
    /// Where it is paid.
    pub payout: ScriptBuf,
    /// What it funds with: confirmed P2TR outputs.
    pub inputs: Vec<FundingInput>,
}

struct Common {
    contract: Contract,
    plan: Plan,
    terms: Terms,
    me: u8,
    seed: Seed,
    key: PartyKey,
}

/// Everybody's messages as they came, by party: what a setup is rebuilt from.
#[derive(Default)]
struct Messages {
    hellos: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
}

/// A party that announced itself.
pub struct Announced {
    common: Common,
    own: Vec<u8>,
}

/// A party that sent its one-time public keys.
pub struct Keyed {
    common: Common,
    deployment: Deployment,
    secrets: OneTimeKeys,
    own: Vec<u8>,
    hellos: Vec<Vec<u8>>,
}

/// A party that drew its nonces.
pub struct Drawn {
    common: Common,
    graph: Arc<Graph>,
    secrets: OneTimeKeys,
    session: Session,
    messages: Messages,
    own: Vec<u8>,
}

/// A party that signed its part of everything.
pub struct Signed {
    common: Common,
    graph: Arc<Graph>,
    secrets: OneTimeKeys,
    round: PartialRound,
    messages: Messages,
    own: Vec<u8>,
}

/// A party that holds the whole graph, signed.
pub struct Ready {
    /// Its index.
    pub me: u8,
    /// The graph.
    pub graph: Arc<Graph>,
    /// The n-of-n's signatures.
    pub joint: Arc<BTreeMap<(TxName, usize), schnorr::Signature>>,
    key: PartyKey,
    secrets: OneTimeKeys,
    messages: Messages,
}

impl Announced {
    /// Announces a party; gives the message for all others.
    ///
    /// # Errors
    /// [`SetupError::OwnKey`], by no chance that matters.
    pub fn new(
        contract: Contract,
        plan: Plan,
        terms: Terms,
        seed: Seed,
        entrant: Entrant,
    ) -> Result<(Self, Vec<u8>), SetupError> {
        let key = seed.party_key(&contract.id);
        let hello = Hello {
            party: entrant.me,
            contract: contract.id,
            nonce: entrant.nonce,
            key: key.public(),
            payout: entrant.payout,
            inputs: entrant.inputs,
            change: None,
        };
        let own = sealed(&hello, &contract.id, &key)?;
        let common = Common {
            contract,
            plan,
            terms,
            me: entrant.me,
            seed,
            key,
        };
        Ok((
            Self {
                common,
                own: own.clone(),
            },
            own,
        ))
    }

    /// Takes everybody's announcement, by index; gives this party's one-time public keys.
    ///
    /// # Errors
    /// [`SetupError`] names the message that is wrong.
    pub fn hellos(self, messages: &[Vec<u8>]) -> Result<(Keyed, Vec<u8>), SetupError> {
        let Common {
            contract,
            plan,
            terms,
            me,
            seed,
            key,
        } = self.common;
        expect("hello", messages, contract.parties.len(), me, &self.own)?;
        let deployment = deploy(contract.clone(), plan.clone(), terms.clone(), messages)?;
        let (secrets, own) = own_keys(&deployment, me, &seed, &key)?;
        let common = Common {
            contract,
            plan,
            terms,
            me,
            seed,
            key,
        };
        Ok((
            Keyed {
                common,
                deployment,
                secrets,
                own: own.clone(),
                hellos: messages.to_vec(),
            },
            own,
        ))
    }
}

impl Keyed {
    /// Takes everybody's one-time public keys, by index; derives the graph and gives this
    /// party's nonces.
    ///
    /// # Errors
    /// [`SetupError`] names the message that is wrong.
    pub fn one_time_keys(
        self,
        messages: &[Vec<u8>],
        rng: &mut impl CryptoRng,
    ) -> Result<(Drawn, Vec<u8>), SetupError> {
        let Self {
            common,
            deployment,
            secrets,
            own,
            hellos,
        } = self;
        let n = deployment.parties.len();
        expect("one-time-keys", messages, n, common.me, &own)?;
        let graph = Arc::new(build(deployment, messages)?);
        let d = &graph.deployment;
        let id = d.instance;
        let (session, nonces) =
            Session::start(&d.keys, common.me, &common.key, jobs(&graph)?, &id, rng)?;
        let own = sealed(&nonces, &id, &common.key)?;
        Ok((
            Drawn {
                common,
                graph,
                secrets,
                session,
                messages: Messages {
                    hellos,
                    keys: messages.to_vec(),
                },
                own: own.clone(),
            },
            own,
        ))
    }
}

impl Drawn {
    /// The graph, to look at before signing.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Takes everybody's nonces, by index; gives this party's partial signatures.
    ///
    /// # Errors
    /// [`SetupError`] names the message that is wrong.
    pub fn nonces(self, messages: &[Vec<u8>]) -> Result<(Signed, Vec<u8>), SetupError> {
        let Self {
            common,
            graph,
            secrets,
            mut session,
            messages: kept,
            own,
        } = self;
        let d = &graph.deployment;
        expect("nonces", messages, d.parties.len(), common.me, &own)?;
        for (party, bytes) in (0..).zip(messages).filter(|(party, _)| *party != common.me) {
            let message: NoncesMessage = receive(d, party, bytes)?;
            session = session.receive_nonces(party, &message)?;
        }
        let (round, partials) = session.sign()?;
        let own = sealed(&partials, &d.instance, &common.key)?;
        Ok((
            Signed {
                common,
                graph,
                secrets,
                round,
                messages: kept,
                own: own.clone(),
            },
            own,
        ))
    }
}

impl Signed {
    /// Takes everybody's partial signatures, by index.
    ///
    /// # Errors
    /// [`SetupError`] names the message that is wrong.
    pub fn partials(self, messages: &[Vec<u8>]) -> Result<Ready, SetupError> {
        let Self {
            common,
            graph,
            secrets,
            mut round,
            messages: kept,
            own,
        } = self;
        let d = &graph.deployment;
        expect("partials", messages, d.parties.len(), common.me, &own)?;
        for (party, bytes) in (0..).zip(messages).filter(|(party, _)| *party != common.me) {
            let message: PartialsMessage = receive(d, party, bytes)?;
            round = round.receive_partials(party, &message)?;
        }
        let signatures = round.finish()?;
        let keys = graph
            .joint_jobs()
            .into_iter()
            .map(|(name, input, _)| (name, input));
        let joint = Arc::new(keys.zip(signatures).collect());
        Ok(Ready {
            me: common.me,
            graph,
            joint,
            key: common.key,
            secrets,
            messages: kept,
        })
    }
}

impl Ready {
    /// Signs this party's inputs of Fund: P2TR outputs of its own key. (A wallet's inputs are
    /// signed by the wallet, and only when there is a [`Stored`].) From now on its money can be
    /// locked, so what gets it back must have been stored.
    ///
    /// # Errors
    /// [`SetupError::NotStored`] if `stored` is of another setup, [`SetupError::OwnKey`] if an
    /// input isn't of its key.
    pub fn sign_fund(
        &self,
        stored: &Stored,
    ) -> Result<Vec<(usize, schnorr::Signature)>, SetupError> {
        if !stored.is_of(self) {
            return Err(SetupError::NotStored);
        }
        let fund = self.graph.get(TxName::Fund).ok_or(SetupError::OwnKey)?;
        let key = self.key.tap_tweak(None).map_err(|_| SetupError::OwnKey)?;
        let ours = ScriptBuf::new_p2tr_tweaked(
            bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(key.public()),
        );
        let mut signatures = Vec::new();
        for (index, input) in fund.inputs.iter().enumerate() {
            if matches!(input.spend, Spend::Funding(party) if party == self.me) {
                if input.prevout.script_pubkey != ours {
                    return Err(SetupError::OwnKey);
                }
                let sighash = fund.sighash(index).map_err(|_| SetupError::OwnKey)?;
                let signature = key.sign(&sighash).map_err(|_| SetupError::OwnKey)?;
                signatures.push((index, signature));
            }
        }
        Ok(signatures)
    }

    /// Signs an input that this party vouches for, for the others to claim with. `words` are
    /// the element's, with the tag if it is optional.
    ///
    /// # Errors
    /// [`OneTimeError`] if the guard refuses.
    pub fn vouch(
        &self,
        element: ElementId,
        words: &[u32],
        guard: &mut dyn Guard,
    ) -> Result<Signature, OneTimeError> {
        let input = self
            .graph
            .deployment
            .plan
            .program
            .inputs
            .get(element.index());
        let (skip, digits) = input.map_or((0, &[][..]), |input| {
            let skip = usize::from(input.optional);
            (skip, input.words.get(skip..).unwrap_or(&[]))
        });
        let statement = Statement {
            role: Role::Author,
            element: element.0,
            shape: Shape::of_words(digits),
            digits: words_to_digits(words.get(skip..).unwrap_or(&[]), digits),
            source: Source::Choice,
        };
        self.secrets.sign(&statement, guard)
    }

    /// The party's means to play, with the guard that keeps its one-time keys.
    pub fn into_kit(self, guard: Box<dyn Guard + Send>, feerate: u64) -> Kit {
        let Self {
            me,
            graph,
            joint,
            key,
            secrets,
            messages: _,
        } = self;
        let signer = Box::new(PartySigner {
            key,
            secrets,
            guard,
        });
        Kit {
            me,
            graph,
            joint,
            signer,
            feerate,
        }
    }

    /// Starts co-signing a Close of outcome `k`; gives this party's nonces. All parties must
    /// name the same `attempt`, and a new one for every try.
    ///
    /// # Errors
    /// [`SetupError::Deploy`] if there is no such outcome.
    pub fn close(
        &self,
        k: u8,
        attempt: [u8; 32],
        rng: &mut impl CryptoRng,
    ) -> Result<(Closing<'_>, Vec<u8>), SetupError> {
        let d = &self.graph.deployment;
        let close = self.graph.close(k)?;
        let sighash = close
            .sighash(0)
            .map_err(|e| DeployError::Script(e.to_string()))?;
        let job = Job {
            label: close.name.to_string(),
            sighash,
            tweak: Tweak::TapTweak(None),
        };
        let (session, nonces) =
            Session::start(&d.keys, self.me, &self.key, vec![job], &attempt, rng)?;
        let message = sealed(&nonces, &d.instance, &self.key)?;
        Ok((
            Closing {
                ready: self,
                close,
                state: session,
            },
            message,
        ))
    }
}

/// A party on the way to a Close: first with its nonces, then with its partial signature.
pub struct Closing<'a, S = Session> {
    ready: &'a Ready,
    close: Planned,
    state: S,
}

impl<'a> Closing<'a> {
    /// Takes everybody's nonces, by index; gives this party's partial signature.
    ///
    /// # Errors
    /// [`SetupError`] names the message that is wrong.
    pub fn nonces(
        self,
        messages: &[Vec<u8>],
    ) -> Result<(Closing<'a, PartialRound>, Vec<u8>), SetupError> {
        let Self {
            ready,
            close,
            state: mut session,
        } = self;
        let d = &ready.graph.deployment;
        count("nonces", messages, d.parties.len())?;
        for (party, bytes) in (0..).zip(messages).filter(|(party, _)| *party != ready.me) {
            session = session.receive_nonces(party, &receive::<NoncesMessage>(d, party, bytes)?)?;
        }
        let (round, partials) = session.sign()?;
        let message = sealed(&partials, &d.instance, &ready.key)?;
        Ok((
            Closing {
                ready,
                close,
                state: round,
            },
            message,
        ))
    }
}

impl Closing<'_, PartialRound> {
    /// Takes everybody's partial signatures, by index; gives the finished Close.
    ///
    /// # Errors
    /// [`SetupError`] names the message that is wrong.
    pub fn partials(self, messages: &[Vec<u8>]) -> Result<Transaction, SetupError> {
        let Self {
            ready,
            close,
            state: mut round,
        } = self;
        let d = &ready.graph.deployment;
        count("partials", messages, d.parties.len())?;
        for (party, bytes) in (0..).zip(messages).filter(|(party, _)| *party != ready.me) {
            let message: PartialsMessage = receive(d, party, bytes)?;
            round = round.receive_partials(party, &message)?;
        }
        let signature = round.finish()?.into_iter().next();
        let finished = close.finish(|_| signature, |_| None);
        Ok(finished.map_err(|e| DeployError::Script(e.to_string()))?)
    }
}

/// Puts all parties' signatures into Fund.
///
/// # Errors
/// [`KitError`] names the input whose signature is missing.
pub fn finish_fund(
    graph: &Graph,
    signatures: &BTreeMap<usize, schnorr::Signature>,
) -> Result<Transaction, KitError> {
    let missing = || DeployError::Script("no Fund".to_owned());
    let fund = graph.get(TxName::Fund).ok_or_else(missing)?;
    let own = |index| {
        signatures
            .get(&index)
            .copied()
            .map(crate::graph::Proof::Own)
    };
    Ok(fund.finish(|_| None, own)?)
}

/// The words and author's signature of every input element, from words and signatures.
pub fn input_proofs(
    plan: &Plan,
    words: &[u32],
    mut author: impl FnMut(ElementId, Author, &[u32]) -> Option<Signature>,
) -> Vec<InputProof> {
    let mut rest = words;
    let mut proofs = Vec::new();
    for (id, input) in (0..).map(ElementId).zip(&plan.program.inputs) {
        let (own, after) = rest.split_at(input.words.len().min(rest.len()));
        rest = after;
        let blank = input.optional && own.first() != Some(&1);
        let author = match input.author {
            Author::Anyone => None,
            _ if blank => None,
            by => author(id, by, own),
        };
        proofs.push(InputProof {
            words: own.to_vec(),
            author,
        });
    }
    proofs
}

/// A party's secrets with their guard.
struct PartySigner {
    key: PartyKey,
    secrets: OneTimeKeys,
    guard: Box<dyn Guard + Send>,
}

impl Signer for PartySigner {
    fn sign(&self, sighash: [u8; 32]) -> Option<schnorr::Signature> {
        self.key.sign(&sighash).ok()
    }

    fn sign_key_path(
        &self,
        sighash: [u8; 32],
        root: Option<TapNodeHash>,
    ) -> Option<schnorr::Signature> {
        self.key.tap_tweak(root).ok()?.sign(&sighash).ok()
    }

    fn commit(
        &mut self,
        messages: Vec<(ElementId, Shape, Vec<u8>)>,
        source: Source,
    ) -> Result<Vec<Signature>, OneTimeError> {
        let statements: Vec<Statement> = messages
            .into_iter()
            .map(|(element, shape, digits)| Statement {
                role: Role::Claimer,
                element: element.0,
                shape,
                digits,
                source,
            })
            .collect();
        self.secrets.sign_all(&statements, self.guard.as_mut())
    }
}

/// The deployment that everybody's announcements make.
fn deploy(
    contract: Contract,
    plan: Plan,
    terms: Terms,
    messages: &[Vec<u8>],
) -> Result<Deployment, SetupError> {
    let hellos = (0..)
        .zip(messages)
        .map(|(party, bytes)| {
            let opened = open_hello(bytes, &contract.id, party);
            opened.map_err(|error| SetupError::Message { party, error })
        })
        .collect::<Result<Vec<Hello>, _>>()?;
    Ok(Deployment::new(contract, plan, terms, hellos)?)
}

/// A party's one-time keys, and its message about them: the same whenever it is made.
fn own_keys(
    d: &Deployment,
    me: u8,
    seed: &Seed,
    key: &PartyKey,
) -> Result<(OneTimeKeys, Vec<u8>), SetupError> {
    let secrets = OneTimeKeys::new(seed, &d.contract.id, &d.instance);
    let shapes: Vec<(u16, Shape)> = (0..).zip(claimer_shapes(&d.plan)).collect();
    let ours: Vec<(u16, Shape)> = author_shapes(&d.plan, me).into_iter().collect();
    let author = ours.iter().map(|(element, _)| *element);
    let message = OneTimeKeysMessage {
        party: me,
        instance: d.instance,
        claimer: secrets.public_keys(Role::Claimer, &shapes),
        author: author
            .zip(secrets.public_keys(Role::Author, &ours))
            .collect(),
    };
    let own = sealed(&message, &d.instance, key)?;
    Ok((secrets, own))
}

/// The graph that everybody's one-time public keys make.
fn build(deployment: Deployment, messages: &[Vec<u8>]) -> Result<Graph, SetupError> {
    let plan = &deployment.plan;
    let shapes: Vec<Shape> = claimer_shapes(plan).collect();
    let mut keys = Vec::with_capacity(messages.len());
    for (party, bytes) in (0..).zip(messages) {
        let message: OneTimeKeysMessage = receive(&deployment, party, bytes)?;
        message.check(&deployment.instance, &shapes, &author_shapes(plan, party))?;
        let inputs = 0..plan.program.inputs.len() as u16;
        keys.push(PublicOneTimeKeys {
            claimer: message.claimer,
            author: inputs
                .map(|element| message.author.get(&element).cloned())
                .collect(),
        });
    }
    Ok(Graph::build(deployment, keys)?)
}

fn claimer_shapes(plan: &Plan) -> impl Iterator<Item = Shape> {
    plan.elements.iter().map(|element| element.shape())
}

fn author_shapes(plan: &Plan, party: u8) -> BTreeMap<u16, Shape> {
    (0..)
        .zip(&plan.program.inputs)
        .filter(|(_, input)| input.author == Author::Party(party))
        .map(|(element, input)| (element, input.author_shape()))
        .collect()
}

/// All that the n-of-n signs, in the order of the graph.
fn jobs(graph: &Graph) -> Result<Vec<Job>, SetupError> {
    let job = |(name, input, root): (TxName, usize, Option<Option<TapNodeHash>>)| {
        let planned = graph.get(name);
        let sighash = planned.map(|planned| planned.sighash(input));
        let sighash = sighash.and_then(Result::ok).ok_or_else(|| {
            SetupError::Deploy(DeployError::Script(format!(
                "{name}: no sighash for {input}"
            )))
        })?;
        let tweak = root.map_or(Tweak::None, Tweak::TapTweak);
        Ok(Job {
            label: format!("{name} input {input}"),
            sighash,
            tweak,
        })
    };
    graph.joint_jobs().into_iter().map(job).collect()
}

fn receive<B: crate::sign::Body>(d: &Deployment, party: u8, bytes: &[u8]) -> Result<B, SetupError> {
    let n = d.parties.len();
    let sender = d.parties.get(usize::from(party));
    let sender = sender.ok_or(SetupError::Count {
        kind: B::KIND,
        got: n + 1,
        need: n,
    })?;
    open(bytes, &d.instance, party, &sender.key)
        .map_err(|error| SetupError::Message { party, error })
}

fn sealed<B: crate::sign::Body>(
    body: &B,
    context: &[u8; 32],
    key: &PartyKey,
) -> Result<Vec<u8>, SetupError> {
    seal(body, context, key).map_err(|_| SetupError::OwnKey)
}

fn count(kind: &'static str, messages: &[Vec<u8>], need: usize) -> Result<(), SetupError> {
    let got = messages.len();
    if got == need {
        Ok(())
    } else {
        Err(SetupError::Count { kind, got, need })
    }
}

fn expect(
    kind: &'static str,
    messages: &[Vec<u8>],
    need: usize,
    me: u8,
    own: &[u8],
) -> Result<(), SetupError> {
    count(kind, messages, need)?;
    match messages.get(usize::from(me)) {
        Some(bytes) if bytes == own => Ok(()),
        _ => Err(SetupError::OwnMessage { kind }),
    }
}
