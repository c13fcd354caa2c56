//! State operations: random routines against a plain model that knows nothing of the IR, and
//! what the builder leaves out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use gavel_compiler::ledger::{CellId, Event, Failure, State, execute};
use gavel_compiler::word::{
    Author, Builder, Cell, Delta, InputElement, Op, Routine, Span, StateOp, Value,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const INPUTS: usize = 6;

/// Families of the model: bits of a number (0 for eight plain words) and words of a key.
const FAMILIES: [(u8, usize); 6] = [(8, 0), (16, 1), (32, 1), (64, 2), (128, 1), (0, 1)];

fn words(family: usize) -> usize {
    match FAMILIES[family].0 {
        0 => 8,
        bits => usize::from(bits).div_ceil(32),
    }
}

/// A word of a random routine: something computed before, or a constant.
#[derive(Clone, Copy, Debug)]
enum Word {
    Pool(usize),
    Const(u32),
}

#[derive(Clone, Debug)]
enum Step {
    Add(Word, Word),
    Load(usize, [Word; 2]),
    Store(Word, usize, [Word; 2], [Word; 8]),
    Delta(bool, Word, usize, [Word; 2], [Word; 4]),
    Emit(Word, Word),
    Abort(Word, Word),
}

/// Mostly the first inputs and the constants 0 and 1, so that the same cells come up again.
fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        4 => (0usize..3).prop_map(Word::Pool),
        1 => (0usize..1000).prop_map(Word::Pool),
        2 => (0u32..2).prop_map(Word::Const),
        1 => any::<u32>().prop_map(Word::Const),
    ]
}

/// Small more often than not: a run that aborts early tests little.
fn amount() -> impl Strategy<Value = [Word; 4]> {
    let rest = || prop_oneof![9 => Just(Word::Const(0)), 1 => word()];
    let low = prop_oneof![8 => (0u32..3).prop_map(Word::Const), 1 => word()];
    (low, rest(), rest(), rest()).prop_map(|(a, b, c, d)| [a, b, c, d])
}

fn step() -> impl Strategy<Value = Step> {
    let family = 0..FAMILIES.len();
    let key = || [word(), word()];
    prop_oneof![
        2 => (word(), word()).prop_map(|(a, b)| Step::Add(a, b)),
        4 => (family.clone(), key()).prop_map(|(f, k)| Step::Load(f, k)),
        3 => (word(), family.clone(), key(), prop::array::uniform8(word()))
            .prop_map(|(w, f, k, v)| Step::Store(w, f, k, v)),
        3 => (prop::bool::weighted(0.8), word(), family, key(), amount())
            .prop_map(|(up, w, f, k, v)| Step::Delta(up, w, f, k, v)),
        1 => (word(), word()).prop_map(|(w, v)| Step::Emit(w, v)),
        1 => (word(), prop_oneof![4 => any::<u32>(), 1 => 0u32..3])
            .prop_map(|(a, b)| Step::Abort(a, Word::Const(b))),
    ]
}

