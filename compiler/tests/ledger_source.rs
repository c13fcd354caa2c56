//! From a source to signed calls: the ledger that it declares, with its names.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use bitcoin::hex::DisplayHex;
use bitcoin::secp256k1::{Keypair, Secp256k1};
use gavel_compiler::front::{instantiate, instantiate_ledger};
use gavel_compiler::ledger::{
    Call, CellId, Ledger, LedgerContract, Receipt, Refusal, Signer, State, root,
};
use gavel_compiler::units::Height;
use gavel_compiler::word::Span;
use gavel_compiler::{people, run_tests};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const AMM: &str = r#"contract Amm {
    param fee_bps: u32 where fee_bps < 10_000
    asset A, B
    error Empty, Slippage
    event Swapped { who: pubkey, paid: u64, got: u64 }
    state {
        pool_a: vault<A>
        pool_b: vault<B>
        wallet_a: map<pubkey, vault<A>>
        wallet_b: map<pubkey, vault<B>>
    }
    fn quote(r_in: u64, r_out: u64, dx: u64) -> u64 {
        let net = mul_div(dx, 10_000 - fee_bps, 10_000)
        mul_div(r_out, net, r_in + net)
    }
    entry swap(who: pubkey, dx: u64, min_out: u64) signed by who {
        require dx > 0 && pool_a.amount > 0 else Empty
        let k = wide_mul(pool_a.amount, pool_b.amount)
        let out = quote(pool_a.amount, pool_b.amount, dx)
        require out >= min_out else Slippage
        pool_a.put(wallet_a[who].take(dx))
        wallet_b[who].put(pool_b.take(out))
        assert wide_mul(pool_a.amount, pool_b.amount) >= k
        emit Swapped { who, paid: dx, got: out }
    }
}"#;

const BANK: &str = r#"contract Bank {
    param owner: pubkey
    asset Note
    error Same
    struct Seen { at: height, times: u32 }
    event Paid { from: pubkey, amount: u64 }
    state {
        wallet: map<pubkey, vault<Note>>
        seen: map<pubkey, Seen>
        calls: u8
    }
    entry issue(to: pubkey, amount: u64) signed by owner mints Note {
        wallet[to].put(Note.mint(amount))
    }
    entry pay(to: pubkey, from: pubkey, amount: u64) signed by from {
        require from != to else Same
        wallet[to].put(wallet[from].take(amount))
        seen[from] = Seen { at: height(), times: seen[from].times + 1 }
        emit Paid { from, amount }
    }
    entry leave(who: pubkey) signed by who, owner burns Note {
        Note.burn(wallet[who].take_all())
    }
    entry knock(n: u8) {
        calls += n
    }
    TESTS
}"#;

