//! Places of the state as functions of an entry's arguments, as the source would write them.

use super::contract::{Family, LedgerContract};
use super::entry::Entry;
use crate::value::{ValueType, decode};
use crate::word::access::Source;
use std::collections::BTreeSet;

/// What words of a routine's inputs are called.
pub(super) struct Names<'a> {
    contract: &'a LedgerContract,
    entry: &'a Entry,
}

/// Keys of so many words and more are known by the parameter that has this value.
const LONG: usize = 8;

impl<'a> Names<'a> {
    pub fn new(contract: &'a LedgerContract, entry: &'a Entry) -> Self {
        Self { contract, entry }
    }

    /// `[who][7]`, for a key whose words come from there.
    pub fn keys(&self, family: &Family, key: &[Source]) -> String {
        let mut rest = key;
        let mut text = String::new();
        for ty in &family.keys {
            let (own, after) = rest.split_at_checked(ty.words()).unwrap_or((rest, &[]));
            rest = after;
            text.push_str(&format!("[{}]", self.key(ty, own)));
        }
        text
    }

    fn key(&self, ty: &ValueType, key: &[Source]) -> String {
        if key.contains(&Source::Loaded) {
            return "?".to_owned();
        }
        let constant = |source: &Source| match source {
            Source::Constant(word) => Some(*word),
            _ => None,
        };
        if let Some(words) = key.iter().map(constant).collect::<Option<Vec<u32>>>() {
            return self.constant(ty, &words);
        }
        self.argument(key).unwrap_or_else(|| self.computed(key))
    }

    fn constant(&self, ty: &ValueType, words: &[u32]) -> String {
        let params = self.contract.params.iter();
        let mut same = params.filter(|p| p.ty == *ty && p.words == words && words.len() >= LONG);
        match same.next() {
            Some(param) => param.name.clone(),
            None => match decode(ty, words) {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            },
        }
    }

    /// The argument, or the part of one, that a key is word by word.
    fn argument(&self, key: &[Source]) -> Option<String> {
        let words: Option<Vec<u16>> = key.iter().map(input).collect();
        let words = words?;
        let first = usize::from(*words.first()?);
        let in_order = words.iter().zip(first..).all(|(w, n)| usize::from(*w) == n);
        if !in_order {
            return None;
        }
        if first == self.entry.words() {
            return Some("height()".to_owned());
        }
        let mut at = 0;
        for (name, ty) in &self.entry.arguments {
            if (at..at + ty.words()).contains(&first) {
                return part(name, ty, first - at, words.len());
            }
            at += ty.words();
        }
        None
    }

    /// `f(id, n)`, for what is computed from these arguments.
    fn computed(&self, key: &[Source]) -> String {
        let mut inputs = BTreeSet::new();
        for source in key {
            match source {
                Source::Input(n) => inputs.extend([*n]),
                Source::Computed(from) => inputs.extend(from),
                Source::Constant(_) | Source::Loaded => {}
            }
        }
        let mut names = Vec::new();
        let mut at = 0;
        for (name, ty) in &self.entry.arguments {
            let own = at..at + ty.words();
            if inputs.iter().any(|n| own.contains(&usize::from(*n))) {
                names.push(name.as_str());
            }
            at = own.end;
        }
        if inputs.iter().any(|n| usize::from(*n) == at) {
            names.push("height()");
        }
        format!("f({})", names.join(", "))
    }
}

fn input(source: &Source) -> Option<u16> {
    match source {
        Source::Input(n) => Some(*n),
        _ => None,
    }
}

/// The part of a value at these words: `order.owner`, `path[3]`.
fn part(name: &str, ty: &ValueType, at: usize, words: usize) -> Option<String> {
    if at == 0 && words == ty.words() {
        return Some(name.to_owned());
    }
    let parts: Vec<(String, &ValueType)> = match ty {
        ValueType::Struct(fields) => {
            let fields = fields.iter();
            fields
                .map(|(field, ty)| (format!("{name}.{field}"), ty))
                .collect()
        }
        ValueType::Tuple(types) => {
            let types = types.iter().enumerate();
            types.map(|(n, ty)| (format!("{name}.{n}"), ty)).collect()
        }
        ValueType::Array(element, n) => {
            let all = 0..*n;
            all.map(|i| (format!("{name}[{i}]"), &**element)).collect()
        }
        _ => return None,
    };
    let mut begins = 0;
    for (name, ty) in parts {
        let ends = begins + ty.words();
        if (begins..ends).contains(&at) {
            return part(&name, ty, at - begins, words);
        }
        begins = ends;
    }
    None
}
