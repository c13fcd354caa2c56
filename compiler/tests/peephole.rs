//! Rules that shorten scripts: proven, tried out on every kind of item, and refused if wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gavel_compiler::script::asm::Asm;
use gavel_compiler::script::code::{Code, Item, number};
use gavel_compiler::script::peephole::proof::holds;
use gavel_compiler::script::peephole::rules::{
    Letter, Letters, Part, RULES, Rule, Top, bytes, rules,
};
use gavel_compiler::script::peephole::{shorten, shorten_items};
use gavel_compiler::script::vm::{Rules, Why, run};
use proptest::prelude::*;
use std::sync::LazyLock;

/// Items of every kind: numbers small and large, in odd encodings, too long, and no numbers.
fn battery() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        0, 1, 2, -1, 16, 17, 127, 128, -129, 255, 0x7f_ffff, -0x80_0000,
    ]
    .map(number)
    .to_vec();
    all.extend([
        number(0x7fff_ffff),
        number(-0x7fff_ffff),
        number(0x8000_0000),
    ]);
    all.extend([
        vec![0],
        vec![0x80],
        vec![1, 0],
        vec![0, 0x80],
        vec![5, 0, 0, 0],
        vec![5, 0, 0, 0, 0],
        vec![7; 20],
    ]);
    all
}

static BATTERY: LazyLock<Vec<Vec<u8>>> = LazyLock::new(battery);

/// Pushes for the letters of a rule, many ways.
fn ways(rule: &Rule) -> Vec<Letters<'static>> {
    let mut used: Vec<Letter> = Vec::new();
    for part in rule.left.iter().chain(&rule.right) {
        match part {
            Part::Letter(a) => used.push(*a),
            Part::Sum(a, b, _) => used.extend([*a, *b]),
            _ => {}
        }
    }
    used.sort();
    used.dedup();
    let mut ways = vec![Letters::default()];
    for letter in used {
        let extend = |letters: &Letters<'static>| {
            let bound = BATTERY.iter().filter_map(|data| {
                let mut letters = letters.clone();
                letters.bind(letter, data).then_some(letters)
            });
            bound.collect::<Vec<_>>()
        };
        ways = ways.iter().flat_map(extend).collect();
    }
    ways
}

/// How a piece of script ends on a stack: what it leaves, or why it fails.
fn ends(piece: &[Item], stack: &[Vec<u8>], minimal_data: bool) -> Result<Vec<Vec<u8>>, Why> {
    let mut asm = Asm::new(0, 0);
    // What the altstack holds is moved back, so that it is seen, and marked.
    asm.items(piece);
    let alt = piece.iter().fold(0i64, |alt, item| match item {
        Item::Code(Code::ToAlt) => alt + 1,
        Item::Code(Code::FromAlt) => alt - 1,
        _ => alt,
    });
    if let Some(Item::Code(Code::If | Code::NotIf)) = piece.last() {
        asm.num(1);
        asm.op(Code::Else);
        asm.num(2);
        asm.op(Code::EndIf);
    }
    for _ in 0..alt {
        asm.op(Code::FromAlt);
        asm.num(42);
    }
    let script = asm.bytes().to_vec();
    let rules = Rules {
        minimal_data,
        ..Rules::default()
    };
    let outcome = run(&script, stack, &rules);
    match outcome.verdict.map_err(|refusal| refusal.why) {
        Ok(()) | Err(Why::CleanStack | Why::False) => Ok(outcome.stack),
        Err(why) => Err(why),
    }
}

/// Runs both pieces on a stack; whether they do the same. Where the first underflows nothing
/// is asked.
fn same(left: &[Item], right: &[Item], stack: &[Vec<u8>]) -> bool {
    [false, true].into_iter().all(|minimal_data| {
        match (
            ends(left, stack, minimal_data),
            ends(right, stack, minimal_data),
        ) {
            (Err(Why::Underflow), _) => true,
            (Ok(left), Ok(right)) => left == right,
            (Err(_), Err(_)) => true,
            _ => false,
        }
    })
}

