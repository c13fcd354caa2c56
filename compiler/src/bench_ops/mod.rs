//! What operations cost in Script, beside BitVM2's hand-written scripts: bytes, so the figures
//! are the same on every machine.

mod measure;

use crate::commit::Shape;
use crate::front::instantiate;
use crate::script::ScriptError;
use crate::script::winternitz::{Mode, verify_len, witness_len};
use crate::units::StackDepth;
use crate::word::{Op, Value};
use measure::{Context, Effort, Operation, Size, average, contract, marginal, segment};
use serde::Serialize;
use serde_json::Map;
use std::cell::Cell;

/// Where BitVM2's figures come from.
pub const SOURCE: &str = "BitVM2 at commit 23c6cdf6";

/// How operations are measured.
pub const METHOD: &str = "\
Each operation is measured inside a segment: a seeded mixture of additions, exclusive ors, \
rotations and the like (or, where that is said, of additions, subtractions, comparisons and \
selections) on six words, which uses the results, with n + k of the operation less the \
same with n, divided by k; the mean over several seeds. Tables that the mixture has anyway don't \
count. A flag's figure has the OR that collects it; a shift leaves a shorter word, which makes what \
follows cheaper. Operations of the language are measured in a settle that chains them, checks of \
overflow included.";

/// All figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Ours beside BitVM2's.
    pub comparison: Vec<Comparison>,
    /// What the hash functions' bodies consist of.
    pub hashes: Vec<Hash>,
    /// Operations on words.
    pub words: Vec<Cost>,
    /// Operations of the language.
    pub language: Vec<Cost>,
    /// Commitments.
    pub commitments: Vec<Commitment>,
    /// Where BitVM2's figures come from.
    pub source: &'static str,
    /// How operations are measured.
    pub method: &'static str,
}

/// A figure of ours beside one of BitVM2's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What is measured.
    pub what: &'static str,
    /// BitVM2's bytes, where it has such a script.
    pub bitvm2: Option<u32>,
    /// Ours.
    pub ours: f64,
    /// What ours should be at most.
    pub target: u32,
}

impl Comparison {
    /// Whether ours is at most the target.
    pub fn reached(&self) -> bool {
        self.ours <= f64::from(self.target)
    }
}

/// What the body consists of that compresses one block and compares the result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hash {
    /// The function, and where its state comes from.
    pub what: &'static str,
    /// The whole body, in bytes.
    pub body: usize,
    /// Of these, taking the words from the altstack.
    pub reading: usize,
    /// Of these, comparing eight words.
    pub comparing: usize,
    /// The rest: from digits to digits, tables included.
    pub compression: usize,
    /// Most items on both stacks.
    pub peak: StackDepth,
}

/// What one more operation costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The operation.
    pub what: &'static str,
    /// Bytes, a mean.
    pub bytes: f64,
}

/// What a commitment costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Commitment {
    /// What is committed to.
    pub what: &'static str,
    /// Bytes of a disprove leaf.
    pub disprove: usize,
    /// Bytes of a leaf that reveals it.
    pub reveal: usize,
    /// Bytes of the witness of either, lengths of items included.
    pub witness: usize,
}

/// Measures everything; `progress` is told how many of how many figures are there.
///
/// # Errors
/// [`ScriptError`] if code generation fails. A defect.
pub fn bench_ops(progress: &dyn Fn(usize, usize)) -> Result<Report, ScriptError> {
    let all = HASHES.len() + WORDS.len() + LANGUAGE.len();
    let done = Cell::new(0);
    let progress = &|| {
        done.set(done.get() + 1);
        progress(done.get(), all);
    };
    let hashes = hashes(progress)?;
    let words = words(progress)?;
    let language = language(progress)?;
    let commitments = vec![
        commitment("a word", 8),
        commitment("32 bytes", 64),
        commitment("32 words", 256),
    ];
    Ok(Report {
        comparison: compare(&hashes, &words, &commitments),
        hashes,
        words,
        language,
        commitments,
        source: SOURCE,
        method: METHOD,
    })
}

