//! `gavel explain`, and the hints that lead to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use gavel_compiler::diagnostic::Code;
use support::Shop;

#[test]
fn codes_are_explained() {
    let shop = Shop::new();
    let shown = ["E0301", "e0001", "E0604", "w0003"];
    let shown = shown.map(|code| {
        let ran = shop.gavel(&format!("explain {code}"));
        format!("$ gavel explain {code}\n{}", ran.all())
    });
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_list_names_every_code_once() {
    let shop = Shop::new();
    let list = shop.gavel("explain --list").out;
    let ids: Vec<&str> = list.lines().map(|line| &line[..5]).collect();
    let all: Vec<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    assert_eq!(ids, all);
    let json = shop.gavel("explain --list --json").json();
    assert_eq!(json["codes"].as_array().unwrap().len(), all.len());
    assert_eq!(json["codes"][0]["code"], "E0001");
    assert_eq!(json["codes"][0]["severity"], "error");
}

/// What scripts get can be checked as it is, and does what is said.
#[test]
fn examples_of_every_code_go_through_the_command_line() {
    let shop = Shop::new();
    for code in Code::ALL {
        let id = code.id();
        let json = shop.gavel(&format!("explain {id} --json")).json();
        assert_eq!(json["code"], id);
        for (which, ok) in [("fails", false), ("passes", true)] {
            let example = &json[which];
            if example.is_null() {
                assert!(["E0001", "E0002", "E0902", "E0903"].contains(&id), "{id}");
                continue;
            }
            shop.write("x.gvl", example["source"].as_str().unwrap());
            let params = match &example["params"] {
                params if params.is_null() => "",
                params => {
                    shop.write("p.json", params.to_string());
                    "--params p.json"
                }
            };
            let ran = shop.gavel(&format!("check x.gvl {params} --json"));
            let shown = ran.json();
            let found = shown["diagnostics"].as_array().unwrap();
            assert_eq!(found.is_empty(), ok, "{id} {which}: {shown}");
            assert!(found.iter().all(|d| d["code"] == id), "{id}: {shown}");
        }
    }
}

#[test]
fn codes_that_do_not_exist() {
    let shop = Shop::new();
    for (arguments, says) in [
        ("explain E0399", "`gavel explain --list`"),
        ("explain E03O1", "Did you mean E0301?"),
        ("explain 0301", "Did you mean E0301?"),
        ("explain §§", "there is no code `§§`"),
        ("explain", "<CODE>"),
        ("explain E0301 --list", "--list"),
    ] {
        let error = shop.refused(arguments, 2, "usage");
        assert!(error.contains(says), "{arguments}: {error}");
    }
}

#[test]
fn problems_point_at_the_explanation_once() {
    let shop = Shop::new();
    let source = shop.text("price_feed.gvl");
    let wrong = source
        .replace("strike", "strik")
        .replacen("strik", "strike", 1);
    shop.write("price_feed.gvl", wrong);
    for (command, text) in [
        ("check", shop.gavel("check price_feed.gvl").out),
        ("compile", shop.gavel("compile price_feed.gvl").err),
    ] {
        let hints = text.matches("`gavel explain E0201` says more").count();
        assert_eq!(hints, 1, "{command}: {text}");
        assert!(text.matches("error[E").count() > 1, "{text}");
    }
    let clean = shop.gavel("check auction.gvl").out;
    assert!(!clean.contains("gavel explain"), "{clean}");
}
