//! Tables of constants: pushed exactly, and in few bytes.
#![allow(clippy::unwrap_used)]

use gavel_compiler::script::asm::Asm;
use gavel_compiler::script::cells::push_cells;
use gavel_compiler::script::code::{Code, number, number_len};
use gavel_compiler::script::vm::{Rules, run};
use proptest::prelude::*;

/// Pushes cells; checks what the machine has then, and gives the bytes.
fn bytes(cells: &[i64]) -> usize {
    let mut asm = Asm::new(0, 0);
    asm.items(&push_cells(cells));
    assert_eq!(asm.height(), cells.len());
    assert_eq!(usize::from(asm.peak().0), cells.len());
    let bytes = asm.len();
    assert!(bytes <= cells.iter().map(|cell| number_len(*cell)).sum());
    // One item must be left, so each is compared with its number.
    for cell in cells.iter().rev() {
        asm.data(&number(*cell));
        asm.op(Code::EqualVerify);
    }
    asm.num(1);
    let (script, _) = asm.finish().unwrap();
    assert_eq!(run(&script, &[], &Rules::default()).verdict, Ok(()));
    bytes
}

#[test]
fn tables_are_short() {
    assert_eq!(bytes(&[]), 0);
    assert_eq!(bytes(&[7]), 1);
    assert_eq!(bytes(&[1_000; 9]), 3 + 1 + 1 + 1 + 1 + 1);
    // One below another, too large for short pushes.
    let ramp: Vec<i64> = (1_000..1_100).collect();
    assert_eq!(bytes(&ramp), 3 + 99 * 2);
    let xor = |stride: i64| -> Vec<i64> {
        (0..256)
            .rev()
            .map(|n| ((n >> 4) ^ (n & 15)) * stride)
            .collect()
    };
    // Plain cells take a byte each; the others, pushed one by one, 2 to 3.
    assert_eq!(bytes(&xor(1)), 256);
    assert_eq!(bytes(&xor(16)), 475);
    assert_eq!(bytes(&xor(18)), 475);
    let biased: Vec<i64> = xor(18).iter().map(|cell| cell + 500).collect();
    assert_eq!(bytes(&biased), 548);
    let carries: Vec<i64> = (0..48).map(|n| n / 16 * 300).collect();
    assert_eq!(bytes(&carries), 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_cells_are_pushed(cells in cells()) {
        bytes(&cells);
    }
}

/// Cells that have something in common with one another.
fn cells() -> impl Strategy<Value = Vec<i64>> {
    let edge = prop_oneof![
        -3..20i64,
        120..135i64,
        250..260i64,
        Just(32_767),
        Just(-8_388_608),
        Just(i64::from(i32::MAX)),
        Just(-i64::from(i32::MAX)),
    ];
    (
        prop::collection::vec(edge, 1..6),
        prop::collection::vec((0..6usize, -1..2i64), 0..200),
    )
        .prop_map(|(few, picks)| {
            let max = i64::from(i32::MAX);
            let cell = |(at, by): (usize, i64)| (few[at % few.len()] + by).clamp(-max, max);
            picks.into_iter().map(cell).collect()
        })
}

#[test]
fn large_tables_are_fast_and_the_same_each_time() {
    let cells: Vec<i64> = (0..800).map(|n: i64| (n * n * 7919) % 601 - 40).collect();
    let first = push_cells(&cells);
    assert_eq!(push_cells(&cells), first);
    bytes(&cells);
}
