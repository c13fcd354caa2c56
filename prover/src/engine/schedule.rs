//! Who runs what: cells that sums can stand for, calls that depend on each other, and work for
//! each thread.

use super::cells::Cells;
use super::machine::Machine;
use super::number::{Numbered, Use};
use super::prepare::Prepared;
use super::sites::{Sites, compiled};
use super::work::{Mode, Work};
use std::ops::Range;

/// Which calls run together, and in which order.
#[derive(Debug, Default)]
pub struct Schedule {
    /// Calls: those of one component side by side and in their order.
    pub order: Vec<u32>,
    /// Pieces of `order` that threads take, one after the other.
    pub tasks: Vec<Range<usize>>,
    /// By call, the first call of its component; calls alone in theirs are their own.
    pub leaders: Vec<u32>,
    /// Components of more than one call.
    pub components: u64,
    /// Calls in the component that takes longest.
    pub longest: u64,
    /// What the longest takes, in thousandths of what all take.
    pub longest_share: u64,
    /// Cells that calls wait for each other at.
    pub conflicts: u64,
    /// Cells that are sums.
    pub sums: u64,
}

/// A component: its cost, and where its calls lie.
struct Component {
    cost: u64,
    leader: u32,
    calls: u32,
}

impl Schedule {
    /// Finds what can run side by side on so many threads. `sums` are the cells that are sums.
    pub fn new(
        machine: &Machine,
        prepared: &Prepared,
        sites: &Sites,
        numbered: &Numbered,
        modes: &[Mode],
        threads: usize,
    ) -> Self {
        let mut schedule = Self {
            leaders: (0..prepared.len() as u32).collect(),
            ..Self::default()
        };
        let conflicts: Vec<bool> = numbered
            .uses
            .iter()
            .zip(modes)
            .map(|(used, mode)| conflicts(used, *mode))
            .collect();
        schedule.conflicts = conflicts.iter().filter(|conflict| **conflict).count() as u64;
        schedule.sums = modes.iter().filter(|mode| **mode == Mode::Sum).count() as u64;
        if schedule.conflicts > 0 {
            schedule.join(machine, prepared, sites, numbered, &conflicts);
        }
        schedule.share_out(machine, prepared, numbered, threads);
        schedule
    }

    /// Joins the calls that meet at a cell.
    fn join(
        &mut self,
        machine: &Machine,
        prepared: &Prepared,
        sites: &Sites,
        numbered: &Numbered,
        conflicts: &[bool],
    ) {
        for call in &numbered.admitted {
            for number in places(machine, prepared, sites, *call) {
                let at = *number as usize;
                if conflicts.get(at) == Some(&true)
                    && let Some(used) = numbered.uses.get(at)
                {
                    self.union(used.first, *call);
                }
            }
        }
        for call in 0..self.leaders.len() as u32 {
            let leader = self.leader(call);
            if let Some(slot) = self.leaders.get_mut(call as usize) {
                *slot = leader;
            }
        }
    }

    fn leader(&mut self, mut call: u32) -> u32 {
        loop {
            let above = self.leaders.get(call as usize).copied().unwrap_or(call);
            if above == call {
                return call;
            }
            let top = self.leaders.get(above as usize).copied().unwrap_or(above);
            if let Some(slot) = self.leaders.get_mut(call as usize) {
                *slot = top;
            }
            call = top;
        }
    }

