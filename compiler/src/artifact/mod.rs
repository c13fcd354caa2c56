//! What `gavel compile` writes: a contract, what was made of it, and a digest.
//!
//! ```text
//! source, parameters, options ─ compile ─ Compiled ─ Artifact ─ JSON ─ verify ─ Compiled
//! ```
//!
//! **Invariants:** an artifact is self-contained: everything in it follows from the source, the
//! parameters and the options that it carries, and [`verify`] follows them again, so that
//! nothing in it has to be believed. Its bytes don't depend on the machine or on how many
//! threads there are. It holds no secret. Does no I/O.

mod build;
mod print;
mod verify;

pub use build::{kind, library_at};
pub use verify::{ArtifactError, Difference, verify};

use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::front::{check, instantiate};
use crate::script::{self, Progress, ScriptError};
use crate::segment::{Bodies, Budget, Plan, SegmentError, plan_watched};
use crate::sources::Sources;
use crate::units::{Sats, StackDepth, Weight};
use crate::value::ValueType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The value of [`Artifact::format`].
pub const FORMAT: &str = "gavel-artifact";
/// The value of [`Artifact::version`].
pub const VERSION: u32 = 1;
/// The compiler's version, [`Artifact::compiler`].
pub const COMPILER: &str = env!("CARGO_PKG_VERSION");

/// The smallest limit for a leaf's spend that can be asked for: half of it is what a
/// transaction takes besides.
pub const LEAST_LEAF_WEIGHT: Weight = Weight(4_000);

/// What can be chosen when compiling, besides the parameters. Parties who want the same
/// scripts choose the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The most that a transaction which spends a leaf may weigh: less makes more and smaller
    /// segments. Range: [`LEAST_LEAF_WEIGHT`] to [`Weight::STANDARD`].
    pub max_leaf_weight: Weight,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_leaf_weight: Weight::STANDARD,
        }
    }
}

impl Options {
    /// The budget that the segments keep.
    ///
    /// # Errors
    /// [`CompileError::Option`] if the weight is out of range.
    pub fn budget(&self) -> Result<Budget, CompileError> {
        let range = LEAST_LEAF_WEIGHT..=Weight::STANDARD;
        if !range.contains(&self.max_leaf_weight) {
            return Err(CompileError::Option {
                name: "max_leaf_weight",
                value: self.max_leaf_weight.0,
                least: range.start().0,
                most: range.end().0,
            });
        }
        Ok(Budget {
            max_leaf_weight: self.max_leaf_weight,
            ..Budget::default()
        })
    }
}

/// Why nothing was compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The source or the parameters have errors; warnings may be among them.
    #[error("the source or its parameters have errors")]
    Diagnostics(Vec<Diagnostic>),
    /// The program can't be cut into segments.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A script can't be made.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// An option is out of range.
    #[error("{name} of {value} is out of range {least}..={most}")]
    Option {
        /// Which option.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The smallest allowed.
        least: u64,
        /// The largest allowed.
        most: u64,
    },
}

/// Everything that was made of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The text, and those of the libraries that it imports.
    pub sources: Sources,
    /// The parameters as given.
    pub params: Map<String, Value>,
    /// The options.
    pub options: Options,
    /// The contract, parameters folded in.
    pub contract: Contract,
    /// What the check found; no errors.
    pub warnings: Vec<Diagnostic>,
    /// The program, cut.
    pub plan: Plan,
    /// The bodies of each segment: one, or in the last segment one per outcome.
    pub bodies: Arc<Bodies>,
}

/// Compiles a source: check, instantiate, cut, generate every body. Bodies are generated on as
/// many threads as the current `rayon` pool has; `progress` is told how many percent
/// are done.
///
/// # Errors
/// [`CompileError`] says what is wrong.
pub fn compile(
    sources: impl Into<Sources>,
    params: &Map<String, Value>,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Compiled, CompileError> {
    let budget = options.budget()?;
    let sources = sources.into();
    let (contract, warnings) = instantiated(&sources, params)?;
    let percent = |done: usize, of: usize| progress(100 * done / of.max(1), 100);
    let plan = plan_watched(&contract.program, &budget, &percent)?;
    let bodies = script::bodies(&plan, &percent)?.clone();
    Ok(Compiled {
        sources,
        params: params.clone(),
        options: *options,
        contract,
        warnings,
        plan,
        bodies,
    })
}

/// [`instantiate`], with the warnings of the check beside errors of the parameters.
fn instantiated(
    sources: &Sources,
    params: &Map<String, Value>,
) -> Result<(Contract, Vec<Diagnostic>), CompileError> {
    instantiate(sources, params).map_err(|mut found| {
        let checked = check(sources);
        if checked.is_ok() {
            found.extend(checked.diagnostics);
        }
        CompileError::Diagnostics(found)
    })
}

/// A compiled contract as data. Numbers of sats, weights and bytes are plain numbers; hashes
/// are hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// Always [`FORMAT`].
    pub format: &'static str,
    /// Always [`VERSION`].
    pub version: u32,
    /// The compiler that wrote it: another one may make other scripts.
    pub compiler: &'static str,
    /// SHA-256 of the rest, written as JSON without spaces in the order of this type.
    pub digest: String,
    /// The parameters as given, by name.
    pub params: BTreeMap<String, Value>,
    /// The options.
    pub options: Options,
    /// The contract.
    pub contract: ContractInfo,
    /// The program.
    pub program: ProgramInfo,
    /// All commitments of a claimer.
    pub elements: Vec<ElementInfo>,
    /// How the inputs are revealed: elements by index, a leaf of a Claim per group.
    pub input_groups: Vec<Vec<usize>>,
    /// How the frames are revealed: elements by index, a leaf of an Assert per group.
    pub frame_groups: Vec<Vec<usize>>,
    /// The segments in order.
    pub segments: Vec<SegmentInfo>,
    /// The source.
    pub source: String,
    /// The libraries that it imports, by their paths from it; those of the standard library are
    /// in the compiler.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

/// The contract of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContractInfo {
    /// Its name.
    pub name: String,
    /// Its id: binds source and parameters.
    pub id: String,
    /// The parties, in order of declaration.
    pub parties: Vec<String>,
    /// Who vouches besides the parties.
    pub attestors: Vec<AttestorInfo>,
    /// The outcomes, in order of declaration.
    pub outcomes: Vec<String>,
    /// The inputs of `settle`.
    pub inputs: Vec<InputInfo>,
    /// The coin.
    pub coin: CoinInfo,
}

