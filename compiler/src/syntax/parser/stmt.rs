//! Blocks and statements.

use super::super::ast::{BinaryOp, Block, Expr, ExprKind, Name, Over, Statement, StatementKind};
use super::super::token::TokenKind;
use super::{Parsed, Parser, Stop};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

/// Words that start a statement: where the parser finds its feet again.
const STARTS: &[&str] = &[
    "let", "return", "require", "assert", "for", "if", "match", "break", "continue", "emit",
];

impl Parser<'_> {
    /// `{ .. }`
    pub(super) fn block(&mut self) -> Parsed<Block> {
        let outside = std::mem::replace(&mut self.deepest, 0);
        let block = self.with_blocks(true, |p| p.nested(Self::block_inner));
        self.deepest = self.deepest.max(outside);
        block
    }

    fn block_inner(&mut self) -> Parsed<Block> {
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut statements: Vec<Statement> = Vec::new();
        let mut value: Option<Box<Expr>> = None;
        // Whether the last statement couldn't be read.
        let mut broken = false;
        loop {
            while self.eat(TokenKind::Semicolon) || self.is(TokenKind::Doc) {
                self.docs();
            }
            if self.eat(TokenKind::CloseBrace) {
                break;
            }
            if self.is(TokenKind::End) || self.item_at(0) {
                let _ = self.unclosed(open);
                broken = true;
                break;
            }
            let before = self.at;
            let start = self.token().span.start;
            broken = false;
            self.mark_line();
            match self.statement() {
                Ok(kind) => {
                    let span = self.span_from(start);
                    match kind {
                        StatementKind::Expr(expr) if self.is(TokenKind::CloseBrace) => {
                            value = Some(Box::new(expr));
                        }
                        kind => statements.push(Statement { kind, span }),
                    }
                }
                Err(_) => {
                    if self.at == before && !self.is(TokenKind::CloseBrace) {
                        self.next();
                    }
                    self.skip_statement();
                    let span = self.span_from(start);
                    let kind = StatementKind::Expr(Self::error_expr(span));
                    statements.push(Statement { kind, span });
                    broken = true;
                }
            }
        }
        if broken && value.is_none() {
            // It may have been the value.
            value = Some(Box::new(Self::error_expr(self.span_from(self.last_end()))));
        }
        Ok(Block {
            statements,
            value,
            depth: self.deepest,
            span: self.span_from(open.span.start),
        })
    }

    fn statement(&mut self) -> Parsed<StatementKind> {
        if self.is(TokenKind::Word) {
            match self.text() {
                "let" => return self.let_statement(),
                "for" => return self.for_statement(),
                "require" => {
                    self.next();
                    let condition = self.expr()?;
                    self.expect_word("else")?;
                    let error = self.name("the name of an error")?;
                    return Ok(StatementKind::Require { condition, error });
                }
                "assert" => {
                    self.next();
                    return self.expr().map(StatementKind::Assert);
                }
                "while" | "loop" if self.ahead(1).kind != TokenKind::Operator => {
                    let token = self.token();
                    self.report(
                        Diagnostic::new(
                            Code::NotYetSupported,
                            token.span,
                            "every loop has a constant bound: there is only `for`",
                        )
                        .help("write `for i in 0..100 { .. }` and leave it with `break`"),
                    );
                    return Err(Stop);
                }
                "emit" if matches!(self.ahead(1).kind, TokenKind::Word | TokenKind::OpenBrace) => {
                    self.next();
                    let event = self.name("an event")?;
                    return Ok(StatementKind::Emit(event, self.fields_given()?));
                }
                _ => {}
            }
        }
        let expr = self.statement_expr()?;
        if let Some(op) = self.assignment() {
            let value = self.expr()?;
            return Ok(StatementKind::Assign {
                place: expr,
                op,
                value,
            });
        }
        let ends = self.token().first_of_line
            || matches!(self.kind(), TokenKind::CloseBrace | TokenKind::Semicolon)
            || matches!(
                expr.kind,
                ExprKind::If { .. } | ExprKind::Match(..) | ExprKind::Block(_)
            );
        if !ends {
            return Err(self.expected("an operator or the end of the statement"));
        }
        Ok(StatementKind::Expr(expr))
    }

    /// Takes `=` or `op=`: the operator before it.
    pub(super) fn assignment(&mut self) -> Option<Option<BinaryOp>> {
        let text = self.text();
        if !self.is(TokenKind::Operator) || !text.ends_with('=') {
            return None;
        }
        let op = match text.strip_suffix('=').unwrap_or_default() {
            "" => None,
            op => Some(BinaryOp::from_symbol(op)?),
        };
        self.next();
        Some(op)
    }

    fn let_value(&mut self) -> Parsed<Expr> {
        let equals = self.expect_operator("=");
        if self.token().first_of_line {
            equals?;
        }
        let value = self.expr()?;
        if self.is(TokenKind::OpenBrace) && !self.token().first_of_line {
            return Err(self.expected("an operator or the end of the statement"));
        }
        Ok(value)
    }

    /// `(x, mut y)`
    pub(super) fn tuple_names(&mut self) -> Parsed<Vec<(bool, Name)>> {
        let open = self.next();
        self.list(open, TokenKind::CloseParen, ")", |p| {
            Ok((p.eat_word("mut"), p.name("a name")?))
        })
    }

    fn let_statement(&mut self) -> Parsed<StatementKind> {
        let start = self.next().span.start;
        if self.is(TokenKind::OpenParen) {
            let names = self.tuple_names()?;
            self.expect_operator("=")?;
            let value = self.expr()?;
            return Ok(StatementKind::LetTuple { names, value });
        }
        let mutable = self.eat_word("mut");
        let Ok(name) = self.name("a name") else {
            self.skip_line();
            return Ok(StatementKind::Expr(Self::error_expr(self.span_from(start))));
        };
        let ty = if self.eat(TokenKind::Colon) {
            Some(self.ty()?)
        } else {
            None
        };
        // What can't be read of the value doesn't take the name with it.
        let value = self.let_value().unwrap_or_else(|Stop| {
            self.skip_line();
            Self::error_expr(self.span_from(start))
        });
        Ok(StatementKind::Let {
            mutable,
            name,
            ty,
            value,
        })
    }

    fn for_statement(&mut self) -> Parsed<StatementKind> {
        self.next();
        let name = self.name("a name for the loop's variable")?;
        let ty = if self.eat(TokenKind::Colon) {
            Some(self.ty()?)
        } else {
            None
        };
        self.expect_word("in")?;
        let over = self.over()?;
        let body = self.block()?;
        Ok(StatementKind::For {
            name,
            ty,
            over,
            body,
        })
    }

    /// What a loop runs over.
    pub(super) fn over(&mut self) -> Parsed<Over> {
        let from = self.head()?;
        Ok(if self.eat(TokenKind::DotDot) {
            let (to, inclusive) = (self.head()?, false);
            Over::Range {
                from,
                to,
                inclusive,
            }
        } else if self.eat(TokenKind::DotDotEq) {
            let (to, inclusive) = (self.head()?, true);
            Over::Range {
                from,
                to,
                inclusive,
            }
        } else {
            Over::Elements(from)
        })
    }

    /// A block that stands for one that couldn't be read.
    pub(super) fn error_block(span: Span) -> Block {
        Block {
            statements: Vec::new(),
            value: Some(Box::new(Self::error_expr(span))),
            depth: 1,
            span,
        }
    }

    /// An expression that stands for one that couldn't be read.
    fn error_expr(span: Span) -> Expr {
        Expr {
            kind: ExprKind::Error,
            span,
            depth: 1,
        }
    }

    /// Skips to the next line of the block.
    fn skip_line(&mut self) {
        self.skip_until(|p| p.is(TokenKind::Semicolon) || p.token().first_of_line);
    }

    /// Skips to where the next statement may start.
    fn skip_statement(&mut self) {
        self.skip_until(|p| {
            p.is(TokenKind::Semicolon)
                || (p.token().first_of_line && p.is(TokenKind::Word))
                || STARTS.contains(&p.text())
        });
    }
}