    /// The smaller one leads: a component is led by its first call.
    fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.leader(a), self.leader(b));
        if let Some(slot) = self.leaders.get_mut(a.max(b) as usize) {
            *slot = a.min(b);
        }
    }

    /// Puts calls into order and cuts them into tasks: large components first, then the rest,
    /// in pieces small enough that all threads end together.
    fn share_out(
        &mut self,
        machine: &Machine,
        prepared: &Prepared,
        numbered: &Numbered,
        threads: usize,
    ) {
        let cost_of = |call: u32| cost(machine, prepared, call);
        let (components, total) = self.components(numbered, cost_of);
        self.components = components.iter().filter(|c| c.calls > 1).count() as u64;
        let longest = components.first();
        self.longest = longest.map_or(0, |c| u64::from(c.calls));
        self.longest_share = longest.map_or(0, |c| c.cost * 1000 / total.max(1));
        let piece = total / (threads as u64 * 16).max(1) + 1;
        self.lay_out(numbered, &components);
        let (mut begin, mut at, mut taken) = (0, 0, 0);
        for component in &components {
            at += component.calls as usize;
            taken += component.cost;
            if taken >= piece {
                self.tasks.push(begin..at);
                (begin, taken) = (at, 0);
            }
        }
        if begin < at {
            self.tasks.push(begin..at);
        }
    }

    /// All components, the costliest first, and what all cost together.
    fn components(
        &self,
        numbered: &Numbered,
        cost_of: impl Fn(u32) -> u64,
    ) -> (Vec<Component>, u64) {
        let mut number_of = vec![u32::MAX; self.leaders.len()];
        let mut components: Vec<Component> = Vec::new();
        let mut total = 0;
        for call in &numbered.admitted {
            let leader = self.leaders.get(*call as usize).copied().unwrap_or(*call);
            let cost = cost_of(*call);
            total += cost;
            let Some(number) = number_of.get_mut(leader as usize) else {
                continue;
            };
            match components.get_mut(*number as usize) {
                Some(component) => {
                    component.cost += cost;
                    component.calls += 1;
                }
                None => {
                    *number = components.len() as u32;
                    let calls = 1;
                    components.push(Component {
                        cost,
                        leader,
                        calls,
                    });
                }
            }
        }
        if self.conflicts > 0 {
            components.sort_by_key(|c| (std::cmp::Reverse(c.cost), c.leader));
        }
        (components, total)
    }

    fn lay_out(&mut self, numbered: &Numbered, components: &[Component]) {
        if self.conflicts == 0 {
            self.order.clone_from(&numbered.admitted);
            return;
        }
        let mut next = vec![0u32; self.leaders.len()];
        let mut at = 0;
        for component in components {
            if let Some(slot) = next.get_mut(component.leader as usize) {
                *slot = at;
            }
            at += component.calls;
        }
        self.order = vec![0; numbered.admitted.len()];
        for call in &numbered.admitted {
            let leader = self.leaders.get(*call as usize).copied().unwrap_or(*call);
            if let Some(at) = next.get_mut(leader as usize) {
                if let Some(slot) = self.order.get_mut(*at as usize) {
                    *slot = *call;
                }
                *at += 1;
            }
        }
    }
}

/// How each cell is treated: sums where nothing but adding and subtracting happens, by more than
/// one call, and everything that is known before fits in any order.
pub fn modes(numbered: &Numbered) -> Vec<Mode> {
    let uses = numbered.uses.iter();
    uses.map(|used| {
        let alone = used.first == used.last;
        if used.ordered || alone {
            return Mode::Ordered;
        }
        let [low, high] = used.held;
        let held = u128::from(low) | (u128::from(high) << 64);
        let most = u128::MAX >> 128u32.saturating_sub(u32::from(used.bits));
        let fits = held
            .checked_add(u128::from(used.added))
            .is_some_and(|n| n <= most);
        // A sum of all ones may be larger than it says.
        let known = used.added != u64::MAX && used.subtracted != u64::MAX;
        if fits && known && held >= u128::from(used.subtracted) {
            Mode::Sum
        } else {
            Mode::Ordered
        }
    })
    .collect()
}

/// Brings the batch's cells into the work area.
pub fn load(work: &mut Work, numbered: &Numbered, cells: &Cells, modes: &[Mode]) {
    work.clear();
    for (used, mode) in numbered.uses.iter().zip(modes) {
        let held = |n: usize| used.held.get(n).copied();
        let pair = |n| held(n).unwrap_or_else(|| cells.pair(used.spot, n));
        work.add(used.words, *mode, pair);
    }
}

/// The numbers of a call's places.
pub fn places<'a>(
    machine: &Machine,
    prepared: &Prepared,
    sites: &'a Sites,
    call: u32,
) -> &'a [u32] {
    let checked = prepared.checked.get(call as usize);
    let compiled = checked.and_then(|checked| compiled(machine, checked));
    let signers = compiled.map_or(0, |compiled| compiled.entry.signers.len());
    let own = sites.spots.get(sites.of(call as usize)).unwrap_or(&[]);
    own.get(signers..).unwrap_or(&[])
}

fn conflicts(used: &Use, mode: Mode) -> bool {
    mode == Mode::Ordered && used.written && used.first != used.last
}

fn cost(machine: &Machine, prepared: &Prepared, call: u32) -> u64 {
    let checked = prepared.checked.get(call as usize);
    let compiled = checked.and_then(|checked| compiled(machine, checked));
    compiled.map_or(0, |compiled| compiled.code.cost)
}
