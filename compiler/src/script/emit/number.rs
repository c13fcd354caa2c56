//! Emits computations on numbers of up to 31 bits. Every operand and every part is a plain
//! number.

use super::super::code::{Code, number_len};
use super::super::graph::{Node, NodeId};
use super::super::marks::What;
use super::super::number::{Arith, LIMIT};
use super::Emitter;
use super::bias::Bias;
use super::stack::Name;

impl Emitter<'_> {
    /// By digit that is read, the joins that are made of digits read up to it, it included.
    pub(super) fn joins_of_reads(&self, reads: usize) -> Vec<Vec<NodeId>> {
        let mut joins = vec![Vec::new(); reads];
        for index in 0..self.graph.len() {
            let id = NodeId(index as u32);
            let Node::Join(digits) = self.graph.node(id) else {
                continue;
            };
            let read = |digit: &NodeId| match self.graph.node(*digit) {
                Node::Read(n) => Some(*n as usize),
                _ => None,
            };
            let last: Option<Vec<usize>> = digits.iter().map(read).collect();
            if let Some(last) = last.and_then(|all| all.into_iter().max())
                && let Some(joins) = joins.get_mut(last)
                && self.uses[index] > 0
            {
                joins.push(id);
            }
        }
        joins
    }

    /// Doubles the top item so many times.
    pub(super) fn double(&mut self, times: u8) {
        for _ in 0..times {
            self.stack.asm.ops(&[Code::Dup, Code::Add]);
        }
    }

    /// A number times a constant, by doubling and adding; runs of ones by subtracting.
    pub(super) fn times(&mut self, number: NodeId, k: i64) {
        self.plain(number);
        let zeros = k.trailing_zeros();
        let odd = k >> zeros;
        let fits = self.graph.range(number).high * (odd + 1) < LIMIT;
        let signed = signed_digits(odd, fits);
        if signed.len() > 1 {
            self.stack.asm.op(Code::Dup);
            for digit in signed.iter().skip(1) {
                self.double(1);
                match digit {
                    0 => {}
                    1 => self.stack.asm.ops(&[Code::Over, Code::Add]),
                    _ => self.stack.asm.ops(&[Code::Over, Code::Sub]),
                }
            }
            self.stack.asm.op(Code::Nip);
        }
        self.double(zeros as u8);
    }

    /// The number that digits make, the least first.
    pub(super) fn number_of(&mut self, node: NodeId, digits: &[NodeId]) {
        let start = self.stack.asm.len();
        let mut rest = digits.iter().rev();
        if let Some(top) = rest.next() {
            self.plain(*top);
        }
        for digit in rest {
            self.double(4);
            self.mark(What::Toward(node), start);
            match self.graph.as_const(*digit) {
                Some(n) => {
                    self.uses[digit.index()] -= 1;
                    self.add(n);
                }
                None => self.plus(*digit, true),
            }
        }
    }

    /// The number that the next claimed digits make, the least first.
    pub(super) fn claimed(&mut self, digits: usize) {
        for _ in 0..digits {
            self.stack.asm.op(Code::FromAlt);
        }
        for _ in 1..digits {
            self.double(4);
            self.stack.asm.op(Code::Add);
        }
    }

    /// Computes all parts of a node that anything needs.
    pub(super) fn multi(&mut self, node: NodeId) {
        let Node::Multi(arith, operands) = self.graph.node(node) else {
            return;
        };
        self.uses[node.index()] = 0;
        let start = self.stack.asm.len();
        match *arith {
            Arith::Divide(unit) => {
                self.plain(operands[0]);
                self.divide(node, operands[0], unit);
            }
            Arith::Borrow(unit) => {
                self.plain(operands[0]);
                self.borrow(node, unit);
            }
            Arith::Product { starts, span } => {
                let (parts, digits) = operands.split_at(starts.count_ones() as usize);
                self.product(node, parts, digits, starts, usize::from(span));
            }
            Arith::Long { saturate } => self.long(node, operands, saturate),
            Arith::LongWide { limbs } => self.long_wide(node, operands, usize::from(limbs)),
            Arith::Choose => self.choose(node, operands),
        }
        self.mark_parts(node, start);
    }

    /// Says that the bytes since `start` leave the parts of a node.
    fn mark_parts(&mut self, node: NodeId, start: usize) {
        if !self.marks.are_on() {
            return;
        }
        let bytes = start..self.stack.asm.len();
        for index in node.index() + 1..self.graph.len() {
            let part = NodeId(index as u32);
            if !matches!(self.graph.node(part), Node::Part(of, _) if *of == node) {
                break;
            }
            if let Some(depth) = self.stack.depth_of(Name::Node(part.0)) {
                self.marks.add_at(depth, What::Node(part), bytes.clone(), 0);
            }
        }
    }

    /// Has nodes on the stack, so that fetching them computes nothing.
    pub(super) fn settle(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            if self.stored[node.index()].is_none() && self.graph.as_const(*node).is_none() {
                self.hold(*node);
            }
        }
    }

    /// A part of a node, if anything needs it.
    pub(super) fn part(&self, node: NodeId, n: u32) -> Option<NodeId> {
        let id = NodeId(node.0 + 1 + n);
        (self.uses.get(id.index()).copied().unwrap_or(0) > 0).then_some(id)
    }

    /// Gives the top items to parts, the lowest first.
    pub(super) fn leave(&mut self, taken: usize, parts: &[Option<NodeId>]) {
        self.stack.drop(taken);
        for part in parts.iter().flatten() {
            self.stack.pushed();
            self.name_top(*part, Bias::default());
        }
    }

    /// From a number on top to its quotient and its rest, the rest on top.
    fn divide(&mut self, node: NodeId, of: NodeId, unit: i64) {
        let (rest, quotient) = (self.part(node, 0), self.part(node, 1));
        let range = self.graph.range(of);
        let most = range.high / unit;
        let mut bit = 63 - most.leading_zeros();
        if quotient.is_some() && most == 1 {
            if rest.is_some() {
                self.stack.asm.num(unit);
                self.stack
                    .asm
                    .ops(&[Code::Dup2, Code::GreaterThanOrEqual, Code::If, Code::Sub]);
                self.stack.asm.num(1);
                self.stack.asm.ops(&[Code::Else, Code::Drop]);
                self.stack.asm.num(0);
                self.stack.asm.op(Code::EndIf);
                self.leave(1, &[rest, quotient]);
            } else {
                self.stack.asm.num(unit);
                self.stack.asm.op(Code::GreaterThanOrEqual);
                self.leave(1, &[quotient]);
            }
            return;
        }
        if quotient.is_some() {
            self.stack.asm.num(0);
            self.stack.asm.op(Code::Swap);
        }
        loop {
            let step = unit << bit;
            match quotient {
                None => self.reduce_once(step),
                Some(_) => {
                    self.stack.asm.num(step);
                    self.stack.asm.ops(&[
                        Code::Dup2,
                        Code::GreaterThanOrEqual,
                        Code::If,
                        Code::Sub,
                        Code::Swap,
                    ]);
                    self.add(1 << bit);
                    self.stack
                        .asm
                        .ops(&[Code::Swap, Code::Else, Code::Drop, Code::EndIf]);
                }
            }
            if bit == 0 {
                break;
            }
            bit -= 1;
        }
        if rest.is_none() {
            self.stack.asm.op(Code::Drop);
        }
        self.leave(1, &[quotient, rest]);
    }

    /// Subtracts a step from the top item if that is at least as much.
    fn reduce_once(&mut self, step: i64) {
        if number_len(step) <= 2 {
            self.stack.asm.op(Code::Dup);
            self.stack.asm.num(step);
            self.stack.asm.ops(&[Code::GreaterThanOrEqual, Code::If]);
            self.stack.asm.num(step);
            self.stack.asm.ops(&[Code::Sub, Code::EndIf]);
        } else {
            self.stack.asm.num(step);
            self.stack
                .asm
                .ops(&[Code::Dup2, Code::GreaterThanOrEqual, Code::If, Code::Sub]);
            self.stack.asm.ops(&[Code::Else, Code::Drop, Code::EndIf]);
        }
    }

    fn borrow(&mut self, node: NodeId, unit: i64) {
        let (rest, negative) = (self.part(node, 0), self.part(node, 1));
        if rest.is_some() {
            self.stack.asm.op(Code::Dup);
        }
        self.stack.asm.num(0);
        self.stack.asm.op(Code::LessThan);
        if rest.is_some() {
            self.stack.asm.op(Code::If);
            self.stack.asm.num(unit);
            self.stack.asm.op(Code::Add);
            if negative.is_some() {
                self.stack.asm.num(1);
                self.stack.asm.op(Code::Else);
                self.stack.asm.num(0);
            }
            self.stack.asm.op(Code::EndIf);
        }
        self.leave(1, &[rest, negative]);
    }

    /// Two numbers by a condition.
    fn choose(&mut self, node: NodeId, operands: &[NodeId]) {
        let [condition, t0, t1, f0, f1] = operands[..] else {
            return;
        };
        self.gather(&[f0, f1, t0, t1, condition]);
        self.stack
            .asm
            .ops(&[Code::If, Code::Swap2, Code::EndIf, Code::Drop2]);
        let parts = [self.part(node, 0), self.part(node, 1)];
        match parts {
            [Some(_), Some(_)] => {}
            [Some(_), None] => self.stack.asm.op(Code::Drop),
            _ => self.stack.asm.op(Code::Nip),
        }
        self.leave(5, &parts);
    }
}

/// An odd number as digits of base two, the highest first: binary, or with -1 where that has
/// fewer digits that aren't 0 and is allowed.
fn signed_digits(odd: i64, allowed: bool) -> Vec<i64> {
    let mut binary = Vec::new();
    let mut rest = odd;
    while rest > 0 {
        binary.push(rest % 2);
        rest /= 2;
    }
    let mut signed = Vec::new();
    rest = odd;
    while rest > 0 {
        let digit = if rest % 2 == 0 { 0 } else { 2 - rest % 4 };
        signed.push(digit);
        rest = (rest - digit) / 2;
    }
    let steps = |digits: &[i64]| digits.len() + digits.iter().filter(|d| **d != 0).count();
    let mut best = match allowed && steps(&signed) < steps(&binary) {
        true => signed,
        false => binary,
    };
    best.reverse();
    best
}