/// An attestor of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttestorInfo {
    /// The parameter's name.
    pub name: String,
    /// Digits of each word of the value.
    pub digits: Vec<u8>,
    /// The one-time public key, a hash per digit.
    pub key: Vec<String>,
}

/// An input of `settle` in an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputInfo {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: ValueType,
    /// Who vouches: a party, an attestor, or `anyone`.
    pub from: String,
}

/// The coin of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoinInfo {
    /// Its name.
    pub name: String,
    /// Who puts in what.
    pub fund: Vec<Payment>,
    /// Who is paid what, under each outcome in order.
    pub pay: Vec<OutcomeInfo>,
    /// After how many blocks the refund may be broadcast.
    pub refund_after: u32,
    /// Who is paid what by the refund.
    pub refund: Vec<Payment>,
}

/// What an outcome pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeInfo {
    /// The outcome.
    pub outcome: String,
    /// The payments.
    pub payments: Vec<Payment>,
}

/// A party and an amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The party's name.
    pub party: String,
    /// The amount.
    pub sats: Sats,
}

/// The program of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramInfo {
    /// Operations of `settle` as lowered.
    pub operations: usize,
    /// Operations once products, quotients and such are expanded.
    pub legalised: usize,
    /// The same by kind.
    pub by_kind: BTreeMap<&'static str, usize>,
    /// Words of all inputs.
    pub input_words: usize,
    /// Why `settle` may abort, by code.
    pub aborts: Vec<AbortInfo>,
}

/// A reason to abort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AbortInfo {
    /// The error's name.
    pub error: String,
    /// The library that it is in; absent for the source itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of the source.
    pub line: usize,
}

/// A commitment of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementInfo {
    /// For people.
    pub name: String,
    /// The values of the legalised program that it holds.
    pub values: Vec<u32>,
    /// Digits of 4 bits that each word has.
    pub digits: Vec<u8>,
    /// Digits of the message.
    pub message: usize,
    /// Digits of its checksum.
    pub checksum: usize,
}

/// A segment of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentInfo {
    /// The library that it comes from, if nothing of it comes from the source itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// First and last line of the source that it comes from; absent for a segment that
    /// comes from none.
    pub lines: Option<[usize; 2]>,
    /// Which operations of the legalised program.
    pub operations: [usize; 2],
    /// Elements that its leaf reads, by index.
    pub reads: Vec<usize>,
    /// Elements that its leaf checks, by index.
    pub writes: Vec<usize>,
    /// The program-dependent part of its leaf: one, or in the last segment one per outcome.
    pub bodies: Vec<BodyInfo>,
    /// Bytes of the whole leaf with all challengers' keys; the largest where there are many.
    pub leaf_bytes: usize,
    /// Bytes of the stack that spends it, length prefixes included.
    pub witness_bytes: usize,
    /// Items of that stack.
    pub witness_items: usize,
    /// The most that a transaction which spends it weighs, as the planner reckons.
    pub spend_weight: Weight,
    /// The most items on stack and altstack.
    pub peak_stack: StackDepth,
}

/// A body of an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BodyInfo {
    /// The claimed outcome that it is for, in the last segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Its length.
    pub bytes: usize,
    /// SHA-256 of its script.
    pub sha256: String,
    /// The most items on stack and altstack, commitments included.
    pub peak_stack: StackDepth,
}

impl Artifact {
    /// As it is written to a file: indented, a newline at the end.
    pub fn to_json(&self) -> String {
        // Serialising to a string fails only for maps whose keys aren't strings.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
