//! Biases: how far what is stored lies from what is meant.
//!
//! `PICK` counts from the top of a stack whose height changes, so a look-up needs the index
//! plus a number that depends on where it happens. That number is paid in advance: the cells
//! of a table are stored with a constant added, the table's *bias*, and what is computed from
//! them carries it along. Where what is carried isn't what is needed, a correction is written.
//! Correct whatever the biases are; [`solve`] picks those for which few corrections are left.

use std::collections::BTreeMap;

/// A number that is chosen for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// The bias of its cells.
    Bias(u16),
    /// How far beneath the topmost slot of all tables its cell 0 lies, or would lie.
    Place(u16),
}

impl Choice {
    /// Which of a table's two choices, and the table.
    fn index(self) -> (usize, usize) {
        match self {
            Self::Bias(table) => (0, table.into()),
            Self::Place(table) => (1, table.into()),
        }
    }
}

/// What was chosen for all tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// By table.
    pub biases: Vec<i64>,
    /// By table.
    pub places: Vec<i64>,
}

impl Chosen {
    fn of(&self, choice: Choice) -> i64 {
        let (all, table) = match choice {
            Choice::Bias(table) => (&self.biases, table),
            Choice::Place(table) => (&self.places, table),
        };
        all.get(usize::from(table)).copied().unwrap_or(0)
    }
}

/// A sum of choices and a constant.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bias {
    /// How often each choice is in it; sorted, never 0.
    pub of: Vec<(Choice, i64)>,
    /// The constant.
    pub fixed: i64,
}

impl Bias {
    /// A constant.
    pub fn fixed(fixed: i64) -> Self {
        Self { fixed, of: vec![] }
    }

    /// A choice.
    pub fn chosen(choice: Choice) -> Self {
        Self {
            fixed: 0,
            of: vec![(choice, 1)],
        }
    }

    /// Adds another bias so many times.
    pub fn add(&mut self, other: &Self, times: i64) {
        self.fixed += times * other.fixed;
        for (choice, more) in &other.of {
            match self.of.binary_search_by_key(choice, |(choice, _)| *choice) {
                Ok(at) => self.of[at].1 += times * more,
                Err(at) => self.of.insert(at, (*choice, times * more)),
            }
        }
        self.of.retain(|(_, times)| *times != 0);
    }

    /// Its value.
    pub fn value(&self, chosen: &Chosen) -> i64 {
        let of = self.of.iter();
        self.fixed
            + of.map(|(choice, times)| times * chosen.of(*choice))
                .sum::<i64>()
    }
}

/// How many bytes it takes to add a constant to the top item.
pub fn correction_len(n: i64) -> usize {
    match n.unsigned_abs() {
        0 => 0,
        1 => 1,
        2..=16 => 2,
        17..=127 => 3,
        128..=32_767 => 4,
        _ => 5,
    }
}

/// The constant of a bias that should have been 0, and how often.
type Lack = (i64, u32);

/// What corrections were asked for: biases that should have been 0, and how often.
#[derive(Debug, Default)]
pub struct Demands(pub BTreeMap<Bias, u32>);

impl Demands {
    /// A bias that should have been 0.
    pub fn push(&mut self, lack: Bias) {
        *self.0.entry(lack).or_default() += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.values().map(|times| *times as usize).sum()
    }

    /// What the corrections cost in bytes.
    pub fn cost(&self, chosen: &Chosen) -> usize {
        let lacks = self.0.iter();
        lacks
            .map(|(lack, times)| *times as usize * correction_len(lack.value(chosen)))
            .sum()
    }

    /// One demand for each kind, those first of which most can be gained: the one that leaves
    /// the smallest corrections for all of its kind.
    pub fn heaviest(&self, most: usize) -> (Vec<Bias>, Self) {
        let mut kinds: BTreeMap<&[(Choice, i64)], Vec<Lack>> = BTreeMap::new();
        for (lack, times) in &self.0 {
            let kind = kinds.entry(&lack.of).or_default();
            kind.push((lack.fixed, *times));
        }
        let mut heaviest: Vec<(usize, Bias)> = Vec::new();
        for (of, lacks) in kinds {
            let cost = |fixed: i64| -> usize {
                let lacks = lacks.iter();
                lacks
                    .map(|(lack, times)| *times as usize * correction_len(lack - fixed))
                    .sum()
            };
            let all: u32 = lacks.iter().map(|(_, times)| times).sum();
            let candidates = lacks.iter().map(|(fixed, _)| (cost(*fixed), *fixed));
            if let Some((cost, fixed)) = candidates.min() {
                let of = of.to_vec();
                heaviest.push((
                    4 * all as usize - cost.min(4 * all as usize),
                    Bias { of, fixed },
                ));
            }
        }
        heaviest.sort_by_key(|(gain, _)| std::cmp::Reverse(*gain));
        let all: usize = heaviest.iter().map(|(gain, _)| gain).sum();
        let looks = |lack: &Bias| lack.of.iter().any(|(c, _)| matches!(c, Choice::Place(_)));
        heaviest.retain(|(gain, lack)| gain * most >= all && (most > 1000 || looks(lack)));
        let heaviest: Vec<Bias> = heaviest.into_iter().map(|(_, lack)| lack).collect();
        let kinds: std::collections::BTreeSet<_> = heaviest.iter().map(|lack| &lack.of).collect();
        let of_kind = |(lack, _): &(&Bias, &u32)| kinds.contains(&lack.of);
        let sketch = self.0.iter().filter(of_kind);
        let sketch = Self(sketch.map(|(lack, times)| (lack.clone(), *times)).collect());
        (heaviest, sketch)
    }
}

