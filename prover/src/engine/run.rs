//! Runs bytecode.
//!
//! A call works in place: it changes cells as it goes and remembers what they held, so that an
//! abort puts all of it back. Who runs a call therefore owns the cells that it touches, or, for a
//! cell that a whole batch only adds to and subtracts from, shares it as two sums.

use super::code::{AbortAt, Change, Code, Instr, Reg};
use super::work::{Cell, Mode, Undo, Work};
use gavel_compiler::word::interp::eval;

/// No cell is known for a place yet.
pub const UNKNOWN: u32 = u32::MAX;

/// How a run ended, or why it paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of the routine.
    Done,
    /// With an abort, all changes put back.
    Abort { code: u16, steps: u32 },
    /// At a place whose cell isn't the one that was foreseen; [`Frame::resume`] goes on once the
    /// right one is known. Nothing was put back.
    Elsewhere { place: u32 },
}

/// The registers of one call, and what it has changed so far.
#[derive(Debug, Default)]
pub struct Frame {
    registers: Vec<u32>,
    at: usize,
    undo: Vec<Undo>,
    /// Words of the events emitted: number, count, words.
    pub events: Vec<u32>,
    events_before: usize,
}

/// Where a call's places are cells of the batch.
pub trait Places {
    /// The cell of a place, given the words of its key for a place that depends on other cells;
    /// [`UNKNOWN`] if it isn't known.
    fn cell(&self, place: u32, key: impl FnOnce() -> Vec<u32>) -> u32;
}

impl Frame {
    /// Begins a call.
    pub fn begin(&mut self, code: &Code, arguments: &[u32], height: u32) {
        self.registers.clear();
        self.registers.extend_from_slice(arguments);
        self.registers.resize(code.inputs.saturating_sub(1), 0);
        self.registers.push(height);
        self.registers.extend_from_slice(&code.constants);
        self.registers.resize(code.registers, 0);
        self.at = 0;
        self.undo.clear();
        self.events_before = self.events.len();
    }

    /// A register's word.
    pub fn get(&self, register: Reg) -> u32 {
        self.registers.get(register as usize).copied().unwrap_or(0)
    }

    /// The words of some registers.
    pub fn words(&self, registers: &[Reg]) -> Vec<u32> {
        registers
            .iter()
            .map(|register| self.get(*register))
            .collect()
    }

    /// The number that registers hold, low word first.
    pub fn number(&self, registers: &[Reg]) -> u128 {
        let words = registers.iter().take(4).rev();
        words.fold(0, |n, register| (n << 32) | u128::from(self.get(*register)))
    }

    /// Runs a slice, which has no effects; loads give what `load` says.
    pub fn run_slice(&mut self, code: &Code, slice: &[Instr], load: impl Fn(u32, usize) -> u32) {
        for instr in slice {
            match *instr {
                Instr::Load { to, place, words } => {
                    for n in 0..words {
                        self.set(to + n, load(place, n as usize));
                    }
                }
                ref instr => self.pure(code, instr),
            }
        }
    }

    /// Runs the call, or goes on with it.
    pub fn resume(&mut self, code: &Code, work: &Work, places: &impl Places) -> End {
        while let Some(instr) = code.instrs.get(self.at) {
            match *instr {
                Instr::AbortIf { when, at } => {
                    if self.get(when) != 0 {
                        return self.abort(work, code.aborts.get(at as usize));
                    }
                }
                Instr::Load { to, place, words } => {
                    let Some(cell) = self.cell(code, work, places, place) else {
                        return End::Elsewhere { place };
                    };
                    for n in 0..words {
                        self.set(to + n, work.word(cell, n));
                    }
                }
                Instr::Store { when, place, value } => {
                    if self.get(when) != 0 {
                        let Some(cell) = self.cell(code, work, places, place) else {
                            return End::Elsewhere { place };
                        };
                        self.store(work, cell, code.list(value));
                    }
                }
                Instr::Change { change } => {
                    let Some(change) = code.changes.get(change as usize) else {
                        return End::Done;
                    };
                    if self.get(change.when) != 0 {
                        let Some(cell) = self.cell(code, work, places, change.place) else {
                            let place = change.place;
                            return End::Elsewhere { place };
                        };
                        if !self.change(code, work, cell, change) {
                            return self.abort(work, Some(&change.abort));
                        }
                    }
                }
                Instr::Emit { when, event, words } => {
                    if self.get(when) != 0 {
                        let words = code.list(words);
                        self.events.push(event);
                        self.events.push(words.len() as u32);
                        for register in words {
                            let word = self.get(*register);
                            self.events.push(word);
                        }
                    }
                }
                ref instr => self.pure(code, instr),
            }
            self.at += 1;
        }
        End::Done
    }

    /// Puts back what the call changed.
    pub fn undo(&mut self, work: &Work) {
        while let Some(undo) = self.undo.pop() {
            work.put_back(undo);
        }
        self.events.truncate(self.events_before);
    }

    fn abort(&mut self, work: &Work, abort: Option<&AbortAt>) -> End {
        self.undo(work);
        let (code, steps) = abort.map_or((0, 0), |abort| (abort.code, abort.steps));
        End::Abort { code, steps }
    }

    fn set(&mut self, register: Reg, word: u32) {
        if let Some(slot) = self.registers.get_mut(register as usize) {
            *slot = word;
        }
    }

