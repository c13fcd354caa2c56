//! Declarations, and whole contracts.

use super::ledger::Frame;
use super::tree::{Node, Tree};
use super::ty::{Function, INTS, Ty};
use super::{Accepted, Size, Var, Writer};
use serde_json::{Value, json};

impl Writer {
    /// A whole contract.
    pub fn contract(mut self, size: Size) -> Accepted {
        let parties = self.dice.range(2, 4);
        let mut items: Vec<Node> = (0..parties)
            .map(|n| Node::Line(format!("param party_{n}: party")))
            .collect();
        let outcomes = self.enums(size.enums, &mut items);
        self.errors(&mut items);
        let attestor = self.dice.percent(30).then(|| self.plain_type());
        if let Some(ty) = &attestor {
            items.push(Node::Line(format!(
                "param oracle: attestor<{}>",
                self.declared.show(ty)
            )));
        }
        for _ in 0..self.dice.range(0, 3) {
            items.push(self.param());
        }
        let stake = self.stake(&mut items);
        for _ in 0..size.structs {
            items.push(self.struct_item());
        }
        for _ in 0..size.consts {
            items.push(self.const_item());
        }
        for _ in 0..size.functions {
            items.push(self.function(size));
        }
        items.push(self.settle(size, parties, attestor));
        items.push(self.coin(parties, &outcomes, &stake));
        items.push(Node::Line("/// What always holds.".into()));
        items.push(self.test());
        Accepted {
            tree: Tree(vec![Node::block("contract Generated", items)]),
            params: self.params,
            vaults: Vec::new(),
        }
    }

    /// Enums, the outcomes last; gives the outcomes' names.
    pub fn enums(&mut self, count: usize, items: &mut Vec<Node>) -> Vec<String> {
        for n in 0..=count {
            let name = if n == count {
                "Outcome".to_owned()
            } else {
                self.fresh("Kind")
            };
            let variants: Vec<String> = (0..self.dice.range(2, 5))
                .map(|_| self.fresh("Is"))
                .collect();
            items.push(Node::Line(format!(
                "enum {name} {{ {} }}",
                variants.join(", ")
            )));
            self.declared.enums.push((name, variants));
        }
        self.declared
            .enums
            .last()
            .map(|(_, all)| all.clone())
            .unwrap_or_default()
    }

    pub fn errors(&mut self, items: &mut Vec<Node>) {
        let names: Vec<String> = (0..self.dice.range(1, 4))
            .map(|_| self.fresh("Bad"))
            .collect();
        items.push(Node::Line(format!("error {}", names.join(", "))));
        self.declared.errors = names;
    }

    /// A parameter with a value that its condition allows.
    pub fn param(&mut self) -> Node {
        let (name, mut ty) = (self.fresh("given"), self.plain_type());
        if self.dice.percent(20) {
            ty = Ty::Array(Box::new(ty), self.dice.range(2, 4));
        }
        let mut condition = String::new();
        if ty.is_int() && self.dice.percent(60) {
            condition = format!(" where {name} >= 1 && {name} < 250 || {name} == 0");
        }
        let value = self.json(&ty);
        self.with
            .push(format!("{name} = {}", self.spelled(&ty, &value)));
        self.params.insert(name.clone(), value);
        let line = format!("param {name}: {}{condition}", self.declared.show(&ty));
        let mutable = false;
        self.globals.push(Var { name, ty, mutable });
        Node::Line(line)
    }

    /// A small value of a type that parameters have.
    fn json(&mut self, ty: &Ty) -> Value {
        let hex = |w: &mut Self, n: usize| -> Value {
            let byte = |_| format!("{:02x}", w.dice.below(256));
            Value::String((0..n).map(byte).collect())
        };
        match ty {
            Ty::Bool => json!(self.dice.percent(50)),
            Ty::Hash | Ty::Pubkey => hex(self, 32),
            Ty::Bytes(n) => hex(self, *n),
            Ty::Enum(n) => json!(self.dice.pick(&self.declared.enums[*n].1.clone())),
            Ty::Array(element, n) => (0..*n).map(|_| self.json(element)).collect(),
            _ => json!(self.dice.below(250)),
        }
    }

    /// The same value as source.
    fn spelled(&self, ty: &Ty, value: &Value) -> String {
        let text = value.as_str().unwrap_or_default();
        match ty {
            Ty::Hash => format!("hash(hex\"{text}\")"),
            Ty::Bytes(_) => format!("hex\"{text}\""),
            Ty::Enum(n) => format!("{}::{text}", self.declared.enums[*n].0),
            Ty::Sats => format!("{value} sats"),
            Ty::Array(element, _) => {
                let all = value.as_array().into_iter().flatten();
                let all: Vec<String> = all.map(|v| self.spelled(element, v)).collect();
                format!("[{}]", all.join(", "))
            }
            _ => value.to_string(),
        }
    }

    /// A parameter that amounts of the coin depend on.
    fn stake(&mut self, items: &mut Vec<Node>) -> String {
        if self.dice.percent(50) {
            return format!("{} sats", self.dice.range(10_000, 90_000));
        }
        let (name, value) = (self.fresh("stake"), self.dice.range(10_000, 90_000));
        items.push(Node::Line(format!(
            "param {name}: sats where {name} >= 10_000 sats && {name} <= 90_000 sats"
        )));
        self.params.insert(name.clone(), json!(value));
        self.with.push(format!("{name} = {value} sats"));
        let (ty, mutable) = (Ty::Sats, false);
        self.globals.push(Var {
            name: name.clone(),
            ty,
            mutable,
        });
        name
    }

