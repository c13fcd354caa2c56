//! The rules, as text, and what their text means.
//!
//! `left => right`: opcodes by name, numbers, and pushes by letter: `x`, `y`, `z` are pushes of
//! anything, `n`, `m` of numbers of at most 3 bytes; `n+m` and `n-m` are computed. A word before
//! a colon says what must be known of the top item: `flag:` it is 0 or 1, `small:` a number of at
//! most 3 bytes, minimal in both. `room:` says that the right side takes one item more for a
//! while; such rules are left out where there is no room. A rule is applied only where it makes a script shorter, so it
//! may be written for all pushes though it pays for long ones only.

use super::super::code::{Code, Item, number, parse_number, push_bytes};
use std::sync::OnceLock;

/// All rules; [`proof`](super::proof) has to accept each.
pub const RULES: &[&str] = &[
    // Shorter names.
    "0 PICK => DUP",
    "1 PICK => OVER",
    "0 ROLL =>",
    "1 ROLL => SWAP",
    "2 ROLL => ROT",
    "OVER OVER => 2DUP",
    "2 PICK 2 PICK 2 PICK => 3DUP",
    "room: 2 PICK 2 PICK => 3DUP DROP",
    "3DUP DROP 2 PICK => 3DUP",
    "DUP 2 PICK => 2DUP SWAP",
    "2 PICK 4 PICK => 2OVER SWAP",
    "ROT 3 ROLL => 2SWAP SWAP",
    "ROT SWAP 3 ROLL => 2SWAP ROT ROT",
    "DROP 4 ROLL 4 ROLL => 2ROT ROT DROP",
    "4 ROLL 4 ROLL 2 PICK => DUP 2ROT ROT",
    "4 ROLL 4 ROLL 4 ROLL => ROT TOALTSTACK 2SWAP FROMALTSTACK",
    "room: 3 ROLL 2 PICK ADD => OVER 4 ROLL ADD",
    "DROP FROMALTSTACK DROP => FROMALTSTACK 2DROP",
    "3 PICK 3 PICK => 2OVER",
    "3 ROLL 3 ROLL => 2SWAP",
    "5 ROLL 5 ROLL => 2ROT",
    "DROP DROP => 2DROP",
    "SWAP DROP => NIP",
    "SWAP OVER => TUCK",
    // What comes to nothing, or to less.
    "SWAP SWAP =>",
    "ROT ROT ROT =>",
    "2SWAP 2SWAP =>",
    "TOALTSTACK FROMALTSTACK =>",
    "FROMALTSTACK TOALTSTACK =>",
    "DUP SWAP => DUP",
    "DUP DROP =>",
    "DUP NIP =>",
    "OVER DROP =>",
    "TUCK DROP => SWAP",
    "NIP DROP => 2DROP",
    "TUCK 2DROP => NIP",
    "OVER 2DROP => DROP",
    "DUP 2DROP => DROP",
    "2DUP 2DROP =>",
    "2DUP DROP => OVER",
    "2DUP NIP => DUP",
    "SWAP NIP => DROP",
    "SWAP 2DROP => 2DROP",
    "ROT ROT SWAP => SWAP ROT",
    "ROT SWAP ROT => SWAP",
    "SWAP ROT SWAP => ROT ROT",
    "ROT SWAP ROT SWAP =>",
    "SWAP ROT SWAP ROT =>",
    "SWAP ROT ROT => ROT SWAP",
    "DUP TOALTSTACK DROP => TOALTSTACK",
    "DUP TOALTSTACK FROMALTSTACK => DUP",
    "TOALTSTACK DUP FROMALTSTACK => OVER SWAP",
    "TOALTSTACK DROP FROMALTSTACK => NIP",
    "TOALTSTACK SWAP FROMALTSTACK => ROT SWAP",
    "TOALTSTACK 2DROP FROMALTSTACK => NIP NIP",
    // Pushes.
    "x DROP =>",
    "x 2DROP => DROP",
    "x x => x DUP",
    "x DUP x => x DUP DUP",
    "x y x => x y OVER",
    "x y SWAP => y x",
    "x y OVER y => x y 2DUP",
    "x y z ROT => y z x",
    "x y z OVER OVER => x y z 2DUP",
    "x TOALTSTACK FROMALTSTACK => x",
    "x SWAP x SWAP => x DUP ROT",
    "DUP DUP DUP => DUP 2DUP",
    // Arithmetic.
    "1 ADD => 1ADD",
    "1 SUB => 1SUB",
    "-1 ADD => 1SUB",
    "-1 SUB => 1ADD",
    "n SWAP ADD => n ADD",
    "small: n ADD m ADD => n+m ADD",
    "small: n ADD m SUB => n-m ADD",
    "small: n SUB m SUB => n+m SUB",
    "small: n SUB m ADD => n-m SUB",
    "small: 0 ADD =>",
    "small: 0 SUB =>",
    "small: 1ADD 1SUB =>",
    "small: 1SUB 1ADD =>",
    "n m ADD => n+m",
    "n m SUB => n-m",
    "SWAP ADD => ADD",
    "SWAP BOOLAND => BOOLAND",
    "SWAP BOOLOR => BOOLOR",
    "SWAP NUMEQUAL => NUMEQUAL",
    "SWAP NUMNOTEQUAL => NUMNOTEQUAL",
    "SWAP NUMEQUALVERIFY => NUMEQUALVERIFY",
    "SWAP EQUAL => EQUAL",
    "SWAP EQUALVERIFY => EQUALVERIFY",
    "SWAP MIN => MIN",
    "SWAP MAX => MAX",
    "SWAP LESSTHAN => GREATERTHAN",
    "SWAP GREATERTHAN => LESSTHAN",
    "SWAP LESSTHANOREQUAL => GREATERTHANOREQUAL",
    "SWAP GREATERTHANOREQUAL => LESSTHANOREQUAL",
    "SWAP OVER ADD => TUCK ADD",
    "OVER SWAP ADD => OVER ADD",
    // Conditions.
    "0 NUMEQUAL => NOT",
    "0 NUMNOTEQUAL => 0NOTEQUAL",
    "NOT NOT => 0NOTEQUAL",
    "0NOTEQUAL NOT => NOT",
    "0NOTEQUAL 0NOTEQUAL => 0NOTEQUAL",
    "NOT 0NOTEQUAL => NOT",
    "0NOTEQUAL BOOLAND => BOOLAND",
    "0NOTEQUAL BOOLOR => BOOLOR",
    "NUMEQUAL NOT => NUMNOTEQUAL",
    "NUMNOTEQUAL NOT => NUMEQUAL",
    "LESSTHAN NOT => GREATERTHANOREQUAL",
    "GREATERTHAN NOT => LESSTHANOREQUAL",
    "LESSTHANOREQUAL NOT => GREATERTHAN",
    "GREATERTHANOREQUAL NOT => LESSTHAN",
    "NUMEQUAL VERIFY => NUMEQUALVERIFY",
    "EQUAL VERIFY => EQUALVERIFY",
    "flag: 0NOTEQUAL =>",
    "flag: NOT NOT =>",
    "flag: 1 NUMEQUAL =>",
    "flag: 1 NUMNOTEQUAL => NOT",
    "flag: NOT IF => NOTIF",
    "flag: NOT NOTIF => IF",
    "flag: 1 NUMEQUALVERIFY => VERIFY",
];