/// What both sides do with a word: the routine computes, the model knows.
trait Machine {
    type Word: Copy;
    fn constant(&mut self, word: u32) -> Self::Word;
    fn add(&mut self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn low_bit(&mut self, a: Self::Word) -> Self::Word;
    fn load(&mut self, family: usize, key: Vec<Self::Word>) -> Vec<Self::Word>;
    fn store(&mut self, when: Self::Word, family: usize, key: Vec<Self::Word>, v: Vec<Self::Word>);
    fn delta(
        &mut self,
        up: bool,
        when: Self::Word,
        cell: (usize, Vec<Self::Word>),
        by: Vec<Self::Word>,
        code: u16,
    );
    fn emit(&mut self, when: Self::Word, event: u16, words: Vec<Self::Word>);
    fn abort_if_equal(&mut self, a: Self::Word, b: Self::Word, code: u16);
}

fn drive<M: Machine>(machine: &mut M, mut pool: Vec<M::Word>, steps: &[Step]) {
    for (n, step) in steps.iter().enumerate() {
        let code = n as u16;
        let get = |machine: &mut M, word: &Word| match *word {
            Word::Pool(n) => pool[n % pool.len()],
            Word::Const(word) => machine.constant(word),
        };
        // Few different keys and many false conditions: aliases are what is tested.
        let bit = |machine: &mut M, word: &Word| {
            let word = get(machine, word);
            machine.low_bit(word)
        };
        let key = |machine: &mut M, family: usize, key: &[Word; 2]| -> Vec<M::Word> {
            let key = key.iter().take(FAMILIES[family].1);
            key.map(|word| bit(machine, word)).collect()
        };
        match step {
            Step::Add(a, b) => {
                let (a, b) = (get(machine, a), get(machine, b));
                let sum = machine.add(a, b);
                pool.push(sum);
            }
            Step::Load(family, k) => {
                let key = key(machine, *family, k);
                pool.extend(machine.load(*family, key));
            }
            Step::Store(when, family, k, value) => {
                let (when, key) = (bit(machine, when), key(machine, *family, k));
                let fits = matches!(FAMILIES[*family].0, 8 | 16);
                let value = value.iter().take(words(*family)).map(|word| match fits {
                    true => bit(machine, word),
                    false => get(machine, word),
                });
                let value = value.collect();
                machine.store(when, *family, key, value);
            }
            Step::Delta(up, when, family, k, by) => {
                if FAMILIES[*family].0 == 0 {
                    continue;
                }
                let (when, key) = (bit(machine, when), key(machine, *family, k));
                let by = by.iter().take(words(*family));
                let by = by.map(|word| get(machine, word)).collect();
                machine.delta(*up, when, (*family, key), by, code);
            }
            Step::Emit(when, word) => {
                let (when, word) = (bit(machine, when), get(machine, word));
                machine.emit(when, code, vec![word]);
            }
            Step::Abort(a, b) => {
                let (a, b) = (get(machine, a), get(machine, b));
                machine.abort_if_equal(a, b, code);
            }
        }
    }
    let one = machine.constant(1);
    machine.emit(one, u16::MAX, pool);
}

struct Built {
    builder: Builder,
}

impl Built {
    fn cell(family: usize, key: Vec<Value>) -> Cell {
        Cell {
            family: family as u16,
            key,
        }
    }

    /// The builder numbers codes by name and place.
    fn code(&mut self, code: u16) -> u16 {
        let span = Span::default();
        self.builder.abort_code(&code.to_string(), span)
    }
}

impl Machine for Built {
    type Word = Value;

    fn constant(&mut self, word: u32) -> Value {
        self.builder.constant(word)
    }

    fn add(&mut self, a: Value, b: Value) -> Value {
        self.builder.push(Op::Add(a, b))
    }

    fn low_bit(&mut self, a: Value) -> Value {
        let one = self.builder.constant(1);
        self.builder.push(Op::And(a, one))
    }

    fn load(&mut self, family: usize, key: Vec<Value>) -> Vec<Value> {
        let cell = Self::cell(family, key);
        self.builder.load(cell, words(family) as u16)
    }

    fn store(&mut self, when: Value, family: usize, key: Vec<Value>, value: Vec<Value>) {
        self.builder.store(when, Self::cell(family, key), value);
    }

    fn delta(
        &mut self,
        up: bool,
        when: Value,
        cell: (usize, Vec<Value>),
        amount: Vec<Value>,
        code: u16,
    ) {
        let delta = Delta {
            when,
            bits: FAMILIES[cell.0].0,
            cell: Self::cell(cell.0, cell.1),
            amount,
            code: self.code(code),
        };
        match up {
            true => self.builder.add(delta),
            false => self.builder.sub(delta),
        }
    }

    fn emit(&mut self, when: Value, event: u16, words: Vec<Value>) {
        self.builder.emit(when, event, words);
    }

