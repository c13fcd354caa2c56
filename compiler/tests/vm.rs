//! Our Script machine against Bitcoin Core's consensus code: rule by rule, and on random
//! scripts. `GAVEL_CASES=100000` tries that many, for a long run.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "support/accepted/dice.rs"]
mod dice;
#[path = "support/scripts.rs"]
mod scripts;
mod support;

use bitcoin::Script;
use bitcoin::hex::{DisplayHex, FromHex};
use dice::Dice;
use gavel_compiler::script::code::{Code, Item, items};
use gavel_compiler::script::print_asm;
use gavel_compiler::script::vm::{Rules, Why, run};
use std::cell::Cell;
use support::asm::assemble;
use support::core::Spend;
use support::x_only;

/// Who takes a spend.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// Consensus and relay policy.
    All,
    /// Consensus only.
    Blocks,
    Nobody,
}
use By::{All, Blocks, Nobody};

/// What stands for the real signature in a stack.
const SIGNATURE: &[u8] = b"signature";

/// Bytes of a control block.
const CONTROL: usize = 97;

/// Who takes a spend, by both machines; `None` where what ours doesn't know decides: an opcode
/// that we never emit, a lock time, or the budget for signatures.
fn verdict(script: &[u8], stack: &[Vec<u8>]) -> Option<By> {
    let script = Script::from_bytes(script);
    let spend = Spend::new(script, 0);
    let stack: Vec<Vec<u8>> = stack
        .iter()
        .map(|item| match item.as_slice() {
            SIGNATURE => spend.signature.to_vec(),
            item => item.to_vec(),
        })
        .collect();
    let checked = Cell::new(0);
    let key = x_only(0).serialize();
    // Keys of other sizes are for later uses: any signature will do.
    let valid = |signature: &[u8], given: &[u8]| {
        checked.set(checked.get() + 1);
        given.len() != 32 || (given == key && signature == spend.signature)
    };
    let with = |minimal_data| Rules {
        minimal_data,
        valid: &valid,
    };
    let ours = run(script.as_bytes(), &stack, &with(false)).verdict;
    let bytes: usize = stack.iter().map(|item| item.len() + 1).sum();
    if items(script.as_bytes()).any(|(_, item)| item == Item::Code(Code::CheckSequenceVerify)) {
        return None;
    }
    let unknown = match &ours {
        // Below are pushes that run past the end.
        Err(refusal) => refusal.why == Why::Unknown && script.as_bytes()[refusal.at] > 0x60,
        Ok(()) => false,
    };
    if unknown || checked.get() * 50 > bytes + script.len() + CONTROL {
        return None;
    }
    let policy = run(script.as_bytes(), &stack, &with(true)).verdict.is_ok();
    assert_eq!(
        spend.accepted(&stack),
        ours.is_ok(),
        "{}\n{:?}\nours: {ours:?}",
        print_asm(script.as_bytes()),
        stack
            .iter()
            .map(|item| item.to_lower_hex_string())
            .collect::<Vec<_>>(),
    );
    assert!(ours.is_ok() || !policy, "policy takes less than consensus");
    Some(match (ours.is_ok(), policy) {
        (true, true) => All,
        (true, false) => Blocks,
        _ => Nobody,
    })
}

/// Checks rows of a script, its stack (items in hex, `-` for an empty one, `SIG` for the
/// signature) and who takes the spend; gives their number.
fn check(rows: &[(&str, &str, By)]) -> usize {
    let key = x_only(0).serialize().to_lower_hex_string();
    for (text, stack, wanted) in rows {
        let script = assemble(&text.replace("KEY", &format!("0x20{key}")));
        let stack: Vec<Vec<u8>> = stack
            .split_ascii_whitespace()
            .map(|item| match item {
                "SIG" => SIGNATURE.to_vec(),
                "-" => vec![],
                hex => Vec::from_hex(hex).unwrap(),
            })
            .collect();
        let verdict = verdict(&script, &stack);
        assert_eq!(verdict, Some(*wanted), "{text} on {stack:02x?}");
    }
    rows.len()
}

#[test]
fn conditions_are_empty_or_one() {
    let branch = "IF 1 ELSE 2 ENDIF";
    check(&[
        (branch, "01", All),
        (branch, "-", All),
        (branch, "00", Nobody),
        (branch, "80", Nobody),
        (branch, "02", Nobody),
        (branch, "81", Nobody),
        (branch, "0100", Nobody),
        (branch, "0000", Nobody),
        ("NOTIF 1 ELSE 2 ENDIF", "01", All),
        ("NOTIF 1 ELSE 2 ENDIF", "-", All),
        ("NOTIF 1 ELSE 2 ENDIF", "02", Nobody),
        ("IF 0 ELSE 1 ENDIF", "01", Nobody),
        ("IF 0 ELSE 1 ENDIF", "-", All),
        ("IF 1 ENDIF", "-", Nobody),
        (branch, "", Nobody),
        // Conditions that are not reached may be anything.
        ("0 IF 2 IF ENDIF ENDIF 1", "", All),
        ("0 IF 2 NOTIF ELSE ENDIF ENDIF 1", "", All),
    ]);
}

