//! Blocks and statements.

use super::Writer;
use super::tree::Node;
use super::ty::{INTS, Ty};

impl Writer {
    /// The body of a function: statements, then its value.
    pub fn body(&mut self, returns: &Ty, statements: usize) -> Vec<Node> {
        self.returns = Some(returns.clone());
        let mut body = self.statements(statements, 3);
        body.push(Node::Line(self.hinted(returns, 3)));
        body
    }

    /// Statements of a block that ends with them.
    pub fn statements(&mut self, count: usize, depth: usize) -> Vec<Node> {
        let outside = self.vars.len();
        let around = self.enter_block(depth == 3);
        let mut all = Vec::new();
        for _ in 0..count {
            if self.is_spent() {
                break;
            }
            match self.ledger.frame.entry && self.dice.percent(50) {
                true => all.extend(self.ledger_statement(depth)),
                false => all.push(self.statement(depth)),
            }
        }
        all.extend(self.leave_block(around));
        if depth < 3 {
            self.vars.truncate(outside);
        }
        all
    }

    pub fn inner(&mut self, depth: usize) -> Vec<Node> {
        let count = self.dice.range(1, 3);
        self.statements(count, depth - 1)
    }

    fn statement(&mut self, depth: usize) -> Node {
        match self.dice.below(if depth == 0 { 12 } else { 18 }) {
            0..=3 => self.let_statement(),
            4 => self.let_tuple(),
            5..=7 => self.assign().unwrap_or_else(|| self.let_statement()),
            8 => self.require(),
            9 => Node::Line(format!("assert {}", self.likely())),
            10 => Node::Line(
                self.dice
                    .pick(&["// why, in a few words", "// é ₿ 'quoted'", "/// how"])
                    .into(),
            ),
            11 => self.leave(),
            12 => self.if_let(depth).unwrap_or_else(|| self.require()),
            13 => self.match_statement(depth),
            14 => self.for_each(depth).unwrap_or_else(|| self.let_statement()),
            15 => self.for_range(depth),
            _ => self.if_statement(depth),
        }
    }

    fn let_statement(&mut self) -> Node {
        let ty = self.some_type(2);
        let typed = self.dice.percent(50);
        let value = match typed {
            true => self.hinted(&ty, 3),
            false => self.closed(&ty, 3).text,
        };
        let mutable = self.dice.percent(50);
        let shadowed = self.vars.last().map(|var| var.name.clone());
        let name = match shadowed {
            Some(name) if self.dice.percent(5) => name,
            _ => self.fresh("value"),
        };
        self.declare(&name, &ty, mutable);
        let word = if mutable { "let mut" } else { "let" };
        let ty = if typed {
            format!(": {}", self.declared.show(&ty))
        } else {
            String::new()
        };
        Node::Line(format!("{word} {name}{ty} = {value}"))
    }

    fn let_tuple(&mut self) -> Node {
        let types: Vec<Ty> = (0..self.dice.range(2, 3))
            .map(|_| self.some_type(1))
            .collect();
        let value = self.closed(&Ty::Tuple(types.clone()), 2).text;
        let mut names = Vec::new();
        for ty in &types {
            let (name, mutable) = (self.fresh("part"), self.dice.percent(30));
            self.declare(&name, ty, mutable);
            names.push(if mutable { format!("mut {name}") } else { name });
        }
        Node::Line(format!("let ({}) = {value}", names.join(", ")))
    }

    fn assign(&mut self) -> Option<Node> {
        let ty = match self.dice.percent(50) {
            true => self.dice.pick(&INTS),
            false => self.some_type(1),
        };
        let place = self.place(&ty, true)?;
        if ty.is_int() && self.dice.percent(60) {
            let op = self.dice.pick(&["&=", "|=", "^=", "%=", "+=", "^=", ">>="]);
            let value = match op {
                "%=" | "+=" | ">>=" => self.dice.range(1, 7).to_string(),
                _ => self.hinted(&ty, 2),
            };
            self.spend(if op == "%=" {
                400 * self.declared.words(&ty)
            } else {
                4
            });
            return Some(Node::Line(format!("{place} {op} {value}")));
        }
        Some(Node::Line(format!("{place} = {}", self.hinted(&ty, 2))))
    }

