//! Where tables lie at the bottom of the stack, and how they get there.

use super::super::asm::Asm;
use super::super::cells::push_cells;
use super::super::graph::{Graph, Node, NodeId};
use super::super::table::{STRIDE, Table};
use super::bias::{Bias, Choice, Chosen, Demands, Equations, refine};
use std::collections::BTreeMap;

/// The tables of a body.
#[derive(Debug)]
pub struct Tables {
    /// Each with its cells by index.
    all: Vec<(Table, Vec<(i64, i64)>)>,
    shapes: Vec<Shape>,
    numbers: BTreeMap<Table, u16>,
}

/// Which slots a table takes, counted from its first cell.
#[derive(Debug)]
struct Shape {
    /// Its least index.
    first: i64,
    /// Its greatest index.
    last: i64,
    bits: Vec<u64>,
}

impl Shape {
    fn of(cells: &[(i64, i64)]) -> Self {
        let indices = || cells.iter().map(|(index, _)| *index);
        let (first, last) = (indices().min().unwrap_or(0), indices().max().unwrap_or(0));
        let mut slots = Slots::default();
        for index in indices() {
            slots.set((index - first) as usize);
        }
        Self {
            first,
            last,
            bits: slots.bits,
        }
    }
}

/// Which slots are used, from the topmost down.
#[derive(Clone, Debug, Default)]
struct Slots {
    bits: Vec<u64>,
    len: usize,
}

impl Slots {
    fn set(&mut self, slot: usize) {
        self.len = self.len.max(slot + 1);
        if slot / 64 >= self.bits.len() {
            self.bits.resize(slot / 64 + 1, 0);
        }
        self.bits[slot / 64] |= 1 << (slot % 64);
    }

    /// Whether a shape that begins at a slot collides with none that is used.
    fn is_free(&self, shape: &Shape, at: usize) -> bool {
        let (word, shift) = (at / 64, at % 64);
        let get = |n: usize| self.bits.get(n).copied().unwrap_or(0);
        shape.bits.iter().enumerate().all(|(n, bits)| {
            let low = get(word + n) >> shift;
            let high = match shift {
                0 => 0,
                _ => get(word + n + 1) << (64 - shift),
            };
            (low | high) & bits == 0
        })
    }
}

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
        let all: Vec<(Table, Vec<(i64, i64)>)> = sizes.iter().map(cells).collect();
        Self {
            shapes: all.iter().map(|(_, cells)| Shape::of(cells)).collect(),
            all,
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
        -self.shapes[usize::from(number)].first
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
        if demands.count() < FEW {
            let mut plan = Arrangement::new(self, &heaviest, room);
            plan.complete();
            let mut chosen = plan.chosen();
            refine(demands, &mut chosen);
            return chosen;
        }
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

    /// The slots from the topmost down: what is stored there.
    pub fn slots(&self, chosen: &Chosen) -> Vec<Option<i64>> {
        let mut slots = Vec::new();
        for ((place, bias), (_, cells)) in chosen.places.iter().zip(&chosen.biases).zip(&self.all) {
            for (index, cell) in cells {
                let slot = (place + index) as usize;
                if slot >= slots.len() {
                    slots.resize(slot + 1, None);
                }
                slots[slot] = Some(cell + bias);
            }
        }
        slots
    }

    /// Pushes all tables. A slot that nobody uses is a copy of the one beneath.
    pub fn push(&self, asm: &mut Asm, chosen: &Chosen) {
        let mut last = 0;
        let cells: Vec<i64> = self
            .slots(chosen)
            .into_iter()
            .rev()
            .map(|slot| {
                last = slot.unwrap_or(last);
                last
            })
            .collect();
        asm.items(&push_cells(&cells));
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
/// With fewer look-ups than that, places are not searched for.
const FEW: usize = 50;
/// How many places of a table are tried at most.
const TRIES: usize = 96;
/// Tables placed for all tries of all tables: the search's work, about.
const WORK: usize = 300_000;
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
            slots: Slots::default(),
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
        let over = self.slots.len.saturating_sub(self.room);
        demands.cost(&self.chosen()) + SLOT * self.slots.len + 100 * over
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
        let span = self.slots.len as i64 + i64::from(STRIDE);
        let room = (self.room.min(1_000) as i64).max(span);
        let free: Vec<i64> = (highest..=highest + room)
            .filter(|place| self.is_free(number, *place))
            .collect();
        let tables = self.places.len();
        let tries = (WORK / (tables * tables * tables).max(1)).clamp(1, TRIES);
        let step = free.len().div_ceil(tries).max(1);
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
        self.equations.known(Choice::Place(number))
    }

    /// As near as possible to where the equations have it, else as far up as possible.
    fn nearest(&self, number: u16) -> i64 {
        let highest = self.tables.highest(number);
        let span = self.slots.len as i64 + i64::from(STRIDE);
        let near = highest..=highest + self.slots.len as i64;
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
        let shape = &self.tables.shapes[usize::from(number)];
        let limit = self.room.max(self.slots.len + cells.len()) as i64;
        place + shape.first >= 0
            && place + shape.last < limit
            && (!table.rows() || place % i64::from(STRIDE) == 0)
            && self.slots.is_free(shape, (place + shape.first) as usize)
    }

    fn put(&mut self, number: u16, place: i64) {
        for (index, _) in &self.tables.all[usize::from(number)].1 {
            self.slots.set((place + index) as usize);
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
        let biases = (0..self.tables.all.len() as u16)
            .map(|number| self.equations.least(Choice::Bias(number)));
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
