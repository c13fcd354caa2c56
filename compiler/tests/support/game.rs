//! All leaves of a program's plan, played with frames that are right or wrong.
#![allow(dead_code, clippy::unwrap_used)]

use crate::accepted::Dice;
use crate::support::bodies::Alone;
use crate::support::core::accepts;
use crate::support::frames::{Computed, Frames, compute, digits, frames, honest};
use crate::support::{assert_leaf, claim_leaf, keys, sign, spend, x_only};
use bitcoin::{Script, XOnlyPublicKey};
use gavel_compiler::commit::Signature;
use gavel_compiler::script::vm::{self, Rules};
use gavel_compiler::script::{
    AssertReveal, ClaimReveal, ClaimSignature, Disprove, bodies, disprove,
};
use gavel_compiler::segment::{Budget, ElementId, Plan, plan};
use gavel_compiler::units::StackDepth;
use gavel_compiler::word::{Author, End, Program, run};
use std::collections::BTreeMap;

/// How often something was seen.
pub type Counts = BTreeMap<&'static str, usize>;

/// Adds up.
pub fn sum(mut a: Counts, b: Counts) -> Counts {
    for (what, n) in b {
        *a.entry(what).or_default() += n;
    }
    a
}

/// Challengers of every leaf: as many as the plan's peaks are reckoned for.
const CHALLENGERS: u8 = 15;

/// Bytes of script that trying single digits of one segment may run.
const EFFORT: usize = 25_000_000;

pub struct Game {
    pub plan: Plan,
    bits: Vec<u8>,
    /// By segment; in the last one by outcome.
    leaves: Vec<Vec<Disprove>>,
    alone: Vec<Vec<Alone>>,
    /// The highest stacks that runs of the leaves reached.
    seen: Vec<Vec<StackDepth>>,
    counts: Counts,
}

impl Game {
    pub fn new(program: &Program, budget: &Budget) -> Option<Self> {
        let plan = plan(program, budget).ok()?;
        let keys = keys(&plan);
        let challengers: Vec<XOnlyPublicKey> = (0..CHALLENGERS).map(x_only).collect();
        let made = bodies(&plan, &|_, _| {}).unwrap();
        let leaves = made.iter().enumerate().map(|(n, bodies)| {
            let leaf = |body| disprove(&plan, n, body, &keys, &challengers).unwrap();
            bodies.iter().map(leaf).collect()
        });
        let leaves: Vec<Vec<Disprove>> = leaves.collect();
        let alone = made
            .iter()
            .map(|bodies| bodies.iter().map(Alone::of_body).collect());
        let seen = made.iter().map(|bodies| vec![StackDepth(0); bodies.len()]);
        let mut game = Self {
            seen: seen.collect(),
            bits: plan.program.bits(),
            alone: alone.collect(),
            counts: Counts::new(),
            leaves,
            plan,
        };
        game.count("programs", 1);
        game.count("segments", game.plan.segments.len());
        game.count("leaves", game.leaves.iter().map(Vec::len).sum());
        Some(game)
    }

    /// What was seen, with how many leaves reached their proven peaks.
    pub fn finish(mut self) -> Counts {
        let seen = self.seen.iter().flatten();
        let proven = self.leaves.iter().flatten().map(|leaf| leaf.peak);
        let reached = seen.zip(proven).filter(|(seen, proven)| *seen == proven);
        self.count("peaks reached", reached.count());
        self.counts
    }

    fn count(&mut self, what: &'static str, n: usize) {
        *self.counts.entry(what).or_default() += n;
    }

    fn last(&self) -> usize {
        self.plan.segments.len() - 1
    }

    /// Which outcome a leaf is about: the first one before the last segment, where none is.
    fn claims(&self, segment: usize) -> std::ops::Range<u8> {
        0..self.leaves[segment].len() as u8
    }

    /// Whether a leaf of ours can be spent with these frames, the whole leaf run.
    fn spendable(&mut self, segment: usize, claimed: u8, frames: &Frames) -> bool {
        let claimed = usize::from(if segment == self.last() { claimed } else { 0 });
        let outcome = spend(&self.leaves[segment][claimed], &digits(&self.plan, frames));
        let seen = &mut self.seen[segment][claimed];
        *seen = outcome.peak.max(*seen);
        self.count("whole leaves run", 1);
        outcome.verdict.is_ok()
    }

    /// All segments whose leaf can be spent.
    fn accused(&mut self, claimed: u8, frames: &Frames) -> Vec<usize> {
        let segments = 0..self.plan.segments.len();
        segments
            .filter(|n| self.spendable(*n, claimed, frames))
            .collect()
    }

