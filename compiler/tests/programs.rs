//! Random programs: interpreter against Script, in bodies and in whole leaves.
//!
//! `GAVEL_CASES=50000 cargo test --test programs campaign -- --ignored` tries that many programs.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "support/accepted/dice.rs"]
mod dice;
#[path = "support/marks.rs"]
mod marks;
#[path = "support/program.rs"]
mod program;
mod support;

use dice::Dice;
use gavel_compiler::script::bodies;
use gavel_compiler::script::body::{Job, definitions, needs};
use gavel_compiler::segment::{Budget, CommittedWord, Plan, plan};
use gavel_compiler::units::Weight;
use gavel_compiler::word::legalise::legalise;
use gavel_compiler::word::{
    Author, Builder, End, InputElement, Op, Program, Value, run as interpret,
};
use program::{EXTREMES, Recipe};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Add;
use std::panic::{AssertUnwindSafe, catch_unwind};
use support::bodies::Alone;
use support::frames::{Frames, compute, digits, frames, honest};
use support::*;

/// Tries a property on random programs, in parallel; gives the sum of what it counts. Where it
/// fails, the smallest program found for which it does is shown.
fn for_all<C: Add<Output = C> + Default + Send>(
    cases: u64,
    recipe: impl Fn(u64) -> Recipe + Sync,
    property: impl Fn(&Recipe, Dice) -> C + Sync,
) -> C {
    let attempt = |recipe: &Recipe, seed: u64| {
        catch_unwind(AssertUnwindSafe(|| property(recipe, Dice::seeded(!seed)))).ok()
    };
    let counts = (0..cases)
        .into_par_iter()
        .map(|seed| attempt(&recipe(seed), seed).ok_or(seed));
    let sum = counts.try_reduce(C::default, |a, b| Ok(a + b));
    sum.unwrap_or_else(|seed| {
        let least = recipe(seed).shrink(|less| attempt(less, seed).is_none());
        panic!("seed {seed}: {least:?}\n{:#?}", least.build());
    })
}

/// Up to 40 operations; a compression function in one of sixty-four programs.
fn recipe(seed: u64) -> Recipe {
    Recipe::random(&mut Dice::seeded(seed), 40, seed % 64 == 63)
}

/// The same without compression functions.
fn small(seed: u64) -> Recipe {
    Recipe::random(&mut Dice::seeded(seed), 40, false)
}

/// The same with little but arithmetic.
fn arithmetic(seed: u64) -> Recipe {
    const KINDS: [u8; 18] = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 19, 20, 21, 22, 24, 25, 26,
    ];
    let mut recipe = small(seed);
    for choice in &mut recipe.choices {
        choice.0 = KINDS[usize::from(choice.0) % KINDS.len()];
    }
    recipe
}

/// A budget for leaves of such a weight, with one challenger.
fn budget(weight: u64) -> Budget {
    Budget {
        max_leaf_weight: Weight(weight),
        challengers: 1,
        overhead: Weight(0),
        ..Budget::default()
    }
}

/// A plan of a program under a budget that is tight more often than not.
fn some_plan(program: &Program, dice: &mut Dice) -> Plan {
    let tight = [2_500, 4_000, 6_000, 12_000, 400_000];
    let from = dice.below(tight.len());
    // Where one operation is too large, take a larger budget.
    let plans = tight[from..]
        .iter()
        .map(|weight| plan(program, &budget(*weight)));
    plans.flatten().next().unwrap()
}

/// What a run of properties has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    programs: usize,
    pairs: usize,
    aborts: usize,
    segments: usize,
    accused: usize,
    spared: usize,
    bodies: usize,
    /// Bodies of which a run reached the proven peak.
    peaks: usize,
    /// Commitments that a segment reads which doesn't follow the one that wrote them.
    passed: usize,
}

impl Add for Counts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            programs: self.programs + other.programs,
            pairs: self.pairs + other.pairs,
            aborts: self.aborts + other.aborts,
            segments: self.segments + other.segments,
            accused: self.accused + other.accused,
            spared: self.spared + other.spared,
            bodies: self.bodies + other.bodies,
            peaks: self.peaks + other.peaks,
            passed: self.passed + other.passed,
        }
    }
}

/// How often what a segment writes is read by another than the next.
fn passed(plan: &Plan, writer: usize) -> usize {
    let writes = &plan.segments[writer].writes;
    let later = plan.segments.iter().skip(writer + 2);
    later
        .map(|reader| reader.reads.iter().filter(|id| writes.contains(id)).count())
        .sum()
}

