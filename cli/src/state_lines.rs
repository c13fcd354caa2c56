//! Exports of a state: a heading, then a line of JSON for each cell.

use gavel_compiler::ledger::{CellId, LedgerContract, NONCES, NamedCell, Root};
use gavel_compiler::value::{Strict, ValueType, decode, encode};
use gavel_prover::About;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// The version of the form.
    pub gavel_state: u8,
    /// The contract's name.
    pub name: String,
    /// The contract's id.
    pub contract: String,
    /// The last batch.
    pub batch: u64,
    /// How many lines follow.
    pub cells: u64,
    /// The state's root.
    pub root: String,
}

/// The version that is written and read.
pub const VERSION: u8 = 1;

/// The nonce of a signer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nonce {
    nonce_of: Value,
    next: Value,
}

impl Heading {
    /// The heading of a state.
    pub fn new(about: &About, batch: u64, cells: u64, root: Root) -> Self {
        Self {
            gavel_state: VERSION,
            name: about.name.clone(),
            contract: Root(about.interface.contract).to_string(),
            batch,
            cells,
            root: root.to_string(),
        }
    }
}

/// A cell as a line; `None` if it is of no field.
pub fn line(names: &LedgerContract, cell: &CellId, words: &[u32]) -> Option<String> {
    let line = match cell.family {
        NONCES => serde_json::to_string(&Nonce {
            nonce_of: decode(&ValueType::Pubkey, &cell.key),
            next: decode(&ValueType::U64, words),
        }),
        _ => serde_json::to_string(&names.named_cell(cell, words)?),
    };
    line.ok()
}

/// The cell of a line with its words, or why there is none.
pub fn cell(about: &About, line: &[u8]) -> Result<(CellId, Vec<u32>), String> {
    let Strict(fields) = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let nonce = fields.contains_key("nonce_of");
    let value = Value::Object(fields);
    if nonce {
        let of: Nonce = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let key = encode(&ValueType::Pubkey, &of.nonce_of, "nonce_of");
        let next = encode(&ValueType::U64, &of.next, "next");
        let cell = CellId {
            family: NONCES,
            key: key.map_err(|error| error.to_string())?,
        };
        return Ok((cell, next.map_err(|error| error.to_string())?));
    }
    // Unknown names would be lost without a word.
    let known = ["field", "keys", "part", "value"];
    let strange = value.as_object().into_iter().flat_map(|map| map.keys());
    if let Some(name) = strange
        .into_iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        return Err(format!("there is no field `{name}`"));
    }
    let named: NamedCell = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let family = about.families.iter();
    let mut family = family.filter(|f| f.field == named.field && f.part == named.part);
    let place = format!("{}{}", named.field, named.part);
    let family = family.next();
    let family = family.ok_or_else(|| format!("the contract's state has no `{place}`"))?;
    if family.keys.len() != named.keys.len() {
        let (wants, has) = (family.keys.len(), named.keys.len());
        return Err(format!("`{place}` has {wants} keys, not {has}"));
    }
    let mut key = Vec::new();
    for (ty, value) in family.keys.iter().zip(&named.keys) {
        let words = encode(ty, value, &format!("key of {place}"));
        key.extend(words.map_err(|error| error.to_string())?);
    }
    let words = encode(&family.ty, &named.value, &place).map_err(|error| error.to_string())?;
    let family = family.family;
    Ok((CellId { family, key }, words))
}
