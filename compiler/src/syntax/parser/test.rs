//! Tests and properties.

use super::super::ast::{
    Expr, ExprKind, Name, Range, Test, TestAssert, TestCall, TestLine, Variable,
};
use super::super::token::{Token, TokenKind};
use super::{Parsed, Parser};
use crate::diagnostic::{Code, Diagnostic};

/// Words that start a line of a test.
const TEST_LINES: &[&str] = &["with", "assert", "call", "let", "for"];

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
        let mut with = Vec::new();
        let lines = self.test_lines(open, &mut with);
        Ok(Test {
            name: name.text,
            span: name.span,
            variables,
            with,
            lines,
            whole: self.span_from(start),
        })
    }

    /// The lines up to `}`; what `with` gives goes to `with`.
    fn test_lines(&mut self, open: Token, with: &mut Vec<(Expr, Expr)>) -> Vec<TestLine> {
        let mut lines = Vec::new();
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
            let read = match self.eat_word("with") {
                true => self.with(with),
                false => self.test_line().map(|line| lines.push(line)),
            };
            if read.is_err() {
                if self.at == before {
                    self.next();
                }
                self.skip_until(|p| TEST_LINES.contains(&p.text()));
            }
        }
        lines
    }

    /// `place = value, ..`
    fn with(&mut self, with: &mut Vec<(Expr, Expr)>) -> Parsed<()> {
        loop {
            let name = self.name("a parameter or a field of the state")?;
            let start = name.span.start;
            let place = self.make(ExprKind::Name(name.text), start, 0)?;
            let place = self.postfix_of(place)?;
            self.expect_operator("=")?;
            with.push((place, self.expr()?));
            if !self.eat(TokenKind::Comma) {
                return Ok(());
            }
        }
    }

    fn test_line(&mut self) -> Parsed<TestLine> {
        let start = self.token().span.start;
        if self.eat_word("call") {
            return self.test_call(start).map(TestLine::Call);
        }
        if self.eat_word("let") {
            let name = self.name("a name")?;
            self.expect_operator("=")?;
            return Ok(TestLine::Let(name, self.expr()?));
        }
        if self.eat_word("for") {
            return self.nested(Self::test_for);
        }
        if !self.eat_word("assert") {
            return Err(self.expected("`with`, `assert`, `call`, `let` or `for`"));
        }
        self.settle_callable = true;
        let condition = self.expr();
        self.settle_callable = false;
        let condition = condition?;
        let fails = self.fails()?;
        let span = self.span_from(start);
        Ok(TestLine::Assert(TestAssert {
            condition,
            fails,
            span,
        }))
    }

    fn fails(&mut self) -> Parsed<Option<Name>> {
        if self.eat_word("fails") {
            self.name("the name of an error").map(Some)
        } else {
            Ok(None)
        }
    }

    /// `f(a, b) as KEY at height fails Error`
    fn test_call(&mut self, start: u32) -> Parsed<TestCall> {
        let entry = self.name("the name of an entry")?;
        let open = self.expect(TokenKind::OpenParen, "`(`")?;
        let arguments = self.list(open, TokenKind::CloseParen, ")", Self::expr)?;
        let mut signers = Vec::new();
        if self.eat_word("as") {
            signers.push(self.expr()?);
            while self.eat(TokenKind::Comma) {
                signers.push(self.expr()?);
            }
        }
        let height = match self.eat_word("at") {
            true => Some(self.expr()?),
            false => None,
        };
        let fails = self.fails()?;
        Ok(TestCall {
            entry,
            arguments,
            signers,
            height,
            fails,
            span: self.span_from(start),
        })
    }

    /// `x in from..to { .. }`
    fn test_for(&mut self) -> Parsed<TestLine> {
        let name = self.name("a name for the loop's variable")?;
        self.expect_word("in")?;
        let over = self.with_blocks(false, Self::variable_range)?;
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut with = Vec::new();
        let lines = self.test_lines(open, &mut with);
        if let Some((place, _)) = with.first() {
            let message = "`with` stands at the start of a test, not in a loop";
            self.report(Diagnostic::new(Code::Expected, place.span, message));
        }
        Ok(TestLine::For { name, over, lines })
    }
}
