//! Searches for places and biases: simulated annealing, always with the same numbers.

use super::bias::{Bias, Choice, Chosen, Demands, correction_len};
use std::collections::BTreeMap;

/// A kind of demand: what it is made of, and what it costs at each sum of choices.
struct Kind {
    of: Vec<(usize, i64)>,
    cost: Vec<u32>,
    times: u32,
    best: i64,
}

const REACH: i64 = 4096;

impl Kind {
    fn at(&self, values: &[i64]) -> u32 {
        let sum: i64 = self.of.iter().map(|(n, c)| c * values[*n]).sum();
        let at = (sum + REACH).clamp(0, 2 * REACH - 1);
        self.cost[at as usize]
    }
}

pub struct Problem<'a> {
    kinds: Vec<Kind>,
    /// By variable (bias of table n is n, its place is n + tables), the kinds that it is in.
    touching: Vec<Vec<usize>>,
    cells: Vec<&'a [(i64, i64)]>,
    rows: Vec<bool>,
    room: usize,
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

impl<'a> Problem<'a> {
    pub fn new(demands: &Demands, cells: Vec<&'a [(i64, i64)]>, rows: Vec<bool>, room: usize) -> Self {
        let tables = cells.len();
        let mut grouped: BTreeMap<&[(Choice, i64)], Vec<(i64, u32)>> = BTreeMap::new();
        for (Bias { of, fixed }, times) in &demands.0 {
            grouped.entry(of).or_default().push((*fixed, *times));
        }
        let mut kinds: Vec<Kind> = grouped
            .into_iter()
            .filter(|(of, _)| !of.is_empty())
            .map(|(of, lacks)| {
                let mut cost = vec![0u32; 2 * REACH as usize];
                for (at, cost) in cost.iter_mut().enumerate() {
                    let sum = at as i64 - REACH;
                    *cost = lacks.iter().map(|(fixed, times)| times * correction_len(fixed + sum) as u32).sum();
                }
                let best = (0..cost.len()).min_by_key(|n| cost[*n]).unwrap_or(0) as i64 - REACH;
                let index = |choice: &Choice| match choice {
                    Choice::Bias(n) => usize::from(*n),
                    Choice::Place(n) => usize::from(*n) + tables,
                };
                Kind {
                    of: of.iter().map(|(choice, c)| (index(choice), *c)).collect(),
                    cost,
                    times: lacks.iter().map(|(_, times)| times).sum(),
                    best,
                }
            })
            .collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.times));
        kinds.truncate(90);
        let mut touching = vec![vec![]; 2 * tables];
        for (k, kind) in kinds.iter().enumerate() {
            for (n, _) in &kind.of {
                touching[*n].push(k);
            }
        }
        Self { kinds, touching, cells, rows, room }
    }

    pub fn solve(&self, start: &Chosen, steps: usize, seed: u64, strict: bool) -> (Chosen, f64) {
        let tables = self.cells.len();
        let mut values: Vec<i64> = start.biases.iter().chain(&start.places).copied().collect();
        let mut random = Random(seed);
        let fixed: Vec<bool> = self.cells.iter().map(|cells| cells.len() > 100).collect();
        if !strict {
            // The largest at the bottom, the others anywhere above.
            let mut bottom = self.room as i64;
            for table in 0..tables {
                if fixed[table] {
                    bottom -= self.cells[table].len() as i64;
                    values[tables + table] = bottom;
                }
            }
            for table in 0..tables {
                if !fixed[table] {
                    let highest = -self.cells[table].iter().map(|(i, _)| *i).min().unwrap_or(0);
                    let last = self.cells[table].iter().map(|(i, _)| *i).max().unwrap_or(0);
                    values[tables + table] = highest + random.below((bottom - last - highest).max(1) as usize) as i64;
                }
            }
        }
        // Slots by how many cells want them.
        let size = 2 * self.room + 2048;
        let mut used = vec![0u32; size];
        let spread = |used: &mut Vec<u32>, table: usize, place: i64, by: i32| -> i64 {
            // Returns the change of collisions and overhang.
            let mut change = 0i64;
            for (index, _) in self.cells[table] {
                let slot = place + index;
                let far = slot >= self.room as i64 || slot < 0;
                let at = (slot.clamp(-512, size as i64 - 513) + 512) as usize;
                if by > 0 {
                    change += i64::from(used[at] > 0) + i64::from(far);
                    used[at] += 1;
                } else {
                    used[at] -= 1;
                    change -= i64::from(used[at] > 0) + i64::from(far);
                }
            }
            change
        };
        let mut wrong = 0i64;
        for table in 0..tables {
            wrong += spread(&mut used, table, values[tables + table], 1);
        }
        let cost_of = |values: &[i64]| -> i64 { self.kinds.iter().map(|k| i64::from(k.at(values))).sum() };
        let mut cost = cost_of(&values);
        let mut best: Option<(i64, Vec<i64>)> = None;
        let movable: Vec<usize> = (0..tables).collect();
        for step in 0..steps {
            let heat = 1.0 - step as f64 / steps as f64;
            let temperature = 1.0 + (if strict { 150.0 } else { 2500.0 }) * heat * heat;
            let penalty = 20.0 + 20000.0 * (1.0 - heat).powi(2);
            // What changes.
            let mut changes: Vec<(usize, i64)> = Vec::new();
            match random.below(10) {
                0..=3 => {
                    // Satisfy a kind by one of its parts.
                    let kind = &self.kinds[random.below(self.kinds.len())];
                    let sum: i64 = kind.of.iter().map(|(n, c)| c * values[*n]).sum();
                    let (n, c) = kind.of[random.below(kind.of.len())];
                    let near = [0, 0, 0, 2, -2, 8, -8, 10, -10, 1, -1][random.below(11)];
                    let lack = kind.best + near - sum;
                    if lack % c != 0 { continue; }
                    changes.push((n, lack / c));
                }
                4..=6 => {
                    // Shift a bias or place, and the places that follow.
                    let table = movable[random.below(tables)];
                    let by = match random.below(3) {
                        0 => random.below(9) as i64 - 4,
                        1 => random.below(65) as i64 - 32,
                        _ => random.below(801) as i64 - 400,
                    };
                    let n = if random.below(2) == 0 { table } else { table + tables };
                    changes.push((n, by));
                    for k in &self.touching[n] {
                        let kind = &self.kinds[*k];
                        if kind.times < 40 || random.below(8) == 0 { continue; }
                        let of_n = kind.of.iter().find(|(m, _)| *m == n).map_or(0, |(_, c)| *c);
                        let others: Vec<_> = kind.of.iter().filter(|(m, _)| changes.iter().all(|(c, _)| c != m)).collect();
                        if others.is_empty() { continue; }
                        let (m, c) = *others[random.below(others.len())];
                        if (of_n * by) % c == 0 {
                            changes.push((m, -of_n * by / c));
                        }
                    }
                }
                7 => {
                    // Swap two tables.
                    let (a, b) = (random.below(tables), random.below(tables));
                    if a == b { continue; }
                    let by = values[tables + a] - values[tables + b];
                    changes.push((tables + a, -by));
                    changes.push((tables + b, by));
                }
                _ => {
                    // Where there is room: near to where a kind wants it, or anywhere.
                    let table = random.below(tables);
                    let n = tables + table;
                    let highest = -self.cells[table].iter().map(|(i, _)| *i).min().unwrap_or(0);
                    let last = self.cells[table].iter().map(|(i, _)| *i).max().unwrap_or(0);
                    let end = self.room as i64 - last;
                    let start = match self.touching[n].as_slice() {
                        [] => highest,
                        of if random.below(4) > 0 => {
                            let kind = &self.kinds[of[random.below(of.len())]];
                            let sum: i64 = kind.of.iter().map(|(m, c)| c * values[*m]).sum();
                            let c = kind.of.iter().find(|(m, _)| *m == n).map_or(1, |(_, c)| *c);
                            values[n] + (kind.best - sum) / c
                        }
                        _ => highest + random.below((end - highest).max(1) as usize) as i64,
                    };
                    spread(&mut used, table, values[n], -1);
                    let step = if self.rows[table] { 18 } else { 1 };
                    let start = start - start.rem_euclid(step);
                    let found = (0..400i64).map(|k| start + if k % 2 == 0 { k / 2 } else { -(k + 1) / 2 } * step).find(|place| {
                        *place >= highest && *place < end
                            && self.cells[table].iter().all(|(index, _)| used[(place + index + 512) as usize] == 0)
                    });
                    spread(&mut used, table, values[n], 1);
                    let Some(found) = found else { continue };
                    changes.push((n, found - values[n]));
                    // Its own bias, or that of what it is looked up by, may follow.
                    if random.below(2) == 0 {
                        for k in &self.touching[n] {
                            let kind = &self.kinds[*k];
                            if kind.times < 40 || random.below(4) == 0 { continue; }
                            let of_n = kind.of.iter().find(|(m, _)| *m == n).map_or(0, |(_, c)| *c);
                            let others: Vec<_> = kind.of.iter().filter(|(m, _)| *m < tables && changes.iter().all(|(c, _)| c != m)).collect();
                            if others.is_empty() { continue; }
                            let (m, c) = *others[random.below(others.len())];
                            let by = found - values[n];
                            if (of_n * by) % c == 0 { changes.push((m, -of_n * by / c)); }
                        }
                    }
                }
            }
            changes.retain(|(_, by)| *by != 0);
            if changes.is_empty() || changes.iter().any(|(n, _)| *n >= tables && fixed[*n - tables]) || changes.iter().any(|(n, by)| (values[*n] + by).abs() > 1900 || (*n >= tables && self.rows[*n - tables] && by % 18 != 0)) {
                continue;
            }
            let mut touched: Vec<usize> = changes.iter().flat_map(|(n, _)| self.touching[*n].iter().copied()).collect();
            touched.sort_unstable();
            touched.dedup();
            let before: i64 = touched.iter().map(|k| i64::from(self.kinds[*k].at(&values))).sum();
            let mut change = 0;
            for (n, by) in &changes {
                if *n >= tables { change += spread(&mut used, n - tables, values[*n], -1); }
                values[*n] += by;
            }
            for (n, _) in &changes {
                if *n >= tables { change += spread(&mut used, n - tables, values[*n], 1); }
            }
            let after: i64 = touched.iter().map(|k| i64::from(self.kinds[*k].at(&values))).sum();
            let worse = (after - before) as f64 + change as f64 * penalty;
            let accept = (!strict || change <= 0) && worse <= 0.0 || (-(worse) / temperature).exp() > random.below(1 << 20) as f64 / (1 << 20) as f64;
            if accept {
                cost += after - before;
                wrong += change;
                if wrong == 0 && best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, values.clone()));
                }
            } else {
                for (n, _) in &changes {
                    if *n >= tables { spread(&mut used, n - tables, values[*n], -1); }
                }
                for (n, by) in &changes {
                    values[*n] -= by;
                }
                for (n, _) in &changes {
                    if *n >= tables { spread(&mut used, n - tables, values[*n], 1); }
                }
            }
        }
        match best {
            Some((cost, values)) => (Chosen { biases: values[..tables].to_vec(), places: values[tables..].to_vec() }, cost as f64),
            None => {
                // Repair: the smallest that collide move to where there is room.
                let mut order: Vec<usize> = (0..tables).collect();
                order.sort_by_key(|t| self.cells[*t].len());
                for table in order {
                    let n = tables + table;
                    let collides = -spread(&mut used, table, values[n], -1);
                    let mut to = values[n];
                    if collides > 0 {
                        let highest = -self.cells[table].iter().map(|(i, _)| *i).min().unwrap_or(0);
                        let last = self.cells[table].iter().map(|(i, _)| *i).max().unwrap_or(0);
                        let end = self.room as i64 - last;
                        let step = if self.rows[table] { 18 } else { 1 };
                        let found = (0..1600i64).map(|k| values[n] + if k % 2 == 0 { k / 2 } else { -(k + 1) / 2 } * step).find(|place| {
                            *place >= highest && *place < end && self.cells[table].iter().all(|(index, _)| used[(place + index + 512) as usize] == 0)
                        });
                        if let Some(found) = found { to = found; }
                    }
                    let now = spread(&mut used, table, to, 1);
                    wrong += now - collides;
                    values[n] = to;
                }
                if wrong == 0 {
                    let cost = cost_of(&values);
                    return (Chosen { biases: values[..tables].to_vec(), places: values[tables..].to_vec() }, cost as f64);
                }
                for table in 0..tables {
                    let c = -spread(&mut used, table, values[tables + table], -1);
                    spread(&mut used, table, values[tables + table], 1);
                    let cells = self.cells[table];
                    eprintln!("table {table} at {} cells {} [{}..{}] wrong {c}", values[tables + table], cells.len(), cells[0].0, cells[cells.len() - 1].0);
                }
                (start.clone(), 1e9 + wrong as f64)
            }
        }
    }
}
