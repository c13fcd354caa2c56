//! Values of parameters: read, and what follows from them.

use super::value_type;
use crate::commit::{PublicKey, Shape};
use crate::contract::Attestor;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::types;
use crate::types::typed::{self, ConstDef, ParamTy};
use crate::value::{decode, encode};
use crate::word::lower::{Constants, evaluate};
use serde_json::{Map, Value};

/// What [`read_params`] understood.
pub(super) struct Params {
    /// Words of each parameter that is a value.
    pub words: Vec<Option<Vec<u32>>>,
    /// The attestors, with their keys.
    pub attestors: Vec<Attestor>,
}

pub(super) fn read_params(
    contract: &typed::Contract,
    params: &Map<String, Value>,
    found: &mut Vec<Diagnostic>,
) -> Params {
    for name in params.keys() {
        if !contract.params.iter().any(|param| param.name == *name) {
            let message = format!("a value is given for `{name}`, which is no parameter");
            let unknown = Diagnostic::new(Code::UnknownParam, contract.span, message);
            let known = contract.params.iter().map(|param| param.name.as_str());
            found.push(match did_you_mean(name, known) {
                Some(meant) => unknown.help(format!("did you mean `{meant}`?")),
                None => unknown,
            });
        }
    }
    let mut read = Params {
        words: vec![None; contract.params.len()],
        attestors: Vec::new(),
    };
    for (param, slot) in contract.params.iter().zip(&mut read.words) {
        let given = params.get(&param.name);
        let missing = || {
            let message = format!("parameter `{}` has no value", param.name);
            Diagnostic::new(Code::MissingParam, param.span, message)
        };
        let bad = |reason: String| {
            let message = format!("parameter {reason}");
            Diagnostic::new(Code::BadParam, param.span, message)
        };
        match (&param.ty, given) {
            (ParamTy::Party(_), None | Some(Value::String(_) | Value::Null)) => {}
            (ParamTy::Party(_), Some(_)) => found.push(bad(format!(
                "`{}`: a party's value is a name, if any",
                param.name
            ))),
            (_, None) => found.push(missing()),
            (ParamTy::Value(ty), Some(value)) => {
                match encode(&value_type(ty, contract), value, &param.name) {
                    Ok(words) => *slot = Some(words),
                    Err(error) => found.push(bad(error.to_string())),
                }
            }
            (ParamTy::Attestor(_, ty), Some(value)) => {
                let words = ty.digits(&contract.enums);
                let shape = Shape::of_words(&words);
                let name = param.name.clone();
                match serde_json::from_value::<PublicKey>(value.clone()) {
                    Ok(key) if key.fits(shape) => {
                        read.attestors.push(Attestor { name, words, key });
                    }
                    Ok(key) => found.push(bad(format!(
                        "`{name}`: this key is for {} digits, its values have {}",
                        key.0.len(),
                        shape.digits()
                    ))),
                    Err(_) => found.push(bad(format!(
                        "`{name}`: expected a list of {} hex strings of 20 bytes",
                        shape.digits()
                    ))),
                }
            }
        }
    }
    read
}

/// Computes the constants that depend on parameters, and checks each `where`.
pub(crate) fn bind(
    contract: &typed::Contract,
    consts: &mut [ConstDef],
    params: &[Option<Vec<u32>>],
    found: &mut Vec<Diagnostic>,
) {
    for n in 0..consts.len() {
        let (before, rest) = consts.split_at_mut(n);
        let Some(def) = rest.first_mut() else {
            continue;
        };
        if def.words.is_some() {
            continue;
        }
        let constants = Constants {
            consts: before,
            fns: &[],
            params,
        };
        match evaluate(&constants, &def.value) {
            Ok(words) => def.words = Some(words),
            Err(error) => {
                let what = format!("`{}`", def.name);
                found.push(types::const_error(&error, &what, def.value.span));
            }
        }
    }
    let constants = Constants {
        consts,
        fns: &contract.fns,
        params,
    };
    for (param, words) in contract.params.iter().zip(params) {
        let Some(condition) = &param.condition else {
            continue;
        };
        match evaluate(&constants, condition) {
            Ok(holds) if holds.first() == Some(&1) => {}
            Ok(_) => {
                let shown = match (&param.ty, words) {
                    (ParamTy::Value(ty), Some(words)) => {
                        decode(&value_type(ty, contract), words).to_string()
                    }
                    _ => "its value".to_owned(),
                };
                let message = format!("parameter `{}`: {shown} is not allowed", param.name);
                found.push(
                    Diagnostic::new(Code::ParamRefused, param.span, message)
                        .label(condition.span, "this must hold"),
                );
            }
            Err(error) => {
                let what = format!("the condition of `{}`", param.name);
                found.push(types::const_error(&error, &what, condition.span));
            }
        }
    }
}
