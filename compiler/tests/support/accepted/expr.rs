//! Expressions of a wanted type.
//!
//! An expression is *closed* if it has its type by itself, and else *hinted*: it stands where
//! the checker knows the type, so literals and `None` need none.

use super::Writer;
use super::ledger::ADMIN;
use super::ty::{INTS, Ty};

/// An expression and how tightly it binds.
pub struct Text {
    pub text: String,
    level: u8,
}

/// Levels beyond the operators' precedences, 1 to 9. What ends in a block binds least.
const BLOCK: u8 = 0;
const AS: u8 = 10;
const UNARY: u8 = 11;
const POSTFIX: u8 = 12;
const PRIMARY: u8 = 13;

impl Text {
    fn new(text: impl Into<String>, level: u8) -> Self {
        let text = text.into();
        Self { text, level }
    }

    /// In brackets unless it binds at least this tightly.
    pub fn at(self, level: u8) -> String {
        match self.level >= level {
            true => self.text,
            false => format!("({})", self.text),
        }
    }

    /// As the head of a block, where no `{` may stand outside of brackets.
    pub fn head(self) -> String {
        match self.text.contains('{') {
            true => format!("({})", self.text),
            false => self.text,
        }
    }
}

impl Writer {
    /// An expression that has this type by itself.
    pub fn closed(&mut self, ty: &Ty, depth: usize) -> Text {
        self.expr(ty, depth, false)
    }

    /// An expression for a place where this type is expected.
    pub fn hinted(&mut self, ty: &Ty, depth: usize) -> String {
        let narrower: Vec<Ty> = INTS
            .iter()
            .filter(|t| t.bits() < ty.bits())
            .cloned()
            .collect();
        if ty.is_int() && !narrower.is_empty() && self.dice.percent(8) {
            let ty = self.dice.pick(&narrower);
            return self.closed(&ty, depth).text;
        }
        self.expr(ty, depth, true).text
    }

    fn expr(&mut self, ty: &Ty, depth: usize, hinted: bool) -> Text {
        self.spend(1 + self.declared.words(ty));
        let depth = if self.is_spent() { 0 } else { depth };
        let text = match depth {
            0 => self.leaf(ty, hinted),
            _ => match self.dice.below(12) {
                0 | 1 => self.leaf(ty, hinted),
                2 if !self.pure => self.branch(ty, depth - 1, hinted),
                3 if !self.pure => self
                    .call(ty, depth - 1)
                    .unwrap_or_else(|| self.leaf(ty, hinted)),
                4 if !self.pure => self
                    .unwrapped(ty, depth - 1)
                    .unwrap_or_else(|| self.leaf(ty, hinted)),
                _ => self.compound(ty, depth - 1, hinted),
            },
        };
        match self.dice.percent(3) {
            true => Text::new(format!("({})", text.text), PRIMARY),
            false => text,
        }
    }

    /// A variable or part of one, or else a literal.
    fn leaf(&mut self, ty: &Ty, hinted: bool) -> Text {
        if self.dice.percent(70)
            && let Some(place) = self.place(ty, false)
        {
            return Text::new(place, POSTFIX);
        }
        self.literal(ty, hinted)
    }

    pub fn literal(&mut self, ty: &Ty, hinted: bool) -> Text {
        match ty {
            Ty::Bool => Text::new(self.dice.pick(&["true", "false"]), PRIMARY),
            Ty::Sats => Text::new(format!("{} sats", self.dice.below(1_000_000)), PRIMARY),
            Ty::U8 | Ty::U32 | Ty::U64 | Ty::U128 => {
                let number = self.number(ty);
                match hinted {
                    true => Text::new(number, PRIMARY),
                    false => Text::new(format!("{number} as {}", self.declared.show(ty)), AS),
                }
            }
            Ty::Hash => Text::new(format!("hash({})", self.bytes_literal(32)), PRIMARY),
            Ty::Pubkey => Text::new(ADMIN, PRIMARY),
            Ty::Bytes(n) => Text::new(self.bytes_literal(*n), PRIMARY),
            Ty::Enum(n) => {
                let (name, variants) = self.declared.enums[*n].clone();
                let variant = self.dice.pick(&variants);
                match self.dice.percent(40) {
                    true => Text::new(format!("{name}::{variant}"), PRIMARY),
                    false => Text::new(variant, PRIMARY),
                }
            }
            Ty::Option(_) if hinted && self.dice.percent(50) => Text::new("None", PRIMARY),
            _ => self.compound(ty, 0, hinted),
        }
    }

