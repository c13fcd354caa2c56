//! Makes a failing case smaller, as long as it fails.

use super::draw::{Atoms, Bounds};

/// The most cases that are tried.
const MAX_TRIES: u32 = 4_000;

/// A failing case in which no atom can be lowered on its own, unless that takes too many
/// tries; and how many steps led there.
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
    loop {
        let before = shrinker.steps;
        shrinker.rows(atoms.bounds());
        for (at, bounds) in atoms.bounds().iter().enumerate() {
            shrinker.atom(at, bounds.low);
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

    /// Lowers one atom: by as much as possible, then by half of that, down to 1.
    fn atom(&mut self, at: usize, low: u64) {
        let value = |shrinker: &Self| shrinker.case.get(at).copied().unwrap_or(low);
        let mut by = value(self).saturating_sub(low);
        while by > 0 {
            let lower = value(self).saturating_sub(by);
            let mut case = self.case.clone();
            if let (Some(atom), true) = (case.get_mut(at), lower >= low) {
                *atom = lower;
            }
            if !self.take(case) {
                by /= 2;
            }
        }
    }
}
