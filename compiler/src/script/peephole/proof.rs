//! Proves rules: runs both sides on a stack of symbols and compares all that a script can tell.
//!
//! An item is a term over what lay there before. Terms are kept in a normal form that knows what
//! arithmetic they obey (sums are linear, `GREATERTHAN` is `LESSTHAN` turned round, and so on).
//! Beside the stacks a side has *demands*: items that must be numbers, be true, or be 0 or 1. A
//! side fails exactly if a demand isn't met or items are missing. So two sides with the same
//! stacks, the same demands, and no deeper reach on the right do the same on every stack.

use super::super::code::{Code, Item, number, parse_number};
use super::rules::{Letters, Rule, SMALL, Top};
use std::collections::{BTreeMap, BTreeSet};

/// An item, as what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The item that lay so deep before, 0 on top.
    Below(usize),
    /// The same of the altstack.
    Alt(usize),
    /// Data that is no small number.
    Data(Vec<u8>),
    /// A minimal number.
    Number(i64),
    /// Terms, so many times each, and a number. Never a number alone.
    Sum(BTreeMap<Term, i64>, i64),
    /// What an opcode makes of others.
    Made(Code, Vec<Term>),
}

/// Something without which a side fails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// It is a number of at most 4 bytes.
    IsNumber(Term),
    /// It is true.
    IsTrue(Term),
    /// It is empty or 1, as MINIMALIF wants.
    IsFlag(Term),
}

/// What a side does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    top: Option<Top>,
    main: Vec<Term>,
    alt: Vec<Term>,
    /// Items that it reaches on the stacks of before.
    reach: usize,
    alt_reach: usize,
    demands: BTreeSet<Demand>,
    /// The condition of the `IF` at the end.
    branch: Option<Term>,
    /// Most items above those of before.
    peak: i64,
}

/// Whether a rule is right for these pushes: the right side does what the left does, reaches no
/// deeper and takes no more room than the rule says.
pub fn holds(rule: &Rule, letters: &Letters) -> bool {
    let run = |parts| Effect::of(&Rule::side(parts, letters)?, rule.top);
    match (run(&rule.left), run(&rule.right)) {
        (Some(left), Some(right)) => left.covers(right, i64::from(rule.room)),
        _ => false,
    }
}

impl Effect {
    /// What instructions do; `None` if they hold an opcode that proofs don't know.
    pub fn of(items: &[Item], top: Top) -> Option<Self> {
        let mut effect = Self {
            top: Some(top),
            ..Self::default()
        };
        for (n, item) in items.iter().enumerate() {
            match item {
                Item::Push(data) => effect.push(literal(data)),
                Item::Code(Code::If | Code::NotIf) if n + 1 < items.len() => return None,
                Item::Code(code) => effect.step(*code)?,
                Item::Bad(_) => return None,
            }
            let items = effect.main.len() as i64 - effect.reach as i64;
            let alt = effect.alt.len() as i64 - effect.alt_reach as i64;
            effect.peak = effect.peak.max(items + alt);
        }
        Some(effect)
    }

    /// Whether another effect is the same, from a stack that has all that this one reaches, with
    /// room for so many items more.
    fn covers(&self, mut other: Self, room: i64) -> bool {
        let deeper = other.reach > self.reach || other.alt_reach > self.alt_reach;
        if deeper || other.peak > self.peak + room {
            return false;
        }
        while other.reach < self.reach {
            other.main.insert(0, Term::Below(other.reach));
            other.reach += 1;
        }
        while other.alt_reach < self.alt_reach {
            other.alt.insert(0, Term::Alt(other.alt_reach));
            other.alt_reach += 1;
        }
        other.peak = self.peak;
        *self == other
    }

    /// The stacks from so far down, and the demands: what tells effects apart. `None` if it
    /// reaches deeper.
    pub fn key(&self, reach: usize, alt: usize) -> Option<(Vec<Term>, Vec<Term>, Vec<Demand>)> {
        let main = (self.reach..reach).rev().map(Term::Below);
        let below = (self.alt_reach..alt).rev().map(Term::Alt);
        let fits = self.reach <= reach && self.alt_reach <= alt && self.branch.is_none();
        fits.then(|| {
            (
                main.chain(self.main.iter().cloned()).collect(),
                below.chain(self.alt.iter().cloned()).collect(),
                self.demands.iter().cloned().collect(),
            )
        })
    }

    /// How deep it reaches on the main stack.
    pub fn reach(&self) -> usize {
        self.reach
    }

    fn push(&mut self, term: Term) {
        self.main.push(term);
    }