    /// A number that fits the type; small ones are likelier.
    pub fn number(&mut self, ty: &Ty) -> String {
        let most = u64::MAX >> (64 - ty.bits().min(64));
        let n = match self.dice.below(6) {
            0 => most,
            1 => self.dice.word() & most,
            2 => self.dice.below(256) as u64,
            _ => self.dice.below(10) as u64,
        };
        match self.dice.below(6) {
            0 => format!("{n:#x}"),
            1 if n < 256 => format!("{n:#b}"),
            2 if n > 9_999 => format!("{}_{:03}", n / 1_000, n % 1_000),
            _ => n.to_string(),
        }
    }

    fn bytes_literal(&mut self, n: usize) -> String {
        if self.dice.percent(50) {
            let letter = |w: &mut Self| char::from(b'a' + w.dice.below(26) as u8);
            let text: String = (0..n).map(|_| letter(self)).collect();
            return format!("b\"{text}\"");
        }
        let byte = |w: &mut Self| format!("{:02x}", w.dice.below(256));
        let text: String = (0..n).map(|_| byte(self)).collect();
        format!("hex\"{text}\"")
    }

    fn compound(&mut self, ty: &Ty, depth: usize, hinted: bool) -> Text {
        match ty {
            Ty::Bool => self.condition(depth),
            Ty::U8 | Ty::U32 | Ty::U64 | Ty::U128 => self.int(ty, depth),
            Ty::Sats => self.amount(depth),
            Ty::Hash => self.hash(depth),
            Ty::Bytes(n) => self.bytes(*n, depth),
            Ty::Enum(_) | Ty::Pubkey => self.leaf(ty, hinted),
            Ty::Array(element, n) => {
                if self.dice.percent(30) {
                    let one = self.either(element, depth, hinted);
                    return Text::new(format!("[{one}; {n}]"), PRIMARY);
                }
                let all: Vec<String> = (0..*n)
                    .map(|_| self.either(element, depth, hinted))
                    .collect();
                Text::new(format!("[{}]", all.join(", ")), PRIMARY)
            }
            Ty::Option(inner) => {
                let inner = self.either(inner, depth, hinted);
                Text::new(format!("Some({inner})"), PRIMARY)
            }
            Ty::Tuple(all) => {
                let all: Vec<String> = all
                    .iter()
                    .map(|ty| self.either(ty, depth, hinted))
                    .collect();
                Text::new(format!("({})", all.join(", ")), PRIMARY)
            }
            Ty::Struct(n) => {
                let (name, mut fields) = self.declared.structs[*n].clone();
                if self.dice.percent(30) {
                    fields.reverse();
                }
                let field =
                    |(name, ty): &(String, Ty)| format!("{name}: {}", self.hinted(ty, depth));
                let fields: Vec<String> = fields.iter().map(field).collect();
                Text::new(format!("{name} {{ {} }}", fields.join(", ")), PRIMARY)
            }
        }
    }

    /// A part of something that is itself closed or hinted.
    fn either(&mut self, ty: &Ty, depth: usize, hinted: bool) -> String {
        match hinted {
            true => self.hinted(ty, depth),
            false => self.closed(ty, depth).text,
        }
    }

    fn binary(&mut self, op: &str, level: u8, ty: &Ty, depth: usize) -> Text {
        // Comparisons don't chain.
        let first = if level == 3 { 4 } else { level };
        let left = self.closed(ty, depth).at(first);
        let right = self.expr(ty, depth, true).at(level + 1);
        Text::new(format!("{left} {op} {right}"), level)
    }

