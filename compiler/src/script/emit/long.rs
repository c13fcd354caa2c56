//! Emits long division by numbers of several limbs.

use super::super::code::Code;
use super::super::graph::NodeId;
use super::super::number::LIMB;
use super::product::MARKER;
use super::{Emitter, NAMELESS};

impl Emitter<'_> {
    /// Long division, digit by digit, with a rest of `n` limbs on top, the highest uppermost.
    /// Digits of the quotient gather on the altstack.
    pub(super) fn long_wide(&mut self, node: NodeId, operands: &[NodeId], n: usize) {
        let (multiples, digits) = operands.split_at(4 * n);
        for (k, multiple) in multiples.iter().enumerate() {
            self.value(*multiple);
            if k == 0 {
                self.stack.pop();
                self.stack.push(MARKER);
            }
        }
        let mut quotient = Vec::new();
        for (k, digit) in digits.iter().enumerate().rev() {
            if k + 1 == digits.len() {
                self.value(*digit);
                for _ in 1..n {
                    self.asm.num(0);
                    self.stack.push(NAMELESS);
                }
            } else {
                self.shift_in(*digit, n);
            }
            let part = self.part(node, k as u32);
            quotient.extend(part);
            if part.is_some() {
                self.asm.num(0);
                self.asm.op(Code::ToAlt);
            }
            for multiple in (0..4).rev() {
                self.try_multiple(multiple, n, part.is_some());
            }
        }
        let rest: Vec<Option<NodeId>> = (0..n)
            .map(|k| self.part(node, (digits.len() + k) as u32))
            .collect();
        let kept = match rest.iter().any(Option::is_some) {
            true => n,
            false => 0,
        };
        self.drop_beneath(n - kept, 0);
        self.drop_beneath(4 * n, kept);
        self.stack.truncate(self.stack.len() - 5 * n);
        let names = rest.iter().take(kept).copied();
        let digits = quotient.into_iter().rev().map(Some);
        let digits: Vec<_> = digits.inspect(|_| self.asm.op(Code::FromAlt)).collect();
        for part in names.chain(digits) {
            self.stack.push(part.map_or(NAMELESS, |part| part.0));
            if let Some(part) = part {
                self.on_stack[part.index()] = true;
            }
        }
    }

    /// The rest times 16, and a digit more. What leaves a limb goes into the one above it.
    fn shift_in(&mut self, digit: NodeId, n: usize) {
        self.double(4);
        for limb in (0..n - 1).rev() {
            self.asm.op(Code::Swap);
            for bit in (0..4).rev() {
                self.asm.num((LIMB / 16) << bit);
                self.asm
                    .ops(&[Code::Dup2, Code::GreaterThanOrEqual, Code::If]);
                self.asm.ops(&[Code::Sub, Code::Swap]);
                self.offset(1 << bit);
                self.asm
                    .ops(&[Code::Swap, Code::Else, Code::Drop, Code::EndIf]);
            }
            self.double(4);
            if limb == 0 {
                self.value(digit);
                self.apply(Code::Add, 2);
            }
            self.asm.ops(&[Code::Swap, Code::ToAlt]);
            self.stack.pop();
        }
        for _ in 1..n {
            self.asm.op(Code::FromAlt);
            self.stack.push(NAMELESS);
        }
    }

    /// Subtracts a multiple of the divisor from the rest, if the rest is at least as much.
    fn try_multiple(&mut self, multiple: usize, n: usize, wanted: bool) {
        for limb in 0..n {
            if limb == 0 {
                self.pick(n - 1);
            } else {
                self.pick(n);
                self.asm.op(Code::Swap);
                self.apply(Code::Sub, 2);
            }
            let depth = self.depth(MARKER) as usize - (multiple * n + limb);
            self.pick(depth);
            self.apply(Code::Sub, 2);
            if limb + 1 < n {
                self.asm.op(Code::Dup);
                self.asm.num(0);
                self.asm.ops(&[Code::LessThan, Code::If]);
                self.asm.num(LIMB);
                self.asm.op(Code::Add);
                self.asm.num(1);
                self.asm.op(Code::Else);
                self.asm.num(0);
                self.asm.op(Code::EndIf);
                self.stack.push(NAMELESS);
            }
        }
        self.asm.op(Code::Dup);
        self.asm.num(0);
        self.asm.ops(&[Code::LessThan, Code::If]);
        self.drop_beneath(n, 0);
        self.asm.op(Code::Else);
        if wanted {
            self.asm.op(Code::FromAlt);
            self.offset(1 << multiple);
            self.asm.op(Code::ToAlt);
        }
        self.drop_beneath(n, n);
        self.asm.op(Code::EndIf);
        self.stack.truncate(self.stack.len() - n);
    }

    /// A copy of the item at a depth.
    fn pick(&mut self, depth: usize) {
        match depth {
            0 => self.asm.op(Code::Dup),
            1 => self.asm.op(Code::Over),
            _ => {
                self.asm.num(depth as i64);
                self.asm.op(Code::Pick);
            }
        }
        self.stack.push(NAMELESS);
    }
}
