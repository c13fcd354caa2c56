//! A leaf as people read it: which bytes compute what, for which line of the source, and what
//! lies on the stack.
//!
//! ```text
//! leaf's script ─ instructions ─ commitments, notes of the body ─ runs ─ profile, names
//!                                                   witness ─ Vm ─ Session (steps, both ways)
//! ```
//!
//! **Invariants:** every instruction is in exactly one run; runs are in the order of the script.
//! Names follow the items through the same opcodes that the machine runs. Knows no terminal.

mod commitments;
mod profile;
mod session;
mod tag;
mod words;

pub use profile::{Kind, Profile};
pub use session::{Reason, Session};
pub use tag::{Names, Tag, folded};

use crate::artifact::Compiled;
use crate::commit::{PublicKey, Shape};
use crate::script::code::{Code, Item, items};
use crate::script::leaf::disprove::{Disprove, body_noted, disprove};
use crate::script::marks::{Name, Note, Noted, Notes};
use crate::script::{ScriptError, vm};
use crate::segment::ElementId;
use crate::units::StackDepth;
use bitcoin::XOnlyPublicKey;
use std::collections::HashMap;
use std::ops::Range;
use words::Words;

/// A commitment that a leaf checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is committed, and by whom if that isn't the claimer alone.
    pub name: String,
    /// Digits of each word.
    pub words: Vec<u8>,
    /// The element of the plan, for those of a segment.
    pub element: Option<ElementId>,
}

impl Check {
    /// The commitment's shape.
    pub fn shape(&self) -> Shape {
        Shape::of_words(&self.words)
    }

    /// The word and the digit within it of a message's digit; `None` for the checksum.
    pub fn place(&self, digit: usize) -> Option<(usize, usize)> {
        let mut rest = digit;
        for (n, digits) in self.words.iter().enumerate() {
            match rest.checked_sub(usize::from(*digits)) {
                Some(more) => rest = more,
                None => return Some((n, rest)),
            }
        }
        None
    }
}

/// What a run of instructions does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Checks a signature.
    Signature(usize),
    /// Checks a digit of a commitment.
    Digit(usize, usize),
    /// Checks a commitment's checksum.
    Checksum(usize),
    /// Pushes the tables.
    Tables,
    /// Has claimed digits wait in pairs.
    Join,
    /// Computes part of a word.
    Word(Name),
    /// Drops digits that were read and that nothing needs.
    Unread,
    /// Raises the verdict if a condition holds.
    Flag(usize),
    /// Raises the verdict if digits are not as claimed: the first, and how many.
    Compare(usize, usize),
    /// Leaves nothing but the verdict.
    End,
    /// Compares what the claimer signed with what the author signed, if there is anything.
    Authors,
    /// Waits for blocks.
    Lock,
    /// Anything else.
    Other,
}

/// Neighbouring instructions that do one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Bytes of the script.
    pub bytes: Range<usize>,
    /// Instructions, counted from 0.
    pub steps: Range<usize>,
    /// What they do.
    pub about: About,
    /// The line they do it for, an index into [`Listing::places`].
    pub place: Option<usize>,
}

/// A line of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, if it isn't the main one.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

/// A leaf with all that is known of its bytes.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The script.
    pub script: Vec<u8>,
    /// Highest stack plus altstack, witness included; 0 where it isn't known.
    pub peak: StackDepth,
    /// The commitments, in the order in which the script checks them.
    pub checks: Vec<Check>,
    /// What the instructions do.
    pub runs: Vec<Run>,
    /// The lines that runs refer to.
    pub places: Vec<Place>,
    items: Vec<(usize, Item)>,
    witness: Vec<Tag>,
    /// By instruction, the names of what it leaves, each with how deep it lies.
    tags: HashMap<usize, Vec<(usize, Tag)>>,
    /// By instruction, what it is the end of, if that may raise the verdict.
    raises: HashMap<usize, About>,
    /// The last instruction that pushes tables.
    tables: Option<usize>,
    notes: Notes,
    words: Words,
}

