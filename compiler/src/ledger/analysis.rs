//! What holds of every call of an entry, before any is made: with the names of the source.
//!
//! It follows from the [routines](crate::word::Routine) alone, the same that run.

use super::contract::{DeclaredEntry, Family, LedgerContract};
use super::place::Names;
use crate::word::access::{Access, AccessKind, Class, Commuting, accesses};
use crate::word::{Op, Routine, Span, StateOp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAnalysis {
    /// Of each entry, in order of declaration.
    pub entries: Vec<EntryAnalysis>,
    /// Of each field of the state.
    pub state: Vec<FieldAnalysis>,
    /// Of each asset.
    pub assets: Vec<AssetAnalysis>,
}

/// What is known of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryAnalysis {
    /// Its name.
    pub entry: String,
    /// Names of its arguments.
    pub arguments: Vec<String>,
    /// Whose keys sign, in order.
    pub signers: Vec<String>,
    /// The most operations that a call runs.
    pub steps: usize,
    /// The assets that it may mint.
    pub mints: Vec<String>,
    /// The assets that it may burn.
    pub burns: Vec<String>,
    /// What is known of its cells before it runs.
    pub class: Class,
    /// The places that it touches, in the order in which it first does.
    pub touches: Vec<Touch>,
    /// Why a call may abort, by name.
    pub aborts: Vec<AbortPlaces>,
    /// The events that it may emit, in order of declaration.
    pub emits: Vec<String>,
    /// Whether it depends on the height of the block.
    pub reads_height: bool,
}

/// A place that an entry touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The place as the source would write it, keys in terms of the arguments: `wallet[who]`;
    /// `f(id, n)` for what is computed from these, `?` for what depends on the state.
    pub place: String,
    /// The field.
    pub field: String,
    /// What is done, and whether only under a condition.
    pub does: Vec<Deed>,
    /// Whether all that the entry does to these cells is to add, or all is to subtract: such
    /// calls can change places as long as nothing goes out of bounds.
    pub commutes: bool,
}

/// One way of touching a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Deed {
    /// What is done.
    pub kind: AccessKind,
    /// Whether it is done under a condition only.
    pub maybe: bool,
}

/// The places of one file where calls may abort for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbortPlaces {
    /// The error's name.
    pub error: String,
    /// The file, if it isn't the contract's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its lines, in order.
    pub lines: Vec<usize>,
}

/// Says in which file, if not the contract's own, and on which line a span begins.
pub type Locate<'a> = &'a dyn Fn(Span) -> (Option<String>, usize);

/// Who uses a field of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldAnalysis {
    /// The field.
    pub field: String,
    /// The entries that read it.
    pub read_by: Vec<String>,
    /// The entries that change it.
    pub changed_by: Vec<String>,
}

/// Who decides how much of an asset there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetAnalysis {
    /// The asset.
    pub asset: String,
    /// The entries that may mint it.
    pub minted_by: Vec<String>,
    /// The entries that may burn it.
    pub burned_by: Vec<String>,
}

impl LedgerContract {
    /// What is known of this ledger; `locate` finds the lines of its source.
    pub fn analysis(&self, locate: Locate<'_>) -> LedgerAnalysis {
        let entries: Vec<EntryAnalysis> = self
            .entries
            .iter()
            .map(|declared| entry(self, declared, locate))
            .collect();
        LedgerAnalysis {
            state: fields(self, &entries),
            assets: assets(self, &entries),
            entries,
        }
    }
}

fn entry(contract: &LedgerContract, declared: &DeclaredEntry, locate: Locate<'_>) -> EntryAnalysis {
    let entry = &declared.entry;
    let found = accesses(&entry.routine);
    let names = Names::new(contract, entry);
    let arguments = entry.arguments.iter();
    EntryAnalysis {
        entry: entry.name.clone(),
        arguments: arguments.map(|(name, _)| name.clone()).collect(),
        signers: declared.signers.clone(),
        steps: entry.routine.insts.len(),
        mints: declared.mints.clone(),
        burns: declared.burns.clone(),
        class: found.class,
        touches: touches(contract, &names, &found.all, &found.commuting),
        aborts: aborts(&entry.routine, locate),
        emits: emits(contract, &entry.routine),
        reads_height: entry.routine.reads_height,
    }
}

/// One line of [`touches`] before parts that are alike are put together.
struct Part<'a> {
    family: &'a Family,
    keys: String,
    does: BTreeSet<Deed>,
    commutes: bool,
}

