//! Calls as lines of JSON:
//! `{"contract": "..", "entry": "pay", "arguments": {..}, "signatures": [{"nonce": 0, "signature": ".."}]}`.
//!
//! All but the entry may be left out: the contract is then the one that the reader has, there
//! are no arguments and no signatures.

use super::interface::Interface;
use super::undecodable::{LONGEST_NAME, MOST_SIGNATURES, Why, short};
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::secp256k1::schnorr;
use gavel_compiler::ledger::{Call, Signed};
use gavel_compiler::value::{Strict, ValueType, decode, encode};
use serde_json::{Map, Value, json};

/// Why a call can't be written for others to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Its entry isn't one of the contract's.
    #[error("there is no entry `{0}`, so its arguments can't be written")]
    Entry(String),
    /// Its words aren't arguments of the entry.
    #[error("the {words} words of this call aren't arguments of `{entry}`")]
    Arguments {
        /// The entry.
        entry: String,
        /// Words of the call.
        words: usize,
    },
    /// It is for another contract than the others.
    #[error("the call is for contract {0}, and a binary file holds calls of one only")]
    Contract(String),
    /// It has more than a file may hold.
    #[error("the call has {0} signatures, more than {MOST_SIGNATURES}")]
    Signatures(usize),
    /// It is longer than what is read.
    #[error("the call has {0} bytes, more than are read")]
    TooLong(usize),
}

/// Reads a call from one line. Arguments of a call for another contract, or of an unknown entry,
/// can't be read: it has none then, and is refused for the contract or the entry.
///
/// # Errors
/// If the line is no call.
pub fn read_json(line: &[u8], interface: &Interface) -> Result<Call, Why> {
    let parsed: Result<Strict, _> = serde_json::from_slice(line);
    let Strict(mut fields) = parsed.map_err(|error| Why::Json(json_reason(&error)))?;
    let contract = match fields.remove("contract") {
        Some(value) => hex::<32>(&value, "contract")?,
        None => interface.contract,
    };
    let entry = entry_name(fields.remove("entry"))?;
    let given = match fields.remove("arguments") {
        Some(Value::Object(given)) => given,
        Some(other) => return Err(bad("arguments", expected("an object by name", &other))),
        None => Map::new(),
    };
    let signatures = signatures(fields.remove("signatures"))?;
    if let Some(name) = fields.keys().next() {
        return Err(Why::Unknown(short(name)));
    }
    let known = interface.entry(&entry);
    let arguments = match known.filter(|_| contract == interface.contract) {
        Some(shape) => shape
            .encode(given)
            .map_err(|e| Why::Arguments(short(&e.to_string())))?,
        None => Vec::new(),
    };
    Ok(Call {
        contract,
        entry,
        arguments,
        signatures,
    })
}

