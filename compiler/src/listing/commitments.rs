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
    let code = |n: usize| match items.get(n) {
        Some((_, Item::Code(code))) => Some(*code),
        _ => None,
    };
    let push = |n: usize, len: usize| matches!(items.get(n), Some((_, Item::Push(data))) if data.len() == len);
    let signed = |n: usize| {
        let checks = [Code::CheckSig, Code::CheckSigAdd, Code::CheckSigVerify];
        push(n, 32) && code(n + 1).is_some_and(|code| checks.contains(&code))
    };
    let mut at = 0;
    while signed(at) {
        let verified = usize::from(code(at + 2) == Some(Code::Verify));
        let part = at..at + 2 + verified;
        at = part.end;
        found.parts.push((part, About::Signature(found.signatures)));
        found.signatures += 1;
    }
    for (c, check) in checks.iter().enumerate() {
        let total = check.shape().digits();
        // Before its first digit may stand what compares the check before it.
        let size = (at..items.len()).find(|n| code(*n) == Some(Code::Size));
        if let (Some(size), true) = (size, total > 0) {
            at = size.saturating_sub(1);
        }
        for digit in (0..total).rev() {
            let ends = |n: &usize| push(*n, 20) && code(n + 1) == Some(Code::EqualVerify);
            let Some(end) = (at..items.len()).find(ends) else {
                return found;
            };
            if let Some(n) = (at..end).find(|n| code(*n) == Some(Code::Sub1)) {
                found.tags.push((n, Tag::Digit(c, digit)));
            }
            found.parts.push((at..end + 2, About::Digit(c, digit)));
            at = end + 2;
        }
        if total > 0 {
            found.parts.push((at..at + 2, About::Checksum(c)));
            at += 2;
        }
        found.end = at;
    }
    found.end = found.end.max(at);
    found
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
        for digit in 0..check.shape().digits() {
            tags.extend([Tag::Chain(c, digit), Tag::Item(c, digit)]);
        }
    }
    tags.extend((0..signatures).rev().map(Tag::Signature));
    tags
}
