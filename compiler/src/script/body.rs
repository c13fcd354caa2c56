//! The part of a disprove leaf that depends on the program only: computes a segment and
//! compares it with what the claimer committed to.

use super::ScriptError;
use super::emit::{Draft, Stmt};
use super::forms::Style;
use super::graph::Graph;
use super::lower::{Step, Task, lower};
use super::marks::{Names, Notes};
use super::memo::{Key, Memo};
use super::peephole;
use crate::segment::{CommittedWord, Plan};
use crate::units::StackDepth;
use crate::word::{Author, Builder, InputElement, Inst, Op, Program, Span, Value, legalise};
use std::collections::HashMap;
use std::ops::Range;

/// What one segment computes, from what, and what is compared.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The legalised program.
    pub program: &'a Program,
    /// [`Program::bits`] of it.
    pub bits: &'a [u8],
    /// The segment's instructions.
    pub insts: Range<usize>,
    /// Words that are read, in the order of reading.
    pub reads: &'a [CommittedWord],
    /// Words that are compared, in the order of their commitments.
    pub writes: &'a [CommittedWord],
    /// In the last segment, the outcome that is claimed.
    pub claimed: Option<u8>,
}

/// Abort code of a task that stands for an abort of the program.
const ABORT: u16 = 0;
/// Abort code of a task that stands for the outcome.
const OUTCOME: u16 = 1;
/// Abort code of a task that stands for the first written word.
const WRITES: u16 = 2;

/// Script of a body and the peak of its stacks, both counted from when all commitments are
/// checked and their digits lie on the altstack.
pub type Made = (Vec<u8>, StackDepth);

/// How a body is made: a style, and how many pairs of claimed digits wait as one item.
type Way = (Style, usize);

/// Makes a body. If there is none that fits on the stack, the peak says so, and the script is
/// what is nearest.
///
/// # Errors
/// [`ScriptError::Missing`] if the segment needs a value that it neither computes nor reads.
pub fn generate(job: &Job<'_>) -> Result<Made, ScriptError> {
    generate_once(job, &Memo::default())
}

/// The same, unless it was made before.
///
/// # Errors
/// As [`generate`].
pub fn generate_once(job: &Job<'_>, memo: &Memo) -> Result<Made, ScriptError> {
    let (task, constants) = Collector::collect(job)?;
    let key = Key::of(&task, &constants, job.claimed);
    memo.get_or_make(key, || Ok(best(job, &task, &constants)?.0))
}

/// The same; `notes` learn what the bytes stand for.
///
/// # Errors
/// As [`generate`].
pub fn generate_noted(job: &Job<'_>, notes: &mut Notes) -> Result<Made, ScriptError> {
    let (task, constants) = Collector::collect(job)?;
    let (_, (style, pairs)) = best(job, &task, &constants)?;
    // What is noted is the one that is kept.
    let (graph, stmts) = statements(job, &task, &constants, style, &mut notes.names);
    let stmts = paired(&stmts, pairs).0;
    let (made, _) = on_stack(&graph, &stmts, digits_read(job), notes)?;
    notes.program = Some(task.program);
    Ok(made)
}

/// The first style that fits on the stack, else the nearest.
fn best(
    job: &Job<'_>,
    task: &Task,
    constants: &HashMap<u16, u32>,
) -> Result<(Made, Way), ScriptError> {
    let mut best: Option<(Made, Way)> = None;
    for style in Style::worth_trying(&task.program) {
        let (made, pairs) = in_style(job, task, constants, *style)?;
        let key = |(script, peak): &Made| {
            let over = peak.0.saturating_sub(StackDepth::MAX.0);
            (over, script.len())
        };
        if best.as_ref().is_none_or(|(best, _)| key(&made) < key(best)) {
            best = Some((made, (*style, pairs)));
        }
        // Others need less of the stack, not fewer bytes.
        if best.as_ref().is_some_and(|(best, _)| key(best).0 == 0) {
            break;
        }
    }
    best.ok_or(ScriptError::Defect("no style"))
}

/// The body in one style, with as many pairs as it takes to fit on the stack.
fn in_style(
    job: &Job<'_>,
    task: &Task,
    constants: &HashMap<u16, u32>,
    style: Style,
) -> Result<(Made, usize), ScriptError> {
    let mut notes = Notes::off();
    let (graph, stmts) = statements(job, task, constants, style, &mut notes.names);
    let reads = digits_read(job);
    let (mut made, mut over) = on_stack(&graph, &stmts, reads, &mut notes)?;
    // A pair of claimed digits is one item less.
    let most = paired(&stmts, stmts.len()).1;
    let mut pairs = 0;
    while over > 0 && pairs < most && over <= most {
        pairs = most.min(pairs + over);
        let stmts = paired(&stmts, pairs).0;
        (made, over) = on_stack(&graph, &stmts, reads, &mut notes)?;
    }
    Ok((made, pairs))
}

