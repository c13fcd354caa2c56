//! Emits long division by numbers of several limbs.

use super::super::code::Code;
use super::super::graph::NodeId;
use super::super::number::LIMB;
use super::Emitter;
use super::bias::Bias;
use super::stack::Name;

impl Emitter<'_> {
    /// Long division, digit by digit, with a rest of `n` limbs on top, the highest uppermost.
    /// Digits of the quotient gather on the altstack.
    pub(super) fn long_wide(&mut self, node: NodeId, operands: &[NodeId], n: usize) {
        let (multiples, digits) = operands.split_at(4 * n);
        self.settle(digits);
        self.gather(multiples);
        let Some(first) = self.stack.nth(4 * n - 1) else {
            return;
        };
        let mut quotient = Vec::new();
        for (k, digit) in digits.iter().enumerate().rev() {
            if k + 1 == digits.len() {
                self.plain(*digit);
                for _ in 1..n {
                    self.stack.asm.num(0);
                    self.stack.pushed();
                }
            } else {
                self.shift_in(*digit, n);
            }
            let part = self.part(node, k as u32);
            quotient.extend(part);
            if part.is_some() {
                self.stack.asm.num(0);
                self.stack.asm.op(Code::ToAlt);
            }
            for multiple in (0..4).rev() {
                self.try_multiple(first, multiple, n, part.is_some());
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
        self.stack.drop(5 * n);
        let names = rest.iter().take(kept).copied();
        let digits = quotient.into_iter().rev().map(Some);
        let digits: Vec<_> = digits
            .inspect(|_| self.stack.asm.op(Code::FromAlt))
            .collect();
        for part in names.chain(digits) {
            self.stack.pushed();
            if let Some(part) = part {
                self.name_top(part, Bias::default());
            }
        }
    }

    /// The rest times 16, and a digit more. What leaves a limb goes into the one above it.
    fn shift_in(&mut self, digit: NodeId, n: usize) {
        self.double(4);
        for limb in (0..n - 1).rev() {
            self.stack.asm.op(Code::Swap);
            for bit in (0..4).rev() {
                self.stack.asm.num((LIMB / 16) << bit);
                self.stack
                    .asm
                    .ops(&[Code::Dup2, Code::GreaterThanOrEqual, Code::If]);
                self.stack.asm.ops(&[Code::Sub, Code::Swap]);
                self.add(1 << bit);
                self.stack
                    .asm
                    .ops(&[Code::Swap, Code::Else, Code::Drop, Code::EndIf]);
            }
            self.double(4);
            if limb == 0 {
                self.plain(digit);
                self.stack.apply(Code::Add, 2);
            }
            self.stack.asm.ops(&[Code::Swap, Code::ToAlt]);
            self.stack.drop(1);
        }
        for _ in 1..n {
            self.stack.asm.op(Code::FromAlt);
            self.stack.pushed();
        }
    }

    /// Subtracts a multiple of the divisor from the rest, if the rest is at least as much.
    fn try_multiple(&mut self, by: Name, multiple: usize, n: usize, wanted: bool) {
        for limb in 0..n {
            if limb == 0 {
                self.stack.pick(n - 1);
            } else {
                self.stack.pick(n);
                self.stack.asm.op(Code::Swap);
                self.stack.apply(Code::Sub, 2);
            }
            let depth = self.depth(by) as usize - (multiple * n + limb);
            self.stack.pick(depth);
            self.stack.apply(Code::Sub, 2);
            if limb + 1 < n {
                self.stack.asm.op(Code::Dup);
                self.stack.asm.num(0);
                self.stack.asm.ops(&[Code::LessThan, Code::If]);
                self.stack.asm.num(LIMB);
                self.stack.asm.op(Code::Add);
                self.stack.asm.num(1);
                self.stack.asm.op(Code::Else);
                self.stack.asm.num(0);
                self.stack.asm.op(Code::EndIf);
                self.stack.pushed();
            }
        }
        self.stack.asm.op(Code::Dup);
        self.stack.asm.num(0);
        self.stack.asm.ops(&[Code::LessThan, Code::If]);
        self.drop_beneath(n, 0);
        self.stack.asm.op(Code::Else);
        if wanted {
            self.stack.asm.op(Code::FromAlt);
            self.add(1 << multiple);
            self.stack.asm.op(Code::ToAlt);
        }
        self.drop_beneath(n, n);
        self.stack.asm.op(Code::EndIf);
        self.stack.drop(n);
    }
}
