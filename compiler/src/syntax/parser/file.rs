//! The file: imports, then one contract or library.

use super::super::ast::{Contract, Import, Name};
use super::super::token::TokenKind;
use super::{Parsed, Parser, Stop};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Parser<'_> {
    /// The whole file.
    pub(super) fn file(&mut self) -> Option<Contract> {
        let mut imports = self.header();
        let mut found = None;
        let mut end = self.base;
        while !self.is(TokenKind::End) {
            let docs = self.docs();
            if self.declares() {
                let token = self.token();
                self.mark_line();
                let contract = self.contract(std::mem::take(&mut imports), docs);
                end = self.last_end();
                if found.is_none() {
                    found = contract;
                } else {
                    let message = "a file declares one contract or one library";
                    self.report(Diagnostic::new(Code::NotYetSupported, token.span, message));
                }
            } else if self.is(TokenKind::End) {
                break;
            } else {
                self.stray(found.is_some().then_some(end));
                self.next();
                while !self.is(TokenKind::End) && !self.declares() {
                    self.next();
                }
            }
        }
        if found.is_none() && self.diagnostics.is_empty() {
            let message = "the file declares no contract";
            self.report(
                Diagnostic::new(Code::NoContract, self.token().span, message).help(
                    "a contract starts with `contract Name {`, a library with `library name {`",
                ),
            );
        }
        found
    }

    /// The imports at the start of the file.
    pub(super) fn header(&mut self) -> Vec<Import> {
        let mut imports = Vec::new();
        while self.is_word("import") {
            self.mark_line();
            match self.import() {
                Ok(import) => imports.push(import),
                Err(Stop) => {
                    while !self.is(TokenKind::End) && !self.declares() && !self.is_word("import") {
                        self.next();
                    }
                }
            }
            self.eat(TokenKind::Semicolon);
        }
        imports
    }

    /// `import isqrt, clamp from "std/math"`
    fn import(&mut self) -> Parsed<Import> {
        let start = self.next().span.start;
        let mut names = vec![self.name("a name that the library declares")?];
        while self.eat(TokenKind::Comma) {
            names.push(self.name("a name that the library declares")?);
        }
        self.expect_word("from")?;
        let span = self.token().span;
        if !self.is(TokenKind::Text) {
            return Err(self.expected("the library's path in quotes"));
        }
        let text = self.plain_text();
        Ok(Import {
            names,
            path: Name { text, span },
            span: self.span_from(start),
        })
    }

    /// Whether a contract or a library starts here.
    fn declares(&self) -> bool {
        let named = self.ahead(1).kind == TokenKind::Word;
        self.is_word("contract") || (self.is_word("library") && named)
    }

    /// What the file declares.
    pub(super) fn kind_of_file(&self) -> &'static str {
        if self.library { "library" } else { "contract" }
    }

    /// Reports what stands where only a contract can, or behind the one that ends there.
    fn stray(&mut self, end: Option<u32>) {
        let Some(end) = end else {
            if self.is_word("use") {
                let message = "names of libraries are imported, not used";
                let found = Diagnostic::new(Code::Expected, self.token().span, message);
                self.report(found.help("write `import name, other from \"std/math\"`"));
            } else {
                let _ = self.expected("`contract`");
            }
            return;
        };
        if self.is_word("import") {
            self.late_import();
            return;
        }
        let closed = Span {
            start: end.saturating_sub(1),
            end,
        };
        let kind = self.kind_of_file();
        let message = format!("this stands outside the {kind}");
        let outside = Diagnostic::new(Code::Expected, self.token().span, message);
        self.report(outside.label(closed, format!("the {kind} ends here")));
    }

    /// Reports an import that isn't at the start of the file.
    pub(super) fn late_import(&mut self) -> Stop {
        let message = format!("imports stand before the {}", self.kind_of_file());
        let span = self.token().span;
        self.report(
            Diagnostic::new(Code::Expected, span, message).help("move it to the start of the file"),
        );
        Stop
    }
}
