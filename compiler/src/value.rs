//! Values as people write them: JSON in, words out, and back.
//!
//! Structs are objects, tuples lists; a variant with data is an object with the variant's name.
//! Numbers are JSON numbers or decimal strings; hashes, keys, signatures and bytes are hex strings or
//! `text:…`; enums are the variant's name; a blank option is `null`.

mod holds;
mod parts;
mod strict;

pub(crate) use parts::decode_all;
pub use strict::Strict;

use crate::contract::InputDecl;
use crate::diagnostic::did_you_mean;
use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The type of a value, on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `sats`
    Sats,
    /// `height`
    Height,
    /// `hash`
    Hash,
    /// `pubkey`
    Pubkey,
    /// `signature`
    Signature,
    /// `bytes<N>`
    Bytes(u32),
    /// An enum, by its variants.
    Enum(Vec<String>),
    /// `Option<T>`
    Option(Box<ValueType>),
    /// `[T; N]`
    Array(Box<ValueType>, u32),
    /// A struct, by its fields.
    Struct(Vec<(String, ValueType)>),
    /// `(T, U)`
    Tuple(Vec<ValueType>),
    /// An enum with data: its variants, and what each holds.
    Data(Vec<(String, Option<ValueType>)>),
}

/// Why values can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The inputs aren't a JSON object.
    #[error("inputs are a JSON object: {{\"name\": value, ..}}")]
    NotAnObject,
    /// An input has no value.
    #[error("input `{0}` has no value")]
    Missing(String),
    /// A value is given for something that isn't an input.
    #[error("there is no input `{name}`{}", meant.as_ref().map(|m| format!("; did you mean `{m}`?")).unwrap_or_default())]
    Unknown {
        /// The name given.
        name: String,
        /// The input that was probably meant.
        meant: Option<String>,
    },
    /// A value can't be read as its type.
    #[error("`{name}`: {reason}")]
    Bad {
        /// Which input, or which part of it.
        name: String,
        /// Why.
        reason: String,
    },
    /// Words don't have the length of the inputs.
    #[error("the inputs have {wants} words, not {has}")]
    Length {
        /// Words of all inputs.
        wants: usize,
        /// Words given.
        has: usize,
    },
}

/// Reads the inputs of `settle` from a JSON object, by name, as the words that
/// [`run`](crate::word::run) takes. Optional inputs that are left out are blank; so are the
/// entries missing at the end of an array of options.
///
/// # Errors
/// If one is missing, unknown, or can't be read as its type.
pub fn encode_inputs(inputs: &[InputDecl], values: &Value) -> Result<Vec<u32>, ValueError> {
    let values = values.as_object().ok_or(ValueError::NotAnObject)?;
    for name in values.keys() {
        if !inputs.iter().any(|input| input.name == *name) {
            let meant = did_you_mean(name, inputs.iter().map(|input| input.name.as_str()));
            return Err(ValueError::Unknown {
                name: name.clone(),
                meant: meant.map(str::to_owned),
            });
        }
    }
    let mut words = Vec::new();
    for input in inputs {
        let value = match (values.get(&input.name), &input.ty) {
            (Some(value), _) => value,
            (None, ValueType::Option(_)) => &Value::Null,
            (None, _) => return Err(ValueError::Missing(input.name.clone())),
        };
        words.extend(encode(&input.ty, value, &input.name)?);
    }
    Ok(words)
}

/// The inverse of [`encode_inputs`]. Words that are no value of their type are shown as
/// numbers.
///
/// # Errors
/// If there are too many or too few words.
pub fn decode_inputs(inputs: &[InputDecl], words: &[u32]) -> Result<Value, ValueError> {
    let wants: usize = inputs.iter().map(|input| input.ty.words()).sum();
    if wants != words.len() {
        let has = words.len();
        return Err(ValueError::Length { wants, has });
    }
    let mut values = Map::new();
    let mut rest = words;
    for input in inputs {
        let (own, after) = rest.split_at_checked(input.ty.words()).unwrap_or_default();
        values.insert(input.name.clone(), decode(&input.ty, own));
        rest = after;
    }
    Ok(Value::Object(values))
}

