//! `u16`, `height`, `pubkey` and `signature`: what they compute, and what they refuse.

#![allow(clippy::unwrap_used, clippy::panic)]

mod play;

use gavel_compiler::instantiate;
use gavel_compiler::testing::{Options, run};
use gavel_compiler::value::{decode_inputs, encode_inputs};
use play::{compile, drawn, end, hex, play, source};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sha2::Digest;
use std::fmt::Write as _;

/// A height with edges.
fn height() -> impl Strategy<Value = u32> {
    prop_oneof![0..9u32, 800_000..900_000u32, Just(u32::MAX), any::<u32>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn heights(h in height(), g in height(), n in height()) {
        let inputs = "h: height from a, g: height from a, n: u32 from a, z: u32 from a";
        let less_one = |n: u32| n.checked_sub(1);
        let rows = [
            ("h + n == z as height", h.checked_add(n)),
            ("n + h == z as height", h.checked_add(n)),
            ("h - n == z as height", h.checked_sub(n)),
            ("h - g == z", h.checked_sub(g)),
            ("h + 5 == z as height", h.checked_add(5)),
            ("max(h, g) as u32 == z", Some(h.max(g))),
            ("h as u64 + 1 > z as u64", Some(h)),
            ("(h < g) == (h as u32 < g as u32) && h as u32 == z", Some(h)),
            ("{ let mut k = h; k += n; k -= 1; k == z as height }", h.checked_add(n).and_then(less_one)),
        ];
        for (condition, want) in rows {
            let body = format!("
                require h as u64 <= 4_294_967_295 && g == g && n == n else E1
                if ({condition}) {{ Yes }} else {{ No }}");
            let values = json!({ "h": h, "g": g, "n": n, "z": want.unwrap_or(0) });
            let got = play(&source("", inputs, &body), values);
            let want = want.map_or("Overflow", |_| "Yes");
            prop_assert_eq!(got, want, "{}: {} {} {}", condition, h, g, n);
        }
    }

    /// Keys and signatures keep their bytes through conversions, options, arrays and structs.
    #[test]
    fn keys_and_signatures(
        key in proptest::array::uniform32(any::<u8>()),
        signature in proptest::collection::vec(any::<u8>(), 64),
    ) {
        let items = "
            struct Signed { by: pubkey, sig: signature }
            fn swap(k: pubkey, b: bytes<64>) -> Signed {
                Signed { sig: signature(b), by: pubkey(bytes(k)) }
            }";
        let body = r#"
            let signed = swap(k, bytes(s))
            require signed.by == k && signed.sig == s else E1
            require sha256(concat(k, s)) == h && sha256([k, k]) != h else E2
            require bytes(hash(bytes(k))) == bytes(k) else E3
            let kept = Some(k)
            if kept.unwrap_or(pubkey(pad32(b"x"))) == pubkey(bytes(k)) { Yes } else { No }"#;
        let inputs = "k: pubkey from a, s: signature from anyone, h: hash from b";
        let contract = compile(&source(items, inputs, body));
        let whole = sha2::Sha256::digest([key.as_slice(), &signature].concat());
        let values = json!({ "k": hex(&key), "s": hex(&signature), "h": hex(&whole) });
        let words = encode_inputs(&contract.inputs, &values).unwrap();
        prop_assert_eq!(words.len(), 8 + 16 + 8);
        prop_assert_eq!(decode_inputs(&contract.inputs, &words).unwrap(), values);
        prop_assert_eq!(end(&contract.program, &words), "Yes");
    }
}

#[test]
fn small_numbers_are_hashed_as_two_bytes() {
    let body = r#"
        require sha256(n) == h && sha256([n, 258]) == two else E1
        require concat(n, 1 as u8) == hex"beef01" else E2
        let wide: u32 = n
        match n { 48_879 => if wide as u16 == n { Yes } else { No }, _ => No }"#;
    let inputs = "n: u16 from a, h: hash from anyone, two: hash from anyone";
    let values = json!({
        "n": 0xbeef,
        "h": hex(&sha2::Sha256::digest([0xbe, 0xef])),
        "two": hex(&sha2::Sha256::digest([0xbe, 0xef, 1, 2])),
    });
    assert_eq!(play(&source("", inputs, body), values), "Yes");
}

const EVERYWHERE: &str = r#"
    param owner: pubkey
    param opens: height where opens >= 100
    param proof: signature
    param tax: u16 where tax < 10_000
    const CLOSES: height = opens + 144
    const NOBODY: pubkey = pubkey(pad32(b"nobody"))
    const START: height = 840_000
    test "in time" {
        with owner = pubkey(pad32(b"me")), opens = 850_000, tax = 30,
            proof = signature(concat(b"\x07", pad32(b"-"), [0 as u8; 31]))
        assert settle(850_143, pubkey(pad32(b"me")), None, [1, 2, 3]) == Yes
        assert settle(850_143, pubkey(pad32(b"me")), Some(840_001), [1, 2, 3]) == No
        assert settle(850_144, pubkey(pad32(b"me")), None, [1, 2, 3]) fails E2
        assert settle(850_144, pubkey(pad32(b"you")), None, [1, 2, 3]) fails E1
    }
    prop heights(h: height in 100..200, n: u16 in 1..=9, k: pubkey, s: signature) {
        with owner = k, opens = h, tax = n, proof = s
        assert h + n - n == h && h + n > h && CLOSES - h == 144 && k == owner && s == proof
    }"#;

/// As parameters, constants, inputs, and in tests and properties of the source.
#[test]
fn everywhere() {
    let inputs = "now: height from a, who: pubkey from anyone, late: Option<height> from b,
        rates: [u16; 3] from b";
    let body = "
        require who == owner && who != NOBODY && bytes(proof)[0] == 7 else E1
        require now >= opens && now < CLOSES && rates[1] <= tax else E2
        if late.unwrap_or(0) > START { No } else { Yes }";
    let source = source(EVERYWHERE, inputs, body);
    let reports = run(&source, &Options::default(), &mut |_, _, _| {});
    for report in reports.unwrap_or_else(|_| panic!("{}", play::mistakes(&source).1)) {
        assert!(report.failures.is_empty(), "{report:?}");
    }
    let proof = format!("07{}", "cd".repeat(63));
    let good = json!({ "owner": "ab".repeat(32), "opens": 850_000, "proof": proof, "tax": 30 });
    let with = |name: &str, value: Value| {
        let mut params: Map<String, Value> = good.as_object().unwrap().clone();
        params.insert(name.to_owned(), value);
        instantiate(&source, &params)
    };
    with("tax", json!(9_999)).unwrap();
    let wrong = [
        (
            "owner",
            json!("ab".repeat(31)),
            "`owner`: expected 32 bytes, found 31",
        ),
        ("owner", json!(5), "`owner`: expected a hex string, found 5"),
        (
            "proof",
            json!("ab".repeat(32)),
            "`proof`: expected 64 bytes, found 32",
        ),
        (
            "opens",
            json!(1u64 << 32),
            "`opens`: 4294967296 is more than 4294967295",
        ),
        ("opens", json!(99), "parameter `opens`: 99 is not allowed"),
        ("tax", json!(65_536), "`tax`: 65536 is more than 65535"),
    ];
    for (name, value, message) in wrong {
        let found = with(name, value).unwrap_err();
        assert!(found[0].message.contains(message), "{}", found[0].message);
    }
}

/// What fails is shown as the source would write it, as small as it gets.
#[test]
fn failing_cases_are_shown() {
    let tests = "
        prop keys(k: pubkey) { assert bytes(k)[31] < 3 }
        prop signatures(s: signature) { assert bytes(s)[0] < 1 }
        prop heights(h: height) { assert h < 77 }
        prop ranges(n: u16 in 400..=900) { assert n < 500 }";
    let source = source(tests, "x: u8 from a", "if x == 1 { Yes } else { No }");
    let mut all = String::new();
    for report in run(&source, &Options::default(), &mut |_, _, _| {}).unwrap() {
        let found = report.found.unwrap();
        writeln!(all, "{}: {:?}", report.name, found.variables).unwrap();
    }
    insta::assert_snapshot!(all);
}

/// Items, inputs, a statement of `settle`, and the code that must be among the diagnostics.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("", "k: pubkey", r#"let _x = k == sha256(b"x")"#, "E0303"),
    ("", "k: pubkey", r#"let _x = k == pad32(b"x")"#, "E0303"),
    ("", "k: pubkey", "let _x = k < k", "E0303"),
    ("", "s: signature", "let _b: bytes<64> = s", "E0301"),
    ("", "b: bytes<64>", "let _s: signature = b", "E0301"),
    ("", "b: bytes<33>", "let _k = pubkey(b)", "E0301"),
    ("", "h: hash", "let _k = pubkey(h)", "E0301"),
    ("", "b: bytes<32>", "let _k = b as pubkey", "E0305"),
    ("", "k: pubkey", "let _b = k as u32", "E0305"),
    ("", "k: pubkey", "let _b = k[0]", "E0306"),
    ("", "h: height", "let _x = h == 5 as u32", "E0303"),
    ("", "h: height", "let _x = h + h", "E0303"),
    ("", "h: height", "let _x = h * 2", "E0303"),
    ("", "h: height", "let _n: u32 = h", "E0301"),
    ("", "n: u32", "let _h: height = n", "E0301"),
    ("", "h: height", "let _h = h as sats", "E0305"),
    ("", "n: u64 from b, h: height", "let _h = h + n", "E0301"),
    ("", "h: height", "let _x = h > 4_294_967_296", "E0302"),
    ("", "n: u16", "let _x = n > 65_536", "E0302"),
    ("", "n: u16", "let _m: u8 = n", "E0301"),
    ("", "n: height", "let mut h: height = 9; h -= n", "E0301"),
    ("param pubkey: u8", "x: u8", "let _x = x == pubkey", "E0103"),
    (
        "fn verify(x: u8) -> u8 { x }",
        "x: u8",
        "let _x = x",
        "E0103",
    ),
    (
        "",
        "k: pubkey from b, s: signature",
        "let _x = verify(k, sha256(k), s)",
        "E0104",
    ),
    (
        "",
        "k: pubkey from b, s: signature",
        "let _x = verify(s, sha256(k), k)",
        "E0301",
    ),
    ("", "k: pubkey", "let _x = verify(k, sha256(k))", "E0304"),
];

#[test]
fn mistakes_are_reported() {
    insta::assert_snapshot!(drawn(ROWS));
}
