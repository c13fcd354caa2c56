//! Whatever is given to `gavel`: an error that says what and where, the exit code of its kind,
//! no panic, and no file written.

mod support;

use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::Shop;

#[test]
fn files_that_are_no_contract() {
    let shop = Shop::new();
    shop.write("empty.gvl", "");
    shop.write("empty.json", "");
    shop.write("latin1.gvl", b"contract Caf\xe9 {}");
    shop.write("nul.gvl", "contract\0{}");
    std::fs::create_dir(shop.path("folder.gvl")).unwrap();
    for command in ["check", "compile", "cost"] {
        let refused = |file: &str, code, kind| {
            let error = shop.refused(&format!("{command} {file}"), code, kind);
            assert!(error.contains(file), "{error}");
        };
        refused("nothing.gvl", 2, "no-such-file");
        refused("nothing.json", 2, "no-such-file");
        refused("price_bet.gvl/x.gvl", 2, "no-such-file");
        refused("folder.gvl", 2, "is-a-directory");
        refused("latin1.gvl", 1, "source");
        refused("empty.json", 1, "artifact");
        refused("price_bet.params.json", 1, "artifact");
        if command != "check" {
            refused("empty.gvl", 1, "source");
            refused("nul.gvl", 1, "source");
        }
    }
    for file in ["empty.gvl", "nul.gvl"] {
        let ran = shop.gavel(&format!("check {file} --json"));
        assert_eq!(ran.code, 1);
        assert_eq!(ran.json()["ok"], false);
    }
    shop.refused("check", 2, "usage");
    shop.refused("compile price_bet.gvl --emit wasm", 2, "usage");
}

#[test]
fn random_bytes_as_a_source() {
    let shop = Shop::new();
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words = [
        "contract ",
        "settle",
        "(",
        ")",
        "{",
        "}",
        "let ",
        "= ",
        "0x",
        "[",
        "u8 ",
        "from ",
        "\"",
        "pay ",
        "é",
        "/",
        "\n",
        ";",
        "1_0",
        "if ",
        "for ",
        "<",
        "::",
    ];
    for n in 0..40 {
        let length = random() % 400;
        let bytes: Vec<u8> = if n % 2 == 0 {
            (0..length).map(|_| random() as u8).collect()
        } else {
            let pick = |_| words[random() as usize % words.len()];
            (0..length).map(pick).collect::<String>().into_bytes()
        };
        shop.write("random.gvl", bytes);
        for command in ["check", "compile"] {
            assert_eq!(shop.gavel(&format!("{command} random.gvl")).code, 1);
        }
    }
}

#[test]
fn absurd_parameters() {
    let shop = Shop::new();
    let cases = [
        (json!({}), "no value"),
        (json!({ "stake": "much" }), "whole number"),
        (json!({ "stake": -1 }), "whole number"),
        (json!({ "stake": 1.5 }), "whole number"),
        (json!({ "stake": null }), "whole number"),
        (json!({ "stake": [50_000] }), "whole number"),
        (json!({ "stake": 9_999 }), "not allowed"),
        (json!({ "stake": "18446744073709551616" }), "fits 64 bits"),
        (json!({ "stake": u64::MAX }), ""),
        (
            json!({ "stake": 50_000, "stakes": 1 }),
            "did you mean `stake`",
        ),
        (
            json!({ "stake": 50_000, "alice": 7 }),
            "a party's value is a name",
        ),
        (json!({ "stake": 50_000, "": {} }), "no parameter"),
    ];
    for (params, says) in cases {
        shop.write("p.json", params.to_string());
        let error = shop.refused("compile tic_tac_toe.gvl --params p.json", 1, "source");
        assert!(error.contains(says), "{params}: {error}");
        let ran = shop.gavel("check tic_tac_toe.gvl --params p.json --json");
        assert_eq!((ran.code, &ran.json()["ok"]), (1, &Value::Bool(false)));
    }
    let malformed = [
        ("", "EOF"),
        ("[]", "expected"),
        ("{\"stake\": 50000", "EOF"),
        ("{\"stake\": 50000} x", "trailing"),
        ("{\"stake\": 1, \"stake\": 50000}", "twice"),
        ("{\"stake\": 1e999}", "out of range"),
    ];
    for (text, says) in malformed {
        shop.write("p.json", text);
        for command in ["check", "compile", "cost"] {
            let error = shop.refused(
                &format!("{command} tic_tac_toe.gvl --params p.json"),
                1,
                "json",
            );
            assert!(
                error.contains(says) && error.contains("p.json"),
                "{text}: {error}"
            );
        }
    }
    shop.write("p.json", b"\xff\xfe");
    shop.refused("check tic_tac_toe.gvl --params p.json", 1, "not-utf8");
    shop.refused("check tic_tac_toe.gvl --params q.json", 2, "no-such-file");
    shop.write(
        "p.json",
        format!("{}1{}", "[".repeat(1 << 16), "]".repeat(1 << 16)),
    );
    shop.refused("check tic_tac_toe.gvl --params p.json", 1, "json");
}