/// A plan with the bodies of its segments: one each, and one per outcome in the last.
struct Played {
    plan: Plan,
    bodies: Vec<Vec<Alone>>,
    counts: Counts,
}

impl Played {
    fn new(plan: Plan) -> Self {
        let bits = plan.program.bits();
        let last = plan.segments.len() - 1;
        let bodies = (0..=last).map(|n| match n == last {
            false => vec![Alone::of_segment(&plan, &bits, n, None)],
            true => (0..plan.program.outcomes.len() as u8)
                .map(|claimed| Alone::of_segment(&plan, &bits, n, Some(claimed)))
                .collect(),
        });
        let bodies = bodies.collect();
        let counts = Counts {
            programs: 1,
            segments: plan.segments.len(),
            passed: (0..=last).map(|writer| passed(&plan, writer)).sum(),
            ..Counts::default()
        };
        Self {
            plan,
            bodies,
            counts,
        }
    }

    /// Runs the bodies of a segment on frames: they accuse just when the reference does.
    fn check_segment(&mut self, segment: usize, frames: &Frames) {
        let digits = digits(&self.plan, frames);
        let found = &self.plan.segments[segment];
        let all = |ids: &[gavel_compiler::segment::ElementId]| -> Vec<u8> {
            ids.iter()
                .flat_map(|id| digits[id.index()].clone())
                .collect()
        };
        let (read, written) = (all(&found.reads), all(&found.writes));
        let computed = compute(&self.plan, segment, frames);
        for (claimed, body) in self.bodies[segment].iter_mut().enumerate() {
            let wanted = computed.accuses(frames, claimed as u8);
            let accuses = body.accuses(&read, &written);
            assert_eq!(accuses, wanted, "segment {segment}, {claimed} claimed");
            self.counts.accused += usize::from(accuses);
            self.counts.spared += usize::from(!accuses);
        }
    }

    /// One input: honest frames, a digit changed in each segment, a lie that is followed up.
    fn check_inputs(&mut self, program: &Program, inputs: &[u32], dice: &mut Dice) {
        let end = interpret(program, inputs).end;
        let frames = honest(&self.plan, inputs);
        assert_eq!(interpret(&self.plan.program, inputs).end, end);
        let aborts = (0..self.plan.segments.len())
            .any(|segment| compute(&self.plan, segment, &frames).aborts);
        assert_eq!(aborts, matches!(end, End::Abort(_)));
        for segment in 0..self.plan.segments.len() {
            self.check_segment(segment, &frames);
            if let Some(frames) = self.changed(segment, &frames, dice) {
                self.check_segment(segment, &frames);
            }
        }
        self.check_lie(inputs, dice);
        self.counts.pairs += 1;
        self.counts.aborts += usize::from(aborts);
    }

    /// Frames in which one digit of what a segment writes is another.
    fn changed(&self, segment: usize, frames: &Frames, dice: &mut Dice) -> Option<Frames> {
        let writes = &self.plan.segments[segment].writes;
        let id = (!writes.is_empty()).then(|| dice.pick(writes))?;
        let words = &self.plan.elements[id.index()].words;
        let at = dice.below(words.len());
        let digit = dice.below(usize::from(words[at].digits));
        let mut frames = frames.clone();
        frames[id.index()][at] ^= (dice.range(1, 15) as u32) << (4 * digit);
        Some(frames)
    }

    /// A segment writes another word, and everybody after it goes by that word.
    fn check_lie(&mut self, inputs: &[u32], dice: &mut Dice) {
        let Some(liar) = self
            .plan
            .segments
            .len()
            .checked_sub(1)
            .filter(|last| *last > 0)
        else {
            return;
        };
        let liar = dice.below(liar);
        let bits = self.plan.program.bits();
        let mut word = None;
        let frames = frames(&self.plan, inputs, |segment, id, words| {
            if segment == liar && word.is_none() {
                let at = dice.below(words.len());
                let value = self.plan.elements[id.index()].words[at].value;
                // What can't be a value of its type is nobody's business but the liar's.
                let most = ((1u64 << bits[value.index()]) - 1) as u32;
                let lie = [dice.pick(&EXTREMES), dice.word() as u32][dice.below(2)] & most;
                word = Some((words[at], lie));
                words[at] = lie;
            }
        });
        for segment in 0..self.plan.segments.len() {
            self.check_segment(segment, &frames);
        }
    }

