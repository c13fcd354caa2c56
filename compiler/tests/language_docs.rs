//! The examples of `docs/language.md` and `docs/tutorial.md`: whole contracts and pieces that check, and pieces that
//! are refused with the code that the page says.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::testing::{Options, run};

/// An example, and what is said after `gvl` where it begins.
struct Example {
    said: String,
    text: String,
    line: usize,
}

fn examples(page: &str) -> Vec<Example> {
    let mut all = Vec::new();
    let mut open: Option<Example> = None;
    for (line, text) in page.lines().enumerate() {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(said)) => {
                open = Some(Example {
                    said: said.to_owned(),
                    text: String::new(),
                    line: line + 1,
                });
            }
            (Some(_), Some(_)) => all.extend(open.take()),
            (Some(example), None) => {
                example.text.push_str(text);
                example.text.push('\n');
            }
            (None, None) => {}
        }
    }
    all
}

/// A contract around a piece of one.
fn contract(items: &str, body: &str) -> String {
    format!(
        "contract Example {{
    param alice: party
    param bob: party
    enum Outcome {{ Yes, No }}
    error Wrong
{items}
    settle(secret: bytes<32> from anyone) -> Outcome {{
        require secret[31] == 0 else Wrong
{body}
        if secret[0] == 1 {{ Yes }} else {{ No }}
    }}
    coin pot {{
        fund alice: 5_000 sats
        fund bob: 5_000 sats
        pay Yes {{ alice: rest }}
        pay No {{ bob: rest }}
        refund after 100 blocks {{ alice: 5_000 sats, bob: rest }}
    }}
    test \"it runs\" {{ assert settle(pad32(b\"\\x01\")) == Yes }}
}}
"
    )
}

/// A ledger around a piece of one.
fn ledger(items: &str, body: &str) -> String {
    format!(
        "contract Example {{
    param bank: pubkey
    asset Coin
    error Wrong
    event Told {{ what: u64 }}
    state {{
        wallet: map<pubkey, vault<Coin>>
        score: map<pubkey, u64>
        total: u64
    }}
    with bank = GRACE
{items}
    entry example(who: pubkey, n: u64) signed by who {{
        require n < 1_000 else Wrong
        wallet[bank].put(wallet[who].take(n))
        score[who] += n
        emit Told {{ what: n }}
{body}
    }}
}}
"
    )
}

#[test]
fn every_example_of_the_reference_is_as_it_says() {
    let (good, wrong) = checked("language.md", include_str!("../../docs/language.md"));
    assert!(good >= 18 && wrong >= 20, "{good} good, {wrong} wrong");
}

#[test]
fn every_step_of_the_tutorial_works() {
    let (good, _) = checked("tutorial.md", include_str!("../../docs/tutorial.md"));
    assert!(good >= 6, "{good}");
}

/// Checks the examples of a page: how many are right, and how many wrong as it says.
fn checked(name: &str, page: &str) -> (u32, u32) {
    let (mut good, mut wrong) = (0, 0);
    for Example { said, text, line } in examples(page) {
        if !said.starts_with("gvl") {
            continue;
        }
        let at = format!("docs/{name}:{line}");
        let words: Vec<&str> = said.split(' ').collect();
        let source = match words.get(1) {
            None | Some(&"wrong") => text,
            Some(&"items") => contract(&text, ""),
            Some(&"body") => contract("", &text),
            Some(&"ledger") => ledger(&text, ""),
            Some(&"entry") => ledger("", &text),
            Some(other) => panic!("{at}: {other}"),
        };
        let found = check(&source).diagnostics;
        let drawn: Vec<String> = found
            .iter()
            .map(|d| d.draw(&source, &at, Style::Plain))
            .collect();
        let drawn = drawn.join("\n\n");
        let code = words.iter().position(|word| *word == "wrong");
        if let Some(code) = code.and_then(|n| words.get(n + 1)) {
            let codes: Vec<&str> = found.iter().map(|d| d.code.id()).collect();
            assert!(codes.contains(code), "{at}: not {code}\n{drawn}");
            wrong += 1;
            continue;
        }
        // A piece may declare what nothing uses.
        let mut errors = found.iter().filter(|d| d.code.id().starts_with('E'));
        let clean = match words.get(1) {
            None => found.is_empty(),
            Some(_) => errors.next().is_none(),
        };
        assert!(clean, "{at}\n{drawn}");
        for test in run(&source, &Options::default(), &mut |_, _, _| {}).unwrap() {
            assert!(test.failures.is_empty(), "{at}: {:?}", test.failures);
        }
        good += 1;
    }
    (good, wrong)
}