    fn cell<'a>(
        &self,
        code: &Code,
        work: &'a Work,
        places: &impl Places,
        place: u32,
    ) -> Option<&'a Cell> {
        let key = || {
            let place = code.places.get(place as usize);
            place.map_or_else(Vec::new, |place| self.words(&place.key))
        };
        work.cell(places.cell(place, key))
    }

    fn store(&mut self, work: &Work, cell: &Cell, value: &[Reg]) {
        for (pair, registers) in (cell.at..).zip(value.chunks(2)) {
            let low = registers.first().map_or(0, |register| self.get(*register));
            let high = registers.get(1).map_or(0, |register| self.get(*register));
            let word = u64::from(low) | (u64::from(high) << 32);
            self.undo.push(work.set(pair, word));
        }
    }

    /// Adds or subtracts; whether the result fits.
    fn change(&mut self, code: &Code, work: &Work, cell: &Cell, change: &Change) -> bool {
        let amount = self.number(code.list(change.amount));
        let pairs = cell.pairs();
        if cell.mode == Mode::Sum {
            let sum = if change.adds {
                cell.added()
            } else {
                cell.subtracted()
            };
            self.undo.push(work.accumulate(sum, pairs, amount));
            return true;
        }
        let before = work.number(cell.at, pairs);
        let after = if change.adds {
            before.checked_add(amount)
        } else {
            before.checked_sub(amount)
        };
        let most = u128::MAX >> 128u32.saturating_sub(u32::from(change.bits));
        let Some(after) = after.filter(|after| *after <= most) else {
            return false;
        };
        for n in 0..pairs.min(2) {
            let word = (after >> (64 * n)) as u64;
            self.undo.push(work.set(cell.at + n, word));
        }
        true
    }

    /// An operation that only defines registers.
    #[inline]
    fn pure(&mut self, code: &Code, instr: &Instr) {
        let r = |register: Reg| self.registers.get(register as usize).copied().unwrap_or(0);
        let (to, word) = match *instr {
            Instr::Add { to, a, b } => (to, r(a).wrapping_add(r(b))),
            Instr::Sub { to, a, b } => (to, r(a).wrapping_sub(r(b))),
            Instr::MulLo { to, a, b } => (to, r(a).wrapping_mul(r(b))),
            Instr::MulHi { to, a, b } => (to, ((u64::from(r(a)) * u64::from(r(b))) >> 32) as u32),
            Instr::Div { to, a, b } => (to, r(a).checked_div(r(b)).unwrap_or(u32::MAX)),
            Instr::Rem { to, a, b } => (to, r(a).checked_rem(r(b)).unwrap_or(r(a))),
            Instr::And { to, a, b } => (to, r(a) & r(b)),
            Instr::Or { to, a, b } => (to, r(a) | r(b)),
            Instr::Xor { to, a, b } => (to, r(a) ^ r(b)),
            Instr::Not { to, a } => (to, !r(a)),
            Instr::Shl { to, a, by } => (to, r(a) << (by & 31)),
            Instr::Shr { to, a, by } => (to, r(a) >> (by & 31)),
            Instr::Rotr { to, a, by } => (to, r(a).rotate_right(by)),
            Instr::Bswap { to, a } => (to, r(a).swap_bytes()),
            Instr::Eq { to, a, b } => (to, u32::from(r(a) == r(b))),
            Instr::Lt { to, a, b } => (to, u32::from(r(a) < r(b))),
            Instr::Select { to, c, a, b } => (to, r(if r(c) != 0 { a } else { b })),
            Instr::Mul { to, a, b } => {
                let words = code.list(a).len() + code.list(b).len();
                let product = self
                    .number(code.list(a))
                    .wrapping_mul(self.number(code.list(b)));
                return self.set_number(to, words, product);
            }
            Instr::Quotient { to, a, b } => return self.quotient(to, code.list(a), code.list(b)),
            Instr::Pure { to, op } => return self.rare(code, to, op),
            Instr::AbortIf { .. }
            | Instr::Load { .. }
            | Instr::Store { .. }
            | Instr::Change { .. }
            | Instr::Emit { .. } => return,
        };
        self.set(to, word);
    }

    fn set_number(&mut self, to: Reg, words: usize, number: u128) {
        for n in 0..words.min(4) as u32 {
            self.set(to + n, (number >> (32 * n)) as u32);
        }
    }

    /// See [`gavel_compiler::word::Op::DivWide`].
    fn quotient(&mut self, to: Reg, a: &[Reg], b: &[Reg]) {
        let (dividend, divisor) = (self.number(a), self.number(b));
        let (quotient, rest) = match divisor {
            0 => (u128::MAX, dividend),
            by if (dividend >> 64) | (by >> 64) == 0 => {
                let (n, by) = (dividend as u64, by as u64);
                (u128::from(n / by), u128::from(n % by))
            }
            by => (dividend / by, dividend % by),
        };
        self.set_number(to, a.len(), quotient);
        self.set_number(to + a.len() as u32, b.len(), rest);
    }

    #[inline(never)]
    fn rare(&mut self, code: &Code, to: Reg, op: u32) {
        let Some(op) = code.pure.get(op as usize) else {
            return;
        };
        let results = super::hashes::compress(op, |value| self.get(value.0))
            .unwrap_or_else(|| eval(op, |value| self.get(value.0), &[]));
        for (register, word) in (to..).zip(results) {
            self.set(register, word);
        }
    }
}