fn digits_read(job: &Job<'_>) -> usize {
    job.reads.iter().map(|word| usize::from(word.digits)).sum()
}

/// The script of statements, and by how many items it exceeds the stack. Only of a script that
/// doesn't, `notes` learn what its bytes are.
fn on_stack(
    graph: &Graph,
    stmts: &[Stmt],
    reads: usize,
    notes: &mut Notes,
) -> Result<(Made, usize), ScriptError> {
    let mut made = Draft::new(graph, stmts, reads)?.emit(&mut notes.marks)?;
    if made.1 <= StackDepth::MAX {
        let claims: usize = stmts.iter().map(Stmt::claims).sum();
        let shorter = peephole::shorten(&made.0, 0, reads + claims)?;
        notes.finish(graph, &shorter.offsets);
        made = (shorter.script, shorter.peak);
    }
    let over = made.1.0.saturating_sub(StackDepth::MAX.0);
    Ok((made, over.into()))
}

/// What a job computes and compares, in one style.
fn statements(
    job: &Job<'_>,
    task: &Task,
    constants: &HashMap<u16, u32>,
    style: Style,
    names: &mut Names,
) -> (Graph, Vec<Stmt>) {
    let (mut graph, steps) = lower(task, style, names);
    let mut stmts = Vec::new();
    let mut computed: HashMap<u16, Vec<_>> = HashMap::new();
    let mut joined: HashMap<u16, Vec<_>> = HashMap::new();
    for step in steps {
        match step {
            Step::Keep(nodes) => stmts.extend(nodes.into_iter().map(Stmt::Keep)),
            Step::Result(ABORT, digits) => {
                let terms: Vec<_> = digits.into_iter().map(|digit| (digit, true)).collect();
                stmts.push(Stmt::Flag(graph.sum(&terms, 0)));
            }
            Step::Result(code, digits) => {
                computed.insert(code, digits);
            }
            Step::Numbers(ABORT, numbers) => {
                let terms: Vec<_> = numbers.into_iter().map(|(n, _)| (n, true)).collect();
                stmts.push(Stmt::Flag(graph.sum(&terms, 0)));
            }
            Step::Numbers(code, numbers) => {
                joined.insert(code, numbers);
            }
        }
    }
    let mut digits_of = |code: u16| -> Vec<_> {
        computed.remove(&code).unwrap_or_else(|| {
            let word = constants.get(&code).copied().unwrap_or(0);
            (0..8)
                .map(|n| graph.constant(i64::from((word >> (4 * n)) & 15)))
                .collect()
        })
    };
    let outcome = job.claimed.map(|claimed| match joined.remove(&OUTCOME) {
        Some(numbers) => (claimed, numbers.into_iter().map(|(n, _)| n).collect()),
        None => (claimed, digits_of(OUTCOME)),
    });
    let mut written = Vec::new();
    for (n, word) in job.writes.iter().enumerate() {
        let code = WRITES + n as u16;
        if let Some(numbers) = joined.remove(&code) {
            let compare = |(number, digits)| Stmt::CompareJoined(number, digits);
            written.extend(numbers.into_iter().map(compare));
            continue;
        }
        let digits = digits_of(code).into_iter().take(usize::from(word.digits));
        written.extend(digits.map(Stmt::Compare));
    }
    if let Some((claimed, digits)) = outcome {
        let mut terms = Vec::new();
        for (n, digit) in digits.into_iter().enumerate() {
            let want = if n == 0 { i64::from(claimed) } else { 0 };
            let want = graph.constant(want);
            terms.push((graph.differ(digit, want), true));
        }
        stmts.push(Stmt::Flag(graph.sum(&terms, 0)));
    }
    stmts.extend(written);
    (graph, stmts)
}

/// The same with digits that are compared one by one joined in so many pairs, if there are, and
/// how many there are.
fn paired(stmts: &[Stmt], most: usize) -> (Vec<Stmt>, usize) {
    let mut paired = Vec::new();
    let mut pairs = 0;
    let mut rest = stmts;
    while let [first, others @ ..] = rest {
        let (stmt, left) = match (first, others) {
            (Stmt::Compare(low), [Stmt::Compare(high), left @ ..]) if pairs < most => {
                pairs += 1;
                (Stmt::ComparePair(*low, *high), left)
            }
            _ => (first.clone(), others),
        };
        paired.push(stmt);
        rest = left;
    }
    (paired, pairs)
}

