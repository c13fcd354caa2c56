//! The front end's doors: [`check`] a source and, with parameters, [`instantiate`] one that
//! settles a coin, or [`instantiate_ledger`] one that keeps a state.

mod ledger;
mod params;
mod values;

pub use ledger::{instantiate_ledger, plain_routines};
pub(crate) use params::bind;
pub use values::value_type;

use crate::contract::{Attestor, Contract, InputDecl};
use crate::diagnostic::{
    Code, Diagnostic, MAX_DIAGNOSTICS, errors_first, has_errors, in_source_order,
};
use crate::link::{self, Linked, Unit, link};
use crate::sources::Sources;
use crate::syntax::ast;
use crate::types;
use crate::types::typed::{self, ParamTy};
use crate::value::decode;
use crate::word::lower::{Constants, EvalError, lower, lower_entry_to, lower_to};
use crate::word::{Builder, Program, Span};
use params::{Params, read_params};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The tree, if the source declares a contract.
    pub tree: Option<ast::Contract>,
    /// The typed program, as far as it could be made out.
    pub contract: typed::Contract,
    /// All problems, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether the contract can be instantiated.
    pub fn is_ok(&self) -> bool {
        !has_errors(&self.diagnostics)
    }
}

/// Text of a source file.
///
/// # Errors
/// If the bytes aren't UTF-8.
pub fn decode_source(bytes: &[u8]) -> Result<&str, Box<Diagnostic>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to() as u32;
        let span = Span { start: at, end: at };
        let message = format!("byte {at} is not UTF-8 text");
        Box::new(Diagnostic::new(Code::NotUtf8, span, message))
    })
}

/// Checks a source without values of parameters: a text, or [`Sources`] with all that it
/// imports. A text alone can import the standard library only.
pub fn check(sources: impl Into<Sources>) -> Checked {
    check_linked(&sources.into()).0
}

fn check_linked(sources: &Sources) -> (Checked, Vec<Unit>) {
    let Linked {
        units,
        main,
        mut diagnostics,
    } = link(sources);
    let mut contract = typed::Contract::default();
    if main {
        let (checked, found) = types::check(&units);
        contract = checked;
        let unread = has_errors(&diagnostics);
        // Where brackets don't match, all that the checker says may follow from that.
        let balanced = units.iter().all(|unit| unit.tree.balanced);
        if balanced || !has_errors(&diagnostics) {
            // What moved a vault on may be what couldn't be read.
            let follows = |d: &Diagnostic| match d.code {
                Code::VaultLost => unread,
                _ => follows(d, &units),
            };
            diagnostics.extend(found.into_iter().filter(|d| !follows(d)));
        }
    }
    if !has_errors(&diagnostics) {
        diagnostics.extend(too_large(&contract));
    }
    errors_first(&mut diagnostics);
    in_source_order(&mut diagnostics);
    once_a_name(&mut diagnostics, sources);
    if has_errors(&diagnostics) {
        diagnostics.truncate(MAX_DIAGNOSTICS);
    }
    let tree = units.last().filter(|_| main).map(|unit| unit.tree.clone());
    let checked = Checked {
        tree,
        contract,
        diagnostics,
    };
    (checked, units)
}

/// Whether the problem is that a name isn't declared.
fn undeclared(found: &Diagnostic) -> bool {
    matches!(
        found.code,
        Code::UnknownName
            | Code::UnknownType
            | Code::UnknownError
            | Code::UnknownParty
            | Code::UnknownOutcome
            | Code::UnknownAuthor
            | Code::UnknownImport
    )
}

/// Keeps the first use of each name that isn't declared, and all that look like slips of the
/// keyboard: those are mended where they stand, the others by a declaration.
fn once_a_name(found: &mut Vec<Diagnostic>, sources: &Sources) {
    let mut seen = BTreeSet::new();
    found.retain(|d| {
        let file = sources.file_at(d.span.start);
        let mut first = || seen.insert((file.base(), file.slice(d.span).to_owned()));
        d.fix.is_some() || !undeclared(d) || first()
    });
}

