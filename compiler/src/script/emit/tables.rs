//! Where tables lie at the bottom of the stack, and how they get there.

use super::super::asm::Asm;
use super::super::cells::push_cells;
use super::super::graph::{Graph, Node, NodeId};
use super::super::marks::Marks;
use super::super::table::{STRIDE, Table};
use super::bias::{Bias, Choice, Chosen, Demands, Equations, refine};
use std::collections::BTreeMap;

/// The tables of a body.
#[derive(Debug)]
pub struct Tables {
    /// Each with its cells by index.
    all: Vec<(Table, Vec<(i64, i64)>)>,
    numbers: BTreeMap<Table, u16>,
}

/// Whether slots are used, from the topmost down.
type Slots = Vec<bool>;

impl Tables {
    /// Those that live nodes look into.
    pub fn of(graph: &Graph, uses: &[u32]) -> Self {
        let mut sizes: BTreeMap<Table, (i64, i64)> = BTreeMap::new();
        for (index, uses) in uses.iter().enumerate() {
            let look = graph.looks(NodeId(index as u32)).filter(|_| *uses > 0);
            if let Some((table, low, high)) = look {
                let size = sizes.entry(table).or_insert((low, high));
                *size = (size.0.min(low), size.1.max(high));
            }
        }
        let cells =
            |(table, (low, high)): (&Table, &(i64, i64))| (*table, table.cells(*low, *high));
        Self {
            all: sizes.iter().map(cells).collect(),
            numbers: sizes.keys().copied().zip(0..).collect(),
        }
    }

    /// The widest last, to be placed first: the others fit into its holes.
    fn widest_first(&self) -> Vec<u16> {
        let mut order: Vec<u16> = (0..self.all.len() as u16).collect();
        order.sort_by_key(|n| {
            let (table, cells) = &self.all[usize::from(*n)];
            let span = match (cells.first(), cells.last()) {
                (Some(first), Some(last)) => last.0 - first.0,
                _ => 0,
            };
            (table.rows(), span, *n)
        });
        order
    }

    /// Those last, to be placed first, that are looked into most often for their size.
    fn busiest_first(&self, demands: &Demands) -> Vec<u16> {
        let mut looks = vec![0usize; self.all.len()];
        for (lack, times) in &demands.0 {
            for (choice, _) in &lack.of {
                if let Choice::Place(number) = choice {
                    looks[usize::from(*number)] += *times as usize;
                }
            }
        }
        let mut order: Vec<u16> = (0..self.all.len() as u16).collect();
        order.sort_by_key(|n| {
            let (table, cells) = &self.all[usize::from(*n)];
            (
                table.rows(),
                1_000 * looks[usize::from(*n)] / cells.len().max(1),
                *n,
            )
        });
        order
    }

    /// The place of a table whose first cell is topmost of all.
    fn highest(&self, number: u16) -> i64 {
        let cells = &self.all[usize::from(number)].1;
        -cells.iter().map(|(index, _)| *index).min().unwrap_or(0)
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.all.iter().map(|(_, cells)| cells.len()).sum()
    }

    /// A table's number.
    pub fn number(&self, table: &Table) -> Option<u16> {
        self.numbers.get(table).copied()
    }

    /// Places without regard to biases, all of which are 0.
    pub fn draft(&self) -> Chosen {
        let mut plan = Arrangement::new(self, &[], usize::MAX);
        plan.complete();
        plan.chosen()
    }

    /// Places and biases for which the corrections are small.
    pub fn choose(&self, demands: &Demands, room: usize) -> Chosen {
        let (heaviest, sketch) = demands.heaviest(KINDS);
        let orders = [self.widest_first(), self.busiest_first(demands)];
        let plans = orders.into_iter().map(|order| {
            let mut plan = Arrangement::new(self, &heaviest, room);
            plan.waiting = order;
            while let Some(number) = plan.next() {
                plan = plan.best_next(number, &sketch);
            }
            (plan.cost(&sketch), plan)
        });
        let Some((_, mut plan)) = plans.min_by_key(|(cost, _)| *cost) else {
            return self.draft();
        };
        let (all, _) = demands.heaviest(10_000);
        plan.wanted = &all;
        plan.restart();
        let mut chosen = plan.chosen();
        refine(demands, &mut chosen);
        chosen
    }

