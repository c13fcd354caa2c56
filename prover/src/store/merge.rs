//! The changes of several batches as one.

use crate::{Change, Changes};
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What batches that follow each other change together, by ascending paths: each cell once, with
/// its words before the first and after the last that changes it. They may be the same.
pub(super) fn merged<'a, C: Borrow<Changes>>(
    batches: &'a [C],
) -> impl Iterator<Item = Change<'a>> + 'a {
    let change = |batch: usize, at: usize| batches.get(batch).and_then(|c| c.borrow().get(at));
    // The next change of each batch, the first path first, then the first batch.
    let mut next: BinaryHeap<Reverse<(&'a [u8; 32], usize, usize)>> = (0..batches.len())
        .filter_map(|batch| Some(Reverse((change(batch, 0)?.path, batch, 0))))
        .collect();
    let mut take = move |path: Option<&[u8; 32]>| {
        let mut top = next.peek_mut()?;
        let Reverse((own, batch, at)) = *top;
        if path.is_some_and(|path| path != own) {
            return None;
        }
        match change(batch, at + 1) {
            Some(change) => *top = Reverse((change.path, batch, at + 1)),
            None => drop(std::collections::binary_heap::PeekMut::pop(top)),
        }
        change(batch, at)
    };
    std::iter::from_fn(move || {
        let mut merged = take(None)?;
        while let Some(later) = take(Some(merged.path)) {
            merged.after = later.after;
        }
        Some(merged)
    })
}