/// Whether every field of the state could be read.
fn whole_state(tree: &ast::Contract) -> bool {
    let broken = |item: &ast::Item| matches!(item, ast::Item::State(state) if !state.whole);
    !tree.items.iter().any(broken)
}

/// Whether a problem only follows from an import or a part of a tree that couldn't be read,
/// which is reported already.
fn follows(found: &Diagnostic, units: &[Unit]) -> bool {
    let at = found.span.start;
    let before = units.iter().filter(|unit| unit.file.base() <= at);
    let Some(unit) = before.max_by_key(|unit| unit.file.base()) else {
        return false;
    };
    let tree = &unit.tree;
    let unread = |word: &str| tree.unread.contains(word);
    match found.code {
        Code::NoSettle => unread("settle"),
        Code::NoCoin => unread("coin"),
        // It may be a field that couldn't be read.
        Code::UnknownName if !whole_state(tree) => true,
        Code::PartyCount => unread("param"),
        Code::UnknownImport => {
            let name = unit.file.slice(found.span);
            let library = unit.imports.iter().flatten().filter_map(|n| units.get(*n));
            library
                .into_iter()
                .any(|library| library.tree.unread.contains(name))
        }
        _ if undeclared(found) => {
            let name = unit.file.slice(found.span);
            let mut imported = tree.imports.iter().flat_map(|import| &import.names);
            unread(name) || imported.any(|known| known.text == name)
        }
        _ => false,
    }
}

/// Whether the program is too large, tried with parameters of zero.
fn too_large(contract: &typed::Contract) -> Option<Diagnostic> {
    let zeros: Vec<Option<Vec<u32>>> = contract
        .params
        .iter()
        .map(|param| match &param.ty {
            ParamTy::Value(ty) => Some(vec![0; ty.words()]),
            _ => None,
        })
        .collect();
    let mut consts = contract.consts.clone();
    for def in &mut consts {
        // Only its size matters here.
        def.words.get_or_insert_with(|| vec![0; def.ty.words()]);
    }
    let constants = Constants {
        consts: &consts,
        fns: &contract.fns,
        params: &zeros,
    };
    let limit = |error| match error {
        EvalError::Limit(diagnostic) => Some(*diagnostic),
        _ => None,
    };
    if contract.entries.is_empty() {
        let lowered = lower_to(Builder::new(), contract, constants);
        return lowered.err().and_then(limit);
    }
    let mut entries = contract.entries.iter();
    entries.find_map(|entry| {
        let lowered = lower_entry_to(Builder::new(), contract, constants, entry);
        lowered.err().and_then(limit)
    })
}

/// A contract with its parameters, and the warnings of its check.
///
/// Parameters are a JSON object by name. Numbers are JSON numbers or decimal strings, hashes
/// and bytes hex strings; an attestor is its one-time public key, a list of hex strings. A
/// party needs no value: it is known by its place in the source.
///
/// # Errors
/// All errors of the source, or else all of the parameters.
pub fn instantiate(
    sources: impl Into<Sources>,
    params: &Map<String, Value>,
) -> Result<(Contract, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (checked, units) = check_linked(&sources.into());
    if !checked.is_ok() {
        return Err(checked.diagnostics);
    }
    instantiate_checked(checked, &units, params)
}

fn instantiate_checked(
    checked: Checked,
    units: &[Unit],
    params: &Map<String, Value>,
) -> Result<(Contract, Vec<Diagnostic>), Vec<Diagnostic>> {
    if let Some(library) = checked.tree.as_ref().filter(|tree| tree.library) {
        let message = format!("`{}` is a library, not a contract", library.name.text);
        let wrong = Diagnostic::new(Code::NoContract, library.name.span, message);
        return Err(vec![
            wrong.help("it can be checked and tested; contracts import it"),
        ]);
    }
    let (checked, read) = with_params(checked, params)?;
    let contract = checked.contract;
    if !contract.entries.is_empty() {
        let message = format!("`{}` is a ledger: it settles no coin", contract.name);
        let ledger = Diagnostic::new(Code::NoSettle, contract.span, message);
        return Err(vec![ledger.help("its tests are run by `gavel test`")]);
    }
    let (coin, mut found) = types::coin_with(&contract, &read.words);
    let program = match lower(&contract, &read.words) {
        Ok(program) => Some(program),
        Err(error) => {
            found.push(types::const_error(&error, "`settle`", contract.span));
            None
        }
    };
    if let (Some(coin), Some(program), false) = (coin, program, has_errors(&found)) {
        let contract = Contract {
            id: identify(units, &contract, &read.words, &read.attestors),
            name: contract.name.clone(),
            parties: names(&contract, &contract.parties),
            attestors: read.attestors,
            inputs: input_decls(&contract),
            coin,
            program,
        };
        let mut warnings = checked.diagnostics;
        warnings.extend(found);
        return Ok((contract, warnings));
    }
    if !has_errors(&found) {
        let message = "the coin can't be computed";
        found.push(Diagnostic::new(Code::BadAmount, contract.span, message));
    }
    in_source_order(&mut found);
    Err(found)
}

