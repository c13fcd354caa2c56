//! What lowered programs compute, against Rust.

#![allow(clippy::unwrap_used, clippy::panic)]

mod play;

use gavel_compiler::instantiate;
use gavel_compiler::value::encode_inputs;
use play::{compile, end, hex, play, source};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sha2::Digest;

/// The checked operators of one type, as Rust has them: `None` is an abort.
fn rust_op(op: &str, bits: u32, x: u128, y: u128) -> Result<u128, &'static str> {
    let most = u128::MAX >> (128 - bits);
    let fits = |n: Option<u128>| n.filter(|n| *n <= most).ok_or("Overflow");
    match op {
        "+" => fits(x.checked_add(y)),
        "-" => fits(x.checked_sub(y)),
        "*" => fits(x.checked_mul(y)),
        "/" => x.checked_div(y).ok_or("DivisionByZero"),
        "%" => x.checked_rem(y).ok_or("DivisionByZero"),
        "&" => Ok(x & y),
        "|" => Ok(x | y),
        "^" => Ok(x ^ y),
        "<<" if y < u128::from(bits) => Ok((x << y) & most),
        ">>" if y < u128::from(bits) => Ok(x >> y),
        _ => Err("Overflow"),
    }
}

/// Numbers with edges: small, near powers of two, near the top.
fn number(bits: u32) -> impl Strategy<Value = u128> {
    let most = u128::MAX >> (128 - bits);
    prop_oneof![
        (0..=12u128).boxed(),
        (0..=most).boxed(),
        (0..bits)
            .prop_map(move |n| (1u128 << n).wrapping_sub(1) & most)
            .boxed(),
        (0..=3u128).prop_map(move |n| most - n).boxed(),
    ]
}

const OPS: &[&str] = &["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"];

/// A number as text; literals have at most 64 bits.
fn literal(x: u128) -> String {
    match u64::try_from(x) {
        Ok(x) => x.to_string(),
        Err(_) => format!("({} as u128 << 64 | {} as u128)", x >> 64, x as u64),
    }
}

