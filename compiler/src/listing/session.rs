//! Runs a leaf step by step, forwards and backwards.
//!
//! The machine is [`vm::Vm`]. All of it runs once; every so often its state is kept, and any
//! step is found again from the state before it.

use super::{About, Listing, Names, Tag};
use crate::script::code::{Code, Item, parse_number};
use crate::script::vm::{Refusal, Rules, Vm, is_true};

/// Steps between two states that are kept.
const EVERY: usize = 1_024;

/// What made a leaf accuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The last step of it.
    pub step: usize,
    /// A condition or a comparison.
    pub about: About,
    /// The line that it is for, an index into [`Listing::places`].
    pub place: Option<usize>,
    /// Of a comparison: what the leaf computed and what was claimed.
    pub digits: Option<(i64, i64)>,
}

#[derive(Clone)]
struct State<'a> {
    vm: Vm<'a, 'a>,
    names: Names,
}

/// A run of a leaf, somewhere between two of its instructions.
#[derive(Clone)]
pub struct Session<'a> {
    listing: &'a Listing,
    /// Before steps 0, [`EVERY`], and so on.
    kept: Vec<State<'a>>,
    verdict: Result<(), Refusal>,
    reason: Option<Reason>,
    last: usize,
    now: usize,
    state: State<'a>,
}

impl<'a> Session<'a> {
    pub(super) fn new(listing: &'a Listing, witness: &[Vec<u8>], rules: &'a Rules<'a>) -> Self {
        let start = State {
            vm: Vm::new(witness, rules),
            names: listing.names(),
        };
        let mut session = Self {
            listing,
            kept: vec![start.clone()],
            verdict: Ok(()),
            reason: None,
            last: 0,
            now: 0,
            state: start.clone(),
        };
        session.verdict = session.run();
        session.last = session.now;
        session.now = 0;
        session.state = start;
        session
    }

    fn run(&mut self) -> Result<(), Refusal> {
        self.state.vm.start()?;
        for step in 0..self.listing.steps() {
            if step > 0 && step % EVERY == 0 {
                self.kept.push(self.state.clone());
            }
            let compared = self.compared(step);
            self.step()?;
            self.look_for_reason(step, compared);
        }
        self.state.vm.end(self.listing.script.len())
    }

    /// What is compared next, what is computed and what is claimed: of several digits the lowest
    /// one that differs.
    fn compared(&self, step: usize) -> Option<(About, (i64, i64))> {
        let (_, item) = self.listing.items.get(step)?;
        let compares = *item == Item::Code(Code::NumNotEqual);
        let run = self.listing.run_at(step).filter(|_| compares)?;
        let [.., computed, claimed] = self.state.vm.stack() else {
            return None;
        };
        let (computed, claimed) = (parse_number(computed)?, parse_number(claimed)?);
        let About::Compare(first, digits) = run.about else {
            return None;
        };
        let (mut n, mut rest) = (first, (computed, claimed));
        while n + 1 < first + digits && rest.0.rem_euclid(16) == rest.1.rem_euclid(16) {
            rest = (rest.0.div_euclid(16), rest.1.div_euclid(16));
            n += 1;
        }
        if n + 1 < first + digits {
            rest = (rest.0.rem_euclid(16), rest.1.rem_euclid(16));
        }
        Some((About::Compare(n, 1), rest))
    }

    fn look_for_reason(&mut self, step: usize, compared: Option<(About, (i64, i64))>) {
        if self.reason.is_some() {
            return;
        }
        let raised = || {
            self.state
                .vm
                .stack()
                .last()
                .is_some_and(|item| is_true(item))
        };
        let (about, digits) = match compared {
            Some((about, digits)) if digits.0 != digits.1 => (about, Some(digits)),
            Some(_) => return,
            None => match self.listing.raises.get(&step) {
                Some(about) if raised() => (*about, None),
                _ => return,
            },
        };
        self.reason = Some(Reason {
            step,
            about,
            place: self.listing.words.place(about),
            digits,
        });
    }

    /// Runs the next instruction.
    fn step(&mut self) -> Result<(), Refusal> {
        let Some((at, item)) = self.listing.items.get(self.now) else {
            return Ok(());
        };
        let State { vm, names } = &mut self.state;
        let active = vm.is_active();
        let top = vm.stack().last().and_then(|item| parse_number(item));
        vm.instruction(&self.listing.script, *at, item.clone())?;
        if active {
            names.follow(item, top);
        }
        // What ends a branch that wasn't taken ends what the branch is for.
        if active || vm.is_active() {
            self.listing.name_after(self.now, names);
        }
        self.now += 1;
        Ok(())
    }

    /// How many instructions have run.
    pub fn now(&self) -> usize {
        self.now
    }

    /// How many instructions run at all: fewer than there are if one of them refuses.
    pub fn last(&self) -> usize {
        self.last
    }

    /// Whether the whole leaf can be spent so.
    pub fn verdict(&self) -> &Result<(), Refusal> {
        &self.verdict
    }

    /// What first made the leaf accuse, if anything did.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Whether the next instruction is executed, rather than skipped in a branch not taken.
    pub fn is_active(&self) -> bool {
        self.state.vm.is_active()
    }

    /// The stack, bottom first: what each item is, and its bytes.
    pub fn stack(&self) -> impl DoubleEndedIterator<Item = (Tag, &[u8])> + ExactSizeIterator {
        items(&self.state.names.main, self.state.vm.stack())
    }

    /// The altstack, bottom first.
    pub fn altstack(&self) -> impl DoubleEndedIterator<Item = (Tag, &[u8])> + ExactSizeIterator {
        items(&self.state.names.alt, self.state.vm.altstack())
    }

    /// Goes to where so many instructions have run, or to the last.
    pub fn go(&mut self, step: usize) {
        let step = step.min(self.last);
        let kept = (step / EVERY).min(self.kept.len().saturating_sub(1));
        if (step < self.now || step - self.now > EVERY)
            && let Some(state) = self.kept.get(kept)
        {
            self.state = state.clone();
            self.now = kept * EVERY;
        }
        // Everything up to the last step ran before.
        while self.now < step && self.step().is_ok() {}
    }
}

/// Items with their names; those that no name is known of have none.
fn items<'s>(
    names: &'s [Tag],
    items: &'s [Vec<u8>],
) -> impl DoubleEndedIterator<Item = (Tag, &'s [u8])> + ExactSizeIterator {
    let missing = items.len().saturating_sub(names.len());
    items.iter().enumerate().map(move |(n, item)| {
        let name = n.checked_sub(missing).and_then(|n| names.get(n));
        (name.copied().unwrap_or(Tag::Unknown), item.as_slice())
    })
}