    /// A condition that mostly holds, so that runs get further.
    fn likely(&mut self) -> String {
        let condition = self.closed(&Ty::Bool, 2).text;
        match self.dice.percent(75) {
            true => format!(
                "({condition}) || {}",
                self.closed(&Ty::U32, 0).at(4) + " < 4_000_000_000"
            ),
            false => condition,
        }
    }

    fn require(&mut self) -> Node {
        let error = self.dice.pick(&self.declared.errors.clone());
        Node::Line(format!("require {} else {error}", self.likely()))
    }

    /// `break`, `continue` or `return`, where a condition says so.
    fn leave(&mut self) -> Node {
        let condition = self.closed(&Ty::Bool, 2).head();
        let live = self.ledger.frame.live.clone();
        let (mut body, jump) = match self.dice.below(3) {
            0 if self.loops > 0 => (self.abandon(true), "break".to_owned()),
            1 if self.loops > 0 => (self.abandon(true), "continue".to_owned()),
            _ => (self.abandon(false), self.returned()),
        };
        self.ledger.frame.live = live;
        body.push(Node::Line(jump));
        Node::block(format!("if {condition}"), body)
    }

    fn if_statement(&mut self, depth: usize) -> Node {
        let mut parts = vec![(
            format!("if {}", self.closed(&Ty::Bool, 2).head()),
            self.inner(depth),
        )];
        if self.dice.percent(30) {
            let condition = self.closed(&Ty::Bool, 2).head();
            parts.push((format!("else if {condition}"), self.inner(depth)));
        }
        if self.dice.percent(50) {
            parts.push(("else".into(), self.inner(depth)));
        }
        Node::Block(parts)
    }

    fn if_let(&mut self, depth: usize) -> Option<Node> {
        let (place, inner) = self.any_option()?;
        let name = self.fresh("found");
        let outside = self.vars.len();
        self.declare(&name, &inner, false);
        let body = self.inner(depth);
        self.vars.truncate(outside);
        Some(Node::block(format!("if let Some({name}) = {place}"), body))
    }

    fn match_statement(&mut self, depth: usize) -> Node {
        let (head, patterns) = self.matched(2);
        let arms = patterns.into_iter();
        let arms = arms.map(|pattern| Node::block(format!("{pattern} =>"), self.inner(depth)));
        Node::block(format!("match {head}"), arms.collect())
    }

    fn for_range(&mut self, depth: usize) -> Node {
        let (count, from) = (self.dice.range(1, 4), self.dice.below(4));
        let ty = self.dice.pick(&INTS);
        let inclusive = self.dice.percent(30);
        let (dots, to) = if inclusive {
            ("..=", from + count - 1)
        } else {
            ("..", from + count)
        };
        let typed = self.dice.percent(50);
        let colon = if typed {
            format!(": {}", self.declared.show(&ty))
        } else {
            String::new()
        };
        let ty = if typed { ty } else { Ty::U32 };
        let name = self.fresh("i");
        let head = format!("for {name}{colon} in {from}{dots}{to}");
        self.looped(head, &name, &ty, count, depth)
    }

    fn for_each(&mut self, depth: usize) -> Option<Node> {
        let element = self.some_type(0);
        let n = self.dice.range(2, 4);
        let array = self.place(&Ty::Array(Box::new(element.clone()), n), false)?;
        let name = self.fresh("each");
        Some(self.looped(format!("for {name} in {array}"), &name, &element, n, depth))
    }

    fn looped(&mut self, head: String, name: &str, ty: &Ty, count: usize, depth: usize) -> Node {
        let (outside, times) = (self.vars.len(), self.times);
        self.declare(name, ty, false);
        self.loops += 1;
        self.times *= count as u64;
        let around = self.enter_loop();
        let body = self.inner(depth);
        self.leave_loop(around);
        self.times = times;
        self.loops -= 1;
        self.vars.truncate(outside);
        Node::block(head, body)
    }
}
