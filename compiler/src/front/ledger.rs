//! From a source that declares a ledger to what runs its calls.

use super::params::Params;
use super::{Checked, check_linked, identify, names, value_type, with_params};
use crate::diagnostic::{Code, Diagnostic, in_source_order};
use crate::ledger::{DeclaredEntry, Entry, EventDecl, Family, LedgerContract, ParamValue, Signer};
use crate::sources::Sources;
use crate::types;
use crate::types::typed::{self, Contract, EntryDef, ParamTy};
use crate::word::lower::{Constants, EvalError, lower_entry, lower_entry_to};
use crate::word::{Builder, Routine};
use serde_json::{Map, Value};

/// A ledger with its parameters, and the warnings of its check. Parameters are as in
/// [`instantiate`](super::instantiate).
///
/// # Errors
/// All errors of the source, or else all of the parameters.
pub fn instantiate_ledger(
    sources: impl Into<Sources>,
    params: &Map<String, Value>,
) -> Result<(LedgerContract, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (checked, units) = check_linked(&sources.into());
    if !checked.is_ok() {
        return Err(checked.diagnostics);
    }
    let (checked, read) = with_params(checked, params)?;
    let contract = &checked.contract;
    if !contract.is_ledger() {
        let message = format!("`{}` is no ledger: it has no entry", contract.name);
        let coin = Diagnostic::new(Code::NoEntry, contract.span, message);
        return Err(vec![
            coin.help("it settles a coin: `gavel compile` compiles it"),
        ]);
    }
    let mut entries = Vec::new();
    let mut found = Vec::new();
    for def in &contract.entries {
        match declared(contract, &read, def) {
            Ok(entry) => entries.push(entry),
            Err(diagnostic) => found.push(*diagnostic),
        }
    }
    if !found.is_empty() {
        in_source_order(&mut found);
        return Err(found);
    }
    let ledger = LedgerContract {
        name: contract.name.clone(),
        id: identify(&units, contract, &read.words, &read.attestors),
        params: param_values(contract, &read),
        entries,
        families: families(contract),
        events: events(contract),
        assets: contract.assets.iter().map(|a| a.name.clone()).collect(),
    };
    let Checked { diagnostics, .. } = checked;
    Ok((ledger, diagnostics))
}

/// The routines of a ledger's entries with its parameters, in order of declaration, not
/// simplified: what tests compare those of [`instantiate_ledger`] with.
///
/// # Errors
/// All errors of the source, or else all of the parameters.
pub fn plain_routines(
    sources: impl Into<Sources>,
    params: &Map<String, Value>,
) -> Result<Vec<Routine>, Vec<Diagnostic>> {
    let (checked, _) = check_linked(&sources.into());
    if !checked.is_ok() {
        return Err(checked.diagnostics);
    }
    let (checked, read) = with_params(checked, params)?;
    let contract = &checked.contract;
    let constants = Constants {
        consts: &contract.consts,
        fns: &contract.fns,
        params: &read.words,
    };
    let lowered = contract.entries.iter().map(|def| {
        let routine = lower_entry_to(Builder::plain(), contract, constants, def);
        routine.map_err(|error| vec![unlowered(def, &error)])
    });
    lowered.collect()
}

fn unlowered(def: &EntryDef, error: &EvalError) -> Diagnostic {
    types::const_error(error, &format!("`{}`", def.name), def.span)
}

fn declared(
    contract: &Contract,
    read: &Params,
    def: &EntryDef,
) -> Result<DeclaredEntry, Box<Diagnostic>> {
    let routine = lower_entry(contract, &read.words, def)
        .map_err(|error| Box::new(unlowered(def, &error)))?;
    let arguments = def.arguments.iter();
    let signers = def.signers.iter();
    let assets = |which: &[usize]| {
        let assets = which.iter().filter_map(|n| contract.assets.get(*n));
        assets.map(|asset| asset.name.clone()).collect()
    };
    Ok(DeclaredEntry {
        entry: Entry {
            name: def.name.clone(),
            arguments: arguments
                .map(|(name, ty)| (name.clone(), value_type(ty, contract)))
                .collect(),
            signers: signers.clone().map(|s| signer(def, read, *s)).collect(),
            routine,
        },
        signers: signers.map(|s| signer_name(contract, def, *s)).collect(),
        mints: assets(&def.mints),
        burns: assets(&def.burns),
    })
}

fn signer(def: &EntryDef, read: &Params, signer: typed::Signer) -> Signer {
    match signer {
        typed::Signer::Argument(n) => {
            let before = def.arguments.iter().take(n);
            let first = before.map(|(_, ty)| ty.words()).sum();
            Signer::Argument { first }
        }
        typed::Signer::Param(n) => {
            // All parameters were read: a key has eight words.
            let words = read.words.get(n).cloned().flatten().unwrap_or_default();
            Signer::Key(words.try_into().unwrap_or_default())
        }
    }
}

fn signer_name(contract: &Contract, def: &EntryDef, signer: typed::Signer) -> String {
    let name = match signer {
        typed::Signer::Argument(n) => def.arguments.get(n).map(|(name, _)| name.clone()),
        typed::Signer::Param(n) => names(contract, &[n]).pop(),
    };
    name.unwrap_or_default()
}

fn param_values(contract: &Contract, read: &Params) -> Vec<ParamValue> {
    let params = contract.params.iter().zip(&read.words);
    let values = params.filter_map(|(param, words)| match (&param.ty, words) {
        (ParamTy::Value(ty), Some(words)) => Some(ParamValue {
            name: param.name.clone(),
            ty: value_type(ty, contract),
            words: words.clone(),
        }),
        _ => None,
    });
    values.collect()
}

fn families(contract: &Contract) -> Vec<Family> {
    let mut all = Vec::new();
    for def in &contract.state {
        for ((part, ty), family) in def.ty.leaf_names().into_iter().zip(def.family..) {
            all.push(Family {
                family,
                field: def.name.clone(),
                part,
                keys: def.keys.iter().map(|ty| value_type(ty, contract)).collect(),
                ty: value_type(ty, contract),
            });
        }
    }
    all
}

fn events(contract: &Contract) -> Vec<EventDecl> {
    let fields = |def: &typed::EventDef| {
        let fields = def.of.fields.iter();
        let typed = fields.map(|(name, ty)| (name.clone(), value_type(ty, contract)));
        typed.collect()
    };
    let events = contract.events.iter();
    let decl = events.map(|def| EventDecl {
        name: def.of.name.clone(),
        fields: fields(def),
    });
    decl.collect()
}
