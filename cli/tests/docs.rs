//! The commands shown in the documents give what the documents show.
//!
//! Each ```` ```console ```` block of `README.md` and `docs/cli.md` is run, in order, in a folder
//! that holds the example contracts. Numbers and hashes may differ: they change with every
//! improvement of the generated code. `GAVEL_UPDATE_DOCS=1` writes what is printed now.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use support::Shop;

const START: &str = "```console\n";
const END: &str = "```\n";

#[test]
fn examples_in_the_documents_are_what_is_printed() {
    let update = std::env::var_os("GAVEL_UPDATE_DOCS").is_some();
    for name in ["README.md", "docs/cli.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let shop = Shop::new();
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, block)) = rest.split_once(START) {
            let (shown, after) = block.split_once(END).unwrap();
            let printed = run(&shop, shown);
            assert!(
                update || shape(shown) == shape(&printed),
                "{name} shows\n{shown}\nbut it is\n{printed}"
            );
            out.push_str(before);
            out.push_str(START);
            out.push_str(&printed);
            out.push_str(END);
            rest = after;
        }
        out.push_str(rest);
        if update {
            std::fs::write(&path, out).unwrap();
        }
    }
}

/// The commands of a block, each with what it prints; those that need a node as they stand.
fn run(shop: &Shop, shown: &str) -> String {
    let mut out = String::new();
    let mut skipped = false;
    for line in shown.lines() {
        let Some(command) = line.strip_prefix("$ ") else {
            if skipped {
                out.push_str(&format!("{line}\n"));
            }
            continue;
        };
        out.push_str(&format!("{line}\n"));
        let arguments = command.strip_prefix("gavel ").unwrap();
        skipped = arguments.starts_with("play") || arguments.starts_with("regtest");
        if skipped {
            continue;
        }
        let ran = shop.gavel(arguments);
        // How long something takes is the machine's affair.
        let said = ran
            .err
            .split_inclusive('\n')
            .filter(|line| !is_progress(line));
        out.extend(said);
        out.push_str(&ran.out);
    }
    out
}

/// Whether a line says how far something is: `what: 3/7 (2 s)`.
fn is_progress(line: &str) -> bool {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '/');
    let parts = line.trim_end().strip_suffix(" s)").and_then(|rest| {
        let (rest, seconds) = rest.rsplit_once(" (")?;
        Some((rest.rsplit_once(": ")?.1, seconds))
    });
    parts.is_some_and(|(count, seconds)| digits(count) && digits(seconds))
}

/// A text without its numbers, hashes and widths.
fn shape(text: &str) -> Vec<String> {
    let words = |line: &str| -> String {
        let words = line.split_whitespace().map(|word| {
            let digits = word.chars().any(|c| c.is_ascii_digit());
            if digits { "#" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).collect()
}
