//! What entries do: they change the state, emit events and move vaults.
//!
//! A block moves on every vault that it takes itself; a jump moves on what it would lose.

use super::Writer;
use super::ledger::Gives;
use super::tree::Node;
use super::ty::Ty;

impl Writer {
    /// Every field of the state, under some keys: what can be read, or assigned, there.
    pub fn state_places(&mut self, to_change: bool) -> Vec<(String, Ty)> {
        if self.pure || (to_change && !self.ledger.frame.entry) {
            return Vec::new();
        }
        let mut all = Vec::new();
        for n in 0..self.ledger.fields.len() {
            let field = self.ledger.fields[n].clone();
            let at = self.under_keys(&field.name, &field.keys);
            for (part, ty) in field.plain {
                all.push((format!("{at}{part}"), ty));
            }
            for (part, _) in field.vaults {
                all.push((format!("{at}{part}.amount"), Ty::U64));
            }
        }
        for asset in &self.ledger.assets {
            all.push((format!("{asset}.supply"), Ty::U64));
        }
        for (vault, _) in &self.ledger.frame.live {
            all.push((format!("{vault}.amount"), Ty::U64));
        }
        let fixed = |place: &str| place.ends_with(".amount") || place.ends_with(".supply");
        all.retain(|(place, _)| !to_change || !fixed(place));
        all
    }

    pub fn under_keys(&mut self, field: &str, keys: &[Ty]) -> String {
        let keys: Vec<String> = keys
            .iter()
            .map(|ty| format!("[{}]", self.key(ty)))
            .collect();
        format!("{field}{}", keys.concat())
    }

    /// A key: a variable, a small literal, or what the state holds.
    fn key(&mut self, ty: &Ty) -> String {
        if let Ty::Tuple(all) = ty {
            let all: Vec<String> = all.iter().map(|ty| self.key(ty)).collect();
            return format!("({})", all.join(", "));
        }
        let last = |n: usize, name: &str| self.vars[n + 1..].iter().all(|v| v.name != name);
        let vars = self.vars.iter().enumerate();
        let vars = vars.filter(|(n, v)| v.ty == *ty && last(*n, &v.name));
        let mut known: Vec<String> = vars.map(|(_, v)| v.name.clone()).collect();
        let held = |f: &&super::ledger::Field| {
            f.keys.is_empty() && f.plain.iter().any(|p| p.1 == *ty && p.0.is_empty())
        };
        let held: Vec<String> = self
            .ledger
            .fields
            .iter()
            .filter(held)
            .map(|f| f.name.clone())
            .collect();
        if self.dice.percent(20) && !held.is_empty() {
            known = held;
        }
        match ty {
            _ if !known.is_empty() && self.dice.percent(80) => self.dice.pick(&known),
            ty if ty.is_int() => self.dice.below(3).to_string(),
            ty => self.literal(ty, true).text,
        }
    }

    /// Statements that only ledgers have.
    pub fn ledger_statement(&mut self, depth: usize) -> Vec<Node> {
        let own = self.ledger.frame.live.len() - self.ledger.frame.block;
        match self.dice.below(if depth == 0 { 10 } else { 13 }) {
            0 | 1 => self.store().into_iter().collect(),
            2 => vec![self.emit()],
            3 | 4 => vec![self.take()],
            5 => vec![self.transfer()],
            6 if own > 0 => self.pass_on(),
            7 if own > 0 => vec![self.split()],
            8 => self.change_call().into_iter().collect(),
            9 => vec![self.timed()],
            10 | 11 if own > 0 => vec![self.fork(depth)],
            _ => vec![self.transfer()],
        }
    }

    /// `place op= value`, or `place = zero`.
    fn store(&mut self) -> Option<Node> {
        let mut places = self.state_places(true);
        if self.dice.percent(50) {
            places.retain(|(_, ty)| ty.is_int());
        }
        if places.is_empty() {
            return None;
        }
        let (mut place, mut ty) = self.dice.pick(&places);
        self.spend(4 * self.declared.words(&ty));
        if let Ty::Array(element, n) = &ty
            && self.dice.percent(60)
        {
            let index = self.closed(&Ty::U32, 1).at(9);
            place = format!("{place}[{index} % {n}]");
            ty = (**element).clone();
        }
        let line = match ty.is_int() && self.dice.percent(70) {
            true => {
                let ops = ["+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="];
                let op = self.dice.pick(&ops);
                let value = match op {
                    "+=" | "-=" => self.tame(&ty, 1),
                    "&=" | "|=" | "^=" => self.hinted(&ty, 2),
                    _ => {
                        self.spend(16 * u64::from(ty.bits()) * self.declared.words(&ty));
                        self.dice.range(1, 5).to_string()
                    }
                };
                format!("{place} {op} {value}")
            }
            false if self.dice.percent(30) => format!("{place} = zero"),
            false => format!("{place} = {}", self.hinted(&ty, 2)),
        };
        Some(Node::Line(line))
    }

