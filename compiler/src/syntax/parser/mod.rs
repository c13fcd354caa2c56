//! Tokens to tree: recursive descent that recovers at statements and items.

mod expr;
mod item;
mod ledger;
mod literal;
mod pattern;
mod stmt;
mod test;

use super::ast;
use super::lexer::lex;
use super::token::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, has_errors};
use crate::word::Span;

/// How deep expressions, types and blocks may be nested.
pub const MAX_DEPTH: u16 = 64;

/// The longest source, in bytes.
const MAX_SOURCE: usize = 1 << 20;

/// After so many diagnostics of the parser, the rest says nothing new.
const MAX_DIAGNOSTICS: usize = 100;

/// Words that can't be names.
const RESERVED: &[&str] = &[
    "as", "assert", "break", "const", "continue", "contract", "else", "enum", "false", "fn", "for",
    "if", "in", "let", "match", "mut", "param", "require", "return", "true",
];

/// Parses a source. `None` where it declares no contract, which is reported.
pub fn parse(source: &str) -> (Option<ast::Contract>, Vec<Diagnostic>) {
    let (contract, diagnostics, _) = parse_marked(source);
    (contract, diagnostics)
}

/// What the text of a source doesn't show without its grammar, for laying it out.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Where contracts, items, statements, arms of a `match`, and lines of coins and tests
    /// start, ascending.
    pub lines: Vec<u32>,
    /// Where a `<` or `>` stands that is a bracket, ascending.
    pub angles: Vec<u32>,
}

/// The outline of a source.
///
/// # Errors
/// What keeps it from being parsed.
pub(crate) fn outline(source: &str) -> Result<Outline, Vec<Diagnostic>> {
    match parse_marked(source) {
        (Some(_), found, outline) if !has_errors(&found) => Ok(outline),
        (_, found, _) => Err(found),
    }
}

fn parse_marked(source: &str) -> (Option<ast::Contract>, Vec<Diagnostic>, Outline) {
    if source.len() > MAX_SOURCE {
        let span = Span::default();
        let long = Diagnostic::new(Code::SourceTooLong, span, "the source is longer than 1 MiB");
        return (None, vec![long], Outline::default());
    }
    let (tokens, diagnostics) = lex(source);
    let mut parser = Parser {
        source,
        balanced: balanced(&tokens),
        item_start: 0,
        tokens,
        at: 0,
        depth: 0,
        deepest: 0,
        no_block: false,
        settle_callable: false,
        diagnostics,
        outline: Outline::default(),
    };
    let contract = parser.file();
    let mut diagnostics = parser.diagnostics;
    diagnostics.truncate(MAX_DIAGNOSTICS);
    (contract, diagnostics, parser.outline)
}

/// Whether every bracket has its partner.
fn balanced(tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    for token in tokens {
        let partner = match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => {
                open.push(token.kind);
                continue;
            }
            TokenKind::CloseBrace => TokenKind::OpenBrace,
            TokenKind::CloseParen => TokenKind::OpenParen,
            TokenKind::CloseBracket => TokenKind::OpenBracket,
            _ => continue,
        };
        if open.pop() != Some(partner) {
            return false;
        }
    }
    open.is_empty()
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    /// Whether every bracket has its partner.
    balanced: bool,
    /// Where the item starts that is being parsed.
    item_start: u32,
    at: usize,
    depth: u16,
    /// The deepest expression of the block being parsed.
    deepest: u16,
    /// Inside the head of an `if`, `match` or `for`, where `{` starts the body.
    no_block: bool,
    /// Inside an assert of a test, where `settle` is a function.
    settle_callable: bool,
    diagnostics: Vec<Diagnostic>,
    outline: Outline,
}

/// The parser gave up here, and has said why.
struct Stop;

type Parsed<T> = Result<T, Stop>;

impl<'s> Parser<'s> {
    fn token(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        let token = self.tokens.get(self.at.saturating_add(by).min(last));
        token.copied().unwrap_or(Token {
            kind: TokenKind::End,
            span: Span::default(),
            first_of_line: true,
        })
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    fn text_of(&self, span: Span) -> &'s str {
        self.source
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    fn text(&self) -> &'s str {
        self.text_of(self.token().span)
    }

    /// Takes the next token.
    fn next(&mut self) -> Token {
        let token = self.token();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    /// Notes that something starts here that has lines of its own.
    fn mark_line(&mut self) {
        let start = self.token().span.start;
        self.outline.lines.push(start);
    }

    /// End of the last token taken.
    fn last_end(&self) -> u32 {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0, |token| token.span.end)
    }

    fn span_from(&self, start: u32) -> Span {
        Span {
            start,
            end: self.last_end().max(start),
        }
    }

    fn is(&self, kind: TokenKind) -> bool {
        self.kind() == kind
    }

    fn is_word(&self, word: &str) -> bool {
        self.is(TokenKind::Word) && self.text() == word
    }

