//! Ledgers: what they declare, and whole ones. What their entries do is in `moves.rs`.

use super::tree::{Node, Tree};
use super::ty::{INTS, Ty};
use super::{Accepted, Size, Var, Writer};
use serde_json::json;
use std::collections::BTreeSet;

/// The parameter whose key is in scope everywhere.
pub const ADMIN: &str = "admin";

/// A vault of the state, or one under each key.
#[derive(Clone, Debug)]
pub struct VaultPart {
    pub field: String,
    /// The part of what stands there, such as `.coins`; empty if it is all.
    pub part: String,
    pub asset: String,
}

/// What a ledger declares, and the entry that is written now.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub assets: Vec<String>,
    pub fields: Vec<Field>,
    /// Names and types of their fields.
    pub events: Vec<(String, Vec<(String, Ty)>)>,
    pub changers: Vec<Changer>,
    pub entries: Vec<Entry>,
    pub frame: Frame,
}

/// Ways from what a field holds to its parts, such as `.coins`, and what is there.
type Ways<T> = Vec<(String, T)>;

/// A field of the state.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub keys: Vec<Ty>,
    /// Ways to what can be read and assigned.
    pub plain: Ways<Ty>,
    /// Ways to vaults, with their assets.
    pub vaults: Ways<usize>,
}

/// A function that changes the state.
#[derive(Clone, Debug)]
pub struct Changer {
    pub name: String,
    pub arguments: Vec<Ty>,
    /// The asset of a vault that it takes after these.
    pub takes: Option<usize>,
    pub gives: Gives,
    pub creates: Creates,
    pub cost: u64,
    pub depth: usize,
}

/// What can be called.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    pub arguments: Vec<Ty>,
    /// How many of the last of them sign, and whether `admin` does before them.
    pub signers: usize,
    pub admin: bool,
    /// Whether it takes a signature after these.
    pub said: bool,
}

/// What a function gives back.
#[derive(Clone, Debug, Default)]
pub enum Gives {
    #[default]
    Nothing,
    Value(Ty),
    Vault(usize),
}

/// The assets that something mints and burns.
#[derive(Clone, Debug, Default)]
pub struct Creates {
    pub mints: BTreeSet<usize>,
    pub burns: BTreeSet<usize>,
}

/// What is known within the body that is written now.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Whether it may change the state.
    pub entry: bool,
    pub gives: Gives,
    pub creates: Creates,
    /// Variables that hold a vault, with its asset.
    pub live: Vec<(String, usize)>,
    /// How many of them were there before this block, and before this loop.
    pub block: usize,
    pub round: usize,
    /// Whether the last of them belongs to the block that begins next.
    pub handed: bool,
}

impl Writer {
    /// A whole ledger.
    pub fn ledger(mut self, size: Size) -> Accepted {
        let mut items = vec![self.admin()];
        self.enums(size.enums, &mut items);
        self.errors(&mut items);
        for _ in 0..self.dice.range(0, 3) {
            items.push(self.param());
        }
        for _ in 0..size.structs {
            items.push(self.struct_item());
        }
        for _ in 0..size.consts {
            items.push(self.const_item());
        }
        self.assets(&mut items);
        self.state(&mut items);
        for _ in 0..self.dice.range(1, 3) {
            items.push(self.event());
        }
        for _ in 0..size.functions {
            let node = match self.dice.percent(50) {
                true => self.function(size),
                false => self.changer(size),
            };
            items.push(node);
        }
        for _ in 0..self.dice.range(1, 4) {
            items.push(self.entry(size));
        }
        items.push(self.invariant());
        items.push(self.calls());
        let vaults = self.vault_parts();
        Accepted {
            tree: Tree(vec![Node::block("contract Generated", items)]),
            params: self.params,
            vaults,
        }
    }

    fn admin(&mut self) -> Node {
        self.params.insert(ADMIN.into(), json!("11".repeat(32)));
        self.globals.push(Var {
            name: ADMIN.into(),
            ty: Ty::Pubkey,
            mutable: false,
        });
        Node::Line(format!("param {ADMIN}: pubkey"))
    }

    /// Assets, and functions that vaults of them go through.
    fn assets(&mut self, items: &mut Vec<Node>) {
        for _ in 0..self.dice.range(1, 2) {
            let name = self.fresh("Coin");
            let vault = format!("vault<{name}>");
            items.push(Node::Line(format!("asset {name}")));
            let pass = format!("fn pass_{name}(v: {vault}) -> {vault}");
            items.push(Node::block(pass, vec![Node::Line("v".into())]));
            let split = format!("fn split_{name}(v: {vault}, most: u64) -> ({vault}, {vault})");
            let lines = [
                "let mut v = v",
                "if v.amount < most { return (v.take_all(), v) }",
                "let other = v.take(most)",
                "(v, other)",
            ];
            let lines = lines.map(|line| Node::Line(line.into()));
            items.push(Node::block(split, lines.into()));
            self.ledger.assets.push(name);
        }
    }