    fn emit(&mut self) -> Node {
        let (name, mut fields) = self.dice.pick(&self.ledger.events.clone());
        if self.dice.percent(30) {
            fields.reverse();
        }
        let field = |(name, ty): &(String, Ty)| format!("{name}: {}", self.hinted(ty, 2));
        let fields: Vec<String> = fields.iter().map(field).collect();
        Node::Line(format!("emit {name} {{ {} }}", fields.join(", ")))
    }

    fn timed(&mut self) -> Node {
        let error = self.dice.pick(&self.declared.errors.clone());
        let lines = [
            "since = height()".to_owned(),
            format!("require height() >= since else {error}"),
            format!("require since < height() + 9 || height() > 5 else {error}"),
        ];
        Node::Line(self.dice.pick(&lines))
    }

    /// A vault of the state.
    fn vault_place(&mut self, asset: usize) -> String {
        let of = |vaults: &[(String, usize)]| vaults.iter().any(|v| v.1 == asset);
        let fields = self.ledger.fields.iter().filter(|f| of(&f.vaults));
        let field = self.dice.pick(&fields.cloned().collect::<Vec<_>>());
        let at = self.under_keys(&field.name, &field.keys);
        self.spend(12);
        format!("{at}{}", field.vaults[0].0)
    }

    /// An expression that is a vault.
    pub fn vault_source(&mut self, asset: usize) -> String {
        let name = self.ledger.assets[asset].clone();
        let live = self.ledger.frame.live.iter().filter(|v| v.1 == asset);
        let live: Vec<String> = live.map(|v| v.0.clone()).collect();
        self.spend(8);
        match self.dice.below(10) {
            0 | 1 => {
                self.ledger.frame.creates.mints.insert(asset);
                format!("{name}.mint({})", self.tame(&Ty::U64, 1))
            }
            2 => format!("{}.take_all()", self.vault_place(asset)),
            3 | 4 if !live.is_empty() => {
                format!("{}.take({})", self.dice.pick(&live), self.tame(&Ty::U64, 0))
            }
            5 if !self.is_spent() => {
                let condition = self.closed(&Ty::Bool, 1).head();
                let (then, other) = (self.vault_source(asset), self.vault_source(asset));
                format!("if {condition} {{ {then} }} else {{ {other} }}")
            }
            6 if !self.is_spent() => {
                let (head, patterns) = self.matched(1);
                let arms = patterns.iter();
                let arms: Vec<String> = arms
                    .map(|pattern| format!("{pattern} => {}", self.vault_source(asset)))
                    .collect();
                format!("match {head} {{ {} }}", arms.join(", "))
            }
            7 if !self.is_spent() => format!("pass_{name}({})", self.vault_source(asset)),
            _ => {
                let place = self.vault_place(asset);
                format!("{place}.take({})", self.tame(&Ty::U64, 1))
            }
        }
    }

    /// A statement that moves a vault on, given as an expression.
    fn vault_sink(&mut self, vault: &str, asset: usize) -> Node {
        let name = self.ledger.assets[asset].clone();
        let live = self.ledger.frame.live.iter().filter(|v| v.1 == asset);
        let live: Vec<String> = live.map(|v| v.0.clone()).collect();
        let line = match self.dice.below(6) {
            0 => {
                self.ledger.frame.creates.burns.insert(asset);
                format!("{name}.burn({vault})")
            }
            1 if !live.is_empty() => format!("{}.put({vault})", self.dice.pick(&live)),
            2 => format!("{}.put(pass_{name}({vault}))", self.vault_place(asset)),
            _ => format!("{}.put({vault})", self.vault_place(asset)),
        };
        Node::Line(line)
    }

    fn new_vault(&mut self, asset: usize) -> String {
        let name = self.fresh("coins");
        self.ledger.frame.live.push((name.clone(), asset));
        name
    }

    fn take(&mut self) -> Node {
        let asset = self.some_asset();
        let source = self.vault_source(asset);
        if self.dice.percent(20) {
            // Through a tuple, with a value.
            let ty = self.some_type(1);
            let value = self.closed(&ty, 1).text;
            let part = self.fresh("part");
            self.declare(&part, &ty, false);
            let coins = self.new_vault(asset);
            return Node::Line(format!("let (mut {coins}, {part}) = ({source}, {value})"));
        }
        Node::Line(format!("let mut {} = {source}", self.new_vault(asset)))
    }

    fn transfer(&mut self) -> Node {
        let asset = self.some_asset();
        let source = self.vault_source(asset);
        self.vault_sink(&source, asset)
    }

    /// Takes a vault of this block out of those that live.
    fn own_vault(&mut self) -> (String, usize) {
        let from = self.ledger.frame.block;
        let n = self.dice.range(from, self.ledger.frame.live.len() - 1);
        self.ledger.frame.live.remove(n)
    }