    pub fn struct_item(&mut self) -> Node {
        let name = self.fresh("Record");
        let fields: Vec<(String, Ty)> = (0..self.dice.range(1, 4))
            .map(|_| (self.fresh("field"), self.some_type(1)))
            .collect();
        let show = |(name, ty): &(String, Ty)| format!("{name}: {}", self.declared.show(ty));
        let shown: Vec<String> = fields.iter().map(show).collect();
        let line = format!("struct {name} {{ {} }}", shown.join(", "));
        self.declared.structs.push((name, fields));
        Node::Line(line)
    }

    pub fn const_item(&mut self) -> Node {
        let name = self.fresh("LIMIT");
        let ty = self.some_type(1);
        self.start(200);
        self.pure = true;
        let value = self.hinted(&ty, 2);
        self.pure = false;
        let line = format!("const {name}: {} = {value}", self.declared.show(&ty));
        let mutable = false;
        self.globals.push(Var { name, ty, mutable });
        Node::Line(line)
    }

    /// Begins a function that may cost so much.
    pub fn start(&mut self, most: u64) {
        self.vars.clear();
        self.ledger.frame = Frame::default();
        self.returns = None;
        (self.cost, self.most, self.deepest_call) = (0, most, 0);
    }

    pub fn function(&mut self, size: Size) -> Node {
        let name = self.fresh("compute");
        let most = self
            .dice
            .range(size.cost as usize / 8, size.cost as usize / 2);
        self.start(most as u64);
        let mut shown = Vec::new();
        let mut arguments = Vec::new();
        for _ in 0..self.dice.below(4) {
            let (name, ty) = (self.fresh("x"), self.some_type(1));
            self.declare(&name, &ty, false);
            shown.push(format!("{name}: {}", self.declared.show(&ty)));
            arguments.push(ty);
        }
        let returns = match self.dice.percent(50) {
            true => self.dice.pick(&INTS),
            false => self.some_type(1),
        };
        let body = self.body(&returns, size.statements);
        let head = format!(
            "fn {name}({}) -> {}",
            shown.join(", "),
            self.declared.show(&returns)
        );
        let (cost, depth) = (self.cost, self.deepest_call);
        self.declared.fns.push(Function {
            name,
            arguments,
            returns,
            cost,
            depth,
        });
        Node::block(head, body)
    }

    fn settle(&mut self, size: Size, parties: usize, attestor: Option<Ty>) -> Node {
        self.start(size.cost);
        let mut inputs = Vec::new();
        if let Some(ty) = attestor {
            inputs.push(self.input("oracle", ty, false));
        }
        for _ in 0..self.dice.range(1, 4) {
            let author = match self.dice.below(parties + 1) {
                0 => "anyone".to_owned(),
                n => format!("party_{}", n - 1),
            };
            let ty = self.plain_type();
            inputs.push(self.input(&author, ty, true));
        }
        let outcome = Ty::Enum(self.declared.enums.len() - 1);
        let body = self.body(&outcome, size.statements);
        Node::block(format!("settle({}) -> Outcome", inputs.join(", ")), body)
    }

    fn input(&mut self, author: &str, mut ty: Ty, many: bool) -> String {
        if self.dice.percent(25) {
            ty = Ty::Option(Box::new(ty));
        }
        if many && self.dice.percent(25) {
            ty = Ty::Array(Box::new(ty), self.dice.range(2, 4));
        }
        let name = self.fresh("input");
        self.declare(&name, &ty, false);
        format!("{name}: {} from {author}", self.declared.show(&ty))
    }

    fn coin(&mut self, parties: usize, outcomes: &[String], stake: &str) -> Node {
        let mut lines: Vec<Node> = (0..parties)
            .map(|n| Node::Line(format!("fund party_{n}: {stake}")))
            .collect();
        for outcome in outcomes {
            let arms = self.arms(parties);
            lines.push(Node::Line(format!("pay {outcome} {{ {arms} }}")));
        }
        let after = self.dice.range(1, 60_000);
        let arms = self.arms(parties);
        lines.push(Node::Line(format!(
            "refund after {after} blocks {{ {arms} }}"
        )));
        Node::block("coin pot", lines)
    }

    /// Who is paid: less in all than one party funds at least, and one gets the rest.
    fn arms(&mut self, parties: usize) -> String {
        let rest = self.dice.below(parties);
        let mut arms = Vec::new();
        for n in 0..parties {
            match n {
                n if n == rest => arms.push(format!("party_{n}: rest")),
                n if self.dice.percent(50) => {
                    arms.push(format!("party_{n}: {} sats", self.dice.range(330, 3_000)));
                }
                _ => {}
            }
        }
        arms.join(", ")
    }

    fn test(&mut self) -> Node {
        let ty = self.dice.pick(&INTS[..3]);
        let (name, ty) = (self.fresh("x"), self.declared.show(&ty));
        let to = self.dice.range(1, 200);
        let assert = Node::Line(format!("assert {name} <= {to} && {name} >= 0"));
        let mut body = vec![assert];
        if !self.with.is_empty() {
            body.insert(0, Node::Line(format!("with {}", self.with.join(", "))));
        }
        Node::block(format!("prop holds({name}: {ty} in 0..={to})"), body)
    }
}