    fn condition(&mut self, depth: usize) -> Text {
        let compared = match self.dice.below(3) {
            0 => Ty::Sats,
            _ => self.dice.pick(&INTS),
        };
        match self.dice.below(9) {
            0 => self.binary("&&", 2, &Ty::Bool, depth),
            1 => self.binary("||", 1, &Ty::Bool, depth),
            2 => {
                let inner = self.closed(&Ty::Bool, depth).at(UNARY);
                Text::new(format!("!{inner}"), UNARY)
            }
            3 => {
                let (op, level) = self.dice.pick(&[("&", 6), ("|", 4), ("^", 5)]);
                self.binary(op, level, &Ty::Bool, depth)
            }
            4 => {
                let ty = self.some_type(1);
                let op = self.dice.pick(&["==", "!="]);
                self.binary(op, 3, &ty, depth)
            }
            5 if !self.pure => match self.any_option() {
                Some((place, _)) => {
                    let method = self.dice.pick(&["is_some", "is_none"]);
                    Text::new(format!("{place}.{method}()"), POSTFIX)
                }
                None => self.leaf(&Ty::Bool, false),
            },
            _ => {
                let op = self.dice.pick(&["<", "<=", ">", ">=", "==", "!="]);
                self.binary(op, 3, &compared, depth)
            }
        }
    }

    /// A number that is small at run time, so that sums and products of it rarely abort.
    pub fn tame(&mut self, ty: &Ty, depth: usize) -> String {
        let of = self.closed(ty, depth);
        match self.dice.below(2) {
            0 => format!(
                "({} & {})",
                of.at(6),
                self.dice.pick(&["7", "15", "3", "0xf"])
            ),
            _ => format!("({} % {})", of.at(9), self.dice.range(1, 15)),
        }
    }

    fn int(&mut self, ty: &Ty, depth: usize) -> Text {
        self.spend(2 * self.declared.words(ty));
        let choice = if self.pure {
            self.dice.below(4)
        } else {
            self.dice.below(14)
        };
        match choice {
            0 | 1 => {
                let (op, level) = self.dice.pick(&[("&", 6), ("|", 4), ("^", 5)]);
                self.binary(op, level, ty, depth)
            }
            2 => {
                let name = self.dice.pick(&["min", "max"]);
                let (left, right) = (self.closed(ty, depth).text, self.expr(ty, depth, true).text);
                Text::new(format!("{name}({left}, {right})"), PRIMARY)
            }
            3 => {
                let inner = self.closed(ty, depth).at(UNARY);
                Text::new(format!("!{inner}"), UNARY)
            }
            4 => {
                let left = self.closed(ty, depth).at(7);
                let op = self.dice.pick(&["<<", ">>"]);
                let by = match self.dice.percent(70) {
                    true => self.dice.below(ty.bits() as usize).to_string(),
                    false => format!("({} % {})", self.closed(&Ty::U32, 0).at(9), ty.bits()),
                };
                self.spend(8 * self.declared.words(ty));
                Text::new(format!("{left} {op} {by}"), 7)
            }
            5 => self.converted(ty, depth),
            6 => self.specific(ty, depth),
            7 => {
                let (op, level) = self.dice.pick(&[("+", 8), ("-", 8), ("*", 9)]);
                self.spend(if op == "*" { 60 } else { 0 });
                self.binary(op, level, ty, depth)
            }
            8 if self.affords(ty) => {
                let op = self.dice.pick(&["/", "%"]);
                self.binary(op, 9, ty, depth)
            }
            9 => {
                let number = self.number(ty);
                let right = self.closed(ty, depth).at(9);
                Text::new(format!("{number} ^ {right}"), 5)
            }
            10 => {
                // Not below zero: the left side is made larger first.
                let (left, right) = (self.tame(ty, depth), self.tame(ty, depth));
                Text::new(format!("16 + {left} - {right}"), 8)
            }
            _ => {
                let (op, level) = self.dice.pick(&[("+", 8), ("*", 9)]);
                let (left, right) = (self.tame(ty, depth), self.tame(ty, depth));
                Text::new(format!("{left} {op} {right}"), level)
            }
        }
    }

    /// Pays for a division, if there is enough left.
    fn affords(&mut self, ty: &Ty) -> bool {
        let cost = 16 * u64::from(ty.bits()) * self.declared.words(ty);
        let affords = self.left() > cost * self.times;
        if affords {
            self.spend(cost);
        }
        affords
    }

    fn converted(&mut self, ty: &Ty, depth: usize) -> Text {
        let from = match self.dice.below(6) {
            0 => Ty::Bool,
            1 if !self.declared.enums.is_empty() => {
                Ty::Enum(self.dice.below(self.declared.enums.len()))
            }
            2 if ty.bits() >= 64 => Ty::Sats,
            _ => self.dice.pick(&INTS),
        };
        let inner = match from.is_int() && from.bits() > ty.bits() && self.dice.percent(80) {
            true => self.tame(&from, depth),
            false => self.closed(&from, depth).at(AS),
        };
        Text::new(format!("{inner} as {}", self.declared.show(ty)), AS)
    }

