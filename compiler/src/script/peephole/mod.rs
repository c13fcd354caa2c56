//! Makes a finished script shorter by local rules, and says where everything went.
//!
//! **Invariants:** each rule is proven ([`proof`]): on every stack on which the left side
//! underflows nothing, both sides do the same, failures included. A finished script underflows
//! nothing: that is what [`Asm`] proved of it. No rule reaches over `ELSE` or `ENDIF`, and none
//! further than an `IF` at its end. Stacks after a rule are those of before, so constants that
//! depend on depths (`PICK`, `ROLL`) stay right.

pub mod proof;
pub mod rules;

use super::ScriptError;
use super::asm::Asm;
use super::code::{Code, Item, items};
use crate::units::StackDepth;
use rules::{Part, Rule, Top, bytes, is_small, rules};

/// Where an instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    /// The offset in the old script.
    old: usize,
    /// Whether what is before it does what was before it there: not so within what a rule made.
    exact: bool,
}

/// Where instructions of a script lie in the shorter one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// Origin and new offset of each instruction of the new script, and of the end.
    both: Vec<(Origin, usize)>,
}

impl Offsets {
    /// Where what began at an offset begins now. What a rule made of several instructions
    /// begins where the first of them did.
    pub fn now(&self, old: usize) -> usize {
        self.from(old)
            .first()
            .or(self.both.last())
            .map_or(0, |(_, new)| *new)
    }

    /// The same if stacks are there what they were at the old offset.
    pub fn exactly(&self, old: usize) -> Option<usize> {
        let same = self.from(old).iter().take_while(|(of, _)| of.old == old);
        let mut exact = same.filter(|(of, _)| of.exact);
        exact.next().map(|(_, new)| *new)
    }

    /// Instructions that don't come from before an offset.
    fn from(&self, old: usize) -> &[(Origin, usize)] {
        let at = self.both.partition_point(|(of, _)| of.old < old);
        self.both.get(at..).unwrap_or_default()
    }
}

/// A shorter script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shorter {
    /// The script.
    pub script: Vec<u8>,
    /// Most items on both stacks.
    pub peak: StackDepth,
    /// Where its instructions came from.
    pub offsets: Offsets,
    /// How often each rule was applied, by its place in [`rules::RULES`].
    pub applied: Vec<usize>,
}

/// What a rule makes of some instructions, each with where it came from: up to the first that
/// differs, stacks are what they were.
fn origins(left: &[(Item, Origin)], right: Vec<Item>) -> Vec<(Item, Origin)> {
    let mut same = true;
    let mut last = Origin {
        old: 0,
        exact: false,
    };
    let mut left = left.iter();
    let right = right.into_iter().map(|item| {
        match left.next().filter(|_| same) {
            Some((was, origin)) => {
                last = *origin;
                same = *was == item;
            }
            None => last.exact = false,
        }
        (item, last)
    });
    right.collect()
}

/// Applies all rules wherever they make the script shorter, until none does. The script starts
/// with so many items on its stacks and ends with one.
///
/// # Errors
/// [`ScriptError::Defect`] if the script isn't one that [`Asm`] accepts.
pub fn shorten(script: &[u8], main: usize, alt: usize) -> Result<Shorter, ScriptError> {
    let shorter = shorten_with(script, main, alt, |_| true)?;
    if shorter.peak <= StackDepth::MAX {
        return Ok(shorter);
    }
    shorten_with(script, main, alt, |rule| !rule.room)
}

fn shorten_with(
    script: &[u8],
    main: usize,
    alt: usize,
    allow: fn(&Rule) -> bool,
) -> Result<Shorter, ScriptError> {
    let mut pass = Pass::new(allow);
    for (old, item) in items(script) {
        pass.take(item, Origin { old, exact: true });
    }
    let mut asm = Asm::new(main, alt);
    let mut both = Vec::with_capacity(pass.out.len() + 1);
    for (item, origin) in &pass.out {
        both.push((*origin, asm.len()));
        asm.items(std::slice::from_ref(item));
    }
    let end = Origin {
        old: script.len(),
        exact: true,
    };
    both.push((end, asm.len()));
    let (script, peak) = asm.finish()?;
    Ok(Shorter {
        script,
        peak,
        offsets: Offsets { both },
        applied: pass.applied,
    })
}

