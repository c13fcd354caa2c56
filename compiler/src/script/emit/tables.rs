//! Where tables lie at the bottom of the stack, and how they get there.

use super::super::asm::Asm;
use super::super::cells::push_cells;
use super::super::graph::{Graph, Node, NodeId};
use super::super::marks::Marks;
use super::super::table::Table;
use super::arrange::Arrangement;
use super::bias::{Chosen, Demands};
use super::slots::Shape;
use std::collections::BTreeMap;

/// The tables of a body.
#[derive(Debug)]
pub struct Tables {
    /// Each with its cells by index.
    pub all: Vec<(Table, Vec<(i64, i64)>)>,
    /// Of each.
    pub shapes: Vec<Shape>,
    numbers: BTreeMap<Table, u16>,
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

    /// The place of a table whose first cell is topmost of all.
    pub fn highest(&self, number: u16) -> i64 {
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
        Arrangement::draft(self)
    }

    /// Places and biases for which the corrections are small, in so many slots if possible.
    pub fn choose(&self, demands: &Demands, room: usize) -> Chosen {
        Arrangement::of(self, demands, room)
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
