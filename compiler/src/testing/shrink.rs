//! Makes a failing case smaller, as long as it fails.

use super::draw::{Atoms, Bounds};

/// The most cases that are tried.
const MAX_TRIES: u32 = 4_000;

/// Only so many atoms are lowered in pairs.
const MAX_PAIRED: usize = 16;

/// A failing case in which no atom can be lowered alone, nor two of the first by the same,
/// unless that takes too many tries; and how many steps led there.
pub(super) fn shrink(
    case: Vec<u64>,
    atoms: &Atoms,
    fails: impl Fn(&[u64]) -> bool,
) -> (Vec<u64>, u32) {
    let mut shrinker = Shrinker {
        case,
        fails,
        steps: 0,
        tries: 0,
    };
    let bounds = atoms.bounds();
    loop {
        let before = shrinker.steps;
        shrinker.rows(bounds);
        for at in 0..bounds.len() {
            shrinker.together(&[at], bounds);
        }
        // What must stay as far apart goes down in step.
        for first in 0..bounds.len().min(MAX_PAIRED) {
            for second in first + 1..bounds.len().min(MAX_PAIRED) {
                shrinker.together(&[first, second], bounds);
            }
        }
        if shrinker.steps == before || shrinker.tries >= MAX_TRIES {
            return (shrinker.case, shrinker.steps);
        }
    }
}

struct Shrinker<F> {
    case: Vec<u64>,
    fails: F,
    steps: u32,
    tries: u32,
}

impl<F: Fn(&[u64]) -> bool> Shrinker<F> {
    /// Takes the case if it differs and still fails.
    fn take(&mut self, case: Vec<u64>) -> bool {
        if case == self.case || self.tries >= MAX_TRIES {
            return false;
        }
        self.tries += 1;
        let fails = (self.fails)(&case);
        if fails {
            self.case = case;
            self.steps += 1;
        }
        fails
    }

    /// Lowers rows of neighbours to their least: all, then halves, quarters and so on.
    fn rows(&mut self, bounds: &[Bounds]) {
        let mut length = bounds.len();
        while length > 0 {
            for start in (0..bounds.len()).step_by(length) {
                let mut case = self.case.clone();
                let row = case.iter_mut().zip(bounds).skip(start).take(length);
                row.for_each(|(atom, bounds)| *atom = bounds.low);
                self.take(case);
            }
            length /= 2;
        }
    }

    /// Lowers some atoms together: by as much as possible, then by half of that, down to 1.
    fn together(&mut self, some: &[usize], bounds: &[Bounds]) {
        let room = |case: &[u64], at: &usize| {
            let (value, bounds) = (case.get(*at)?, bounds.get(*at)?);
            value.checked_sub(bounds.low)
        };
        let least = |case: &[u64]| some.iter().filter_map(|at| room(case, at)).min();
        let mut by = least(&self.case).unwrap_or(0);
        while by > 0 {
            let mut case = self.case.clone();
            if least(&case).is_some_and(|room| room >= by) {
                for at in some {
                    if let Some(atom) = case.get_mut(*at) {
                        *atom = atom.saturating_sub(by);
                    }
                }
            }
            if !self.take(case) {
                by /= 2;
            }
        }
    }
}
