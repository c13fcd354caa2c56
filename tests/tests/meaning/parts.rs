//! What meets each need, and what doesn't.

use super::secrets::{Secrets, Who};
use super::spend::{Coin, Hand, Parts, Shown};
use bitcoin::Transaction;
use gavel_compiler::commit::Signature;
use gavel_compiler::script::ClaimSignature;
use gavel_compiler::script::leaf::disprove::elements_of;
use gavel_compiler::segment::Trace;
use gavel_compiler::units::Blocks;
use gavel_tests::Stage;
use gavel_tests::explore::meaning::{Need, Way};
use gavel_verifier::graph::{Graph, Role};
use std::sync::Arc;

/// What a node says of a signature by another key, or on another transaction.
const FORGED: &[&str] = &["Invalid Schnorr signature"];
/// What it says where there is none: in a leaf, in a disprove leaf, on a key path.
const UNSIGNED: &[&str] = &[
    "OP_CHECKSIGVERIFY",
    "OP_VERIFY",
    "false/empty top stack element",
    "Invalid Schnorr signature size",
];
/// What it says of a wrong one-time signature.
const NOT_REVEALED: &[&str] = &["OP_EQUALVERIFY"];
/// What it says of a script that has nothing to object to what it is shown.
const NO_LIE: &[&str] = &["false/empty top stack element"];
/// What a leaf says of an input's lock that is shorter than its own.
const SHORT: &[&str] = &["Locktime requirement not satisfied"];

/// A spend that has all that it needs but one thing.
pub struct Fault {
    pub what: String,
    pub parts: Parts,
    /// What the node may say of it.
    pub why: &'static [&'static str],
}

/// Makes parts, good and bad.
pub struct Maker {
    pub graph: Arc<Graph>,
    pub stage: Stage,
    pub secrets: Secrets,
}

impl Maker {
    /// As [`Coin::spend`].
    pub fn spend(&self, coin: &Coin, way: &Way, parts: &Parts) -> Transaction {
        coin.spend(&self.graph, &self.secrets, way, parts)
    }

    /// Every spend that meets the needs of a way, and nothing else.
    pub fn goods(&self, coin: &Coin, way: &Way) -> Vec<Parts> {
        let mut all = vec![Parts::NONE];
        for need in &way.needs {
            all = all
                .iter()
                .flat_map(|parts| self.meet(coin, *need, parts))
                .collect();
        }
        all
    }

    /// The same parts with what meets a need: everything that does.
    fn meet(&self, coin: &Coin, need: Need, base: &Parts) -> Vec<Parts> {
        let with = |change: &dyn Fn(&mut Parts)| {
            let mut parts = base.clone();
            change(&mut parts);
            parts
        };
        let show = |shown| with(&|parts| parts.shown = Shown::clone(&shown));
        match need {
            Need::Joint => vec![with(&|parts| parts.joint = Hand::Signs(Who::Joint))],
            Need::Party(p) => vec![with(&|parts| parts.own = Hand::Signs(Who::Party(p)))],
            Need::AnyBut(c) => {
                let challengers = self.graph.deployment.others(c).enumerate();
                let by = |(place, v)| {
                    with(&|parts| (parts.place, parts.own) = (place, Hand::Signs(Who::Party(v))))
                };
                challengers.map(by).collect()
            }
            Need::Inputs(c) => vec![show(self.inputs(coin, c, &self.usual()))],
            Need::Frames(c) => vec![show(self.frames(coin, c, &self.usual()))],
            Need::Lie(c, k) => self.lies(c, k).into_iter().map(show).collect(),
            Need::Depth(lock) => vec![with(&|parts| parts.lock = Some(lock))],
        }
    }

