//! `gavel inspect` and `gavel debug`.
//!
//! The snapshots hold sizes and offsets, which change with every improvement of the generated
//! code: `INSTA_UPDATE=always` writes them again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::Value;
use support::Shop;

#[test]
fn inspect_shows_leaves() {
    let shop = Shop::new();
    for (name, arguments) in [
        ("list", "inspect tic_tac_toe.gvl"),
        (
            "tic_tac_toe",
            "inspect tic_tac_toe.gvl segment:1/Draw --summary",
        ),
        (
            "auction",
            "inspect auction.gvl segment:1/BenAt20 --line 39 --items 4",
        ),
        (
            "price_feed",
            "inspect price_feed.gvl segment:1/AliceWins --from 1400 --width 120",
        ),
    ] {
        insta::assert_snapshot!(format!("inspect_{name}"), shop.gavel(arguments).all());
    }
}

#[test]
fn inspect_json_has_everything() {
    let shop = Shop::new();
    for leaf in [
        "price_feed.gvl segment:1/BobWins",
        "price_feed.gvl claim:1",
        "price_feed.gvl release",
        "tic_tac_toe.gvl claim:1",
        "tic_tac_toe.gvl assert:1 --max-leaf-weight 9000",
        "tic_tac_toe.gvl segment:2 --max-leaf-weight 9000",
    ] {
        let all = shop.gavel(&format!("inspect {leaf} --json")).json();
        let last = all["runs"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["depth"], &last["altstack"]),
            (&1.into(), &0.into()),
            "{leaf}"
        );
        let bytes = all["bytes"].as_u64().unwrap();
        let mut at = 0;
        for run in all["runs"].as_array().unwrap() {
            assert_eq!(run["from"].as_u64().unwrap(), at);
            at = run["to"].as_u64().unwrap();
            assert!(!run["asm"].as_str().unwrap().is_empty());
            assert_ne!(run["what"], "other");
        }
        assert_eq!(at, bytes, "{leaf}");
        let sum = |list: &Value| -> u64 {
            let list = list.as_array().unwrap().iter();
            list.map(|row| row["bytes"].as_u64().unwrap()).sum()
        };
        assert_eq!(sum(&all["kinds"]), bytes);
        let rest = all["bytes_without_line"].as_u64().unwrap();
        assert_eq!(sum(&all["lines"]) + rest, bytes);
    }
    let leaves = shop.gavel("inspect price_feed.gvl --json").json();
    for leaf in leaves["leaves"].as_array().unwrap() {
        let name = leaf["name"].as_str().unwrap();
        let shown = shop.gavel(&format!("inspect price_feed.gvl {name} --summary --json"));
        let shown = shown.json();
        assert_eq!(shown["bytes"], leaf["bytes"], "{name}");
        assert_eq!(shown["peak"], leaf["peak"], "{name}");
        assert_eq!(shown["weight"], leaf["weight"], "{name}");
    }
}

#[test]
fn inspect_takes_artifacts() {
    let shop = Shop::new();
    shop.gavel("compile price_feed.gvl -o feed.json");
    let of_source = shop.gavel("inspect price_feed.gvl segment:1/BobWins --json");
    let of_artifact = shop.gavel("inspect feed.json segment:1/BobWins --json");
    assert_eq!(of_source.out, of_artifact.out);
}

#[test]
fn debug_sessions() {
    let shop = Shop::new();
    let small = "debug tic_tac_toe.gvl --max-leaf-weight 9000 segment:3";
    for (name, arguments, script) in [
        (
            "forwards_and_backwards",
            "debug price_feed.gvl segment:1/AliceWins".to_owned(),
            "step 10; line 16; print; step 5; print; back 5; print; prev; find Alice; \
             next; break 15; start; continue; continue; end; stack",
        ),
        (
            "a_lie",
            "debug price_feed.gvl segment:1/BobWins".to_owned(),
            "find Bob; print; end",
        ),
        ("a_segment", small.to_owned(), "line 44; print; screen"),
    ] {
        let ran = shop.gavel_with(&arguments, script.as_bytes());
        insta::assert_snapshot!(format!("debug_{name}"), ran.all());
        let lines = script.replace("; ", "\n");
        assert_eq!(shop.gavel_with(&arguments, lines.as_bytes()).out, ran.out);
    }
}

/// A leaf's verdict.
fn verdict(shop: &Shop, arguments: &str) -> Value {
    let ran = shop.gavel(&format!("debug {arguments} --json"));
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["verdict"].clone()
}