#[test]
fn branches_are_balanced() {
    check(&[
        ("1 IF 1", "", Nobody),
        ("1 IF 1 ELSE", "", Nobody),
        ("1 ENDIF", "", Nobody),
        ("1 ELSE", "", Nobody),
        ("ELSE 1 ENDIF", "", Nobody),
        ("0 IF IF ENDIF 1", "", Nobody),
        ("0 IF ELSE 1", "", Nobody),
        ("1 IF 1 ELSE 0 ELSE 1 ENDIF", "", Nobody),
        ("1 IF 1 ELSE RETURN ELSE NOP ENDIF", "", All),
        ("0 IF RETURN ELSE 1 ELSE RETURN ENDIF", "", All),
        ("0 IF IF RETURN ELSE RETURN ENDIF ELSE 1 ENDIF", "", All),
        ("1 IF ELSE ENDIF ENDIF 1", "", Nobody),
        ("1 0 IF VERIFY DROP FROMALTSTACK 5 ROLL ENDIF", "", All),
    ]);
}

#[test]
fn pushes_may_be_longer_than_needed_in_blocks_only() {
    check(&[
        ("0x0101", "", Blocks),
        ("0x0110 16 EQUAL", "", Blocks),
        ("0x0111 17 EQUAL", "", All),
        ("0x0181 -1 EQUAL", "", Blocks),
        ("0x4c00 NOT", "", Blocks),
        ("0x4c0107", "", Blocks),
        ("0x4d01000a", "", Blocks),
        ("0x4e010000000a", "", Blocks),
        // Not where they aren't reached.
        ("0 IF 0x0101 ENDIF 1", "", All),
        ("0x4c", "", Nobody),
        ("1 0x02aa", "", Nobody),
        ("1 0x4dff", "", Nobody),
        ("1 0x4effffffff00", "", Nobody),
        ("0 IF 0x05aa ENDIF 1", "", Nobody),
    ]);
}

#[test]
fn numbers_have_four_bytes() {
    check(&[
        ("2147483647 1ADD SIZE 5 EQUALVERIFY", "", All),
        ("2147483647 DUP ADD SIZE 5 EQUALVERIFY", "", All),
        ("-2147483647 1SUB SIZE 5 EQUALVERIFY", "", All),
        ("2147483647 1ADD 0NOTEQUAL", "", Nobody),
        ("2147483647 1ADD 1SUB", "", Nobody),
        ("2147483647 1ADD 0 ADD", "", Nobody),
        ("0 2147483647 1ADD ADD", "", Nobody),
        ("2147483647 1ADD NOT", "", Nobody),
        ("2147483647 1ADD 0 1 WITHIN 1ADD", "", Nobody),
        ("1 2147483647 1ADD 0 WITHIN 1ADD", "", Nobody),
        ("1 0 2147483647 1ADD WITHIN", "", Nobody),
        ("1 2147483647 1ADD BOOLOR", "", Nobody),
        ("1 2147483647 1ADD MAX", "", Nobody),
        ("1 1 2147483647 1ADD PICK DROP", "", Nobody),
        ("2147483647 1ADD 2147483648 EQUAL", "", All),
        ("2147483647 1ADD VERIFY 1", "", All),
        ("2147483647 -2147483647 ADD NOT", "", All),
        ("-2147483647 ABS 2147483647 NUMEQUAL", "", All),
        ("2147483647 NEGATE -2147483647 NUMEQUAL", "", All),
        ("2147483646 2147483647 LESSTHAN", "", All),
        ("-2147483647 2147483647 LESSTHAN", "", All),
        ("-1 -2 GREATERTHAN", "", All),
        ("0 0 1 WITHIN", "", All),
        ("1 0 1 WITHIN", "", Nobody),
        ("-1 0 1 WITHIN", "", Nobody),
        ("0NOTEQUAL", "00000001", All),
        ("0NOTEQUAL", "0000000001", Nobody),
        // Zeros above the sign are dropped only by consensus.
        ("1 NUMEQUAL", "0100", Blocks),
        ("1 NUMEQUAL", "01000000", Blocks),
        ("1 NUMEQUAL", "0100000000", Nobody),
        ("-1 NUMEQUAL", "0180", Blocks),
        ("128 NUMEQUAL", "8000", All),
    ]);
}

