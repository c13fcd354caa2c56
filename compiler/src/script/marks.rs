//! What the bytes of a body stand for, recorded while it is written: for whoever shows or
//! checks a script. Nothing is recorded unless asked for.

pub use super::graph::{Table, spread};

use super::graph::{Graph, Node, NodeId};
use crate::word::{Program, Value};
use std::collections::HashMap;
use std::ops::Range;

/// What some bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Push a cell of a table.
    Cell(Table),
    /// Leave this node's value on top. No bytes: it happens to be there now.
    Node(NodeId),
    /// Drop a digit that was read.
    Unread,
    /// Raise the verdict if a condition holds.
    Flag,
    /// Raise the verdict if a digit is not as claimed.
    Compare,
    /// Leave the verdict alone.
    End,
}

/// Some bytes of a body, and what they do; those within them that are marked too did it before.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) bytes: Range<usize>,
    pub(super) what: What,
    /// What the item on top holds besides its value.
    pub(super) bias: i64,
}

/// The marks of a body, in the order of their last bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Option<Vec<Mark>>);

impl Marks {
    /// Says what some bytes do.
    pub(super) fn add(&mut self, what: What, bytes: Range<usize>) {
        self.add_biased(what, bytes, 0);
    }

    /// The same of bytes that leave a node's value plus `bias` on top.
    pub(super) fn add_biased(&mut self, what: What, bytes: Range<usize>, bias: i64) {
        if let Some(marks) = &mut self.0 {
            marks.push(Mark { bytes, what, bias });
        }
    }
}

/// How a part of a word is written as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A digit in base 16, counted from the least.
    Digit(u8),
    /// The same, its bits as the digits of a number in base 3.
    Spread(u8),
    /// What a sum carries from this digit to the next.
    Carry(u8),
    /// Something on the way to this digit.
    Part(u8),
}

impl Form {
    /// The number that stands for a word in this form, if the word alone decides.
    pub fn of(self, word: u32) -> Option<i64> {
        let digit = |n: u8| (word.checked_shr(4 * u32::from(n)).unwrap_or(0) & 15) as u8;
        match self {
            Self::Digit(n) => Some(i64::from(digit(n))),
            Self::Spread(n) => Some(i64::from(spread(digit(n)))),
            Self::Carry(_) | Self::Part(_) => None,
        }
    }

    /// Which digit of the word it is, or belongs to.
    pub fn place(self) -> u8 {
        match self {
            Self::Digit(n) | Self::Spread(n) | Self::Carry(n) | Self::Part(n) => n,
        }
    }

    /// The plain digit that a number in this form stands for, if it isn't the number itself.
    pub fn decode(self, number: i64) -> Option<u8> {
        match self {
            Self::Spread(_) => (0..16).find(|digit| i64::from(spread(*digit)) == number),
            _ => None,
        }
    }
}

/// A word of [`Notes::program`] and how a part of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The word.
    pub value: Value,
    /// The part, and how it is written.
    pub form: Form,
}

/// Which digit each node is, as far as lowering says.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Option<Vec<(NodeId, Name)>>);

impl Names {
    /// Takes down the digits of all words; by plain node, what is its spread form.
    pub(super) fn record(
        &mut self,
        words: &[Option<[NodeId; 8]>],
        spreads: &HashMap<NodeId, NodeId>,
    ) {
        let Some(names) = &mut self.0 else { return };
        for (n, digits) in words.iter().enumerate() {
            let value = Value(n as u32);
            for (place, node) in (0..).zip(digits.iter().flatten()) {
                let mut add = |node, form| names.push((node, Name { value, form }));
                add(*node, Form::Digit(place));
                if let Some(spread) = spreads.get(node).filter(|spread| *spread != node) {
                    add(*spread, Form::Spread(place));
                }
            }
        }
    }
}

/// What is known of a body's bytes.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pub(super) marks: Marks,
    pub(super) names: Names,
    by_node: Vec<Option<Name>>,
    /// What the body computes, once it was made: its inputs are the words that are read, its
    /// aborts what is compared.
    pub program: Option<Program>,
}

/// A mark as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A cell of a table.
    Cell(Table),
    /// A number that is computed, and what the item on top holds besides; nameless where it
    /// belongs to no word.
    Node(Option<Name>, i64),
    /// A digit that is read, and that nothing needs.
    Unread,
    /// A condition that raises the verdict, counted from 0.
    Flag(usize),
    /// A digit that is compared with the claimed one, counted from 0.
    Compare(usize),
    /// What leaves the verdict alone.
    End,
}

impl Notes {
    /// Notes that take nothing down.
    pub fn off() -> Self {
        Self::default()
    }

    /// Notes that take everything down.
    pub fn on() -> Self {
        Self {
            marks: Marks(Some(Vec::new())),
            names: Names(Some(Vec::new())),
            ..Self::default()
        }
    }

    /// What is noted, in the order of the last bytes: inner before outer.
    pub fn all(&self) -> impl Iterator<Item = (Range<usize>, Note)> + '_ {
        let (mut flags, mut compared) = (0, 0);
        let count = |n: &mut usize| {
            *n += 1;
            *n - 1
        };
        let marks = self.marks.0.iter().flatten();
        marks.map(move |mark| {
            let note = match mark.what {
                What::Cell(table) => Note::Cell(table),
                What::Node(node) => {
                    let name = self.by_node.get(node.index()).copied().flatten();
                    Note::Node(name, mark.bias)
                }
                What::Unread => Note::Unread,
                What::Flag => Note::Flag(count(&mut flags)),
                What::Compare => Note::Compare(count(&mut compared)),
                What::End => Note::End,
            };
            (mark.bytes.clone(), note)
        })
    }

    /// Names the nodes, those that lowering named none of after what they are part of.
    pub(super) fn finish(&mut self, graph: &Graph, program: Program) {
        let Some(names) = self.names.0.take() else {
            return;
        };
        self.program = Some(program);
        let mut by_node: Vec<Option<Name>> = vec![None; graph.len()];
        for (node, name) in names {
            // A digit that is moved belongs to where it came from.
            let slot = &mut by_node[node.index()];
            *slot = slot.or(Some(name));
        }
        name_carries(graph, &mut by_node);
        for index in (0..graph.len()).rev() {
            let Some(name) = by_node[index] else { continue };
            for operand in graph.node(NodeId(index as u32)).operands() {
                let slot = &mut by_node[operand.index()];
                *slot = slot.or(Some(Name {
                    form: Form::Part(name.form.place()),
                    ..name
                }));
            }
        }
        self.by_node = by_node;
    }
}

/// What is split off a sum is the carry of the digit that is split off it.
fn name_carries(graph: &Graph, by_node: &mut [Option<Name>]) {
    let node = |index: usize| graph.node(NodeId(index as u32));
    let mut digits: HashMap<NodeId, Name> = HashMap::new();
    for (index, name) in by_node.iter().enumerate() {
        if let (Some(name), Node::Low(sum) | Node::Look(Table::Low, sum)) = (name, node(index)) {
            digits.insert(*sum, *name);
        }
    }
    for (index, slot) in by_node.iter_mut().enumerate() {
        if let Node::Carry(sum) | Node::Look(Table::Carry, sum) = node(index)
            && let (None, Some(digit)) = (&slot, digits.get(sum))
        {
            *slot = Some(Name {
                form: Form::Carry(digit.form.place()),
                ..*digit
            });
        }
    }
}