/// Whether both sides of a rule do the same on stacks of battery items: all combinations of
/// the upper two, others beneath.
fn survives(rule: &Rule) -> bool {
    let items = battery();
    let flags = [vec![], vec![1u8]];
    let small: Vec<Vec<u8>> = [0, 1, -1, 16, 255, 0x7f_ffff, -0x7f_ffff]
        .map(number)
        .to_vec();
    let tops = match rule.top {
        Top::Any => items.clone(),
        Top::Small => small,
        Top::Flag => flags.to_vec(),
    };
    let ways = ways(rule);
    let few = ways.len().div_ceil(40);
    ways.iter().step_by(few).all(|letters| {
        let left = Rule::side(&rule.left, letters).unwrap();
        let right = Rule::side(&rule.right, letters).unwrap();
        items.iter().enumerate().all(|(n, second)| {
            let stack = |top: &Vec<u8>, third: usize| {
                let mut stack: Vec<Vec<u8>> = (20..26).map(number).collect();
                stack.push(items[third % items.len()].clone());
                stack.extend([second.clone(), top.clone()]);
                stack
            };
            tops.iter().enumerate().all(|(m, top)| {
                same(&left, &right, &stack(top, n + 7 * m)) && same(&left, &right, &stack(top, 2))
            })
        })
    })
}

fn proven(rule: &Rule) -> bool {
    ways(rule).iter().all(|letters| holds(rule, letters))
}

#[test]
fn every_rule_is_proven_and_survives_every_kind_of_item() {
    assert_eq!(rules().len(), RULES.len(), "a rule has no meaning");
    for (rule, text) in rules().iter().zip(RULES) {
        assert!(proven(rule), "not proven: {text}");
        assert!(survives(rule), "wrong: {text}");
    }
}

#[test]
fn wrong_rules_are_caught() {
    for (text, tried) in [
        // Another order, another item, another depth.
        ("SWAP SUB => SUB", true),
        ("ROT ROT =>", true),
        ("1 ROLL => ROT", true),
        ("OVER OVER => 2OVER", true),
        ("DUP ROT => SWAP", true),
        ("x y SWAP => x y", true),
        ("LESSTHAN NOT => GREATERTHAN", true),
        ("SWAP LESSTHAN => LESSTHAN", true),
        ("n SUB m SUB => n-m SUB", true),
        // Right on numbers, but not on everything.
        ("0 ADD =>", true),
        ("1ADD 1SUB =>", true),
        ("n ADD m ADD => n+m ADD", true),
        ("0NOTEQUAL =>", true),
        ("small: 0NOTEQUAL =>", true),
        ("NOT NOT =>", true),
        ("0 EQUAL => NOT", true),
        ("EQUAL => NUMEQUAL", true),
        ("NOT NOTIF => IF", true),
        ("NOT IF => NOTIF", true),
        ("SUB NEGATE => SWAP SUB", true),
        ("small: n ADD n ADD n ADD =>", true),
        // One side fails where the other doesn't.
        ("VERIFY => DROP", true),
        ("NUMEQUALVERIFY => 2DROP", true),
        ("ADD DROP => 2DROP", true),
        ("MIN DROP => DROP", true),
        // Reaches deeper, or takes more room: no stack that suits the left shows it.
        ("=> SWAP SWAP", false),
        ("DROP => NIP DROP", true),
        ("SWAP DROP => ROT ROT ROT NIP", false),
        ("=> TOALTSTACK FROMALTSTACK", false),
        ("DUP => DUP DUP DROP", false),
        ("2 PICK 2 PICK => 3DUP DROP", false),
        ("room: 2 PICK => 2 PICK DUP DUP 2DROP", false),
    ] {
        let rule = Rule::parse(text).unwrap();
        assert!(!proven(&rule), "proven: {text}");
        assert_eq!(survives(&rule), !tried, "{text}");
    }
    for nonsense in [
        "DUP",
        "FOO => BAR",
        "half: DUP => DUP",
        "DUP => 0x1",
        "n => n*m",
    ] {
        assert_eq!(Rule::parse(nonsense), None, "{nonsense}");
    }
}