    /// The slots from the topmost down: what is stored there, and whose cell it is.
    pub fn slots(&self, chosen: &Chosen) -> Vec<Option<(i64, Table)>> {
        let mut slots = Vec::new();
        for ((place, bias), (table, cells)) in
            chosen.places.iter().zip(&chosen.biases).zip(&self.all)
        {
            for (index, cell) in cells {
                let slot = (place + index) as usize;
                if slot >= slots.len() {
                    slots.resize(slot + 1, None);
                }
                slots[slot] = Some((cell + bias, *table));
            }
        }
        slots
    }

    /// Pushes all tables. A slot that nobody uses is a copy of the one beneath.
    pub fn push(&self, asm: &mut Asm, chosen: &Chosen, marks: &mut Marks) {
        let mut last = 0;
        let slots = self.slots(chosen);
        let cells = slots.iter().rev().map(|slot| {
            last = slot.map_or(last, |(cell, _)| cell);
            last
        });
        let cells: Vec<i64> = cells.collect();
        let start = asm.len();
        asm.items(&push_cells(&cells));
        let owners = slots.iter().rev().map(|slot| slot.map(|(_, table)| table));
        marks.add_tables(owners, start..asm.len());
    }
}

/// Tables that have a place already, and what follows for the others.
#[derive(Clone)]
struct Arrangement<'a> {
    tables: &'a Tables,
    /// What is wanted, the most important first.
    wanted: &'a [Bias],
    /// How many slots there may be.
    room: usize,
    equations: Equations,
    slots: Slots,
    places: Vec<Option<i64>>,
    /// Tables without a place, the next one last.
    waiting: Vec<u16>,
}

/// Kinds of demands decide about places if they make up at least this fraction of all.
const KINDS: usize = 50;
/// How many places of a table are tried.
const TRIES: usize = 96;
/// What a slot costs in bytes: pushed, and dropped at the end.
const SLOT: usize = 3;

impl<'a> Arrangement<'a> {
    fn new(tables: &'a Tables, wanted: &'a [Bias], room: usize) -> Self {
        let waiting = tables.widest_first();
        let mut plan = Self {
            tables,
            wanted,
            room,
            equations: Equations::default(),
            slots: Slots::new(),
            places: vec![None; tables.all.len()],
            waiting,
        };
        plan.restart();
        plan
    }

    /// The equations anew: places first, then what is wanted as far as it doesn't contradict.
    fn restart(&mut self) {
        self.equations = Equations::default();
        for (number, place) in (0..).zip(&self.places) {
            if let Some(place) = place {
                self.equations.demand(&is_at(number, *place));
            }
        }
        for lack in self.wanted {
            self.equations.demand(lack);
        }
    }

    /// What corrections and slots cost in bytes; more than that where there is no room.
    fn cost(&self, demands: &Demands) -> usize {
        let over = self.slots.len().saturating_sub(self.room);
        demands.cost(&self.chosen()) + SLOT * self.slots.len() + 100 * over
    }

    /// The first that has no choice, else the first.
    fn next(&self) -> Option<u16> {
        let waiting = self.waiting.iter().rev();
        let bound = waiting.clone().find(|number| {
            self.wish(**number)
                .is_some_and(|wish| self.is_free(**number, wish))
        });
        bound.or_else(|| waiting.clone().next()).copied()
    }

