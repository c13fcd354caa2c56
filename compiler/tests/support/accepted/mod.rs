//! Random contracts that the checker accepts by construction: whole, typed, from a seed.
//!
//! Every production keeps track of the names in scope with their types, so that only what is
//! well-typed is ever written; and of the cost of what it writes, loops unrolled and calls
//! inlined, so that no contract is too large. A new construct is a new arm in `expr.rs` or
//! `stmt.rs`, or a new item below. Ledgers are in `ledger.rs` and `moves.rs`.

#![allow(dead_code, missing_docs)]

mod dice;
mod expr;
mod items;
mod ledger;
mod moves;
mod stmt;
mod tree;
mod ty;

pub use dice::Dice;
pub use ledger::VaultPart;
pub use tree::Tree;

use ledger::Ledger;
use serde_json::{Map, Value};
use ty::{Declared, INTS, Ty};

/// How large contracts become.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub structs: usize,
    pub enums: usize,
    pub consts: usize,
    pub functions: usize,
    /// Statements of a function; those within blocks aren't counted.
    pub statements: usize,
    /// The most that one function, or `settle`, costs when lowered, roughly in instructions.
    pub cost: u64,
}

impl Size {
    pub const SMALL: Self = Self {
        structs: 2,
        enums: 2,
        consts: 3,
        functions: 4,
        statements: 6,
        cost: 3_000,
    };
}

/// A generated contract.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub tree: Tree,
    /// Values of the parameters, attestors' keys apart: their shapes follow from their types.
    pub params: Map<String, Value>,
    /// Where vaults are in the state of a ledger.
    pub vaults: Vec<VaultPart>,
}

/// A contract that checks without an error.
pub fn accepted(dice: Dice, size: Size) -> Accepted {
    Writer::new(dice).contract(size)
}

/// A ledger that checks without an error.
pub fn accepted_ledger(dice: Dice, size: Size) -> Accepted {
    Writer::new(dice).ledger(size)
}

#[derive(Clone, Debug)]
struct Var {
    name: String,
    ty: Ty,
    mutable: bool,
}

/// What is known where the next piece of source goes.
struct Writer {
    dice: Dice,
    declared: Declared,
    params: Map<String, Value>,
    /// The same values as a test gives them.
    with: Vec<String>,
    /// Constants and parameters.
    globals: Vec<Var>,
    vars: Vec<Var>,
    returns: Option<Ty>,
    loops: usize,
    /// In a constant: no calls, and nothing that may abort.
    pure: bool,
    cost: u64,
    most: u64,
    /// How often what is written now is unrolled.
    times: u64,
    /// How deep calls may go from here, and went.
    calls_at_most: usize,
    deepest_call: usize,
    names: usize,
    ledger: Ledger,
}

impl Writer {
    fn new(dice: Dice) -> Self {
        Self {
            dice,
            declared: Declared::default(),
            params: Map::new(),
            with: Vec::new(),
            globals: Vec::new(),
            vars: Vec::new(),
            returns: None,
            loops: 0,
            pure: false,
            cost: 0,
            most: 0,
            times: 1,
            calls_at_most: 3,
            deepest_call: 0,
            names: 0,
            ledger: Ledger::default(),
        }
    }

    fn spend(&mut self, cost: u64) {
        self.cost += cost * self.times;
    }

    fn left(&self) -> u64 {
        self.most.saturating_sub(self.cost)
    }

