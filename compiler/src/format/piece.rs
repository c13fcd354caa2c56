//! Tokens with what stands between them: comments, blank lines, and the space before each.

use crate::syntax::Outline;
use crate::syntax::lexer::lex;
use crate::syntax::token::TokenKind;

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Piece<'s> {
    pub kind: TokenKind,
    pub text: &'s str,
    /// Whether a space separates it from the piece before it, on one line.
    pub space: bool,
    /// Whether it starts an item, a statement, an arm or another line of its own.
    pub starts: bool,
    /// Whether it is the first of its line in the source.
    pub first_of_line: bool,
    /// Whether a blank line stands directly above it.
    pub blank: bool,
    /// A `<` or `>` that is a bracket.
    pub angle: bool,
    /// Comments on lines of their own above it.
    pub above: Vec<Comment<'s>>,
    /// The comment at the end of its line.
    pub beside: Option<&'s str>,
}

/// A comment on a line of its own. Documentation is a comment here.
#[derive(Clone, Debug)]
pub(super) struct Comment<'s> {
    pub text: &'s str,
    /// Whether a blank line stands directly above it.
    pub blank: bool,
}

impl Piece<'_> {
    /// A comma that the source doesn't have.
    pub fn comma() -> Self {
        Self {
            kind: TokenKind::Comma,
            text: ",",
            space: false,
            starts: false,
            first_of_line: false,
            blank: false,
            angle: false,
            above: Vec::new(),
            beside: None,
        }
    }

    /// Columns on a line, with the space before it.
    pub fn width(&self) -> usize {
        self.text.chars().count() + usize::from(self.space)
    }

    fn is_operator(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Operator && self.text == symbol
    }

    /// Whether it can be the last piece of an operand, so that `(` calls and `[` picks.
    fn ends_operand(&self) -> bool {
        match self.kind {
            TokenKind::Word => !BEFORE_OPERANDS.contains(&self.text),
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => true,
            TokenKind::ByteText | TokenKind::HexText | TokenKind::Number => true,
            _ => false,
        }
    }
}

/// Words that an expression or a type follows.
const BEFORE_OPERANDS: &[&str] = &[
    "after",
    "as",
    "assert",
    "at",
    "else",
    "if",
    "in",
    "invariant",
    "let",
    "match",
    "require",
    "return",
    "where",
];

/// All pieces of a source that parses, the last being its end.
pub(super) fn pieces<'s>(source: &'s str, outline: &Outline) -> Vec<Piece<'s>> {
    let mut reader = Reader::default();
    let mut end = 0;
    for token in lex(source, 0).0 {
        let (from, to) = (token.span.start as usize, token.span.end as usize);
        reader.gap(source.get(end..from).unwrap_or_default());
        let text = source.get(from..to).unwrap_or_default();
        end = to;
        if token.kind == TokenKind::Doc {
            reader.comment(text.trim_end(), !token.first_of_line);
            continue;
        }
        let starts = outline.lines.binary_search(&token.span.start).is_ok();
        // `>>` may be two brackets, `>=` a bracket and a `=`.
        let angle = |n: usize| outline.angles.binary_search(&((from + n) as u32)).is_ok();
        let angles = (0..text.len()).take_while(|n| angle(*n)).count();
        let parts = (0..angles).map(|n| text.get(n..=n).unwrap_or_default());
        let rest = text.get(angles..).unwrap_or_default();
        let rest = (angles == 0 || !rest.is_empty()).then_some(rest);
        for (n, part) in parts.chain(rest).enumerate() {
            reader.piece(Piece {
                kind: token.kind,
                text: part,
                starts,
                first_of_line: token.first_of_line && n == 0,
                angle: n < angles,
                ..Piece::comma()
            });
        }
    }
    reader.pieces
}

#[derive(Default)]
struct Reader<'s> {
    pieces: Vec<Piece<'s>>,
    /// Comments for the next piece.
    above: Vec<Comment<'s>>,
    /// Whether the line above is blank.
    blank: bool,
}

impl<'s> Reader<'s> {
    /// What stands between two tokens: white space and comments.
    fn gap(&mut self, text: &'s str) {
        let mut lines = text.split('\n').peekable();
        let mut same_line = true;
        while let Some(line) = lines.next() {
            let line = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            if !line.is_empty() {
                self.comment(line, same_line);
            } else if !same_line && lines.peek().is_some() {
                self.blank = true;
            }
            same_line = false;
        }
    }

    fn comment(&mut self, text: &'s str, same_line: bool) {
        match self.pieces.last_mut() {
            Some(last) if same_line && self.above.is_empty() && last.beside.is_none() => {
                last.beside = Some(text);
            }
            _ => {
                let blank = std::mem::take(&mut self.blank);
                self.above.push(Comment { text, blank });
            }
        }
    }

    fn piece(&mut self, mut piece: Piece<'s>) {
        piece.blank = std::mem::take(&mut self.blank);
        piece.above = std::mem::take(&mut self.above);
        if let Some(last) = self.pieces.last_mut() {
            piece.space = spaced(last, &piece);
            if piece.kind == TokenKind::Comma {
                // A comma stands behind its element, and the element's comment behind both.
                piece.beside = last.beside.take();
                self.above = std::mem::take(&mut piece.above);
            }
        }
        self.pieces.push(piece);
    }
}

/// Whether a space separates two pieces on one line.
fn spaced(before: &Piece, piece: &Piece) -> bool {
    use TokenKind::{
        CloseBrace, CloseBracket, CloseParen, Colon, Comma, Dot, DotDot, DotDotEq, End, OpenBrace,
        OpenBracket, OpenParen, PathSep, Semicolon, Word,
    };
    if piece.angle || (before.angle && before.text == "<") || before.is_operator("!") {
        return false;
    }
    match (before.kind, piece.kind) {
        // Where it stands for the rest of a pattern, and not in a range.
        (OpenBrace | Comma, DotDot) | (DotDot, CloseBrace) => true,
        (_, Comma | Semicolon | Colon | PathSep | Dot | DotDot | DotDotEq) => false,
        (_, CloseParen | CloseBracket | End) | (OpenBrace, CloseBrace) => false,
        (OpenParen | OpenBracket | PathSep | Dot | DotDot | DotDotEq, _) => false,
        (Word, OpenParen) => !before.ends_operand(),
        (_, OpenBracket) => !before.ends_operand(),
        _ => true,
    }
}