fn check_op(op: &str, ty: &str, x: u128, y: u128, want: Result<u128, &str>) {
    let right = if matches!(op, "<<" | ">>") { "u32" } else { ty };
    // The wanted result comes in as an input, so that only the operator is tested. Each side
    // is once an input and once a constant.
    let z = *want.as_ref().unwrap_or(&0);
    for (left_text, right_text) in [
        ("x", "y".to_owned()),
        ("x", literal(y)),
        ("k", "y".to_owned()),
    ] {
        let items = format!("const K: {ty} = {}", literal(x));
        let inputs = format!("x: {ty} from a, y: {right} from a, z: {ty} from a");
        let body = format!(
            "let k: {ty} = K
             let _unused = x == z && k == z && y == 0
             if {left_text} {op} {right_text} == z {{ Yes }} else {{ No }}"
        );
        let source = source(&items, &inputs, &body);
        let inputs = json!({ "x": x.to_string(), "y": y.to_string(), "z": z.to_string() });
        let got = play(&source, inputs);
        let expected = match want {
            Ok(_) => "Yes",
            Err(abort) => abort,
        };
        assert_eq!(
            got, expected,
            "{x} {op} {y} as {ty}: {left_text}, {right_text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn u8_arithmetic(op in proptest::sample::select(OPS), x in number(8), y in number(8)) {
        check_op(op, "u8", x, y, rust_op(op, 8, x, y));
    }

    #[test]
    fn u16_arithmetic(op in proptest::sample::select(OPS), x in number(16), y in number(16)) {
        check_op(op, "u16", x, y, rust_op(op, 16, x, y));
    }

    #[test]
    fn u32_arithmetic(op in proptest::sample::select(OPS), x in number(32), y in number(32)) {
        check_op(op, "u32", x, y, rust_op(op, 32, x, y));
    }

    #[test]
    fn u64_arithmetic(op in proptest::sample::select(OPS), x in number(64), y in number(64)) {
        let y = if matches!(op, "<<" | ">>") { y & 0xffff_ffff } else { y };
        check_op(op, "u64", x, y, rust_op(op, 64, x, y));
    }

    #[test]
    fn u128_arithmetic(op in proptest::sample::select(OPS), x in number(128), y in number(128)) {
        let y = if matches!(op, "<<" | ">>") { y & 0xffff_ffff } else { y };
        check_op(op, "u128", x, y, rust_op(op, 128, x, y));
    }

    /// The product has 128 bits inside; dividing rounds down.
    #[test]
    fn products_and_ratios(a in number(64), b in number(64), c in number(64)) {
        let want = match (a * b).checked_div(c) {
            None => Err("DivisionByZero"),
            Some(n) => u64::try_from(n).map_err(|_| "Overflow"),
        };
        let body = "
            require wide_mul(x, y) == product else E1
            if mul_div(x, y, by) == ratio { Yes } else { No }";
        let inputs = "x: u64 from a, y: u64 from a, by: u64 from a, product: u128 from a, ratio: u64 from a";
        let source = source("", inputs, body);
        let inputs = json!({
            "x": a as u64, "y": b as u64, "by": c as u64, "product": (a * b).to_string(),
            "ratio": want.unwrap_or(0),
        });
        prop_assert_eq!(play(&source, inputs), want.map_or_else(|abort| abort, |_| "Yes"));
    }

    #[test]
    fn small_shifts(op in proptest::sample::select(&["<<", ">>"]), x in number(128), y in 0u128..140) {
        for (ty, bits) in [("u8", 8), ("u16", 16), ("u32", 32), ("u64", 64), ("u128", 128)] {
            let x = x & (u128::MAX >> (128 - bits));
            check_op(op, ty, x, y, rust_op(op, bits, x, y));
        }
    }

    #[test]
    fn comparisons_and_conversions(x in number(64), y in number(64)) {
        let (x, y) = (x as u64, y as u64);
        let body = "
            require (x < y) == lt else E1
            require (x <= y) == le else E1
            require (x > y) == !le else E1
            require (x >= y) == !lt else E1
            require (x != y) == (lt || !le) else E1
            require min(x, y) + (max(x, y) - x) == y else E2
            let small = x as u8
            require (small as u64) == x else E3
            Yes";
        let source = source("", "x: u64 from a, y: u64 from a, lt: bool from a, le: bool from a", body);
        let got = play(&source, json!({ "x": x, "y": y, "lt": x < y, "le": x <= y }));
        let sum_fits = x.min(y).checked_add(x.max(y) - x).is_some();
        prop_assert!(sum_fits);
        let expected = if x <= y {
            if x < 256 { "Yes" } else { "Overflow" }
        } else {
            // min + (max - x) is y + 0.
            if x < 256 { "Yes" } else { "Overflow" }
        };
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn indexing(values in proptest::collection::vec(any::<u32>(), 7), i in 0u8..9, new in any::<u32>()) {
        let body = "
            let mut copy = values
            copy[i] = new
            copy[i] ^= 1
            for n in 0..7 {
                let same = if n == (i as u32) { copy[n] == new ^ 1 } else { copy[n] == values[n] }
                require same else E1
            }
            require values[i] == at else E2
            Yes";
        let source = source("", "values: [u32; 7] from a, i: u8 from a, new: u32 from a, at: u32 from a", body);
        let at = values.get(usize::from(i)).copied();
        let got = play(&source, json!({ "values": values, "i": i, "new": new, "at": at.unwrap_or(0) }));
        prop_assert_eq!(got, if at.is_some() { "Yes" } else { "OutOfBounds" });
    }

    /// Parts are read and changed alone, in any nesting, and fields go by name.
    #[test]
    fn structs_and_tuples(values in proptest::collection::vec(any::<u32>(), 6), i in 0u8..5, new in any::<u32>()) {
        let items = "
            struct Point { x: u32, pair: (u8, u64) }
            struct Line { points: [Point; 3], open: bool, last: Option<Point> }
            fn point(x: u32) -> Point { Point { pair: (7, x as u64 * 2), x } }
            fn split(p: Point) -> (u64, u32) { (p.pair.1, p.x) }";
        let body = "
            let points = [point(values[0]), point(values[1]), point(values[2])]
            let mut line = Line { open: true, points, last: None }
            line.points[i].x = new
            line.points[i].pair.1 += 1
            line.open = !line.open
            line.last = Some(line.points[1])
            for n in 0..3 {
                let (mut twice, x) = split(line.points[n])
                let here = n == i as u32
                if here { twice -= 1 }
                require x == (if here { new } else { values[n] }) else E1
                require twice == values[n] as u64 * 2 else E2
                require line.points[n].pair.0 == 7 && points[n] == point(values[n]) else E3
            }
            require line.last.unwrap_or(points[0]) == line.points[1] else E1
            if line.open { No } else { Yes }";
        let source = source(items, "values: [u32; 6] from a, i: u8 from a, new: u32 from a", body);
        let got = play(&source, json!({ "values": values, "i": i, "new": new }));
        prop_assert_eq!(got, if i < 3 { "Yes" } else { "OutOfBounds" });
    }

    #[test]
    fn bytes_at_an_index(bytes in proptest::collection::vec(any::<u8>(), 1..40), i in 0u8..45) {
        let n = bytes.len();
        let inputs = format!("data: bytes<{n}> from a, i: u8 from a, at: u8 from a");
        let source = source("", &inputs, "if data[i] == at { Yes } else { No }");
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let at = bytes.get(usize::from(i)).copied();
        let got = play(&source, json!({ "data": hex, "i": i, "at": at.unwrap_or(0) }));
        prop_assert_eq!(got, if at.is_some() { "Yes" } else { "OutOfBounds" });
    }
}

#[test]
fn hashes_agree_with_their_crates() {
    let data: Vec<u8> = (0..1_024u32).map(|n| (n * 7 + 3) as u8).collect();
    let lengths = (1..=70).chain([
        95, 96, 127, 128, 129, 191, 192, 255, 256, 257, 1_000, 1_023, 1_024,
    ]);
    for n in lengths {
        let data = &data[..n];
        let body = "
            require sha256(data) == sha else E1
            require blake3(data) == b3 else E2
            require tag_hash(b\"Gavel\", data) == tagged else E3
            Yes";
        let inputs = format!(
            "data: bytes<{n}> from a, sha: hash from a, b3: hash from a, tagged: hash from a"
        );
        let tag = sha2::Sha256::digest(b"Gavel");
        let tagged = sha2::Sha256::digest([&tag[..], &tag[..], data].concat());
        let inputs_json = json!({
            "data": hex(data),
            "sha": hex(&sha2::Sha256::digest(data)),
            "b3": hex(blake3::hash(data).as_bytes()),
            "tagged": hex(&tagged),
        });
        assert_eq!(
            play(&source("", &inputs, body), inputs_json),
            "Yes",
            "{n} bytes"
        );
    }
}

#[test]
fn concatenation_at_every_alignment() {
    for n in 1..=6usize {
        for m in 1..=9usize {
            let (x, y): (Vec<u8>, Vec<u8>) =
                ((1..=n as u8).collect(), (101..=100 + m as u8).collect());
            let mut whole = vec![7u8];
            whole.extend(&x);
            whole.extend(0x0102_0304u32.to_be_bytes());
            whole.extend(&y);
            whole.extend(9u64.to_be_bytes());
            whole.extend([5, 6]);
            let length = whole.len();
            let body = "
                require concat(one, x, word, y, wide, pair) == whole else E1
                require sha256(concat(one, x, word, y, wide, pair)) == h else E2
                Yes";
            let inputs = format!(
                "one: u8 from a, x: bytes<{n}> from a, word: u32 from a, y: bytes<{m}> from a, \
                 wide: u64 from a, pair: [u8; 2] from a, whole: bytes<{length}> from a, h: hash from a"
            );
            let got = play(
                &source("", &inputs, body),
                json!({
                    "one": 7, "x": hex(&x), "word": 0x0102_0304u32, "y": hex(&y), "wide": 9,
                    "pair": [5, 6], "whole": hex(&whole), "h": hex(&sha2::Sha256::digest(&whole)),
                }),
            );
            assert_eq!(got, "Yes", "{n}, {m}");
        }
    }
}

/// Bodies of `settle(x: u32)`, and what they give for some inputs.
#[test]
fn control_flow() {
    let first_over = "fn first_over(limit: u32) -> u32 {
        let steps: [u32; 5] = [1, 4, 9, 16, 25]
        for i in 0..5 { if steps[i] > limit { return i } }
        99
    }";
    let nested = "fn nested(x: u32) -> u32 {
        let mut count: u32 = 0
        for i in 0..4 {
            for j in 0..4 {
                if j == x { break }
                if i == 2 { continue }
                if i * 4 + j == 14 { return 100 + count }
                count += 1
            }
        }
        count
    }";
    let rust_nested = |x: u32| {
        let mut count = 0;
        for i in 0..4 {
            for j in 0..4 {
                if j == x {
                    break;
                }
                if i == 2 {
                    continue;
                }
                if i * 4 + j == 14 {
                    return 100 + count;
                }
                count += 1;
            }
        }
        count
    };
    for x in 0..6 {
        let want = rust_nested(x);
        let body = format!("if nested(x) == {want} {{ Yes }} else {{ No }}");
        assert_eq!(
            play(&source(nested, "x: u32 from a", &body), json!({ "x": x })),
            "Yes",
            "{x}"
        );
    }
    let rows: &[(&str, &str, u32, &str)] = &[
        // Early exits.
        ("", "if x > 5 { return Yes } No", 6, "Yes"),
        ("", "if x > 5 { return Yes } No", 5, "No"),
        (
            "",
            "if x > 5 { return Yes } require x != 3 else E1 No",
            3,
            "E1",
        ),
        (
            "",
            "if x > 5 { return Yes } require x != 7 else E1 No",
            7,
            "Yes",
        ),
        (
            "",
            "if x > 5 { if x > 7 { return No } return Yes } No",
            8,
            "No",
        ),
        (
            "",
            "if x > 5 { if x > 7 { return No } return Yes } Yes",
            6,
            "Yes",
        ),
        (
            first_over,
            "if first_over(x) == 3 { Yes } else { No }",
            10,
            "Yes",
        ),
        (
            first_over,
            "if first_over(x) == 99 { Yes } else { No }",
            25,
            "Yes",
        ),
        (
            first_over,
            "if x == 2 && first_over(x) == 1 { return Yes } No",
            2,
            "Yes",
        ),
        // The first abort decides.
        (
            "",
            "require x != 1 else E1 require x != 1 else E2 Yes",
            1,
            "E1",
        ),
        (
            "",
            "if x == 1 { require false else E2 } require x != 1 else E1 Yes",
            1,
            "E2",
        ),
        ("", "assert x != 1 Yes", 1, "AssertFailed"),
        // What isn't reached doesn't abort.
        ("", "if x != 0 && 10 / x == 2 { Yes } else { No }", 0, "No"),
        ("", "if x == 0 || 10 / x == 2 { Yes } else { No }", 0, "Yes"),
        (
            "",
            "let y = if x == 0 { 0 } else { 10 / x } if y == 3 { Yes } else { No }",
            3,
            "Yes",
        ),
        ("", "if x < 2 { if 5 - x == 4 { return Yes } } No", 1, "Yes"),
        ("", "if x < 2 { if 5 - x == 4 { return Yes } } No", 9, "No"),
        // Loops.
        (
            "",
            "let mut s: u32 = 0 for i in 1..=4 { s += i } if s == x { Yes } else { No }",
            10,
            "Yes",
        ),
        (
            "",
            "for i in 3..3 { require false else E1 } if x == 0 { Yes } else { No }",
            0,
            "Yes",
        ),
        (
            "",
            "for i in 0..9 { if i == x { return Yes } } No",
            8,
            "Yes",
        ),
        (
            "",
            "let mut n: u32 = 0 for i in 0..9 { if i == x { break } n += 1 } if n == x { Yes } else { No }",
            4,
            "Yes",
        ),
        (
            "",
            "let mut n: u32 = 0 for i in 0..9 { if i == x { continue } n += 1 } if n == 8 { Yes } else { No }",
            4,
            "Yes",
        ),
        (
            "",
            "for i in 0..9 { if i == x { break } require i != x else E1 } Yes",
            4,
            "Yes",
        ),
        (
            "",
            "for i in [2, 3, 5] { if i == x { return Yes } } No",
            5,
            "Yes",
        ),
        // Blocks, shadowing, match.
        (
            "",
            "let x = x + 1; { let x = 0; let _y = x } if x == 5 { Yes } else { No }",
            4,
            "Yes",
        ),
        ("", "match x { 0 => No, 7 => Yes, _ => No }", 7, "Yes"),
        ("", "match x > 3 { true => Yes, false => No }", 4, "Yes"),
        (
            "",
            "match x { 1 => return Yes, 2 => { require false else E3 } _ => {} } No",
            2,
            "E3",
        ),
        (
            "",
            "let mut y = x if x > 3 { y = 1 } else { y += 1 } if y == 1 { Yes } else { No }",
            9,
            "Yes",
        ),
        // Options.
        (
            "",
            "let o = if x > 3 { Some(x) } else { None } if let Some(v) = o { if v == 4 { return Yes } } No",
            4,
            "Yes",
        ),
        (
            "",
            "let mut o: Option<u32> = None if x == 1 { o = Some(5) } if o.unwrap_or(7) == 5 { Yes } else { No }",
            1,
            "Yes",
        ),
        (
            "",
            "let o: Option<u32> = None match o { Some(v) => if v == x { Yes } else { No }, None => No }",
            0,
            "No",
        ),
    ];
    for (items, body, x, want) in rows {
        let typed = body.replace("{ Some(x) } else { None }", "{ Some(x) } else { none() }");
        let items = format!("{items} fn none() -> Option<u32> {{ None }}");
        let got = play(&source(&items, "x: u32 from a", &typed), json!({ "x": x }));
        assert_eq!(got, *want, "{body} with {x}");
    }
}

#[test]
fn ill_typed_words_abort() {
    let items = "enum Pet { Cat, Dog, Bird }";
    let inputs = "flag: bool from a, pet: Pet from b, maybe: Option<Pet> from a, n: u8 from b";
    let body =
        "match maybe { Some(p) => if p == pet && flag && n == 1 { Yes } else { No }, None => No }";
    let program = compile(&source(items, inputs, body)).program;
    for (words, want) in [
        ([1, 2, 1, 2, 1], "Yes"),
        ([1, 2, 0, 0, 1], "No"),
        ([0, 2, 1, 2, 1], "No"),
        ([2, 2, 1, 2, 1], "IllTyped"),
        ([15, 2, 1, 2, 1], "IllTyped"),
        ([1, 3, 1, 2, 1], "IllTyped"),
        ([1, 2, 2, 2, 1], "IllTyped"),
        ([1, 2, 1, 3, 1], "IllTyped"),
        // The words of a blank option read as zero.
        ([1, 0, 0, 9, 1], "No"),
        ([1, 2, 1, 2, 255], "No"),
    ] {
        assert_eq!(end(&program, &words), want, "{words:?}");
    }
    // A payload that is read without its tag is zero where it is blank.
    let body = "let p = maybe.unwrap_or(Dog) if p == Dog { Yes } else { No }";
    let inputs = "maybe: Option<Pet> from a";
    let program = compile(&source(items, inputs, body)).program;
    assert_eq!(end(&program, &[0, 2]), "Yes");
}

#[test]
fn the_layout_of_inputs_is_fixed() {
    let items = "enum Pet { Cat, Dog, Bird } param oracle: attestor<u32>";
    let inputs = "flag: bool from a, n: u8 from anyone, w: u32 from b, wide: u64 from a, h: hash from a,
        b5: bytes<5> from a, moves: [Option<u8>; 2] from b, pets: [Pet; 2] from a, amount: sats from b,
        seen: Option<u32> from oracle, grid: [[u8; 2]; 2] from a";
    let body = "let _all = [flag, n == 0, w == 0, wide == 0, h == sha256(b5), moves[0].is_some(), pets[0] == Cat,
        amount == 5 sats, seen.is_some(), grid[0][1] == 3] Yes";
    let source = source(items, inputs, body).replace("enum Outcome", "param unit: u8 enum Outcome");
    let shape = gavel_compiler::commit::Shape::of_words(&[8]);
    let key = vec!["00".repeat(20); shape.digits()];
    let mut params = Map::new();
    params.insert("oracle".to_owned(), json!(key));
    params.insert("unit".to_owned(), json!("7"));
    let (contract, warnings) = instantiate(&source, &params).unwrap();
    assert!(warnings.iter().all(|w| !w.is_error()));
    let shown: Vec<String> = contract
        .program
        .inputs
        .iter()
        .map(|e| {
            format!(
                "{} {:?} {:?}{}",
                e.name,
                e.words,
                e.author,
                if e.optional { " optional" } else { "" }
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    let words = encode_inputs(
        &contract.inputs,
        &json!({
            "flag": true, "n": 200, "w": "4_000_000_000", "wide": "18446744073709551615",
            "h": "11".repeat(32), "b5": "0102030405", "moves": [null, 3], "pets": ["Bird", "Cat"],
            "amount": 5, "seen": 9, "grid": [[1, 2], [3, 4]],
        }),
    )
    .unwrap();
    insta::assert_snapshot!(format!("{words:x?}"));
}

#[test]
fn the_id_depends_on_source_and_values_only() {
    let source = source(
        "param n: u32",
        "x: u32 from a",
        "if x == n { Yes } else { No }",
    );
    let id = |source: &str, n: Value| {
        let params = [("n".to_owned(), n)].into_iter().collect();
        instantiate(source, &params).unwrap().0.id
    };
    let one = id(&source, json!(5));
    assert_eq!(one, id(&source, json!("5")));
    assert_ne!(one, id(&source, json!(6)));
    assert_ne!(one, id(&format!("{source} "), json!(5)));
}