fn params(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn from_source(source: &str, given: &Value) -> LedgerContract {
    let (contract, warnings) = instantiate_ledger(source, &params(given)).unwrap();
    assert_eq!(warnings, []);
    contract
}

fn pair(name: &str) -> Keypair {
    Keypair::from_secret_key(&Secp256k1::new(), &people::secret(name).unwrap())
}

fn hex(name: &str) -> String {
    let key = pair(name).x_only_public_key().0.serialize();
    key.to_lower_hex_string()
}

/// A call with arguments by name, signed with the next nonces.
fn call(at: (&LedgerContract, &Ledger), entry: &str, arguments: &Value, by: &[&str]) -> Call {
    let (contract, ledger) = at;
    let declared = contract.entry(entry).unwrap();
    let words = declared.entry.encode_arguments(arguments).unwrap();
    let call = Call::new(contract.id, entry, words);
    by.iter().fold(call, |call, name| {
        let pair = pair(name);
        let nonce = ledger.next_nonce(&pair.x_only_public_key().0);
        call.sign(&pair, nonce)
    })
}

/// A state of which this field holds a number under the words of a key.
fn put(contract: &LedgerContract, state: &mut State, field: &str, key: &[u32], n: u32) {
    let families = &contract.families;
    let family = families.iter().find(|f| f.field == field).unwrap().family;
    let key = key.to_vec();
    state.set(CellId { family, key }, vec![n, 0]);
}

#[test]
fn an_exchange_from_its_source() {
    let contract = from_source(AMM, &json!({ "fee_bps": 30 }));
    assert_eq!(contract.entries[0].signers, ["who"]);
    let mut state = State::new();
    put(&contract, &mut state, "pool_a", &[], 5_000_000);
    put(&contract, &mut state, "pool_b", &[], 7_000_000);
    let alice = people::key("ALICE").unwrap();
    put(&contract, &mut state, "wallet_a", &alice, 10_000);
    let mut ledger = contract.ledger(state).unwrap();
    let start = root(ledger.state());

    let arguments = json!({ "who": hex("ALICE"), "dx": 10_000, "min_out": 13_000 });
    let swap = call((&contract, &ledger), "swap", &arguments, &["ALICE"]);
    let forged = call((&contract, &ledger), "swap", &arguments, &["MALLORY"]);
    let refused = Receipt::Refused(Refusal::Signature { signer: 0 });
    assert_eq!(ledger.apply(&forged, Height(1)), refused);
    assert_eq!(root(ledger.state()), start);

    let Receipt::Done { events, steps } = ledger.apply(&swap, Height(1)) else {
        panic!("the swap is not done");
    };
    let most = contract.analysis(&|_| (None, 1)).entries[0].steps;
    assert!(steps as usize <= most);
    let event = contract.named_event(&events[0]).unwrap();
    assert_eq!(
        json!(event),
        json!({ "event": "Swapped", "fields": { "who": hex("ALICE"), "paid": 10_000, "got": 13_930 } })
    );
    let shown: Vec<Value> = contract
        .named(ledger.state())
        .iter()
        .map(|c| json!(c))
        .collect();
    let cell = |field: &str, keys: Value, value: u32| json!({ "field": field, "keys": keys, "part": "", "value": value });
    let wanted = [
        cell("pool_a", json!([]), 5_010_000),
        cell("pool_b", json!([]), 6_986_070),
        cell("wallet_b", json!([hex("ALICE")]), 13_930),
    ];
    assert_eq!(shown, wanted);
    assert_ne!(root(ledger.state()), start);

    let before = ledger.clone();
    let (signer, wants, has) = (0, 1, 0);
    let replayed = Refusal::Nonce { signer, wants, has };
    assert_eq!(ledger.apply(&swap, Height(2)), Receipt::Refused(replayed));
    assert_eq!(ledger, before);
    // Nothing is left in the wallet: the call aborts and its nonce is spent.
    let again = call((&contract, &ledger), "swap", &arguments, &["ALICE"]);
    let Receipt::Aborted { abort, .. } = ledger.apply(&again, Height(2)) else {
        panic!("the second swap is not aborted");
    };
    assert_eq!(abort.name, "Insufficient");
    assert_eq!(
        contract.named(ledger.state()),
        contract.named(before.state())
    );
    let refused = ledger.apply(&again, Height(2));
    assert!(
        matches!(refused, Receipt::Refused(Refusal::Nonce { .. })),
        "{refused:?}"
    );
}

#[test]
fn families_and_signers_have_the_names_of_the_source() {
    let contract = from_source(&bank(""), &json!({ "owner": hex("GRACE") }));
    let families = contract.families.iter();
    let names: Vec<String> = families
        .map(|f| format!("{} {}{} {:?}", f.family, f.field, f.part, f.ty))
        .collect();
    assert_eq!(
        names,
        [
            "1 Note.supply U64",
            "2 wallet U64",
            "3 seen.at Height",
            "4 seen.times U32",
            "5 calls U8"
        ]
    );
    let signers = |n: usize| &contract.entries[n].entry.signers;
    assert_eq!(*signers(0), [Signer::Key(people::key("GRACE").unwrap())]);
    assert_eq!(*signers(1), [Signer::Argument { first: 8 }]);
    assert_eq!(contract.entries[2].signers, ["who", "owner"]);
    assert_eq!(contract.entries[0].mints, ["Note"]);
    assert_eq!(contract.entries[2].burns, ["Note"]);
}

#[test]
fn the_id_binds_source_and_parameters_but_no_tests() {
    let id =
        |tests: &str, owner: &str| from_source(&bank(tests), &json!({ "owner": hex(owner) })).id;
    let test = "test \"t\" { with owner = BOB call knock(1) assert calls == 1 }";
    assert_eq!(id("", "BOB"), id(test, "BOB"));
    assert_ne!(id("", "BOB"), id("", "ALICE"));
    assert_ne!(id("", "BOB"), id("invariant calls < 200", "BOB"));
}

#[test]
fn what_the_doors_refuse() {
    let refused = |source: &str, given: Value| {
        let found = instantiate_ledger(source, &params(&given)).unwrap_err();
        found.iter().map(|d| d.code.id()).collect::<Vec<_>>()
    };
    assert_eq!(refused(AMM, json!({})), ["E0601"]);
    assert_eq!(refused(AMM, json!({ "fee_bps": 10_000 })), ["E0604"]);
    assert_eq!(refused(AMM, json!({ "fee_bps": -1 })), ["E0603"]);
    assert_eq!(refused(AMM, json!({ "fee_bps": 1, "fee": 1 })), ["E0602"]);
    assert_eq!(refused("contract C {", json!({})), ["E0106"]);
    let coin = include_str!("../../contracts/price_bet.gvl");
    let given = include_str!("../../contracts/price_bet.params.json");
    assert_eq!(
        refused(coin, serde_json::from_str(given).unwrap()),
        ["E0802"]
    );
    let ledger = instantiate(AMM, &params(&json!({ "fee_bps": 1 }))).unwrap_err();
    assert_eq!(ledger[0].code.id(), "E0402");
    let contract = from_source(AMM, &json!({ "fee_bps": 1 }));
    let swap = &contract.entries[0].entry;
    for wrong in [
        json!({}),
        json!([]),
        json!({ "who": hex("BOB"), "dx": -1, "min_out": 0 }),
    ] {
        assert!(swap.encode_arguments(&wrong).is_err(), "{wrong}");
    }
}

fn bank(tests: &str) -> String {
    let after = if tests.is_empty() { "" } else { "\n    " };
    BANK.replace("\n    TESTS", &format!("{after}{tests}"))
}

const WHO: [&str; 3] = ["ALICE", "BOB", "CAROL"];

/// A call: the entry, two people, a number and by how much the height grows.
type Drawn = (usize, usize, usize, u8, u32);

/// Makes a call on the ledger and says it as the line of a test would, with what became of it.
fn line(contract: &LedgerContract, ledger: &mut Ledger, drawn: Drawn, height: u32) -> String {
    let (entry, a, b, n, _) = drawn;
    let (a, b) = (WHO[a], WHO[b]);
    let (name, shown, arguments, by) = match entry {
        0 => {
            let arguments = json!({ "to": hex(a), "amount": n });
            ("issue", format!("{a}, {n}"), arguments, vec!["GRACE"])
        }
        1 => {
            let arguments = json!({ "to": hex(b), "from": hex(a), "amount": n });
            ("pay", format!("{b}, {a}, {n}"), arguments, vec![a])
        }
        2 => (
            "leave",
            a.to_owned(),
            json!({ "who": hex(a) }),
            vec![a, "GRACE"],
        ),
        _ => ("knock", n.to_string(), json!({ "n": n }), vec![]),
    };
    let call = call((contract, ledger), name, &arguments, &by);
    let fails = match ledger.apply(&call, Height(height)) {
        Receipt::Done { .. } => String::new(),
        Receipt::Aborted { abort, .. } => format!(" fails {}", abort.name),
        Receipt::Refused(refusal) => panic!("{refusal}"),
    };
    let signed = if by.is_empty() {
        String::new()
    } else {
        format!(" as {}", by.join(", "))
    };
    format!("call {name}({shown}){signed} at {height}{fails}\n")
}

/// Everything that the state holds, asserted.
fn asserts(contract: &LedgerContract, ledger: &Ledger) -> String {
    let mut lines = String::new();
    let mut held = 0;
    for cell in contract.named(ledger.state()) {
        let keys = cell.keys.iter().map(|key| {
            let name = WHO.iter().find(|name| json!(hex(name)) == *key).unwrap();
            format!("[{name}]")
        });
        let keys: String = keys.collect();
        let amount = if cell.field == "wallet" {
            ".amount"
        } else {
            ""
        };
        let (field, part, value) = (&cell.field, &cell.part, &cell.value);
        lines.push_str(&format!("assert {field}{keys}{part}{amount} == {value}\n"));
        held += usize::from(cell.field == "wallet");
    }
    lines.push_str(&format!("assert count(wallet[_]) == {held}\n"));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The same calls, signed and applied, and as lines of a test: the same errors, the same
    /// state.
    #[test]
    fn signed_calls_do_what_tests_say(
        drawn in prop::collection::vec((0usize..4, 0usize..3, 0usize..3, any::<u8>(), 0u32..3), 1..12)
    ) {
        let contract = from_source(&bank(""), &json!({ "owner": hex("GRACE") }));
        let mut ledger = contract.ledger(State::new()).unwrap();
        let mut test = "test \"same\" {\nwith owner = GRACE\n".to_owned();
        let mut height = 0;
        for each in drawn {
            height += each.4;
            test.push_str(&line(&contract, &mut ledger, each, height));
        }
        test.push_str(&asserts(&contract, &ledger));
        test.push('}');
        let source = bank(&test);
        let reports = run_tests(&source).unwrap();
        prop_assert_eq!(&reports[0].failures, &[], "{}", test);
    }
}

#[test]
fn places_in_other_files_are_told_apart() {
    let contract = from_source(AMM, &json!({ "fee_bps": 30 }));
    // As if the function stood in a library.
    let function = AMM.find("fn quote").unwrap() as u32..AMM.find("entry swap").unwrap() as u32;
    let locate = |span: Span| match function.contains(&span.start) {
        true => (Some("quotes.gvl".to_owned()), 7),
        false => (None, 3),
    };
    let analysis = contract.analysis(&locate);
    let aborts = analysis.entries[0].aborts.iter();
    let shown: Vec<String> = aborts
        .map(|a| {
            format!(
                "{} {} {:?}",
                a.error,
                a.file.as_deref().unwrap_or("-"),
                a.lines
            )
        })
        .collect();
    let wanted = [
        "AssertFailed - [3]",
        "DivisionByZero quotes.gvl [7]",
        "Empty - [3]",
        "Insufficient - [3]",
        "Overflow - [3]",
        "Overflow quotes.gvl [7]",
        "Slippage - [3]",
    ];
    assert_eq!(shown, wanted);
}