    /// A good spend with one need taken away, in every way that there is.
    pub fn faults(&self, coin: &Coin, need: Need, good: &Parts) -> Vec<Fault> {
        let fault = |what: String, why, change: &dyn Fn(&mut Parts)| {
            let mut parts = good.clone();
            change(&mut parts);
            Fault { what, parts, why }
        };
        let hand = |hand, change: &dyn Fn(&mut Parts)| {
            let why = match hand {
                Hand::Nobody => UNSIGNED,
                _ => FORGED,
            };
            fault(format!("{hand:?} instead of {need:?}"), why, change)
        };
        let signed = |who, slot: fn(&mut Parts) -> &mut Hand| {
            let hands = self.others(who).into_iter();
            let put = |other| hand(other, &|parts| *slot(parts) = other);
            hands.map(put).collect()
        };
        let shown = |(what, why, shown): (&str, _, Shown)| {
            let what = format!("{what} instead of {need:?}");
            fault(what, why, &|parts| parts.shown = shown.clone())
        };
        match need {
            Need::Joint => signed(Who::Joint, |parts| &mut parts.joint),
            Need::Party(p) => signed(Who::Party(p), |parts| &mut parts.own),
            Need::AnyBut(c) => {
                let claimer = [Hand::Nobody, Hand::Signs(Who::Party(c))].into_iter();
                let at = |(place, own)| hand(own, &|parts| (parts.place, parts.own) = (place, own));
                let places = 0..self.graph.deployment.others(c).count();
                let all = claimer.flat_map(|own| places.clone().map(move |place| (place, own)));
                all.map(at).collect()
            }
            Need::Inputs(c) => self.bad_inputs(coin, c).into_iter().map(shown).collect(),
            Need::Frames(c) => {
                let right = self.frames(coin, c, &self.usual());
                let other = self.frames(coin, self.next(c), &self.usual());
                let off = off_by_one(&right).into_iter();
                off.chain([("another's", NOT_REVEALED, other)])
                    .map(shown)
                    .collect()
            }
            Need::Lie(c, k) => self.no_lies(c, k).into_iter().map(shown).collect(),
            Need::Depth(Blocks(lock)) => [Some(Blocks(lock - 1)), None]
                .map(|short| {
                    let what = format!("{short:?} instead of {need:?}");
                    fault(what, SHORT, &|parts| parts.lock = short)
                })
                .into(),
        }
    }

    /// All hands but the right one.
    fn others(&self, right: Who) -> Vec<Hand> {
        let parties = (0..self.graph.deployment.n()).map(Who::Party);
        let all = parties.chain([Who::Joint]).filter(|who| *who != right);
        let other = [Hand::Nobody, Hand::SignsAnother(right)].into_iter();
        other.chain(all.map(Hand::Signs)).collect()
    }

    fn next(&self, party: u8) -> u8 {
        (party + 1) % self.graph.deployment.n()
    }

    fn trace(&self, words: &[u32]) -> Trace {
        gavel_prover::trace(&self.graph.deployment.plan, words)
    }

    fn usual(&self) -> Trace {
        self.trace(&self.stage.usual().unwrap().words)
    }

    /// What a case that gives an outcome, or aborts, has for its trace.
    fn ending(&self, outcome: Option<u8>) -> Option<Trace> {
        let mut cases = self.stage.cases.iter();
        let case = cases.find(|case| case.outcome == outcome)?;
        Some(self.trace(&case.words))
    }

    fn inputs(&self, coin: &Coin, c: u8, trace: &Trace) -> Shown {
        Shown::Inputs(self.group(coin, c, trace, trace))
    }

    /// A group of inputs that the claimer signs by one trace and its author by another.
    fn group(&self, coin: &Coin, c: u8, claimed: &Trace, vouched: &Trace) -> Vec<ClaimSignature> {
        let Role::Bond { group, .. } = coin.role else {
            panic!("{:?} reveals no inputs", coin.role)
        };
        let group = &self.graph.deployment.plan.input_groups[usize::from(group)];
        let claimer = self.secrets.claimer(c, group, claimed).into_iter();
        let both = group
            .iter()
            .zip(claimer)
            .map(|(id, claimer)| ClaimSignature {
                claimer,
                author: self.secrets.author(*id, vouched),
            });
        both.collect()
    }

