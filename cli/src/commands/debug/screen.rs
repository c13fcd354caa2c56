//! A session on a terminal: source, script and stack, and keys to move.

use std::fmt::Write as _;
use std::io::IsTerminal;

use console::{Key, Term};

use super::super::inspect::cut;
use super::command::Command;
use super::cursor::Cursor;
use super::view;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

const KEYS: &str =
    "n/p step  N/P line  space 10  g byte  / find  . again  b break  c on  s/e ends  +/-  q quit";

/// Whether standard output is a terminal that can be drawn on.
pub(super) fn is_possible() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stdout().is_terminal() && !dumb
}

/// The terminal, as it was when this is dropped.
struct Screen(Term);

impl Screen {
    fn open() -> std::io::Result<Self> {
        let term = Term::buffered_stdout();
        term.write_str("\x1b[?1049h")?; // another screen, so that the one before comes back
        term.hide_cursor()?;
        term.flush()?;
        Ok(Self(term))
    }

    fn show(&self, lines: &[String]) -> std::io::Result<()> {
        let mut text = String::from("\x1b[H");
        for line in lines {
            let _ = write!(text, "{line}\x1b[K\r\n"); // a String takes everything
        }
        self.0
            .write_str(&format!("{}\x1b[J", text.trim_end_matches("\r\n")))?;
        self.0.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Whatever fails here, nothing is left to do about it.
        let _ = self.0.show_cursor();
        let _ = self.0.write_str("\x1b[?1049l");
        let _ = self.0.flush();
    }
}

/// What a key asks for.
enum Asked {
    Do(Command),
    /// A command whose argument has to be typed.
    Ask(&'static str),
    More,
    Less,
    Quit,
    Nothing,
}

fn asked(key: Key, sought: Option<&str>) -> Asked {
    let again = || sought.map(|text| Command::Find(text.to_owned()));
    match key {
        Key::Char('n') | Key::ArrowRight | Key::ArrowDown => Asked::Do(Command::Step(1)),
        Key::Char('p') | Key::ArrowLeft | Key::ArrowUp => Asked::Do(Command::Back(1)),
        Key::Char(' ') | Key::PageDown => Asked::Do(Command::Step(10)),
        Key::Backspace | Key::PageUp => Asked::Do(Command::Back(10)),
        Key::Char('N') => Asked::Do(Command::Next),
        Key::Char('P') => Asked::Do(Command::Prev),
        Key::Char('c') => Asked::Do(Command::Continue),
        Key::Char('s') | Key::Home => Asked::Do(Command::Start),
        Key::Char('e') | Key::End => Asked::Do(Command::End),
        Key::Char('g') => Asked::Ask("goto"),
        Key::Char('/') => Asked::Ask("find"),
        Key::Char('.') => again().map_or(Asked::Ask("find"), Asked::Do),
        Key::Char('b') => Asked::Ask("break"),
        Key::Char('+') => Asked::More,
        Key::Char('-') => Asked::Less,
        Key::Char('q') | Key::Escape | Key::CtrlC => Asked::Quit,
        _ => Asked::Nothing,
    }
}

/// Shows a session until somebody quits; then says the verdict.
pub(super) fn interactive(
    mut cursor: Cursor<'_>,
    leaf: &str,
    items: usize,
    output: &Output,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("the terminal can't be used: {error}");
        Failure::new(Exit::Environment, "terminal", message)
    };
    let screen = Screen::open().map_err(failed)?;
    let mut items = items;
    let mut message = String::new();
    let mut sought: Option<String> = None;
    loop {
        let (rows, columns) = screen.0.size();
        let size = (usize::from(columns), usize::from(rows));
        let lines = draw(&cursor, leaf, items, size, &message);
        screen.show(&lines).map_err(failed)?;
        let key = screen.0.read_key_raw().map_err(failed)?;
        message.clear();
        let command = match asked(key, sought.as_deref()) {
            Asked::Do(command) => command,
            Asked::Ask(name) => match ask(&screen, name).map_err(failed)? {
                Ok(command) => command,
                Err(why) => {
                    message = why;
                    continue;
                }
            },
            Asked::More => {
                items = items.saturating_add(4);
                continue;
            }
            Asked::Less => {
                items = items.saturating_sub(4).max(1);
                continue;
            }
            Asked::Nothing => continue,
            Asked::Quit => break,
        };
        if let Command::Find(text) = &command {
            sought = Some(text.clone());
        }
        message = match cursor.apply(&command) {
            Ok(note) => note.unwrap_or_default(),
            Err(failure) => failure.message,
        };
    }
    drop(screen);
    output.line(&view::verdict(&cursor).1);
    Ok(())
}