    /// An honest run: its own outcome can't be disproved, and every other can.
    pub fn check_honest(&mut self, program: &Program, inputs: &[u32]) {
        let frames = honest(&self.plan, inputs);
        let last = self.last();
        let before: Vec<usize> = (0..last)
            .filter(|n| self.spendable(*n, 0, &frames))
            .collect();
        let end = run(program, inputs).end;
        for claimed in self.claims(last) {
            let accused = self.spendable(last, claimed, &frames);
            match end {
                End::Outcome(outcome) => assert_eq!(accused, u32::from(claimed) != outcome),
                End::Abort(_) => assert!(accused || !before.is_empty(), "{claimed} claimed"),
            }
        }
        match end {
            End::Outcome(outcome) => {
                assert!(before.is_empty(), "{before:?}");
                self.count("honest runs", 1);
                self.check_digits(&frames, outcome as u8);
            }
            End::Abort(_) => self.count("aborted runs", 1),
        }
    }

    /// Every other digit that a segment could have written instead: all of them where that
    /// takes little, else some, evenly.
    fn check_digits(&mut self, frames: &Frames, outcome: u8) {
        let honest = digits(&self.plan, frames);
        for (n, segment) in self.plan.segments.iter().enumerate() {
            let claimed = if n == self.last() { outcome } else { 0 };
            let body = &mut self.alone[n][usize::from(claimed)];
            let all = |ids: &[ElementId]| -> Vec<u8> {
                ids.iter()
                    .flat_map(|id| honest[id.index()].clone())
                    .collect()
            };
            let (read, written) = (all(&segment.reads), all(&segment.writes));
            assert!(!body.accuses(&read, &written));
            let possible = 15 * written.len();
            let most = (EFFORT / body.script().len().max(1)).max(40);
            let step = possible.div_ceil(most).max(1);
            // A step prime to 15 would do; an odd one that isn't still meets every digit.
            let step = if step > 1 && step.is_multiple_of(5) {
                step + 2
            } else {
                step
            };
            let mut tried = 0;
            for change in (0..possible).step_by(step) {
                let mut wrong = written.clone();
                wrong[change / 15] ^= 1 + (change % 15) as u8;
                assert!(body.accuses(&read, &wrong), "segment {n}, change {change}");
                tried += 1;
            }
            *self.counts.entry("digits changed").or_default() += tried;
            *self
                .counts
                .entry("digits that could be changed")
                .or_default() += possible;
        }
    }

    /// One segment lies, and all later ones compute from the lie: its leaf alone can be spent.
    pub fn check_lie(&mut self, inputs: &[u32], dice: &mut Dice) {
        if self.last() == 0 {
            return;
        }
        let liar = dice.below(self.last());
        let honest = honest(&self.plan, inputs);
        let mut lied = false;
        let frames = frames(&self.plan, inputs, |segment, id, words| {
            if segment == liar && !lied {
                let at = dice.below(words.len());
                let lie = self.any_word(id, at, dice);
                lied = words[at] != lie;
                words[at] = lie;
            }
        });
        if !lied {
            return;
        }
        assert_ne!(frames, honest);
        let computed: Vec<Computed> = (0..=self.last())
            .map(|segment| compute(&self.plan, segment, &frames))
            .collect();
        let outcome = computed.last().and_then(|last| last.outcome);
        let known = outcome.filter(|n| *n < self.plan.program.outcomes.len() as u32);
        let claimed = known.unwrap_or(0) as u8;
        let wanted: Vec<usize> = (0..=self.last())
            .filter(|n| computed[*n].accuses(&frames, claimed))
            .collect();
        if known.is_some() && computed.iter().all(|computed| !computed.aborts) {
            assert_eq!(wanted, [liar]);
            self.count("lies followed up", 1);
        } else {
            // A leaf before the lie may be spendable too: what is claimed aborts.
            assert!(wanted.contains(&liar));
            self.count("lies that abort", 1);
        }
        assert_eq!(self.accused(claimed, &frames), wanted);
    }

    /// A word that a value of an element's word can have.
    fn any_word(&self, id: ElementId, at: usize, dice: &mut Dice) -> u32 {
        let word = &self.plan.elements[id.index()].words[at];
        let bits = self.bits[word.value.index()].clamp(1, 4 * word.digits);
        let word = match dice.below(3) {
            0 => dice.below(3) as u32,
            1 => u32::MAX,
            _ => dice.word() as u32,
        };
        word & (u32::MAX >> (32 - u32::from(bits)))
    }

    /// Bitcoin Core's consensus code runs each leaf, once so that it can be spent and once so
    /// that it can't, where frames are found for both.
    pub fn check_core(&mut self, runs: &[Vec<u32>], dice: &mut Dice) {
        let runs: Vec<Frames> = runs
            .iter()
            .map(|inputs| honest(&self.plan, inputs))
            .collect();
        for segment in 0..self.plan.segments.len() {
            for claimed in self.claims(segment) {
                let mut ways = 0;
                let refuses = |frames| {
                    let computed = compute(&self.plan, segment, frames);
                    !computed.accuses(frames, claimed)
                };
                let refused = runs.iter().any(refuses);
                for wanted in [false, true] {
                    let mut all = runs.clone();
                    let found = (0..300).find_map(|n| {
                        let frames = &mut all[n % runs.len()];
                        if n >= runs.len() {
                            self.disturb(segment, frames, dice);
                        }
                        let computed = compute(&self.plan, segment, frames);
                        (computed.accuses(frames, claimed) == wanted).then(|| frames.clone())
                    });
                    if let Some(frames) = found {
                        assert_eq!(self.core_accepts(segment, claimed, &frames), wanted);
                        ways += 1;
                    }
                }
                self.count("leaves run by Core", 1);
                self.count("leaves that an honest run doesn't spend", refused.into());
                self.count("leaves run by Core both ways", ways / 2);
            }
        }
    }

