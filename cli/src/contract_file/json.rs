//! JSON files: objects whose names stand once, and terms.

use std::fmt;
use std::path::Path;

use gavel_verifier::deploy::Terms;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;

/// An object in which no name stands twice, however deep: else two readers could read two things.
struct Strict(Map<String, Value>);

/// Any value whose objects are strict.
struct Any(Value);

/// Reads an object's names and values, each name once.
fn names<'de, A: MapAccess<'de>>(mut access: A) -> Result<Map<String, Value>, A::Error> {
    let mut map = Map::new();
    while let Some(name) = access.next_key::<String>()? {
        if map.contains_key(&name) {
            return Err(A::Error::custom(format!("`{name}` stands there twice")));
        }
        let Any(value) = access.next_value()?;
        map.insert(name, value);
    }
    Ok(map)
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object, {\"name\": value, ..}")
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Strict, A::Error> {
                names(access).map(Strict)
            }
        }
        deserializer.deserialize_map(Names)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Any;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E: Error>(self) -> Result<Any, E> {
                Ok(Any(Value::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Any, E> {
                Ok(Any(value.into()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Any, E> {
                Ok(Any(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Any, E> {
                Ok(Any(value.into()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Any, E> {
                Ok(Any(value.into()))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Any, E> {
                Ok(Any(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Any, A::Error> {
                let mut all = Vec::new();
                while let Some(Any(value)) = access.next_element()? {
                    all.push(value);
                }
                Ok(Any(Value::Array(all)))
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Any, A::Error> {
                names(access).map(|map| Any(Value::Object(map)))
            }
        }
        deserializer.deserialize_any(Values)
    }
}

/// Why a text is no JSON object in which each name stands once; `None` if it is one.
pub fn not_strict(text: &str) -> Option<String> {
    let parsed: Result<Strict, _> = serde_json::from_str(text);
    parsed.err().map(|error| error.to_string())
}

/// A JSON object from a file; `what` is what it should be.
pub fn object(path: &Path, what: &str) -> Result<Map<String, Value>, Failure> {
    let text = file::read_text(path, what)?;
    let parsed: Result<Strict, _> = serde_json::from_str(&text);
    parsed
        .map(|Strict(map)| map)
        .map_err(|error| malformed(path, what, &error))
}

/// A JSON object from the command line; `what` is what it should be.
pub fn object_of(text: &str, what: &str) -> Result<Map<String, Value>, Failure> {
    let parsed: Result<Strict, _> = serde_json::from_str(text);
    parsed
        .map(|Strict(map)| map)
        .map_err(|error| Failure::new(Exit::No, "json", format!("{error}; expected {what}")))
}

/// Terms of a deployment from a file; what it leaves out is the default.
pub fn terms(path: &Path) -> Result<Terms, Failure> {
    const WHAT: &str = "terms (a JSON object)";
    let given = object(path, WHAT)?;
    serde_json::from_value(Value::Object(given)).map_err(|error| malformed(path, WHAT, &error))
}

fn malformed(path: &Path, what: &str, error: &serde_json::Error) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::No,
        "json",
        format!("`{shown}`: {error}; expected {what}"),
    )
}