    fn abort_if_equal(&mut self, a: Value, b: Value, code: u16) {
        let equal = self.builder.push(Op::Eq(a, b));
        let code = self.code(code);
        self.builder.abort_if(equal, code);
    }
}

#[derive(Default)]
struct Model {
    cells: BTreeMap<(usize, Vec<u32>), Vec<u32>>,
    events: Vec<Event>,
    aborted: Option<u16>,
}

fn number(words: &[u32]) -> u128 {
    let words = words.iter().enumerate();
    words.map(|(n, word)| u128::from(*word) << (32 * n)).sum()
}

impl Machine for Model {
    type Word = u32;

    fn constant(&mut self, word: u32) -> u32 {
        word
    }

    fn add(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn low_bit(&mut self, a: u32) -> u32 {
        a & 1
    }

    fn load(&mut self, family: usize, key: Vec<u32>) -> Vec<u32> {
        let value = self.cells.get(&(family, key)).cloned();
        value.unwrap_or(vec![0; words(family)])
    }

    fn store(&mut self, when: u32, family: usize, key: Vec<u32>, value: Vec<u32>) {
        if when != 0 {
            self.cells.insert((family, key), value);
        }
    }

    fn delta(
        &mut self,
        up: bool,
        when: u32,
        (family, key): (usize, Vec<u32>),
        by: Vec<u32>,
        code: u16,
    ) {
        if when == 0 || self.aborted.is_some() {
            return;
        }
        let (old, by) = (number(&self.load(family, key.clone())), number(&by));
        let new = match up {
            true => old.checked_add(by),
            false => old.checked_sub(by),
        };
        let bits = u32::from(FAMILIES[family].0);
        let Some(new) = new.filter(|new| bits == 128 || new >> bits == 0) else {
            self.aborted = Some(code);
            return;
        };
        let value = (0..words(family)).map(|n| (new >> (32 * n)) as u32);
        self.cells.insert((family, key), value.collect());
    }

    fn emit(&mut self, when: u32, event: u16, words: Vec<u32>) {
        if when != 0 {
            self.events.push(Event { event, words });
        }
    }

    fn abort_if_equal(&mut self, a: u32, b: u32, code: u16) {
        if a == b && self.aborted.is_none() {
            self.aborted = Some(code);
        }
    }
}

fn argument(name: &str, words: usize) -> InputElement {
    InputElement {
        name: name.to_owned(),
        words: vec![8; words],
        author: Author::Anyone,
        optional: false,
    }
}

fn routine(steps: &[Step]) -> Routine {
    let mut builder = Builder::new();
    let mut pool = builder.input(argument("pool", INPUTS));
    pool.push(builder.height());
    let mut built = Built { builder };
    drive(&mut built, pool, steps);
    built.builder.finish_routine()
}

fn state(cells: &BTreeMap<(usize, Vec<u32>), Vec<u32>>) -> State {
    let mut state = State::new();
    for ((family, key), value) in cells {
        let family = *family as u16;
        let key = key.clone();
        state.set(CellId { family, key }, value.clone());
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn routines_do_what_the_model_does(
        steps in prop::collection::vec(step(), 0..60),
        inputs in prop::array::uniform7(any::<u32>()),
        again in prop::array::uniform7(any::<u32>()),
    ) {
        let routine = routine(&steps);
        prop_assert_eq!(routine.arguments, INPUTS);
        prop_assert!(routine.reads_height);
        let mut cells = BTreeMap::new();
        let mut ours = State::new();
        // The second call starts from what the first one left.
        for inputs in [inputs, again] {
            let mut model = Model { cells: cells.clone(), ..Model::default() };
            drive(&mut model, inputs.to_vec(), &steps);
            let run = execute(&routine, &inputs, &ours);
            match (run.result, model.aborted) {
                (Ok(changes), None) => {
                    prop_assert_eq!(run.steps, routine.insts.len() as u64);
                    ours.apply(&changes);
                    cells = model.cells;
                    prop_assert_eq!(&changes.events, &model.events);
                }
                (Err(Failure { code }), Some(expected)) => {
                    let name = &routine.aborts[usize::from(code)].name;
                    prop_assert_eq!(name, &expected.to_string());
                }
                (ours, model) => prop_assert!(false, "{:?} is not {:?}", ours, model),
            }
            prop_assert_eq!(&ours, &state(&cells));
        }
    }
}

fn scalar(family: u16) -> Cell {
    Cell {
        family,
        key: vec![],
    }
}

fn count(routine: &Routine, kind: &str) -> usize {
    let kinds = routine.insts.iter().filter_map(|inst| match &inst.op {
        Op::State(op) => Some(op.kind()),
        _ => None,
    });
    kinds.filter(|found| *found == kind).count()
}

/// Builds a routine with two arguments and the constants 0 and 1; gives counts of its loads
/// and stores.
fn loads_and_stores(build: impl Fn(&mut Builder, [Value; 4])) -> (usize, usize) {
    let mut b = Builder::new();
    let arguments = b.input(argument("a", 2));
    let (zero, one) = (b.constant(0), b.constant(1));
    build(&mut b, [arguments[0], arguments[1], zero, one]);
    let routine = b.finish_routine();
    (count(&routine, "load"), count(&routine, "store"))
}

fn show(b: &mut Builder, words: Vec<Value>) {
    let one = b.constant(1);
    b.emit(one, 0, words);
}

#[test]
fn a_cell_is_loaded_once_if_nothing_may_have_changed_it() {
    let map = |key: Value| Cell {
        family: 9,
        key: vec![key],
    };
    let twice = loads_and_stores(|b, _| {
        for _ in 0..2 {
            let words = b.load(scalar(1), 2);
            show(b, words);
        }
    });
    assert_eq!(twice, (1, 0));
    let after_a_store = loads_and_stores(|b, [x, _, _, one]| {
        b.store(one, scalar(1), vec![x]);
        let words = b.load(scalar(1), 1);
        show(b, words);
    });
    assert_eq!(after_a_store, (0, 1));
    let after_a_conditional_store = loads_and_stores(|b, [x, y, ..]| {
        b.store(y, scalar(1), vec![x]);
        let words = b.load(scalar(1), 1);
        show(b, words);
    });
    assert_eq!(after_a_conditional_store, (1, 1));
    // `m[x]` may be `m[y]`, but `m[0]` is not `m[1]` and no field is another.
    let aliases = loads_and_stores(|b, [x, y, zero, one]| {
        for (stored, loaded) in [(x, y), (zero, one)] {
            for _ in 0..2 {
                let words = b.load(map(loaded), 1);
                show(b, words);
                b.store(one, map(stored), vec![x]);
                b.store(one, scalar(1), vec![x]);
            }
        }
    });
    assert_eq!(aliases, (3, 8));
}

#[test]
fn what_has_no_effect_is_left_out() {
    let nothing = loads_and_stores(|b, [x, _, zero, one]| {
        b.load(scalar(1), 4);
        b.verify([x; 8], [x; 8], [x; 16]);
        b.store(zero, scalar(1), vec![x]);
        b.emit(zero, 3, vec![x]);
        let delta = |when, amount| Delta {
            when,
            cell: scalar(2),
            amount,
            bits: 64,
            code: 0,
        };
        b.add(delta(zero, vec![x, x]));
        b.sub(delta(one, vec![zero, zero]));
    });
    assert_eq!(nothing, (0, 0));
    let mut b = Builder::new();
    b.height();
    let routine = b.finish_routine();
    assert!(routine.insts.is_empty());
    assert!(!routine.reads_height);
}

#[test]
fn a_failed_call_reports_the_first_abort_and_its_steps() {
    let mut b = Builder::new();
    let arguments = b.input(argument("a", 2));
    let one = b.constant(1);
    let [first, second] = ["Overflow", "Late"].map(|name| b.abort_code(name, Span::default()));
    b.store(one, scalar(2), vec![one]);
    b.add(Delta {
        when: one,
        cell: scalar(1),
        amount: vec![arguments[0]],
        bits: 8,
        code: first,
    });
    b.abort_if(arguments[1], second);
    let routine = b.finish_routine();
    let full = CellId {
        family: 1,
        key: vec![],
    };
    let mut state = State::new();
    state.set(full, vec![250]);
    for (inputs, result, steps) in [
        ([5, 0, 0], None, routine.insts.len()),
        ([6, 1, 0], Some(first), routine.insts.len() - 1),
        ([5, 7, 0], Some(second), routine.insts.len()),
    ] {
        let run = execute(&routine, &inputs, &state);
        assert_eq!(run.result.err().map(|failure| failure.code), result);
        assert_eq!(run.steps, steps as u64);
    }
}

#[test]
fn verify_accepts_the_vector_of_bip340_and_nothing_near_it() {
    // BIP340's test vector 1.
    let key = "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659";
    let message = "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89";
    let signature = "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341\
                     8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a";
    let text = [key, message, signature].concat();
    let words: Vec<u32> = (0..32)
        .map(|n| u32::from_str_radix(&text[8 * n..8 * n + 8], 16).unwrap())
        .collect();
    let mut b = Builder::new();
    let all = b.input(argument("all", 32));
    let part = |n: usize| std::array::from_fn(|i| all[n + i]);
    let valid = b.verify(part(0), part(8), std::array::from_fn(|i| all[16 + i]));
    assert_eq!(b.bits(valid), 1);
    show(&mut b, vec![valid]);
    let routine = b.finish_routine();
    let check = |words: &[u32]| {
        let run = execute(&routine, words, &State::new());
        run.result.unwrap().events[0].words[0]
    };
    assert_eq!(check(&words), 1);
    for bit in 0..32 * 32 {
        let mut wrong = words.clone();
        wrong[bit / 32] ^= 1 << (bit % 32);
        assert_eq!(check(&wrong), 0, "bit {bit}");
    }
    // A key that is no point, and constants fold to the same.
    assert_eq!(check(&[u32::MAX; 32]), 0);
    let mut b = Builder::new();
    let all: Vec<Value> = words.iter().map(|word| b.constant(*word)).collect();
    let part = |n: usize| std::array::from_fn(|i| all[n + i]);
    let valid = b.verify(part(0), part(8), std::array::from_fn(|i| all[16 + i]));
    assert_eq!(b.as_const(valid), Some(1));
}

#[test]
fn operations_rename_and_list_their_values() {
    let cell = Cell {
        family: 3,
        key: vec![Value(1), Value(2)],
    };
    let delta = Delta {
        when: Value(3),
        cell: cell.clone(),
        amount: vec![Value(4), Value(5)],
        bits: 64,
        code: 7,
    };
    let all = [
        StateOp::Load {
            cell: cell.clone(),
            words: 2,
        },
        StateOp::Store {
            when: Value(3),
            cell,
            value: vec![Value(9)],
        },
        StateOp::Add(delta.clone()),
        StateOp::Sub(delta),
        StateOp::Emit {
            when: Value(1),
            event: 2,
            words: vec![Value(8)],
        },
        StateOp::Verify {
            key: [Value(1); 8],
            message: [Value(2); 8],
            signature: [Value(3); 16],
        },
    ];
    for op in all {
        let moved = op.map(|value| Value(value.0 + 100));
        let expected: Vec<Value> = op.operands().iter().map(|v| Value(v.0 + 100)).collect();
        assert_eq!(moved.operands(), expected);
        assert_eq!(moved.map(|value| Value(value.0 - 100)), op);
        let back: Op =
            serde_json::from_str(&serde_json::to_string(&Op::State(Box::new(op.clone()))).unwrap())
                .unwrap();
        assert_eq!(back, Op::State(Box::new(op)));
    }
}
