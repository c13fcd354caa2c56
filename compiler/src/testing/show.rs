//! Values as the source would write them.

use crate::people;
use crate::syntax::ast::BinaryOp;
use crate::types::Ty;
use crate::types::typed::{Contract, EnumDef, Expr, ExprKind, ParamTy};
use crate::value::{number_of, unpack};
use bitcoin::hex::DisplayHex;

/// More bytes than this are cut.
const MAX_BYTES: usize = 64;

/// Words as a value of the type.
pub(super) fn value(ty: &Ty, words: &[u32], enums: &[EnumDef]) -> String {
    let first = words.first().copied().unwrap_or(0);
    match ty {
        Ty::Error | Ty::Never | Ty::Unit | Ty::Map(..) => "?".to_owned(),
        Ty::Bool => (first != 0).to_string(),
        Ty::U8 | Ty::U16 | Ty::U32 | Ty::Height => grouped(u128::from(first)),
        Ty::U64 | Ty::Vault(_) => grouped(u128::from(number_of(words))),
        Ty::U128 => {
            let high = number_of(words.get(2..).unwrap_or_default());
            grouped(u128::from(high) << 64 | u128::from(number_of(words)))
        }
        Ty::Struct(_) | Ty::Tuple(_) => parts(ty, words, enums),
        Ty::Sats => format!("{} sats", grouped(u128::from(number_of(words)))),
        Ty::Hash => format!("hash({})", bytes(words, 32)),
        Ty::Pubkey => key(words),
        Ty::Signature => format!("signature({})", bytes(words, 64)),
        Ty::Bytes(n) => bytes(words, *n as usize),
        Ty::Enum(e) => {
            let variants = enums.get(*e).map(|def| def.variants.as_slice());
            let name = variants.and_then(|all| all.get(first as usize));
            name.cloned().unwrap_or_else(|| "?".to_owned())
        }
        Ty::Array(element, n) => {
            let size = element.words();
            let part = |i: usize| words.get(i * size..).unwrap_or_default();
            let all: Vec<String> = (0..*n as usize)
                .map(|i| value(element, part(i), enums))
                .collect();
            format!("[{}]", all.join(", "))
        }
        Ty::Data(of) => {
            let held = words.get(1..).unwrap_or_default();
            match of.variants.get(first as usize) {
                None => "?".to_owned(),
                Some((name, Ty::Unit)) => name.clone(),
                Some((_, data @ Ty::Struct(_))) => parts(data, held, enums),
                Some((name, data)) => format!("{name}{}", parts(data, held, enums)),
            }
        }
        Ty::Option(_) if first == 0 => "None".to_owned(),
        Ty::Option(inner) => {
            let held = words.get(1..).unwrap_or_default();
            format!("Some({})", value(inner, held, enums))
        }
    }
}

/// A key: the name of a person of tests, or its bytes.
pub(super) fn key(words: &[u32]) -> String {
    match people::name(words) {
        Some(name) => name.to_owned(),
        None => format!("pubkey({})", bytes(words, 32)),
    }
}

/// The parameters with these words, by name.
pub(super) fn params(contract: &Contract, words: &[Option<Vec<u32>>]) -> Vec<(String, String)> {
    let params = contract.params.iter().zip(words);
    let shown = params.filter_map(|(param, words)| match (&param.ty, words) {
        (ParamTy::Value(ty), Some(words)) => {
            Some((param.name.clone(), value(ty, words, &contract.enums)))
        }
        _ => None,
    });
    shown.collect()
}

/// The two sides of a comparison whose values say why it doesn't hold.
pub(super) fn compared(condition: &Expr) -> Option<(&Expr, BinaryOp, &Expr)> {
    match &condition.kind {
        ExprKind::Binary(op, left, right) if left.ty != Ty::Bool => Some((left, *op, right)),
        _ => None,
    }
}

/// A struct or a tuple.
fn parts(ty: &Ty, words: &[u32], enums: &[EnumDef]) -> String {
    let mut rest = words;
    let all: Vec<String> = ty
        .parts()
        .into_iter()
        .map(|(name, part)| {
            let (own, after) = rest.split_at_checked(part.words()).unwrap_or_default();
            rest = after;
            let shown = value(part, own, enums);
            match ty {
                Ty::Struct(_) => format!("{name}: {shown}"),
                _ => shown,
            }
        })
        .collect();
    match ty {
        Ty::Struct(of) => format!("{} {{ {} }}", of.name, all.join(", ")),
        _ => format!("({})", all.join(", ")),
    }
}

fn bytes(words: &[u32], length: usize) -> String {
    let shown = unpack(words, length.min(MAX_BYTES)).to_lower_hex_string();
    if length > MAX_BYTES {
        format!("hex\"{shown}\"… ({length} bytes)")
    } else {
        format!("hex\"{shown}\"")
    }
}

/// `1_000_000`
fn grouped(n: u128) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}