#[test]
fn negative_zero_is_false() {
    check(&[
        ("", "80", Nobody),
        ("", "0080", Nobody),
        ("", "00", Nobody),
        ("", "00000000000000000000", Nobody),
        ("", "00000000000000000080", Nobody),
        ("", "00000000000000000001", All),
        ("", "8000", All),
        ("VERIFY 1", "80", Nobody),
        ("NOT", "80", Blocks),
        ("0 NUMEQUAL", "80", Blocks),
        ("0 EQUAL", "80", Nobody),
        ("0NOTEQUAL", "80", Nobody),
        ("IF 1 ELSE 1 ENDIF", "80", Nobody),
        ("0 NEGATE 0 EQUAL", "", All),
        ("0 ABS SIZE 0 EQUALVERIFY NOT", "", All),
        ("1 1 SUB 0 EQUAL", "", All),
    ]);
}

#[test]
fn stacks_hold_a_thousand_items() {
    let many = |n: usize| "01 ".repeat(n);
    let drops = |n: usize| "DROP ".repeat(n);
    let rows = [
        (drops(999), many(1_000), All),
        (drops(1_000), many(1_001), Nobody),
        (format!("1 {}", drops(999)), many(999), All),
        (format!("1 {}", drops(1_000)), many(1_000), Nobody),
        (format!("1 1 {}", drops(1_000)), many(999), Nobody),
        (format!("DEPTH {}", drops(1_000)), many(1_000), Nobody),
        (format!("3DUP {}", drops(999)), many(997), All),
        (format!("3DUP {}", drops(1_000)), many(998), Nobody),
        (format!("2DUP {}", drops(1_000)), many(999), Nobody),
        (format!("TUCK {}", drops(1_000)), many(1_000), Nobody),
        (format!("SIZE {}", drops(1_000)), many(1_000), Nobody),
        // The altstack counts, and needs not be empty at the end.
        (format!("{}1", "TOALTSTACK ".repeat(999)), many(999), All),
        (
            format!("{}1", "TOALTSTACK ".repeat(1_000)),
            many(1_000),
            Nobody,
        ),
        (
            format!("{}1 1 DROP", "TOALTSTACK ".repeat(999)),
            many(999),
            Nobody,
        ),
        (format!("TOALTSTACK {}", drops(998)), many(1_000), All),
        // Neither the count nor anything else is looked at where nothing is executed.
        (
            format!("0 IF {} ENDIF 1", "1 ".repeat(1_200)),
            String::new(),
            All,
        ),
    ];
    for (script, stack, wanted) in &rows {
        check(&[(script, stack, *wanted)]);
    }
}

#[test]
fn items_have_520_bytes() {
    let item = |n: usize| "07".repeat(n);
    let push = |n: usize| {
        format!(
            "0x4d{}{}",
            (n as u16).to_le_bytes().to_lower_hex_string(),
            item(n)
        )
    };
    let rows = [
        (String::new(), item(520), All),
        (String::new(), item(521), Nobody),
        (format!("{} DROP 1", push(520)), String::new(), All),
        (format!("{} DROP 1", push(521)), String::new(), Nobody),
        (format!("0 IF {} ENDIF 1", push(520)), String::new(), All),
        (format!("0 IF {} ENDIF 1", push(521)), String::new(), Nobody),
        ("SIZE 520 EQUALVERIFY SHA256".to_owned(), item(520), All),
    ];
    for (script, stack, wanted) in &rows {
        check(&[(script, stack, *wanted)]);
    }
}

#[test]
fn one_true_item_is_left() {
    check(&[
        ("", "01", All),
        ("", "", Nobody),
        ("1 1", "", Nobody),
        ("1 0", "", Nobody),
        ("0", "", Nobody),
        ("1 TOALTSTACK 1", "", All),
        ("1 RETURN", "", Nobody),
        ("0 IF RETURN ENDIF 1", "", All),
        ("0 VERIFY 1", "", Nobody),
    ]);
}

/// Such a leaf is everybody's: a machine that refused it would hide a defect of a generator.
#[test]
fn reserved_opcodes_succeed() {
    let mut successes = 0;
    for byte in (0x50..=0xffu8).filter(|byte| *byte != Code::CheckSequenceVerify as u8) {
        let success = bitcoin::opcodes::Opcode::from(byte)
            .classify(bitcoin::opcodes::ClassifyContext::TapScript)
            == bitcoin::opcodes::Class::SuccessOp;
        // All of consensus agrees that nobody can spend the others so.
        let wanted = if success { Blocks } else { Nobody };
        let given = verdict(&[0x00, 0x69, byte, 0x00], &[]);
        assert_eq!(given, Some(wanted), "{byte:#x}");
        successes += usize::from(success);
    }
    assert_eq!(successes, 87);
    check(&[
        ("RETURN 0x50", "", Blocks),
        ("0 IF 0xbb ENDIF", "", Blocks),
        ("1 IF 0xfe", "01 02", Blocks),
        // What follows needs not even be whole; what comes before must be.
        ("0x50 0x4d", "", Blocks),
        ("0x02 0x50", "", Nobody),
        ("1 0x0150 DROP", "", All),
    ]);
}

