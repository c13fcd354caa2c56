//! `gavel fmt`: which files it writes, and which it leaves alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use serde_json::json;
use support::Shop;

const MESSY: &str = "contract C{param a:party // one\r\nparam b : party}";
const NEAT: &str = "contract C {\n    param a: party // one\n    param b: party\n}\n";

#[test]
fn examples_are_laid_out() {
    let shop = Shop::new();
    let before = shop.text("auction.gvl");
    for arguments in [
        "fmt auction.gvl price_bet.gvl",
        "fmt --check auction.gvl price_bet.gvl",
    ] {
        let ran = shop.gavel(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(
            ran.out,
            "auction.gvl: unchanged\nprice_bet.gvl: unchanged\n"
        );
    }
    assert_eq!(shop.text("auction.gvl"), before);
    shop.gavel("new bet");
    assert_eq!(shop.gavel("fmt --check bet.gvl").code, 0);
}

#[test]
fn files_are_rewritten_in_place() {
    let shop = Shop::new();
    shop.write("messy.gvl", MESSY);
    let ran = shop.gavel("fmt messy.gvl auction.gvl");
    assert_eq!(
        ran.all(),
        "exit 0\nmessy.gvl: laid out\nauction.gvl: unchanged\n"
    );
    assert_eq!(shop.text("messy.gvl"), NEAT);
    assert_eq!(shop.gavel("fmt messy.gvl").out, "messy.gvl: unchanged\n");
}

#[test]
fn check_changes_nothing() {
    let shop = Shop::new();
    shop.write("messy.gvl", MESSY);
    let ran = shop.gavel("fmt --check messy.gvl auction.gvl");
    assert_eq!(
        ran.all(),
        "exit 1\nmessy.gvl: would change\nauction.gvl: unchanged\n"
    );
    let ran = shop.gavel("fmt --check messy.gvl auction.gvl --json");
    assert_eq!(ran.code, 1);
    let file = |name: &str, changed| json!({ "file": name, "changed": changed, "written": false });
    let files = json!([file("messy.gvl", true), file("auction.gvl", false)]);
    assert_eq!(ran.json(), json!({ "ok": false, "files": files }));
    assert_eq!(shop.text("messy.gvl"), MESSY);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let shop = Shop::new();
    let ran = shop.gavel_with("fmt -", MESSY.as_bytes());
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, NEAT, "")
    );
    let ran = shop.gavel_with("fmt - --json", MESSY.as_bytes());
    assert_eq!(ran.json()["files"][0]["text"], NEAT);
    let ran = shop.gavel_with("fmt - --check", MESSY.as_bytes());
    assert_eq!(ran.all(), "exit 1\n-: would change\n");
    assert_eq!(shop.gavel_with("fmt - --check", NEAT.as_bytes()).code, 0);

    let ran = shop.gavel_with("fmt -", b"contract C {");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("never closed"), "{ran:?}");
    let ran = shop.gavel_with("fmt - --json", b"\xff");
    assert_eq!(
        (ran.code, &ran.json()["error"]["kind"]),
        (1, &json!("source"))
    );
    shop.refused("fmt - auction.gvl", 2, "usage");
    shop.refused("fmt", 2, "usage");
}

#[test]
fn what_cannot_be_laid_out_stays_and_the_rest_is_done() {
    let shop = Shop::new();
    shop.write("messy.gvl", MESSY);
    shop.write("open.gvl", "contract C {");
    shop.write("latin1.gvl", b"contract Caf\xe9 {}");
    let ran = shop.gavel("fmt open.gvl latin1.gvl messy.gvl");
    insta::assert_snapshot!(ran.all());
    assert_eq!(shop.text("open.gvl"), "contract C {");
    assert_eq!(shop.text("messy.gvl"), NEAT);

    let ran = shop.gavel("fmt open.gvl missing.gvl messy.gvl . auction.artifact.json --json");
    assert_eq!(ran.code, 2, "{ran:?}");
    let report = ran.json();
    let kinds: Vec<_> = (0..5)
        .map(|n| &report["files"][n]["error"]["kind"])
        .collect();
    let wanted = json!(["source", "no-such-file", null, "is-a-directory", "usage"]);
    assert_eq!(json!(kinds), wanted);
    assert_eq!(
        report["files"][0]["error"]["diagnostics"][0]["code"],
        "E0106"
    );
    assert_eq!(report["ok"], false);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::fs::{Permissions, metadata, set_permissions, symlink_metadata};
    use std::os::unix::fs::{PermissionsExt, symlink};

    let shop = Shop::new();
    let (path, link) = (shop.path("messy.gvl"), shop.path("link.gvl"));
    shop.write("messy.gvl", MESSY);
    symlink("messy.gvl", &link).unwrap();
    set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(shop.gavel("fmt link.gvl").code, 0);
    assert_eq!(shop.text("messy.gvl"), NEAT);
    assert_eq!(metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(symlink_metadata(&link).unwrap().is_symlink());

    shop.write("messy.gvl", MESSY);
    set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    let ran = shop.gavel("fmt messy.gvl");
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    assert!(
        ran.err
            .contains("`messy.gvl` can't be written: it is read-only"),
        "{ran:?}"
    );
    assert_eq!(shop.text("messy.gvl"), MESSY);
    assert_eq!(shop.gavel("fmt --check messy.gvl").code, 1);
}