    /// Moves a vault on, and perhaps fills its variable again.
    fn pass_on(&mut self) -> Vec<Node> {
        let (vault, asset) = self.own_vault();
        let mut lines = vec![self.vault_sink(&vault, asset)];
        if self.dice.percent(40) {
            let source = self.vault_source(asset);
            lines.push(Node::Line(format!("{vault} = {source}")));
            self.ledger.frame.live.push((vault, asset));
        }
        lines
    }

    fn split(&mut self) -> Node {
        let (vault, asset) = self.own_vault();
        let most = self.tame(&Ty::U64, 1);
        let [a, b] = [0; 2].map(|_| self.new_vault(asset));
        let split = format!("split_{}({vault}, {most})", self.ledger.assets[asset]);
        Node::Line(format!("let (mut {a}, mut {b}) = {split}"))
    }

    /// `if` or `match`, each way of which moves on the same vault.
    fn fork(&mut self, depth: usize) -> Node {
        let (heads, around) = match self.dice.percent(60) {
            true => {
                let condition = self.closed(&Ty::Bool, 2).head();
                (vec![format!("if {condition}"), "else".into()], None)
            }
            false => {
                let (head, patterns) = self.matched(1);
                let patterns = patterns.into_iter().map(|p| format!("{p} =>"));
                (patterns.collect(), Some(format!("match {head}")))
            }
        };
        let (vault, asset) = self.own_vault();
        let mut parts = Vec::new();
        for head in heads {
            self.ledger.frame.live.push((vault.clone(), asset));
            self.ledger.frame.handed = true;
            parts.push((head, self.inner(depth)));
        }
        match around {
            None => Node::Block(parts),
            Some(head) => {
                let arms = parts.into_iter();
                let arms = arms.map(|(pattern, body)| Node::block(pattern, body));
                Node::block(head, arms.collect())
            }
        }
    }

    /// A call of a function that changes the state.
    fn change_call(&mut self) -> Option<Node> {
        let (left, level) = (self.left() / self.times.max(1), self.calls_at_most);
        let all = self.ledger.changers.iter();
        let fits = all.filter(|f| f.cost < left && f.depth < level);
        let fits: Vec<_> = fits.cloned().collect();
        if fits.is_empty() {
            return None;
        }
        let f = self.dice.pick(&fits);
        self.spend(f.cost);
        self.deepest_call = self.deepest_call.max(f.depth + 1);
        let types = f.arguments.iter();
        let mut arguments: Vec<String> = types.map(|ty| self.hinted(ty, 1)).collect();
        if let Some(asset) = f.takes {
            arguments.push(self.vault_source(asset));
        }
        let creates = &mut self.ledger.frame.creates;
        creates.mints.extend(f.creates.mints);
        creates.burns.extend(f.creates.burns);
        let call = format!("{}({})", f.name, arguments.join(", "));
        Some(match f.gives {
            Gives::Nothing => Node::Line(call),
            Gives::Vault(asset) => self.vault_sink(&call, asset),
            Gives::Value(ty) => {
                let name = self.fresh("value");
                self.declare(&name, &ty, false);
                Node::Line(format!("let {name} = {call}"))
            }
        })
    }

    /// Begins a block; gives what [`Self::leave_block`] takes.
    pub fn enter_block(&mut self, whole_body: bool) -> usize {
        let frame = &mut self.ledger.frame;
        let handed = usize::from(std::mem::take(&mut frame.handed));
        let from = if whole_body {
            0
        } else {
            frame.live.len() - handed
        };
        std::mem::replace(&mut frame.block, from)
    }

    /// Moves on what the block took, and ends it.
    pub fn leave_block(&mut self, around: usize) -> Vec<Node> {
        let lines = self.moved_from(self.ledger.frame.block);
        self.ledger.frame.block = around;
        lines
    }

    pub fn enter_loop(&mut self) -> usize {
        let frame = &mut self.ledger.frame;
        std::mem::replace(&mut frame.round, frame.live.len())
    }

    pub fn leave_loop(&mut self, around: usize) {
        self.ledger.frame.round = around;
    }

    /// Moves on what a jump out of the round, or of the function, would lose.
    pub fn abandon(&mut self, round: bool) -> Vec<Node> {
        self.moved_from(if round { self.ledger.frame.round } else { 0 })
    }

    fn moved_from(&mut self, from: usize) -> Vec<Node> {
        let mut lines = Vec::new();
        while self.ledger.frame.live.len() > from
            && let Some((vault, asset)) = self.ledger.frame.live.pop()
        {
            lines.push(self.vault_sink(&vault, asset));
        }
        lines
    }

    /// `return`, with what the function gives.
    pub fn returned(&mut self) -> String {
        match (self.returns.clone(), self.ledger.frame.gives.clone()) {
            (Some(ty), _) | (None, Gives::Value(ty)) => format!("return {}", self.hinted(&ty, 1)),
            (None, Gives::Vault(asset)) => format!("return {}", self.vault_source(asset)),
            (None, Gives::Nothing) => "return".into(),
        }
    }
}
