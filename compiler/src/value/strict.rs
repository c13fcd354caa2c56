//! JSON objects whose names stand once.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// An object in which no name stands twice, however deep: else two readers could read two things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strict(pub Map<String, Value>);

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