fn compare(hashes: &[Hash], words: &[Cost], commitments: &[Commitment]) -> Vec<Comparison> {
    let hash = |what: &str| {
        let found = hashes.iter().find(|hash| hash.what == what);
        found.map_or(f64::NAN, |hash| hash.compression as f64)
    };
    let word = |what: &str| {
        let found = words.iter().find(|cost| cost.what == what);
        found.map_or(f64::NAN, |cost| cost.bytes)
    };
    let bytes32 = commitments.iter().find(|c| c.what == "32 bytes");
    let peak = hashes.iter().map(|hash| hash.peak.0).max();
    let row = |what, bitvm2, ours, target| Comparison {
        what,
        bitvm2,
        ours,
        target,
    };
    vec![
        row(
            "BLAKE3, a block, nibbles to nibbles",
            Some(70_023),
            hash(BLAKE3),
            46_000,
        ),
        row("SHA-256, a block", Some(210_892), hash(SHA256), 140_000),
        row(
            "u32 add, among sums and comparisons",
            Some(78),
            word(SUM),
            65,
        ),
        row(
            "u32 add, among bitwise operations",
            Some(78),
            word("add"),
            65,
        ),
        row("u32 xor, in context", Some(202), word("xor"), 105),
        row(
            "Winternitz, 32 bytes, script",
            Some(4_908),
            bytes32.map_or(f64::NAN, |c| c.disprove as f64),
            4_900,
        ),
        row(
            "Winternitz, 32 bytes, witness",
            Some(1_537),
            bytes32.map_or(f64::NAN, |c| c.witness as f64),
            1_540,
        ),
        row(
            "peak stack of a hash",
            Some(796),
            peak.map_or(f64::NAN, f64::from),
            1_000,
        ),
    ]
}

const BLAKE3: &str = "BLAKE3, state constant";
const SHA256: &str = "SHA-256, state read";

/// The state that both functions start from.
const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

fn blake3(cv: [Value; 8], block: [Value; 16]) -> Op {
    Op::Blake3 {
        cv,
        block,
        counter: [0, 0],
        block_len: 64,
        flags: 0b1011,
    }
}

fn sha256(state: [Value; 8], block: [Value; 16]) -> Op {
    Op::Sha256 { state, block }
}

type Function = fn([Value; 8], [Value; 16]) -> Op;

/// Functions with the words that each reads: a block, and perhaps the state.
const HASHES: &[(&str, Function, usize)] = &[
    (BLAKE3, blake3, 16),
    ("BLAKE3, state read", blake3, 24),
    ("SHA-256, state constant", sha256, 16),
    (SHA256, sha256, 24),
];

fn hashes(progress: &dyn Fn()) -> Result<Vec<Hash>, ScriptError> {
    // Eight words read and compared, nothing else: a byte to read each digit.
    let nothing = segment(8, |_, words| words.to_vec())?.bytes;
    let comparing = nothing.saturating_sub(64);
    let hash = |(what, function, inputs): &(&'static str, Function, usize)| {
        let inputs = *inputs;
        let Size { bytes, peak } = segment(inputs, |builder, words| {
            let block = std::array::from_fn(|n| words[n]);
            let state = std::array::from_fn(|n| match words.get(16 + n) {
                Some(word) => *word,
                None => builder.constant(IV[n]),
            });
            builder.compress(function(state, block)).to_vec()
        })?;
        progress();
        let reading = 8 * inputs;
        Ok(Hash {
            what,
            body: bytes,
            reading,
            comparing,
            compression: bytes.saturating_sub(reading + comparing),
            peak,
        })
    };
    HASHES.iter().map(hash).collect()
}

/// An operation that costs tens of bytes to a few hundred.
const LIGHT: Effort = Effort {
    seeds: 4,
    few: 4,
    more: 8,
};
/// One that costs thousands.
const HEAVY: Effort = Effort {
    seeds: 2,
    few: 1,
    more: 1,
};

fn words(progress: &dyn Fn()) -> Result<Vec<Cost>, ScriptError> {
    let cost = |(what, operation): &(&'static str, Operation)| {
        let context = match *what {
            SUM => Context::Numbers,
            _ => Context::Bits,
        };
        let effort = match *what {
            "mul_lo" | "mul_hi" | "div" | "rem" => HEAVY,
            _ => LIGHT,
        };
        let bytes = marginal(operation, context, effort)?;
        progress();
        Ok(Cost { what, bytes })
    };
    WORDS.iter().map(cost).collect()
}

const SUM: &str = "add, among sums and comparisons";

