//! Enums with data: made and matched, drawn and shown, laid out, read as JSON, and refused.

#![allow(clippy::unwrap_used, clippy::panic)]

mod play;

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::format::format;
use gavel_compiler::front::value_type;
use gavel_compiler::testing::{Options, run};
use gavel_compiler::types::typed::{Expr, ExprKind};
use gavel_compiler::value::{ValueType, decode, encode};
use gavel_compiler::word::lower::{Constants, Formula, Scope};
use play::{drawn, mistakes, play, source};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Orders of an exchange, and what is done with them in every way that the language has.
const ITEMS: &str = r#"
    struct Limit { least: u16, open: bool }
    enum Side { Buy, Sell }
    enum Order {
        Cancel,
        Bid { price: u64, qty: u64 },
        Give(pubkey, u64),
        Ask { limit: Limit, side: Option<Side> },
        Batch([u8; 3]),
    }
    enum Answer { Taken(Order, u64), Refused }

    fn order(kind: u8, n: u64, key: bytes<32>) -> Order {
        let qty = n / 2
        match kind {
            0 => Cancel,
            1 => Bid { price: n, qty },
            2 => Order::Give(pubkey(key), n),
            3 => {
                let limit = Limit { open: n % 2 == 1, least: (n % 65_536) as u16 }
                Ask { side: if n % 3 == 0 { None } else { Some(Sell) }, limit }
            }
            _ => Batch([n as u8, 7, kind]),
        }
    }

    fn worth(order: Order) -> u64 {
        match order {
            Cancel => 1,
            Bid { price, qty: q } => price ^ q,
            Give(_, n) => n,
            Ask { limit, side } => {
                let base = if limit.open { 1_000_000 } else { 2_000_000 }
                let base = match side { Some(s) => if s == Sell { base } else { 9 }, None => base + 100_000 }
                base + limit.least as u64
            }
            Batch(all) => all[0] as u64 * 3 + all[2] as u64,
        }
    }

    fn first(order: Order) -> u64 {
        if let Bid { price, .. } = order { return price }
        if let Order::Give(_, n) = order { return n + 1 }
        if let Ask { limit: l, .. } = order { l.least as u64 } else { 5 }
    }
"#;