fn touches(
    contract: &LedgerContract,
    names: &Names<'_>,
    all: &[Access],
    commuting: &BTreeMap<u16, Commuting>,
) -> Vec<Touch> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for access in all {
        let Some(family) = contract.family(access.family) else {
            continue;
        };
        let keys = names.keys(family, &access.key);
        let deed = Deed {
            kind: access.kind,
            maybe: access.conditional,
        };
        let same = |part: &&mut Part<'_>| part.family == family && part.keys == keys;
        match parts.iter_mut().find(same) {
            Some(part) => {
                part.does.insert(deed);
            }
            None => parts.push(Part {
                family,
                keys,
                does: BTreeSet::from([deed]),
                commutes: commuting.contains_key(&access.family),
            }),
        }
    }
    together(contract, &parts)
}

/// Parts of one place that are all touched alike are shown as the whole place.
fn together(contract: &LedgerContract, parts: &[Part<'_>]) -> Vec<Touch> {
    let mut done: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut touches = Vec::new();
    for part in parts {
        let field = part.family.field.as_str();
        let of_field = contract.families.iter().filter(|f| f.field == field);
        let alike = parts.iter().filter(|other| {
            let same_place = other.family.field == field && other.keys == part.keys;
            same_place && other.does == part.does && other.commutes == part.commutes
        });
        let whole = alike.count() == of_field.count();
        if whole && !done.insert((field, &part.keys)) {
            continue;
        }
        let rest = if whole { "" } else { part.family.part.as_str() };
        touches.push(Touch {
            place: format!("{field}{}{rest}", part.keys),
            field: field.to_owned(),
            does: deeds(&part.does),
            commutes: part.commutes,
        });
    }
    touches
}

/// What is always done need not be said to be done sometimes.
fn deeds(does: &BTreeSet<Deed>) -> Vec<Deed> {
    let always = |deed: &Deed| Deed {
        maybe: false,
        ..*deed
    };
    let kept = does
        .iter()
        .filter(|d| !d.maybe || !does.contains(&always(d)));
    kept.copied().collect()
}

/// Every reason to abort. `IllTyped` is left out: a call whose arguments aren't of their types
/// is refused before it runs.
fn aborts(routine: &Routine, locate: Locate<'_>) -> Vec<AbortPlaces> {
    let mut places: BTreeMap<(&str, Option<String>), BTreeSet<usize>> = BTreeMap::new();
    for inst in &routine.insts {
        let code = match &inst.op {
            Op::AbortIf(_, code) => *code,
            Op::State(op) => match &**op {
                StateOp::Add(delta) | StateOp::Sub(delta) => delta.code,
                _ => continue,
            },
            _ => continue,
        };
        let abort = routine.aborts.get(usize::from(code));
        if let Some(abort) = abort.filter(|abort| abort.name != "IllTyped") {
            let (file, line) = locate(abort.span);
            places.entry((&abort.name, file)).or_default().insert(line);
        }
    }
    let places = places.into_iter();
    let abort = places.map(|((error, file), lines)| AbortPlaces {
        error: error.to_owned(),
        file,
        lines: lines.into_iter().collect(),
    });
    abort.collect()
}

fn emits(contract: &LedgerContract, routine: &Routine) -> Vec<String> {
    let emitted = routine.state_ops().filter_map(|op| match op {
        StateOp::Emit { event, .. } => Some(*event),
        _ => None,
    });
    let numbers: BTreeSet<u16> = emitted.collect();
    let events = numbers
        .iter()
        .filter_map(|n| contract.events.get(usize::from(*n)));
    events.map(|event| event.name.clone()).collect()
}

fn fields(contract: &LedgerContract, entries: &[EntryAnalysis]) -> Vec<FieldAnalysis> {
    let mut all: Vec<FieldAnalysis> = Vec::new();
    for family in &contract.families {
        let field = &family.field;
        if all.last().is_some_and(|last| last.field == *field) {
            continue;
        }
        let touching = |such: fn(AccessKind) -> bool| {
            let touches = |entry: &&EntryAnalysis| {
                let own = entry.touches.iter().filter(|touch| touch.field == *field);
                own.flat_map(|touch| &touch.does)
                    .any(|deed| such(deed.kind))
            };
            names_of(entries.iter().filter(touches))
        };
        all.push(FieldAnalysis {
            field: field.clone(),
            read_by: touching(|kind| kind == AccessKind::Read),
            changed_by: touching(|kind| kind != AccessKind::Read),
        });
    }
    all
}

fn assets(contract: &LedgerContract, entries: &[EntryAnalysis]) -> Vec<AssetAnalysis> {
    let assets = contract.assets.iter();
    let analysis = assets.map(|asset| AssetAnalysis {
        asset: asset.clone(),
        minted_by: names_of(entries.iter().filter(|e| e.mints.contains(asset))),
        burned_by: names_of(entries.iter().filter(|e| e.burns.contains(asset))),
    });
    analysis.collect()
}

fn names_of<'a>(entries: impl Iterator<Item = &'a EntryAnalysis>) -> Vec<String> {
    entries.map(|entry| entry.entry.clone()).collect()
}