    fn finish(mut self) -> Counts {
        let bodies = || self.bodies.iter().flatten();
        self.counts.bodies = bodies().count();
        self.counts.peaks = bodies().filter(|body| body.seen == body.proven).count();
        self.counts
    }
}

/// Plays a program on so many inputs.
fn play(recipe: &Recipe, mut dice: Dice, inputs: usize) -> Counts {
    let program = recipe.build();
    let mut played = Played::new(some_plan(&program, &mut dice));
    for _ in 0..inputs {
        let inputs = recipe.inputs(&mut dice);
        played.check_inputs(&program, &inputs, &mut dice);
    }
    played.finish()
}

#[test]
fn bodies_agree_with_the_interpreter() {
    let counts = for_all(850, recipe, |recipe, dice| play(recipe, dice, 25));
    println!("{counts:?}");
    assert!(counts.pairs >= 20_000, "{}", counts.pairs);
    assert!(counts.aborts * 20 > counts.pairs, "{}", counts.aborts);
    assert!(2 * counts.segments > 3 * counts.programs);
    assert!(counts.accused.min(counts.spared) > 20_000);
    assert!(counts.passed > 300, "{}", counts.passed);
    assert!(counts.peaks * 100 > counts.bodies * 99);
}

/// The same for programs of little but arithmetic.
#[test]
fn arithmetic_agrees_with_the_interpreter() {
    let counts = for_all(200, arithmetic, |recipe, dice| play(recipe, dice, 10));
    println!("{counts:?}");
    assert!(counts.accused.min(counts.spared) > 1_000);
}

/// Every operation is in many of the programs.
#[test]
fn recipes_use_every_operation() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..850 {
        for inst in recipe(seed).build().insts {
            let name = format!("{:?}", inst.op);
            let name = name.split(['(', ' ']).next().unwrap().to_owned();
            *counts.entry(name).or_default() += 1;
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.len(), 24);
    for (name, n) in counts {
        let least = if ["Blake3", "Sha256"].contains(&&*name) {
            3
        } else {
            100
        };
        assert!(n >= least, "{name}: {n}");
    }
}

#[test]
#[ignore = "as long as GAVEL_CASES says"]
fn campaign() {
    let cases = std::env::var("GAVEL_CASES").unwrap().parse().unwrap();
    let from = 1 << 32;
    let counts = for_all(
        cases,
        |seed| recipe(from + seed),
        |recipe, dice| play(recipe, dice, 25),
    );
    println!("{counts:?}");
}

#[test]
fn leaves_agree_with_the_interpreter() {
    for weight in [400_000, 24_000] {
        let played = for_all(120, small, |recipe, mut dice| {
            let program = recipe.build();
            let budget = Budget {
                max_leaf_weight: Weight(weight),
                ..Budget::default()
            };
            if plan(&program, &budget).is_err() {
                return 0;
            }
            check_leaves(&program, &recipe.inputs(&mut dice), &budget);
            1
        });
        println!("{played} programs under {weight} WU");
        assert!(played > 100);
    }
}

/// The cost model's lengths are those of the scripts, whichever outcome is claimed.
#[test]
fn costs_are_exact() {
    let leaves = for_all(200, recipe, |recipe, mut dice| {
        let plan = some_plan(&recipe.build(), &mut dice);
        check_costs(&plan, &budget(400_000));
        plan.segments.len()
    });
    println!("{leaves} leaves");
    assert!(leaves > 300);
}

#[test]
fn generation_is_a_function() {
    let made: usize = for_all(100, recipe, |recipe, dice| {
        let make = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let plan = some_plan(&recipe.build(), &mut dice.clone());
                let bodies = bodies(&plan, &|_, _| {}).unwrap().clone();
                (plan, bodies)
            })
        };
        let one = make(1);
        assert!(one == make(2) && one == make(3));
        one.1.iter().map(Vec::len).sum()
    });
    println!("{made} bodies, three times the same");
    assert!(made > 200);
}

