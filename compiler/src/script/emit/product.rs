//! Emits products by tables of multiples, and long division.

use super::super::code::Code;
use super::super::graph::NodeId;
use super::super::marks::What;
use super::super::number::LIMIT;
use super::Emitter;
use super::stack::Name;

impl Emitter<'_> {
    /// Multiples of each part are laid out as a table, which digits index.
    pub(super) fn product(
        &mut self,
        node: NodeId,
        parts: &[NodeId],
        digits: &[NodeId],
        starts: u32,
        span: usize,
    ) {
        let starts: Vec<usize> = (0..32).filter(|place| starts & (1 << place) != 0).collect();
        let places = starts.last().map_or(0, |place| place + digits.len());
        let groups: Vec<Option<NodeId>> = (0..places.div_ceil(span))
            .map(|group| self.part(node, group as u32))
            .collect();
        let wanted = |place: usize| groups.get(place / span).is_some_and(Option::is_some);
        for (n, digit) in digits.iter().enumerate() {
            let times = starts.iter().filter(|start| wanted(**start + n)).count();
            self.fetched(*digit, times as u32);
        }
        let most = digits.iter().map(|digit| self.graph.range(*digit).high);
        let most = most.max().unwrap_or(0);
        self.settle(parts);
        let mut tables = Vec::new();
        for (part, place) in parts.iter().zip(starts) {
            tables.push((place, self.multiples(*part, most)));
        }
        for (group, part) in groups.iter().enumerate() {
            let Some(part) = part else { continue };
            let from = group * span;
            let start = self.stack.asm.len();
            self.columns(&tables, digits, from..(from + span).min(places));
            self.mark(What::Node(*part), start);
        }
        let cells = tables.len() * (most as usize + 1);
        let made = groups.iter().flatten().count();
        self.drop_beneath(cells, made);
        self.leave(cells + made, &groups);
    }

    /// Has a digit ready to be fetched so many times, instead of once.
    fn fetched(&mut self, digit: NodeId, times: u32) {
        if times == 0 {
            return self.release(digit);
        }
        self.uses[digit.index()] += times - 1;
        self.settle(&[digit]);
    }

    /// Takes back one use of a node, and what it would have used if that was the last.
    fn release(&mut self, node: NodeId) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            let uses = &mut self.uses[node.index()];
            let last = *uses == 1;
            *uses = uses.saturating_sub(1);
            if last && self.stored[node.index()].is_none() {
                todo.extend(self.graph.node(node).operands());
            }
        }
    }

    /// Leaves the multiples of a number, from 0 times up, the last on top; gives the first.
    fn multiples(&mut self, number: NodeId, most: i64) -> Name {
        let mut start = self.stack.asm.len();
        self.stack.asm.num(0);
        let first = self.stack.pushed();
        self.mark(What::Multiple(number, 0), start);
        start = self.stack.asm.len();
        self.plain(number);
        self.mark(What::Multiple(number, 1), start);
        for n in 2..=most {
            start = self.stack.asm.len();
            match n {
                2 => self.stack.asm.ops(&[Code::Dup, Code::Dup, Code::Add]),
                3 => self.stack.asm.ops(&[Code::Dup2, Code::Add]),
                4 => self.stack.asm.ops(&[Code::Over, Code::Dup, Code::Add]),
                7 => self.stack.asm.ops(&[Code::Over2, Code::Add]),
                _ => {
                    self.stack.asm.op(Code::Dup);
                    self.stack.asm.num(n - 1);
                    self.stack.asm.ops(&[Code::Pick, Code::Add]);
                }
            }
            self.stack.pushed();
            self.mark(What::Multiple(number, n), start);
        }
        first
    }

    /// The sum of the multiples that fall on some places, the highest place first.
    fn columns(
        &mut self,
        tables: &[(usize, Name)],
        digits: &[NodeId],
        places: std::ops::Range<usize>,
    ) {
        let mut started = false;
        for place in places.rev() {
            if started {
                self.double(4);
            }
            for (start, first) in tables {
                let digit = place.checked_sub(*start).and_then(|n| digits.get(n));
                let Some(digit) = digit.copied() else {
                    continue;
                };
                self.multiple(*first, digit);
                if started {
                    self.stack.apply(Code::Add, 2);
                }
                started = true;
            }
        }
    }

    /// The cell of a table of multiples that a digit tells.
    fn multiple(&mut self, first: Name, digit: NodeId) {
        let depth = self.depth(first);
        match self.graph.as_const(digit) {
            Some(n) => {
                self.uses[digit.index()] -= 1;
                self.stack.asm.num(depth - n);
                self.stack.pushed();
            }
            None => {
                let bias = self.stored[digit.index()].as_ref();
                let bias = bias.map_or(0, |bias| bias.value(self.chosen));
                self.stack.asm.num(depth + bias);
                self.stack.pushed();
                self.value(digit);
                self.stack.apply(Code::Sub, 2);
            }
        }
        self.stack.asm.op(Code::Pick);
    }

    /// How deep an item lies.
    pub(super) fn depth(&self, name: Name) -> i64 {
        self.stack.depth_of(name).unwrap_or(0) as i64
    }

    /// Drops so many items that lie beneath some others.
    pub(super) fn drop_beneath(&mut self, items: usize, above: usize) {
        for _ in 0..above {
            self.stack.asm.op(Code::ToAlt);
        }
        for _ in 0..items / 2 {
            self.stack.asm.op(Code::Drop2);
        }
        if items % 2 == 1 {
            self.stack.asm.op(Code::Drop);
        }
        for _ in 0..above {
            self.stack.asm.op(Code::FromAlt);
        }
    }

    /// Long division, digit by digit: the rest so far is compared with eight, four, two times
    /// the divisor and the divisor.
    pub(super) fn long(&mut self, node: NodeId, operands: &[NodeId], saturate: bool) {
        let Some((by, digits)) = operands.split_first() else {
            return;
        };
        self.settle(digits);
        self.plain(*by);
        let Some(first) = self.stack.top() else {
            return;
        };
        for n in 0..3 {
            let start = self.stack.asm.len();
            self.stack.asm.op(Code::Dup);
            if n == 2 && saturate {
                self.stack.asm.num(LIMIT / 2 - 1);
                self.stack.asm.op(Code::Min);
            }
            self.double(1);
            self.stack.pushed();
            if n < 2 || !saturate {
                self.mark(What::Multiple(*by, 2 << n), start);
            }
        }
        let mut parts = Vec::new();
        for (n, digit) in digits.iter().enumerate().rev() {
            let start = self.stack.asm.len();
            let highest = n + 1 == digits.len();
            if !highest {
                self.double(4);
            }
            self.plain(*digit);
            if !highest {
                self.stack.apply(Code::Add, 2);
            }
            let part = self.part(node, n as u32);
            parts.push(part);
            self.digit_of_quotient(first, part.is_some());
            if let Some(part) = part {
                let bytes = start..self.stack.asm.len();
                self.marks.add_at(1, What::Node(part), bytes, 0);
            }
            self.mark(What::Toward(node), start);
        }
        let rest = self.part(node, digits.len() as u32);
        parts.push(rest);
        if rest.is_none() {
            self.stack.asm.op(Code::Drop);
            self.stack.drop(1);
        }
        let made = parts.iter().flatten().count();
        self.drop_beneath(4, made);
        self.leave(4 + made, &parts);
    }

    /// Reduces the rest on top; its quotient is left beneath it, if it is wanted.
    fn digit_of_quotient(&mut self, by: Name, wanted: bool) {
        if wanted {
            self.stack.asm.num(0);
            self.stack.pushed();
            self.stack.roll(1);
        }
        for bit in (0..4).rev() {
            self.stack.asm.num(self.depth(by) - bit);
            self.stack
                .asm
                .ops(&[Code::Pick, Code::Dup2, Code::GreaterThanOrEqual]);
            self.stack.asm.ops(&[Code::If, Code::Sub]);
            if wanted {
                self.stack.asm.op(Code::Swap);
                self.add(1 << bit);
                self.stack.asm.op(Code::Swap);
            }
            self.stack.asm.ops(&[Code::Else, Code::Drop, Code::EndIf]);
        }
    }
}
