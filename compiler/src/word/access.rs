//! Which cells a routine touches, as functions of its inputs: what the parallel engine plans
//! with, and what `gavel check --explain` shows.
//!
//! Names of fields and arguments are for the caller to join; here are numbers.

use super::ir::{Op, Routine, Value};
use super::state::{Cell, Delta, StateOp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Where a word of a key comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A constant.
    Constant(u32),
    /// Exactly this word of the inputs. The word after the arguments is the height.
    Input(u16),
    /// Computed from these words of the inputs and nothing else.
    Computed(BTreeSet<u16>),
    /// It depends on what a cell holds.
    Loaded,
}

/// Where a whole key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// A constant; so is the key of a field that is no map.
    Constant(Vec<u32>),
    /// Exactly these words of the inputs, in order.
    Inputs(Range<usize>),
    /// Computed from these words of the inputs, which may be parts of it as they are.
    Computed(BTreeSet<u16>),
    /// It depends on what a cell holds.
    Loaded,
}

/// What is done to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// Its words are read.
    Read,
    /// It is given new words.
    Write,
    /// A number is added to it, within its bits.
    Add,
    /// A number is subtracted from it, not below zero.
    Sub,
}

/// One way in which a routine touches a family of cells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// The family.
    pub family: u16,
    /// Where each word of the key comes from.
    pub key: Vec<Source>,
    /// What is done.
    pub kind: AccessKind,
    /// Whether it is done under a condition only.
    pub conditional: bool,
}

/// What is known of a routine's cells before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Every cell follows from the inputs, and every run that doesn't abort touches all.
    Exact,
    /// Every cell follows from the inputs; a run may leave some untouched.
    Superset,
    /// Some cell depends on what another one holds.
    Dynamic,
}

/// How a family's changes commute with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commuting {
    /// Only additions: their order doesn't matter unless one overflows.
    Adds,
    /// Only subtractions: their order doesn't matter unless one goes below zero.
    Subs,
}

/// All that a routine touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accesses {
    /// Each different access once, in the order in which they first happen.
    pub all: Vec<Access>,
    /// What is known before it runs.
    pub class: Class,
    /// The families that it only adds to, or only subtracts from.
    pub commuting: BTreeMap<u16, Commuting>,
}

impl Access {
    /// Where the key as a whole comes from.
    pub fn form(&self) -> KeyForm {
        if self.key.contains(&Source::Loaded) {
            return KeyForm::Loaded;
        }
        let constant = |source: &Source| match source {
            Source::Constant(word) => Some(*word),
            _ => None,
        };
        if let Some(words) = self.key.iter().map(constant).collect() {
            return KeyForm::Constant(words);
        }
        if let Some(range) = consecutive(&self.key) {
            return KeyForm::Inputs(range);
        }
        KeyForm::Computed(self.key.iter().flat_map(Source::inputs).collect())
    }
}

impl Source {
    fn inputs(&self) -> BTreeSet<u16> {
        match self {
            Self::Input(n) => BTreeSet::from([*n]),
            Self::Computed(inputs) => inputs.clone(),
            Self::Constant(_) | Self::Loaded => BTreeSet::new(),
        }
    }
}

/// What a routine touches.
pub fn accesses(routine: &Routine) -> Accesses {
    let sources = sources(routine);
    let source = |value: &Value| sources.get(value.index()).cloned();
    let mut all: Vec<Access> = Vec::new();
    for op in routine.state_ops() {
        let Some((cell, kind)) = touched(op) else {
            continue;
        };
        let when = op.when().and_then(|when| source(&when));
        let access = Access {
            family: cell.family,
            key: cell.key.iter().filter_map(source).collect(),
            kind,
            // A condition that is the constant 0 was left out by the builder.
            conditional: !matches!(when, None | Some(Source::Constant(_))),
        };
        if !all.contains(&access) {
            all.push(access);
        }
    }
    Accesses {
        class: class(&all),
        commuting: commuting(&all),
        all,
    }
}

fn touched(op: &StateOp) -> Option<(&Cell, AccessKind)> {
    match op {
        StateOp::Load { cell, .. } => Some((cell, AccessKind::Read)),
        StateOp::Store { cell, .. } => Some((cell, AccessKind::Write)),
        StateOp::Add(Delta { cell, .. }) => Some((cell, AccessKind::Add)),
        StateOp::Sub(Delta { cell, .. }) => Some((cell, AccessKind::Sub)),
        StateOp::Emit { .. } | StateOp::Verify { .. } => None,
    }
}

fn class(all: &[Access]) -> Class {
    if all.iter().any(|access| access.form() == KeyForm::Loaded) {
        Class::Dynamic
    } else if all.iter().any(|access| access.conditional) {
        Class::Superset
    } else {
        Class::Exact
    }
}

fn commuting(all: &[Access]) -> BTreeMap<u16, Commuting> {
    let mut kinds: BTreeMap<u16, BTreeSet<AccessKind>> = BTreeMap::new();
    for access in all {
        kinds.entry(access.family).or_default().insert(access.kind);
    }
    let only = |kinds: BTreeSet<AccessKind>| match kinds.into_iter().collect::<Vec<_>>()[..] {
        [AccessKind::Add] => Some(Commuting::Adds),
        [AccessKind::Sub] => Some(Commuting::Subs),
        _ => None,
    };
    let families = kinds.into_iter();
    families
        .filter_map(|(family, kinds)| Some((family, only(kinds)?)))
        .collect()
}

/// The range of inputs that a key is, word by word.
fn consecutive(key: &[Source]) -> Option<Range<usize>> {
    let Some(Source::Input(first)) = key.first() else {
        return None;
    };
    let first = usize::from(*first);
    let mut words = key.iter().enumerate();
    let all = words.all(|(n, source)| match source {
        Source::Input(word) => usize::from(*word) == first + n,
        _ => false,
    });
    all.then_some(first..first + key.len())
}

/// Where every value comes from.
fn sources(routine: &Routine) -> Vec<Source> {
    let mut all: Vec<Source> = Vec::with_capacity(routine.value_count());
    for inst in &routine.insts {
        let source = match &inst.op {
            Op::Const(word) => Source::Constant(*word),
            Op::Input(n) => Source::Input(*n),
            Op::State(op) if matches!(**op, StateOp::Load { .. }) => Source::Loaded,
            op => {
                let operands = op.operands();
                let known = operands.iter().filter_map(|value| all.get(value.index()));
                combined(known)
            }
        };
        for _ in 0..inst.op.results() {
            all.push(source.clone());
        }
    }
    all
}

/// Where a result comes from, given where the operands do.
fn combined<'a>(operands: impl Iterator<Item = &'a Source>) -> Source {
    let mut inputs = BTreeSet::new();
    for operand in operands {
        if *operand == Source::Loaded {
            return Source::Loaded;
        }
        inputs.extend(operand.inputs());
    }
    Source::Computed(inputs)
}