    fn pop(&mut self) -> Term {
        self.main.pop().unwrap_or_else(|| {
            self.reach += 1;
            Term::Below(self.reach - 1)
        })
    }

    /// Has at least so many items on the stack by name.
    fn want(&mut self, items: usize) {
        while self.main.len() < items {
            self.main.insert(0, Term::Below(self.reach));
            self.reach += 1;
        }
    }

    /// Copies `count` items whose deepest is the `depth`-th from the top.
    fn copy(&mut self, count: usize, depth: usize) {
        self.want(depth);
        let from = self.main.len() - depth;
        self.main.extend_from_within(from..from + count);
    }

    fn rotate(&mut self, items: usize, by: usize) {
        self.want(items);
        let from = self.main.len() - items;
        self.main[from..].rotate_left(by);
    }

    fn step(&mut self, code: Code) -> Option<()> {
        match code {
            Code::Dup => self.copy(1, 1),
            Code::Dup2 => self.copy(2, 2),
            Code::Dup3 => self.copy(3, 3),
            Code::Over => self.copy(1, 2),
            Code::Over2 => self.copy(2, 4),
            Code::Swap => self.rotate(2, 1),
            Code::Rot => self.rotate(3, 1),
            Code::Swap2 => self.rotate(4, 2),
            Code::Rot2 => self.rotate(6, 2),
            Code::Tuck => {
                self.rotate(2, 1);
                self.copy(1, 2);
            }
            Code::Drop => {
                self.pop();
            }
            Code::Drop2 => {
                self.pop();
                self.pop();
            }
            Code::Nip => {
                self.rotate(2, 1);
                self.pop();
            }
            Code::Pick | Code::Roll => {
                let Term::Number(n) = self.pop() else {
                    return None;
                };
                let depth = usize::try_from(n).ok()? + 1;
                match code {
                    Code::Pick => self.copy(1, depth),
                    _ => self.rotate(depth, 1),
                }
            }
            Code::ToAlt => {
                let term = self.pop();
                self.alt.push(term);
            }
            Code::FromAlt => {
                let term = self.alt.pop().unwrap_or_else(|| {
                    self.alt_reach += 1;
                    Term::Alt(self.alt_reach - 1)
                });
                self.push(term);
            }
            Code::If | Code::NotIf => {
                let term = self.pop();
                if !self.is_flag(&term) {
                    self.demands.insert(Demand::IsFlag(term.clone()));
                }
                self.branch = Some(match code {
                    Code::If => term,
                    _ => self.not(term),
                });
            }
            Code::Verify => {
                let term = self.pop();
                self.demands.insert(Demand::IsTrue(term));
            }
            Code::NumEqualVerify | Code::EqualVerify => {
                self.step(match code {
                    Code::EqualVerify => Code::Equal,
                    _ => Code::NumEqual,
                })?;
                self.step(Code::Verify)?;
            }
            _ => return self.arithmetic(code),
        }
        Some(())
    }

    fn arithmetic(&mut self, code: Code) -> Option<()> {
        let (takes, 1) = code.effect() else {
            return None;
        };
        let mut args: Vec<Term> = (0..takes).map(|_| self.pop()).collect();
        args.reverse();
        if code != Code::Equal {
            for arg in &args {
                if !self.is_number(arg) {
                    self.demands.insert(Demand::IsNumber(arg.clone()));
                }
            }
        }
        let made = match (code, args.as_slice()) {
            (Code::Add, [a, b]) => sum(&[(a, 1), (b, 1)], 0),
            (Code::Sub, [a, b]) => sum(&[(a, 1), (b, -1)], 0),
            (Code::Add1, [a]) => sum(&[(a, 1)], 1),
            (Code::Sub1, [a]) => sum(&[(a, 1)], -1),
            (Code::Not, [a]) => self.not(a.clone()),
            (Code::NotEqual0, [a]) => self.truth(a.clone()),
            (Code::NumEqual | Code::NumNotEqual, [a, b]) => {
                self.equal(a.clone(), b.clone(), code == Code::NumEqual)
            }
            (Code::LessThan | Code::LessThanOrEqual, _) => Term::Made(code, args),
            (Code::GreaterThan, _) => turned(Code::LessThan, args),
            (Code::GreaterThanOrEqual, _) => turned(Code::LessThanOrEqual, args),
            (Code::BoolAnd | Code::BoolOr, _) => {
                let args = args.into_iter().map(|arg| self.truth(arg)).collect();
                sorted(code, args)
            }
            (Code::Min | Code::Max | Code::Equal, _) => sorted(code, args),
            _ => return None,
        };
        // A sum that is an item again is that item: its number, where it is known to be one.
        let made = match made {
            Term::Sum(terms, 0) => match terms.iter().next() {
                Some((term, 1)) if terms.len() == 1 && self.is_number(term) => term.clone(),
                _ => Term::Sum(terms, 0),
            },
            made => made,
        };
        self.push(made);
        Some(())
    }

