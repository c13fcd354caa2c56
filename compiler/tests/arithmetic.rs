//! What arithmetic costs in Script: bytes that one more operation adds to a segment which
//! has several already.
#![allow(clippy::unwrap_used, clippy::panic)]

mod play;

use gavel_compiler::script::body::{Job, definitions, generate, needs};
use gavel_compiler::segment::CommittedWord;
use gavel_compiler::word::legalise::legalise;
use gavel_compiler::word::{Author, Builder, InputElement, Op, Program, Value};

/// Bytes of a whole program as one body, whatever leaves allow.
fn bytes(program: &Program) -> usize {
    let program = legalise(program);
    let bits = program.bits();
    let all = 0..program.insts.len();
    let reads = needs(&program, &bits, &definitions(&program), &all, &[], true);
    let reads: Vec<CommittedWord> = reads
        .into_iter()
        .map(|value| CommittedWord {
            value,
            digits: bits[value.index()].div_ceil(4).max(1),
        })
        .collect();
    let job = Job {
        program: &program,
        bits: &bits,
        insts: all,
        reads: &reads,
        writes: &[],
        claimed: Some(0),
    };
    generate(&job).unwrap().0.len()
}

/// A step of a chain: the next word from the last and two others.
type Step = fn(&mut Builder, Value, Value, Value) -> Value;

/// Words that a chain begins with, each of 32 bits.
const WORDS: usize = 6;

fn chain(step: Step, steps: usize) -> Program {
    let mut builder = Builder::new();
    let words = builder.input(InputElement {
        name: "words".into(),
        words: vec![8; WORDS],
        author: Author::Anyone,
        optional: false,
    });
    let mut last = words[0];
    for n in 0..steps {
        let other = |k: usize| words[1 + (n + k + n / (WORDS - 1)) % (WORDS - 1)];
        last = step(&mut builder, last, other(0), other(2));
    }
    // Everything is used as a number at the end too.
    let sum = words.iter().fold(last, |a, b| builder.push(Op::Add(a, *b)));
    let outcome = builder.push(Op::Lt(words[1], sum));
    builder.finish(outcome, vec!["no".into(), "yes".into()])
}

const STEPS: &[(&str, usize, Step)] = &[
    ("add", 25, |b, x, y, _| b.push(Op::Add(x, y))),
    ("sub", 27, |b, x, y, _| b.push(Op::Sub(x, y))),
    ("lt and add", 40, |b, x, y, _| {
        let flag = b.push(Op::Lt(x, y));
        b.push(Op::Add(x, flag))
    }),
    ("eq and add", 44, |b, x, y, _| {
        let flag = b.push(Op::Eq(x, y));
        b.push(Op::Add(x, flag))
    }),
    ("lt and select", 24, |b, x, y, z| {
        let flag = b.push(Op::Lt(x, y));
        b.push(Op::Select(flag, z, x))
    }),
    ("mul_lo", 950, |b, x, y, _| b.push(Op::MulLo(x, y))),
    ("mul_hi", 1400, |b, x, y, _| b.push(Op::MulHi(x, y))),
    ("mul both and add", 1440, |b, x, y, _| {
        let low = b.push(Op::MulLo(x, y));
        let high = b.push(Op::MulHi(x, y));
        b.push(Op::Add(low, high))
    }),
    ("mul by 1000", 340, |b, x, _, _| {
        let k = b.constant(1_000);
        b.push(Op::MulLo(x, k))
    }),
    ("div", 910, |b, x, y, z| {
        let quotient = b.push(Op::Div(x, y));
        b.push(Op::Add(quotient, z))
    }),
    ("rem", 1250, |b, x, y, z| {
        let rest = b.push(Op::Rem(x, y));
        b.push(Op::Add(rest, z))
    }),
    ("div by 10", 770, |b, x, _, z| {
        let ten = b.constant(10);
        let quotient = b.push(Op::Div(x, ten));
        b.push(Op::Add(quotient, z))
    }),
    ("xor", 90, |b, x, y, _| b.push(Op::Xor(x, y))),
];

