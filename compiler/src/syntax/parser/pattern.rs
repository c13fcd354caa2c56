//! Patterns.

use super::super::ast::{Data, ExprKind, Name, Pattern, PatternKind, VariantPattern};
use super::super::token::TokenKind;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// What a match arm or `if let` matches.
    pub(super) fn pattern(&mut self) -> Parsed<Pattern> {
        let start = self.token().span.start;
        let kind = match self.kind() {
            TokenKind::Number => PatternKind::Literal(ExprKind::Number(self.number()?)),
            TokenKind::Word => match self.text() {
                "_" => {
                    self.next();
                    PatternKind::Any
                }
                "true" | "false" => {
                    let value = self.text() == "true";
                    self.next();
                    PatternKind::Literal(ExprKind::Bool(value))
                }
                _ => PatternKind::Variant(self.variant_pattern()?),
            },
            _ => return Err(self.expected("a pattern")),
        };
        let span = self.span_from(start);
        Ok(Pattern { kind, span })
    }

    fn variant_pattern(&mut self) -> Parsed<VariantPattern> {
        let mut name = self.name("a pattern")?;
        let mut of = None;
        if self.eat(TokenKind::PathSep) {
            let variant = self.name("the name of a variant")?;
            of = Some(std::mem::replace(&mut name, variant));
        }
        let (data, rest) = match self.kind() {
            TokenKind::OpenParen => {
                let (all, rest) = self.names(TokenKind::CloseParen, ")", Self::name_or_blank)?;
                (Data::Tuple(all), rest)
            }
            TokenKind::OpenBrace => {
                let (all, rest) = self.names(TokenKind::CloseBrace, "}", Self::named_field)?;
                (Data::Named(all), rest)
            }
            _ => (Data::None, false),
        };
        Ok(VariantPattern {
            of,
            name,
            data,
            rest,
        })
    }

    /// Names in brackets, and whether `..` stands behind them.
    fn names<T>(
        &mut self,
        close: TokenKind,
        close_text: &str,
        name: fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<(Vec<T>, bool)> {
        let open = self.next();
        let mut rest = false;
        let all = self.list(open, close, close_text, |p| {
            if rest {
                return Err(p.expected(&format!("`{close_text}`")));
            }
            rest = p.eat(TokenKind::DotDot);
            match rest {
                true => Ok(None),
                false => name(p).map(Some),
            }
        })?;
        Ok((all.into_iter().flatten().collect(), rest))
    }

    fn name_or_blank(&mut self) -> Parsed<Option<Name>> {
        let name = self.name("a name for the value")?;
        Ok((name.text != "_").then_some(name))
    }

    /// `x: name`; `x` alone stands for `x: x`.
    fn named_field(&mut self) -> Parsed<(Name, Option<Name>)> {
        let field = self.name("the name of a field")?;
        let name = match self.eat(TokenKind::Colon) {
            true => self.name_or_blank()?,
            false => Some(field.clone()),
        };
        Ok((field, name))
    }
}