/// What must be known of the top item before a rule's left side runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Top {
    /// Nothing.
    Any,
    /// A minimal number of at most 3 bytes.
    Small,
    /// 0 or 1, minimal.
    Flag,
}

/// One place of a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// An opcode.
    Code(Code),
    /// The push of this data.
    Push(Vec<u8>),
    /// The push that this letter stands for.
    Letter(Letter),
    /// A number of two letters.
    Sum(Letter, Letter, Sign),
}

/// A push that a rule takes from the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is its letter
pub enum Letter {
    X,
    Y,
    Z,
    N,
    M,
}

impl Letter {
    /// All letters.
    pub const ALL: [Self; 5] = [Self::X, Self::Y, Self::Z, Self::N, Self::M];

    /// Whether it stands for numbers only.
    pub fn is_number(self) -> bool {
        matches!(self, Self::N | Self::M)
    }

    fn from_text(text: &str) -> Option<Self> {
        let place = ["x", "y", "z", "n", "m"].iter().position(|l| *l == text)?;
        Some(Self::ALL[place])
    }
}

/// How the second number of a [`Part::Sum`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is its name
pub enum Sign {
    Plus,
    Minus,
}

/// The pushes that letters stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letters<'a>([Option<&'a [u8]>; 5]);

/// The greatest number that is called small.
pub const SMALL: i64 = 0x7f_ffff;

