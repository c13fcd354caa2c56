//! What a language server needs of the front end: results for any bytes, nothing shared
//! between checks, and positions both ways.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::sources::{Columns, Position, STD};
use gavel_compiler::word::Span;
use gavel_compiler::{Sources, check};
use proptest::prelude::*;

const COLUMNS: [Columns; 3] = [Columns::Bytes, Columns::Utf16, Columns::Chars];

#[test]
fn columns_are_counted_as_asked() {
    let text = "a\tb\r\n\u{e9}\u{1f600}x\n";
    let sources = Sources::from(text);
    let file = sources.main();
    let at = |needle: &str| text.find(needle).unwrap() as u32;
    for (needle, columns, line, column) in [
        ("b", Columns::Chars, 0, 2), // a tab is one column
        ("\r", Columns::Bytes, 0, 3),
        ("\n", Columns::Bytes, 0, 3), // within the end of a line
        ("\u{e9}", Columns::Bytes, 1, 0),
        ("\u{1f600}", Columns::Bytes, 1, 2),
        ("\u{1f600}", Columns::Utf16, 1, 1),
        ("x", Columns::Bytes, 1, 6),
        ("x", Columns::Utf16, 1, 3),
        ("x", Columns::Chars, 1, 2),
    ] {
        let position = Position { line, column };
        assert_eq!(file.position(at(needle), columns), position, "{needle:?}");
        let back = if needle == "\n" { at("\r") } else { at(needle) };
        assert_eq!(file.offset(position, columns), back, "{needle:?}");
    }
    let end = text.len() as u32;
    assert_eq!(
        file.position(end, Columns::Chars),
        Position { line: 2, column: 0 }
    );
    assert_eq!(
        file.position(end + 9, Columns::Chars),
        Position { line: 2, column: 0 }
    );
    // Behind a line, behind the file, within a character.
    let offset = |line, column| file.offset(Position { line, column }, Columns::Utf16);
    assert_eq!(offset(0, 99), at("\r"));
    assert_eq!(offset(99, 0), end);
    assert_eq!(offset(1, 2), at("\u{1f600}"));
}

#[test]
fn every_offset_is_in_one_file() {
    let mut sources = Sources::new("dir/main.gvl", "import f from \"a.gvl\"");
    sources.add("a.gvl", "");
    sources.add("../b.gvl", "library b { }");
    let names: Vec<String> = sources.files().map(|file| sources.shown(file)).collect();
    assert_eq!(names, ["dir/main.gvl", "dir/a.gvl", "dir/../b.gvl"]);
    for file in sources.files() {
        let (start, end) = (file.base(), file.base() + file.text().len() as u32);
        for offset in start..=end {
            assert_eq!(sources.file_at(offset).name(), file.name());
        }
        assert_eq!(sources.slice(Span { start, end }), file.text());
    }
    for (name, text) in STD {
        let file = sources.find(name).unwrap();
        let (start, end) = (file.base(), file.base() + text.len() as u32);
        assert_eq!(sources.file_at(end).name(), *name);
        assert_eq!(sources.slice(Span { start, end }), *text);
    }
}

#[test]
fn what_is_typed_gives_results_at_every_step() {
    let text = include_str!("../../contracts/price_bet.gvl");
    let text = format!("import isqrt from \"std/math\"\n{text}");
    let mut trees = 0;
    for end in (0..text.len())
        .step_by(7)
        .filter(|at| text.is_char_boundary(*at))
    {
        let checked = check(&text[..end]);
        assert!(!checked.is_ok());
        trees += usize::from(checked.tree.is_some());
        if checked.tree.is_some_and(|tree| tree.items.len() > 4) {
            assert_eq!(checked.contract.name, "PriceBet");
            assert!(checked.contract.params.len() == 4);
        }
    }
    assert!(trees > 100, "{trees}");
}

#[test]
fn checks_share_nothing() {
    let sources: Vec<Sources> = STD
        .iter()
        .map(|(name, text)| Sources::new(name, text))
        .collect();
    let alone: Vec<String> = sources.iter().map(|s| format!("{:?}", check(s))).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for (sources, alone) in sources.iter().zip(&alone) {
                    assert!(format!("{:?}", check(sources)) == *alone);
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn positions_come_back(text in "([a-z\u{e9}\u{1f600}\t]{0,3}(\r\n|\n|\r)?){0,6}", shift in 0..40_usize) {
        let mut sources = Sources::new("a.gvl", &" ".repeat(shift));
        sources.add("b.gvl", &text);
        let file = sources.find("b.gvl").unwrap();
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
            // Between `\r` and `\n` there is no place.
            if text[..at].ends_with('\r') && text[at..].starts_with('\n') {
                continue;
            }
            let offset = file.base() + at as u32;
            for columns in COLUMNS {
                prop_assert_eq!(file.offset(file.position(offset, columns), columns), offset);
            }
        }
    }

    #[test]
    fn any_files_give_results(main in "(import [a-c] from \"[a-c].gvl\"\n)?\\PC{0,60}", other in "\\PC{0,80}") {
        let mut sources = Sources::new("a.gvl", &main);
        sources.add("b.gvl", &other);
        sources.add("c.gvl", &format!("library c {{ {other} }}"));
        let checked = check(&sources);
        for found in &checked.diagnostics {
            found.draw_in(&sources, gavel_compiler::diagnostic::Style::Plain);
            found.to_json(&sources);
        }
        prop_assert!(checked.is_ok() || checked.diagnostics.iter().any(|d| d.is_error()));
    }
}
