//! Expressions and types.

use super::super::ast::{
    BinaryOp, Block, Condition, Data, Expr, ExprKind, MatchArm, Name, Type, TypeKind,
};
use super::super::token::TokenKind;
use super::{MAX_DEPTH, Parsed, Parser, Stop};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.nested(|p| p.binary(0))
    }

    /// An expression that a block follows.
    pub(super) fn head(&mut self) -> Parsed<Expr> {
        self.with_blocks(false, Self::expr)
    }

    /// An expression in brackets.
    fn inside(&mut self) -> Parsed<Expr> {
        self.with_blocks(true, Self::expr)
    }

    /// An expression at the start of a statement: what ends in a block ends there.
    pub(super) fn statement_expr(&mut self) -> Parsed<Expr> {
        let block_like = self.is_word("if") || self.is_word("match");
        if block_like || self.is(TokenKind::OpenBrace) {
            let expr = self.nested(Self::primary)?;
            if self.is(TokenKind::Dot) {
                let expr = self.postfix_of(expr)?;
                let expr = self.converted(expr)?;
                return self.binary_of(expr, 0);
            }
            return Ok(expr);
        }
        self.expr()
    }

    pub(super) fn make(&mut self, kind: ExprKind, start: u32, below: u16) -> Parsed<Expr> {
        if below >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        let depth = below + 1;
        self.deepest = self.deepest.max(depth);
        Ok(Expr {
            kind,
            span: self.span_from(start),
            depth,
        })
    }

    fn binary(&mut self, at_least: u8) -> Parsed<Expr> {
        let left = self.unary()?;
        let left = self.converted(left)?;
        self.binary_of(left, at_least)
    }

    fn binary_of(&mut self, mut left: Expr, at_least: u8) -> Parsed<Expr> {
        let mut compared: Option<Span> = None;
        loop {
            if !self.is(TokenKind::Operator) {
                return Ok(left);
            }
            let Some(op) = BinaryOp::from_symbol(self.text()) else {
                return Ok(left);
            };
            let precedence = op.precedence();
            if precedence <= at_least {
                return Ok(left);
            }
            if let (Some(first), 3) = (compared, precedence) {
                let message = "comparisons can't be chained";
                let diagnostic = Diagnostic::new(Code::Expected, self.token().span, message)
                    .label(first, "the first comparison")
                    .help("write `a < b && b < c`");
                self.report(diagnostic);
                left.kind = ExprKind::Error;
            }
            let op_span = self.next().span;
            compared = (precedence == 3).then_some(op_span);
            let right = self.nested(|p| p.binary(precedence))?;
            let start = left.span.start;
            let depth = left.depth.max(right.depth);
            let kind = ExprKind::Binary(op, op_span, Box::new(left), Box::new(right));
            left = self.make(kind, start, depth)?;
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let start = self.token().span.start;
        if self.is_operator("!") {
            self.next();
            let inner = self.nested(Self::unary)?;
            let depth = inner.depth;
            return self.make(ExprKind::Not(Box::new(inner)), start, depth);
        }
        if self.is_operator("-") {
            let span = self.token().span;
            let message = "numbers have no sign here";
            self.report(
                Diagnostic::new(Code::Expected, span, message)
                    .help("all numbers are unsigned; write `a - b`, which aborts below zero"),
            );
            self.next();
            let inner = self.nested(Self::unary)?;
            return self.make(ExprKind::Error, start, inner.depth);
        }
        let primary = self.primary()?;
        self.postfix_of(primary)
    }

    pub(super) fn postfix_of(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            let start = expr.span.start;
            let token = self.token();
            if self.is(TokenKind::OpenBracket) && !token.first_of_line {
                self.next();
                let index = self.inside()?;
                self.expect(TokenKind::CloseBracket, "`]`")?;
                let depth = expr.depth.max(index.depth);
                expr = self.make(ExprKind::Index(expr.into(), index.into()), start, depth)?;
            } else if self.eat(TokenKind::Dot) {
                let name = self.member()?;
                if !self.is(TokenKind::OpenParen) || self.token().first_of_line {
                    let depth = expr.depth;
                    expr = self.make(ExprKind::Field(expr.into(), name), start, depth)?;
                    continue;
                }
                let open = self.next();
                let arguments = self.list(open, TokenKind::CloseParen, ")", Self::expr)?;
                let depth = depth_of(&arguments).max(expr.depth);
                let kind = ExprKind::Method(Box::new(expr), name, arguments);
                expr = self.make(kind, start, depth)?;
            } else {
                return Ok(expr);
            }
        }
    }

    /// `as T` behind an operand binds weaker than what stands before it.
    fn converted(&mut self, mut expr: Expr) -> Parsed<Expr> {
        while self.eat_word("as") {
            let ty = self.ty()?;
            let (start, depth) = (expr.span.start, expr.depth);
            expr = self.make(ExprKind::As(Box::new(expr), ty), start, depth)?;
        }
        Ok(expr)
    }

    /// What stands after a dot: a field, a method, or a position in a tuple.
    fn member(&mut self) -> Parsed<Name> {
        if !self.is(TokenKind::Number) {
            return self.name("the name of a field or a method");
        }
        let text = self.text().to_owned();
        let span = self.next().span;
        Ok(Name { text, span })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.token();
        let start = token.span.start;
        let kind = match token.kind {
            TokenKind::Number => {
                let number = self.number();
                let sats = self.is_word("sats") && !self.token().first_of_line;
                if sats {
                    self.next();
                }
                match number {
                    Ok(number) if sats => ExprKind::Sats(number),
                    Ok(number) => ExprKind::Number(number),
                    Err(Stop) => ExprKind::Error,
                }
            }
            TokenKind::ByteText => self.byte_text().map_or(ExprKind::Error, ExprKind::Bytes),
            TokenKind::HexText => self.hex_text().map_or(ExprKind::Error, ExprKind::Bytes),
            // The lexer has said what is wrong with it.
            TokenKind::OpenText => {
                self.next();
                ExprKind::Error
            }
            TokenKind::Text => {
                let message = "there are no strings here";
                let at = Span { start, end: start };
                self.report(
                    Diagnostic::new(Code::Expected, token.span, message)
                        .help("byte strings start with `b`")
                        .fix(at, "b", "make it a byte string"),
                );
                self.next();
                ExprKind::Error
            }
            TokenKind::OpenParen => {
                let open = self.next();
                let inner = self.inside()?;
                if self.eat(TokenKind::Comma) {
                    let mut all = vec![inner];
                    all.extend(self.list(open, TokenKind::CloseParen, ")", Self::expr)?);
                    let depth = depth_of(&all);
                    return self.make(ExprKind::Tuple(all), start, depth);
                }
                self.expect(TokenKind::CloseParen, "`)`")?;
                return Ok(Expr {
                    span: self.span_from(start),
                    ..inner
                });
            }
            TokenKind::OpenBracket => return self.array(),
            TokenKind::OpenBrace if self.no_block => {
                return Err(self.expected("an expression"));
            }
            TokenKind::OpenBrace => {
                let block = self.block()?;
                let depth = block.depth;
                return self.make(ExprKind::Block(block), start, depth);
            }
            TokenKind::Word => return self.word_expr(),
            _ => return Err(self.expected("an expression")),
        };
        self.make(kind, start, 0)
    }

    fn array(&mut self) -> Parsed<Expr> {
        let open = self.next();
        let start = open.span.start;
        if self.eat(TokenKind::CloseBracket) {
            return self.make(ExprKind::Array(Vec::new()), start, 0);
        }
        let first = self.inside()?;
        if self.eat(TokenKind::Semicolon) {
            let count = self.inside()?;
            self.expect(TokenKind::CloseBracket, "`]`")?;
            let depth = first.depth.max(count.depth);
            return self.make(ExprKind::Repeat(first.into(), count.into()), start, depth);
        }
        let mut all = vec![first];
        if self.eat(TokenKind::Comma) {
            all.extend(self.list(open, TokenKind::CloseBracket, "]", Self::expr)?);
        } else {
            self.expect(TokenKind::CloseBracket, "`,` or `]`")?;
        }
        let depth = depth_of(&all);
        self.make(ExprKind::Array(all), start, depth)
    }

    fn word_expr(&mut self) -> Parsed<Expr> {
        let token = self.token();
        let start = token.span.start;
        match self.text() {
            "true" | "false" => {
                let value = self.text() == "true";
                self.next();
                self.make(ExprKind::Bool(value), start, 0)
            }
            "if" => self.if_expr(),
            "match" => self.match_expr(),
            "return" => {
                self.next();
                let ends = self.is(TokenKind::CloseBrace)
                    || self.is(TokenKind::End)
                    || self.is(TokenKind::Semicolon);
                if ends {
                    return self.make(ExprKind::Return(None), start, 0);
                }
                let value = self.expr()?;
                let depth = value.depth;
                self.make(ExprKind::Return(Some(value.into())), start, depth)
            }
            "break" => {
                self.next();
                self.make(ExprKind::Break, start, 0)
            }
            "continue" => {
                self.next();
                self.make(ExprKind::Continue, start, 0)
            }
            _ => {
                let name = match self.text() {
                    "settle" if self.settle_callable => self.settle_name(),
                    _ => self.name("an expression")?,
                };
                if self.eat(TokenKind::PathSep) {
                    let variant = self.name("the name of a variant")?;
                    let (data, depth) = self.given()?;
                    return self.make(ExprKind::Path(name, variant, data), start, depth);
                }
                let (data, depth) = self.given()?;
                let kind = match data {
                    Data::None => ExprKind::Name(name.text),
                    Data::Named(fields) => ExprKind::Struct(name, fields),
                    Data::Tuple(arguments) => ExprKind::Call(name, arguments),
                };
                self.make(kind, start, depth)
            }
        }
    }

    /// What a name is given, `(a, b)` or `{ x: a, y }`, and how deep that is.
    fn given(&mut self) -> Parsed<(Data<Expr>, u16)> {
        if self.is(TokenKind::OpenParen) && !self.token().first_of_line {
            let open = self.next();
            let arguments = self.list(open, TokenKind::CloseParen, ")", Self::expr)?;
            let depth = depth_of(&arguments);
            return Ok((Data::Tuple(arguments), depth));
        }
        if self.starts_fields() {
            let fields = self.fields_given()?;
            let depth = fields.iter().map(|(_, value)| value.depth).max();
            return Ok((Data::Named(fields), depth.unwrap_or(0)));
        }
        Ok((Data::None, 0))
    }

    /// Whether a `{` with fields of a struct stands here, rather than a block: on the name's
    /// line, and not where a block is expected.
    fn starts_fields(&self) -> bool {
        let opens = self.is(TokenKind::OpenBrace) && !self.token().first_of_line;
        if self.no_block || !opens || self.ahead(1).kind != TokenKind::Word {
            return false;
        }
        let after = self.ahead(2).kind;
        matches!(
            after,
            TokenKind::Colon | TokenKind::Comma | TokenKind::CloseBrace
        )
    }

    /// `{ a: b, c }`
    pub(super) fn fields_given(&mut self) -> Parsed<Vec<(Name, Expr)>> {
        let open = self.expect(TokenKind::OpenBrace, "`{` and fields")?;
        self.list(open, TokenKind::CloseBrace, "}", |p| {
            let field = p.name("the name of a field")?;
            let value = match p.eat(TokenKind::Colon) {
                true => p.expr()?,
                // `x` stands for `x: x`.
                false => p.make(ExprKind::Name(field.text.clone()), field.span.start, 0)?,
            };
            Ok((field, value))
        })
    }

    /// The word `settle` as the name of a function.
    fn settle_name(&mut self) -> Name {
        let span = self.next().span;
        Name {
            text: "settle".to_owned(),
            span,
        }
    }

    fn if_expr(&mut self) -> Parsed<Expr> {
        let start = self.next().span.start;
        let (condition, mut depth) = if self.eat_word("let") {
            let pattern = self.pattern()?;
            self.expect_operator("=")?;
            let value = self.head()?;
            let depth = value.depth;
            (Condition::Let(pattern, value), depth)
        } else {
            let condition = self.head()?;
            let depth = condition.depth;
            (Condition::Bool(condition), depth)
        };
        let then = self.block()?;
        depth = depth.max(then.depth);
        let otherwise = if self.eat_word("else") {
            if self.is_word("if") {
                let inner = self.nested(Self::if_expr)?;
                Some(Block {
                    statements: Vec::new(),
                    span: inner.span,
                    depth: inner.depth,
                    value: Some(Box::new(inner)),
                })
            } else {
                Some(self.block()?)
            }
        } else {
            None
        };
        depth = otherwise.as_ref().map_or(depth, |b| depth.max(b.depth));
        let condition = Box::new(condition);
        let kind = ExprKind::If {
            condition,
            then,
            otherwise,
        };
        self.make(kind, start, depth)
    }

    fn match_expr(&mut self) -> Parsed<Expr> {
        let start = self.next().span.start;
        let value = self.head()?;
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut arms = Vec::new();
        let mut depth = value.depth;
        while !self.eat(TokenKind::CloseBrace) {
            if self.is(TokenKind::End) {
                return Err(self.unclosed(open));
            }
            self.mark_line();
            let pattern = self.pattern()?;
            self.expect(TokenKind::FatArrow, "`=>`")?;
            let value = self.inside()?;
            depth = depth.max(value.depth);
            let block = matches!(value.kind, ExprKind::Block(_));
            arms.push(MatchArm { pattern, value });
            let separated = self.eat(TokenKind::Comma) || block || self.token().first_of_line;
            if !separated && !self.is(TokenKind::CloseBrace) {
                return Err(self.expected("`,` or `}`"));
            }
        }
        self.make(ExprKind::Match(Box::new(value), arms), start, depth)
    }

    /// A type.
    pub(super) fn ty(&mut self) -> Parsed<Type> {
        self.nested(Self::ty_inner)
    }

    fn ty_inner(&mut self) -> Parsed<Type> {
        let start = self.token().span.start;
        if self.eat(TokenKind::OpenBracket) {
            let element = self.ty()?;
            self.expect(TokenKind::Semicolon, "`; length]`")?;
            let length = self.expr()?;
            self.expect(TokenKind::CloseBracket, "`]`")?;
            let kind = TypeKind::Array(Box::new(element), Box::new(length));
            let span = self.span_from(start);
            return Ok(Type { kind, span });
        }
        if self.is(TokenKind::OpenParen) {
            let open = self.next();
            let all = self.list(open, TokenKind::CloseParen, ")", Self::ty)?;
            let kind = TypeKind::Tuple(all);
            let span = self.span_from(start);
            return Ok(Type { kind, span });
        }
        let name = self.name("a type")?;
        let kind = match name.text.as_str() {
            "bytes" | "Option" | "attestor" => {
                self.open_angle()?;
                let kind = match name.text.as_str() {
                    "bytes" => TypeKind::Bytes(Box::new(self.primary()?)),
                    "Option" => TypeKind::Option(Box::new(self.ty()?)),
                    _ => TypeKind::Attestor(Box::new(self.ty()?)),
                };
                self.close_angle()?;
                kind
            }
            "map" => {
                self.open_angle()?;
                let key = self.ty()?;
                self.expect(TokenKind::Comma, "`,` and the type of the values")?;
                let value = self.ty()?;
                self.close_angle()?;
                TypeKind::Map(Box::new(key), Box::new(value))
            }
            "vault" => {
                self.open_angle()?;
                let asset = self.name("an asset")?;
                self.close_angle()?;
                TypeKind::Vault(asset)
            }
            _ => TypeKind::Named(name),
        };
        let span = self.span_from(start);
        Ok(Type { kind, span })
    }

    fn open_angle(&mut self) -> Parsed<()> {
        let open = self.expect_operator("<")?;
        self.outline.angles.push(open.span.start);
        Ok(())
    }

    /// `>`, also where it is the first half of `>>` or `>=`.
    fn close_angle(&mut self) -> Parsed<()> {
        let splits = self.is(TokenKind::Operator)
            && matches!(self.text(), ">>" | ">=" | ">>=")
            && self.token().span.end > self.token().span.start;
        self.outline.angles.push(self.token().span.start);
        if splits && let Some(token) = self.tokens.get_mut(self.at) {
            token.span.start += 1;
            return Ok(());
        }
        self.expect_operator(">").map(|_| ())
    }
}

fn depth_of(all: &[Expr]) -> u16 {
    all.iter().map(|expr| expr.depth).max().unwrap_or(0)
}