impl<'a> Letters<'a> {
    /// What a letter stands for.
    pub fn get(&self, letter: Letter) -> Option<&'a [u8]> {
        self.0[letter as usize]
    }

    /// Has a letter stand for a push; `false` if it stands for another, or can't.
    pub fn bind(&mut self, letter: Letter, data: &'a [u8]) -> bool {
        if letter.is_number() && !is_small(data) {
            return false;
        }
        match &mut self.0[letter as usize] {
            Some(bound) => *bound == data,
            free => {
                *free = Some(data);
                true
            }
        }
    }

    fn number(&self, letter: Letter) -> Option<i64> {
        parse_number(self.get(letter)?)
    }
}

/// Whether data is a minimal number of at most 3 bytes.
pub fn is_small(data: &[u8]) -> bool {
    parse_number(data).is_some_and(|n| n.abs() <= SMALL && number(n) == data)
}

/// A rule that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What must be known of the top item.
    pub top: Top,
    /// Whether the right side may take one item more for a while.
    pub room: bool,
    /// What is replaced.
    pub left: Vec<Part>,
    /// By what.
    pub right: Vec<Part>,
}

impl Rule {
    /// Reads a rule; `None` if its text means nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let (top, room, sides) = match text.split_once(':') {
            None => (Top::Any, false, text),
            Some(("flag", sides)) => (Top::Flag, false, sides),
            Some(("small", sides)) => (Top::Small, false, sides),
            Some(("room", sides)) => (Top::Any, true, sides),
            Some(_) => return None,
        };
        let (left, right) = sides.split_once("=>")?;
        let side = |text: &str| {
            text.split_whitespace()
                .map(part)
                .collect::<Option<Vec<_>>>()
        };
        Some(Self {
            top,
            room,
            left: side(left)?,
            right: side(right)?,
        })
    }

    /// Instructions of a side, given what its letters stand for; `None` if one is missing.
    pub fn side(parts: &[Part], letters: &Letters<'_>) -> Option<Vec<Item>> {
        let item = |part: &Part| {
            Some(match part {
                Part::Code(code) => Item::Code(*code),
                Part::Push(data) => Item::Push(data.clone()),
                Part::Letter(letter) => Item::Push(letters.get(*letter)?.to_vec()),
                Part::Sum(a, b, sign) => {
                    let (a, b) = (letters.number(*a)?, letters.number(*b)?);
                    Item::Push(number(match sign {
                        Sign::Plus => a + b,
                        Sign::Minus => a - b,
                    }))
                }
            })
        };
        parts.iter().map(item).collect()
    }

    /// The pushes that its letters stand for where the left side is exactly these instructions.
    pub fn matches<'a>(&self, items: impl Iterator<Item = &'a Item>) -> Option<Letters<'a>> {
        let mut letters = Letters::default();
        for (part, item) in self.left.iter().zip(items) {
            let fits = match (part, item) {
                (Part::Code(code), Item::Code(found)) => code == found,
                (Part::Push(data), Item::Push(found)) => data == found,
                (Part::Letter(letter), Item::Push(data)) => letters.bind(*letter, data),
                _ => false,
            };
            if !fits {
                return None;
            }
        }
        Some(letters)
    }
}

fn part(text: &str) -> Option<Part> {
    if let Some(letter) = Letter::from_text(text) {
        return Some(Part::Letter(letter));
    }
    if let Some(code) = Code::from_name(text) {
        return Some(Part::Code(code));
    }
    if let Ok(n) = text.parse() {
        return Some(Part::Push(number(n)));
    }
    let (at, sign) = match (text.find('+'), text.find('-')) {
        (Some(at), _) => (at, Sign::Plus),
        (None, Some(at)) => (at, Sign::Minus),
        _ => return None,
    };
    let first = Letter::from_text(text.get(..at)?)?;
    let second = Letter::from_text(text.get(at + 1..)?)?;
    Some(Part::Sum(first, second, sign))
}

/// All rules, read.
pub fn rules() -> &'static [Rule] {
    static READ: OnceLock<Vec<Rule>> = OnceLock::new();
    READ.get_or_init(|| RULES.iter().filter_map(|text| Rule::parse(text)).collect())
}

/// Bytes of some instructions.
pub fn bytes(items: &[Item]) -> usize {
    items.iter().map(len).sum()
}

/// Bytes of an instruction.
pub fn len(item: &Item) -> usize {
    match item {
        Item::Push(data) => {
            let mut out = Vec::new();
            push_bytes(data, &mut out);
            out.len()
        }
        Item::Code(_) | Item::Bad(_) => 1,
    }
}
