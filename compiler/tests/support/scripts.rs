//! Random scripts that mean something: the writer knows what lies on the stacks, so that most
//! opcodes find what they need. A few bytes are changed now and then.
#![allow(dead_code)]

use crate::SIGNATURE;
use crate::dice::Dice;
use crate::support::x_only;
use gavel_compiler::script::code::{Code, number, push_bytes};

/// What the writer knows of an item.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Empty or 1.
    Bool,
    /// A number of at most four bytes.
    Number,
    /// Anything.
    Data,
    /// The real signature of the spend.
    Signature,
}
use Kind::{Bool, Data, Number, Signature};

struct Writer {
    dice: Dice,
    script: Vec<u8>,
    main: Vec<Kind>,
    alt: Vec<Kind>,
    /// How many checks of signatures there may be.
    signatures: usize,
}

const EXTREMES: [i64; 14] = [
    0,
    1,
    -1,
    2,
    16,
    17,
    127,
    128,
    255,
    256,
    0x7fff_ffff,
    -0x7fff_ffff,
    0x8000_0000,
    -128,
];

/// A script and the stack that it is tried on.
pub fn script(dice: Dice) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut writer = Writer {
        dice,
        script: Vec::new(),
        main: Vec::new(),
        alt: Vec::new(),
        signatures: 3,
    };
    let mut stack = Vec::new();
    for _ in 0..writer.dice.below(6) {
        let item = writer.item();
        stack.push(item);
    }
    if writer.dice.percent(40) {
        writer.main.push(Signature);
        stack.push(SIGNATURE.to_vec());
    }
    let steps = writer.dice.range(1, 40);
    writer.steps(steps, 3);
    writer.end();
    let mut script = writer.script;
    if writer.dice.percent(12) && !script.is_empty() {
        let at = writer.dice.below(script.len());
        let byte = writer.dice.word() as u8;
        match writer.dice.below(3) {
            0 => script[at] = byte,
            1 => script.insert(at, byte),
            _ => drop(script.remove(at)),
        }
    }
    if writer.dice.percent(5) {
        stack.pop();
    }
    (script, stack)
}

impl Writer {
    /// An item that lies on the stack from now on.
    fn item(&mut self) -> Vec<u8> {
        let (kind, item) = match self.dice.below(20) {
            0..=5 => (Bool, number(self.dice.below(2) as i64)),
            6..=11 => (Number, number(self.dice.below(40) as i64 - 20)),
            12..=15 => {
                let n = self.dice.pick(&EXTREMES);
                (if n.abs() >> 31 == 0 { Number } else { Data }, number(n))
            }
            16 => (
                Number,
                vec![self.dice.word() as u8, self.dice.word() as u8 & 0x80],
            ),
            17 => (Number, vec![0x80]),
            _ => {
                let len = self
                    .dice
                    .pick(&[0usize, 1, 5, 20, 32, 75, 76, 255, 256, 520]);
                (Data, (0..len).map(|_| self.dice.word() as u8).collect())
            }
        };
        self.main.push(kind);
        item
    }

    fn push(&mut self) {
        let item = self.item();
        if self.dice.percent(6) {
            // Longer than needed.
            let len = item.len() as u16;
            self.script.push(0x4d);
            self.script.extend(len.to_le_bytes());
            self.script.extend(item);
        } else {
            push_bytes(&item, &mut self.script);
        }
    }

    fn number(&mut self, n: usize) {
        push_bytes(&number(n as i64), &mut self.script);
    }

    fn op(&mut self, code: Code) {
        self.script.push(code as u8);
    }

    /// Whether the last items are numbers.
    fn numbers(&self, count: usize) -> bool {
        let from = self.main.len().checked_sub(count);
        from.is_some_and(|from| {
            self.main[from..]
                .iter()
                .all(|kind| matches!(kind, Bool | Number))
        })
    }

    fn take(&mut self, count: usize) {
        let left = self.main.len().saturating_sub(count);
        self.main.truncate(left);
    }

