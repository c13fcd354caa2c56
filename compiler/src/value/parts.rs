//! Values of several parts: structs, tuples, and enums with data.

use super::{ValueError, ValueType, decode, encode, short, variant};
use crate::diagnostic::did_you_mean;
use serde_json::{Map, Value};

fn bad(name: &str, reason: String) -> ValueError {
    ValueError::Bad {
        name: name.to_owned(),
        reason,
    }
}

pub(super) fn encode_struct(
    fields: &[(String, ValueType)],
    value: &Value,
    name: &str,
) -> Result<Vec<u32>, ValueError> {
    let given: &Map<String, Value> = value.as_object().ok_or_else(|| {
        let reason = format!("expected an object with its fields, found {}", short(value));
        bad(name, reason)
    })?;
    for field in given.keys() {
        if !fields.iter().any(|(known, _)| known == field) {
            let known = fields.iter().map(|(known, _)| known.as_str());
            let meant =
                did_you_mean(field, known).map(|meant| format!("; did you mean `{meant}`?"));
            let reason = format!("there is no field `{field}`{}", meant.unwrap_or_default());
            return Err(bad(name, reason));
        }
    }
    let mut words = Vec::new();
    for (field, ty) in fields {
        let value = match (given.get(field), ty) {
            (Some(value), _) => value,
            (None, ValueType::Option(_)) => &Value::Null,
            (None, _) => return Err(bad(name, format!("`{field}` has no value"))),
        };
        words.extend(encode(ty, value, &format!("{name}.{field}"))?);
    }
    Ok(words)
}

pub(super) fn encode_tuple(
    types: &[ValueType],
    value: &Value,
    name: &str,
) -> Result<Vec<u32>, ValueError> {
    let given = value.as_array().ok_or_else(|| {
        let reason = format!(
            "expected a list of {} parts, found {}",
            types.len(),
            short(value)
        );
        bad(name, reason)
    })?;
    if given.len() != types.len() {
        let reason = format!("expected {} parts, found {}", types.len(), given.len());
        return Err(bad(name, reason));
    }
    let mut words = Vec::new();
    for (n, (ty, value)) in types.iter().zip(given).enumerate() {
        words.extend(encode(ty, value, &format!("{name}.{n}"))?);
    }
    Ok(words)
}

/// The variant's number and its data, without the words that it doesn't use.
pub(super) fn encode_data(
    variants: &[(String, Option<ValueType>)],
    value: &Value,
    name: &str,
) -> Result<Vec<u32>, ValueError> {
    let (text, given) = match value {
        Value::String(text) => (text, None),
        Value::Object(one) => match one.iter().next() {
            Some((text, data)) if one.len() == 1 => (text, Some(data)),
            _ => return Err(not_a_variant(value, name)),
        },
        _ => return Err(not_a_variant(value, name)),
    };
    let known = variants.iter().map(|(known, _)| known);
    let number = variant(text, known).map_err(|reason| bad(name, reason))?;
    let held = variants
        .get(number as usize)
        .and_then(|(_, data)| data.as_ref());
    let mut words = vec![number];
    match (held, given) {
        (None, None) => {}
        (Some(ty), Some(data)) => words.extend(encode(ty, data, &format!("{name}.{text}"))?),
        (None, Some(_)) => return Err(bad(name, format!("`{text}` holds no data"))),
        (Some(_), None) => {
            let reason = format!("`{text}` holds data: write {{\"{text}\": ..}}");
            return Err(bad(name, reason));
        }
    }
    Ok(words)
}

fn not_a_variant(value: &Value, name: &str) -> ValueError {
    let reason = format!(
        "expected a variant: its name, or {{\"name\": data}}, found {}",
        short(value)
    );
    bad(name, reason)
}

/// Parts that lie one after the other.
pub(crate) fn decode_all<'a>(
    types: impl Iterator<Item = &'a ValueType>,
    words: &[u32],
) -> Vec<Value> {
    let mut rest = words;
    let part = |ty: &ValueType| {
        let (own, after) = rest.split_at_checked(ty.words()).unwrap_or((rest, &[]));
        rest = after;
        decode(ty, own)
    };
    types.map(part).collect()
}