    /// Whether a term is always empty or 1.
    fn is_flag(&self, term: &Term) -> bool {
        match term {
            Term::Below(0) => self.top == Some(Top::Flag),
            Term::Number(n) => matches!(n, 0 | 1),
            Term::Made(code, _) => !matches!(code, Code::Min | Code::Max),
            _ => false,
        }
    }

    /// Whether a term is always a minimal number of at most 4 bytes.
    fn is_number(&self, term: &Term) -> bool {
        self.most(term).is_some_and(|most| most < 1 << 31)
    }

    /// The greatest absolute value of a term, if it is known to be a minimal number.
    fn most(&self, term: &Term) -> Option<i64> {
        match term {
            Term::Below(0) if self.top == Some(Top::Small) => Some(SMALL),
            Term::Number(n) => Some(n.abs()),
            Term::Sum(terms, constant) => terms.iter().try_fold(constant.abs(), |sum, (t, n)| {
                Some(sum + self.most(t)?.checked_mul(n.abs())?)
            }),
            // Its arguments were numbers, or the side has failed.
            Term::Made(Code::Min | Code::Max, _) => Some((1 << 31) - 1),
            _ => self.is_flag(term).then_some(1),
        }
    }

    fn not(&self, term: Term) -> Term {
        match term {
            Term::Made(Code::LessThan, args) => turned(Code::LessThanOrEqual, args),
            Term::Made(Code::LessThanOrEqual, args) => turned(Code::LessThan, args),
            Term::Made(code @ (Code::NumEqual | Code::NumNotEqual), args) => {
                match <[Term; 2]>::try_from(args) {
                    Ok([a, b]) => self.equal(a, b, code == Code::NumNotEqual),
                    Err(args) => Term::Made(code, args),
                }
            }
            term => self.equal(term, Term::Number(0), true),
        }
    }

    fn truth(&self, term: Term) -> Term {
        self.equal(term, Term::Number(0), false)
    }

    fn equal(&self, a: Term, b: Term, equal: bool) -> Term {
        let (term, n) = match (a, b) {
            (Term::Number(a), Term::Number(b)) => {
                return Term::Number(i64::from((a == b) == equal));
            }
            (Term::Number(n), term) | (term, Term::Number(n)) => (term, n),
            (a, b) => return sorted(comparison(equal), vec![a, b]),
        };
        match (self.is_flag(&term), n) {
            (true, 0 | 1) if (n == 1) == equal => term,
            (true, 0 | 1) if has_opposite(&term) => self.not(term),
            (true, 0 | 1) => sorted(Code::NumEqual, vec![term, Term::Number(0)]),
            _ => sorted(comparison(equal), vec![term, Term::Number(n)]),
        }
    }
}

/// Whether [`Effect::not`] makes another comparison of it.
fn has_opposite(term: &Term) -> bool {
    use Code::{LessThan, LessThanOrEqual, NumEqual, NumNotEqual};
    let Term::Made(code, _) = term else {
        return false;
    };
    matches!(code, NumEqual | NumNotEqual | LessThan | LessThanOrEqual)
}

fn comparison(equal: bool) -> Code {
    match equal {
        true => Code::NumEqual,
        false => Code::NumNotEqual,
    }
}

fn literal(data: &[u8]) -> Term {
    match parse_number(data) {
        Some(n) if number(n) == data => Term::Number(n),
        _ => Term::Data(data.to_vec()),
    }
}

/// A sum in its normal form.
fn sum(parts: &[(&Term, i64)], constant: i64) -> Term {
    let mut terms: BTreeMap<Term, i64> = BTreeMap::new();
    let mut constant = constant;
    for (part, times) in parts {
        match part {
            Term::Number(n) => constant += times * n,
            Term::Sum(inner, n) => {
                constant += times * n;
                for (term, inner) in inner {
                    *terms.entry(term.clone()).or_default() += times * inner;
                }
            }
            term => *terms.entry((*term).clone()).or_default() += times,
        }
    }
    terms.retain(|_, times| *times != 0);
    if terms.is_empty() {
        return Term::Number(constant);
    }
    Term::Sum(terms, constant)
}

fn sorted(code: Code, mut args: Vec<Term>) -> Term {
    args.sort();
    Term::Made(code, args)
}

fn turned(code: Code, mut args: Vec<Term>) -> Term {
    args.reverse();
    Term::Made(code, args)
}