impl ValueType {
    /// Words of a value.
    pub fn words(&self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::U16 | Self::U32 | Self::Height | Self::Enum(_) => 1,
            Self::U64 | Self::Sats => 2,
            Self::U128 => 4,
            Self::Hash | Self::Pubkey => 8,
            Self::Signature => 16,
            Self::Bytes(n) => n.div_ceil(4) as usize,
            Self::Option(inner) => inner.words().saturating_add(1),
            Self::Array(element, n) => element.words().saturating_mul(*n as usize),
            Self::Struct(fields) => sum(fields.iter().map(|(_, ty)| ty)),
            Self::Tuple(parts) => sum(parts.iter()),
            Self::Data(variants) => {
                let held = variants.iter().flat_map(|(_, data)| data);
                held.map(Self::words).max().unwrap_or(0).saturating_add(1)
            }
        }
    }
}

fn sum<'a>(types: impl Iterator<Item = &'a ValueType>) -> usize {
    types.fold(0, |sum: usize, ty| sum.saturating_add(ty.words()))
}

/// Reads a value; `name` is what errors call it.
///
/// # Errors
/// If it can't be read as the type.
pub fn encode(ty: &ValueType, value: &Value, name: &str) -> Result<Vec<u32>, ValueError> {
    let bad = |reason: String| ValueError::Bad {
        name: name.to_owned(),
        reason,
    };
    match ty {
        ValueType::Bool => match value {
            Value::Bool(b) => Ok(vec![u32::from(*b)]),
            other => Err(bad(format!(
                "expected true or false, found {}",
                short(other)
            ))),
        },
        ValueType::U8 => Ok(vec![number(value, 8).map_err(bad)? as u32]),
        ValueType::U16 => Ok(vec![number(value, 16).map_err(bad)? as u32]),
        ValueType::U32 | ValueType::Height => Ok(vec![number(value, 32).map_err(bad)? as u32]),
        ValueType::U64 | ValueType::Sats => {
            let n = number(value, 64).map_err(bad)?;
            Ok(vec![n as u32, (n >> 32) as u32])
        }
        ValueType::U128 => {
            let n = number(value, 128).map_err(bad)?;
            Ok((0..4).map(|word| (n >> (32 * word)) as u32).collect())
        }
        ValueType::Hash | ValueType::Pubkey => Ok(pack(&bytes(value, 32).map_err(bad)?)),
        ValueType::Signature => Ok(pack(&bytes(value, 64).map_err(bad)?)),
        ValueType::Bytes(n) => Ok(pack(&bytes(value, *n as usize).map_err(bad)?)),
        ValueType::Enum(variants) => {
            let text = value
                .as_str()
                .ok_or_else(|| bad(format!("expected a variant's name, found {}", short(value))))?;
            Ok(vec![variant(text, variants.iter()).map_err(bad)?])
        }
        ValueType::Option(inner) => {
            if value.is_null() {
                return Ok(vec![0; ty.words()]);
            }
            let mut words = vec![1];
            words.extend(encode(inner, value, name)?);
            Ok(words)
        }
        ValueType::Array(element, n) => {
            let values = value
                .as_array()
                .ok_or_else(|| bad(format!("expected an array, found {}", short(value))))?;
            let wants = *n as usize;
            let optional = matches!(**element, ValueType::Option(_));
            if values.len() > wants || (values.len() < wants && !optional) {
                return Err(bad(format!(
                    "expected {wants} entries, found {}",
                    values.len()
                )));
            }
            let mut words = Vec::new();
            for (i, value) in values.iter().enumerate() {
                words.extend(encode(element, value, &format!("{name}[{i}]"))?);
            }
            words.resize(ty.words(), 0);
            Ok(words)
        }
        ValueType::Struct(fields) => parts::encode_struct(fields, value, name),
        ValueType::Tuple(types) => parts::encode_tuple(types, value, name),
        ValueType::Data(variants) => {
            let mut words = parts::encode_data(variants, value, name)?;
            words.resize(ty.words(), 0);
            Ok(words)
        }
    }
}

/// The number that words hold, low word first. Missing words count as 0.
pub(crate) fn number_of(words: &[u32]) -> u64 {
    let word = |n: usize| words.get(n).copied().unwrap_or(0);
    u64::from(word(0)) | (u64::from(word(1)) << 32)
}

