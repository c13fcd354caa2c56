//! What the bytes of a body stand for, recorded while it is written: for whoever shows or
//! checks a script. Nothing is recorded unless asked for.

pub use super::table::{Bitwise, Count, Form as Stored, Table};

use super::graph::{Graph, Node, NodeId};
use super::peephole::Offsets;
use crate::word::{Program, Value};
use std::ops::Range;

/// What some bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Push all tables.
    Tables,
    /// Have claimed digits wait in pairs.
    Join,
    /// Leave this node's value on top. No bytes: it happens to be there now.
    Node(NodeId),
    /// Drop a digit that was read.
    Unread,
    /// Raise the verdict if a condition holds.
    Flag,
    /// Raise the verdict if a digit is not as claimed.
    Compare,
    /// The same of two digits at once.
    ComparePair,
    /// Leave the verdict alone.
    End,
}

/// Some bytes of a body, and what they do; those within them that are marked too did it before.
#[derive(Clone, Debug)]
struct Mark {
    bytes: Range<usize>,
    what: What,
    /// What the item on top holds besides its value; `None` if it is no longer on top there.
    bias: Option<i64>,
}

/// The marks of a body, in the order of their last bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Option<Marked>);

#[derive(Clone, Debug, Default)]
struct Marked {
    marks: Vec<Mark>,
    /// Whose cells lie at the bottom of the stack, bottom first.
    tables: Vec<Option<Table>>,
}

impl Marks {
    /// Whether anything is taken down.
    pub(super) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// Forgets a draft.
    pub(super) fn restart(&mut self) {
        if let Some(marked) = &mut self.0 {
            *marked = Marked::default();
        }
    }

    /// Says what some bytes do.
    pub(super) fn add(&mut self, what: What, bytes: Range<usize>) {
        self.add_biased(what, bytes, 0);
    }

    /// The same of bytes that leave a node's value plus `bias` on top.
    pub(super) fn add_biased(&mut self, what: What, bytes: Range<usize>, bias: i64) {
        if let Some(Marked { marks, .. }) = &mut self.0 {
            let bias = Some(bias);
            marks.push(Mark { bytes, what, bias });
        }
    }

    /// Says that some bytes push tables: whose cells, bottom first.
    pub(super) fn add_tables(
        &mut self,
        owners: impl Iterator<Item = Option<Table>>,
        bytes: Range<usize>,
    ) {
        if let Some(marked) = &mut self.0 {
            marked.tables = owners.collect();
            self.add(What::Tables, bytes);
        }
    }

    /// Follows the bytes into the shorter script. Nodes that are gone aren't marked any more.
    fn follow(&mut self, offsets: &Offsets) {
        let Some(Marked { marks, .. }) = &mut self.0 else {
            return;
        };
        marks.retain_mut(|mark| {
            let end = offsets.exactly(mark.bytes.end);
            if end.is_none() {
                mark.bias = None;
            }
            let start = offsets.now(mark.bytes.start);
            let end = end.unwrap_or_else(|| offsets.now(mark.bytes.end));
            mark.bytes = start.min(end)..end;
            let gone = mark.bytes.is_empty() && mark.bias.is_none();
            !(gone && matches!(mark.what, What::Node(_)))
        });
    }
}

/// How a part of a word is written as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A digit in base 16, counted from the least.
    Digit(u8),
    /// The same, as the row of a table of two digits.
    Row(u8),
    /// The same, its bits as the digits of a number in base 3.
    Spread(u8),
    /// What a sum carries from this digit to the next.
    Carry(u8),
    /// Something on the way to this digit.
    Part(u8),
}

impl Form {
    /// A digit that is stored in some form.
    fn new(place: u8, stored: Stored) -> Self {
        match stored {
            Stored::PLAIN => Self::Digit(place),
            Stored::ROW => Self::Row(place),
            Stored::SPREAD => Self::Spread(place),
            _ => Self::Part(place),
        }
    }

    /// How it stores a digit, if it is one.
    fn stored(self) -> Option<Stored> {
        match self {
            Self::Digit(_) => Some(Stored::PLAIN),
            Self::Row(_) => Some(Stored::ROW),
            Self::Spread(_) => Some(Stored::SPREAD),
            Self::Carry(_) | Self::Part(_) => None,
        }
    }

    /// The number that stands for a word in this form, if the word alone decides.
    pub fn of(self, word: u32) -> Option<i64> {
        let digit = word
            .checked_shr(4 * u32::from(self.place()))
            .unwrap_or_default();
        Some(self.stored()?.of(i64::from(digit & 15)))
    }

    /// Which digit of the word it is, or belongs to.
    pub fn place(self) -> u8 {
        match self {
            Self::Digit(n) | Self::Row(n) | Self::Spread(n) | Self::Carry(n) | Self::Part(n) => n,
        }
    }

