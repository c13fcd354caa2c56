//! What libraries give to those who import them.

use super::Checker;
use super::names::{Def, Names, suggest};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::Unit;
use crate::syntax::ast;
use crate::word::Span;

/// A name that is imported.
#[derive(Clone, Debug)]
pub(super) struct Imported {
    pub def: Def,
    /// From where, as the import says it.
    pub path: String,
}

impl Checker {
    /// Declares what a unit imports from libraries, which are checked already.
    pub(super) fn imports(&mut self, unit: &Unit, libraries: &[Names]) {
        for (import, library) in unit.tree.imports.iter().zip(&unit.imports) {
            let Some(library) = library.and_then(|n| libraries.get(n)) else {
                continue; // which is reported
            };
            for name in &import.names {
                self.import(name, import, library);
            }
        }
    }

    fn import(&mut self, name: &ast::Name, import: &ast::Import, library: &Names) {
        let path = &import.path.text;
        if let Some(known) = library.imported.get(&name.text) {
            let from = &known.path;
            let message = format!("`{path}` doesn't declare `{}`: it imports it", name.text);
            self.report(
                Diagnostic::new(Code::UnknownImport, name.span, message).help(format!(
                    "`{path}` imports it from `{from}`: import it from there too"
                )),
            );
            return;
        }
        let Some((def, _)) = library.items.get(&name.text) else {
            let known: Vec<String> = library.own().cloned().collect();
            let message = format!("`{path}` declares no `{}`", name.text);
            let unknown = Diagnostic::new(Code::UnknownImport, name.span, message);
            self.report(suggest(unknown, &name.text, name.span, &known));
            return;
        };
        let known = self.names.items.get(&name.text).map(|(_, span)| *span);
        if let Some(first) = known {
            self.declared_twice(name, first);
            return;
        }
        let text = name.text.clone();
        self.names.items.insert(text.clone(), (*def, name.span));
        for (variant, known) in &library.variants {
            for own in known.iter().filter(|(of, _)| of == def) {
                let named = self.names.variants.entry(variant.clone());
                named.or_default().push(*own);
            }
        }
        let path = path.clone();
        self.names
            .imported
            .insert(text, Imported { def: *def, path });
    }

    /// Warns of imports that neither the contract nor its tests use.
    pub(super) fn unused_imports(&mut self, tree: &ast::Contract) {
        let used = |name: &ast::Name| {
            let imported = self.names.imported.get(&name.text);
            imported.is_none_or(|imported| {
                let sets = [&self.names.used, &self.names.used_by_tests];
                sets.iter().any(|used| used.contains(&imported.def))
            })
        };
        let mut found = Vec::new();
        for import in &tree.imports {
            let unused = import.names.iter().enumerate().filter(|(_, n)| !used(n));
            let unused: Vec<(usize, &ast::Name)> = unused.collect();
            let all = unused.len() == import.names.len();
            for (n, name) in unused {
                let message = format!("`{}` is imported and never used", name.text);
                let span = if all {
                    import.span
                } else {
                    with_comma(import, n)
                };
                let warning = Diagnostic::new(Code::UnusedName, name.span, message);
                found.push(warning.fix(span, "", "take it out"));
            }
        }
        for warning in found {
            self.report(warning);
        }
    }
}

/// A name of an import with the comma that goes with it.
fn with_comma(import: &ast::Import, n: usize) -> Span {
    let at = |n: usize| import.names.get(n).map(|name| name.span);
    let own = at(n).unwrap_or(import.span);
    let before = n.checked_sub(1).and_then(at);
    match (before, at(n + 1)) {
        (_, Some(next)) => Span {
            start: own.start,
            end: next.start,
        },
        (Some(before), None) => Span {
            start: before.end,
            end: own.end,
        },
        (None, None) => own,
    }
}

impl Names {
    /// The names that are declared here.
    pub fn own(&self) -> impl Iterator<Item = &String> {
        let names = self.items.keys();
        names.filter(|name| !self.imported.contains_key(*name))
    }

    /// Whether this is declared here by that name.
    pub fn declares(&self, name: &str, def: Def) -> bool {
        let known = self.items.get(name).is_some_and(|(known, _)| *known == def);
        known && !self.imported.contains_key(name)
    }

    /// The names of one kind of item.
    pub fn of_kind(&self, kind: fn(&Def) -> bool) -> Vec<String> {
        let such = self.items.iter().filter(|(_, (def, _))| kind(def));
        such.map(|(name, _)| name.clone()).collect()
    }
}
