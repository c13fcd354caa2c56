//! Commands as people write them.

use std::fmt;

use crate::failure::Failure;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Step(usize),
    Back(usize),
    Next,
    Prev,
    Line(String),
    Goto(usize),
    Find(String),
    Break(String),
    Continue,
    Start,
    End,
    Print,
    Stack(usize),
    Screen,
    Quit,
}

/// Reads commands, separated by `;` or by lines. Lines that start with `#` say nothing.
pub(super) fn parse(text: &str) -> Result<Vec<Command>, Failure> {
    let lines = text.lines().filter(|line| !line.trim().starts_with('#'));
    let words = lines.flat_map(|line| line.split(';'));
    let words = words.map(str::trim).filter(|word| !word.is_empty());
    words.map(one).collect()
}

fn one(text: &str) -> Result<Command, Failure> {
    let (name, rest) = match text.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (text, ""),
    };
    let wrong = |what: &str| {
        let failure = Failure::usage(format!("`{text}`: {what}"));
        Err(failure.hint("`gavel debug --help` has the commands."))
    };
    let number = |default: Option<usize>| match (rest, default) {
        ("", Some(default)) => Ok(default),
        (rest, _) => match super::super::number(rest).map(usize::try_from) {
            Ok(Ok(n)) => Ok(n),
            _ => wrong("a whole number is needed").map(|()| 0),
        },
    };
    let needs = |what: &str, command: fn(String) -> Command| match rest {
        "" => wrong(what).map(|()| Command::Quit),
        rest => Ok(command(rest.to_owned())),
    };
    let alone = |command: Command| match rest {
        "" => Ok(command),
        _ => wrong("nothing can follow it").map(|()| Command::Quit),
    };
    match name {
        "step" | "s" | "n" => number(Some(1)).map(Command::Step),
        "back" | "p" => number(Some(1)).map(Command::Back),
        "next" | "N" => alone(Command::Next),
        "prev" | "P" => alone(Command::Prev),
        "line" => needs("a line is needed", Command::Line),
        "goto" | "g" => number(None).map(Command::Goto),
        "find" | "/" => needs("a text to look for is needed", Command::Find),
        "break" | "b" => needs("a line is needed", Command::Break),
        "continue" | "c" => alone(Command::Continue),
        "start" => alone(Command::Start),
        "end" | "e" => alone(Command::End),
        "print" => alone(Command::Print),
        "stack" => number(Some(20)).map(Command::Stack),
        "screen" => alone(Command::Screen),
        "quit" | "q" => alone(Command::Quit),
        _ => wrong("there is no such command").map(|()| Command::Quit),
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(n) => write!(f, "step {n}"),
            Self::Back(n) => write!(f, "back {n}"),
            Self::Next => f.write_str("next"),
            Self::Prev => f.write_str("prev"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Goto(offset) => write!(f, "goto {offset}"),
            Self::Find(text) => write!(f, "find {text}"),
            Self::Break(line) => write!(f, "break {line}"),
            Self::Continue => f.write_str("continue"),
            Self::Start => f.write_str("start"),
            Self::End => f.write_str("end"),
            Self::Print => f.write_str("print"),
            Self::Stack(n) => write!(f, "stack {n}"),
            Self::Screen => f.write_str("screen"),
            Self::Quit => f.write_str("quit"),
        }
    }
}
