//! Words that are a value of a type: those, and only those, that reading and writing the value
//! gives back.

#![allow(missing_docs)]

use gavel_compiler::value::{ValueType, decode, encode};
use proptest::prelude::*;

fn types() -> impl Strategy<Value = ValueType> {
    let leaf = prop_oneof![
        Just(ValueType::Bool),
        Just(ValueType::U8),
        Just(ValueType::U16),
        Just(ValueType::U32),
        Just(ValueType::U64),
        Just(ValueType::U128),
        Just(ValueType::Sats),
        Just(ValueType::Hash),
        (1u32..10).prop_map(ValueType::Bytes),
        (1usize..4).prop_map(|n| ValueType::Enum((0..n).map(|i| format!("V{i}")).collect())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let named = prop::collection::vec(inner.clone(), 1..4);
        let fields = named.prop_map(|types| {
            let types = types.into_iter().enumerate();
            ValueType::Struct(types.map(|(n, ty)| (format!("f{n}"), ty)).collect())
        });
        let variants = prop::collection::vec(prop::option::of(inner.clone()), 1..4);
        let data = variants.prop_map(|types| {
            let types = types.into_iter().enumerate();
            ValueType::Data(types.map(|(n, ty)| (format!("V{n}"), ty)).collect())
        });
        prop_oneof![
            inner.clone().prop_map(|ty| ValueType::Option(Box::new(ty))),
            (inner.clone(), 1u32..4).prop_map(|(ty, n)| ValueType::Array(Box::new(ty), n)),
            prop::collection::vec(inner, 1..4).prop_map(ValueType::Tuple),
            fields,
            data,
        ]
    })
}

/// Words of which many are small, as tags are.
fn words() -> impl Strategy<Value = Vec<u32>> {
    let word = prop_oneof![4 => Just(0u32), 4 => Just(1), 1 => 0u32..5, 1 => any::<u32>(), 1 => 0u32..70_000];
    prop::collection::vec(word, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn words_are_a_value_if_they_are_written_as_they_are_read(ty in types(), words in words()) {
        let own = words.get(..ty.words()).unwrap_or(&words);
        let written = encode(&ty, &decode(&ty, own), "it");
        prop_assert_eq!(ty.holds(own), written.as_deref() == Ok(own), "{:?} {:?}", ty, own);
    }
}