impl Listing {
    /// The leaf of a segment, in the last segment for one claimed outcome; with the leaf.
    ///
    /// # Errors
    /// [`ScriptError`] if there is no such segment, or keys don't fit.
    pub fn segment(
        compiled: &Compiled,
        segment: usize,
        claimed: Option<u8>,
        keys: &[PublicKey],
        challengers: &[XOnlyPublicKey],
    ) -> Result<(Self, Disprove), ScriptError> {
        let mut notes = Notes::on();
        let body = body_noted(&compiled.plan, segment, claimed, &mut notes)?;
        let leaf = disprove(&compiled.plan, segment, &body, keys, challengers)?;
        let check = |id: &ElementId| {
            let element = compiled.plan.elements.get(id.index());
            element.map(|element| Check {
                name: element.name.clone(),
                words: element.digits(),
                element: Some(*id),
            })
        };
        let checks = leaf.elements.iter().rev().filter_map(check).collect();
        let words = Words::of(compiled, segment, claimed, &notes);
        let script = leaf.script.to_bytes();
        let listing = Self::build(script, leaf.peak, checks, notes, words);
        Ok((listing, leaf))
    }

    /// A leaf that computes nothing: the commitments that it checks, in that order.
    pub fn plain(script: Vec<u8>, peak: StackDepth, checks: Vec<Check>) -> Self {
        Self::build(script, peak, checks, Notes::off(), Words::default())
    }

    fn build(
        script: Vec<u8>,
        peak: StackDepth,
        checks: Vec<Check>,
        notes: Notes,
        words: Words,
    ) -> Self {
        let items: Vec<(usize, Item)> = items(&script).collect();
        let found = commitments::find(&items, &checks);
        let mut owners = vec![About::Other; items.len()];
        for (part, about) in &found.parts {
            for owner in owners.get_mut(part.clone()).into_iter().flatten() {
                *owner = *about;
            }
        }
        let mut tags: HashMap<usize, Vec<(usize, Tag)>> = HashMap::new();
        for (step, tag) in &found.tags {
            tags.entry(*step).or_default().push((0, *tag));
        }
        // A body starts where the last check ends.
        let base = items.get(found.end).map_or(script.len(), |(at, _)| *at);
        let step = |offset: usize| items.partition_point(|(at, _)| *at < base + offset);
        let mut raises = HashMap::new();
        let mut weak = Vec::new();
        let mut tables = None;
        for noted in notes.all() {
            let Noted { bytes, note, .. } = noted;
            let steps = step(bytes.start)..step(bytes.end);
            let about = about_of(note);
            if let (Some(last), Some(bias)) = (steps.end.checked_sub(1), noted.bias) {
                let tag = tag_of(note, bias).map(|tag| (noted.depth, tag));
                tags.entry(last).or_default().extend(tag);
                if let Note::Flag(_) | Note::Compare(..) = note {
                    raises.extend(about.map(|about| (last, about)));
                }
            }
            if note == Note::Tables {
                tables = steps.end.checked_sub(1);
            }
            match about {
                Some(about) => own(&mut owners, steps, about),
                None => weak.push((steps, note)),
            }
        }
        for (steps, note) in weak {
            if let Note::Node(Some(name)) = note {
                own(&mut owners, steps, About::Word(name));
            }
        }
        name_rest(&items, &mut owners);
        let mut listing = Self {
            witness: commitments::witness(&checks, found.signatures),
            script,
            peak,
            checks,
            runs: Vec::new(),
            places: words.places.clone(),
            items,
            tags,
            raises,
            tables,
            notes,
            words,
        };
        listing.runs = listing.runs_of(&owners);
        listing
    }

    fn runs_of(&self, owners: &[About]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (n, about) in owners.iter().enumerate() {
            let bytes = self.offset(n)..self.offset(n + 1);
            match runs.last_mut() {
                Some(run) if run.about == *about => {
                    run.bytes.end = bytes.end;
                    run.steps.end = n + 1;
                }
                _ => runs.push(Run {
                    bytes,
                    steps: n..n + 1,
                    about: *about,
                    place: self.words.place(*about),
                }),
            }
        }
        runs
    }

    /// How many instructions there are.
    pub fn steps(&self) -> usize {
        self.items.len()
    }

    /// Where an instruction starts; the script's length after the last.
    pub fn offset(&self, step: usize) -> usize {
        self.items
            .get(step)
            .map_or(self.script.len(), |(at, _)| *at)
    }

    /// The instruction that a byte belongs to; `None` beyond the end.
    pub fn step_at(&self, offset: usize) -> Option<usize> {
        let after = self.items.partition_point(|(at, _)| *at <= offset);
        (offset < self.script.len()).then(|| after.saturating_sub(1))
    }

