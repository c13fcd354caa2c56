//! The search for tables' places: which are best depends on the corrections of biases that they
//! lead to ([`Demands`]), and on the holes between them.
//!
//! Tables are placed one after the other, each where the whole is cheapest if the others then
//! follow their wishes; what comes of it is polished. All of it is bounded, and the same on
//! every machine.

use super::super::table::STRIDE;
use super::bias::{Bias, Choice, Chosen, Demands, Equations, refine};
use super::slots::Slots;
use super::tables::Tables;

/// Tables that have a place already, and what follows for the others.
#[derive(Clone)]
pub struct Arrangement<'a> {
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
/// How often all tables are swapped and moved; little is gained after the second time.
const SWEEPS: usize = 4;
/// What a slot costs in bytes: pushed, and dropped at the end.
const SLOT: usize = 3;

impl<'a> Arrangement<'a> {
    /// Places without regard to biases, all of which are 0.
    pub fn draft(tables: &Tables) -> Chosen {
        let mut plan = Arrangement::new(tables, &[], usize::MAX);
        plan.complete();
        plan.chosen()
    }

    /// Places and biases for which the corrections are small, in so many slots if possible.
    pub fn of(tables: &Tables, demands: &Demands, room: usize) -> Chosen {
        let (heaviest, sketch) = demands.heaviest(KINDS);
        let mut plan = Arrangement::new(tables, &heaviest, room);
        if demands.count() < FEW {
            plan.complete();
        } else {
            let orders = [widest_first(tables), busiest_first(tables, demands)];
            let plans = orders.map(|order| {
                let mut plan = plan.clone();
                plan.waiting = order;
                while let Some(number) = plan.next() {
                    plan = plan.best_next(number, &sketch);
                }
                (plan.cost(&sketch), plan)
            });
            if let Some((cost, best)) = plans.into_iter().min_by_key(|(cost, _)| *cost) {
                plan = best.polished(cost, &sketch);
            }
        }
        let (all, _) = demands.heaviest(10_000);
        plan.wanted = &all;
        plan.restart();
        let mut chosen = plan.chosen();
        refine(demands, &mut chosen);
        chosen
    }

    fn new(tables: &'a Tables, wanted: &'a [Bias], room: usize) -> Self {
        let waiting = widest_first(tables);
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

    /// The same after swapping tables two by two, and moving them one by one, as long as that
    /// saves something.
    fn polished(mut self, mut cost: usize, demands: &Demands) -> Self {
        let tables = self.places.len() as u16;
        for _ in 0..SWEEPS {
            let before = cost;
            let pairs = (0..tables).flat_map(|a| (a + 1..tables).map(move |b| (a, b)));
            for (a, b) in pairs {
                let rest = self.without(&[a, b]);
                let (of_a, of_b) = (self.places[usize::from(a)], self.places[usize::from(b)]);
                let swapped = rest.with(b, of_a).and_then(|plan| plan.with(a, of_b));
                self = self.or_better(swapped, &mut cost, demands);
            }
            for number in 0..tables {
                let rest = self.without(&[number]);
                let highest = self.tables.highest(number);
                let free = highest..=highest + self.slots.len as i64;
                let free: Vec<i64> = free.filter(|place| rest.is_free(number, *place)).collect();
                let step = free.len().div_ceil(TRIES).max(1);
                for place in free.into_iter().step_by(step) {
                    let moved = rest.with(number, Some(place));
                    self = self.or_better(moved, &mut cost, demands);
                }
            }
            if cost == before {
                break;
            }
        }
        self
    }

    /// The other one, if it costs less than `cost`, which is then what it costs.
    fn or_better(self, other: Option<Self>, cost: &mut usize, demands: &Demands) -> Self {
        let Some(mut other) = other else {
            return self;
        };
        other.restart();
        let costs = other.cost(demands);
        if costs >= *cost {
            return self;
        }
        *cost = costs;
        other
    }

    /// The same without some tables.
    fn without(&self, numbers: &[u16]) -> Self {
        let mut plan = self.clone();
        plan.slots = Slots::default();
        for (number, place) in (0..).zip(&mut plan.places) {
            match place {
                Some(_) if numbers.contains(&number) => *place = None,
                Some(place) => plan
                    .slots
                    .take(&self.tables.shapes[usize::from(number)], *place),
                None => {}
            }
        }
        plan
    }

    /// The same with another table, if its place is free.
    fn with(&self, number: u16, place: Option<i64>) -> Option<Self> {
        let place = place.filter(|place| self.is_free(number, *place))?;
        let mut plan = self.clone();
        plan.slots
            .take(&self.tables.shapes[usize::from(number)], place);
        plan.places[usize::from(number)] = Some(place);
        Some(plan)
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
        self.slots
            .take(&self.tables.shapes[usize::from(number)], place);
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

/// The widest last, to be placed first: the others fit into its holes.
fn widest_first(tables: &Tables) -> Vec<u16> {
    let mut order: Vec<u16> = (0..tables.all.len() as u16).collect();
    order.sort_by_key(|n| {
        let (table, cells) = &tables.all[usize::from(*n)];
        let span = match (cells.first(), cells.last()) {
            (Some(first), Some(last)) => last.0 - first.0,
            _ => 0,
        };
        (table.rows(), span, *n)
    });
    order
}

/// Those last, to be placed first, that are looked into most often for their size.
fn busiest_first(tables: &Tables, demands: &Demands) -> Vec<u16> {
    let mut looks = vec![0usize; tables.all.len()];
    for (lack, times) in &demands.0 {
        for (choice, _) in &lack.of {
            if let Choice::Place(number) = choice {
                looks[usize::from(*number)] += *times as usize;
            }
        }
    }
    let mut order: Vec<u16> = (0..tables.all.len() as u16).collect();
    order.sort_by_key(|n| {
        let (table, cells) = &tables.all[usize::from(*n)];
        (
            table.rows(),
            1_000 * looks[usize::from(*n)] / cells.len().max(1),
            *n,
        )
    });
    order
}