    /// The state: vaults of every asset, and values.
    fn state(&mut self, items: &mut Vec<Node>) {
        let mut lines = vec![Node::Line("since: height".into())];
        for asset in 0..self.ledger.assets.len() {
            let vault = format!("vault<{}>", self.ledger.assets[asset]);
            lines.push(self.field("pool", &vault, 0, (vec![], vec![("".into(), asset)])));
            let keys = self.dice.range(1, 2);
            lines.push(self.field("wallet", &vault, keys, (vec![], vec![("".into(), asset)])));
            if self.dice.percent(50) {
                let (name, ty) = (self.fresh("Chest"), self.some_type(1));
                let shown = self.declared.show(&ty);
                items.push(Node::Line(format!(
                    "struct {name} {{ of: {shown}, coins: {vault} }}"
                )));
                let parts = (vec![(".of".into(), ty)], vec![(".coins".into(), asset)]);
                let keys = self.dice.below(3);
                lines.push(self.field("chest", &name, keys, parts));
            }
        }
        for _ in 0..self.dice.range(2, 6) {
            let ty = match self.dice.percent(50) {
                true => self.dice.pick(&INTS),
                false => self.some_type(2),
            };
            let shown = self.declared.show(&ty);
            let keys = self.dice.below(3);
            lines.push(self.field("cell", &shown, keys, (vec![("".into(), ty)], vec![])));
        }
        items.push(Node::block("state", lines));
    }

    fn field(
        &mut self,
        stem: &str,
        shown: &str,
        keys: usize,
        (plain, vaults): (Ways<Ty>, Ways<usize>),
    ) -> Node {
        let name = self.fresh(stem);
        let keys: Vec<Ty> = (0..keys).map(|_| self.key_type()).collect();
        let shown = keys.iter().rev().fold(shown.to_owned(), |value, key| {
            format!("map<{}, {value}>", self.declared.show(key))
        });
        let line = Node::Line(format!("{name}: {shown}"));
        self.ledger.fields.push(Field {
            name,
            keys,
            plain,
            vaults,
        });
        line
    }

    fn key_type(&mut self) -> Ty {
        match self.dice.below(8) {
            0 | 1 => Ty::Pubkey,
            2 => Ty::Bool,
            3 => Ty::Enum(self.dice.below(self.declared.enums.len())),
            4 => Ty::Tuple(vec![self.dice.pick(&INTS), Ty::Pubkey]),
            _ => self.dice.pick(&INTS),
        }
    }

    fn event(&mut self) -> Node {
        let name = self.fresh("Told");
        let fields: Vec<(String, Ty)> = (0..self.dice.range(1, 3))
            .map(|_| (self.fresh("field"), self.some_type(1)))
            .collect();
        let show = |(name, ty): &(String, Ty)| format!("{name}: {}", self.declared.show(ty));
        let shown: Vec<String> = fields.iter().map(show).collect();
        let line = format!("event {name} {{ {} }}", shown.join(", "));
        self.ledger.events.push((name, fields));
        Node::Line(line)
    }

    /// Arguments as they are written, and their types.
    fn drawn_arguments(&mut self, count: usize) -> (Vec<String>, Vec<Ty>) {
        let mut shown = Vec::new();
        let mut types = Vec::new();
        for _ in 0..count {
            let ty = match self.dice.percent(50) {
                true => self.key_type(),
                false => self.some_type(1),
            };
            let name = self.fresh("x");
            self.declare(&name, &ty, false);
            shown.push(format!("{name}: {}", self.declared.show(&ty)));
            types.push(ty);
        }
        (shown, types)
    }

    fn changer(&mut self, size: Size) -> Node {
        let name = self.fresh("change");
        self.start(size.cost / 3);
        self.ledger.frame.entry = true;
        let count = self.dice.below(3);
        let (mut shown, arguments) = self.drawn_arguments(count);
        let mut body = Vec::new();
        let takes = self.dice.percent(30).then(|| self.some_asset());
        if let Some(asset) = takes {
            shown.push(format!("given: vault<{}>", self.ledger.assets[asset]));
            body.push(Node::Line("let mut given = given".into()));
            self.ledger.frame.live.push(("given".into(), asset));
        }
        let gives = match self.dice.below(3) {
            0 => Gives::Nothing,
            1 => Gives::Value(self.some_type(1)),
            _ => Gives::Vault(self.some_asset()),
        };
        self.ledger.frame.gives = gives.clone();
        let arrow = match &gives {
            Gives::Nothing => String::new(),
            Gives::Value(ty) => format!(" -> {}", self.declared.show(ty)),
            Gives::Vault(asset) => format!(" -> vault<{}>", self.ledger.assets[*asset]),
        };
        body.extend(self.statements(size.statements, 3));
        match &gives {
            Gives::Nothing => {}
            Gives::Value(ty) => body.push(Node::Line(self.hinted(ty, 2))),
            Gives::Vault(asset) => body.push(Node::Line(self.vault_source(*asset))),
        }
        let creates = self.ledger.frame.creates.clone();
        let clauses = self.clauses(&creates);
        let head = format!("fn {name}({}){arrow} changes{clauses}", shown.join(", "));
        self.ledger.changers.push(Changer {
            name,
            arguments,
            takes,
            gives,
            creates,
            cost: self.cost,
            depth: self.deepest_call,
        });
        Node::block(head, body)
    }

