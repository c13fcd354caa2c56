//! Numbers and strings.

use super::{Parsed, Parser, Stop};
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Parser<'_> {
    /// Reads a number token.
    pub(super) fn number(&mut self) -> Parsed<u64> {
        let token = self.next();
        let text = self.text_of(token.span);
        let digits: String = text.chars().filter(|c| *c != '_').collect();
        let (radix, digits) = match digits.get(..2) {
            Some("0x" | "0X") => (16, digits.get(2..).unwrap_or_default()),
            Some("0b" | "0B") => (2, digits.get(2..).unwrap_or_default()),
            _ => (10, digits.as_str()),
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            let message = format!("`{text}` is not a number");
            self.report(
                Diagnostic::new(Code::BadNumber, token.span, message)
                    .help("numbers look like `4_032`, `0xff` or `0b101`"),
            );
            return Err(Stop);
        }
        u64::from_str_radix(digits, radix).map_err(|_| {
            let message = "this number needs more than 64 bits";
            self.report(
                Diagnostic::new(Code::NumberTooLarge, token.span, message)
                    .help("the largest number is 18_446_744_073_709_551_615 (a `u64`)"),
            );
            Stop
        })
    }

    /// Reads the text between the quotes of a string token that starts with `prefix`.
    fn quoted(&self, span: Span, prefix: &str) -> String {
        let text = self.text_of(span);
        let inner = text.strip_prefix(prefix).and_then(|t| t.strip_prefix('"'));
        inner
            .and_then(|t| t.strip_suffix('"'))
            .unwrap_or_default()
            .to_owned()
    }

    /// Reads a `"text"` token.
    pub(super) fn plain_text(&mut self) -> String {
        let token = self.next();
        self.quoted(token.span, "")
    }

    /// Reads a `b"text"` token.
    pub(super) fn byte_text(&mut self) -> Parsed<Vec<u8>> {
        let token = self.next();
        let inner = self.quoted(token.span, "b");
        let mut bytes = Vec::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            let byte = match c {
                '\\' => match chars.next() {
                    Some('n') => Some(b'\n'),
                    Some('t') => Some(b'\t'),
                    Some('0') => Some(0),
                    Some('\\') => Some(b'\\'),
                    Some('"') => Some(b'"'),
                    Some('x') => {
                        let digits: String = chars.by_ref().take(2).collect();
                        u8::from_str_radix(&digits, 16)
                            .ok()
                            .filter(|_| digits.len() == 2)
                    }
                    _ => None,
                },
                c => u8::try_from(c).ok().filter(u8::is_ascii),
            };
            let Some(byte) = byte else {
                self.report(
                    Diagnostic::new(
                        Code::BadBytes,
                        token.span,
                        "byte strings hold ASCII, and the escapes \\n \\t \\0 \\\\ \\\" \\xff",
                    )
                    .help("write other bytes in hexadecimal: hex\"e282bf\""),
                );
                return Err(Stop);
            };
            bytes.push(byte);
        }
        Ok(bytes)
    }

    /// Reads a `hex"00ff"` token.
    pub(super) fn hex_text(&mut self) -> Parsed<Vec<u8>> {
        let token = self.next();
        let digits: Option<Vec<u8>> = self
            .quoted(token.span, "hex")
            .chars()
            .filter(|c| *c != '_' && *c != ' ')
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect();
        let pairs = digits.filter(|digits| digits.len() % 2 == 0).map(|digits| {
            let pair = |pair: &[u8]| pair.iter().fold(0, |byte, digit| (byte << 4) | digit);
            digits.chunks(2).map(pair).collect()
        });
        pairs.ok_or_else(|| {
            let message = "hex strings hold pairs of the digits 0-9 and a-f";
            self.report(Diagnostic::new(Code::BadBytes, token.span, message));
            Stop
        })
    }
}
