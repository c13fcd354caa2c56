//! A contract or library and its declarations.

use super::super::ast::{
    Arm, Coin, Const, Contract, Data, Enum, Expr, Function, Import, Input, Item, Name, Param, Pay,
    Refund, Settle, Struct, Type, TypeKind, Variant,
};
use super::super::token::TokenKind;
use super::{Parsed, Parser, Stop};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::word::Span;
use std::collections::BTreeSet;

const ITEMS: &[&str] = &[
    "param",
    "enum",
    "struct",
    "error",
    "const",
    "fn",
    "settle",
    "coin",
    "asset",
    "state",
    "event",
    "entry",
    "invariant",
    "with",
    "test",
    "prop",
];

/// What a library can't have: it holds nothing, and pays nobody.
const CONTRACTS_ONLY: &[&str] = &[
    "param",
    "settle",
    "coin",
    "asset",
    "state",
    "event",
    "entry",
    "invariant",
    "with",
];

impl Parser<'_> {
    /// `contract Name { .. }` or `library name { .. }`
    pub(super) fn contract(&mut self, imports: Vec<Import>, docs: Vec<String>) -> Option<Contract> {
        self.library = self.is_word("library");
        let start = self.next().span.start;
        let what = if self.library {
            "the library's name"
        } else {
            "the contract's name"
        };
        let name = match self.name(what) {
            Ok(name) => name,
            Err(_) => Name {
                text: "Unnamed".to_owned(),
                span: self.token().span,
            },
        };
        let open = self.token();
        if !self.eat(TokenKind::OpenBrace) {
            let _ = self.expected("`{`");
            return None;
        }
        let mut items = Vec::new();
        let mut unread = BTreeSet::new();
        // Whether the last item couldn't be read.
        let mut broken = false;
        // Whether a bracket too many was passed over.
        let mut strays = false;
        loop {
            let start = self.token().span.start;
            let docs = self.docs();
            if self.is(TokenKind::CloseBrace) {
                let stray = self.item_at(1);
                strays |= stray;
                if stray && !broken {
                    let message = "this `}` closes nothing";
                    let span = self.token().span;
                    let stray = Diagnostic::new(Code::Expected, span, message);
                    self.report(
                        stray.help(format!("the {} goes on after it", self.kind_of_file())),
                    );
                }
                self.next();
                if stray {
                    continue;
                }
                break;
            }
            if self.is(TokenKind::End) {
                if !strays {
                    let _ = self.unclosed(open);
                }
                break;
            }
            if self.eat(TokenKind::Semicolon) || self.eat(TokenKind::Comma) {
                continue;
            }
            let before = self.at;
            self.mark_line();
            self.item_start = self.token().span.start;
            broken = self.item(start, docs, &mut items).is_err();
            if broken {
                if self.at == before {
                    self.next();
                }
                // What was opened by the item is left before the next one is looked for, if it
                // is closed at all.
                let opened = if self.balanced {
                    self.open_since(before)
                } else {
                    0
                };
                self.skip_from(opened, |p| {
                    let item = ITEMS.contains(&p.text()) && p.token().first_of_line;
                    p.is(TokenKind::Doc) || item
                });
                let skipped = self.tokens.get(before..self.at).unwrap_or_default();
                let words = skipped.iter().filter(|token| token.kind == TokenKind::Word);
                unread.extend(words.map(|token| self.text_of(token.span).to_owned()));
            }
        }
        Some(Contract {
            imports,
            library: self.library,
            docs,
            name,
            items,
            unread,
            balanced: self.balanced,
            span: self.span_from(start),
        })
    }

    /// Whether an item starts there: it does so on a new line, and like nothing else.
    pub(super) fn item_at(&self, by: usize) -> bool {
        let (token, next) = (self.ahead(by), self.ahead(by.saturating_add(1)));
        let word = self.text_of(token.span);
        // It starts a line of a test as well.
        if word == "with" {
            return false;
        }
        let goes_on = match word {
            "settle" => TokenKind::OpenParen,
            "state" => TokenKind::OpenBrace,
            "test" => TokenKind::Text,
            _ => TokenKind::Word,
        };
        // Where it is a function's name, no `->` follows its arguments.
        let called = word == "settle" && !self.arrow_after(by.saturating_add(1));
        token.first_of_line && ITEMS.contains(&word) && next.kind == goes_on && !called
    }

    fn not_in_library(&mut self, word: &str) {
        let message = format!("a library has no `{word}`");
        let span = self.token().span;
        self.report(
            Diagnostic::new(Code::NotInLibrary, span, message)
                .help("a library has `const`, `struct`, `enum`, `error`, `fn`, `test` and `prop`"),
        );
    }

    /// Whether `->` follows the brackets that open there, or they have no end.
    fn arrow_after(&self, open: usize) -> bool {
        let mut depth = 0usize;
        let tokens = self.tokens.get(self.at.saturating_add(open)..);
        let mut tokens = tokens.unwrap_or_default().iter();
        for token in tokens.by_ref() {
            match token.kind {
                TokenKind::OpenParen => depth += 1,
                TokenKind::CloseParen => depth = depth.saturating_sub(1),
                TokenKind::OpenBrace | TokenKind::CloseBrace | TokenKind::End => return true,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        tokens
            .next()
            .is_none_or(|token| token.kind == TokenKind::Arrow)
    }

    fn item(&mut self, start: u32, docs: Vec<String>, items: &mut Vec<Item>) -> Parsed<()> {
        let word = if self.is(TokenKind::Word) {
            self.text()
        } else {
            ""
        };
        if self.library && CONTRACTS_ONLY.contains(&word) {
            self.not_in_library(word);
        }
        let item = match word {
            "import" => return Err(self.late_import()),
            "param" => Item::Param(self.param(docs)?),
            "enum" => Item::Enum(self.enum_item()?),
            "struct" => Item::Struct(self.struct_item()?),
            "error" => Item::Errors(self.declared_names("the error's name")?),
            "const" => Item::Const(self.const_item()?),
            "fn" => Item::Function(self.function()?),
            "settle" => Item::Settle(self.settle()?),
            "coin" => Item::Coin(self.coin()?),
            "asset" => Item::Assets(self.declared_names("the asset's name")?),
            "state" => Item::State(self.state()?),
            "event" => Item::Event(self.event(docs)?),
            "entry" => Item::Entry(self.entry(docs)?),
            "invariant" => Item::Invariant(self.invariant()?),
            "with" => Item::With(self.with_item(start)?),
            "test" => Item::Test(self.test(start)?),
            "prop" => Item::Test(self.prop(start)?),
            "" => return Err(self.expected("an item: `param`, `enum`, `settle`, `coin`, …")),
            other => {
                let message = format!("a {} has no `{other}`", self.kind_of_file());
                let span = self.token().span;
                let mut unknown = Diagnostic::new(Code::UnknownItem, span, message);
                unknown = match did_you_mean(other, ITEMS.iter().copied()) {
                    Some(item) => unknown.fix(span, item, format!("did you mean `{item}`?")),
                    None if !self.balanced => {
                        unknown.help("a `}` before it may be one too many")
                    }
                    None => unknown.help(
                        "items are `param`, `enum`, `struct`, `error`, `const`, `fn`, `test` and `prop`; \
                         `settle` and `coin`; `asset`, `state`, `event`, `entry` and `invariant`; \
                         `with` for all tests",
                    ),
                };
                self.report(unknown);
                return Err(Stop);
            }
        };
        items.push(item);
        Ok(())
    }

    fn param(&mut self, docs: Vec<String>) -> Parsed<Param> {
        self.next();
        let name = self.name("the parameter's name")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let ty = self.ty()?;
        let condition = if self.eat_word("where") {
            Some(self.expr()?)
        } else {
            None
        };
        Ok(Param {
            docs,
            name,
            ty,
            condition,
        })
    }

    fn enum_item(&mut self) -> Parsed<Enum> {
        self.next();
        let name = self.name("the enum's name")?;
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let variants = self.list(open, TokenKind::CloseBrace, "}", |p| {
            p.docs();
            let name = p.name("the name of a variant")?;
            let data = p.data()?;
            Ok(Variant { name, data })
        })?;
        Ok(Enum { name, variants })
    }

    /// The types of a variant's data, if it has any.
    fn data(&mut self) -> Parsed<Data<Type>> {
        if self.is(TokenKind::OpenBrace) {
            return Ok(Data::Named(self.fields()?));
        }
        if !self.is(TokenKind::OpenParen) {
            return Ok(Data::None);
        }
        let open = self.next();
        let types = self.list(open, TokenKind::CloseParen, ")", Self::ty)?;
        Ok(Data::Tuple(types))
    }

    /// `{ x: T, y: T }`
    pub(super) fn fields(&mut self) -> Parsed<Vec<(Name, Type)>> {
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        self.list(open, TokenKind::CloseBrace, "}", |p| {
            p.docs();
            let name = p.name("the name of a field")?;
            p.expect(TokenKind::Colon, "`:`")?;
            Ok((name, p.ty()?))
        })
    }

    /// How many brackets were opened from a token on and not closed yet.
    fn open_since(&self, from: usize) -> usize {
        let taken = self.tokens.get(from..self.at).unwrap_or_default();
        taken.iter().fold(0usize, |open, token| match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => open + 1,
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                open.saturating_sub(1)
            }
            _ => open,
        })
    }

    fn struct_item(&mut self) -> Parsed<Struct> {
        self.next();
        let name = self.name("the struct's name")?;
        let fields = self.fields()?;
        Ok(Struct { name, fields })
    }

    /// `word a, b`
    fn declared_names(&mut self, what: &str) -> Parsed<Vec<Name>> {
        self.next();
        self.more_names(what)
    }

    /// `a, b`
    pub(super) fn more_names(&mut self, what: &str) -> Parsed<Vec<Name>> {
        if self.item_at(0) {
            return Err(self.expected(what));
        }
        let mut names = vec![self.name(what)?];
        while self.eat(TokenKind::Comma) {
            names.push(self.name(what)?);
        }
        Ok(names)
    }

    fn const_item(&mut self) -> Parsed<Const> {
        self.next();
        let name = self.name("the constant's name")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let ty = self.ty()?;
        self.expect_operator("=")?;
        let value = self.expr()?;
        Ok(Const { name, ty, value })
    }

    fn function(&mut self) -> Parsed<Function> {
        self.next();
        let name = self.name("the function's name")?;
        let arguments = self.arguments()?;
        let returns = match self.is_word("changes") {
            true => None,
            false => {
                self.expect(TokenKind::Arrow, "`->` and a type")?;
                Some(self.ty()?)
            }
        };
        Ok(Function {
            name,
            arguments,
            returns,
            changes: self.eat_word("changes"),
            mints: self.assets_after("mints")?,
            burns: self.assets_after("burns")?,
            body: self.body(),
        })
    }

    /// `(a: T, b: T)`
    pub(super) fn arguments(&mut self) -> Parsed<Vec<(Name, Type)>> {
        let open = self.expect(TokenKind::OpenParen, "`(`")?;
        self.list(open, TokenKind::CloseParen, ")", |p| {
            let name = p.name("the argument's name")?;
            p.expect(TokenKind::Colon, "`:` and a type")?;
            Ok((name, p.ty()?))
        })
    }

    /// A function's block; one that can't be read doesn't take the function with it.
    pub(super) fn body(&mut self) -> super::super::ast::Block {
        let span = self.token().span;
        self.block().unwrap_or_else(|Stop| {
            self.skip_until(|p| p.item_at(0));
            let closes = self.item_at(1) || self.ahead(1).kind == TokenKind::CloseBrace;
            if closes && self.is(TokenKind::CloseBrace) {
                self.next();
            }
            Self::error_block(span)
        })
    }

    fn settle(&mut self) -> Parsed<Settle> {
        let span = self.next().span;
        let open = self.expect(TokenKind::OpenParen, "`(`")?;
        let inputs = self.list(open, TokenKind::CloseParen, ")", Self::input)?;
        let returns = if self.eat(TokenKind::Arrow) {
            self.ty()?
        } else {
            let _ = self.expected("`-> Outcome`");
            Type {
                kind: TypeKind::Error,
                span: self.token().span,
            }
        };
        let body = self.body();
        Ok(Settle {
            span,
            inputs,
            returns,
            body,
        })
    }

    fn input(&mut self) -> Parsed<Input> {
        let name = self.name("the input's name")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let ty = self.ty()?;
        if self.eat_word("from") {
            let from = Some(self.name("a party, an attestor or `anyone`")?);
            return Ok(Input { name, ty, from });
        }
        let message = format!("`{}` doesn't say who vouches for it", name.text);
        let at = Span {
            start: ty.span.end,
            end: ty.span.end,
        };
        self.report(
            Diagnostic::new(Code::MissingFrom, self.span_from(name.span.start), message)
                .help(
                    "only the claimer assembles the inputs, so each says whose signature stands \
                     behind it: `from` a party or an attestor, or `from anyone` if the program \
                     itself pins the value down, for example by a hash",
                )
                .fix(at, " from anyone", "if the program checks it itself"),
        );
        Ok(Input {
            name,
            ty,
            from: None,
        })
    }

    fn coin(&mut self) -> Parsed<Coin> {
        self.next();
        let name = self.name("the coin's name")?;
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        let mut coin = Coin {
            name,
            fund: Vec::new(),
            pay: Vec::new(),
            refund: Vec::new(),
            broken: false,
        };
        while !self.eat(TokenKind::CloseBrace) {
            if self.is(TokenKind::End) || self.item_at(0) {
                let _ = self.unclosed(open);
                coin.broken = true;
                break;
            }
            if self.eat(TokenKind::Semicolon) || self.eat(TokenKind::Comma) {
                continue;
            }
            if self.is(TokenKind::Doc) {
                self.docs();
                continue;
            }
            let before = self.at;
            self.mark_line();
            if self.coin_line(&mut coin).is_err() {
                coin.broken = true;
                if self.at == before {
                    self.next();
                }
                self.skip_until(|p| matches!(p.text(), "fund" | "pay" | "refund"));
            }
        }
        Ok(coin)
    }

    fn coin_line(&mut self, coin: &mut Coin) -> Parsed<()> {
        let start = self.token().span.start;
        if self.eat_word("fund") {
            let party = self.name("a party")?;
            self.expect(TokenKind::Colon, "`:` and an amount")?;
            coin.fund.push((party, self.expr()?));
        } else if self.eat_word("pay") {
            let mut outcomes = vec![self.name("an outcome")?];
            while self.eat(TokenKind::Comma) {
                outcomes.push(self.name("an outcome")?);
            }
            let arms = self.arms()?;
            let span = self.span_from(start);
            coin.pay.push(Pay {
                outcomes,
                arms,
                span,
            });
        } else if self.eat_word("refund") {
            self.expect_word("after")?;
            let after = self.expr()?;
            self.expect_word("blocks")?;
            let arms = self.arms()?;
            let span = self.span_from(start);
            coin.refund.push(Refund { after, arms, span });
        } else {
            return Err(self.expected("`fund`, `pay` or `refund`"));
        }
        Ok(())
    }

    fn arms(&mut self) -> Parsed<Vec<Arm>> {
        let open = self.expect(TokenKind::OpenBrace, "`{`")?;
        self.list(open, TokenKind::CloseBrace, "}", |p| {
            let party = p.name("a party")?;
            p.expect(TokenKind::Colon, "`:` and an amount, or `: rest`")?;
            let amount: Option<Expr> = if p.eat_word("rest") {
                None
            } else {
                Some(p.expr()?)
            };
            let span = p.span_from(party.span.start);
            Ok(Arm {
                party,
                amount,
                span,
            })
        })
    }
}