/// The program of a contract with its parameters, not simplified: what tests compare the program
/// of [`instantiate`] with.
///
/// # Errors
/// All errors of the source, or else all of the parameters.
pub fn plain_program(
    sources: impl Into<Sources>,
    params: &Map<String, Value>,
) -> Result<Program, Vec<Diagnostic>> {
    let (checked, _) = check_linked(&sources.into());
    if !checked.is_ok() {
        return Err(checked.diagnostics);
    }
    let (checked, read) = with_params(checked, params)?;
    let contract = checked.contract;
    let constants = Constants {
        consts: &contract.consts,
        fns: &contract.fns,
        params: &read.words,
    };
    lower_to(Builder::plain(), &contract, constants)
        .map_err(|error| vec![types::const_error(&error, "`settle`", contract.span)])
}

/// A checked source and its parameters, its constants computed.
fn with_params(
    mut checked: Checked,
    params: &Map<String, Value>,
) -> Result<(Checked, Params), Vec<Diagnostic>> {
    let mut found = Vec::new();
    let read = read_params(&checked.contract, params, &mut found);
    if has_errors(&found) {
        in_source_order(&mut found);
        return Err(found);
    }
    let mut consts = checked.contract.consts.clone();
    bind(&checked.contract, &mut consts, &read.words, &mut found);
    checked.contract.consts = consts;
    match has_errors(&found) {
        true => Err(found),
        false => Ok((checked, read)),
    }
}

/// SHA-256 over the domain, the source without tests, the parameters as a JSON object with
/// sorted names and values in one form, and what stands for each library that is imported;
/// each with its length before it.
fn identify(
    units: &[Unit],
    contract: &typed::Contract,
    words: &[Option<Vec<u32>>],
    attestors: &[Attestor],
) -> [u8; 32] {
    let mut all: Vec<(String, Value)> = Vec::new();
    for (param, words) in contract.params.iter().zip(words) {
        if let (ParamTy::Value(ty), Some(words)) = (&param.ty, words) {
            all.push((param.name.clone(), decode(&value_type(ty, contract), words)));
        }
    }
    for attestor in attestors {
        let key = serde_json::to_value(&attestor.key).unwrap_or_default();
        all.push((attestor.name.clone(), key));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let fields: Vec<String> = all
        .iter()
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    let canonical = format!("{{{}}}", fields.join(","));
    let source = units.last().map(link::without_tests).unwrap_or_default();
    let parts = ["gavel/contract", &source, &canonical];
    let libraries = link::digests(units);
    let libraries = libraries.iter().map(|digest| digest.as_slice());
    link::hash(parts.into_iter().map(str::as_bytes).chain(libraries))
}

fn names(contract: &typed::Contract, params: &[usize]) -> Vec<String> {
    params
        .iter()
        .filter_map(|n| contract.params.get(*n))
        .map(|param| param.name.clone())
        .collect()
}

/// The inputs of `settle`, with their types on their own.
pub fn input_decls(contract: &typed::Contract) -> Vec<InputDecl> {
    let inputs = contract.settle.iter().flat_map(|settle| &settle.inputs);
    inputs
        .map(|input| InputDecl {
            name: input.name.clone(),
            ty: value_type(&input.ty, contract),
            author: input.author,
        })
        .collect()
}
