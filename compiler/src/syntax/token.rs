//! Tokens.

use crate::word::Span;
use logos::Logos;

/// What a token is. Words of the language are [`TokenKind::Word`]s like names: many are only
/// words of the language in their place.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\r\n\f\u{feff}]+")]
#[logos(skip(r"//[^\n]*", allow_greedy = true))]
pub(crate) enum TokenKind {
    /// `/// text`
    #[regex(r"///[^\n]*", priority = 20, allow_greedy = true)]
    Doc,
    /// A name or a word of the language.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    /// Starts with a digit; read by the parser.
    #[regex(r"[0-9][0-9A-Za-z_]*")]
    Number,
    /// `"text"`
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    Text,
    /// `b"text"`
    #[regex(r#"b"([^"\\\n]|\\[^\n])*""#)]
    ByteText,
    /// `hex"00ff"`
    #[regex(r#"hex"([^"\\\n]|\\[^\n])*""#)]
    HexText,
    /// A string without its end.
    #[regex(r#"(b|hex)?"([^"\\\n]|\\[^\n])*\\?"#, priority = 1)]
    OpenText,
    /// `{`
    #[token("{")]
    OpenBrace,
    /// `}`
    #[token("}")]
    CloseBrace,
    /// `(`
    #[token("(")]
    OpenParen,
    /// `)`
    #[token(")")]
    CloseParen,
    /// `[`
    #[token("[")]
    OpenBracket,
    /// `]`
    #[token("]")]
    CloseBracket,
    /// `,`
    #[token(",")]
    Comma,
    /// `;`
    #[token(";")]
    Semicolon,
    /// `:`
    #[token(":")]
    Colon,
    /// `::`
    #[token("::")]
    PathSep,
    /// `->`
    #[token("->")]
    Arrow,
    /// `=>`
    #[token("=>")]
    FatArrow,
    /// `.`
    #[token(".")]
    Dot,
    /// `..`
    #[token("..")]
    DotDot,
    /// `..=`
    #[token("..=")]
    DotDotEq,
    /// Any other operator: see [`super::parser`].
    #[regex(r"[-+*/%&|^]=?|<<=?|>>=?|&&|\|\||==?|!=?|<=?|>=?")]
    Operator,
    /// After the last token.
    End,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Span,
    /// Whether it is the first of its line.
    pub first_of_line: bool,
}
