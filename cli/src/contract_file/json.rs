//! JSON files: objects whose names stand once, and terms.

use std::fmt;
use std::path::Path;

use gavel_verifier::deploy::Terms;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;

/// An object in which no name stands twice: else two readers could read two things.
struct Strict(Map<String, Value>);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object, {\"name\": value, ..}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Strict, A::Error> {
                let mut map = Map::new();
                while let Some(name) = access.next_key::<String>()? {
                    if map.contains_key(&name) {
                        return Err(A::Error::custom(format!("`{name}` stands there twice")));
                    }
                    map.insert(name, access.next_value()?);
                }
                Ok(Strict(map))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// A JSON object from a file; `what` is what it should be.
pub fn object(path: &Path, what: &str) -> Result<Map<String, Value>, Failure> {
    let text = file::read_text(path, what)?;
    let parsed: Result<Strict, _> = serde_json::from_str(&text);
    parsed
        .map(|Strict(map)| map)
        .map_err(|error| malformed(path, what, &error))
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
