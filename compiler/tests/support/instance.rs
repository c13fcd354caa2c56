//! Programs of random contracts, and inputs for them.
#![allow(dead_code, clippy::unwrap_used)]

use crate::accepted::Dice;
use gavel_compiler::commit::Shape;
use gavel_compiler::types::typed::ParamTy;
use gavel_compiler::word::Program;
use gavel_compiler::{check, instantiate};
use serde_json::{Map, Value};

/// All parameters: the attestors' keys as their types ask for them.
pub fn params(source: &str, given: &Map<String, Value>) -> Map<String, Value> {
    let contract = check(source).contract;
    let mut all = given.clone();
    for param in &contract.params {
        if let ParamTy::Attestor(_, ty) = &param.ty {
            let digits = Shape::of_words(&ty.digits(&contract.enums)).digits();
            let key = vec![Value::from("11".repeat(20)); digits];
            all.insert(param.name.clone(), key.into());
        }
    }
    all
}

pub fn program(source: &str, given: &Map<String, Value>) -> Option<Program> {
    let (contract, _) = instantiate(source, &params(source, given)).ok()?;
    Some(contract.program)
}

/// Words for the inputs: many of them values of their types, some not.
pub fn inputs(program: &Program, dice: &mut Dice) -> Vec<u32> {
    let digits = program.inputs.iter().flat_map(|element| &element.words);
    let word = |digits: &u8| {
        let most = u32::MAX >> (32 - 4 * u32::from(*digits));
        let word = match dice.below(8) {
            0 => dice.word() as u32,
            1 => most,
            2 => dice.below(256) as u32,
            3 if *digits == 1 => dice.below(5) as u32,
            _ => dice.below(2) as u32,
        };
        word & most
    };
    digits.map(word).collect()
}