/// The same in Rust: what `order` makes of its arguments is worth, and its first part.
fn expected(kind: u8, n: u64) -> Option<(u64, u64)> {
    let least = n % 65_536;
    match kind {
        0 => Some((1, 5)),
        1 => Some((n ^ (n / 2), n)),
        2 => Some((n, n.checked_add(1)?)),
        3 => {
            let base = if n % 2 == 1 { 1_000_000 } else { 2_000_000 };
            let base = if n.is_multiple_of(3) {
                base + 100_000
            } else {
                base
            };
            Some((base + least, least))
        }
        _ => Some((u64::from(u8::try_from(n).ok()?) * 3 + u64::from(kind), 5)),
    }
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..300u64, any::<u64>(), Just(u64::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn made_and_matched(kind in 0u8..6, n in number(), key in proptest::array::uniform32(any::<u8>())) {
        let want = expected(kind, n);
        let (worth, first) = want.unwrap_or_default();
        let body = "
            let made = order(kind, n, key)
            let (whole, part) = (worth(made), first(made))
            require whole == worthy && part == begins else E2
            let mut answer = if kind == 0 { Refused } else { Taken(made, n) }
            let mut orders = [made, Cancel, Bid { qty: 2, price: 1 }]
            orders[kind % 2 as u8] = orders[0]
            match answer {
                Taken(order, m) => {
                    require order == orders[0] && m == n else E3
                    answer = Answer::Refused
                }
                Refused => {}
            }
            if answer == Refused && orders[2] != Cancel { Yes } else { No }";
        let inputs = "kind: u8 from a, n: u64 from a, key: bytes<32> from a, worthy: u64 from b, begins: u64 from b";
        let key: String = play::hex(&key);
        let values = json!({ "kind": kind, "n": n, "key": key, "worthy": worth, "begins": first });
        let got = play(&source(ITEMS, inputs, body), values);
        prop_assert_eq!(got, want.map_or("Overflow", |_| "Yes"));
    }

    /// Values are equal if and only if they are the same variant with the same data.
    #[test]
    fn equality(a in 0u8..6, b in 0u8..6, n in 0u64..4, m in 0u64..4, x in any::<bool>()) {
        let body = "
            let (left, right) = (order(kind_a, n, key), order(kind_b, m, key))
            if left == right { Yes } else { No }";
        let inputs = "kind_a: u8 from a, n: u64 from a, kind_b: u8 from a, m: u64 from b, key: bytes<32> from b";
        let (b, m) = if x { (a, n) } else { (b, m) };
        let key = "ab".repeat(32);
        let values = json!({ "kind_a": a, "n": n, "kind_b": b, "m": m, "key": key });
        // Kind 0 holds nothing, and the last makes all greater kinds of it.
        let same = a == b && (a == 0 || n == m);
        prop_assert_eq!(play(&source(ITEMS, inputs, body), values), if same { "Yes" } else { "No" });
    }
}

/// Constants, arrays that repeat a variant, and literals and `_` in `if let`.
#[test]
fn elsewhere() {
    let items = format!(
        "{ITEMS}
        const DEFAULT: Order = Bid {{ price: 3, qty: 4 }}
        const NONE: [Order; 3] = [Cancel; 3]"
    );
    let body = "
        let orders = [Bid { price: 3, qty: x }; 4]
        let constant = match DEFAULT { Bid { price, .. } => price, _ => 0 }
        for order in orders { require (order == DEFAULT) == (x == 4) else E1 }
        require NONE[1] == Cancel && constant == 3 else E2
        if let 4 = x { return Yes }
        if let true = x == 5 { return No }
        if let _ = x { let (a, b) = (Give(pubkey(pad32(b\"k\")), x), Cancel); require a != b else E3 }
        if let Some(y) = Some(x) { if y == 6 { Yes } else { No } } else { No }";
    for (x, want) in [(4, "Yes"), (5, "No"), (6, "Yes"), (7, "No")] {
        let got = play(&source(&items, "x: u64 from a", body), json!({ "x": x }));
        assert_eq!(got, want, "{x}");
    }
}

/// Variables with data are drawn, shrunk and shown as the source would write them.
#[test]
fn properties() {
    let tests = "
        prop holds(order: Order, answers: [Answer; 2], pair: (Limit, Side)) {
            assert order == order && answers == answers && pair.0 == pair.0 && pair == pair
        }
        prop bids(order: Order) {
            assert match order { Bid { price, qty } => price < 50 || qty < 7, _ => true }
        }
        prop gifts(answer: Answer) {
            assert match answer { Taken(order, n) => n < 9 || match order { Give(_, m) => m < 3, _ => true }, _ => true }
        }
        prop asks(order: Order) {
            assert match order { Ask { side, .. } => side.is_none(), _ => true }
        }
        prop pairs(pair: (Limit, Side)) { assert pair.0.least < 900 || pair.1 == Buy }";
    let items = format!("{ITEMS}{tests}");
    let source = source(&items, "x: u8 from a", "if x == 1 { Yes } else { No }");
    let mut all = String::new();
    let options = Options {
        cases: 2_000,
        ..Options::default()
    };
    let reports = run(&source, &options, &mut |_, _, _| {});
    for report in reports.unwrap_or_else(|_| panic!("{}", mistakes(&source).1)) {
        let found = report.found.map(|found| found.variables);
        writeln!(all, "{}: {found:?}", report.name).unwrap();
    }
    insta::assert_snapshot!(all);
}

/// The type `Order` on its own, and what of the program's is beside it.
fn order_type() -> ValueType {
    let text = source(
        &format!("{ITEMS} fn id(x: Order) -> Order {{ x }}"),
        "x: u8 from a",
        "if x == 1 { Yes } else { No }",
    );
    let checked = check(&text);
    let id = checked
        .contract
        .fns
        .iter()
        .find(|f| f.name == "id")
        .unwrap();
    value_type(&id.returns, &checked.contract)
}

#[test]
fn json_in_and_out() {
    let ty = order_type();
    assert_eq!(ty.words(), 11);
    let key = "ab".repeat(32);
    for value in [
        json!("Cancel"),
        json!({ "Bid": { "price": 1, "qty": 2 } }),
        json!({ "Give": [key, 5] }),
        json!({ "Ask": { "limit": { "least": 3, "open": true }, "side": null } }),
        json!({ "Ask": { "limit": { "least": 3, "open": false }, "side": "Sell" } }),
        json!({ "Batch": [[1, 2, 3]] }),
    ] {
        let words = encode(&ty, &value, "order").unwrap();
        assert_eq!(words.len(), 11);
        assert_eq!(decode(&ty, &words), value);
    }
    let blank = json!({ "Ask": { "limit": { "least": 3, "open": true } } });
    assert_eq!(encode(&ty, &blank, "order").unwrap()[..5], [3, 3, 1, 0, 0]);
    assert_eq!(decode(&ty, &[9; 11]), json!(9));
    let mut all = String::new();
    for value in [
        json!("Canel"),
        json!(5),
        json!({}),
        json!({ "Bid": 1, "Give": 2 }),
        json!("Bid"),
        json!({ "Cancel": null }),
        json!({ "Bid": [1, 2] }),
        json!({ "Bid": { "price": 1 } }),
        json!({ "Bid": { "price": 1, "quantity": 2, "qty": 3 } }),
        json!({ "Bid": { "price": 1, "qty": -2 } }),
        json!({ "Give": [key] }),
        json!({ "Give": { "0": key } }),
        json!({ "Give": ["ab", 5] }),
        json!({ "Ask": { "limit": { "least": 65_536, "open": true } } }),
        json!({ "Ask": { "limit": { "least": 5, "open": true }, "side": "sell" } }),
        json!({ "Batch": [[1, 2, 256]] }),
    ] {
        let error = encode(&ty, &value, "order").unwrap_err();
        let shown: String = value.to_string().chars().take(60).collect();
        writeln!(all, "{shown}\n    {error}").unwrap();
    }
    insta::assert_snapshot!(all);
}

/// The program of a variable alone, whatever its words are.
fn identity(source: &str) -> Formula {
    let checked = check(source);
    assert!(checked.is_ok(), "{}", mistakes(source).1);
    let contract = checked.contract;
    let variables = contract
        .tests
        .first()
        .and_then(|test| test.variables.clone());
    let variables = variables.unwrap();
    let scope = Scope {
        contract: &contract,
        constants: Constants {
            consts: &contract.consts,
            fns: &contract.fns,
            params: &[],
        },
        variables: &variables,
        locals: 1,
        values: None,
        open: &[],
    };
    let value = Expr {
        ty: variables[0].ty.clone(),
        span: variables[0].span,
        kind: ExprKind::Local(0),
    };
    Formula::new(&scope, &[value]).unwrap()
}

proptest! {
    /// Words from outside are refused unless they are a value in its one form; a blank option's
    /// words don't count.
    #[test]
    fn ill_typed_words_abort(
        tag in 0u32..7,
        words in proptest::collection::vec(prop_oneof![
            3 => Just(0u32),
            2 => 0..3u32,
            1 => 250..260u32,
            1 => 65_530..65_540u32,
        ], 10),
        cut in 0usize..11,
    ) {
        let prop = "prop p(order: Order) { assert order == order }";
        let text = source(&format!("{ITEMS}{prop}"), "x: u8 from a", "if x == 1 { Yes } else { No }");
        let formula = identity(&text);
        let mut words = [vec![tag], words].concat();
        words.iter_mut().skip(1 + cut).for_each(|word| *word = 0);
        let ran = formula.run(&words).map_err(|abort| abort.name);
        if tag == 3 && words[3] == 0 {
            words[4] = 0;
        }
        let ty = order_type();
        let read = encode(&ty, &decode(&ty, &words), "order");
        let want = read.ok().filter(|read| *read == words);
        prop_assert_eq!(ran, want.ok_or("IllTyped".to_owned()));
    }
}

#[test]
fn one_layout() {
    let messy = "contract T{param a:party param b:party enum Outcome{Yes,No}
    enum Order{Cancel,Bid{price:u64,qty:u64},Give (pubkey,u64)}
    enum Long{Cancel2,Bid2{price:u64,qty:u64},Give2(pubkey,u64),Ask2{price:u64,least:u64,most:u64}}
    fn f(o:Order,l:Long)->u64{
    if let Bid{price:p,..}=o{return p}
    if let Order::Bid{..}=o{return 5}
    if let Order :: Give(_,n)=o{return n}
    let _x=[Bid{price:1,qty:2},Order::Bid{price:1,qty:2},Order::Give(pubkey(pad32(b\"x\")),3),Cancel,Order::Cancel]
    match l{Ask2{price,..}=>price,Bid2{
    price:_,
    qty,
    ..}=>qty,Give2(_,n)=>n,Give2(..)=>3,_=>0}
    }
    settle(x:u8 from a)->Outcome{if x==1{Yes}else{No}}
    coin pot{fund a:1_000 sats fund b:1_000 sats pay Yes{a:rest} pay No{b:rest} refund after 10 blocks{a:1_000 sats,b:rest}}}";
    let draw = |found: Vec<gavel_compiler::diagnostic::Diagnostic>| {
        let drawn = found.iter().map(|d| d.draw(messy, "t.gvl", Style::Plain));
        drawn.collect::<Vec<_>>().join("\n")
    };
    let once = format(messy).unwrap_or_else(|found| panic!("{}", draw(found)));
    assert_eq!(format(&once).unwrap(), once);
    let before: Vec<Value> = check(messy)
        .diagnostics
        .iter()
        .map(|d| json!(d.message))
        .collect();
    let after: Vec<Value> = check(&once)
        .diagnostics
        .iter()
        .map(|d| json!(d.message))
        .collect();
    assert_eq!(before, after);
    insta::assert_snapshot!(once);
}

const SMALL: &str = "enum Order { Cancel, Bid { price: u64, qty: u64 }, Give(u32, u64) }";

/// Items beside [`SMALL`], a statement of `settle`, and the code of the mistake in it.
const ROWS: &[(&str, &str, &str)] = &[
    // Made.
    ("", "let _o = Bidd { price: 1, qty: 2 }", "E0202"),
    ("", "let _o = Order::Bidd { price: 1, qty: 2 }", "E0201"),
    ("", "let _o = Ordr::Bid { price: 1, qty: 2 }", "E0201"),
    ("", "let _o = Bid { price: 1 }", "E0213"),
    ("", "let _o = Bid { price: 1, qyt: 2 }", "E0212"),
    ("", "let _o = Bid { price: 1, qty: 2, price: 3 }", "E0203"),
    ("", "let _o = Bid { price: x, qty: true }", "E0301"),
    ("", "let _o = Bid", "E0304"),
    ("", "let _o = Bid(1, 2)", "E0304"),
    ("", "let _o = Give(1)", "E0304"),
    ("", "let _o = Give { price: 1 }", "E0304"),
    ("", "let _o = Give(1, b\"x\")", "E0301"),
    ("", "let _o = Cancel()", "E0304"),
    ("", "let _o = Giv(1, 2)", "E0201"),
    ("enum Two { Cancel, Bid(u8) }", "let _o = Bid(1)", "E0313"),
    (
        "enum Two { Cancel, Bid(u8) }",
        "let _o: Two = Bid { price: 1, qty: 2 }",
        "E0304",
    ),
    ("", "let _o = Order", "E0210"),
    ("", "let _o = Cancel.price", "E0212"),
    ("", "let _o = Cancel < Cancel", "E0303"),
    ("", "let _o = Cancel as u8", "E0305"),
    ("", "let _o = sha256(Cancel)", "E0301"),
    ("", "if Cancel == Yes { return No }", "E0303"),
    // Matched.
    (
        "fn f(o: Order) -> u8 { match o { Cancel => 1, Bid { .. } => 2 } }",
        "",
        "E0310",
    ),
    (
        "fn f(o: Order) -> u8 { match o { Cancel => 1, Give(..) => 2 } }",
        "",
        "E0310",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bidd { price, .. } => price, _ => 2 } }",
        "",
        "E0201",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bid { price } => price, _ => 2 } }",
        "",
        "E0213",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bid { prize, .. } => prize, _ => 2 } }",
        "",
        "E0212",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bid { qty: x, price: x } => x, _ => 2 } }",
        "",
        "E0203",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bid { qty, qty, .. } => 1, _ => 2 } }",
        "",
        "E0203",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bid => 1, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Bid(a, b) => a + b, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Give(a) => a, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Give(a, b, c) => b, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Give(a, a) => a, _ => 2 } }",
        "",
        "E0203",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Give(.., b) => b, _ => 2 } }",
        "",
        "E0101",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Cancel(..) => 1, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Some(n) => n, _ => 2 } }",
        "",
        "E0201",
    ),
    (
        "fn f(o: Order) -> u64 { match o { Outcome::Yes => 1, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { match o { 5 => 1, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Option<u8>) -> u8 { match o { Some => 1, _ => 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Option<u8>) -> u8 { if let Give(n, ..) = o { n } else { 2 } }",
        "",
        "E0201",
    ),
    (
        "fn f(o: u8) -> u8 { if let Some(n) = o { n } else { 2 } }",
        "",
        "E0311",
    ),
    (
        "fn f(o: Order) -> u64 { if let Give(_, n) = o { return 1 } 2 }",
        "",
        "W0001",
    ),
    // Declared.
    ("enum Bad { A(u8), A }", "", "E0203"),
    ("enum Bad { A { x: u8, x: u8 } }", "", "E0203"),
    ("enum Bad { A {}, B() }", "", "E0315"),
    ("enum Bad { A(u8), B([Order; 900]) }", "", "E0315"),
    (
        "enum Bad { A([u64; 2_000]), B([u64; 2_000]) } fn f(b: Bad) -> Bad { b }",
        "",
        "E0315",
    ),
    ("enum Bad { A(Bad), B }", "", "E0208"),
    (
        "enum Bad { A(Later), B } struct Later { x: u8 }",
        "",
        "E0208",
    ),
    ("enum Bad { A(u9), B }", "", "E0202"),
    ("enum Spare { A(u8) }", "", "W0001"),
    ("param order: Order", "", "E0314"),
    ("param orders: [Order; 2]", "", "E0314"),
];