/// The same for a piece of a script, whatever its stacks are.
pub fn shorten_items(piece: &[Item]) -> Vec<Item> {
    let mut pass = Pass::new(|_| true);
    for item in piece {
        let nowhere = Origin {
            old: 0,
            exact: false,
        };
        pass.take(item.clone(), nowhere);
    }
    pass.out.into_iter().map(|(item, _)| item).collect()
}

struct Pass {
    rules: &'static [Rule],
    /// Rules by the opcode that their left side ends with; the last are those that end with a
    /// push.
    by_end: Vec<Vec<usize>>,
    /// What was written, each with where it came from.
    out: Vec<(Item, Origin)>,
    /// What is to be written next, the first last.
    waiting: Vec<(Item, Origin)>,
    applied: Vec<usize>,
}

/// The place of rules whose left side ends with a push.
const PUSHES: usize = 256;

fn end_of(part: Option<&Part>) -> usize {
    match part {
        Some(Part::Code(code)) => *code as usize,
        _ => PUSHES,
    }
}

impl Pass {
    fn new(allow: fn(&Rule) -> bool) -> Self {
        let rules = rules();
        let mut by_end = vec![Vec::new(); PUSHES + 1];
        for (n, rule) in rules.iter().enumerate().filter(|(_, rule)| allow(rule)) {
            by_end[end_of(rule.left.last())].push(n);
        }
        Self {
            rules,
            by_end,
            out: Vec::new(),
            waiting: Vec::new(),
            applied: vec![0; rules.len()],
        }
    }

    /// Writes an instruction, then rewrites the end as long as a rule fits. What a rule makes is
    /// taken in the same way, so nothing is missed; each rule saves a byte, so this ends.
    fn take(&mut self, item: Item, origin: Origin) {
        self.waiting.push((item, origin));
        while let Some(next) = self.waiting.pop() {
            self.out.push(next);
            if let Some((rule, items)) = self.found() {
                self.applied[rule] += 1;
                let from = self.out.len() - self.rules[rule].left.len();
                let made = origins(&self.out[from..], items);
                self.out.truncate(from);
                self.waiting.extend(made.into_iter().rev());
            }
        }
    }

    /// The first rule that shortens the end of what was written, and what it makes of it.
    fn found(&self) -> Option<(usize, Vec<Item>)> {
        let end = match self.out.last()? {
            (Item::Code(code), _) => *code as usize,
            _ => PUSHES,
        };
        self.by_end[end].iter().find_map(|n| {
            let rule = &self.rules[*n];
            let from = self.out.len().checked_sub(rule.left.len())?;
            let (before, tail) = self.out.split_at(from);
            let letters = rule.matches(tail.iter().map(|(item, _)| item))?;
            if top(before.last().map(|(item, _)| item)) < rule.top {
                return None;
            }
            let right = Rule::side(&rule.right, &letters)?;
            let left: usize = tail.iter().map(|(item, _)| rules::len(item)).sum();
            (bytes(&right) < left).then_some((*n, right))
        })
    }
}

/// What is known of the top item after an instruction.
fn top(after: Option<&Item>) -> Top {
    match after {
        Some(Item::Push(data)) if data.is_empty() || *data == [1] => Top::Flag,
        Some(Item::Push(data)) if is_small(data) => Top::Small,
        Some(Item::Code(code)) => match code {
            Code::Not
            | Code::NotEqual0
            | Code::BoolAnd
            | Code::BoolOr
            | Code::Equal
            | Code::NumEqual
            | Code::NumNotEqual
            | Code::LessThan
            | Code::GreaterThan
            | Code::LessThanOrEqual
            | Code::GreaterThanOrEqual
            | Code::Within => Top::Flag,
            Code::Size | Code::Depth => Top::Small,
            _ => Top::Any,
        },
        _ => Top::Any,
    }
}
