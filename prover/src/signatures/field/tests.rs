//! Against `fiat-crypto`, and where carries are.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{C, Fe, P};
use fiat_crypto::secp256k1_montgomery_64 as fiat;
use proptest::prelude::*;

type Form = fiat::fiat_secp256k1_montgomery_montgomery_domain_field_element;
type Plain = fiat::fiat_secp256k1_montgomery_non_montgomery_domain_field_element;

/// The words of a number below p. Ours are below 2p.
fn below_p(number: Fe) -> [u64; 4] {
    let (less, below) = super::less(number.0, P);
    if below { number.0 } else { less }
}

fn to(number: Fe) -> Form {
    let mut out = fiat::fiat_secp256k1_montgomery_montgomery_domain_field_element([0; 4]);
    let plain =
        fiat::fiat_secp256k1_montgomery_non_montgomery_domain_field_element(below_p(number));
    fiat::fiat_secp256k1_montgomery_to_montgomery(&mut out, &plain);
    out
}

fn from(form: &Form) -> [u64; 4] {
    let mut out: Plain =
        fiat::fiat_secp256k1_montgomery_non_montgomery_domain_field_element([0; 4]);
    fiat::fiat_secp256k1_montgomery_from_montgomery(&mut out, form);
    out.0
}

/// What fiat-crypto makes of two numbers.
fn fiat(f: impl Fn(&mut Form, &Form, &Form), a: Fe, b: Fe) -> [u64; 4] {
    let mut out = fiat::fiat_secp256k1_montgomery_montgomery_domain_field_element([0; 4]);
    f(&mut out, &to(a), &to(b));
    from(&out)
}

fn agree(a: Fe, b: Fe) {
    let what = format!("{a:x?} {b:x?}");
    let product = fiat(fiat::fiat_secp256k1_montgomery_mul, a, b);
    assert_eq!(below_p(a.mul(&b)), product, "product {what}");
    let square = fiat(fiat::fiat_secp256k1_montgomery_mul, a, a);
    assert_eq!(below_p(a.square()), square, "square {what}");
    let sum = fiat(fiat::fiat_secp256k1_montgomery_add, a, b);
    assert_eq!(below_p(a.add(&b)), sum, "sum {what}");
    let rest = fiat(fiat::fiat_secp256k1_montgomery_sub, a, b);
    assert_eq!(below_p(a.sub(&b)), rest, "difference {what}");
    assert_eq!(a.is_zero(), below_p(a) == [0; 4], "zero {what}");
    assert_eq!(a.is_odd(), below_p(a)[0] & 1 == 1, "odd {what}");
    let inverse = a.invert().mul(&a);
    assert_eq!(
        below_p(inverse),
        [u64::from(!a.is_zero()), 0, 0, 0],
        "inverse {what}"
    );
    let [root] = Fe::roots([a.square()]);
    let root = root.unwrap();
    assert!(
        root.sub(&a).is_zero() || root.add(&a).is_zero(),
        "root {what}"
    );
}

/// Words near which something carries.
fn word() -> impl Strategy<Value = u64> {
    let near = |at: u64| {
        (0..4_u64, any::<bool>()).prop_map(move |(by, up)| match up {
            true => at.wrapping_add(by),
            false => at.wrapping_sub(by),
        })
    };
    prop_oneof![
        any::<u64>(),
        near(0),
        near(C),
        near(C.wrapping_neg()),
        near(1 << 63),
        near(1 << 32),
    ]
}

fn number() -> impl Strategy<Value = Fe> {
    prop::array::uniform4(word()).prop_map(Fe)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn all_is_as_proven_code_has_it(a in number(), b in number()) {
        agree(a, b);
    }
}

#[test]
fn ends() {
    let ends = [
        [0; 4],
        [1, 0, 0, 0],
        P,
        [P[0] - 1, P[1], P[2], P[3]],
        [P[0] + 1, P[1], P[2], P[3]],
        [u64::MAX; 4],
        [C, 0, 0, 0],
        [C - 1, 0, 0, 0],
        [0, 0, 0, 1 << 63],
    ];
    for a in ends {
        for b in ends {
            agree(Fe(a), Fe(b));
        }
    }
}

/// What is left after the first folding may be so large in its low word that adding C carries.
#[test]
fn folding_twice_carries() {
    let mut carried = 0;
    for left in [0, 1, C, C.wrapping_neg() - 1, C.wrapping_neg(), u64::MAX] {
        for second in [0, 1, u64::MAX - 8, u64::MAX - 1, u64::MAX] {
            for up in [0, 1, 2, 1 << 31, C - 1, C] {
                // The low word is `left` when `up` has been folded.
                let low = left.wrapping_sub(up.wrapping_mul(C));
                let words = [low, second, u64::MAX, u64::MAX];
                let is = Fe::folded(words, up);
                let times = Fe([up, 0, 0, 0]).mul(&Fe([C, 0, 0, 0]));
                let should = fiat(fiat::fiat_secp256k1_montgomery_add, Fe(words), times);
                assert_eq!(below_p(is), should, "{words:x?} {up:x}");
                carried +=
                    u32::from(is.0[2..] == [0, 0] && is.0[0] < C && left >= C.wrapping_neg());
            }
        }
    }
    assert!(carried >= 4, "{carried}");
}

#[test]
fn numbers_from_p_on_are_none() {
    let bytes = |words: [u64; 4]| {
        let mut bytes = [0; 32];
        for (to, word) in bytes.chunks_mut(8).zip(words.iter().rev()) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    };
    assert!(Fe::from_bytes(&bytes(P)).is_none());
    assert!(Fe::from_bytes(&[0xff; 32]).is_none());
    assert!(Fe::from_bytes(&bytes([P[0] - 1, P[1], P[2], P[3]])).is_some());
    let read = Fe::from_bytes(&bytes([1, 2, 3, 4])).unwrap();
    assert_eq!(read.0, [1, 2, 3, 4]);
}
