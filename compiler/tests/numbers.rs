//! Arithmetic on words as numbers: every operation on words of every width, at the edges.
#![allow(clippy::unwrap_used)]

#[path = "support/stretch.rs"]
mod stretch;

use gavel_compiler::word::{Author, Builder, InputElement, Op, Program, Span, Value};
use stretch::check_stretch;

const EDGES: [u32; 18] = [
    0,
    1,
    2,
    7,
    10,
    15,
    16,
    0xff,
    0xffff,
    0x1_0000,
    0x07ff_ffff,
    0x0800_0000,
    0x0fff_ffff,
    0x1000_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xdead_beef,
    0xffff_ffff,
];

/// How an operation is made of two words.
type Make = fn(Value, Value) -> Op;

const OPS: &[(&str, Make)] = &[
    ("add", Op::Add),
    ("sub", Op::Sub),
    ("mul_lo", Op::MulLo),
    ("mul_hi", Op::MulHi),
    ("div", Op::Div),
    ("rem", Op::Rem),
    ("eq", Op::Eq),
    ("lt", Op::Lt),
    ("and", Op::And),
    ("or", Op::Or),
    ("xor", Op::Xor),
];

fn keep(word: u32, digits: u8) -> u32 {
    word & (u32::MAX >> (32 - 4 * u32::from(digits)))
}

/// Pairs of edges, each cut to its width.
fn rows(widths: [u8; 2]) -> Vec<Vec<u32>> {
    let mut rows: Vec<Vec<u32>> = EDGES
        .iter()
        .flat_map(|a| EDGES.iter().map(move |b| (*a, *b)))
        .map(|(a, b)| vec![keep(a, widths[0]), keep(b, widths[1])])
        .collect();
    rows.sort_unstable();
    rows.dedup();
    // A ninth is enough; which one differs from width to width.
    let skip = usize::from(widths[0] * 3 + widths[1]) % 9;
    rows.into_iter().skip(skip).step_by(9).collect()
}

/// Two words, of so many digits, and what is made of them: the operation on them as they are
/// read or as sums, which live as numbers.
fn program(widths: [u8; 2], make: Make, [left, right, narrow]: [bool; 3]) -> (Program, Value) {
    let mut builder = Builder::new();
    let mut words = builder.input(InputElement {
        name: "words".into(),
        words: widths.to_vec(),
        author: Author::Anyone,
        optional: false,
    });
    if narrow {
        // One bit less: of 32 bits, a single number.
        words[0] = builder.push(Op::Shr(words[0], 1));
    }
    let sum = builder.push(Op::Add(words[0], words[1]));
    let less = builder.push(Op::Lt(words[0], words[1]));
    let chosen = builder.push(Op::Select(less, sum, words[1]));
    let a = if left { sum } else { words[0] };
    let b = if right { chosen } else { words[1] };
    let made = builder.push(make(a, b));
    let program = builder.finish(made, vec!["any".into()]);
    let made = program.outcome;
    (program, made)
}

#[test]
fn operations_on_edges() {
    for (name, make) in OPS {
        for widths in [[8, 8], [8, 3], [4, 8], [2, 2], [1, 8], [7, 8], [8, 7]] {
            for forms in 0..8 {
                let forms = [forms & 1 != 0, forms & 2 != 0, forms & 4 != 0];
                let (program, made) = program(widths, *make, forms);
                println!("{name} {widths:?} {forms:?}");
                check_stretch(&program, 0..program.insts.len(), &[made], &rows(widths));
            }
        }
    }
}

const CONSTANTS: [u32; 16] = [
    1,
    2,
    3,
    7,
    10,
    100,
    1_000,
    0x7fff,
    0x8000,
    0x1_0001,
    1_000_000,
    100_000_000,
    0x07ff_ffff,
    0x0800_0001,
    0x8000_0001,
    u32::MAX,
];

#[test]
fn operations_with_a_constant() {
    for (name, make) in OPS {
        for k in CONSTANTS {
            for digits in [8, 5, 2] {
                for (swapped, doubled) in [(false, false), (true, false), (false, true)] {
                    let mut builder = Builder::new();
                    let words = builder.input(InputElement {
                        name: "word".into(),
                        words: vec![digits],
                        author: Author::Anyone,
                        optional: false,
                    });
                    let word = match doubled {
                        true => builder.push(Op::Add(words[0], words[0])),
                        false => words[0],
                    };
                    let k = builder.constant(k);
                    let (a, b) = if swapped { (k, word) } else { (word, k) };
                    let made = builder.push(make(a, b));
                    let program = builder.finish(made, vec!["any".into()]);
                    println!("{name} {k:?} {digits} {swapped} {doubled}");
                    let rows: Vec<Vec<u32>> =
                        EDGES.iter().map(|word| vec![keep(*word, digits)]).collect();
                    let writes: Vec<Value> = [program.outcome]
                        .into_iter()
                        .filter(|value| {
                            let defines = program.insts.iter().find(|inst| inst.first == *value);
                            !matches!(defines.unwrap().op, Op::Const(_) | Op::Input(_))
                        })
                        .collect();
                    check_stretch(&program, 0..program.insts.len(), &writes, &rows);
                }
            }
        }
    }
}

