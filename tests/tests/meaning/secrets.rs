//! All parties' secrets in one hand: whatever a spend wants can be given, or forged.

use bitcoin::secp256k1::schnorr;
use gavel_compiler::commit::{Shape, Signature, words_to_digits};
use gavel_compiler::segment::{ElementId, Trace};
use gavel_compiler::word::Author;
use gavel_tests::table::seed;
use gavel_verifier::graph::Graph;
use gavel_verifier::sign::rand::{SeedableRng, rngs::StdRng};
use gavel_verifier::sign::{
    Job, MemoryGuard, OneTimeKeys, PartyKey, Role, Session, Source, Statement, Tweak,
};
use std::sync::Arc;

/// Whose signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// All parties together.
    Joint,
    /// One of them.
    Party(u8),
}

/// All parties' secrets.
pub struct Secrets {
    graph: Arc<Graph>,
    keys: Vec<PartyKey>,
    one_time: Vec<OneTimeKeys>,
}

impl Secrets {
    /// Those of a table seated with salt 0.
    pub fn new(graph: Arc<Graph>) -> Self {
        let d = &graph.deployment;
        let id = d.contract.id;
        let seeds = || (0..d.n()).map(|party| seed(party, 0));
        Self {
            keys: seeds().map(|seed| seed.party_key(&id)).collect(),
            one_time: seeds()
                .map(|seed| OneTimeKeys::new(&seed, &id, &d.instance))
                .collect(),
            graph,
        }
    }

    /// A signature for a leaf, or for a key path.
    pub fn sign(&self, who: Who, sighash: [u8; 32], tweak: Tweak) -> schnorr::Signature {
        let signed = match (who, tweak) {
            (Who::Joint, _) => return self.together(sighash, tweak),
            (Who::Party(p), Tweak::None) => self.keys[usize::from(p)].sign(&sighash),
            (Who::Party(p), Tweak::TapTweak(root)) => {
                let key = self.keys[usize::from(p)].tap_tweak(root);
                key.unwrap().sign(&sighash)
            }
        };
        signed.unwrap()
    }

    /// What only all parties together can do: sign for the n-of-n what isn't in the graph.
    fn together(&self, sighash: [u8; 32], tweak: Tweak) -> schnorr::Signature {
        let job = Job {
            label: "a test's".to_owned(),
            sighash,
            tweak,
        };
        let agg = &self.graph.deployment.keys;
        let started = (0..).zip(&self.keys).map(|(me, key)| {
            let mut rng = StdRng::from_seed(sighash);
            Session::start(agg, me, key, vec![job.clone()], &sighash, &mut rng).unwrap()
        });
        let (sessions, nonces): (Vec<_>, Vec<_>) = started.unzip();
        let signed = (0..).zip(sessions).map(|(me, session)| {
            let others = (0..).zip(&nonces).filter(|(from, _)| *from != me);
            let all = others.fold(session, |session, (from, message)| {
                session.receive_nonces(from, message).unwrap()
            });
            all.sign().unwrap()
        });
        let (rounds, partials): (Vec<_>, Vec<_>) = signed.unzip();
        let first = rounds.into_iter().next().unwrap();
        let others = (0..).zip(&partials).skip(1);
        let all = others.fold(first, |round, (from, message)| {
            round.receive_partials(from, message).unwrap()
        });
        all.finish().unwrap()[0]
    }

    /// A claimer's one-time signatures on what a trace has for these elements.
    pub fn claimer(&self, c: u8, ids: &[ElementId], trace: &Trace) -> Vec<Signature> {
        let elements = &self.graph.deployment.plan.elements;
        let sign = |id: &ElementId| {
            let digits = elements[id.index()].digits();
            let words = &trace.elements[id.index()];
            self.one_time(Role::Claimer, c, *id, &digits, words)
        };
        ids.iter().map(sign).collect()
    }

    /// The author's signature on what a trace has for an input.
    pub fn author(&self, id: ElementId, trace: &Trace) -> Option<Signature> {
        let input = &self.graph.deployment.plan.program.inputs[id.index()];
        let Author::Party(p) = input.author else {
            return None;
        };
        let words = &trace.elements[id.index()];
        Some(self.one_time(Role::Author, p, id, &input.words, words))
    }

    /// Under a new guard each time, which forbids nothing.
    fn one_time(
        &self,
        role: Role,
        party: u8,
        id: ElementId,
        digits: &[u8],
        words: &[u32],
    ) -> Signature {
        let statement = Statement {
            role,
            element: id.0,
            shape: Shape::of_words(digits),
            digits: words_to_digits(words, digits),
            source: Source::Choice,
        };
        let keys = &self.one_time[usize::from(party)];
        keys.sign(&statement, &mut MemoryGuard::new()).unwrap()
    }
}