#[test]
fn mistakes_are_reported() {
    let items: Vec<String> = ROWS
        .iter()
        .map(|row| format!("{SMALL} {}", row.0))
        .collect();
    let rows = ROWS.iter().zip(&items);
    let rows = rows.map(|((_, body, code), items)| (items.as_str(), "x: u64", *body, *code));
    insta::assert_snapshot!(drawn(&rows.collect::<Vec<_>>()));
}

/// A contract with all of it checks and passes its own tests.
#[test]
fn the_example_holds() {
    let source = include_str!("orders.gvl");
    let (codes, drawn) = mistakes(source);
    assert!(codes.is_empty(), "{drawn}");
    for report in run(source, &Options::default(), &mut |_, _, _| {}).unwrap() {
        assert!(report.failures.is_empty(), "{report:?}");
    }
}

#[test]
fn not_where_a_dispute_must_read_it() {
    let rows = [
        (SMALL, "x: Order", "let _y = x", "E0314"),
        (SMALL, "x: Option<Order>", "let _y = x", "E0314"),
        (SMALL, "x: [Order; 2]", "let _y = x", "E0314"),
    ];
    let inputs = drawn(&rows);
    let source = source(
        SMALL,
        "x: u8 from a",
        "if x == 1 { Cancel } else { Give(1, 2) }",
    );
    let source = source.replace("-> Outcome", "-> Order");
    let (codes, outcome) = mistakes(&source);
    assert!(codes.contains(&"E0404"));
    insta::assert_snapshot!(format!("{inputs}{outcome}"));
}

/// Types that would take long to walk are refused at once.
#[test]
fn deep_and_wide_types() {
    let mut deep = "enum D0 { A(u8), B }".to_owned();
    let mut wide = "enum D0 { A(u8), B }".to_owned();
    let mut structs = "struct D0 { x: u8 }".to_owned();
    for n in 1..3_000 {
        let last = n - 1;
        write!(deep, " enum D{n} {{ A(D{last}), B }}").unwrap();
        write!(wide, " enum D{n} {{ A(D{last}), B(D{last}) }}").unwrap();
        write!(structs, " struct D{n} {{ x: D{last} }}").unwrap();
    }
    for items in [deep, wide, structs] {
        let source = source(&items, "x: u8 from a", "if x == 1 { Yes } else { No }");
        let (codes, _) = mistakes(&source);
        assert_eq!(codes.first(), Some(&"E0315"), "{:?}", codes.get(..9));
    }
}