    /// What only some integers have.
    fn specific(&mut self, ty: &Ty, depth: usize) -> Text {
        match ty {
            Ty::U8 => match self.place(&Ty::Hash, false) {
                Some(place) => Text::new(format!("{place}[{}]", self.dice.below(32)), POSTFIX),
                None => self.leaf(ty, false),
            },
            Ty::U32 => {
                let of = self.bytes_of(3);
                let place = self.place(&of, false);
                place.map_or_else(
                    || self.leaf(ty, false),
                    |p| Text::new(format!("{p}.len()"), POSTFIX),
                )
            }
            Ty::U64 if self.affords(&Ty::U64) => {
                let [a, b] = [0; 2].map(|_| self.tame(&Ty::U64, depth));
                let by = self.dice.range(1, 1_000);
                Text::new(format!("mul_div({a}, {b}, {by})"), PRIMARY)
            }
            Ty::U128 => {
                self.spend(60);
                let (a, b) = (self.hinted(&Ty::U64, depth), self.hinted(&Ty::U64, depth));
                Text::new(format!("wide_mul({a}, {b})"), PRIMARY)
            }
            _ => self.leaf(ty, false),
        }
    }

    fn amount(&mut self, depth: usize) -> Text {
        match self.dice.below(if self.pure { 1 } else { 5 }) {
            0 => {
                let name = self.dice.pick(&["min", "max"]);
                let (a, b) = (
                    self.closed(&Ty::Sats, depth).text,
                    self.closed(&Ty::Sats, depth).text,
                );
                Text::new(format!("{name}({a}, {b})"), PRIMARY)
            }
            1 => {
                let (a, b) = (
                    self.closed(&Ty::Sats, depth).at(8),
                    self.closed(&Ty::Sats, depth).at(9),
                );
                let op = self.dice.pick(&["+", "-"]);
                Text::new(format!("{a} {op} {b}"), 8)
            }
            2 => {
                self.spend(60);
                let (a, by) = (
                    self.closed(&Ty::Sats, depth).at(9),
                    self.tame(&Ty::U32, depth),
                );
                Text::new(format!("{a} * {by}"), 9)
            }
            3 => Text::new(format!("{} as sats", self.tame(&Ty::U64, depth)), AS),
            _ if self.affords(&Ty::U64) => {
                let a = self.closed(&Ty::Sats, depth).at(9);
                Text::new(format!("{a} / {}", self.dice.range(1, 9)), 9)
            }
            _ => self.leaf(&Ty::Sats, false),
        }
    }

    /// Something that a hash function takes.
    fn hashable(&mut self, depth: usize) -> String {
        let ty = match self.dice.below(4) {
            0 => self.dice.pick(&INTS),
            1 => Ty::Hash,
            _ => self.bytes_of(12),
        };
        self.closed(&ty, depth).text
    }

    fn hash(&mut self, depth: usize) -> Text {
        let compressions = 700 * self.times;
        if self.pure || self.left() < compressions {
            return self.leaf(&Ty::Hash, false);
        }
        self.spend(350);
        let text = match self.dice.below(4) {
            0 => format!("blake3({})", self.hashable(depth)),
            1 => format!(
                "tag_hash({}, {})",
                self.bytes_literal(4),
                self.hashable(depth)
            ),
            2 => format!("hash({})", self.closed(&Ty::Bytes(32), depth).text),
            _ => format!("sha256({})", self.hashable(depth)),
        };
        Text::new(text, PRIMARY)
    }

    fn bytes(&mut self, n: usize, depth: usize) -> Text {
        let text = match self.dice.below(3) {
            0 if n == 32 => format!("bytes({})", self.closed(&Ty::Hash, depth).text),
            1 if n == 32 => format!("pad32({})", self.hashable(depth)),
            0 | 1 if n > 1 => {
                let first = self.dice.range(1, n - 1);
                let a = match first {
                    1 => self.closed(&Ty::U8, depth).text,
                    4 => self.closed(&Ty::U32, depth).text,
                    8 => self.closed(&Ty::U64, depth).text,
                    _ => self.closed(&Ty::Bytes(first), depth).text,
                };
                format!(
                    "concat({a}, {})",
                    self.closed(&Ty::Bytes(n - first), depth).text
                )
            }
            _ => return self.leaf(&Ty::Bytes(n), false),
        };
        Text::new(text, PRIMARY)
    }

