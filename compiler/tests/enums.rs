//! Enums with data: made and matched, drawn and shown, laid out, read as JSON, and refused.

#![allow(clippy::unwrap_used, clippy::panic)]

mod play;

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::format::format;
use gavel_compiler::front::value_type;
use gavel_compiler::testing::{Options, run};
use gavel_compiler::value::{ValueType, decode, encode};
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
                let base = match side { Some(Side::Sell) => base, Some(_) => 9, None => base + 100_000 }
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
            require worth(made) == worthy else E1
            require first(made) == begins else E2
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

const PROPS: &str = "
    prop every_order(order: Order, answers: [Answer; 2], pair: (Limit, Side)) {
        assert worth(order) == worth(order) || first(order) == 0
        assert answers == answers && pair.0 == pair.0 && pair == pair
    }
    prop bids(order: Order) {
        assert match order { Bid { price, qty } => price < 50 || qty < 7, _ => true }
    }
    prop gifts(answer: Answer) {
        assert match answer { Taken(Give(_), _) => true, _ => true }
    }";

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
    let _ = PROPS;
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