/// Statements of a contract, by type, with the bytes that one more may take; `s` is the running value, `v` others, `i` the step.
const STATEMENTS: &[(&str, &str, usize, &str)] = &[
    ("u32", "add", 42, "s = s + v[N]"),
    ("u32", "sub", 42, "s = s - v[N]"),
    ("u32", "lt, select", 24, "if s < v[N] { s = v[M] }"),
    ("u32", "mul", 1220, "s = s * v[N]"),
    ("u32", "div, add", 1050, "s = s / v[N] + v[M]"),
    ("u32", "rem, add", 1460, "s = s % v[N] + v[M]"),
    ("u32", "shl", 620, "s = s << (v[N])"),
    ("u32", "shr", 680, "s = s >> (v[N])"),
    ("u16", "add", 20, "s = s + v[N]"),
    ("u16", "lt, select", 15, "if s < v[N] { s = v[M] }"),
    ("u16", "mul", 660, "s = s * v[N]"),
    ("u16", "div, add", 370, "s = s / v[N] + v[M]"),
    ("u8", "add", 18, "s = s + v[N]"),
    ("u8", "mul", 160, "s = s * v[N]"),
    ("u8", "div, add", 190, "s = s / v[N] + v[M]"),
    ("u64", "add", 85, "s = s + v[N]"),
    ("u64", "sub", 90, "s = s - v[N]"),
    ("u64", "lt, select", 60, "if s < v[N] { s = v[M] }"),
    ("u64", "eq, select", 65, "if s == v[N] { s = v[M] }"),
    ("u64", "mul", 3850, "s = s * v[N]"),
    ("u64", "div, add", 7500, "s = s / v[N] + v[M]"),
    ("u64", "mul_div", 18800, "s = mul_div(s, v[N], v[M])"),
    ("u64", "mul_div by 100", 6900, "s = mul_div(s, v[N], 100)"),
    ("u64", "div by 1000, add", 1400, "s = s / 1000 + v[M]"),
    ("u128", "add", 115, "s = s + v[N]"),
    ("u128", "lt, select", 125, "if s < v[N] { s = v[M] }"),
    ("u128", "mul", 10400, "s = s * v[N]"),
    ("u128", "div, add", 32000, "s = s / v[N] + v[M]"),
];

fn statements(ty: &str, statement: &str, count: usize) -> Program {
    let mut body = "let mut s = v[0]\n".to_owned();
    for n in 0..count {
        let at = |k: usize| (1 + (n + k + n / 5) % 5).to_string();
        body += &statement.replace('N', &at(0)).replace('M', &at(2));
        body += "\n";
    }
    body += "for k in 0..6 { require s != v[k] else E1 }\nYes";
    let source = play::source("", &format!("v: [{ty}; 6] from a"), &body);
    play::compile(&source).program
}

/// Shows what one more operation takes, and compares it with the limit.
fn check(name: &str, few: usize, many: usize, more: usize, limit: usize) -> Option<String> {
    let each = (many as f64 - few as f64) / more as f64;
    println!("{name:24} {each:8.1}   (of {many})");
    (each > limit as f64).then(|| format!("{name}: {each:.1} > {limit}"))
}

#[test]
fn one_more_operation_is_small() {
    let mut over = Vec::new();
    for (name, limit, step) in STEPS {
        let (few, many) = (bytes(&chain(*step, 5)), bytes(&chain(*step, 10)));
        over.extend(check(name, few, many, 5, *limit));
    }
    for (ty, name, limit, statement) in STATEMENTS {
        let n = if *ty == "u128" { 2 } else { 3 };
        let few = bytes(&statements(ty, statement, n));
        let many = bytes(&statements(ty, statement, 2 * n));
        over.extend(check(&format!("{ty} {name}"), few, many, n, *limit));
    }
    assert_eq!(over, Vec::<String>::new());
}
