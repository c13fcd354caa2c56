//! Bytecode of an entry: the routine's operations over one flat file of registers.
//!
//! The register file holds the inputs first (the words of the arguments, then the height), then the
//! constants, then what operations define. So inputs and constants cost nothing to run, and all
//! values of one operation lie side by side.
//!
//! Cells that the routine names with the same key are one [`Place`]: found once a call, however
//! often it is read and written.

use gavel_compiler::word::{Cell, Delta, Op, Routine, StateOp, Value};
use std::collections::BTreeMap;

/// A register.
pub type Reg = u32;

/// Some registers, in [`Code::lists`].
#[derive(Clone, Copy, Debug)]
pub struct List {
    at: u32,
    len: u32,
}

/// One operation. Where it defines several words, `to` is the first of consecutive registers.
#[derive(Clone, Copy, Debug)]
pub enum Instr {
    Add {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Sub {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    MulLo {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    MulHi {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Div {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Rem {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    And {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Or {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Xor {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Not {
        to: Reg,
        a: Reg,
    },
    Shl {
        to: Reg,
        a: Reg,
        by: u32,
    },
    Shr {
        to: Reg,
        a: Reg,
        by: u32,
    },
    Rotr {
        to: Reg,
        a: Reg,
        by: u32,
    },
    Bswap {
        to: Reg,
        a: Reg,
    },
    Eq {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Lt {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Select {
        to: Reg,
        c: Reg,
        a: Reg,
        b: Reg,
    },
    /// Numbers of several words whose product has at most four.
    Mul {
        to: Reg,
        a: List,
        b: List,
    },
    /// Numbers of at most four words.
    Quotient {
        to: Reg,
        a: List,
        b: List,
    },
    /// Any other operation without state, as the reference computes it.
    Pure {
        to: Reg,
        op: u32,
    },
    AbortIf {
        when: Reg,
        at: u32,
    },
    Load {
        to: Reg,
        place: u32,
        words: u32,
    },
    Store {
        when: Reg,
        place: u32,
        value: List,
    },
    Change {
        change: u32,
    },
    Emit {
        when: Reg,
        event: u32,
        words: List,
    },
}

/// Where a routine ends early: the abort's code, and the operations run until then.
#[derive(Clone, Copy, Debug)]
pub struct AbortAt {
    pub code: u16,
    pub steps: u32,
}

/// Cells that a routine names with the same key: one cell a call.
#[derive(Clone, Debug)]
pub struct Place {
    pub family: u16,
    /// The words of its key.
    pub key: Vec<Reg>,
    /// Words of its value.
    pub words: u16,
    /// 0 if the key follows from the inputs, else one more than the places on which it depends.
    pub level: u8,
    /// Whether it is read or stored to, and not only added to or subtracted from.
    pub ordered: bool,
    /// Whether it is changed at all.
    pub written: bool,
}

/// An addition or subtraction in a cell.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub when: Reg,
    pub place: u32,
    pub amount: List,
    pub bits: u8,
    pub adds: bool,
    /// Whether the amount follows from the inputs.
    pub known: bool,
    pub abort: AbortAt,
}

/// A routine, ready to run.
#[derive(Clone, Debug)]
pub struct Code {
    pub instrs: Vec<Instr>,
    /// The part that computes keys and amounts from the inputs and loads, for places up to each
    /// level.
    pub slices: Vec<Vec<Instr>>,
    pub places: Vec<Place>,
    /// The highest level of a place.
    pub levels: u8,
    pub changes: Vec<Change>,
    pub aborts: Vec<AbortAt>,
    /// Operations of [`Instr::Pure`], with registers for values.
    pub pure: Vec<Op>,
    pub lists: Vec<Reg>,
    /// Words of the inputs, height included.
    pub inputs: usize,
    pub constants: Vec<u32>,
    /// How many registers there are.
    pub registers: usize,
    /// Operations of the routine: what a run without abort counts.
    pub steps: u32,
    /// What one run takes, in units of a simple operation: for sharing work out.
    pub cost: u64,
}

impl Code {
    /// The registers of a list.
    pub fn list(&self, list: List) -> &[Reg] {
        let at = list.at as usize;
        self.lists.get(at..at + list.len as usize).unwrap_or(&[])
    }

    /// Compiles a routine.
    pub fn new(routine: &Routine) -> Self {
        Compiler::new(routine).compile(routine)
    }
}

/// From which level of places a value is known; inputs and constants from 0.
type Level = u8;

struct Compiler {
    code: Code,
    /// By value.
    registers: Vec<Reg>,
    levels: Vec<Level>,
    places: BTreeMap<(u16, Vec<Reg>), u32>,
    /// Which instructions define each value, to cut slices.
    defined_by: Vec<Option<u32>>,
}

impl Compiler {
    fn new(routine: &Routine) -> Self {
        let inputs = routine.arguments + 1;
        let mut constants = vec![0];
        let mut registers = Vec::with_capacity(routine.value_count());
        let mut numbered: BTreeMap<u32, Reg> = BTreeMap::from([(0, inputs as Reg)]);
        for inst in &routine.insts {
            match inst.op {
                Op::Const(word) => {
                    let next = (inputs + constants.len()) as Reg;
                    let register = *numbered.entry(word).or_insert_with(|| {
                        constants.push(word);
                        next
                    });
                    registers.push(register);
                }
                // A word beyond the inputs counts as 0.
                Op::Input(n) if usize::from(n) >= inputs => registers.push(inputs as Reg),
                Op::Input(n) => registers.push(Reg::from(n)),
                ref op => registers.extend((0..op.results()).map(|_| Reg::MAX)),
            }
        }
        let mut next = (inputs + constants.len()) as Reg;
        for register in &mut registers {
            if *register == Reg::MAX {
                *register = next;
                next += 1;
            }
        }
        Self {
            levels: vec![0; registers.len()],
            defined_by: vec![None; registers.len()],
            registers,
            places: BTreeMap::new(),
            code: Code {
                instrs: Vec::new(),
                slices: Vec::new(),
                places: Vec::new(),
                levels: 0,
                changes: Vec::new(),
                aborts: Vec::new(),
                pure: Vec::new(),
                lists: Vec::new(),
                inputs,
                constants,
                registers: next as usize,
                steps: routine.insts.len() as u32,
                cost: 20,
            },
        }
    }

    fn compile(mut self, routine: &Routine) -> Code {
        for (n, inst) in routine.insts.iter().enumerate() {
            if matches!(inst.op, Op::Const(_) | Op::Input(_)) {
                continue;
            }
            let first = inst.first.index();
            let steps = (n + 1) as u32;
            let at = self.code.instrs.len() as u32;
            let level = self.level(&inst.op);
            let instr = self.instr(&inst.op, first, steps);
            let loaded = match instr {
                Instr::Load { place, .. } => self.place_level(place).saturating_add(1),
                _ => level,
            };
            for value in first..first + inst.op.results() as usize {
                self.levels[value] = loaded;
                self.defined_by[value] = Some(at);
            }
            self.code.cost += cost(&inst.op);
            self.code.instrs.push(instr);
        }
        self.code.levels = self.code.places.iter().map(|p| p.level).max().unwrap_or(0);
        self.code.slices = self.slices(routine);
        self.code
    }

    fn register(&self, value: Value) -> Reg {
        let zero = self.code.inputs as Reg;
        self.registers.get(value.index()).copied().unwrap_or(zero)
    }

    fn registers(&self, values: &[Value]) -> Vec<Reg> {
        values.iter().map(|value| self.register(*value)).collect()
    }

    fn list(&mut self, values: &[Value]) -> List {
        let registers = self.registers(values);
        let at = self.code.lists.len() as u32;
        self.code.lists.extend(registers);
        let len = values.len() as u32;
        List { at, len }
    }

    /// From which level the operation's operands are known.
    fn level(&self, op: &Op) -> Level {
        let operands = op.operands();
        self.level_of(&operands)
    }

    fn level_of(&self, values: &[Value]) -> Level {
        let levels = values
            .iter()
            .map(|value| self.levels.get(value.index()).copied().unwrap_or(0));
        levels.max().unwrap_or(0)
    }

    fn place_level(&self, place: u32) -> Level {
        let place = self.code.places.get(place as usize);
        place.map_or(0, |place| place.level)
    }

    fn place(&mut self, cell: &Cell, words: usize, ordered: bool, written: bool) -> u32 {
        let key = self.registers(&cell.key);
        let level = self.level_of(&cell.key);
        let next = self.code.places.len() as u32;
        let number = *self
            .places
            .entry((cell.family, key.clone()))
            .or_insert(next);
        if number == next {
            self.code.places.push(Place {
                family: cell.family,
                key,
                words: words as u16,
                level,
                ordered: false,
                written: false,
            });
        }
        if let Some(place) = self.code.places.get_mut(number as usize) {
            place.ordered |= ordered;
            place.written |= written;
        }
        number
    }

    fn instr(&mut self, op: &Op, first: usize, steps: u32) -> Instr {
        let to = self.registers.get(first).copied().unwrap_or(0);
        let r = |value: &Value| self.register(*value);
        match op {
            Op::Add(a, b) => Instr::Add {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Sub(a, b) => Instr::Sub {
                to,
                a: r(a),
                b: r(b),
            },
            Op::MulLo(a, b) => Instr::MulLo {
                to,
                a: r(a),
                b: r(b),
            },
            Op::MulHi(a, b) => Instr::MulHi {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Div(a, b) => Instr::Div {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Rem(a, b) => Instr::Rem {
                to,
                a: r(a),
                b: r(b),
            },
            Op::And(a, b) => Instr::And {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Or(a, b) => Instr::Or {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Xor(a, b) => Instr::Xor {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Not(a) => Instr::Not { to, a: r(a) },
            Op::Shl(a, by) => Instr::Shl {
                to,
                a: r(a),
                by: u32::from(*by),
            },
            Op::Shr(a, by) => Instr::Shr {
                to,
                a: r(a),
                by: u32::from(*by),
            },
            Op::Rotr(a, by) => Instr::Rotr {
                to,
                a: r(a),
                by: u32::from(*by),
            },
            Op::Bswap(a) => Instr::Bswap { to, a: r(a) },
            Op::Eq(a, b) => Instr::Eq {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Lt(a, b) => Instr::Lt {
                to,
                a: r(a),
                b: r(b),
            },
            Op::Select(c, a, b) => Instr::Select {
                to,
                c: r(c),
                a: r(a),
                b: r(b),
            },
            Op::MulWide(a, b) if a.len() + b.len() <= 4 => {
                let (a, b) = (self.list(a), self.list(b));
                Instr::Mul { to, a, b }
            }
            Op::DivWide(a, b) if a.len() <= 4 && b.len() <= 4 => {
                let (a, b) = (self.list(a), self.list(b));
                Instr::Quotient { to, a, b }
            }
            Op::AbortIf(when, code) => {
                let when = r(when);
                let at = self.code.aborts.len() as u32;
                self.code.aborts.push(AbortAt { code: *code, steps });
                Instr::AbortIf { when, at }
            }
            Op::State(op) => self.state_op(op, to, steps),
            op => self.pure(op, to),
        }
    }

    fn pure(&mut self, op: &Op, to: Reg) -> Instr {
        let op = op.map(|value| Value(self.register(value)));
        let number = self.code.pure.len() as u32;
        self.code.pure.push(op);
        Instr::Pure { to, op: number }
    }

    fn state_op(&mut self, op: &StateOp, to: Reg, steps: u32) -> Instr {
        match op {
            StateOp::Load { cell, words } => {
                let place = self.place(cell, usize::from(*words), true, false);
                let words = u32::from(*words);
                Instr::Load { to, place, words }
            }
            StateOp::Store { when, cell, value } => Instr::Store {
                when: self.register(*when),
                place: self.place(cell, value.len(), true, true),
                value: self.list(value),
            },
            StateOp::Add(delta) => self.change(delta, true, steps),
            StateOp::Sub(delta) => self.change(delta, false, steps),
            StateOp::Emit { when, event, words } => Instr::Emit {
                when: self.register(*when),
                event: u32::from(*event),
                words: self.list(words),
            },
            StateOp::Verify { .. } => self.pure(&Op::State(Box::new(op.clone())), to),
        }
    }

    fn change(&mut self, delta: &Delta, adds: bool, steps: u32) -> Instr {
        let known = self.level_of(&delta.amount) == 0;
        let change = Change {
            when: self.register(delta.when),
            place: self.place(&delta.cell, delta.amount.len(), false, true),
            amount: self.list(&delta.amount),
            bits: delta.bits,
            adds,
            known,
            abort: AbortAt {
                code: delta.code,
                steps,
            },
        };
        let number = self.code.changes.len() as u32;
        self.code.changes.push(change);
        Instr::Change { change: number }
    }

    /// For each level, the instructions that compute its places' keys; level 0 also the amounts
    /// that follow from the inputs.
    fn slices(&self, routine: &Routine) -> Vec<Vec<Instr>> {
        let keys_of = |level: Level| {
            let ops = routine.state_ops().filter_map(StateOp::cell);
            let own = ops.filter(move |cell| self.level_of(&cell.key) == level);
            own.flat_map(|cell| cell.key.iter().copied())
        };
        let amounts = routine.state_ops().filter_map(|op| match op {
            StateOp::Add(delta) | StateOp::Sub(delta) => Some(&delta.amount),
            _ => None,
        });
        let known = amounts.filter(|amount| self.level_of(amount) == 0);
        let known: Vec<Value> = known.flatten().copied().collect();
        let levels = 0..=self.code.levels;
        let slice = |level: Level| {
            let mut wanted: Vec<Value> = keys_of(level).collect();
            if level == 0 {
                wanted.extend(&known);
            }
            self.slice(routine, wanted)
        };
        levels.map(slice).collect()
    }

    /// The instructions on which these values depend, in order.
    fn slice(&self, routine: &Routine, mut wanted: Vec<Value>) -> Vec<Instr> {
        let mut needed = vec![false; self.code.instrs.len()];
        // An instruction's operation, found by the first value it defines.
        let insts: BTreeMap<u32, &Op> = routine
            .insts
            .iter()
            .filter(|inst| inst.op.results() > 0)
            .filter_map(|inst| Some(((*self.defined_by.get(inst.first.index())?)?, &inst.op)))
            .collect();
        while let Some(value) = wanted.pop() {
            let Some(Some(at)) = self.defined_by.get(value.index()) else {
                continue;
            };
            if let Some(slot) = needed.get_mut(*at as usize)
                && !std::mem::replace(slot, true)
                && let Some(op) = insts.get(at)
            {
                wanted.extend(op.operands());
            }
        }
        let instrs = self.code.instrs.iter().zip(needed);
        instrs
            .filter_map(|(instr, needed)| needed.then_some(*instr))
            .collect()
    }
}

/// What an operation takes, in units of a simple one.
fn cost(op: &Op) -> u64 {
    match op {
        Op::Sha256 { .. } => 150,
        Op::Blake3 { .. } => 60,
        Op::MulWide(a, b) if a.len() + b.len() > 4 => (20 + a.len() * b.len()) as u64,
        Op::DivWide(a, b) if a.len() > 4 || b.len() > 4 => (500 * a.len()) as u64,
        Op::DivWide(..) => 20,
        Op::State(op) => match **op {
            StateOp::Verify { .. } => 20_000,
            _ => 8,
        },
        _ => 1,
    }
}