    fn steps(&mut self, steps: usize, depth: usize) {
        for _ in 0..steps {
            match self.dice.below(12) {
                0..=2 => self.push(),
                3..=5 => self.stack_step(),
                6..=8 => self.number_step(),
                9 => self.data_step(),
                10 if depth > 0 && self.main.last() == Some(&Bool) => self.branch(depth),
                11 => self.signature(),
                _ if self.dice.percent(4) => {
                    // Without looking what is there.
                    let byte = self.dice.range(0x61, 0xba) as u8;
                    if let Some(code) = Code::from_byte(byte)
                        && code != Code::CheckSequenceVerify
                    {
                        self.op(code);
                    }
                }
                _ => self.push(),
            }
        }
    }

    /// Opcodes that only move items, where there are enough.
    fn stack_step(&mut self) {
        let at = |n: usize, main: &Vec<Kind>| main[main.len() - n];
        let height = self.main.len();
        let (need, code) = self.dice.pick(&[
            (1, Code::ToAlt),
            (0, Code::FromAlt),
            (2, Code::Drop2),
            (1, Code::Drop),
            (2, Code::Dup2),
            (3, Code::Dup3),
            (4, Code::Over2),
            (6, Code::Rot2),
            (4, Code::Swap2),
            (0, Code::Depth),
            (1, Code::Dup),
            (2, Code::Over),
            (2, Code::Nip),
            (3, Code::Rot),
            (2, Code::Swap),
            (2, Code::Tuck),
            (1, Code::Pick),
            (1, Code::Roll),
            (0, Code::Nop),
        ]);
        if height < need || (code == Code::FromAlt && self.alt.is_empty()) {
            return self.push();
        }
        let mut picked = None;
        if matches!(code, Code::Pick | Code::Roll) {
            let n = self.dice.below(height);
            self.number(n);
            picked = Some(n);
        }
        self.op(code);
        let main = &mut self.main;
        match code {
            Code::ToAlt => self.alt.extend(main.pop()),
            Code::FromAlt => main.extend(self.alt.pop()),
            Code::Drop2 => main.truncate(height - 2),
            Code::Drop => main.truncate(height - 1),
            Code::Dup2 => main.extend_from_within(height - 2..),
            Code::Dup3 => main.extend_from_within(height - 3..),
            Code::Over2 => main.extend_from_within(height - 4..height - 2),
            Code::Rot2 => main[height - 6..].rotate_left(2),
            Code::Swap2 => main[height - 4..].rotate_left(2),
            Code::Depth => main.push(Number),
            Code::Dup => main.push(at(1, main)),
            Code::Over => main.push(at(2, main)),
            Code::Nip => drop(main.remove(height - 2)),
            Code::Rot => main[height - 3..].rotate_left(1),
            Code::Swap => main.swap(height - 2, height - 1),
            Code::Tuck => main.insert(height - 2, at(1, main)),
            Code::Pick => main.extend(picked.map(|n| at(n + 1, main))),
            Code::Roll => {
                if let Some(n) = picked {
                    let kind = main.remove(height - 1 - n);
                    main.push(kind);
                }
            }
            _ => {}
        }
    }

    fn number_step(&mut self) {
        let (takes, code, gives) = self.dice.pick(&[
            (1, Code::Add1, Some(Data)),
            (1, Code::Sub1, Some(Data)),
            (1, Code::Negate, Some(Number)),
            (1, Code::Abs, Some(Number)),
            (1, Code::Not, Some(Bool)),
            (1, Code::NotEqual0, Some(Bool)),
            (2, Code::Add, Some(Data)),
            (2, Code::Sub, Some(Data)),
            (2, Code::BoolAnd, Some(Bool)),
            (2, Code::BoolOr, Some(Bool)),
            (2, Code::NumEqual, Some(Bool)),
            (2, Code::NumEqualVerify, None),
            (2, Code::NumNotEqual, Some(Bool)),
            (2, Code::LessThan, Some(Bool)),
            (2, Code::GreaterThan, Some(Bool)),
            (2, Code::LessThanOrEqual, Some(Bool)),
            (2, Code::GreaterThanOrEqual, Some(Bool)),
            (2, Code::Min, Some(Number)),
            (2, Code::Max, Some(Number)),
            (3, Code::Within, Some(Bool)),
        ]);
        // Sums are taken for numbers now and then: most of them have four bytes.
        let blindly = self.main.len() >= takes && self.dice.percent(8);
        if !blindly && !self.numbers(takes) {
            return self.push();
        }
        if code == Code::NumEqualVerify {
            // Equal by all means, or nearly nothing would be taken.
            self.op(Code::Dup);
            self.op(code);
            return self.take(1);
        }
        self.op(code);
        self.take(takes);
        let gives = match gives {
            Some(Data) if self.dice.percent(70) => Some(Number),
            gives => gives,
        };
        self.main.extend(gives);
    }