#[test]
fn signatures_are_valid_or_empty() {
    let bad = "07".repeat(64);
    let rows = [
        ("KEY CHECKSIG", "SIG", All),
        ("KEY CHECKSIG", "-", Nobody),
        ("KEY CHECKSIG NOT", "-", All),
        ("KEY CHECKSIG NOT", &*bad, Nobody),
        ("KEY CHECKSIG NOT", "00", Nobody),
        ("KEY CHECKSIG 0NOTEQUAL", &*bad, Nobody),
        ("KEY CHECKSIGVERIFY 1", "SIG", All),
        ("KEY CHECKSIGVERIFY 1", "-", Nobody),
        ("KEY CHECKSIGVERIFY 1", &*bad, Nobody),
        ("CHECKSIG", "SIG", Nobody),
        ("KEY CHECKSIG", "", Nobody),
        // An empty key is refused, also with an empty signature.
        ("0 CHECKSIG NOT", "-", Nobody),
        ("0 CHECKSIG", "SIG", Nobody),
        ("0 0 0 CHECKSIGADD 1", "", Nobody),
    ];
    check(&rows);
    // Keys of a size for later uses: blocks take any signature but an empty one.
    let key = format!("0x21{}", "02".repeat(33));
    for (script, stack, taken) in [
        (format!("{key} CHECKSIG"), "01", true),
        (format!("{key} CHECKSIG"), "-", false),
        (format!("{key} CHECKSIG NOT"), "-", true),
        (format!("7 {key} CHECKSIGADD 8 NUMEQUAL"), "01", true),
        (format!("7 {key} CHECKSIGADD 7 NUMEQUAL"), "-", true),
    ] {
        let stack = if stack == "-" { vec![] } else { vec![1] };
        let given = verdict(&assemble(&script), &[stack]).unwrap();
        assert_eq!(given != Nobody, taken, "{script}");
    }
}

#[test]
fn checksigadd_counts() {
    check(&[
        ("5 KEY CHECKSIGADD 6 NUMEQUAL", "SIG", All),
        ("5 KEY CHECKSIGADD 5 NUMEQUAL", "-", All),
        ("5 KEY CHECKSIGADD", "07", Nobody),
        ("5 KEY CHECKSIGADD", "", Nobody),
        ("KEY CHECKSIGADD", "SIG", Nobody),
        ("-1 KEY CHECKSIGADD NOT", "SIG", All),
        ("KEY CHECKSIG KEY CHECKSIGADD 2 NUMEQUAL", "SIG SIG", All),
        ("KEY CHECKSIG KEY CHECKSIGADD 1 NUMEQUAL", "SIG -", All),
        ("KEY CHECKSIG KEY CHECKSIGADD 1 NUMEQUAL", "- SIG", All),
        ("KEY CHECKSIG KEY CHECKSIGADD", "- -", Nobody),
        // The count is a number: of four bytes, though the sum may take five.
        (
            "SWAP KEY CHECKSIGADD SIZE 5 EQUALVERIFY",
            "ffffff7f SIG",
            All,
        ),
        ("SWAP KEY CHECKSIGADD", "ffffffff7f SIG", Nobody),
        ("SWAP KEY CHECKSIGADD 2 EQUAL", "0100 SIG", Blocks),
        ("SWAP KEY CHECKSIGADD 1 EQUAL", "80 SIG", Blocks),
    ]);
}

/// Random scripts, most of them meaningful: both machines say the same.
#[test]
fn machines_agree_on_random_scripts() {
    let asked = std::env::var("GAVEL_CASES").ok();
    let cases: u64 = asked.and_then(|n| n.parse().ok()).unwrap_or(15_000);
    let (mut taken, mut compared) = (0, 0);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..cases {
        let (script, stack) = scripts::script(Dice::seeded(seed));
        let given = std::panic::catch_unwind(|| verdict(&script, &stack));
        let Some(by) = given.unwrap_or_else(|_| panic!("seed {seed}")) else {
            continue;
        };
        compared += 1;
        if by != Nobody {
            taken += 1;
            seen.extend(items(&script).filter_map(|(_, item)| match item {
                Item::Code(code) => Some(code),
                _ => None,
            }));
        }
    }
    println!(
        "{compared} of {cases} random scripts compared, {taken} taken, {} opcodes in those",
        seen.len()
    );
    assert!(compared * 10 > cases * 9, "{compared}");
    assert!(taken * 4 > compared && taken * 4 < compared * 3, "{taken}");
    // All but the one that looks at the transaction.
    assert_eq!(seen.len(), 55, "{seen:?}");
}