#[test]
fn leaves_find_lies() {
    let shop = Shop::new();
    let small = "tic_tac_toe.gvl --max-leaf-weight 9000";
    for n in 1..4 {
        let honest = verdict(&shop, &format!("{small} segment:{n}"));
        assert_eq!(honest["spendable"], false, "{honest}");
    }
    let ran = shop.gavel("compile tic_tac_toe.gvl --max-leaf-weight 9000 --json");
    let artifact = ran.json();
    for (n, segment) in artifact["segments"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .take(3)
    {
        for id in segment["writes"].as_array().unwrap() {
            let leaf = format!("{small} segment:{} --corrupt {id}.0.0=13", n + 1);
            let found = verdict(&shop, &leaf);
            assert_eq!(found["spendable"], true, "{leaf}: {found}");
            assert_eq!(found["claimed"], 13);
        }
    }
    // What is read is taken as it stands; what follows from it is then another.
    let feed = "price_feed.gvl segment:1/BobWins --inputs {\"price\":1000}";
    assert_eq!(verdict(&shop, feed)["spendable"], false);
    let corrupt = verdict(&shop, &format!("{feed} --corrupt price.1.7=1"));
    assert_eq!(corrupt["spendable"], true);
    let frame = "price_feed.gvl segment:1/BobWins --frame {\"price\":[1000,0]}";
    assert_eq!(verdict(&shop, frame)["spendable"], false);
    let frame = "price_feed.gvl segment:1/BobWins --frame {\"0\":[\"1000\",9]}";
    assert_eq!(verdict(&shop, frame)["spendable"], true);
    let aborts = verdict(
        &shop,
        "price_feed.gvl segment:1/BobWins --inputs {\"price\":0}",
    );
    assert!(
        aborts["why"].as_str().unwrap().contains("`NoPrice` aborts"),
        "{aborts}"
    );
}

/// Digits that no honest claimer signs, and numbers that no leaf has.
#[test]
fn absurd_frames_and_numbers_are_run_all_the_same() {
    let shop = Shop::new();
    let small = "debug tic_tac_toe.gvl --max-leaf-weight 9000";
    let artifact = shop
        .gavel("compile tic_tac_toe.gvl --max-leaf-weight 9000 --json")
        .json();
    for (n, segment) in (1..4).zip(artifact["segments"].as_array().unwrap()) {
        let reads = segment["reads"].as_array().unwrap().iter();
        let corrupt: Vec<String> = reads.map(|id| format!("--corrupt {id}.0.0=15")).collect();
        let ran = shop.gavel(&format!(
            "{small} segment:{n} {} --script end",
            corrupt.join(" ")
        ));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("the leaf can"), "{ran:?}");
    }
    let words = "debug price_feed.gvl segment:1/BobWins --frame '{\"price\": [4294967295, \"0\"]}'";
    assert!(shop.gavel(words).out.contains("the leaf can"));
    let most = u64::MAX;
    let far = format!("step {most}; back {most}; step {most}; print; stack {most}; back 1; print");
    let ran = shop.gavel(&format!(
        "{small} segment:3 --items {most} --script '{far}'"
    ));
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = shop.gavel(&format!(
        "inspect price_feed.gvl segment:1/BobWins --items {most} --width {most}"
    ));
    assert_eq!(ran.code, 0, "{ran:?}");
    for width in [0, 1, 40] {
        let ran = shop.gavel(&format!(
            "inspect price_feed.gvl segment:1/BobWins --items 0 --width {width}"
        ));
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

#[test]
fn back_is_where_it_was() {
    let shop = Shop::new();
    let at = |script: &str| {
        shop.write("commands.txt", script);
        let leaf = "debug tic_tac_toe.gvl --max-leaf-weight 9000 segment:2 --items 99 --json";
        let mut json = shop.gavel_with(leaf, script.as_bytes()).json();
        let mut last = json["commands"].as_array_mut().unwrap().pop().unwrap();
        last["command"].take();
        last
    };
    for (n, m) in [(5, 5), (700, 1), (1100, 900), (1500, 3)] {
        let there = at(&format!("step {}", n - m));
        assert_eq!(at(&format!("step {n}; back {m}")), there);
        assert_eq!(at(&format!("end; start; step {n}; back {m}")), there);
        let offset = &there["offset"];
        assert_eq!(at(&format!("end; goto {offset}")), there);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let shop = Shop::new();
    shop.gavel("compile price_feed.gvl -o feed.json");
    shop.write("alone.gvl", shop.text("price_feed.gvl"));
    let feed = "price_feed.gvl segment:1/BobWins";
    for (arguments, code, kind, says) in [
        (
            "inspect price_feed.gvl segment:2".to_owned(),
            2,
            "usage",
            "the only segment is 1",
        ),
        (
            "inspect price_feed.gvl segment:x".to_owned(),
            2,
            "usage",
            "no leaf `segment:x`",
        ),
        (
            "inspect price_feed.gvl segment:1".to_owned(),
            2,
            "usage",
            "segment:1/AliceWins",
        ),
        (
            "inspect price_feed.gvl segment:1/Nobody".to_owned(),
            2,
            "usage",
            "no outcome",
        ),
        (
            "inspect price_feed.gvl relase".to_owned(),
            2,
            "usage",
            "`release`",
        ),
        (
            "inspect nothing.gvl".to_owned(),
            2,
            "no-such-file",
            "does not exist",
        ),
        (format!("inspect {feed} --from 99999"), 2, "usage", "bytes"),
        (
            format!("inspect {feed} --from 20 --to 10"),
            2,
            "usage",
            "after --to",
        ),
        (
            format!("inspect {feed} --line 3"),
            2,
            "usage",
            "nothing for line 3",
        ),
        (format!("inspect {feed} --line x"), 2, "usage", "no line"),
        (
            format!("inspect {feed} --find xyzzy"),
            1,
            "not-found",
            "xyzzy",
        ),
        (
            "inspect feed.json --params price_feed.params.json".to_owned(),
            2,
            "usage",
            "artifact",
        ),
        (
            "debug price_feed.gvl release".to_owned(),
            2,
            "usage",
            "computes nothing",
        ),
        (
            "debug price_feed.gvl nowhere".to_owned(),
            2,
            "usage",
            "no leaf",
        ),
        (
            format!("debug {feed} --script fly"),
            2,
            "usage",
            "no such command",
        ),
        (
            format!("debug {feed} --script goto"),
            2,
            "usage",
            "whole number",
        ),
        (
            format!("debug {feed} --script goto;999999"),
            2,
            "usage",
            "whole number",
        ),
        (format!("debug {feed} --inputs {{}}"), 1, "inputs", "price"),
        (
            format!("debug {feed} --inputs {{\"price\":-1}}"),
            1,
            "inputs",
            "price",
        ),
        (
            format!("debug {feed} --inputs {{\"price\":1,\"x\":2}}"),
            1,
            "inputs",
            "x",
        ),
        (
            format!("debug {feed} --inputs {{\"price"),
            1,
            "json",
            "expected inputs",
        ),
        (
            format!("debug {feed} --inputs nothing.json"),
            2,
            "no-such-file",
            "nothing.json",
        ),
        (format!("debug {feed} --case nobody"), 2, "usage", "no case"),
        (
            format!("debug {feed} --frame {{\"9\":[1]}}"),
            2,
            "usage",
            "no element `9`",
        ),
        (
            format!("debug {feed} --frame {{\"0\":[1]}}"),
            1,
            "frame",
            "2 word(s) are needed",
        ),
        (
            format!("debug {feed} --frame {{\"0\":[1,4294967296]}}"),
            1,
            "frame",
            "word 1",
        ),
        (
            format!("debug {feed} --frame {{\"0\":[1,-3]}}"),
            1,
            "frame",
            "word 1",
        ),
        (format!("debug {feed} --corrupt 0.0.0"), 2, "usage", "form"),
        (format!("debug {feed} --corrupt 0.0=3"), 2, "usage", "form"),
        (
            format!("debug {feed} --corrupt 0.0.0=16"),
            2,
            "usage",
            "0 to 15",
        ),
        (
            format!("debug {feed} --corrupt 0.2.0=1"),
            2,
            "usage",
            "2 word(s)",
        ),
        (
            format!("debug {feed} --corrupt 0.1.8=1"),
            2,
            "usage",
            "8 digit(s)",
        ),
        (
            format!("debug {feed} --corrupt 4.0.0=1"),
            2,
            "usage",
            "no element",
        ),
        (
            "debug alone.gvl segment:1/BobWins --params price_feed.params.json".to_owned(),
            2,
            "usage",
            "no inputs",
        ),
    ] {
        let said = shop.refused(&arguments, code, kind);
        assert!(said.contains(says), "{arguments}: {said}");
    }
    // What is found out on the way: what came before it is shown.
    for (script, says) in [
        ("goto 999999", "no byte 999_999"),
        ("line 3", "nothing for line 3"),
    ] {
        let ran = shop.gavel_with(&format!("debug {feed}"), script.as_bytes());
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(says), "{ran:?}");
    }
}
