//! Writes scripts and proves how deep their stacks get.
//!
//! **Invariant:** after each opcode [`Asm`] knows the exact number of items on the stack and
//! on the altstack; both ways through an `IF` end with the same. So the peak is proven for
//! every path, not observed on one.

use super::ScriptError;
use super::code::{Code, Item, number, push_bytes};
use crate::units::StackDepth;

/// A script being written.
#[derive(Clone, Debug)]
pub struct Asm {
    bytes: Vec<u8>,
    main: i64,
    alt: i64,
    peak: i64,
    branches: Vec<Branch>,
    /// The first broken invariant; a defect of this crate.
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    start: (i64, i64),
    first_end: Option<(i64, i64)>,
}

impl Asm {
    /// A script that starts with so many items on its stacks.
    pub fn new(main: usize, alt: usize) -> Self {
        Self {
            bytes: Vec::new(),
            main: main as i64,
            alt: alt as i64,
            peak: (main + alt) as i64,
            branches: Vec::new(),
            broken: None,
        }
    }

    /// Items on the main stack now.
    pub fn height(&self) -> usize {
        self.main.max(0) as usize
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Most items on both stacks so far, the starting ones included.
    pub fn peak(&self) -> StackDepth {
        StackDepth(u16::try_from(self.peak).unwrap_or(u16::MAX))
    }

    /// Appends an opcode.
    pub fn op(&mut self, code: Code) {
        self.bytes.push(code as u8);
        let (pops, pushes) = code.effect();
        if self.main < i64::from(pops) {
            self.broken = self.broken.or(Some("stack underflow"));
        }
        self.main += i64::from(pushes) - i64::from(pops);
        match code {
            Code::ToAlt => self.alt += 1,
            Code::FromAlt => {
                self.alt -= 1;
                if self.alt < 0 {
                    self.broken = self.broken.or(Some("altstack underflow"));
                }
            }
            Code::If | Code::NotIf => self.branches.push(Branch {
                start: (self.main, self.alt),
                first_end: None,
            }),
            Code::Else => self.switch(),
            Code::EndIf => self.join(),
            _ => {}
        }
        self.peak = self.peak.max(self.main + self.alt);
    }

    /// Appends several opcodes.
    pub fn ops(&mut self, codes: &[Code]) {
        for code in codes {
            self.op(*code);
        }
    }

    /// Appends the minimal push of a number.
    pub fn num(&mut self, n: i64) {
        self.data(&number(n));
    }

    /// Appends the minimal push of data.
    pub fn data(&mut self, data: &[u8]) {
        push_bytes(data, &mut self.bytes);
        self.main += 1;
        self.peak = self.peak.max(self.main + self.alt);
    }

    /// Appends instructions.
    pub fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Push(data) => self.data(data),
                Item::Code(code) => self.op(*code),
                Item::Bad(_) => self.broken = self.broken.or(Some("no instruction")),
            }
        }
    }

    /// Says that in this branch `items` of those counted at the start were never there.
    pub fn absent(&mut self, items: usize) {
        self.main -= items as i64;
    }

    /// Appends a finished script which starts with exactly the stacks of now, peaks at `peak`
    /// and leaves one item.
    pub fn append(&mut self, script: &[u8], peak: StackDepth) {
        self.bytes.extend(script);
        self.main = 1;
        self.alt = 0;
        self.peak = self.peak.max(i64::from(peak.0));
    }

    /// The bytes and the peak. The script must leave exactly one item, as consensus asks.
    ///
    /// # Errors
    /// [`ScriptError::Defect`] if an invariant was broken on the way.
    pub fn finish(self) -> Result<(Vec<u8>, StackDepth), ScriptError> {
        let peak = self.peak();
        let broken = match self.broken {
            Some(what) => Some(what),
            None if !self.branches.is_empty() => Some("open branch"),
            None if (self.main, self.alt) != (1, 0) => Some("stack not clean"),
            None => None,
        };
        match broken {
            Some(what) => Err(ScriptError::Defect(what)),
            None => Ok((self.bytes, peak)),
        }
    }

    fn switch(&mut self) {
        let now = (self.main, self.alt);
        match self.branches.last_mut() {
            Some(branch) if branch.first_end.is_none() => {
                branch.first_end = Some(now);
                (self.main, self.alt) = branch.start;
            }
            _ => self.broken = self.broken.or(Some("stray ELSE")),
        }
    }

    fn join(&mut self) {
        let Some(branch) = self.branches.pop() else {
            self.broken = self.broken.or(Some("stray ENDIF"));
            return;
        };
        if branch.first_end.unwrap_or(branch.start) != (self.main, self.alt) {
            self.broken = self.broken.or(Some("branches of different depth"));
        }
    }
}
