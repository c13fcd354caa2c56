//! Tests and properties.

use super::super::ast::{Name, Range, Test, TestAssert, Variable};
use super::super::token::TokenKind;
use super::{Parsed, Parser};
use crate::word::Span;

impl Parser<'_> {
    /// `test "name" { .. }`, its doc lines from `start`.
    pub(super) fn test(&mut self, start: u32) -> Parsed<Test> {
        self.next();
        let span = self.token().span;
        if !self.is(TokenKind::Text) {
            return Err(self.expected("the test's name in quotes"));
        }
        let text = self.plain_text();
        self.test_body(start, Name { text, span }, None)
    }

    /// `prop name(x in 1..10) { .. }`, its doc lines from `start`.
    pub(super) fn prop(&mut self, start: u32) -> Parsed<Test> {
        self.next();
        let name = self.name("the property's name")?;
        let open = self.expect(TokenKind::OpenParen, "`(` and the property's variables")?;
        let variables = self.list(open, TokenKind::CloseParen, ")", Self::variable)?;
        self.test_body(start, name, Some(variables))
    }

    fn variable(&mut self) -> Parsed<Variable> {
        let name = self.name("the variable's name")?;
        let ty = if self.eat(TokenKind::Colon) {
            Some(self.ty()?)
        } else {
            None
        };
        let range = if self.eat_word("in") {
            Some(self.variable_range()?)
        } else if ty.is_some() {
            None
        } else {
            return Err(self.expected("`in` and a range, or `:` and a type"));
        };
        Ok(Variable { name, ty, range })
    }

    fn variable_range(&mut self) -> Parsed<Range> {
        let from = self.expr()?;
        let inclusive = self.is(TokenKind::DotDotEq);
        if !inclusive && !self.is(TokenKind::DotDot) {
            return Err(self.expected("`..` or `..=`"));
        }
        self.next();
        let to = self.expr()?;
        Ok(Range {
            from,
            to,
            inclusive,
        })
    }

    fn test_body(
        &mut self,
        start: u32,
        name: Name,
        variables: Option<Vec<Variable>>,
    ) -> Parsed<Test> {
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut test = Test {
            name: name.text,
            span: name.span,
            variables,
            with: Vec::new(),
            asserts: Vec::new(),
            whole: Span::default(),
        };
        while !self.eat(TokenKind::CloseBrace) {
            if self.is(TokenKind::End) || self.item_at(0) {
                let _ = self.unclosed(open);
                break;
            }
            if self.eat(TokenKind::Semicolon) {
                continue;
            }
            let before = self.at;
            self.mark_line();
            if self.test_line(&mut test).is_err() {
                if self.at == before {
                    self.next();
                }
                self.skip_until(|p| matches!(p.text(), "with" | "assert"));
            }
        }
        test.whole = self.span_from(start);
        Ok(test)
    }

    fn test_line(&mut self, test: &mut Test) -> Parsed<()> {
        let start = self.token().span.start;
        if self.eat_word("with") {
            loop {
                let name = self.name("a parameter")?;
                self.expect_operator("=")?;
                test.with.push((name, self.expr()?));
                if !self.eat(TokenKind::Comma) {
                    return Ok(());
                }
            }
        }
        if self.is_word("call") {
            return Err(self.not_yet("call"));
        }
        if !self.eat_word("assert") {
            return Err(self.expected("`with` or `assert`"));
        }
        self.settle_callable = !self.library;
        let condition = self.expr();
        self.settle_callable = false;
        let condition = condition?;
        let fails = if self.eat_word("fails") {
            Some(self.name("the name of an error")?)
        } else {
            None
        };
        let span = self.span_from(start);
        test.asserts.push(TestAssert {
            condition,
            fails,
            span,
        });
        Ok(())
    }
}
