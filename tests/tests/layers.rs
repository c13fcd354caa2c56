//! The rules of `docs/architecture.md`: who may depend on whom, and where I/O is.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CRATES: [&str; 6] = ["compiler", "prover", "verifier", "regtest", "tests", "cli"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The lines of each section of a Cargo.toml.
fn sections(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            current = name.trim_end_matches(']').to_owned();
        } else if !line.is_empty() && !line.starts_with('#') {
            sections
                .entry(current.clone())
                .or_default()
                .push(line.to_owned());
        }
    }
    sections
}

/// Names in a section of dependencies.
fn dependencies(name: &str, kind: &str) -> BTreeSet<String> {
    let sections = sections(&read(format!("{name}/Cargo.toml")));
    for section in sections.keys().filter(|s| s.contains("dependencies")) {
        // `cfg(any())` is never built: such a package is only downloaded.
        let never = "target.'cfg(any())'.dependencies";
        let plain = [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            never,
        ];
        assert!(
            plain.contains(&section.as_str()),
            "{name}: [{section}] is not looked at"
        );
    }
    let lines = sections.get(kind).into_iter().flatten();
    let name = |line: &String| {
        let end = line.find(['.', '=', ' ']).unwrap();
        line[..end].to_owned()
    };
    lines.map(name).collect()
}

/// The table in `docs/architecture.md`: crate, and what it may use.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("docs/architecture.md");
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim().split('|').map(str::trim).collect();
        let name = *CRATES.iter().find(|name| cells.get(1) == Some(*name))?;
        let cell = *cells.get(2)?;
        let all = cell == "all of these";
        let may = |other: &&&str| match all {
            true => **other != name && **other != "cli",
            false => cell.split(", ").any(|cell| cell == **other),
        };
        let uses = CRATES.iter().filter(may);
        Some((name.to_owned(), uses.map(|s| (*s).to_owned()).collect()))
    });
    rows.collect()
}

#[test]
fn crates_depend_only_on_what_the_architecture_allows() {
    let allowed = documented();
    assert_eq!(
        allowed.len(),
        CRATES.len(),
        "a row for each crate: {allowed:?}"
    );
    for name in CRATES {
        let own = |dependency: &String| dependency.strip_prefix("gavel-").map(str::to_owned);
        for kind in ["dependencies", "build-dependencies"] {
            let used = dependencies(name, kind)
                .iter()
                .filter_map(own)
                .collect::<BTreeSet<_>>();
            let wrong: Vec<_> = used.difference(&allowed[name]).collect();
            assert!(wrong.is_empty(), "{name} may not use {wrong:?}");
        }
        // Tests may look further, but production crates know nothing of what is above them.
        let dev = dependencies(name, "dev-dependencies");
        if ["compiler", "prover", "verifier", "regtest"].contains(&name) {
            for above in ["gavel-tests", "gavel-cli"] {
                assert!(!dev.contains(above), "{name} tests itself with {above}");
            }
        }
    }
    // The whole point of some edges is that they are not there.
    assert!(allowed["compiler"].is_empty() && allowed["regtest"].is_empty());
    assert!(!allowed["verifier"].contains("prover") && !allowed["verifier"].contains("regtest"));
}

#[test]
fn every_crate_is_a_member_and_inherits_the_lints() {
    let workspace = sections(&read("Cargo.toml"));
    let members = workspace["workspace"]
        .iter()
        .find(|l| l.starts_with("members"))
        .unwrap();
    for name in CRATES {
        assert!(
            members.contains(&format!("\"{name}\"")),
            "{name} is not a member"
        );
        let manifest = sections(&read(format!("{name}/Cargo.toml")));
        let lints = manifest
            .get("lints")
            .unwrap_or_else(|| panic!("{name}: no [lints]"));
        assert_eq!(lints, &["workspace = true"], "{name}");
    }
    assert_eq!(
        members.matches('"').count(),
        2 * CRATES.len(),
        "a crate without rules"
    );
    let rust = &workspace["workspace.lints.rust"];
    assert!(
        rust.contains(&"unsafe_code = \"forbid\"".to_owned()),
        "{rust:?}"
    );
}