    /// The leaves that reveal inputs and frames: right signatures open them, in both machines,
    /// and a digit that another signed differently, or an element that was changed, doesn't.
    pub fn check_reveals(&mut self, inputs: &[u32], dice: &mut Dice) {
        let messages = digits(&self.plan, &honest(&self.plan, inputs));
        for group in self.plan.input_groups.clone() {
            let leaf = claim_leaf(&self.plan, &group);
            assert_eq!(leaf.script.len(), ClaimReveal::script_len(&leaf.elements));
            let signatures: Vec<ClaimSignature> = group
                .iter()
                .map(|id| self.claim_signature(*id, &messages[id.index()]))
                .collect();
            let present = leaf.elements.iter().zip(&signatures);
            let whole = present
                .into_iter()
                .all(|(element, signed)| element.author.is_some() == signed.author.is_some());
            let stack = |schnorr: &[u8; 64]| leaf.witness(&signatures, schnorr);
            self.check_reveal(&leaf.script, stack, whole.then_some(leaf.peak), dice);
        }
        for group in self.plan.frame_groups.clone() {
            let leaf = assert_leaf(&self.plan, &group);
            assert_eq!(leaf.script.len(), AssertReveal::script_len(&leaf.shapes));
            let sign = |id: &ElementId| sign("claimer", id.index(), &messages[id.index()]);
            let signatures: Vec<Signature> = group.iter().map(sign).collect();
            let stack = |schnorr: &[u8; 64]| leaf.witness(&signatures, schnorr);
            self.check_reveal(&leaf.script, stack, Some(leaf.peak), dice);
        }
    }

    fn claim_signature(&self, id: ElementId, message: &[u8]) -> ClaimSignature {
        let element = &self.plan.program.inputs[id.index()];
        let tag = if element.optional {
            usize::from(element.words[0])
        } else {
            0
        };
        let is_one = |(n, digit): (usize, &u8)| *digit == u8::from(n == 0);
        let present = message[..tag].iter().enumerate().all(is_one);
        let signed = element.author != Author::Anyone && present;
        ClaimSignature {
            claimer: sign("claimer", id.index(), message),
            author: signed.then(|| sign("author", id.index(), &message[tag..])),
        }
    }

    fn check_reveal(
        &mut self,
        script: &Script,
        stack: impl Fn(&[u8; 64]) -> Vec<Vec<u8>>,
        peak: Option<StackDepth>,
        dice: &mut Dice,
    ) {
        assert!(accepts(script, 0, &stack));
        if let Some(peak) = peak {
            let seen = vm::run(script.as_bytes(), &stack(&[1; 64]), &Rules::default()).peak;
            assert_eq!(seen, peak);
        }
        for _ in 0..4 {
            // Some item but the last, the signature of a Schnorr key.
            let (pick, how) = (dice.word() as usize, dice.below(3));
            let changed = |schnorr: &[u8; 64]| {
                let mut stack = stack(schnorr);
                let at = pick % (stack.len() - 1);
                match how {
                    0 => stack[at][0] ^= 1,
                    1 => stack[at].push(0),
                    _ => drop(stack.remove(at)),
                }
                stack
            };
            assert!(!accepts(script, 0, changed));
        }
        self.count("leaves that reveal, run by Core both ways", 1);
    }

    /// Changes a word that a segment reads or writes.
    fn disturb(&self, segment: usize, frames: &mut Frames, dice: &mut Dice) {
        let found = &self.plan.segments[segment];
        let ids: Vec<ElementId> = found.reads.iter().chain(&found.writes).copied().collect();
        if !ids.is_empty() {
            let id = dice.pick(&ids);
            let at = dice.below(frames[id.index()].len());
            frames[id.index()][at] = self.any_word(id, at, dice);
        }
    }

    fn core_accepts(&self, segment: usize, claimed: u8, frames: &Frames) -> bool {
        let leaf = &self.leaves[segment][usize::from(claimed)];
        let messages = digits(&self.plan, frames);
        let sign = |id: ElementId| Some(sign("claimer", id.index(), &messages[id.index()]));
        let signatures: BTreeMap<ElementId, _> = leaf
            .elements
            .iter()
            .map(|id| (*id, sign(*id).unwrap()))
            .collect();
        accepts(&leaf.script, 0, |schnorr| {
            leaf.witness(|id| signatures.get(&id).cloned(), 0, schnorr)
                .unwrap()
        })
    }
}