/// Whether a line, perhaps the last of a file that was cut off, is JSON from its beginning to
/// its end.
pub(super) fn is_whole(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// Writes a call on one line, without the newline.
///
/// # Errors
/// If its arguments aren't those of an entry: there is no way to write them by name.
pub fn write_json(call: &Call, interface: &Interface) -> Result<String, WriteError> {
    let arguments = arguments_by_name(call, interface)?;
    let signatures = call.signatures.iter().map(|signed| {
        json!({
            "nonce": decode(&ValueType::U64, &[signed.nonce as u32, (signed.nonce >> 32) as u32]),
            "signature": signed.signature.as_ref().to_lower_hex_string(),
        })
    });
    let signatures: Vec<Value> = signatures.collect();
    // By hand, for the order that people read them in.
    Ok(format!(
        r#"{{"contract":"{}","entry":{},"arguments":{arguments},"signatures":{}}}"#,
        call.contract.to_lower_hex_string(),
        json!(call.entry),
        Value::Array(signatures),
    ))
}

fn arguments_by_name(call: &Call, interface: &Interface) -> Result<Value, WriteError> {
    let ours = call.contract == interface.contract;
    let Some(shape) = interface.entry(&call.entry).filter(|_| ours) else {
        return match call.arguments.is_empty() {
            true => Ok(json!({})),
            false => Err(WriteError::Entry(call.entry.clone())),
        };
    };
    let wrong = || WriteError::Arguments {
        entry: call.entry.clone(),
        words: call.arguments.len(),
    };
    let values = shape.decode(&call.arguments).map_err(|_| wrong())?;
    // Words that are no value of their type are shown as something that is read otherwise.
    let again = values.as_object().cloned().map(|map| shape.encode(map));
    match again {
        Some(Ok(words)) if words == call.arguments => Ok(values),
        _ => Err(wrong()),
    }
}

fn entry_name(value: Option<Value>) -> Result<String, Why> {
    match value {
        Some(Value::String(name)) if name.len() <= LONGEST_NAME => Ok(name),
        Some(Value::String(name)) => {
            let reason = format!("a name of {} bytes is too long", name.len());
            Err(bad("entry", reason))
        }
        Some(other) => Err(bad("entry", expected("the entry's name", &other))),
        None => Err(bad("entry", "it is missing".to_owned())),
    }
}

fn signatures(value: Option<Value>) -> Result<Vec<Signed>, Why> {
    let all = match value {
        Some(Value::Array(all)) => all,
        Some(other) => return Err(bad("signatures", expected("a list", &other))),
        None => return Ok(Vec::new()),
    };
    if all.len() > MOST_SIGNATURES {
        return Err(Why::Signatures(all.len()));
    }
    let all = all.into_iter().enumerate();
    all.map(|(n, value)| signed(value, &format!("signatures[{n}]")))
        .collect()
}

fn signed(value: Value, name: &str) -> Result<Signed, Why> {
    let Value::Object(mut fields) = value else {
        return Err(bad(
            name,
            expected("an object with nonce and signature", &value),
        ));
    };
    let missing = |field: &str| bad(&format!("{name}.{field}"), "it is missing".to_owned());
    let nonce = fields.remove("nonce").ok_or_else(|| missing("nonce"))?;
    let signature = fields
        .remove("signature")
        .ok_or_else(|| missing("signature"))?;
    if let Some(other) = fields.keys().next() {
        return Err(bad(name, format!("there is no field `{}`", short(other))));
    }
    let words = encode(&ValueType::U64, &nonce, &format!("{name}.nonce"));
    let words = words.map_err(|_| {
        bad(
            &format!("{name}.nonce"),
            expected("a whole number below 2^64", &nonce),
        )
    })?;
    let nonce = words
        .iter()
        .rev()
        .fold(0, |n, word| (n << 32) | u64::from(*word));
    let field = format!("{name}.signature");
    let bytes = hex::<64>(&signature, &field)?;
    let signature =
        schnorr::Signature::from_slice(&bytes).map_err(|error| bad(&field, error.to_string()))?;
    Ok(Signed { nonce, signature })
}

fn hex<const N: usize>(value: &Value, field: &str) -> Result<[u8; N], Why> {
    let Some(text) = value.as_str() else {
        return Err(bad(field, expected("a hex string", value)));
    };
    let text = text.strip_prefix("0x").unwrap_or(text);
    let bytes = Vec::<u8>::from_hex(text)
        .map_err(|_| bad(field, expected(&format!("{} hex digits", 2 * N), value)))?;
    let has = bytes.len();
    bytes
        .try_into()
        .map_err(|_| bad(field, format!("expected {N} bytes as hex, found {has}")))
}

fn bad(field: &str, reason: String) -> Why {
    Why::Field {
        field: field.to_owned(),
        reason,
    }
}

fn expected(what: &str, found: &Value) -> String {
    format!("expected {what}, found {}", brief(found))
}

/// What a value is, without writing all of it down first.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(all) => format!("a list of {}", all.len()),
        Value::Object(all) => format!("an object of {}", all.len()),
        Value::String(text) => {
            let start: String = text.chars().take(40).collect();
            let more = if start.len() < text.len() { "..." } else { "" };
            format!("\"{start}{more}\"")
        }
        other => other.to_string(),
    }
}

/// Every line is line 1 to the reader of JSON; only the column helps.
fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => format!("{} at column {}", short(reason), error.column()),
        None => short(&text),
    }
}
