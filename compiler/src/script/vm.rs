//! Runs tapscripts: the opcodes that we emit and their kin, as BIP 342 has them.
//!
//! Enforces what consensus does (MINIMALIF, 1,000 items, items of 520 bytes, numbers of 4
//! bytes, exactly one true item at the end) and, under [`Rules::minimal_data`], what relay
//! policy adds. Signatures are judged by the caller, and so are the lock times of the
//! transaction. An opcode that we never emit is refused, except those that would make a script
//! succeed: consensus lets anybody spend such a leaf.

use super::code::{Code, Item, items, number, parse_number, push_bytes, succeeds_at};
use crate::units::StackDepth;
use bitcoin::hashes::{Hash, hash160, ripemd160, sha256, sha256d};

/// What a run enforces, and how it judges signatures.
pub struct Rules<'a> {
    /// Pushes and numbers must be minimal (relay policy; consensus takes any).
    pub minimal_data: bool,
    /// Whether a signature that is not empty is valid for a key.
    pub valid: &'a dyn Fn(&[u8], &[u8]) -> bool,
}

impl Default for Rules<'_> {
    /// Policy's rules; every signature that is not empty is valid.
    fn default() -> Self {
        Self {
            minimal_data: true,
            valid: &|_, _| true,
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `Ok` if the script can be spent so.
    pub verdict: Result<(), Refusal>,
    /// Most items on both stacks at any step, the witness included.
    pub peak: StackDepth,
    /// The stack at the end or at the refusal, bottom first.
    pub stack: Vec<Vec<u8>>,
}

/// Why a script refuses a witness: what went wrong at which byte of the script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why} at byte {at}")]
pub struct Refusal {
    /// Offset of the instruction in the script; its length at the end.
    pub at: usize,
    /// The reason.
    pub why: Why,
}

/// A reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each is its message
pub enum Why {
    #[error("too few items")]
    Underflow,
    #[error("more than 1,000 items")]
    Overflow,
    #[error("an item of more than 520 bytes")]
    TooLong,
    #[error("a number of more than 4 bytes, or one that isn't minimal")]
    BadNumber,
    #[error("a push that isn't minimal")]
    BadPush,
    #[error("a condition that is neither empty nor 1")]
    MinimalIf,
    #[error("unbalanced conditional")]
    Unbalanced,
    #[error("a failed VERIFY")]
    Verify,
    #[error("RETURN")]
    Return,
    #[error("an opcode that is not known")]
    Unknown,
    #[error("an opcode that makes any script succeed, which relay policy refuses")]
    Success,
    #[error("an invalid signature or key")]
    Signature,
    #[error("other than one item at the end")]
    CleanStack,
    #[error("false at the end")]
    False,
}

/// Runs a script on a witness stack, bottom first.
pub fn run(script: &[u8], witness: &[Vec<u8>], rules: &Rules<'_>) -> Outcome {
    let mut vm = Vm::new(witness, rules);
    let verdict = match vm.script(script) {
        Ok(()) => Ok(()),
        // Every such opcode is refused on the way, if nothing was before it.
        Err(refusal) => match succeeds_at(script) {
            None => Err(refusal),
            Some(_) if !rules.minimal_data => Ok(()),
            Some(at) => Err(Refusal {
                at,
                why: Why::Success,
            }),
        },
    };
    Outcome {
        verdict,
        peak: StackDepth(u16::try_from(vm.peak).unwrap_or(u16::MAX)),
        stack: vm.stack,
    }
}

/// Whether an item counts as true: not zero, and not negative zero.
pub fn is_true(item: &[u8]) -> bool {
    match item.split_last() {
        None => false,
        Some((top, low)) => low.iter().any(|byte| *byte != 0) || (*top != 0 && *top != 0x80),
    }
}

/// The machine: its stacks, and where it is in conditionals. [`run`] is all its steps.
#[derive(Clone)]
pub struct Vm<'a, 'r> {
    stack: Vec<Vec<u8>>,
    alt: Vec<Vec<u8>>,
    branches: Vec<bool>,
    /// Conditionals that began where nothing is executed.
    skipped: usize,
    rules: &'a Rules<'r>,
    peak: usize,
}

impl<'a, 'r> Vm<'a, 'r> {
    /// A machine before the first instruction, its stack bottom first.
    pub fn new(witness: &[Vec<u8>], rules: &'a Rules<'r>) -> Self {
        Self {
            stack: witness.to_vec(),
            alt: Vec::new(),
            branches: Vec::new(),
            skipped: 0,
            rules,
            peak: witness.len(),
        }
    }
}

impl Vm<'_, '_> {
    /// The stack, bottom first.
    pub fn stack(&self) -> &[Vec<u8>] {
        &self.stack
    }

    /// The altstack, bottom first.
    pub fn altstack(&self) -> &[Vec<u8>] {
        &self.alt
    }

    /// Whether the next instruction is executed, rather than skipped in a branch not taken.
    pub fn is_active(&self) -> bool {
        self.branches.iter().all(|branch| *branch) && self.skipped == 0
    }

    fn script(&mut self, script: &[u8]) -> Result<(), Refusal> {
        self.start()?;
        for (at, item) in items(script) {
            self.instruction(script, at, item)?;
        }
        self.end(script.len())
    }

    /// Judges the witness.
    ///
    /// # Errors
    /// [`Refusal`] if it is too large.
    pub fn start(&self) -> Result<(), Refusal> {
        let refuse = |at: usize| move |why: Why| Refusal { at, why };
        if self.stack.iter().any(|item| item.len() > 520) {
            return Err(refuse(0)(Why::TooLong));
        }
        if self.stack.len() > 1_000 {
            return Err(refuse(0)(Why::Overflow));
        }
        Ok(())
    }

    /// Runs the instruction that stands at an offset of the script.
    ///
    /// # Errors
    /// [`Refusal`] if it can't be run.
    pub fn instruction(&mut self, script: &[u8], at: usize, item: Item) -> Result<(), Refusal> {
        let refuse = |at: usize| move |why: Why| Refusal { at, why };
        let active = self.is_active();
        match item {
            Item::Bad(_) => return Err(refuse(at)(Why::Unknown)),
            Item::Push(data) if active => self.push(script, at, data).map_err(refuse(at))?,
            Item::Push(data) if data.len() > 520 => return Err(refuse(at)(Why::TooLong)),
            Item::Push(_) => {}
            Item::Code(Code::If | Code::NotIf) if !active => self.skipped += 1,
            Item::Code(Code::EndIf) if self.skipped > 0 => self.skipped -= 1,
            Item::Code(Code::Else) if self.skipped > 0 => {}
            Item::Code(Code::Else) => match self.branches.last_mut() {
                Some(branch) => *branch = !*branch,
                None => return Err(refuse(at)(Why::Unbalanced)),
            },
            Item::Code(Code::EndIf) => {
                self.branches.pop().ok_or(refuse(at)(Why::Unbalanced))?;
            }
            Item::Code(code) if active => self.step(code).map_err(refuse(at))?,
            Item::Code(_) => {}
        }
        self.peak = self.peak.max(self.stack.len() + self.alt.len());
        if self.stack.len() + self.alt.len() > 1_000 {
            return Err(refuse(at)(Why::Overflow));
        }
        Ok(())
    }

    /// Judges what is left after the last instruction of a script of so many bytes.
    ///
    /// # Errors
    /// [`Refusal`] unless it is exactly one item, and true.
    pub fn end(&self, len: usize) -> Result<(), Refusal> {
        let end = |why: Why| Refusal { at: len, why };
        if !self.branches.is_empty() {
            return Err(end(Why::Unbalanced));
        }
        match self.stack.as_slice() {
            [item] if is_true(item) => Ok(()),
            [_] => Err(end(Why::False)),
            _ => Err(end(Why::CleanStack)),
        }
    }

    fn push(&mut self, script: &[u8], at: usize, data: Vec<u8>) -> Result<(), Why> {
        if data.len() > 520 {
            return Err(Why::TooLong);
        }
        if self.rules.minimal_data {
            let mut minimal = Vec::with_capacity(data.len() + 3);
            push_bytes(&data, &mut minimal);
            if script.get(at..at + minimal.len()) != Some(minimal.as_slice()) {
                return Err(Why::BadPush);
            }
        }
        self.stack.push(data);
        Ok(())
    }

    fn pop(&mut self) -> Result<Vec<u8>, Why> {
        self.stack.pop().ok_or(Why::Underflow)
    }

    fn pop_number(&mut self) -> Result<i64, Why> {
        let item = self.pop()?;
        let n = parse_number(&item).ok_or(Why::BadNumber)?;
        if self.rules.minimal_data && number(n) != item {
            return Err(Why::BadNumber);
        }
        Ok(n)
    }

    fn push_number(&mut self, n: i64) {
        self.stack.push(number(n));
    }

    /// Moves the start of the last `count` items; they must be there.
    fn last(&mut self, count: usize) -> Result<usize, Why> {
        self.stack.len().checked_sub(count).ok_or(Why::Underflow)
    }

    fn copy(&mut self, count: usize, depth: usize) -> Result<(), Why> {
        let from = self.last(depth)?;
        for n in from..from + count {
            let item = self.stack[n].clone();
            self.stack.push(item);
        }
        Ok(())
    }

    fn binary(&mut self, f: impl Fn(i64, i64) -> i64) -> Result<(), Why> {
        self.last(2)?;
        let (b, a) = (self.pop_number()?, self.pop_number()?);
        self.push_number(f(a, b));
        Ok(())
    }

    fn unary(&mut self, f: impl Fn(i64) -> i64) -> Result<(), Why> {
        let a = self.pop_number()?;
        self.push_number(f(a));
        Ok(())
    }

    fn hash(&mut self, f: impl Fn(&[u8]) -> Vec<u8>) -> Result<(), Why> {
        let item = self.pop()?;
        self.stack.push(f(&item));
        Ok(())
    }

    fn verify(&mut self) -> Result<(), Why> {
        let item = self.pop()?;
        is_true(&item).then_some(()).ok_or(Why::Verify)
    }

    fn signature(&mut self, signature: &[u8], key: &[u8]) -> Result<i64, Why> {
        if key.is_empty() {
            return Err(Why::Signature);
        }
        match signature {
            [] => Ok(0),
            _ if (self.rules.valid)(signature, key) => Ok(1),
            _ => Err(Why::Signature),
        }
    }

    fn step(&mut self, code: Code) -> Result<(), Why> {
        match code {
            Code::Nop => {}
            Code::CheckSequenceVerify => {
                self.last(1)?;
            }
            Code::If | Code::NotIf => {
                let condition = match self.pop()?.as_slice() {
                    [] => false,
                    [1] => true,
                    _ => return Err(Why::MinimalIf),
                };
                self.branches.push(condition == (code == Code::If));
            }
            Code::Else | Code::EndIf => return Err(Why::Unbalanced),
            Code::Verify => self.verify()?,
            Code::Return => return Err(Why::Return),
            Code::ToAlt => {
                let item = self.pop()?;
                self.alt.push(item);
            }
            Code::FromAlt => {
                let item = self.alt.pop().ok_or(Why::Underflow)?;
                self.stack.push(item);
            }
            Code::Drop2 => {
                let at = self.last(2)?;
                self.stack.truncate(at);
            }
            Code::Drop => {
                self.pop()?;
            }
            Code::Dup2 => self.copy(2, 2)?,
            Code::Dup3 => self.copy(3, 3)?,
            Code::Over2 => self.copy(2, 4)?,
            Code::Rot2 => {
                let at = self.last(6)?;
                self.stack[at..].rotate_left(2);
            }
            Code::Swap2 => {
                let at = self.last(4)?;
                self.stack[at..].rotate_left(2);
            }
            Code::Depth => self.push_number(self.stack.len() as i64),
            Code::Dup => self.copy(1, 1)?,
            Code::Over => self.copy(1, 2)?,
            Code::Nip => {
                let at = self.last(2)?;
                self.stack.remove(at);
            }
            Code::Pick | Code::Roll => {
                let n = usize::try_from(self.pop_number()?).map_err(|_| Why::Underflow)?;
                let at = self.stack.len().checked_sub(1 + n).ok_or(Why::Underflow)?;
                let item = if code == Code::Pick {
                    self.stack[at].clone()
                } else {
                    self.stack.remove(at)
                };
                self.stack.push(item);
            }
            Code::Rot => {
                let at = self.last(3)?;
                self.stack[at..].rotate_left(1);
            }
            Code::Swap => {
                let at = self.last(2)?;
                self.stack.swap(at, at + 1);
            }
            Code::Tuck => {
                let at = self.last(2)?;
                let top = self.stack[at + 1].clone();
                self.stack.insert(at, top);
            }
            Code::Size => {
                let size = self.stack.last().ok_or(Why::Underflow)?.len();
                self.push_number(size as i64);
            }
            Code::Equal | Code::EqualVerify => {
                self.last(2)?;
                let equal = self.pop()? == self.pop()?;
                self.push_number(i64::from(equal));
                if code == Code::EqualVerify {
                    self.verify()?;
                }
            }
            Code::Add1 => self.unary(|a| a + 1)?,
            Code::Sub1 => self.unary(|a| a - 1)?,
            Code::Negate => self.unary(|a| -a)?,
            Code::Abs => self.unary(i64::abs)?,
            Code::Not => self.unary(|a| i64::from(a == 0))?,
            Code::NotEqual0 => self.unary(|a| i64::from(a != 0))?,
            Code::Add => self.binary(|a, b| a + b)?,
            Code::Sub => self.binary(|a, b| a - b)?,
            Code::BoolAnd => self.binary(|a, b| i64::from(a != 0 && b != 0))?,
            Code::BoolOr => self.binary(|a, b| i64::from(a != 0 || b != 0))?,
            Code::NumEqual => self.binary(|a, b| i64::from(a == b))?,
            Code::NumEqualVerify => {
                self.binary(|a, b| i64::from(a == b))?;
                self.verify()?;
            }
            Code::NumNotEqual => self.binary(|a, b| i64::from(a != b))?,
            Code::LessThan => self.binary(|a, b| i64::from(a < b))?,
            Code::GreaterThan => self.binary(|a, b| i64::from(a > b))?,
            Code::LessThanOrEqual => self.binary(|a, b| i64::from(a <= b))?,
            Code::GreaterThanOrEqual => self.binary(|a, b| i64::from(a >= b))?,
            Code::Min => self.binary(i64::min)?,
            Code::Max => self.binary(i64::max)?,
            Code::Within => {
                self.last(3)?;
                let (max, min, x) = (self.pop_number()?, self.pop_number()?, self.pop_number()?);
                self.push_number(i64::from(min <= x && x < max));
            }
            Code::Ripemd160 => self.hash(|data| ripemd160::Hash::hash(data)[..].to_vec())?,
            Code::Sha256 => self.hash(|data| sha256::Hash::hash(data)[..].to_vec())?,
            Code::Hash160 => self.hash(|data| hash160::Hash::hash(data)[..].to_vec())?,
            Code::Hash256 => self.hash(|data| sha256d::Hash::hash(data)[..].to_vec())?,
            Code::CheckSig | Code::CheckSigVerify => {
                self.last(2)?;
                let (key, signature) = (self.pop()?, self.pop()?);
                let valid = self.signature(&signature, &key)?;
                self.push_number(valid);
                if code == Code::CheckSigVerify {
                    self.verify()?;
                }
            }
            Code::CheckSigAdd => {
                self.last(3)?;
                let key = self.pop()?;
                let count = self.pop_number()?;
                let signature = self.pop()?;
                let valid = self.signature(&signature, &key)?;
                self.push_number(count + valid);
            }
        }
        Ok(())
    }
}
