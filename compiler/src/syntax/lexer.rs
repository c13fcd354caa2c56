//! Text to tokens.

use super::token::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;
use logos::Logos;

/// All tokens, the last being [`TokenKind::End`]. Text that is no token is reported and left
/// out, one diagnostic for neighbouring characters. The first byte has the offset `base`.
pub(crate) fn lex(source: &str, base: u32) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut tokens: Vec<Token> = Vec::new();
    let mut unknown: Vec<Span> = Vec::new();
    let mut diagnostics = Vec::new();
    let mut end_of_last = 0;
    for (kind, range) in TokenKind::lexer(source).spanned() {
        let span = Span {
            start: base + range.start as u32,
            end: base + range.end as u32,
        };
        let Ok(kind) = kind else {
            match unknown.last_mut() {
                Some(last) if last.end == span.start => last.end = span.end,
                _ => unknown.push(span),
            }
            continue;
        };
        if kind == TokenKind::OpenText {
            diagnostics.push(
                Diagnostic::new(Code::UnterminatedString, span, "this string has no end")
                    .help("a string ends with `\"` on the line where it starts"),
            );
        }
        let gap = source.get(end_of_last..range.start).unwrap_or_default();
        let first_of_line = tokens.is_empty() || gap.contains('\n');
        end_of_last = range.end;
        tokens.push(Token {
            kind,
            span,
            first_of_line,
        });
    }
    let end = base + source.len() as u32;
    tokens.push(Token {
        kind: TokenKind::End,
        span: Span { start: end, end },
        first_of_line: true,
    });
    for span in unknown {
        let text = source
            .get((span.start - base) as usize..(span.end - base) as usize)
            .unwrap_or_default();
        let shown: String = text.chars().take(12).collect();
        let message = format!("the language doesn't use `{}`", shown.escape_debug());
        diagnostics.push(Diagnostic::new(Code::UnknownCharacter, span, message));
    }
    (tokens, diagnostics)
}
