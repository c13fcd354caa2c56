//! One test of a ledger, and how a case of it goes: the first state, then its lines in order.
//!
//! After each call all invariants are checked, and that the vaults of each asset hold together
//! what its supply says.

use super::{Ran, Step, TestFailure, show};
use crate::front::bind;
use crate::ledger::{CellId, Event, State, execute};
use crate::syntax::ast::BinaryOp;
use crate::types::typed::{
    ConstDef, Contract, EntryDef, Expr, ExprKind, Key, Place, Signer, TestCall, TestDef, TestLine,
};
use crate::types::{self, Ty};
use crate::word::lower::{Constants, evaluate_on, lower_entry_to};
use crate::word::{Builder, Routine, Span};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The abort of a call that lacks a signature, in tests; see
/// [`LEDGER_ABORTS`](crate::word::ir::LEDGER_ABORTS).
const NOT_SIGNED: &str = "NotSigned";

/// The abort of an `assert`.
const ASSERT_FAILED: &str = "AssertFailed";

/// A test of a ledger.
#[derive(Debug)]
pub(super) struct LedgerTrial<'a> {
    contract: &'a Contract,
    test: &'a TestDef,
    /// Entries lowered before, with the parameters that they were lowered with.
    lowered: RefCell<Lowered>,
}

#[derive(Debug, Default)]
struct Lowered {
    params: Vec<Option<Vec<u32>>>,
    routines: BTreeMap<usize, Rc<Routine>>,
}

/// A case while it runs.
struct Case {
    params: Vec<Option<Vec<u32>>>,
    consts: Vec<ConstDef>,
    state: State,
    height: u32,
    locals: Vec<Vec<u32>>,
    last: Option<Step>,
}

type Outcome<T> = Result<T, TestFailure>;

impl<'a> LedgerTrial<'a> {
    pub fn new(contract: &'a Contract, test: &'a TestDef) -> Self {
        Self {
            contract,
            test,
            lowered: RefCell::default(),
        }
    }

    /// Runs it with these words of its variables.
    pub fn run(&self, variables: &[Vec<u32>]) -> Ran {
        let mut locals = variables.to_vec();
        locals.resize_with(self.test.locals.max(locals.len()), Vec::new);
        let mut case = Case {
            params: vec![None; self.contract.params.len()],
            consts: self.contract.consts.clone(),
            state: State::new(),
            height: 0,
            locals,
            last: None,
        };
        let ran = self.params(&mut case);
        let refused = self.test.draws_params && ran.is_err();
        let ran = match refused {
            true => Ok(()),
            false => ran.and_then(|()| self.all(&mut case)),
        };
        let failures = ran.err().map(|failure| TestFailure {
            step: case.last.take(),
            ..failure
        });
        Ran {
            failures: failures.into_iter().collect(),
            refused,
            params: case.params,
        }
    }

    fn params(&self, case: &mut Case) -> Outcome<()> {
        for (n, value) in &self.test.with {
            let words = self.value(case, value)?;
            if let Some(slot) = case.params.get_mut(*n) {
                *slot = Some(words);
            }
        }
        let mut found = Vec::new();
        bind(self.contract, &mut case.consts, &case.params, &mut found);
        if let Some(first) = found.first() {
            return Err(failure(first.span, first.message.clone()));
        }
        Ok(())
    }

    fn all(&self, case: &mut Case) -> Outcome<()> {
        for (place, ty, value) in &self.test.state {
            self.set(case, place, ty, value)?;
        }
        self.count_supplies(case)?;
        if !self.test.state.is_empty() {
            self.invariants(case, self.test.span, "the state given by `with` breaks")?;
        }
        self.lines(case, &self.test.lines)
    }

    /// What people hold at first is all there is.
    fn count_supplies(&self, case: &mut Case) -> Outcome<()> {
        for (n, asset) in self.contract.assets.iter().enumerate() {
            let held = self.held(&case.state, n);
            let Ok(held) = u64::try_from(held) else {
                let message = format!("there is more of `{}` than 64 bits can count", asset.name);
                return Err(failure(self.test.span, message));
            };
            if let Some(def) = self.contract.state.get(asset.supply) {
                let words = vec![held as u32, (held >> 32) as u32];
                case.state.set(cell(def.family, Vec::new()), words);
            }
        }
        Ok(())
    }

    /// What all vaults of an asset hold.
    fn held(&self, state: &State, asset: usize) -> u128 {
        let mut total: u128 = 0;
        for def in &self.contract.state {
            for ((_, ty), family) in def.ty.leaves().into_iter().zip(def.family..) {
                if matches!(ty, Ty::Vault(of) if of.index == asset) {
                    let cells = state.family(family);
                    let each = cells.map(|(_, words)| u128::from(crate::value::number_of(words)));
                    total = total.saturating_add(each.fold(0, u128::saturating_add));
                }
            }
        }
        total
    }

