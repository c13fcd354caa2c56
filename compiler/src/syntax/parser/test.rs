//! Tests and properties.

use super::super::ast::{
    Expr, ExprKind, Name, Range, Test, TestAssert, TestCall, TestLine, Variable, With,
};
use super::super::token::{Token, TokenKind};
use super::{Parsed, Parser};
use crate::diagnostic::{Code, Diagnostic};

/// Words that start a line of a test.
const TEST_LINES: &[&str] = &["with", "assert", "call", "let", "for", "if", "try"];

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
                // `if`, `for` and `let` may be a part of what couldn't be read.
                self.skip_until(|p| {
                    let part = matches!(p.text(), "if" | "for" | "let");
                    TEST_LINES.contains(&p.text()) && (p.token().first_of_line || !part)
                });
            }
        }
        lines
    }

    /// `with place = value, ..` outside of tests, its doc lines from `start`.
    pub(super) fn with_item(&mut self, start: u32) -> Parsed<With> {
        self.next();
        let mut places = Vec::new();
        self.with(&mut places)?;
        let whole = self.span_from(start);
        Ok(With { places, whole })
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
            return self.test_call(start, false).map(TestLine::Call);
        }
        if self.eat_word("try") {
            self.expect_word("call")?;
            return self.test_call(start, true).map(TestLine::Call);
        }
        if self.eat_word("let") {
            if self.is(TokenKind::OpenParen) {
                let names = self.tuple_names()?;
                self.expect_operator("=")?;
                return Ok(TestLine::LetTuple(names, self.expr()?));
            }
            let mutable = self.eat_word("mut");
            let name = self.name("a name")?;
            let ty = match self.eat(TokenKind::Colon) {
                true => Some(self.ty()?),
                false => None,
            };
            self.expect_operator("=")?;
            let value = self.expr()?;
            return Ok(TestLine::Let {
                mutable,
                name,
                ty,
                value,
            });
        }
        if self.eat_word("for") {
            return self.nested(Self::test_for);
        }
        if self.eat_word("if") {
            return self.nested(Self::test_if);
        }
        if !self.eat_word("assert") {
            if self.is(TokenKind::Word) && self.ahead(1).kind != TokenKind::Word {
                return self.test_assign(start);
            }
            return Err(self.expected("`with`, `assert`, `call`, `try call`, `let`, `if` or `for`"));
        }
        self.settle_callable = !self.library;
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
    fn test_call(&mut self, start: u32, tries: bool) -> Parsed<TestCall> {
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
        let mut emits = Vec::new();
        if self.eat_word("emits") {
            emits.push(self.expected_event()?);
            while self.eat(TokenKind::Comma) {
                emits.push(self.expected_event()?);
            }
        }
        Ok(TestCall {
            entry,
            arguments,
            signers,
            height,
            fails,
            emits,
            tries,
            span: self.span_from(start),
        })
    }

    /// `E { a: b }`
    fn expected_event(&mut self) -> Parsed<(Name, Vec<(Name, Expr)>)> {
        let event = self.name("an event")?;
        let fields = match self.is(TokenKind::OpenBrace) {
            true => self.fields_given()?,
            false => Vec::new(),
        };
        Ok((event, fields))
    }

    /// `x in from..to { .. }`
    fn test_for(&mut self) -> Parsed<TestLine> {
        let name = self.name("a name for the loop's variable")?;
        let ty = match self.eat(TokenKind::Colon) {
            true => Some(self.ty()?),
            false => None,
        };
        self.expect_word("in")?;
        let over = self.over()?;
        let lines = self.inner_lines()?;
        Ok(TestLine::For {
            name,
            ty,
            over,
            lines,
        })
    }

    /// `condition { .. } else { .. }`
    fn test_if(&mut self) -> Parsed<TestLine> {
        let condition = self.head()?;
        let then = self.inner_lines()?;
        let otherwise = if !self.eat_word("else") {
            Vec::new()
        } else if self.eat_word("if") {
            vec![self.nested(Self::test_if)?]
        } else {
            self.inner_lines()?
        };
        Ok(TestLine::If {
            condition,
            then,
            otherwise,
        })
    }

    /// `{ .. }` inside a test.
    fn inner_lines(&mut self) -> Parsed<Vec<TestLine>> {
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut with = Vec::new();
        let lines = self.test_lines(open, &mut with);
        if let Some((place, _)) = with.first() {
            let message = "`with` stands at the start of a test, not inside a block";
            self.report(Diagnostic::new(Code::Expected, place.span, message));
        }
        Ok(lines)
    }

    /// `x = value`, `x += value`
    fn test_assign(&mut self, start: u32) -> Parsed<TestLine> {
        let place = self.expr()?;
        let Some(op) = self.assignment() else {
            return Err(self.expected("`=`"));
        };
        let value = self.expr()?;
        let span = self.span_from(start);
        Ok(TestLine::Assign {
            place,
            op,
            value,
            span,
        })
    }
}