const WORDS: &[(&str, Operation)] = &[
    (SUM, Operation::Word(|b, [x, y], _| b.push(Op::Add(x, y)))),
    ("add", Operation::Word(|b, [x, y], _| b.push(Op::Add(x, y)))),
    ("sub", Operation::Word(|b, [x, y], _| b.push(Op::Sub(x, y)))),
    ("lt", Operation::Flag(|b, [x, y]| b.push(Op::Lt(x, y)))),
    ("eq", Operation::Flag(|b, [x, y]| b.push(Op::Eq(x, y)))),
    (
        "select",
        Operation::Word(|b, [x, y], c| b.push(Op::Select(c, x, y))),
    ),
    ("and", Operation::Word(|b, [x, y], _| b.push(Op::And(x, y)))),
    ("or", Operation::Word(|b, [x, y], _| b.push(Op::Or(x, y)))),
    ("xor", Operation::Word(|b, [x, y], _| b.push(Op::Xor(x, y)))),
    ("not", Operation::Word(|b, [x, _], _| b.push(Op::Not(x)))),
    (
        "shl by 4",
        Operation::Word(|b, [x, _], _| b.push(Op::Shl(x, 4))),
    ),
    (
        "shl by 5",
        Operation::Word(|b, [x, _], _| b.push(Op::Shl(x, 5))),
    ),
    (
        "shl by 6",
        Operation::Word(|b, [x, _], _| b.push(Op::Shl(x, 6))),
    ),
    (
        "shl by 7",
        Operation::Word(|b, [x, _], _| b.push(Op::Shl(x, 7))),
    ),
    (
        "shr by 4",
        Operation::Word(|b, [x, _], _| b.push(Op::Shr(x, 4))),
    ),
    (
        "shr by 5",
        Operation::Word(|b, [x, _], _| b.push(Op::Shr(x, 5))),
    ),
    (
        "shr by 6",
        Operation::Word(|b, [x, _], _| b.push(Op::Shr(x, 6))),
    ),
    (
        "shr by 7",
        Operation::Word(|b, [x, _], _| b.push(Op::Shr(x, 7))),
    ),
    (
        "rotr by 4",
        Operation::Word(|b, [x, _], _| b.push(Op::Rotr(x, 4))),
    ),
    (
        "rotr by 5",
        Operation::Word(|b, [x, _], _| b.push(Op::Rotr(x, 5))),
    ),
    (
        "rotr by 6",
        Operation::Word(|b, [x, _], _| b.push(Op::Rotr(x, 6))),
    ),
    (
        "rotr by 7",
        Operation::Word(|b, [x, _], _| b.push(Op::Rotr(x, 7))),
    ),
    (
        "bswap",
        Operation::Word(|b, [x, _], _| b.push(Op::Bswap(x))),
    ),
    (
        "mul_lo",
        Operation::Word(|b, [x, y], _| b.push(Op::MulLo(x, y))),
    ),
    (
        "mul_hi",
        Operation::Word(|b, [x, y], _| b.push(Op::MulHi(x, y))),
    ),
    ("div", Operation::Word(|b, [x, y], _| b.push(Op::Div(x, y)))),
    ("rem", Operation::Word(|b, [x, y], _| b.push(Op::Rem(x, y)))),
];

/// Operations of the language: name, type, the expression that takes `x`'s place.
const LANGUAGE: &[(&str, &str, &str)] = &[
    ("u32 << word", "u32", "x << (y & 31)"),
    ("u32 >> word", "u32", "x >> (y & 31)"),
    ("u64 +", "u64", "x + y"),
    ("u64 -", "u64", "x - y"),
    ("u64 <", "u64", "if x < y { x } else { z }"),
    ("u64 *", "u64", "x * y"),
    ("u64 /", "u64", "x / y"),
    ("mul_div(u64, u64, u64)", "u64", "mul_div(x, y, z)"),
    ("u128 +", "u128", "x + y"),
    ("u128 *", "u128", "x * y"),
    ("u128 /", "u128", "x / y"),
];

fn language(progress: &dyn Fn()) -> Result<Vec<Cost>, ScriptError> {
    let cost = |(what, ty, expr): &(&'static str, &str, &str)| {
        let effort = Effort { seeds: 1, ..HEAVY };
        let bytes = average(effort, |_, times| settle(ty, expr, times))?;
        progress();
        Ok(Cost { what, bytes })
    };
    LANGUAGE.iter().map(cost).collect()
}

/// Steps of a `settle` that is measured.
const STEPS: usize = 3;

/// The body of a contract whose `settle` mixes three values, an expression taking the place of
/// one of them in the first `times` of its steps.
fn settle(ty: &str, expr: &str, times: usize) -> Result<usize, ScriptError> {
    let mut steps = String::new();
    for step in 0..STEPS {
        if step < times {
            steps += &format!("x = {expr}\n");
        }
        steps += "y = y ^ x\nx = x ^ z\nz = z & y\n";
    }
    let source = format!(
        "contract Bench {{\n\
         param alice: party\nparam bob: party\nenum Outcome {{ Less, Not }}\n\
         settle(a: {ty} from anyone, b: {ty} from anyone, c: {ty} from anyone) -> Outcome {{\n\
         let mut x = a\nlet mut y = b\nlet mut z = c\n{steps}\
         if x ^ y < z {{ Less }} else {{ Not }}\n}}\n\
         coin pot {{ fund alice: 50_000 sats\npay Less {{ alice: rest }}\n\
         pay Not {{ bob: rest }}\nrefund after 4_032 blocks {{ alice: rest }} }}\n}}\n"
    );
    match instantiate(&source, &Map::new()) {
        Ok((made, _)) => Ok(contract(&made)?.bytes),
        Err(_) => Err(ScriptError::Defect("a contract to measure is refused")),
    }
}

fn commitment(what: &'static str, digits: usize) -> Commitment {
    let shape = Shape { message: digits };
    Commitment {
        what,
        disprove: verify_len(shape, Mode::Disprove),
        reveal: verify_len(shape, Mode::Reveal),
        witness: witness_len(shape),
    }
}
