//! The start of a leaf: signatures, and the checks of commitments, digit by digit.

use super::tag::Tag;
use super::{About, Check};
use crate::script::code::{Code, Item};
use std::ops::Range;

/// What was found: instructions with what they do, and names for the item on top after some.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) parts: Vec<(Range<usize>, About)>,
    pub(super) tags: Vec<(usize, Tag)>,
    pub(super) signatures: usize,
    /// The first instruction after the last check.
    pub(super) end: usize,
}

/// Reads the checks off a script, in the order in which it has them.
pub(super) fn find(items: &[(usize, Item)], checks: &[Check]) -> Found {
    let mut found = Found::default();
    let script = Script(items);
    let mut at = 0;
    while script.is_signed(at) {
        let verified = usize::from(script.code(at + 2) == Some(Code::Verify));
        let part = at..at + 2 + verified;
        at = part.end;
        if verified == 0 {
            found.tags.push((at - 1, Tag::Valid));
        }
        found.parts.push((part, About::Signature(found.signatures)));
        found.signatures += 1;
    }
    for (c, check) in checks.iter().enumerate() {
        let shape = check.shape();
        if shape.digits() == 0 {
            continue;
        }
        // Before the constant and the sum may stand what compares the check before.
        let first = (at..items.len()).find(|n| script.code(*n) == Some(Code::Swap2));
        at = first.map_or(at, |first| first.saturating_sub(2));
        let upper = (shape.message + 1..shape.digits()).rev();
        for digit in upper.chain((0..shape.message).rev()) {
            let Some(end) = script.end_of_chain(at) else {
                return found;
            };
            let next = [Some(Code::Swap2), Some(Code::Sub)];
            let end = (end..items.len()).find(|n| next.contains(&script.code(*n)));
            let end = end.unwrap_or(items.len());
            let kept = (at..end).rfind(|n| script.code(*n) == Some(Code::Sub1));
            let kept = kept.filter(|_| digit < shape.message);
            found.tags.extend(kept.map(|n| (n, Tag::Digit(c, digit))));
            found.tags.push((end.saturating_sub(1), Tag::Sum(c)));
            found.parts.push((at..end, About::Digit(c, digit)));
            at = end;
        }
        // What is missing is the checksum's lowest digit, and then is dropped.
        let Some(end) = script.end_of_chain(at) else {
            return found;
        };
        found.parts.push((at..end + 1, About::Checksum(c)));
        found.tags.push((at, Tag::Item(c, shape.message)));
        at = end + 1;
        found.end = at;
    }
    found.end = found.end.max(at);
    found
}

/// Instructions, looked at one by one.
struct Script<'a>(&'a [(usize, Item)]);

impl Script<'_> {
    fn code(&self, n: usize) -> Option<Code> {
        match self.0.get(n) {
            Some((_, Item::Code(code))) => Some(*code),
            _ => None,
        }
    }

    fn pushes(&self, n: usize, len: usize) -> bool {
        matches!(self.0.get(n), Some((_, Item::Push(data))) if data.len() == len)
    }

    fn is_signed(&self, n: usize) -> bool {
        let checks = [Code::CheckSig, Code::CheckSigAdd, Code::CheckSigVerify];
        self.pushes(n, 32) && self.code(n + 1).is_some_and(|code| checks.contains(&code))
    }

    /// The first instruction after the check of a chain.
    fn end_of_chain(&self, at: usize) -> Option<usize> {
        let equal = |n: usize| self.pushes(n, 20) && self.code(n + 1) == Some(Code::EqualVerify);
        let end = (at..self.0.len()).find(|n| equal(*n))? + 2;
        let dropped = (end..self.0.len()).take_while(|n| self.code(*n) == Some(Code::Drop2));
        Some(end + dropped.count().min(4))
    }
}

/// What instructions do that check neither signature nor commitment, in a leaf that computes
/// nothing.
pub(super) fn rest(items: &[(usize, Item)]) -> About {
    let has = |code: Code| items.iter().any(|(_, item)| *item == Item::Code(code));
    if has(Code::CheckSequenceVerify) {
        About::Lock
    } else if has(Code::FromAlt) {
        About::Authors
    } else if items.iter().all(|(_, item)| matches!(item, Item::Push(_))) {
        About::End
    } else {
        About::Other
    }
}

/// Names of the witness, bottom first: what is checked first is on top.
pub(super) fn witness(checks: &[Check], signatures: usize) -> Vec<Tag> {
    let mut tags = Vec::new();
    for (c, check) in checks.iter().enumerate().rev() {
        // The checksum's lowest digit is computed from the others.
        let lowest = check.shape().message;
        tags.push(Tag::Chain(c, lowest));
        for digit in (0..check.shape().digits()).filter(|digit| *digit != lowest) {
            tags.extend([Tag::Item(c, digit), Tag::Chain(c, digit)]);
        }
    }
    tags.extend((0..signatures).rev().map(Tag::Signature));
    tags
}
