//! Types on their own, away from the contract that declares them.

use crate::types::Ty;
use crate::types::typed;
use crate::value::ValueType;

/// A type on its own.
pub fn value_type(ty: &Ty, contract: &typed::Contract) -> ValueType {
    match ty {
        // A map is no value; its keys and what stands under them are.
        Ty::U8 | Ty::Error | Ty::Never | Ty::Unit | Ty::Map(..) => ValueType::U8,
        Ty::Bool => ValueType::Bool,
        Ty::U16 => ValueType::U16,
        Ty::U32 => ValueType::U32,
        // What a vault holds is seen as a number.
        Ty::U64 | Ty::Vault(_) => ValueType::U64,
        Ty::U128 => ValueType::U128,
        Ty::Sats => ValueType::Sats,
        Ty::Height => ValueType::Height,
        Ty::Hash => ValueType::Hash,
        Ty::Pubkey => ValueType::Pubkey,
        Ty::Signature => ValueType::Signature,
        Ty::Bytes(n) => ValueType::Bytes(*n),
        Ty::Enum(e) => {
            let def = contract.enums.get(*e);
            ValueType::Enum(def.map(|def| def.variants.clone()).unwrap_or_default())
        }
        Ty::Option(inner) => ValueType::Option(Box::new(value_type(inner, contract))),
        Ty::Struct(of) => {
            let fields = of.fields.iter();
            let typed = fields.map(|(name, ty)| (name.clone(), value_type(ty, contract)));
            ValueType::Struct(typed.collect())
        }
        Ty::Tuple(all) => ValueType::Tuple(all.iter().map(|ty| value_type(ty, contract)).collect()),
        Ty::Data(of) => {
            let held = |data: &Ty| (*data != Ty::Unit).then(|| value_type(data, contract));
            let variants = of.variants.iter();
            ValueType::Data(
                variants
                    .map(|(name, data)| (name.clone(), held(data)))
                    .collect(),
            )
        }
        Ty::Array(element, n) => ValueType::Array(Box::new(value_type(element, contract)), *n),
    }
}