    fn data_step(&mut self) {
        let (takes, code, gives) = self.dice.pick(&[
            (1, Code::Size, Number),
            (2, Code::Equal, Bool),
            (2, Code::EqualVerify, Bool),
            (1, Code::Ripemd160, Data),
            (1, Code::Sha256, Data),
            (1, Code::Hash160, Data),
            (1, Code::Hash256, Data),
            (1, Code::Verify, Bool),
        ]);
        if self.main.len() < takes {
            return self.push();
        }
        let holds = self.dice.percent(85);
        match code {
            Code::Size => {}
            Code::EqualVerify if holds => {
                self.op(Code::Dup);
                self.op(code);
                return self.take(1);
            }
            Code::Verify if holds => {
                self.number(1);
                return self.op(code);
            }
            Code::EqualVerify | Code::Verify => {
                self.op(code);
                return self.take(takes);
            }
            _ => self.take(takes),
        }
        self.op(code);
        self.main.push(gives);
    }

    /// Both ways through a conditional end with as many items.
    fn branch(&mut self, depth: usize) {
        let code = self.dice.pick(&[Code::If, Code::NotIf]);
        self.op(code);
        self.take(1);
        let start = (self.main.clone(), self.alt.clone());
        let steps = self.dice.below(8);
        self.steps(steps, depth - 1);
        let one = (
            std::mem::replace(&mut self.main, start.0),
            std::mem::replace(&mut self.alt, start.1),
        );
        if self.dice.percent(10) {
            self.op(Code::Else);
            self.op(Code::Return);
        }
        self.op(Code::Else);
        let steps = self.dice.below(8);
        self.steps(steps, depth - 1);
        while self.alt.len() > one.1.len() {
            self.op(Code::FromAlt);
            self.main.extend(self.alt.pop());
        }
        while self.main.len() > one.0.len() {
            self.op(Code::Drop);
            self.take(1);
        }
        while self.main.len() < one.0.len() {
            self.push();
        }
        // Of the altstack only what both have is known to be there.
        self.op(Code::EndIf);
        let both = |(a, b): (&Kind, &Kind)| if a == b { *a } else { Data };
        self.main = self.main.iter().zip(&one.0).map(both).collect();
        self.alt = self.alt.iter().zip(&one.1).map(both).collect();
    }

    /// A check of a signature: a good one, none or a bad one.
    fn signature(&mut self) {
        if self.signatures == 0 {
            return self.push();
        }
        self.signatures -= 1;
        let signed = self.main.iter().rev().position(|kind| *kind == Signature);
        match (self.dice.below(10), signed) {
            (0..=6, Some(depth)) => {
                self.number(depth);
                self.op(Code::Pick);
            }
            (9, _) => push_bytes(&[7; 64], &mut self.script),
            _ => push_bytes(&[], &mut self.script),
        }
        let key = match self.dice.below(12) {
            0 => vec![],
            1 => vec![2; 33],
            _ => x_only(0).serialize().to_vec(),
        };
        let add = self.dice.percent(50);
        if add {
            self.number(3);
        }
        push_bytes(&key, &mut self.script);
        self.op(if add {
            Code::CheckSigAdd
        } else {
            Code::CheckSig
        });
        self.main.push(if add { Number } else { Bool });
        if !add && signed.is_some() && self.dice.percent(40) {
            // CHECKSIGVERIFY, perhaps of no signature.
            self.script.pop();
            self.op(Code::CheckSigVerify);
            self.take(1);
        }
    }

    /// Leaves one item.
    fn end(&mut self) {
        if self.dice.percent(3) {
            return;
        }
        while self.main.len() > 1 {
            self.op(Code::Nip);
            self.take(1);
        }
        match self.main.last() {
            None => self.push(),
            Some(Data | Signature) => {
                self.op(Code::Size);
                self.op(Code::Nip);
            }
            Some(Bool | Number) if self.dice.percent(40) => {
                self.op(Code::Abs);
                self.op(Code::Add1);
            }
            Some(_) => {}
        }
    }
}