/// Shows words as a value of the type. Missing words count as 0.
pub fn decode(ty: &ValueType, words: &[u32]) -> Value {
    let word = |n: usize| words.get(n).copied().unwrap_or(0);
    match ty {
        ValueType::Bool => match word(0) {
            0 => json!(false),
            1 => json!(true),
            other => json!(other),
        },
        ValueType::U8 | ValueType::U16 | ValueType::U32 | ValueType::Height => json!(word(0)),
        ValueType::U64 | ValueType::Sats | ValueType::U128 => {
            let words = words.iter().take(ty.words()).rev();
            let n = words.fold(0u128, |n, word| (n << 32) | u128::from(*word));
            // More than this is not a number to every reader of JSON.
            if n <= 1 << 53 {
                json!(n as u64)
            } else {
                json!(n.to_string())
            }
        }
        ValueType::Hash | ValueType::Pubkey => json!(unpack(words, 32).to_lower_hex_string()),
        ValueType::Signature => json!(unpack(words, 64).to_lower_hex_string()),
        ValueType::Bytes(n) => json!(unpack(words, *n as usize).to_lower_hex_string()),
        ValueType::Enum(variants) => match variants.get(word(0) as usize) {
            Some(name) => json!(name),
            None => json!(word(0)),
        },
        ValueType::Option(inner) => match word(0) {
            0 => Value::Null,
            _ => decode(inner, words.get(1..).unwrap_or_default()),
        },
        ValueType::Array(element, n) => {
            let size = element.words();
            let part = |i: usize| words.get(i * size..(i + 1) * size).unwrap_or_default();
            (0..*n as usize).map(|i| decode(element, part(i))).collect()
        }
        ValueType::Struct(fields) => {
            let types = fields.iter().map(|(_, ty)| ty);
            let names = fields.iter().map(|(name, _)| name.clone());
            Value::Object(names.zip(decode_all(types, words)).collect())
        }
        ValueType::Tuple(types) => decode_all(types.iter(), words).into(),
        ValueType::Data(variants) => match variants.get(word(0) as usize) {
            Some((name, None)) => json!(name),
            Some((name, Some(data))) => {
                json!({ name: decode(data, words.get(1..).unwrap_or_default()) })
            }
            None => json!(word(0)),
        },
    }
}

/// The number of a variant.
fn variant<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Result<u32, String> {
    let found = known.clone().position(|known| known == name);
    found.map(|n| n as u32).ok_or_else(|| {
        let known: Vec<&str> = known.map(String::as_str).collect();
        format!("there is no `{name}`; known are {}", known.join(", "))
    })
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 {
        return text;
    }
    let start: String = text.chars().take(37).collect();
    format!("{start}...")
}

fn number(value: &Value, bits: u32) -> Result<u128, String> {
    let n = match value {
        Value::Number(n) => n.as_u64().map(u128::from),
        Value::String(text) => {
            let digits: String = text.chars().filter(|c| *c != '_').collect();
            let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
            digits.parse().ok().filter(|_| plain)
        }
        _ => None,
    };
    let n = n.ok_or_else(|| format!("expected a whole number, found {}", short(value)))?;
    let most = u128::MAX >> 128u32.saturating_sub(bits);
    if n > most {
        return Err(format!(
            "{n} is more than {most}, the largest that fits {bits} bits"
        ));
    }
    Ok(n)
}

fn bytes(value: &Value, length: usize) -> Result<Vec<u8>, String> {
    let text = value
        .as_str()
        .ok_or_else(|| format!("expected a hex string, found {}", short(value)))?;
    if let Some(text) = text.strip_prefix("text:") {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.len() > length {
            let has = bytes.len();
            return Err(format!("the text has {has} bytes, more than {length}"));
        }
        bytes.resize(length, 0);
        return Ok(bytes);
    }
    let hex = text.strip_prefix("0x").unwrap_or(text);
    let bytes = Vec::<u8>::from_hex(hex)
        .map_err(|_| format!("expected hex digits or `text:..`, found {}", short(value)))?;
    if bytes.len() != length {
        return Err(format!("expected {length} bytes, found {}", bytes.len()));
    }
    Ok(bytes)
}

/// Bytes as words: four to a word, big end first.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u32> {
    let word = |chunk: &[u8]| chunk.iter().fold(0, |w, byte| (w << 8) | u32::from(*byte));
    bytes.chunks(4).map(word).collect()
}

pub(crate) fn unpack(words: &[u32], length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    for n in 0..length.div_ceil(4) {
        let word = words.get(n).copied().unwrap_or(0).to_be_bytes();
        let here = (length - 4 * n).min(4);
        bytes.extend_from_slice(word.get(4 - here..).unwrap_or_default());
    }
    bytes
}