/// The words that a segment reads and writes, element by element.
pub fn words_of(plan: &Plan, segment: usize) -> Option<(Vec<CommittedWord>, Vec<CommittedWord>)> {
    let segment = plan.segments.get(segment)?;
    let words = |ids: &[crate::segment::ElementId]| -> Option<Vec<CommittedWord>> {
        let elements: Option<Vec<_>> = ids.iter().map(|id| plan.elements.get(id.index())).collect();
        Some(
            elements?
                .into_iter()
                .flat_map(|element| element.words.clone())
                .collect(),
        )
    };
    Some((words(&segment.reads)?, words(&segment.writes)?))
}

/// Which earlier values a segment has to read, constants and what is renamed for free
/// excluded.
pub fn needs(
    program: &Program,
    bits: &[u8],
    defs: &[usize],
    insts: &Range<usize>,
    writes: &[Value],
    outcome: bool,
) -> Vec<Value> {
    let mut needed = needed_in(program, insts, writes, outcome);
    let mut external = Vec::new();
    let before = program
        .insts
        .get(insts.start)
        .map_or(0, |inst| inst.first.index());
    for index in (0..before).rev().chain(before..needed.len()) {
        if !needed[index] {
            continue;
        }
        let value = Value(index as u32);
        let at = defs[index];
        let inst = &program.insts[at];
        if insts.contains(&at) && !matches!(inst.op, Op::Input(_)) {
            continue;
        }
        match free_to_recompute(inst.op.clone(), value, bits) {
            Free::Constant => {}
            // Operands have smaller indices, and those before the segment are yet to come.
            Free::From(operand) => needed[operand.index()] = true,
            Free::No => external.push(value),
        }
    }
    external.sort_unstable();
    external.dedup();
    external
}

/// By value, whether some instructions need it for what is written, for the outcome or to
/// know whether to abort.
fn needed_in(
    program: &Program,
    insts: &Range<usize>,
    writes: &[Value],
    outcome: bool,
) -> Vec<bool> {
    let mut needed = vec![false; program.value_count()];
    for value in writes {
        needed[value.index()] = true;
    }
    if outcome {
        needed[program.outcome.index()] = true;
    }
    for inst in program.insts[insts.clone()].iter().rev() {
        if matches!(inst.op, Op::AbortIf(..)) || results(inst).any(|index| needed[index]) {
            for operand in inst.op.operands() {
                needed[operand.index()] = true;
            }
        }
    }
    needed
}

/// The indices of the values that an instruction defines.
fn results(inst: &Inst) -> Range<usize> {
    inst.first.index()..inst.first.index() + inst.op.results() as usize
}

enum Free {
    Constant,
    From(Value),
    No,
}

/// Whether a later segment recomputes a value rather than reading it.
fn free_to_recompute(op: Op, value: Value, bits: &[u8]) -> Free {
    let digits = |value: Value| bits[value.index()].div_ceil(4);
    match op {
        Op::Const(_) => Free::Constant,
        Op::Not(a) | Op::Bswap(a) | Op::Shl(a, _) | Op::Shr(a, _) | Op::Rotr(a, _)
            if digits(a) <= digits(value) =>
        {
            Free::From(a)
        }
        _ => Free::No,
    }
}

/// For each value, the instruction that defines it.
pub fn definitions(program: &Program) -> Vec<usize> {
    let mut defs = Vec::with_capacity(program.value_count());
    for (n, inst) in program.insts.iter().enumerate() {
        defs.extend(std::iter::repeat_n(n, inst.op.results() as usize));
    }
    defs
}

/// Builds the task of a job: its instructions, compressions expanded, with reads as inputs.
struct Collector<'a> {
    job: &'a Job<'a>,
    defs: Vec<usize>,
    builder: Builder,
    /// New names.
    names: Vec<Option<Value>>,
}