#[test]
fn every_rule_fires() {
    for (rule, text) in rules().iter().zip(RULES) {
        // What the rule wants to know of the top item, an opcode before it tells.
        let before = match rule.top {
            Top::Any => vec![],
            Top::Small => vec![Item::Code(Code::Size)],
            Top::Flag => vec![Item::Code(Code::LessThan)],
        };
        let fires = ways(rule).iter().any(|letters| {
            let left = [before.clone(), Rule::side(&rule.left, letters).unwrap()].concat();
            let right = [before.clone(), Rule::side(&rule.right, letters).unwrap()].concat();
            let short = bytes(&shorten_items(&left));
            short < bytes(&left) && short <= bytes(&right)
        });
        assert!(fires, "{text}");
    }
}

#[test]
fn rules_that_need_room_wait_until_there_is() {
    for (below, want) in [(994, 3), (995, 5)] {
        let mut asm = Asm::new(0, 0);
        (0..below).for_each(|_| asm.num(0));
        asm.ops(&[Code::Dup; 2]);
        asm.num(1);
        let start = asm.len();
        for code in [Code::Pick, Code::Pick] {
            asm.num(2);
            asm.op(code);
        }
        let pieces = asm.len() - start;
        (0..below + 4).for_each(|_| asm.op(Code::Nip));
        let (script, _) = asm.finish().unwrap();
        let shorter = shorten(&script, 0, 0).unwrap();
        assert_eq!(pieces, 4);
        assert!(usize::from(shorter.peak.0) <= 1_000);
        let fired = shorter
            .applied
            .iter()
            .zip(rules())
            .any(|(n, rule)| rule.room && *n > 0);
        assert_eq!(fired, want == 3, "{below}");
    }
}

#[test]
fn offsets_are_followed() {
    let mut asm = Asm::new(0, 1);
    let ops = [
        Code::Dup,
        Code::Dup,
        Code::Swap,
        Code::Add,
        Code::FromAlt,
        Code::Swap,
        Code::Add,
    ];
    asm.num(300);
    asm.ops(&ops);
    asm.op(Code::NumEqual);
    let (script, _) = asm.finish().unwrap_or_else(|e| panic!("{e}"));
    let shorter = shorten(&script, 0, 1).unwrap();
    // 300 DUP DUP ADD FROMALTSTACK ADD NUMEQUAL
    assert_eq!(shorter.script.len(), script.len() - 2);
    let now: Vec<usize> = (0..=script.len())
        .map(|old| shorter.offsets.now(old))
        .collect();
    assert_eq!(now, [0, 3, 3, 3, 4, 5, 5, 6, 7, 8, 8, 9]);
    assert_eq!(usize::from(shorter.peak.0), 4);
    assert!(shorten(&script, 0, 2).is_err());
}

const WORDS: &[&str] = &[
    "DUP",
    "2DUP",
    "3DUP",
    "OVER",
    "2OVER",
    "SWAP",
    "2SWAP",
    "ROT",
    "2ROT",
    "TUCK",
    "DROP",
    "2DROP",
    "NIP",
    "TOALTSTACK",
    "FROMALTSTACK",
    "PICK",
    "ROLL",
    "ADD",
    "SUB",
    "1ADD",
    "1SUB",
    "NOT",
    "0NOTEQUAL",
    "NUMEQUAL",
    "NUMNOTEQUAL",
    "LESSTHAN",
    "GREATERTHAN",
    "BOOLAND",
    "BOOLOR",
    "MIN",
    "EQUAL",
    "SIZE",
];

fn piece() -> impl Strategy<Value = Vec<Item>> {
    let code = (0..WORDS.len()).prop_map(|n| Item::Code(Code::from_name(WORDS[n]).unwrap()));
    let small = (-1..6i64).prop_map(|n| Item::Push(number(n)));
    let any = (0..battery().len()).prop_map(|n| Item::Push(battery()[n].clone()));
    prop::collection::vec(prop_oneof![8 => code, 4 => small, 1 => any], 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn pieces_do_what_they_did(
        piece in piece(),
        stack in prop::collection::vec(0..battery().len() + 10, 12),
    ) {
        let battery = battery();
        let item = |n: &usize| battery.get(*n).cloned().unwrap_or_else(|| number(*n as i64));
        let stack: Vec<Vec<u8>> = stack.iter().map(item).collect();
        let short = shorten_items(&piece);
        prop_assert!(bytes(&short) <= bytes(&piece));
        prop_assert!(same(&piece, &short, &stack), "{piece:?} {short:?}");
        prop_assert_eq!(shorten_items(&short), short);
    }
}
