//! Where a leaf's bytes go: by kind of work and by line of the source.

use super::{About, Listing, Place};
use crate::script::code::{Code, Item};
use std::collections::BTreeMap;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Checks of signatures.
    Signatures,
    /// Checks of commitments.
    Commitments,
    /// Tables, pushed.
    Tables,
    /// Items moved or copied to the top, or dropped.
    Fetches,
    /// Cells taken from tables.
    LookUps,
    /// Sums, comparisons, conditions.
    Arithmetic,
    /// Branches.
    Branches,
    /// Comparing with what is claimed, and the end.
    Verdict,
    /// Anything else.
    Other,
}

impl Kind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signatures => "signatures",
            Self::Commitments => "commitments",
            Self::Tables => "tables",
            Self::Fetches => "fetches",
            Self::LookUps => "look-ups",
            Self::Arithmetic => "sums",
            Self::Branches => "branches",
            Self::Verdict => "verdict",
            Self::Other => "other",
        }
    }
}

/// Where the bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Kinds of work, most bytes first.
    pub kinds: Vec<(Kind, usize)>,
    /// Lines of the source, most bytes first.
    pub lines: Vec<(Place, usize)>,
    /// Bytes that belong to no line.
    pub nowhere: usize,
}

impl Listing {
    /// Where the bytes go.
    pub fn profile(&self) -> Profile {
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        let mut lines = vec![0; self.places.len()];
        let mut nowhere = 0;
        for run in &self.runs {
            for step in run.steps.clone() {
                let bytes = self.offset(step + 1) - self.offset(step);
                *kinds.entry(self.kind(run.about, step)).or_default() += bytes;
            }
            match run.place.and_then(|place| lines.get_mut(place)) {
                Some(line) => *line += run.bytes.len(),
                None => nowhere += run.bytes.len(),
            }
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let lines = self.places.iter().cloned().zip(lines);
        let mut lines: Vec<_> = lines.filter(|(_, bytes)| *bytes > 0).collect();
        lines.sort_by(|(a, x), (b, y)| {
            let place = |p: &Place| (p.file.clone(), p.line);
            y.cmp(x).then_with(|| place(a).cmp(&place(b)))
        });
        Profile {
            kinds,
            lines,
            nowhere,
        }
    }

    /// What an instruction is there for.
    fn kind(&self, about: About, step: usize) -> Kind {
        match about {
            About::Signature(_) => Kind::Signatures,
            About::Digit(..) | About::Checksum(_) => Kind::Commitments,
            About::Tables => Kind::Tables,
            About::Flag(_) | About::Compare(..) => Kind::Verdict,
            About::Join | About::End => Kind::Verdict,
            About::Word(_) | About::Unread => self.work(step),
            About::Authors => Kind::Commitments,
            About::Lock | About::Other => Kind::Other,
        }
    }

    fn code(&self, step: usize) -> Option<Code> {
        match self.items.get(step)?.1 {
            Item::Code(code) => Some(code),
            _ => None,
        }
    }

    fn is_push(&self, step: usize) -> bool {
        matches!(self.items.get(step), Some((_, Item::Push(_))))
    }

    /// Whether a `PICK` takes an index that was computed.
    fn looks_up(&self, step: usize) -> bool {
        let computed = step.checked_sub(1).is_some_and(|n| !self.is_push(n));
        self.code(step) == Some(Code::Pick) && computed
    }

    fn work(&self, step: usize) -> Kind {
        let next = |n: usize| self.code(step + n);
        if self.is_push(step) {
            return match (next(1), next(2)) {
                (Some(Code::Pick | Code::Roll), _) => Kind::Fetches,
                (Some(Code::Add | Code::Sub), _) if self.looks_up(step + 2) => Kind::LookUps,
                (Some(Code::Swap), Some(Code::Sub)) if self.looks_up(step + 3) => Kind::LookUps,
                _ => Kind::Arithmetic,
            };
        }
        match self.code(step) {
            Some(Code::Pick) if self.looks_up(step) => Kind::LookUps,
            Some(Code::Add1 | Code::Sub1) if self.looks_up(step + 1) => Kind::LookUps,
            Some(Code::If | Code::NotIf | Code::Else | Code::EndIf) => Kind::Branches,
            Some(
                Code::Pick
                | Code::Roll
                | Code::Dup
                | Code::Over
                | Code::Swap
                | Code::Rot
                | Code::Tuck
                | Code::Nip
                | Code::Drop
                | Code::Drop2
                | Code::Dup2
                | Code::Dup3
                | Code::Over2
                | Code::Rot2
                | Code::Swap2
                | Code::ToAlt
                | Code::FromAlt,
            ) => Kind::Fetches,
            _ => Kind::Arithmetic,
        }
    }
}
