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
    // One below another, too large for short pushes.
    let ramp: Vec<i64> = (1_000..1_100).collect();
    let xor = |stride: i64, bias: i64| -> Vec<i64> {
        (0..256)
            .rev()
            .map(|n| ((n >> 4) ^ (n & 15)) * stride + bias)
            .collect()
    };
    let carries: Vec<i64> = (0..48).map(|n| n / 16 * 300).collect();
    let found = [
        bytes(&[]),
        bytes(&[7]),
        bytes(&[1_000; 9]),
        bytes(&ramp),
        bytes(&xor(1, 0)),
        bytes(&xor(16, 0)),
        bytes(&xor(18, 500)),
        bytes(&carries),
    ];
    assert_eq!(found, [0, 1, 7, 201, 256, 501, 562, 24]);
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