    /// With the next table where it is best.
    fn best_next(self, number: u16, demands: &Demands) -> Self {
        if let Some(wish) = self.wish(number).filter(|wish| self.is_free(number, *wish)) {
            let mut plan = self;
            plan.put(number, wish);
            return plan;
        }
        let highest = self.tables.highest(number);
        let span = self.slots.len() as i64 + i64::from(STRIDE);
        let room = (self.room.min(1_000) as i64).max(span);
        let free: Vec<i64> = (highest..=highest + room)
            .filter(|place| self.is_free(number, *place))
            .collect();
        let step = free.len().div_ceil(TRIES).max(1);
        let plans = free.into_iter().step_by(step).map(|place| {
            let mut plan = self.clone();
            plan.put(number, place);
            let mut whole = plan.clone();
            whole.complete();
            let cost = whole.cost(demands);
            (cost, plan)
        });
        let best = plans.min_by_key(|(cost, _)| *cost).map(|(_, plan)| plan);
        best.unwrap_or_else(|| {
            let mut plan = self;
            plan.put(number, highest + span);
            plan
        })
    }

    /// Gives every other table a place, too.
    fn complete(&mut self) {
        while let Some(number) = self.next() {
            let place = self.nearest(number);
            self.put(number, place);
        }
    }

    /// Where the equations have a table, if they determine it.
    fn wish(&self, number: u16) -> Option<i64> {
        let wish = self.equations.reduce(&Bias::chosen(Choice::Place(number)));
        wish.of.is_empty().then_some(wish.fixed)
    }

    /// As near as possible to where the equations have it, else as far up as possible.
    fn nearest(&self, number: u16) -> i64 {
        let highest = self.tables.highest(number);
        let span = self.slots.len() as i64 + i64::from(STRIDE);
        let near = highest..=highest + self.slots.len() as i64;
        let place = match self.wish(number).filter(|wish| near.contains(wish)) {
            Some(wish) => (0..span)
                .flat_map(|by| [wish - by, wish + by])
                .find(|place| self.is_free(number, *place)),
            None => (highest..=highest + span).find(|place| self.is_free(number, *place)),
        };
        place.unwrap_or(highest + span)
    }

    fn is_free(&self, number: u16, place: i64) -> bool {
        let (table, cells) = &self.tables.all[usize::from(number)];
        let lowest = cells.iter().map(|(index, _)| place + index).max();
        let limit = self.room.max(self.slots.len() + cells.len());
        lowest.is_none_or(|lowest| (lowest as usize) < limit)
            && place >= self.tables.highest(number)
            && (!table.rows() || place % i64::from(STRIDE) == 0)
            && cells.iter().all(|(index, _)| {
                let slot = self.slots.get((place + index) as usize);
                slot.is_none_or(|used| !used)
            })
    }

    fn put(&mut self, number: u16, place: i64) {
        for (index, _) in &self.tables.all[usize::from(number)].1 {
            let slot = (place + index) as usize;
            if slot >= self.slots.len() {
                self.slots.resize(slot + 1, false);
            }
            self.slots[slot] = true;
        }
        self.places[usize::from(number)] = Some(place);
        match self.wish(number) {
            Some(wish) if wish != place => self.restart(),
            _ => self.equations.demand(&is_at(number, place)),
        }
        self.waiting.retain(|other| *other != number);
    }

    /// What is still free is 0.
    fn chosen(&self) -> Chosen {
        let biases = (0..self.tables.all.len() as u16).map(|number| {
            let bias = Bias::chosen(Choice::Bias(number));
            self.equations.reduce(&bias).fixed
        });
        Chosen {
            biases: biases.collect(),
            places: self.places.iter().map(|place| place.unwrap_or(0)).collect(),
        }
    }
}

/// That a table lies at a place.
fn is_at(number: u16, place: i64) -> Bias {
    Bias {
        fixed: -place,
        ..Bias::chosen(Choice::Place(number))
    }
}

impl Graph {
    /// The table that a node looks into, and between which indices; of a carry, what is left
    /// of its sum without the low digit.
    fn looks(&self, id: NodeId) -> Option<(Table, i64, i64)> {
        match self.node(id) {
            Node::Look(table, index) => {
                let range = self.range(*index);
                Some((*table, range.low, range.high))
            }
            Node::Rest(look, table) => {
                let range = self.range(self.index_of(*look)?);
                Some((*table, range.low, range.high))
            }
            _ => None,
        }
    }
}