/// Division after the check that the divisor isn't 0: the check alone accuses then.
#[test]
fn guarded_division() {
    for make in [Op::Div as Make, Op::Rem] {
        for widths in [[8, 8], [8, 4], [4, 8], [2, 2], [8, 7]] {
            let mut builder = Builder::new();
            let words = builder.input(InputElement {
                name: "words".into(),
                words: widths.to_vec(),
                author: Author::Anyone,
                optional: false,
            });
            let code = builder.abort_code("DivisionByZero", Span::default());
            let zero = builder.not_bool(words[1]);
            builder.abort_if(zero, code);
            let made = builder.push(make(words[0], words[1]));
            let program = builder.finish(made, vec!["any".into()]);
            let made = program.outcome;
            check_stretch(&program, 0..program.insts.len(), &[made], &rows(widths));
        }
    }
}

/// The lower word of a product and whether the upper one is 0, near and far from one another.
#[test]
fn checked_products() {
    for (widths, apart) in [([8, 8], 0), ([8, 5], 12), ([4, 8], 0), ([8, 8], 12)] {
        let mut builder = Builder::new();
        let words = builder.input(InputElement {
            name: "words".into(),
            words: widths.to_vec(),
            author: Author::Anyone,
            optional: false,
        });
        let low = builder.push(Op::MulLo(words[0], words[1]));
        let high = builder.push(Op::MulHi(words[0], words[1]));
        let mut last = low;
        for n in 0..apart {
            let less = builder.push(Op::Lt(last, words[n % 2]));
            last = builder.push(Op::Add(last, less));
        }
        let fits = builder.not_bool(high);
        let made = builder.push(Op::Add(last, fits));
        let program = builder.finish(made, vec!["any".into()]);
        let writes: Vec<Value> = program
            .insts
            .iter()
            .filter(|inst| matches!(inst.op, Op::Add(..) | Op::Eq(..) | Op::MulLo(..)))
            .map(|inst| inst.first)
            .collect();
        check_stretch(&program, 0..program.insts.len(), &writes, &rows(widths));
    }
}

/// Numbers of so many words: edges in each word, and sparse ones.
fn wide_rows(words: usize) -> Vec<Vec<u32>> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut draw = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % below
    };
    (0..6)
        .map(|_| {
            (0..words)
                .map(|_| match draw(3) {
                    0 => 0,
                    1 => EDGES[draw(EDGES.len() as u64) as usize],
                    _ => draw(1 << 32) as u32,
                })
                .collect()
        })
        .collect()
}

#[test]
fn operations_on_several_words() {
    let sizes = [(1, 2), (2, 1), (2, 2), (3, 1), (4, 2), (3, 3), (4, 4)];
    for (n, m) in sizes {
        for divides in [false, true] {
            for (guarded, numbers) in [(false, false), (true, false), (true, true)] {
                let mut builder = Builder::new();
                let words = builder.input(InputElement {
                    name: "words".into(),
                    words: vec![8; n + m],
                    author: Author::Anyone,
                    optional: false,
                });
                let (mut a, b) = (words[..n].to_vec(), words[n..].to_vec());
                if guarded {
                    let code = builder.abort_code("DivisionByZero", Span::default());
                    let mut nothing = builder.constant(1);
                    for word in &b {
                        let zero = builder.not_bool(*word);
                        nothing = builder.push(Op::And(nothing, zero));
                    }
                    builder.abort_if(nothing, code);
                }
                if numbers {
                    let sum = builder.push(Op::Add(a[0], b[0]));
                    let less = builder.push(Op::Lt(sum, b[0]));
                    a[0] = builder.push(Op::Select(less, a[0], sum));
                }
                let op = match divides {
                    true => Op::DivWide(a, b),
                    false => Op::MulWide(a, b),
                };
                let made = builder.wide(op);
                let mixed = builder.push(Op::Add(made[0], made[n]));
                let mixed = made
                    .iter()
                    .fold(mixed, |all, word| builder.push(Op::Add(all, *word)));
                let program = builder.finish(mixed, vec!["any".into()]);
                let is_wide = |op: &Op| matches!(op, Op::MulWide(..) | Op::DivWide(..));
                let inst = program.insts.iter().find(|inst| is_wide(&inst.op)).unwrap();
                let made: Vec<Value> = (0..inst.op.results())
                    .map(|k| Value(inst.first.0 + k))
                    .collect();
                println!("{n} {m} {divides} {guarded} {numbers}");
                let all = 0..program.insts.len();
                let rows = wide_rows(n + m);
                check_stretch(&program, all.clone(), &made, &rows);
                // Each word alone, so that the rest isn't computed.
                for word in made {
                    check_stretch(&program, all.clone(), &[word], &rows[..2]);
                }
            }
        }
    }
}