/// All Rust files under a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines of a crate's code (comments left out) that mention one of `words`, outside of
/// `except`.
fn mentions(name: &str, except: &[&str], words: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    let folder = root().join(name).join("src");
    sources(&folder, &mut files);
    let mut found = Vec::new();
    for path in files {
        let file = path.strip_prefix(&folder).unwrap().display().to_string();
        if except.iter().any(|e| file.starts_with(e)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (n, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            // `use std::{fs, net}` would slip past the words.
            let grouped = code.contains("use std::{");
            if grouped || words.iter().any(|word| code.contains(word)) {
                found.push(format!("{name}/src/{file}:{}: {line}", n + 1));
            }
        }
    }
    found
}

#[test]
fn io_is_where_the_architecture_has_it() {
    let io = [
        "std::process",
        "std::net",
        "std::os",
        "tokio",
        "ureq",
        "reqwest",
    ];
    let files = ["std::fs", "File::", "OpenOptions"];
    let clocks = ["std::time", "Instant", "SystemTime", "thread::sleep"];
    let chance = [
        "rand::",
        "getrandom",
        "thread_rng",
        "RandomState",
        "env::var",
    ];
    let pure = [&io[..], &files, &clocks, &chance].concat();
    let found = mentions("compiler", &[], &pure);
    assert!(found.is_empty(), "compiler does I/O:\n{}", found.join("\n"));
    // The prover: files in the store; clocks for its reports only; a hash table in memory whose
    // order nobody sees, and that strangers who choose its keys mustn't foresee.
    let clocked = ["engine/batch.rs", "engine/report.rs", "operator"];
    let hashed = ["engine/cells.rs"];
    for (except, words) in [
        // It names the file that it begins by its process.
        (&["store/file.rs"][..], &io[..]),
        (&["store"], &files),
        (&clocked, &clocks),
        (&hashed, &chance),
    ] {
        let found = mentions("prover", except, words);
        assert!(
            found.is_empty(),
            "the prover does what it may not:\n{}",
            found.join("\n")
        );
    }
    // The verifier: sockets in `chain`, the guard's file, randomness where keys are.
    let found = mentions("verifier", &["chain/"], &io);
    assert!(
        found.is_empty(),
        "I/O outside of `chain`:\n{}",
        found.join("\n")
    );
    let guard = [
        "sign/guard_file.rs",
        "sign/tests/",
        "setup/store.rs",
        "setup/tests.rs",
    ];
    let found = mentions("verifier", &guard, &files);
    assert!(
        found.is_empty(),
        "files outside of the guard and the stored set-up:\n{}",
        found.join("\n")
    );
    let found = mentions("verifier", &["chain/", "sign/tests/"], &clocks);
    assert!(
        found.is_empty(),
        "a clock in the verifier:\n{}",
        found.join("\n")
    );
    let parts = ["deploy.rs", "connector/", "graph/", "game/", "sample.rs"];
    let rest = mentions("verifier", &["chain/", "sign/", "setup"], &chance);
    assert!(rest.is_empty(), "chance in {parts:?}:\n{}", rest.join("\n"));
}

#[test]
fn packages_for_io_are_only_where_they_may_be() {
    let may: [(&str, &[&str]); 5] = [
        ("bitcoincore-rpc", &["verifier", "regtest"]),
        ("gavel-regtest", &["tests", "cli"]),
        ("gavel-tests", &["cli"]),
        ("clap", &["cli"]),
        ("rand", &[]),
    ];
    for (package, crates) in may {
        for name in CRATES.iter().filter(|name| !crates.contains(name)) {
            let used = dependencies(name, "dependencies");
            assert!(!used.contains(package), "{name} uses {package}");
        }
    }
    for name in ["compiler", "prover"] {
        for package in ["musig", "bitcoincore-rpc", "tempfile", "tracing"] {
            assert!(
                !dependencies(name, "dependencies").contains(package),
                "{name}: {package}"
            );
        }
    }
}

#[test]
fn dishonesty_is_in_the_tests_crate_only() {
    let words = ["Rogue", "NoGuard", "DemoAttestor {"];
    for name in ["compiler", "prover", "regtest"] {
        assert_eq!(mentions(name, &[], &words), Vec::<String>::new());
    }
    let found = mentions("verifier", &["sign/"], &["Rogue", "NoGuard"]);
    assert_eq!(found, Vec::<String>::new());
}
