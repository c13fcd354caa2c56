//! Places of the state as people write them: `balance[3f..]`, `pool_a`, `lots[7].owner`.
//!
//! A key is written as its type's values are: numbers as such, keys and hashes as hex, variants by
//! name, anything else as JSON. A parameter's name stands for its value.

use crate::about::About;
use gavel_compiler::diagnostic::did_you_mean;
use gavel_compiler::ledger::{CellId, Family};
use gavel_compiler::value::{ValueError, ValueType, decode, encode};
use serde_json::{Map, Value};

/// A place: one cell, or one for each part of what stands there. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The part that was asked for; empty for all.
    part: String,
    cells: Vec<(CellId, Family)>,
}

/// Why a text is no place of a ledger's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The state has no such field.
    #[error("the state has no field `{name}`{}", meant.as_ref().map(|m| format!("; did you mean `{m}`?")).unwrap_or_default())]
    Field {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A bracket isn't closed.
    #[error("`{0}`: a `[` without its `]`")]
    Open(String),
    /// There are too many or too few keys.
    #[error("`{field}` has {wants} {}, not {has}: `{field}{}`", if *wants == 1 { "key" } else { "keys" }, "[..]".repeat(*wants))]
    Keys {
        /// The field.
        field: String,
        /// How many keys it has.
        wants: usize,
        /// How many are given.
        has: usize,
    },
    /// A key isn't a value of its type.
    #[error("the key of {0}")]
    Key(ValueError),
    /// What stands there has no such part.
    #[error("`{field}` has no part `{part}`; there {}", match known.as_slice() {
        [] => "are none".to_owned(),
        known => format!("are {}", known.join(", ")),
    })]
    Part {
        /// The field.
        field: String,
        /// What was asked for.
        part: String,
        /// The parts that there are.
        known: Vec<String>,
    },
}

impl About {
    /// The place that a text names.
    ///
    /// # Errors
    /// If there is none.
    pub fn place(&self, text: &str) -> Result<Located, PlaceError> {
        let text = text.trim();
        let (field, rest) = self.field(text)?;
        let own = || self.families.iter().filter(|family| family.field == field);
        let types = own().next().map(|family| &family.keys[..]);
        let types = types.unwrap_or_default();
        let (keys, part) = keys(text, rest)?;
        if keys.len() != types.len() {
            return Err(PlaceError::Keys {
                field: field.to_owned(),
                wants: types.len(),
                has: keys.len(),
            });
        }
        let mut words = Vec::new();
        for (ty, key) in types.iter().zip(keys) {
            words.extend(self.key(ty, key, field)?);
        }
        let cells = own().filter(|family| is_in(&family.part, part));
        let cells = cells.map(|family| {
            let cell = CellId {
                family: family.family,
                key: words.clone(),
            };
            (cell, family.clone())
        });
        let cells: Vec<_> = cells.collect();
        match cells.is_empty() {
            false => Ok(Located {
                part: part.to_owned(),
                cells,
            }),
            true => Err(PlaceError::Part {
                field: field.to_owned(),
                part: part.to_owned(),
                known: parts(own()),
            }),
        }
    }

    /// The field with the longest name that the text begins with, and the rest: `A.supply` is a
    /// field, too.
    fn field<'a>(&'a self, text: &'a str) -> Result<(&'a str, &'a str), PlaceError> {
        let fields = || self.families.iter().map(|family| family.field.as_str());
        let begins = fields().filter_map(|field| {
            let rest = text.strip_prefix(field)?;
            let ends = rest.is_empty() || rest.starts_with(['[', '.', ' ']);
            ends.then_some((field, rest))
        });
        begins.max_by_key(|(field, _)| field.len()).ok_or_else(|| {
            let name = text.split(['[', '.', ' ']).next().unwrap_or_default();
            PlaceError::Field {
                name: name.to_owned(),
                meant: did_you_mean(name, fields()).map(str::to_owned),
            }
        })
    }

    fn key(&self, ty: &ValueType, text: &str, field: &str) -> Result<Vec<u32>, PlaceError> {
        let text = text.trim();
        let param = self.params.iter().find(|p| p.name == text && p.ty == *ty);
        if let Some(param) = param {
            return Ok(param.words.clone());
        }
        encode(ty, &written(ty, text), field).map_err(PlaceError::Key)
    }
}

/// What a key's text stands for. Sixty-four digits may be a hash, and are no number then.
fn written(ty: &ValueType, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    let plain = match ty {
        ValueType::Hash
        | ValueType::Pubkey
        | ValueType::Signature
        | ValueType::Bytes(_)
        | ValueType::Enum(_) => !text.starts_with('"'),
        ValueType::U8
        | ValueType::U16
        | ValueType::U32
        | ValueType::U64
        | ValueType::U128
        | ValueType::Sats
        | ValueType::Height => true,
        ValueType::Bool
        | ValueType::Option(_)
        | ValueType::Array(..)
        | ValueType::Struct(_)
        | ValueType::Tuple(_)
        | ValueType::Data(_) => false,
    };
    match plain {
        true => as_text(),
        false => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
    }
}

/// The texts between the brackets that come first, and what comes after.
fn keys<'a>(text: &str, mut rest: &'a str) -> Result<(Vec<&'a str>, &'a str), PlaceError> {
    let mut keys = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(inside) = rest.strip_prefix('[') else {
            return Ok((keys, rest.trim_end()));
        };
        let end = closing(inside).ok_or_else(|| PlaceError::Open(text.to_owned()))?;
        let (key, after) = inside.split_at_checked(end).unwrap_or((inside, ""));
        keys.push(key);
        rest = after.strip_prefix(']').unwrap_or(after);
    }
}

/// Where the bracket closes that was opened before: not one inside another, or in a string.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth = depth.saturating_add(1),
            ']' if !quoted && depth == 0 => return Some(at),
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Whether a part is the one asked for, or within it.
fn is_in(part: &str, asked: &str) -> bool {
    let rest = part.strip_prefix(asked);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn parts<'a>(families: impl Iterator<Item = &'a Family>) -> Vec<String> {
    let parts = families.map(|family| family.part.clone());
    parts.filter(|part| !part.is_empty()).collect()
}

impl Located {
    /// The cells of this place, with the families that they are of.
    pub fn cells(&self) -> &[(CellId, Family)] {
        &self.cells
    }

    /// The one cell of this place.
    ///
    /// # Errors
    /// The parts that there are, if there is more than one.
    pub fn only(&self) -> Result<(&CellId, &Family), Vec<String>> {
        match &self.cells[..] {
            [(cell, family)] => Ok((cell, family)),
            cells => Err(parts(cells.iter().map(|(_, family)| family))),
        }
    }

    /// What stands there, when its cells have these words, in their order: a value, or an object
    /// of its parts. Missing words count as 0.
    pub fn value(&self, words: &[Vec<u32>]) -> Value {
        let mut all = Value::Null;
        for (n, (_, family)) in self.cells.iter().enumerate() {
            let words = words.get(n).map_or(&[][..], Vec::as_slice);
            let way = family.part.strip_prefix(&self.part).unwrap_or_default();
            let names = way.split('.').filter(|name| !name.is_empty());
            put(&mut all, names, decode(&family.ty, words));
        }
        all
    }
}

fn put<'a>(at: &mut Value, mut names: impl Iterator<Item = &'a str>, value: Value) {
    let Some(name) = names.next() else {
        *at = value;
        return;
    };
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    if let Value::Object(map) = at {
        put(map.entry(name).or_insert(Value::Null), names, value);
    }
}
