//! The front end's doors: [`check`] a source and, with parameters, [`instantiate`] one that
//! settles a coin, or [`instantiate_ledger`] one that keeps a state.

mod identify;
mod ledger;
mod params;
mod values;

pub use ledger::instantiate_ledger;
pub(crate) use params::bind;
pub use values::{input_decls, value_type};

use crate::contract::Contract;
use crate::diagnostic::{Code, Diagnostic, errors_first, has_errors, in_source_order};
use crate::syntax::{self, ast};
use crate::types;
use crate::types::typed::{self, ParamTy};
use crate::word::lower::{EvalError, lower, lower_entry, lower_to};
use crate::word::{Builder, Program, Span};
use identify::identify;
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

/// Checks a source without values of parameters.
pub fn check(source: &str) -> Checked {
    let (tree, mut diagnostics) = syntax::parse(source);
    let mut contract = typed::Contract::default();
    if let Some(tree) = &tree {
        let (checked, found) = types::check(tree);
        contract = checked;
        // Where brackets don't match, all that the checker says may follow from that.
        if tree.balanced || !has_errors(&diagnostics) {
            diagnostics.extend(found.into_iter().filter(|d| !follows(d, tree, source)));
        }
    }
    if !has_errors(&diagnostics) {
        diagnostics.extend(too_large(&contract));
    }
    errors_first(&mut diagnostics);
    in_source_order(&mut diagnostics);
    once_a_name(&mut diagnostics, source);
    Checked {
        tree,
        contract,
        diagnostics,
    }
}

/// The name that isn't declared, if the problem is that.
fn undeclared<'s>(found: &Diagnostic, source: &'s str) -> Option<&'s str> {
    match found.code {
        Code::UnknownName
        | Code::UnknownType
        | Code::UnknownError
        | Code::UnknownParty
        | Code::UnknownOutcome
        | Code::UnknownAuthor => source.get(found.span.start as usize..found.span.end as usize),
        _ => None,
    }
}

/// Keeps the first use of each name that isn't declared, and all that look like slips of the
/// keyboard: those are mended where they stand, the others by a declaration.
fn once_a_name(found: &mut Vec<Diagnostic>, source: &str) {
    let mut seen = BTreeSet::new();
    found.retain(|d| d.fix.is_some() || undeclared(d, source).is_none_or(|name| seen.insert(name)));
}

/// Whether a problem only follows from a part of the tree that couldn't be read, which is
/// reported already.
fn follows(found: &Diagnostic, tree: &ast::Contract, source: &str) -> bool {
    let unread = |word: &str| tree.unread.contains(word);
    match found.code {
        Code::NoSettle => unread("settle"),
        Code::NoCoin => unread("coin"),
        Code::PartyCount => unread("param"),
        _ => undeclared(found, source).is_some_and(unread),
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
    let mut contract = contract.clone();
    for def in &mut contract.consts {
        // Only its size matters here.
        def.words.get_or_insert_with(|| vec![0; def.ty.words()]);
    }
    let limit = |error| match error {
        EvalError::Limit(diagnostic) => Some(*diagnostic),
        _ => None,
    };
    if !contract.is_ledger() {
        return lower(&contract, &zeros).err().and_then(limit);
    }
    let mut entries = contract.entries.iter();
    entries.find_map(|entry| lower_entry(&contract, &zeros, entry).err().and_then(limit))
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
    source: &str,
    params: &Map<String, Value>,
) -> Result<(Contract, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (checked, read) = with_params(source, params)?;
    let contract = &checked.contract;
    if contract.is_ledger() {
        let message = format!("`{}` is a ledger: it settles no coin", contract.name);
        let ledger = Diagnostic::new(Code::NoSettle, contract.span, message);
        return Err(vec![ledger.help("its tests are run by `gavel test`")]);
    }
    let (coin, mut found) = types::coin_with(contract, &read.words);
    let program = match lower(contract, &read.words) {
        Ok(program) => Some(program),
        Err(error) => {
            found.push(types::const_error(&error, "`settle`", contract.span));
            None
        }
    };
    if let (Some(coin), Some(program), false) = (coin, program, has_errors(&found)) {
        let contract = Contract {
            id: identify(source, &checked, &read),
            name: contract.name.clone(),
            parties: names(contract, &contract.parties),
            attestors: read.attestors,
            inputs: input_decls(contract),
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
    source: &str,
    params: &Map<String, Value>,
) -> Result<Program, Vec<Diagnostic>> {
    let (checked, read) = with_params(source, params)?;
    let contract = checked.contract;
    lower_to(Builder::plain(), &contract, &read.words)
        .map_err(|error| vec![types::const_error(&error, "`settle`", contract.span)])
}

/// A checked source and its parameters, its constants computed.
fn with_params(
    source: &str,
    params: &Map<String, Value>,
) -> Result<(Checked, Params), Vec<Diagnostic>> {
    let mut checked = check(source);
    if !checked.is_ok() {
        return Err(checked.diagnostics);
    }
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

fn names(contract: &typed::Contract, params: &[usize]) -> Vec<String> {
    params
        .iter()
        .filter_map(|n| contract.params.get(*n))
        .map(|param| param.name.clone())
        .collect()
}
