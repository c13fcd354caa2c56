//! The id of a contract: one hash of its source and its parameters.

use super::params::Params;
use super::{Checked, value_type};
use crate::syntax::ast;
use crate::types::typed::ParamTy;
use crate::value::decode;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 over the domain, the source without tests and the parameters as a JSON object with sorted
/// names and values in one form, each with its length (64 bits, little-endian) before it.
pub(super) fn identify(source: &str, checked: &Checked, read: &Params) -> [u8; 32] {
    let source = &without_tests(source, checked.tree.as_ref());
    let contract = &checked.contract;
    let mut all: Vec<(String, Value)> = Vec::new();
    for (param, words) in contract.params.iter().zip(&read.words) {
        if let (ParamTy::Value(ty), Some(words)) = (&param.ty, words) {
            all.push((param.name.clone(), decode(&value_type(ty, contract), words)));
        }
    }
    for attestor in &read.attestors {
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