    fn bad_inputs(&self, coin: &Coin, c: u8) -> Vec<(&'static str, Why, Shown)> {
        let truth = self.usual();
        let mut other = truth.clone();
        for words in &mut other.elements {
            words[0] ^= 1;
        }
        let mut unvouched = self.group(coin, c, &truth, &truth);
        unvouched[0].author = None;
        let by_another = self.inputs(coin, self.next(c), &truth);
        let mut all = vec![
            ("another's", NOT_REVEALED, by_another),
            ("no author's", NO_AUTHOR, Shown::Inputs(unvouched)),
        ];
        for (claimed, vouched) in [(&truth, &other), (&other, &truth)] {
            let shown = Shown::Inputs(self.group(coin, c, claimed, vouched));
            all.push(("an author's on other inputs", NOT_REVEALED, shown));
        }
        all.extend(off_by_one(&self.inputs(coin, c, &truth)));
        all
    }

    fn frames(&self, coin: &Coin, c: u8, trace: &Trace) -> Shown {
        let Role::Challenged { group } = coin.role else {
            panic!("{:?} reveals no frames", coin.role)
        };
        let group = &self.graph.deployment.plan.frame_groups[usize::from(group)];
        Shown::Frames(self.secrets.claimer(c, group, trace))
    }

    /// What a claimer signed for what a segment's leaf looks at.
    fn segment(&self, c: u8, segment: usize, trace: &Trace) -> Shown {
        let (ids, _) = elements_of(&self.graph.deployment.plan, segment).unwrap();
        Shown::Segment(segment, self.secrets.claimer(c, &ids, trace))
    }

    /// Lies in a claim of `k`: a wrong frame in each segment, another outcome, an abort.
    fn lies(&self, c: u8, k: u8) -> Vec<Shown> {
        let d = &self.graph.deployment;
        let truth = self.ending(Some(k)).unwrap();
        let mut all = Vec::new();
        for (n, segment) in d.plan.segments.iter().enumerate() {
            for write in &segment.writes {
                let mut lie = truth.clone();
                lie.elements[write.index()][0] ^= 1;
                all.push(self.segment(c, n, &lie));
            }
        }
        let last = d.plan.segments.len() - 1;
        let others = (0..d.outcomes()).filter(|other| *other != k);
        let others = others.filter_map(|other| self.ending(Some(other)));
        all.extend(others.map(|other| self.segment(c, last, &other)));
        // Not every program can abort.
        if let Some(aborted) = self.ending(None) {
            all.push(self.segment(c, aborted.abort_segment.unwrap(), &aborted));
        }
        all
    }

    /// The truth to every leaf; a lie in another's hand, and with a digit changed.
    fn no_lies(&self, c: u8, k: u8) -> Vec<(&'static str, Why, Shown)> {
        let truth = self.ending(Some(k)).unwrap();
        let segments = 0..self.graph.deployment.plan.segments.len();
        let honest = segments.map(|n| ("the truth", NO_LIE, self.segment(c, n, &truth)));
        let others = self.lies(self.next(c), k).into_iter();
        let others = others.map(|lie| ("another's lie", NOT_REVEALED, lie));
        let spoilt = off_by_one(&self.lies(c, k)[0]);
        honest.chain(others).chain(spoilt).collect()
    }
}

type Why = &'static [&'static str];
/// What a node says where an author's signature is left out: what lies there isn't it.
const NO_AUTHOR: Why = &["Operation not valid with the current stack size"];

/// One-time signatures with one digit changed: the first, or the last, of each signature.
fn off_by_one(shown: &Shown) -> Vec<(&'static str, Why, Shown)> {
    let count = {
        let mut shown = shown.clone();
        signatures(&mut shown).len()
    };
    let spoilt = |n: usize, last: bool| {
        let mut shown = shown.clone();
        let signature = &mut signatures(&mut shown)[n].0;
        let at = if last { signature.len() - 1 } else { 0 };
        let digit = &mut signature[at].1;
        *digit = if *digit > 0 { *digit - 1 } else { 1 };
        ("a digit off", NOT_REVEALED, shown)
    };
    let all = (0..count).flat_map(|n| [spoilt(n, false), spoilt(n, true)]);
    all.collect()
}

fn signatures(shown: &mut Shown) -> Vec<&mut Signature> {
    match shown {
        Shown::Nothing => vec![],
        Shown::Inputs(proofs) => {
            let both = proofs.iter_mut();
            both.flat_map(|proof| [&mut proof.claimer].into_iter().chain(&mut proof.author))
                .collect()
        }
        Shown::Frames(all) | Shown::Segment(_, all) => all.iter_mut().collect(),
    }
}
