//! Lists of changes: joined in the order of their paths, whatever these begin with.
#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_prover::{Change, Changes};
use proptest::prelude::*;

/// A path of which only the first and the last byte say anything: many begin alike.
fn path(first: u8, last: u8) -> [u8; 32] {
    let mut path = [0; 32];
    path[0] = first;
    path[31] = last;
    path
}

fn list(of: &[(u8, u8, u32)]) -> Changes {
    let mut changes = Changes::new();
    for (first, last, value) in of {
        changes.push(Change {
            path: &path(*first, *last),
            family: u16::from(*first),
            key: &[u32::from(*last)],
            before: &[0, 0],
            after: &[*value, 1],
        });
    }
    changes
}

proptest! {
    #[test]
    fn joined_lists_are_in_order(
        mut cells in prop::collection::btree_map((0..3_u8, any::<u8>()), any::<u32>(), 0..200)
            .prop_map(|cells| cells.into_iter().map(|((a, b), n)| (a, b, n)).collect::<Vec<_>>())
            .prop_shuffle(),
        cut in 0..200_usize,
    ) {
        let (some, others) = cells.split_at(cut.min(cells.len()));
        let joined = Changes::joined(vec![list(some), list(others), Changes::new()]);
        let mut sorted = list(&cells);
        sorted.sort();
        prop_assert_eq!(&joined, &sorted);
        prop_assert_eq!(joined.len(), cells.len());
        cells.sort_unstable();
        for ((first, last, value), change) in cells.iter().zip(joined.iter()) {
            prop_assert_eq!(change.path, &path(*first, *last));
            prop_assert_eq!(change.family, u16::from(*first));
            prop_assert_eq!(change.key, [u32::from(*last)]);
            prop_assert_eq!(change.before, [0, 0]);
            prop_assert_eq!(change.after, [*value, 1]);
        }
    }
}

#[test]
fn what_does_not_change_is_left_out() {
    let mut changes = Changes::with_capacity(1);
    changes.push(Change {
        path: &path(1, 1),
        family: 1,
        key: &[],
        before: &[7],
        after: &[7],
    });
    assert!(changes.is_empty());
    assert!(Changes::joined(vec![changes, Changes::new()]).is_empty());
    assert!(Changes::joined(Vec::new()).is_empty());
}