/// Equations between choices, solved as they come: some choices in terms of the others.
#[derive(Clone, Debug, Default)]
pub struct Equations {
    /// By table, its bias and its place.
    solved: Vec<[Option<Bias>; 2]>,
}

impl Equations {
    /// What a choice is in terms of those that are still free, unless it is one of them.
    fn solution(&self, choice: Choice) -> Option<&Bias> {
        let (of, table) = choice.index();
        self.solved.get(table)?[of].as_ref()
    }

    /// The number that a choice is bound to be.
    pub fn known(&self, choice: Choice) -> Option<i64> {
        let known = self.solution(choice).filter(|known| known.of.is_empty());
        known.map(|known| known.fixed)
    }

    /// What a choice is if all that is still free is 0.
    pub fn least(&self, choice: Choice) -> i64 {
        self.solution(choice).map_or(0, |known| known.fixed)
    }

    /// A bias in terms of choices that are still free.
    fn reduce(&self, bias: &Bias) -> Bias {
        let mut reduced = Bias::fixed(bias.fixed);
        for (choice, times) in &bias.of {
            match self.solution(*choice) {
                Some(known) => reduced.add(known, *times),
                None => reduced.add(&Bias::chosen(*choice), *times),
            }
        }
        reduced
    }

    /// Demands that a bias be 0, unless that contradicts what was demanded before.
    pub fn demand(&mut self, bias: &Bias) {
        let reduced = self.reduce(bias);
        let unit = reduced.of.iter().find(|(_, times)| times.abs() == 1);
        let Some((choice, sign)) = unit.copied() else {
            return;
        };
        // choice = -sign * (the rest)
        let mut rest = reduced;
        rest.of.retain(|(other, _)| *other != choice);
        let mut known = Bias::default();
        known.add(&rest, -sign);
        for other in self.solved.iter_mut().flatten().flatten() {
            let found = other
                .of
                .binary_search_by_key(&choice, |(choice, _)| *choice);
            if let Ok(at) = found {
                let (_, times) = other.of.remove(at);
                other.add(&known, times);
            }
        }
        let (of, table) = choice.index();
        if table >= self.solved.len() {
            self.solved.resize(table + 1, [None, None]);
        }
        self.solved[table][of] = Some(known);
    }
}

/// How often all tables' biases are gone through; they settle after three or four.
const SWEEPS: usize = 12;

/// Improves the tables' biases, places being given: each in turn is set to what is best for
/// it, until nothing changes.
pub fn refine(demands: &Demands, chosen: &mut Chosen) {
    let tables = chosen.biases.len();
    let mut touching: Vec<Vec<(&Bias, i64, u32)>> = vec![vec![]; tables];
    for (lack, times) in &demands.0 {
        for (choice, coefficient) in &lack.of {
            if let Choice::Bias(table) = choice {
                touching[usize::from(*table)].push((lack, *coefficient, *times));
            }
        }
    }
    for _ in 0..SWEEPS {
        let before = chosen.clone();
        for (table, touching) in touching.iter().enumerate() {
            chosen.biases[table] = best(touching, chosen, table);
        }
        if *chosen == before {
            break;
        }
    }
}

/// The best bias of one table, all others given.
fn best(touching: &[(&Bias, i64, u32)], chosen: &Chosen, table: usize) -> i64 {
    let now = chosen.biases[table];
    // By coefficient and what is lacking without this table, how often.
    let mut lacks: BTreeMap<(i64, i64), u32> = BTreeMap::new();
    for (lack, coefficient, times) in touching {
        let rest = lack.value(chosen) - coefficient * now;
        *lacks.entry((*coefficient, rest)).or_default() += times;
    }
    let mut candidates: Vec<(u32, i64)> = lacks
        .iter()
        .filter(|((coefficient, rest), _)| rest % coefficient == 0)
        .map(|((coefficient, rest), times)| (*times, -rest / coefficient))
        .collect();
    candidates.sort_by_key(|(times, bias)| (std::cmp::Reverse(*times), *bias));
    candidates.truncate(48);
    let cost = |bias: i64| -> usize {
        let lacks = lacks.iter();
        lacks
            .map(|((c, rest), times)| *times as usize * correction_len(rest + c * bias))
            .sum()
    };
    let near = |(_, bias): &(u32, i64)| [-16, -1, 0, 1, 16].map(|by| bias + by);
    let all = candidates.iter().flat_map(near).chain([now]);
    all.min_by_key(|bias| (cost(*bias), (bias - now).abs(), *bias))
        .unwrap_or(0)
}
