//! What only ledgers declare.

use super::super::ast::{Entry, Event, Invariant, Name, State, StateField};
use super::super::token::TokenKind;
use super::{Parsed, Parser};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Parser<'_> {
    /// `state { a: T .. }`: one field a line, or commas between them.
    pub(super) fn state(&mut self) -> Parsed<State> {
        let span = self.next().span;
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut fields = Vec::new();
        let mut whole = true;
        loop {
            if self.eat(TokenKind::Semicolon) || self.eat(TokenKind::Comma) {
                continue;
            }
            let docs = self.docs();
            if self.eat(TokenKind::CloseBrace) {
                break;
            }
            if self.is(TokenKind::End) || self.item_at(0) {
                let _ = self.unclosed(open);
                break;
            }
            let before = self.at;
            self.mark_line();
            match self.state_field(docs) {
                Ok(field) => fields.push(field),
                Err(_) => {
                    whole = false;
                    if self.at == before {
                        self.next();
                    }
                    self.skip_until(|p| p.token().first_of_line);
                }
            }
        }
        Ok(State {
            span,
            fields,
            whole,
        })
    }

    fn state_field(&mut self, docs: Vec<String>) -> Parsed<StateField> {
        let name = self.name("the name of a field")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let ty = self.ty()?;
        Ok(StateField { docs, name, ty })
    }

    pub(super) fn event(&mut self, docs: Vec<String>) -> Parsed<Event> {
        self.next();
        let name = self.name("the event's name")?;
        let fields = self.fields()?;
        Ok(Event { docs, name, fields })
    }

    pub(super) fn entry(&mut self, docs: Vec<String>) -> Parsed<Entry> {
        self.next();
        let name = self.name("the entry's name")?;
        let arguments = self.arguments()?;
        if self.is(TokenKind::Arrow) {
            let message = "an entry returns nothing";
            let span = self.next().span;
            self.report(
                Diagnostic::new(Code::Expected, span, message)
                    .help("what a call tells is in its events: `emit Done { .. }`"),
            );
            let _ = self.ty();
        }
        let signers = if self.eat_word("signed") {
            self.expect_word("by")?;
            self.more_names("an argument or a parameter that is a `pubkey`")?
        } else {
            Vec::new()
        };
        let mints = self.assets_after("mints")?;
        let burns = self.assets_after("burns")?;
        Ok(Entry {
            docs,
            name,
            arguments,
            signers,
            mints,
            burns,
            body: self.body(),
        })
    }

    pub(super) fn assets_after(&mut self, word: &str) -> Parsed<Vec<Name>> {
        if self.eat_word(word) {
            self.more_names("an asset")
        } else {
            Ok(Vec::new())
        }
    }

    pub(super) fn invariant(&mut self) -> Parsed<Invariant> {
        let start = self.next().span.start;
        if self.item_at(0) {
            return Err(self.expected("a condition"));
        }
        let condition = self.expr()?;
        let span: Span = self.span_from(start);
        Ok(Invariant { condition, span })
    }
}