    /// The plain digit that a number in this form stands for, if it isn't the number itself.
    pub fn decode(self, number: i64) -> Option<i64> {
        match self {
            Self::Row(_) | Self::Spread(_) => self.stored()?.digit(number),
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
pub(super) struct Names(Option<Named>);

#[derive(Clone, Debug, Default)]
struct Named {
    digits: Vec<(NodeId, Name)>,
    /// Digits in other forms: from which, to which, the form.
    converted: Vec<(NodeId, NodeId, Stored)>,
}

impl Names {
    /// Takes down the digits of all words, and their forms. Those of loose words are none.
    pub(super) fn record(
        &mut self,
        words: &[Option<[NodeId; 8]>],
        forms: &[Stored],
        loose: &[bool],
    ) {
        let Some(names) = &mut self.0 else { return };
        for (n, ((digits, stored), loose)) in words.iter().zip(forms).zip(loose).enumerate() {
            let value = Value(n as u32);
            for (place, node) in (0..).zip(digits.iter().flatten()) {
                let form = match loose {
                    true => Form::Part(place),
                    false => Form::new(place, *stored),
                };
                names.digits.push((*node, Name { value, form }));
            }
        }
    }

    /// Takes down that a digit was brought into another form.
    pub(super) fn convert(&mut self, from: NodeId, to: NodeId, form: Stored) {
        if let Some(names) = &mut self.0 {
            names.converted.push((from, to, form));
        }
    }
}

impl Named {
    /// By node, what it is.
    fn by_node(&self, nodes: usize) -> Vec<Option<Name>> {
        let mut by_node: Vec<Option<Name>> = vec![None; nodes];
        for (node, name) in &self.digits {
            // A digit that is moved belongs to where it came from.
            let slot = &mut by_node[node.index()];
            *slot = slot.or(Some(*name));
        }
        for (from, to, stored) in &self.converted {
            let digit = by_node[from.index()].filter(|name| name.form.stored().is_some());
            let slot = &mut by_node[to.index()];
            *slot = slot.or(digit.map(|name| Name {
                form: Form::new(name.form.place(), *stored),
                ..name
            }));
        }
        by_node
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

/// Some bytes, and what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Bytes of the body.
    pub bytes: Range<usize>,
    /// What they do.
    pub note: Note,
    /// What the item on top holds after them besides what they compute; `None` if they leave
    /// something else on top.
    pub bias: Option<i64>,
}

/// What bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// All tables.
    Tables,
    /// Claimed digits that are to wait in pairs.
    Join,
    /// A number that is computed, nameless where it belongs to no word.
    Node(Option<Name>),
    /// A digit that is read, and that nothing needs.
    Unread,
    /// A condition that raises the verdict, counted from 0.
    Flag(usize),
    /// A digit that is compared with the claimed one, counted from 0.
    Compare(usize),
    /// This digit and the next, compared as one number.
    ComparePair(usize),
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
            marks: Marks(Some(Marked::default())),
            names: Names(Some(Named::default())),
            ..Self::default()
        }
    }

    /// Whether anything is taken down.
    pub(super) fn are_on(&self) -> bool {
        self.marks.are_on()
    }

    /// Whose cells lie at the bottom of the stack once tables are pushed, bottom first.
    pub fn tables(&self) -> &[Option<Table>] {
        let marked = self.marks.0.as_ref();
        marked.map_or(&[], |marked| &marked.tables)
    }

    /// What is noted, in the order of the last bytes: inner before outer.
    pub fn all(&self) -> impl Iterator<Item = Noted> + '_ {
        let (mut flags, mut compared) = (0, 0);
        let count = |n: &mut usize, by: usize| {
            *n += by;
            *n - by
        };
        let marks = self.marks.0.iter().flat_map(|marked| &marked.marks);
        marks.map(move |mark| {
            let note = match mark.what {
                What::Tables => Note::Tables,
                What::Join => Note::Join,
                What::Node(node) => Note::Node(self.by_node.get(node.index()).copied().flatten()),
                What::Unread => Note::Unread,
                What::Flag => Note::Flag(count(&mut flags, 1)),
                What::Compare => Note::Compare(count(&mut compared, 1)),
                What::ComparePair => Note::ComparePair(count(&mut compared, 2)),
                What::End => Note::End,
            };
            Noted {
                bytes: mark.bytes.clone(),
                note,
                bias: mark.bias,
            }
        })
    }

    /// Names the nodes, those that lowering named none of after what they are part of; follows
    /// the bytes into the shorter script.
    pub(super) fn finish(&mut self, graph: &Graph, offsets: &Offsets) {
        let Some(names) = self.names.0.take() else {
            return;
        };
        self.marks.follow(offsets);
        let mut by_node = names.by_node(graph.len());
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
    for index in 0..by_node.len() {
        if let Node::Rest(low, _) = graph.node(NodeId(index as u32))
            && let (None, Some(digit)) = (by_node[index], by_node[low.index()])
        {
            by_node[index] = Some(Name {
                form: Form::Carry(digit.form.place()),
                ..digit
            });
        }
    }
}
