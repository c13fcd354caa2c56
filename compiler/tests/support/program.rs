//! Random word programs: well-typed whatever they are made of, and made smaller when one fails.
#![allow(dead_code, clippy::unwrap_used)]

use crate::dice::Dice;
use gavel_compiler::word::{Author, Builder, InputElement, Op, Program, Span, Value};

/// An operation by number, its operands by position from the end, and a small number.
pub type Choice = (u8, u16, u16, u16, u8);

/// What a program is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Digits of the input words.
    pub widths: Vec<u8>,
    /// The operations.
    pub choices: Vec<Choice>,
}

/// The first choices of operations that are compression functions.
const HASHES: u8 = 254;

/// Words at which carries, signs and comparisons turn.
pub const EXTREMES: [u32; 14] = [
    0,
    1,
    2,
    15,
    16,
    0xff,
    0x100,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_0000,
    0xffff_fffe,
    0xffff_ffff,
];

impl Recipe {
    /// A recipe of so many operations at most; compression functions only if asked for.
    pub fn random(dice: &mut Dice, most: usize, hashes: bool) -> Self {
        let widths = (0..dice.range(1, 6)).map(|_| match dice.below(3) {
            0 => 1,
            1 => 8,
            _ => dice.range(1, 8) as u8,
        });
        let widths = widths.collect();
        let count = dice.range(1, most);
        let mut choices: Vec<Choice> = (0..count)
            .map(|_| {
                let word = dice.word();
                let kind = dice.below(usize::from(HASHES)) as u8;
                let [a, b, c] = [word, word >> 16, word >> 32].map(|word| word as u16);
                (kind, a, b, c, (word >> 48) as u8)
            })
            .collect();
        if hashes {
            choices[count / 2].0 = HASHES + dice.below(2) as u8;
        }
        Self { widths, choices }
    }

    /// The program.
    pub fn build(&self) -> Program {
        let mut builder = Builder::new();
        let mut values: Vec<Value> = Vec::new();
        for (n, words) in self.widths.chunks(3).enumerate() {
            values.extend(builder.input(InputElement {
                name: format!("input {n}"),
                words: words.to_vec(),
                author: Author::Anyone,
                optional: false,
            }));
        }
        let code = builder.abort_code("Bad", Span::default());
        for (n, choice) in self.choices.iter().enumerate() {
            builder.at(Span {
                start: n as u32,
                end: n as u32 + 1,
            });
            step(&mut builder, &mut values, code, choice);
        }
        let last = values.iter().rev().take(4).copied().collect::<Vec<_>>();
        let mixed = last
            .iter()
            .skip(1)
            .fold(last[0], |a, b| builder.push(Op::Xor(a, *b)));
        let one = builder.constant(1);
        let outcome = builder.push(Op::And(mixed, one));
        builder.finish(outcome, vec!["even".into(), "odd".into()])
    }

    /// Words for the inputs: extremes, small and random ones, and ones that are nearly equal.
    pub fn inputs(&self, dice: &mut Dice) -> Vec<u32> {
        let mut before = dice.word() as u32;
        let word = |digits: &u8| {
            before = match dice.below(6) {
                0 | 1 => dice.pick(&EXTREMES),
                2 => dice.below(40) as u32,
                3 => before.wrapping_add(dice.below(3) as u32).wrapping_sub(1),
                _ => dice.word() as u32,
            };
            before & most(*digits)
        };
        self.widths.iter().map(word).collect()
    }

    /// The smallest recipe found for which something still fails.
    pub fn shrink(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut size = self.choices.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.choices.len() && self.choices.len() > 1 {
                let mut less = self.clone();
                less.choices.drain(at..(at + size).min(self.choices.len()));
                match !less.choices.is_empty() && fails(&less) {
                    true => self = less,
                    false => at += size,
                }
            }
            size /= 2;
        }
        self
    }
}

/// The largest word of so many digits.
pub fn most(digits: u8) -> u32 {
    u32::MAX >> (32 - 4 * u32::from(digits))
}

/// Appends what one choice says.
fn step(builder: &mut Builder, values: &mut Vec<Value>, code: u16, choice: &Choice) {
    let (kind, a, b, c, by) = *choice;
    let pick = |n: u16| {
        // Mostly recent ones; a few that have to pass through segments.
        let reach = if n.is_multiple_of(8) { 200 } else { 20 };
        values[values.len() - 1 - usize::from(n) % values.len().min(reach)]
    };
    let (x, y, z, by) = (pick(a), pick(b), pick(c), by % 32);
    let several = |from: u16, n: usize| pick(from.wrapping_add(n as u16 * 7));
    if kind >= HASHES {
        let state = std::array::from_fn(|n| several(a, n));
        let block = std::array::from_fn(|n| several(b, n));
        values.extend(builder.compress(match kind {
            HASHES => Op::Sha256 { state, block },
            _ => Op::Blake3 {
                cv: state,
                block,
                counter: [u32::from(c), u32::from(by)],
                block_len: 64,
                flags: u32::from(c >> 8),
            },
        }));
        return;
    }
    let op = match kind % 27 {
        25 => return values.extend(builder.wide(Op::MulWide(vec![x, y], vec![z]))),
        26 => return values.extend(builder.wide(Op::DivWide(vec![x, y], vec![z, x]))),
        0 => Op::Const(u32::from(kind) * 0x0101 + u32::from(by)),
        1 => Op::Const(EXTREMES[usize::from(by) % EXTREMES.len()]),
        2 | 3 => Op::Add(x, y),
        4 | 5 => Op::Sub(x, y),
        6 => Op::MulLo(x, y),
        7 => Op::MulHi(x, y),
        8 => Op::Div(x, y),
        9 => Op::Rem(x, y),
        10 => Op::And(x, y),
        11 => Op::Or(x, y),
        12 => Op::Xor(x, y),
        13 => Op::Not(x),
        14 => Op::Shl(x, by),
        15 => Op::Shr(x, by),
        16 => Op::Rotr(x, by),
        17 => Op::Bswap(x),
        18 | 19 => Op::Eq(x, y),
        20 => Op::Lt(x, y),
        21 | 22 => Op::Select(x, y, z),
        // A word of 1 to 32 bits.
        23 => Op::And(x, builder.constant(u32::MAX >> by)),
        _ if c % 2 == 0 => return values.extend(checked(builder, code, (x, y), by)),
        _ => {
            // Rarely true for random words.
            let low = builder.constant(u32::from(by));
            let bad = builder.push(match c % 3 {
                0 => Op::Lt(x, low),
                1 => Op::Eq(x, y),
                _ => Op::Eq(x, low),
            });
            return builder.abort_if(bad, code);
        }
    };
    values.push(builder.push(op));
}

/// Aborts, and what relies on their conditions.
fn checked(builder: &mut Builder, code: u16, (a, b): (Value, Value), by: u8) -> Vec<Value> {
    let (condition, then) = match by % 3 {
        0 => (Op::Lt(a, b), vec![Op::Sub(a, b)]),
        1 => {
            let low = builder.constant((1 << by) - 1);
            (Op::Lt(low, a), vec![Op::And(a, low)])
        }
        _ => {
            let zero = builder.constant(0);
            (Op::Eq(b, zero), vec![Op::Div(a, b), Op::Rem(a, b)])
        }
    };
    let condition = builder.push(condition);
    builder.abort_if(condition, code);
    then.into_iter().map(|op| builder.push(op)).collect()
}