/// Lets somebody type what a command needs.
fn ask(screen: &Screen, name: &str) -> std::io::Result<Result<Command, String>> {
    let mut typed = String::new();
    loop {
        screen.0.write_str(&format!("\r{name}: {typed}\x1b[K"))?;
        screen.0.flush()?;
        match screen.0.read_key_raw()? {
            Key::Enter => break,
            Key::Escape | Key::CtrlC => return Ok(Err(String::new())),
            Key::Backspace => {
                typed.pop();
            }
            Key::Char(c) if !c.is_control() => typed.push(c),
            _ => {}
        }
    }
    let parsed = super::command::parse(&format!("{name} {}", typed.replace(';', " ")));
    Ok(match parsed {
        Ok(commands) => commands.into_iter().next().ok_or_else(String::new),
        Err(failure) => Err(failure.message),
    })
}

/// What the terminal shows: lines no wider than `columns`, no more than `rows`.
pub(super) fn draw(
    cursor: &Cursor<'_>,
    leaf: &str,
    items: usize,
    (columns, rows): (usize, usize),
    message: &str,
) -> Vec<String> {
    let (columns, rows) = (columns.max(40), rows.max(12));
    let mut lines = vec![format!("{leaf}  {}", view::place(cursor)).trim().to_owned()];
    let source = (rows / 4).clamp(3, 9);
    lines.push("-".repeat(columns));
    lines.extend(source_lines(cursor, source));
    lines.push("-".repeat(columns));
    let room = rows.saturating_sub(lines.len() + 3);
    let left = columns / 2;
    let script = script_lines(cursor, room);
    let stack = view::stack(cursor, items);
    for n in 0..room {
        let script = cut(
            script.get(n).map_or("", String::as_str),
            left.saturating_sub(2),
        );
        let stack = stack.get(n).map_or("", String::as_str);
        lines.push(format!("{script:<left$}{stack}"));
    }
    lines.push("-".repeat(columns));
    lines.push(match message {
        "" => view::verdict(cursor).1,
        message => message.to_owned(),
    });
    lines.push(KEYS.to_owned());
    let plain = |line: &String| {
        let shown = line.chars().map(|c| if c.is_control() { ' ' } else { c });
        cut(&shown.collect::<String>(), columns)
            .trim_end()
            .to_owned()
    };
    lines.iter().map(plain).collect()
}

/// The source around the line that the next instruction is for.
fn source_lines(cursor: &Cursor<'_>, rows: usize) -> Vec<String> {
    let place = cursor.run().and_then(|run| cursor.listing.place(run));
    let Some(place) = place else {
        let what = cursor.run().map(|run| cursor.listing.describe(run.about));
        let what = what.map_or_else(String::new, |what| {
            format!("  (no line of the source: {what})")
        });
        let empty = std::iter::repeat_n(String::new(), rows.saturating_sub(1));
        return std::iter::once(what).chain(empty).collect();
    };
    let file = match &place.file {
        Some(name) => cursor.sources.find(name),
        None => Some(cursor.sources.main()),
    };
    let first = place.line.saturating_sub(rows / 2).max(1);
    let text = file.map_or("", |file| file.text());
    let mut lines = text.lines().skip(first - 1);
    let row = |n: usize| {
        let mark = if n == place.line { ">" } else { " " };
        format!("{mark}{n:>5} {}", lines.next().unwrap_or_default())
    };
    (first..first + rows).map(row).collect()
}

/// Instructions around the next one, each run under what it does.
fn script_lines(cursor: &Cursor<'_>, rows: usize) -> Vec<String> {
    let (listing, now) = (cursor.listing, cursor.session.now());
    let mut lines = Vec::new();
    let first = now.saturating_sub(rows / 3);
    let mut step = first;
    while lines.len() < rows && step < listing.steps() {
        if let Some(run) = listing.run_at(step)
            && (run.steps.start == step || step == first)
        {
            lines.push(format!("        {}", listing.describe(run.about)));
        }
        let mark = match step == now {
            true if cursor.session.is_active() => ">",
            true => "x",
            false => " ",
        };
        let asm = listing.asm(step..step + 1);
        lines.push(format!("{mark}{:>6}  {asm}", listing.offset(step)));
        step += 1;
    }
    if step >= listing.steps() {
        let mark = if now >= listing.steps() { ">" } else { " " };
        lines.push(format!("{mark}{:>6}  the end", listing.script.len()));
    }
    lines.truncate(rows);
    lines
}