/// Any stretch of a program, any of its values written: a body accuses whoever wrote a digit
/// wrong, and nobody else.
fn check_body(program: &Program, inputs: &[u32], from: usize, to: usize, picks: &[usize]) {
    let program = legalise(program);
    let execution = interpret(&program, inputs);
    let bits = program.bits();
    let defs = definitions(&program);
    let place = |n: usize| n % (program.insts.len() + 1);
    let insts = place(from).min(place(to))..place(from).max(place(to));
    let within: Vec<Value> = program.insts[insts.clone()]
        .iter()
        .filter(|inst| inst.op.results() > 0 && !matches!(inst.op, Op::Input(_) | Op::Const(_)))
        .map(|inst| inst.first)
        .collect();
    if within.is_empty() {
        return;
    }
    let word = |value: &Value| CommittedWord {
        value: *value,
        digits: bits[value.index()].div_ceil(4).max(1),
    };
    let writes: Vec<Value> = picks.iter().map(|n| within[n % within.len()]).collect();
    let reads = needs(&program, &bits, &defs, &insts, &writes, false);
    let (reads, writes): (Vec<_>, Vec<_>) = (
        reads.iter().map(word).collect(),
        writes.iter().map(word).collect(),
    );
    let digits = |words: &[CommittedWord]| -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| {
                let honest = execution.values[word.value.index()];
                (0..word.digits).map(move |n| (honest >> (4 * n)) as u8 & 15)
            })
            .collect()
    };
    let mut body = Alone::of_job(&Job {
        program: &program,
        bits: &bits,
        insts: insts.clone(),
        reads: &reads,
        writes: &writes,
        claimed: None,
    });
    let aborts = program.insts[insts].iter().any(|inst| match inst.op {
        Op::AbortIf(condition, _) => execution.values[condition.index()] != 0,
        _ => false,
    });
    let (read, honest) = (digits(&reads), digits(&writes));
    assert_eq!(body.accuses(&read, &honest), aborts);
    for n in 0..honest.len() {
        let mut wrong = honest.clone();
        wrong[n] = (wrong[n] + 1 + (n as u8 % 15)) % 16;
        assert!(body.accuses(&read, &wrong), "digit {n}");
    }
}

#[test]
fn any_stretch_accuses_only_liars() {
    for_all(250, small, |recipe, mut dice| {
        let (from, to) = (dice.word() as u16, dice.word() as u16);
        let picks: Vec<usize> = (0..dice.range(1, 5)).map(|_| dice.below(1 << 16)).collect();
        let inputs = recipe.inputs(&mut dice);
        check_body(&recipe.build(), &inputs, from.into(), to.into(), &picks);
        0
    });
}

#[test]
fn what_a_body_is_said_to_have_on_top_is_there() {
    let mixed = |seed: u64| match seed % 2 {
        0 => small(seed),
        _ => arithmetic(seed),
    };
    let seen = for_all(24, mixed, |recipe, mut dice| {
        let plan = plan(&recipe.build(), &budget(400_000)).unwrap();
        let runs: Vec<_> = (0..3).map(|_| recipe.inputs(&mut dice)).collect();
        marks::check_marks(&plan, &runs)
    });
    assert!(seen > 200, "{seen}");
}

/// A written word two of whose digits are one and the same computation, which nothing else
/// asks for. The second comparison once took that digit for the verdict, so that an honest
/// claimer could be accused.
#[test]
fn equal_digits_of_a_written_word_are_compared_one_by_one() {
    let mut builder = Builder::new();
    let words = builder.input(InputElement {
        name: "words".into(),
        words: vec![1, 1],
        author: Author::Anyone,
        optional: false,
    });
    let twice = |builder: &mut Builder, word: Value, mask: u32| {
        let shifted = builder.push(Op::Shl(word, 4));
        let both = builder.push(Op::Or(word, shifted));
        let mask = builder.constant(mask);
        builder.push(Op::And(both, mask))
    };
    let low = twice(&mut builder, words[0], 0x33);
    let high = twice(&mut builder, words[1], 0xcc);
    let twice = builder.push(Op::Or(low, high));
    let program = builder.finish(twice, vec!["any".into()]);
    let last = program.insts.len();
    // The first operation and the last are written: something is compared before the word.
    let operations = 7;
    check_body(&program, &[3, 1], 0, last, &[0, operations - 1]);
}

#[test]
fn legalising_keeps_the_meaning() {
    for_all(3_000, recipe, |recipe, mut dice| {
        let program = recipe.build();
        let legal = legalise(&program);
        for _ in 0..10 {
            let inputs = recipe.inputs(&mut dice);
            assert_eq!(
                interpret(&program, &inputs).end,
                interpret(&legal, &inputs).end
            );
        }
        0
    });
}