    fn is_operator(&self, symbol: &str) -> bool {
        self.is(TokenKind::Operator) && self.text() == symbol
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.is(kind);
        if found {
            self.next();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports that `what` should stand here.
    fn expected(&mut self, what: &str) -> Stop {
        let token = self.token();
        // The lexer has said what is wrong here.
        let gap = self.last_end()..token.span.start;
        let unknown =
            |d: &Diagnostic| d.code == Code::UnknownCharacter && gap.contains(&d.span.start);
        if token.kind == TokenKind::OpenText || self.diagnostics.iter().any(unknown) {
            return Stop;
        }
        // Where brackets don't match, the first surprise of an item makes the others.
        let surprise = |d: &Diagnostic| d.code == Code::Expected && d.span.start >= self.item_start;
        if !self.balanced && self.diagnostics.iter().any(surprise) {
            return Stop;
        }
        let found = match token.kind {
            TokenKind::End => "the end of the file".to_owned(),
            _ => {
                let text: String = self.text().chars().take(24).collect();
                format!("`{}`", text.lines().next().unwrap_or_default())
            }
        };
        let message = format!("expected {what}, found {found}");
        self.report(
            Diagnostic::new(Code::Expected, token.span, message).here(format!("expected {what}")),
        );
        Stop
    }

    fn expect(&mut self, kind: TokenKind, what: &str) -> Parsed<Token> {
        if self.is(kind) {
            Ok(self.next())
        } else {
            Err(self.expected(what))
        }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<Token> {
        if self.is_word(word) {
            Ok(self.next())
        } else {
            Err(self.expected(&format!("`{word}`")))
        }
    }

    fn expect_operator(&mut self, symbol: &str) -> Parsed<Token> {
        if self.is_operator(symbol) {
            Ok(self.next())
        } else {
            Err(self.expected(&format!("`{symbol}`")))
        }
    }

    /// A name that is declared or used here.
    fn name(&mut self, what: &str) -> Parsed<ast::Name> {
        if !self.is(TokenKind::Word) {
            return Err(self.expected(what));
        }
        let text = self.text();
        if RESERVED.contains(&text) {
            let message = format!("`{text}` is a word of the language and can't be a name");
            let token = self.token();
            self.report(
                Diagnostic::new(Code::ReservedWord, token.span, message)
                    .here(format!("expected {what}")),
            );
            // Here it is a name nevertheless.
            if self.ahead(1).kind != TokenKind::Colon {
                return Err(Stop);
            }
        }
        let token = self.next();
        Ok(ast::Name {
            text: text.to_owned(),
            span: token.span,
        })
    }

    /// Parses where a `{` starts a block, or (in a head) doesn't.
    fn with_blocks<T>(&mut self, allowed: bool, parse: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.no_block, !allowed);
        let result = parse(self);
        self.no_block = before;
        result
    }

    /// Goes one level deeper, unless that is too deep.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn too_deep(&mut self) -> Stop {
        let message = format!("this is nested more than {MAX_DEPTH} levels deep");
        let span = self.token().span;
        self.report(
            Diagnostic::new(Code::NestedTooDeep, span, message)
                .help("name a part of it with `let`, or move it into a function"),
        );
        Stop
    }

    /// A list in brackets, separated by commas, a last comma allowed. `open` is already taken.
    fn list<T>(
        &mut self,
        open: Token,
        close: TokenKind,
        close_text: &str,
        element: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.with_blocks(true, |p| p.list_inner(open, close, close_text, element))
    }

    fn list_inner<T>(
        &mut self,
        open: Token,
        close: TokenKind,
        close_text: &str,
        mut element: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut all = Vec::new();
        loop {
            if self.eat(close) {
                return Ok(all);
            }
            if self.is(TokenKind::End) {
                return Err(self.unclosed(open));
            }
            all.push(element(self)?);
            if !self.eat(TokenKind::Comma) && !self.is(close) {
                return Err(self.expected(&format!("`,` or `{close_text}`")));
            }
        }
    }

    fn unclosed(&mut self, open: Token) -> Stop {
        let bracket = self.text_of(open.span);
        let message = format!("this `{bracket}` is never closed");
        let here = match self.kind() {
            TokenKind::End => "the file ends here".to_owned(),
            _ => format!("`{}` can't stand inside it", self.text()),
        };
        let end = self.token().span;
        self.report(Diagnostic::new(Code::Unclosed, open.span, message).label(end, here));
        Stop
    }

    /// Skips to where `stop` holds or a bracket closes that was opened before.
    fn skip_until(&mut self, stop: impl FnMut(&Self) -> bool) {
        self.skip_from(0, stop);
    }

    /// The same from inside so many open brackets, which are left first.
    fn skip_from(&mut self, mut open: usize, mut stop: impl FnMut(&Self) -> bool) {
        loop {
            let kind = self.kind();
            match kind {
                TokenKind::End => return,
                TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => {
                    open += 1;
                }
                TokenKind::CloseBrace if open == 0 => return,
                TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                    open = open.saturating_sub(1);
                }
                _ if open == 0 && stop(self) => return,
                _ => {}
            }
            self.next();
        }
    }

    fn docs(&mut self) -> Vec<String> {
        let mut docs = Vec::new();
        while self.is(TokenKind::Doc) {
            let text = self.text().trim_start_matches('/').trim();
            docs.push(text.to_owned());
            self.next();
        }
        docs
    }
}
