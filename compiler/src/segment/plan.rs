//! From a program to a plan.

use super::Plan;
use super::budget::{Budget, SegmentError};
use super::cost::{Cost, leaf_costs};
use super::cut::{Source, cut};
use super::layout::{elements, frame_groups, input_groups};
use crate::script::Progress;
use crate::word::legalise::legalise;
use crate::word::{Inst, Op, Program, Span, Value};

/// How much of the budget each attempt uses, in percent.
const ATTEMPTS: [u64; 5] = [100, 92, 80, 65, 45];

/// Cuts a program into segments that keep the budget.
///
/// # Errors
/// [`SegmentError`] says what is too large and by how much.
pub fn plan(program: &Program, budget: &Budget) -> Result<Plan, SegmentError> {
    plan_watched(program, budget, &|_, _| {})
}

/// [`plan`], where `progress` is told how many instructions have scripts of how many, twice
/// over: once for cutting, once for the plan's own scripts.
///
/// # Errors
/// Those of [`plan`].
pub fn plan_watched(
    program: &Program,
    budget: &Budget,
    progress: Progress<'_>,
) -> Result<Plan, SegmentError> {
    check(program)?;
    let program = with_all_inputs(legalise(program));
    let input_groups = input_groups(&program, budget)?;
    let source = Source::new(&program);
    let work = program.insts.len();
    let mut failure = None;
    for percent in ATTEMPTS {
        let cuts = match cut(&source, budget, percent, &|done| progress(done, 2 * work)) {
            Ok(cuts) => cuts,
            // Less of the budget can only fail more.
            Err(error) => return Err(failure.unwrap_or(error)),
        };
        let (elements, segments) = elements(&source, cuts)?;
        let frame_groups = match frame_groups(&elements, program.inputs.len(), budget) {
            Ok(groups) => groups,
            Err(error) => return Err(failure.unwrap_or(error)),
        };
        let plan = Plan {
            program: program.clone(),
            elements,
            input_groups: input_groups.clone(),
            frame_groups,
            made: super::Made::trying(source.memo.clone()),
            segments,
        };
        let progress = |done: usize, of: usize| progress(work + work * done / of.max(1), 2 * work);
        match first_excess(&plan, budget, &progress)? {
            None => return Ok(plan),
            Some(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(SegmentError::Invalid("no plan fits")))
}

/// Defines the input words that nothing reads too, so that every committed word is a value.
fn with_all_inputs(mut program: Program) -> Program {
    let mut defined = vec![false; program.input_words()];
    for inst in &program.insts {
        if let Op::Input(n) = inst.op
            && let Some(defined) = defined.get_mut(usize::from(n))
        {
            *defined = true;
        }
    }
    for (n, defined) in defined.into_iter().enumerate() {
        if !defined {
            program.insts.push(Inst {
                op: Op::Input(n as u16),
                first: Value(program.value_count() as u32),
                span: Span::default(),
            });
        }
    }
    program
}

fn check(program: &Program) -> Result<(), SegmentError> {
    if program.outcome.index() >= program.value_count() {
        return Err(SegmentError::Invalid("the outcome is not defined"));
    }
    if !(1..=16).contains(&program.outcomes.len()) {
        return Err(SegmentError::Invalid("there must be 1 to 16 outcomes"));
    }
    let digits = |element: &crate::word::InputElement| {
        !element.words.is_empty() && element.words.iter().all(|digits| (1..=8).contains(digits))
    };
    if !program.inputs.iter().all(digits) {
        return Err(SegmentError::Invalid(
            "an input word has no digits, or more than 8",
        ));
    }
    Ok(())
}

/// The first leaf that, with its real commitments, exceeds the budget.
fn first_excess(
    plan: &Plan,
    budget: &Budget,
    progress: Progress<'_>,
) -> Result<Option<SegmentError>, SegmentError> {
    let excess = |cost: &Cost| {
        let excess = cost.need().excess(budget)?;
        Some(SegmentError::TooLarge {
            span: cost.span,
            excess,
        })
    };
    let leaves = leaf_costs(plan, plan.program.outcomes.len(), budget, progress)?;
    Ok(leaves.iter().find_map(excess))
}
