//! Where tables lie at the bottom of the stack, and how they get there.

use super::super::asm::Asm;
use super::super::code::{Code, number_len};
use super::super::graph::{Graph, Node, NodeId};
use super::super::table::Table;
use std::collections::BTreeMap;

/// All tables of a body, interleaved: a table's holes hold cells of others.
#[derive(Debug, Default)]
pub struct Layout {
    /// By table: its number, and the slot from the bottom where its cell 0 lies or would lie;
    /// cell `n` lies `n` slots below.
    places: BTreeMap<Table, (u16, i64)>,
    /// By slot from the bottom: number of the table, and the cell.
    slots: Vec<Option<(u16, i64)>>,
}

impl Layout {
    /// Places the tables that live nodes look into.
    pub fn of(graph: &Graph, uses: &[u32]) -> Self {
        let mut sizes: BTreeMap<Table, (i64, i64)> = BTreeMap::new();
        for (index, uses) in uses.iter().enumerate() {
            if *uses == 0 {
                continue;
            }
            let id = NodeId(index as u32);
            if let Some((table, low, high)) = graph.looks(id) {
                let size = sizes.entry(table).or_insert((low, high));
                *size = (size.0.min(low), size.1.max(high));
            }
        }
        let mut layout = Self::default();
        let numbers: BTreeMap<&Table, u16> = sizes.keys().zip(0..).collect();
        let mut tables: Vec<(&Table, Vec<(i64, i64)>)> = sizes
            .iter()
            .map(|(table, (low, high))| (table, table.cells(*low, *high)))
            .collect();
        // The largest first: the others fit into its holes.
        tables.sort_by_key(|(table, cells)| (std::cmp::Reverse(cells.len()), numbers[table]));
        for (table, cells) in tables {
            layout.place(*table, numbers[table], &cells);
        }
        layout
    }

    /// At the lowest place where no cell collides with another.
    fn place(&mut self, table: Table, number: u16, cells: &[(i64, i64)]) {
        let lowest = cells.iter().map(|(index, _)| *index).max().unwrap_or(0);
        let free = |slots: &[Option<(u16, i64)>], place: i64| {
            cells.iter().all(|(index, _)| {
                let slot = slots.get((place - index) as usize);
                slot.is_none_or(Option::is_none)
            })
        };
        let place = (lowest..).find(|place| free(&self.slots, *place));
        let place = place.unwrap_or(lowest);
        for (index, cell) in cells {
            let slot = (place - index) as usize;
            if slot >= self.slots.len() {
                self.slots.resize(slot + 1, None);
            }
            self.slots[slot] = Some((number, *cell));
        }
        self.places.insert(table, (number, place));
    }

    /// How many tables there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// A table's number and place.
    pub fn find(&self, table: &Table) -> Option<(u16, i64)> {
        self.places.get(table).copied()
    }

    /// Pushes all slots, given the tables' biases. A slot that nobody uses is a copy of the
    /// one beneath.
    pub fn push(&self, asm: &mut Asm, biases: &[i64]) {
        let mut last: [Option<i64>; 2] = [None, None];
        for slot in &self.slots {
            let cell = match slot {
                Some((table, cell)) => cell + biases[usize::from(*table)],
                None => last[0].unwrap_or(0),
            };
            match last {
                [Some(top), _] if top == cell && number_len(cell) > 1 => asm.op(Code::Dup),
                [_, Some(next)] if next == cell && number_len(cell) > 1 => asm.op(Code::Over),
                _ => asm.num(cell),
            }
            last = [Some(cell), last[0]];
        }
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
            Node::Carry(low) => {
                let (table, sum) = self.carry_table(*low)?;
                let range = self.range(sum);
                Some((table, range.low, range.high))
            }
            _ => None,
        }
    }
}
