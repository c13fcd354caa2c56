//! The front end's doors: [`check`] a source and, with parameters, [`instantiate`] one that
//! settles a coin, or [`instantiate_ledger`] one that keeps a state.

mod ledger;
mod params;
mod values;

pub use ledger::instantiate_ledger;
pub(crate) use params::bind;
pub use values::value_type;

use crate::contract::{Attestor, Contract, InputDecl};
use crate::diagnostic::{Code, Diagnostic, errors_first, has_errors, in_source_order};
use crate::syntax::{self, ast};
use crate::types;
use crate::types::typed::{self, ParamTy};
use crate::value::decode;
use crate::word::lower::{EvalError, lower, lower_entry, lower_to};
use crate::word::{Builder, Program, Span};
use params::{Params, read_params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
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
    if contract.entries.is_empty() {
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
            id: identify(
                &without_tests(source, checked.tree.as_ref()),
                &contract,
                &read.words,
                &read.attestors,
            ),
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

/// The source without its tests, and without the white space before each: they decide nothing.
fn without_tests(source: &str, tree: Option<&ast::Contract>) -> String {
    let mut rest = String::new();
    let mut at = 0;
    let tests = tree.into_iter().flat_map(|tree| &tree.items);
    for item in tests {
        let whole = match item {
            ast::Item::Test(test) => test.whole,
            ast::Item::With(with) => with.whole,
            _ => continue,
        };
        let before = source.get(at..whole.start as usize);
        rest.push_str(before.unwrap_or_default().trim_end());
        at = whole.end as usize;
    }
    rest.push_str(source.get(at..).unwrap_or_default());
    rest
}

/// SHA-256 over the domain, the source without tests and the parameters as a JSON object with sorted
/// names and values in one form, each with its length (64 bits, little-endian) before it.
fn identify(
    source: &str,
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
    let mut hasher = Sha256::new();
    for part in ["gavel/contract", source, &canonical] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
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