    /// The run that an instruction belongs to.
    pub fn run_at(&self, step: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.steps.end <= step);
        self.runs.get(after)
    }

    /// The line that a run is for.
    pub fn place(&self, run: &Run) -> Option<&Place> {
        self.places.get(run.place?)
    }

    /// Some instructions as text.
    pub fn asm(&self, steps: Range<usize>) -> String {
        let bytes = self.offset(steps.start)..self.offset(steps.end);
        crate::script::print_asm(self.script.get(bytes).unwrap_or_default())
    }

    /// The names on the stacks before the first instruction.
    pub fn names(&self) -> Names {
        Names {
            main: self.witness.clone(),
            alt: Vec::new(),
        }
    }

    /// Walks the runs with the names on the stacks after each. Of two branches both are walked;
    /// what they leave keeps the names that they agree on.
    pub fn walk(&self, mut visit: impl FnMut(&Run, &Names)) {
        let mut names = self.names();
        let mut branches: Vec<Names> = Vec::new();
        for run in &self.runs {
            for n in run.steps.clone() {
                let Some((_, item)) = self.items.get(n) else {
                    continue;
                };
                match item {
                    Item::Code(Code::If | Code::NotIf) => {
                        names.follow(item, None);
                        branches.push(names.clone());
                    }
                    Item::Code(Code::Else) => {
                        if let Some(first) = branches.last_mut() {
                            std::mem::swap(first, &mut names);
                        }
                    }
                    Item::Code(Code::EndIf) => {
                        if let Some(other) = branches.pop() {
                            names.join(&other);
                        }
                    }
                    item => names.follow(item, None),
                }
                self.name_after(n, &mut names);
            }
            visit(run, &names);
        }
    }

    fn name_after(&self, step: usize, names: &mut Names) {
        if self.tables == Some(step) {
            names.name_tables(self.notes.tables());
        }
        for (depth, tag) in self.tags.get(&step).into_iter().flatten() {
            names.name_at(*depth, *tag);
        }
    }

    /// What the body was noted to be.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Where the body starts in the script.
    pub fn body_start(&self) -> usize {
        let checked = |run: &Run| {
            matches!(
                run.about,
                About::Signature(_) | About::Digit(..) | About::Checksum(_)
            )
        };
        let last = self.runs.iter().rfind(|run| checked(run));
        last.map_or(0, |run| run.bytes.end)
    }

    /// A session on a witness, bottom first.
    pub fn session<'a>(&'a self, witness: &[Vec<u8>], rules: &'a vm::Rules<'a>) -> Session<'a> {
        Session::new(self, witness, rules)
    }
}

/// Gives instructions that nothing owns yet to somebody.
fn own(owners: &mut [About], steps: Range<usize>, about: About) {
    for owner in owners.get_mut(steps).into_iter().flatten() {
        if *owner == About::Other {
            *owner = about;
        }
    }
}

/// Says of what nobody owns yet what it does.
fn name_rest(items: &[(usize, Item)], owners: &mut [About]) {
    let mut from = 0;
    for part in owners.chunk_by_mut(|a, b| a == b) {
        let to = from + part.len();
        if part.first() == Some(&About::Other) {
            part.fill(commitments::rest(items.get(from..to).unwrap_or_default()));
        }
        from = to;
    }
}

/// Who owns the bytes of a note; `None` for what is on the way to something else.
fn about_of(note: Note) -> Option<About> {
    use crate::script::marks::Form;
    Some(match note {
        Note::Tables => About::Tables,
        Note::Join => About::Join,
        Note::Node(Some(name)) if !matches!(name.form, Form::Part(_)) => About::Word(name),
        Note::Node(_) | Note::Multiple(..) => return None,
        Note::Unread => About::Unread,
        Note::Flag(n) => About::Flag(n),
        Note::Compare(first, digits) => About::Compare(first, digits),
        Note::End => About::End,
    })
}

/// The name of what a note says is on top, if it says so.
fn tag_of(note: Note, bias: i64) -> Option<Tag> {
    Some(match note {
        Note::Node(Some(name)) => Tag::Word(name, bias),
        Note::Node(None) | Note::Multiple(None, _) => Tag::Unknown,
        Note::Multiple(Some(name), times) => Tag::Multiple(name, times),
        Note::Tables | Note::Join | Note::Unread => return None,
        Note::Flag(_) | Note::Compare(..) | Note::End => Tag::Verdict,
    })
}
