//! Biases: how far what is stored lies from what is meant.
//!
//! `PICK` counts from the top of a stack whose height changes, so a look-up needs the index
//! plus a number that depends on where it happens. That number is paid in advance: the cells
//! of a table are stored with a constant added, the table's *bias*, and what is computed from
//! them carries it along. Where what is carried isn't what is needed, a correction is written.
//! Correct whatever the biases are; [`solve`] picks those for which few corrections are left.

use std::collections::BTreeMap;

/// A sum of tables' biases and a constant.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bias {
    /// The constant.
    pub fixed: i64,
    /// How often each table's bias is in it; sorted by table, never 0.
    of: Vec<(u16, i32)>,
}

impl Bias {
    /// A constant.
    pub fn fixed(fixed: i64) -> Self {
        Self { fixed, of: vec![] }
    }

    /// The bias of a table's cells.
    pub fn of_table(table: u16) -> Self {
        Self {
            fixed: 0,
            of: vec![(table, 1)],
        }
    }

    /// Adds another bias, or subtracts it.
    pub fn add(&mut self, other: &Self, plus: bool) {
        let sign = if plus { 1 } else { -1 };
        self.fixed += i64::from(sign) * other.fixed;
        for (table, times) in &other.of {
            match self.of.binary_search_by_key(table, |(table, _)| *table) {
                Ok(at) => self.of[at].1 += sign * times,
                Err(at) => self.of.insert(at, (*table, sign * times)),
            }
        }
        self.of.retain(|(_, times)| *times != 0);
    }

    /// Its value, given those of the tables.
    pub fn value(&self, tables: &[i64]) -> i64 {
        let of = self.of.iter();
        self.fixed
            + of.map(|(table, times)| i64::from(*times) * tables[usize::from(*table)])
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

/// What corrections were asked for: biases that should have been 0, and how often.
#[derive(Debug, Default)]
pub struct Demands(BTreeMap<Bias, u32>);

impl Demands {
    /// A bias that should have been 0.
    pub fn push(&mut self, lack: Bias) {
        *self.0.entry(lack).or_default() += 1;
    }

    /// What the corrections cost in bytes, given the tables' biases.
    pub fn cost(&self, tables: &[i64]) -> usize {
        let lacks = self.0.iter();
        lacks
            .map(|(lack, times)| *times as usize * correction_len(lack.value(tables)))
            .sum()
    }
}

/// How often all tables' biases are gone through; they settle after three or four.
const SWEEPS: usize = 12;

/// Biases of so many tables for which the corrections are small: each in turn is set to what
/// is best for it, until nothing changes.
pub fn solve(demands: &Demands, tables: usize) -> Vec<i64> {
    let mut biases = vec![0; tables];
    let mut touching: Vec<Vec<(&Bias, i64, u32)>> = vec![vec![]; tables];
    for (lack, times) in &demands.0 {
        for (table, coefficient) in &lack.of {
            let of = &mut touching[usize::from(*table)];
            of.push((lack, i64::from(*coefficient), *times));
        }
    }
    let mut order: Vec<usize> = (0..tables).collect();
    let weight = |table: &usize| -> u32 { touching[*table].iter().map(|(_, _, n)| n).sum() };
    order.sort_by_key(|table| (std::cmp::Reverse(weight(table)), *table));
    for _ in 0..SWEEPS {
        let before = biases.clone();
        for table in &order {
            biases[*table] = best(&touching[*table], &biases, *table);
        }
        if biases == before {
            break;
        }
    }
    biases
}

/// The best bias of one table, all others given.
fn best(touching: &[(&Bias, i64, u32)], biases: &[i64], table: usize) -> i64 {
    // By coefficient and what is lacking without this table, how often.
    let mut lacks: BTreeMap<(i64, i64), u32> = BTreeMap::new();
    for (lack, coefficient, times) in touching {
        let rest = lack.value(biases) - coefficient * biases[table];
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
    let all = candidates.iter().flat_map(near).chain([biases[table]]);
    all.min_by_key(|bias| (cost(*bias), bias.abs(), *bias))
        .unwrap_or(0)
}
