//! State: reading and changing cells, vaults, events.
//!
//! A field of the state is a family of cells for each of its leaves; see [`Ty::leaves`].

use super::super::ir::{Span, Value};
use super::super::state::{Cell, Delta};
use super::{EvalError, Lowered, Lowerer, Words};
use crate::ledger::CellId;
use crate::people;
use crate::syntax::ast::BinaryOp;
use crate::types::Ty;
use crate::types::typed::{Aggregate, Expr, ExprKind, Key, Place, Store};

/// A leaf of a place: its cell and its type.
struct Leaf {
    cell: Cell,
    ty: Ty,
}

impl Lowerer<'_> {
    /// What a place holds.
    pub(super) fn load(&mut self, place: &Place, ty: &Ty, span: Span) -> Lowered<Words> {
        let key = self.key(place)?;
        self.load_at(place, &key, ty, span)
    }

    fn load_at(&mut self, place: &Place, key: &[Value], ty: &Ty, span: Span) -> Lowered<Words> {
        let mut words = Vec::new();
        for leaf in self.leaves(place, key, ty)? {
            self.step(leaf.ty.words(), span)?;
            self.b.at(span);
            let held = match self.held(&leaf) {
                Some(held) => held.iter().map(|word| self.constant(*word)).collect(),
                None if self.ledger.snapshot.is_some() => return Err(EvalError::NeedsParam),
                None => self.b.load(leaf.cell, leaf.ty.words() as u16),
            };
            words.extend(held);
        }
        Ok(words)
    }

    /// What the snapshot holds there, if there is one.
    fn held(&self, leaf: &Leaf) -> Option<Vec<u32>> {
        let state = self.ledger.snapshot?;
        let key = leaf.cell.key.iter().map(|word| self.b.as_const(*word));
        let key: Option<Vec<u32>> = key.collect();
        let cell = CellId {
            family: leaf.cell.family,
            key: key?,
        };
        Some(state.get(&cell, leaf.ty.words()))
    }

    fn key(&mut self, place: &Place) -> Lowered<Words> {
        let mut words = Vec::new();
        for key in &place.keys {
            if let Key::Of(key) = key {
                words.extend(self.expr(key)?);
            }
        }
        Ok(words)
    }

    /// The leaves of a place.
    fn leaves(&self, place: &Place, key: &[Value], ty: &Ty) -> Lowered<Vec<Leaf>> {
        let fields = self.ledger.state;
        let def = fields.get(place.field).ok_or(EvalError::NeedsParam)?;
        let end = place.at.saturating_add(ty.words());
        let all = def.ty.leaves().into_iter().zip(def.family..);
        let inside = all.filter(|((at, _), _)| (place.at..end).contains(at));
        let leaf = inside.map(|((_, ty), family)| Leaf {
            cell: Cell {
                family,
                key: key.to_vec(),
            },
            ty: ty.clone(),
        });
        Ok(leaf.collect())
    }

    /// Whether control is here.
    fn here(&mut self) -> Value {
        self.and(self.guard, self.live)
    }

    /// `place op= value`
    pub(super) fn store(&mut self, store: &Store) -> Lowered<()> {
        let right = self.expr(&store.value)?;
        let key = self.key(&store.place)?;
        if let (Some(subtracts), [], Some(bits)) =
            (sum_op(store.op), store.path.as_slice(), store.ty.int_bits())
        {
            let change = Change {
                subtracts,
                bits: bits as u8,
                name: "Overflow",
            };
            return self.change(&store.place, &key, &store.of, right, change, store.span);
        }
        let new = if store.path.is_empty() && store.op.is_none() {
            right
        } else {
            let whole = self.load_at(&store.place, &key, &store.of, store.span)?;
            let change = (store.op, right, &store.ty);
            self.changed(&whole, &store.path, change, store.span)?
        };
        self.write(&store.place, &key, &store.of, new, store.span)
    }

    /// Stores all words of a place.
    fn write(
        &mut self,
        place: &Place,
        key: &[Value],
        ty: &Ty,
        words: Words,
        span: Span,
    ) -> Lowered<()> {
        let when = self.here();
        let mut words = words.into_iter();
        for leaf in self.leaves(place, key, ty)? {
            let value: Words = words.by_ref().take(leaf.ty.words()).collect();
            self.step(value.len(), span)?;
            self.b.at(span);
            self.b.store(when, leaf.cell, value);
        }
        Ok(())
    }

    /// Adds to or subtracts from a place that is one number.
    fn change(
        &mut self,
        place: &Place,
        key: &[Value],
        ty: &Ty,
        amount: Words,
        change: Change,
        span: Span,
    ) -> Lowered<()> {
        let when = self.here();
        if self.is_zero(when) {
            return Ok(());
        }
        let code = self.abort_code(change.name, span)?;
        for leaf in self.leaves(place, key, ty)? {
            self.step(amount.len(), span)?;
            self.b.at(span);
            let delta = Delta {
                when,
                cell: leaf.cell,
                amount: amount.clone(),
                bits: change.bits,
                code,
            };
            match change.subtracts {
                true => self.b.sub(delta),
                false => self.b.add(delta),
            }
        }
        Ok(())
    }

    /// `vault.take(amount)`, or all of it: what was taken.
    pub(super) fn take(&mut self, vault: &Expr, amount: Option<&Expr>) -> Lowered<Words> {
        let amount = match amount {
            Some(amount) => Some(self.expr(amount)?),
            None => None,
        };
        match (&vault.kind, amount) {
            (ExprKind::State(place), Some(amount)) => {
                let key = self.key(place)?;
                let change = Change::vault(true);
                self.change(place, &key, &vault.ty, amount.clone(), change, vault.span)?;
                Ok(amount)
            }
            (ExprKind::State(place), None) => {
                let key = self.key(place)?;
                let held = self.load_at(place, &key, &vault.ty, vault.span)?;
                let nothing = vec![self.zero; held.len()];
                self.write(place, &key, &vault.ty, nothing, vault.span)?;
                Ok(held)
            }
            (ExprKind::Local(n), amount) => {
                let held = self.local(*n);
                let amount = amount.unwrap_or_else(|| held.clone());
                let short = self.less(&held, &amount);
                self.abort_if(short, "Insufficient", vault.span)?;
                self.b.at(vault.span);
                let rest = self.wide_sub(&held, &amount);
                self.set(*n, rest);
                Ok(amount)
            }
            _ => Err(EvalError::NeedsParam),
        }
    }

    /// `vault.put(other)`
    pub(super) fn put(&mut self, vault: &Expr, other: &Expr) -> Lowered<Words> {
        let amount = self.expr(other)?;
        match &vault.kind {
            ExprKind::State(place) => {
                let key = self.key(place)?;
                let change = Change::vault(false);
                self.change(place, &key, &vault.ty, amount, change, vault.span)?;
            }
            ExprKind::Local(n) => {
                let held = self.local(*n);
                let sum = self.binary_words(BinaryOp::Add, &Ty::U64, &held, &amount, vault.span)?;
                self.set(*n, sum);
            }
            _ => return Err(EvalError::NeedsParam),
        }
        Ok(vec![])
    }

    fn local(&self, n: usize) -> Words {
        let words = self.frame.get(n).map(|words| (**words).clone());
        words.unwrap_or_default()
    }

    /// `A.mint(amount)` and `A.burn(vault)`: the asset's supply changes.
    pub(super) fn supply(&mut self, asset: usize, amount: &Expr, burns: bool) -> Lowered<Words> {
        let words = self.expr(amount)?;
        let assets = self.ledger.assets;
        let def = assets.get(asset).ok_or(EvalError::NeedsParam)?;
        let place = Place {
            field: def.supply,
            keys: Vec::new(),
            at: 0,
        };
        let change = Change {
            subtracts: burns,
            bits: 64,
            name: "Overflow",
        };
        self.change(&place, &[], &Ty::U64, words.clone(), change, amount.span)?;
        Ok(if burns { vec![] } else { words })
    }

    /// `emit E { .. }`
    pub(super) fn emit(
        &mut self,
        event: usize,
        fields: &[(usize, Expr)],
        span: Span,
    ) -> Lowered<()> {
        let mut all = Vec::new();
        for (place, field) in fields {
            all.push((*place, self.expr(field)?));
        }
        all.sort_by_key(|(place, _)| *place);
        let words: Words = all.into_iter().flat_map(|(_, words)| words).collect();
        self.step(words.len(), span)?;
        let when = self.here();
        self.b.at(span);
        self.b.emit(when, event as u16, words);
        Ok(())
    }

    /// `sum(map[_])` and `count(map[_])`, of the snapshot.
    pub(super) fn aggregate(&mut self, which: Aggregate, of: &Ty, place: &Place) -> Lowered<Words> {
        let state = self.ledger.snapshot.ok_or(EvalError::NeedsParam)?;
        let wanted = self.key_pattern(place)?;
        let mut total: u128 = 0;
        let mut keys = std::collections::BTreeSet::new();
        for leaf in self.leaves(place, &[], of)? {
            for (key, words) in state.family(leaf.cell.family) {
                let matches = wanted
                    .iter()
                    .zip(key)
                    .all(|(w, k)| w.is_none_or(|w| w == *k));
                if matches {
                    total = total.saturating_add(number(words));
                    keys.insert(key.to_vec());
                }
            }
        }
        let total = match which {
            Aggregate::Sum => total,
            Aggregate::Count => keys.len() as u128,
        };
        let words = if which == Aggregate::Sum { 4 } else { 2 };
        let word = |n: u32| (total >> (32 * n)) as u32;
        Ok((0..words).map(|n| self.constant(word(n))).collect())
    }

    /// The signature of a person of tests; zeros, which are none, of anybody else.
    pub(super) fn sign(&mut self, key: &[Value], message: &[Value]) -> Lowered<Words> {
        let known = |words: &[Value]| -> Option<Vec<u32>> {
            words.iter().map(|word| self.b.as_const(*word)).collect()
        };
        let (Some(key), Some(message)) = (known(key), known(message)) else {
            return Err(EvalError::NeedsParam);
        };
        let signature = people::sign(&key, &message).unwrap_or([0; 16]);
        Ok(signature.map(|word| self.constant(word)).to_vec())
    }

    /// The words of the keys, `None` where any will do.
    fn key_pattern(&mut self, place: &Place) -> Lowered<Vec<Option<u32>>> {
        let fields = self.ledger.state;
        let def = fields.get(place.field).ok_or(EvalError::NeedsParam)?;
        let mut pattern = Vec::new();
        for (key, ty) in place.keys.iter().zip(&def.keys) {
            match key {
                Key::Each => pattern.extend(vec![None; ty.words()]),
                Key::Of(key) => {
                    for word in self.expr(key)? {
                        let known = self.b.as_const(word).ok_or(EvalError::NeedsParam)?;
                        pattern.push(Some(known));
                    }
                }
            }
        }
        Ok(pattern)
    }
}

/// A change of a number in the state.
#[derive(Clone, Copy)]
struct Change {
    subtracts: bool,
    bits: u8,
    /// What it aborts with.
    name: &'static str,
}

impl Change {
    fn vault(subtracts: bool) -> Self {
        Self {
            subtracts,
            bits: 64,
            name: if subtracts {
                "Insufficient"
            } else {
                "Overflow"
            },
        }
    }
}

/// Whether the operator subtracts, if it is `+` or `-`.
fn sum_op(op: Option<BinaryOp>) -> Option<bool> {
    match op? {
        BinaryOp::Add => Some(false),
        BinaryOp::Sub => Some(true),
        _ => None,
    }
}

fn number(words: &[u32]) -> u128 {
    let words = words.iter().rev().take(4);
    words.fold(0, |n, word| (n << 32) | u128::from(*word))
}