    fn set(&self, case: &mut Case, place: &Place, ty: &Ty, value: &Expr) -> Outcome<()> {
        let mut key = Vec::new();
        for of in &place.keys {
            if let Key::Of(of) = of {
                key.extend(self.value(case, of)?);
            }
        }
        let mut words = self.value(case, value)?.into_iter();
        let Some(def) = self.contract.state.get(place.field) else {
            return Ok(());
        };
        let end = place.at.saturating_add(ty.words());
        for ((at, leaf), family) in def.ty.leaves().into_iter().zip(def.family..) {
            if (place.at..end).contains(&at) {
                let own = words.by_ref().take(leaf.words()).collect();
                case.state.set(cell(family, key.clone()), own);
            }
        }
        Ok(())
    }

    fn lines(&self, case: &mut Case, lines: &[TestLine]) -> Outcome<()> {
        for line in lines {
            match line {
                TestLine::Assert(condition, span) => {
                    let words = self.value(case, condition)?;
                    if words.first() != Some(&1) {
                        let message = self.not_so(case, condition);
                        return Err(failure(*span, message));
                    }
                }
                TestLine::Let(local, value) | TestLine::Assign(local, value) => {
                    let words = self.value(case, value)?;
                    case.set_local(*local, words);
                }
                TestLine::Call(call) => self.call(case, call)?,
                TestLine::LetParts(locals, value) => {
                    let mut words = self.value(case, value)?.into_iter();
                    for (local, (_, ty)) in locals.iter().zip(value.ty.parts()) {
                        let own = words.by_ref().take(ty.words()).collect();
                        case.set_local(*local, own);
                    }
                }
                TestLine::If(condition, then, otherwise) => {
                    let holds = self.value(case, condition)?.first() == Some(&1);
                    self.lines(case, if holds { then } else { otherwise })?;
                }
                TestLine::ForEach(local, array, lines) => {
                    let size = match &array.ty {
                        Ty::Array(element, _) => element.words().max(1),
                        _ => 1,
                    };
                    for element in self.value(case, array)?.chunks(size) {
                        case.set_local(*local, element.to_vec());
                        self.lines(case, lines)?;
                    }
                }
                TestLine::For {
                    local,
                    from,
                    to,
                    inclusive,
                    lines,
                } => {
                    let first = crate::value::number_of(&self.value(case, from)?);
                    let last = crate::value::number_of(&self.value(case, to)?);
                    let words = from.ty.words();
                    let end = last.saturating_add(u64::from(*inclusive));
                    for n in first..end {
                        let mut counter = vec![n as u32, (n >> 32) as u32];
                        counter.resize(words, 0);
                        case.set_local(*local, counter);
                        self.lines(case, lines)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Why a condition doesn't hold.
    fn not_so(&self, case: &Case, condition: &Expr) -> String {
        // Of several that must hold, the first that doesn't.
        if let ExprKind::Binary(BinaryOp::And, left, right) = &condition.kind {
            let holds = |side: &Expr| {
                let words = self.value(case, side).ok()?;
                Some(words.first() == Some(&1))
            };
            return match holds(left) {
                Some(true) => self.not_so(case, right),
                _ => self.not_so(case, left),
            };
        }
        let mut message = "this does not hold".to_owned();
        if let Some((left, op, right)) = show::compared(condition) {
            let side = |side: &Expr| {
                let words = self.value(case, side).ok()?;
                Some(show::value(&side.ty, &words, &self.contract.enums))
            };
            if let (Some(left), Some(right)) = (side(left), side(right)) {
                message.push_str(&format!(": {left} {} {right}", op.symbol()));
            }
        }
        message
    }

    /// The words of an expression on the state as it is.
    fn value(&self, case: &Case, expr: &Expr) -> Outcome<Vec<u32>> {
        let constants = Constants {
            consts: &case.consts,
            fns: &self.contract.fns,
            params: &case.params,
        };
        let (state, height) = (&case.state, case.height);
        evaluate_on(self.contract, &constants, state, height, &case.locals, expr).map_err(|error| {
            let reason = types::const_error(&error, "this", expr.span).message;
            failure(expr.span, reason)
        })
    }

    fn call(&self, case: &mut Case, call: &TestCall) -> Outcome<()> {
        let Some(entry) = self.contract.entries.get(call.entry) else {
            return Ok(());
        };
        let mut arguments = Vec::new();
        for argument in &call.arguments {
            arguments.push(self.value(case, argument)?);
        }
        let mut keys = Vec::new();
        for key in &call.signers {
            keys.push(self.value(case, key)?);
        }
        if let Some(height) = &call.height {
            let words = self.value(case, height)?;
            case.height = words.first().copied().unwrap_or(0);
        }
        let shown = self.show_call(entry, &arguments, &keys);
        let before = self.show_state(&case.state);
        let ended = if self.wanted_keys(case, entry, &arguments) == keys {
            self.execute(case, call, &arguments)?
        } else {
            Err(NOT_SIGNED.to_owned())
        };
        let ended = match ended {
            Ok(events) => Ok(self.told(case, call, &events)?),
            Err(name) => Err(name),
        };
        let after = ended.is_ok().then(|| self.show_state(&case.state));
        case.last = Some(Step {
            call: shown.clone(),
            before,
            after,
        });
        match (&ended, &call.fails) {
            (Ok(told), None) => {
                self.invariants(case, call.span, "this call breaks")?;
                match told {
                    None => Ok(()),
                    Some(message) => Err(failure(call.span, format!("{shown} {message}"))),
                }
            }
            // What the author believes can't fail must not be tried away.
            (Err(name), None) if call.tries && name != ASSERT_FAILED => Ok(()),
            (Err(name), Some(wanted)) if name == wanted => Ok(()),
            (Ok(_), Some(wanted)) => {
                let message = format!("{shown} went well, expected the error `{wanted}`");
                Err(failure(call.span, message))
            }
            (Err(name), Some(wanted)) => {
                let message =
                    format!("{shown} gave the error `{name}`, expected the error `{wanted}`");
                Err(failure(call.span, message))
            }
            (Err(name), None) => {
                let message = format!("{shown} gave the error `{name}`");
                Err(failure(call.span, message))
            }
        }
    }

    fn wanted_keys(&self, case: &Case, entry: &EntryDef, arguments: &[Vec<u32>]) -> Vec<Vec<u32>> {
        let signers = entry.signers.iter();
        let key = |signer: &Signer| match signer {
            Signer::Argument(n) => arguments.get(*n).cloned().unwrap_or_default(),
            Signer::Param(n) => case.params.get(*n).cloned().flatten().unwrap_or_default(),
        };
        signers.map(key).collect()
    }

    /// Why the events that a call told aren't those expected, if they aren't.
    fn told(&self, case: &Case, call: &TestCall, events: &[Event]) -> Outcome<Option<String>> {
        for (wanted, fields) in &call.emits {
            let Some(def) = self.contract.events.get(*wanted) else {
                continue;
            };
            let mut expected = Vec::new();
            for (at, value) in fields {
                let before = def.of.fields.iter().take(*at);
                let start: usize = before.map(|(_, ty)| ty.words()).sum();
                expected.push((start, self.value(case, value)?));
            }
            let same = |event: &&Event| {
                usize::from(event.event) == *wanted
                    && expected.iter().all(|(start, words)| {
                        let own = event.words.iter().skip(*start).take(words.len());
                        own.eq(words)
                    })
            };
            if events.iter().find(same).is_none() {
                let told: Vec<String> = events.iter().map(|e| self.show_event(e)).collect();
                let told = match told.is_empty() {
                    true => "nothing".to_owned(),
                    false => told.join(", "),
                };
                return Ok(Some(format!(
                    "didn't tell this `{}`; it told {told}",
                    def.of.name
                )));
            }
        }
        Ok(None)
    }

    fn show_event(&self, event: &Event) -> String {
        let def = self.contract.events.get(usize::from(event.event));
        let of = def.map(|def| Ty::Struct(def.of.clone()));
        of.map_or_else(String::new, |of| {
            show::value(&of, &event.words, &self.contract.enums)
        })
    }

    /// Runs the entry: whether it went well, or the error's name.
    fn execute(
        &self,
        case: &mut Case,
        call: &TestCall,
        arguments: &[Vec<u32>],
    ) -> Outcome<Result<Vec<Event>, String>> {
        let routine = self.routine(case, call)?;
        let mut inputs = arguments.concat();
        inputs.push(case.height);
        let ran = execute(&routine, &inputs, &case.state);
        Ok(match ran.result {
            Ok(changes) => {
                case.state.apply(&changes);
                Ok(changes.events)
            }
            Err(failure) => {
                let abort = routine.aborts.get(usize::from(failure.code));
                Err(abort.map(|abort| abort.name.clone()).unwrap_or_default())
            }
        })
    }

    fn routine(&self, case: &Case, call: &TestCall) -> Outcome<Rc<Routine>> {
        let mut lowered = self.lowered.borrow_mut();
        if lowered.params != case.params {
            *lowered = Lowered {
                params: case.params.clone(),
                routines: BTreeMap::new(),
            };
        }
        if let Some(routine) = lowered.routines.get(&call.entry) {
            return Ok(Rc::clone(routine));
        }
        let entry = self.contract.entries.get(call.entry);
        let entry = entry.ok_or_else(|| failure(call.span, "no such entry".to_owned()))?;
        let constants = Constants {
            consts: &case.consts,
            fns: &self.contract.fns,
            params: &case.params,
        };
        let routine = lower_entry_to(Builder::new(), self.contract, constants, entry);
        let routine = routine.map_err(|error| {
            let what = format!("`{}`", entry.name);
            failure(
                call.span,
                types::const_error(&error, &what, call.span).message,
            )
        })?;
        let routine = Rc::new(routine);
        lowered.routines.insert(call.entry, Rc::clone(&routine));
        Ok(routine)
    }

    fn invariants(&self, case: &Case, span: Span, what: &str) -> Outcome<()> {
        for invariant in &self.contract.invariants {
            let mut inner = Case {
                params: case.params.clone(),
                consts: case.consts.clone(),
                state: case.state.clone(),
                height: case.height,
                locals: vec![Vec::new(); invariant.locals],
                last: None,
            };
            inner.locals.resize_with(invariant.locals, Vec::new);
            let words = self.value(&inner, &invariant.condition)?;
            if words.first() != Some(&1) {
                let why = self.not_so(&inner, &invariant.condition);
                let mut failed = failure(span, format!("{what} an invariant: {why}"));
                failed.invariant = Some(invariant.span);
                return Err(failed);
            }
        }
        for (n, asset) in self.contract.assets.iter().enumerate() {
            let Some(def) = self.contract.state.get(asset.supply) else {
                continue;
            };
            let supply = case.state.get(&cell(def.family, Vec::new()), 2);
            let supply = u128::from(crate::value::number_of(&supply));
            let held = self.held(&case.state, n);
            if held != supply {
                let message = format!(
                    "the vaults hold {held} `{}`, but there are {supply}: \
                     please report this as a bug of Gavel",
                    asset.name
                );
                return Err(failure(span, message));
            }
        }
        Ok(())
    }

    /// `pay(from = ALICE, amount = 5) as ALICE`
    fn show_call(&self, entry: &EntryDef, arguments: &[Vec<u32>], keys: &[Vec<u32>]) -> String {
        let pairs = entry.arguments.iter().zip(arguments);
        let shown: Vec<String> = pairs
            .map(|((name, ty), words)| {
                format!("{name} = {}", show::value(ty, words, &self.contract.enums))
            })
            .collect();
        let mut call = format!("{}({})", entry.name, shown.join(", "));
        let keys: Vec<String> = keys.iter().map(|key| show::key(key)).collect();
        if !keys.is_empty() {
            call.push_str(&format!(" as {}", keys.join(", ")));
        }
        call
    }

    /// Every cell that isn't zero: the place and what it holds.
    fn show_state(&self, state: &State) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for def in &self.contract.state {
            for ((suffix, ty), family) in def.ty.leaf_names().into_iter().zip(def.family..) {
                for (key, words) in state.family(family) {
                    let mut rest = key;
                    let mut place = def.name.clone();
                    for of in &def.keys {
                        let (own, after) = rest.split_at_checked(of.words()).unwrap_or_default();
                        rest = after;
                        let shown = show::value(of, own, &self.contract.enums);
                        place.push_str(&format!("[{shown}]"));
                    }
                    place.push_str(&suffix);
                    all.push((place, show::value(ty, words, &self.contract.enums)));
                }
            }
        }
        all
    }

    /// The variables with these words, by name.
    pub fn show_variables(&self, words: &[Vec<u32>]) -> Vec<(String, String)> {
        let variables = self.test.variables.iter().flatten();
        let shown = variables.zip(words).map(|(variable, words)| {
            let shown = show::value(&variable.ty, words, &self.contract.enums);
            (variable.name.clone(), shown)
        });
        shown.collect()
    }
}

impl Case {
    fn set_local(&mut self, local: usize, words: Vec<u32>) {
        if let Some(slot) = self.locals.get_mut(local) {
            *slot = words;
        }
    }
}

fn cell(family: u16, key: Vec<u32>) -> CellId {
    CellId { family, key }
}

fn failure(span: Span, message: String) -> TestFailure {
    TestFailure {
        span,
        message,
        invariant: None,
        step: None,
    }
}
