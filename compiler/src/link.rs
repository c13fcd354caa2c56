//! A main file and all that it imports, in the order in which they can be checked.
//!
//! **Invariants:** a library comes before those who import it, once, however many do; the main
//! file comes last. Where an import can't be had, the reason is reported and the rest goes on.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::sources::{File, STD, Sources, resolve};
use crate::syntax::{self, ast};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A file, parsed.
#[derive(Debug)]
pub(crate) struct Unit {
    pub file: File,
    pub tree: ast::Contract,
    /// The unit that each of its imports means, if that is one.
    pub imports: Vec<Option<usize>>,
}

/// Everything that was found.
#[derive(Debug)]
pub(crate) struct Linked {
    pub units: Vec<Unit>,
    /// Whether the main file is among the units: it declares something.
    pub main: bool,
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a main file and what it imports.
pub(crate) fn link(sources: &Sources) -> Linked {
    let mut linker = Linker {
        sources,
        done: BTreeMap::new(),
        open: Vec::new(),
        units: Vec::new(),
        diagnostics: Vec::new(),
    };
    let main = linker.load(sources.main()).is_some();
    Linked {
        units: linker.units,
        main,
        diagnostics: linker.diagnostics,
    }
}

struct Linker<'s> {
    sources: &'s Sources,
    /// What became of each file, by name.
    done: BTreeMap<String, Option<usize>>,
    /// The files being loaded, each imported by the one before.
    open: Vec<String>,
    units: Vec<Unit>,
    diagnostics: Vec<Diagnostic>,
}

impl Linker<'_> {
    /// The number of files is limited, so this can recurse.
    fn load(&mut self, file: &File) -> Option<usize> {
        self.open.push(file.name().to_owned());
        let (tree, found) = syntax::parse_at(file.text(), file.base());
        self.diagnostics.extend(found);
        let unit = tree.map(|tree| Unit {
            file: file.clone(),
            imports: tree.imports.iter().map(|i| self.import(file, i)).collect(),
            tree,
        });
        self.open.pop();
        let n = unit.map(|unit| {
            self.units.push(unit);
            self.units.len() - 1
        });
        self.done.insert(file.name().to_owned(), n);
        n
    }

    fn import(&mut self, importer: &File, import: &ast::Import) -> Option<usize> {
        let (path, span) = (&import.path.text, import.path.span);
        let name = match resolve(importer.name(), path) {
            Ok(name) => name,
            Err(help) => {
                let message = format!("`{path}` is no path of a library");
                let bad = Diagnostic::new(Code::BadImportPath, span, message);
                self.diagnostics.push(bad.help(help));
                return None;
            }
        };
        if let Some(at) = self.open.iter().position(|open| *open == name) {
            self.diagnostics.push(self.cycle(at, &name, import));
            return None;
        }
        let known = self.done.get(&name).copied();
        let unit = match (known, self.sources.find(&name)) {
            (Some(known), _) => known?,
            (None, Some(file)) => self.load(file)?,
            (None, None) => {
                self.diagnostics.push(self.missing(&name, import));
                self.done.insert(name, None);
                return None;
            }
        };
        let tree = &self.units.get(unit)?.tree;
        if tree.library {
            return Some(unit);
        }
        let message = format!("`{path}` is a contract, not a library");
        self.diagnostics.push(
            Diagnostic::new(Code::NotALibrary, span, message)
                .label(tree.name.span, "declared here")
                .help("move what both need into a file with `library name { .. }`"),
        );
        None
    }

    fn missing(&self, name: &str, import: &ast::Import) -> Diagnostic {
        let (path, span) = (&import.path.text, import.path.span);
        let new = |message: String| Diagnostic::new(Code::CannotImport, span, message);
        if !name.ends_with(".gvl") {
            let all = || STD.iter().map(|(name, _)| *name);
            let unknown = new(format!("the standard library has no `{path}`"));
            return match did_you_mean(name, all()) {
                Some(meant) => {
                    let text = format!("\"{meant}\"");
                    unknown.fix(span, text, format!("did you mean `{meant}`?"))
                }
                None => unknown.help(format!("it has {}", listed(all()))),
            };
        }
        let why = self.sources.refusal(name);
        new(format!("`{path}` can't be imported: {why}"))
    }

    fn cycle(&self, at: usize, name: &str, import: &ast::Import) -> Diagnostic {
        let around = self.open.iter().skip(at).map(String::as_str).chain([name]);
        let around: Vec<String> = around.map(|name| format!("`{name}`")).collect();
        let message = if around.len() == 2 {
            format!("`{name}` imports itself")
        } else {
            format!("these files import each other: {}", around.join(" → "))
        };
        Diagnostic::new(Code::ImportCycle, import.path.span, message)
            .help("move what both need into a third file")
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// For each import of the last unit, in order, what stands for the library in the id of a
/// contract: its text and, in the same way, the libraries that it imports. Where the files lie
/// is no part of it.
pub(crate) fn digests(units: &[Unit]) -> Vec<[u8; 32]> {
    let mut all: Vec<[u8; 32]> = Vec::new();
    let mut own = Vec::new();
    for unit in units {
        let known = unit.imports.iter().flatten();
        own = known.filter_map(|n| all.get(*n).copied()).collect();
        let text = without_tests(unit);
        let parts = [b"gavel/library".as_slice(), text.as_bytes()];
        all.push(hash(
            parts.into_iter().chain(own.iter().map(|d| d.as_slice())),
        ));
    }
    own
}

/// SHA-256 over parts, each with its length (64 bits, little-endian) before it.
pub(crate) fn hash<'a>(parts: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The text without its tests, and without the white space before each: they decide nothing.
pub(crate) fn without_tests(unit: &Unit) -> String {
    let text = unit.file.text();
    let mut rest = String::new();
    let mut at = 0;
    for item in &unit.tree.items {
        let whole = match item {
            ast::Item::Test(test) => test.whole,
            ast::Item::With(with) => with.whole,
            _ => continue,
        };
        let whole = unit.file.range(whole);
        let before = text.get(at..whole.start);
        rest.push_str(before.unwrap_or_default().trim_end());
        at = whole.end;
    }
    rest.push_str(text.get(at..).unwrap_or_default());
    rest
}
