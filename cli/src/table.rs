//! Tables for people: columns aligned, numbers to the right.

use std::fmt::Write as _;

/// A table. The first column is text, to the left; the others to the right, but for those
/// marked with a `<` before their heading.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<String>,
    left: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(head: &[&str]) -> Self {
        let left = |(n, text): (usize, &&str)| n == 0 || text.starts_with('<');
        Self {
            head: head
                .iter()
                .map(|text| text.trim_start_matches('<').to_owned())
                .collect(),
            left: head.iter().enumerate().map(left).collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, indented by two, a newline at the end of each line.
    pub fn text(&self) -> String {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let width = |n: usize| {
            let cells = all().filter_map(|row| row.get(n));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut out = String::new();
        for row in all() {
            let mut line = String::from(" ");
            for ((cell, width), left) in row.iter().zip(&widths).zip(&self.left) {
                let width = *width;
                // Writing to a String can't fail.
                let _ = if *left {
                    write!(line, " {cell:<width$} ")
                } else {
                    write!(line, " {cell:>width$} ")
                };
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A number with thin groups: `1_234_567` as a source would have it.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}