impl<'a> Collector<'a> {
    /// The task, and the words that turned out to be constants by their code.
    fn collect(job: &'a Job<'a>) -> Result<(Task, HashMap<u16, u32>), ScriptError> {
        let program = job.program;
        let mut collector = Self {
            job,
            defs: definitions(program),
            builder: Builder::new(),
            names: vec![None; program.value_count()],
        };
        let digits: Vec<u8> = job.reads.iter().map(|word| word.digits).collect();
        let element = InputElement {
            name: String::new(),
            words: digits.clone(),
            author: Author::Anyone,
            optional: false,
        };
        let inputs = collector.builder.input(element);
        let mut input_bits = Vec::new();
        for (word, name) in job.reads.iter().zip(inputs) {
            collector.names[word.value.index()] = Some(name);
            input_bits.push(job.bits[word.value.index()].min(4 * word.digits));
        }
        let abort = collector.builder.abort_code("abort", Span::default());
        debug_assert_eq!(abort, ABORT);
        let writes: Vec<Value> = job.writes.iter().map(|word| word.value).collect();
        let needed = needed_in(program, &job.insts, &writes, job.claimed.is_some());
        for (n, inst) in program
            .insts
            .iter()
            .enumerate()
            .take(job.insts.end)
            .skip(job.insts.start)
        {
            if let Op::AbortIf(condition, _) = inst.op {
                let condition = collector.name(condition)?;
                collector.builder.at(inst.span);
                collector.builder.abort_if(condition, ABORT);
            } else if !matches!(inst.op, Op::Const(_) | Op::Input(_))
                && results(inst).any(|index| needed[index])
            {
                collector.define(n)?;
            }
        }
        let mut results = Vec::new();
        if job.claimed.is_some() {
            results.push((OUTCOME, program.outcome));
        }
        for (n, word) in job.writes.iter().enumerate() {
            results.push((WRITES + n as u16, word.value));
        }
        let mut constants = HashMap::new();
        for (code, value) in results {
            let name = collector.name(value)?;
            match collector.builder.as_const(name) {
                Some(word) => {
                    constants.insert(code, word);
                }
                None => collector.builder.abort_if(name, code),
            }
        }
        let any = collector.builder.constant(0);
        let mut written = vec![0; usize::from(WRITES)];
        written.extend(job.writes.iter().map(|word| word.digits));
        let task = Task {
            abort: ABORT,
            written,
            program: collector.builder.finish(any, vec![]),
            input_bits,
            input_digits: digits,
        };
        Ok((task, constants))
    }

    /// The new name of a value, which is computed first if it is free to recompute.
    fn name(&mut self, value: Value) -> Result<Value, ScriptError> {
        let mut missing = vec![value];
        while let Some(last) = missing.last().copied() {
            if self.names[last.index()].is_some() {
                missing.pop();
                continue;
            }
            let at = self.defs[last.index()];
            let inst = &self.job.program.insts[at];
            let inside = self.job.insts.contains(&at) && !matches!(inst.op, Op::Input(_));
            match free_to_recompute(inst.op.clone(), last, self.job.bits) {
                Free::Constant => self.define(at)?,
                Free::From(operand) if self.names[operand.index()].is_none() => {
                    missing.push(operand);
                }
                Free::From(_) => self.define(at)?,
                Free::No if inside => self.define(at)?,
                Free::No => return Err(ScriptError::Missing { value: last }),
            }
        }
        self.names[value.index()].ok_or(ScriptError::Missing { value })
    }

    fn define(&mut self, at: usize) -> Result<(), ScriptError> {
        let program: &'a Program = self.job.program;
        let inst = &program.insts[at];
        let mut operands = HashMap::new();
        for operand in inst.op.operands() {
            operands.insert(operand, self.name(operand)?);
        }
        // Operands may have been defined on the way, for elsewhere.
        self.builder.at(inst.span);
        let op = inst
            .op
            .map(|value| operands.get(&value).copied().unwrap_or(value));
        let first = inst.first.index();
        match op {
            Op::Sha256 { state, block } => {
                let words = legalise::sha256(&mut self.builder, state, block);
                self.results(first, &words);
            }
            Op::Blake3 {
                cv,
                block,
                counter,
                block_len,
                flags,
            } => {
                let tail = [counter[0], counter[1], block_len, flags];
                let words = legalise::blake3(&mut self.builder, cv, block, tail);
                self.results(first, &words);
            }
            Op::State(_) => return Err(ScriptError::Missing { value: inst.first }),
            Op::MulWide(..) | Op::DivWide(..) => {
                let words = self.builder.wide(op);
                self.results(first, &words);
            }
            op => {
                let word = self.builder.push(op);
                self.results(first, &[word]);
            }
        }
        Ok(())
    }

    fn results(&mut self, first: usize, words: &[Value]) {
        for (n, word) in words.iter().enumerate() {
            self.names[first + n] = Some(*word);
        }
    }
}