    /// `if`, `match` or a block with a value.
    fn branch(&mut self, ty: &Ty, depth: usize, hinted: bool) -> Text {
        let value = |w: &mut Self| match hinted {
            true => w.expr(ty, depth, true).text,
            false => w.closed(ty, depth).text,
        };
        let text = match self.dice.below(4) {
            0 => match self.any_option() {
                Some((place, inner)) => {
                    let name = self.fresh("opened");
                    let outside = self.vars.len();
                    self.declare(&name, &inner, false);
                    let some = value(self);
                    self.vars.truncate(outside);
                    format!(
                        "match {place} {{ Some({name}) => {some}, None => {} }}",
                        value(self)
                    )
                }
                None => return self.leaf(ty, hinted),
            },
            1 => {
                let (head, patterns) = self.matched(depth);
                let arms = patterns
                    .into_iter()
                    .map(|p| format!("{p} => {}", value(self)));
                let arms: Vec<String> = arms.collect();
                format!("match {head} {{ {} }}", arms.join(", "))
            }
            2 => format!("{{ {} }}", value(self)),
            _ => {
                let condition = self.closed(&Ty::Bool, depth).head();
                let (then, otherwise) = (value(self), value(self));
                format!("if {condition} {{ {then} }} else {{ {otherwise} }}")
            }
        };
        Text::new(text, BLOCK)
    }

    /// What a `match` looks at, and patterns that cover it.
    pub fn matched(&mut self, depth: usize) -> (String, Vec<String>) {
        let mut patterns: Vec<String>;
        let ty = match self.dice.below(3) {
            0 if !self.declared.enums.is_empty() => {
                let e = self.dice.below(self.declared.enums.len());
                patterns = self.declared.enums[e].1.clone();
                if self.dice.percent(40) {
                    patterns.truncate(patterns.len() / 2);
                    patterns.push("_".into());
                }
                Ty::Enum(e)
            }
            1 => {
                patterns = vec!["true".into(), "false".into()];
                Ty::Bool
            }
            _ => {
                let ty = self.dice.pick(&INTS);
                patterns = (0..self.dice.range(1, 3))
                    .map(|_| self.number(&ty))
                    .collect();
                patterns.push("_".into());
                ty
            }
        };
        (self.closed(&ty, depth).head(), patterns)
    }

    fn call(&mut self, ty: &Ty, depth: usize) -> Option<Text> {
        let left = self.left() / self.times.max(1);
        let level = self.calls_at_most;
        let fits = self
            .declared
            .fns
            .iter()
            .enumerate()
            .filter(|(_, f)| f.returns == *ty && f.cost < left && f.depth < level);
        let fits: Vec<usize> = fits.map(|(n, _)| n).collect();
        if fits.is_empty() {
            return None;
        }
        let f = self.declared.fns[self.dice.pick(&fits)].clone();
        self.spend(f.cost);
        self.deepest_call = self.deepest_call.max(f.depth + 1);
        let arguments: Vec<String> = f
            .arguments
            .iter()
            .map(|ty| self.hinted(ty, depth))
            .collect();
        Some(Text::new(
            format!("{}({})", f.name, arguments.join(", ")),
            PRIMARY,
        ))
    }

    /// `option.unwrap_or(..)`, or a part of an array by an index that isn't constant.
    fn unwrapped(&mut self, ty: &Ty, depth: usize) -> Option<Text> {
        if let Some(place) = self.place(&Ty::Option(Box::new(ty.clone())), false) {
            let other = self.hinted(ty, depth);
            return Some(Text::new(format!("{place}.unwrap_or({other})"), POSTFIX));
        }
        let n = self.dice.range(2, 4);
        let place = self.place(&Ty::Array(Box::new(ty.clone()), n), false)?;
        let index = self.dice.pick(&INTS);
        self.spend(2 * n as u64 * self.declared.words(ty));
        let index = self.closed(&index, 0).at(9);
        Some(Text::new(format!("{place}[{index} % {n}]"), POSTFIX))
    }
}