    fn is_spent(&self) -> bool {
        self.left() == 0
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}_{}", self.names)
    }

    fn declare(&mut self, name: &str, ty: &Ty, mutable: bool) {
        let (name, ty) = (name.to_owned(), ty.clone());
        self.vars.push(Var { name, ty, mutable });
    }

    fn bytes_of(&mut self, most: usize) -> Ty {
        match self.dice.percent(30) {
            true => Ty::Bytes(32),
            false => Ty::Bytes(self.dice.range(1, most)),
        }
    }

    /// A type without parts.
    fn plain_type(&mut self) -> Ty {
        match self.dice.below(12) {
            0 | 1 => Ty::Bool,
            2 => Ty::Sats,
            3 => Ty::Hash,
            4 => self.bytes_of(9),
            5 if !self.declared.enums.is_empty() => {
                Ty::Enum(self.dice.below(self.declared.enums.len()))
            }
            _ => self.dice.pick(&INTS),
        }
    }

    /// Any type, nested so deep at most.
    fn some_type(&mut self, depth: usize) -> Ty {
        if depth == 0 {
            return self.plain_type();
        }
        match self.dice.below(10) {
            0 => Ty::Option(Box::new(self.some_type(depth - 1))),
            1 | 2 => Ty::Array(Box::new(self.some_type(depth - 1)), self.dice.range(2, 4)),
            3 => Ty::Tuple(
                (0..self.dice.range(2, 3))
                    .map(|_| self.some_type(depth - 1))
                    .collect(),
            ),
            4 | 5 if !self.declared.structs.is_empty() => {
                Ty::Struct(self.dice.below(self.declared.structs.len()))
            }
            _ => self.plain_type(),
        }
    }

    /// A variable of this type, or a part of one.
    fn place(&mut self, ty: &Ty, to_change: bool) -> Option<String> {
        let mut found = Vec::new();
        self.visible(to_change, &mut |place, of| {
            if of == ty {
                found.push(place.to_owned());
            }
        });
        (!found.is_empty()).then(|| self.dice.pick(&found))
    }

    /// An option that can be named, and the type inside.
    fn any_option(&mut self) -> Option<(String, Ty)> {
        let mut found = Vec::new();
        self.visible(false, &mut |place, of| {
            if let Ty::Option(inner) = of {
                found.push((place.to_owned(), (**inner).clone()));
            }
        });
        (!found.is_empty()).then(|| self.dice.pick(&found))
    }

    /// Calls `f` with every variable that is visible, and the parts of each.
    fn visible(&mut self, to_change: bool, f: &mut dyn FnMut(&str, &Ty)) {
        let state = self.state_places(to_change);
        let declared = std::mem::take(&mut self.declared);
        for n in 0..self.globals.len() + self.vars.len() {
            let var = match n.checked_sub(self.globals.len()) {
                None if to_change => continue,
                None => &self.globals[n],
                Some(n) => {
                    let shadowed = self.vars[n + 1..]
                        .iter()
                        .any(|v| v.name == self.vars[n].name);
                    if shadowed || (to_change && !self.vars[n].mutable) {
                        continue;
                    }
                    &self.vars[n]
                }
            };
            let (name, ty) = (var.name.clone(), var.ty.clone());
            parts(&declared, &mut self.dice, &name, &ty, 3, f);
        }
        for (place, ty) in state {
            parts(&declared, &mut self.dice, &place, &ty, 3, f);
        }
        self.declared = declared;
    }
}

/// Calls `f` with a place and the parts of it: fields, and one element of each array.
fn parts(
    declared: &Declared,
    dice: &mut Dice,
    place: &str,
    ty: &Ty,
    depth: usize,
    f: &mut dyn FnMut(&str, &Ty),
) {
    f(place, ty);
    if depth == 0 {
        return;
    }
    match ty {
        Ty::Array(element, n) => {
            let index = dice.below(*n);
            parts(
                declared,
                dice,
                &format!("{place}[{index}]"),
                element,
                depth - 1,
                f,
            );
        }
        Ty::Tuple(all) => {
            for (n, ty) in all.iter().enumerate() {
                parts(declared, dice, &format!("{place}.{n}"), ty, depth - 1, f);
            }
        }
        Ty::Struct(n) => {
            for (name, ty) in &declared.structs[*n].1 {
                parts(declared, dice, &format!("{place}.{name}"), ty, depth - 1, f);
            }
        }
        _ => {}
    }
}