    fn entry(&mut self, size: Size) -> Node {
        let name = self.fresh("entry");
        self.start(size.cost);
        self.ledger.frame.entry = true;
        let count = self.dice.below(4);
        let (mut shown, mut arguments) = self.drawn_arguments(count);
        let (signers, admin) = (self.dice.below(3), self.dice.percent(20));
        let mut names = vec![ADMIN.to_owned(); usize::from(admin)];
        for _ in 0..signers {
            let who = self.fresh("who");
            self.declare(&who, &Ty::Pubkey, false);
            shown.push(format!("{who}: pubkey"));
            arguments.push(Ty::Pubkey);
            names.push(who);
        }
        let signed = match names.is_empty() {
            true => String::new(),
            false => format!(" signed by {}", names.join(", ")),
        };
        let mut body = Vec::new();
        let said = self.dice.percent(10);
        if said {
            shown.push("said: signature".into());
            let what = self.closed(&Ty::Hash, 1).head();
            let head = format!("if verify({ADMIN}, {what}, said)");
            body.push(Node::block(head, self.inner(1)));
        }
        body.extend(self.statements(size.statements, 3));
        let creates = self.ledger.frame.creates.clone();
        let clauses = self.clauses(&creates);
        self.ledger.entries.push(Entry {
            name: name.clone(),
            arguments,
            signers,
            admin,
            said,
        });
        let head = format!("entry {name}({}){signed}{clauses}", shown.join(", "));
        Node::block(head, body)
    }

    /// What holds because vaults do, or because no test makes so many calls.
    fn invariant(&mut self) -> Node {
        let mut all = Vec::new();
        for field in self.ledger.fields.iter().filter(|f| !f.keys.is_empty()) {
            let at = format!("{}{}", field.name, "[_]".repeat(field.keys.len()));
            for (part, asset) in &field.vaults {
                let asset = &self.ledger.assets[*asset];
                all.push(format!("sum({at}{part}) <= {asset}.supply as u128"));
            }
            all.push(format!("count({at}) < 1_000_000"));
        }
        let all = self.dice.pick(&all);
        Node::Line(format!("invariant {all}"))
    }

    /// A test that calls the entries, whatever they do.
    fn calls(&mut self) -> Node {
        self.start(u64::MAX);
        self.pure = true;
        let mut with = vec![format!("{ADMIN} = ALICE")];
        with.append(&mut self.with);
        for field in self.ledger.fields.clone() {
            let at = self.under_keys(&field.name, &field.keys);
            let at = at.replace(ADMIN, "ALICE");
            for (part, _) in field.vaults {
                with.push(format!("{at}{part} = {}", self.dice.below(1_000)));
            }
        }
        let mut lines = vec![Node::Line(format!("with {}", with.join(", ")))];
        for n in 0..self.dice.range(1, 3) {
            let entry = self.dice.pick(&self.ledger.entries.clone());
            let call = self.test_call(&entry);
            lines.push(Node::Line(format!("try call {call} at {}", 10 * n)));
        }
        lines.push(Node::Line("assert since < 100".into()));
        Node::block("test \"calls\"", lines)
    }

    fn test_call(&mut self, entry: &Entry) -> String {
        let mut arguments = Vec::new();
        for ty in &entry.arguments {
            arguments.push(match ty {
                Ty::Pubkey => self.dice.pick(&["ALICE", "BOB", "CAROL"]).to_owned(),
                ty => self.literal(ty, true).text.replace(ADMIN, "ALICE"),
            });
        }
        let mut keys = vec!["ALICE".to_owned(); usize::from(entry.admin)];
        keys.extend_from_slice(&arguments[arguments.len() - entry.signers..]);
        if entry.said {
            arguments.push("sign(ALICE, sha256(b\"x\"))".into());
        }
        let call = format!("{}({})", entry.name, arguments.join(", "));
        match keys.is_empty() {
            true => call,
            false => format!("{call} as {}", keys.join(", ")),
        }
    }

    /// ` mints A burns B`
    fn clauses(&self, creates: &Creates) -> String {
        let clause = |word: &str, assets: &BTreeSet<usize>| {
            let names: Vec<&str> = assets.iter().map(|n| &*self.ledger.assets[*n]).collect();
            match names.is_empty() {
                true => String::new(),
                false => format!(" {word} {}", names.join(", ")),
            }
        };
        clause("mints", &creates.mints) + &clause("burns", &creates.burns)
    }

    pub fn some_asset(&mut self) -> usize {
        self.dice.below(self.ledger.assets.len())
    }

    fn vault_parts(&self) -> Vec<VaultPart> {
        let fields = self.ledger.fields.iter();
        let parts = fields.flat_map(|field| {
            field.vaults.iter().map(|(part, asset)| VaultPart {
                field: field.name.clone(),
                part: part.clone(),
                asset: self.ledger.assets[*asset].clone(),
            })
        });
        parts.collect()
    }
}
