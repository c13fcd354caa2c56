//! Offsets as lines and columns, and back.

use super::File;

/// What a column counts. Editors that speak the language server protocol count UTF-16 units
/// unless they agree on something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Bytes of UTF-8.
    Bytes,
    /// Units of UTF-16.
    Utf16,
    /// Characters.
    Chars,
}

impl Columns {
    fn of(self, c: char) -> usize {
        match self {
            Self::Bytes => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
            Self::Chars => 1,
        }
    }
}

/// A place in a file. A tab is one column. Lines end with `\n` or `\r\n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 0.
    pub line: u32,
    /// From 0.
    pub column: u32,
}

impl File {
    /// The place of an offset. One outside the file, within a character or within the end of a
    /// line is taken for the nearest place before it.
    pub fn position(&self, offset: u32, columns: Columns) -> Position {
        let at = self.range(crate::word::Span {
            start: offset,
            end: offset,
        });
        let before = self.text.get(..at.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let in_line = before.get(start..).unwrap_or_default();
        let ends = self
            .text
            .get(at.start..)
            .unwrap_or_default()
            .starts_with('\n');
        let in_line = match in_line.strip_suffix('\r') {
            Some(rest) if ends => rest,
            _ => in_line,
        };
        Position {
            line: line as u32,
            column: in_line.chars().map(|c| columns.of(c)).sum::<usize>() as u32,
        }
    }

    /// The offset of a place. Columns behind the end of a line mean its end, and lines behind
    /// the last one the end of the file.
    pub fn offset(&self, position: Position, columns: Columns) -> u32 {
        let mut start = 0;
        for _ in 0..position.line {
            let rest = self.text.get(start..).unwrap_or_default();
            match rest.find('\n') {
                Some(n) => start += n + 1,
                None => return self.base + self.text.len() as u32,
            }
        }
        let line = self.text.get(start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default();
        let ended = start + line.len() < self.text.len();
        let line = line.strip_suffix('\r').filter(|_| ended).unwrap_or(line);
        let (mut column, mut at) = (0, start);
        for c in line.chars() {
            column += columns.of(c);
            if column > position.column as usize {
                break;
            }
            at += c.len_utf8();
        }
        self.base + at as u32
    }
}