#[test]
fn absurd_keys_of_an_attestor() {
    let shop = Shop::new();
    let good: Value = serde_json::from_str(&shop.text("price_feed.params.json")).unwrap();
    let mut short = good.clone();
    short["oracle"].as_array_mut().unwrap().pop();
    let mut odd = good.clone();
    odd["oracle"][3] = json!("f41d");
    let mut none = good.clone();
    none["oracle"] = json!("oracle");
    for params in [short, odd, none] {
        shop.write("price_feed.params.json", params.to_string());
        shop.refused("cost price_feed.gvl", 1, "source");
    }
}

#[test]
fn play_files_that_lie() {
    let shop = Shop::new();
    let case = |case: Value| json!({ "cases": [case] }).to_string();
    let files = [
        (
            case(json!({ "name": "a", "inputs": { "price": 1 }, "expect": "AliceWins" })),
            "BobWins",
        ),
        (
            case(json!({ "name": "a", "inputs": { "price": 0 }, "expect": "BobWins" })),
            "NoPrice",
        ),
        (
            case(json!({ "name": "a", "inputs": { "prize": 0 }, "aborts": "NoPrice" })),
            "prize",
        ),
        (
            case(json!({ "name": "a", "inputs": {}, "aborts": "NoPrice" })),
            "no value",
        ),
        (
            case(json!({ "name": "a", "inputs": { "price": 0 } })),
            "either",
        ),
        (case(json!({ "inputs": {} })), "name"),
        (json!({ "case": [] }).to_string(), "case"),
        (
            json!({ "cases": [
                { "name": "a", "inputs": { "price": 1 }, "expect": "BobWins" },
                { "name": "a", "inputs": { "price": 2 }, "expect": "BobWins" },
            ] })
            .to_string(),
            "two cases are called",
        ),
    ];
    for (file, says) in files {
        shop.write("price_feed.play.json", &file);
        let error = shop.refused("compile price_feed.gvl", 1, "play-file");
        assert!(error.contains(says), "{file}: {error}");
    }
}

