//! The shortest way to push a list of constants: a table.
//!
//! Cells are made in order, the deepest first, and none is moved afterwards. So after the first
//! `n` cells the stack is known, however they were made, and the shortest script is a shortest
//! path over `n`: each step pushes one cell, or copies up to three and perhaps changes the top.

use super::code::{Code, Item, number, number_len};

/// A way to make the next cells of those that lie on the stack.
struct Step {
    /// Takes the cells so far; gives what it pushes, if there are enough.
    adds: fn(&[i64]) -> Option<Vec<i64>>,
    codes: &'static [Code],
    /// Items that it needs for a while above what it leaves.
    spare: usize,
}

/// The last `n` cells, but for `skip` on top.
fn copy(cells: &[i64], n: usize, skip: usize) -> Option<Vec<i64>> {
    let end = cells.len().checked_sub(skip)?;
    Some(cells.get(end.checked_sub(n)?..end)?.to_vec())
}

/// The same, the top one changed.
fn change(cells: &[i64], n: usize, skip: usize, f: impl Fn(i64) -> i64) -> Option<Vec<i64>> {
    let mut copied = copy(cells, n, skip)?;
    let top = copied.last_mut()?;
    *top = f(*top);
    Some(copied)
}

macro_rules! steps {
    ($($code:ident copies $n:literal skips $skip:literal;)*) => {
        &[$(
            Step {
                adds: |cells| copy(cells, $n, $skip),
                codes: &[Code::$code],
                spare: 0,
            },
            Step {
                adds: |cells| change(cells, $n, $skip, |x| x + 1),
                codes: &[Code::$code, Code::Add1],
                spare: 0,
            },
            Step {
                adds: |cells| change(cells, $n, $skip, |x| x - 1),
                codes: &[Code::$code, Code::Sub1],
                spare: 0,
            },
            Step {
                adds: |cells| change(cells, $n, $skip, |x| -x),
                codes: &[Code::$code, Code::Negate],
                spare: 0,
            },
        )*
            Step {
                adds: |cells| pair(cells, |a, b| a + b),
                codes: &[Code::Dup2, Code::Add],
                spare: 1,
            },
            Step {
                adds: |cells| pair(cells, |a, b| a - b),
                codes: &[Code::Dup2, Code::Sub],
                spare: 1,
            },
        ]
    };
}

/// What two cells on top give.
fn pair(cells: &[i64], f: impl Fn(i64, i64) -> i64) -> Option<Vec<i64>> {
    match copy(cells, 2, 0)?.as_slice() {
        [a, b] => Some(vec![f(*a, *b)]),
        _ => None,
    }
}

const STEPS: &[Step] = steps! {
    Dup3 copies 3 skips 0;
    Dup2 copies 2 skips 0;
    Over2 copies 2 skips 2;
    Dup copies 1 skips 0;
    Over copies 1 skips 1;
};

/// The deepest cell that a `PICK` may copy: beyond, its depth takes two bytes.
const REACH: usize = 127;

/// The shortest way that we know to push these cells, the first one first: at most a push for
/// each. Needs nothing below, and no more room than the cells themselves. Cells must fit 4
/// bytes as script numbers.
pub fn push_cells(cells: &[i64]) -> Vec<Item> {
    // By how many cells lie there: bytes so far, and how many there were before the last step.
    let mut best: Vec<(usize, usize, Vec<Item>)> = vec![(usize::MAX, 0, vec![]); cells.len() + 1];
    best[0].0 = 0;
    for at in 0..cells.len() {
        let (made, left) = cells.split_at(at);
        let bytes = best[at].0;
        let mut offer = |count: usize, cost: usize, items: &dyn Fn() -> Vec<Item>| {
            let found = &mut best[at + count];
            if bytes + cost < found.0 {
                *found = (bytes + cost, at, items());
            }
        };
        offer(1, number_len(left[0]), &|| vec![push(left[0])]);
        for step in STEPS {
            match (step.adds)(made) {
                Some(adds) if left.starts_with(&adds) && adds.len() + step.spare <= left.len() => {
                    let items = || step.codes.iter().copied().map(Item::Code).collect();
                    offer(adds.len(), step.codes.len(), &items);
                }
                _ => {}
            }
        }
        let near = &made[at.saturating_sub(REACH)..];
        if let Some(found) = near.iter().rposition(|cell| *cell == left[0]) {
            let depth = (near.len() - 1 - found) as i64;
            let items = || vec![push(depth), Item::Code(Code::Pick)];
            offer(1, number_len(depth) + 1, &items);
        }
    }
    let mut ways = Vec::new();
    let mut at = cells.len();
    while at > 0 {
        let (_, before, items) = std::mem::take(&mut best[at]);
        ways.push(items);
        at = before;
    }
    ways.into_iter().rev().flatten().collect()
}

fn push(n: i64) -> Item {
    Item::Push(number(n))
}
