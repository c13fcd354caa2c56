//! Bytes of bodies, and what one more operation adds to them.

use crate::contract::Contract;
use crate::script::ScriptError;
use crate::script::body::{Job, generate};
use crate::segment::CommittedWord;
use crate::units::StackDepth;
use crate::word::legalise::legalise;
use crate::word::{Author, Builder, InputElement, Op, Program, Span, Value};

/// A body's length and the peak of its stacks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) bytes: usize,
    pub(super) peak: StackDepth,
}

/// A segment that reads input words and has the words that `build` makes compared.
pub(super) fn segment(
    words: usize,
    build: impl FnOnce(&mut Builder, &[Value]) -> Vec<Value>,
) -> Result<Size, ScriptError> {
    let mut builder = Builder::new();
    let inputs = builder.input(InputElement {
        name: "x".to_owned(),
        words: vec![8; words],
        author: Author::Anyone,
        optional: false,
    });
    // Aborts keep their places and conditions in what follows, so they mark what is written.
    let written = builder.abort_code("written", Span::default());
    for value in build(&mut builder, &inputs) {
        builder.abort_if(value, written);
    }
    let any = builder.constant(0);
    let program = legalise(&builder.finish(any, vec!["any".to_owned()]));
    let marks = program.insts.iter().enumerate();
    let marks = marks.filter_map(|(n, inst)| match inst.op {
        Op::AbortIf(value, _) => Some((n, value)),
        _ => None,
    });
    let (places, written): (Vec<usize>, Vec<Value>) = marks.unzip();
    let end = places.first().copied().unwrap_or(program.insts.len());
    size(&program, end, &written, None)
}

/// The whole of a contract as one segment, outcome 0 claimed.
pub(super) fn contract(contract: &Contract) -> Result<Size, ScriptError> {
    let program = legalise(&contract.program);
    size(&program, program.insts.len(), &[], Some(0))
}

fn size(
    program: &Program,
    end: usize,
    written: &[Value],
    claimed: Option<u8>,
) -> Result<Size, ScriptError> {
    let bits = program.bits();
    let digits: Vec<u8> = program
        .inputs
        .iter()
        .flat_map(|i| i.words.clone())
        .collect();
    let read = |inst: &crate::word::Inst| match inst.op {
        Op::Input(n) => Some(CommittedWord {
            value: inst.first,
            digits: digits.get(usize::from(n)).copied().unwrap_or(8),
        }),
        _ => None,
    };
    let reads: Vec<CommittedWord> = program.insts.iter().filter_map(read).collect();
    let write = |value: &Value| CommittedWord {
        value: *value,
        digits: bits
            .get(value.index())
            .map_or(8, |bits| bits.div_ceil(4).max(1)),
    };
    let writes: Vec<CommittedWord> = written.iter().map(write).collect();
    let (script, peak) = generate(&Job {
        program,
        bits: &bits,
        insts: 0..end,
        reads: &reads,
        writes: &writes,
        claimed,
    })?;
    Ok(Size {
        bytes: script.len(),
        peak,
    })
}

/// An operation as it is measured.
pub(super) enum Operation {
    /// Of two words and a condition, to a word that takes the first word's place.
    Word(fn(&mut Builder, [Value; 2], Value) -> Value),
    /// Of two words, to a flag that is collected by `or`.
    Flag(fn(&mut Builder, [Value; 2]) -> Value),
}

/// What an operation is measured among.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// Additions, exclusive ors, rotations, conjunctions: words are best kept as digits.
    Bits,
    /// Additions, subtractions, comparisons, selections: words are best kept as numbers.
    Numbers,
}

/// How often something is measured.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Mixtures.
    pub(super) seeds: u32,
    /// Operations in the smaller program.
    pub(super) few: usize,
    /// How many more there are in the larger.
    pub(super) more: usize,
}

/// Steps of a mixture.
const STEPS: usize = 16;

/// What one more of the operation adds to a segment that mixes six words, in bytes.
pub(super) fn marginal(
    operation: &Operation,
    context: Context,
    effort: Effort,
) -> Result<f64, ScriptError> {
    average(effort, |seed, times| {
        mixture(operation, context, seed, times)
    })
}

/// The mean, over seeds, of what each more adds.
pub(super) fn average(
    effort: Effort,
    bytes: impl Fn(u32, usize) -> Result<usize, ScriptError>,
) -> Result<f64, ScriptError> {
    let mut added = 0i64;
    for seed in 0..effort.seeds {
        let few = bytes(seed, effort.few)?;
        let many = bytes(seed, effort.few + effort.more)?;
        added += many as i64 - few as i64;
    }
    let times = i64::from(effort.seeds) * effort.more as i64;
    // One decimal.
    Ok((added as f64 * 10.0 / times as f64).round() / 10.0)
}

/// A segment of [`STEPS`] operations of the context on words chosen by the seed; the first
/// `times` of them take an operand through the operation first.
fn mixture(
    operation: &Operation,
    context: Context,
    seed: u32,
    times: usize,
) -> Result<usize, ScriptError> {
    let made = segment(8, |builder, inputs| {
        let mut words: Vec<Value> = inputs.iter().take(6).copied().collect();
        let condition = match inputs {
            [.., a, b] => builder.push(Op::Lt(*a, *b)),
            _ => builder.constant(0),
        };
        let mut flags = condition;
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let mut next = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % below
        };
        for step in 0..STEPS {
            let (n, m) = (next(6), next(5));
            let (mut a, b) = (words[n], words[(n + 1 + m) % 6]);
            if step < times {
                match operation {
                    Operation::Word(make) => a = make(builder, [a, b], condition),
                    Operation::Flag(make) => {
                        let flag = make(builder, [a, b]);
                        flags = builder.push(Op::Or(flags, flag));
                    }
                }
            }
            let c = words[(n + 2 + m) % 6];
            words[n] = match (context, step % 4) {
                (_, 0) => builder.push(Op::Add(a, c)),
                (Context::Numbers, 1) => builder.push(Op::Sub(a, c)),
                (Context::Numbers, 2) => {
                    let less = builder.push(Op::Lt(a, c));
                    builder.push(Op::Select(less, b, a))
                }
                (Context::Numbers, _) => {
                    let sum = builder.push(Op::Add(a, c));
                    builder.push(Op::Sub(sum, b))
                }
                (Context::Bits, 1) => builder.push(Op::Xor(a, c)),
                (Context::Bits, 2) => {
                    let sum = builder.push(Op::Add(a, c));
                    builder.push(Op::Rotr(sum, 7))
                }
                (Context::Bits, _) => {
                    let both = builder.push(Op::And(a, c));
                    builder.push(Op::Sub(both, b))
                }
            };
        }
        words.push(flags);
        words
    })?;
    Ok(made.bytes)
}