/// The examples beside a source reveal secrets of the parameters beside it, not of others.
#[test]
fn other_parameters_need_no_examples() {
    let shop = Shop::new();
    let mut params: Value = serde_json::from_str(&shop.text("price_bet.params.json")).unwrap();
    params["above"] = json!("11".repeat(32));
    shop.write("other.json", params.to_string());
    for command in ["compile", "cost"] {
        let ran = shop.gavel(&format!("{command} price_bet.gvl --params other.json"));
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    shop.refused("play price_bet.gvl --params other.json", 1, "play-file");
}

#[test]
fn numbers_are_taken_as_they_are_printed() {
    let shop = Shop::new();
    assert_eq!(shop.gavel("cost price_feed.gvl --bond 1_000_330").code, 0);
    for number in ["-5", "1e6", "_", "18446744073709551616"] {
        let error = shop.refused(&format!("cost price_feed.gvl --bond {number}"), 2, "usage");
        assert!(error.contains("a whole number"), "{error}");
    }
}

#[test]
fn artifacts_edited_by_hand() {
    let shop = Shop::new();
    assert_eq!(shop.gavel("compile tic_tac_toe.gvl -o good.json").code, 0);
    let good: Value = serde_json::from_str(&shop.text("good.json")).unwrap();
    let edits: [(&str, Value, &str); 9] = [
        ("/digest", json!("00"), "`/digest`"),
        (
            "/source",
            json!(good["source"].as_str().unwrap().replace("2_016", "2_017")),
            "`/contract/",
        ),
        ("/source", json!("contract"), "does not compile"),
        ("/params/stake", json!(60_000), "`/contract/"),
        ("/contract/id", json!("ff"), "`/contract/id`"),
        (
            "/segments/0/bodies/1/sha256",
            json!("aa"),
            "`/segments/0/bodies/1/sha256`",
        ),
        ("/elements/0/digits/1", json!(3), "`/elements/0/digits/1`"),
        (
            "/options/max_leaf_weight",
            json!(1),
            "`/options/max_leaf_weight`",
        ),
        ("/version", json!(99), "`/version`"),
    ];
    for (at, value, says) in edits {
        let mut edited = good.clone();
        *edited.pointer_mut(at).unwrap() = value;
        shop.write("edited.json", edited.to_string());
        for command in ["check", "compile", "cost"] {
            let error = shop.refused(&format!("{command} edited.json"), 1, "artifact");
            assert!(error.contains(says), "{at}: {error}");
        }
    }
    let twice = shop
        .text("good.json")
        .replacen("\"stake\":", "\"stake\": 1, \"stake\":", 1);
    shop.write("twice.json", &twice);
    let error = shop.refused("check twice.json", 1, "artifact");
    assert!(error.contains("`stake` stands there twice"), "{error}");
    shop.write("half.json", &shop.text("good.json")[..1_000]);
    shop.refused("cost half.json", 1, "artifact");
    shop.refused(
        "cost good.json --params tic_tac_toe.params.json",
        2,
        "usage",
    );
    shop.refused("compile good.json --max-leaf-weight 9000", 2, "usage");
    shop.refused(
        "check good.json --params tic_tac_toe.params.json",
        2,
        "usage",
    );
}

#[test]
fn absurd_terms() {
    let shop = Shop::new();
    let cases = [
        (json!({ "survive_feerate": 0 }), "deploy"),
        (json!({ "relay_feerate": 10_001 }), "deploy"),
        (json!({ "survive_feerate": "ten" }), "json"),
        (json!({ "windows": { "challenge": 1 } }), "json"),
        (json!({ "fee": 1 }), "json"),
        (json!({ "bond": 1 }), "deploy"),
        (json!([]), "json"),
    ];
    for (terms, kind) in cases {
        shop.write("terms.json", terms.to_string());
        shop.refused("cost price_feed.gvl --terms terms.json", 1, kind);
    }
    let twice = r#"{ "windows": { "challenge": 144, "challenge": 9 } }"#;
    shop.write("terms.json", twice);
    let error = shop.refused("cost price_feed.gvl --terms terms.json", 1, "json");
    assert!(error.contains("`challenge` stands there twice"), "{error}");
    let windows = |challenge: u64, confirm: u64| {
        json!({ "windows": {
            "challenge": challenge, "assert": 144, "disprove": 144, "confirm": confirm, "reorg": 6,
        } })
    };
    for terms in [
        windows(10, 36),
        windows(5_000, 36),
        windows(u64::from(u32::MAX), 1),
        windows(144, 0),
    ] {
        shop.write("terms.json", terms.to_string());
        shop.refused("cost price_feed.gvl --terms terms.json", 1, "deploy");
    }
    shop.refused("cost price_feed.gvl --terms none.json", 2, "no-such-file");
    shop.refused("cost price_feed.gvl --bond -5", 2, "usage");
    shop.refused(
        "cost price_feed.gvl --bond 18446744073709551615",
        1,
        "deploy",
    );
    shop.refused(
        "cost price_feed.gvl --survive-feerate 18446744073709551615",
        1,
        "deploy",
    );
    shop.refused("compile price_feed.gvl --max-leaf-weight 0", 2, "usage");
    shop.refused(
        "compile price_bet.gvl --max-leaf-weight 5000",
        1,
        "too-large",
    );
}

#[test]
fn outputs_that_cannot_be_written() {
    let shop = Shop::new();
    shop.refused(
        "compile price_feed.gvl -o no/such/out.json",
        2,
        "no-such-folder",
    );
    shop.refused(
        "compile price_feed.gvl -o price_bet.gvl/out.json",
        2,
        "no-such-folder",
    );
    shop.refused("compile price_feed.gvl -o .", 2, "is-a-directory");
    shop.refused("new bet --dir price_bet.gvl", 2, "usage");
    #[cfg(target_os = "linux")]
    {
        shop.refused("compile price_feed.gvl -o /proc/out.json", 3, "unwritable");
        shop.refused("new bet --dir /proc/no", 3, "unwritable");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let shop = Shop::new();
    let line = format!(
        "{} compile tic_tac_toe.gvl --emit asm | head -c 10",
        env!("CARGO_BIN_EXE_gavel")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .current_dir(shop.path(""))
        .output()
        .unwrap();
    assert!(output.stderr.is_empty());
    assert_eq!(output.stdout.len(), 10);
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let shop = Shop::new();
    let pipe = shop.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = Command::new("cat")
        .arg(&pipe)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ran = shop.gavel("compile price_feed.gvl --emit ir -o pipe");
    let read = reader.wait_with_output().unwrap().stdout;
    assert_eq!(ran.code, 0);
    assert!(read.starts_with(b"; input 0"), "{read:?}");
    assert!(!pipe.is_file());
}

#[test]
fn a_link_stays_a_link() {
    let shop = Shop::new();
    shop.write("there.ir", "old");
    std::os::unix::fs::symlink("there.ir", shop.path("here.ir")).unwrap();
    let ran = shop.gavel("compile price_feed.gvl --emit ir -o here.ir");
    assert_eq!(ran.code, 0);
    assert!(shop.path("here.ir").is_symlink());
    assert!(shop.text("there.ir").starts_with("; input 0"));
}

#[test]
fn what_a_contract_is_made_of_is_not_overwritten() {
    let shop = Shop::new();
    assert_eq!(shop.gavel("compile price_feed.gvl -o a.json").code, 0);
    for (file, out) in [
        ("price_feed.gvl", "price_feed.gvl"),
        ("price_feed.gvl", "./price_feed.params.json"),
        ("price_feed.gvl", "price_feed.play.json"),
        ("a.json", "a.json"),
    ] {
        let before = shop.text(out);
        shop.refused(&format!("compile {file} --emit ir -o {out}"), 2, "exists");
        assert_eq!(shop.text(out), before, "{out}");
    }
    shop.refused("compile price_feed.gvl -o no/", 2, "no-such-folder");
}

#[test]
fn names_that_are_no_utf8() {
    let shop = Shop::new();
    let odd = |text: &[u8]| std::ffi::OsString::from_vec(text.to_vec());
    let gavel = |words: &[std::ffi::OsString]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gavel"));
        command.args(words).arg("--json").current_dir(shop.path(""));
        let output = command.output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"));
        (output.status.code(), value)
    };
    let word = std::ffi::OsString::from;
    let (code, made) = gavel(&[word("new"), word("bet"), word("--dir"), odd(b"d\xff")]);
    assert_eq!(code, Some(0), "{made}");
    let (code, report) = gavel(&[word("check"), odd(b"d\xff/bet.gvl")]);
    assert_eq!((code, &report["ok"]), (Some(0), &Value::Bool(true)));
    let words = [
        word("compile"),
        word("price_feed.gvl"),
        word("-o"),
        odd(b"\xff.json"),
    ];
    assert_eq!(gavel(&words).0, Some(0));
    for command in ["check", "compile", "cost", "play"] {
        assert_eq!(gavel(&[word(command), odd(b"\xfe.gvl")]).0, Some(2));
    }
    for words in [
        &[word("new"), odd(b"\xff")][..],
        &[odd(b"\xff")],
        &[
            word("play"),
            word("price_feed.gvl"),
            word("--scenario"),
            odd(b"\xff"),
        ],
    ] {
        let (code, value) = gavel(words);
        assert_eq!((code, &value["error"]["kind"]), (Some(2), &json!("usage")));
    }
}

#[test]
fn usage_errors_in_json_say_what_is_missing() {
    let shop = Shop::new();
    let message = |arguments: &str| {
        let value = shop.gavel(&format!("{arguments} --json")).json();
        value["error"].to_string()
    };
    assert!(message("check").contains("<FILE>"));
    assert!(message("regtest fund").contains("<AMOUNT>"));
    assert!(message("completions fish_and_chips").contains("zsh"));
    assert!(message("chek").contains("a similar subcommand exists"));
    // And a list is an object like everything else.
    let list = shop.gavel("play --list --json").json();
    assert!(list["scenarios"][0]["name"].is_string());
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_does_not_fit_on_the_disk() {
    let shop = Shop::new();
    for arguments in ["check price_feed.gvl", "compile price_feed.gvl --json"] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_gavel"))
            .args(arguments.split(' '))
            .current_dir(shop.path(""))
            .stdout(full)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments}: {errors}");
        assert!(
            errors.contains("standard output can't be written"),
            "{errors}"
        );
    }
}
